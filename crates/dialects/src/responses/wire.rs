//! JSON of this dialect, read without building it: the fields of an event, of an answer, and of its parts.
//!
//! A field of a shape unknown here says nothing. Must never be here: what an event means.

use llm::{FinishReason, Usage};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

/// A word, or anything else, which is then no word.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Word<'a>(Option<&'a str>);

impl<'a> Word<'a> {
    /// The word; empty where there is none.
    pub(super) fn get(self) -> &'a str {
        self.0.unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(literal.get()).ok()))
    }
}

/// A place among others; the first where none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Index(pub(super) u32);

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(literal.get().parse().unwrap_or(0)))
    }
}

/// The value of a field that something stands in, null excepted.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// What `raw` holds, where it has that shape.
pub(super) fn value<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The object in `raw`, if it is one of that shape.
pub(super) fn fields<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    object(raw?.get().as_bytes())
}

/// The text in `raw`; empty where there is none.
pub(super) fn text(raw: Raw<'_>) -> String {
    value(raw).unwrap_or_default()
}

/// The items of the list in `raw`.
pub(super) fn list<'a>(raw: Raw<'a>) -> Vec<&'a RawValue> {
    value(raw).unwrap_or_default()
}

/// The object in `data`, if it is one.
pub(super) fn object<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Option<T> {
    let text = std::str::from_utf8(data).ok()?;
    // A derived struct would take a list for its fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// An event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) sequence_number: Raw<'a>,
    pub(super) output_index: Index,
    pub(super) content_index: Index,
    pub(super) summary_index: Index,
    #[serde(borrow)]
    pub(super) delta: Raw<'a>,
    #[serde(borrow)]
    pub(super) text: Raw<'a>,
    #[serde(borrow)]
    pub(super) refusal: Raw<'a>,
    #[serde(borrow)]
    pub(super) arguments: Raw<'a>,
    #[serde(borrow)]
    pub(super) input: Raw<'a>,
    #[serde(borrow)]
    pub(super) annotation: Raw<'a>,
    #[serde(borrow)]
    pub(super) part: Raw<'a>,
    #[serde(borrow)]
    pub(super) item: Raw<'a>,
    #[serde(borrow)]
    pub(super) response: Raw<'a>,
    #[serde(borrow)]
    pub(super) error: Raw<'a>,
    #[serde(borrow)]
    obfuscation: Raw<'a>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An answer is under way, and this is what is known of it.
    Response,
    ItemAdded,
    ItemDone,
    PartDone,
    TextDelta,
    TextDone,
    RefusalDelta,
    RefusalDone,
    SummaryDelta,
    SummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ArgumentsDelta,
    ArgumentsDone,
    InputDelta,
    InputDone,
    Annotation,
    /// The answer is over, complete or not.
    Ended,
    /// It failed.
    Failed,
    /// Anything else: a part opened, progress of a tool that the provider runs, events unknown here.
    Other,
}

impl<'a> Event<'a> {
    /// What differs from one piece of text to the next: the piece, its number, and what hides its length.
    pub(super) fn moving(&self) -> [Option<&'a str>; 3] {
        [self.delta, self.sequence_number, self.obfuscation].map(|raw| raw.map(RawValue::get))
    }

    /// Its number; the first where it has none.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence_number.and_then(|raw| raw.get().parse().ok()).unwrap_or(0)
    }

    pub(super) fn kind(&self) -> Kind {
        match self.kind.get() {
            "response.created" | "response.in_progress" | "response.queued" => Kind::Response,
            "response.output_item.added" => Kind::ItemAdded,
            "response.output_item.done" => Kind::ItemDone,
            "response.content_part.done" | "response.reasoning_summary_part.done" => Kind::PartDone,
            "response.output_text.delta" => Kind::TextDelta,
            "response.output_text.done" => Kind::TextDone,
            "response.refusal.delta" => Kind::RefusalDelta,
            "response.refusal.done" => Kind::RefusalDone,
            "response.reasoning_summary_text.delta" => Kind::SummaryDelta,
            "response.reasoning_summary_text.done" => Kind::SummaryDone,
            // The second is the name of earlier servers.
            "response.reasoning_text.delta" | "response.reasoning.delta" => Kind::ReasoningDelta,
            "response.reasoning_text.done" | "response.reasoning.done" => Kind::ReasoningDone,
            "response.function_call_arguments.delta" => Kind::ArgumentsDelta,
            "response.function_call_arguments.done" => Kind::ArgumentsDone,
            "response.custom_tool_call_input.delta" => Kind::InputDelta,
            "response.custom_tool_call_input.done" => Kind::InputDone,
            "response.output_text.annotation.added" => Kind::Annotation,
            "response.completed" | "response.incomplete" => Kind::Ended,
            "response.failed" | "error" => Kind::Failed,
            "" if self.error.is_some() => Kind::Failed,
            _ => Kind::Other,
        }
    }
}

/// A whole answer, or what an event says of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) id: Raw<'a>,
    #[serde(borrow)]
    pub(super) object: Word<'a>,
    #[serde(borrow)]
    pub(super) model: Raw<'a>,
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) output: Raw<'a>,
    #[serde(borrow)]
    usage: Raw<'a>,
    #[serde(borrow)]
    pub(super) error: Raw<'a>,
    #[serde(borrow)]
    incomplete_details: Raw<'a>,
}

impl Response<'_> {
    /// Why an answer that is over ended; `calls` says whether it holds calls.
    pub(super) fn finish(&self, calls: bool) -> FinishReason {
        #[derive(Deserialize)]
        struct Details<'a> {
            #[serde(borrow, default)]
            reason: Word<'a>,
        }
        let details: Option<Details<'_>> = fields(self.incomplete_details);
        match details.as_ref().map(|details| details.reason.get()) {
            Some("max_output_tokens" | "max_tokens") => FinishReason::Length,
            Some("content_filter") => FinishReason::ContentFilter,
            Some(reason) if !reason.is_empty() => FinishReason::Other,
            _ if self.status.get() == "incomplete" => FinishReason::Other,
            _ if calls => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        }
    }

    /// The usage it reports, if it does and the numbers make sense.
    pub(super) fn usage(&self) -> Option<Usage> {
        #[derive(Deserialize)]
        struct Wire {
            input_tokens: u64,
            #[serde(default)]
            output_tokens: u64,
            #[serde(default)]
            input_tokens_details: Option<Details>,
            #[serde(default)]
            output_tokens_details: Option<Details>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Details {
            cached_tokens: Option<u64>,
            cache_write_tokens: Option<u64>,
            reasoning_tokens: Option<u64>,
        }
        let wire: Wire = fields(self.usage)?;
        let (of_input, of_output) =
            (wire.input_tokens_details.unwrap_or_default(), wire.output_tokens_details.unwrap_or_default());
        Some(Usage {
            input: wire.input_tokens,
            output: wire.output_tokens,
            cached: of_input.cached_tokens.unwrap_or(0),
            cache_written: of_input.cache_write_tokens.unwrap_or(0),
            reasoning: of_output.reasoning_tokens.unwrap_or(0),
        })
    }
}

/// An item of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) id: Raw<'a>,
    #[serde(borrow)]
    pub(super) call_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) namespace: Raw<'a>,
    #[serde(borrow)]
    pub(super) name: Raw<'a>,
    #[serde(borrow)]
    pub(super) arguments: Raw<'a>,
    #[serde(borrow)]
    pub(super) input: Raw<'a>,
    #[serde(borrow)]
    pub(super) content: Raw<'a>,
    #[serde(borrow)]
    pub(super) summary: Raw<'a>,
    #[serde(borrow)]
    pub(super) encrypted_content: Raw<'a>,
    #[serde(borrow)]
    pub(super) phase: Raw<'a>,
}

/// A part of a message, of a summary, or of reasoning.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) text: Raw<'a>,
    #[serde(borrow)]
    pub(super) refusal: Raw<'a>,
    #[serde(borrow)]
    pub(super) annotations: Raw<'a>,
    #[serde(borrow)]
    pub(super) logprobs: Raw<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(json: &str) -> Response<'_> {
        object(json.as_bytes()).expect("an object")
    }

    #[test]
    fn ends_have_their_reasons() {
        for (json, calls, expected) in [
            (r#"{"status":"completed"}"#, false, FinishReason::Stop),
            (r#"{"status":"completed","incomplete_details":null}"#, true, FinishReason::ToolCalls),
            (r#"{"incomplete_details":{"reason":"max_output_tokens"}}"#, true, FinishReason::Length),
            (r#"{"incomplete_details":{"reason":"content_filter"}}"#, false, FinishReason::ContentFilter),
            (r#"{"incomplete_details":{"reason":"steered"}}"#, false, FinishReason::Other),
            (r#"{"status":"incomplete","incomplete_details":{}}"#, false, FinishReason::Other),
            (r#"{"status":7}"#, false, FinishReason::Stop),
        ] {
            assert_eq!(response(json).finish(calls), expected, "{json}");
        }
    }

    #[test]
    fn usage_is_read_in_full() {
        let all = r#"{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},
            "output_tokens":5,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":14}}"#;
        let full = Usage { input: 9, output: 5, cached: 3, cache_written: 2, reasoning: 4 };
        assert_eq!(response(all).usage(), Some(full));
        let few = response(r#"{"usage":{"input_tokens":9,"output_tokens":5,"input_tokens_details":null}}"#);
        assert_eq!(few.usage(), Some(Usage { input: 9, output: 5, ..Usage::default() }));
        for none in ["{}", r#"{"usage":null}"#, r#"{"usage":{"input_tokens":-1}}"#, r#"{"usage":"x"}"#] {
            assert_eq!(response(none).usage(), None, "{none}");
        }
    }
}
