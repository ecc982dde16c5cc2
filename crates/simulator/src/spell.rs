//! Spans of time as providers write them in headers.
//!
//! Receives durations; hands on text and whole numbers, all rounded up: whoever waits as told is never early. Never
//! here: clocks, and which header says what.

use std::time::{Duration, UNIX_EPOCH};

/// Whole milliseconds.
pub(crate) fn milliseconds(span: Duration) -> u128 {
    span.as_nanos().div_ceil(1_000_000)
}

/// Whole seconds.
pub(crate) fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// As Go prints a duration, to the millisecond: `120ms`, `1m30.5s`, `2h0m0s`.
pub(crate) fn go(span: Duration) -> String {
    let total = milliseconds(span);
    let (hours, minutes) = (total / 3_600_000, total / 60_000 % 60);
    let (seconds, rest) = (total / 1000 % 60, total % 1000);
    match (hours, minutes) {
        (0, 0) if total > 0 && total < 1000 => format!("{total}ms"),
        (0, 0) => format!("{seconds}{}s", fraction(rest)),
        (0, _) => format!("{minutes}m{seconds}{}s", fraction(rest)),
        _ => format!("{hours}h{minutes}m{seconds}{}s", fraction(rest)),
    }
}

fn fraction(milliseconds: u128) -> String {
    if milliseconds == 0 { String::new() } else { format!(".{milliseconds:03}").trim_end_matches('0').to_owned() }
}

/// The instant so long after 1970 began, as an HTTP date (RFC 9110 section 5.6.7); it ends with the year 9999.
pub(crate) fn date(since_1970: Duration) -> String {
    const LAST: u64 = 253_402_300_799;
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds(since_1970).min(LAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_go_does_and_rounded_up() {
        for (nanoseconds, go_text, whole_seconds, whole_milliseconds) in [
            (0, "0s", 0, 0),
            (1, "1ms", 1, 1),
            (120_000_000, "120ms", 1, 120),
            (999_000_001, "1s", 1, 1000),
            (1_000_000_000, "1s", 1, 1000),
            (1_005_000_000, "1.005s", 2, 1005),
            (60_000_000_000, "1m0s", 60, 60_000),
            (90_500_000_000, "1m30.5s", 91, 90_500),
            (7_200_000_000_000, "2h0m0s", 7200, 7_200_000),
            (90_061_000_000_000, "25h1m1s", 90_061, 90_061_000),
        ] {
            let span = Duration::from_nanos(nanoseconds);
            let written = (go(span), seconds(span), milliseconds(span));
            assert_eq!(written, (go_text.to_owned(), whole_seconds, whole_milliseconds));
        }
    }

    #[test]
    fn dates_are_written_as_http_does() {
        for (seconds, text) in [
            (784_111_777.0, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_776.25, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (f64::from(u32::MAX) * 1e6, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(date(Duration::from_secs_f64(seconds)), text);
        }
    }
}
