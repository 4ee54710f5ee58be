//! What threads share: as the standard library has it, or, in `make races`, as shuttle does, which tries many orders in which
//! threads can come to it.

#[cfg(not(shuttle))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::{Builder, JoinHandle};
    pub(crate) use std::thread_local;

    /// The newest of something: many read it, without a lock, while somebody puts another in its place.
    pub(crate) type Newest<T> = arc_swap::ArcSwap<T>;
}

#[cfg(shuttle)]
mod real {
    use std::sync::Arc;

    pub(crate) use shuttle::sync::atomic::{AtomicU64, AtomicUsize};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use shuttle::thread::{Builder, JoinHandle};
    pub(crate) use shuttle::thread_local;

    /// The same with a lock, which shuttle knows of.
    #[derive(Debug)]
    pub(crate) struct Newest<T>(Mutex<Arc<T>>);

    impl<T> Newest<T> {
        pub(crate) fn from_pointee(value: T) -> Self {
            Self(Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.0.lock().expect("nothing panics with it").clone()
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            self.load()
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            *self.0.lock().expect("nothing panics with it") = value;
        }
    }
}

pub(crate) use real::*;
