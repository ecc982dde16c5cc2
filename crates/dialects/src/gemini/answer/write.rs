//! Steps of an answer to Google's objects.
//!
//! Receives steps; hands on events of a stream, items of a list, or one whole answer. Calls, reasons and usage are held
//! until the answer is over, and then stand in one last object: a client has seen a reason only where all of it is there.
//! What is held is the text of calls, which a reader has bounded, and a line for each of at most 128 candidates.
//! Must never be here: whether the answer is any good.

use super::super::chunk::MAX_CANDIDATES;
use super::super::error::{as_event, as_last_entry};
use super::super::seal::token;
use super::super::stop::told;
use super::beyond::{LeftOut, Stands};
use super::form::{Beside, Call, Candidate, Named, Part, mark_unsigned};
use crate::{Head, Rendered};
use bytes::BytesMut;
use llm::{Delta, FinishReason, Seal, Usage};
use std::collections::BTreeMap;

/// Writes an answer step by step.
#[derive(Debug)]
pub struct Writer {
    named: Named,
    listed: bool,
    /// Something has been written.
    begun: bool,
    candidates: BTreeMap<u32, Held>,
    usage: Option<Usage>,
    left_out: LeftOut,
}

/// What is held of a candidate until it is over.
#[derive(Debug, Default)]
struct Held {
    /// Its calls, each with its number.
    calls: Vec<(u32, Call)>,
    finish: Option<FinishReason>,
}

impl Writer {
    /// Writes server-sent events, as for `alt=sse`.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            named: Named { id: head.id, model: head.model },
            listed: false,
            begun: false,
            candidates: BTreeMap::new(),
            usage: None,
            left_out: LeftOut::default(),
        }
    }

    /// Writes one JSON list, as without `alt=sse`.
    #[must_use]
    pub fn list(head: Head) -> Self {
        Self { listed: true, ..Self::new(head) }
    }

    /// Names of what steps said that Google has no word for.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        self.left_out.names()
    }

    /// Writes what `delta` says, where it can leave at once.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        match delta {
            Delta::Began { id, model } => self.named.learn(id, model),
            Delta::Text { choice, text } | Delta::Refusal { choice, text } => {
                self.text(*choice, text, false, None, out);
            }
            Delta::Thought { choice, text } => self.text(*choice, text, true, None, out),
            Delta::TextSealed { choice, seal } => self.seal(*choice, seal, false, out),
            Delta::ThoughtSealed { choice, seal } => self.seal(*choice, seal, true, out),
            Delta::Call { choice, call, id, name, free, seal } => {
                if let Some(held) = self.held(*choice) {
                    held.calls.push((*call, Call::new(id, name, *free, seal.as_ref())));
                }
            }
            Delta::Arguments { choice, call, text } => {
                let calls = self.held(*choice).map(|held| &mut held.calls).into_iter().flatten();
                if let Some((_, held)) = calls.rev().find(|(number, _)| number == call) {
                    held.arguments.push_str(text);
                }
            }
            Delta::Other { choice, name, json } => self.other(*choice, name, json, out),
            Delta::Ended { choice, finish, .. } => {
                if let Some(held) = self.held(*choice) {
                    held.finish = held.finish.or(Some(*finish));
                }
            }
            Delta::Used(usage) => self.usage = Some(*usage),
        }
    }

    /// Writes the end of a whole answer. A candidate that never said why it stopped says that nobody knows.
    pub fn finish(&mut self, out: &mut BytesMut) {
        let mut candidates = std::mem::take(&mut self.candidates);
        for held in candidates.values_mut() {
            held.calls.iter().for_each(|(_, call)| self.left_out.judge(call));
            mark_unsigned(held.calls.iter_mut().map(|(_, call)| call));
        }
        let nobody = BTreeMap::from([(0, Held::default())]);
        let last = if candidates.is_empty() { &nobody } else { &candidates };
        let candidates = last.iter().map(|(index, held)| {
            let mut parts: Vec<Part<'_>> = held.calls.iter().map(|(_, call)| call.part()).collect();
            if parts.is_empty() {
                parts.push(Part::Text { text: "", thought: false, signature: None });
            }
            let finish_reason = Some(told(held.finish, !held.calls.is_empty()));
            Candidate { finish_reason, ..Candidate::saying(*index, parts) }
        });
        self.write(candidates.collect(), self.usage, out);
        if self.listed {
            out.extend_from_slice(b"\n]\n");
        }
    }

    /// Writes `error` as the end of an answer that broke off.
    pub fn fail(&mut self, error: &Rendered, out: &mut BytesMut) {
        if self.listed {
            out.extend_from_slice(&as_last_entry(error, self.begun));
        } else {
            out.extend_from_slice(&as_event(error));
        }
        self.begun = true;
    }

    fn text(&mut self, choice: u32, text: &str, thought: bool, signature: Option<&str>, out: &mut BytesMut) {
        let something = !text.is_empty() || signature.is_some();
        if self.held(choice).is_some() && something {
            self.say(choice, Part::Text { text, thought, signature }, out);
        }
    }

    fn seal(&mut self, choice: u32, seal: &Seal, thought: bool, out: &mut BytesMut) {
        self.text(choice, "", thought, Some(&token(seal)), out);
    }

    fn other(&mut self, choice: u32, name: &str, json: &str, out: &mut BytesMut) {
        match Stands::of(name, json) {
            Some(Stands::Beside(name, json)) if self.held(choice).is_some() => {
                let beside = Beside(vec![(name, json)]);
                let candidate = Candidate { content: None, finish_reason: None, index: choice, beside };
                self.write(vec![candidate], None, out);
            }
            Some(Stands::Part(json)) if self.held(choice).is_some() => self.say(choice, Part::Raw(json), out),
            _ => self.left_out.tell(name),
        }
    }

    fn say(&mut self, choice: u32, part: Part<'_>, out: &mut BytesMut) {
        self.write(vec![Candidate::saying(choice, vec![part])], None, out);
    }

    fn write(&mut self, candidates: Vec<Candidate<'_>>, usage: Option<Usage>, out: &mut BytesMut) {
        out.extend_from_slice(self.before());
        self.begun = true;
        self.named.object(candidates, usage).write(out);
        if !self.listed {
            out.extend_from_slice(b"\n\n");
        }
    }

    /// What stands before the next object.
    fn before(&self) -> &'static [u8] {
        match (self.listed, self.begun) {
            (false, _) => b"data: ",
            (true, false) => b"[",
            (true, true) => b",\n",
        }
    }

    /// What is held of a candidate; nothing, which is told, where there are too many.
    fn held(&mut self, choice: u32) -> Option<&mut Held> {
        if choice >= MAX_CANDIDATES {
            self.left_out.tell("choices");
            return None;
        }
        Some(self.candidates.entry(choice).or_default())
    }
}
