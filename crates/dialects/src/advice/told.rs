//! How a client is told of quotas, in the headers that its dialect knows.
//!
//! OpenAI's (`x-ratelimit-remaining-tokens`, resets as Go prints a duration) go to clients of every dialect, for the
//! gateway promises them; Anthropic's (`anthropic-ratelimit-input-tokens-remaining`, resets in RFC 3339) to its own
//! besides. Google has none. Receives readings; hands on names and values. Must never be here: whose quota it is.

use super::names::{Family, Named, named};
use super::quotas::{Quotas, tightness};
use aws_smithy_types::date_time::{DateTime, Format};
use llm::{Dialect, QuotaKind, QuotaReading};
use std::time::Duration;

/// The headers, by name and value, that tell a client of `dialect` of `quotas` at `since_epoch`, the time of day since
/// the Unix epoch.
///
/// What was not told is not told on. OpenAI's dialects have one word for tokens: where a provider counts those of
/// questions and answers apart, it is the tighter of both, as Anthropic has it of its own `tokens`. Resets are rounded up
/// to what their form can say (milliseconds, and whole seconds in RFC 3339): sooner would be too soon.
pub fn limits(
    dialect: Dialect,
    quotas: &Quotas,
    since_epoch: Duration,
) -> impl Iterator<Item = (&'static str, String)> {
    let names = headers(dialect).iter().filter_map(|(family, what, kinds)| {
        let reading = kinds.iter().find_map(|kinds| tightest(quotas, kinds))?;
        Some((named(*family, what)?, reading))
    });
    names.flat_map(move |(name, reading)| lines(name, quotas, reading, since_epoch))
}

/// A header's family, what it names, and whose readings it tells: those of the first kinds of which there are any.
type Header = (Family, &'static str, &'static [&'static [QuotaKind]]);

const REQUESTS: &[&[QuotaKind]] = &[&[QuotaKind::Requests]];
const INPUT: &[&[QuotaKind]] = &[&[QuotaKind::InputTokens]];
const OUTPUT: &[&[QuotaKind]] = &[&[QuotaKind::OutputTokens]];
const TOKENS: &[&[QuotaKind]] = &[&[QuotaKind::Tokens], &[QuotaKind::InputTokens, QuotaKind::OutputTokens]];

/// Those of every client first.
static HEADERS: [Header; 6] = [
    (Family::X, "requests", REQUESTS),
    (Family::X, "tokens", TOKENS),
    (Family::Anthropic, "requests", REQUESTS),
    (Family::Anthropic, "tokens", TOKENS),
    (Family::Anthropic, "input-tokens", INPUT),
    (Family::Anthropic, "output-tokens", OUTPUT),
];

fn headers(dialect: Dialect) -> &'static [Header] {
    match dialect.worded_as() {
        Dialect::Anthropic => &HEADERS,
        Dialect::OpenAiChat | Dialect::Responses | Dialect::Gemini | Dialect::Other(_) => HEADERS.split_at(2).0,
    }
}

fn tightest<'a>(quotas: &'a Quotas, kinds: &[QuotaKind]) -> Option<&'a QuotaReading> {
    kinds.iter().filter_map(|kind| quotas.of(*kind)).min_by_key(|reading| tightness(reading))
}

/// One quota's headers.
fn lines(
    name: &'static Named,
    quotas: &Quotas,
    reading: &QuotaReading,
    now: Duration,
) -> impl Iterator<Item = (&'static str, String)> {
    let limit = reading.limit.map(|limit| (name.limit, limit.to_string()));
    let remaining = (name.remaining, reading.remaining.to_string());
    let reset = quotas.full_at(reading).and_then(|at| match name.family {
        Family::Anthropic => rfc3339(at),
        Family::X | Family::XToken | Family::Ietf => Some(go(at.saturating_sub(now))),
    });
    limit.into_iter().chain([remaining]).chain(reset.map(|reset| (name.reset, reset)))
}

/// An instant as Anthropic writes it, `2026-11-24T00:00:12Z`; `None` beyond the year 9999, which it has no form for.
fn rfc3339(since_epoch: Duration) -> Option<String> {
    let seconds = i64::try_from(since_epoch.as_nanos().div_ceil(1_000_000_000)).ok()?;
    DateTime::from_secs(seconds).fmt(Format::DateTime).ok()
}

/// A duration as Go prints it, and OpenAI: `0s`, `12ms`, `1.5s`, `6m0s`, `1h0m0s`.
fn go(duration: Duration) -> String {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    // At most five digits: an f64 has them all.
    let seconds = rest as f64 / 1000.0;
    match (hours, minutes, rest) {
        (0, 0, 1..1000) => format!("{rest}ms"),
        (0, 0, _) => format!("{seconds}s"),
        (0, _, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::quotas;
    use super::*;
    use llm::Operation;
    use proptest::prelude::*;

    /// 2026-11-24 00:00:00 GMT.
    const NOW: Duration = Duration::from_secs(1_795_478_400);

    fn read(headers: &[(&str, &str)]) -> Quotas {
        quotas(headers.iter().map(|(name, value)| (*name, value.as_bytes())), NOW)
    }

    /// What a client is told so long after its provider spoke, a line a header.
    fn told(dialect: Dialect, quotas: &Quotas, later: Duration) -> String {
        limits(dialect, quotas, NOW + later).map(|(name, value)| format!("{name}: {value}\n")).collect()
    }

    const OPENAI: &[(&str, &str)] = &[
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-limit-tokens", "160000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-reset-requests", "1h0m12.5s"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    const ANTHROPIC: &[(&str, &str)] = &[
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-11-24T00:00:30Z"),
        ("anthropic-ratelimit-tokens-limit", "48000"),
        ("anthropic-ratelimit-tokens-remaining", "47000"),
        ("anthropic-ratelimit-tokens-reset", "2026-11-24T00:00:31Z"),
        ("anthropic-ratelimit-input-tokens-limit", "40000"),
        ("anthropic-ratelimit-input-tokens-remaining", "39000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-24T00:00:32Z"),
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "7000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-11-24T00:00:33Z"),
    ];

    #[test]
    fn each_providers_quotas_are_told_in_each_dialects_words() {
        let of_openai = "\
            x-ratelimit-limit-requests: 5000\n\
            x-ratelimit-remaining-requests: 4999\n\
            x-ratelimit-reset-requests: 1h0m12.5s\n\
            x-ratelimit-limit-tokens: 160000\n\
            x-ratelimit-remaining-tokens: 159976\n\
            x-ratelimit-reset-tokens: 6m0s\n";
        let of_openai_to_anthropic = "\
            anthropic-ratelimit-requests-limit: 5000\n\
            anthropic-ratelimit-requests-remaining: 4999\n\
            anthropic-ratelimit-requests-reset: 2026-11-24T01:00:13Z\n\
            anthropic-ratelimit-tokens-limit: 160000\n\
            anthropic-ratelimit-tokens-remaining: 159976\n\
            anthropic-ratelimit-tokens-reset: 2026-11-24T00:06:00Z\n";
        let of_anthropic = "\
            x-ratelimit-limit-requests: 50\n\
            x-ratelimit-remaining-requests: 49\n\
            x-ratelimit-reset-requests: 30s\n\
            x-ratelimit-limit-tokens: 48000\n\
            x-ratelimit-remaining-tokens: 47000\n\
            x-ratelimit-reset-tokens: 31s\n";
        let of_anthropic_to_its_own: String =
            ANTHROPIC.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let fireworks: &[(&str, &str)] = &[
            ("x-ratelimit-limit-tokens-prompt", "60000"),
            ("x-ratelimit-remaining-tokens-prompt", "59000"),
            ("x-ratelimit-limit-tokens-generated", "600"),
            ("x-ratelimit-remaining-tokens-generated", "590"),
        ];
        let of_fireworks = "x-ratelimit-limit-tokens: 600\nx-ratelimit-remaining-tokens: 590\n";
        let of_fireworks_to_anthropic = "\
            anthropic-ratelimit-tokens-limit: 600\n\
            anthropic-ratelimit-tokens-remaining: 590\n\
            anthropic-ratelimit-input-tokens-limit: 60000\n\
            anthropic-ratelimit-input-tokens-remaining: 59000\n\
            anthropic-ratelimit-output-tokens-limit: 600\n\
            anthropic-ratelimit-output-tokens-remaining: 590\n";
        let azure: &[(&str, &str)] = &[
            ("x-ratelimit-remaining-requests", "19"),
            ("x-ratelimit-remaining-tokens", "19913"),
            ("x-ratelimit-limit-tokens", "20000"),
            ("x-ratelimit-reset-tokens", "41"),
        ];
        let of_azure = "\
            x-ratelimit-remaining-requests: 19\n\
            x-ratelimit-limit-tokens: 20000\n\
            x-ratelimit-remaining-tokens: 19913\n\
            x-ratelimit-reset-tokens: 41s\n";
        let of_azure_to_anthropic = "\
            anthropic-ratelimit-requests-remaining: 19\n\
            anthropic-ratelimit-tokens-limit: 20000\n\
            anthropic-ratelimit-tokens-remaining: 19913\n\
            anthropic-ratelimit-tokens-reset: 2026-11-24T00:00:41Z\n";
        let mistral: &[(&str, &str)] =
            &[("x-ratelimit-limit-req-minute", "720"), ("x-ratelimit-remaining-req-minute", "717")];
        let of_mistral = "x-ratelimit-limit-requests: 720\nx-ratelimit-remaining-requests: 717\n";
        let of_mistral_to_anthropic =
            "anthropic-ratelimit-requests-limit: 720\nanthropic-ratelimit-requests-remaining: 717\n";
        for (provider, headers, to_all, to_anthropics) in [
            ("openai", OPENAI, of_openai, of_openai_to_anthropic),
            ("anthropic", ANTHROPIC, of_anthropic, &*of_anthropic_to_its_own),
            ("fireworks", fireworks, of_fireworks, of_fireworks_to_anthropic),
            ("azure", azure, of_azure, of_azure_to_anthropic),
            ("mistral", mistral, of_mistral, of_mistral_to_anthropic),
            ("nothing", &[], "", ""),
        ] {
            let quotas = read(headers);
            for dialect in [Dialect::OpenAiChat, Dialect::Responses, Dialect::Gemini] {
                assert_eq!(told(dialect, &quotas, Duration::ZERO), to_all, "{provider} to {dialect:?}");
            }
            let both = format!("{to_all}{to_anthropics}");
            assert_eq!(told(Dialect::Anthropic, &quotas, Duration::ZERO), both, "{provider}");
            assert_eq!(told(Dialect::Other(Operation::CountTokens), &quotas, Duration::ZERO), both, "{provider}");
            assert_eq!(told(Dialect::Other(Operation::Embeddings), &quotas, Duration::ZERO), to_all, "{provider}");
        }
    }

    #[test]
    fn what_is_told_later_names_the_same_instant() {
        let quotas = read(ANTHROPIC);
        let told = |later| -> Vec<String> {
            let all = limits(Dialect::Anthropic, &quotas, NOW + Duration::from_millis(later));
            all.filter(|(name, _)| name.contains("reset") && name.contains("requests"))
                .map(|(_, value)| value)
                .collect()
        };
        assert_eq!(told(4_250), ["25.75s", "2026-11-24T00:00:30Z"]);
        assert_eq!(told(31_000), ["0s", "2026-11-24T00:00:30Z"]);
    }

    #[test]
    fn a_clients_own_quota_is_told_in_the_place_of_its_providers() {
        let own = QuotaReading {
            kind: QuotaKind::Requests,
            limit: Some(60),
            remaining: 59,
            reset: Some(Duration::from_secs(1)),
        };
        let later = Duration::from_secs(5);
        let alone =
            "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 59\nx-ratelimit-reset-requests: 1s\n";
        let tokens = "\
            x-ratelimit-limit-tokens: 160000\n\
            x-ratelimit-remaining-tokens: 159976\n\
            x-ratelimit-reset-tokens: 5m55s\n";
        for (quotas, besides) in [(Quotas::default(), ""), (read(&[]), ""), (read(OPENAI), tokens)] {
            let quotas = quotas.with_own(own, NOW + later);
            assert_eq!(told(Dialect::OpenAiChat, &quotas, later), format!("{alone}{besides}"));
            let to_anthropics = told(Dialect::Anthropic, &quotas, later);
            let reset = "anthropic-ratelimit-requests-reset: 2026-11-24T00:00:06Z\n";
            assert!(to_anthropics.contains(reset), "{to_anthropics}");
        }
    }

    #[test]
    fn durations_read_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ms"),
            (12_000_000, "12ms"),
            (12_000_001, "13ms"),
            (999_000_000, "999ms"),
            (999_000_001, "1s"),
            (1_500_000_000, "1.5s"),
            (59_999_000_001, "1m0s"),
            (61_250_000_000, "1m1.25s"),
            (360_000_000_000, "6m0s"),
            (3_600_000_000_000, "1h0m0s"),
            (90_061_500_000_000, "25h1m1.5s"),
        ] {
            assert_eq!(go(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn instants_are_whole_seconds_rounded_up_and_none_without_end() {
        for (at, text) in [
            (NOW, Some("2026-11-24T00:00:00Z")),
            (NOW + Duration::from_nanos(1), Some("2026-11-24T00:00:01Z")),
            (Duration::from_secs(253_402_300_799), Some("9999-12-31T23:59:59Z")),
            (Duration::from_secs(253_402_300_800), None),
            (Duration::MAX, None),
        ] {
            assert_eq!(rfc3339(at).as_deref(), text, "{at:?}");
        }
    }

    proptest! {
        /// Whoever reads what is told reads what was read: but for the rounding of resets.
        #[test]
        fn what_is_told_is_read_again(
            limit in proptest::option::of(1u64..), remaining in 1u64.., millis in proptest::option::of(1u64..10_000_000_000),
            dialect in prop::sample::select(vec![Dialect::OpenAiChat, Dialect::Anthropic]),
        ) {
            let reset = millis.map(Duration::from_millis);
            let reading = QuotaReading { kind: QuotaKind::Requests, limit, remaining, reset };
            let said: Vec<_> = limits(dialect, &Quotas::default().with_own(reading, NOW), NOW).collect();
            let again = quotas(said.iter().map(|(name, value)| (*name, value.as_bytes())), NOW);
            let again = again.of(QuotaKind::Requests).expect("a reading");
            prop_assert_eq!((again.limit, again.remaining), (limit, remaining));
            let late = again.reset.unwrap_or_default().saturating_sub(reset.unwrap_or_default());
            prop_assert!(again.reset >= reset && late < Duration::from_secs(1), "{:?}", again);
        }
    }
}
