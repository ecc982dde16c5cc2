//! Why an answer that broke off cannot be gone on with.

use std::fmt;

/// What stands in the way of going on with an answer on another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// A tool call or function call has begun.
    ToolCall,
    /// A refusal was given.
    Refusal,
    /// Reasoning was shown, which no other model has in mind.
    Reasoning,
    /// Audio or images were given.
    Media,
    /// More than one choice was asked for or came, or one that is not the first.
    ManyChoices,
    /// Log probabilities were asked for or came.
    Logprobs,
    /// Content came that is no text: not a string, half a character, or outside of a delta.
    NotText,
    /// A finish reason has come: no text is missing.
    Finished,
    /// More text than a transcript holds.
    TooLong,
    /// No text at all.
    NothingSaid,
    /// The request says one of the things that matter twice, or in no way that is understood.
    Request,
}

impl Obstacle {
    /// Short, stable name for records and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToolCall => "tool_call",
            Self::Refusal => "refusal",
            Self::Reasoning => "reasoning",
            Self::Media => "media",
            Self::ManyChoices => "many_choices",
            Self::Logprobs => "logprobs",
            Self::NotText => "not_text",
            Self::Finished => "finished",
            Self::TooLong => "too_long",
            Self::NothingSaid => "nothing_said",
            Self::Request => "request",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
