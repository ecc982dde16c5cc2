//! Tools that are declared. Ollama cannot be told which of them have to be called, only which there are.

use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use crate::literal::words;
use crate::thin::as_object;
use llm::{Declared, Prompt, Takes, ToolChoice};
use serde::Serialize;
use serde_json::value::RawValue;

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

/// Writes the tools that may be called.
///
/// # Errors
/// Tools that Ollama does not have, and a call that is demanded.
pub(super) fn tools<'a>(prompt: &'a Prompt, hints: &mut Hints) -> Result<Vec<Tool<'a>>, Unsayable> {
    let meant = |tool: &&Declared| match &prompt.tool_choice {
        ToolChoice::None => false,
        ToolChoice::Among { names, .. } => names.contains(&tool.name),
        ToolChoice::Auto | ToolChoice::Required | ToolChoice::Named(_) => true,
    };
    if matches!(
        prompt.tool_choice,
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. }
    ) {
        return Err(unsayable("tool_choice", "demands a call, which Ollama cannot be made to give"));
    }
    let declared: Vec<&Declared> = prompt.tools.iter().filter(meant).collect();
    hints.lose_if(prompt.parallel_calls == Some(false) && !declared.is_empty(), "parallel_tool_calls");
    declared.into_iter().map(|tool| declare(tool, hints)).collect()
}

fn declare<'a>(tool: &'a Declared, hints: &mut Hints) -> Result<Tool<'a>, Unsayable> {
    let Takes::Json(schema) = &tool.takes else {
        return Err(unsayable("tools", "holds a tool that takes text, which Ollama does not have"));
    };
    let parameters = as_object(schema.as_deref().unwrap_or(r#"{"type":"object","properties":{}}"#))
        .ok_or_else(|| unsayable("tools", "holds a tool whose schema is no object"))?;
    hints.lose_if(tool.strict == Some(true), "strict");
    hints.lose_if(tool.cache.is_some(), "cache_control");
    let function = Function { name: &tool.name, description: &tool.description, parameters };
    Ok(Tool { kind: "function", function })
}
