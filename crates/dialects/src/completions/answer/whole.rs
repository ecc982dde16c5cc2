//! Deltas to the body of a whole answer.
//!
//! Must never be here: the events of a stream.

use super::{MOST, OBJECT};
use crate::Head;
use crate::literal::{to_vec, words};
use crate::openai_chat::answer::event::{named, word};
use crate::openai_chat::usage::Told;
use bytes::Bytes;
use llm::{Delta, FinishReason, Usage};
use serde::Serialize;
use std::collections::BTreeMap;

/// Writes a whole answer. What this dialect has no place for is left out, as [`Writer::left_out`](super::Writer::left_out)
/// tells of the same deltas.
#[must_use]
pub fn write_answer(head: &Head, deltas: &[Delta]) -> Bytes {
    let mut answer = Answer::default();
    deltas.iter().for_each(|delta| answer.take(delta));
    let (id, model) = (named(answer.id, &head.id), named(answer.model, &head.model));
    let choices = answer.choices.into_iter().map(|(index, said)| said.choice(index)).collect();
    let usage = answer.usage.map(Told::from);
    let body = Body { id: &id, object: OBJECT, created: head.created, model: &model, choices, usage };
    // Writing text to memory cannot fail.
    to_vec(&body).unwrap_or_default().into()
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Told>,
}

#[derive(Serialize)]
struct Choice {
    #[serde(serialize_with = "words")]
    text: String,
    index: u32,
    /// Null: nobody who asks for them is answered here.
    logprobs: Option<()>,
    finish_reason: &'static str,
}

/// An answer as its deltas tell it.
#[derive(Default)]
struct Answer<'a> {
    id: &'a str,
    model: &'a str,
    choices: BTreeMap<u32, Said>,
    usage: Option<Usage>,
}

/// What is said in a choice.
#[derive(Default)]
struct Said {
    text: String,
    finish: Option<FinishReason>,
}

impl<'a> Answer<'a> {
    fn take(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Began { id, model } => (self.id, self.model) = (id, model),
            Delta::Text { choice, text } | Delta::Refusal { choice, text } if *choice < MOST => {
                self.choices.entry(*choice).or_default().text.push_str(text);
            }
            Delta::Ended { choice, finish, .. } if *choice < MOST => {
                let said = self.choices.entry(*choice).or_default();
                said.finish = said.finish.or(Some(*finish));
            }
            Delta::Used(usage) => self.usage = Some(*usage),
            _ => {}
        }
    }
}

impl Said {
    fn choice(self, index: u32) -> Choice {
        let finish_reason = word(self.finish.unwrap_or(FinishReason::Stop), false);
        Choice { text: self.text, index, logprobs: None, finish_reason }
    }
}
