//! An answer with words of it replaced: text, or the arguments of calls, and nothing else.
//!
//! Receives the bytes of an answer and what was read from them, before and after the change; hands on bytes that read
//! as what is after. Whatever did not change stays byte for byte. Must never be here: what is changed, and why.

mod hollow;
mod stream;
#[cfg(test)]
mod tests;

pub use stream::mended_stream;

use super::assemble::{Assembler, Piece, read_answer};
use super::splice::{literal, span, splice};
use bytes::Bytes;
use llm::{Answer, Choice, ToolCall};
use std::collections::BTreeMap;

/// The whole answer in `body`, which reads as `before`, so that it reads as `after`.
///
/// The very same bytes where nothing differs. Nothing where something else differs than texts and arguments, or where
/// what differs stands in no one place: in several parts of a list, or nowhere.
#[must_use]
pub fn mended(body: &Bytes, before: &Answer, after: &Answer) -> Option<Bytes> {
    let changes = changes(before, after)?;
    if changes.is_empty() {
        return Some(body.clone());
    }
    let mut places: BTreeMap<Slot, Vec<Piece<'_>>> = BTreeMap::new();
    Assembler::default().push_telling(body, &mut |piece| places.entry(slot(&piece)).or_default().push(piece)).ok()?;
    let splices = changes.into_iter().map(|(slot, words)| match places.get(&slot)?.as_slice() {
        [piece] => Some((span(body, piece.literal), literal(words))),
        _ => None,
    });
    let mended = splice(body, splices.collect::<Option<_>>()?);
    // However an answer is written, what reads as something else never leaves.
    (read_answer(&mended).ok()? == *after).then_some(mended)
}

/// A part of an answer that can be replaced: the place of its choice, and the position of the call whose arguments it
/// is; the choice's text where none.
type Slot = (u32, Option<usize>);

fn slot(piece: &Piece<'_>) -> Slot {
    (piece.choice, piece.call)
}

/// Whether anything stands at `piece` that would be read.
fn says_something(piece: &Piece<'_>) -> bool {
    !matches!(piece.literal.get(), "null" | "\"\"")
}

/// What is to be replaced, and by what; nothing where something differs that cannot be.
fn changes<'a>(before: &Answer, after: &'a Answer) -> Option<BTreeMap<Slot, &'a str>> {
    let alike = before.model == after.model && before.choices.len() == after.choices.len();
    let mut changes = BTreeMap::new();
    for (before, after) in before.choices.iter().zip(&after.choices) {
        if !same_but_words(before, after) {
            return None;
        }
        if before.text != after.text {
            changes.insert((after.index, None), after.text.as_str());
        }
        for (position, (before, after_call)) in before.calls.iter().zip(&after.calls).enumerate() {
            if before.arguments != after_call.arguments {
                changes.insert((after.index, Some(position)), after_call.arguments.as_str());
            }
        }
    }
    alike.then_some(changes)
}

/// Whether two choices differ in nothing but text and arguments.
fn same_but_words(before: &Choice, after: &Choice) -> bool {
    // A field that is added must be judged here too.
    let Choice { index, text: _, refusal, calls, finish, reasoned, media } = before;
    let alike = |(before, after): (&ToolCall, &ToolCall)| {
        let ToolCall { id, name, arguments: _, free } = before;
        (id, name, free) == (&after.id, &after.name, &after.free)
    };
    (index, refusal, finish, reasoned, media)
        == (&after.index, &after.refusal, &after.finish, &after.reasoned, &after.media)
        && calls.len() == after.calls.len()
        && calls.iter().zip(&after.calls).all(alike)
}
