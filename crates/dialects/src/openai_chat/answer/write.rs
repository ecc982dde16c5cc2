//! Deltas to the events of a stream.
//!
//! Receives deltas, one at a time; hands on `data:` events that keep the dialect's laws whatever the deltas are: the role
//! first, calls numbered from 0 with id and name once, one legal finish reason for each choice, usage in an event
//! without choices, the terminator last. Holds no text: under 16 KB. Must never be here: errors.

use super::super::DONE;
use super::super::seal::{Detail, extra, is_data};
use super::super::usage::Told;
use super::delta::{Call, Said, call_id, on_one_line};
use super::event::{opening, put, word};
use super::{ABOVE, BESIDE, LOGPROBS, MOST};
use crate::Head;
use crate::left_out::LeftOut;
use bytes::{BufMut, BytesMut};
use llm::{Delta, FinishReason, Seal, Usage};
use std::borrow::Cow;

/// What its events call themselves.
const OBJECT: &str = "chat.completion.chunk";

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    head: Head,
    /// What every event begins with, up to the choices.
    opening: Vec<u8>,
    choices: Vec<Spoken>,
    usage: Option<Usage>,
    left_out: LeftOut,
}

/// What has been written of an alternative.
#[derive(Debug, Default)]
struct Spoken {
    choice: u32,
    /// The calls begun, a bit each: those that take text, and those with arguments.
    calls: u32,
    free: u128,
    filled: u128,
    /// The entry of `reasoning_details` that the next piece belongs to, and whether that holds words already.
    entry: u32,
    worded: bool,
    ended: bool,
}

impl Writer {
    /// A writer of one answer.
    #[must_use]
    pub fn new(head: Head) -> Self {
        let opening = opening(OBJECT, &head, "", "");
        Self { head, opening, choices: Vec::new(), usage: None, left_out: LeftOut::default() }
    }

    /// What the deltas held that this dialect has no place for, by name.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        self.left_out.names()
    }

    /// Writes what `delta` says.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        match delta {
            Delta::Began { id, model } => self.opening = opening(OBJECT, &self.head, id, model),
            Delta::Text { choice, text } => {
                self.say(*choice, &Said { content: Some(Some(text)), ..Said::default() }, out);
            }
            Delta::Refusal { choice, text } => {
                self.say(*choice, &Said { refusal: Some(Some(text)), ..Said::default() }, out);
            }
            Delta::Thought { choice, text } => self.thought(*choice, text, out),
            Delta::ThoughtSealed { choice, seal } => self.sealed(*choice, seal, out),
            Delta::TextSealed { choice, seal } => match extra(seal) {
                Some(extra) => self.say(*choice, &Said { extra_content: Some(extra), ..Said::default() }, out),
                None => self.left_out.tell("signature"),
            },
            Delta::Call { choice, id, name, free, seal, .. } => self.call(*choice, id, name, *free, seal.as_ref(), out),
            Delta::Arguments { choice, call, text } => self.arguments(*choice, *call, text, out),
            Delta::Other { choice, name, json } => self.other(*choice, name, json, out),
            Delta::Ended { choice, finish, .. } => self.end(*choice, *finish, out),
            Delta::Used(usage) => self.usage = Some(*usage),
        }
    }

    /// Writes what ends a whole answer. A choice of which no end came ends here.
    pub fn finish(&mut self, out: &mut BytesMut) {
        let open: Vec<u32> = self.choices.iter().filter(|spoken| !spoken.ended).map(|spoken| spoken.choice).collect();
        for choice in open {
            self.end(choice, FinishReason::Stop, out);
        }
        if let Some(usage) = self.usage.filter(|_| self.head.usage) {
            out.put_slice(&self.opening);
            out.put_slice(b"[],\"usage\":");
            put(&Told::from(usage), out);
            out.put_slice(b"}\n\n");
        }
        out.put_slice(DONE);
    }

    /// The state of an alternative, its first event written.
    fn spoken(&mut self, choice: u32, out: &mut BytesMut) -> Option<&mut Spoken> {
        let at = match self.choices.iter().position(|spoken| spoken.choice == choice) {
            Some(at) => at,
            None if self.choices.len() >= MOST => {
                self.left_out.tell("choices");
                return None;
            }
            None => {
                self.choices.push(Spoken { choice, ..Spoken::default() });
                let role =
                    Said { role: Some("assistant"), content: Some(Some("")), refusal: Some(None), ..Said::default() };
                self.event(choice, &role, None, out);
                self.choices.len() - 1
            }
        };
        self.choices.get_mut(at)
    }

    fn say(&mut self, choice: u32, said: &Said<'_>, out: &mut BytesMut) {
        if self.spoken(choice, out).is_some() {
            self.event(choice, said, None, out);
        }
    }

    fn thought(&mut self, choice: u32, text: &str, out: &mut BytesMut) {
        let Some(spoken) = self.spoken(choice, out) else { return };
        spoken.worded = true;
        let details = vec![Detail::words(Some(text), None, spoken.entry)];
        let said = Said { reasoning_content: Some(text), reasoning_details: details, ..Said::default() };
        self.event(choice, &said, None, out);
    }

    fn sealed(&mut self, choice: u32, seal: &Seal, out: &mut BytesMut) {
        let Some(spoken) = self.spoken(choice, out) else { return };
        let worded = std::mem::take(&mut spoken.worded);
        let detail = if is_data(seal) {
            spoken.entry += u32::from(worded);
            Detail::data(seal, spoken.entry)
        } else {
            Detail::words((!worded).then_some(""), Some(seal), spoken.entry)
        };
        spoken.entry += 1;
        self.event(choice, &Said { reasoning_details: vec![detail], ..Said::default() }, None, out);
    }

    fn call(&mut self, choice: u32, id: &str, name: &str, free: bool, seal: Option<&Seal>, out: &mut BytesMut) {
        let Some(spoken) = self.spoken(choice, out) else { return };
        let call = spoken.calls;
        if usize::try_from(call).is_ok_and(|call| call >= MOST) {
            return self.left_out.tell("tool_calls");
        }
        spoken.calls += 1;
        spoken.free |= u128::from(free) << call;
        let id = if id.is_empty() { Cow::Owned(call_id(&self.head.id, choice, call)) } else { Cow::Borrowed(id) };
        let extra_content = seal.and_then(extra);
        if seal.is_some() && extra_content.is_none() {
            self.left_out.tell("signature");
        }
        let call = Call { index: Some(call), extra_content, ..Call::new(id, name, "", free) };
        self.event(choice, &Said { tool_calls: vec![call], ..Said::default() }, None, out);
    }

    fn arguments(&mut self, choice: u32, call: u32, text: &str, out: &mut BytesMut) {
        let Some(spoken) = self.spoken(choice, out) else { return };
        if call >= spoken.calls {
            return self.left_out.tell("tool_calls");
        }
        spoken.filled |= 1 << call;
        let free = spoken.free & 1 << call != 0;
        let said = Said { tool_calls: vec![Call::more(call, text, free)], ..Said::default() };
        self.event(choice, &said, None, out);
    }

    fn other(&mut self, choice: u32, name: &str, json: &str, out: &mut BytesMut) {
        let Some(raw) = on_one_line(json) else { return self.left_out.tell(name) };
        if BESIDE.contains(&name) {
            return self.say(choice, &Said { beside: [(name, &*raw)].into(), ..Said::default() }, out);
        }
        if name == LOGPROBS && raw.get().starts_with('{') {
            if self.spoken(choice, out).is_some() {
                let tail = format!("\"logprobs\":{raw},\"finish_reason\":null}}]");
                self.written(choice, &Said::default(), tail.as_bytes(), out);
            }
        } else if ABOVE.contains(&name) && raw.get().starts_with('[') {
            out.put_slice(&self.opening);
            out.put_slice(format!("[],\"{name}\":{raw}").as_bytes());
            self.close(out);
        } else {
            self.left_out.tell(name);
        }
    }

    fn end(&mut self, choice: u32, finish: FinishReason, out: &mut BytesMut) {
        let Some(spoken) = self.spoken(choice, out) else { return };
        if std::mem::replace(&mut spoken.ended, true) {
            return;
        }
        let calls = spoken.calls;
        let hollow = !(spoken.filled | spoken.free);
        // Arguments are JSON, and nothing is not.
        for call in (0..calls).filter(|call| hollow & 1 << call != 0) {
            let said = Said { tool_calls: vec![Call::more(call, "{}", false)], ..Said::default() };
            self.event(choice, &said, None, out);
        }
        self.event(choice, &Said::default(), Some(word(finish, calls > 0)), out);
    }

    fn event(&self, choice: u32, said: &Said<'_>, finish: Option<&str>, out: &mut BytesMut) {
        match finish {
            None => self.written(choice, said, b"\"logprobs\":null,\"finish_reason\":null}]", out),
            Some(word) => {
                let tail = format!("\"logprobs\":null,\"finish_reason\":\"{word}\"}}]");
                self.written(choice, said, tail.as_bytes(), out);
            }
        }
    }

    fn written(&self, choice: u32, said: &Said<'_>, tail: &[u8], out: &mut BytesMut) {
        out.put_slice(&self.opening);
        out.put_slice(b"[{\"index\":");
        put(&choice, out);
        out.put_slice(b",\"delta\":");
        put(said, out);
        out.put_u8(b',');
        out.put_slice(tail);
        self.close(out);
    }

    /// Where usage is told at the end, every other event says that it has none.
    fn close(&self, out: &mut BytesMut) {
        out.put_slice(if self.head.usage { b",\"usage\":null}\n\n" } else { b"}\n\n" });
    }
}
