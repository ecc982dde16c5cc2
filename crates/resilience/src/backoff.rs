//! How long to wait before trying again.
//!
//! Receives which retry it is, and chance; hands on a duration. Must never be here: whether to try again.

use std::time::Duration;

/// Waits with full jitter under a ceiling that doubles: any duration from nothing to the ceiling is as likely as any
/// other, so that callers who failed together do not come back together. After "Exponential Backoff And Jitter" (AWS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling of the first wait.
    first: Duration,
    /// The highest ceiling.
    most: Duration,
}

impl Default for Backoff {
    /// Ceilings of 200 ms, 400 ms, ... up to 8 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(8))
    }
}

impl Backoff {
    /// Ceilings of `first`, twice that, and so on, up to `most`.
    #[must_use]
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// The wait before this retry; the first retry is 0.
    #[must_use]
    pub fn wait(&self, retry: u32, rng: &mut fastrand::Rng) -> Duration {
        self.ceiling(retry).mul_f64(rng.f64())
    }

    /// The longest that [`Self::wait`] may be for this retry.
    #[must_use]
    pub fn ceiling(&self, retry: u32) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(retry)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_highest() {
        let backoff = Backoff::default();
        for (retry, millis) in [(0, 200), (1, 400), (2, 800), (5, 6_400), (6, 8_000), (31, 8_000), (u32::MAX, 8_000)] {
            assert_eq!(backoff.ceiling(retry), Duration::from_millis(millis), "retry {retry}");
        }
    }

    #[test]
    fn waits_fill_the_whole_range_below_the_ceiling() {
        let rng = &mut fastrand::Rng::with_seed(1);
        for retry in [0, 3, 9] {
            let ceiling = Backoff::default().ceiling(retry);
            let waits: Vec<_> = (0..1000).map(|_| Backoff::default().wait(retry, rng)).collect();
            assert!(waits.iter().all(|wait| *wait <= ceiling));
            assert!(waits.iter().any(|wait| *wait < ceiling / 10), "retry {retry}: some are short");
            assert!(waits.iter().any(|wait| *wait > ceiling * 9 / 10), "retry {retry}: some are long");
        }
    }
}
