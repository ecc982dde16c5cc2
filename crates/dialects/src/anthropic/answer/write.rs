//! Deltas to events.
//!
//! Receives deltas one after the other; hands on the bytes of a stream. Must never be here: the order of blocks.

use super::super::STOP;
use super::super::event;
use super::super::json::{as_object, has_entries, nothing, object, on_one_line, with};
use super::blocks::{Blocks, Step};
use super::wire::{Added, Block, Details, End, Event, Message};
use crate::Head;
use bytes::{BufMut, BytesMut};
use llm::{Delta, Usage};
use serde_json::value::RawValue;

/// The longest id and model that are written, in characters.
const MAX_NAME: usize = 256;

/// Writes a stream.
///
/// Keeps the dialect's laws whatever the deltas are: one opening event, blocks in order and one at a time, arguments that
/// are JSON, one end with the usage that was told last. The opening event is written with the first block, so that usage
/// told before it stands there. Beside what is held back of blocks, some 1 KB.
#[derive(Debug)]
pub struct Writer {
    blocks: Blocks,
    events: Events,
}

/// What is written so far.
#[derive(Debug)]
struct Events {
    id: String,
    model: String,
    begun: bool,
    /// The block that is open, or comes next.
    index: u32,
}

impl Writer {
    /// A writer of one answer.
    #[must_use]
    pub fn new(head: Head) -> Self {
        let Head { id, model, .. } = head;
        Self { blocks: Blocks::new(&id), events: Events { id, model, begun: false, index: 0 } }
    }

    /// Writes a step of the answer, or holds it until it is in order.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        if let Delta::Began { id, model } = delta {
            self.events.name(id, model);
        }
        let Self { blocks, events } = self;
        let usage = blocks.usage;
        blocks.push(delta, &mut |step| events.step(&step, usage, out));
    }

    /// Writes what ends a whole answer.
    pub fn finish(&mut self, out: &mut BytesMut) {
        let Self { blocks, events } = self;
        let usage = blocks.usage;
        events.begin(usage, out);
        blocks.finish(&mut |step| events.step(&step, usage, out));
        let delta = end(blocks);
        put(&Event::MessageDelta { delta, usage: usage.unwrap_or_default().into() }, out);
        out.put_slice(STOP);
    }

    /// What could not be written, each once: 32 names at most.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        self.blocks.left_out()
    }
}

/// How the answer ended, as both forms of it tell.
pub(super) fn end(blocks: &Blocks) -> End<'_> {
    let (reason, stop_sequence) = blocks.end();
    End {
        stop_reason: Some(reason),
        stop_sequence,
        stop_details: blocks.refusal().map(Details::new),
        container: blocks.container.as_deref().and_then(as_object),
    }
}

/// The provider's name for something, else ours, cut to what is written.
pub(super) fn named(theirs: &str, ours: &str) -> String {
    let name = if theirs.is_empty() { ours } else { theirs };
    name.chars().take(MAX_NAME).collect()
}

impl Events {
    fn name(&mut self, id: &str, model: &str) {
        self.id = named(id, &self.id);
        self.model = named(model, &self.model);
    }

    fn begin(&mut self, usage: Option<Usage>, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.begun, true) {
            let message = Message::new(&self.id, &self.model, &[], End::default(), usage.unwrap_or_default());
            put(&Event::MessageStart { message }, out);
        }
    }

    fn step(&mut self, step: &Step<'_>, usage: Option<Usage>, out: &mut BytesMut) {
        self.begin(usage, out);
        match step {
            Step::Text { cited } => self.start(Block::Text { text: "", citations: cited.then_some(&[]) }, out),
            Step::Thinking => self.start(Block::Thinking { thinking: "", signature: "" }, out),
            Step::Redacted(data) => self.start(Block::RedactedThinking { data }, out),
            Step::Call { id, name } => self.start(Block::ToolUse { id, name, input: nothing() }, out),
            Step::Other(json) => self.other(&on_one_line(json), out),
            Step::Words(text) => self.add(Added::TextDelta { text }, out),
            Step::Thoughts(thinking) => self.add(Added::ThinkingDelta { thinking }, out),
            Step::Input(partial_json) => self.add(Added::InputJsonDelta { partial_json }, out),
            Step::Signature(signature) => self.add(Added::SignatureDelta { signature }, out),
            Step::Citation(json) => {
                if let Ok(citation) = serde_json::from_str(&on_one_line(json)) {
                    self.add(Added::CitationsDelta { citation }, out);
                }
            }
            Step::Close => self.stop(out),
        }
    }

    fn start(&self, content_block: Block<'_>, out: &mut BytesMut) {
        put(&Event::ContentBlockStart { index: self.index, content_block }, out);
    }

    fn add(&self, delta: Added<'_>, out: &mut BytesMut) {
        put(&Event::ContentBlockDelta { index: self.index, delta }, out);
    }

    fn stop(&mut self, out: &mut BytesMut) {
        put(&Event::ContentBlockStop { index: self.index }, out);
        self.index += 1;
    }

    /// Writes a block as it is. What it has for input is added to it, as clients expect of tools.
    fn other(&mut self, json: &str, out: &mut BytesMut) {
        let block: Option<event::Block<'_>> = as_object(json).and_then(|raw| object(Some(raw)));
        let input = block.and_then(|block| block.input).filter(|input| has_entries(input));
        let begun = input.map_or_else(|| json.to_owned(), |input| with(json, input, "{}"));
        out.put_slice(b"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":");
        out.put_slice(format!("{},\"content_block\":{begun}}}\n\n", self.index).as_bytes());
        if let Some(input) = input.map(RawValue::get) {
            self.add(Added::InputJsonDelta { partial_json: input }, out);
        }
        self.stop(out);
    }
}

fn put(event: &Event<'_>, out: &mut BytesMut) {
    out.put_slice(b"event: ");
    out.put_slice(event.name().as_bytes());
    out.put_slice(b"\ndata: ");
    // Writing text to memory cannot fail.
    let _ = serde_json::to_writer((&mut *out).writer(), event);
    out.put_slice(b"\n\n");
}
