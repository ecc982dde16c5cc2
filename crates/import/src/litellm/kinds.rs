//! What LiteLLM writes in front of a model, and the kind of provider it means.

/// One word in front of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vendor {
    /// The word.
    pub(super) prefix: &'static str,
    /// Our kind.
    pub(super) kind: &'static str,
    /// Its address, where our kind does not know that.
    pub(super) base_url: Option<&'static str>,
    /// What an address of the file lacks at its end, where it has no path.
    pub(super) path: &'static str,
}

const fn vendor(prefix: &'static str, kind: &'static str) -> Vendor {
    Vendor { prefix, kind, base_url: None, path: "" }
}

const fn below(prefix: &'static str, kind: &'static str, path: &'static str) -> Vendor {
    Vendor { prefix, kind, base_url: None, path }
}

/// One that speaks as OpenAI does, at the address that its documentation gives.
const fn alike(prefix: &'static str, base_url: &'static str) -> Vendor {
    Vendor { prefix, kind: "openai", base_url: Some(base_url), path: "" }
}

const VENDORS: &[Vendor] = &[
    vendor("openai", "openai"),
    vendor("text-completion-openai", "openai"),
    vendor("custom_openai", "openai"),
    vendor("openai_like", "openai"),
    vendor("litellm_proxy", "openai"),
    vendor("azure", "azure_openai"),
    vendor("azure_text", "azure_openai"),
    below("anthropic", "anthropic", "/v1"),
    below("gemini", "gemini", "/v1beta"),
    vendor("vertex_ai", "vertex"),
    vendor("vertex_ai_beta", "vertex"),
    vendor("bedrock", "bedrock"),
    vendor("bedrock_converse", "bedrock"),
    below("cohere", "cohere", "/v2"),
    below("cohere_chat", "cohere", "/v2"),
    below("mistral", "mistral", "/v1"),
    vendor("groq", "groq"),
    vendor("deepseek", "deepseek"),
    vendor("xai", "xai"),
    vendor("together_ai", "together"),
    vendor("fireworks_ai", "fireworks"),
    vendor("openrouter", "openrouter"),
    vendor("perplexity", "perplexity"),
    below("ollama", "ollama", "/v1"),
    below("ollama_chat", "ollama", "/v1"),
    vendor("hosted_vllm", "vllm"),
    vendor("vllm", "vllm"),
    vendor("lm_studio", "lm_studio"),
    vendor("llamafile", "llama.cpp"),
    alike("cerebras", "https://api.cerebras.ai/v1"),
    alike("dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
    alike("deepinfra", "https://api.deepinfra.com/v1/openai"),
    alike("moonshot", "https://api.moonshot.ai/v1"),
    alike("nvidia_nim", "https://integrate.api.nvidia.com/v1"),
    alike("sambanova", "https://api.sambanova.ai/v1"),
    alike("zai", "https://api.z.ai/api/paas/v4"),
];

/// Beginnings of models that LiteLLM knows without a word in front.
const FAMILIES: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("ft:", "openai"),
    ("text-embedding-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "vertex_ai"),
    ("command-", "cohere"),
    ("deepseek-", "deepseek"),
    ("anthropic.", "bedrock"),
    ("amazon.", "bedrock"),
    ("meta.", "bedrock"),
    ("us.", "bedrock"),
    ("eu.", "bedrock"),
];

/// Words between a vendor and a model that say how LiteLLM calls it, which our kinds decide themselves.
const WAYS: &[&str] = &["responses/", "converse/", "invoke/", "converse_like/", "chat/"];

/// Who serves a model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) vendor: Vendor,
    /// As the vendor calls it.
    pub(super) model: &'a str,
    /// A region of Bedrock that stood before it.
    pub(super) region: Option<&'a str>,
}

/// The vendor and the model of `litellm_params.model`; the error is the word nobody here goes by. `alone` is said where
/// there is an address, which makes everything else OpenAI's.
pub(super) fn named(model: &str, addressed: bool) -> Result<Named<'_>, &str> {
    let split = model.split_once('/');
    let word = |word: &str| VENDORS.iter().find(|vendor| vendor.prefix == word).copied();
    if let Some((prefix, rest)) = split
        && let Some(vendor) = word(prefix)
    {
        let rest = WAYS.iter().find_map(|way| rest.strip_prefix(way)).unwrap_or(rest);
        let (region, model) = if vendor.kind == "bedrock" { region(rest) } else { (None, rest) };
        return Ok(Named { vendor, model, region });
    }
    let family = FAMILIES.iter().find(|(beginning, _)| model.starts_with(beginning)).map(|(_, word)| *word);
    let vendor = family.or(addressed.then_some("openai")).and_then(word);
    vendor.map(|vendor| Named { vendor, model, region: None }).ok_or(split.map_or(model, |(prefix, _)| prefix))
}

/// `us-east-1/MODEL`
fn region(model: &str) -> (Option<&str>, &str) {
    let region = |word: &str| {
        word.split('-').count() >= 3 && word.ends_with(|c: char| c.is_ascii_digit()) && !word.contains(['.', ':'])
    };
    match model.split_once('/') {
        Some((word, rest)) if region(word) => (Some(word), rest),
        _ => (None, model),
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn words_in_front_of_models() {
        for (model, addressed, expected) in [
            ("openai/gpt-4o", false, Some(("openai", "gpt-4o", None))),
            ("gpt-4o", false, Some(("openai", "gpt-4o", None))),
            ("claude-sonnet-4-5", false, Some(("anthropic", "claude-sonnet-4-5", None))),
            ("azure/my-deployment", true, Some(("azure_openai", "my-deployment", None))),
            ("openai/responses/o3-pro", false, Some(("openai", "o3-pro", None))),
            ("bedrock/converse/us.a.b-v1:0", false, Some(("bedrock", "us.a.b-v1:0", None))),
            ("bedrock/eu-west-1/a.b-v1:0", false, Some(("bedrock", "a.b-v1:0", Some("eu-west-1")))),
            (
                "bedrock/arn:aws:bedrock:us-east-1:1:x/y",
                false,
                Some(("bedrock", "arn:aws:bedrock:us-east-1:1:x/y", None)),
            ),
            ("together_ai/meta-llama/L", false, Some(("together", "meta-llama/L", None))),
            ("meta-llama/L", true, Some(("openai", "meta-llama/L", None))),
            ("watsonx/x", false, None),
            ("nobody", false, None),
        ] {
            let found = named(model, addressed).ok().map(|named| (named.vendor.kind, named.model, named.region));
            assert_eq!(found, expected, "{model}");
        }
        assert_eq!(named("watsonx/x", false).err(), Some("watsonx"));
    }
}
