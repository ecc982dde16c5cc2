//! Deltas to the events of a stream.
//!
//! Receives deltas, one at a time; hands on `data:` events that keep the dialect's laws whatever the deltas are: one legal
//! finish reason for each choice, usage in an event without choices, the terminator last. Holds no text: under 1 KB beside
//! the names of what is left out. Must never be here: errors.

use super::{MOST, OBJECT, leave_out};
use crate::Head;
use crate::left_out::LeftOut;
use crate::openai_chat::DONE;
use crate::openai_chat::answer::event::{opening, put, word};
use crate::openai_chat::usage::Told;
use bytes::{BufMut, BytesMut};
use llm::{Delta, FinishReason, Usage};

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    head: Head,
    /// What every event begins with, up to the choices.
    opening: Vec<u8>,
    /// The choices that have begun, and those that have ended, a bit each.
    begun: u128,
    ended: u128,
    usage: Option<Usage>,
    left_out: LeftOut,
}

impl Writer {
    /// A writer of one answer.
    #[must_use]
    pub fn new(head: Head) -> Self {
        let opening = opening(OBJECT, &head, "", "");
        Self { head, opening, begun: 0, ended: 0, usage: None, left_out: LeftOut::default() }
    }

    /// What the deltas held that this dialect has no place for, by name.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        self.left_out.names()
    }

    /// Writes what `delta` says. A refusal is the text that it is.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        match delta {
            Delta::Began { id, model } => self.opening = opening(OBJECT, &self.head, id, model),
            Delta::Text { choice, text } | Delta::Refusal { choice, text } => self.say(*choice, text, out),
            Delta::Ended { choice, finish, .. } => self.end(*choice, *finish, out),
            Delta::Used(usage) => self.usage = Some(*usage),
            other => leave_out(other, &mut self.left_out),
        }
    }

    /// Writes what ends a whole answer. A choice of which no end came ends here.
    pub fn finish(&mut self, out: &mut BytesMut) {
        let open = self.begun & !self.ended;
        for choice in (0..MOST).filter(|choice| open & 1 << choice != 0) {
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

    /// Whether there is a place for a choice, which has begun then.
    fn begins(&mut self, choice: u32) -> bool {
        if choice >= MOST {
            self.left_out.tell("choices");
            return false;
        }
        self.begun |= 1 << choice;
        true
    }

    fn say(&mut self, choice: u32, text: &str, out: &mut BytesMut) {
        if !text.is_empty() && self.begins(choice) {
            self.event(choice, text, None, out);
        }
    }

    fn end(&mut self, choice: u32, finish: FinishReason, out: &mut BytesMut) {
        if self.begins(choice) && self.ended & 1 << choice == 0 {
            self.ended |= 1 << choice;
            self.event(choice, "", Some(word(finish, false)), out);
        }
    }

    /// Where usage is told at the end, every other event says that it has none.
    fn event(&self, choice: u32, text: &str, finish: Option<&str>, out: &mut BytesMut) {
        out.put_slice(&self.opening);
        out.put_slice(b"[{\"text\":");
        put(text, out);
        out.put_slice(b",\"index\":");
        put(&choice, out);
        out.put_slice(b",\"logprobs\":null,\"finish_reason\":");
        put(&finish, out);
        out.put_slice(if self.head.usage { b"}],\"usage\":null}\n\n" } else { b"}]}\n\n" });
    }
}
