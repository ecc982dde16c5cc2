//! A request for a provider of this dialect.
//!
//! Receives a [`Prompt`]; hands on a body, with the names of what it leaves out, or the reason why none can be. Must never
//! be here: which target is asked.

use super::super::json::literal;
use super::super::version::Version;
use super::declared::{Choice, Tool, choice, tools};
use super::model::Era;
use super::thinking::{self, Asked};
use super::turns::{Block, Message, Turns, text, turns};
use crate::essential::{Fate, fate};
use crate::hosted::is_hosted;
use crate::literal::to_vec;
use crate::{Unsayable, Written};
use llm::{Format, Prompt, Sampling};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The most tokens of an answer whose client says nothing of that: the dialect wants a number.
const MAX_TOKENS: u64 = 64_000;
/// The longest name of a user, in characters.
const MAX_USER: usize = 256;

/// Fields of this dialect that are no noun of ours: they pass from its clients to its providers.
const PASSED: [&str; 15] = [
    "billing_policy",
    "cache_control",
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "prefill",
    "speed",
    "thread",
    "user_profile_id",
    "workspace_id",
];

/// Writes `prompt` for `model`, in the version of the API that [`Version::default`] names.
///
/// # Errors
/// What the request cannot be without, and the dialect cannot say.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    write_prompt_in(Version::default(), prompt, model)
}

/// As [`write_prompt`], in `version`.
///
/// # Errors
/// As [`write_prompt`].
pub fn write_prompt_in(version: Version, prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut left = Left::default();
    refuse(&prompt.sampling)?;
    let tools = tools(prompt, &mut left)?;
    let none_declared = tools.is_empty() || only_stands_in(prompt);
    let tool_choice = choice(prompt, none_declared)?;
    let instruction = instruction(&prompt.format);
    let Turns { mut system, messages } = turns(prompt, version, &mut left)?;
    system.extend(instruction.as_deref().map(|words| text(words, None)));
    let max_tokens = prompt.sampling.max_tokens.unwrap_or(MAX_TOKENS);
    let era = Era::of(model);
    let forced = tool_choice.as_ref().is_some_and(Choice::is_forced);
    let thinking = thinking::asked(prompt, era, max_tokens, forced, &mut left);
    let mut body = Body {
        model,
        max_tokens,
        system,
        messages,
        tools,
        tool_choice,
        output_config: config(prompt, era)?,
        stop_sequences: stops(&prompt.sampling, &mut left),
        metadata: user(&prompt.user, &mut left),
        stream: prompt.stream,
        others: others(prompt, &mut left)?,
        thinking,
        ..Body::default()
    };
    let thinks = body.thinking.as_ref().is_some_and(Asked::is_on);
    body.sample(&prompt.sampling, version == Version::June2023 && era.is_sampled() && !thinks, &mut left);
    // Borrowed text and JSON cannot fail to serialise.
    let body = to_vec(&body).unwrap_or_default();
    Ok(Written { body: body.into(), left_out: left.names })
}

/// What is left out on the way.
#[derive(Debug, Default)]
pub(crate) struct Left {
    names: Vec<String>,
}

impl Left {
    /// Does without a field.
    pub(super) fn out(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    /// The names of what is left out.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }

    /// Refuses to do without one.
    pub(super) fn never(field: &str, why: &str) -> Unsayable {
        Unsayable { field: field.to_owned(), why: why.to_owned() }
    }

    /// A cache mark, where it is one of this dialect.
    pub(super) fn mark<'a>(&mut self, mark: Option<&'a str>) -> Option<&'a RawValue> {
        let mark = mark?;
        let raw = super::super::json::as_object(mark).filter(|raw| raw.get().contains("\"ephemeral\""));
        if raw.is_none() {
            self.out("cache_control");
        }
        raw
    }
}

#[derive(Default, Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Asked<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    output_config: BTreeMap<&'a str, Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(flatten)]
    others: BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

/// Refuses what only others can.
fn refuse(sampling: &Sampling) -> Result<(), Unsayable> {
    if sampling.choices.is_some_and(|n| n > 1) {
        return Err(Left::never("n", "asks for more answers than the one that Anthropic gives"));
    }
    if sampling.logprobs.is_some() {
        return Err(Left::never("logprobs", "is not told by Anthropic"));
    }
    Ok(())
}

/// Whether the tools declared only stand for calls that were made.
fn only_stands_in(prompt: &Prompt) -> bool {
    prompt.tools.is_empty() && !prompt.others.iter().any(|other| is_hosted(&other.name))
}

/// What is to be said of a form that is not asked for otherwise: of any JSON there is no schema to hold to, and one that
/// the provider need not hold to may be more than it can.
pub(crate) fn instruction(format: &Format) -> Option<String> {
    match format {
        Format::JsonObject => Some("Answer with one JSON object and nothing else.".into()),
        Format::JsonSchema(demanded) if !demanded.strict => {
            Some(format!("Answer with JSON that satisfies this JSON Schema, and nothing else:\n{}", demanded.schema))
        }
        Format::Text | Format::JsonSchema(_) => None,
    }
}

/// The form of the answer, and how hard the model is to try.
fn config(prompt: &Prompt, era: Era) -> Result<BTreeMap<&str, Box<RawValue>>, Unsayable> {
    let mut config = BTreeMap::new();
    for other in &prompt.others {
        if let Some(name) = other.name.strip_prefix("output_config.") {
            config.extend(RawValue::from_string(other.json.to_string()).ok().map(|raw| (name, raw)));
        }
    }
    if let Some(word) = thinking::effort(prompt, era) {
        config.extend(RawValue::from_string(literal(word)).ok().map(|raw| ("effort", raw)));
    }
    if let Format::JsonSchema(demanded) = &prompt.format
        && demanded.strict
    {
        let format = format!("{{\"type\":\"json_schema\",\"schema\":{}}}", demanded.schema);
        let format = RawValue::from_string(format)
            .map_err(|_| Left::never("response_format", "holds a schema that is not JSON"))?;
        config.insert("format", format);
    }
    Ok(config)
}

impl Body<'_> {
    /// Says how the answer is sampled, where the model lets itself be told, and where it is not as by default.
    fn sample(&mut self, sampling: &Sampling, taken: bool, left: &mut Left) {
        if let Some(temperature) = sampling.temperature.filter(|temperature| *temperature != 1.0) {
            // Others go up to 2.
            if !taken || temperature > 1.0 {
                left.out("temperature");
            }
            self.temperature = taken.then_some(temperature.clamp(0.0, 1.0));
        }
        if let Some(top_p) = sampling.top_p.filter(|top_p| *top_p < 1.0) {
            // Models of these years take one of the two.
            match taken && self.temperature.is_none() {
                true => self.top_p = Some(top_p),
                false => left.out("top_p"),
            }
        }
        match sampling.top_k {
            Some(top_k) if taken => self.top_k = Some(top_k),
            Some(_) => left.out("top_k"),
            None => {}
        }
        for (name, said) in [
            ("seed", sampling.seed.is_some()),
            ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
            ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ] {
            if said {
                left.out(name);
            }
        }
    }
}

/// Where the answer ends. The dialect does not take a sequence of white space alone.
fn stops<'a>(sampling: &'a Sampling, left: &mut Left) -> Vec<&'a str> {
    let (taken, blank): (Vec<&str>, Vec<&str>) =
        sampling.stop.iter().map(String::as_str).partition(|stop| !stop.trim().is_empty());
    if !blank.is_empty() {
        left.out("stop");
    }
    taken
}

fn user<'a>(user: &'a str, left: &mut Left) -> Option<Metadata<'a>> {
    if user.chars().count() > MAX_USER {
        left.out("user");
        return None;
    }
    (!user.is_empty()).then_some(Metadata { user_id: user })
}

/// Fields that are no noun of ours: those of this dialect pass, those of others are left out or refused.
fn others<'a>(prompt: &'a Prompt, left: &mut Left) -> Result<BTreeMap<&'a str, &'a RawValue>, Unsayable> {
    let mut passed = BTreeMap::new();
    for other in &prompt.others {
        let name = other.name.as_str();
        let Ok(raw) = serde_json::from_str::<&RawValue>(&other.json) else { continue };
        let passes = match name {
            _ if raw.get() == "null" => continue,
            "thinking.display" => continue,
            _ if is_hosted(name) => continue,
            _ if name.starts_with("output_config.") => continue,
            "service_tier" => matches!(raw.get(), "\"auto\"" | "\"standard_only\""),
            // A way to think that is no noun of ours.
            "thinking" => prompt.thinking.is_none(),
            _ if PASSED.contains(&name) && is_ours(name, raw) => true,
            _ => match fate(name, &other.json) {
                Fate::Nothing => continue,
                Fate::LeftOut => false,
                Fate::Refused(why) => return Err(Left::never(name, why)),
            },
        };
        if passes {
            passed.insert(name, raw);
        } else {
            left.out(name);
        }
    }
    Ok(passed)
}

/// Whether a field means here what it says: the responses dialect has one of the same name that is a list.
fn is_ours(name: &str, raw: &RawValue) -> bool {
    name != "context_management" || raw.get().starts_with('{')
}
