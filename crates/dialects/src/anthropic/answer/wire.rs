//! The objects of an answer as this dialect's writers write them.
//!
//! Must never be here: when they are written.

use super::super::usage::Told;
use llm::Usage;
use serde::Serialize;
use serde_json::value::RawValue;

/// A message: a whole answer, or what opens a stream.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: &'a [Box<RawValue>],
    #[serde(flatten)]
    pub(super) end: End<'a>,
    usage: Told,
}

impl<'a> Message<'a> {
    pub(super) fn new(id: &'a str, model: &'a str, content: &'a [Box<RawValue>], end: End<'a>, usage: Usage) -> Self {
        Self { id, kind: "message", role: "assistant", model, content, end, usage: usage.into() }
    }
}

/// Why an answer ended; all null where it has not.
#[derive(Default, Serialize)]
pub(super) struct End<'a> {
    pub(super) stop_reason: Option<&'a str>,
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_details: Option<Details<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<&'a RawValue>,
}

/// Why the model declined, in words.
#[derive(Serialize)]
pub(super) struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    category: Option<&'a str>,
    explanation: &'a str,
}

impl<'a> Details<'a> {
    pub(super) fn new(explanation: &'a str) -> Self {
        Self { kind: "refusal", category: None, explanation }
    }
}

/// A block as it begins in a stream, or whole.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<&'a [Box<RawValue>]>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a RawValue,
    },
}

/// What is added to a block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::enum_variant_names, reason = "the names are the dialect's")]
pub(super) enum Added<'a> {
    TextDelta { text: &'a str },
    ThinkingDelta { thinking: &'a str },
    SignatureDelta { signature: &'a str },
    InputJsonDelta { partial_json: &'a str },
    CitationsDelta { citation: &'a RawValue },
}

/// An event, under the name of its variant.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: u32, content_block: Block<'a> },
    ContentBlockDelta { index: u32, delta: Added<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: End<'a>, usage: Told },
}

impl Event<'_> {
    /// Its name, as its `event` line has it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
        }
    }
}
