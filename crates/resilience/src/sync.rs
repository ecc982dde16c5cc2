//! What threads meet in, from one place, so that `tests/threads.rs` can put it under shuttle's scheduler.
//!
//! Must never be here: anything that the standard library does not have.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicU64};
