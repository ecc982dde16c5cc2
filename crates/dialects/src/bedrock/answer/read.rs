//! Events to deltas.
//!
//! Receives one event after the other, or a whole body; hands on deltas. Both go one path: a block of a whole answer is one
//! that begins, is added to and ends at once. Must never be here: whether an answer is complete or any good.

use super::super::event::{Block, Call, Cited, End, Event, Metadata, Sealed, Step, Thought, Whole};
use super::super::{stop, usage};
use super::open::{Kind, Open, own};
use super::{CITATIONS, MAX_BYTES, MOST};
use crate::Unread;
use crate::anthropic::json::{has_entries, list, object, says, text};
use crate::shape::Shape;
use crate::template::Mould;
use llm::{Delta, SealKind};
use serde_json::value::RawValue;

/// Reads an answer.
///
/// Holds nothing of text, thoughts and arguments; of a signature what has come until its thought ends, 32 MiB at most. At
/// most 128 calls are read.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    ended: bool,
    open: Vec<Open>,
    calls: u32,
    /// Bytes handed on and held.
    taken: usize,
    /// The last event, where it said nothing but one piece.
    mould: Mould,
}

impl Reader {
    /// Takes in one event, its type around its payload.
    ///
    /// # Errors
    /// What is too large, and what is no event of an answer: errors among them.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if let Some((piece, bytes)) = self.mould.cast(data) {
            self.take(bytes)?;
            out.push(piece);
            return Ok(());
        }
        let before = out.len();
        let event = Event::read(data).filter(|event| !event.is_error()).ok_or(Unread::NotAnAnswer)?;
        let payload = Some(event.payload);
        let mut moving = [None; 3];
        self.begin(out);
        match &*event.kind {
            "contentBlockStart" | "contentBlockDelta" => {
                let step: Step<'_> = object(payload).ok_or(Unread::NotAnAnswer)?;
                self.block(step.content_block_index, step.block().ok_or(Unread::NotAnAnswer)?, out)?;
                moving = step.moving();
            }
            "contentBlockStop" => {
                let step: Step<'_> = object(payload).unwrap_or_default();
                self.close(|open| open.index == step.content_block_index, out);
            }
            "messageStop" => self.end(&object(payload).unwrap_or_default(), out),
            "metadata" => count(payload, out),
            _ => {}
        }
        self.mould.learn(data, moving, out.get(before..).unwrap_or_default());
        Ok(())
    }

    /// Reads the body of a whole answer.
    ///
    /// # Errors
    /// What is too large, or no answer.
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let raw: &RawValue = serde_json::from_slice(body).map_err(|_| Unread::NotAnAnswer)?;
        let content = object::<Whole<'_>>(Some(raw)).and_then(|whole| whole.content()).ok_or(Unread::NotAnAnswer)?;
        let (mut reader, mut out) = (Self::default(), Vec::new());
        reader.begin(&mut out);
        for block in list(Some(content)) {
            reader.block(None, block, &mut out)?;
            reader.close(|_| true, &mut out);
        }
        reader.end(&object(Some(raw)).unwrap_or_default(), &mut out);
        count(Some(raw), &mut out);
        Ok(out)
    }

    fn begin(&mut self, out: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.begun, true) {
            // Neither the answer's id nor its model stands in it.
            out.push(Delta::Began { id: String::new(), model: String::new() });
        }
    }

    /// Takes in a block, its beginning, or what is added to it.
    fn block(&mut self, index: Option<u32>, raw: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let block = Block::read(Some(raw)).ok_or(Unread::NotAnAnswer)?;
        // A thought that nobody ended is over where another block goes on, and its seal stands before that.
        self.close(|open| open.index != index && matches!(open.kind, Kind::Thought(_)), out);
        if let Some(call) = block.call() {
            return self.call(index, &call, raw, out);
        }
        if let Some(thought) = block.thought() {
            return self.thought(index, &thought, out);
        }
        if let Some(cited) = object::<Cited<'_>>(block.citations_content) {
            for part in list(cited.content) {
                self.text(Block::read(Some(part)).unwrap_or_default().text, out)?;
            }
            return self.cite(cited.citations.filter(|raw| says(Some(raw))), out);
        }
        if let Some(citation) = block.citation {
            let json = RawValue::from_string(format!("[{}]", citation.get())).map_err(|_| Unread::NotAnAnswer)?;
            return self.cite(Some(&json), out);
        }
        if block.text.is_some() || !has_entries(raw) {
            return self.text(block.text, out);
        }
        self.other(raw, out)
    }

    fn call(
        &mut self,
        index: Option<u32>,
        wire: &Call<'_>,
        raw: &RawValue,
        out: &mut Vec<Delta>,
    ) -> Result<(), Unread> {
        if wire.id.is_some() {
            if wire.is_providers() {
                self.hold(index, Kind::Other)?;
                return self.other(raw, out);
            }
            self.begin_call(index, wire, out)?;
        }
        let Some(input) = wire.input else { return Ok(()) };
        let piece = match Shape::of(input) {
            Shape::Text { .. } => text(Some(input)).into_owned(),
            Shape::Object if !has_entries(input) => return Ok(()),
            _ => input.get().to_owned(),
        };
        self.take(piece.len())?;
        let open = self.open.iter_mut().rev().find(|open| open.index == index).ok_or(Unread::NotAnAnswer)?;
        match &mut open.kind {
            Kind::Call { call, added } if !piece.is_empty() => {
                *added = true;
                out.push(Delta::Arguments { choice: 0, call: *call, text: piece });
                Ok(())
            }
            Kind::Other => self.other(raw, out),
            Kind::Call { .. } | Kind::Thought(_) => Ok(()),
        }
    }

    fn begin_call(&mut self, index: Option<u32>, wire: &Call<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let call = self.calls;
        if usize::try_from(call).is_ok_and(|call| call >= MOST) {
            return Err(Unread::TooLarge);
        }
        let (id, name) = (text(wire.id).into_owned(), text(wire.name).into_owned());
        self.take(id.len() + name.len())?;
        self.hold(index, Kind::Call { call, added: false })?;
        self.calls += 1;
        out.push(Delta::Call { choice: 0, call, id, name, free: false, seal: None });
        Ok(())
    }

    fn thought(&mut self, index: Option<u32>, thought: &Thought<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let words = thought.words().into_owned();
        self.take(words.len())?;
        if !words.is_empty() {
            out.push(Delta::Thought { choice: 0, text: words });
        }
        match thought.seal() {
            None => Ok(()),
            Some(Sealed::Redacted(token)) => {
                self.take(token.len())?;
                out.push(Delta::ThoughtSealed { choice: 0, seal: own(&token, SealKind::Encrypted) });
                Ok(())
            }
            Some(Sealed::Signature(piece)) => {
                self.take(piece.len())?;
                match self.open.iter_mut().rev().find(|open| open.index == index) {
                    Some(Open { kind: Kind::Thought(signature), .. }) => {
                        signature.push_str(&piece);
                        Ok(())
                    }
                    _ => self.hold(index, Kind::Thought(piece.into_owned())),
                }
            }
        }
    }

    fn text(&mut self, raw: Option<&RawValue>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let text = text(raw).into_owned();
        self.take(text.len())?;
        if !text.is_empty() {
            out.push(Delta::Text { choice: 0, text });
        }
        Ok(())
    }

    /// Hands on a list of citations of the words before it.
    fn cite(&mut self, citations: Option<&RawValue>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let Some(citations) = citations else { return Ok(()) };
        self.take(citations.get().len())?;
        out.push(Delta::Other { choice: 0, name: CITATIONS.into(), json: citations.get().into() });
        Ok(())
    }

    /// Hands on what is no noun of ours, by the name of its first entry.
    fn other(&mut self, raw: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.take(raw.get().len())?;
        let name = Event::read(raw.get().as_bytes()).map_or_else(|| "content".into(), |entry| entry.kind.into_owned());
        out.push(Delta::Other { choice: 0, name, json: raw.get().into() });
        Ok(())
    }

    fn hold(&mut self, index: Option<u32>, kind: Kind) -> Result<(), Unread> {
        if self.open.len() >= MOST {
            return Err(Unread::TooLarge);
        }
        self.open.push(Open { index, kind });
        Ok(())
    }

    /// Closes the open blocks that are meant, and tells what was held of them.
    fn close(&mut self, meant: impl Fn(&Open) -> bool, out: &mut Vec<Delta>) {
        if self.open.is_empty() {
            return;
        }
        let (closed, open): (Vec<Open>, Vec<Open>) = std::mem::take(&mut self.open).into_iter().partition(meant);
        self.open = open;
        out.extend(closed.into_iter().filter_map(Open::close));
    }

    fn end(&mut self, end: &End<'_>, out: &mut Vec<Delta>) {
        let Some(word) = end.reason().filter(|_| !self.ended) else { return };
        self.ended = true;
        self.close(|_| true, out);
        out.push(Delta::Ended { choice: 0, finish: stop::finish(&word, self.calls > 0), stop: end.sequence() });
    }

    fn take(&mut self, bytes: usize) -> Result<(), Unread> {
        self.taken += bytes;
        if self.taken > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}

/// Tells what an answer took, where `raw` says that.
fn count(raw: Option<&RawValue>, out: &mut Vec<Delta>) {
    let told = object::<Metadata<'_>>(raw).unwrap_or_default().usage;
    out.extend(usage::usage(told).map(Delta::Used));
}
