//! Tools that are declared, and which of them have to be called.
//!
//! The dialect has no word for "none": tools are left out then, unless the conversation holds calls, which are taken only
//! with tools declared. Must never be here: what is said of their results.

use super::family::Family;
use super::ids::{fits, fitting};
use super::marks::{CachePoint, point};
use crate::Unsayable;
use crate::anthropic::object_schema;
use crate::hints::{Hints, unsayable};
use crate::hosted::{Hosted, Speaks, hosted};
use crate::literal::words;
use llm::{Declared, PartKind, Prompt, Takes, ToolChoice};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The field that says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tools<'a> {
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
}

impl Tools<'_> {
    /// Whether a tool has to be called.
    pub(super) fn is_forced(&self) -> bool {
        self.tool_choice.is_some()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Tool<'a> {
    ToolSpec(Spec<'a>),
    CachePoint(CachePoint),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty", serialize_with = "words")]
    description: &'a str,
    input_schema: Schema<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Schema<'a> {
    json: Cow<'a, RawValue>,
}

/// Which tools have to be called; left open where nothing is said.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Choice<'a> {
    Any {},
    Tool { name: &'a str },
}

/// Writes the tools and the choice among them; nothing where there are none.
///
/// # Errors
/// Tools that Bedrock does not have, and a call that is demanded where there is no tool for it.
pub(super) fn tools<'a>(prompt: &'a Prompt, family: Family, hints: &mut Hints) -> Result<Option<Tools<'a>>, Unsayable> {
    let Hosted { left_out, .. } = hosted(prompt, Speaks { own: None, search: false })?;
    left_out.into_iter().for_each(|name| hints.lose(name));
    let declared: Vec<&Declared> = prompt.tools.iter().filter(|tool| is_meant(tool, prompt, family)).collect();
    let tool_choice = choice(prompt, &declared, family)?;
    let called = called(prompt);
    if prompt.tool_choice == ToolChoice::None {
        hints.lose_if(!called.is_empty(), "tool_choice");
        if called.is_empty() {
            return Ok(None);
        }
    }
    let mut tools = Vec::new();
    for tool in &declared {
        tools.push(Tool::ToolSpec(spec(tool)?));
        let point = point(tool.cache.as_deref(), family.caches_tools(), family, hints);
        tools.extend(point.map(Tool::CachePoint));
    }
    hints.lose_if(!tools.is_empty() && prompt.parallel_calls == Some(false), "parallel_tool_calls");
    if tools.is_empty() {
        // They only stand for calls that were made.
        tools = called.into_iter().filter_map(undeclared).map(Tool::ToolSpec).collect();
    }
    Ok((!tools.is_empty()).then_some(Tools { tools, tool_choice }))
}

/// Whether a tool is declared: others are not where these alone may be called. A model that cannot be told which one has
/// to be called is given no other.
fn is_meant(tool: &Declared, prompt: &Prompt, family: Family) -> bool {
    match &prompt.tool_choice {
        ToolChoice::Among { names, .. } => names.contains(&tool.name),
        ToolChoice::Named(name) => family.is_told_all() || tool.name == *name,
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => true,
    }
}

fn choice<'a>(prompt: &'a Prompt, declared: &[&Declared], family: Family) -> Result<Option<Choice<'a>>, Unsayable> {
    let (choice, met) = match &prompt.tool_choice {
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Among { required: false, .. } => return Ok(None),
        ToolChoice::Required | ToolChoice::Among { required: true, .. } => (Choice::Any {}, !declared.is_empty()),
        ToolChoice::Named(name) => {
            let choice = if family.is_told_all() { Choice::Tool { name } } else { Choice::Any {} };
            (choice, declared.iter().any(|tool| tool.name == *name))
        }
    };
    if met { Ok(Some(choice)) } else { Err(unsayable("tool_choice", "demands a call of a tool that is not declared")) }
}

fn spec(tool: &Declared) -> Result<Spec<'_>, Unsayable> {
    let Takes::Json(schema) = &tool.takes else {
        return Err(unsayable("tools", "holds a tool that takes text, which Bedrock does not have"));
    };
    // Under another name its calls would come back as those of a tool that the client does not have.
    if !fits(&tool.name) {
        return Err(unsayable("tools", "holds a tool whose name Bedrock does not take"));
    }
    let json = object_schema(schema.as_deref().unwrap_or("{}"))
        .ok_or_else(|| unsayable("tools", "holds a tool whose schema is of no object"))?;
    Ok(Spec {
        name: Cow::Borrowed(&tool.name),
        description: &tool.description,
        input_schema: Schema { json },
        strict: tool.strict.filter(|strict| *strict),
    })
}

fn undeclared(name: &str) -> Option<Spec<'_>> {
    let json = object_schema("{}")?;
    Some(Spec { name: fitting(name), description: "", input_schema: Schema { json }, strict: None })
}

/// Names of tools that were called before, or gave something; an empty one where nobody says which.
fn called(prompt: &Prompt) -> BTreeSet<&str> {
    let parts = prompt.turns.iter().flat_map(|turn| &turn.parts);
    let names = parts.filter_map(|part| match &part.kind {
        PartKind::Call { name, .. } | PartKind::Result { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let mut names: BTreeSet<&str> = names.collect();
    if names.len() > 1 {
        names.remove("");
    }
    names
}
