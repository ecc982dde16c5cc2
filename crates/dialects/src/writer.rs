//! One face for the writers of all clients' streams: deltas to events.
//!
//! Must never be here: how any dialect writes.

use crate::{Head, Rendered, anthropic, completions, gemini, openai_chat, responses};
use bytes::{Bytes, BytesMut};
use llm::{Delta, Dialect};

/// Writes one streamed answer for a client.
#[derive(Debug)]
pub enum Writer {
    /// OpenAI chat completions.
    OpenAiChat(Box<openai_chat::Writer>),
    /// Anthropic messages.
    Anthropic(Box<anthropic::Writer>),
    /// Gemini.
    Gemini(Box<gemini::Writer>),
    /// OpenAI responses.
    Responses(Box<responses::Writer>),
    /// OpenAI's completions of a text.
    Completions(Box<completions::Writer>),
}

impl Writer {
    /// The writer for a client of `dialect`; `listed` where that wants one JSON list, which only Gemini's do.
    #[must_use]
    pub fn of(dialect: Dialect, listed: bool, head: Head) -> Self {
        match dialect {
            Dialect::OpenAiChat => Self::OpenAiChat(Box::new(openai_chat::Writer::new(head))),
            Dialect::Anthropic => Self::Anthropic(Box::new(anthropic::Writer::new(head))),
            Dialect::Gemini if listed => Self::Gemini(Box::new(gemini::Writer::list(head))),
            Dialect::Gemini => Self::Gemini(Box::new(gemini::Writer::new(head))),
            Dialect::Responses => Self::Responses(Box::new(responses::Writer::new(head))),
            Dialect::COMPLETIONS => Self::Completions(Box::new(completions::Writer::new(head))),
            // Nobody asks for these: they are not translated.
            Dialect::Other(operation) => Self::of(operation.worded_as(), listed, head),
        }
    }

    /// Takes in what comes next; appends the events that say it.
    pub fn push(&mut self, delta: &Delta, out: &mut BytesMut) {
        match self {
            Self::OpenAiChat(writer) => writer.push(delta, out),
            Self::Anthropic(writer) => writer.push(delta, out),
            Self::Gemini(writer) => writer.push(delta, out),
            Self::Responses(writer) => writer.push(delta, out),
            Self::Completions(writer) => writer.push(delta, out),
        }
    }

    /// Ends the answer: appends what is still to be said, and the terminator.
    pub fn finish(&mut self, out: &mut BytesMut) {
        match self {
            Self::OpenAiChat(writer) => writer.finish(out),
            Self::Anthropic(writer) => writer.finish(out),
            Self::Gemini(writer) => writer.finish(out),
            Self::Responses(writer) => writer.finish(out),
            Self::Completions(writer) => writer.finish(out),
        }
    }

    /// Ends the stream in an error: appends the event that says so, and no terminator.
    pub fn fail(&mut self, error: &Rendered, out: &mut BytesMut) {
        match self {
            Self::OpenAiChat(_) | Self::Completions(_) => out.extend_from_slice(&openai_chat::as_event(error)),
            Self::Anthropic(_) => out.extend_from_slice(&anthropic::as_event(error)),
            Self::Gemini(writer) => writer.fail(error, out),
            Self::Responses(writer) => writer.fail(error, out),
        }
    }

    /// What the answer held that the client's dialect has no word for, by the provider's.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        match self {
            Self::OpenAiChat(writer) => writer.left_out(),
            Self::Anthropic(writer) => writer.left_out(),
            Self::Gemini(writer) => writer.left_out(),
            Self::Responses(writer) => writer.left_out(),
            Self::Completions(writer) => writer.left_out(),
        }
    }
}

/// A whole answer for a client of `dialect`.
#[must_use]
pub fn write_answer(dialect: Dialect, head: &Head, deltas: &[Delta]) -> Bytes {
    match dialect {
        Dialect::OpenAiChat => openai_chat::write_answer(head, deltas),
        Dialect::Anthropic => anthropic::write_answer(head, deltas),
        Dialect::Gemini => gemini::write_answer(head, deltas),
        Dialect::Responses => responses::write_answer(head, deltas),
        Dialect::COMPLETIONS => completions::write_answer(head, deltas),
        Dialect::Other(operation) => write_answer(operation.worded_as(), head, deltas),
    }
}
