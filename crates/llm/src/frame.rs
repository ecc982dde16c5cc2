//! A piece of an answer: what it means, and the bytes it came in.

use crate::{ProviderError, Usage};
use bytes::Bytes;

/// One event of a stream with its bytes, terminator included.
///
/// Where both ends speak the same dialect and nothing is to be changed, `raw` goes out untouched.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What the bytes say.
    pub event: Event,
    /// The bytes.
    pub raw: Bytes,
}

/// What one event of an answer means to the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Keeps the stream alive or announces it: a comment, a role, an empty delta. No content.
    Preamble,
    /// Something the user asked for: text, reasoning, a refusal, a part of a tool call.
    Content,
    /// Metadata that follows content: a finish reason or usage alone.
    Closing,
    /// The provider says that it failed.
    Error(Box<ProviderError>),
    /// The dialect's terminator.
    Done,
    /// Bytes that are not an event of this dialect.
    Garbage,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// It ran into its token limit.
    Length,
    /// It wants tools called.
    ToolCalls,
    /// The provider's policy ended it.
    ContentFilter,
    /// A reason this version has no word for.
    Other,
}

impl FinishReason {
    /// The name in logs: OpenAI's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other => "other",
        }
    }
}

/// What a decoder has seen of an answer so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Something meaningful has come.
    pub content: bool,
    /// Every choice that has begun has also named its finish reason, and at least one has begun.
    pub finished: bool,
    /// The last finish reason named.
    pub finish: Option<FinishReason>,
    /// The model declined to answer, in the field the dialect has for it.
    pub refused: bool,
    /// The last usage reported.
    pub usage: Option<Usage>,
    /// The model that says it serves; empty where none is named.
    pub model: Box<str>,
    /// The terminator has come.
    pub done: bool,
}
