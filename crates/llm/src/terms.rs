//! What a request demands of its answer.
//!
//! Handed on by a dialect's reader, judged by a contract. Schemas ride along as text: compiling them is not done here.

use std::collections::BTreeSet;
use std::sync::Arc;

/// What a request demands of its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// The form of the text.
    pub format: Format,
    /// The tools that may be called.
    pub tools: Vec<Tool>,
    /// Which of them have to be, or must not be.
    pub tool_choice: ToolChoice,
    /// At most one tool may be called.
    pub one_call: bool,
    /// Ids of documents and messages that an answer may cite.
    pub citable: BTreeSet<String>,
}

/// The form of an answer's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// Any.
    #[default]
    Text,
    /// A JSON object.
    JsonObject,
    /// JSON that satisfies a schema.
    JsonSchema(Demanded),
}

/// A schema that a request demands.
#[derive(Clone, Debug, PartialEq)]
pub struct Demanded {
    /// What the request calls it; may be empty.
    pub name: String,
    /// The schema as the request writes it.
    pub schema: Arc<str>,
    /// The provider was asked to hold to it while it generates.
    pub strict: bool,
}

/// A tool that may be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
}

/// What a tool takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Takes {
    /// A JSON object that satisfies this schema, as the request writes it; without one any object does.
    Json(Option<Arc<str>>),
    /// Text.
    Free,
}

/// Which tools have to be called.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ToolChoice {
    /// As the model likes.
    #[default]
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// None but these, and at least one where `required`.
    Among {
        /// Their names.
        names: BTreeSet<String>,
        /// At least one has to be called.
        required: bool,
    },
}
