//! How fast a target begins its answers: for those who choose by load, for the number of slots, and for suspicion.
//!
//! Receives times to first content and failures; hands on expectations. Must never be here: slots in use, breakers.

use crate::{AdaptiveLimit, GatePolicy, PeakEwma};
use std::time::{Duration, Instant};

/// What a failure costs in the eyes of those who choose by load, however fast it came, and the most that it costs,
/// whatever the target says (linkerd).
const PENALTY: Duration = Duration::from_secs(5);
const MOST_PENALTY: Duration = Duration::from_secs(300);
/// Silence is suspicious after so many times the usual, and never before 5 s.
const UNUSUAL: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
/// When the silence of a target is suspicious that has never begun an answer, and of one that has never finished one:
/// how long whole answers are nobody knows.
const UNKNOWN_BEGINNING: Duration = Duration::from_secs(15);
const UNKNOWN_WHOLE: Duration = Duration::from_secs(60);
/// How much of a long wait is forgotten with each shorter one.
const FORGOTTEN: f64 = 0.05;

/// A target's pace, learnt from its calls.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    ewma: PeakEwma,
    limit: AdaptiveLimit,
    slow_call: Option<Duration>,
    first_content: Usual,
    whole: Usual,
}

/// The longest that something took lately. Unlike the load it fades with each call and not in quiet times, so that a
/// slow model that is seldom asked is not taken for a hung one.
#[derive(Clone, Copy, Debug, Default)]
struct Usual(Option<Duration>);

impl Usual {
    fn learn(&mut self, took: Duration) {
        let faded = self.0.unwrap_or_default().mul_f64(1.0 - FORGOTTEN) + took.mul_f64(FORGOTTEN);
        self.0 = Some(faded.max(took));
    }

    /// How long its absence is nothing unusual; `unknown` where none came yet.
    fn patience(self, unknown: Duration) -> Duration {
        self.0.map_or(unknown, |usual| usual.saturating_mul(UNUSUAL).max(LEAST_PATIENCE))
    }
}

impl Pace {
    pub(super) fn new(policy: &GatePolicy, now: Instant) -> Self {
        let limit = AdaptiveLimit::new(policy.max_concurrency);
        let (ewma, slow_call) = (PeakEwma::new(now), policy.breaker.slow_call);
        Self { ewma, limit, slow_call, first_content: Usual::default(), whole: Usual::default() }
    }

    /// First content came after so long, while so many calls waited, this one included.
    pub(super) fn learn(&mut self, first_token: Duration, in_flight: u32, now: Instant) {
        self.ewma.observe(first_token, now);
        self.limit.observe(first_token, in_flight, now);
        self.first_content.learn(first_token);
    }

    /// A call was answered after so long that its target had been given up meanwhile: that is no measure of what is
    /// usual.
    pub(super) fn learn_late(&mut self, took: Duration, now: Instant) {
        self.ewma.observe(took, now);
    }

    /// A whole answer came after so long: a measure of the load, and not of when first content comes.
    pub(super) fn learn_load(&mut self, took: Duration, now: Instant) {
        self.ewma.observe(took, now);
        self.whole.learn(took);
    }

    /// A call failed after so long, and the target may have said how long to leave it alone.
    pub(super) fn penalise(&mut self, waited: Duration, retry_after: Option<Duration>, now: Instant) {
        let cost = waited.max(PENALTY).max(retry_after.unwrap_or_default());
        self.ewma.observe(cost.min(MOST_PENALTY), now);
    }

    /// A call was given up after so long: it would have taken longer.
    pub(super) fn at_least(&mut self, waited: Duration, now: Instant) {
        if waited.as_secs_f64() > self.ewma.expected(now) {
            self.ewma.observe(waited, now);
        }
    }

    /// The most calls that may wait for their first content.
    pub(super) fn slots(&self) -> u32 {
        self.limit.limit()
    }

    /// Seconds to first content, as expected of a call that begins now.
    pub(super) fn expected(&self, now: Instant) -> f64 {
        self.ewma.expected(now)
    }

    /// The cost of one more call where so many wait already.
    pub(super) fn load(&self, now: Instant, in_flight: u32) -> f64 {
        self.ewma.load(now, in_flight)
    }

    /// How long a call may be silent before that is suspicious: one that waits for first content, or for all of an
    /// answer.
    pub(super) fn patience(&self, stream: bool) -> Duration {
        let (usual, unknown) =
            if stream { (self.first_content, UNKNOWN_BEGINNING) } else { (self.whole, UNKNOWN_WHOLE) };
        self.slow_call.unwrap_or_else(|| usual.patience(unknown))
    }

    /// How long that took at most, lately; `None` where none came yet.
    pub(super) fn usual(&self, stream: bool) -> Option<Duration> {
        if stream { self.first_content.0 } else { self.whole.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BreakerPolicy;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(slow_call: Option<Duration>) -> (Pace, Instant) {
        let now = Instant::now();
        let breaker = BreakerPolicy { slow_call, ..BreakerPolicy::default() };
        (Pace::new(&GatePolicy { breaker, ..GatePolicy::default() }, now), now)
    }

    #[test]
    fn silence_is_measured_by_what_is_usual() {
        for (slow_call, seen, expected) in [
            (None, &[][..], 15),
            (None, &[1], 5),
            (None, &[2], 8),
            (None, &[3], 12),
            (None, &[30], 120),
            (None, &[1, 30], 120),
            (Some(SECOND * 3), &[], 3),
            (Some(SECOND * 3), &[30], 3),
        ] {
            let (mut pace, now) = pace(slow_call);
            seen.iter().for_each(|secs| pace.learn(SECOND * *secs, 1, now));
            assert_eq!(pace.patience(true), SECOND * expected, "{seen:?}");
        }
    }

    #[test]
    fn whole_answers_teach_load_and_nothing_of_first_content() {
        let (mut pace, now) = pace(None);
        let slots = pace.slots();
        (0..1000).for_each(|call| pace.learn_load(SECOND * (1 + call % 60), now));
        assert_eq!((pace.slots(), pace.patience(true)), (slots, UNKNOWN_BEGINNING));
        assert!(pace.expected(now) > 50.0 && pace.patience(false) >= SECOND * 160);
    }

    #[test]
    fn a_long_wait_is_forgotten_with_calls_and_not_with_time() {
        let (mut pace, now) = pace(None);
        pace.learn(SECOND * 60, 1, now);
        pace.learn(SECOND, 1, now + SECOND * 3600);
        assert!(pace.patience(true) > SECOND * 220);
        (0..60).for_each(|_| pace.learn(SECOND, 1, now + SECOND * 3600));
        assert!((SECOND * 5..SECOND * 20).contains(&pace.patience(true)));
    }

    #[test]
    fn failures_cost_more_than_they_took() {
        for (waited, retry_after, expected) in [
            (0, None, 5),
            (5, None, 5),
            (6, None, 6),
            (0, Some(4), 5),
            (0, Some(60), 60),
            (400, None, 300),
            (0, Some(301), 300),
        ] {
            let (mut pace, now) = pace(None);
            pace.penalise(SECOND * waited, retry_after.map(Duration::from_secs), now);
            assert_eq!(pace.expected(now), f64::from(expected), "{waited} s, {retry_after:?}");
        }
    }

    #[test]
    fn a_call_given_up_early_says_nothing() {
        for (waited, expected) in [(2, 3.0), (3, 3.0), (4, 4.0)] {
            let (mut pace, now) = pace(None);
            pace.learn(SECOND * 3, 1, now);
            pace.at_least(SECOND * waited, now);
            assert_eq!(pace.expected(now), expected, "after {waited} s");
        }
    }
}
