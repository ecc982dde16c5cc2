//! Messages to turns.
//!
//! Several `tool` messages in a row are one turn of results; a result knows its tool's name by the call that it answers.
//! The calls and results of 2023, which have no ids, are given some.

use super::super::super::seal::of_extra;
use super::super::super::thoughts::{Step, Thoughts};
use super::super::super::{raw, request};
use super::fields::{self, Fields};
use super::part;
use crate::json::Json;
use crate::shape::Shape;
use llm::{CallError, Other, Part, PartKind, Role, Thought, Turn};
use std::collections::BTreeMap;

/// What roles there are, as OpenAI lists them.
const ROLES: &str = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'";

/// Reads `messages`.
pub(super) fn turns(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<Vec<Turn>, CallError> {
    let messages = fields.list("messages", "an array of objects")?;
    if messages.is_empty() {
        return Err(request::missing("messages"));
    }
    let mut reading = Reading { turns: Vec::new(), names: BTreeMap::new(), results: false, others };
    for (place, (at, message)) in messages.into_iter().enumerate() {
        reading.message(place, Fields::of(message, at)?)?;
    }
    Ok(reading.turns)
}

struct Reading<'o> {
    turns: Vec<Turn>,
    /// Names of tools by the ids of their calls.
    names: BTreeMap<String, String>,
    /// The last turn is made of results, and takes more of them.
    results: bool,
    others: &'o mut Vec<Other>,
}

impl Reading<'_> {
    fn message(&mut self, place: usize, mut message: Fields<'_>) -> Result<(), CallError> {
        let role = message.required_text("role")?;
        let name = message.text("name")?.unwrap_or_default();
        let parts = match role.as_str() {
            "system" | "developer" | "user" => part::content(&mut message, self.others)?,
            "assistant" => self.assistant(place, &mut message)?,
            "tool" | "function" => vec![self.result(role == "function", &name, &mut message)?],
            other => return Err(message.unknown("role", other, ROLES)),
        };
        self.add(&role, name, part::marked(&mut message, parts));
        self.others.extend(message.rest());
        Ok(())
    }

    fn add(&mut self, role: &str, name: String, parts: Vec<Part>) {
        let result = matches!(role, "tool" | "function");
        if let Some(turn) = self.turns.last_mut().filter(|_| result && self.results) {
            turn.parts.extend(parts);
            return;
        }
        self.results = result;
        let (role, name) = match role {
            "system" => (Role::System, name),
            "developer" => (Role::Developer, name),
            "assistant" => (Role::Assistant, name),
            _ if result => (Role::User, String::new()),
            _ => (Role::User, name),
        };
        self.turns.push(Turn { role, name, parts });
    }

    /// Thoughts, then words, then calls: the message has no other order.
    fn assistant(&mut self, place: usize, message: &mut Fields<'_>) -> Result<Vec<Part>, CallError> {
        let mut parts = thoughts(message);
        let seal = of_extra(message.take("extra_content").and_then(Json::raw));
        if let Some(content) = message.take("content") {
            parts.extend(part::parts(content, message.path("content"), self.others)?);
        }
        if let Some(words) = message.text("refusal")? {
            parts.push(part::plain(PartKind::Refusal(words)));
        }
        let calls = self.calls(place, message)?;
        // Empty text beside something else is how many clients write that there is none.
        if parts.len() + calls.len() > 1 {
            parts.retain(|part| !matches!(&part.kind, PartKind::Text { text, .. } if text.is_empty()));
        }
        if let Some(PartKind::Text { seal: place, .. }) =
            parts.iter_mut().rev().map(|part| &mut part.kind).find(is_text)
        {
            *place = seal;
        } else if let Some(seal) = seal {
            parts.push(part::plain(PartKind::Text { text: String::new(), seal: Some(seal) }));
        }
        parts.extend(calls);
        if let Some(audio) = message.take("audio") {
            parts.push(part::plain(PartKind::Other { name: "audio".into(), json: audio.get().into() }));
        }
        Ok(parts)
    }

    fn calls(&mut self, place: usize, message: &mut Fields<'_>) -> Result<Vec<Part>, CallError> {
        let mut calls = Vec::new();
        for (at, one) in message.list("tool_calls", "an array of objects")? {
            calls.push(call(Fields::of(one, at)?, self.others)?);
        }
        if let Some(function) = message.object("function_call")? {
            calls.push(called(format!("call_{place}"), function, false, self.others)?);
        }
        for call in &calls {
            if let PartKind::Call { id, name, .. } = call {
                self.names.insert(id.clone(), name.clone());
            }
        }
        Ok(calls.into_iter().map(part::plain).collect())
    }

    fn result(&mut self, legacy: bool, name: &str, message: &mut Fields<'_>) -> Result<Part, CallError> {
        let call = if legacy { self.legacy(name) } else { message.required_text("tool_call_id")? };
        let known = self.names.get(&call).cloned();
        let parts = match message.take("content") {
            None => Vec::new(),
            Some(content) => part::parts(content, message.path("content"), self.others)?,
        };
        let name = known.unwrap_or_else(|| name.to_owned());
        Ok(part::plain(PartKind::Result { call, name, parts, failed: false }))
    }

    /// The id that the last call of `name` was given.
    fn legacy(&self, name: &str) -> String {
        let parts = self.turns.iter().rev().flat_map(|turn| &turn.parts);
        let of_name = |part: &Part| match &part.kind {
            PartKind::Call { id, name: known, .. } if known == name => Some(id.clone()),
            _ => None,
        };
        parts.into_iter().find_map(of_name).unwrap_or_else(|| format!("call_{name}"))
    }
}

fn is_text(kind: &&mut PartKind) -> bool {
    matches!(kind, PartKind::Text { .. })
}

/// An item of `tool_calls`.
fn call(mut call: Fields<'_>, others: &mut Vec<Other>) -> Result<PartKind, CallError> {
    let id = call.required_text("id")?;
    // Streams number calls, and clients that gather them give the numbers back.
    let _ = (call.take("type"), call.take("index"));
    let seal = of_extra(call.take("extra_content").and_then(Json::raw));
    let kind = match (call.object("custom")?, call.object("function")?) {
        (Some(custom), _) => called(id, custom, true, others)?,
        (None, Some(function)) => called(id, function, false, others)?,
        (None, None) => return Err(request::missing(call.path("function"))),
    };
    others.extend(call.rest());
    Ok(match kind {
        PartKind::Call { id, name, arguments, free, .. } => PartKind::Call { id, name, arguments, free, seal },
        other => other,
    })
}

fn called(id: String, mut function: Fields<'_>, free: bool, others: &mut Vec<Other>) -> Result<PartKind, CallError> {
    let name = function.required_text("name")?;
    let field = if free { "input" } else { "arguments" };
    let arguments = match function.take(field) {
        None => String::new(),
        // Some clients give back the object that they made of the text.
        Some(json) if json.shape() == Shape::Object => json.get().to_owned(),
        Some(json) => fields::text(json, function.path(field))?,
    };
    others.extend(function.rest());
    Ok(PartKind::Call { id, name, arguments, free, seal: None })
}

/// What the message gives back of its thoughts: words up to a seal are one thought.
fn thoughts(message: &mut Fields<'_>) -> Vec<Part> {
    let mut told = |name| message.take(name).and_then(Json::raw);
    let thoughts = Thoughts {
        reasoning_content: told("reasoning_content"),
        reasoning: told("reasoning"),
        reasoning_details: told("reasoning_details"),
        thinking_blocks: told("thinking_blocks"),
    };
    joined(thoughts.steps())
}

/// Steps of thoughts as parts.
pub(super) fn joined(steps: Vec<Step<'_>>) -> Vec<Part> {
    let (mut thoughts, mut open) = (Vec::new(), None::<String>);
    for step in steps {
        match step {
            Step::Words(literal) => open.get_or_insert_default().push_str(&raw::text(Some(literal))),
            Step::Sealed(seal) => {
                thoughts.push(Thought { text: open.take().unwrap_or_default(), seal: Some(seal) });
            }
        }
    }
    thoughts.extend(open.map(|text| Thought { text, seal: None }));
    thoughts.into_iter().map(|thought| part::plain(PartKind::Thought(thought))).collect()
}
