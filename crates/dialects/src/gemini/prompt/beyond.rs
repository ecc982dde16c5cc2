//! Fields of a request that are no noun: where Google's own go, which of others' it cannot do without, which are left out.
//!
//! Must never be here: how a body is written.

use super::super::json::Object;
use crate::Unsayable;
use llm::Other;

/// Google's own fields beside what is said.
const TOP: [&str; 5] = ["safetySettings", "labels", "modelArmorConfig", "serviceTier", "outputConfig"];

/// Tools that Google runs itself.
const TOOLS: [&str; 12] = [
    "googleSearch",
    "googleSearchRetrieval",
    "enterpriseWebSearch",
    "urlContext",
    "codeExecution",
    "googleMaps",
    "computerUse",
    "fileSearch",
    "retrieval",
    "mcpServers",
    "exaAiSearch",
    "parallelAiSearch",
];

/// Fields of other dialects without which the answer would be another one.
const ESSENTIAL: [&str; 13] = [
    "logit_bias",
    "top_logprobs",
    "modalities",
    "audio",
    "web_search_options",
    "functions",
    "mcp_servers",
    "container",
    "previous_response_id",
    "conversation",
    "prompt",
    "background",
    "continuationToken",
];

/// The fields that are no noun, each where it goes.
#[derive(Debug, Default)]
pub(super) struct Beyond<'a> {
    /// Beside what is said.
    pub(super) top: Vec<(&'a str, &'a str)>,
    /// In `generationConfig`.
    pub(super) config: Vec<(&'a str, &'a str)>,
    /// In `toolConfig`.
    pub(super) tool_config: Vec<(&'a str, &'a str)>,
    /// Tools, each of its own.
    pub(super) tools: Vec<(&'a str, &'a str)>,
    /// Whether thoughts are wanted in the answer, where that is said by itself.
    pub(super) thoughts: Option<bool>,
    /// What nobody here has a word for.
    pub(super) left_out: Vec<String>,
}

impl<'a> Beyond<'a> {
    /// Finds the place of each field.
    pub(super) fn of(others: &'a [Other]) -> Result<Self, Unsayable> {
        let mut beyond = Self::default();
        for other in others {
            beyond.put(&other.name, &other.json)?;
        }
        Ok(beyond)
    }

    fn put(&mut self, name: &'a str, json: &'a str) -> Result<(), Unsayable> {
        if name == "generationConfig.thinkingConfig.includeThoughts" {
            self.thoughts = Some(json == "true");
            return Ok(());
        }
        let (group, field) = name.split_once('.').unwrap_or(("", name));
        match group {
            "" if TOP.contains(&field) => self.top.push((field, json)),
            "tools" if TOOLS.contains(&field) => self.tools.push((field, json)),
            "generationConfig" if !field.contains('.') => self.config.push((field, json)),
            "toolConfig" if !field.contains('.') => self.tool_config.push((field, json)),
            _ if ESSENTIAL.contains(&name) || is_a_tool(name) => {
                return Err(Unsayable { field: name.to_owned(), why: "has no counterpart at Google".to_owned() });
            }
            _ => self.left_out.push(name.to_owned()),
        }
        Ok(())
    }
}

/// Whether the field is a tool of a kind that only its own provider has.
fn is_a_tool(name: &str) -> bool {
    let rest = name.strip_prefix("tools");
    rest.is_some_and(|rest| {
        rest.is_empty() || (rest.starts_with(['.', '[']) && !rest.starts_with(".functionDeclarations"))
    })
}

/// Adds `fields` to `object`.
pub(super) fn add(object: &mut Object<'_>, fields: &[(&str, &str)]) {
    for (name, json) in fields {
        object.json(name, json);
    }
}
