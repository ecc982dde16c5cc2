//! Providers that speak the OpenAI dialect: where they live and where they differ, as data.
//!
//! Base addresses and key variables are those of the providers' own documentation (November 2026).

use dialects::Quirks;

/// A `kind` in the configuration that needs no more than a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The word after `kind:`.
    pub kind: &'static str,
    /// Where its API lives unless `base_url` says otherwise.
    pub base_url: &'static str,
    /// The variable its key is usually kept in; `None` where it needs none (local servers).
    pub key_variable: Option<&'static str>,
    /// Patterns of the model names that are surely its own.
    pub families: &'static [&'static str],
    /// A small model of its, to try it with.
    pub example: Option<&'static str>,
    /// Where it differs from the dialect.
    pub quirks: Quirks,
}

const PLAIN: Quirks = Quirks { done_marker: true };
const NO_DONE: Quirks = Quirks { done_marker: false };

/// Every preset, in the order in which zero-config prefers them.
pub const PRESETS: &[Preset] = &[
    Preset {
        kind: "openai",
        base_url: "https://api.openai.com/v1",
        key_variable: Some("OPENAI_API_KEY"),
        families: &["gpt-*", "chatgpt-*", "o1*", "o3*", "o4*"],
        example: Some("gpt-4o-mini"),
        quirks: PLAIN,
    },
    Preset {
        kind: "mistral",
        base_url: "https://api.mistral.ai/v1",
        key_variable: Some("MISTRAL_API_KEY"),
        families: &["mistral-*", "ministral-*", "magistral-*", "codestral-*", "devstral-*", "pixtral-*"],
        example: Some("mistral-small-latest"),
        quirks: PLAIN,
    },
    Preset {
        kind: "groq",
        base_url: "https://api.groq.com/openai/v1",
        key_variable: Some("GROQ_API_KEY"),
        families: &[],
        example: Some("llama-3.1-8b-instant"),
        quirks: PLAIN,
    },
    Preset {
        kind: "deepseek",
        base_url: "https://api.deepseek.com",
        key_variable: Some("DEEPSEEK_API_KEY"),
        families: &["deepseek-*"],
        example: Some("deepseek-chat"),
        quirks: PLAIN,
    },
    Preset {
        kind: "xai",
        base_url: "https://api.x.ai/v1",
        key_variable: Some("XAI_API_KEY"),
        families: &["grok-*"],
        example: Some("grok-3-mini"),
        quirks: PLAIN,
    },
    Preset {
        kind: "together",
        base_url: "https://api.together.xyz/v1",
        key_variable: Some("TOGETHER_API_KEY"),
        families: &[],
        example: Some("meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        quirks: PLAIN,
    },
    Preset {
        kind: "fireworks",
        base_url: "https://api.fireworks.ai/inference/v1",
        key_variable: Some("FIREWORKS_API_KEY"),
        families: &["accounts/fireworks/*"],
        example: Some("accounts/fireworks/models/llama-v3p1-8b-instruct"),
        quirks: PLAIN,
    },
    Preset {
        kind: "openrouter",
        base_url: "https://openrouter.ai/api/v1",
        key_variable: Some("OPENROUTER_API_KEY"),
        families: &[],
        example: Some("openrouter/auto"),
        quirks: PLAIN,
    },
    Preset {
        kind: "perplexity",
        base_url: "https://api.perplexity.ai",
        key_variable: Some("PERPLEXITY_API_KEY"),
        families: &["sonar*"],
        example: Some("sonar"),
        quirks: NO_DONE,
    },
    Preset {
        kind: "ollama",
        base_url: "http://127.0.0.1:11434/v1",
        key_variable: None,
        families: &[],
        example: None,
        quirks: PLAIN,
    },
    Preset {
        kind: "vllm",
        base_url: "http://127.0.0.1:8000/v1",
        key_variable: None,
        families: &[],
        example: None,
        quirks: PLAIN,
    },
    Preset {
        kind: "llama.cpp",
        base_url: "http://127.0.0.1:8080/v1",
        key_variable: None,
        families: &[],
        example: None,
        quirks: PLAIN,
    },
    Preset {
        kind: "lm_studio",
        base_url: "http://127.0.0.1:1234/v1",
        key_variable: None,
        families: &[],
        example: None,
        quirks: PLAIN,
    },
    Preset {
        kind: "sglang",
        base_url: "http://127.0.0.1:30000/v1",
        key_variable: None,
        families: &[],
        example: None,
        quirks: PLAIN,
    },
];

/// The preset behind a `kind`, if that is one.
#[must_use]
pub fn preset(kind: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.kind == kind)
}
