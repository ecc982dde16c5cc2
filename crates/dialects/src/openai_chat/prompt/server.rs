//! What the servers that speak this dialect take beside what all of them do, as data.
//!
//! Must never be here: how a request is written.

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
    /// It takes `user`, and the names of speakers.
    pub people: bool,
    /// It takes `logprobs` and `logit_bias`.
    pub likelihoods: bool,
    /// It takes back a `refusal`; others are given it as the text that it was.
    pub refusals: bool,
    /// It takes documents as `document_url`, from the network too; others as `file`, in the request or by id.
    pub document_urls: bool,
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
        people: true,
        likelihoods: true,
        refusals: true,
        document_urls: false,
    };

    /// A server of which nothing else is known: most pass over what they do not know.
    pub const COMPATIBLE: Self =
        Self { own: false, parts: false, reasoning: Reasoning::Content, top_k: true, ..Self::OPENAI };

    /// vLLM, and what follows it.
    pub const VLLM: Self = Self { reasoning: Reasoning::Plain, ..Self::COMPATIBLE };

    /// Groq: refuses fields that it does not know.
    pub const GROQ: Self = Self { top_k: false, ..Self::VLLM };

    /// OpenRouter, and gateways that took over its words.
    pub const OPENROUTER: Self =
        Self { parts: true, reasoning: Reasoning::Details, cache_marks: true, ..Self::COMPATIBLE };

    /// Gemini's endpoint of this dialect.
    pub const GEMINI: Self = Self { reasoning: Reasoning::Kept, top_k: false, signatures: true, ..Self::COMPATIBLE };

    /// Mistral: refuses fields that it does not know, and always tells usage (its specification, `ChatCompletionRequest`).
    pub const MISTRAL: Self = Self {
        reasoning: Reasoning::Switch,
        top_k: false,
        seed: Some(Seed::Random),
        stream_usage: false,
        ids: Ids::Nine,
        forced: "any",
        people: false,
        likelihoods: false,
        refusals: false,
        document_urls: true,
        ..Self::COMPATIBLE
    };
}
