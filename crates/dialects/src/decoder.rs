//! One face for the decoders of all streams: bytes to frames in the provider's own words.
//!
//! Must never be here: how any provider writes.

use crate::{Ending, Quirks, Rendered, anthropic, bedrock, cohere, gemini, ollama, openai_chat, other, responses};
use bytes::Bytes;
use llm::{Api, Dialect, Frame, Progress};

/// Reads a stream of one provider.
#[derive(Debug)]
pub enum StreamDecoder {
    /// OpenAI chat completions.
    OpenAiChat(Box<openai_chat::StreamDecoder>),
    /// Anthropic messages.
    Anthropic(Box<anthropic::StreamDecoder>),
    /// Gemini, in either form.
    Gemini(Box<gemini::StreamDecoder>),
    /// OpenAI responses.
    Responses(Box<responses::StreamDecoder>),
    /// Operations that are no answers of a model.
    Other(Box<other::StreamDecoder>),
    /// Cohere's chat.
    Cohere(Box<cohere::StreamDecoder>),
    /// Ollama's own chat.
    Ollama(Box<ollama::StreamDecoder>),
    /// Amazon Bedrock's Converse.
    Bedrock(Box<bedrock::StreamDecoder>),
}

/// The same for every decoder.
macro_rules! each {
    ($decoder:expr, $inner:ident => $do:expr) => {
        match $decoder {
            StreamDecoder::OpenAiChat($inner) => $do,
            StreamDecoder::Anthropic($inner) => $do,
            StreamDecoder::Gemini($inner) => $do,
            StreamDecoder::Responses($inner) => $do,
            StreamDecoder::Other($inner) => $do,
            StreamDecoder::Cohere($inner) => $do,
            StreamDecoder::Ollama($inner) => $do,
            StreamDecoder::Bedrock($inner) => $do,
        }
    };
}

impl StreamDecoder {
    /// The decoder for one answer of a provider that speaks `api` with `quirks`.
    #[must_use]
    pub fn of(api: Api, quirks: Quirks) -> Self {
        match api {
            Api::Shared(Dialect::OpenAiChat) => Self::OpenAiChat(Box::new(openai_chat::StreamDecoder::new(quirks))),
            Api::Shared(Dialect::Anthropic) => Self::Anthropic(Box::new(anthropic::StreamDecoder::new(quirks))),
            Api::Shared(Dialect::Gemini) => Self::Gemini(Box::default()),
            Api::Shared(Dialect::Responses) => Self::Responses(Box::default()),
            Api::Shared(Dialect::Other(operation)) => {
                Self::Other(Box::new(other::StreamDecoder::new(operation, quirks)))
            }
            Api::Cohere => Self::Cohere(Box::default()),
            Api::Ollama => Self::Ollama(Box::default()),
            Api::Bedrock => Self::Bedrock(Box::default()),
            // Numbers are no stream.
            Api::BedrockCount | Api::Vectors(_) => Self::of(Api::Shared(Dialect::OpenAiChat), quirks),
        }
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, data: &[u8]) {
        each!(self, inner => inner.feed(data));
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        each!(self, inner => inner.next_frame())
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        each!(self, inner => inner.end())
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        each!(self, inner => inner.progress())
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        each!(self, inner => inner.has_begun())
    }

    /// The event that ends this stream in an error, for a client that was given all of it so far.
    #[must_use]
    pub fn failing(&self, error: &Rendered) -> Bytes {
        match self {
            // No client is given any of the last.
            Self::OpenAiChat(_) | Self::Other(_) | Self::Cohere(_) | Self::Ollama(_) | Self::Bedrock(_) => {
                openai_chat::as_event(error)
            }
            Self::Anthropic(_) => anthropic::as_event(error),
            Self::Gemini(_) => gemini::as_event(error),
            Self::Responses(inner) => inner.failing(error),
        }
    }
}
