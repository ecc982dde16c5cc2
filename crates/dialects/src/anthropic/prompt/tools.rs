//! The tools of a request, and which of them have to be called.
//!
//! Must never be here: what is said of their results.

use super::fields::Fields;
use crate::json::Json;
use crate::place::Place;
use llm::{CallError, Declared, Demanded, Format, Other, Takes, ToolChoice};

/// What a request says of tools.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Those that the client runs.
    pub(super) declared: Vec<Declared>,
    /// Names of those that Anthropic defines, where they have any.
    pub(super) defined: Vec<String>,
    /// All of the latter, and what else is said of the former.
    pub(super) others: Vec<Other>,
}

/// Reads `tools`.
pub(super) fn tools(list: Vec<Json<'_>>) -> Result<Tools, CallError> {
    let mut tools = Tools::default();
    for (at, json) in list.into_iter().enumerate() {
        let mut fields = Fields::of(json, Place::default().field("tools").item(at))?;
        if fields.text("type")?.is_some_and(|kind| kind != "custom") {
            tools.defined.extend(fields.text("name")?);
            tools.others.push(Other { name: format!("tools[{at}]"), json: json.get().into() });
            continue;
        }
        tools.declared.push(Declared {
            name: fields.needed("name")?,
            description: fields.text("description")?.unwrap_or_default(),
            takes: Takes::Json(fields.take("input_schema").map(|schema| schema.get().into())),
            strict: fields.value("strict", "boolean")?,
            cache: fields.take("cache_control").map(|mark| mark.get().into()),
        });
        for (name, json) in fields.rest().filter(|(_, json)| &**json != "false") {
            let name = format!("tools.{name}");
            if !tools.others.iter().any(|other| other.name == name) {
                tools.others.push(Other { name, json });
            }
        }
    }
    Ok(tools)
}

/// Reads `tool_choice`: which tools have to be called, and whether several may be.
pub(super) fn choice(fields: Option<Fields<'_>>) -> Result<(ToolChoice, Option<bool>), CallError> {
    let Some(mut fields) = fields else { return Ok((ToolChoice::Auto, None)) };
    let choice = match &*fields.needed("type")? {
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(fields.needed("name")?),
        _ => ToolChoice::Auto,
    };
    let one: Option<bool> = fields.value("disable_parallel_tool_use", "boolean")?;
    Ok((choice, one.map(|one| !one)))
}

/// Reads a format: of `output_config`, or the field that came before it.
pub(super) fn format(fields: Option<Fields<'_>>) -> Result<Format, CallError> {
    let Some(mut fields) = fields else { return Ok(Format::Text) };
    let schema = fields.take("schema").map(Json::get);
    Ok(match (&*fields.needed("type")?, schema) {
        ("json_schema", Some(schema)) => {
            Format::JsonSchema(Demanded { name: String::new(), schema: schema.into(), strict: true })
        }
        _ => Format::Text,
    })
}
