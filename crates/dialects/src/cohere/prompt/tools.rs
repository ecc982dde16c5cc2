//! Tools that are declared, and which of them have to be called.
//!
//! Cohere can be made to call some tool or none. Where others are told which, only those are declared.

use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use crate::literal::words;
use crate::thin::as_object;
use llm::{Declared, Prompt, Takes, ToolChoice};
use serde::Serialize;
use serde_json::value::RawValue;

/// The fields that say it.
#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) strict_tools: bool,
    pub(super) tool_choice: Option<&'static str>,
}

/// A tool.
#[derive(Debug, Serialize)]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty", serialize_with = "words")]
    description: &'a str,
    parameters: Box<RawValue>,
}

/// Writes the tools and the choice among them.
///
/// # Errors
/// Tools that Cohere does not have, and a call that is demanded where there is no tool for it.
pub(super) fn tools<'a>(prompt: &'a Prompt, hints: &mut Hints) -> Result<Tools<'a>, Unsayable> {
    let meant = |tool: &&Declared| match &prompt.tool_choice {
        ToolChoice::Named(name) => tool.name == *name,
        ToolChoice::Among { names, .. } => names.contains(&tool.name),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => true,
    };
    let declared: Vec<&Declared> = prompt.tools.iter().filter(meant).collect();
    let forced = match &prompt.tool_choice {
        ToolChoice::Required | ToolChoice::Named(_) => true,
        ToolChoice::Among { required, .. } => *required,
        ToolChoice::Auto | ToolChoice::None => false,
    };
    if declared.is_empty() {
        let none = Tools::default();
        return if forced {
            Err(unsayable("tool_choice", "demands a call of a tool that is not declared"))
        } else {
            Ok(none)
        };
    }
    // One word for all of them: it would bind tools whose schemas were not made for it.
    let strict = |tool: &&Declared| tool.strict == Some(true);
    let strict_tools = declared.iter().all(strict);
    hints.lose_if(!strict_tools && declared.iter().any(strict), "strict");
    hints.lose_if(prompt.parallel_calls == Some(false), "parallel_tool_calls");
    let tool_choice = match prompt.tool_choice {
        ToolChoice::None => Some("NONE"),
        _ => forced.then_some("REQUIRED"),
    };
    let tools = declared.into_iter().map(|tool| declare(tool, hints)).collect::<Result<_, _>>()?;
    Ok(Tools { tools, strict_tools, tool_choice })
}

fn declare<'a>(tool: &'a Declared, hints: &mut Hints) -> Result<Tool<'a>, Unsayable> {
    let Takes::Json(schema) = &tool.takes else {
        return Err(unsayable("tools", "holds a tool that takes text, which Cohere does not have"));
    };
    let parameters = as_object(schema.as_deref().unwrap_or(r#"{"type":"object","properties":{}}"#))
        .ok_or_else(|| unsayable("tools", "holds a tool whose schema is no object"))?;
    hints.lose_if(tool.cache.is_some(), "cache_control");
    let function = Function { name: &tool.name, description: &tool.description, parameters };
    Ok(Tool { kind: "function", function })
}
