//! A whole answer, written at once: what a stream of it says in pieces stands in as few parts as there can be.
//!
//! Receives all steps; hands on the body. Must never be here: what is held while steps still come.

use super::super::chunk::MAX_CANDIDATES;
use super::beyond::{LeftOut, Stands};
use super::form::{Beside, Call, Candidate, Content, Named, Part};
use crate::Head;
use bytes::{Bytes, BytesMut};
use llm::{Delta, FinishReason, Usage};
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
        let mut told = LeftOut::default();
        match delta {
            Delta::Began { id, model } => self.named.learn(id, model),
            Delta::Used(usage) => self.usage = Some(*usage),
            Delta::Text { choice, text } | Delta::Refusal { choice, text } => self.said(*choice).text(text, false),
            Delta::Thought { choice, text } => self.said(*choice).text(text, true),
            Delta::TextSealed { choice, seal } => self.said(*choice).seal(told.token(seal), false),
            Delta::ThoughtSealed { choice, seal } => self.said(*choice).seal(told.token(seal), true),
            Delta::Call { choice, call, id, name, seal, .. } => {
                let signature = seal.as_ref().and_then(|seal| told.token(seal));
                let held = Call { id: id.clone(), name: name.clone(), arguments: String::new(), signature };
                self.said(*choice).pieces.push(Piece::Call(*call, held));
            }
            Delta::Arguments { choice, call, text } => self.said(*choice).arguments(*call, text),
            Delta::Other { choice, name, json } => match Stands::of(name, json) {
                Some(Stands::Beside(name, json)) => self.said(*choice).beside.push((name, json)),
                Some(Stands::Part(json)) => self.said(*choice).pieces.push(Piece::Raw(json)),
                None => {}
            },
            Delta::Ended { choice, finish, .. } => {
                let said = self.said(*choice);
                said.finish = said.finish.or(Some(*finish));
            }
        }
    }

    fn said(&mut self, choice: u32) -> &mut Said<'a> {
        self.candidates.entry(choice.min(MAX_CANDIDATES - 1)).or_default()
    }

    fn write(mut self) -> Bytes {
        if self.candidates.is_empty() {
            self.candidates.insert(0, Said::default());
        }
        let candidates = self.candidates.iter().map(|(index, said)| Candidate {
            content: Some(Content { parts: said.pieces.iter().map(Piece::part).collect(), role: "model" }),
            finish_reason: said.finish.or(Some(FinishReason::Other)),
            index: *index,
            beside: Beside(said.beside.clone()),
        });
        let mut out = BytesMut::new();
        self.named.object(candidates.collect(), self.usage).write(&mut out);
        out.freeze()
    }
}

impl Said<'_> {
    fn text(&mut self, more: &str, of: bool) {
        match self.pieces.last_mut() {
            Some(Piece::Text { text, thought, signature: None }) if *thought == of => text.push_str(more),
            _ if more.is_empty() => {}
            _ => self.pieces.push(Piece::Text { text: more.to_owned(), thought: of, signature: None }),
        }
    }

    fn seal(&mut self, token: Option<Arc<str>>, of: bool) {
        let Some(token) = token else { return };
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
