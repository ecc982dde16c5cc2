//! A streamed answer with words of it replaced, event by event.

use super::super::assemble::Assembler;
use super::super::splice::splice;
use super::edits::edits;
use super::hollow::Hollow;
use super::traces::Traces;
use super::{Manner, changes, reads_as};
use crate::sse::{Framer, as_event};
use bytes::{Bytes, BytesMut};
use llm::Answer;
use std::collections::BTreeSet;
use std::ops::Range;

/// The events in `held`, all of a streamed answer that reads as `before`, so that they read as `after`.
///
/// The first event that says anything of what differs says all of it; what later events say of it is taken out, and
/// events that then say nothing at all are left out. All else stays byte for byte: the very same bytes where nothing
/// differs. Of reasoning holds what [`mended`](super::mended) says.
///
/// Nothing where something else differs than words and arguments, where what differs stands nowhere, and where an
/// event is no answer's.
#[must_use]
pub fn mended_stream(held: &[u8], before: &Answer, after: &Answer) -> Option<Bytes> {
    exchanged(held, before, after, Manner::Mended)
}

/// As [`mended_stream`], where `taken` are the words that `after` lacks because nobody may see them.
///
/// What says the words of a changed choice again goes as [`redacted`](super::redacted) says. Nothing where any string
/// of the events, or the strings of one place one event after the other, would still hold one of `taken`.
#[must_use]
pub fn redacted_stream(held: &[u8], before: &Answer, after: &Answer, taken: &BTreeSet<String>) -> Option<Bytes> {
    let redacted = exchanged(held, before, after, Manner::Redacted)?;
    let (events, _) = events(&redacted)?;
    let mut traces = Traces::default();
    events.iter().map(Event::data).filter(|data| !data.is_empty()).try_for_each(|data| traces.push(data))?;
    traces.are_none(&redacted, taken).then_some(redacted)
}

fn exchanged(held: &[u8], before: &Answer, after: &Answer, manner: Manner) -> Option<Bytes> {
    let changes = changes(before, after)?;
    if changes.is_empty() {
        return Some(Bytes::copy_from_slice(held));
    }
    let (events, rest) = events(held)?;
    let data: Vec<&[u8]> = events.iter().map(Event::data).collect();
    let edits = edits(&data, &changes, manner)?;
    let mut hollow = Hollow::default();
    let mut exchanged = BytesMut::with_capacity(held.len());
    for (event, edit) in events.iter().zip(edits) {
        if edit.splices.is_empty() {
            hollow.note(event.data());
            exchanged.extend_from_slice(&event.raw);
            continue;
        }
        let data = splice(event.data(), edit.splices);
        if edit.leads || !hollow.is(&data) {
            hollow.note(&data);
            exchanged.extend_from_slice(&event.with_data(&data)?);
        }
    }
    exchanged.extend_from_slice(&rest);
    // However an answer is written and cut up, what reads as something else never leaves.
    reads_as(read(&exchanged)?, before, after).then(|| exchanged.freeze())
}

/// One event as it came.
struct Event {
    raw: Bytes,
    data: Data,
}

/// An event's data.
enum Data {
    /// Where it stands in the event.
    Line(Range<usize>),
    /// What several lines of the event say together.
    Joined(Vec<u8>),
    None,
}

impl Event {
    /// Its data; empty where it has none, or the terminator.
    fn data(&self) -> &[u8] {
        let data = match &self.data {
            Data::Line(range) => self.raw.get(range.clone()).unwrap_or_default(),
            Data::Joined(joined) => joined,
            Data::None => &[],
        };
        if data.trim_ascii() == b"[DONE]" { &[] } else { data }
    }

    /// The same event with other data, written on as many lines.
    fn with_data(&self, data: &[u8]) -> Option<Bytes> {
        let text = std::str::from_utf8(data).ok()?;
        match &self.data {
            Data::Line(range) => Some(splice(&self.raw, vec![(range.clone(), text.to_owned())])),
            // Outside strings, where alone a line can end, all white space is the same.
            Data::Joined(_) => Some(as_event(&text.replace('\n', " "))),
            Data::None => None,
        }
    }
}

/// All events in `held`, and the bytes behind the last; nothing where one is too long.
fn events(held: &[u8]) -> Option<(Vec<Event>, Bytes)> {
    let mut framer = Framer::default();
    framer.push(held);
    let mut events = Vec::new();
    loop {
        while let Some(block) = framer.next_block().ok()? {
            let data = match (block.one_line(), framer.data(&block)) {
                (Some(range), _) => Data::Line(range),
                (None, Some(joined)) => Data::Joined(joined.to_vec()),
                (None, None) => Data::None,
            };
            events.push(Event { raw: framer.take(block.end), data });
        }
        if !framer.has_partial() {
            return Some((events, framer.rest()));
        }
        // A last event that lacks only the blank line behind it counts, as it does when it is read.
        framer.push(b"\n\n");
    }
}

/// The answer that a stream's bytes hold.
pub(super) fn read(stream: &[u8]) -> Option<Answer> {
    let (events, _) = events(stream)?;
    let mut assembler = Assembler::default();
    for event in events.iter().filter(|event| !event.data().is_empty()) {
        assembler.push(event.data()).ok()?;
    }
    Some(assembler.finish())
}
