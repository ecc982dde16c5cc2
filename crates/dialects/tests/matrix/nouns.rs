//! What a request says, noun by noun, so that two can be compared: what is in one must be in the other, or told.
//!
//! Ways of writing that mean the same are one: JSON is compared as values, texts of one result as one text, calls by their
//! order and not by their ids, tools as far as they may be called, and of how much is to be thought only whether anything
//! is.

use llm::{Format, Part, PartKind, Prompt, Role, Seal, Source, Takes, Thinking, ToolChoice};
use serde_json::Value;

/// One thing that a request says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Noun {
    /// What it is.
    pub(crate) kind: &'static str,
    /// What it says.
    pub(crate) says: String,
}

/// Under which names each kind of noun may be told as left out, whoever asks; what is not here must never be.
const TOLD: [(&str, &[&str]); 17] = [
    ("cache", &["cache_control", "prompt_cache_breakpoint"]),
    ("detail", &["detail"]),
    ("document name", &["title", "filename", "displayName"]),
    ("failed", &["is_error", "functionResponse.response.error"]),
    ("frequency_penalty", &["frequency_penalty", "generationConfig.frequencyPenalty"]),
    ("max_tokens", &[]),
    ("parallel_calls", &["parallel_tool_calls", "tool_choice.disable_parallel_tool_use"]),
    ("presence_penalty", &["presence_penalty", "generationConfig.presencePenalty"]),
    ("seal", &["reasoning", "thinking", "thought", "signature", "thoughtSignature", "encrypted_content"]),
    ("seed", &["seed", "generationConfig.seed"]),
    ("strict", &["strict"]),
    ("temperature", &["temperature", "generationConfig.temperature"]),
    (
        "thinking",
        &[
            "thinking",
            "reasoning_effort",
            "output_config.effort",
            "generationConfig.thinkingConfig",
            "generationConfig.thinkingConfig.thinkingLevel",
            "reasoning.effort",
        ],
    ),
    ("thought", &["reasoning", "thinking", "thought"]),
    ("top_k", &["top_k", "generationConfig.topK"]),
    ("top_p", &["top_p", "generationConfig.topP"]),
    ("user", &["user", "metadata.user_id"]),
];

/// Words with which a writer asks for what its dialect cannot ask for otherwise.
const ANY_JSON: &str = "Answer with one JSON object and nothing else.";
const SATISFYING: &str = "Answer with JSON that satisfies this JSON Schema, and nothing else:\n";

/// Takes down what a request says.
#[derive(Debug, Default)]
pub(crate) struct Said {
    nouns: Vec<Noun>,
    /// Ids of calls, in order.
    calls: Vec<String>,
}

impl Said {
    pub(crate) fn say(&mut self, kind: &'static str, says: impl Into<String>) {
        self.nouns.push(Noun { kind, says: says.into() });
    }

    /// Words of a speaker: `system`, `user` or `assistant`.
    pub(crate) fn text(&mut self, who: &str, text: &str) {
        match text.strip_prefix(SATISFYING) {
            Some(schema) => self.say("format", value(schema)),
            None if text == ANY_JSON => self.say("format", "object"),
            None if text.is_empty() => {}
            None => self.say("text", format!("{who}: {text}")),
        }
    }

    pub(crate) fn call(&mut self, id: &str, name: &str, arguments: &str) {
        self.say("call", format!("#{} {name} {}", self.calls.len(), value(arguments)));
        self.calls.push(id.to_owned());
    }

    pub(crate) fn result(&mut self, id: &str, text: &str) {
        let call = self.calls.iter().position(|known| known == id);
        self.say("result", format!("#{} {text}", call.map_or("?".into(), |call| call.to_string())));
    }

    pub(crate) fn failed(&mut self) {
        self.say("failed", "the tool");
    }

    /// A tool that may be called.
    pub(crate) fn tool(&mut self, name: &str, description: &str, takes: &str) {
        self.say("tool", format!("{name} ({description}) {takes}"));
    }

    /// One of its tools has to be called.
    pub(crate) fn forced(&mut self) {
        self.say("a call", "required");
    }

    pub(crate) fn thinking(&mut self, on: bool) {
        self.say("thinking", if on { "on" } else { "off" });
    }

    pub(crate) fn number(&mut self, kind: &'static str, number: Option<impl ToString>) {
        if let Some(number) = number {
            self.say(kind, number.to_string());
        }
    }

    pub(crate) fn into_nouns(self) -> Vec<Noun> {
        self.nouns
    }
}

/// What `prompt` says.
pub(crate) fn nouns(prompt: &Prompt) -> Vec<Noun> {
    let mut said = Said::default();
    for turn in &prompt.turns {
        for part in &turn.parts {
            spoken(turn.role, part, &mut said);
        }
    }
    tools(prompt, &mut said);
    match &prompt.format {
        Format::Text => {}
        Format::JsonObject => said.say("format", "object"),
        Format::JsonSchema(demanded) => said.say("format", value(&demanded.schema)),
    }
    if let Some(thinking) = &prompt.thinking {
        said.thinking(!matches!(thinking, Thinking::Off | Thinking::Budget(0)));
    }
    sampled(prompt, &mut said);
    said.into_nouns()
}

/// What is in `before` and neither in `after` nor among what was told.
pub(crate) fn vanished(before: &[Noun], after: &[Noun], told: &[String]) -> Vec<Noun> {
    let is_told = |noun: &Noun| {
        let names = TOLD.iter().find(|(kind, _)| *kind == noun.kind).map_or(&[][..], |(_, names)| *names);
        names.iter().any(|name| told.iter().any(|one| one == name))
    };
    beyond(before, after).into_iter().filter(|noun| !is_told(noun)).collect()
}

/// What is said in `after` by somebody who did not say it in `before`.
pub(crate) fn invented(before: &[Noun], after: &[Noun]) -> Vec<Noun> {
    const SPOKEN: [&str; 9] = ["text", "image", "document", "call", "result", "tool", "format", "a call", "stop"];
    beyond(after, before).into_iter().filter(|noun| SPOKEN.contains(&noun.kind)).collect()
}

/// What of `these` is not in `those`.
fn beyond(these: &[Noun], those: &[Noun]) -> Vec<Noun> {
    let mut there = those.to_vec();
    let mut is_new = |noun: &&Noun| match there.iter().position(|known| known == *noun) {
        Some(at) => {
            there.remove(at);
            false
        }
        None => true,
    };
    these.iter().filter(|noun| is_new(noun)).cloned().collect()
}

fn spoken(role: Role, part: &Part, said: &mut Said) {
    let who = match role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    if part.cache.is_some() {
        said.say("cache", "up to here");
    }
    match &part.kind {
        PartKind::Text { text, seal } => {
            said.text(who, text);
            sealed(seal.as_ref(), said);
        }
        PartKind::Image { source, detail } => {
            said.say("image", placed(source));
            if !matches!(detail.as_str(), "" | "auto") {
                said.say("detail", detail.clone());
            }
        }
        PartKind::Document { source, name } => {
            said.say("document", placed(source));
            if !name.is_empty() {
                said.say("document name", name.clone());
            }
        }
        PartKind::Audio { data, format } => said.say("audio", format!("{format} {data}")),
        PartKind::Thought(thought) => {
            if !thought.text.is_empty() {
                said.say("thought", thought.text.clone());
            }
            sealed(thought.seal.as_ref(), said);
        }
        PartKind::Call { id, name, arguments, seal, .. } => {
            said.call(id, name, arguments);
            sealed(seal.as_ref(), said);
        }
        PartKind::Result { call, parts, failed, .. } => {
            let text: Vec<&str> = parts.iter().filter_map(|part| text_of(&part.kind)).collect();
            said.result(call, &text.join(""));
            if *failed {
                said.failed();
            }
            parts.iter().filter(|part| text_of(&part.kind).is_none()).for_each(|part| spoken(role, part, said));
        }
        // Whoever has no word for it is given the words.
        PartKind::Refusal(words) => said.text(who, words),
        PartKind::Other { name, json } => said.say("other part", format!("{name} {}", value(json))),
    }
}

fn text_of(kind: &PartKind) -> Option<&str> {
    if let PartKind::Text { text, .. } = kind { Some(text) } else { None }
}

fn sealed(seal: Option<&Seal>, said: &mut Said) {
    if let Some(seal) = seal {
        said.say("seal", format!("{:?} {:?} {}", seal.of, seal.kind, seal.token));
    }
}

fn placed(source: &Source) -> String {
    match source {
        Source::Inline { media_type, data } => format!("{media_type} {data}"),
        Source::Url(url) => url.clone(),
        Source::File(id) => format!("file {id}"),
        Source::Text(text) => format!("text {text}"),
    }
}

/// The tools that may be called, and whether one has to be.
fn tools(prompt: &Prompt, said: &mut Said) {
    let may = |name: &String| match &prompt.tool_choice {
        ToolChoice::None => false,
        ToolChoice::Named(only) => name == only,
        ToolChoice::Among { names, .. } => names.contains(name),
        ToolChoice::Auto | ToolChoice::Required => true,
    };
    for tool in prompt.tools.iter().filter(|tool| may(&tool.name)) {
        match &tool.takes {
            Takes::Json(schema) => {
                said.tool(&tool.name, &tool.description, &value(schema.as_deref().unwrap_or("{}")));
            }
            Takes::Free => said.tool(&tool.name, &tool.description, "text"),
        }
        if tool.strict == Some(true) {
            said.say("strict", tool.name.clone());
        }
    }
    match &prompt.tool_choice {
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. } => said.forced(),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Among { .. } => {}
    }
    if prompt.parallel_calls == Some(false) {
        said.say("parallel_calls", "one");
    }
}

fn sampled(prompt: &Prompt, said: &mut Said) {
    let sampling = &prompt.sampling;
    said.number("temperature", sampling.temperature);
    said.number("top_p", sampling.top_p);
    said.number("presence_penalty", sampling.presence_penalty);
    said.number("frequency_penalty", sampling.frequency_penalty);
    said.number("max_tokens", sampling.max_tokens);
    said.number("top_k", sampling.top_k);
    said.number("seed", sampling.seed);
    said.number("choices", sampling.choices.filter(|choices| *choices > 1));
    said.number("logprobs", sampling.logprobs);
    said.number("user", Some(&prompt.user).filter(|user| !user.is_empty()));
    sampling.stop.iter().for_each(|stop| said.say("stop", stop.clone()));
}

/// JSON whatever its order and space; text that is none, as it stands.
pub(crate) fn value(json: &str) -> String {
    serde_json::from_str::<Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}
