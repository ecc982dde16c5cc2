//! Items of an answer, and the bodies of the events about them, as they are written.
//!
//! Must never be here: in which order they are.

use serde::Serialize;
use serde_json::value::RawValue;

/// Where an event belongs.
#[derive(Clone, Copy, Serialize)]
pub(super) struct At<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: u32,
}

/// The body of an event about a part of an item.
#[derive(Serialize)]
pub(super) struct About<'a, T> {
    #[serde(flatten)]
    pub(super) at: At<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<u32>,
    #[serde(flatten)]
    pub(super) what: T,
}

/// The body of an event about an item as a whole.
#[derive(Serialize)]
pub(super) struct OfItem<'a> {
    pub(super) output_index: u32,
    pub(super) item: &'a RawValue,
}

#[derive(Serialize)]
pub(super) struct Piece<'a> {
    pub(super) delta: &'a str,
    /// Clients' libraries expect it beside text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}

#[derive(Serialize)]
pub(super) struct OfPart<'a> {
    pub(super) part: &'a Content<'a>,
}

#[derive(Serialize)]
pub(super) struct Annotated<'a> {
    pub(super) annotation_index: usize,
    pub(super) annotation: &'a RawValue,
}

/// All of a part, as its last event says it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum All<'a> {
    Text { text: &'a str, logprobs: [(); 0] },
    Refusal { refusal: &'a str },
    Summary { text: &'a str },
    Arguments { name: &'a str, arguments: &'a str },
    Input { input: &'a str },
}

/// A part of a message or of a summary.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content<'a> {
    OutputText { text: &'a str, annotations: &'a [Box<RawValue>], logprobs: [(); 0] },
    Refusal { refusal: &'a str },
    SummaryText { text: &'a str },
}

/// An item.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        id: &'a str,
        status: &'static str,
        role: &'static str,
        content: &'a [Box<RawValue>],
    },
    Reasoning {
        id: &'a str,
        summary: &'a [Content<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<&'a str>,
    },
    FunctionCall {
        id: &'a str,
        status: &'static str,
        call_id: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        namespace: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
    CustomToolCall {
        id: &'a str,
        status: &'static str,
        call_id: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        namespace: &'a str,
        name: &'a str,
        input: &'a str,
    },
}
