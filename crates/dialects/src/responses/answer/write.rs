//! An answer for a client: deltas to events, or to one body.
//!
//! Keeps the laws of the dialect whatever the deltas are: events are numbered from 0, items stand at places from 0, each
//! is opened once and closed once, and the last event holds the answer as a whole. That is why all of it is held while it
//! is written: 32 MiB, behind which the answer ends as one that met its limit.
//! Must never be here: how one item is written.

use super::super::error::fail;
use super::super::seal::{Place, carried};
use super::item::OfItem;
use super::object::{Snapshot, Status};
use super::open::{Call, Events, Message, Spot, Thought};
use super::{ANNOTATION, HOSTED, MAX_BYTES};
use crate::{Head, Rendered};
use bytes::{Bytes, BytesMut};
use llm::{Delta, FinishReason, Seal, Usage};
use serde::Serialize;
use serde_json::value::RawValue;

/// The most names of things that could not be said.
const MAX_LEFT_OUT: usize = 32;
/// The most characters of an answer's id that its items are named after.
const STEM: usize = 40;

/// Writes one answer.
#[derive(Debug)]
pub struct Writer {
    id: String,
    model: String,
    created: u64,
    began: bool,
    over: bool,
    sequence: u64,
    /// Nothing but the whole answer is asked for.
    quiet: bool,
    /// Items in the order of their places; those that are not done are missing.
    items: Vec<Option<Box<RawValue>>>,
    open: Open,
    /// Calls that may be gone on with.
    calls: Vec<Call>,
    /// A call has begun.
    called: bool,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    /// Bytes held.
    held: usize,
    left_out: Vec<String>,
}

/// The item that words belong to.
#[derive(Debug)]
enum Open {
    None,
    Message(Message),
    Thought(Thought),
}

/// Writes a whole answer.
#[must_use]
pub fn write_answer(head: &Head, deltas: &[Delta]) -> Bytes {
    let mut writer = Writer { quiet: true, ..Writer::new(head.clone()) };
    let mut nothing = BytesMut::new();
    for delta in deltas {
        writer.push(delta, &mut nothing);
    }
    writer.close_all(&mut nothing);
    serde_json::to_vec(&writer.last()).unwrap_or_default().into()
}

impl Writer {
    /// A writer for one answer, which `head` tells of where the provider does not.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            id: head.id,
            model: head.model,
            created: head.created,
            began: false,
            over: false,
            sequence: 0,
            quiet: false,
            items: Vec::new(),
            open: Open::None,
            calls: Vec::new(),
            called: false,
            finish: None,
            usage: None,
            held: 0,
            left_out: Vec::new(),
        }
    }

    /// What could not be said to the client, by name: at most 32.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Writes what one delta adds.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        if self.over {
            return;
        }
        self.begin(delta, out);
        if !self.has_room(delta) {
            self.finish = Some(FinishReason::Length);
            return;
        }
        match delta {
            Delta::Began { .. } => {}
            Delta::Text { choice: 0, text } => self.words(false, text, out),
            Delta::Refusal { choice: 0, text } => self.words(true, text, out),
            Delta::Thought { choice: 0, text } => self.thought(text, out),
            Delta::ThoughtSealed { choice: 0, seal } => self.seal(seal, Place::Thought, out),
            Delta::TextSealed { choice: 0, seal } => self.seal(seal, Place::Text, out),
            Delta::Call { choice: 0, call, id, name, free, seal } => {
                if let Some(seal) = seal {
                    self.seal(seal, Place::Call, out);
                }
                self.call((*call, id.clone(), name.clone(), *free), out);
            }
            Delta::Arguments { choice: 0, call, text } => self.arguments(*call, text, out),
            Delta::Other { choice: 0, name, json } => self.other(name, json, out),
            Delta::Ended { choice: 0, finish, .. } => {
                self.finish.get_or_insert(*finish);
            }
            Delta::Used(usage) => self.usage = Some(*usage),
            // Nobody who speaks this dialect can ask for several.
            _ => self.leave_out("choices"),
        }
    }

    /// Writes the last event; whatever comes behind it is not written.
    pub fn finish(&mut self, out: &mut BytesMut) {
        #[derive(Serialize)]
        struct Last<'a> {
            response: Snapshot<'a>,
        }
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.begin(&Delta::Used(Usage::default()), out);
        self.close_all(out);
        let mut sequence = self.sequence;
        let last = self.last();
        let kind = if last.status == Status::Completed { "response.completed" } else { "response.incomplete" };
        Events { out, sequence: &mut sequence, quiet: self.quiet }.say(kind, &Last { response: last });
        self.sequence = sequence;
    }

    /// Writes that the answer failed, in place of the last event, even if that has been written: it may have been kept
    /// back, as may all of the answer, of which nothing is said again. Items that are open stay so.
    pub fn fail(&mut self, error: &Rendered, out: &mut BytesMut) {
        self.over = true;
        let mut sequence = self.sequence;
        fail(error, &Snapshot { output: &[], ..self.snapshot() }, &mut sequence, out);
        self.sequence = sequence;
    }

    fn snapshot(&self) -> Snapshot<'_> {
        let Self { id, model, created, items, .. } = self;
        Snapshot { id, model, created: *created, output: items, ..Snapshot::default() }
    }

    /// The answer as a whole. Usage that nobody told is zero: there are clients that cannot do without.
    fn last(&self) -> Snapshot<'_> {
        let (status, reason) = match self.ended() {
            Some(FinishReason::Stop | FinishReason::ToolCalls) => (Status::Completed, None),
            Some(FinishReason::Length) => (Status::Incomplete, Some("max_output_tokens")),
            Some(FinishReason::ContentFilter) => (Status::Incomplete, Some("content_filter")),
            Some(FinishReason::Other) | None => (Status::Incomplete, None),
        };
        Snapshot { status, reason, usage: Some(self.usage.unwrap_or_default()), ..self.snapshot() }
    }

    /// Why it ended. An answer that called tools ended in that, if it ended well at all, as in all dialects.
    fn ended(&self) -> Option<FinishReason> {
        match self.finish {
            Some(FinishReason::Other) if self.called => Some(FinishReason::ToolCalls),
            finish => finish,
        }
    }

    fn begin(&mut self, delta: &Delta, out: &mut BytesMut) {
        #[derive(Serialize)]
        struct First<'a> {
            response: Snapshot<'a>,
        }
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        if let Delta::Began { id, model } = delta {
            for (ours, theirs) in [(&mut self.id, id), (&mut self.model, model)] {
                if !theirs.is_empty() {
                    ours.clone_from(theirs);
                }
            }
        }
        let mut sequence = self.sequence;
        let mut to = Events { out, sequence: &mut sequence, quiet: self.quiet };
        for kind in ["response.created", "response.in_progress"] {
            to.say(kind, &First { response: self.snapshot() });
        }
        self.sequence = sequence;
    }

    /// Whether what a delta adds may still be held.
    fn has_room(&mut self, delta: &Delta) -> bool {
        self.held += match delta {
            Delta::Text { text, .. }
            | Delta::Thought { text, .. }
            | Delta::Refusal { text, .. }
            | Delta::Arguments { text, .. } => text.len(),
            Delta::Call { id, name, .. } => id.len() + name.len(),
            Delta::Other { json, .. } => json.len(),
            Delta::ThoughtSealed { seal, .. } | Delta::TextSealed { seal, .. } => seal.token.len(),
            Delta::Began { .. } | Delta::Ended { .. } | Delta::Used(_) => return true,
        };
        self.held <= MAX_BYTES
    }

    fn leave_out(&mut self, name: &str) {
        if self.left_out.len() < MAX_LEFT_OUT && !self.left_out.iter().any(|one| one == name) {
            self.left_out.push(name.to_owned());
        }
    }

    /// The next place.
    fn place(&mut self) -> u32 {
        self.items.push(None);
        u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
    }

    /// The next place, and an id for the item there.
    fn spot(&mut self, prefix: &str) -> Spot {
        let place = self.place();
        Spot { place, id: format!("{prefix}_{}_{place}", self.stem()) }
    }

    fn stem(&self) -> String {
        self.id.strip_prefix("resp_").unwrap_or(&self.id).chars().take(STEM).collect()
    }

    fn words(&mut self, refusal: bool, text: &str, out: &mut BytesMut) {
        if !matches!(self.open, Open::Message(_)) {
            self.close("completed", out);
            self.close_calls(false, "completed", out);
            let spot = self.spot("msg");
            self.open = Open::Message(Message::open(spot, &mut self.events(out)));
        }
        let mut to = Events { out, sequence: &mut self.sequence, quiet: self.quiet };
        if let Open::Message(message) = &mut self.open {
            message.push(refusal, text, &mut to);
        }
    }

    fn thought(&mut self, text: &str, out: &mut BytesMut) {
        self.open_thought("", out);
        let mut to = Events { out, sequence: &mut self.sequence, quiet: self.quiet };
        if let Open::Thought(thought) = &mut self.open {
            thought.push(text, &mut to);
        }
    }

    /// Opens a thought where none is open; `id` names it where it has a name already.
    fn open_thought(&mut self, id: &str, out: &mut BytesMut) {
        if !matches!(self.open, Open::Thought(_)) {
            self.close("completed", out);
            self.close_calls(false, "completed", out);
            let mut spot = self.spot("rs");
            if !id.is_empty() {
                id.clone_into(&mut spot.id);
            }
            self.open = Open::Thought(Thought::open(spot, &mut self.events(out)));
        }
    }

    /// A seal goes in a reasoning item: that of the thought, or one of its own.
    fn seal(&mut self, seal: &Seal, place: Place, out: &mut BytesMut) {
        if place != Place::Thought {
            self.close("completed", out);
        }
        let (id, content) = carried(seal, place, matches!(self.open, Open::Thought(_)));
        self.open_thought(id, out);
        let Open::Thought(thought) = std::mem::replace(&mut self.open, Open::None) else { return };
        let done = thought.close(Some(&content), &mut self.events(out));
        self.keep(done);
    }

    fn call(&mut self, told: (u32, String, String, bool), out: &mut BytesMut) {
        self.close("completed", out);
        self.close_calls(true, "completed", out);
        self.called = true;
        let (number, mut call_id, name, free) = told;
        let spot = self.spot(if free { "ctc" } else { "fc" });
        if call_id.is_empty() {
            call_id = format!("call_{}_{}", self.stem(), spot.place);
        }
        let call = Call::open(spot, (number, call_id, name, free), &mut self.events(out));
        self.calls.push(call);
    }

    fn arguments(&mut self, number: u32, text: &str, out: &mut BytesMut) {
        let mut to = Events { out, sequence: &mut self.sequence, quiet: self.quiet };
        match self.calls.iter_mut().find(|call| call.number == number) {
            Some(call) => call.push(text, &mut to),
            None => self.leave_out("arguments"),
        }
    }

    fn other(&mut self, name: &str, json: &str, out: &mut BytesMut) {
        // The JSON of an event is one line.
        let line = json.trim_ascii().replace(['\n', '\r'], " ");
        let object = Some(line).filter(|line| line.starts_with('{')).and_then(|line| RawValue::from_string(line).ok());
        let said = match object {
            Some(json) if name == ANNOTATION => self.annotate(json, out),
            Some(json) if HOSTED.contains(&name) => {
                self.close("completed", out);
                self.close_calls(false, "completed", out);
                let place = self.place();
                let mut to = self.events(out);
                to.say("response.output_item.added", &OfItem { output_index: place, item: &json });
                to.done(place, &json);
                self.keep((place, Some(json)));
                true
            }
            _ => false,
        };
        if !said {
            self.leave_out(name);
        }
    }

    fn annotate(&mut self, annotation: Box<RawValue>, out: &mut BytesMut) -> bool {
        let mut to = Events { out, sequence: &mut self.sequence, quiet: self.quiet };
        match &mut self.open {
            Open::Message(message) => message.annotate(annotation, &mut to).is_ok(),
            Open::None | Open::Thought(_) => false,
        }
    }

    fn events<'a>(&'a mut self, out: &'a mut BytesMut) -> Events<'a> {
        Events { out, sequence: &mut self.sequence, quiet: self.quiet }
    }

    /// Closes the item that words belong to.
    fn close(&mut self, status: &'static str, out: &mut BytesMut) {
        let open = std::mem::replace(&mut self.open, Open::None);
        let mut to = self.events(out);
        let done = match open {
            Open::None => return,
            Open::Message(message) => message.close(status, &mut to),
            Open::Thought(thought) => thought.close(None, &mut to),
        };
        self.keep(done);
    }

    /// Closes calls: those whose arguments are whole, or all of them.
    fn close_calls(&mut self, whole: bool, status: &'static str, out: &mut BytesMut) {
        for call in std::mem::take(&mut self.calls) {
            if whole && !call.is_whole() {
                self.calls.push(call);
            } else {
                let done = call.close(status, &mut self.events(out));
                self.keep(done);
            }
        }
    }

    /// Closes everything as the answer ends.
    fn close_all(&mut self, out: &mut BytesMut) {
        let done = matches!(self.ended(), Some(FinishReason::Stop | FinishReason::ToolCalls));
        let status = if done { "completed" } else { "incomplete" };
        self.close(status, out);
        self.close_calls(true, "completed", out);
        self.close_calls(false, status, out);
    }

    fn keep(&mut self, (place, item): (u32, Option<Box<RawValue>>)) {
        if let Some(kept) = self.items.get_mut(place as usize) {
            *kept = item;
        }
    }
}
