//! Where at a provider each operation lives.
//!
//! Must never be here: what is asked, and by whose leave.

use bytes::Bytes;
use dialects::{anthropic, bedrock, cohere, escaped, gemini, ollama, openai_chat, other, responses};
use llm::{Api, Dialect, Operation, Vectors};
use std::borrow::Cow;
use std::sync::Arc;

/// Counting what Anthropic's models would read.
const COUNT: Api = Api::Shared(Dialect::Other(Operation::CountTokens));

/// The same of Google's.
const GEMINI_COUNT: Api = Api::Shared(Dialect::Other(Operation::GeminiCountTokens));

/// How a provider lays out its API below its base address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Site {
    /// As the dialect's own vendor does.
    #[default]
    Plain,
    /// Vertex AI's: Gemini's models and Anthropic's, each below their publisher.
    Vertex,
    /// Azure's layout before its `v1`: a deployment in the path, the version in the query.
    AzureDeployments {
        /// `api-version`.
        version: Arc<str>,
    },
}

/// One operation on one model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) api: Api,
    pub(crate) model: &'a str,
    pub(crate) stream: bool,
    /// The stream is wanted as one JSON list.
    pub(crate) listed: bool,
}

impl Site {
    /// The path of an operation below the base address, with its query.
    pub(crate) fn path(&self, place: Place<'_>) -> Cow<'static, str> {
        let path = plain(place);
        match self {
            Self::Plain => path,
            Self::Vertex => vertex(place),
            // Its model stands in the body: no deployment has it (openai 3.54, lib/azure.py).
            Self::AzureDeployments { version } if place.api == Api::Shared(Dialect::Responses) => {
                Cow::Owned(format!("{path}?api-version={version}"))
            }
            Self::AzureDeployments { version } => {
                let deployment = escaped(place.model);
                Cow::Owned(format!("/deployments/{deployment}{path}?api-version={version}"))
            }
        }
    }
}

/// The path below a project and a location of Vertex AI.
fn vertex(place: Place<'_>) -> Cow<'static, str> {
    let Place { api, model, stream, .. } = place;
    if api == COUNT {
        return Cow::Borrowed("/publishers/anthropic/models/count-tokens:rawPredict");
    }
    if api.is(Dialect::Anthropic) {
        let method = if stream { "streamRawPredict" } else { "rawPredict" };
        return Cow::Owned(format!("/publishers/anthropic/models/{}:{method}", escaped(model)));
    }
    Cow::Owned(format!("/publishers/google{}", plain(place)))
}

impl Site {
    /// What of `apis` this provider is asked in for `model`: at Vertex AI, models of two vendors live side by side.
    pub(crate) fn serves(&self, api: Api, model: &str) -> bool {
        match self {
            Self::Plain | Self::AzureDeployments { .. } => true,
            Self::Vertex => (api.is(Dialect::Anthropic) || api == COUNT) == model.starts_with("claude"),
        }
    }

    /// A body as it is taken here.
    pub(crate) fn body(&self, api: Api, body: Bytes) -> Option<Bytes> {
        match self {
            Self::Vertex if api.is(Dialect::Anthropic) => anthropic::for_vertex(&body),
            Self::Vertex if api == COUNT => anthropic::counted_on_vertex(&body),
            Self::Vertex if api == GEMINI_COUNT => Some(gemini::counted_on_vertex(&body)),
            Self::Plain | Self::Vertex | Self::AzureDeployments { .. } => Some(body),
        }
    }
}

/// The path where the dialect's own vendor has it.
fn plain(Place { api, model, stream, listed }: Place<'_>) -> Cow<'static, str> {
    match api {
        Api::Shared(Dialect::OpenAiChat) => Cow::Borrowed(openai_chat::PATH),
        Api::Shared(Dialect::Anthropic) => Cow::Borrowed(anthropic::PATH),
        Api::Shared(Dialect::Responses) => Cow::Borrowed(responses::PATH),
        Api::Shared(Dialect::Other(operation)) => other::path(operation, model),
        Api::Cohere => Cow::Borrowed(cohere::PATH),
        Api::Ollama => Cow::Borrowed(ollama::PATH),
        Api::Bedrock => Cow::Owned(bedrock::path(model, stream)),
        Api::BedrockCount => Cow::Owned(bedrock::count_path(model)),
        Api::Vectors(Vectors::Cohere | Vectors::Ollama) => Cow::Borrowed("/embed"),
        Api::Shared(Dialect::Gemini) => {
            let operation = match stream {
                true => gemini::Operation::Stream { events: !listed },
                false => gemini::Operation::Generate,
            };
            Cow::Owned(gemini::path(model, operation))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_live_where_their_providers_have_them() {
        let azure = || Site::AzureDeployments { version: "2024-10-21".into() };
        for (site, dialect, model, (stream, listed), path) in [
            (
                Site::Vertex,
                Dialect::Gemini,
                "gemini-2.5-pro",
                (true, false),
                "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            ),
            (
                Site::Vertex,
                Dialect::Anthropic,
                "claude-opus-4@20250514",
                (true, false),
                "/publishers/anthropic/models/claude-opus-4%4020250514:streamRawPredict",
            ),
            (
                Site::Vertex,
                Dialect::Anthropic,
                "claude-opus-4",
                (false, false),
                "/publishers/anthropic/models/claude-opus-4:rawPredict",
            ),
            (
                Site::Vertex,
                Dialect::Other(Operation::CountTokens),
                "claude-opus-4",
                (false, false),
                "/publishers/anthropic/models/count-tokens:rawPredict",
            ),
            (Site::Plain, Dialect::OpenAiChat, "m", (false, false), "/chat/completions"),
            (Site::Plain, Dialect::Anthropic, "m", (true, false), "/messages"),
            (Site::Plain, Dialect::Responses, "m", (true, false), "/responses"),
            (Site::Plain, Dialect::Gemini, "m", (false, false), "/models/m:generateContent"),
            (Site::Plain, Dialect::Gemini, "m", (true, false), "/models/m:streamGenerateContent?alt=sse"),
            (Site::Plain, Dialect::Gemini, "m", (true, true), "/models/m:streamGenerateContent"),
            (
                azure(),
                Dialect::OpenAiChat,
                "my model",
                (true, false),
                "/deployments/my%20model/chat/completions?api-version=2024-10-21",
            ),
            (azure(), Dialect::Responses, "m", (true, false), "/responses?api-version=2024-10-21"),
        ] {
            let place = Place { api: Api::Shared(dialect), model, stream, listed };
            assert_eq!(site.path(place), path);
        }
    }

    #[test]
    fn at_vertex_each_model_is_asked_as_its_vendor_is() {
        let (anthropic, gemini) = (Api::Shared(Dialect::Anthropic), Api::Shared(Dialect::Gemini));
        let other = |operation| Api::Shared(Dialect::Other(operation));
        for (api, of_claude) in [
            (anthropic, true),
            (other(Operation::CountTokens), true),
            (gemini, false),
            (other(Operation::GeminiCountTokens), false),
        ] {
            assert_eq!(Site::Vertex.serves(api, "claude-opus-4"), of_claude, "{api:?}");
            assert_eq!(Site::Vertex.serves(api, "gemini-2.5-pro"), !of_claude, "{api:?}");
            assert!(Site::Plain.serves(api, "any"));
        }
    }
}
