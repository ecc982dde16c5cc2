//! Tools as this dialect declares them, and which of them have to be called.
//!
//! Must never be here: what is said of their results.

use super::super::json::as_object;
use super::write::Left;
use crate::Unsayable;
use crate::hosted::{Hosted, Speaks, declares, hosted};
use crate::json::Json;
use crate::literal::words;
use llm::{Declared, Dialect, PartKind, Prompt, Takes, ToolChoice};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The longest name of a tool, in characters.
const MAX_NAME: usize = 128;
/// A search of the web, in the version that every model takes
/// (docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool).
const SEARCH: &str = r#"{"type":"web_search_20250305","name":"web_search"}"#;

/// A tool that is offered.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    /// One that the client runs.
    Declared(Function<'a>),
    /// One that Anthropic defines, as it came.
    Given(&'a RawValue),
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty", serialize_with = "words")]
    description: &'a str,
    input_schema: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<&'a RawValue>,
}

/// Which tools have to be called.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Choice<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

impl Choice<'_> {
    /// Whether a tool has to be called.
    pub(super) fn is_forced(&self) -> bool {
        matches!(self.kind, "any" | "tool")
    }
}

/// The tools of `prompt`, those that Anthropic defines included.
///
/// # Errors
/// Tools that this dialect does not have.
pub(super) fn tools<'a>(prompt: &'a Prompt, left: &mut Left) -> Result<Vec<Tool<'a>>, Unsayable> {
    let among = match &prompt.tool_choice {
        // None but these: no others are declared.
        ToolChoice::Among { names, .. } => Some(names),
        _ => None,
    };
    let meant = prompt.tools.iter().filter(|tool| among.is_none_or(|names| names.contains(&tool.name)));
    let mut written: Vec<Tool<'_>> = meant.map(|tool| declared(tool, left)).collect::<Result<_, _>>()?;
    let Hosted { given, search, left_out } = hosted(prompt, speaks(prompt))?;
    let asked = search.then_some(SEARCH);
    written.extend(given.into_iter().chain(asked).filter_map(as_object).map(Tool::Given));
    left_out.into_iter().for_each(|name| left.out(name));
    if written.is_empty() {
        // Calls that were made are taken only with their tools declared; the choice keeps them from being called.
        written = called(prompt).into_iter().filter_map(undeclared).collect();
    }
    Ok(written)
}

/// Which of the tools have to be called; nothing where that is left open.
///
/// # Errors
/// A call that is demanded where there is no tool.
pub(super) fn choice<'a>(prompt: &'a Prompt, none_declared: bool) -> Result<Option<Choice<'a>>, Unsayable> {
    let one = (prompt.parallel_calls == Some(false)).then_some(true);
    let say = |kind, name, one| Some(Choice { kind, name, disable_parallel_tool_use: one });
    let forced = matches!(
        prompt.tool_choice,
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. }
    );
    if none_declared && forced {
        return Err(Left::never("tool_choice", "demands a call, and no tool is declared"));
    }
    Ok(match &prompt.tool_choice {
        _ if none_declared && called(prompt).is_empty() => None,
        _ if none_declared => say("none", None, None),
        ToolChoice::None => say("none", None, None),
        ToolChoice::Required | ToolChoice::Among { required: true, .. } => say("any", None, one),
        ToolChoice::Named(name) => say("tool", Some(name), one),
        ToolChoice::Auto | ToolChoice::Among { required: false, .. } => one.and_then(|_| say("auto", None, one)),
    })
}

fn declared<'a>(tool: &'a Declared, left: &mut Left) -> Result<Tool<'a>, Unsayable> {
    let Takes::Json(schema) = &tool.takes else {
        return Err(Left::never("tools", "holds a tool that takes text, which Anthropic does not have"));
    };
    if !is_name(&tool.name) {
        return Err(Left::never("tools", "holds a tool whose name Anthropic does not take"));
    }
    let input_schema = object_schema(schema.as_deref().unwrap_or("{}"))
        .ok_or_else(|| Left::never("tools", "holds a tool whose schema is of no object"))?;
    Ok(Tool::Declared(Function {
        name: &tool.name,
        description: &tool.description,
        input_schema,
        strict: tool.strict.filter(|strict| *strict),
        cache_control: left.mark(tool.cache.as_deref()),
    }))
}

/// A tool that only stands for calls that were made.
fn undeclared(name: &str) -> Option<Tool<'_>> {
    let input_schema = object_schema("{}")?;
    Some(Tool::Declared(Function { name, description: "", input_schema, strict: None, cache_control: None }))
}

/// A schema that says that it is of an object, which Anthropic wants said; nothing where it is of something else.
pub(crate) fn object_schema(schema: &str) -> Option<Cow<'_, RawValue>> {
    let raw = as_object(schema)?;
    match Json::from(raw).entries()?.find(|(name, _)| name == "type").map(|(_, kind)| kind) {
        Some(kind) if kind.text().is_some_and(|kind| kind == "object") => Some(Cow::Borrowed(raw)),
        Some(kind) if !kind.is_null() => None,
        _ => {
            let inner = raw.get().strip_prefix('{')?;
            let comma = if inner.trim_start() == "}" { "" } else { "," };
            RawValue::from_string(format!("{{\"type\":\"object\"{comma}{inner}")).ok().map(Cow::Owned)
        }
    }
}

/// What Anthropic can be asked for beside functions, of which none may bear the same name.
fn speaks(prompt: &Prompt) -> Speaks {
    Speaks { own: Some(Dialect::Anthropic), search: !declares(prompt, "web_search") }
}

/// Names of tools that were called before.
fn called(prompt: &Prompt) -> BTreeSet<&str> {
    let parts = prompt.turns.iter().flat_map(|turn| &turn.parts);
    parts
        .filter_map(|part| match &part.kind {
            PartKind::Call { name, .. } if is_name(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits)
}
