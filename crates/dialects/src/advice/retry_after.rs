//! How long a provider asks to be left alone, from the head of its refusal.
//!
//! Receives headers and the time of day; hands on one duration, uncapped.
//! Must never be here: error bodies, caps, what waits.

use super::names::QUOTAS;
use super::quotas::count;
use super::wait::{wait, wait_millis};
use std::time::Duration;

/// Reads how long to stay away from the headers of a refusal; meant for those by limits and overload.
///
/// `header` looks a lower-case name up; `since_epoch` is the time of day since the Unix epoch. In order, the first that
/// can be read: `retry-after-ms`, a number (OpenAI's SDKs honour it above the other); `retry-after`, in seconds, as an
/// HTTP date (RFC 9110 section 10.2.3), a duration with units, RFC 3339, or seconds or milliseconds since the epoch;
/// the latest reset among the quotas of which nothing is left. An instant that has passed is zero for the first two,
/// which are meant for us, and unknown for a quota. Garbage and negative numbers are no advice; nothing is capped.
pub fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>, since_epoch: Duration) -> Option<Duration> {
    header("retry-after-ms")
        .and_then(|text| wait_millis(text, since_epoch))
        .or_else(|| header("retry-after").and_then(|text| wait(text, since_epoch)))
        .or_else(|| refill(header, since_epoch))
}

/// When the last of the exhausted quotas is full again. One that is so at once explains no refusal.
fn refill<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Duration) -> Option<Duration> {
    let exhausted = QUOTAS.iter().filter(|quota| header(quota.remaining).and_then(count) == Some(0));
    let resets = exhausted.filter_map(|quota| wait(header(quota.reset)?, now));
    resets.chain(unified(&header, now)).max().filter(|wait| !wait.is_zero())
}

/// The reset of Anthropic's quota over several models (`unified`), which says by a word whether it is exhausted.
fn unified<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Duration) -> Option<Duration> {
    let within = header("anthropic-ratelimit-unified-status").is_some_and(|status| status != "rejected");
    header("anthropic-ratelimit-unified-reset").filter(|_| !within).and_then(|text| wait(text, now))
}

#[cfg(test)]
mod tests {
    use super::super::quotas;
    use super::*;

    /// 2026-11-24 00:00:00 GMT.
    const NOW: Duration = Duration::from_secs(1_795_478_400);

    fn read(headers: &[(&str, &'static str)]) -> Option<f64> {
        let header = |asked: &str| headers.iter().find(|(name, _)| *name == asked).map(|(_, value)| *value);
        retry_after(header, NOW).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn advice_wins_over_quotas_and_milliseconds_over_seconds() {
        const MS: &str = "retry-after-ms";
        const S: &str = "retry-after";
        const LEFT: (&str, &str) = ("x-ratelimit-remaining-requests", "0");
        const RESET: (&str, &str) = ("x-ratelimit-reset-requests", "6m0s");
        for (headers, expected) in [
            (&[][..], None),
            (&[(S, "1")], Some(1.0)),
            (&[(S, "1h2m3.5s")], Some(3723.5)),
            (&[(S, "Tue, 24 Nov 2026 00:00:30 GMT")], Some(30.0)),
            (&[(S, "Tue, 24 Nov 2026 00:00:00 GMT")], Some(0.0)),
            (&[(S, "Mon, 23 Nov 2026 00:00:00 GMT")], Some(0.0)),
            (&[(S, "2026-11-24T00:00:30Z")], Some(30.0)),
            (&[(S, "1795478430")], Some(30.0)),
            (&[(S, "1795478430000")], Some(30.0)),
            (&[(S, "1000000000")], Some(1e9)),
            (&[(S, "-1")], None),
            (&[(S, "soon")], None),
            (&[(MS, "250")], Some(0.25)),
            (&[(MS, "1500"), (S, "9")], Some(1.5)),
            (&[(MS, "soon"), (S, "9")], Some(9.0)),
            (&[(MS, "-1"), (S, "-1"), LEFT, RESET], Some(360.0)),
            (&[(S, "0"), LEFT, RESET], Some(0.0)),
            (&[(S, "9"), LEFT, RESET], Some(9.0)),
            (&[RESET], None),
            (&[("x-ratelimit-remaining-requests", "1"), RESET], None),
            (&[LEFT], None),
        ] {
            assert_eq!(read(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_last_exhausted_quota_to_fill_decides() {
        for (headers, expected) in [
            (
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", "12ms"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "1.5s"),
                    ("x-ratelimit-remaining-tokens_usage_based", "7"),
                    ("x-ratelimit-reset-tokens_usage_based", "1h"),
                ][..],
                Some(1.5),
            ),
            (
                &[
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-24T00:00:07Z"),
                    ("anthropic-ratelimit-output-tokens-remaining", "8000"),
                    ("anthropic-ratelimit-output-tokens-reset", "2026-11-24T00:01:00Z"),
                ],
                Some(7.0),
            ),
            (&[("anthropic-ratelimit-unified-reset", "1795482000")], Some(3600.0)),
            (
                &[
                    ("anthropic-ratelimit-unified-status", "rejected"),
                    ("anthropic-ratelimit-unified-reset", "1795482000"),
                ],
                Some(3600.0),
            ),
            (
                &[
                    ("anthropic-ratelimit-unified-status", "allowed_warning"),
                    ("anthropic-ratelimit-unified-reset", "1795482000"),
                ],
                None,
            ),
            // Azure on responses: what is not known is -1 or 0.
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "0")], None),
            (&[("x-ratelimit-remaining-tokens", "-1"), ("x-ratelimit-reset-tokens", "-1")], None),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "41")], Some(41.0)),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795478430000")], Some(30.0)),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "50")], Some(50.0)),
            (
                &[
                    ("anthropic-ratelimit-requests-remaining", "0"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-23T23:59:00Z"),
                ],
                None,
            ),
        ] {
            assert_eq!(read(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn every_name_of_the_table_is_a_quota_to_both_readers() {
        for quota in &QUOTAS {
            let headers = [(quota.remaining, &b"3"[..]), (quota.reset, b"60")];
            let told = quotas(headers.into_iter(), NOW);
            let [reading] = *told else { panic!("{quota:?}: {told:?}") };
            let expected = (quota.kind, 3, Some(Duration::from_secs(60)));
            assert_eq!((reading.kind, reading.remaining, reading.reset), expected, "{quota:?}");
            assert_eq!(read(&[(quota.remaining, "0"), (quota.reset, "60")]), Some(60.0), "{quota:?}");
        }
    }

    #[test]
    fn quotas_of_every_period_are_known() {
        for period in ["second", "minute", "hour", "day", "month"] {
            for counted in ["requests", "req", "tokens"] {
                let left = format!("x-ratelimit-remaining-{counted}-{period}");
                let reset = format!("x-ratelimit-reset-{counted}-{period}");
                assert_eq!(read(&[(&left, "0"), (&reset, "7s")]), Some(7.0), "{left}");
            }
        }
    }
}
