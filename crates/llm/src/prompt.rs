//! A chat request in full, in the words of no dialect: what one dialect's reader hands to another's writer.
//!
//! Where both ends speak the same dialect nobody makes one: the bytes go out as they came. Must never be here: how
//! anything is written on the wire, defaults of a provider.

use crate::{Dialect, Format, Takes, ToolChoice};
use std::sync::Arc;

/// What a client asks a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The conversation, in order. Instructions stand in it where the client put them.
    pub turns: Vec<Turn>,
    /// The tools that the model may call.
    pub tools: Vec<Declared>,
    /// Which of them have to be called.
    pub tool_choice: ToolChoice,
    /// Whether several may be called in one answer; `None` where the client does not say.
    pub parallel_calls: Option<bool>,
    /// The form of the answer's text.
    pub format: Format,
    /// How the answer is sampled, and where it ends.
    pub sampling: Sampling,
    /// How much the model is to think before it answers; `None` where the client does not say.
    pub thinking: Option<Thinking>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the client wants usage told in a stream, where its dialect leaves that open.
    pub stream_usage: bool,
    /// The client's name for its user; empty where none.
    pub user: String,
    /// Fields that are no noun here, each with its JSON: whoever cannot say them refuses them or tells of it.
    pub others: Vec<Other>,
}

/// A field of a request that is no noun here.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Its name in the client's dialect.
    pub name: String,
    /// Its value, as JSON text.
    pub json: Arc<str>,
}

/// One speaker's turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// The speaker's own name; empty where none.
    pub name: String,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Whoever runs the application: instructions.
    System,
    /// The same, in the words of OpenAI's reasoning models.
    Developer,
    /// The user, and what tools gave: [`PartKind::Result`] stands in turns of this role.
    User,
    /// The model.
    Assistant,
}

/// A part of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The provider is asked to cache everything up to here; the JSON of its dialect that says how.
    pub cache: Option<Arc<str>>,
}

/// What a part of a turn is.
#[derive(Clone, Debug, PartialEq)]
pub enum PartKind {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// What a provider wants back with them.
        seal: Option<Seal>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: Source,
        /// How closely to look, in OpenAI's words; empty where it is not said.
        detail: String,
    },
    /// A document: PDF, plain text.
    Document {
        /// Where it is.
        source: Source,
        /// Its name; empty where none.
        name: String,
    },
    /// Sound.
    Audio {
        /// Its bytes in base64.
        data: Arc<str>,
        /// `wav`, `mp3` and the like.
        format: String,
    },
    /// What the model thought, given back to it.
    Thought(Thought),
    /// A tool that the model wanted called.
    Call {
        /// By what its result is told.
        id: String,
        /// The tool.
        name: String,
        /// Its arguments, as the model wrote them: JSON, or text where the tool takes that.
        arguments: String,
        /// It takes text.
        free: bool,
        /// What a provider wants back with it.
        seal: Option<Seal>,
    },
    /// What a tool gave.
    Result {
        /// The call that it answers.
        call: String,
        /// The tool's name, where the client's dialect says it or an earlier turn does; else empty.
        name: String,
        /// What it gave: text, pictures, documents.
        parts: Vec<Part>,
        /// It failed.
        failed: bool,
    },
    /// Why the model declined to answer.
    Refusal(String),
    /// Something that is no noun here.
    Other {
        /// What the dialect calls it.
        name: String,
        /// All of it, as JSON text.
        json: Arc<str>,
    },
}

/// Where the bytes of a picture or document are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Here, in base64.
    Inline {
        /// Their media type: `image/png`.
        media_type: String,
        /// The bytes, in base64.
        data: Arc<str>,
    },
    /// At a URL, which only the provider may fetch.
    Url(String),
    /// At the provider, under this id.
    File(String),
    /// Here, as text.
    Text(String),
}

/// What a model thought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thought {
    /// Its words; empty where they are kept from the client.
    pub text: String,
    /// What the provider wants back with them: without it they cannot be given back.
    pub seal: Option<Seal>,
}

/// Something opaque that a provider wants back, byte for byte, with the part that it came with.
#[derive(Clone, Debug, PartialEq)]
pub struct Seal {
    /// Whose it is: it means nothing to others.
    pub of: Dialect,
    /// What it is.
    pub kind: SealKind,
    /// The token.
    pub token: Arc<str>,
}

/// What a seal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealKind {
    /// A signature of words that stand beside it, perhaps left out.
    Signature,
    /// The words themselves, in a form that only the provider can read.
    Encrypted,
}

/// A tool that is declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is for; empty where that is not said.
    pub description: String,
    /// What it takes.
    pub takes: Takes,
    /// The provider is to hold to the schema; `None` where that is not said.
    pub strict: Option<bool>,
    /// As of a part.
    pub cache: Option<Arc<str>>,
}

/// How an answer is sampled, and where it ends. Nothing is said where `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// The most tokens of the answer, reasoning included where the dialect counts so.
    pub max_tokens: Option<u64>,
    /// From 0.
    pub temperature: Option<f64>,
    /// The share of likelihood that is sampled from.
    pub top_p: Option<f64>,
    /// How many tokens are sampled from.
    pub top_k: Option<u64>,
    /// Where the answer ends, the sequence itself left out.
    pub stop: Vec<String>,
    /// Makes answers repeatable, as far as the provider can.
    pub seed: Option<i64>,
    /// How many alternatives are asked for.
    pub choices: Option<u32>,
    /// Against what was said at all.
    pub presence_penalty: Option<f64>,
    /// Against what was said often.
    pub frequency_penalty: Option<f64>,
    /// How many alternatives of each token to tell; zero for the token's own likelihood alone.
    pub logprobs: Option<u32>,
}

/// How much a model is to think.
#[derive(Clone, Debug, PartialEq)]
pub enum Thinking {
    /// Not at all.
    Off,
    /// As it sees fit.
    Adaptive,
    /// In the provider's words: `minimal`, `low`, `medium`, `high` and what else there is.
    Effort(String),
    /// At most so many tokens.
    Budget(u64),
}
