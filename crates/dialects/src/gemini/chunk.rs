//! One object of an answer as it stands on the wire: an event of a stream, or a whole answer, which has the same form.
//!
//! Receives JSON; hands on borrowed fields, parts of a candidate unread. Must never be here: what they amount to.

use super::stop::Reason;
use crate::json::Json;
use llm::Usage;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::num::ParseIntError;

/// The most candidates of an answer.
pub(super) const MAX_CANDIDATES: u32 = 128;

/// An object of an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    usage_metadata: Option<Metered<'a>>,
    #[serde(borrow, default)]
    pub(super) model_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) response_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl<'a> Chunk<'a> {
    /// Reads `text`; nothing where it is no object of an answer.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        // A derived struct would take a list for its fields in order.
        if !text.trim_ascii_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    pub(super) fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// The literal of its words, or of what it adds to a text among a call's arguments, where it says nothing else.
    fn words(&self) -> Option<&'a str> {
        let [candidate] = self.candidates() else { return None };
        let [part] = candidate.parts() else { return None };
        let alone = candidate.finish_reason.is_none() && candidate.beside().next().is_none();
        let mut words = None;
        for (name, said) in Json::from(*part).entries().filter(|_| alone)? {
            match name.as_ref() {
                // Whatever else a part holds, it is the call.
                "functionCall" => return added(said),
                "text" => words = Some(said.get()),
                _ => {}
            }
        }
        words
    }

    /// The literals of what alone differs between most events: its words, where it says nothing else, and the counts that
    /// grow with them.
    pub(super) fn moving(&self) -> [Option<&'a str>; 3] {
        let count = |name: &str| self.usage_metadata.as_ref()?.literal(name);
        [self.words(), count(COUNT), count("totalTokenCount")]
    }

    pub(super) fn candidates(&self) -> &[Candidate<'a>] {
        self.candidates.as_deref().unwrap_or_default()
    }

    /// Whether the question was withheld from the model: such an answer has no candidates.
    pub(super) fn is_blocked(&self) -> bool {
        let reason = self.prompt_feedback.as_ref().and_then(|feedback| feedback.block_reason.as_ref());
        self.candidates().is_empty() && reason.is_some_and(|reason| !reason.0.is_empty())
    }

    /// The tokens counted so far; nothing where only the kind of traffic is told.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.usage_metadata.as_ref().and_then(|metered| metered.counts.usage())
    }
}

/// The literal that a piece of a call adds to one text among its arguments, where it does nothing else.
fn added<'a>(call: Json<'a>) -> Option<&'a str> {
    let mut pieces = None;
    for (name, value) in call.entries()? {
        match name.as_ref() {
            "partialArgs" => pieces = value.items(),
            "name" | "args" => return None,
            _ => {}
        }
    }
    let mut pieces = pieces?;
    let (piece, others) = (pieces.next()?, pieces.next());
    let mut fields = piece.entries().filter(|_| others.is_none())?;
    fields.find(|(name, _)| name == "stringValue").map(|(_, text)| text.get())
}

/// An alternative answer, or a piece of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    /// Vertex leaves it out of streams of one candidate.
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    citation_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    url_context_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    logprobs_result: Option<&'a RawValue>,
}

/// The names of what may stand beside a candidate's parts and belongs to the answer. Ratings of safety, averages and
/// messages about the finish are Google's notes on it.
pub(super) const BESIDE: [&str; 4] = ["citationMetadata", "groundingMetadata", "urlContextMetadata", "logprobsResult"];

/// The names of parts that have no noun.
pub(super) const PARTS: [&str; 9] = [
    "executableCode",
    "codeExecutionResult",
    "inlineData",
    "fileData",
    "videoMetadata",
    "toolCall",
    "toolResponse",
    "audioTranscription",
    "speechMetadata",
];

impl<'a> Candidate<'a> {
    pub(super) fn index(&self) -> u32 {
        self.index.unwrap_or(0)
    }

    pub(super) fn parts(&self) -> &[&'a RawValue] {
        self.content.as_ref().and_then(|content| content.parts.as_deref()).unwrap_or_default()
    }

    /// Why it is over, if it is.
    pub(super) fn reason(&self) -> Option<Reason> {
        Reason::read(&self.finish_reason.as_ref()?.0)
    }

    /// What stands beside its parts, by name.
    pub(super) fn beside(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> {
        let values = [self.citation_metadata, self.grounding_metadata, self.url_context_metadata, self.logprobs_result];
        BESIDE.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
    }
}

#[derive(Debug, Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<Text<'a>>,
}

/// Text that is borrowed where nothing in it is escaped.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The count that grows with the answer's words.
const COUNT: &str = "candidatesTokenCount";

/// Token counts, and how they are written.
#[derive(Debug)]
struct Metered<'a> {
    counts: Counts,
    written: &'a RawValue,
}

impl<'a> Metered<'a> {
    fn literal(&self, name: &str) -> Option<&'a str> {
        Json::from(self.written).entries()?.find(|(known, _)| known == name).map(|(_, count)| count.get())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Metered<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?;
        let counts = serde_json::from_str(written.get()).map_err(D::Error::custom)?;
        Ok(Self { counts, written })
    }
}

/// What an event tells of tokens that repeats another one but for its words and its count of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter(Option<Usage>);

impl Meter {
    /// That of the event's likes; nothing where it does not count its words.
    pub(super) fn of(chunk: &Chunk<'_>) -> Self {
        let counts =
            chunk.usage_metadata.as_ref().is_some_and(|metered| metered.counts.candidates_token_count.is_some());
        Self(chunk.usage().filter(|_| counts))
    }

    /// What is used where the count is written so; nothing where none is told.
    ///
    /// # Errors
    /// What is no count.
    pub(super) fn usage(self, count: &str) -> Result<Option<Usage>, ParseIntError> {
        let Some(usage) = self.0 else { return Ok(None) };
        Ok(Some(Usage { output: count.parse::<u64>()?.saturating_add(usage.reasoning), ..usage }))
    }
}

/// Token counts, which Google repeats and raises with every event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    prompt_token_count: Option<u64>,
    /// Without those of thoughts.
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    /// What tools of the provider put into the prompt, not counted in it.
    tool_use_prompt_token_count: Option<u64>,
    /// A part of the prompt's.
    cached_content_token_count: Option<u64>,
}

impl Counts {
    fn usage(&self) -> Option<Usage> {
        if self.prompt_token_count.is_none() && self.candidates_token_count.is_none() {
            return None;
        }
        let count = |count: Option<u64>| count.unwrap_or(0);
        let reasoning = count(self.thoughts_token_count);
        let input = count(self.prompt_token_count).saturating_add(count(self.tool_use_prompt_token_count));
        Some(Usage {
            input,
            output: count(self.candidates_token_count).saturating_add(reasoning),
            cached: count(self.cached_content_token_count).min(input),
            cache_written: 0,
            reasoning,
        })
    }
}

/// A part of a candidate, read.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// Words, perhaps none beside a signature.
    Text {
        text: Cow<'a, str>,
        thought: bool,
        signature: Option<Cow<'a, str>>,
    },
    Call {
        call: Box<FunctionCall<'a>>,
        signature: Option<Cow<'a, str>>,
    },
    /// Anything else, by its first field.
    Other {
        name: String,
    },
    /// Nothing at all.
    Empty,
}

impl<'a> Part<'a> {
    /// Reads a part; nothing where it is no object, or holds words or a call in no known form.
    pub(super) fn read(raw: &'a RawValue) -> Option<Self> {
        if !raw.get().starts_with('{') {
            return None;
        }
        let fields: Fields<'a> = serde_json::from_str(raw.get()).ok()?;
        let signature = fields.thought_signature.map(|text| text.0).filter(|text| !text.is_empty());
        Some(match (fields.function_call, fields.text) {
            (Some(call), _) => Self::Call { call: Box::new(call), signature },
            (None, Some(text)) => Self::Text { text: text.0, thought: fields.thought.unwrap_or(false), signature },
            (None, None) => match what(raw) {
                Some(name) => Self::Other { name },
                None if signature.is_some() => {
                    Self::Text { text: Cow::Borrowed(""), thought: fields.thought.unwrap_or(false), signature }
                }
                None => Self::Empty,
            },
        })
    }

    /// Whether a reader would see something in it.
    pub(super) fn is_content(&self) -> bool {
        match self {
            Self::Text { text, .. } => !text.is_empty(),
            Self::Call { call, .. } => call.says_something(),
            Self::Other { .. } => true,
            Self::Empty => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(default)]
    thought: Option<bool>,
    #[serde(borrow, default)]
    thought_signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    function_call: Option<FunctionCall<'a>>,
}

/// A call of a tool, or a piece of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    /// Stands in the first piece alone.
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) partial_args: Option<Vec<PartialArg<'a>>>,
    /// More pieces of this call follow.
    #[serde(default)]
    pub(super) will_continue: Option<bool>,
}

impl FunctionCall<'_> {
    fn says_something(&self) -> bool {
        self.name.is_some() || self.args.is_some() || self.partial_args.as_ref().is_some_and(|args| !args.is_empty())
    }
}

/// A value, or a piece of a text, within the arguments of a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartialArg<'a> {
    #[serde(borrow, default)]
    pub(super) json_path: Text<'a>,
    /// Goes on with the text that stands there.
    #[serde(borrow, default)]
    pub(super) string_value: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) number_value: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) bool_value: Option<bool>,
}

/// The name of the first field of `part` that says what it is.
fn what(part: &RawValue) -> Option<String> {
    struct First(Option<String>);
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = First;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<First, A::Error> {
            let mut first = None;
            while let Some((name, _)) = entries.next_entry::<String, IgnoredAny>()? {
                if first.is_none() && !["text", "thought", "thoughtSignature"].contains(&name.as_str()) {
                    first = Some(name);
                }
            }
            Ok(First(first))
        }
    }
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Names)
        }
    }
    serde_json::from_str::<First>(part.get()).ok()?.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(counts: &str) -> Option<Usage> {
        let text = format!(r#"{{"usageMetadata":{counts}}}"#);
        Chunk::read(&text).expect("a chunk").usage()
    }

    #[test]
    fn tokens_are_added_as_google_counts_them() {
        for (counts, expected) in [
            (
                r#"{"promptTokenCount":9,"candidatesTokenCount":23,"thoughtsTokenCount":302,"totalTokenCount":334}"#,
                Some((9, 325, 0, 302)),
            ),
            (
                r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":7,"candidatesTokenCount":1}"#,
                Some((107, 1, 60, 0)),
            ),
            (r#"{"promptTokenCount":5}"#, Some((5, 0, 0, 0))),
            (r#"{"promptTokenCount":5,"cachedContentTokenCount":9}"#, Some((5, 0, 5, 0))),
            (r#"{"trafficType":"ON_DEMAND"}"#, None),
            ("null", None),
        ] {
            let read = usage(counts).map(|u| (u.input, u.output, u.cached, u.reasoning));
            assert_eq!(read, expected, "{counts}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        for (json, kind, content) in [
            (r#"{"text":"a"}"#, "text", true),
            (r#"{"text":""}"#, "text", false),
            (r#"{"text":"a","thought":true}"#, "thought", true),
            (r#"{"thoughtSignature":"s"}"#, "text", false),
            (r#"{"thought":true,"thoughtSignature":"s"}"#, "thought", false),
            (r#"{"functionCall":{"name":"f"},"thoughtSignature":"s"}"#, "call", true),
            (r#"{"functionCall":{}}"#, "call", false),
            (r#"{"functionCall":{"willContinue":true}}"#, "call", false),
            (r#"{"thoughtSignature":"s","executableCode":{"code":"1"}}"#, "executableCode", true),
            (r#"{"inlineData":{"mimeType":"image/png","data":""}}"#, "inlineData", true),
            (r#"{"tomorrow":1}"#, "tomorrow", true),
            ("{}", "empty", false),
        ] {
            let raw: &RawValue = serde_json::from_str(json).expect("JSON");
            let part = Part::read(raw).expect("a part");
            let read = match &part {
                Part::Text { thought: false, .. } => "text",
                Part::Text { thought: true, .. } => "thought",
                Part::Call { .. } => "call",
                Part::Other { name } => name,
                Part::Empty => "empty",
            };
            assert_eq!((read, part.is_content()), (kind, content), "{json}");
        }
        for json in ["7", "[]", r#"{"text":7}"#, r#"{"functionCall":7}"#] {
            let raw: &RawValue = serde_json::from_str(json).expect("JSON");
            assert!(Part::read(raw).is_none(), "{json}");
        }
    }

    #[test]
    fn a_blocked_question_has_no_candidates() {
        for (text, expected) in [
            (r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, true),
            (r#"{"promptFeedback":{"blockReason":"OTHER"},"candidates":[]}"#, true),
            (r#"{"promptFeedback":{"safetyRatings":[]}}"#, false),
            (r#"{"promptFeedback":{"blockReason":"SAFETY"},"candidates":[{}]}"#, false),
            ("{}", false),
        ] {
            assert_eq!(Chunk::read(text).expect("a chunk").is_blocked(), expected, "{text}");
        }
    }
}
