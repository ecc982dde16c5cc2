//! Requests: tables of what is read (`reading`), and what is written, refused and left out (`writing`); `rounds` there
//! and back.

mod reading;
mod rounds;
mod writing;

use super::{read_prompt, write_prompt};
use crate::Unsayable;
use llm::{Declared, Dialect, Part, PartKind, Prompt, Role, Seal, SealKind, Takes, Turn};
use serde_json::{Value, json};
use std::sync::Arc;

/// A model of the third generation.
pub(super) const NEW: &str = "gemini-3.8-flash";

pub(super) fn part(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

pub(super) fn text(text: &str) -> Part {
    part(PartKind::Text { text: text.into(), seal: None })
}

pub(super) fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

pub(super) fn seal(token: &str) -> Option<Seal> {
    Some(Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() })
}

pub(super) fn call(id: &str, name: &str, arguments: &str, seal: Option<Seal>) -> Part {
    part(PartKind::Call { id: id.into(), name: name.into(), arguments: arguments.into(), free: false, seal })
}

pub(super) fn result(call: &str, name: &str, said: &str, failed: bool) -> Part {
    part(PartKind::Result { call: call.into(), name: name.into(), parts: vec![text(said)], failed })
}

pub(super) fn declared(name: &str, schema: Option<&str>) -> Declared {
    let takes = Takes::Json(schema.map(Arc::from));
    Declared { name: name.into(), description: String::new(), takes, strict: None, cache: None }
}

pub(super) fn hi() -> Prompt {
    Prompt { turns: vec![turn(Role::User, vec![text("hi")])], ..Prompt::default() }
}

pub(super) fn read(body: &Value) -> Prompt {
    read_prompt(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"))
}

/// The turns of a request with these contents.
pub(super) fn turns(contents: &Value) -> Vec<Turn> {
    read(&json!({"contents": contents})).turns
}

pub(super) fn written(prompt: &Prompt, model: &str) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, model).unwrap_or_else(|fault| panic!("{fault}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

pub(super) fn refusal(prompt: &Prompt, model: &str) -> Unsayable {
    match write_prompt(prompt, model) {
        Err(fault) => fault,
        Ok(written) => panic!("{written:?}"),
    }
}
