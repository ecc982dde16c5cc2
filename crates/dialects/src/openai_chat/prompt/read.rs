//! A client's request to a prompt.
//!
//! Lives here: the fields of the request itself; below, messages, their parts, tools. Errors name the field and are
//! worded as OpenAI words them. What is no noun is handed on by its name, unless it stands at its own default.

mod fields;
mod message;
mod part;
mod sampling;
mod tools;

use super::super::request::{invalid, no_object};
use crate::json::{Ends, Json};
use crate::place::Place;
pub(crate) use fields::{Fields, text};
use llm::{CallError, Demanded, Format, Other, Prompt, Sampling, Thinking};
pub(crate) use sampling::sampling;

/// Fields that say nothing where they stand at this value.
const DEFAULTS: [(&str, &str); 9] = [
    ("store", "false"),
    ("service_tier", "\"auto\""),
    ("service_tier", "\"default\""),
    ("modalities", "[\"text\"]"),
    ("verbosity", "\"medium\""),
    ("logit_bias", "{}"),
    ("metadata", "{}"),
    ("stream_options.include_obfuscation", "false"),
    ("reasoning.exclude", "false"),
];

/// Reads a chat request in full that [`decode`](super::super::decode) has taken.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as OpenAI words it.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    let ends = Ends::of(raw);
    let mut fields = fields_of(raw, &ends)?;
    let mut others = Vec::new();
    let turns = message::turns(&mut fields, &mut others)?;
    let tools = tools::tools(&mut fields, &mut others)?;
    let prompt = Prompt {
        turns,
        tools,
        tool_choice: tools::choice(&mut fields)?,
        parallel_calls: fields.flag("parallel_tool_calls")?,
        format: format(&mut fields, &mut others)?,
        sampling: told(&mut fields)?,
        thinking: thinking(&mut fields, &mut others)?,
        stream: fields.flag("stream")?.unwrap_or(false),
        stream_usage: stream_usage(&mut fields, &mut others)?,
        user: fields.text("user")?.unwrap_or_default(),
        others: Vec::new(),
    };
    others.extend(fields.rest());
    others.retain(says_something);
    Ok(Prompt { others, ..prompt })
}

/// The fields of a request, whose objects end at `ends`, but for the model: who serves is decided before anything is read
/// in full.
pub(crate) fn fields_of<'a>(raw: &'a [u8], ends: &'a Ends) -> Result<Fields<'a>, CallError> {
    let text = std::str::from_utf8(raw)
        .map_err(|e| invalid(format!("The request body is not valid UTF-8 (at byte {}).", e.valid_up_to()), None))?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err(invalid(no_object(text), None));
    }
    let mut fields = Fields::of(Json::taken(text, ends), Place::default())?;
    let _ = fields.take("model");
    Ok(fields)
}

/// Whether a field is not at its default. Nothing at all, as in `annotations: []` of a message that is given back, is
/// every field's default.
pub(crate) fn says_something(other: &Other) -> bool {
    let compact: String = other.json.split_ascii_whitespace().collect();
    let name = other.name.as_str();
    let prefix = name.ends_with("].prefix") && compact == "false";
    !prefix && compact != "[]" && !DEFAULTS.contains(&(name, &compact))
}

/// How an answer is sampled, with what only this dialect knows of it.
fn told(fields: &mut Fields<'_>) -> Result<Sampling, CallError> {
    let newer = fields.number("max_completion_tokens")?;
    let sampling = sampling(fields)?;
    Ok(Sampling { max_tokens: newer.or(sampling.max_tokens), logprobs: logprobs(fields)?, ..sampling })
}

fn logprobs(fields: &mut Fields<'_>) -> Result<Option<u32>, CallError> {
    let (wanted, alternatives) = (fields.flag("logprobs")?.unwrap_or(false), fields.number("top_logprobs")?);
    match (wanted, alternatives) {
        (true, alternatives) => Ok(Some(alternatives.unwrap_or(0))),
        (false, None | Some(0)) => Ok(None),
        (false, Some(_)) => {
            let message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
            Err(invalid(message.into(), Some("top_logprobs".into())))
        }
    }
}

/// Whether usage is to be told in the stream.
pub(crate) fn stream_usage(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<bool, CallError> {
    let Some(mut options) = fields.object("stream_options")? else { return Ok(false) };
    let told = options.flag("include_usage")?.unwrap_or(false);
    others.extend(options.rest());
    Ok(told)
}

fn format(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<Format, CallError> {
    let Some(mut format) = fields.object("response_format")? else { return Ok(Format::Text) };
    match format.required_text("type")?.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => {
            let mut schema = format.required("json_schema")?;
            let demanded = Demanded {
                name: schema.text("name")?.unwrap_or_default(),
                schema: schema.take("schema").map_or("{}", Json::get).into(),
                strict: schema.flag("strict")?.unwrap_or(false),
            };
            others.extend(schema.rest());
            Ok(Format::JsonSchema(demanded))
        }
        other => Err(format.unknown("type", other, "'text', 'json_object' and 'json_schema'")),
    }
}

/// How much to think, in the words of OpenAI, of OpenRouter, or of DeepSeek and others that took over Anthropic's.
fn thinking(fields: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<Option<Thinking>, CallError> {
    let effort = |word: String| if word == "none" { Thinking::Off } else { Thinking::Effort(word) };
    let mut told = fields.text("reasoning_effort")?.map(effort);
    if let Some(mut reasoning) = fields.object("reasoning")? {
        let (on, budget) = (reasoning.flag("enabled")?, reasoning.number("max_tokens")?.map(Thinking::Budget));
        let word = reasoning.text("effort")?.map(effort);
        let switch = on.map(|on| if on { Thinking::Adaptive } else { Thinking::Off });
        told = told.or(switch.filter(|_| on == Some(false))).or(budget).or(word).or(on.map(|_| Thinking::Adaptive));
        others.extend(reasoning.rest());
    }
    if let Some(mut thinking) = fields.object("thinking")? {
        let budget = thinking.number("budget_tokens")?.map(Thinking::Budget);
        let switch = match thinking.required_text("type")?.as_str() {
            "disabled" => Thinking::Off,
            _ => budget.unwrap_or(Thinking::Adaptive),
        };
        told = told.or(Some(switch));
        others.extend(thinking.rest());
    }
    Ok(told)
}
