//! Every way in which providers write how long to wait.
//!
//! Receives one value and the time of day; hands on the time from now, zero for an instant that has passed.
//! Must never be here: header names, caps. What cannot be read is no advice, and so is what is negative, not a number,
//! or longer than a [`Duration`] holds.

use std::time::Duration;

/// Numbers from here on are instants, in seconds since the Unix epoch (July 2017, before any provider we know);
/// as a delay it would be 47 years.
const EPOCH_SECONDS: f64 = 1.5e9;
/// Numbers from here on are instants in milliseconds since the Unix epoch.
const EPOCH_MILLIS: f64 = 1.5e12;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: i64 = 86_400;

/// The time from `now` (since the Unix epoch) that `text` names: seconds, whole or not; an instant as a number; a
/// duration with units; RFC 3339; or an HTTP date (RFC 9110 section 5.6.7).
pub(super) fn wait(text: &str, now: Duration) -> Option<Duration> {
    let text = text.trim();
    number(text, 1.0, now)
        .or_else(|| span(text))
        .or_else(|| rfc3339(text).or_else(|| http_date(text)).map(|then| then.saturating_sub(now)))
}

/// As [`wait`], for a number of milliseconds or an instant in them.
pub(super) fn wait_millis(text: &str, now: Duration) -> Option<Duration> {
    number(text.trim(), 1000.0, now)
}

/// The time from `now` that a number names, of which `per_second` make a second.
fn number(text: &str, per_second: f64, now: Duration) -> Option<Duration> {
    let number: f64 = text.parse().ok()?;
    if number >= EPOCH_MILLIS {
        return instant(number / 1000.0, now);
    }
    let seconds = number / per_second;
    if seconds >= EPOCH_SECONDS { instant(seconds, now) } else { Duration::try_from_secs_f64(seconds).ok() }
}

fn instant(seconds: f64, now: Duration) -> Option<Duration> {
    Some(Duration::try_from_secs_f64(seconds).ok()?.saturating_sub(now))
}

/// A duration as Go and protocol buffers write it: one or more of a decimal number and a unit, `1h2m3.5s`, `46s`.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let mut total = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_decimal(c))?);
        let (unit, after) = after.split_at(after.find(is_decimal).unwrap_or(after.len()));
        let part = scaled(number, seconds_in(unit)?)?;
        total = Some(total.unwrap_or(Duration::ZERO).checked_add(part)?);
        rest = after;
    }
    total
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// `number` units of `seconds` each.
pub(super) fn scaled(number: &str, seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// The units of Go's `time.ParseDuration`, with both letters that are used for micro.
fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// The instant of an HTTP date in any of its three forms, since the Unix epoch.
fn http_date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()
}

/// The instant of an RFC 3339 time since the Unix epoch, zero where before it; a leap second is its minute's end.
fn rfc3339(text: &str) -> Option<Duration> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (hms, rest) = (time.get(..8)?, time.get(8..)?);
    let digits = rest.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    let (fraction, zone) = rest.split_at_checked(digits)?;
    let fraction = if fraction.is_empty() { Duration::ZERO } else { scaled(&format!("0{fraction}0"), 1.0)? };
    let seconds = days(date)? * DAY + clock(hms)? - offset(zone)?;
    Some(u64::try_from(seconds).map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds) + fraction))
}

/// Days from the Unix epoch to `YYYY-MM-DD` in the Gregorian calendar, counted in years that begin in March, so that
/// a leap day is a year's last.
fn days(text: &str) -> Option<i64> {
    let [year, month, day] = parts(text, '-', [4, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // The months from March on are 31, 30, 31, 30, 31 days long, over and over. 719,468 days lie before the epoch.
    Some(year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Seconds of the day at `HH:MM:SS`.
fn clock(text: &str) -> Option<i64> {
    let [hour, minute, second] = parts(text, ':', [2, 2, 2])?;
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds east of Greenwich: `Z` or `+HH:MM`.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let [hour, minute] = parts(text.get(1..)?, ':', [2, 2])?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
}

/// Exactly `N` numbers of so many digits, separated by `by`.
fn parts<const N: usize>(text: &str, by: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut found = text.split(by);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let digits = found.next().filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = digits.parse().ok()?;
    }
    found.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1994-11-06 08:49:37 GMT less 30 s.
    const THEN: Duration = Duration::from_secs(784_111_777 - 30);
    /// 2026-11-24 00:00:00 GMT.
    const NOW: Duration = Duration::from_secs(1_795_478_400);

    #[test]
    fn every_form_is_read() {
        for (text, seconds) in [
            ("1", 1.0),
            (" 2 ", 2.0),
            ("0", 0.0),
            ("0.5", 0.5),
            ("1e2", 100.0),
            // The largest delays are taken as they are: who waits has a cap.
            ("1000000000", 1e9),
            ("1499999999", 1_499_999_999.0),
            ("1h2m3.5s", 3723.5),
            ("6m0s", 360.0),
            ("12ms", 0.012),
            ("500us", 0.0005),
            ("500\u{b5}s", 0.0005),
            ("500\u{3bc}s", 0.0005),
            ("7ns", 7e-9),
            ("1m", 60.0),
            ("17h33m", 63_180.0),
            ("2m59.56s", 179.56),
            ("46s", 46.0),
            (".5s", 0.5),
            ("2026-11-24T00:00:30Z", 30.0),
            ("2026-11-24t00:00:30.25z", 30.25),
            ("2026-11-24 00:00:30.Z", 30.0),
            ("2026-11-24T02:00:30+02:00", 30.0),
            ("2026-11-23T18:30:30.5-05:30", 30.5),
            ("2026-11-24T23:59:60Z", 86_400.0),
            ("2028-02-29T00:00:00Z", 39_916_800.0),
            ("2026-11-23T23:59:59Z", 0.0),
            ("2000-02-29T00:00:00Z", 0.0),
            ("1969-12-31T23:59:59Z", 0.0),
            ("0000-01-01T00:00:00Z", 0.0),
            ("1795478430", 30.0),
            ("1795478430.5", 30.5),
            ("1795478430500", 30.5),
            ("1500000000", 0.0),
            ("1500000000000", 0.0),
            ("1795478399", 0.0),
        ] {
            assert_eq!(wait(text, NOW), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        // The three forms of an HTTP date.
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(wait(text, THEN), Some(Duration::from_secs(30)), "{text}");
            assert_eq!(wait(text, NOW), Some(Duration::ZERO), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_advice() {
        for text in [
            "",
            " ",
            "soon",
            "-1",
            "-0.5",
            "NaN",
            "inf",
            "-inf",
            "infinity",
            "1e300",
            "1.5.2",
            "1s2",
            "s",
            ".s",
            "1d",
            "-1s",
            "1h-2m",
            "1 s",
            "99999999999999999999h",
            "2026-11-24",
            "2026-11-24T00:00:30",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T00:60:00Z",
            "2026-11-24T00:00:61Z",
            "2026-11-24T00:00:00+24:00",
            "2026-11-24T00:00:00+0200",
            "2026-11-24T00:00:00Zx",
            "2026-11-24T00:00:0\u{b5}Z",
            "26-11-24T00:00:00Z",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37",
        ] {
            assert_eq!(wait(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_are_a_delay_or_an_instant() {
        for (text, expected) in [
            ("250", Some(0.25)),
            ("1500.5", Some(1.5005)),
            ("1795478430500", Some(30.5)),
            ("1499999999999", Some(1_499_999_999.999)),
            ("-1", None),
            ("NaN", None),
            ("250ms", None),
        ] {
            assert_eq!(wait_millis(text, NOW), expected.map(Duration::from_secs_f64), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), now in any::<u64>()) {
            let _ = (wait(&text, Duration::from_secs(now)), wait_millis(&text, Duration::from_secs(now)));
        }

        #[test]
        fn no_near_miss_panics(text in "[-+0-9.:TZtzhmsnu\u{b5} e]{0,30}") {
            let _ = wait(&text, NOW);
        }

        /// Against `httpdate`, which counts the days by itself.
        #[test]
        fn rfc3339_and_http_dates_agree(seconds in 0u64..253_402_300_800) {
            let then = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
            let http = httpdate::fmt_http_date(then);
            let words: Vec<&str> = http.split(' ').collect();
            let month = 1 + ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                .iter().position(|name| *name == words[2]).expect("a month");
            let ours = format!("{}-{month:02}-{}T{}Z", words[3], words[1], words[4]);
            prop_assert_eq!(rfc3339(&ours), Some(Duration::from_secs(seconds)));
            prop_assert_eq!(http_date(&http), Some(Duration::from_secs(seconds)));
        }

        #[test]
        fn durations_are_read_as_written(hours in 0u64..9999, minutes in 0u64..60, millis in 0u64..60_000) {
            let text = format!("{hours}h{minutes}m{}.{:03}s", millis / 1000, millis % 1000);
            let expected = Duration::from_secs(hours * 3600 + minutes * 60) + Duration::from_millis(millis);
            prop_assert_eq!(span(&text), Some(expected));
        }
    }
}
