//! A mapped file that was truncated reads as zeros and is marked, instead of ending the process.
//!
//! Reading a page beyond the end of a mapped file raises SIGBUS. The handler here looks the address up in a table of
//! watched mappings. If it is one of ours, it puts a page of zeros there and sets the mapping's mark, and the read goes
//! on; whoever uses the mapping looks at the mark before it believes what it read. Any other SIGBUS goes to whatever
//! handler was there before, or ends the process as it would have.
//!
//! # Soundness
//!
//! A third room with `unsafe`, since a signal handler cannot be had without. The handler touches atomics, makes one
//! system call, and calls the previous handler: nothing that is forbidden in a signal handler.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};

/// A watched mapping: `start == 0` marks a free place.
struct Place {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    hit: AtomicBool,
}

impl Place {
    const fn free() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            hit: AtomicBool::new(false),
        }
    }
}

const PLACES: usize = 64;

/// A page of the table. Pages are added at the end and never freed, so that the handler needs no lock.
struct Table {
    places: [Place; PLACES],
    next: AtomicPtr<Table>,
}

impl Table {
    const fn new() -> Self {
        Self { places: [const { Place::free() }; PLACES], next: AtomicPtr::new(ptr::null_mut()) }
    }

    fn next(&'static self) -> Option<&'static Table> {
        // SAFETY: null, or a leaked box that lives for ever.
        unsafe { self.next.load(SeqCst).as_ref() }
    }
}

static FIRST: Table = Table::new();

fn tables() -> impl Iterator<Item = &'static Table> {
    std::iter::successors(Some(&FIRST), |table| table.next())
}

/// Watches a range of addresses for as long as it lives.
pub(super) struct Guard(&'static Place);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("hit", &self.was_hit()).finish_non_exhaustive()
    }
}

impl Guard {
    pub(super) fn watch(start: usize, len: usize) -> Self {
        install();
        let place = free_place();
        place.hit.store(false, SeqCst);
        place.end.store(start + len, SeqCst);
        place.start.store(start, SeqCst);
        Self(place)
    }

    /// Whether a page of the range was gone when it was read.
    #[inline]
    pub(super) fn was_hit(&self) -> bool {
        self.0.hit.load(SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.start.store(0, SeqCst);
        self.0.taken.store(false, SeqCst);
    }
}

fn free_place() -> &'static Place {
    loop {
        for table in tables() {
            for place in &table.places {
                if !place.taken.swap(true, SeqCst) {
                    return place;
                }
            }
            if table.next().is_none() {
                let more = Box::into_raw(Box::new(Table::new()));
                if table.next.compare_exchange(ptr::null_mut(), more, SeqCst, SeqCst).is_err() {
                    // SAFETY: made just above and never shared, since somebody else's table took the place.
                    drop(unsafe { Box::from_raw(more) });
                }
            }
        }
    }
}

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

fn install() {
    PREVIOUS.get_or_init(|| {
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
        // SAFETY: `sigaction` is plain data for which zeros are valid; both pointers are to live values; the handler
        // does only what a handler may.
        unsafe {
            let mut previous: libc::sigaction = std::mem::zeroed();
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &action, &mut previous);
            previous
        }
    });
}

extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid `info` to a handler installed with SA_SIGINFO; si_addr is set for a SIGBUS that
    // it raised itself (a positive si_code).
    let (raised_by_kernel, address) = unsafe { ((*info).si_code > 0, (*info).si_addr() as usize) };
    if !(raised_by_kernel && replace_page(address)) {
        pass_on(signal, info, context);
    }
}

/// Puts zeros at the page of `address` if it lies in a watched mapping.
fn replace_page(address: usize) -> bool {
    let watched = |place: &&Place| {
        let start = place.start.load(SeqCst);
        start != 0 && (start..place.end.load(SeqCst)).contains(&address)
    };
    let Some(place) = tables().flat_map(|table| &table.places).find(watched) else {
        return false;
    };
    place.hit.store(true, SeqCst);
    // SAFETY: the page lies in a mapping that this crate owns, and that stays mapped while it is watched; every value
    // of its words is valid. errno is put back for the code that was interrupted.
    unsafe {
        let errno = errno_place();
        let before = *errno;
        let size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let page = libc::mmap(
            (address / size * size) as *mut libc::c_void,
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_FIXED | libc::MAP_ANON | libc::MAP_PRIVATE,
            -1,
            0,
        );
        *errno = before;
        page != libc::MAP_FAILED
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn errno_place() -> *mut libc::c_int {
    // SAFETY: always callable; the place belongs to this thread.
    unsafe { libc::__errno_location() }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn errno_place() -> *mut libc::c_int {
    // SAFETY: always callable; the place belongs to this thread.
    unsafe { libc::__error() }
}

fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let handler = PREVIOUS.get().map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    let with_info = PREVIOUS.get().is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: a handler that the process had installed, called as its flags say; or the default one, which takes
    // effect when the faulting instruction runs again (or at `raise`, when it was not a fault).
    unsafe {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            libc::signal(signal, libc::SIG_DFL);
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        } else if with_info {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}
