//! A client's body, read in full: its fields, one by one.
//!
//! Faults are named and worded as OpenAI does. Must never be here: items and tools, which have files of their own.

use super::{items, tools};
use crate::fields::{self, under};
use crate::json::{Ends, Json};
use crate::openai_chat::request::{invalid, missing, no_object, wrong_type};
use crate::place::Place;
use crate::shape::Shape;
use llm::{CallError, Demanded, Format, Other, Part, PartKind, Prompt, Role, Thinking, Turn};
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// The fields of an object of a request, those left out that are null.
pub(super) struct Fields<'a> {
    /// Where it stands in the request; empty for the request itself.
    at: Place<'a>,
    fields: fields::Fields<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of the object that `json`, which stands at `at`, has to be.
    pub(super) fn of(json: Json<'a>, at: Place<'a>) -> Result<Self, CallError> {
        match fields::Fields::of(json) {
            Some(fields) => Ok(Self { at, fields }),
            None => Err(wrong_type(at, "an object", json.shape())),
        }
    }

    /// Where its field `name` stands.
    pub(super) fn path<'n>(&self, name: &'n str) -> Place<'n>
    where
        'a: 'n,
    {
        self.at.field(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<Json<'a>> {
        self.fields.get(name)
    }

    /// The text of the field `name`; empty where there is none.
    pub(super) fn text(&self, name: &str) -> Result<String, CallError> {
        self.get(name).map_or(Ok(String::new()), |json| text(json, self.path(name)))
    }

    /// The same of a field that has to be there.
    pub(super) fn required_text(&self, name: &str) -> Result<String, CallError> {
        text(self.required(name)?, self.path(name))
    }

    /// A field that has to be there.
    pub(super) fn required(&self, name: &str) -> Result<Json<'a>, CallError> {
        self.get(name).ok_or_else(|| missing(self.path(name)))
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.fields.iter()
    }
}

/// Reads a request in full.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as OpenAI words it.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    let body = std::str::from_utf8(raw).map_err(|_| invalid("The request body is not valid UTF-8.".into(), None))?;
    if !body.trim_ascii_start().starts_with('{') {
        return Err(invalid(no_object(body), None));
    }
    let mut prompt = Prompt { stream_usage: true, ..Prompt::default() };
    let ends = Ends::of(raw);
    for (name, json) in Fields::of(Json::taken(body, &ends), Place::default())?.iter() {
        field(&mut prompt, name, json)?;
    }
    Ok(prompt)
}

/// The fields of a request that demand something of its answer, those at fault left out.
pub(super) fn demands(raw: &[u8]) -> Prompt {
    const DEMANDING: [&str; 4] = ["text", "tools", "tool_choice", "parallel_tool_calls"];
    let mut prompt = Prompt::default();
    let fields = Json::parse_bytes(raw).ok().and_then(fields::Fields::of);
    for (name, json) in fields.iter().flat_map(fields::Fields::iter).filter(|(name, _)| DEMANDING.contains(name)) {
        // Whether a field at fault may stand there is the provider's to judge.
        let _ = field(&mut prompt, name, json);
    }
    prompt
}

fn field(prompt: &mut Prompt, name: &str, json: Json<'_>) -> Result<(), CallError> {
    let sampling = &mut prompt.sampling;
    match name {
        "model" => {}
        "input" => items::read(prompt, json)?,
        "instructions" => {
            let part = Part {
                kind: PartKind::Text { text: text(json, Place::default().field(name))?, seal: None },
                cache: None,
            };
            // They precede the conversation, wherever the field stands.
            prompt.turns.insert(0, Turn { role: Role::System, name: String::new(), parts: vec![part] });
        }
        "tools" => tools::read(prompt, json)?,
        "tool_choice" => tools::choice(prompt, json)?,
        "parallel_tool_calls" => prompt.parallel_calls = Some(flag(json, name)?),
        "text" => answer_text(prompt, json)?,
        "reasoning" => reasoning(prompt, json)?,
        "max_output_tokens" => sampling.max_tokens = Some(number(json, name, "an integer")?),
        "temperature" => sampling.temperature = Some(number(json, name, "a number")?),
        "top_p" => sampling.top_p = Some(number(json, name, "a number")?),
        "top_logprobs" => {
            let most: u32 = number(json, name, "an integer")?;
            sampling.logprobs = Some(most).filter(|most| *most > 0).or(sampling.logprobs);
        }
        "include" => {
            let asked: Vec<String> = json.read().unwrap_or_default();
            if asked.iter().any(|one| one == "message.output_text.logprobs") {
                sampling.logprobs = sampling.logprobs.or(Some(0));
            }
            other(prompt, name, json);
        }
        "stream" => prompt.stream = flag(json, name)?,
        "user" => prompt.user = text(json, Place::default().field(name))?,
        _ if is_default(name, json.get()) => {}
        _ => other(prompt, name, json),
    }
    Ok(())
}

/// Whether a field says what would hold without it.
fn is_default(name: &str, json: &str) -> bool {
    match name {
        "background" => json == "false",
        "truncation" => json == "\"disabled\"",
        "service_tier" => json == "\"auto\"",
        "metadata" | "client_metadata" | "stream_options" => json == "{}",
        "text.verbosity" => json == "\"medium\"",
        _ => false,
    }
}

/// Keeps a field that is no noun.
pub(super) fn other(prompt: &mut Prompt, name: &str, json: Json<'_>) {
    prompt.others.push(Other { name: name.to_owned(), json: json.get().into() });
}

fn answer_text(prompt: &mut Prompt, json: Json<'_>) -> Result<(), CallError> {
    let fields = Fields::of(json, Place::default().field("text"))?;
    for (name, json) in fields.iter() {
        let path = under("text", name);
        match name {
            "format" => format(prompt, json)?,
            _ if is_default(&path, json.get()) => {}
            _ => other(prompt, &path, json),
        }
    }
    Ok(())
}

fn format(prompt: &mut Prompt, json: Json<'_>) -> Result<(), CallError> {
    let fields = Fields::of(json, Place::default().field("text").field("format"))?;
    let kind = fields.required_text("type")?;
    prompt.format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::JsonObject,
        "json_schema" => {
            let schema = fields.required("schema")?;
            let strict = fields.get("strict").map(|json| flag(json, "text.format.strict")).transpose()?;
            let (name, strict) = (fields.text("name")?, strict.unwrap_or(false));
            Format::JsonSchema(Demanded { name, schema: schema.get().into(), strict })
        }
        _ => return Err(no_such(&kind, "text.format.type", "'text', 'json_object', and 'json_schema'")),
    };
    if let Some(description) = fields.get("description") {
        other(prompt, "text.format.description", description);
    }
    Ok(())
}

fn reasoning(prompt: &mut Prompt, json: Json<'_>) -> Result<(), CallError> {
    let fields = Fields::of(json, Place::default().field("reasoning"))?;
    for (name, json) in fields.iter() {
        if name == "effort" {
            let effort = text(json, fields.path(name))?;
            prompt.thinking = Some(if effort == "none" { Thinking::Off } else { Thinking::Effort(effort) });
        } else {
            other(prompt, &under("reasoning", name), json);
        }
    }
    Ok(())
}

/// The text in `json`, which stands at `path`.
pub(super) fn text(json: Json<'_>, path: Place<'_>) -> Result<String, CallError> {
    let text = json.text().ok_or_else(|| wrong_type(path, "a string", json.shape()))?;
    Ok(text.into_owned())
}

pub(super) fn flag(json: Json<'_>, place: impl Display) -> Result<bool, CallError> {
    json.read().ok_or_else(|| wrong_type(place, "a boolean", json.shape()))
}

fn number<T: DeserializeOwned>(json: Json<'_>, name: &str, expected: &str) -> Result<T, CallError> {
    json.read().ok_or_else(|| match json.shape() {
        Shape::Number => invalid(format!("Invalid value for '{name}': expected {expected}."), Some(name.to_owned())),
        shape => wrong_type(name, expected, shape),
    })
}

pub(super) fn no_such(given: &str, place: impl Display, known: &str) -> CallError {
    let given: String = given.chars().take(64).collect();
    invalid(format!("Invalid value: '{given}'. Supported values are: {known}."), Some(place.to_string()))
}
