//! Durations, sizes and shares as people write them.

use std::time::Duration;

/// The longest duration a file may ask for; keeps every sum of instants far from overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// `500ms`, `2s`, `1m30s`, `1h`; the error completes "`x` ...".
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const NONE: &str = "is no duration: write 500ms, 2s, 1m30s or 1h";
    let mut millis = 0_u64;
    let mut rest = text;
    loop {
        let (number, after) = leading_number(rest).ok_or(NONE)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, tail) = after.split_at(unit_end);
        let factor = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" => return Err("has no unit: write 500ms, 2s, 1m30s or 1h"),
            _ => return Err(NONE),
        };
        millis = millis.saturating_add(number.saturating_mul(factor));
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    let duration = Duration::from_millis(millis);
    if duration > LONGEST { Err("is too long: 720h is the most") } else { Ok(duration) }
}

/// `64KiB`, `16MiB`, `1GiB`, `10MB` in bytes; the error completes "`x` ...".
pub(crate) fn size(text: &str) -> Result<usize, &'static str> {
    const NONE: &str = "is no size: write 64KiB, 16MiB, 10MB or 1GiB";
    let (number, unit) = leading_number(text).ok_or(NONE)?;
    let factor = match unit {
        "B" => 1,
        "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" => return Err("has no unit: write 64KiB, 16MiB, 10MB or 1GiB"),
        _ => return Err(NONE),
    };
    number.checked_mul(factor).and_then(|bytes| usize::try_from(bytes).ok()).ok_or("is too large")
}

/// `20%`, `0.5%`, `0.2` as a number from 0 to 1; the error completes "`x` ...".
pub(crate) fn share(text: &str) -> Result<f64, &'static str> {
    const NONE: &str = "is no share: write 20% or 0.2";
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let (before, after) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(before) || !digits(after) {
        return Err(NONE);
    }
    let share = number.parse::<f64>().map_err(|_| NONE)? / whole;
    if share > 1.0 { Err("is more than 100%: write 20% or 0.2") } else { Ok(share) }
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return None;
    }
    Some((digits.parse().unwrap_or(u64::MAX), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("2s", Some(2000)),
            ("1m30s", Some(90_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("720h", Some(2_592_000_000)),
            ("721h", None),
            ("99999999999999999999999s", None),
            ("", None),
            ("2", None),
            ("1m30", None),
            ("2 s", None),
            ("s", None),
            ("-2s", None),
            ("1.5s", None),
            ("2sec", None),
        ] {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("64KiB", Some(65_536)),
            ("16MiB", Some(16_777_216)),
            ("1GiB", Some(1_073_741_824)),
            ("10MB", Some(10_000_000)),
            ("2KB", Some(2000)),
            ("7B", Some(7)),
            ("16", None),
            ("16mib", None),
            ("MiB", None),
            ("", None),
            ("99999999999999999999GiB", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn shares() {
        for (text, expected) in [
            ("20%", Some(0.2)),
            ("0.2", Some(0.2)),
            ("0%", Some(0.0)),
            ("0", Some(0.0)),
            ("0.5%", Some(0.005)),
            ("100%", Some(1.0)),
            ("1", Some(1.0)),
            ("1.0", Some(1.0)),
            ("100.1%", None),
            ("1.01", None),
            ("20", None),
            ("-1%", None),
            ("+1%", None),
            ("1e-1", None),
            (".5", None),
            ("5.", None),
            ("%", None),
            ("", None),
            ("20 %", None),
            ("inf", None),
            ("nan", None),
        ] {
            assert_eq!(share(text).ok(), expected, "{text}");
        }
    }
}
