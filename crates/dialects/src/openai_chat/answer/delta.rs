//! The objects of an answer as this dialect's writers write them, of a stream and whole.
//!
//! Must never be here: when they are written.

use super::super::seal::{Detail, Extra};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a choice says: a piece of it in a stream, else all.
#[derive(Debug, Default, Serialize)]
pub(super) struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    /// Null where it is told that there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<Detail<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Extra<'a>>,
    #[serde(flatten)]
    pub(super) beside: BTreeMap<&'a str, &'a RawValue>,
}

/// A tool call, or a piece of one.
#[derive(Debug, Default, Serialize)]
pub(super) struct Call<'a> {
    /// Of a stream alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Extra<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Custom<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: &'a str,
}

impl<'a> Call<'a> {
    /// A call with its arguments, or the beginning of it.
    pub(super) fn new(id: Cow<'a, str>, name: &'a str, arguments: &'a str, free: bool) -> Self {
        let kind = Some(if free { "custom" } else { "function" });
        Self { id: Some(id), kind, ..Self::called(Some(name), arguments, free) }
    }

    /// More of a call's arguments.
    pub(super) fn more(index: u32, arguments: &'a str, free: bool) -> Self {
        Self { index: Some(index), ..Self::called(None, arguments, free) }
    }

    fn called(name: Option<&'a str>, arguments: &'a str, free: bool) -> Self {
        let function = (!free).then_some(Function { name, arguments });
        let custom = free.then_some(Custom { name, input: arguments });
        Self { function, custom, ..Self::default() }
    }
}

/// The id of a call that the provider gives none: the same whenever it is asked for, and no other call's.
pub(super) fn call_id(answer: &str, choice: u32, call: u32) -> String {
    let own = answer.strip_prefix("chatcmpl-").unwrap_or(answer);
    format!("call_{own}_{choice}_{call}")
}

/// JSON text on one line, where it is JSON: strings hold no line ends.
pub(super) fn on_one_line(json: &str) -> Option<Box<RawValue>> {
    let line = if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { json.into() };
    serde_json::from_str(&line).ok()
}
