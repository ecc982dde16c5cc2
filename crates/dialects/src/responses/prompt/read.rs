//! A client's body, read in full: its fields, one by one.
//!
//! Faults are named and worded as OpenAI does. Must never be here: items and tools, which have files of their own.

use super::super::wire::{object, value};
use super::{items, tools};
use crate::depth::{MAX_DEPTH, too_deep};
use crate::openai_chat::request::{invalid, missing, no_object, wrong_type};
use crate::shape::Shape;
use llm::{CallError, Demanded, Format, Other, Part, PartKind, Prompt, Role, Thinking, Turn};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of an object, in order.
pub(super) struct Fields<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'a> Fields<'a> {
    /// The fields of the object at `name`, those that are null left out.
    pub(super) fn of(raw: &'a RawValue, name: &str) -> Result<Self, CallError> {
        let fields: Option<Self> = value(Some(raw));
        let mut fields = fields.ok_or_else(|| wrong_type(name, "an object", Shape::of(raw)))?;
        fields.0.retain(|(_, value)| value.get() != "null");
        Ok(fields)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// The text of the field `name` of what stands at `at`; empty where there is none.
    pub(super) fn text(&self, at: &str, name: &str) -> Result<String, CallError> {
        self.get(name).map_or(Ok(String::new()), |raw| text(raw, &format!("{at}.{name}")))
    }

    /// The same of a field that has to be there.
    pub(super) fn required(&self, at: &str, name: &str) -> Result<String, CallError> {
        let raw = self.get(name).ok_or_else(|| missing(&format!("{at}.{name}")))?;
        text(raw, &format!("{at}.{name}"))
    }
}

/// Reads a request in full.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as OpenAI words it.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    if too_deep(raw) {
        return Err(invalid(format!("The JSON body nests deeper than {MAX_DEPTH} levels."), None));
    }
    let body = std::str::from_utf8(raw).map_err(|_| invalid("The request body is not valid UTF-8.".into(), None))?;
    if !body.trim_ascii_start().starts_with('{') {
        return Err(invalid(no_object(body), None));
    }
    let fields: Fields<'_> = serde_json::from_str(body)
        .map_err(|e| invalid(format!("We could not parse the JSON body of your request: {e}."), None))?;
    let mut prompt = Prompt { stream_usage: true, ..Prompt::default() };
    for (name, raw) in fields.0.iter().filter(|(_, value)| value.get() != "null") {
        field(&mut prompt, name, raw)?;
    }
    Ok(prompt)
}

/// The fields of a request that demand something of its answer, those at fault left out.
pub(super) fn demands(raw: &[u8]) -> Prompt {
    const DEMANDING: [&str; 4] = ["text", "tools", "tool_choice", "parallel_tool_calls"];
    let mut prompt = Prompt::default();
    let fields = object::<Fields<'_>>(raw).map(|fields| fields.0).unwrap_or_default();
    let demanding = fields.iter().filter(|(name, value)| value.get() != "null" && DEMANDING.contains(&name.as_str()));
    for (name, raw) in demanding {
        // Whether a field at fault may stand there is the provider's to judge.
        let _ = field(&mut prompt, name, raw);
    }
    prompt
}

fn field(prompt: &mut Prompt, name: &str, raw: &RawValue) -> Result<(), CallError> {
    let sampling = &mut prompt.sampling;
    match name {
        "model" => {}
        "input" => items::read(prompt, raw)?,
        "instructions" => {
            let part = Part { kind: PartKind::Text { text: text(raw, name)?, seal: None }, cache: None };
            // They precede the conversation, wherever the field stands.
            prompt.turns.insert(0, Turn { role: Role::System, name: String::new(), parts: vec![part] });
        }
        "tools" => tools::read(prompt, raw)?,
        "tool_choice" => tools::choice(prompt, raw)?,
        "parallel_tool_calls" => prompt.parallel_calls = Some(flag(raw, name)?),
        "text" => answer_text(prompt, raw)?,
        "reasoning" => reasoning(prompt, raw)?,
        "max_output_tokens" => sampling.max_tokens = Some(number(raw, name, "an integer")?),
        "temperature" => sampling.temperature = Some(number(raw, name, "a number")?),
        "top_p" => sampling.top_p = Some(number(raw, name, "a number")?),
        "top_logprobs" => {
            let most: u32 = number(raw, name, "an integer")?;
            sampling.logprobs = Some(most).filter(|most| *most > 0).or(sampling.logprobs);
        }
        "include" => {
            let asked: Vec<String> = value(Some(raw)).unwrap_or_default();
            if asked.iter().any(|one| one == "message.output_text.logprobs") {
                sampling.logprobs = sampling.logprobs.or(Some(0));
            }
            other(prompt, name, raw);
        }
        "stream" => prompt.stream = flag(raw, name)?,
        "user" => prompt.user = text(raw, name)?,
        _ if is_default(name, raw.get()) => {}
        _ => other(prompt, name, raw),
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
pub(super) fn other(prompt: &mut Prompt, name: &str, raw: &RawValue) {
    prompt.others.push(Other { name: name.to_owned(), json: raw.get().into() });
}

fn answer_text(prompt: &mut Prompt, raw: &RawValue) -> Result<(), CallError> {
    for (name, raw) in Fields::of(raw, "text")?.0 {
        let path = format!("text.{name}");
        match name.as_str() {
            "format" => format(prompt, raw)?,
            _ if is_default(&path, raw.get()) => {}
            _ => other(prompt, &path, raw),
        }
    }
    Ok(())
}

fn format(prompt: &mut Prompt, raw: &RawValue) -> Result<(), CallError> {
    let at = "text.format";
    let fields = Fields::of(raw, at)?;
    let kind = fields.required(at, "type")?;
    prompt.format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::JsonObject,
        "json_schema" => {
            let schema = fields.get("schema").ok_or_else(|| missing("text.format.schema"))?;
            let strict = fields.get("strict").map(|raw| flag(raw, "text.format.strict")).transpose()?;
            let (name, strict) = (fields.text(at, "name")?, strict.unwrap_or(false));
            Format::JsonSchema(Demanded { name, schema: schema.get().into(), strict })
        }
        _ => return Err(no_such(&kind, "text.format.type", "'text', 'json_object', and 'json_schema'")),
    };
    if let Some(description) = fields.get("description") {
        other(prompt, "text.format.description", description);
    }
    Ok(())
}

fn reasoning(prompt: &mut Prompt, raw: &RawValue) -> Result<(), CallError> {
    for (name, raw) in Fields::of(raw, "reasoning")?.0 {
        let path = format!("reasoning.{name}");
        if name == "effort" {
            let effort = text(raw, &path)?;
            prompt.thinking = Some(if effort == "none" { Thinking::Off } else { Thinking::Effort(effort) });
        } else {
            other(prompt, &path, raw);
        }
    }
    Ok(())
}

pub(super) fn text(raw: &RawValue, name: &str) -> Result<String, CallError> {
    value(Some(raw)).ok_or_else(|| wrong_type(name, "a string", Shape::of(raw)))
}

pub(super) fn flag(raw: &RawValue, name: &str) -> Result<bool, CallError> {
    value(Some(raw)).ok_or_else(|| wrong_type(name, "a boolean", Shape::of(raw)))
}

fn number<T: DeserializeOwned>(raw: &RawValue, name: &str, expected: &str) -> Result<T, CallError> {
    serde_json::from_str(raw.get()).map_err(|_| match Shape::of(raw) {
        Shape::Number => invalid(format!("Invalid value for '{name}': expected {expected}."), Some(name.to_owned())),
        shape => wrong_type(name, expected, shape),
    })
}

pub(super) fn no_such(given: &str, name: &str, known: &str) -> CallError {
    let given: String = given.chars().take(64).collect();
    invalid(format!("Invalid value: '{given}'. Supported values are: {known}."), Some(name.to_owned()))
}
