//! One face for the readers of all dialects: answers to deltas.
//!
//! Must never be here: how any dialect writes.

use crate::{Fold, Unread, anthropic, gemini, openai_chat, responses};
use llm::{Answer, Delta, Dialect};

/// Reads the events of one answer.
#[derive(Debug)]
pub enum Reader {
    /// OpenAI chat completions.
    OpenAiChat(Box<openai_chat::Reader>),
    /// Anthropic messages.
    Anthropic(Box<anthropic::Reader>),
    /// Gemini.
    Gemini(Box<gemini::Reader>),
    /// OpenAI responses.
    Responses(Box<responses::Reader>),
}

impl Reader {
    /// The reader of a dialect.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAiChat => Self::OpenAiChat(Box::default()),
            Dialect::Anthropic => Self::Anthropic(Box::default()),
            Dialect::Gemini => Self::Gemini(Box::default()),
            Dialect::Responses => Self::Responses(Box::default()),
        }
    }

    /// Takes in the data of one event; appends what it says.
    ///
    /// # Errors
    /// What is too large, or no event of the dialect; what came before stays.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        match self {
            Self::OpenAiChat(reader) => reader.push(data, out),
            Self::Anthropic(reader) => reader.push(data, out),
            Self::Gemini(reader) => reader.push(data, out),
            Self::Responses(reader) => reader.push(data, out),
        }
    }
}

/// What a whole answer says, as a short stream.
///
/// # Errors
/// What is too large, or no answer of the dialect. Whether it is a good one is not judged.
pub fn read_deltas(dialect: Dialect, body: &[u8]) -> Result<Vec<Delta>, Unread> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::Reader::whole(body),
        Dialect::Anthropic => anthropic::Reader::whole(body),
        Dialect::Gemini => gemini::Reader::whole(body),
        Dialect::Responses => responses::whole(body),
    }
}

/// A whole answer, put together.
///
/// # Errors
/// As [`read_deltas`].
pub fn read_answer(dialect: Dialect, body: &[u8]) -> Result<Answer, Unread> {
    let mut fold = Fold::default();
    read_deltas(dialect, body)?.iter().try_for_each(|delta| fold.push(delta))?;
    Ok(fold.finish())
}
