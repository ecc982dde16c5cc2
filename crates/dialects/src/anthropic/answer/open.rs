//! A block that is being read, and what is held of it until it ends.
//!
//! Must never be here: what is handed on at once.

use super::super::event::{Added, Block};
use super::super::json::{self, has_entries, object, text};
use super::super::seal::seal;
use llm::{Delta, SealKind};
use serde_json::value::RawValue;

/// A block between its first event and its last.
#[derive(Debug)]
pub(super) struct Open {
    /// The place that the provider gives it.
    pub(super) index: Option<u32>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Of which all is handed on at once.
    Plain,
    /// A thought, with its signature.
    Thought(String),
    /// A call. Its input stands in the block or is added to it, where it has any.
    Call { call: u32, input: Option<Box<str>>, added: bool },
    /// Something that is no noun of ours.
    Other(Box<Held>),
}

#[derive(Debug)]
struct Held {
    name: String,
    json: String,
    /// Pieces of its `input`.
    input: String,
    /// Pieces of its `content`, where those come by themselves.
    content: String,
}

impl Open {
    pub(super) fn plain(index: Option<u32>) -> Self {
        Self { index, kind: Kind::Plain }
    }

    pub(super) fn thought(index: Option<u32>, signature: String) -> Self {
        Self { index, kind: Kind::Thought(signature) }
    }

    pub(super) fn call(index: Option<u32>, call: u32, input: Option<&RawValue>) -> Self {
        let input = input.filter(|raw| has_entries(raw)).map(|raw| raw.get().into());
        Self { index, kind: Kind::Call { call, input, added: false } }
    }

    pub(super) fn other(index: Option<u32>, name: &str, json: &str) -> Self {
        let held = Held { name: name.to_owned(), json: json.to_owned(), input: String::new(), content: String::new() };
        Self { index, kind: Kind::Other(Box::new(held)) }
    }

    /// Takes in a signature, which comes in one piece.
    pub(super) fn sign(&mut self, whole: &str) {
        if let Kind::Thought(signature) = &mut self.kind {
            whole.clone_into(signature);
        }
    }

    /// Takes in a piece of input; hands back the call whose arguments it goes on with.
    pub(super) fn input(&mut self, piece: &str) -> Option<u32> {
        match &mut self.kind {
            Kind::Call { call, added, .. } => {
                *added = true;
                Some(*call)
            }
            Kind::Other(held) => {
                held.input.push_str(piece);
                None
            }
            Kind::Plain | Kind::Thought(_) => None,
        }
    }

    /// Takes in an addition of a kind unknown here, if it is one to the block's content: the summary of a compaction.
    pub(super) fn add(&mut self, added: &Added<'_>) -> bool {
        match (&mut self.kind, added.content) {
            (Kind::Other(held), Some(content)) => {
                held.content.push_str(&text(Some(content)));
                true
            }
            _ => false,
        }
    }

    /// What is told of it at its end.
    pub(super) fn close(self) -> Option<Delta> {
        match self.kind {
            Kind::Plain => None,
            Kind::Thought(signature) if signature.is_empty() => None,
            Kind::Thought(signature) => {
                Some(Delta::ThoughtSealed { choice: 0, seal: seal(&signature, SealKind::Signature).1 })
            }
            Kind::Call { added: true, .. } => None,
            // Arguments are JSON, and nothing is not.
            Kind::Call { call, input, .. } => {
                Some(Delta::Arguments { choice: 0, call, text: input.map_or_else(|| "{}".into(), String::from) })
            }
            Kind::Other(held) => Some(held.close()),
        }
    }
}

impl Held {
    fn close(self) -> Delta {
        let Self { name, mut json, input, content } = self;
        if json::as_object(&input).is_some() {
            json = replaced(&json, |block| block.input, &input);
        }
        if !content.is_empty() {
            json = replaced(&json, |block| block.content, &json::literal(&content));
        }
        Delta::Other { choice: 0, name, json: json.into() }
    }
}

/// The block in `json` with one of its fields replaced, where it has it.
fn replaced<'a>(json: &'a str, field: impl Fn(&Block<'a>) -> Option<&'a RawValue>, new: &str) -> String {
    let part = json::as_object(json).and_then(|raw| field(&object(Some(raw))?));
    part.map_or_else(|| json.to_owned(), |part| json::with(json, part, new))
}
