//! A prompt as a provider's body: what is asked, beside the conversation.
//!
//! Nothing is kept at the provider unless the client says so: `store` is false otherwise. Must never be here: items.

use super::said::{Body, Choice, Chosen, Format as SaidFormat, Tool};
use super::turns;
use crate::essential::{Fate, fate};
use crate::hosted::{Speaks, hosted, is_hosted};
use crate::literal::to_vec;
use crate::responses::name::{Name, apart};
use crate::{Unsayable, Written};
use llm::{Declared, Dialect, Format, Other, Prompt, Takes, Thinking, ToolChoice};
use serde::Deserialize;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::{BTreeMap, HashMap};

/// From how many tokens a budget of thought is the next higher effort.
const MEDIUM: u64 = 4096;
const HIGH: u64 = 16_384;

/// What asks for reasoning in the form that can be given back.
const ENCRYPTED: &str = "reasoning.encrypted_content";

/// A search of the web, in the words of [the guide](https://platform.openai.com/docs/guides/tools-web-search).
const SEARCH: &str = r#"{"type":"web_search"}"#;

/// Writes `prompt` for `model`.
///
/// # Errors
/// The first thing in it that this dialect cannot say and that would make another request of it.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut left_out = Vec::new();
    sampling(prompt, &mut left_out)?;
    let others = Others::sort(prompt, &mut left_out)?;
    let input = turns::write(&prompt.turns, &mut left_out)?;
    let hosted = hosted(prompt, Speaks { own: Some(Dialect::Responses), search: true })?;
    left_out.extend(hosted.left_out.iter().map(|name| (*name).to_owned()));
    let mut tools = tools(prompt, &others, &mut left_out)?;
    tools.extend(hosted.given.into_iter().chain(hosted.search.then_some(SEARCH)).filter_map(raw).map(Tool::Given));
    let body = Body {
        model,
        input,
        stream: prompt.stream,
        tools,
        tool_choice: choice(prompt, &others),
        parallel_tool_calls: prompt.parallel_calls,
        text: text(prompt, &others)?,
        reasoning: reasoning(prompt, &others, &mut left_out),
        include: include(prompt, &others),
        max_output_tokens: prompt.sampling.max_tokens,
        temperature: prompt.sampling.temperature,
        top_p: prompt.sampling.top_p,
        user: &prompt.user,
        others: others.fields,
    };
    // Text, numbers and JSON that was read cannot fail to serialise.
    let body = to_vec(&body).unwrap_or_default().into();
    left_out.sort_unstable();
    left_out.dedup();
    Ok(Written { body, left_out })
}

pub(super) fn unsayable<T>(field: &str, why: &str) -> Result<T, Unsayable> {
    Err(Unsayable { field: field.to_owned(), why: why.to_owned() })
}

/// JSON as it stands.
pub(super) fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

fn boxed<T: Serialize + ?Sized>(value: &T) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

fn sampling(prompt: &Prompt, left_out: &mut Vec<String>) -> Result<(), Unsayable> {
    let sampling = &prompt.sampling;
    if sampling.choices.is_some_and(|choices| choices > 1) {
        return unsayable("n", "asks for several answers: this provider gives one");
    }
    if sampling.logprobs.is_some() {
        return unsayable("logprobs", "asks for likelihoods, which are not translated");
    }
    if !sampling.stop.is_empty() {
        return unsayable("stop", "names where to stop: this provider cannot be told");
    }
    let penalty = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    for (said, name) in [
        (sampling.top_k.is_some(), "top_k"),
        (sampling.seed.is_some(), "seed"),
        (penalty(sampling.presence_penalty), "presence_penalty"),
        (penalty(sampling.frequency_penalty), "frequency_penalty"),
    ] {
        left_out.extend(said.then(|| name.to_owned()));
    }
    Ok(())
}

/// The fields that are no noun, by where they go.
struct Others<'a> {
    /// Fields of the body.
    fields: BTreeMap<&'a str, Box<RawValue>>,
    /// Of `text`, of `reasoning`, and of tools: what stands behind the first dot.
    text: Vec<(&'a str, &'a RawValue)>,
    reasoning: Vec<(&'a str, &'a RawValue)>,
    tools: Vec<(&'a str, &'a RawValue)>,
    include: Option<&'a RawValue>,
    tool_choice: Option<&'a RawValue>,
}

impl<'a> Others<'a> {
    fn sort(prompt: &'a Prompt, left_out: &mut Vec<String>) -> Result<Self, Unsayable> {
        let mut sorted = Self {
            fields: BTreeMap::new(),
            text: Vec::new(),
            reasoning: Vec::new(),
            tools: Vec::new(),
            include: None,
            tool_choice: None,
        };
        for Other { name, json: text } in prompt.others.iter().filter(|other| !is_hosted(&other.name)) {
            let Some(json) = raw(text) else { continue };
            let place = name.split_once('.').unwrap_or(("", name));
            match place {
                ("tools", rest) => sorted.tools.push((rest, json)),
                ("text", rest) => sorted.text.push((rest, json)),
                ("reasoning", rest) => sorted.reasoning.push((rest, json)),
                ("", "verbosity") => sorted.text.push(("verbosity", json)),
                ("", "include") => sorted.include = Some(json),
                ("", "tool_choice") => sorted.tool_choice = Some(json),
                ("", field) if is_known(field, json) => {
                    sorted.fields.extend(boxed(json).map(|json| (name.as_str(), json)));
                }
                _ => match fate(name, text) {
                    Fate::Nothing => {}
                    Fate::LeftOut => left_out.push(name.clone()),
                    Fate::Refused(why) => return unsayable(name, why),
                },
            }
        }
        sorted.fields.entry("store").or_insert(boxed(&false).unwrap_or_default());
        Ok(sorted)
    }
}

/// Whether a field is one of this dialect: others have fields of the same name that hold something else.
fn is_known(field: &str, json: &RawValue) -> bool {
    fn holds<'a, T: Deserialize<'a>>(json: &'a RawValue) -> bool {
        serde_json::from_str::<T>(json.get()).is_ok()
    }
    const TIERS: [&str; 5] = ["auto", "default", "flex", "priority", "scale"];
    match field {
        "background" | "store" => holds::<bool>(json),
        "max_tool_calls" => holds::<u64>(json),
        "metadata" => holds::<HashMap<String, String>>(json),
        "service_tier" => serde_json::from_str::<String>(json.get()).is_ok_and(|tier| TIERS.contains(&tier.as_str())),
        "context_management" => json.get().starts_with('['),
        "previous_response_id" | "prompt_cache_key" | "prompt_cache_retention" | "safety_identifier" | "truncation" => {
            holds::<String>(json)
        }
        "client_metadata" | "conversation" | "moderation" | "prompt" | "prompt_cache_options" | "stream_options" => {
            true
        }
        _ => false,
    }
}

fn tools<'a>(prompt: &'a Prompt, others: &Others<'a>, left_out: &mut Vec<String>) -> Result<Vec<Tool<'a>>, Unsayable> {
    let mut said: Vec<Tool<'a>> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for declared in &prompt.tools {
        let Name { namespace, name } = apart(&declared.name);
        left_out.extend(declared.cache.as_ref().map(|_| "cache_control".to_owned()));
        let format = others.tools.iter().find(|(at, _)| at.strip_suffix(".format") == Some(&declared.name));
        taken.extend(format.filter(|_| matches!(declared.takes, Takes::Free)).map(|(at, _)| *at));
        let tool = tool(declared, name, format.map(|(_, json)| *json));
        if namespace.is_empty() {
            said.push(tool);
            continue;
        }
        let known = said.iter_mut().find_map(|one| match one {
            Tool::Namespace { name, tools, .. } if *name == namespace => Some(tools),
            _ => None,
        });
        match known {
            Some(tools) => tools.push(tool),
            None => {
                let at = |(at, _): &&(&str, &RawValue)| at.strip_suffix(".description") == Some(namespace);
                let described = others.tools.iter().find(at);
                taken.extend(described.map(|(at, _)| *at));
                let description = described.and_then(|(_, json)| serde_json::from_str(json.get()).ok());
                said.push(Tool::Namespace {
                    name: namespace,
                    description: description.unwrap_or_default(),
                    tools: vec![tool],
                });
            }
        }
    }
    for (at, json) in &others.tools {
        let name = format!("tools.{at}");
        match fate(&name, json.get()) {
            _ if taken.contains(at) => {}
            Fate::Nothing => {}
            Fate::LeftOut => left_out.push(name),
            Fate::Refused(why) => return unsayable(&name, why),
        }
    }
    Ok(said)
}

fn tool<'a>(declared: &'a Declared, name: &'a str, format: Option<&'a RawValue>) -> Tool<'a> {
    let description = &declared.description;
    match &declared.takes {
        Takes::Free => Tool::Custom { name, description, format },
        Takes::Json(schema) => {
            let parameters = schema.as_deref().and_then(raw);
            Tool::Function { name, description, parameters, strict: declared.strict.unwrap_or(false) }
        }
    }
}

fn choice<'a>(prompt: &'a Prompt, others: &Others<'a>) -> Option<Choice<'a>> {
    let chosen = |flat: &'a str| {
        let free = prompt.tools.iter().any(|tool| tool.name == flat && matches!(tool.takes, Takes::Free));
        let Name { namespace, name } = apart(flat);
        Chosen { r#type: if free { "custom" } else { "function" }, namespace, name }
    };
    match &prompt.tool_choice {
        ToolChoice::Auto => others.tool_choice.map(Choice::Given),
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::One(chosen(name))),
        ToolChoice::Among { names, required } => {
            let mode = if *required { "required" } else { "auto" };
            let tools = names.iter().map(|name| chosen(name)).collect();
            Some(Choice::Allowed { r#type: "allowed_tools", mode, tools })
        }
    }
}

type Map<'a> = BTreeMap<&'a str, Box<RawValue>>;

fn text<'a>(prompt: &'a Prompt, others: &Others<'a>) -> Result<Map<'a>, Unsayable> {
    let mut said: Map<'a> = BTreeMap::new();
    let mut description = None;
    for (name, json) in &others.text {
        match *name {
            "format.description" => description = Some(*json),
            name => said.extend(boxed(json).map(|json| (name, json))),
        }
    }
    let format = match &prompt.format {
        Format::Text => return Ok(said),
        Format::JsonObject => SaidFormat::JsonObject,
        Format::JsonSchema(demanded) => {
            let Some(schema) = raw(&demanded.schema) else {
                return unsayable("response_format", "holds a schema that is no JSON");
            };
            let name = if demanded.name.is_empty() { "answer" } else { &demanded.name };
            SaidFormat::JsonSchema { name, description, schema, strict: demanded.strict }
        }
    };
    said.extend(boxed(&format).map(|format| ("format", format)));
    Ok(said)
}

fn reasoning<'a>(prompt: &'a Prompt, others: &Others<'a>, left_out: &mut Vec<String>) -> Map<'a> {
    let mut said: Map<'a> = others.reasoning.iter().filter_map(|(name, json)| Some((*name, boxed(json)?))).collect();
    let effort = match &prompt.thinking {
        None | Some(Thinking::Adaptive) => return said,
        Some(Thinking::Off) => "none",
        Some(Thinking::Effort(effort)) => effort,
        Some(Thinking::Budget(tokens)) => {
            // Said, but not as exactly as it was meant.
            left_out.push("budget_tokens".to_owned());
            match *tokens {
                ..MEDIUM => "low",
                MEDIUM..HIGH => "medium",
                _ => "high",
            }
        }
    };
    said.extend(boxed(effort).map(|effort| ("effort", effort)));
    said
}

fn include(prompt: &Prompt, others: &Others<'_>) -> Vec<String> {
    let mut said: Vec<String> =
        others.include.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default();
    // Models that do not reason refuse it, and efforts too.
    let reasons = matches!(prompt.thinking, Some(Thinking::Effort(_) | Thinking::Budget(_)));
    if reasons && !said.iter().any(|one| one == ENCRYPTED) {
        said.push(ENCRYPTED.to_owned());
    }
    said
}
