//! An answer with words of it replaced, in its client's dialect.
//!
//! Chat completions are changed in place; an answer of another dialect is read and written anew. Must never be here:
//! what is changed, and why.

use crate::openai_chat::assemble::Slot;
use crate::openai_chat::mended::traces::Traces;
use crate::openai_chat::mended::{Changes, changes, reads_as};
use crate::{Fold, Head, Reader, Writer, each_data, openai_chat, read_deltas, write_answer};
use bytes::{Bytes, BytesMut};
use llm::{Answer, Api, Delta, Dialect, Lane};
use std::collections::BTreeSet;

/// The revision of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Revision<'a> {
    /// As it reads now.
    pub before: &'a Answer,
    /// As it is to read: other words, or arguments of calls, and nothing else.
    pub after: &'a Answer,
    /// Words that `after` lacks because nobody may see them.
    pub taken: Option<&'a BTreeSet<String>>,
    /// When it is made, in seconds since 1970: what is written anew bears a date in some dialects.
    pub now: u64,
}

/// The bytes of a whole answer, revised.
///
/// Nothing where it cannot be written so that it reads as it is to, or where words that were taken would still stand in it.
#[must_use]
pub fn revised(dialect: Dialect, body: &Bytes, revision: Revision<'_>) -> Option<Bytes> {
    let Revision { before, after, taken, now } = revision;
    match (dialect, taken) {
        (Dialect::OpenAiChat, Some(taken)) => return openai_chat::redacted(body, before, after, taken),
        (Dialect::OpenAiChat, None) => return openai_chat::mended(body, before, after),
        (Dialect::Anthropic | Dialect::Gemini | Dialect::Responses | Dialect::Other(_), _) => {}
    }
    let deltas = edited(read_deltas(Api::Shared(dialect), body).ok()?, &changes(before, after)?)?;
    let written = write_answer(dialect, &head(&deltas, now), &deltas);
    let read = fold(dialect, &read_deltas(Api::Shared(dialect), &written).ok()?)?;
    (reads_as(read, before, after) && none_are_left([&*written], &written, taken)).then_some(written)
}

/// The bytes that end a stream, revised, its terminator with them, where `held` and `terminator` are the bytes that would.
///
/// Of chat completions `held` may be any part of the stream, of other dialects it has to be all of it. Nothing where
/// [`revised`] would be nothing.
#[must_use]
pub fn revised_stream(
    dialect: Dialect,
    listed: bool,
    held: &[u8],
    terminator: &[u8],
    revision: Revision<'_>,
) -> Option<Bytes> {
    let Revision { before, after, taken, now } = revision;
    if dialect == Dialect::OpenAiChat {
        // A translated stream may say more with its terminator than that it is over.
        let (closing, done) = match terminator.strip_suffix(openai_chat::DONE) {
            Some(closing) => (closing, openai_chat::DONE),
            None => (&[][..], terminator),
        };
        let held = [held, closing].concat();
        let revised = match taken {
            Some(taken) => openai_chat::redacted_stream(&held, before, after, taken)?,
            None => openai_chat::mended_stream(&held, before, after)?,
        };
        return Some([&revised, done].concat().into());
    }
    let all = [held, terminator].concat();
    let deltas = edited(events(dialect, &all)?, &changes(before, after)?)?;
    let (mut writer, mut out) = (Writer::of(dialect, listed, head(&deltas, now)), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    let (written, mut pieces) = (out.freeze(), Vec::new());
    each_data(Api::Shared(dialect), &written, |data| {
        pieces.push(data.to_vec());
        Ok::<_, ()>(())
    })
    .ok()?;
    let read = fold(dialect, &events(dialect, &written)?)?;
    let clean = none_are_left(pieces.iter().map(Vec::as_slice), &written, taken);
    (reads_as(read, before, after) && clean).then_some(written)
}

fn events(dialect: Dialect, raw: &[u8]) -> Option<Vec<Delta>> {
    let (mut reader, mut deltas) = (Reader::of(Api::Shared(dialect)), Vec::new());
    each_data(Api::Shared(dialect), raw, |data| reader.push(data, &mut deltas)).ok()?;
    matches!(deltas.first(), Some(Delta::Began { .. })).then_some(deltas)
}

fn fold(dialect: Dialect, deltas: &[Delta]) -> Option<Answer> {
    let mut fold = Fold::of(dialect);
    deltas.iter().try_for_each(|delta| fold.push(delta)).ok()?;
    Some(fold.finish())
}

/// What the answer says of itself.
fn head(deltas: &[Delta], created: u64) -> Head {
    let began = deltas.iter().find_map(|delta| match delta {
        Delta::Began { id, model } => Some((id.clone(), model.clone())),
        _ => None,
    });
    let (id, model) = began.unwrap_or_default();
    Head { id, model, created, usage: true, ..Head::default() }
}

/// Whether no word of `taken` stands in what is written, or in its `pieces` put together.
fn none_are_left<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    written: &[u8],
    taken: Option<&BTreeSet<String>>,
) -> bool {
    let Some(taken) = taken else { return true };
    let mut traces = Traces::default();
    pieces.into_iter().try_for_each(|piece| traces.push(piece)).is_some() && traces.are_none(written, taken)
}

/// The steps with the changes in them: all new words stand where the first of the old ones did. What seals a thought
/// goes with its words. Nothing where the old ones stand nowhere.
fn edited(deltas: Vec<Delta>, changes: &Changes<'_>) -> Option<Vec<Delta>> {
    let (mut edited, mut put) = (Vec::with_capacity(deltas.len()), BTreeSet::new());
    for delta in deltas {
        let (slot, called) = (slot(&delta), called(&delta));
        match slot.and_then(|slot| changes.get(&slot).map(|words| (slot, *words))) {
            Some((slot, words)) => {
                if !matches!(delta, Delta::ThoughtSealed { .. }) && put.insert(slot) {
                    edited.push(with_words(delta, words));
                }
            }
            None => edited.push(delta),
        }
        // A call without arguments has none to be replaced.
        if let Some((choice, call)) = called {
            let slot = (choice, Slot::Arguments(usize::try_from(call).ok()?));
            if let Some(words) = changes.get(&slot)
                && put.insert(slot)
            {
                edited.push(Delta::Arguments { choice, call, text: (*words).to_owned() });
            }
        }
    }
    (put.len() == changes.len()).then_some(edited)
}

fn slot(delta: &Delta) -> Option<(u32, Slot)> {
    match delta {
        Delta::Text { choice, .. } => Some((*choice, Slot::Words(Lane::Text))),
        Delta::Refusal { choice, .. } => Some((*choice, Slot::Words(Lane::Refusal))),
        Delta::Thought { choice, .. } | Delta::ThoughtSealed { choice, .. } => {
            Some((*choice, Slot::Words(Lane::Reasoning)))
        }
        Delta::Arguments { choice, call, .. } => Some((*choice, Slot::Arguments(usize::try_from(*call).ok()?))),
        _ => None,
    }
}

fn called(delta: &Delta) -> Option<(u32, u32)> {
    match delta {
        Delta::Call { choice, call, .. } => Some((*choice, *call)),
        _ => None,
    }
}

fn with_words(delta: Delta, words: &str) -> Delta {
    let words = words.to_owned();
    match delta {
        Delta::Text { choice, .. } => Delta::Text { choice, text: words },
        Delta::Refusal { choice, .. } => Delta::Refusal { choice, text: words },
        Delta::Thought { choice, .. } => Delta::Thought { choice, text: words },
        Delta::Arguments { choice, call, .. } => Delta::Arguments { choice, call, text: words },
        other => other,
    }
}
