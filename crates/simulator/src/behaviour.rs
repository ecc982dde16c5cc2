//! How a call is to go, as data: what users write as JSON, checked once when it is read.
//!
//! Receives JSON (control endpoint, `x-sim-behaviour`, a configuration) or Rust values; hands on `Behaviour`.
//! Never here: sockets, timers, the journal.

use crate::capacity::Capacity;
use crate::fault::Fault;
use crate::headers;
use crate::quota::Quota;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The most content events one choice may be told to have.
pub const MAX_TOKENS: u32 = 20_000;
/// The longest fixed text, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;

/// How a call goes. Every field is optional; the default is a quick, right, short answer.
///
/// In JSON durations are `"200ms"`, `"1.5s"`, `"2m"` or whole milliseconds, and unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Wait before the response head, or before whatever the fault does instead.
    #[serde(deserialize_with = "duration")]
    pub latency: Duration,
    /// Wait between the head and the first content; streams only.
    #[serde(deserialize_with = "duration")]
    pub first_token: Duration,
    /// Wait between two events of a stream; zero sends all of them as one body frame.
    #[serde(deserialize_with = "duration")]
    pub pace: Duration,
    /// Answer with this many generated words, one content event each; at most [`MAX_TOKENS`].
    #[serde(deserialize_with = "tokens")]
    pub tokens: Option<u32>,
    /// Answer with this text, at most [`MAX_TEXT`] bytes.
    #[serde(deserialize_with = "text")]
    pub text: Option<String>,
    /// Which words are generated: equal seeds say the same in every simulator, and the shorter answer begins the longer.
    /// Without one they are the same plain sentence over and over.
    pub seed: Option<u64>,
    /// What a last message of the assistant means, which asks the provider to go on with it.
    pub prefill: Prefill,
    /// Answer with these tool calls, whatever tools the request offers.
    pub tool_calls: Vec<ToolCall>,
    /// The finish reason to give instead of the right one.
    pub finish_reason: Option<String>,
    /// Which usage to report; by default what was counted, where the client asked for it.
    pub usage: Option<UsageReport>,
    /// Further headers of the response, right or wrong, in the place of those of the same name; a fault's own go first.
    #[serde(deserialize_with = "headers::read")]
    pub headers: BTreeMap<String, String>,
    /// How many calls are worked on at a time. Calls of a model with a behaviour of its own share slots; so do all
    /// other calls of the simulator.
    pub capacity: Option<Capacity>,
    /// How many calls pass in a window of time; shared as `capacity` is.
    pub quota: Option<Quota>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// How often the fault happens, 0 to 1; always by default.
    #[serde(deserialize_with = "share")]
    pub share: Option<f64>,
}

/// What a last message of the assistant means, which asks the provider to go on with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// Nothing: the answer is given as to any other message.
    #[default]
    Ignore,
    /// Where the answer's text begins with the message's, the answer is the rest; else it is given whole.
    Continue,
    /// As `continue`, without white space at the beginning, as servers answer that trim what a model said.
    Strip,
    /// As `continue`, and the message's text is put in front of it, uncounted, as Mistral's API does.
    Echo,
    /// The answer is given anew, in other words: `Sure!` before all of it.
    Restart,
    /// There is no text: only a role and a finish.
    Empty,
    /// The request is refused with 400.
    Reject,
}

/// A tool call to answer with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The function's name.
    pub name: String,
    /// Its arguments: a string goes out as it is (it may be broken JSON), any other value as its JSON text.
    #[serde(default)]
    pub arguments: Value,
}

/// Which usage an answer reports.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum UsageReport {
    /// `false`: none, even where asked for. `true`: what was counted, even in streams that did not ask.
    Given(bool),
    /// These numbers, where usage is reported at all.
    Exact {
        /// Tokens of the request.
        prompt_tokens: u64,
        /// Tokens of the answer.
        completion_tokens: u64,
    },
}

impl Behaviour {
    /// A right answer of `tokens` words.
    #[must_use]
    pub fn tokens(tokens: u32) -> Self {
        Self { tokens: Some(tokens), ..Self::default() }
    }

    /// A right answer of this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// A call that goes wrong.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Reads one behaviour.
    ///
    /// # Errors
    /// Names the field or fault that does not parse.
    pub fn from_json(json: &[u8]) -> Result<Self, BadBehaviour> {
        Self::from_value(&parse(json)?)
    }

    /// Reads an array of behaviours.
    ///
    /// # Errors
    /// Names the entry, and in it the field or fault, that does not parse.
    pub fn list_from_json(json: &[u8]) -> Result<Vec<Self>, BadBehaviour> {
        let Value::Array(entries) = parse(json)? else {
            return Err(BadBehaviour("a script is a JSON array of behaviours".to_owned()));
        };
        let named = |(index, entry)| Self::from_value(entry).map_err(|e| BadBehaviour(format!("entry {index}: {e}")));
        entries.iter().enumerate().map(named).collect()
    }

    /// Field by field first: serde alone would not say which field a wrong type stands in.
    fn from_value(value: &Value) -> Result<Self, BadBehaviour> {
        let Value::Object(fields) = value else {
            return Err(BadBehaviour("a behaviour is a JSON object".to_owned()));
        };
        for (name, field) in fields {
            let alone = serde_json::json!({ name: field });
            Self::deserialize(&alone).map_err(|e| BadBehaviour(format!("`{name}`: {e}")))?;
        }
        Self::deserialize(value).map_err(|e| BadBehaviour(e.to_string()))
    }
}

fn parse(json: &[u8]) -> Result<Value, BadBehaviour> {
    serde_json::from_slice(json).map_err(|e| BadBehaviour(format!("not JSON: {e}")))
}

/// A behaviour that does not parse; displays as a sentence naming the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBehaviour(String);

impl fmt::Display for BadBehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadBehaviour {}

/// Reads `"200ms"`, `"1.5s"`, `"2m"` or whole milliseconds.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Spelled;
    impl Visitor<'_> for Spelled {
        type Value = Duration;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as \"200ms\", \"2s\" or whole milliseconds")
        }
        fn visit_u64<E: serde::de::Error>(self, milliseconds: u64) -> Result<Duration, E> {
            Ok(Duration::from_millis(milliseconds))
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
            spelled(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_any(Spelled)
}

fn spelled(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let seconds = match &text[unit_at..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    let count: f64 = text[..unit_at].parse().ok()?;
    Duration::try_from_secs_f64(count * seconds).ok()
}

fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let tokens = Option::<u32>::deserialize(deserializer)?;
    let fits = tokens.is_none_or(|tokens| tokens <= MAX_TOKENS);
    if fits { Ok(tokens) } else { Err(D::Error::custom(format_args!("at most {MAX_TOKENS}"))) }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let fits = text.as_ref().is_none_or(|text| text.len() <= MAX_TEXT);
    if fits { Ok(text) } else { Err(D::Error::custom(format_args!("at most {MAX_TEXT} bytes"))) }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let share = Option::<f64>::deserialize(deserializer)?;
    let fits = share.is_none_or(|share| (0.0..=1.0).contains(&share));
    if fits { Ok(share) } else { Err(D::Error::custom("a share lies between 0 and 1")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Hold;
    use crate::quota::RetryAfter;

    #[test]
    fn durations_are_spelled_or_milliseconds() {
        for (json, expected) in [
            ("200", Some(Duration::from_millis(200))),
            (r#""200ms""#, Some(Duration::from_millis(200))),
            (r#""1.5s""#, Some(Duration::from_millis(1500))),
            (r#""2m""#, Some(Duration::from_secs(120))),
            (r#""2""#, None),
            (r#""-2s""#, None),
            (r#""soon""#, None),
            (r#""99999999999999999999s""#, None),
            ("-1", None),
            ("1.5", None),
        ] {
            let read = Behaviour::from_json(format!(r#"{{"latency":{json}}}"#).as_bytes());
            assert_eq!(read.as_ref().ok().map(|b| b.latency), expected, "{json}: {read:?}");
        }
    }

    #[test]
    fn refusals_name_the_field_or_the_fault() {
        for (json, named) in [
            (r#"{"tokens":"many"}"#, "`tokens`"),
            (r#"{"tokens":20001}"#, "`tokens`: at most 20000"),
            (r#"{"text":"x","pase":1}"#, "`pase`: unknown field"),
            (r#"{"share":1.5}"#, "`share`"),
            (r#"{"fault":"explode"}"#, "unknown variant `explode`"),
            (r#"{"fault":{"cut":{"before":3}}}"#, "`cut`: unknown field `before`"),
            (r#"{"fault":{"cut":{"after":-3}}}"#, "`cut`"),
            (r#"{"fault":{"reset":{"after":3}}}"#, "`reset`"),
            (r#"{"fault":{"reset":{},"close":{}}}"#, "one fault"),
            (r#"{"fault":{"status":{}}}"#, "missing field `status`"),
            (r#"{"fault":{"status":{"status":99}}}"#, "200 to 599"),
            (r#"{"fault":{"status":{"status":429,"headers":{"retry after":"1"}}}}"#, "header"),
            (r#"{"fault":{"status":{"status":429,"headers":{"content-length":"1"}}}}"#, "content-length"),
            (r#"{"fault":{"redirect":{"location":"a\nb"}}}"#, "location"),
            (r#"{"seed":-1}"#, "`seed`"),
            (r#"{"prefill":"guess"}"#, "`prefill`: unknown variant `guess`"),
            (r#"{"headers":{"x":1}}"#, "`headers`"),
            (r#"{"headers":{"x y":"1"}}"#, "`headers`: `x y: 1` is no header"),
            (r#"{"headers":{"transfer-encoding":"chunked"}}"#, "`headers`: `transfer-encoding` cannot be chosen"),
            (r#"{"capacity":{"queue":1}}"#, "`capacity`: missing field `slots`"),
            (r#"{"capacity":{"slots":0}}"#, "`capacity`: `slots` lies in 1 to 10000"),
            (r#"{"capacity":{"slots":10001}}"#, "`capacity`: `slots` lies in 1 to 10000"),
            (r#"{"capacity":{"slots":1,"queue":10001}}"#, "`capacity`: `queue` is at most 10000"),
            (r#"{"capacity":{"slots":1,"hold":"start"}}"#, "`capacity`: unknown variant `start`"),
            (r#"{"quota":{"requests":1}}"#, "`quota`: missing field `per`"),
            (r#"{"quota":{"requests":1,"per":0}}"#, "`quota`: `per` is longer than nothing"),
            (r#"{"quota":{"requests":-1,"per":"1s"}}"#, "`quota`"),
            (r#"{"quota":{"requests":1,"per":"1s","retry_after":"1s"}}"#, "`quota`: unknown variant `1s`"),
            (r#"{"quota":{"requests":1,"per":"1s","headers":{"content-length":"1"}}}"#, "`quota`: `content-length`"),
            (r#"{"latency":"#, "not JSON"),
            ("[]", "JSON object"),
        ] {
            let said = Behaviour::from_json(json.as_bytes()).expect_err(json).to_string();
            assert!(said.contains(named), "{json} was refused with: {said}");
        }
        let said = Behaviour::list_from_json(br#"[{},{"tokens":true}]"#).expect_err("a wrong type").to_string();
        assert!(said.contains("entry 1: `tokens`"), "{said}");
    }

    #[test]
    fn limits_and_prefill_are_read() {
        let own = BTreeMap::from([("x-a".to_owned(), "1".to_owned())]);
        let capacity = |capacity| Behaviour { capacity: Some(capacity), ..Behaviour::default() };
        let quota = |quota| Behaviour { quota: Some(quota), ..Behaviour::default() };
        let second = Duration::from_secs(1);
        for (json, expected) in [
            (r#"{"capacity":{"slots":4}}"#, capacity(Capacity::new(4, 0))),
            (r#"{"capacity":{"slots":10000,"queue":10000,"hold":"end"}}"#, capacity(Capacity::new(10_000, 10_000))),
            (
                r#"{"capacity":{"slots":1,"queue":2,"hold":"first_token"}}"#,
                capacity(Capacity { hold: Hold::FirstToken, ..Capacity::new(1, 2) }),
            ),
            (r#"{"quota":{"requests":10,"per":"1s"}}"#, quota(Quota::new(10, second))),
            (
                r#"{"quota":{"requests":0,"per":1000,"retry_after":"ms","headers":{"x-a":"1"}}}"#,
                quota(Quota { retry_after: RetryAfter::Ms, headers: own.clone(), ..Quota::new(0, second) }),
            ),
            (r#"{"headers":{"x-a":"1"}}"#, Behaviour { headers: own, ..Behaviour::default() }),
            (r#"{"prefill":"continue"}"#, Behaviour { prefill: Prefill::Continue, ..Behaviour::default() }),
            (r#"{"prefill":"strip"}"#, Behaviour { prefill: Prefill::Strip, ..Behaviour::default() }),
            (r#"{"prefill":"echo"}"#, Behaviour { prefill: Prefill::Echo, ..Behaviour::default() }),
            (r#"{"prefill":"restart"}"#, Behaviour { prefill: Prefill::Restart, ..Behaviour::default() }),
            (r#"{"prefill":"empty"}"#, Behaviour { prefill: Prefill::Empty, ..Behaviour::default() }),
            (
                r#"{"prefill":"reject","seed":7}"#,
                Behaviour { prefill: Prefill::Reject, seed: Some(7), ..Behaviour::default() },
            ),
        ] {
            assert_eq!(Behaviour::from_json(json.as_bytes()).expect(json), expected, "{json}");
        }
    }

    #[test]
    fn a_fault_may_be_its_name_alone() {
        for (json, expected) in [
            (r#"{"fault":"reset"}"#, Fault::Reset),
            (r#"{"fault":{"reset":{}}}"#, Fault::Reset),
            (r#"{"fault":"cut"}"#, Fault::Cut { after: 0 }),
            (r#"{"fault":{"cut":{"after":2}}}"#, Fault::Cut { after: 2 }),
            (r#"{"fault":{"drip":{"every":"5ms"}}}"#, Fault::Drip { every: Duration::from_millis(5) }),
        ] {
            assert_eq!(Behaviour::from_json(json.as_bytes()).expect(json).fault, Some(expected), "{json}");
        }
    }
}
