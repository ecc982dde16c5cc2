//! Providers that need little more than a key: where they live, what they speak and where they differ, as data.
//!
//! Base addresses and key variables are those of the providers' own documentation (November 2026).

use crate::credential::Scheme;
use dialects::Quirks;
use dialects::openai_chat::Server;
use llm::Operation::{
    Completions, CountTokens, Embeddings, GeminiBatchEmbed, GeminiCountTokens, GeminiEmbed, GeminiLive, ImageEdits,
    ImageGenerations, ImageVariations, InputTokens, Moderations, Realtime, Rerank, Speech, Transcriptions,
    Translations,
};
use llm::{Api, Dialect, Operation, Vectors};

/// A `kind` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The word after `kind:`.
    pub kind: &'static str,
    /// Where its API lives unless `base_url` says otherwise; `None` where that has to be said.
    pub base_url: Option<&'static str>,
    /// The variables its key is usually kept in, in order; none where it needs none (local servers).
    pub key_variables: &'static [&'static str],
    /// Patterns of the model names that are surely its own.
    pub families: &'static [&'static str],
    /// A small model of its, to try it with.
    pub example: Option<&'static str>,
    /// What it speaks at its own address; see [`ProviderSettings::apis`](crate::ProviderSettings::apis).
    pub apis: &'static [Api],
    /// What it surely speaks at an address that somebody gave.
    pub elsewhere: &'static [Api],
    /// What it can be asked beside answers; at an address that somebody gave as well.
    pub operations: &'static [Operation],
    /// How a key is presented.
    pub scheme: Scheme,
    /// Where it differs from the dialect.
    pub quirks: Quirks,
}

const PLAIN: Quirks = Quirks { done_marker: true, server: Server::COMPATIBLE };
const CHAT: &[Api] = &[Api::Shared(Dialect::OpenAiChat)];
const AZURE: &[Api] = &[Api::Shared(Dialect::OpenAiChat), Api::Shared(Dialect::Responses)];
// Whoever else speaks chat completions is not asked to count: clients count on their own account, and one that is told
// there is no such thing would be taken for one that does not know the model.
const OPENAI: &[Api] =
    &[Api::Shared(Dialect::OpenAiChat), Api::Shared(Dialect::Responses), Api::Shared(Dialect::Other(InputTokens))];
const ANTHROPIC: &[Api] = &[Api::Shared(Dialect::Anthropic)];
const OF_OPENAI: &[Operation] = &[
    Completions,
    Embeddings,
    Moderations,
    ImageGenerations,
    ImageEdits,
    ImageVariations,
    Speech,
    Transcriptions,
    Translations,
    Rerank,
    Realtime,
];
const OF_AZURE: &[Operation] =
    &[Completions, Embeddings, ImageGenerations, ImageEdits, Speech, Transcriptions, Translations, Realtime];
const COHERE: &[Api] = &[Api::Cohere, Api::Vectors(Vectors::Cohere)];
const OLLAMA: &[Api] = &[Api::Ollama, Api::Vectors(Vectors::Ollama)];
const BEDROCK: &[Api] = &[Api::Bedrock, Api::BedrockCount];
const VERTEX: &[Api] = &[Api::Shared(Dialect::Gemini), Api::Shared(Dialect::Anthropic)];
const GEMINI: &[Api] = &[Api::Shared(Dialect::Gemini)];

/// What speaks chat completions like most do.
const COMPATIBLE: Preset = Preset {
    kind: "",
    base_url: None,
    key_variables: &[],
    families: &[],
    example: None,
    apis: CHAT,
    elsewhere: CHAT,
    operations: &[Completions, Embeddings],
    scheme: Scheme::Bearer,
    quirks: PLAIN,
};

impl Preset {
    /// Where it differs from the dialect, at its own address or at one that somebody gave: who answers there in its name
    /// may be another, and want the thoughts back that it gave (DeepSeek, Moonshot).
    #[must_use]
    pub fn quirks(&self, own_address: bool) -> Quirks {
        let Quirks { server, .. } = self.quirks;
        let another = own_address && self.base_url.is_some() && server.own;
        let server = if another { Server { refuses_of_messages: &[], ..server } } else { server };
        Quirks { server, ..self.quirks }
    }

    /// All that it speaks, at its own address or at one that somebody gave: its answers first.
    pub fn speaks(&self, own_address: bool) -> impl Iterator<Item = Api> {
        let apis = if own_address { self.elsewhere } else { self.apis };
        apis.iter().copied().chain(self.operations.iter().map(|operation| Api::Shared(Dialect::Other(*operation))))
    }
}

/// Every preset, in the order in which zero-config prefers them.
pub const PRESETS: &[Preset] = &[
    Preset {
        kind: "openai",
        base_url: Some("https://api.openai.com/v1"),
        key_variables: &["OPENAI_API_KEY"],
        families: &["gpt-*", "chatgpt-*", "o1*", "o3*", "o4*"],
        example: Some("gpt-4o-mini"),
        apis: OPENAI,
        quirks: Quirks { server: Server::OPENAI, ..PLAIN },
        operations: OF_OPENAI,
        ..COMPATIBLE
    },
    Preset {
        kind: "anthropic",
        base_url: Some("https://api.anthropic.com/v1"),
        key_variables: &["ANTHROPIC_API_KEY"],
        families: &["claude-*"],
        example: Some("claude-haiku-4-5"),
        apis: ANTHROPIC,
        elsewhere: ANTHROPIC,
        scheme: Scheme::X_API_KEY,
        operations: &[CountTokens],
        ..COMPATIBLE
    },
    Preset {
        kind: "gemini",
        base_url: Some("https://generativelanguage.googleapis.com/v1beta"),
        key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        families: &["gemini-*", "gemma-*"],
        example: Some("gemini-2.5-flash"),
        apis: GEMINI,
        elsewhere: GEMINI,
        scheme: Scheme::X_GOOG_API_KEY,
        operations: &[GeminiCountTokens, GeminiEmbed, GeminiBatchEmbed, GeminiLive],
        ..COMPATIBLE
    },
    Preset {
        kind: "cohere",
        base_url: Some("https://api.cohere.com/v2"),
        key_variables: &["COHERE_API_KEY", "CO_API_KEY"],
        families: &["command-*", "c4ai-*"],
        example: Some("command-r7b-12-2024"),
        apis: COHERE,
        elsewhere: COHERE,
        operations: &[Rerank],
        ..COMPATIBLE
    },
    Preset {
        kind: "bedrock",
        key_variables: &["AWS_BEARER_TOKEN_BEDROCK"],
        apis: BEDROCK,
        elsewhere: BEDROCK,
        operations: &[],
        ..COMPATIBLE
    },
    // An access token is its key (`gcloud auth print-access-token`).
    Preset {
        kind: "vertex",
        key_variables: &["GOOGLE_ACCESS_TOKEN"],
        apis: VERTEX,
        elsewhere: VERTEX,
        operations: &[CountTokens, GeminiCountTokens, GeminiLive],
        ..COMPATIBLE
    },
    Preset {
        kind: "azure_openai",
        key_variables: &["AZURE_OPENAI_API_KEY"],
        apis: AZURE,
        elsewhere: AZURE,
        scheme: Scheme::API_KEY,
        quirks: Quirks { server: Server::OPENAI, ..PLAIN },
        operations: OF_AZURE,
        ..COMPATIBLE
    },
    Preset {
        kind: "mistral",
        base_url: Some("https://api.mistral.ai/v1"),
        key_variables: &["MISTRAL_API_KEY"],
        families: &["mistral-*", "ministral-*", "magistral-*", "codestral-*", "devstral-*", "pixtral-*"],
        example: Some("mistral-small-latest"),
        quirks: Quirks { server: Server::MISTRAL, ..PLAIN },
        operations: &[Embeddings, Moderations, Transcriptions],
        ..COMPATIBLE
    },
    Preset {
        kind: "groq",
        base_url: Some("https://api.groq.com/openai/v1"),
        key_variables: &["GROQ_API_KEY"],
        example: Some("llama-3.1-8b-instant"),
        quirks: Quirks { server: Server::GROQ, ..PLAIN },
        operations: &[Speech, Transcriptions, Translations],
        ..COMPATIBLE
    },
    Preset {
        kind: "deepseek",
        base_url: Some("https://api.deepseek.com"),
        key_variables: &["DEEPSEEK_API_KEY"],
        families: &["deepseek-*"],
        example: Some("deepseek-chat"),
        operations: &[],
        ..COMPATIBLE
    },
    Preset {
        kind: "xai",
        base_url: Some("https://api.x.ai/v1"),
        key_variables: &["XAI_API_KEY"],
        families: &["grok-*"],
        example: Some("grok-3-mini"),
        operations: &[ImageGenerations],
        ..COMPATIBLE
    },
    Preset {
        kind: "together",
        base_url: Some("https://api.together.xyz/v1"),
        key_variables: &["TOGETHER_API_KEY"],
        example: Some("meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        operations: &[Completions, Embeddings, ImageGenerations, Speech, Rerank],
        ..COMPATIBLE
    },
    Preset {
        kind: "fireworks",
        base_url: Some("https://api.fireworks.ai/inference/v1"),
        key_variables: &["FIREWORKS_API_KEY"],
        families: &["accounts/fireworks/*"],
        example: Some("accounts/fireworks/models/llama-v3p1-8b-instruct"),
        operations: &[Completions, Embeddings, Rerank],
        ..COMPATIBLE
    },
    Preset {
        kind: "openrouter",
        base_url: Some("https://openrouter.ai/api/v1"),
        key_variables: &["OPENROUTER_API_KEY"],
        example: Some("openrouter/auto"),
        quirks: Quirks { server: Server::OPENROUTER, ..PLAIN },
        ..COMPATIBLE
    },
    Preset {
        kind: "perplexity",
        base_url: Some("https://api.perplexity.ai"),
        key_variables: &["PERPLEXITY_API_KEY"],
        families: &["sonar*"],
        example: Some("sonar"),
        quirks: Quirks { done_marker: false, ..PLAIN },
        operations: &[],
        ..COMPATIBLE
    },
    Preset { kind: "ollama", base_url: Some("http://127.0.0.1:11434/v1"), ..COMPATIBLE },
    Preset {
        kind: "ollama_native",
        base_url: Some("http://127.0.0.1:11434/api"),
        apis: OLLAMA,
        elsewhere: OLLAMA,
        operations: &[],
        ..COMPATIBLE
    },
    Preset {
        kind: "vllm",
        base_url: Some("http://127.0.0.1:8000/v1"),
        quirks: Quirks { server: Server::VLLM, ..PLAIN },
        operations: &[Completions, Embeddings, Transcriptions, Translations, Rerank],
        ..COMPATIBLE
    },
    Preset { kind: "llama.cpp", base_url: Some("http://127.0.0.1:8080/v1"), ..COMPATIBLE },
    Preset { kind: "lm_studio", base_url: Some("http://127.0.0.1:1234/v1"), ..COMPATIBLE },
    Preset {
        kind: "sglang",
        base_url: Some("http://127.0.0.1:30000/v1"),
        quirks: Quirks { server: Server::VLLM, ..PLAIN },
        operations: &[Completions, Embeddings, Rerank],
        ..COMPATIBLE
    },
];

/// The preset behind a `kind`, if that is one.
#[must_use]
pub fn preset(kind: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.kind == kind)
}
