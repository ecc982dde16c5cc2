//! How long a target rests.
//!
//! Receives how often it failed lately, or what it said; hands on durations. Must never be here: when it rests.

use super::ticket::Report;
use crate::BreakerPolicy;
use std::time::{Duration, Instant};

/// The longest that a target may ask to be left alone, in one answer (linkerd, Envoy).
const MOST_PATIENCE: Duration = Duration::from_secs(300);
/// What "too many requests" means without a time, and what it means when it follows directly on another.
const PATIENCE: Duration = Duration::from_secs(5);
const MORE_PATIENCE: Duration = Duration::from_secs(10);
/// A spent account is not full again sooner than this, whatever it says, and is asked again after this at the latest.
const SPENT: (Duration, Duration) = (Duration::from_secs(15 * 60), Duration::from_secs(60 * 60));
/// So much health makes the next rest one step shorter.
const HEALTHY: Duration = Duration::from_secs(60);

/// How far the rests have grown: each rest of a failing target is twice the last, and time in health shrinks them
/// again step by step, so that a target that keeps falling over is not trusted as quickly as one that fell once (gRPC
/// A50's multiplier).
#[derive(Clone, Copy, Debug)]
pub(super) struct Escalation {
    steps: u32,
    /// Since when the target is in health; `None` while it rests or is probed.
    since: Option<Instant>,
    /// Time in health before that, not turned into a step yet.
    healthy: Duration,
}

impl Escalation {
    pub(super) fn new(now: Instant) -> Self {
        Self { steps: 0, since: Some(now), healthy: Duration::ZERO }
    }

    /// The target is in health again.
    pub(super) fn rise(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// The target is no longer in health, for whatever reason.
    pub(super) fn fall(&mut self, now: Instant) {
        let Some(since) = self.since.take() else { return };
        let healthy = self.healthy.saturating_add(now.saturating_duration_since(since));
        let steps = u32::try_from(healthy.as_secs() / HEALTHY.as_secs()).unwrap_or(u32::MAX);
        self.healthy = healthy.saturating_sub(HEALTHY.saturating_mul(steps));
        self.steps = self.steps.saturating_sub(steps);
    }

    /// The rest for a failure now; the next one is longer.
    pub(super) fn step(&mut self, policy: &BreakerPolicy, now: Instant, rng: &mut fastrand::Rng) -> Duration {
        self.fall(now);
        let doubled = policy.open.saturating_mul(2_u32.saturating_pow(self.steps));
        *self = Self { steps: self.steps.saturating_add(1), since: None, healthy: Duration::ZERO };
        jittered(doubled, policy.max_open, rng)
    }

    /// The last failure is forgiven.
    pub(super) fn step_back(&mut self) {
        self.steps = self.steps.saturating_sub(1);
    }
}

/// A fifth more or less, so that breakers that opened together do not probe together; never more than `most`.
pub(super) fn jittered(rest: Duration, most: Duration, rng: &mut fastrand::Rng) -> Duration {
    let secs = rest.min(most).as_secs_f64() * (0.8 + 0.4 * rng.f64());
    Duration::try_from_secs_f64(secs).unwrap_or(most).min(most)
}

/// The patience that a throttled target asks for.
pub(super) fn patience(report: &Report, directly_after_another: bool) -> Duration {
    let unsaid = if directly_after_another { MORE_PATIENCE } else { PATIENCE };
    report.retry_after.unwrap_or(unsaid).min(MOST_PATIENCE)
}

/// How long a failing target asked to be left alone; nothing where it did not.
pub(super) fn asked(report: &Report) -> Duration {
    report.retry_after.unwrap_or_default().min(MOST_PATIENCE)
}

/// How long an account with nothing left to spend is left alone.
pub(super) fn until_full(report: &Report) -> Duration {
    let (least, most) = SPENT;
    report.retry_after.unwrap_or(least).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::Verdict;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(secs: Option<u64>) -> Report {
        Report { retry_after: secs.map(Duration::from_secs), ..Report::of(Verdict::RateLimited) }
    }

    #[test]
    fn what_the_target_says_within_bounds() {
        for (said, once, again, spent) in [
            (None, 5, 10, 900),
            (Some(0), 0, 0, 900),
            (Some(1), 1, 1, 900),
            (Some(299), 299, 299, 900),
            (Some(300), 300, 300, 900),
            (Some(301), 300, 300, 900),
            (Some(901), 300, 300, 901),
            (Some(3600), 300, 300, 3600),
            (Some(86_400), 300, 300, 3600),
        ] {
            assert_eq!(patience(&told(said), false), SECOND * once, "{said:?}");
            assert_eq!(patience(&told(said), true), SECOND * again, "{said:?} again");
            assert_eq!(until_full(&told(said)), SECOND * spent, "{said:?} spent");
        }
    }

    #[test]
    fn rests_double_up_to_the_longest_and_shrink_in_health() {
        let policy = BreakerPolicy::default();
        let rng = &mut fastrand::Rng::with_seed(3);
        let mut now = Instant::now();
        let mut escalation = Escalation::new(now);
        for middle in [5, 10, 20, 40, 80, 160, 300, 300] {
            let rest = escalation.step(&policy, now, rng);
            let (least, most) = (SECOND * middle * 4 / 5, (SECOND * middle * 6 / 5).min(policy.max_open));
            assert!((least..=most).contains(&rest), "{rest:?} is not about {middle} s");
        }
        for (healthy, steps) in [(59, 8), (1, 7), (119, 6), (1, 5), (3600, 0)] {
            escalation.rise(now);
            now += SECOND * healthy;
            escalation.fall(now);
            escalation.fall(now + SECOND * 600);
            assert_eq!(escalation.steps, steps, "after {healthy} s more");
        }
    }

    #[test]
    fn jitter_fills_its_range_and_never_passes_the_longest_rest() {
        let rng = &mut fastrand::Rng::with_seed(5);
        let rests: Vec<_> = (0..1000).map(|_| jittered(SECOND * 100, SECOND * 300, rng)).collect();
        assert!(rests.iter().all(|rest| (SECOND * 80..=SECOND * 120).contains(rest)));
        assert!(rests.iter().any(|rest| *rest < SECOND * 83) && rests.iter().any(|rest| *rest > SECOND * 117));
        assert!((0..1000).all(|_| jittered(SECOND * 300, SECOND * 300, rng) <= SECOND * 300));
        assert!((0..1000).all(|_| jittered(Duration::MAX, SECOND * 300, rng) <= SECOND * 300));
    }
}
