//! Tools that are declared, and which of them have to be called.

use super::super::Server;
use super::wire::{Allowed, Choice, Declared, Grammar, Name, Named, Rules, Tool};
use super::{LeftOut, json, unsayable};
use crate::Unsayable;
use llm::{Prompt, Takes, ToolChoice};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The longest name of a tool that OpenAI takes, in characters.
const MAX_NAME: usize = 64;

/// The tools and the choice among them.
pub(super) fn tools<'a>(
    prompt: &'a Prompt,
    server: &Server,
    left: &mut LeftOut,
) -> Result<(Vec<Tool<'a>>, Option<Choice<'a>>), Unsayable> {
    let offered = offered(&prompt.tool_choice, server);
    let declared = prompt.tools.iter().filter(|tool| offered.is_none_or(|names| names.contains(&tool.name)));
    let tools =
        declared.map(|tool| declare(tool, grammar(prompt, tool)?, server, left)).collect::<Result<Vec<_>, _>>()?;
    let named = |name: &'a String| {
        let free = prompt.tools.iter().any(|tool| tool.name == *name && tool.takes == Takes::Free);
        let (name, kind) = (Name { name }, if free { "custom" } else { "function" });
        if free {
            Named { kind, function: None, custom: Some(name) }
        } else {
            Named { kind, function: Some(name), custom: None }
        }
    };
    let choice = match &prompt.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word(server.forced)),
        ToolChoice::Named(name) => Some(Choice::Named(named(name))),
        ToolChoice::Among { names, required } if server.own => Some(Choice::Allowed {
            kind: "allowed_tools",
            allowed_tools: Allowed {
                mode: if *required { "required" } else { "auto" },
                tools: names.iter().map(named).collect(),
            },
        }),
        ToolChoice::Among { required, .. } => required.then_some(Choice::Word(server.forced)),
    };
    // Without tools a choice among them is an error.
    let choice = choice.filter(|_| !tools.is_empty());
    Ok((tools, choice))
}

/// The only tools that are declared, to servers that know no choice among several.
fn offered<'a>(choice: &'a ToolChoice, server: &Server) -> Option<&'a BTreeSet<String>> {
    match choice {
        ToolChoice::Among { names, .. } if !server.own => Some(names),
        _ => None,
    }
}

/// The grammar of a tool that takes text: the responses dialect, whose words it is kept in, has one object less.
fn grammar<'a>(prompt: &'a Prompt, tool: &llm::Declared) -> Result<Option<Grammar<'a>>, Unsayable> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        name: &'a RawValue,
    }
    let name = format!("tools.{}.format", tool.name);
    let Some(other) = prompt.others.iter().find(|other| other.name == name && tool.takes == Takes::Free) else {
        return Ok(None);
    };
    match (serde_json::from_str(&other.json), serde_json::from_str::<Rules<'_>>(&other.json)) {
        (Ok(Kind { name }), Ok(grammar)) if name.get() == "\"grammar\"" => Ok(Some(Grammar::Grammar { grammar })),
        _ => Err(unsayable(&name, "is no grammar that the provider knows")),
    }
}

fn declare<'a>(
    tool: &'a llm::Declared,
    format: Option<Grammar<'a>>,
    server: &Server,
    left: &mut LeftOut,
) -> Result<Tool<'a>, Unsayable> {
    let parameters = match &tool.takes {
        Takes::Json(schema) => schema.as_deref().map(|schema| json(schema, "tools")).transpose()?,
        Takes::Free if server.own => None,
        Takes::Free => return Err(unsayable("tools", "has a tool that takes text, of which the provider knows none")),
    };
    if server.own && !is_name(&tool.name) {
        return Err(unsayable("tools", &format!("has a tool whose name OpenAI does not take: {}", tool.name)));
    }
    let cache = left.unless(server.cache_marks, "cache_control", tool.cache.as_deref());
    let cache_control = cache.map(|mark| json(mark, "cache_control")).transpose()?;
    let (free, strict) = (tool.takes == Takes::Free, tool.strict.filter(|_| tool.takes != Takes::Free));
    let declared = Declared { name: &tool.name, description: &tool.description, parameters, strict, format };
    let (function, custom) = if free { (None, Some(declared)) } else { (Some(declared), None) };
    Ok(Tool { kind: if free { "custom" } else { "function" }, function, custom, cache_control })
}

/// Names that are made of a namespace and a name may be longer than each of them was.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits)
}
