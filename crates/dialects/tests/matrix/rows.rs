//! The rows of the matrix: what providers speak, which kinds of the configuration speak so, and where these differ from it.
//!
//! `crates/upstream/tests/rows.rs` reads this file too, and holds every preset against it: no kind is without a row, and
//! none differs from its row. Must never be here: anything that `upstream` does not see.

use dialects::Quirks;
use dialects::openai_chat::Server;
use llm::{Api, Dialect};

/// Providers that are asked alike and answer alike.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) kinds: &'static [&'static str],
    pub(crate) api: Api,
    pub(crate) quirks: Quirks,
}

/// All of them.
pub(crate) const ROWS: [Row; 15] = [
    chat("openai", &["openai", "azure_openai"], Server::OPENAI),
    // Who answers at another address in OpenAI's name may want its thoughts back.
    chat("elsewhere", &["openai"], Server { refuses_of_messages: &[], ..Server::OPENAI }),
    chat(
        "compatible",
        &["deepseek", "xai", "together", "fireworks", "ollama", "llama.cpp", "lm_studio"],
        Server::COMPATIBLE,
    ),
    chat("openrouter", &["openrouter"], Server::OPENROUTER),
    chat("vllm", &["vllm", "sglang"], Server::VLLM),
    Row {
        quirks: Quirks { done_marker: false, server: Server::COMPATIBLE },
        ..chat("perplexity", &["perplexity"], Server::COMPATIBLE)
    },
    chat("mistral", &["mistral"], Server::MISTRAL),
    chat("groq", &["groq"], Server::GROQ),
    of("anthropic", &["anthropic"], Api::Shared(Dialect::Anthropic)),
    // The same but for the model, which stands in the path, and the version, which stands in the body.
    of("vertex", &["vertex"], Api::Shared(Dialect::Anthropic)),
    of("gemini", &["gemini", "vertex"], Api::Shared(Dialect::Gemini)),
    Row {
        quirks: Quirks { done_marker: true, server: Server::OPENAI },
        ..of("responses", &["openai", "azure_openai"], Api::Shared(Dialect::Responses))
    },
    of("cohere", &["cohere"], Api::Cohere),
    of("ollama", &["ollama_native"], Api::Ollama),
    of("bedrock", &["bedrock"], Api::Bedrock),
];

const fn of(name: &'static str, kinds: &'static [&'static str], api: Api) -> Row {
    Row { name, kinds, api, quirks: Quirks { done_marker: true, server: Server::COMPATIBLE } }
}

const fn chat(name: &'static str, kinds: &'static [&'static str], server: Server) -> Row {
    Row { quirks: Quirks { done_marker: true, server }, ..of(name, kinds, Api::Shared(Dialect::OpenAiChat)) }
}
