//! What the gateway has to know of a request; everything else rides along as bytes.

use bytes::Bytes;
use std::ops::Range;

/// The wire format that a client or a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI chat completions.
    OpenAiChat,
}

impl Dialect {
    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
        }
    }
}

/// A chat request, read just deeply enough to route it.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The wire format that `raw` is in.
    pub dialect: Dialect,
    /// What the client asked for: a route, an alias or `provider/model`.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The body as it came; never re-serialised.
    pub raw: Bytes,
    /// Where in `raw` the JSON value of `model` stands, quotes included.
    pub model_span: Range<usize>,
}
