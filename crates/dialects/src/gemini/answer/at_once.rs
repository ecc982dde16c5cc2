//! A whole answer, written at once: what a stream of it says in pieces stands in as few parts as there can be.
//!
//! Receives all steps; hands on the body. Must never be here: what is held while steps still come.

use super::super::chunk::MAX_CANDIDATES;
use super::super::seal::token;
use super::super::stop::told;
use super::beyond::Stands;
use super::form::{Beside, Call, Candidate, Content, Named, Part, mark_unsigned};
use crate::Head;
use bytes::{Bytes, BytesMut};
use llm::{Delta, FinishReason, Seal, Usage};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The words of a whole answer for the steps in `deltas`.
#[must_use]
pub fn write_answer(head: &Head, deltas: &[Delta]) -> Bytes {
    let mut whole = Whole { named: Named { id: head.id.clone(), model: head.model.clone() }, ..Whole::default() };
    for delta in deltas {
        whole.take(delta);
    }
    whole.write()
}

/// A whole answer under construction.
#[derive(Default)]
struct Whole<'a> {
    named: Named,
    candidates: BTreeMap<u32, Said<'a>>,
    usage: Option<Usage>,
}

/// What a candidate says in all.
#[derive(Default)]
struct Said<'a> {
    pieces: Vec<Piece<'a>>,
    beside: Vec<(&'a str, &'a RawValue)>,
    finish: Option<FinishReason>,
}

enum Piece<'a> {
    Text { text: String, thought: bool, signature: Option<Arc<str>> },
    Call(u32, Call),
    Raw(&'a RawValue),
}

impl<'a> Whole<'a> {
    fn take(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Began { id, model } => self.named.learn(id, model),
            Delta::Used(usage) => self.usage = Some(*usage),
            Delta::Text { choice, .. }
            | Delta::Thought { choice, .. }
            | Delta::Refusal { choice, .. }
            | Delta::TextSealed { choice, .. }
            | Delta::ThoughtSealed { choice, .. }
            | Delta::Call { choice, .. }
            | Delta::Arguments { choice, .. }
            | Delta::Other { choice, .. }
            | Delta::Ended { choice, .. } => {
                if *choice < MAX_CANDIDATES {
                    self.candidates.entry(*choice).or_default().take(delta);
                }
            }
        }
    }

    fn write(mut self) -> Bytes {
        if self.candidates.is_empty() {
            self.candidates.insert(0, Said::default());
        }
        for said in self.candidates.values_mut() {
            mark_unsigned(said.pieces.iter_mut().filter_map(|piece| match piece {
                Piece::Call(_, call) => Some(call),
                _ => None,
            }));
        }
        let candidates = self.candidates.iter().map(|(index, said)| Candidate {
            content: Some(Content { parts: said.pieces.iter().map(Piece::part).collect(), role: "model" }),
            finish_reason: Some(told(said.finish, said.pieces.iter().any(|piece| matches!(piece, Piece::Call(..))))),
            index: *index,
            beside: Beside(said.beside.clone()),
        });
        let mut out = BytesMut::new();
        self.named.object(candidates.collect(), self.usage).write(&mut out);
        out.freeze()
    }
}

impl<'a> Said<'a> {
    fn take(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Text { text, .. } | Delta::Refusal { text, .. } => self.text(text, false),
            Delta::Thought { text, .. } => self.text(text, true),
            Delta::TextSealed { seal, .. } => self.seal(seal, false),
            Delta::ThoughtSealed { seal, .. } => self.seal(seal, true),
            Delta::Call { call, id, name, free, seal, .. } => {
                self.pieces.push(Piece::Call(*call, Call::new(id, name, *free, seal.as_ref())));
            }
            Delta::Arguments { call, text, .. } => self.arguments(*call, text),
            Delta::Other { name, json, .. } => match Stands::of(name, json) {
                Some(Stands::Beside(name, json)) => self.beside.push((name, json)),
                Some(Stands::Part(json)) => self.pieces.push(Piece::Raw(json)),
                None => {}
            },
            Delta::Ended { finish, .. } => self.finish = self.finish.or(Some(*finish)),
            Delta::Began { .. } | Delta::Used(_) => {}
        }
    }

    fn text(&mut self, more: &str, of: bool) {
        match self.pieces.last_mut() {
            Some(Piece::Text { text, thought, signature: None }) if *thought == of => text.push_str(more),
            _ if more.is_empty() => {}
            _ => self.pieces.push(Piece::Text { text: more.to_owned(), thought: of, signature: None }),
        }
    }

    fn seal(&mut self, seal: &Seal, of: bool) {
        let token = Arc::from(token(seal));
        match self.pieces.last_mut() {
            Some(Piece::Text { thought, signature, .. }) if *thought == of && signature.is_none() => {
                *signature = Some(token);
            }
            _ => self.pieces.push(Piece::Text { text: String::new(), thought: of, signature: Some(token) }),
        }
    }

    fn arguments(&mut self, call: u32, text: &str) {
        let held = self.pieces.iter_mut().rev().find_map(|piece| match piece {
            Piece::Call(number, held) if *number == call => Some(held),
            _ => None,
        });
        if let Some(held) = held {
            held.arguments.push_str(text);
        }
    }
}

impl Piece<'_> {
    fn part(&self) -> Part<'_> {
        match self {
            Self::Text { text, thought, signature } => {
                Part::Text { text, thought: *thought, signature: signature.as_deref() }
            }
            Self::Call(_, call) => call.part(),
            Self::Raw(json) => Part::Raw(json),
        }
    }
}
