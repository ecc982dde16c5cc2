//! Which kind of provider an entry of the list belongs to, and what its model is called there.

use serde_json::Value;

/// The list's name of a provider, our kind, and what the list puts in front of the provider's own model names.
/// `vertex_ai-` stands for all that begin so.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("anthropic", "anthropic", "anthropic/"),
    ("azure", "azure_openai", "azure/"),
    ("bedrock", "bedrock", "bedrock/"),
    ("bedrock_converse", "bedrock", "bedrock/"),
    ("cohere", "cohere", "cohere/"),
    ("cohere_chat", "cohere", "cohere/"),
    ("deepseek", "deepseek", "deepseek/"),
    ("fireworks_ai", "fireworks", "fireworks_ai/"),
    ("fireworks_ai-embedding-models", "fireworks", "fireworks_ai/"),
    ("gemini", "gemini", "gemini/"),
    ("groq", "groq", "groq/"),
    ("mistral", "mistral", "mistral/"),
    ("ollama", "ollama", "ollama/"),
    ("openai", "openai", "openai/"),
    ("openrouter", "openrouter", "openrouter/"),
    ("perplexity", "perplexity", "perplexity/"),
    ("together_ai", "together", "together_ai/"),
    ("vertex_ai", "vertex", "vertex_ai/"),
    ("vertex_ai-", "vertex", "vertex_ai/"),
    ("xai", "xai", "xai/"),
];

/// Modes of models that answer in words, or in vectors.
const MODES: &[&str] = &["chat", "responses", "embedding"];

/// Kinds whose own model names may hold slashes; in those of the others the list puts regions in front of them, whose
/// prices are not those that a name alone stands for.
const SLASHED: &[&str] = &["fireworks", "groq", "openrouter", "perplexity", "together", "vertex", "ollama"];

/// Kinds of which the list prices sizes of models too, in entries without the prefix.
const PREFIXED_ONLY: &[&str] = &["fireworks", "together"];

/// Where an entry belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) kind: &'static str,
    pub(super) model: &'a str,
    /// The list names the provider in front of the model.
    pub(super) prefixed: bool,
}

impl Place<'_> {
    /// Whether it costs nothing: it runs on one's own machine, and not at Ollama's cloud.
    pub(super) fn is_free(&self) -> bool {
        self.kind == "ollama" && !self.model.ends_with("-cloud")
    }
}

/// Where the entry under `key` belongs; `None` where there is no such kind, or it is no such model.
pub(super) fn place<'a>(key: &'a str, facts: &Value) -> Option<Place<'a>> {
    let provider = facts.get("litellm_provider")?.as_str()?;
    let mode = facts.get("mode")?.as_str()?;
    let same = |name: &str| name == provider || name.ends_with('-') && provider.starts_with(name);
    let (_, kind, prefix) = PROVIDERS.iter().find(|(name, ..)| same(name))?;
    let (model, prefixed) = key.strip_prefix(prefix).map_or((key, false), |model| (model, true));
    let own_name = !model.contains('/') || SLASHED.contains(kind);
    let is_model = MODES.contains(&mode) && (prefixed || !PREFIXED_ONLY.contains(kind));
    (own_name && is_model).then_some(Place { kind, model, prefixed })
}

#[cfg(test)]
mod tests {
    use super::{Place, place};
    use serde_json::json;

    #[test]
    fn entries_have_a_kind_and_a_name() {
        for (key, provider, mode, expected) in [
            ("gpt-4o", "openai", "chat", Some(("openai", "gpt-4o"))),
            ("o3-pro", "openai", "responses", Some(("openai", "o3-pro"))),
            ("tts-1", "openai", "audio_speech", None),
            ("azure/gpt-4o", "azure", "chat", Some(("azure_openai", "gpt-4o"))),
            ("azure/eu/gpt-4o", "azure", "chat", None),
            ("eu.a.b-v1:0", "bedrock", "chat", Some(("bedrock", "eu.a.b-v1:0"))),
            ("bedrock/us-east-1/a.b-v1:0", "bedrock", "chat", None),
            ("vertex_ai/meta/llama", "vertex_ai-llama_models", "chat", Some(("vertex", "meta/llama"))),
            ("text-embedding-005", "vertex_ai-embedding-models", "embedding", Some(("vertex", "text-embedding-005"))),
            ("together_ai/a/b", "together_ai", "chat", Some(("together", "a/b"))),
            ("together-ai-4.1b-8b", "together_ai", "chat", None),
            ("watsonx/x", "watsonx", "chat", None),
        ] {
            let facts = json!({ "litellm_provider": provider, "mode": mode });
            let found = place(key, &facts).map(|place| (place.kind, place.model));
            assert_eq!(found, expected, "{key}");
        }
    }

    #[test]
    fn what_runs_at_home_is_free() {
        for (kind, model, expected) in
            [("ollama", "llama3:8b", true), ("ollama", "gpt-oss:120b-cloud", false), ("openai", "llama3:8b", false)]
        {
            assert_eq!(Place { kind, model, prefixed: true }.is_free(), expected, "{kind}/{model}");
        }
    }
}
