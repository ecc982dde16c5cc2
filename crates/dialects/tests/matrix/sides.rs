//! The two sides: whoever asks, and whoever is asked. A further provider is one more line.

use crate::foreign;
use crate::nouns::{Noun, nouns};
use bytes::Bytes;
use dialects::openai_chat::Server;
use dialects::{
    Quirks, Unsayable, Written, anthropic, bedrock, cohere, gemini, ollama, openai_chat, request_for, responses,
};
use llm::{Api, CallError, ChatRequest, Dialect, Prompt};

/// Reads a request in full.
pub(crate) type Read = fn(&[u8]) -> Result<Prompt, CallError>;

/// The dialects of clients.
pub(crate) const CLIENTS: [Client; 4] = [
    Client { dialect: Dialect::OpenAiChat, decode: openai_chat::decode, read: openai_chat::read_prompt },
    Client { dialect: Dialect::Anthropic, decode: anthropic::decode, read: anthropic::read_prompt },
    Client { dialect: Dialect::Gemini, decode: |raw| gemini::decode("asked", false, raw), read: gemini::read_prompt },
    Client { dialect: Dialect::Responses, decode: responses::decode, read: responses::read_prompt },
];

/// Whoever asks.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) dialect: Dialect,
    pub(crate) decode: fn(Bytes) -> Result<ChatRequest, CallError>,
    pub(crate) read: Read,
}

/// The providers, each with the reader of what it is sent.
pub(crate) const PROVIDERS: [Provider; 11] = [
    chat("openai", "gpt", Server::OPENAI),
    chat("compatible", "m", Server::COMPATIBLE),
    chat("openrouter", "m", Server::OPENROUTER),
    Provider { nouns: foreign::mistral, ..chat("mistral", "mistral-large", Server::MISTRAL) },
    Provider { nouns: foreign::groq, ..chat("groq", "m", Server::GROQ) },
    Provider {
        nouns: |body| nouns(&anthropic::read_prompt(body).expect("sound")),
        write: |prompt, model, _| anthropic::write_prompt(prompt, model),
        ..of("anthropic", Api::Shared(Dialect::Anthropic), "claude-opus-4-6")
    },
    Provider {
        nouns: |body| nouns(&gemini::read_prompt(body).expect("sound")),
        write: |prompt, model, _| gemini::write_prompt(prompt, model),
        ..of("gemini", Api::Shared(Dialect::Gemini), "gemini-3-flash")
    },
    Provider {
        nouns: |body| nouns(&responses::read_prompt(body).expect("sound")),
        write: |prompt, model, _| responses::write_prompt(prompt, model),
        ..of("responses", Api::Shared(Dialect::Responses), "gpt")
    },
    Provider {
        nouns: foreign::cohere,
        write: |prompt, model, _| cohere::write_prompt(prompt, model),
        ..of("cohere", Api::Cohere, "command")
    },
    Provider {
        nouns: foreign::ollama,
        write: |prompt, model, _| ollama::write_prompt(prompt, model),
        ..of("ollama", Api::Ollama, "llama")
    },
    Provider {
        nouns: foreign::bedrock,
        write: |prompt, model, _| bedrock::write_prompt(prompt, model),
        ..of("bedrock", Api::Bedrock, "anthropic.claude-opus-4-6-v1")
    },
];

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
    pub(crate) nouns: fn(&[u8]) -> Vec<Noun>,
    /// The writer of its dialect: requests of its own clients go through it where something in them has to be changed.
    pub(crate) write: Write,
}

const fn of(name: &'static str, api: Api, model: &'static str) -> Provider {
    Provider {
        name,
        api,
        quirks: Quirks { done_marker: true, server: Server::COMPATIBLE },
        model,
        nouns: |body| nouns(&openai_chat::read_prompt(body).expect("sound")),
        write: openai_chat::write_prompt,
    }
}

const fn chat(name: &'static str, model: &'static str, server: Server) -> Provider {
    Provider { quirks: Quirks { done_marker: true, server }, ..of(name, Api::Shared(Dialect::OpenAiChat), model) }
}

impl Provider {
    /// What it is sent for `request`.
    pub(crate) fn asked(&self, request: &ChatRequest) -> Result<Written, CallError> {
        request_for(request, self.api, self.quirks, self.model)
    }
}
