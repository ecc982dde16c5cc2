//! Clients and providers of any dialect: how the one asks, and what the other is.
//!
//! Must never be here: what either says.

use super::Stage;
use dialects::{anthropic, gemini, openai_chat, other, responses};
use llm::{Api, ChatRequest, Dialect};

impl Stage {
    /// What the client speaks.
    pub(in crate::tests) fn client(mut self, dialect: Dialect) -> Self {
        self.client = dialect;
        self
    }

    /// What a provider speaks.
    pub(in crate::tests) fn api(self, provider: usize, dialect: Dialect) -> Self {
        self.providers.providers.lock().unwrap()[provider].api = Api::Shared(dialect);
        self
    }

    /// A request in the client's words.
    pub(super) fn request_of(&self, stream: bool) -> ChatRequest {
        let fields = &self.fields;
        let turns = r#"[{"role":"user","content":"hi"}]"#;
        match self.client {
            Dialect::OpenAiChat => openai_chat::decode(
                format!(r#"{{"model":"chat","messages":{turns},"stream":{stream}{fields}}}"#).into(),
            ),
            Dialect::Anthropic => anthropic::decode(
                format!(r#"{{"model":"chat","max_tokens":9,"messages":{turns},"stream":{stream}{fields}}}"#).into(),
            ),
            Dialect::Other(operation) => other::decode(
                operation,
                None,
                format!(r#"{{"model":"chat","prompt":"hi","stream":{stream}{fields}}}"#).into(),
            ),
            Dialect::Responses => responses::decode(
                format!(r#"{{"model":"chat","input":"hi","store":false,"stream":{stream}{fields}}}"#).into(),
            ),
            Dialect::Gemini => {
                let raw = format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"hi"}}]}}]{fields}}}"#);
                gemini::decode("chat", stream, raw.into())
            }
        }
        .unwrap()
    }
}
