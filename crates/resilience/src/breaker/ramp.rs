//! The slow start after a recovery: a cold or weak target gets its traffic back little by little.
//!
//! Must never be here: which calls are refused.

use std::time::{Duration, Instant};

/// The share right after the recovery.
const FIRST: f64 = 0.1;

/// A share of the traffic that grows from a tenth to all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ramp {
    since: Instant,
    length: Duration,
}

impl Ramp {
    pub(super) fn new(since: Instant, length: Duration) -> Self {
        Self { since, length }
    }

    /// In 0.1..=1; 1 once it is over.
    pub(super) fn share(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.since);
        if passed >= self.length {
            return 1.0;
        }
        FIRST + (1.0 - FIRST) * passed.as_secs_f64() / self.length.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_evenly_from_a_tenth_to_all() {
        let start = Instant::now();
        let ramp = Ramp::new(start, Duration::from_secs(30));
        for (secs, expected) in [(0, 0.1), (10, 0.4), (20, 0.7), (30, 1.0), (300, 1.0)] {
            let share = ramp.share(start + Duration::from_secs(secs));
            assert!((share - expected).abs() < 1e-9, "{share} after {secs} s");
        }
        assert_eq!(Ramp::new(start, Duration::ZERO).share(start), 1.0);
    }
}
