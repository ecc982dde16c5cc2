//! One face for the readers of all dialects: answers to deltas.
//!
//! Must never be here: how any dialect writes.

use crate::{Fold, Unread, anthropic, bedrock, cohere, gemini, ollama, openai_chat, responses};
use llm::{Answer, Api, Delta, Dialect};

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
    /// Cohere's chat.
    Cohere(Box<cohere::Reader>),
    /// Ollama's own chat.
    Ollama(Box<ollama::Reader>),
    /// Amazon Bedrock's Converse.
    Bedrock(Box<bedrock::Reader>),
}

impl Reader {
    /// The reader of answers of whoever speaks `api`.
    #[must_use]
    pub fn of(api: Api) -> Self {
        match api {
            Api::Shared(Dialect::OpenAiChat) => Self::OpenAiChat(Box::default()),
            Api::Shared(Dialect::Anthropic) => Self::Anthropic(Box::default()),
            Api::Shared(Dialect::Gemini) => Self::Gemini(Box::default()),
            Api::Shared(Dialect::Responses) => Self::Responses(Box::default()),
            // Nobody asks for these: they are no answers of a model.
            Api::Shared(Dialect::Other(operation)) => Self::of(Api::Shared(operation.worded_as())),
            Api::Cohere => Self::Cohere(Box::default()),
            Api::Ollama => Self::Ollama(Box::default()),
            Api::Bedrock => Self::Bedrock(Box::default()),
            // Nor for these.
            Api::BedrockCount | Api::Vectors(_) => Self::of(Api::Shared(Dialect::OpenAiChat)),
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
            Self::Cohere(reader) => reader.push(data, out),
            Self::Ollama(reader) => reader.push(data, out),
            Self::Bedrock(reader) => reader.push(data, out),
        }
    }
}

/// Hands on the data of each event in `raw`, the bytes of whole frames of `api`; whether there was any.
///
/// # Errors
/// The first that `hand` returns.
pub fn each_data<E>(api: Api, raw: &[u8], mut hand: impl FnMut(&[u8]) -> Result<(), E>) -> Result<bool, E> {
    match api {
        Api::Shared(Dialect::Gemini) => gemini::each_data(raw, hand),
        Api::Ollama => ollama::each_data(raw, hand),
        // A frame is an event.
        Api::Bedrock => hand(raw).map(|()| true),
        Api::Shared(Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Responses | Dialect::Other(_))
        | Api::Cohere
        | Api::BedrockCount
        | Api::Vectors(_) => openai_chat::each_data(raw, hand),
    }
}

/// What a whole answer says, as a short stream.
///
/// # Errors
/// What is too large, or no answer of the dialect. Whether it is a good one is not judged.
pub fn read_deltas(api: Api, body: &[u8]) -> Result<Vec<Delta>, Unread> {
    match api {
        Api::Shared(Dialect::OpenAiChat) => openai_chat::Reader::whole(body),
        Api::Shared(Dialect::Anthropic) => anthropic::Reader::whole(body),
        Api::Shared(Dialect::Gemini) => gemini::Reader::whole(body),
        Api::Shared(Dialect::Responses) => responses::whole(body),
        Api::Shared(Dialect::Other(_)) | Api::BedrockCount | Api::Vectors(_) => Err(Unread::NotAnAnswer),
        Api::Cohere => cohere::Reader::whole(body),
        Api::Ollama => ollama::Reader::whole(body),
        Api::Bedrock => bedrock::Reader::whole(body),
    }
}

/// A whole answer in a client's dialect, put together.
///
/// # Errors
/// As [`read_deltas`].
pub fn read_answer(dialect: Dialect, body: &[u8]) -> Result<Answer, Unread> {
    if dialect == Dialect::OpenAiChat {
        return openai_chat::read_answer(body);
    }
    let mut fold = Fold::of(dialect);
    read_deltas(Api::Shared(dialect), body)?.iter().try_for_each(|delta| fold.push(delta))?;
    Ok(fold.finish())
}
