//! The results of the last calls, counted exactly in ten buckets.
//!
//! Exact counts and no moving average, because an average over samples hides a tight burst (linkerd's unified breaker).
//! Must never be here: which share of failures is too much.

use super::state::Counts;
use crate::ring::Ring;
use std::time::{Duration, Instant};

const BUCKETS: usize = 10;

/// Counts over the last `span`, to a tenth of it.
#[derive(Clone, Debug)]
pub(super) struct Window(Ring<Counts, BUCKETS>);

/// Where a result was counted, so that it can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    tick: u64,
    failed: bool,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        Self(Ring::new(span / BUCKETS as u32, now))
    }

    /// Counts one result.
    pub(super) fn count(&mut self, failed: bool, now: Instant) -> Mark {
        let tick = self.0.tick(now);
        if let Some(bucket) = self.0.at(tick) {
            bucket.total = bucket.total.saturating_add(1);
            bucket.failed = bucket.failed.saturating_add(u32::from(failed));
        }
        Mark { tick, failed }
    }

    /// Takes a result back, where it still counts.
    pub(super) fn take_back(&mut self, mark: Mark, now: Instant) {
        if let Some(bucket) = self.0.kept(mark.tick, now) {
            bucket.total = bucket.total.saturating_sub(1);
            bucket.failed = bucket.failed.saturating_sub(u32::from(mark.failed));
        }
    }

    pub(super) fn counts(&self, now: Instant) -> Counts {
        self.0.live(now).fold(Counts::default(), |sum, (_, bucket)| Counts {
            total: sum.total.saturating_add(bucket.total),
            failed: sum.failed.saturating_add(bucket.failed),
        })
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_count_for_the_window_and_can_be_taken_back_while_they_do() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut window = Window::new(Duration::from_secs(60), start);
        let good = window.count(false, start);
        let bad = window.count(true, at(6));
        assert_eq!(window.counts(at(59)), Counts { total: 2, failed: 1 });
        window.take_back(good, at(59));
        assert_eq!(window.counts(at(59)), Counts { total: 1, failed: 1 });
        assert_eq!(window.counts(at(65)), Counts { total: 1, failed: 1 });
        assert_eq!(window.counts(at(66)), Counts::default());
        window.take_back(bad, at(66));
        window.count(true, at(66));
        assert_eq!(window.counts(at(66)), Counts { total: 1, failed: 1 }, "what no longer counts is not taken back");
        assert_eq!(window.counts(at(600)), Counts::default(), "a gap clears all");
        window.clear();
        assert_eq!(window.counts(at(66)), Counts::default());
    }
}
