//! Requests read and written.

mod read;
mod round;
mod write;

use llm::{Part, PartKind, Role, Turn};
use serde_json::Value;

/// A part without a cache mark.
fn part(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

/// Words.
fn words(text: &str) -> PartKind {
    PartKind::Text { text: text.into(), seal: None }
}

/// A call with JSON for arguments.
fn call(id: &str, name: &str, arguments: &str) -> PartKind {
    PartKind::Call { id: id.into(), name: name.into(), arguments: arguments.into(), free: false, seal: None }
}

/// A result that is one text.
fn result(call: &str, name: &str, text: &str) -> PartKind {
    PartKind::Result { call: call.into(), name: name.into(), parts: vec![part(words(text))], failed: false }
}

/// A turn of parts without cache marks.
fn turn(role: Role, kinds: Vec<PartKind>) -> Turn {
    Turn { role, name: String::new(), parts: kinds.into_iter().map(part).collect() }
}

/// A JSON text, for comparison.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}
