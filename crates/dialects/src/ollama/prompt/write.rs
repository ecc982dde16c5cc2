//! A prompt to a request.
//!
//! What would make the request another one where it is left out is refused; hints are left out and told.

use super::options::options;
use super::tools::{Tool, tools};
use super::turns::{Message, said};
use crate::hints::{Hints, unsayable};
use crate::hosted::is_hosted;
use crate::literal::to_vec;
use crate::thin::as_object;
use crate::{Unsayable, Written};
use llm::{Format, Prompt, Thinking};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// Ollama's own field for how long a model stays in memory.
const KEEP_ALIVE: &str = "keep_alive";
/// Ollama's own field for how a model runs: what a client says there goes beside what is said otherwise.
const OPTIONS: &str = "options";

/// Writes `prompt` for `model`. Whether it is to be streamed is always said: by default, Ollama does.
///
/// # Errors
/// What the request cannot be without, and Ollama has no word for.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut hints = Hints::default();
    let (mut own, mut keep_alive) = (BTreeMap::new(), None);
    hints.lose_hosted(prompt)?;
    for other in prompt.others.iter().filter(|other| !is_hosted(&other.name)) {
        let raw = serde_json::from_str::<&RawValue>(&other.json).ok().filter(|raw| raw.get() != "null");
        match (other.name.as_str(), raw) {
            (_, None) => {}
            (KEEP_ALIVE, raw) => keep_alive = raw,
            (OPTIONS, Some(raw)) => {
                own = serde_json::from_str(raw.get()).map_err(|_| unsayable(OPTIONS, "is no object"))?;
            }
            (_, Some(_)) => hints.lose_other(other)?,
        }
    }
    hints.lose_if(!prompt.user.is_empty(), "user");
    let body = Body {
        model,
        messages: said(&prompt.turns, &mut hints)?,
        stream: prompt.stream,
        tools: tools(prompt, &mut hints)?,
        format: format(&prompt.format)?,
        options: options(&prompt.sampling, own, &mut hints)?,
        think: think(prompt.thinking.as_ref(), &mut hints),
        keep_alive,
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
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a RawValue>,
}

/// The form of the answer: a schema, or any JSON.
fn format(format: &Format) -> Result<Option<Box<RawValue>>, Unsayable> {
    match format {
        Format::Text => Ok(None),
        Format::JsonObject => Ok(to_raw_value("json").ok()),
        Format::JsonSchema(demanded) => match as_object(&demanded.schema) {
            Some(schema) => Ok(Some(schema)),
            None => Err(unsayable("response_format", "holds a schema that is no object")),
        },
    }
}

/// How much the model is to think: whether at all, or in one of three words, which not all models tell apart.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Think {
    Whether(bool),
    Level(&'static str),
}

fn think(wish: Option<&Thinking>, hints: &mut Hints) -> Option<Think> {
    Some(match wish? {
        Thinking::Off | Thinking::Budget(0) => Think::Whether(false),
        Thinking::Adaptive => Think::Whether(true),
        Thinking::Budget(_) => {
            hints.lose("budget_tokens");
            Think::Whether(true)
        }
        Thinking::Effort(word) => match word.as_str() {
            "none" => Think::Whether(false),
            "minimal" | "low" => Think::Level("low"),
            "medium" => Think::Level("medium"),
            "high" | "xhigh" | "max" => Think::Level("high"),
            _ => {
                hints.lose("reasoning_effort");
                return None;
            }
        },
    })
}
