//! A client's request, read in full.
//!
//! Receives a body that [`decode`](super::super::decode) took; hands on a [`Prompt`], or [`Terms`] alone. Must never be
//! here: what a target makes of it.

use super::super::fault::{fault, unreadable};
use super::fields::Fields;
use super::parts::Parts;
use super::tools::{Tools, choice, format, tools};
use crate::json::{Ends, Json};
use crate::place::Place;
use crate::shape::Shape;
use llm::{CallError, Format, Other, Prompt, Role, Sampling, Takes, Terms, Thinking, Tool, Turn};
use std::sync::Arc;

/// Reads a request.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as Anthropic words it.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    let prompt = read_counted(raw)?;
    if prompt.sampling.max_tokens.is_none() {
        return Err(fault("max_tokens", "Field required"));
    }
    Ok(prompt)
}

/// Reads a request whose tokens are to be counted: one that need not say how long its answer may be.
///
/// # Errors
/// As [`read_prompt`].
pub fn read_counted(raw: &[u8]) -> Result<Prompt, CallError> {
    let ends = Ends::of(raw);
    let mut fields = fields(raw, &ends)?;
    fields.take("model");
    let mut parts = Parts::default();
    let mut others = Vec::new();
    let turns = turns(&mut fields, &mut parts, &mut others)?;
    let Tools { declared, others: of_tools, .. } = tools(fields.list("tools")?.unwrap_or_default())?;
    others.extend(of_tools);
    let (tool_choice, parallel_calls) = choice(fields.object("tool_choice")?)?;
    let (format, thinking) = answer(&mut fields, &mut others)?;
    let stream = fields.value("stream", "boolean")?.unwrap_or(false);
    let sampling = Sampling {
        max_tokens: fields.value("max_tokens", "integer")?,
        temperature: fields.value("temperature", "number")?,
        top_p: fields.value("top_p", "number")?,
        top_k: fields.value("top_k", "integer")?,
        stop: fields.value("stop_sequences", "list of strings")?.unwrap_or_default(),
        ..Sampling::default()
    };
    let user = match fields.object("metadata")? {
        Some(mut metadata) => {
            let user = metadata.text("user_id")?.unwrap_or_default();
            rest(metadata, "metadata", &mut others);
            user
        }
        None => String::new(),
    };
    if parts.cited {
        others.push(other("citations", "true"));
    }
    others.extend(fields.rest().map(|(name, json)| Other { name, json }));
    Ok(Prompt {
        turns,
        tools: declared,
        tool_choice,
        parallel_calls,
        format,
        sampling,
        thinking,
        stream,
        stream_usage: stream,
        user,
        others,
    })
}

/// Reads what the request in `raw` demands of its answer. What has a shape unknown here demands nothing: whether it may
/// stand there is the provider's to judge.
#[must_use]
pub fn terms(raw: &[u8]) -> Terms {
    let ends = Ends::of(raw);
    let Ok(mut fields) = fields(raw, &ends) else { return Terms::default() };
    let read = fields.list("tools").and_then(|list| tools(list.unwrap_or_default())).unwrap_or_default();
    let declared = read.declared.into_iter().map(|tool| Tool { name: tool.name, takes: tool.takes });
    // Calls of what Anthropic defines are the client's to run as well; what they take is not said.
    let defined = read.defined.into_iter().map(|name| Tool { name, takes: Takes::Json(None) });
    let (tool_choice, parallel) = fields.object("tool_choice").and_then(choice).unwrap_or_default();
    let (old, mut config) = (fields.object("output_format"), fields.object("output_config").unwrap_or_default());
    Terms {
        format: demanded(config.as_mut(), old.unwrap_or_default()).unwrap_or_default(),
        tools: declared.chain(defined).collect(),
        tool_choice,
        one_call: parallel == Some(false),
        ..Terms::default()
    }
}

fn fields<'a>(raw: &'a [u8], ends: &'a Ends) -> Result<Fields<'a>, CallError> {
    let body = std::str::from_utf8(raw).map_err(|_| unreadable("is not valid UTF-8"))?;
    let body = Json::taken(body, ends);
    if body.shape() != Shape::Object {
        return Err(unreadable("is not a JSON object"));
    }
    Fields::of(body, Place::default())
}

fn other(name: &str, json: &str) -> Other {
    Other { name: name.to_owned(), json: Arc::from(json) }
}

/// Tells of what is left of an object within the request.
fn rest(fields: Fields<'_>, of: &str, others: &mut Vec<Other>) {
    others.extend(fields.rest().map(|(name, json)| Other { name: format!("{of}.{name}"), json }));
}

fn turns(fields: &mut Fields<'_>, parts: &mut Parts, others: &mut Vec<Other>) -> Result<Vec<Turn>, CallError> {
    let turn = |role, parts| Turn { role, name: String::new(), parts };
    let mut turns = Vec::new();
    if let Some(system) = fields.take("system") {
        turns.push(turn(Role::System, parts.content(system, fields.path("system"))?));
    }
    let all = fields.path("messages");
    let messages = fields.list("messages")?.ok_or_else(|| fault(all, "Field required"))?;
    if messages.is_empty() {
        return Err(fault(all, "at least one message is required"));
    }
    for (at, json) in messages.into_iter().enumerate() {
        let mut message = Fields::of(json, all.item(at))?;
        let role = match &*message.needed("role")? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(fault(message.path("role"), "Input should be 'user', 'assistant' or 'system'")),
        };
        let path = message.path("content");
        let content = message.take("content").ok_or_else(|| fault(path, "Field required"))?;
        turns.push(turn(role, parts.content(content, path)?));
        rest(message, "messages", others);
    }
    Ok(turns)
}

/// Reads the form of the answer, and how much is to be thought for it.
fn answer(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<(Format, Option<Thinking>), CallError> {
    let asked = fields.take("thinking");
    let thinking = asked.map(|asked| thinking(asked, others)).transpose()?.flatten();
    let (old, mut config) = (fields.object("output_format")?, fields.object("output_config")?);
    let format = demanded(config.as_mut(), old)?;
    let Some(mut config) = config else { return Ok((format, thinking)) };
    let effort = config.text("effort")?;
    rest(config, "output_config", others);
    let thinking = match (effort, thinking) {
        (Some(effort), None | Some(Thinking::Adaptive)) => Some(Thinking::Effort(effort)),
        (Some(effort), thinking) => {
            others.push(other("output_config.effort", &super::super::json::literal(&effort)));
            thinking
        }
        (None, thinking) => thinking,
    };
    Ok((format, thinking))
}

fn thinking(asked: Json<'_>, others: &mut Vec<Other>) -> Result<Option<Thinking>, CallError> {
    let mut fields = Fields::of(asked, Place::default().field("thinking"))?;
    let thinking = match &*fields.needed("type")? {
        "enabled" => Thinking::Budget(
            fields
                .value("budget_tokens", "integer")?
                .ok_or_else(|| fault(fields.path("budget_tokens"), "Field required"))?,
        ),
        "adaptive" => Thinking::Adaptive,
        "disabled" => Thinking::Off,
        _ => {
            others.push(other("thinking", asked.get()));
            return Ok(None);
        }
    };
    rest(fields, "thinking", others);
    Ok(Some(thinking))
}

/// The form that the answer has to have: of `output_config`, else of the field that came before it.
fn demanded(config: Option<&mut Fields<'_>>, old: Option<Fields<'_>>) -> Result<Format, CallError> {
    let new = config.map(|config| config.object("format")).transpose()?.flatten();
    format(new.or(old))
}
