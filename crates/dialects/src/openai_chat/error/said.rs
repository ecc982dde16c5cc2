//! The words of a provider's error body, whatever its form.
//!
//! Receives parsed JSON; hands on the message, the codes, and what Google and OpenRouter say besides.
//! Must never be here: what the words amount to.

use serde_json::Value;
use std::time::Duration;

/// The most of a message that is searched for words, in characters.
const WORDS_CHARS: usize = 4096;

/// What an error body says.
#[derive(Default)]
pub(super) struct Said {
    /// For people.
    pub(super) message: String,
    /// The beginning of the message, in lower case.
    pub(super) words: String,
    /// What the provider's own provider said, in lower case (OpenRouter's `metadata.raw`).
    pub(super) raw: String,
    /// The type, or Google's status.
    pub(super) kind: Option<String>,
    /// The code, where it is a word.
    pub(super) code: Option<String>,
    /// A narrower code (Anthropic's `details.error_code`, Azure's `innererror.code`).
    pub(super) detail: Option<String>,
    /// The code, where it is a number (OpenRouter, vLLM, llama.cpp, Google), also one in quotes.
    pub(super) number: Option<u16>,
    /// The question was flagged by moderation (OpenRouter's `metadata.flagged_input`).
    pub(super) flagged: bool,
    /// What the model said could not be used, and is shown (Groq's `failed_generation`).
    pub(super) botched: bool,
    /// A quota of Google's is per day, or is no quota at all.
    pub(super) daily: bool,
    /// Google's `RetryInfo`.
    pub(super) delay: Option<Duration>,
}

impl Said {
    pub(super) fn from_value(value: &Value) -> Self {
        // Google's OpenAI dialect wraps its error in a list.
        let value = value.get(0).unwrap_or(value);
        let inner = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
        let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
        let message = ["message", "error", "detail"].iter().find_map(|name| sentence(inner.get(name)?));
        let message = message.unwrap_or_default().to_owned();
        let details = inner.get("details").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let words = lower(&message);
        Self {
            raw: inner.pointer("/metadata/raw").and_then(sentence).map(lower).unwrap_or_default(),
            kind: text("type").or_else(|| text("status")).or_else(|| text("error_type")),
            code: text("code").filter(|code| code.parse::<u16>().is_err()),
            detail: ["/details/error_code", "/innererror/code"]
                .iter()
                .find_map(|path| Some(inner.pointer(path)?.as_str()?.to_owned())),
            number: inner.get("code").and_then(number),
            flagged: inner.pointer("/metadata/flagged_input").is_some(),
            botched: inner.get("failed_generation").is_some(),
            daily: details.iter().any(is_daily) || (!details.is_empty() && has_no_quota(&words)),
            delay: details.iter().find_map(|detail| delay(detail.get("retryDelay")?)),
            words,
            message,
        }
    }

    /// Whether any of the codes is one of `known`, which are in lower case.
    pub(super) fn names(&self, known: &[&str]) -> bool {
        self.codes().any(|code| known.iter().any(|known| code.eq_ignore_ascii_case(known)))
    }

    /// The codes, the narrowest first.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        [&self.detail, &self.code, &self.kind].into_iter().filter_map(|code| code.as_deref())
    }
}

/// The first sentence in `value`: itself, or what a validator lists (Mistral's and FastAPI's `detail[].msg`).
fn sentence(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(list) => list.iter().find_map(sentence),
        Value::Object(map) => ["message", "msg", "detail"].iter().find_map(|name| sentence(map.get(*name)?)),
        _ => None,
    }
}

fn lower(text: &str) -> String {
    text.chars().take(WORDS_CHARS).map(|c| c.to_ascii_lowercase()).collect()
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|number| u16::try_from(number).ok()),
    }
}

/// Whether one of Google's details names a quota per day, or one of which there is nothing: a violation of a
/// `QuotaFailure`, or the metadata of an `ErrorInfo`.
fn is_daily(detail: &Value) -> bool {
    let violations = detail.get("violations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let quotas = violations.iter().map(|one| (one.get("quotaId"), one.get("quotaValue")));
    let metadata = detail.get("metadata").map(|one| (one.get("quota_limit"), one.get("quota_limit_value")));
    quotas.chain(metadata).any(|(id, limit)| {
        let per_day = id.and_then(Value::as_str).is_some_and(|id| id.to_ascii_lowercase().contains("perday"));
        per_day || limit.and_then(number) == Some(0)
    })
}

/// Gemini's message names the limit of each violated quota: `limit: 0, model: ...` where the plan has none.
fn has_no_quota(words: &str) -> bool {
    words.split("limit: ").skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(..digits) == Some("0")
    })
}

/// A protobuf duration in JSON: `"46s"`, or `{"seconds", "nanos"}`, of which the seconds may be in quotes.
fn delay(value: &Value) -> Option<Duration> {
    if let Some(text) = value.as_str() {
        return crate::advice::span(text);
    }
    let seconds = match value.get("seconds") {
        Some(Value::String(text)) => text.parse().ok()?,
        Some(seconds) => seconds.as_u64()?,
        None => 0,
    };
    let nanos = match value.get("nanos") {
        Some(nanos) => u32::try_from(nanos.as_u64()?).ok().filter(|nanos| *nanos < 1_000_000_000)?,
        None if value.get("seconds").is_some() => 0,
        None => return None,
    };
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn protobuf_durations_are_read() {
        for (value, expected) in [
            (json!("46s"), Some(46.0)),
            (json!("34.4s"), Some(34.4)),
            (json!("0s"), Some(0.0)),
            (json!({"seconds": 46, "nanos": 500_000_000}), Some(46.5)),
            (json!({"seconds": "46"}), Some(46.0)),
            (json!({"nanos": 500_000_000}), Some(0.5)),
            (json!({"nanos": 1_000_000_000}), None),
            (json!({"seconds": -1}), None),
            (json!({"seconds": 1, "nanos": -1}), None),
            (json!({"seconds": "soon"}), None),
            (json!({}), None),
            (json!("-1s"), None),
            (json!("46"), None),
            (json!(46), None),
            (json!(null), None),
        ] {
            assert_eq!(delay(&value), expected.map(Duration::from_secs_f64), "{value}");
        }
    }

    #[test]
    fn quotas_of_nothing_are_told_from_others() {
        for (words, expected) in [
            ("metric: x, limit: 0, model: y", true),
            ("limit: 20, model: y, limit: 0", true),
            ("limit: 0", true),
            ("limit: 05", false),
            ("limit: 20, model: y", false),
            ("limit: ", false),
            ("0", false),
        ] {
            assert_eq!(has_no_quota(words), expected, "{words}");
        }
    }

    #[test]
    fn messages_are_found_in_every_form() {
        for (body, expected) in [
            (json!({"error": {"message": "m"}}), "m"),
            (json!([{"error": {"message": "m"}}]), "m"),
            (json!({"type": "error", "error": {"message": "m"}}), "m"),
            (json!({"error": "m"}), "m"),
            (json!({"error": "m", "code": "c"}), "m"),
            (json!({"message": "m"}), "m"),
            (json!({"object": "error", "message": {"detail": [{"loc": ["x"], "msg": "m"}]}}), "m"),
            (json!({"detail": "m"}), "m"),
            (json!({"detail": [{"msg": "m"}]}), "m"),
            (json!({"error": null}), ""),
            (json!({"error": []}), ""),
            (json!("m"), ""),
            (json!([]), ""),
        ] {
            assert_eq!(Said::from_value(&body).message, expected, "{body}");
        }
    }
}
