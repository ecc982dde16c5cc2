//! The tools that a client declares, and which of them it wants called.
//!
//! Tools in a namespace are declared by one name each. A tool that its provider runs by itself is no noun: it rides in
//! the prompt's `others`. Must never be here: calls of tools.

use super::super::name::flat;
use super::super::wire::list;
use super::read::{Fields, flag, no_such, other, text};
use crate::openai_chat::request::{missing, wrong_type};
use crate::shape::Shape;
use llm::{CallError, Declared, Prompt, Takes, ToolChoice};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Reads `tools`.
pub(super) fn read(prompt: &mut Prompt, raw: &RawValue) -> Result<(), CallError> {
    each(raw, "tools", |at, raw| {
        let fields = Fields::of(raw, at)?;
        let kind = fields.required(at, "type")?;
        match kind.as_str() {
            "function" | "custom" => declare(prompt, at, &fields, ""),
            "namespace" => namespace(prompt, at, &fields),
            _ => {
                other(prompt, at, raw);
                Ok(())
            }
        }
    })
}

fn each<'a>(
    raw: &'a RawValue,
    path: &str,
    mut hand: impl FnMut(&str, &'a RawValue) -> Result<(), CallError>,
) -> Result<(), CallError> {
    let Shape::List { .. } = Shape::of(raw) else {
        return Err(wrong_type(path, "an array of objects", Shape::of(raw)));
    };
    list(Some(raw)).into_iter().enumerate().try_for_each(|(at, raw)| hand(&format!("{path}[{at}]"), raw))
}

fn namespace(prompt: &mut Prompt, at: &str, fields: &Fields<'_>) -> Result<(), CallError> {
    let name = fields.required(at, "name")?;
    if let Some(description) = fields.get("description") {
        other(prompt, &format!("tools.{name}.description"), description);
    }
    let path = format!("{at}.tools");
    each(fields.get("tools").ok_or_else(|| missing(&path))?, &path, |at, raw| {
        let member = Fields::of(raw, at)?;
        match member.required(at, "type")?.as_str() {
            "function" | "custom" => declare(prompt, at, &member, &name),
            kind => Err(no_such(kind, &format!("{at}.type"), "'function' and 'custom'")),
        }
    })
}

fn declare(prompt: &mut Prompt, at: &str, fields: &Fields<'_>, namespace: &str) -> Result<(), CallError> {
    let name = flat(namespace, &fields.required(at, "name")?).into_owned();
    let free = fields.required(at, "type")? == "custom";
    let mut declared = Declared {
        name,
        description: fields.text(at, "description")?,
        takes: if free { Takes::Free } else { Takes::Json(None) },
        strict: None,
        cache: None,
    };
    for (field, raw) in &fields.0 {
        match field.as_str() {
            "type" | "name" | "description" => {}
            "parameters" if !free => declared.takes = Takes::Json(Some(raw.get().into())),
            "strict" if !free => declared.strict = Some(flag(raw, &format!("{at}.strict"))?),
            "defer_loading" if raw.get() == "false" => {}
            "format" if is_any_text(raw) => {}
            field => other(prompt, &format!("tools.{}.{field}", declared.name), raw),
        }
    }
    prompt.tools.push(declared);
    Ok(())
}

/// Whether the input of a tool that takes text may be any.
fn is_any_text(raw: &RawValue) -> bool {
    Fields::of(raw, "").and_then(|format| format.text("", "type")).is_ok_and(|kind| kind == "text")
}

/// Reads `tool_choice`.
pub(super) fn choice(prompt: &mut Prompt, raw: &RawValue) -> Result<(), CallError> {
    let at = "tool_choice";
    prompt.tool_choice = match Shape::of(raw) {
        Shape::Text { .. } => match text(raw, at)?.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            word => return Err(no_such(word, at, "'none', 'auto', and 'required'")),
        },
        Shape::Object => {
            let fields = Fields::of(raw, at)?;
            match fields.required(at, "type")?.as_str() {
                "function" | "custom" => ToolChoice::Named(named(at, &fields)?),
                "allowed_tools" => match among(at, &fields)? {
                    Some(among) => among,
                    None => {
                        other(prompt, at, raw);
                        ToolChoice::Auto
                    }
                },
                _ => {
                    other(prompt, at, raw);
                    ToolChoice::Auto
                }
            }
        }
        shape => return Err(wrong_type(at, "a string or an object", shape)),
    };
    Ok(())
}

fn named(at: &str, fields: &Fields<'_>) -> Result<String, CallError> {
    Ok(flat(&fields.text(at, "namespace")?, &fields.required(at, "name")?).into_owned())
}

/// The tools that alone may be called; nothing where all of them are run by the provider.
fn among(at: &str, fields: &Fields<'_>) -> Result<Option<ToolChoice>, CallError> {
    let required = fields.text(at, "mode")? == "required";
    let (path, mut names) = (format!("{at}.tools"), BTreeSet::new());
    each(fields.get("tools").ok_or_else(|| missing(&path))?, &path, |at, raw| {
        let fields = Fields::of(raw, at)?;
        if matches!(fields.required(at, "type")?.as_str(), "function" | "custom") {
            names.insert(named(at, &fields)?);
        }
        Ok(())
    })?;
    Ok(if names.is_empty() { None } else { Some(ToolChoice::Among { names, required }) })
}
