//! Whether an event says anything once words were taken out of it.
//!
//! Receives an event's data. Judges cautiously: an event with a field unknown here stays.

use super::super::shape::Shape;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Fields of an event that say nothing by themselves.
const HEAD: [&str; 6] = ["id", "object", "created", "system_fingerprint", "service_tier", "obfuscation"];

/// Judges the events of one answer in order.
#[derive(Debug, Default)]
pub(super) struct Hollow {
    /// The choices that have been mentioned, and those whose role has been told, by their places as written.
    choices: BTreeSet<String>,
    roles: BTreeSet<String>,
    /// The model has been told.
    model: bool,
}

/// An object's fields as they are written. Of one that stands there twice, the last.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

impl Hollow {
    /// Takes in an event that stays.
    pub(super) fn note(&mut self, data: &[u8]) {
        if !self.model {
            self.model = fields(data).is_some_and(|event| event.get("model").is_some_and(|model| !empty(model)));
        }
        for choice in choices(data).unwrap_or_default() {
            self.choices.insert(place(&choice));
            if delta(&choice).is_some_and(|delta| delta.contains_key("role")) {
                self.roles.insert(place(&choice));
            }
        }
    }

    /// Whether nothing is left in `data` that a reader would miss: neither words nor calls, a model, choices or roles not
    /// told before, reasons of an end, usage, nor any field unknown here.
    pub(super) fn is(&self, data: &[u8]) -> bool {
        let Some(event) = fields(data) else { return false };
        let head = event.iter().all(|(name, value)| match name.as_str() {
            "choices" => true,
            "model" => self.model || empty(value),
            name => HEAD.contains(&name) || empty(value),
        });
        head && choices(data).is_some_and(|choices| choices.iter().all(|choice| self.choice(choice)))
    }

    fn choice(&self, choice: &Fields<'_>) -> bool {
        let told = self.roles.contains(&place(choice));
        let word = |(name, value): (&String, &&RawValue)| match name.as_str() {
            "role" => told,
            "tool_calls" => calls(value),
            "function_call" => all_empty(value),
            _ => empty(value),
        };
        let rest = choice.iter().all(|(name, value)| matches!(name.as_str(), "index" | "delta") || empty(value));
        rest && self.choices.contains(&place(choice)) && delta(choice).is_some_and(|delta| delta.iter().all(word))
    }
}

/// Whether no call of `list` is named or has arguments.
fn calls(list: &RawValue) -> bool {
    let field = |(name, value): (&String, &&RawValue)| match name.as_str() {
        "index" | "type" => true,
        "function" | "custom" => all_empty(value),
        _ => empty(value),
    };
    empty(list)
        || serde_json::from_str::<Vec<Fields<'_>>>(list.get())
            .is_ok_and(|calls| calls.iter().all(|call| call.iter().all(field)))
}

fn all_empty(object: &RawValue) -> bool {
    empty(object)
        || serde_json::from_str::<Fields<'_>>(object.get()).is_ok_and(|fields| fields.values().all(|v| empty(v)))
}

fn empty(value: &RawValue) -> bool {
    !Shape::of(value).is_something()
}

fn fields(data: &[u8]) -> Option<Fields<'_>> {
    serde_json::from_slice(data).ok()
}

fn choices(data: &[u8]) -> Option<Vec<Fields<'_>>> {
    serde_json::from_str(fields(data)?.get("choices")?.get()).ok()
}

fn delta<'a>(choice: &Fields<'a>) -> Option<Fields<'a>> {
    serde_json::from_str(choice.get("delta")?.get()).ok()
}

/// The place of a choice as it is written; the first where none is.
fn place(choice: &Fields<'_>) -> String {
    choice.get("index").map_or("0", |index| index.get()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_hollow_when_nobody_would_miss_it() {
        let mut judge = Hollow::default();
        judge.note(br#"{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"role":"assistant"}}]}"#);
        for (choices, hollow) in [
            (r#"{"index":0,"delta":{"content":"","refusal":null,"tool_calls":[]},"finish_reason":null}"#, true),
            (r#"{"index":0,"delta":{}},{"index":1,"delta":{"role":"assistant","content":""}}"#, true),
            (r#"{"delta":{"tool_calls":[{"index":0,"type":"function","id":"","function":{"arguments":""}}]}}"#, true),
            (r#"{"delta":{"function_call":{"arguments":""}},"logprobs":null}"#, true),
            ("", true),
            (r#"{"index":0,"delta":{"role":"assistant","content":""}}"#, false),
            (r#"{"index":0,"delta":{}},{"index":1,"delta":{"content":"a"}}"#, false),
            (r#"{"delta":{"content":""},"finish_reason":"stop"}"#, false),
            (r#"{"delta":{"content":""},"logprobs":{"content":[]}}"#, false),
            (r#"{"delta":{"content":"","x":1}}"#, false),
            (r#"{"index":2,"delta":{"content":""}}"#, false),
            (r#"{"delta":{"content":[{"type":"text","text":""}]}}"#, false),
            (r#"{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":""}}]}}"#, false),
            (r#"{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}"#, false),
            (r#"{"delta":{"tool_calls":[{"index":0,"function":{"x":1}},{"index":1,"function":{}}]}}"#, false),
            (r#"{"message":{"content":""}}"#, false),
            ("7", false),
        ] {
            let data = format!(r#"{{"id":"c","created":7,"usage":null,"obfuscation":"xy","choices":[{choices}]}}"#);
            assert_eq!(judge.is(data.as_bytes()), hollow, "{choices}");
        }
        let named = br#"{"choices":[],"model":"m"}"#;
        assert!(!judge.is(named));
        judge.note(named);
        assert!(judge.is(named));
        for data in [r#"{"choices":[],"usage":{}}"#, r#"{"choices":[],"citations":["a"]}"#, r#"{"id":"c"}"#, "", "[]"] {
            assert!(!judge.is(data.as_bytes()), "{data}");
        }
    }
}
