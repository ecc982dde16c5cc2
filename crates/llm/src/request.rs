//! What the gateway has to know of a request; everything else rides along as bytes.

use bytes::Bytes;
use std::ops::Range;

/// The wire format that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI chat completions.
    OpenAiChat,
    /// Anthropic messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
    /// OpenAI responses.
    Responses,
    /// That of another operation, which is passed on to a provider that has it. Few are translated.
    Other(Operation),
}

impl Dialect {
    /// Those in which models are asked for answers, each of which is translated into each.
    pub const ANSWERS: [Self; 4] = [Self::OpenAiChat, Self::Anthropic, Self::Gemini, Self::Responses];
    /// OpenAI's completions of a text: any provider's answer reaches its clients, and no other's client is given one of it.
    pub const COMPLETIONS: Self = Self::Other(Operation::Completions);
    /// How many there are, for tables made at start.
    pub const COUNT: usize = Self::ANSWERS.len() + Operation::ALL.len();

    /// Whether its clients want a model's answer, which may come from a provider of any dialect in which models are asked.
    #[must_use]
    pub const fn wants_an_answer(self) -> bool {
        match self {
            Self::OpenAiChat | Self::Anthropic | Self::Gemini | Self::Responses | Self::COMPLETIONS => true,
            Self::Other(_) => false,
        }
    }

    /// In whose words its clients are told of errors and of quotas.
    #[must_use]
    pub const fn worded_as(self) -> Self {
        match self {
            Self::OpenAiChat | Self::Anthropic | Self::Gemini | Self::Responses => self,
            Self::Other(operation) => operation.worded_as(),
        }
    }

    /// Its place among all.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::OpenAiChat => 0,
            Self::Anthropic => 1,
            Self::Gemini => 2,
            Self::Responses => 3,
            Self::Other(operation) => Self::ANSWERS.len() + operation as usize,
        }
    }

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Responses => "responses",
            Self::Other(operation) => operation.as_str(),
        }
    }
}

/// What a client may ask beside an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// OpenAI's completions of a text.
    Completions,
    /// OpenAI's embeddings.
    Embeddings,
    /// OpenAI's moderations.
    Moderations,
    /// OpenAI's images, made from words.
    ImageGenerations,
    /// The same, made from images and words.
    ImageEdits,
    /// The same, made from images.
    ImageVariations,
    /// OpenAI's speech, made from words.
    Speech,
    /// OpenAI's words, made from speech.
    Transcriptions,
    /// The same, in English.
    Translations,
    /// Documents in the order of what they have to do with a question, as Cohere and Jina have it.
    Rerank,
    /// Anthropic's count of the tokens of messages.
    CountTokens,
    /// OpenAI's count of the tokens of a request for a response.
    InputTokens,
    /// Gemini's count of tokens.
    GeminiCountTokens,
    /// Gemini's embedding of one text.
    GeminiEmbed,
    /// Gemini's embeddings of several.
    GeminiBatchEmbed,
    /// OpenAI's conversations in real time, over a websocket.
    Realtime,
    /// Gemini's conversations in real time, over a websocket.
    GeminiLive,
    /// Whatever a provider has besides: handed through to it unread.
    Passthrough,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Completions,
        Self::Embeddings,
        Self::Moderations,
        Self::ImageGenerations,
        Self::ImageEdits,
        Self::ImageVariations,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
        Self::Rerank,
        Self::CountTokens,
        Self::InputTokens,
        Self::GeminiCountTokens,
        Self::GeminiEmbed,
        Self::GeminiBatchEmbed,
        Self::Realtime,
        Self::GeminiLive,
        Self::Passthrough,
    ];

    /// The label value in metrics and logs, and the word in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderations",
            Self::ImageGenerations => "image_generations",
            Self::ImageEdits => "image_edits",
            Self::ImageVariations => "image_variations",
            Self::Speech => "speech",
            Self::Transcriptions => "transcriptions",
            Self::Translations => "translations",
            Self::Rerank => "rerank",
            Self::CountTokens => "count_tokens",
            Self::InputTokens => "input_tokens",
            Self::GeminiCountTokens => "gemini_count_tokens",
            Self::GeminiEmbed => "gemini_embed",
            Self::GeminiBatchEmbed => "gemini_batch_embed",
            Self::Realtime => "realtime",
            Self::GeminiLive => "gemini_live",
            Self::Passthrough => "passthrough",
        }
    }

    /// In whose words its errors are.
    #[must_use]
    pub const fn worded_as(self) -> Dialect {
        match self {
            Self::CountTokens => Dialect::Anthropic,
            Self::InputTokens => Dialect::Responses,
            Self::GeminiCountTokens | Self::GeminiEmbed | Self::GeminiBatchEmbed | Self::GeminiLive => Dialect::Gemini,
            Self::Completions
            | Self::Embeddings
            | Self::Moderations
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::Rerank
            | Self::Realtime
            | Self::Passthrough => Dialect::OpenAiChat,
        }
    }

    /// Whether its request is a form with files (RFC 7578), and not JSON.
    #[must_use]
    pub const fn is_a_form(self) -> bool {
        matches!(self, Self::ImageEdits | Self::ImageVariations | Self::Transcriptions | Self::Translations)
    }
}

/// The wire format that a provider's API speaks: a client's, or one that no client speaks here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// One that clients speak too.
    Shared(Dialect),
    /// Cohere's chat, version 2.
    Cohere,
    /// Ollama's own chat.
    Ollama,
    /// Amazon Bedrock's Converse.
    Bedrock,
    /// Amazon Bedrock's count of tokens.
    BedrockCount,
    /// Embeddings, asked for as only this provider is.
    Vectors(Vectors),
}

/// Whose embeddings are asked for as nobody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vectors {
    /// Cohere's, version 2.
    Cohere,
    /// Ollama's own.
    Ollama,
}

impl Api {
    /// Whether answers reach a client of `dialect` in the bytes they came in.
    #[must_use]
    pub fn is(self, dialect: Dialect) -> bool {
        self == Self::Shared(dialect)
    }
}

/// A chat request, read just deeply enough to route it.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The wire format that `raw` is in.
    pub dialect: Dialect,
    /// What the client asked for: a route, an alias or `provider/model`.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The body as it came; never re-serialised.
    pub raw: Bytes,
    /// Whether it may demand a form of its answer, or declares tools: whether reading its terms can be worth it.
    pub demands: bool,
    /// Where in `raw` the JSON value of `model` stands, quotes included; empty where the dialect names it elsewhere.
    pub model_span: Range<usize>,
    /// The stream is wanted as one JSON list, and not as events: of Gemini's clients.
    pub listed: bool,
    /// What the request's head says to the provider, by header: sent on where that one speaks the client's dialect.
    pub forwarded: Vec<(&'static str, String)>,
}

/// How much a call matters when not all can be served. Sent by clients as `x-breakwater-priority`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Turned away first.
    Sheddable,
    /// What every call is that does not say.
    #[default]
    Normal,
    /// Turned away last.
    Critical,
}

impl Priority {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 3] = [Self::Sheddable, Self::Normal, Self::Critical];

    /// The label value in metrics, and the header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Normal => "normal",
            Self::Critical => "critical",
        }
    }
}

/// Whether and how a target goes on with an answer that the request already holds the beginning of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefill {
    /// It does not: it answers anew.
    #[default]
    No,
    /// A last message of the assistant is gone on with as it stands.
    Plain,
    /// The last message has to bear `"prefix": true` (Mistral, whose API puts what it says in front of the answer:
    /// SillyTavern issue 2557).
    PrefixFlag,
    /// The request has to bear `"continue_final_message": true` and `"add_generation_prompt": false` (vLLM, SGLang).
    ContinueFlag,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_have_places_of_their_own() {
        let all = Dialect::ANSWERS.into_iter().chain(Operation::ALL.map(Dialect::Other));
        assert_eq!(all.map(Dialect::index).collect::<Vec<_>>(), (0..Dialect::COUNT).collect::<Vec<_>>());
    }
}
