//! One event of the second stream, made to look like one of the first.
//!
//! Receives an event's object; hands it on bearing the first stream's head, without what the client must not see twice.
//! Fields that mean nothing here ride along.

use super::super::transcript::Head;
use llm::Usage;
use serde_json::{Map, Value, json};

/// Reasoning in a delta, under any of its names.
const REASONING: [&str; 4] = ["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"];

/// An event's object.
#[derive(Debug)]
pub(super) struct Chunk(Map<String, Value>);

impl Chunk {
    /// Reads an event's data; nothing where it cannot be read without loss.
    pub(super) fn read(data: &str) -> Option<Self> {
        serde_json::from_str(data).ok().map(Self)
    }

    /// The data that a client gets.
    pub(super) fn data(&self) -> String {
        // A map of strings to values cannot fail to serialise.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Puts the first stream's name on it.
    pub(super) fn bear(&mut self, head: &Head) {
        for (key, value) in [
            ("id", &head.id),
            ("created", &head.created),
            ("model", &head.model),
            ("system_fingerprint", &head.system_fingerprint),
        ] {
            match value {
                Some(value) => self.0.insert(key.to_owned(), value.clone()),
                None => self.0.remove(key),
            };
        }
    }

    /// Takes out the role; whether there was one.
    pub(super) fn drop_role(&mut self) -> bool {
        self.delta().is_some_and(|delta| delta.remove("role").is_some())
    }

    /// Takes out reasoning.
    pub(super) fn drop_reasoning(&mut self) {
        if let Some(delta) = self.delta() {
            for key in REASONING {
                delta.remove(key);
            }
        }
    }

    /// Takes out the finish reason.
    pub(super) fn drop_finish(&mut self) {
        self.null_in_choice("finish_reason");
    }

    /// Leaves only `text` of its text, and no log probabilities, which would be those of all of it.
    pub(super) fn cut_text(&mut self, text: &str) {
        if let Some(delta) = self.delta() {
            delta.insert("content".to_owned(), text.into());
        }
        self.null_in_choice("logprobs");
    }

    /// Replaces the usage: the counts and the two details that stay true; nothing else of it would.
    pub(super) fn tell_usage(&mut self, usage: Option<Usage>) {
        let told = usage.map(|usage| {
            let total = usage.input.saturating_add(usage.output);
            let mut told =
                json!({"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": total});
            if usage.cached > 0 {
                told["prompt_tokens_details"] = json!({ "cached_tokens": usage.cached });
            }
            if usage.reasoning > 0 {
                told["completion_tokens_details"] = json!({ "reasoning_tokens": usage.reasoning });
            }
            told
        });
        if let Some(place) = self.0.get_mut("usage") {
            *place = told.unwrap_or_default();
        }
    }

    /// Whether nothing is left that a reader would miss: an empty delta, no finish reason, no usage.
    pub(super) fn is_hollow(&self) -> bool {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        let choice = self.0.get("choices").and_then(|choices| choices.get(0));
        let said = choice.and_then(|choice| choice.get("delta")?.as_object()).is_some_and(|d| !d.values().all(empty));
        let ended = choice.and_then(|choice| choice.get("finish_reason")).is_some_and(|reason| !empty(reason));
        let told = self.0.get("usage").is_some_and(|usage| !usage.is_null());
        !(said || ended || told)
    }

    fn choice(&mut self) -> Option<&mut Map<String, Value>> {
        self.0.get_mut("choices")?.get_mut(0)?.as_object_mut()
    }

    fn delta(&mut self) -> Option<&mut Map<String, Value>> {
        self.choice()?.get_mut("delta")?.as_object_mut()
    }

    fn null_in_choice(&mut self, key: &str) {
        if let Some(place) = self.choice().and_then(|choice| choice.get_mut(key)) {
            *place = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(data: &str, change: impl FnOnce(&mut Chunk)) -> Value {
        let mut chunk = Chunk::read(data).expect("sound");
        change(&mut chunk);
        serde_json::from_str(&chunk.data()).expect("valid")
    }

    #[test]
    fn the_head_is_borne_and_everything_else_rides_along() {
        let head =
            Head { id: Some("a".into()), created: Some(1.into()), model: None, system_fingerprint: Some(Value::Null) };
        let data =
            r#"{"id":"b","model":"n","system_fingerprint":"f","obfuscation":"xy","choices":[{"delta":{"x":1}}]}"#;
        let expected = json!({"id": "a", "created": 1, "system_fingerprint": null, "obfuscation": "xy",
                              "choices": [{"delta": {"x": 1}}]});
        assert_eq!(after(data, |chunk| chunk.bear(&head)), expected);
    }

    #[test]
    fn what_must_not_be_seen_twice_is_taken_out() {
        let data = r#"{"choices":[{"delta":{"role":"assistant","content":"abc","reasoning":"r","reasoning_content":"r",
            "thinking_blocks":[1],"reasoning_details":[1],"x":1},"logprobs":{"content":[]},"finish_reason":"stop"}]}"#;
        let changed = after(data, |chunk| {
            assert!(chunk.drop_role() && !chunk.drop_role());
            chunk.drop_reasoning();
            chunk.drop_finish();
            chunk.cut_text("c");
        });
        let choice = json!({"delta": {"content": "c", "x": 1}, "logprobs": null, "finish_reason": null});
        assert_eq!(changed, json!({ "choices": [choice] }));
        let bare = r#"{"choices":[]}"#;
        let same = after(bare, |chunk| {
            chunk.drop_reasoning();
            chunk.drop_finish();
            chunk.cut_text("c");
            chunk.tell_usage(Some(Usage::default()));
            assert!(!chunk.drop_role());
        });
        assert_eq!(same, json!({ "choices": [] }));
    }

    #[test]
    fn usage_keeps_only_what_stays_true() {
        let data = r#"{"usage":{"prompt_tokens":1,"cost":0.1,"completion_tokens_details":{"audio_tokens":4}}}"#;
        let usage = Usage { input: 5, output: 7, cached: 3, reasoning: 2, ..Usage::default() };
        let told = json!({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2}});
        assert_eq!(after(data, |chunk| chunk.tell_usage(Some(usage))), json!({ "usage": told }));
        let bare = json!({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12});
        let usage = Usage { cached: 0, reasoning: 0, ..usage };
        assert_eq!(after(data, |chunk| chunk.tell_usage(Some(usage))), json!({ "usage": bare }));
        assert_eq!(after(data, |chunk| chunk.tell_usage(None)), json!({ "usage": null }));
    }

    #[test]
    fn an_event_is_hollow_when_nobody_would_miss_it() {
        for (data, hollow) in [
            (r#"{"choices":[{"delta":{"content":"","tool_calls":[],"refusal":null},"finish_reason":null}]}"#, true),
            (r#"{"choices":[{"delta":{},"finish_reason":""}],"usage":null}"#, true),
            (r#"{"choices":[]}"#, true),
            (r#"{"choices":[{"delta":{"content":"a"}}]}"#, false),
            (r#"{"choices":[{"delta":{"x":{}}}]}"#, false),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, false),
            (r#"{"choices":[],"usage":{}}"#, false),
        ] {
            assert_eq!(Chunk::read(data).expect("sound").is_hollow(), hollow, "{data}");
        }
        assert!(Chunk::read(r#"{"a":"\ud83d"}"#).is_none(), "half a character cannot be written again");
    }
}
