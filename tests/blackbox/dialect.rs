//! The dialects that clients speak, and the APIs of providers that speak them too: where each asks, and in which words.
//!
//! Must never be here: what an answer says (see `heard`).

use crate::client::Ask;
use serde_json::{Value, json};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Chat,
    Messages,
    Generate,
    Responses,
}

impl Dialect {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Messages, Self::Generate, Self::Responses];

    /// A provider that speaks it at this address, as the configuration has it, with further settings.
    pub(crate) fn provider(self, name: &str, url: &str, rest: &str) -> String {
        let kind = match self {
            Self::Chat => "openai",
            Self::Messages => "anthropic",
            Self::Generate => "gemini",
            Self::Responses => "openai, apis: [responses]",
        };
        format!("  {name}: {{ kind: {kind}, base_url: \"{url}\"{rest} }}\n")
    }

    /// The name of its label in metrics and of its field in the access log.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Chat => "openai_chat",
            Self::Messages => "anthropic",
            Self::Generate => "gemini",
            Self::Responses => "responses",
        }
    }

    /// The path that a client asks for `model`.
    pub(crate) fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::Chat, _) => "/v1/chat/completions".into(),
            (Self::Messages, _) => "/v1/messages".into(),
            (Self::Responses, _) => "/v1/responses".into(),
            (Self::Generate, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Generate, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        }
    }

    /// A short request for `model`.
    pub(crate) fn ask(self, model: &str, stream: bool) -> Ask {
        self.ask_with(model, stream, json!({}))
    }

    /// The same, with further fields.
    pub(crate) fn ask_with(self, model: &str, stream: bool, fields: Value) -> Ask {
        let turns = json!([{"role": "user", "content": "hi there"}]);
        let mut body = match self {
            Self::Chat if stream => {
                json!({"model": model, "stream": true, "stream_options": {"include_usage": true}, "messages": turns})
            }
            Self::Chat => json!({"model": model, "messages": turns}),
            Self::Messages => json!({"model": model, "stream": stream, "max_tokens": 999, "messages": turns}),
            Self::Responses => json!({"model": model, "stream": stream, "store": false, "input": "hi there"}),
            Self::Generate => json!({"contents": [{"role": "user", "parts": [{"text": "hi there"}]}]}),
        };
        let (Value::Object(all), Value::Object(fields)) = (&mut body, fields) else { panic!("objects") };
        all.extend(fields);
        Ask::to(&self.path(model, stream), body.to_string())
    }
}

/// The model that a provider is asked for: in the path, or in the body.
pub(crate) fn model_of(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let path = head.split(' ').nth(1).expect("a path");
    let in_path = path.split_once("/models/").and_then(|(_, behind)| Some(behind.split_once(':')?.0.to_owned()));
    // Bedrock's.
    let in_folder = || path.split_once("/model/").and_then(|(_, behind)| Some(behind.split_once('/')?.0.to_owned()));
    in_path.or_else(in_folder).unwrap_or_else(|| {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        body["model"].as_str().unwrap_or_default().to_owned()
    })
}
