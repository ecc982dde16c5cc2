//! What the gateway has to know of a request; everything else rides along as bytes.

use bytes::Bytes;
use std::ops::Range;

/// The wire format that a client speaks, for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI chat completions.
    OpenAiChat,
    /// Anthropic messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
    /// OpenAI responses.
    Responses,
}

impl Dialect {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 4] = [Self::OpenAiChat, Self::Anthropic, Self::Gemini, Self::Responses];

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Responses => "responses",
        }
    }
}

/// The wire format that a provider's API speaks: a client's, or one that no client speaks here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// One that clients speak too.
    Shared(Dialect),
    /// Cohere's chat, version 2.
    Cohere,
}

impl Api {
    /// Whether answers reach a client of `dialect` in the bytes they came in.
    #[must_use]
    pub fn is(self, dialect: Dialect) -> bool {
        self == Self::Shared(dialect)
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
    /// Whether it may demand a form of its answer, or declares tools: whether reading its terms can be worth it.
    pub demands: bool,
    /// Where in `raw` the JSON value of `model` stands, quotes included; empty where the dialect names it elsewhere.
    pub model_span: Range<usize>,
    /// The stream is wanted as one JSON list, and not as events: of Gemini's clients.
    pub listed: bool,
    /// What the request's head says to the provider, by header: sent on where that one speaks the client's dialect.
    pub forwarded: Vec<(&'static str, String)>,
}

/// How much a call matters when not all can be served. Sent by clients as `x-breakwater-priority`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Turned away first.
    Sheddable,
    /// What every call is that does not say.
    #[default]
    Normal,
    /// Turned away last.
    Critical,
}

impl Priority {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 3] = [Self::Sheddable, Self::Normal, Self::Critical];

    /// The label value in metrics, and the header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Normal => "normal",
            Self::Critical => "critical",
        }
    }
}

/// Whether and how a target goes on with an answer that the request already holds the beginning of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefill {
    /// It does not: it answers anew.
    #[default]
    No,
    /// A last message of the assistant is gone on with as it stands.
    Plain,
    /// The last message has to bear `"prefix": true` (Mistral, whose API puts what it says in front of the answer:
    /// SillyTavern issue 2557).
    PrefixFlag,
    /// The request has to bear `"continue_final_message": true` and `"add_generation_prompt": false` (vLLM, SGLang).
    ContinueFlag,
}
