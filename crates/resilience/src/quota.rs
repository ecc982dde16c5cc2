//! What is left of a target's quota, as its answers told.
//!
//! Receives readings from the heads of answers; hands on until when calls had better go elsewhere.
//! Must never be here: header names, 429s - a target that refuses is the breaker's business.

use llm::{QuotaKind, QuotaReading};
use std::time::{Duration, Instant};

/// How long a reading counts that does not say when the quota is full again.
const UNTOLD: Duration = Duration::from_secs(10);
/// The longest a reading counts, whatever it says.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Answers to calls of one moment tell their reset this much apart.
const SLACK: Duration = Duration::from_secs(1);

/// The newest window of each kind of quota: at most four.
///
/// Answers to concurrent calls come out of order, so within a window the smallest remainder and the earliest reset are
/// kept. A reset more than 1 s after the window's begins a new window, and after its reset a window is unknown. A
/// reading without a reset counts for 10 s, none for more than an hour. One of nothing, or with more left than there is
/// in all, is ignored.
#[derive(Clone, Debug, Default)]
pub struct QuotaWindows {
    windows: [Option<Window>; QuotaKind::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
struct Window {
    limit: Option<u64>,
    remaining: u64,
    reset: Instant,
}

impl QuotaWindows {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns what an answer said.
    pub fn note(&mut self, readings: &[QuotaReading], now: Instant) {
        for reading in readings.iter().filter(|reading| sane(reading)) {
            if let Some(place) = self.windows.get_mut(reading.kind as usize) {
                let fresh = Window::new(reading, now);
                *place = Some(place.filter(|old| old.holds(&fresh, now)).map_or(fresh, |old| old.and(&fresh)));
            }
        }
    }

    /// The instant until which a quota is too scarce for another call; `None` when none is.
    ///
    /// `in_flight` calls may have drawn on the quota since: requests are scarce when no more are left than calls are in
    /// flight, or than 2 % of all; tokens when less than 5 % of all are left, or none of an unknown number.
    #[must_use]
    pub fn scarce(&self, now: Instant, in_flight: u32) -> Option<Instant> {
        let known = QuotaKind::ALL.into_iter().zip(self.windows).filter_map(|(kind, window)| Some((kind, window?)));
        let scarce = known.filter(|(kind, window)| now < window.reset && window.scarce(*kind, in_flight));
        scarce.map(|(_, window)| window.reset).max()
    }
}

fn sane(reading: &QuotaReading) -> bool {
    reading.limit.is_none_or(|limit| limit > 0 && reading.remaining <= limit)
}

impl Window {
    fn new(reading: &QuotaReading, now: Instant) -> Self {
        let reset = now + reading.reset.unwrap_or(UNTOLD).min(LONGEST);
        Self { limit: reading.limit, remaining: reading.remaining, reset }
    }

    /// Whether a reading is one of this window.
    fn holds(&self, fresh: &Self, now: Instant) -> bool {
        now < self.reset && fresh.reset <= self.reset + SLACK
    }

    fn and(self, fresh: &Self) -> Self {
        Self {
            limit: fresh.limit.or(self.limit),
            remaining: self.remaining.min(fresh.remaining),
            reset: self.reset.min(fresh.reset),
        }
    }

    fn scarce(&self, kind: QuotaKind, in_flight: u32) -> bool {
        match kind {
            QuotaKind::Requests => {
                let few = |limit| self.remaining.saturating_mul(50) <= limit;
                self.remaining <= u64::from(in_flight) || self.limit.is_some_and(few)
            }
            QuotaKind::Tokens | QuotaKind::InputTokens | QuotaKind::OutputTokens => {
                let few = |limit| self.remaining.saturating_mul(20) < limit;
                self.limit.map_or(self.remaining == 0, few)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QuotaKind::{InputTokens, OutputTokens, Requests, Tokens};
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    fn reading(kind: QuotaKind, limit: u64, remaining: u64, reset: u32) -> QuotaReading {
        QuotaReading { kind, limit: Some(limit), remaining, reset: Some(S * reset) }
    }

    /// Seconds from `now` until the quota is not scarce any more.
    fn scarce(windows: &QuotaWindows, now: Instant, in_flight: u32) -> Option<u64> {
        windows.scarce(now, in_flight).map(|until| (until - now).as_secs())
    }

    #[test]
    fn each_kind_is_scarce_at_its_bound() {
        let now = Instant::now();
        for (kind, limit, remaining, in_flight, wanted) in [
            (Requests, Some(1_000), 20, 0, true),
            (Requests, Some(1_000), 21, 0, false),
            (Requests, Some(1_000), 40, 40, true),
            (Requests, Some(1_000), 41, 40, false),
            (Requests, Some(1), 1, 0, false),
            (Requests, Some(1), 1, 1, true),
            (Requests, Some(1), 0, 0, true),
            (Requests, None, 3, 3, true),
            (Requests, None, 3, 2, false),
            (Tokens, Some(1_000), 49, 0, true),
            (Tokens, Some(1_000), 50, 9_000, false),
            (InputTokens, Some(1_000), 49, 0, true),
            (OutputTokens, Some(1_000), 49, 0, true),
            (Tokens, None, 0, 0, true),
            (Tokens, None, 1, 0, false),
            (Tokens, Some(u64::MAX), u64::MAX, 0, false),
        ] {
            let mut windows = QuotaWindows::new();
            windows.note(&[QuotaReading { kind, limit, remaining, reset: Some(S * 60) }], now);
            let seen = scarce(&windows, now, in_flight);
            assert_eq!(seen, wanted.then_some(60), "{kind:?}: {remaining} of {limit:?}, {in_flight} in flight");
        }
    }

    #[test]
    fn after_its_reset_a_quota_is_unknown_again() {
        let now = Instant::now();
        for (reset, wanted) in [(Some(S * 7), 7), (None, 10), (Some(S * 9_999), 3_600), (Some(Duration::MAX), 3_600)] {
            let mut windows = QuotaWindows::new();
            windows.note(&[QuotaReading { kind: Requests, limit: Some(1), remaining: 0, reset }], now);
            let until = now + S * wanted;
            assert_eq!(windows.scarce(now, 0), Some(until));
            assert_eq!(windows.scarce(until - Duration::from_nanos(1), 0), Some(until));
            assert_eq!(windows.scarce(until, 0), None);
        }
    }

    #[test]
    fn nonsense_is_ignored() {
        let now = Instant::now();
        let mut windows = QuotaWindows::new();
        windows.note(&[reading(Requests, 0, 0, 60), reading(Tokens, 10, 11, 60)], now);
        windows.note(&[reading(Requests, 100, u64::MAX, 60)], now);
        assert_eq!(scarce(&windows, now, 0), None);
    }

    #[test]
    fn readings_of_one_window_keep_the_worst_and_a_later_window_begins_anew() {
        let now = Instant::now();
        // The second reading after one of 10 left for 60 s: when it came, its rest and reset; how long it is scarce then.
        for (later, remaining, reset, wanted) in [
            (0, 50, 60, Some(60)),
            (0, 50, 61, Some(60)),
            (0, 50, 62, None),
            (0, 5, 62, Some(62)),
            (0, 50, 40, Some(40)),
            (30, 50, 30, Some(30)),
            (30, 50, 60, None),
            (60, 50, 1, None),
        ] {
            let mut windows = QuotaWindows::new();
            windows.note(&[reading(Requests, 1_000, 10, 60)], now);
            windows.note(&[reading(Requests, 1_000, remaining, reset)], now + S * later);
            let seen = scarce(&windows, now + S * later, 0);
            assert_eq!(seen, wanted, "{remaining} left for {reset} s, {later} s later");
        }
    }

    #[test]
    fn slack_does_not_add_up() {
        let now = Instant::now();
        let mut windows = QuotaWindows::new();
        windows.note(&[reading(Requests, 1_000, 10, 60)], now);
        windows.note(&[reading(Requests, 1_000, 900, 61)], now);
        assert_eq!(scarce(&windows, now, 0), Some(60));
        windows.note(&[reading(Requests, 1_000, 900, 62)], now);
        assert_eq!(scarce(&windows, now, 0), None);
    }

    #[test]
    fn the_last_of_several_scarce_quotas_decides() {
        let now = Instant::now();
        let mut windows = QuotaWindows::new();
        windows.note(
            &[reading(Requests, 100, 0, 5), reading(Tokens, 100, 0, 50), reading(InputTokens, 100, 90, 500)],
            now,
        );
        assert_eq!(scarce(&windows, now, 0), Some(50));
    }

    proptest! {
        #[test]
        fn nothing_is_scarce_for_ever(
            readings in prop::collection::vec((0usize..4, any::<Option<u64>>(), any::<u64>(), any::<Option<u64>>(), 0u64..100), 0..60),
            in_flight in any::<u32>(),
        ) {
            let mut now = Instant::now();
            let mut windows = QuotaWindows::new();
            for (kind, limit, remaining, reset, later) in readings {
                now += Duration::from_secs(later);
                let reset = reset.map(Duration::from_secs);
                windows.note(&[QuotaReading { kind: QuotaKind::ALL[kind], limit, remaining, reset }], now);
                prop_assert!(windows.scarce(now, in_flight).is_none_or(|until| until > now && until <= now + LONGEST));
            }
            prop_assert_eq!(windows.scarce(now + LONGEST, in_flight), None);
        }
    }
}
