//! What says the words of a choice again, in other fields than those they are read from.
//!
//! Receives an event's data; hands on places and new literals. Judges by names: whether anything is left that nobody
//! thought of is found out afterwards, by the words themselves.

use super::super::shape::Shape;
use super::super::splice::{Splice, literal, span};
use super::Manner;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What changed of a choice.
#[derive(Debug, Default)]
pub(super) struct Doubled<'a> {
    /// The event in which its reasoning is told, and the reasoning; where that changed.
    pub(super) reasoning: Option<(usize, &'a str)>,
}

/// What has to be replaced in the event at `at` for the choices that changed.
pub(super) fn doubles(data: &[u8], at: usize, changed: &BTreeMap<u32, Doubled<'_>>, manner: Manner) -> Vec<Splice> {
    let body: Option<Body<'_>> = serde_json::from_slice(data).ok();
    let choices: Vec<Choice<'_>> = body.and_then(|body| value(body.choices)).unwrap_or_default();
    let mut splices = Vec::new();
    let mut replace = |raw: Option<&RawValue>, new: String| {
        if let Some(raw) = raw.filter(|raw| Shape::of(raw).is_something()) {
            splices.push((span(data, raw), new));
        }
    };
    for choice in choices {
        let Some(doubled) = changed.get(&value(choice.index).unwrap_or(0)) else { continue };
        let said = [choice.delta, choice.message].map(value::<Said<'_>>);
        if manner == Manner::Redacted {
            let own = [choice.logprobs, choice.token_ids, choice.provider_specific_fields];
            let inner =
                said.iter().flatten().flat_map(|said| [said.logprobs, said.token_ids, said.provider_specific_fields]);
            own.into_iter().chain(inner).for_each(|raw| replace(raw, "null".to_owned()));
        }
        for said in said.iter().flatten() {
            let Some((lead, words)) = doubled.reasoning else { continue };
            let words = Some(literal(words)).filter(|_| at == lead && !words.is_empty());
            let list = |before: &str| words.as_ref().map_or("[]".to_owned(), |words| format!("[{{{before}{words}}}]"));
            replace(said.reasoning_details, list(r#""type":"reasoning.text","text":"#));
            replace(said.thinking_blocks, list(r#""type":"thinking","thinking":"#));
        }
    }
    splices
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    logprobs: Option<&'a RawValue>,
    /// vLLM's: the text in numbers.
    #[serde(borrow, default)]
    token_ids: Option<&'a RawValue>,
    /// LiteLLM's: what the provider said, once more.
    #[serde(borrow, default)]
    provider_specific_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking_blocks: Option<&'a RawValue>,
    #[serde(borrow, default)]
    logprobs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    token_ids: Option<&'a RawValue>,
    #[serde(borrow, default)]
    provider_specific_fields: Option<&'a RawValue>,
}

/// What `raw` holds, where it has that shape.
fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
