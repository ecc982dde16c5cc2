//! One JSON object of an answer, streamed or whole, reduced to what it means.
//!
//! A whole answer is a chunk whose `message` stands where a streamed one has `delta`. Read in one pass without
//! allocating: a stream has one of these per token.

use super::obstacle::Obstacle;
use super::thoughts::again;
use super::usage::{Meter, usage};
use crate::shape::{Outline, Shape, outline};
use llm::{Event, FinishReason, Usage};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use std::borrow::Cow;

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
    #[serde(borrow, default, deserialize_with = "outline")]
    pub(super) choices: Choices<'a>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    /// Hides how long the text is; of no length is as good.
    #[serde(borrow, default)]
    pub(super) obfuscation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
}

impl Chunk<'_> {
    /// The model that says it serves; empty where none is named.
    pub(super) fn model(&self) -> Box<str> {
        self.model.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// Whether the object is an error and no part of an answer.
    pub(super) fn is_error(&self) -> bool {
        let named = [self.object.0, self.kind.0].contains(&Some("error"));
        // An `error` that says nothing is none.
        let said = self.error.is_some_and(|error| !matches!(error.get(), "\"\"" | "{}" | "false"));
        said || named || self.choices.failed
    }

    /// What it means to the engine, where it is no error and reports `usage`.
    pub(super) fn event(&self, usage: Option<Usage>) -> Event {
        if self.choices.content {
            Event::Content
        } else if self.choices.ended != 0 || usage.is_some() {
            Event::Closing
        } else {
            Event::Preamble
        }
    }

    /// The literals of the counts that grow from event to event.
    pub(super) fn counts(&self) -> [Option<&str>; 2] {
        Meter::moving(self.usage)
    }

    /// The usage it reports, if it does and the numbers make sense.
    pub(super) fn usage(&self) -> Option<Usage> {
        usage(self.usage?)
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
pub(super) struct Choices<'a> {
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
    /// The literal of the text that a delta adds, quotes included, if it adds any.
    pub(super) text: Option<&'a str>,
    /// The literal of what a delta adds to a thought or to a call's arguments, if it adds that alone.
    pub(super) piece: Option<&'a str>,
    /// The literal that says such a piece of a thought once more.
    pub(super) again: Option<&'a str>,
    /// What stands beside one choice's text.
    pub(super) beyond: Beyond,
}

/// What an object holds that is not the text of one choice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beyond {
    /// A part of a tool call or function call.
    pub(super) tool_call: bool,
    /// A refusal.
    pub(super) refusal: bool,
    /// Reasoning, under any of its names.
    pub(super) reasoning: bool,
    /// Audio or images.
    pub(super) media: bool,
    /// Log probabilities.
    pub(super) logprobs: bool,
    /// More than one choice, or one that is not the first.
    pub(super) several: bool,
    /// Content that is no string, or that stands where a streamed answer has none.
    pub(super) odd: bool,
}

impl Beyond {
    /// The obstacle that it is to going on with the text.
    pub(super) fn obstacle(self) -> Option<Obstacle> {
        [
            (self.tool_call, Obstacle::ToolCall),
            (self.refusal, Obstacle::Refusal),
            (self.reasoning, Obstacle::Reasoning),
            (self.media, Obstacle::Media),
            (self.several, Obstacle::ManyChoices),
            (self.logprobs, Obstacle::Logprobs),
            (self.odd, Obstacle::NotText),
        ]
        .into_iter()
        .find_map(|(there, obstacle)| there.then_some(obstacle))
    }
}

/// The text that a string's literal stands for; nothing where it stands for none, as half a surrogate pair does.
pub(super) fn decoded(literal: &str) -> Option<Cow<'_, str>> {
    if literal.contains('\\') {
        return serde_json::from_str(literal).map(Cow::Owned).ok();
    }
    serde_json::from_str(literal).map(Cow::Borrowed).ok()
}

impl<'de: 'a, 'a> Outline<'de> for Choices<'a> {
    fn other(_: Shape) -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut seen = Self::default();
        while let Some(choice) = items.next_element::<Choice<'a>>()? {
            seen.note(&choice);
        }
        Ok(seen)
    }
}

impl<'a> Choices<'a> {
    fn note(&mut self, choice: &Choice<'a>) {
        let bit = 1u128 << choice.index.0.min(127);
        self.note_beyond(choice, bit);
        self.begun |= bit;
        for said in [&choice.delta, &choice.message] {
            self.content |= said.speaks;
            self.refused |= said.refuses;
        }
        match choice.finish_reason.0 {
            None | Some("") => {}
            Some(word) if is_failure(word) => self.failed = true,
            Some(word) => {
                self.ended |= bit;
                self.finish = Some(finish_reason(word));
            }
        }
    }

    fn note_beyond(&mut self, choice: &Choice<'a>, bit: u128) {
        let delta = &choice.delta;
        let beyond = &mut self.beyond;
        beyond.tool_call |= delta.calls;
        beyond.refusal |= delta.refuses;
        beyond.reasoning |= delta.reasons;
        beyond.media |= delta.shows;
        beyond.logprobs |= choice.logprobs.is_something();
        beyond.several |= bit != 1 || self.begun != 0;
        beyond.odd |= delta.odd || choice.message.speaks;
        self.text = delta.text.or(self.text);
        self.piece = delta.piece.or(self.piece);
        self.again = delta.again.or(self.again);
    }
}

/// Whether an answer ended because its provider could not go on: OpenRouter's word for it, and DeepSeek's.
pub(super) fn is_failure(word: &str) -> bool {
    matches!(word, "error" | "insufficient_system_resource")
}

pub(super) fn finish_reason(word: &str) -> FinishReason {
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
    #[serde(borrow, default, deserialize_with = "outline")]
    delta: Delta<'a>,
    /// Of a whole one. Some send both in a stream.
    #[serde(borrow, default, deserialize_with = "outline")]
    message: Delta<'a>,
    #[serde(borrow, default)]
    finish_reason: Word<'a>,
    #[serde(default)]
    logprobs: Shape,
}

/// The fields in which an answer can say something.
///
/// `reasoning_content` is DeepSeek's and others' name, `reasoning` vLLM's, OpenRouter's and Groq's; OpenRouter's
/// `reasoning_details` and LiteLLM's `thinking_blocks` come beside them and say nothing of their own.
#[derive(Default, Deserialize)]
struct DeltaFields<'a> {
    #[serde(borrow, default)]
    content: Literal<'a>,
    #[serde(default)]
    refusal: Shape,
    #[serde(borrow, default)]
    reasoning_content: Literal<'a>,
    #[serde(borrow, default)]
    reasoning: Literal<'a>,
    #[serde(borrow, default)]
    reasoning_details: Literal<'a>,
    #[serde(borrow, default)]
    thinking_blocks: Literal<'a>,
    #[serde(borrow, default)]
    tool_calls: Literal<'a>,
    #[serde(default)]
    function_call: Shape,
    #[serde(default)]
    audio: Shape,
    #[serde(default)]
    images: Shape,
}

/// What is sought of a call: its arguments.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Literal<'a>,
}

/// A value as it is written.
#[derive(Clone, Copy, Default)]
struct Literal<'a>(Option<&'a RawValue>);

impl<'a> Literal<'a> {
    fn shape(self) -> Shape {
        self.0.map_or(Shape::Absent, Shape::of)
    }

    /// Itself, where it is a string that is not empty.
    fn text(self) -> Option<&'a str> {
        self.0.filter(|raw| Shape::of(raw) == Shape::Text { empty: false }).map(RawValue::get)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Literal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

/// What a delta or message holds, in the order of [`Beyond`].
#[derive(Default)]
struct Delta<'a> {
    speaks: bool,
    calls: bool,
    refuses: bool,
    reasons: bool,
    shows: bool,
    odd: bool,
    text: Option<&'a str>,
    piece: Option<&'a str>,
    again: Option<&'a str>,
}

impl<'a> DeltaFields<'a> {
    /// The literal of what is added to a thought or to the arguments of one call.
    fn piece(&self) -> Option<&'a str> {
        let words = self.reasoning_content.text().or(self.reasoning.text());
        let Some(calls) = self.tool_calls.0.filter(|_| words.is_none()) else { return words };
        let [call]: [Call<'a>; 1] = serde_json::from_str(calls.get()).ok()?;
        call.function.arguments.text()
    }
}

impl<'de: 'a, 'a> Outline<'de> for Delta<'a> {
    fn other(_: Shape) -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let fields = DeltaFields::<'a>::deserialize(MapAccessDeserializer::new(entries))?;
        let any = |shapes: &[Shape]| shapes.iter().any(|shape| shape.is_something());
        let text = fields.content.text();
        let content = fields.content.shape().is_something();
        let calls = any(&[fields.tool_calls.shape(), fields.function_call]);
        let refuses = fields.refusal.is_something();
        let reasons = any(&[fields.reasoning_content.shape(), fields.reasoning.shape()]);
        let shows = any(&[fields.audio, fields.images]);
        let sealing = [fields.reasoning_details, fields.thinking_blocks];
        let piece = if text.is_none() { fields.piece() } else { None };
        Ok(Self {
            speaks: content || calls || refuses || reasons || shows,
            calls,
            refuses,
            reasons: reasons || any(&sealing.map(Literal::shape)),
            shows,
            odd: content && text.is_none(),
            text,
            piece,
            again: piece.and_then(|_| again(sealing[0].0.or(sealing[1].0))),
        })
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
