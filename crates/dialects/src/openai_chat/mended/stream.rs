//! A streamed answer with words of it replaced, event by event.

use super::super::assemble::{Assembler, Piece};
use super::super::splice::{Splice, literal, span, splice};
use super::hollow::Hollow;
use super::{Slot, changes, says_something, slot};
use crate::sse::{Framer, as_event};
use bytes::{Bytes, BytesMut};
use llm::Answer;
use std::collections::BTreeMap;
use std::ops::Range;

/// The events in `held`, all of a streamed answer that reads as `before`, so that they read as `after`.
///
/// The first event that says anything of a text or of arguments that differ says all of them; what later events say
/// of it is taken out, and events that then say nothing at all are left out. All else stays byte for byte: the very
/// same bytes where nothing differs.
///
/// Nothing where something else differs than texts and arguments, where what differs stands nowhere, and where an
/// event is no answer's.
#[must_use]
pub fn mended_stream(held: &[u8], before: &Answer, after: &Answer) -> Option<Bytes> {
    let changes = changes(before, after)?;
    if changes.is_empty() {
        return Some(Bytes::copy_from_slice(held));
    }
    let (events, rest) = events(held)?;
    let edits = edits(&events, changes)?;
    let mut hollow = Hollow::default();
    let mut mended = BytesMut::with_capacity(held.len());
    for (event, edit) in events.iter().zip(edits) {
        match edit {
            Edit::None => {
                hollow.note(event.data());
                mended.extend_from_slice(&event.raw);
            }
            Edit::Replaced { splices, leads } => {
                let data = splice(event.data(), splices);
                if leads || !hollow.is(&data) {
                    hollow.note(&data);
                    mended.extend_from_slice(&event.with_data(&data)?);
                }
            }
        }
    }
    mended.extend_from_slice(&rest);
    // However an answer is written and cut up, what reads as something else never leaves.
    (read(&mended)? == *after).then(|| mended.freeze())
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

/// What is to be done with one event.
enum Edit {
    None,
    Replaced {
        splices: Vec<Splice>,
        /// It says all of something that is new.
        leads: bool,
    },
}

impl Edit {
    fn add(&mut self, splice: Splice, new: bool) {
        if let Self::None = self {
            *self = Self::Replaced { splices: Vec::new(), leads: false };
        }
        if let Self::Replaced { splices, leads } = self {
            splices.push(splice);
            *leads |= new;
        }
    }
}

/// What is to be done with each of `events`; nothing where a change has no place in them.
fn edits(events: &[Event], changes: BTreeMap<Slot, &str>) -> Option<Vec<Edit>> {
    let places = places(events)?;
    let mut edits: Vec<Edit> = events.iter().map(|_| Edit::None).collect();
    for (slot, words) in changes {
        let pieces = places.get(&slot)?;
        let first = pieces.iter().position(|(_, piece)| says_something(piece)).unwrap_or(0);
        for (position, (event, piece)) in pieces.iter().enumerate() {
            let new = position == first;
            if new || says_something(piece) {
                let place = span(events.get(*event)?.data(), piece.literal);
                edits.get_mut(*event)?.add((place, literal(if new { words } else { "" })), new);
            }
        }
    }
    Some(edits)
}

/// Each piece of each part of the answer, with the position of its event; nothing where an event is no answer's.
fn places(events: &[Event]) -> Option<BTreeMap<Slot, Vec<(usize, Piece<'_>)>>> {
    let mut places: BTreeMap<Slot, Vec<(usize, Piece<'_>)>> = BTreeMap::new();
    let mut assembler = Assembler::default();
    for (at, event) in events.iter().enumerate().filter(|(_, event)| !event.data().is_empty()) {
        assembler
            .push_telling(event.data(), &mut |piece| places.entry(slot(&piece)).or_default().push((at, piece)))
            .ok()?;
    }
    Some(places)
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
