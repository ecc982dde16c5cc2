//! A prompt to a request.
//!
//! What would make the request another one where it is left out is refused; hints are left out and told. Must never be
//! here: the path, in which the model stands, and whether the answer is to be streamed.

use super::blocks::{Block, Message};
use super::family::Family;
use super::form::{OutputConfig, output};
use super::sampling::{Inference, sampled};
use super::thinking::{Thinks, thinks};
use super::tools::{Tools, tools};
use super::turns::{Said, said};
use crate::anthropic::instruction;
use crate::essential::{Fate, fate};
use crate::hints::{Hints, unsayable};
use crate::hosted::is_hosted;
use crate::literal::to_vec;
use crate::thin::as_object;
use crate::{Unsayable, Written};
use llm::Prompt;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// Bedrock's own fields that are no noun of ours.
const PASSED: [&str; 4] = ["guardrailConfig", "performanceConfig", "requestMetadata", "serviceTier"];
/// Its field for what only some models take: what a client says there goes before what is said there otherwise.
const ADDITIONAL: &str = "additionalModelRequestFields";

/// Writes `prompt` for `model`: an id of a model or of an inference profile, or an ARN.
///
/// # Errors
/// What the request cannot be without, and Bedrock has no word for.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let (family, mut hints) = (Family::of(model), Hints::default());
    let tool_config = tools(prompt, family, &mut hints)?;
    let instruction = instruction(&prompt.format);
    let Said { mut system, messages } = said(&prompt.turns, family, &mut hints)?;
    system.extend(instruction.as_deref().map(Block::Text));
    let Others { passed, mut additional } = others(prompt, &mut hints)?;
    let forced = tool_config.as_ref().is_some_and(Tools::is_forced);
    let thinks = thinks(prompt, family, forced, &mut hints);
    let (on, Thinks { asked, effort, max_tokens }) = (thinks.is_on(), thinks);
    let (inference_config, top_k) = sampled(&prompt.sampling, family, (on, max_tokens), &mut hints)?;
    hints.lose_if(!prompt.user.is_empty(), "user");
    let asked = asked.and_then(|asked| to_raw_value(&asked).ok()).map(|raw| ("thinking", raw));
    let top_k = top_k.and_then(|top_k| to_raw_value(&top_k).ok()).map(|raw| ("top_k", raw));
    for (name, raw) in asked.into_iter().chain(top_k) {
        additional.entry(name.to_owned()).or_insert(raw);
    }
    let body = Body {
        system,
        messages,
        inference_config,
        tool_config,
        output_config: output(&prompt.format, effort)?,
        additional_model_request_fields: additional,
        passed,
    };
    // Borrowed text and JSON cannot fail to serialise.
    let body = to_vec(&body).unwrap_or_default();
    Ok(Written { body: body.into(), left_out: hints.into_names() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Inference::is_empty")]
    inference_config: Inference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<Tools<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    additional_model_request_fields: BTreeMap<String, Box<RawValue>>,
    #[serde(flatten)]
    passed: BTreeMap<&'a str, Box<RawValue>>,
}

/// Fields that are no noun of ours.
#[derive(Default)]
struct Others<'a> {
    passed: BTreeMap<&'a str, Box<RawValue>>,
    additional: BTreeMap<String, Box<RawValue>>,
}

/// Bedrock's own pass, those of others are left out or refused.
fn others<'a>(prompt: &'a Prompt, hints: &mut Hints) -> Result<Others<'a>, Unsayable> {
    let mut others = Others::default();
    for other in prompt.others.iter().filter(|other| !is_elsewhere(&other.name)) {
        let name = other.name.as_str();
        match (as_object(&other.json), fate(name, &other.json)) {
            (Some(raw), _) if PASSED.contains(&name) => {
                others.passed.insert(name, raw);
            }
            (Some(raw), _) if name == ADDITIONAL => {
                others.additional = serde_json::from_str(raw.get()).unwrap_or_default();
            }
            (_, Fate::Nothing) => {}
            (_, Fate::LeftOut) => hints.lose(name),
            (_, Fate::Refused(why)) => return Err(unsayable(name, why)),
        }
    }
    Ok(others)
}

/// Whether a field is said, or told of, elsewhere.
fn is_elsewhere(name: &str) -> bool {
    is_hosted(name) || matches!(name, "thinking.display" | "output_config.effort")
}
