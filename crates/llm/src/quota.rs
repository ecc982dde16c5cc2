//! What a provider says of the caller's quota in the head of a response.

use std::time::Duration;

/// One quota, as one response told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaReading {
    /// What is counted.
    pub kind: QuotaKind,
    /// How much there is in all; `None` where the provider did not say.
    pub limit: Option<u64>,
    /// How much of it is left.
    pub remaining: u64,
    /// After how long it is full again; `None` where the provider did not say.
    pub reset: Option<Duration>,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaKind {
    /// Calls.
    Requests,
    /// Tokens of questions and answers.
    Tokens,
    /// Tokens of questions.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
}

impl QuotaKind {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::InputTokens, Self::OutputTokens];

    /// The word people and dashboards see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
        }
    }
}
