//! The tools that a client declares, and which of them it wants called.
//!
//! Tools in a namespace are declared by one name each. A tool that its provider runs by itself is no noun: it rides in
//! the prompt's `others`. Must never be here: calls of tools.

use super::super::name::flat;
use super::read::{Fields, flag, no_such, other, text};
use crate::json::Json;
use crate::openai_chat::request::wrong_type;
use crate::place::Place;
use crate::shape::Shape;
use llm::{CallError, Declared, Prompt, Takes, ToolChoice};
use std::collections::BTreeSet;

/// Reads `tools`.
pub(super) fn read(prompt: &mut Prompt, tools: Json<'_>) -> Result<(), CallError> {
    each(tools, Place::default().field("tools"), |at, json| {
        let fields = Fields::of(json, at)?;
        let kind = fields.required_text("type")?;
        match kind.as_str() {
            "function" | "custom" => declare(prompt, &fields, ""),
            "namespace" => namespace(prompt, &fields),
            _ => {
                other(prompt, &at.to_string(), json);
                Ok(())
            }
        }
    })
}

fn each<'a>(
    list: Json<'a>,
    path: Place<'a>,
    mut hand: impl FnMut(Place<'a>, Json<'a>) -> Result<(), CallError>,
) -> Result<(), CallError> {
    let items = list.items().ok_or_else(|| wrong_type(path, "an array of objects", list.shape()))?;
    items.enumerate().try_for_each(|(at, json)| hand(path.item(at), json))
}

fn namespace(prompt: &mut Prompt, fields: &Fields<'_>) -> Result<(), CallError> {
    let name = fields.required_text("name")?;
    if let Some(description) = fields.get("description") {
        other(prompt, &format!("tools.{name}.description"), description);
    }
    each(fields.required("tools")?, fields.path("tools"), |at, json| {
        let member = Fields::of(json, at)?;
        match member.required_text("type")?.as_str() {
            "function" | "custom" => declare(prompt, &member, &name),
            kind => Err(no_such(kind, member.path("type"), "'function' and 'custom'")),
        }
    })
}

fn declare(prompt: &mut Prompt, fields: &Fields<'_>, namespace: &str) -> Result<(), CallError> {
    let name = flat(namespace, &fields.required_text("name")?).into_owned();
    let free = fields.required_text("type")? == "custom";
    let mut declared = Declared {
        name,
        description: fields.text("description")?,
        takes: if free { Takes::Free } else { Takes::Json(None) },
        strict: None,
        cache: None,
    };
    for (field, json) in fields.iter() {
        match field {
            "type" | "name" | "description" => {}
            "parameters" if !free => declared.takes = Takes::Json(Some(json.get().into())),
            "strict" if !free => declared.strict = Some(flag(json, fields.path("strict"))?),
            "defer_loading" if json.get() == "false" => {}
            "format" if is_any_text(json) => {}
            field => other(prompt, &format!("tools.{}.{field}", declared.name), json),
        }
    }
    prompt.tools.push(declared);
    Ok(())
}

/// Whether the input of a tool that takes text may be any.
fn is_any_text(json: Json<'_>) -> bool {
    Fields::of(json, Place::default()).and_then(|format| format.text("type")).is_ok_and(|kind| kind == "text")
}

/// Reads `tool_choice`.
pub(super) fn choice(prompt: &mut Prompt, json: Json<'_>) -> Result<(), CallError> {
    let at = "tool_choice";
    let place = Place::default().field(at);
    prompt.tool_choice = match json.shape() {
        Shape::Text { .. } => match text(json, place)?.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            word => return Err(no_such(word, at, "'none', 'auto', and 'required'")),
        },
        Shape::Object => {
            let fields = Fields::of(json, place)?;
            match fields.required_text("type")?.as_str() {
                "function" | "custom" => ToolChoice::Named(named(&fields)?),
                "allowed_tools" => match among(&fields)? {
                    Some(among) => among,
                    None => {
                        other(prompt, at, json);
                        ToolChoice::Auto
                    }
                },
                _ => {
                    other(prompt, at, json);
                    ToolChoice::Auto
                }
            }
        }
        shape => return Err(wrong_type(at, "a string or an object", shape)),
    };
    Ok(())
}

fn named(fields: &Fields<'_>) -> Result<String, CallError> {
    Ok(flat(&fields.text("namespace")?, &fields.required_text("name")?).into_owned())
}

/// The tools that alone may be called; nothing where all of them are run by the provider.
fn among(fields: &Fields<'_>) -> Result<Option<ToolChoice>, CallError> {
    let required = fields.text("mode")? == "required";
    let mut names = BTreeSet::new();
    each(fields.required("tools")?, fields.path("tools"), |at, json| {
        let fields = Fields::of(json, at)?;
        if matches!(fields.required_text("type")?.as_str(), "function" | "custom") {
            names.insert(named(&fields)?);
        }
        Ok(())
    })?;
    Ok(if names.is_empty() { None } else { Some(ToolChoice::Among { names, required }) })
}
