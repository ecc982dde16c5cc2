//! What the servers that speak this dialect take beside what all of them do, as data.
//!
//! Must never be here: how a request is written.

use super::refused::THOUGHTS;

/// What one server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// It is OpenAI's own, or keeps up with it: `max_completion_tokens`, `developer`, tools that take text,
    /// `allowed_tools`. Others are told `max_tokens` and `system`.
    pub own: bool,
    /// It takes several texts as parts of one content; others are given them as one text.
    pub parts: bool,
    /// How it is asked to think, and where it is given its thoughts back.
    pub reasoning: Reasoning,
    /// It takes `top_k`.
    pub top_k: bool,
    /// It takes `cache_control` on parts and tools.
    pub cache_marks: bool,
    /// What it calls the seed; `None` where it takes none.
    pub seed: Option<Seed>,
    /// It takes `stream_options`.
    pub stream_usage: bool,
    /// It takes Gemini's signatures in `extra_content`.
    pub signatures: bool,
    /// Which ids of calls it takes.
    pub ids: Ids,
    /// What it calls a choice of tools of which one has to be called.
    pub forced: &'static str,
    /// It takes `user`.
    pub user: bool,
    /// It takes the names of speakers.
    pub names: bool,
    /// It gives several answers.
    pub choices: bool,
    /// It takes `logprobs` and `logit_bias`.
    pub likelihoods: bool,
    /// It takes back a `refusal`; others are given it as the text that it was.
    pub refusals: bool,
    /// It goes on with a last message of the assistant that bears `prefix`.
    pub prefix: bool,
    /// It takes documents as `document_url`, from the network too; others as `file`, in the request or by id.
    pub document_urls: bool,
    /// Fields that are no noun of ours and it takes as they are.
    pub takes: &'static [&'static str],
    /// Fields that clients of OpenAI's may send and it refuses: of the request.
    pub refuses: &'static [&'static str],
    /// The same of its messages.
    pub refuses_of_messages: &'static [&'static str],
}

/// What a server calls the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// `seed`.
    Plain,
    /// `random_seed`, which is not negative: Mistral.
    Random,
}

impl Seed {
    /// Whether the server takes this one.
    pub(super) fn takes(self, seed: Option<i64>) -> bool {
        self == Self::Plain || seed.is_none_or(|seed| seed >= 0)
    }
}

/// Which ids of calls a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Any.
    Any,
    /// Nine letters and digits: Mistral refuses all others (opencode issue 1680).
    Nine,
}

/// How a server is asked to think, and where it is given its thoughts back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reasoning {
    /// Neither.
    Unknown,
    /// By `reasoning_effort`; its thoughts never come back.
    Kept,
    /// By `reasoning_effort`; in `reasoning_content`: DeepSeek, Moonshot, Alibaba and others.
    Content,
    /// By `reasoning_effort`; in `reasoning`: vLLM, Groq.
    Plain,
    /// By `reasoning_effort`, of which it knows `high` and `none`; its thoughts never come back: Mistral.
    Switch,
    /// By OpenRouter's `reasoning`; there and, with what seals them, in `reasoning_details`.
    Details,
}

impl Server {
    /// OpenAI, and Azure's deployments of its models. Refuses fields that it does not know.
    pub const OPENAI: Self = Self {
        own: true,
        parts: true,
        reasoning: Reasoning::Kept,
        top_k: false,
        cache_marks: false,
        seed: Some(Seed::Plain),
        stream_usage: true,
        signatures: false,
        ids: Ids::Any,
        forced: "required",
        user: true,
        names: true,
        choices: true,
        likelihoods: true,
        refusals: true,
        prefix: false,
        document_urls: false,
        takes: &[
            "audio",
            "logit_bias",
            "modalities",
            "prediction",
            "prompt_cache_key",
            "safety_identifier",
            "verbosity",
        ],
        refuses: &[],
        refuses_of_messages: THOUGHTS,
    };

    /// A server of which nothing else is known: most pass over what they do not know.
    pub const COMPATIBLE: Self = Self {
        own: false,
        parts: false,
        reasoning: Reasoning::Content,
        top_k: true,
        takes: &["logit_bias"],
        refuses_of_messages: &[],
        ..Self::OPENAI
    };

    /// vLLM, and what follows it.
    pub const VLLM: Self = Self { reasoning: Reasoning::Plain, ..Self::COMPATIBLE };

    /// Groq: refuses fields that it does not know, and thoughts for models that have none (console.groq.com/docs/openai,
    /// "Currently unsupported OpenAI features"; gptel issue 774, jan issue 8136).
    pub const GROQ: Self = Self {
        reasoning: Reasoning::Kept,
        top_k: false,
        names: false,
        choices: false,
        likelihoods: false,
        takes: &[
            "compound_custom",
            "disable_tool_validation",
            "documents",
            "include_reasoning",
            "reasoning_format",
            "search_settings",
            "service_tier",
        ],
        refuses: &["logit_bias", "logprobs", "reasoning", "top_k", "top_logprobs"],
        // `reasoning` is its own word: a model that gave it takes it back.
        refuses_of_messages: &["reasoning_content", "reasoning_details", "thinking_blocks", "extra_content"],
        ..Self::COMPATIBLE
    };

    /// OpenRouter, and gateways that took over its words.
    pub const OPENROUTER: Self =
        Self { parts: true, reasoning: Reasoning::Details, cache_marks: true, ..Self::COMPATIBLE };

    /// Gemini's endpoint of this dialect.
    pub const GEMINI: Self = Self { reasoning: Reasoning::Kept, top_k: false, signatures: true, ..Self::COMPATIBLE };

    /// Mistral: refuses fields that it does not know, and always tells usage (its specification, `ChatCompletionRequest`
    /// and the messages in it, which take no others).
    pub const MISTRAL: Self = Self {
        reasoning: Reasoning::Switch,
        top_k: false,
        seed: Some(Seed::Random),
        stream_usage: false,
        ids: Ids::Nine,
        forced: "any",
        user: false,
        names: false,
        likelihoods: false,
        refusals: false,
        prefix: true,
        document_urls: true,
        takes: &["guardrails", "metadata", "prediction", "prompt_cache_key", "prompt_mode", "safe_prompt"],
        refuses: &[
            "audio",
            "function_call",
            "functions",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "modalities",
            "moderation",
            "prompt_cache_options",
            "prompt_cache_retention",
            "reasoning",
            "safety_identifier",
            "seed",
            "service_tier",
            "store",
            "stream_options",
            "thinking",
            "top_k",
            "top_logprobs",
            "user",
            "verbosity",
            "web_search_options",
        ],
        refuses_of_messages: &[
            "annotations",
            "audio",
            "extra_content",
            "function_call",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "refusal",
            "thinking_blocks",
        ],
        ..Self::COMPATIBLE
    };
}
