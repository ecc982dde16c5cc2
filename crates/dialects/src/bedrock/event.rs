//! The objects of an answer as Bedrock sends them: one event's payload, a whole answer, a block of either.
//!
//! Borrowed throughout: a stream has an event for each few words. Must never be here: what follows from them.

use crate::anthropic::json::{has_entries, object, says, text};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One event: its type around its payload.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) payload: &'a RawValue,
}

impl<'a> Event<'a> {
    /// Reads an event; nothing where `data` is none.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }

    /// Whether it says that the provider failed.
    pub(super) fn is_error(&self) -> bool {
        self.kind.ends_with("Exception") || self.kind.ends_with("Error")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Event<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one entry")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Event<'de>, A::Error> {
                let none = || A::Error::custom("no entry");
                let (Name(kind), payload) = entries.next_entry()?.ok_or_else(none)?;
                match entries.next_entry::<IgnoredAny, IgnoredAny>()? {
                    None => Ok(Event { kind, payload }),
                    Some(_) => Err(A::Error::custom("more than one entry")),
                }
            }
        }
        deserializer.deserialize_map(One)
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The payload of `contentBlockStart`, `contentBlockDelta` and `contentBlockStop`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step<'a> {
    #[serde(default)]
    pub(super) content_block_index: Option<u32>,
    #[serde(borrow, default)]
    start: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    /// Fills events up, so that their lengths tell nothing of the words.
    #[serde(borrow, default)]
    p: Option<&'a RawValue>,
}

impl<'a> Step<'a> {
    /// The literals of what alone differs between most events: a piece of text, of a thought without its signature, or
    /// of a call's input, and what fills up.
    pub(super) fn moving(&self) -> [Option<&'a str>; 3] {
        let block = Block::read(self.block()).unwrap_or_default();
        let piece = match (block.call(), block.thought()) {
            (Some(call), _) => call.input,
            (None, Some(thought)) => thought.text.filter(|_| thought.seal().is_none()),
            (None, None) => block.text,
        };
        [piece.map(RawValue::get), self.p.map(RawValue::get), None]
    }

    /// What begins a block or is added to it, as JSON; nothing where there is none.
    pub(super) fn block(&self) -> Option<&'a RawValue> {
        self.start.or(self.delta)
    }
}

/// A block of content, its beginning, or what is added to it: one of its fields is there, and none of an empty beginning.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_use: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<&'a RawValue>,
    /// Of a whole answer: words with their citations.
    #[serde(borrow, default)]
    pub(super) citations_content: Option<&'a RawValue>,
    /// Of a stream: one citation of the words beside it.
    #[serde(borrow, default)]
    pub(super) citation: Option<&'a RawValue>,
}

impl<'a> Block<'a> {
    /// Reads `raw`; nothing where it is no object.
    pub(super) fn read(raw: Option<&'a RawValue>) -> Option<Self> {
        object(raw)
    }

    /// The call in it.
    pub(super) fn call(&self) -> Option<Call<'a>> {
        object(self.tool_use)
    }

    /// The thought in it.
    pub(super) fn thought(&self) -> Option<Thought<'a>> {
        object(self.reasoning_content)
    }

    /// Whether it begins a call that the client is to make.
    pub(super) fn is_clients_call(&self) -> bool {
        self.call().is_some_and(|call| call.id.is_some() && !call.is_providers())
    }

    /// Whether it holds something the user asked for; `raw` is all of it.
    pub(super) fn is_content(&self, raw: &RawValue) -> bool {
        if let Some(call) = self.call() {
            return call.id.is_some() || says(call.input);
        }
        if let Some(thought) = self.thought() {
            return !thought.words().is_empty() || thought.seal().is_some();
        }
        match self.text {
            Some(words) => says(Some(words)),
            None => has_entries(raw),
        }
    }
}

/// A call, or a piece of its input.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Call<'a> {
    #[serde(borrow, default, rename = "toolUseId")]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    /// An object in a whole answer, a piece of JSON as text in a stream.
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
    /// `server_tool_use` where the provider runs the tool itself.
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
}

impl Call<'_> {
    /// Whether the provider runs the tool itself.
    pub(super) fn is_providers(&self) -> bool {
        text(self.kind) == "server_tool_use"
    }
}

/// A thought: of a whole answer in `reasoningText`, of a stream by itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thought<'a> {
    #[serde(borrow, default)]
    reasoning_text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    redacted_content: Option<&'a RawValue>,
}

/// What has to come back with a thought.
#[derive(Debug)]
pub(super) enum Sealed<'a> {
    /// A signature, or a piece of one.
    Signature(Cow<'a, str>),
    /// The words themselves, encrypted, in base64.
    Redacted(Cow<'a, str>),
}

impl<'a> Thought<'a> {
    fn inner(&self) -> Thought<'a> {
        object(self.reasoning_text).unwrap_or_default()
    }

    /// Its words, or a piece of them.
    pub(super) fn words(&self) -> Cow<'a, str> {
        text(self.text.or(self.inner().text))
    }

    /// What has to come back with it, where that is said.
    pub(super) fn seal(&self) -> Option<Sealed<'a>> {
        let redacted = text(self.redacted_content);
        if !redacted.is_empty() {
            return Some(Sealed::Redacted(redacted));
        }
        let signature = text(self.signature.or(self.inner().signature));
        (!signature.is_empty()).then_some(Sealed::Signature(signature))
    }
}

/// Words with their citations, of a whole answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Cited<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
}

/// Why an answer ended: the payload of `messageStop`, or the fields of a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct End<'a> {
    #[serde(borrow, default)]
    stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    additional_model_response_fields: Option<&'a RawValue>,
}

/// Fields of the model's own answer, which a request asks for by their places.
#[derive(Debug, Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
}

impl<'a> End<'a> {
    /// The reason in Bedrock's words; nothing where the answer goes on.
    pub(super) fn reason(&self) -> Option<Cow<'a, str>> {
        Some(text(self.stop_reason)).filter(|word| !word.is_empty())
    }

    /// The stop sequence that was met, where the model tells. Claude's whole answers have it by itself, its streams in
    /// the `delta` that ends them.
    pub(super) fn sequence(&self) -> Option<String> {
        let fields: Fields<'_> = object(self.additional_model_response_fields)?;
        let inner: Fields<'_> = object(fields.delta).unwrap_or_default();
        Some(text(fields.stop_sequence.filter(|raw| says(Some(raw))).or(inner.stop_sequence)).into_owned())
            .filter(|sequence| !sequence.is_empty())
    }
}

/// The payload of `metadata`, and the same field of a whole answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
}

/// The body of a whole answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Whole<'a> {
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct Output<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

impl<'a> Whole<'a> {
    /// The list of its blocks; nothing where it is no answer.
    pub(super) fn content(&self) -> Option<&'a RawValue> {
        let message = object::<Output<'_>>(self.output)?.message;
        object::<Cited<'_>>(message)?.content.filter(|raw| raw.get().starts_with('['))
    }
}
