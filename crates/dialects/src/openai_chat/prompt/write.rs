//! A prompt to a provider's request.
//!
//! Lives here: the fields of the request itself; `message`, turns to messages; `tools`; `fate`, what becomes of fields
//! that are no noun; `wire`, the objects as they are written. What would make the request another one where it is left
//! out is refused; hints are left out and told.

mod fate;
mod message;
mod tools;
mod wire;

use super::ids::fitting;
use super::{MAX_STOPS, Reasoning, Seed, Server};
use crate::hosted::{Hosted, Speaks, hosted, is_hosted};
use crate::literal::to_vec;
use crate::{Unsayable, Written};
use fate::Fate;
use llm::{Dialect, Format, Prompt, Role, Takes, Thinking};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use wire::{Asked, Body, JsonSchema, ResponseFormat, StreamOptions};

/// Writes `prompt` for `server`, which is asked for `model`.
///
/// Usage is always asked for in a stream: whoever pays is told, and the client only where it asked.
///
/// # Errors
/// What the server has no words for and the request is another one without.
pub fn write_prompt(prompt: &Prompt, model: &str, server: &Server) -> Result<Written, Unsayable> {
    let mut left = LeftOut::default();
    let hosted = hosted(prompt, speaks(model, server))?;
    hosted.left_out.iter().for_each(|name| left.note(name));
    let mut messages = message::messages(&prompt.turns, server, &mut left)?;
    if let Some(last) = messages.last_mut().filter(|_| goes_on(prompt, server)) {
        last.prefix = Some(true);
    }
    let (tools, tool_choice) = tools::tools(prompt, server, &mut left)?;
    let sampling = &prompt.sampling;
    if server.own && sampling.stop.len() > MAX_STOPS {
        return Err(unsayable("stop", &format!("holds more than the {MAX_STOPS} sequences that the provider takes")));
    }
    if !server.choices && sampling.choices.is_some_and(|choices| choices != 1) {
        return Err(unsayable("n", "asks for more answers than the one that the provider gives"));
    }
    if !server.likelihoods && sampling.logprobs.is_some() {
        return Err(unsayable("logprobs", "is not told by the provider"));
    }
    let seed = left.unless(server.seed.is_some_and(|seed| seed.takes(sampling.seed)), "seed", sampling.seed);
    let (reasoning_effort, reasoning) = thinking(prompt.thinking.as_ref(), server, &mut left);
    let calls = !tools.is_empty();
    let body = Body {
        model,
        messages,
        tools,
        tool_choice,
        parallel_tool_calls: prompt.parallel_calls.filter(|_| calls),
        response_format: format(&prompt.format)?,
        max_completion_tokens: sampling.max_tokens.filter(|_| server.own),
        max_tokens: sampling.max_tokens.filter(|_| !server.own),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: left.unless(server.top_k, "top_k", sampling.top_k),
        stop: &sampling.stop,
        seed: seed.filter(|_| server.seed == Some(Seed::Plain)),
        random_seed: seed.filter(|_| server.seed == Some(Seed::Random)),
        n: sampling.choices,
        presence_penalty: sampling.presence_penalty,
        frequency_penalty: sampling.frequency_penalty,
        logprobs: sampling.logprobs.map(|_| true),
        top_logprobs: sampling.logprobs.filter(|alternatives| *alternatives > 0),
        reasoning_effort,
        reasoning,
        stream: prompt.stream.then_some(true),
        stream_options: (prompt.stream && server.stream_usage).then_some(StreamOptions { include_usage: true }),
        user: left.unless(server.user, "user", Some(prompt.user.as_str()).filter(|user| !user.is_empty())),
        web_search_options: search(&hosted)?,
        others: others(prompt, server, &mut left)?,
    };
    // Text cannot fail to serialise, and numbers that are none are written as null.
    let body = to_vec(&body).unwrap_or_default();
    Ok(Written { body: body.into(), left_out: left.0 })
}

/// Hints that are left out, each once, in the order in which they are met.
#[derive(Default)]
struct LeftOut(Vec<String>);

impl LeftOut {
    fn note(&mut self, name: &str) {
        if !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// The hint itself where it is `taken`.
    fn unless<T>(&mut self, taken: bool, name: &str, hint: Option<T>) -> Option<T> {
        if !taken && hint.is_some() {
            self.note(name);
        }
        hint.filter(|_| taken)
    }
}

fn unsayable(field: &str, why: &str) -> Unsayable {
    Unsayable { field: field.to_owned(), why: why.to_owned() }
}

/// JSON text as it is to be written.
fn json<'a>(text: &'a str, field: &str) -> Result<&'a RawValue, Unsayable> {
    serde_json::from_str(text).map_err(|_| unsayable(field, "is no JSON"))
}

fn format(format: &Format) -> Result<Option<ResponseFormat<'_>>, Unsayable> {
    Ok(match format {
        Format::Text => None,
        Format::JsonObject => Some(ResponseFormat { kind: "json_object", json_schema: None }),
        Format::JsonSchema(demanded) => {
            let schema = json(&demanded.schema, "response_format")?;
            // OpenAI's schemas have to have a name.
            let name = if demanded.name.is_empty() { "answer" } else { &demanded.name };
            let json_schema = Some(JsonSchema { name, schema, strict: demanded.strict.then_some(true) });
            Some(ResponseFormat { kind: "json_schema", json_schema })
        }
    })
}

/// How much the model is to think, in the server's words. What is left to the model's own judgement is not said.
fn thinking<'a>(
    thinking: Option<&'a Thinking>,
    server: &Server,
    left: &mut LeftOut,
) -> (Option<&'a str>, Option<Asked<'a>>) {
    let Some(thinking) = thinking else { return (None, None) };
    match (server.reasoning, thinking) {
        (Reasoning::Unknown, _) => {
            left.note("thinking");
            (None, None)
        }
        (Reasoning::Details, Thinking::Off) => (None, Some(Asked { enabled: Some(false), ..Asked::default() })),
        (Reasoning::Details, Thinking::Adaptive) => (None, Some(Asked { enabled: Some(true), ..Asked::default() })),
        (Reasoning::Details, Thinking::Effort(word)) => (None, Some(Asked { effort: Some(word), ..Asked::default() })),
        (Reasoning::Details, Thinking::Budget(most)) => {
            (None, Some(Asked { max_tokens: Some(*most), ..Asked::default() }))
        }
        (Reasoning::Switch, Thinking::Effort(word)) if !matches!(word.as_str(), "none" | "high") => {
            left.note("reasoning_effort");
            (Some("high"), None)
        }
        (Reasoning::Switch, Thinking::Budget(most)) if *most > 0 => {
            left.note("budget_tokens");
            (Some("high"), None)
        }
        (_, Thinking::Off) => (Some("none"), None),
        (_, Thinking::Adaptive) => (None, None),
        (_, Thinking::Effort(word)) => (Some(word), None),
        (_, Thinking::Budget(most)) => {
            left.note("budget_tokens");
            (Some(effort(*most)), None)
        }
    }
}

/// The effort that comes nearest to a number of tokens.
fn effort(tokens: u64) -> &'static str {
    match tokens {
        0..=2048 => "low",
        2049..=8192 => "medium",
        _ => "high",
    }
}

/// What can be asked of `server` beside functions: of OpenAI's own models of this dialect those that always search the
/// web, and they alone, take settings for it (platform.openai.com/docs/guides/tools-web-search).
fn speaks(model: &str, server: &Server) -> Speaks {
    Speaks { own: server.own.then_some(Dialect::OpenAiChat), search: server.own && model.contains("-search-") }
}

fn search<'a>(hosted: &Hosted<'a>) -> Result<Option<&'a RawValue>, Unsayable> {
    let asked = hosted.search.then_some("{}");
    hosted.given.first().copied().or(asked).map(|options| json(options, "web_search_options")).transpose()
}

/// Whether the answer is to go on with the last turn, and the server can be told so.
fn goes_on(prompt: &Prompt, server: &Server) -> bool {
    let said = prompt.turns.last().is_some_and(|turn| turn.role == Role::Assistant);
    server.prefix && said && prompt.others.iter().any(|other| is_prefix(prompt, &other.name))
}

/// Whether a field is the mark of the last message, that it is to be gone on with. There are as many messages as turns, or
/// more, where results of tools are one turn.
fn is_prefix(prompt: &Prompt, name: &str) -> bool {
    let place = name.strip_prefix("messages[").and_then(|rest| rest.strip_suffix("].prefix"));
    place.and_then(|place| place.parse().ok()).is_some_and(|place: usize| place + 1 >= prompt.turns.len())
}

fn others<'a>(
    prompt: &'a Prompt,
    server: &Server,
    left: &mut LeftOut,
) -> Result<BTreeMap<&'a str, &'a RawValue>, Unsayable> {
    let mut said = BTreeMap::new();
    // Those that are written elsewhere.
    let goes_on = goes_on(prompt, server);
    let elsewhere = |name: &str| is_hosted(name) || is_grammar(prompt, name) || (goes_on && is_prefix(prompt, name));
    for other in prompt.others.iter().filter(|other| !elsewhere(&other.name)) {
        match fate::fate(other, server) {
            Fate::Said => {
                said.insert(other.name.as_str(), json(&other.json, &other.name)?);
            }
            Fate::LeftOut => left.note(&other.name),
            Fate::Nothing => {}
            Fate::Unsayable(why) => return Err(unsayable(&other.name, why)),
        }
    }
    Ok(said)
}

/// Whether a field is the grammar of a tool that takes text, which is written with the tool.
fn is_grammar(prompt: &Prompt, name: &str) -> bool {
    let of = name.strip_prefix("tools.").and_then(|rest| rest.strip_suffix(".format"));
    of.is_some_and(|of| prompt.tools.iter().any(|tool| tool.name == of && tool.takes == Takes::Free))
}
