//! How much is left, from the head of any answer.
//!
//! Receives all headers and the time of day; hands on at most one reading for each kind of quota, without allocating.
//! Must never be here: what follows from a reading, retry advice.

use super::names::{Family, Named, named};
use super::wait::wait;
use llm::{QuotaKind, QuotaReading};
use std::cmp::Reverse;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// The most quotas told apart in one answer before the tightest of each kind is chosen; further ones are not read.
const MAX_TOLD: usize = 12;

/// The quotas that one answer told of, at most one of each kind, in the order of its headers.
#[derive(Clone, Copy, PartialEq)]
pub struct Quotas {
    readings: [QuotaReading; QuotaKind::ALL.len()],
    len: usize,
    /// When they were read: what their resets are counted from, since the Unix epoch.
    at: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        const UNUSED: QuotaReading = QuotaReading { kind: QuotaKind::Requests, limit: None, remaining: 0, reset: None };
        Self { readings: [UNUSED; QuotaKind::ALL.len()], len: 0, at: Duration::ZERO }
    }
}

impl Quotas {
    /// No quotas yet, of an answer that came at `since_epoch`.
    fn none_at(since_epoch: Duration) -> Self {
        Self { at: since_epoch, ..Self::default() }
    }

    /// The quotas that a client is told whose own, whoever counts it, is `own` at `since_epoch`: of its kind it alone
    /// matters to that client.
    #[must_use]
    pub fn with_own(mut self, own: QuotaReading, since_epoch: Duration) -> Self {
        if self.is_empty() {
            self.at = since_epoch;
        }
        let reset = own.reset.map(|reset| since_epoch.saturating_add(reset).saturating_sub(self.at));
        let own = QuotaReading { reset, ..own };
        let told = self.readings.get_mut(..self.len).unwrap_or_default();
        match told.iter_mut().find(|known| known.kind == own.kind) {
            Some(known) => *known = own,
            None => self.take(own),
        }
        self
    }

    /// The quota of this kind, where it was told.
    pub(super) fn of(&self, kind: QuotaKind) -> Option<&QuotaReading> {
        self.iter().find(|reading| reading.kind == kind)
    }

    /// When this quota is full again, since the Unix epoch.
    pub(super) fn full_at(&self, reading: &QuotaReading) -> Option<Duration> {
        self.at.checked_add(reading.reset?)
    }

    /// Adds a reading, or lets it replace one of its kind that is less tight.
    fn take(&mut self, reading: QuotaReading) {
        let told = self.readings.get_mut(..self.len).unwrap_or_default();
        if let Some(known) = told.iter_mut().find(|known| known.kind == reading.kind) {
            if tightness(&reading) < tightness(known) {
                *known = reading;
            }
        } else if let Some(place) = self.readings.get_mut(self.len) {
            *place = reading;
            self.len += 1;
        }
    }
}

/// What orders quotas that count the same: the least left first, then the latest reset.
pub(super) fn tightness(reading: &QuotaReading) -> (u64, Reverse<Option<Duration>>) {
    (reading.remaining, Reverse(reading.reset))
}

impl Deref for Quotas {
    type Target = [QuotaReading];

    fn deref(&self) -> &[QuotaReading] {
        self.readings.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Reads the quotas of an answer from its headers, whose names are in lower case; `since_epoch` is the time of day
/// since the Unix epoch.
///
/// A quota of which nothing says how much is left is no reading. Neither is one whose limit is not positive, or of which
/// nothing is left although it is full again at once: so Azure writes what it does not know. Where several quotas are of
/// one kind (per minute and per month, `_usage_based`), the one with the least left is told, for it refuses first; of
/// two with the same left, the one that is full again later. A name that comes twice counts once, the first readable.
#[must_use]
pub fn quotas<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>, since_epoch: Duration) -> Quotas {
    let mut told = Told::default();
    for (name, value) in headers {
        if let Some(name) = Name::read(name)
            && let Ok(value) = std::str::from_utf8(value)
        {
            told.take(name, value, since_epoch);
        }
    }
    told.tightest(since_epoch)
}

/// A count: a number that is not negative, alone or before parameters (`100;w=60`).
pub(super) fn count(text: &str) -> Option<u64> {
    let number = text.split([',', ';']).next()?.trim();
    // Buckets that refill steadily are told in fractions.
    number.parse().ok().or_else(|| number.parse().ok().filter(|n: &f64| *n >= 0.0 && n.is_finite()).map(|n| n as u64))
}

/// What a header says of its quota.
#[derive(Clone, Copy)]
enum Field {
    Limit,
    Remaining,
    Reset,
}

impl Field {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "limit" => Self::Limit,
            "remaining" => Self::Remaining,
            "reset" => Self::Reset,
            _ => return None,
        })
    }
}

/// A header's name, understood.
#[derive(Clone, Copy)]
struct Name {
    quota: &'static Named,
    field: Field,
}

impl Name {
    /// Tells most headers apart by their first bytes: this runs for each header of each answer.
    fn read(name: &str) -> Option<Self> {
        let (family, what, field) = match name.as_bytes().first()? {
            b'x' => x(name.strip_prefix("x-")?)?,
            b'a' => {
                let (what, field) = name.strip_prefix("anthropic-ratelimit-")?.rsplit_once('-')?;
                (Family::Anthropic, what, field)
            }
            b'r' => (Family::Ietf, "", name.strip_prefix("ratelimit-")?),
            _ => return None,
        };
        let field = Field::read(field)?;
        Some(Self { quota: named(family, what)?, field })
    }
}

/// The family, the quota and the field of what follows `x-`.
fn x(name: &str) -> Option<(Family, &str, &str)> {
    if let Some(field) = name.strip_prefix("tokenlimit-") {
        return Some((Family::XToken, "", field));
    }
    let rest = name.strip_prefix("ratelimit-")?;
    let (field, what) = rest.split_once('-').unwrap_or((rest, ""));
    Some((Family::X, what, field))
}

/// One quota, as far as it was told.
#[derive(Clone, Copy)]
struct Quota {
    named: &'static Named,
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<Duration>,
    /// Its limit is no limit.
    nonsense: bool,
}

impl Quota {
    fn reading(&self) -> Option<QuotaReading> {
        let Self { named, limit, remaining, reset, nonsense } = *self;
        let remaining = remaining.filter(|remaining| !nonsense && (*remaining > 0 || reset != Some(Duration::ZERO)))?;
        Some(QuotaReading { kind: named.kind, limit, remaining, reset })
    }
}

/// The quotas told so far, without gaps.
#[derive(Default)]
struct Told([Option<Quota>; MAX_TOLD]);

impl Told {
    fn take(&mut self, name: Name, value: &str, now: Duration) {
        let is_it = |slot: &Option<Quota>| slot.is_none_or(|quota| std::ptr::eq(quota.named, name.quota));
        let Some(slot) = self.0.iter_mut().find(|slot| is_it(slot)) else { return };
        let fresh = Quota { named: name.quota, limit: None, remaining: None, reset: None, nonsense: false };
        let quota = slot.get_or_insert(fresh);
        match name.field {
            Field::Limit => {
                let limit = count(value);
                quota.limit = quota.limit.or(limit);
                quota.nonsense |= limit.is_none_or(|limit| limit == 0);
            }
            Field::Remaining => quota.remaining = quota.remaining.or_else(|| count(value)),
            Field::Reset => quota.reset = quota.reset.or_else(|| wait(value, now)),
        }
    }

    fn tightest(&self, since_epoch: Duration) -> Quotas {
        let mut quotas = Quotas::none_at(since_epoch);
        for reading in self.0.iter().map_while(|quota| quota.as_ref()).filter_map(Quota::reading) {
            quotas.take(reading);
        }
        quotas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QuotaKind::{InputTokens, OutputTokens, Requests, Tokens};
    use proptest::prelude::*;

    /// 2026-11-24 00:00:00 GMT.
    const NOW: Duration = Duration::from_secs(1_795_478_400);

    /// What is read, in the order of kinds: by itself it is that of the headers.
    fn read(headers: &[(&str, &str)]) -> Vec<QuotaReading> {
        in_order(quotas(headers.iter().map(|(name, value)| (*name, value.as_bytes())), NOW))
    }

    fn in_order(quotas: Quotas) -> Vec<QuotaReading> {
        let mut readings = quotas.to_vec();
        readings.sort_by_key(|reading| reading.kind as u8);
        readings
    }

    fn of(kind: QuotaKind, limit: Option<u64>, remaining: u64, reset: Option<f64>) -> QuotaReading {
        QuotaReading { kind, limit, remaining, reset: reset.map(Duration::from_secs_f64) }
    }

    #[test]
    fn every_provider_is_understood() {
        for (provider, headers, expected) in [
            (
                "OpenAI",
                &[
                    ("x-ratelimit-limit-requests", "5000"),
                    ("x-ratelimit-limit-tokens", "160000"),
                    ("x-ratelimit-limit-tokens_usage_based", "160000"),
                    ("x-ratelimit-remaining-requests", "4999"),
                    ("x-ratelimit-remaining-tokens", "159976"),
                    ("x-ratelimit-remaining-tokens_usage_based", "159970"),
                    ("x-ratelimit-reset-requests", "12ms"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                    ("x-ratelimit-reset-tokens_usage_based", "9ms"),
                ][..],
                &[of(Requests, Some(5000), 4999, Some(0.012)), of(Tokens, Some(160_000), 159_970, Some(0.009))][..],
            ),
            (
                "Azure",
                &[
                    ("x-ratelimit-limit-tokens", "20000"),
                    ("x-ratelimit-remaining-tokens", "19913"),
                    ("x-ratelimit-reset-tokens", "41"),
                    ("x-ratelimit-remaining-requests", "19"),
                ],
                &[of(Requests, None, 19, None), of(Tokens, Some(20_000), 19_913, Some(41.0))],
            ),
            (
                "Anthropic",
                &[
                    ("anthropic-ratelimit-requests-limit", "50"),
                    ("anthropic-ratelimit-requests-remaining", "49"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-24T00:00:01Z"),
                    ("anthropic-ratelimit-tokens-limit", "48000"),
                    ("anthropic-ratelimit-tokens-remaining", "0"),
                    ("anthropic-ratelimit-tokens-reset", "2026-11-24T00:00:12.5Z"),
                    ("anthropic-ratelimit-input-tokens-limit", "40000"),
                    ("anthropic-ratelimit-input-tokens-remaining", "39000"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-24T01:00:02+01:00"),
                    ("anthropic-ratelimit-output-tokens-limit", "8000"),
                    ("anthropic-ratelimit-output-tokens-remaining", "7000"),
                    ("anthropic-ratelimit-output-tokens-reset", "2026-11-24T00:00:03Z"),
                    ("anthropic-ratelimit-unified-reset", "1795482000"),
                ],
                &[
                    of(Requests, Some(50), 49, Some(1.0)),
                    of(Tokens, Some(48_000), 0, Some(12.5)),
                    of(InputTokens, Some(40_000), 39_000, Some(2.0)),
                    of(OutputTokens, Some(8000), 7000, Some(3.0)),
                ],
            ),
            (
                "Groq",
                &[
                    ("x-ratelimit-limit-requests", "14400"),
                    ("x-ratelimit-remaining-requests", "14370"),
                    ("x-ratelimit-reset-requests", "2m59.56s"),
                    ("x-ratelimit-limit-tokens", "18000"),
                    ("x-ratelimit-remaining-tokens", "17997"),
                    ("x-ratelimit-reset-tokens", "7.66s"),
                ],
                &[of(Requests, Some(14_400), 14_370, Some(179.56)), of(Tokens, Some(18_000), 17_997, Some(7.66))],
            ),
            (
                "Mistral",
                &[
                    ("x-ratelimit-limit-tokens-minute", "500000"),
                    ("x-ratelimit-remaining-tokens-minute", "499911"),
                    ("x-ratelimit-limit-tokens-month", "1000000000"),
                    ("x-ratelimit-remaining-tokens-month", "999999000"),
                    ("x-ratelimit-tokens-query-cost", "52"),
                    ("x-ratelimit-limit-req-minute", "720"),
                    ("x-ratelimit-remaining-req-minute", "717"),
                ],
                &[of(Requests, Some(720), 717, None), of(Tokens, Some(500_000), 499_911, None)],
            ),
            (
                "Together",
                &[
                    ("x-ratelimit-limit", "10"),
                    ("x-ratelimit-remaining", "9.5"),
                    ("x-ratelimit-reset", "1"),
                    ("x-tokenlimit-limit", "3000"),
                    ("x-tokenlimit-remaining", "2900"),
                ],
                &[of(Requests, Some(10), 9, Some(1.0)), of(Tokens, Some(3000), 2900, None)],
            ),
            (
                "Fireworks",
                &[
                    ("x-ratelimit-limit-tokens-prompt", "60000"),
                    ("x-ratelimit-remaining-tokens-prompt", "59000"),
                    ("x-ratelimit-limit-tokens-generated", "600"),
                    ("x-ratelimit-remaining-tokens-generated", "590"),
                ],
                &[of(InputTokens, Some(60_000), 59_000, None), of(OutputTokens, Some(600), 590, None)],
            ),
            ("Fireworks, limits only", &[("x-ratelimit-limit-tokens-prompt", "60000")], &[]),
            (
                "OpenRouter",
                &[("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795478460000")],
                &[of(Requests, Some(20), 0, Some(60.0))],
            ),
            (
                "the IETF's draft",
                &[("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "50"), ("ratelimit-reset", "30")],
                &[of(Requests, Some(100), 50, Some(30.0))],
            ),
        ] {
            assert_eq!(*read(headers), *expected, "{provider}");
            // In whatever order they come.
            let backwards: Vec<_> = headers.iter().rev().copied().collect();
            assert_eq!(*read(&backwards), *expected, "{provider}, backwards");
        }
    }

    #[test]
    fn nonsense_is_no_reading() {
        const LIMIT: &str = "x-ratelimit-limit-tokens";
        const LEFT: &str = "x-ratelimit-remaining-tokens";
        const RESET: &str = "x-ratelimit-reset-tokens";
        for (headers, expected) in [
            (&[(LIMIT, "-1"), (LEFT, "0"), (RESET, "0")][..], None),
            (&[(LIMIT, "0"), (LEFT, "0"), (RESET, "60")], None),
            (&[(LIMIT, "many"), (LEFT, "5")], None),
            (&[(LIMIT, "10"), (LEFT, "-1"), (RESET, "0")], None),
            (&[(LEFT, "0"), (RESET, "0")], None),
            (&[(LEFT, "NaN")], None),
            (&[(LEFT, "inf")], None),
            (&[(LEFT, "")], None),
            (&[(LEFT, "5"), (RESET, "-1")], Some(of(Tokens, None, 5, None))),
            (&[(LEFT, "5"), (RESET, "0")], Some(of(Tokens, None, 5, Some(0.0)))),
            (&[(LEFT, "0"), (RESET, "-1")], Some(of(Tokens, None, 0, None))),
            (&[(LEFT, "junk"), (LEFT, "5"), (LEFT, "6")], Some(of(Tokens, None, 5, None))),
            (&[("x-ratelimit-remaining-tokens-", "5")], None),
            (&[("x-ratelimit-remaining-images", "5"), ("x-ratelimit-remaining-tokensy", "5")], None),
            (&[("x-ratelimit-", "5"), ("x-ratelimit", "5"), ("ratelimit-", "5"), ("ratelimit-policy", "5")], None),
            (&[("anthropic-ratelimit-remaining", "5"), ("anthropic-ratelimit-", "5"), ("", "5")], None),
        ] {
            assert_eq!(*read(headers), *expected.as_slice(), "{headers:?}");
        }
    }

    #[test]
    fn the_quota_with_the_least_left_is_told() {
        let day = [("x-ratelimit-remaining-requests-day", "9"), ("x-ratelimit-reset-requests-day", "3600")];
        for (minute, reset, expected) in [
            ("8", "1", of(Requests, None, 8, Some(1.0))),
            ("9", "1", of(Requests, None, 9, Some(3600.0))),
            ("10", "1", of(Requests, None, 9, Some(3600.0))),
        ] {
            let minute = [("x-ratelimit-remaining-requests", minute), ("x-ratelimit-reset-requests", reset)];
            assert_eq!(*read(&[day, minute].concat()), [expected]);
            assert_eq!(*read(&[minute, day].concat()), [expected]);
        }
    }

    #[test]
    fn no_more_quotas_are_held_than_the_bound() {
        let names: Vec<String> = ["requests", "req", "tokens"]
            .iter()
            .flat_map(|word| {
                ["", "-second", "-minute", "-hour", "-day", "-month"]
                    .map(|per| format!("x-ratelimit-remaining-{word}{per}"))
            })
            .collect();
        assert!(names.len() > MAX_TOLD);
        let headers: Vec<_> =
            names.iter().zip(100..).map(|(name, left): (_, u64)| (name.as_str(), left.to_string())).collect();
        let read = |count| {
            in_order(quotas(headers.iter().take(count).rev().map(|(name, left)| (*name, left.as_bytes())), NOW))
        };
        assert_eq!(*read(MAX_TOLD), [of(Requests, None, 100, None)]);
        // The last in line, which would be the tightest, finds no place.
        assert_eq!(*read(MAX_TOLD + 1), [of(Requests, None, 101, None), of(Tokens, None, 112, None)]);
    }

    proptest! {
        #[test]
        fn no_headers_panic_and_each_kind_comes_once(
            headers in prop::collection::vec(
                ("(x-|anthropic-|)(ratelimit|tokenlimit)-(limit|remaining|reset|requests|tokens|-){1,4}|.*", prop::collection::vec(any::<u8>(), 0..20)),
                0..40,
            ),
        ) {
            let quotas = quotas(headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())), NOW);
            let kinds: std::collections::HashSet<_> = quotas.iter().map(|reading| reading.kind).collect();
            prop_assert_eq!(kinds.len(), quotas.len());
        }
    }
}
