//! An answer with words of it replaced: what a choice says, declines with or thinks, or the arguments of calls; nothing
//! else.
//!
//! Receives the bytes of an answer and what was read from them, before and after the change; hands on bytes that read
//! as what is after. Whatever did not change stays byte for byte; only where words were taken out for good goes what
//! says them again elsewhere. Must never be here: what is changed, and why.

mod doubles;
mod edits;
mod hollow;
mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod traces;

pub use stream::{mended_stream, redacted_stream};

use super::assemble::{Slot, read_answer};
use super::splice::splice;
use bytes::Bytes;
use edits::edits;
use llm::{Answer, Choice, Lane, ToolCall};
use std::collections::{BTreeMap, BTreeSet};
use traces::Traces;

/// The whole answer in `body`, which reads as `before`, so that it reads as `after`.
///
/// The very same bytes where nothing differs. Nothing where something else differs than words and arguments, or where
/// what differs stands in no one place: in several parts of a list, or nowhere. Reasoning may stand in several fields
/// at once, and changes in each; that of signed or encrypted entries is then replaced by one entry without either.
#[must_use]
pub fn mended(body: &Bytes, before: &Answer, after: &Answer) -> Option<Bytes> {
    exchanged(body, before, after, Manner::Mended)
}

/// As [`mended`], where `taken` are the words that `after` lacks because nobody may see them.
///
/// What says the words of a changed choice again goes too: its `logprobs`, `token_ids` and `provider_specific_fields`.
/// Words in several parts of a list are joined in the first. Nothing where any string of the body, or its keys, would
/// still hold one of `taken`, or where that would cost too much to find out.
#[must_use]
pub fn redacted(body: &Bytes, before: &Answer, after: &Answer, taken: &BTreeSet<String>) -> Option<Bytes> {
    let redacted = exchanged(body, before, after, Manner::Redacted)?;
    let mut traces = Traces::default();
    traces.push(&redacted)?;
    traces.are_none(&redacted, taken).then_some(redacted)
}

fn exchanged(body: &Bytes, before: &Answer, after: &Answer, manner: Manner) -> Option<Bytes> {
    let changes = changes(before, after)?;
    if changes.is_empty() {
        return Some(body.clone());
    }
    let edit = edits(&[body], &changes, manner)?.pop()?;
    let in_place = manner == Manner::Redacted || edit.once;
    let exchanged = splice(body, edit.splices);
    // However an answer is written, what reads as something else never leaves.
    (in_place && reads_as(read_answer(&exchanged).ok()?, before, after)).then_some(exchanged)
}

/// Why words are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// They were not quite right.
    Mended,
    /// Nobody may see what they were.
    Redacted,
}

/// What is to be replaced, and by what, by the place of the choice.
pub(crate) type Changes<'a> = BTreeMap<(u32, Slot), &'a str>;

/// Nothing where something differs that cannot be replaced.
pub(crate) fn changes<'a>(before: &Answer, after: &'a Answer) -> Option<Changes<'a>> {
    let alike = before.model == after.model && before.choices.len() == after.choices.len();
    let mut changes = BTreeMap::new();
    for (before, after) in before.choices.iter().zip(&after.choices) {
        if !same_but_words(before, after) {
            return None;
        }
        for lane in Lane::ALL.into_iter().filter(|lane| before.words(*lane) != after.words(*lane)) {
            changes.insert((after.index, Slot::Words(lane)), after.words(lane));
        }
        for (position, (before, after_call)) in before.calls.iter().zip(&after.calls).enumerate() {
            if before.arguments != after_call.arguments {
                changes.insert((after.index, Slot::Arguments(position)), after_call.arguments.as_str());
            }
        }
    }
    alike.then_some(changes)
}

/// Whether two choices differ in nothing but words and arguments.
fn same_but_words(before: &Choice, after: &Choice) -> bool {
    // A field that is added must be judged here too.
    let Choice { index, text: _, refusal: _, reasoning: _, calls, finish, sealed, media } = before;
    let alike = |(before, after): (&ToolCall, &ToolCall)| {
        let ToolCall { id, name, arguments: _, free } = before;
        (id, name, free) == (&after.id, &after.name, &after.free)
    };
    (index, finish, sealed, media) == (&after.index, &after.finish, &after.sealed, &after.media)
        && calls.len() == after.calls.len()
        && calls.iter().zip(&after.calls).all(alike)
}

/// Whether `read` is what is after. Reasoning that changed takes what was sealed of it along.
pub(crate) fn reads_as(mut read: Answer, before: &Answer, after: &Answer) -> bool {
    for ((read, before), after) in read.choices.iter_mut().zip(&before.choices).zip(&after.choices) {
        if before.reasoning != after.reasoning {
            read.sealed = after.sealed;
        }
    }
    read == *after
}
