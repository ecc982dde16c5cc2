//! One face for how all dialects word errors.
//!
//! Must never be here: how any dialect words them.

use crate::{Rendered, anthropic, gemini, openai_chat, responses};
use bytes::Bytes;
use llm::{CallError, Dialect};

/// Words an error for a client of a dialect.
#[must_use]
pub fn render(dialect: Dialect, error: &CallError) -> Rendered {
    match dialect {
        Dialect::OpenAiChat => openai_chat::render(error),
        Dialect::Anthropic => anthropic::render(error),
        Dialect::Gemini => gemini::render(error),
        Dialect::Responses => responses::render(error),
        Dialect::Other(operation) => render(operation.worded_as(), error),
    }
}

/// A worded error as the last event of a stream of a dialect.
#[must_use]
pub fn as_event(dialect: Dialect, error: &Rendered) -> Bytes {
    match dialect {
        Dialect::OpenAiChat => openai_chat::as_event(error),
        Dialect::Anthropic => anthropic::as_event(error),
        Dialect::Gemini => gemini::as_event(error),
        Dialect::Responses => responses::as_event(error),
        Dialect::Other(operation) => as_event(operation.worded_as(), error),
    }
}
