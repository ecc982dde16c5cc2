//! What a client wants counted.
//!
//! Must never be here: how a provider is asked.

use crate::{anthropic, gemini, responses};
use bytes::Bytes;
use llm::{CallError, ChatRequest, Dialect, Operation, Prompt};

/// A request for an answer that nobody is to give.
pub(super) struct Asked {
    pub(super) prompt: Prompt,
    /// The request for an answer, as it stands in the client's.
    pub(super) raw: Bytes,
}

/// Reads `request`.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the client's field at fault.
pub(super) fn asked(request: &ChatRequest) -> Result<Asked, CallError> {
    let raw = request.raw.clone();
    match request.dialect {
        Dialect::Other(Operation::GeminiCountTokens) => {
            let raw = gemini::counted(&raw);
            Ok(Asked { prompt: gemini::read_prompt(&raw)?, raw })
        }
        Dialect::Other(Operation::InputTokens) => Ok(Asked { prompt: responses::read_prompt(&raw)?, raw }),
        _ => Ok(Asked { prompt: anthropic::read_counted(&raw)?, raw }),
    }
}
