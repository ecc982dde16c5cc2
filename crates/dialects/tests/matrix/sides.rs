//! The two sides: whoever asks, and whoever is asked. A further provider is one more row (`rows`).

use crate::foreign;
use crate::nouns::{Noun, nouns};
use crate::rows::{ROWS, Row};
use bytes::Bytes;
use dialects::openai_chat::Server;
use dialects::{
    Quirks, Unsayable, Written, anthropic, bedrock, cohere, completions, gemini, ollama, openai_chat, other,
    request_for, responses,
};
use llm::{Api, CallError, ChatRequest, Dialect, Operation, Prompt};
use serde_json::Value;

/// Reads a request in full.
pub(crate) type Read = fn(&[u8]) -> Result<Prompt, CallError>;

/// The dialects of clients.
pub(crate) const CLIENTS: [Client; 5] = [
    Client { dialect: Dialect::OpenAiChat, decode: openai_chat::decode, read: openai_chat::read_prompt },
    Client { dialect: Dialect::Anthropic, decode: anthropic::decode, read: anthropic::read_prompt },
    Client { dialect: Dialect::Gemini, decode: |raw| gemini::decode("asked", false, raw), read: gemini::read_prompt },
    Client { dialect: Dialect::Responses, decode: responses::decode, read: responses::read_prompt },
    Client {
        dialect: Dialect::COMPLETIONS,
        decode: |raw| other::decode(Operation::Completions, None, raw),
        read: completions::read_prompt,
    },
];

/// Whoever asks.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) dialect: Dialect,
    pub(crate) decode: fn(Bytes) -> Result<ChatRequest, CallError>,
    pub(crate) read: Read,
}

/// Reads what a body says.
type Told = fn(&[u8]) -> Vec<Noun>;

/// Writes a prompt anew.
type Write = fn(&Prompt, &str, &Server) -> Result<Written, Unsayable>;

/// Whoever is asked.
#[derive(Clone, Copy)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) api: Api,
    pub(crate) quirks: Quirks,
    pub(crate) model: &'static str,
    /// What a body says.
    pub(crate) nouns: Told,
    /// The writer of its dialect: requests of its own clients go through it where something in them has to be changed.
    pub(crate) write: Write,
}

/// The providers, each with the reader of what it is sent.
pub(crate) fn providers() -> impl Iterator<Item = Provider> {
    ROWS.into_iter().map(Provider::of)
}

impl Provider {
    fn of(row: Row) -> Self {
        let (model, nouns, write): (_, Told, Write) = match row.api {
            Api::Shared(Dialect::Anthropic) => (
                "claude-opus-4-6",
                |body| nouns(&anthropic::read_prompt(body).expect("sound")),
                |prompt, model, _| anthropic::write_prompt(prompt, model),
            ),
            Api::Shared(Dialect::Gemini) => (
                "gemini-3-flash",
                |body| nouns(&gemini::read_prompt(body).expect("sound")),
                |prompt, model, _| gemini::write_prompt(prompt, model),
            ),
            Api::Shared(Dialect::Responses) => (
                "gpt",
                |body| nouns(&responses::read_prompt(body).expect("sound")),
                |prompt, model, _| responses::write_prompt(prompt, model),
            ),
            Api::Cohere => ("command", foreign::cohere, |prompt, model, _| cohere::write_prompt(prompt, model)),
            Api::Ollama => ("llama", foreign::ollama, |prompt, model, _| ollama::write_prompt(prompt, model)),
            Api::Bedrock => ("anthropic.claude-opus-4-6-v1", foreign::bedrock, |prompt, model, _| {
                bedrock::write_prompt(prompt, model)
            }),
            _ => Self::of_chat(row.name),
        };
        let Row { name, api, quirks, .. } = row;
        Self { name, api, quirks, model, nouns, write }
    }

    fn of_chat(name: &str) -> (&'static str, Told, Write) {
        let (model, nouns): (_, Told) = match name {
            "openai" | "elsewhere" => ("gpt", in_chat),
            "mistral" => ("mistral-large", foreign::mistral),
            "groq" => ("m", foreign::groq),
            _ => ("m", in_chat),
        };
        (model, nouns, openai_chat::write_prompt)
    }

    /// What it is sent for `request`.
    pub(crate) fn asked(&self, request: &ChatRequest) -> Result<Written, CallError> {
        let written = request_for(request, self.api, self.quirks, self.model)?;
        Ok(if self.name == "vertex" { on_vertex(written) } else { written })
    }
}

fn in_chat(body: &[u8]) -> Vec<Noun> {
    nouns(&openai_chat::read_prompt(body).expect("sound"))
}

/// As `upstream` sends it there.
fn on_vertex(written: Written) -> Written {
    let body = anthropic::for_vertex(&written.body).expect("an object");
    let said: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(said.get("model").is_none() && said["anthropic_version"] == "vertex-2023-10-16", "{said}");
    Written { body, ..written }
}
