//! The wording of refusals: which part of a body could not be read, said as OpenAI says it.
//!
//! Receives a body that `request` could not read; hands on a refusal. Not on the way of good requests, so it may be
//! slow. Never here: checks of requests that could be read.

use crate::refusal::Refusal;
use crate::request::{ChatRequest, Message};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Why a body could not be read; `error` is what the reader said.
pub(crate) fn explain(body: &[u8], error: &serde_json::Error) -> Refusal {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => field(&fields, error),
        _ => Refusal::bad_request(format!("We could not parse the JSON body of your request: {error}")),
    }
}

fn field(fields: &Map<String, Value>, error: &serde_json::Error) -> Refusal {
    for name in ["model", "messages"] {
        if fields.get(name).is_none_or(Value::is_null) {
            return Refusal::missing(name);
        }
    }
    let broken = fields.iter().find(|(name, value)| !readable(name, value));
    match broken {
        Some((name, Value::Array(messages))) if name == "messages" => message(messages, error),
        Some((name, value)) => wrong_type(name, expected(name), value),
        None => Refusal::bad_request(format!("Invalid request: {error}")),
    }
}

/// Whether a request with this field, and otherwise nothing special, can be read.
fn readable(name: &str, value: &Value) -> bool {
    let mut alone = json!({ "model": "m", "messages": [] });
    alone[name] = value.clone();
    ChatRequest::deserialize(&alone).is_ok()
}

fn message(messages: &[Value], error: &serde_json::Error) -> Refusal {
    let broken = messages.iter().enumerate().find(|(_, message)| Message::deserialize(*message).is_err());
    let Some((index, message)) = broken else { return Refusal::bad_request(format!("Invalid 'messages': {error}")) };
    let param = format!("messages[{index}]");
    match (message.as_object(), &message["role"]) {
        (None, _) => wrong_type(&param, "an object", message),
        (_, Value::Null) => Refusal::missing(&format!("{param}.role")),
        (_, Value::String(role)) if Message::deserialize(json!({ "role": role })).is_err() => {
            let message = format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', \
                 and 'function'."
            );
            Refusal::parameter(format!("{param}.role"), "invalid_value", message)
        }
        (_, Value::String(_)) => {
            wrong_type(&format!("{param}.content"), "a string or an array of content parts", &message["content"])
        }
        (_, role) => wrong_type(&format!("{param}.role"), "a string", role),
    }
}

fn wrong_type(param: &str, expected: &str, value: &Value) -> Refusal {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
    Refusal::parameter(param, "invalid_type", message)
}

fn expected(name: &str) -> &'static str {
    match name {
        "model" => "a string",
        "messages" => "an array of objects",
        "stream" | "logprobs" => "a boolean",
        "temperature" | "top_p" | "presence_penalty" | "frequency_penalty" => "a decimal number",
        "n" | "top_logprobs" | "max_tokens" | "max_completion_tokens" => "an integer",
        "tools" => "an array of tools, each with a named function",
        "tool_choice" => "a string or an object naming a function",
        "stream_options" => "an object of booleans",
        "response_format" => "an object with a type",
        _ => "another value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_what_is_wrong() {
        let user = r#""model":"m","messages":[{"role":"user","content":"hi"}]"#;
        for (body, param, said) in [
            ("{".to_owned(), None, "could not parse the JSON body"),
            ("[]".to_owned(), None, "could not parse the JSON body"),
            ("[".repeat(1_000_000), None, "could not parse the JSON body"),
            ("\u{1}".to_owned(), None, "could not parse the JSON body"),
            (r#"{"messages":[]}"#.to_owned(), Some("model"), "Missing required parameter: 'model'"),
            (r#"{"model":"m"}"#.to_owned(), Some("messages"), "Missing required parameter: 'messages'"),
            (
                r#"{"model":"m","messages":"x"}"#.to_owned(),
                Some("messages"),
                "expected an array of objects, but got a string",
            ),
            (r#"{"model":"m","messages":[]}"#.to_owned(), Some("messages"), "empty array"),
            (r#"{"model":"m","messages":[{"content":"x"}]}"#.to_owned(), Some("messages[0].role"), "Missing"),
            (r#"{"model":"m","messages":[{"role":"me"}]}"#.to_owned(), Some("messages[0].role"), "'me'"),
            (r#"{"model":"m","messages":[{"role":"user"}]}"#.to_owned(), Some("messages[0].content"), "content"),
            (
                r#"{"model":"m","messages":[{"role":"user","content":3}]}"#.to_owned(),
                Some("messages[0].content"),
                "an integer",
            ),
            (r#"{"model":"m","messages":["x"]}"#.to_owned(), Some("messages[0]"), "a string"),
            (format!(r#"{{{user},"temperature":"hot"}}"#), Some("temperature"), "'temperature'"),
            (format!(r#"{{{user},"temperature":3}}"#), Some("temperature"), "<= 2"),
            (format!(r#"{{{user},"stream":3}}"#), Some("stream"), "a boolean"),
            (format!(r#"{{{user},"n":0}}"#), Some("n"), ">= 1"),
            (format!(r#"{{{user},"n":1.5}}"#), Some("n"), "an integer, but got a decimal number"),
            (format!(r#"{{{user},"max_tokens":-1}}"#), Some("max_tokens"), ">= 1"),
            (format!(r#"{{{user},"tools":[{{"function":{{}}}}]}}"#), Some("tools"), "named function"),
            (format!(r#"{{{user},"stream_options":{{"include_usage":true}}}}"#), Some("stream_options"), "stream"),
        ] {
            let refusal = ChatRequest::read(body.as_bytes()).expect_err("a bad body");
            let shown = words_of(&body);
            assert_eq!(refusal.status, 400, "{shown}");
            assert_eq!(refusal.error.kind, "invalid_request_error", "{shown}");
            assert_eq!(refusal.error.param.as_deref(), param, "{shown}: {}", refusal.error.message);
            assert!(refusal.error.message.contains(said), "{shown}: {}", refusal.error.message);
        }
    }

    fn words_of(body: &str) -> &str {
        &body[..body.len().min(120)]
    }
}
