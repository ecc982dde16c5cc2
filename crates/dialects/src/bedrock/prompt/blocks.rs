//! The blocks of what is said, each an object with one entry, which names it.
//!
//! Must never be here: what becomes a block.

use super::marks::CachePoint;
use super::media::{Document, Media};
use crate::literal::words;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Block<'a>>,
}

/// A block.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block<'a> {
    Text(#[serde(serialize_with = "words")] &'a str),
    Image(Media<'a>),
    Audio(Media<'a>),
    Document(Document<'a>),
    ToolUse(Call<'a>),
    ToolResult(Given<'a>),
    ReasoningContent(Reasoning<'a>),
    CachePoint(CachePoint),
}

/// A call that was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call<'a> {
    pub(super) tool_use_id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) input: Box<RawValue>,
}

/// What a tool gave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given<'a> {
    pub(super) tool_use_id: Cow<'a, str>,
    pub(super) content: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
}

/// What a model thought.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reasoning<'a> {
    ReasoningText { text: &'a str, signature: &'a str },
    RedactedContent(&'a str),
}
