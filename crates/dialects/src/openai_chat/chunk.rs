//! One JSON object of an answer, streamed or whole, reduced to what it means.
//!
//! A whole answer is a chunk whose `message` stands where a streamed one has `delta`. Read in one pass without
//! allocating: a stream has one of these per token.

use super::shape::{Outline, Shape, outline};
use llm::{FinishReason, Usage};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::value::RawValue;

/// The facts of one object.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk<'a> {
    /// A provider's error, at the top level whatever the HTTP status was.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    /// `"error"` where vLLM reports one without an `error` field.
    #[serde(borrow, default)]
    object: Word<'a>,
    /// `"error"` where Anthropic-like proxies report one.
    #[serde(borrow, default, rename = "type")]
    kind: Word<'a>,
    #[serde(default, deserialize_with = "outline")]
    pub(super) choices: Choices,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

impl Chunk<'_> {
    /// Whether the object is an error and no part of an answer.
    pub(super) fn is_error(&self) -> bool {
        let named = [self.object.0, self.kind.0].contains(&Some("error"));
        // An `error` that says nothing is none.
        let said = self.error.is_some_and(|error| !matches!(error.get(), "\"\"" | "{}" | "false"));
        said || named || self.choices.failed
    }

    /// The usage it reports, if it does and the numbers make sense.
    pub(super) fn usage(&self) -> Option<Usage> {
        #[derive(Deserialize)]
        struct Wire {
            prompt_tokens: u64,
            #[serde(default)]
            completion_tokens: u64,
            #[serde(default)]
            prompt_tokens_details: Option<Details>,
            #[serde(default)]
            completion_tokens_details: Option<Details>,
        }
        #[derive(Default, Deserialize)]
        struct Details {
            #[serde(default)]
            cached_tokens: Option<u64>,
            #[serde(default)]
            reasoning_tokens: Option<u64>,
        }
        let wire: Wire = serde_json::from_str(self.usage?.get()).ok()?;
        Some(Usage {
            input: wire.prompt_tokens,
            output: wire.completion_tokens,
            cached: wire.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or(0),
            reasoning: wire.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
        })
    }
}

/// A word, or anything else, which is then no word.
#[derive(Debug, Default)]
struct Word<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(literal.get()).ok()))
    }
}

/// The place of a choice among its answer's; anything that is no place is the first one.
#[derive(Clone, Copy, Default)]
struct Index(u32);

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(literal.get().parse().unwrap_or(0)))
    }
}

/// What all choices of one object say together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Choices {
    /// Choices seen, a bit each; the last bit stands for every index from 127 on.
    pub(super) begun: u128,
    /// Choices that named a finish reason.
    pub(super) ended: u128,
    /// One of them says something.
    pub(super) content: bool,
    /// One of them holds a refusal.
    pub(super) refused: bool,
    /// One of them ended in `"error"`, as OpenRouter's do.
    failed: bool,
    /// The last finish reason named.
    pub(super) finish: Option<FinishReason>,
}

impl<'de> Outline<'de> for Choices {
    fn other(_: Shape) -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut seen = Self::default();
        while let Some(choice) = items.next_element::<Choice<'de>>()? {
            seen.note(&choice);
        }
        Ok(seen)
    }
}

impl Choices {
    fn note(&mut self, choice: &Choice<'_>) {
        let bit = 1u128 << choice.index.0.min(127);
        self.begun |= bit;
        for said in [&choice.delta, &choice.message] {
            self.content |= said.speaks;
            self.refused |= said.refuses;
        }
        match choice.finish_reason.0 {
            None | Some("") => {}
            Some("error") => self.failed = true,
            Some(word) => {
                self.ended |= bit;
                self.finish = Some(finish_reason(word));
            }
        }
    }
}

fn finish_reason(word: &str) -> FinishReason {
    match word {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: Index,
    /// Of a streamed answer.
    #[serde(default, deserialize_with = "outline")]
    delta: Delta,
    /// Of a whole one. Some send both in a stream.
    #[serde(default, deserialize_with = "outline")]
    message: Delta,
    #[serde(borrow, default)]
    finish_reason: Word<'a>,
}

/// The fields in which an answer can say something.
///
/// `reasoning_content` is DeepSeek's and others' name, `reasoning` vLLM's, OpenRouter's and Groq's.
#[derive(Default, Deserialize)]
struct DeltaFields {
    #[serde(default)]
    content: Shape,
    #[serde(default)]
    refusal: Shape,
    #[serde(default)]
    reasoning_content: Shape,
    #[serde(default)]
    reasoning: Shape,
    #[serde(default)]
    tool_calls: Shape,
    #[serde(default)]
    function_call: Shape,
    #[serde(default)]
    audio: Shape,
    #[serde(default)]
    images: Shape,
}

#[derive(Default)]
struct Delta {
    speaks: bool,
    refuses: bool,
}

impl<'de> Outline<'de> for Delta {
    fn other(_: Shape) -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let fields = DeltaFields::deserialize(MapAccessDeserializer::new(entries))?;
        let speaks = [
            fields.content,
            fields.refusal,
            fields.reasoning_content,
            fields.reasoning,
            fields.tool_calls,
            fields.function_call,
            fields.audio,
            fields.images,
        ]
        .into_iter()
        .any(Shape::is_something);
        Ok(Self { speaks, refuses: fields.refusal.is_something() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Chunk<'_> {
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn content_is_whatever_a_reader_would_see() {
        for (delta, content) in [
            (r#"{"content":"a"}"#, true),
            (r#"{"content":""}"#, false),
            (r#"{"content":null,"role":"assistant"}"#, false),
            (r#"{"content":[{"type":"text"}]}"#, true),
            (r#"{"content":"\ud83d"}"#, true),
            (r#"{"reasoning_content":"hm"}"#, true),
            (r#"{"reasoning":"hm"}"#, true),
            (r#"{"refusal":"no"}"#, true),
            (r#"{"tool_calls":[]}"#, false),
            (r#"{"tool_calls":[{"index":0}]}"#, true),
            (r#"{"function_call":{"name":"f"}}"#, true),
            (r#"{"audio":{"id":"a"}}"#, true),
            ("{}", false),
            ("null", false),
        ] {
            for field in ["delta", "message"] {
                let text = format!(r#"{{"choices":[{{"index":0,"{field}":{delta},"finish_reason":null}}]}}"#);
                assert_eq!(read(&text).choices.content, content, "{text}");
            }
        }
    }

    #[test]
    fn choices_are_counted_by_index() {
        let text = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":2,"delta":{}},
                       {"index":4000000000,"delta":{},"finish_reason":"length"}]}"#;
        let choices = read(text).choices;
        assert_eq!(choices.begun, 0b101 | 1 << 127);
        assert_eq!(choices.ended, 1 | 1 << 127);
        assert_eq!(choices.finish, Some(FinishReason::Length));
        let odd = r#"{"choices":[{"index":"x","delta":{},"message":{"content":"a"},"finish_reason":7}]}"#;
        let odd = read(odd).choices;
        assert_eq!((odd.begun, odd.ended, odd.content), (1, 0, true));
    }

    #[test]
    fn errors_are_seen_in_every_disguise() {
        for (text, error) in [
            (r#"{"error":{"message":"x"}}"#, true),
            (r#"{"error":"x"}"#, true),
            (r#"{"error":null,"choices":[]}"#, false),
            (r#"{"error":"","choices":[]}"#, false),
            (r#"{"error":{},"choices":[]}"#, false),
            (r#"{"object":"error","message":"x"}"#, true),
            (r#"{"type":"error"}"#, true),
            (r#"{"object":"chat.completion.chunk"}"#, false),
            (r#"{"object":7,"type":["error"]}"#, false),
            (r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#, true),
        ] {
            assert_eq!(read(text).is_error(), error, "{text}");
        }
    }

    #[test]
    fn usage_that_makes_no_sense_is_unknown() {
        for (usage, expected) in [
            (r#"{"prompt_tokens":5,"completion_tokens":7}"#, Some((5, 7, 0, 0))),
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3},
                    "completion_tokens_details":{"reasoning_tokens":2}}"#,
                Some((5, 7, 3, 2)),
            ),
            (r#"{"prompt_tokens":5,"prompt_tokens_details":null}"#, Some((5, 0, 0, 0))),
            (r#"{"prompt_tokens":-5,"completion_tokens":7}"#, None),
            (r#"{"prompt_tokens":1e300,"completion_tokens":7}"#, None),
            ("{}", None),
            ("null", None),
            ("7", None),
        ] {
            let text = format!(r#"{{"choices":[],"usage":{usage}}}"#);
            let read = read(&text).usage().map(|u| (u.input, u.output, u.cached, u.reasoning));
            assert_eq!(read, expected, "{usage}");
        }
    }
}
