//! How an object of an answer is put down.
//!
//! Must never be here: which steps make which object.

use super::super::json::{arguments, input, raw};
use super::super::seal::{UNSIGNED, token};
use super::super::stop::word;
use bytes::{BufMut, BytesMut};
use llm::{FinishReason, Seal, Usage};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// What an answer is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) model: String,
}

impl Named {
    /// Takes the provider's own names, where it has any.
    pub(super) fn learn(&mut self, id: &str, model: &str) {
        for (own, told) in [(&mut self.id, id), (&mut self.model, model)] {
            if !told.is_empty() {
                told.clone_into(own);
            }
        }
    }

    pub(super) fn object<'a>(&'a self, candidates: Vec<Candidate<'a>>, usage: Option<Usage>) -> Object<'a> {
        Object { candidates, usage_metadata: usage.map(Counts::of), model_version: &self.model, response_id: &self.id }
    }
}

/// A `GenerateContentResponse`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<Counts>,
    pub(super) model_version: &'a str,
    pub(super) response_id: &'a str,
}

impl Object<'_> {
    pub(super) fn write(&self, out: &mut BytesMut) {
        // Borrowed text cannot fail to serialise, and a buffer takes all.
        let _ = serde_json::to_writer(out.writer(), self);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_word")]
    pub(super) finish_reason: Option<FinishReason>,
    pub(super) index: u32,
    #[serde(flatten)]
    pub(super) beside: Beside<'a>,
}

impl<'a> Candidate<'a> {
    /// One that says `parts`, and nothing else.
    pub(super) fn saying(index: u32, parts: Vec<Part<'a>>) -> Self {
        let content = Some(Content { parts, role: "model" });
        Self { content, finish_reason: None, index, beside: Beside(Vec::new()) }
    }
}

fn as_word<S: Serializer>(reason: &Option<FinishReason>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.map_or("", word))
}

#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<Part<'a>>,
    pub(super) role: &'static str,
}

/// What stands beside a candidate's parts, by name.
pub(super) struct Beside<'a>(pub(super) Vec<(&'a str, &'a RawValue)>);

impl Serialize for Beside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, json) in &self.0 {
            map.serialize_entry(name, json)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        thought: bool,
        #[serde(rename = "thoughtSignature", skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
    },
    Call {
        #[serde(rename = "functionCall")]
        call: FunctionCall<'a>,
        #[serde(rename = "thoughtSignature", skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
    },
    Raw(&'a RawValue),
}

#[derive(Serialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    name: &'a str,
    args: Box<RawValue>,
}

/// A call, held until its arguments are whole: Google's clients know no others.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// It takes text, whatever that looks like.
    pub(super) free: bool,
    pub(super) signature: Option<Arc<str>>,
}

impl Call {
    pub(super) fn new(id: &str, name: &str, free: bool, seal: Option<&Seal>) -> Self {
        let signature = seal.map(|seal| token(seal).into());
        Self { id: id.to_owned(), name: name.to_owned(), arguments: String::new(), free, signature }
    }

    /// Its arguments as an object, and whether they were meant to be told so.
    pub(super) fn args(&self) -> (Cow<'_, str>, bool) {
        if self.free { (Cow::Owned(input(&self.arguments)), true) } else { arguments(&self.arguments) }
    }

    pub(super) fn part(&self) -> Part<'_> {
        let (args, _) = self.args();
        let args = raw(args.into_owned());
        Part::Call { call: FunctionCall { id: &self.id, name: &self.name, args }, signature: self.signature.as_deref() }
    }
}

/// Says of the first of a candidate's calls that nobody signed them, where that is so: whoever gives them back to Google
/// has to.
pub(super) fn mark_unsigned<'a>(calls: impl Iterator<Item = &'a mut Call>) {
    let mut calls: Vec<&mut Call> = calls.collect();
    let unsigned = calls.iter().all(|call| call.signature.is_none());
    if let Some(first) = calls.first_mut().filter(|_| unsigned) {
        first.signature = Some(UNSIGNED.into());
    }
}

/// Token counts as Google tells them: thoughts apart from the rest of the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
    candidates_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
    total_token_count: u64,
}

impl Counts {
    pub(super) fn of(usage: Usage) -> Self {
        let thoughts = usage.reasoning.min(usage.output);
        Self {
            prompt_token_count: usage.input,
            cached_content_token_count: usage.cached,
            candidates_token_count: usage.output - thoughts,
            thoughts_token_count: thoughts,
            total_token_count: usage.input.saturating_add(usage.output),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
