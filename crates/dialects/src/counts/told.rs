//! The number that a provider counted, and how a client is told it.
//!
//! Must never be here: how anybody is asked.

use crate::json::Json;
use bytes::Bytes;
use llm::{Api, Dialect, Failure, Operation, Progress};

/// Judges the body of a success response of whoever counts in `api`.
///
/// # Errors
/// The one [`Failure`] for which it holds no count.
pub(crate) fn read_whole(api: Api, body: &[u8]) -> Result<Progress, Failure> {
    read(api, body)?;
    Ok(Progress { content: true, finished: true, done: true, ..Progress::default() })
}

/// The count in `body` for a client of `dialect`.
///
/// # Errors
/// As [`read_whole`].
pub(crate) fn told(api: Api, dialect: Dialect, body: &[u8]) -> Result<Bytes, Failure> {
    let tokens = read(api, body)?;
    let told = match dialect {
        Dialect::Other(Operation::GeminiCountTokens) => format!("{{\"totalTokens\":{tokens}}}"),
        Dialect::Other(Operation::InputTokens) => {
            format!("{{\"object\":\"response.input_tokens\",\"input_tokens\":{tokens}}}")
        }
        _ => format!("{{\"input_tokens\":{tokens}}}"),
    };
    Ok(told.into())
}

fn read(api: Api, body: &[u8]) -> Result<u64, Failure> {
    let name = match api {
        Api::Shared(Dialect::Other(Operation::GeminiCountTokens)) => "totalTokens",
        Api::BedrockCount => "inputTokens",
        _ => "input_tokens",
    };
    if body.trim_ascii().is_empty() {
        return Err(Failure::Empty);
    }
    let body = Json::parse_bytes(body).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    let mut entries = body.entries().ok_or(Failure::NotAnAnswer("something else than a JSON object"))?;
    let found = entries.find(|(known, _)| known == name);
    found.and_then(|(_, number)| number.read()).ok_or(Failure::Empty)
}
