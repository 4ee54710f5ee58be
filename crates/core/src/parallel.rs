//! The one place that owns threads.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the calling thread looks up from waiting.
const TICK: Duration = Duration::from_millis(50);
/// Trees may be some thousand levels deep, each a stack frame of a few hundred bytes.
const STACK: usize = 16 << 20;

/// As many threads as asked for, or one for each core.
pub(crate) fn threads(jobs: Option<usize>) -> usize {
    jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// Makes things number 0, 1, 2, ... on `threads` threads and hands them to `take` in that order, on the calling
/// thread. Ends after `count` things, or when `take` or `tick` breaks off; `tick` is called about twenty times a
/// second, on the calling thread too. Then `stop` is set, so that `make` can return early.
///
/// The order in which `take` sees the things does not depend on the number of threads.
pub(crate) fn in_order<T: Send>(
    threads: usize,
    count: usize,
    stop: &AtomicBool,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
    mut tick: impl FnMut() -> ControlFlow<()>,
) -> ControlFlow<()> {
    let next = AtomicUsize::new(0);
    let (send, receive) = sync_channel(threads);
    thread::scope(|scope| {
        let work = |send: std::sync::mpsc::SyncSender<(usize, T)>| {
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= count || stop.load(Relaxed) || send.send((i, make(i))).is_err() {
                    return;
                }
            }
        };
        for _ in 0..threads.min(count) {
            let send = send.clone();
            let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || work(send));
            if spawned.is_err() {
                break; // a machine that is out of threads builds with those it has
            }
        }
        if next.load(Relaxed) == 0
            && thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || ()).is_err()
        {
            // Not a single thread to be had: nothing will arrive, so say so instead of waiting for ever.
            stop.store(true, Relaxed);
            return ControlFlow::Break(());
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        let result = loop {
            match receive.recv_timeout(TICK) {
                Ok((i, thing)) => _ = waiting.insert(i, thing),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break ControlFlow::Continue(()),
            }
            let mut flow = tick();
            while flow.is_continue()
                && let Some(thing) = waiting.remove(&wanted)
            {
                wanted += 1;
                flow = take(thing);
            }
            if flow.is_break() {
                break flow;
            }
        };
        stop.store(true, Relaxed);
        drop(receive);
        result
    })
}

/// What `make` makes of 0, 1, 2, ... `count`, in that order, made on `threads` threads, of which the calling one is one.
/// What is made does not depend on the number of threads.
pub(crate) fn map<T: Send>(threads: usize, count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    map_with(threads, count, || (), |(), i| make(i))
}

/// What `make` makes of the ranges that 0 to `n` falls into, `at_once` numbers each, as [`map`] does.
pub(crate) fn map_ranges<T: Send>(
    threads: usize,
    n: usize,
    at_once: usize,
    make: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    map(threads, n.div_ceil(at_once), |part| make(part * at_once..((part + 1) * at_once).min(n)))
}

/// [`map`], with something that each thread makes for itself once, such as its buffers.
pub(crate) fn map_with<S, T: Send>(
    threads: usize,
    count: usize,
    start: impl Fn() -> S + Sync,
    make: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut state, mut made) = (start(), Vec::new());
        loop {
            let i = next.fetch_add(1, Relaxed);
            if i >= count {
                return made;
            }
            made.push((i, make(&mut state, i)));
        }
    };
    let mut all = thread::scope(|scope| {
        // A machine that is out of threads works with those it has.
        let helpers: Vec<_> = (1..threads.min(count))
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut all = work();
        for helper in helpers {
            match helper.join() {
                Ok(made) => all.extend(made),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|&(i, _)| i);
    all.into_iter().map(|(_, thing)| thing).collect()
}

/// Things that a thread takes at a time in [`in_parts`]. With no more than these, one thread does all: another costs more to start.
const PART: usize = 16;

/// What `make` makes of all `things`, a few at a time, with something that each thread makes for itself once, in the order of the things.
pub(crate) fn in_parts<T: Sync, S, M: Send>(
    threads: usize,
    things: &[T],
    start: impl Fn() -> S + Sync,
    make: impl Fn(&mut S, &[T]) -> Vec<M> + Sync,
) -> Vec<M> {
    if things.len() <= PART {
        return make(&mut start(), things);
    }
    let parts: Vec<&[T]> = things.chunks(PART).collect();
    map_with(threads, parts.len(), start, |state, i| make(state, parts[i])).into_iter().flatten().collect()
}
