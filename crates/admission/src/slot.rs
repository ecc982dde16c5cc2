//! Calls at one time.
//!
//! A slot is taken by a call and comes back when the value is dropped, however the call ended.
//! Must never be here: waiting for a slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many slots there are and how many are taken.
#[derive(Debug)]
pub(crate) struct Slots {
    limit: u32,
    taken: AtomicU32,
}

impl Slots {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self { limit, taken: AtomicU32::new(0) })
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// `None` where all are taken.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Slot> {
        let more = |taken: u32| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Slot(Arc::clone(self)))
    }
}

/// One taken slot.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_are_out_than_there_are() {
        let slots = Slots::new(3);
        let (out, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let Some(slot) = slots.take() else { continue };
                        most.fetch_max(out.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        out.fetch_sub(1, Ordering::SeqCst);
                        drop(slot);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3);
        let all: Vec<_> = std::iter::from_fn(|| slots.take()).collect();
        assert_eq!(all.len(), 3, "all came back");
    }
}
