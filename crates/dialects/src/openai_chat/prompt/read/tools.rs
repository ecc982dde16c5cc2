//! Tools that are declared, and which of them have to be called.

use super::super::super::request::{invalid, missing};
use super::fields::{self, Fields};
use super::part;
use crate::json::Json;
use llm::{CallError, Declared, Other, Takes, ToolChoice};
use std::collections::BTreeSet;

/// Reads `tools`, and `functions`, their name of 2023. Tools that a provider runs by itself are no noun.
pub(super) fn tools(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<Vec<Declared>, CallError> {
    let mut tools = Vec::new();
    for (at, json) in fields.list("tools", "an array of objects")? {
        let mut tool = Fields::of(json, at)?;
        let cache = part::cache(&mut tool);
        let kind = tool.required_text("type")?;
        let declared = match kind.as_str() {
            "function" => function(tool.required("function")?, others)?,
            "custom" => custom(tool.required("custom")?, others)?,
            _ => {
                others.push(Other { name: at.to_string(), json: json.get().into() });
                continue;
            }
        };
        others.extend(tool.rest());
        tools.push(Declared { cache, ..declared });
    }
    for (at, json) in fields.list("functions", "an array of objects")? {
        tools.push(function(Fields::of(json, at)?, others)?);
    }
    Ok(tools)
}

fn function(mut function: Fields<'_>, others: &mut Vec<Other>) -> Result<Declared, CallError> {
    let takes = Takes::Json(function.take("parameters").map(|schema| schema.get().into()));
    let declared = declared(&mut function, takes)?;
    others.extend(function.rest());
    Ok(declared)
}

/// A tool that takes text. A grammar for it is no noun, and kept in the words of the responses dialect, which puts it
/// straight into the format.
fn custom(mut custom: Fields<'_>, others: &mut Vec<Other>) -> Result<Declared, CallError> {
    let declared = declared(&mut custom, Takes::Free)?;
    if let Some(mut format) = custom.object("format")?
        && format.required_text("type")? != "text"
    {
        let rules = format.take("grammar").map_or("{}", Json::get);
        let inner = rules.strip_prefix('{').unwrap_or("}").trim_ascii_start();
        let comma = if inner.starts_with('}') { "" } else { "," };
        let json = format!("{{\"type\":\"grammar\"{comma}{inner}");
        others.push(Other { name: format!("tools.{}.format", declared.name), json: json.into() });
        others.extend(format.rest());
    }
    others.extend(custom.rest());
    Ok(declared)
}

fn declared(tool: &mut Fields<'_>, takes: Takes) -> Result<Declared, CallError> {
    Ok(Declared {
        name: tool.required_text("name")?,
        description: tool.text("description")?.unwrap_or_default(),
        takes,
        strict: tool.flag("strict")?,
        cache: None,
    })
}

/// Reads `tool_choice`, or `function_call`, its name of 2023.
pub(super) fn choice(fields: &mut Fields<'_>) -> Result<ToolChoice, CallError> {
    for name in ["tool_choice", "function_call"] {
        if let Some(json) = fields.take(name) {
            return chosen(json, name, fields);
        }
    }
    Ok(ToolChoice::Auto)
}

fn chosen<'a>(json: Json<'a>, name: &'a str, fields: &Fields<'a>) -> Result<ToolChoice, CallError> {
    if json.is_text() {
        return match fields::text(json, fields.path(name))?.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            // Mistral calls it `any`.
            "required" | "any" => Ok(ToolChoice::Required),
            other => Err(fields.unknown(name, other, "'none', 'auto', and 'required'")),
        };
    }
    let mut choice = Fields::of(json, fields.path(name))?;
    if let Some(allowed) = choice.object("allowed_tools")? {
        return among(allowed);
    }
    let named = match (choice.object("function")?, choice.object("custom")?) {
        (Some(tool), _) | (None, Some(tool)) => tool,
        // Of `function_call`.
        (None, None) => choice,
    };
    this_one(named).map(ToolChoice::Named)
}

fn among(mut allowed: Fields<'_>) -> Result<ToolChoice, CallError> {
    let required = match allowed.required_text("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        other => return Err(allowed.unknown("mode", other, "'auto' and 'required'")),
    };
    let mut names = BTreeSet::new();
    for (at, json) in allowed.list("tools", "an array of objects")? {
        let mut tool = Fields::of(json, at)?;
        let (function, custom) = (tool.object("function")?, tool.object("custom")?);
        let Some(inner) = function.or(custom) else {
            let message = "Only functions and custom tools can be allowed here.".to_owned();
            return Err(invalid(message, Some(tool.at().to_string())));
        };
        names.insert(this_one(inner)?);
    }
    if names.is_empty() {
        return Err(missing(allowed.path("tools")));
    }
    Ok(ToolChoice::Among { names, required })
}

fn this_one(mut tool: Fields<'_>) -> Result<String, CallError> {
    tool.required_text("name")
}
