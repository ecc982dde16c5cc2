//! The results of the last calls, counted exactly in buckets.
//!
//! Exact counts and no moving average, because an average over samples hides a tight burst (linkerd's unified breaker).
//! More buckets are kept than the window needs, so that it can be widened while calls last longer.
//! Must never be here: which share of failures is too much.

use super::state::Counts;
use crate::ring::Ring;
use std::time::{Duration, Instant};

/// Buckets of the window as it is configured, and the most that it is widened to.
const BUCKETS: u32 = 10;
const KEPT: usize = 100;
/// The longest that a result counts because calls last long.
const WIDEST: Duration = Duration::from_secs(600);

/// Counts over the last `span`, to a tenth of it.
#[derive(Clone, Debug)]
pub(super) struct Window {
    ring: Ring<Counts, KEPT>,
    /// Of one bucket.
    width: Duration,
}

/// Where a result was counted, so that it can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    tick: u64,
    failed: bool,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        let width = (span / BUCKETS).max(Duration::from_nanos(1));
        Self { ring: Ring::new(width, now), width }
    }

    /// Counts one result.
    pub(super) fn count(&mut self, failed: bool, now: Instant) -> Mark {
        let tick = self.ring.tick(now);
        if let Some(bucket) = self.ring.at(tick) {
            bucket.total = bucket.total.saturating_add(1);
            bucket.failed = bucket.failed.saturating_add(u32::from(failed));
        }
        Mark { tick, failed }
    }

    /// Takes a result back, where it still counts.
    pub(super) fn take_back(&mut self, mark: Mark, now: Instant) {
        if let Some(bucket) = self.ring.kept(mark.tick, now) {
            bucket.total = bucket.total.saturating_sub(1);
            bucket.failed = bucket.failed.saturating_sub(u32::from(mark.failed));
        }
    }

    /// What counts now: the results of the last `span`, or of `least` where that is longer, within bounds.
    pub(super) fn counts(&self, least: Duration, now: Instant) -> Counts {
        let buckets = least.min(WIDEST).as_nanos().div_ceil(self.width.as_nanos()).max(BUCKETS.into());
        let fresh = self.ring.live(now).filter(|(age, _)| u128::from(*age) < buckets);
        fresh.fold(Counts::default(), |sum, (_, bucket)| Counts {
            total: sum.total.saturating_add(bucket.total),
            failed: sum.failed.saturating_add(bucket.failed),
        })
    }

    pub(super) fn clear(&mut self) {
        self.ring.clear();
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
        let counts = |window: &Window, now| window.counts(Duration::ZERO, now);
        let good = window.count(false, start);
        let bad = window.count(true, at(6));
        assert_eq!(counts(&window, at(59)), Counts { total: 2, failed: 1 });
        window.take_back(good, at(59));
        assert_eq!(counts(&window, at(59)), Counts { total: 1, failed: 1 });
        assert_eq!(counts(&window, at(65)), Counts { total: 1, failed: 1 });
        assert_eq!(counts(&window, at(66)), Counts::default());
        window.take_back(bad, at(66));
        window.count(true, at(66));
        assert_eq!(counts(&window, at(66)), Counts { total: 1, failed: 1 }, "what no longer counts is not taken back");
        assert_eq!(counts(&window, at(600)), Counts::default(), "a gap clears all");
        window.clear();
        assert_eq!(counts(&window, at(66)), Counts::default());
    }

    #[test]
    fn results_count_for_longer_while_calls_last_longer() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        for (window, least, last) in
            [(60, 0, 59), (60, 60, 59), (60, 61, 65), (60, 120, 119), (60, 9_999, 599), (6, 600, 59)]
        {
            let mut results = Window::new(Duration::from_secs(window), start);
            results.count(true, start);
            let counted = |secs| results.counts(Duration::from_secs(least), at(secs)).total;
            assert_eq!((counted(last), counted(last + 1)), (1, 0), "{window} s, at least {least} s");
        }
    }
}
