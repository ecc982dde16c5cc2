//! What a model thought, under all the names that servers give it, in order and once.
//!
//! `reasoning_content` is DeepSeek's and others' field, `reasoning` vLLM's, Groq's and OpenRouter's; OpenRouter's
//! `reasoning_details` and LiteLLM's `thinking_blocks` come beside them, repeat the words, and hold what has to be given
//! back. Read alike in answers and in messages that are given back. Must never be here: parts of a content.

use super::raw::{list, object, text, value};
use super::seal::of_format;
use super::shape::Shape;
use llm::{Dialect, Seal, SealKind};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of a message or delta in which thoughts are told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thoughts<'a> {
    pub(super) reasoning_content: Option<&'a RawValue>,
    pub(super) reasoning: Option<&'a RawValue>,
    pub(super) reasoning_details: Option<&'a RawValue>,
    pub(super) thinking_blocks: Option<&'a RawValue>,
}

/// A step of a thought.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// The literal of some words.
    Words(&'a RawValue),
    /// The thought is over, and this has to come back with it.
    Sealed(Seal),
}

impl<'a> Thoughts<'a> {
    /// The steps told in one object: those of the list that has words, else the plain words and what the list seals.
    pub(super) fn steps(self) -> Vec<Step<'a>> {
        let mut steps: Vec<Step<'a>> = list(self.reasoning_details).into_iter().flat_map(detail).collect();
        if steps.is_empty() {
            steps = list(self.thinking_blocks).into_iter().flat_map(block).collect();
        }
        if !steps.iter().any(|step| matches!(step, Step::Words(_))) {
            let plain = words(self.reasoning_content).or_else(|| words(self.reasoning));
            steps.splice(0..0, plain);
        }
        steps
    }
}

/// Words, where something is said.
fn words(raw: Option<&RawValue>) -> Option<Step<'_>> {
    raw.filter(|raw| Shape::of(raw) == Shape::Text { empty: false }).map(Step::Words)
}

/// An entry of `reasoning_details`.
fn detail(raw: &RawValue) -> Vec<Step<'_>> {
    #[derive(Deserialize)]
    struct Detail<'a> {
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
        #[serde(borrow, default)]
        summary: Option<&'a RawValue>,
        #[serde(borrow, default)]
        signature: Option<&'a RawValue>,
        #[serde(borrow, default)]
        data: Option<&'a RawValue>,
        #[serde(borrow, default)]
        format: Option<&'a RawValue>,
    }
    let Some(detail) = object::<Detail<'_>>(Some(raw)) else { return Vec::new() };
    let seal = |raw, kind| {
        let token: Option<String> = value(raw);
        token.filter(|token| !token.is_empty()).map(|token| Step::Sealed(of_format(detail.format, kind, &token)))
    };
    let signature = seal(detail.signature, SealKind::Signature);
    let data = seal(detail.data, SealKind::Encrypted);
    [words(detail.text), words(detail.summary), signature, data].into_iter().flatten().collect()
}

/// The literal in which a list of one entry says the words once more that stand beside it.
pub(super) fn again<'a>(entries: Option<&'a RawValue>) -> Option<&'a str> {
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
        #[serde(borrow, default)]
        summary: Option<&'a RawValue>,
        #[serde(borrow, default)]
        thinking: Option<&'a RawValue>,
    }
    let [entry]: [Entry<'a>; 1] = serde_json::from_str(entries?.get()).ok()?;
    entry.text.or(entry.summary).or(entry.thinking).map(RawValue::get)
}

/// An entry of `thinking_blocks`, which is Anthropic's whatever it says; also a part of a content.
pub(super) fn block(raw: &RawValue) -> Vec<Step<'_>> {
    #[derive(Deserialize)]
    struct Block<'a> {
        /// Text, or Mistral's list of parts.
        #[serde(borrow, default)]
        thinking: Option<&'a RawValue>,
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
        #[serde(borrow, default)]
        signature: Option<&'a RawValue>,
        #[serde(borrow, default)]
        data: Option<&'a RawValue>,
    }
    let Some(block) = object::<Block<'_>>(Some(raw)) else { return Vec::new() };
    let inner = list(block.thinking).into_iter().flat_map(self::block);
    let mut steps: Vec<Step<'_>> = [words(block.thinking), words(block.text)].into_iter().flatten().collect();
    steps.extend(inner);
    let seals = [(block.signature, SealKind::Signature), (block.data, SealKind::Encrypted)];
    steps.extend(
        seals
            .into_iter()
            .filter(|(raw, _)| words(*raw).is_some())
            .map(|(raw, kind)| Step::Sealed(Seal { of: Dialect::Anthropic, kind, token: text(raw).into() })),
    );
    steps
}
