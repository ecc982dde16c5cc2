//! How soon a route's answers usually begin.
//!
//! Receives times to first content; hands on quantiles of the last minutes.
//! Must never be here: what is done when an answer is later than that.

use std::time::{Duration, Instant};

/// Buckets, each a fifth wider than the one before: the first ends at 1.2 ms, the last reaches beyond 600 s.
const BUCKETS: usize = 73;
/// How much wider.
const GROWTH: f64 = 1.2;
/// Where the first bucket begins, in seconds.
const LEAST: f64 = 0.001;
/// How long a half gathers values. They count for this long at least, and for twice as long at most.
const HALF: Duration = Duration::from_secs(300);
/// Fewer values tell nothing about their tail.
const ENOUGH: u64 = 50;

/// Quantiles of the times to first content of the last 5 to 10 minutes, from 1 ms to 600 s, within 10 %.
///
/// A histogram of fixed buckets on a logarithmic scale, in two halves of which the older one is dropped every 5 minutes.
/// Its size is fixed (some 600 bytes), and so is the time that `observe` takes.
#[derive(Clone, Debug)]
pub struct FirstTokens {
    newer: [u32; BUCKETS],
    older: [u32; BUCKETS],
    /// When the newer half began.
    turned: Instant,
}

impl FirstTokens {
    /// Nothing seen.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { newer: [0; BUCKETS], older: [0; BUCKETS], turned: now }
    }

    /// Learns that first content came after `first_token`. What is below 1 ms counts as 1 ms, what is above 600 s as
    /// 600 s.
    pub fn observe(&mut self, first_token: Duration, now: Instant) {
        self.turn(now);
        if let Some(count) = self.newer.get_mut(bucket(first_token)) {
            *count = count.saturating_add(1);
        }
    }

    /// The time within which the share `q` (0 to 1) of answers began; `None` below 50 values.
    #[must_use]
    pub fn quantile(&self, q: f64, now: Instant) -> Option<Duration> {
        let [newer, older] = self.fresh(now);
        let counts = || self.newer.iter().zip(&self.older).map(|(new, old)| count(*new, newer) + count(*old, older));
        let total: u64 = counts().sum();
        if total < ENOUGH {
            return None;
        }
        // The nearest rank.
        let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let at = counts().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(middle(at))
    }

    /// Whether the newer and the older half still count.
    fn fresh(&self, now: Instant) -> [bool; 2] {
        let age = now.saturating_duration_since(self.turned);
        [age < HALF * 2, age < HALF]
    }

    fn turn(&mut self, now: Instant) {
        let [newer, older] = self.fresh(now);
        if older {
            return;
        }
        let gone = std::mem::replace(&mut self.newer, [0; BUCKETS]);
        self.older = if newer { gone } else { [0; BUCKETS] };
        self.turned = if newer { self.turned + HALF } else { now };
    }
}

fn count(count: u32, counts: bool) -> u64 {
    if counts { u64::from(count) } else { 0 }
}

fn bucket(time: Duration) -> usize {
    let steps = (time.as_secs_f64() / LEAST).max(1.0).ln() / GROWTH.ln();
    (steps as usize).min(BUCKETS - 1)
}

/// The geometric middle of a bucket: no value in it is further away than the root of the growth, 9.6 %.
fn middle(bucket: usize) -> Duration {
    Duration::from_secs_f64(LEAST * GROWTH.powf(bucket as f64 + 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(values: impl IntoIterator<Item = Duration>, now: Instant) -> FirstTokens {
        let mut times = FirstTokens::new(now);
        values.into_iter().for_each(|value| times.observe(value, now));
        times
    }

    fn near(seen: Option<Duration>, wanted: Duration) -> bool {
        seen.is_some_and(|seen| (seen.as_secs_f64() / wanted.as_secs_f64() - 1.0).abs() <= 0.1)
    }

    #[test]
    fn quantiles_are_within_a_tenth() {
        let now = Instant::now();
        let times = filled((1..=1_000).map(|n| Duration::from_millis(n * 10)), now);
        for (q, wanted) in [(0.0, 10), (0.5, 5_000), (0.95, 9_500), (0.99, 9_900), (1.0, 10_000), (7.0, 10_000)] {
            let seen = times.quantile(q, now);
            assert!(near(seen, Duration::from_millis(wanted)), "{q}: {seen:?}");
        }
        assert!(near(times.quantile(f64::NAN, now), Duration::from_millis(10)));
    }

    #[test]
    fn few_values_tell_nothing() {
        let now = Instant::now();
        for (values, told) in [(0, false), (49, false), (50, true)] {
            let times = filled((0..values).map(|_| Duration::from_secs(1)), now);
            assert_eq!(times.quantile(0.95, now).is_some(), told, "{values}");
        }
    }

    #[test]
    fn both_ends_are_closed() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        for (value, wanted) in [(Duration::ZERO, second / 1_000), (Duration::MAX, second * 550)] {
            let seen = filled([value; 50], now).quantile(0.5, now).unwrap();
            assert!(seen >= wanted && seen <= wanted * 6 / 5, "{value:?}: {seen:?}");
        }
        assert_eq!(bucket(second * 600), BUCKETS - 1, "the last bucket holds 600 s");
        assert!(bucket(second * 500) < BUCKETS - 1);
    }

    #[test]
    fn old_values_fade_whether_or_not_new_ones_come() {
        let start = Instant::now();
        let nano = Duration::from_nanos(1);
        let second = Duration::from_secs(1);
        let idle = filled([second; 50], start);
        assert!(near(idle.quantile(0.5, start + HALF * 2 - nano), second));
        assert_eq!(idle.quantile(0.5, start + HALF * 2), None);

        for (later, wanted) in [(HALF - nano, 1), (HALF, 1), (HALF * 2 - nano, 1), (HALF * 2, 9)] {
            let mut times = filled([second; 50], start);
            let now = start + later;
            (0..40).for_each(|_| times.observe(second * 9, now));
            let seen = times.quantile(0.5, now);
            let told = if wanted == 1 { near(seen, second) } else { seen.is_none() };
            assert!(told, "{later:?}: {seen:?}");
        }

        let mut times = filled([second; 50], start);
        (0..50).for_each(|_| times.observe(second * 9, start + HALF));
        assert!(near(times.quantile(0.5, start + HALF * 2 - nano), second), "both halves");
        assert!(near(times.quantile(0.5, start + HALF * 2), second * 9), "the newer half alone");
    }

    proptest! {
        #[test]
        fn every_value_is_found_again_within_a_tenth(micros in 1_000u64..600_000_000) {
            let (now, value) = (Instant::now(), Duration::from_micros(micros));
            prop_assert!(near(filled([value; 50], now).quantile(0.95, now), value));
        }

        #[test]
        fn quantiles_rise(values in prop::collection::vec(0u64..700_000, 50..200), low in 0.0..1.0, more in 0.0..1.0) {
            let now = Instant::now();
            let times = filled(values.into_iter().map(Duration::from_millis), now);
            prop_assert!(times.quantile(low, now) <= times.quantile(low + more, now));
        }
    }
}
