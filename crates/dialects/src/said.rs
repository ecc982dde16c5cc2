//! What every dialect's readers and writers hand on, and are told.
//!
//! Must never be here: a wire format.

use bytes::Bytes;
use llm::Failure;
use std::fmt;

/// A request in a provider's dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The body.
    pub body: Bytes,
    /// Fields of the client that the provider has no word for, and does without: hints, each by the client's name for it.
    pub left_out: Vec<String>,
}

/// Something without which a request would be another one, and which a provider's dialect cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable {
    /// The field, by the client's name for it.
    pub field: String,
    /// Why not, for the client's author.
    pub why: String,
}

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.why)
    }
}

impl std::error::Error for Unsayable {}

/// What the head of an answer says that is written for a client, where the provider does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The id of the answer, for a provider that gives none.
    pub id: String,
    /// The model that the client asked for, for a provider that names none.
    pub model: String,
    /// When the answer began, in seconds since the epoch.
    pub created: u64,
    /// Usage is told in a stream: of dialects that leave it to the client.
    pub usage: bool,
    /// Vectors are wanted in base64.
    pub base64: bool,
    /// How many texts vectors are wanted of.
    pub texts: Option<usize>,
}

/// What the end of a stream amounts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// A whole answer. The bytes, if any, complete it for the client: the terminator a provider does not send.
    Complete(Option<Bytes>),
    /// Not a whole answer, and why.
    Broken(Failure),
}

/// Why an answer is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It holds more than is kept: 32 MiB, 128 choices, or 128 tool calls in one of them.
    TooLarge,
    /// It is no JSON object.
    NotAnAnswer,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the answer is larger than is read",
            Self::NotAnAnswer => "the answer is no JSON object",
        })
    }
}

impl std::error::Error for Unread {}
