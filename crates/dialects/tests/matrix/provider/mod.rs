//! What providers answer, scene by scene, each in its own words: as the bytes of a stream, and as a whole answer.
//!
//! Written by hand after their documentation and recordings; one folder, so that a further provider is one more file.

mod anthropic;
mod bedrock;
mod chat;
mod cohere;
mod gemini;
mod ollama;
mod responses;

use crate::meaning::Meaning;
use crate::rows::Row;
use llm::{Api, Dialect, FinishReason, Usage};
use serde_json::{Value, json};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Text,
    Call,
    /// A call of a tool that takes nothing.
    HollowCall,
    TextAndCall,
    ParallelCalls,
    Reasoning,
    Refusal,
    /// The provider's policy ends it.
    Withheld,
    Length,
    StopSequence,
    /// Tokens from a cache, into it, and of thoughts.
    Usage,
    /// It ends for a reason that we have no word for.
    UnknownEnd,
    /// The same with a call in it.
    UnknownEndBesideCall,
    /// Thoughts, words and a call.
    Rich,
}

impl Scene {
    pub(crate) const ALL: [Self; 14] = [
        Self::Text,
        Self::Call,
        Self::HollowCall,
        Self::TextAndCall,
        Self::ParallelCalls,
        Self::Reasoning,
        Self::Refusal,
        Self::Withheld,
        Self::Length,
        Self::StopSequence,
        Self::Usage,
        Self::UnknownEnd,
        Self::UnknownEndBesideCall,
        Self::Rich,
    ];

    /// What it means where the provider has a word for all of it.
    pub(crate) fn meaning(self) -> Meaning {
        let plain = Meaning {
            finish: Some(FinishReason::Stop),
            usage: Some(Usage { input: 20, output: 9, ..Usage::default() }),
            ..Meaning::default()
        };
        let calls = |calls: &[(&str, &str, Value)]| Meaning {
            calls: calls.iter().map(|(id, name, input)| ((*id).into(), (*name).into(), input.clone())).collect(),
            finish: Some(FinishReason::ToolCalls),
            ..plain.clone()
        };
        let rome = || json!({"city": "Rome \u{e9}"});
        let ended = |finish| Meaning { text: "cut of".into(), finish: Some(finish), ..plain.clone() };
        match self {
            Self::Text => Meaning { text: "H\u{e9}llo\n\"x\" \u{1f600}".into(), ..plain },
            Self::Call => calls(&[("call_a", "f", rome())]),
            Self::HollowCall => calls(&[("call_a", "f", json!({}))]),
            Self::TextAndCall => Meaning { text: "so".into(), ..calls(&[("call_a", "f", rome())]) },
            Self::ParallelCalls => calls(&[("call_a", "f", json!({"a": 1})), ("call_b", "g", json!({"b": [2]}))]),
            Self::Reasoning => Meaning {
                thought: "hm, yes".into(),
                text: "so".into(),
                seals: vec!["c2ln".into()],
                usage: plain.usage.map(|usage| Usage { reasoning: 5, ..usage }),
                ..plain
            },
            Self::Refusal => Meaning { refusal: "I won't".into(), ..plain },
            Self::Withheld => ended(FinishReason::ContentFilter),
            Self::Length => ended(FinishReason::Length),
            Self::StopSequence => Meaning { stop: Some("END".into()), ..ended(FinishReason::Stop) },
            Self::Usage => Meaning {
                text: "so".into(),
                usage: Some(Usage { input: 20, output: 9, cached: 8, cache_written: 4, reasoning: 5 }),
                ..plain
            },
            Self::UnknownEnd => ended(FinishReason::Other),
            Self::Rich => Meaning {
                thought: "hm".into(),
                text: "so".into(),
                seals: vec!["c2ln".into()],
                usage: Some(Usage { input: 20, output: 9, cached: 8, cache_written: 4, reasoning: 5 }),
                ..calls(&[("call_a", "f", json!({"city": "Rome"}))])
            },
            Self::UnknownEndBesideCall => {
                Meaning { finish: Some(FinishReason::Other), ..calls(&[("call_a", "f", rome())]) }
            }
        }
    }
}

/// An answer over the wire.
pub(crate) struct Wire {
    /// The bytes of each event of a stream.
    pub(crate) events: Vec<Vec<u8>>,
    pub(crate) whole: Vec<u8>,
    /// What it says: the scene's meaning as far as the provider tells it.
    pub(crate) meaning: Meaning,
}

/// What the providers of a row answer; nothing where their dialect has no such scene.
pub(crate) fn answer(row: Row, scene: Scene) -> Option<Wire> {
    match row.api {
        Api::Shared(Dialect::OpenAiChat) => Some(chat::answer(row, scene)),
        Api::Shared(Dialect::Anthropic) => anthropic::answer(scene),
        Api::Shared(Dialect::Gemini) => gemini::answer(scene),
        Api::Shared(Dialect::Responses) => Some(responses::answer(scene)),
        // Numbers are no answers of a model.
        Api::Shared(Dialect::Other(_)) | Api::BedrockCount | Api::Vectors(_) => None,
        Api::Cohere => cohere::answer(scene),
        Api::Ollama => ollama::answer(scene),
        Api::Bedrock => bedrock::answer(scene),
    }
}

/// What says within a stream that the provider failed.
pub(crate) fn failure(api: Api) -> Vec<u8> {
    match api {
        Api::Shared(Dialect::Anthropic) => anthropic::failure(),
        Api::Shared(Dialect::Gemini) => gemini::failure(),
        Api::Shared(Dialect::Responses) => responses::failure(),
        Api::Shared(_) | Api::BedrockCount | Api::Vectors(_) => chat::failure(),
        Api::Cohere => cohere::failure(),
        Api::Ollama => ollama::failure(),
        Api::Bedrock => bedrock::failure(),
    }
}

/// An error body of a provider that throttles, with its status and, of Amazon, its name.
pub(crate) fn throttled(api: Api) -> (u16, Option<&'static str>, Value) {
    match api {
        Api::Shared(Dialect::Anthropic) => {
            (429, None, json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}))
        }
        Api::Shared(Dialect::Gemini) => {
            (429, None, json!({"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}))
        }
        Api::Shared(_) | Api::BedrockCount | Api::Vectors(_) => (
            429,
            None,
            json!({"error": {"message": "Slow down.", "type": "requests", "param": null, "code": "rate_limit_exceeded"}}),
        ),
        Api::Cohere => (429, None, json!({"id": "x", "message": "Slow down."})),
        Api::Ollama => (429, None, json!({"error": "Slow down."})),
        Api::Bedrock => (429, Some("ThrottlingException"), json!({"message": "Slow down."})),
    }
}

/// Events whose data stands in lines.
fn sent(events: impl IntoIterator<Item = Value>) -> Vec<Vec<u8>> {
    let event = |data: Value| match data["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    };
    events.into_iter().map(|data| event(data).into_bytes()).collect()
}

/// A text in two pieces, the second of which begins behind its first character.
fn pieces(text: &str) -> [&str; 2] {
    let middle = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
    let (first, rest) = text.split_at(middle);
    [first, rest]
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
