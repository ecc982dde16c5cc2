//! How many calls pass in a window of time, and how a provider tells of it.
//!
//! Receives calls with their time; hands on an `Allowance`, which knows its headers and, where the call is over the
//! quota, its refusal. Never here: clocks.

use crate::behaviour::duration;
use crate::fault::Fault;
use crate::{headers, spell};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How many calls pass in a window of time; further ones are answered 429 at once. A window begins with the first call
/// after the one before is over.
///
/// In JSON: `{"requests": 10, "per": "1s", "retry_after": "seconds"}`. Answers right and wrong bear
/// `x-ratelimit-limit-requests`, `x-ratelimit-remaining-requests` and, as a Go duration, `x-ratelimit-reset-requests`,
/// as OpenAI's do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Calls that pass in a window; 0 lets none pass.
    pub requests: u32,
    /// A window's length, more than nothing.
    #[serde(deserialize_with = "window")]
    pub per: Duration,
    /// How a refusal says how much of the window is left.
    #[serde(default)]
    pub retry_after: RetryAfter,
    /// Further headers of refusals, in the place of those of the same name.
    #[serde(default, deserialize_with = "headers::read")]
    pub headers: BTreeMap<String, String>,
}

/// How a refusal says how long to wait; always rounded up to what the form can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `retry-after: 2`.
    #[default]
    Seconds,
    /// `retry-after-ms: 1500`.
    Ms,
    /// `retry-after: Sun, 06 Nov 1994 08:49:37 GMT`.
    Date,
    /// `retry-after: 1.5s`, as Go prints a duration.
    Duration,
    /// It does not.
    None,
}

impl Quota {
    /// So many calls in a window so long; refusals say the wait in seconds.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per, retry_after: RetryAfter::Seconds, headers: BTreeMap::new() }
    }

    /// What a call over the quota gets that would pass after `wait`; `since_1970` is the time of day.
    pub(crate) fn refusal(&self, wait: Duration, since_1970: Duration) -> Fault {
        let (name, value) = match self.retry_after {
            RetryAfter::Seconds => ("retry-after", spell::seconds(wait).to_string()),
            RetryAfter::Ms => ("retry-after-ms", spell::milliseconds(wait).to_string()),
            RetryAfter::Date => ("retry-after", spell::date(since_1970.saturating_add(wait))),
            RetryAfter::Duration => ("retry-after", spell::go(wait)),
            RetryAfter::None => return refused(self.headers.clone()),
        };
        let own = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        refused(std::iter::once((name.to_owned(), value)).chain(own).collect())
    }
}

fn refused(headers: BTreeMap<String, String>) -> Fault {
    Fault::Status { status: 429, code: None, message: None, kind: None, headers, body: None }
}

fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let per = duration(deserializer)?;
    if per.is_zero() { Err(D::Error::custom("`per` is longer than nothing")) } else { Ok(per) }
}

/// The window that is open, or was last.
#[derive(Debug, Default)]
pub(crate) struct Window {
    began: Option<Instant>,
    used: u32,
}

/// What a call is told of its quota.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) passes: bool,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// How much of the window is left.
    pub(crate) reset: Duration,
}

impl Window {
    /// A call comes. The quota comes with it, so that it may change within a window.
    pub(crate) fn take(&mut self, quota: &Quota, now: Instant) -> Allowance {
        let age = self.began.map(|began| now.saturating_duration_since(began)).filter(|age| *age < quota.per);
        if age.is_none() {
            *self = Self { began: Some(now), used: 0 };
        }
        let passes = self.used < quota.requests;
        self.used += u32::from(passes);
        let remaining = quota.requests.saturating_sub(self.used);
        Allowance { passes, limit: quota.requests, remaining, reset: quota.per - age.unwrap_or_default() }
    }
}

impl Allowance {
    /// The headers that tell of it, as OpenAI names and writes them.
    pub(crate) fn headers(&self) -> BTreeMap<String, String> {
        let headers = [
            ("x-ratelimit-limit-requests", self.limit.to_string()),
            ("x-ratelimit-remaining-requests", self.remaining.to_string()),
            ("x-ratelimit-reset-requests", spell::go(self.reset)),
        ];
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn so_many_pass_in_each_window() {
        let (quota, began) = (Quota::new(2, ms(1000)), Instant::now());
        let mut window = Window::default();
        for (at, passes, remaining, reset) in [
            (0, true, 1, 1000),
            (400, true, 0, 600),
            (400, false, 0, 600),
            (999, false, 0, 1),
            (1000, true, 1, 1000),
            (1999, true, 0, 1),
            (2000, true, 1, 1000),
            (9500, true, 1, 1000),
            (10_499, true, 0, 1),
        ] {
            let expected = Allowance { passes, limit: 2, remaining, reset: ms(reset) };
            assert_eq!(window.take(&quota, began + ms(at)), expected, "at {at} ms");
        }
        let more = window.take(&Quota::new(3, ms(1000)), began + ms(10_499));
        assert_eq!((more.passes, more.limit, more.remaining), (true, 3, 0));
        assert!(!Window::default().take(&Quota::new(0, ms(1)), began).passes);
    }

    #[test]
    fn refusals_say_the_wait_in_every_form() {
        let own = r#""headers":{"Retry-After":"soon","x-more":"1"}"#;
        for (told, expected) in [
            ("", vec![("retry-after", "2")]),
            (r#","retry_after":"seconds""#, vec![("retry-after", "2")]),
            (r#","retry_after":"ms""#, vec![("retry-after-ms", "1500")]),
            (r#","retry_after":"duration""#, vec![("retry-after", "1.5s")]),
            (r#","retry_after":"date""#, vec![("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            (r#","retry_after":"none""#, vec![]),
            (&format!(",{own}"), vec![("retry-after", "soon"), ("x-more", "1")]),
        ] {
            let json = format!(r#"{{"requests":1,"per":"1m"{told}}}"#);
            let quota: Quota = serde_json::from_str(&json).expect(&json);
            let Fault::Status { status: 429, headers, .. } = quota.refusal(ms(1500), Duration::from_secs(784_111_775))
            else {
                panic!("{json}: not refused")
            };
            let said: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(said, expected, "{json}");
        }
    }

    #[test]
    fn the_allowance_is_told_as_openai_does() {
        let allowance = Allowance { passes: true, limit: 10, remaining: 9, reset: ms(90_500) };
        let said = allowance.headers();
        let said: Vec<_> = said.values().map(String::as_str).collect();
        assert_eq!(said, ["10", "9", "1m30.5s"]);
    }
}
