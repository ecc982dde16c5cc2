//! Whose words an answer is in: a dialect that clients speak too, or one that only providers do.
//!
//! Must never be here: what an answer says.

use super::clouds;
use crate::dialect::Dialect;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Shared(Dialect),
    Bedrock,
    Cohere,
}

impl Source {
    /// Whose whole answer this is.
    pub(super) fn of_whole(object: &Value) -> Option<Self> {
        match object {
            _ if object["type"] == "message" => Some(Self::Shared(Dialect::Messages)),
            _ if object["object"] == "response" => Some(Self::Shared(Dialect::Responses)),
            _ if object["candidates"].is_array() => Some(Self::Shared(Dialect::Generate)),
            _ if object["choices"].is_array() => Some(Self::Shared(Dialect::Chat)),
            _ if object["output"]["message"].is_object() => Some(Self::Bedrock),
            _ if object["message"].is_object() => Some(Self::Cohere),
            _ => None,
        }
    }

    /// Whose stream begins with this event.
    pub(super) fn of_stream(first: &Value) -> Option<Self> {
        let begins_with = |names: &[&str]| names.iter().any(|name| first[name].is_object());
        match first["type"].as_str() {
            Some("message_start") => Some(Self::Shared(Dialect::Messages)),
            Some("response.created") => Some(Self::Shared(Dialect::Responses)),
            Some("message-start") => Some(Self::Cohere),
            _ if begins_with(&["messageStart", "contentBlockStart", "contentBlockDelta"]) => Some(Self::Bedrock),
            _ if first["candidates"].is_array() => Some(Self::Shared(Dialect::Generate)),
            _ if first["choices"].is_array() => Some(Self::Shared(Dialect::Chat)),
            _ => None,
        }
    }

    /// An event as its provider sends it.
    pub(super) fn framed(self, data: &str) -> Vec<u8> {
        let kind = || serde_json::from_str::<Value>(data).unwrap_or_default()["type"].as_str().map(str::to_owned);
        let named = |kind: Option<String>| format!("event: {}\ndata: {data}\n\n", kind.unwrap_or_default());
        match self {
            Self::Shared(Dialect::Chat) => format!("data: {data}\n\n").into(),
            Self::Shared(Dialect::Generate) => format!("data: {data}\r\n\r\n").into(),
            Self::Shared(Dialect::Messages | Dialect::Responses) | Self::Cohere => named(kind()).into(),
            Self::Bedrock => clouds::framed(data),
        }
    }

    pub(super) fn content_type(self, stream: bool) -> &'static str {
        match (self, stream) {
            (_, false) => "application/json",
            (Self::Bedrock, true) => "application/vnd.amazon.eventstream",
            (Self::Shared(_) | Self::Cohere, true) => "text/event-stream",
        }
    }

    /// Its name.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Shared(dialect) => dialect.label(),
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
        }
    }

    /// The plainest kind of provider that speaks so.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Shared(Dialect::Chat | Dialect::Responses) => "openai",
            Self::Shared(Dialect::Messages) => "anthropic",
            Self::Shared(Dialect::Generate) => "gemini",
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
        }
    }
}
