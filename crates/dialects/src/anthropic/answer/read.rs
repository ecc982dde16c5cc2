//! Events to deltas.
//!
//! Receives the data of one event after the other, or a whole body; hands on deltas. Both go one path: what a stream
//! opens with is a message as a whole answer is, mostly an empty one. Must never be here: whether an answer is complete
//! or any good.

use super::super::event::{Added, Block, End, Event, Message};
use super::super::json::{list, object, text};
use super::super::seal::{Place, seal};
use super::super::stop;
use super::super::usage::Counted;
use super::open::Open;
use super::{CITATIONS, CONTAINER, MAX_BYTES, MOST};
use crate::Unread;
use crate::shape::Shape;
use crate::template::{Mould, Template};
use llm::{Delta, Seal, SealKind};
use serde_json::value::RawValue;

/// Reads an answer.
///
/// Holds nothing of text, thoughts and arguments; of a block that is no noun of ours, and of a signature, what has come
/// until the block ends, 32 MiB at most. At most 128 calls are read.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    /// A block has come, or a part of one.
    spoken: bool,
    ended: bool,
    open: Vec<Open>,
    calls: u32,
    counted: Counted,
    /// Bytes handed on and held.
    taken: usize,
    run: Run,
    /// The seal of the call that comes next.
    of_call: Option<Seal>,
    /// The last event that said nothing but a piece of text.
    template: Template,
    /// The last event, where it said nothing but a piece of a thought or of a call's input.
    mould: Mould,
}

/// Blocks of text that follow each other.
#[derive(Debug, Default)]
struct Run {
    /// The last block was text.
    on: bool,
    /// It said something.
    said: bool,
    /// It holds citations, or may.
    cited: bool,
}

impl Reader {
    /// Takes in the data of one event.
    ///
    /// # Errors
    /// What is too large, and what is no event of an answer.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        if let Some([text, ..]) = self.template.values(data) {
            return self.say(text.to_owned(), out);
        }
        if let Some((piece, bytes)) = self.mould.cast(data) {
            self.take(bytes)?;
            out.push(piece);
            return Ok(());
        }
        let before = out.len();
        let event = Event::read(data).filter(|event| !event.is_error()).ok_or(Unread::NotAnAnswer)?;
        self.event(data, &event, out)?;
        let added = object::<Added<'_>>(event.delta).filter(|added| added.kind != "text_delta").unwrap_or_default();
        self.mould.learn(data, [added.piece(), None, None], out.get(before..).unwrap_or_default());
        Ok(())
    }

    fn event(&mut self, data: &[u8], event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        match &*event.kind {
            "message_start" => {
                let message = object::<Message<'_>>(event.message).filter(|_| !self.spoken);
                self.message(&message.ok_or(Unread::NotAnAnswer)?, true, out)
            }
            "content_block_start" => {
                self.block(event.index, event.content_block, out)?;
                Ok(())
            }
            "content_block_delta" => self.added(data, event.index, event.delta, out),
            "content_block_stop" => {
                self.close(|open| open.index == event.index, out);
                Ok(())
            }
            "message_delta" => {
                let end = object::<End<'_>>(event.delta).unwrap_or_default();
                self.end(&end, event.usage, out);
                Ok(())
            }
            "" => Err(Unread::NotAnAnswer),
            _ => Ok(()),
        }
    }

    /// Reads the body of a whole answer.
    ///
    /// # Errors
    /// What is too large, or no message.
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let raw: &RawValue = serde_json::from_slice(body).map_err(|_| Unread::NotAnAnswer)?;
        let message: Message<'_> = object(Some(raw)).ok_or(Unread::NotAnAnswer)?;
        if !message.content.is_some_and(|raw| matches!(Shape::of(raw), Shape::List { .. })) {
            return Err(Unread::NotAnAnswer);
        }
        let mut out = Vec::new();
        Self::default().message(&message, false, &mut out)?;
        Ok(out)
    }

    /// Takes in a message; what opens a `stream` tells usage at once, for it is known before anything is said.
    fn message(&mut self, message: &Message<'_>, stream: bool, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        out.push(Delta::Began { id: text(message.id).into_owned(), model: text(message.model).into_owned() });
        let end = message.end();
        if stream && end.reason().is_none() {
            self.counted.take(message.usage);
            out.extend(self.counted.usage().map(Delta::Used));
        }
        for raw in list(message.content) {
            self.block(None, Some(raw), out)?;
            self.close(|_| true, out);
        }
        if end.reason().is_some() {
            self.end(&end, message.usage, out);
        }
        Ok(())
    }

    /// Takes in a block, or the beginning of one.
    fn block(&mut self, index: Option<u32>, raw: Option<&RawValue>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let raw = raw.ok_or(Unread::NotAnAnswer)?;
        let block: Block<'_> = object(Some(raw)).ok_or(Unread::NotAnAnswer)?;
        self.spoken = true;
        if self.open.len() >= MOST {
            return Err(Unread::TooLarge);
        }
        if block.kind != "text" {
            self.run = Run::default();
        }
        let open = match &*block.kind {
            "text" => {
                self.text_block(&block, out)?;
                Open::plain(index)
            }
            "thinking" => {
                self.thought(block.thinking, out)?;
                Open::thought(index, text(block.signature).into_owned())
            }
            "redacted_thinking" => {
                let (place, seal) = seal(&text(block.data), SealKind::Encrypted);
                self.take(seal.token.len())?;
                match place {
                    Place::Thought => out.push(Delta::ThoughtSealed { choice: 0, seal }),
                    Place::Call => self.of_call = Some(seal),
                }
                Open::plain(index)
            }
            "tool_use" => Open::call(index, self.call(&block, out)?, block.input),
            _ => {
                self.take(raw.get().len())?;
                Open::other(index, &block.kind, raw.get())
            }
        };
        self.open.push(open);
        Ok(())
    }

    fn text_block(&mut self, block: &Block<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let cited = matches!(block.citations.map(Shape::of), Some(Shape::List { .. }));
        if self.run.on && self.run.said && (cited || self.run.cited) {
            // Citations speak of one block alone: where it begins has to be told.
            out.push(Delta::Other { choice: 0, name: CITATIONS.into(), json: "[]".into() });
            self.run.said = false;
        }
        self.run.on = true;
        self.run.cited = cited;
        self.cite(&list(block.citations), out)?;
        self.text(block.text, out)
    }

    fn cite(&mut self, citations: &[&RawValue], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if citations.is_empty() {
            return Ok(());
        }
        let items: Vec<&str> = citations.iter().map(|citation| citation.get()).collect();
        let json = format!("[{}]", items.join(","));
        self.take(json.len())?;
        self.run.cited = true;
        out.push(Delta::Other { choice: 0, name: CITATIONS.into(), json: json.into() });
        Ok(())
    }

    fn call(&mut self, block: &Block<'_>, out: &mut Vec<Delta>) -> Result<u32, Unread> {
        let call = self.calls;
        if usize::try_from(call).is_ok_and(|call| call >= MOST) {
            return Err(Unread::TooLarge);
        }
        self.calls += 1;
        let (id, name) = (text(block.id).into_owned(), text(block.name).into_owned());
        self.take(id.len() + name.len())?;
        out.push(Delta::Call { choice: 0, call, id, name, free: false, seal: self.of_call.take() });
        Ok(call)
    }

    /// Takes in what is added to a block. Text and thoughts say themselves what they are, for servers that forget to
    /// open their block.
    fn added(
        &mut self,
        data: &[u8],
        index: Option<u32>,
        raw: Option<&RawValue>,
        out: &mut Vec<Delta>,
    ) -> Result<(), Unread> {
        let raw = raw.ok_or(Unread::NotAnAnswer)?;
        let added: Added<'_> = object(Some(raw)).ok_or(Unread::NotAnAnswer)?;
        self.spoken = true;
        match &*added.kind {
            "text_delta" => {
                self.template.learn(data, [added.text.map(RawValue::get), None, None]);
                self.text(added.text, out)
            }
            "thinking_delta" => self.thought(added.thinking, out),
            "citations_delta" => self.cite(added.citation.as_slice(), out),
            "signature_delta" => {
                let signature = text(added.signature);
                self.take(signature.len())?;
                match self.open.iter_mut().rev().find(|open| open.index == index) {
                    Some(open) => open.sign(&signature),
                    None => {
                        let (_, seal) = seal(&signature, SealKind::Signature);
                        out.push(Delta::ThoughtSealed { choice: 0, seal });
                    }
                }
                Ok(())
            }
            "input_json_delta" => self.input(index, &text(added.partial_json), out),
            kind => {
                self.take(raw.get().len())?;
                let known = self.open.iter_mut().rev().find(|open| open.index == index);
                if !known.is_some_and(|open| open.add(&added)) {
                    out.push(Delta::Other { choice: 0, name: kind.to_owned(), json: raw.get().into() });
                }
                Ok(())
            }
        }
    }

    fn input(&mut self, index: Option<u32>, piece: &str, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.take(piece.len())?;
        let open = self.open.iter_mut().rev().find(|open| open.index == index).ok_or(Unread::NotAnAnswer)?;
        if !piece.is_empty()
            && let Some(call) = open.input(piece)
        {
            out.push(Delta::Arguments { choice: 0, call, text: piece.to_owned() });
        }
        Ok(())
    }

    fn text(&mut self, raw: Option<&RawValue>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.say(text(raw).into_owned(), out)
    }

    fn say(&mut self, text: String, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.take(text.len())?;
        if !text.is_empty() {
            self.run.said = true;
            out.push(Delta::Text { choice: 0, text });
        }
        Ok(())
    }

    fn thought(&mut self, raw: Option<&RawValue>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let text = text(raw).into_owned();
        self.take(text.len())?;
        if !text.is_empty() {
            out.push(Delta::Thought { choice: 0, text });
        }
        Ok(())
    }

    /// Closes the open blocks that are meant, and tells what was held of them.
    fn close(&mut self, meant: impl Fn(&Open) -> bool, out: &mut Vec<Delta>) {
        let (closed, open) = std::mem::take(&mut self.open).into_iter().partition(meant);
        self.open = open;
        let closed: Vec<Open> = closed;
        out.extend(closed.into_iter().filter_map(Open::close));
    }

    fn end(&mut self, end: &End<'_>, usage: Option<&RawValue>, out: &mut Vec<Delta>) {
        if let Some(container) = end.container.filter(|raw| Shape::of(raw) == Shape::Object) {
            out.push(Delta::Other { choice: 0, name: CONTAINER.into(), json: container.get().into() });
        }
        if let Some(word) = end.reason().filter(|_| !self.ended) {
            self.ended = true;
            self.close(|_| true, out);
            let explanation = end.explanation();
            if !explanation.is_empty() {
                out.push(Delta::Refusal { choice: 0, text: explanation.into_owned() });
            }
            let stop = Some(text(end.stop_sequence).into_owned()).filter(|stop| !stop.is_empty());
            out.push(Delta::Ended { choice: 0, finish: stop::finish(&word), stop });
        }
        self.counted.take(usage);
        if usage.is_some() {
            out.extend(self.counted.usage().map(Delta::Used));
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Unread> {
        self.taken += bytes;
        if self.taken > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}
