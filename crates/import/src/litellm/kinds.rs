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
    /// What LiteLLM adds to an address of the file, and our addresses have at their end.
    pub(super) path: &'static str,
    /// The variable in which LiteLLM looks for a key, where our kind looks in none, or in another one.
    pub(super) key: Option<&'static str>,
    /// What is different of calls by our kind; empty where nothing is.
    pub(super) note: &'static str,
}

/// Hosts of Azure that have OpenAI's API below `/openai/v1`; others have it where their addresses say.
const FOUNDRY: &[&str] = &[".services.ai.azure.com", ".openai.azure.com", ".cognitiveservices.azure.com"];

impl Vendor {
    /// This at an address of the file.
    pub(super) fn at(self, address: Option<&str>) -> Self {
        let elsewhere = |written: &str| written.contains("://") && !FOUNDRY.iter().any(|host| written.contains(host));
        match (self.prefix, self.kind) {
            ("azure_ai", "azure_openai") if address.is_some_and(elsewhere) => {
                Self { kind: "openai", note: "by its address that speaks as OpenAI does", ..self }
            }
            _ => self,
        }
    }
}

const fn vendor(prefix: &'static str, kind: &'static str) -> Vendor {
    Vendor { prefix, kind, base_url: None, path: "", key: None, note: "" }
}

const fn below(prefix: &'static str, kind: &'static str, path: &'static str) -> Vendor {
    Vendor { path, ..vendor(prefix, kind) }
}

/// One that speaks as OpenAI does, at the address that its documentation gives.
const fn alike(prefix: &'static str, base_url: &'static str, key: &'static str) -> Vendor {
    let note = "by its address that speaks as OpenAI does";
    Vendor { base_url: Some(base_url), key: Some(key), note, ..vendor(prefix, "openai") }
}

const VENDORS: &[Vendor] = &[
    vendor("openai", "openai"),
    vendor("text-completion-openai", "openai"),
    vendor("custom_openai", "openai"),
    vendor("openai_like", "openai"),
    vendor("aiohttp_openai", "openai"),
    vendor("litellm_proxy", "openai"),
    Vendor { key: Some("AZURE_API_KEY"), ..vendor("azure", "azure_openai") },
    Vendor { key: Some("AZURE_API_KEY"), ..vendor("azure_text", "azure_openai") },
    Vendor {
        key: Some("AZURE_AI_API_KEY"),
        note: "by its address that speaks as OpenAI does, below /openai/v1",
        ..vendor("azure_ai", "azure_openai")
    },
    below("anthropic", "anthropic", "/v1"),
    vendor("gemini", "gemini"),
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
    Vendor { note: "each request as a chat, not as one prompt", ..below("ollama", "ollama_native", "/api") },
    below("ollama_chat", "ollama_native", "/api"),
    vendor("hosted_vllm", "vllm"),
    vendor("vllm", "vllm"),
    vendor("lm_studio", "lm_studio"),
    vendor("llamafile", "llama.cpp"),
    alike("ai21", "https://api.ai21.com/studio/v1", "AI21_API_KEY"),
    alike("ai21_chat", "https://api.ai21.com/studio/v1", "AI21_API_KEY"),
    alike("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    alike("codestral", "https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY"),
    alike("dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    alike("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    alike("friendliai", "https://api.friendli.ai/serverless/v1", "FRIENDLI_TOKEN"),
    alike("meta_llama", "https://api.llama.com/compat/v1", "LLAMA_API_KEY"),
    alike("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    alike("nvidia_nim", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
    alike("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    alike("volcengine", "https://ark.cn-beijing.volces.com/api/v3", "VOLCENGINE_API_KEY"),
    alike("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
];

/// Models of Anthropic's at Azure, which has them as Anthropic does.
const CLAUDE_AT_AZURE: Vendor =
    Vendor { key: Some("AZURE_AI_API_KEY"), ..below("azure_ai", "anthropic", "/anthropic/v1") };

/// Beginnings of models that LiteLLM knows without a word in front.
const FAMILIES: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("ft:", "openai"),
    ("text-embedding-", "openai"),
    ("dall-e-", "openai"),
    ("whisper-", "openai"),
    ("tts-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "vertex_ai"),
    ("command-", "cohere"),
    ("embed-", "cohere"),
    ("deepseek-", "deepseek"),
    ("anthropic.", "bedrock"),
    ("amazon.", "bedrock"),
    ("meta.", "bedrock"),
    ("mistral.", "bedrock"),
    ("cohere.", "bedrock"),
    ("us.", "bedrock"),
    ("eu.", "bedrock"),
    ("apac.", "bedrock"),
    ("global.", "bedrock"),
];

/// How LiteLLM is told to call a model, between its vendor and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As our kind does.
    Usual,
    /// By `/responses` alone.
    Responses,
    /// As our kind does not.
    Other,
}

const OF_BEDROCK: &[(&str, Way)] =
    &[("converse/", Way::Usual), ("converse_like/", Way::Other), ("invoke/", Way::Other)];
const OF_OPENAI: &[(&str, Way)] = &[("responses/", Way::Responses)];

/// What the names of Bedrock's models have in them that make no chat: Converse does not know these.
const NO_CHAT: &[&str] = &["embed", "rerank", "stability.", "titan-image", "nova-canvas", "nova-reel", "nova-sonic"];

/// Who serves a model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) vendor: Vendor,
    /// As the vendor calls it.
    pub(super) model: &'a str,
    /// A region of Bedrock that stood before it, or in it.
    pub(super) region: Option<&'a str>,
    pub(super) way: Way,
}

/// The vendor and the model of `litellm_params.model`; the error is the word nobody here goes by. `addressed` says that
/// there is an address, which makes everything else OpenAI's.
pub(super) fn named(model: &str, addressed: bool) -> Result<Named<'_>, &str> {
    let split = model.split_once('/');
    let word = |word: &str| VENDORS.iter().find(|vendor| vendor.prefix == word).copied();
    if let Some((prefix, rest)) = split
        && let Some(vendor) = word(prefix)
    {
        return Ok(at(vendor, rest));
    }
    let family = FAMILIES.iter().find(|(beginning, _)| model.starts_with(beginning)).map(|(_, word)| *word);
    let vendor = family.or(addressed.then_some("openai")).and_then(word);
    vendor.map(|vendor| at(vendor, model)).ok_or(split.map_or(model, |(prefix, _)| prefix))
}

fn at(vendor: Vendor, rest: &str) -> Named<'_> {
    let ways = match vendor.kind {
        "bedrock" => OF_BEDROCK,
        "openai" | "azure_openai" => OF_OPENAI,
        _ => &[],
    };
    let way = ways.iter().find_map(|(word, way)| Some((rest.strip_prefix(word)?, *way)));
    let (model, way) = way.unwrap_or((rest, Way::Usual));
    let (region, model) = if vendor.kind == "bedrock" { region(model) } else { (None, model) };
    let claude_at_azure = vendor.prefix == "azure_ai" && model.starts_with("claude");
    let vendor = if claude_at_azure { CLAUDE_AT_AZURE } else { vendor };
    Named { vendor, model, region, way }
}

/// `us-east-1/MODEL`, or an ARN, which names its region.
fn region(model: &str) -> (Option<&str>, &str) {
    let region = |word: &str| {
        word.split('-').count() >= 3 && word.ends_with(|c: char| c.is_ascii_digit()) && !word.contains(['.', ':'])
    };
    match model.split_once('/') {
        Some((word, rest)) if region(word) => (Some(word), rest),
        _ => (region_of_arn(model), model),
    }
}

/// `arn:aws:bedrock:REGION:...`
pub(super) fn region_of_arn(model: &str) -> Option<&str> {
    let mut words = model.strip_prefix("arn:")?.split(':').skip(2);
    words.next().filter(|region| !region.is_empty())
}

/// Why our kind cannot ask for this model, if it cannot.
pub(super) fn unasked(named: &Named<'_>) -> Option<&'static str> {
    let model = named.model;
    match named.vendor.kind {
        "vertex" if model.contains('/') || !["claude", "gemini", "*"].iter().any(|word| model.starts_with(word)) => {
            Some("at Vertex AI, models of Gemini and Claude alone are asked: the entry is left out")
        }
        "bedrock" if model.starts_with("arn:") => None,
        "bedrock" if model.contains('/') => Some(
            "Bedrock's models are asked by Converse, and this word before one means another way: the entry is left out",
        ),
        "bedrock" if NO_CHAT.iter().any(|word| model.contains(word)) => {
            Some("Bedrock's models are asked by Converse, which does not know this one: the entry is left out")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_front_of_models() {
        for (model, addressed, expected) in [
            ("openai/gpt-4o", false, Some(("openai", "gpt-4o", None))),
            ("gpt-4o", false, Some(("openai", "gpt-4o", None))),
            ("claude-sonnet-4-5", false, Some(("anthropic", "claude-sonnet-4-5", None))),
            ("azure/my-deployment", true, Some(("azure_openai", "my-deployment", None))),
            ("azure_ai/grok-3", true, Some(("azure_openai", "grok-3", None))),
            ("azure_ai/claude-sonnet-4-5", true, Some(("anthropic", "claude-sonnet-4-5", None))),
            ("openai/responses/o3-pro", false, Some(("openai", "o3-pro", None))),
            ("hosted_vllm/responses/m", false, Some(("vllm", "responses/m", None))),
            ("ollama/llama3", false, Some(("ollama_native", "llama3", None))),
            ("ollama_chat/llama3", false, Some(("ollama_native", "llama3", None))),
            ("bedrock/converse/us.a.b-v1:0", false, Some(("bedrock", "us.a.b-v1:0", None))),
            ("bedrock/eu-west-1/a.b-v1:0", false, Some(("bedrock", "a.b-v1:0", Some("eu-west-1")))),
            ("apac.anthropic.c-v1:0", false, Some(("bedrock", "apac.anthropic.c-v1:0", None))),
            (
                "bedrock/arn:aws:bedrock:us-east-1:1:x/y",
                false,
                Some(("bedrock", "arn:aws:bedrock:us-east-1:1:x/y", Some("us-east-1"))),
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

    #[test]
    fn models_that_clouds_have_and_we_do_not_ask_for() {
        for (model, asked) in [
            ("vertex_ai/gemini-2.5-pro", true),
            ("vertex_ai/claude-opus-4@20250514", true),
            ("vertex_ai/*", true),
            ("vertex_ai/meta/llama-4-maas", false),
            ("vertex_ai/mistral-large@2411", false),
            ("vertex_ai/text-embedding-005", false),
            ("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", true),
            ("bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/x", true),
            ("bedrock/llama/arn:aws:bedrock:us-east-1:1:imported-model/x", false),
            ("bedrock/amazon.titan-embed-text-v2:0", false),
            ("openai/text-embedding-3-small", true),
        ] {
            assert_eq!(named(model, false).is_ok_and(|named| unasked(&named).is_none()), asked, "{model}");
        }
    }
}
