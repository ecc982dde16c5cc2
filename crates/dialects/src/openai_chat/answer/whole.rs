//! Deltas to the body of a whole answer.
//!
//! Must never be here: the events of a stream.

use super::super::seal::{details, extra};
use super::super::usage::Told;
use super::delta::{Call, Said, call_id, on_one_line};
use super::event::{named, word};
use super::{ABOVE, BESIDE, LOGPROBS};
use crate::Head;
use bytes::Bytes;
use llm::{Delta, FinishReason, Seal, Usage};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Writes a whole answer. What this dialect has no place for is left out, as [`Writer::left_out`](super::Writer::left_out)
/// tells of the same deltas.
#[must_use]
pub fn write_answer(head: &Head, deltas: &[Delta]) -> Bytes {
    let mut answer = Answer::default();
    deltas.iter().for_each(|delta| answer.take(delta));
    let (id, model) = (named(answer.id, &head.id), named(answer.model, &head.model));
    let body = Body {
        id: &id,
        object: "chat.completion",
        created: head.created,
        model: &model,
        choices: answer.choices.iter().map(|(choice, message)| message.choice(*choice, head)).collect(),
        usage: answer.usage.map(Told::from),
        above: answer.above.iter().map(|(name, raw)| (*name, &**raw)).collect(),
    };
    // Writing text to memory cannot fail.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Told>,
    #[serde(flatten)]
    above: BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Said<'a>,
    logprobs: Option<&'a RawValue>,
    finish_reason: &'static str,
}

/// An answer as its deltas tell it.
#[derive(Default)]
struct Answer<'a> {
    id: &'a str,
    model: &'a str,
    choices: BTreeMap<u32, Message<'a>>,
    usage: Option<Usage>,
    above: BTreeMap<&'a str, Box<RawValue>>,
}

#[derive(Default)]
struct Message<'a> {
    text: String,
    refusal: String,
    thoughts: Vec<Thought<'a>>,
    /// All that was thought, in one.
    reasoning: String,
    calls: Vec<Called<'a>>,
    seal: Option<&'a Seal>,
    beside: BTreeMap<&'a str, Box<RawValue>>,
    logprobs: Option<Box<RawValue>>,
    finish: Option<FinishReason>,
}

#[derive(Default)]
struct Thought<'a> {
    text: String,
    seal: Option<&'a Seal>,
}

struct Called<'a> {
    id: &'a str,
    name: &'a str,
    arguments: String,
    free: bool,
    seal: Option<&'a Seal>,
}

impl<'a> Answer<'a> {
    fn take(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Began { id, model } => (self.id, self.model) = (id, model),
            Delta::Text { choice, text } => self.message(*choice).text.push_str(text),
            Delta::Refusal { choice, text } => self.message(*choice).refusal.push_str(text),
            Delta::Thought { choice, text } => self.message(*choice).think(text),
            Delta::ThoughtSealed { choice, seal } => self.message(*choice).seal_thought(seal),
            Delta::TextSealed { choice, seal } => self.message(*choice).seal = Some(seal),
            Delta::Call { choice, id, name, free, seal, .. } => {
                let called = Called { id, name, arguments: String::new(), free: *free, seal: seal.as_ref() };
                self.message(*choice).calls.push(called);
            }
            Delta::Arguments { choice, call, text } => self.message(*choice).argue(*call, text),
            Delta::Other { choice, name, json } => self.other(*choice, name, json),
            Delta::Ended { choice, finish, .. } => self.message(*choice).finish = Some(*finish),
            Delta::Used(usage) => self.usage = Some(*usage),
        }
    }

    fn message(&mut self, choice: u32) -> &mut Message<'a> {
        self.choices.entry(choice).or_default()
    }

    fn other(&mut self, choice: u32, name: &'a str, json: &str) {
        let Some(raw) = on_one_line(json) else { return };
        if BESIDE.contains(&name) {
            self.message(choice).beside.insert(name, raw);
        } else if name == LOGPROBS && raw.get().starts_with('{') {
            self.message(choice).logprobs = Some(raw);
        } else if ABOVE.contains(&name) && raw.get().starts_with('[') {
            self.above.insert(name, raw);
        }
    }
}

impl<'a> Message<'a> {
    fn think(&mut self, text: &str) {
        self.reasoning.push_str(text);
        match self.thoughts.last_mut().filter(|thought| thought.seal.is_none()) {
            Some(thought) => thought.text.push_str(text),
            None => self.thoughts.push(Thought { text: text.to_owned(), seal: None }),
        }
    }

    fn seal_thought(&mut self, seal: &'a Seal) {
        match self.thoughts.last_mut().filter(|thought| thought.seal.is_none()) {
            Some(thought) => thought.seal = Some(seal),
            None => self.thoughts.push(Thought { text: String::new(), seal: Some(seal) }),
        }
    }

    fn argue(&mut self, call: u32, text: &str) {
        if let Some(called) = usize::try_from(call).ok().and_then(|call| self.calls.get_mut(call)) {
            called.arguments.push_str(text);
        }
    }

    fn choice(&self, index: u32, head: &Head) -> Choice<'_> {
        let silent = self.text.is_empty() && (!self.calls.is_empty() || !self.refusal.is_empty());
        let message = Said {
            role: Some("assistant"),
            content: Some((!silent).then_some(&self.text)),
            refusal: Some((!self.refusal.is_empty()).then_some(&self.refusal)),
            reasoning_content: (!self.reasoning.is_empty()).then_some(&self.reasoning),
            reasoning_details: details(self.thoughts.iter().map(|thought| (thought.text.as_str(), thought.seal))),
            tool_calls: self.calls.iter().zip(0..).map(|(called, call)| called.write(index, call, head)).collect(),
            extra_content: self.seal.and_then(extra),
            beside: self.beside.iter().map(|(name, raw)| (*name, &**raw)).collect(),
        };
        let finish_reason = word(self.finish.unwrap_or(FinishReason::Stop), !self.calls.is_empty());
        Choice { index, message, logprobs: self.logprobs.as_deref(), finish_reason }
    }
}

impl Called<'_> {
    fn write(&self, choice: u32, call: u32, head: &Head) -> Call<'_> {
        let id = if self.id.is_empty() { Cow::Owned(call_id(&head.id, choice, call)) } else { Cow::Borrowed(self.id) };
        // Arguments are JSON, and nothing is not.
        let arguments = if self.arguments.is_empty() && !self.free { "{}" } else { &self.arguments };
        let extra_content = self.seal.and_then(extra);
        Call { extra_content, ..Call::new(id, self.name, arguments, self.free) }
    }
}
