//! How long a target takes to begin its answers, with bad news believed at once and forgotten slowly.
//!
//! Receives the time to first content of each call; hands on what the next call must expect.
//! Must never be here: who is chosen because of it.

use std::time::{Duration, Instant};

/// How long it takes to forget all but 1/e of an estimate (Finagle and linkerd: 10 s).
const DECAY: Duration = Duration::from_secs(10);
/// What is expected of a target that has not answered yet, in seconds (linkerd: 1 s).
const SEED: f64 = 1.0;
/// Forgetting stops here, in seconds. A target that was left alone looks good and is tried, but it never looks so good
/// that a whole burst goes to it before its first answer comes.
const FLOOR: f64 = 0.01;

/// Peak EWMA of the time to first content.
///
/// A sample above the estimate replaces it at once; one below pulls it down by how long ago the last sample was; without
/// samples it fades towards zero, so that a target that nobody asks is tried again. The algorithm of Finagle's
/// `PeakEwma` and linkerd's `p2c` balancer, but for a floor of 10 ms under the fading, and for the first sample, which
/// replaces the seed.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma {
    /// Seconds, as of `at`.
    estimate: f64,
    at: Instant,
    /// Whether the estimate is still the seed.
    seeded: bool,
}

impl PeakEwma {
    /// The estimate of a target that has not answered yet: 1 s, fading from now on.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { estimate: SEED, at: now, seeded: true }
    }

    /// Learns that first content came after `sample`.
    pub fn observe(&mut self, sample: Duration, now: Instant) {
        let sample = sample.as_secs_f64();
        let kept = self.kept(now);
        let blended = self.estimate * kept + sample * (1.0 - kept);
        self.estimate = if self.seeded || sample >= self.estimate { sample } else { blended };
        self.at = self.at.max(now);
        self.seeded = false;
    }

    /// Seconds until first content, as expected of a call that begins now.
    #[must_use]
    pub fn expected(&self, now: Instant) -> f64 {
        (self.estimate * self.kept(now)).max(self.estimate.min(FLOOR))
    }

    /// The cost of sending one more call to a target where `pending` calls wait: the lower, the better.
    #[must_use]
    pub fn load(&self, now: Instant, pending: u32) -> f64 {
        self.expected(now) * (f64::from(pending) + 1.0)
    }

    /// The share of the estimate that is left.
    fn kept(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.at);
        (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(seen: f64, wanted: f64) {
        assert!((seen - wanted).abs() < 1e-9, "{seen} is not {wanted}");
    }

    #[test]
    fn the_seed_fades_and_gives_way_to_the_first_sample() {
        let start = Instant::now();
        for first in [Duration::from_millis(200), Duration::from_secs(3)] {
            let mut ewma = PeakEwma::new(start);
            close(ewma.expected(start), 1.0);
            close(ewma.expected(start + DECAY), (-1.0_f64).exp());
            ewma.observe(first, start);
            close(ewma.expected(start), first.as_secs_f64());
        }
    }

    #[test]
    fn a_peak_is_believed_at_once_and_forgotten_slowly() {
        let start = Instant::now();
        let mut ewma = PeakEwma::new(start);
        ewma.observe(Duration::from_millis(200), start);
        ewma.observe(Duration::from_secs(8), start);
        close(ewma.expected(start), 8.0);
        ewma.observe(Duration::from_millis(200), start);
        close(ewma.expected(start), 8.0);
        ewma.observe(Duration::from_millis(200), start + DECAY);
        let kept = (-1.0_f64).exp();
        close(ewma.expected(start + DECAY), 8.0 * kept + 0.2 * (1.0 - kept));
    }

    #[test]
    fn fading_stops_at_the_floor_or_at_a_lower_estimate() {
        let start = Instant::now();
        for (sample, wanted) in [(5_000, 0.01), (10, 0.01), (2, 0.002)] {
            let mut ewma = PeakEwma::new(start);
            ewma.observe(Duration::from_millis(sample), start);
            close(ewma.expected(start + Duration::from_secs(3_600)), wanted);
        }
    }

    #[test]
    fn each_pending_call_adds_its_share() {
        let start = Instant::now();
        let ewma = PeakEwma::new(start);
        for (pending, wanted) in [(0, 1.0), (1, 2.0), (9, 10.0)] {
            close(ewma.load(start, pending), wanted);
        }
    }

    proptest! {
        #[test]
        fn never_below_the_newest_sample_nor_above_the_worst(samples in prop::collection::vec((0u64..20_000, 0u64..30_000), 1..50)) {
            let mut now = Instant::now();
            let mut ewma = PeakEwma::new(now);
            let mut worst = 0.0_f64;
            for (gap, sample) in samples {
                now += Duration::from_millis(gap);
                let sample = Duration::from_millis(sample);
                worst = worst.max(sample.as_secs_f64());
                ewma.observe(sample, now);
                let expected = ewma.expected(now);
                prop_assert!(expected >= sample.as_secs_f64() - 1e-9 && expected <= worst + 1e-9);
            }
        }
    }
}
