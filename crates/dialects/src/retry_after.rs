//! How long a provider asks to be left alone.

use std::time::Duration;

/// Reads retry advice from response headers: `retry-after-ms` first (OpenAI's SDKs honour it above the other),
/// then `retry-after` in seconds, whole or not, or as an HTTP date (RFC 9110 section 10.2.3).
///
/// `header` looks a lower-case name up; `now` is the time since the Unix epoch. A date in the past is zero;
/// what cannot be read, or is negative, is no advice.
pub fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Duration) -> Option<Duration> {
    header("retry-after-ms")
        .and_then(|text| positive(text, 1000.0))
        .or_else(|| header("retry-after").and_then(|text| positive(text, 1.0).or_else(|| until(text, now))))
}

/// `text` as a non-negative number of which `per_second` make a second.
fn positive(text: &str, per_second: f64) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number / per_second).ok()
}

/// The time from `now` to an HTTP date.
fn until(text: &str, now: Duration) -> Option<Duration> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let then = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(then.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_nonsense_is_none() {
        // 1994-11-06 08:49:37 GMT is 784111777.
        let now = Duration::from_secs(784_111_777 - 30);
        for (name, value, expected) in [
            ("retry-after", "1", Some(1.0)),
            ("retry-after", "0.5", Some(0.5)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Some(30.0)),
            ("retry-after", "Sun, 06 Nov 1993 08:49:37 GMT", None),
            ("retry-after", "Sat, 06 Nov 1993 08:49:37 GMT", Some(0.0)),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
            ("retry-after", "NaN", None),
            ("retry-after", "1e300", None),
            ("retry-after-ms", "250", Some(0.25)),
        ] {
            let read = retry_after(|asked| (asked == name).then_some(value), now);
            assert_eq!(read, expected.map(Duration::from_secs_f64), "{name}: {value}");
        }
    }

    #[test]
    fn milliseconds_win_over_seconds() {
        let read = retry_after(|name| Some(if name == "retry-after-ms" { "1500" } else { "9" }), Duration::ZERO);
        assert_eq!(read, Some(Duration::from_millis(1500)));
    }
}
