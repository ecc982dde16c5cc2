//! Waiting times in the sentences of error messages.
//!
//! Receives a message in lower case; hands on the time that it names. The last resort, where no header and no field
//! says it.
//! Must never be here: what kind of error it is.

use super::wait::{scaled, span};
use std::time::Duration;

/// What precedes the time: OpenAI and Groq "Please try again in 1.2s", Gemini "Please retry in 36.4s", Azure "Please
/// retry after 26 seconds".
const OPENINGS: [&str; 4] = ["try again in ", "retry in ", "retry after ", "try again after "];

/// The time that a message in lower case asks to wait, if it does: `1.2s`, `6m0s`, `20ms`, `26 seconds`.
pub(crate) fn advised(message: &str) -> Option<Duration> {
    OPENINGS.iter().find_map(|opening| {
        let (_, rest) = message.split_once(opening)?;
        let mut words = rest.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', ')']));
        let first = words.next()?;
        span(first).or_else(|| scaled(first, seconds_in(words.next()?)?))
    })
}

/// A unit as a word. A number without one may count anything.
fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_found_in_sentences() {
        for (message, seconds) in [
            ("rate limit reached. please try again in 1.2s.", Some(1.2)),
            ("please try again in 6m0s. visit https://x to learn more.", Some(360.0)),
            ("please try again in 20ms", Some(0.02)),
            ("used 97050, requested 3619. please try again in 9m38.016s. need more tokens?", Some(578.016)),
            ("* quota exceeded\nplease retry in 36.429760048s.", Some(36.429_760_048)),
            ("please retry after 26 seconds.", Some(26.0)),
            ("please retry after 1 second, or ask for more.", Some(1.0)),
            ("try again in 2 minutes!", Some(120.0)),
            ("try again in 1 hour", Some(3600.0)),
            ("try again in 500 ms", Some(0.5)),
            ("try again later", None),
            ("try again in a while", None),
            ("retry after 5 attempts", None),
            ("try again in 5", None),
            ("try again in -5s", None),
            ("try again in -5 seconds", None),
            ("try again in nan seconds", None),
            ("try again in ", None),
            ("", None),
        ] {
            assert_eq!(advised(message), seconds.map(Duration::from_secs_f64), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_message_panics(before in any::<String>(), after in any::<String>()) {
            let _ = advised(&format!("{before}try again in {after}"));
        }
    }
}
