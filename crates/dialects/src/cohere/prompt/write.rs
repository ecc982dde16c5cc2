//! A prompt to a request.
//!
//! What would make the request another one where it is left out is refused; hints are left out and told.

use super::documents::{Document, declared};
use super::sampling::{Sampled, sampled};
use super::tools::{Tools, tools};
use super::turns::{Message, Said, said};
use crate::hints::{Hints, unsayable};
use crate::hosted::is_hosted;
use crate::literal::to_vec;
use crate::thin::as_object;
use crate::{Unsayable, Written};
use llm::{Format, Prompt, Thinking};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Cohere's own fields that are no noun of ours.
const PASSED: [&str; 3] = ["citation_options", "priority", "safety_mode"];

/// Writes `prompt` for `model`.
///
/// # Errors
/// What the request cannot be without, and Cohere has no word for.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut hints = Hints::default();
    let asked = format(prompt)?;
    let Said { messages, documents: mut beside } = said(&prompt.turns, asked.is_none(), &mut hints)?;
    let tools = tools(prompt, &mut hints)?;
    let sampled = sampled(&prompt.sampling, &mut hints)?;
    let mut others = BTreeMap::new();
    hints.lose_hosted(prompt)?;
    for other in prompt.others.iter().filter(|other| !is_hosted(&other.name)) {
        let raw = serde_json::from_str::<&RawValue>(&other.json).ok().filter(|raw| raw.get() != "null");
        match (other.name.as_str(), raw) {
            (_, None) => {}
            ("documents", Some(raw)) if asked.is_none() => beside.extend(declared(raw)?),
            (name, Some(raw)) if PASSED.contains(&name) => {
                others.insert(name, raw);
            }
            (_, Some(_)) => hints.lose_other(other)?,
        }
    }
    hints.lose_if(!prompt.user.is_empty(), "user");
    let thinking = thinking(prompt.thinking.as_ref(), &mut hints);
    let Tools { tools, strict_tools, tool_choice } = tools;
    let body = Body {
        model,
        messages,
        stream: prompt.stream,
        tools,
        strict_tools,
        tool_choice,
        documents: beside,
        response_format: asked,
        sampled,
        thinking,
        others,
    };
    // Borrowed text and JSON cannot fail to serialise.
    let body = to_vec(&body).unwrap_or_default();
    Ok(Written { body: body.into(), left_out: hints.into_names() })
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<super::tools::Tool<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict_tools: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    documents: Vec<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Asked>,
    #[serde(flatten)]
    sampled: Sampled<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thought>,
    #[serde(flatten)]
    others: BTreeMap<&'a str, &'a RawValue>,
}

/// A form of the answer that is asked for.
#[derive(Debug, Serialize)]
struct Asked {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<Box<RawValue>>,
}

fn format(prompt: &Prompt) -> Result<Option<Asked>, Unsayable> {
    let never = |why| Err(unsayable("response_format", why));
    let json_schema = match &prompt.format {
        Format::Text => return Ok(None),
        _ if !prompt.tools.is_empty() => return never("cannot be asked of Cohere together with tools"),
        Format::JsonObject => None,
        Format::JsonSchema(demanded) => match as_object(&demanded.schema) {
            Some(schema) => Some(schema),
            None => return never("holds a schema that is no object"),
        },
    };
    Ok(Some(Asked { kind: "json_object", json_schema }))
}

/// How much the model is to think.
#[derive(Serialize)]
struct Thought {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_budget: Option<u64>,
}

/// Cohere knows a budget, and no degrees of effort: whoever asks for one has it think, and is told where that may be more
/// than was asked for.
fn thinking(wish: Option<&Thinking>, hints: &mut Hints) -> Option<Thought> {
    const OFF: Thought = Thought { kind: "disabled", token_budget: None };
    const ON: Thought = Thought { kind: "enabled", token_budget: None };
    Some(match wish? {
        // A budget has to be positive.
        Thinking::Off | Thinking::Budget(0) => OFF,
        Thinking::Adaptive => ON,
        Thinking::Budget(tokens) => Thought { token_budget: Some(*tokens), ..ON },
        Thinking::Effort(word) => match word.as_str() {
            "none" => OFF,
            "high" | "xhigh" | "max" => ON,
            "minimal" | "low" | "medium" => {
                hints.lose("reasoning_effort");
                ON
            }
            _ => {
                hints.lose("reasoning_effort");
                return None;
            }
        },
    })
}
