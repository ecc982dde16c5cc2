//! Embeddings, from any client to any provider: texts to vectors.
//!
//! Lives here: `asked`, what a client wants, of OpenAI's clients and of Gemini's; `written`, how a provider is asked;
//! `told`, what it answers, and how the client is told. Wire facts: OpenAI's OpenAPI document 2.3.0 (`/embeddings`), Google's
//! reference of `models.batchEmbedContents`, Cohere's of `/v2/embed`, Ollama's of `/api/embed`.
//! Must never be here: embeddings that pass as they came.

mod asked;
mod told;
mod written;

pub(crate) use told::{read_whole, told};

use crate::{Unsayable, Written};
use llm::{Api, CallError, ChatRequest, Dialect, Operation};

/// Whether a client of `dialect` wants vectors, which every provider of vectors can give it.
#[must_use]
pub fn wants_vectors(dialect: Dialect) -> bool {
    use Operation::{Embeddings, GeminiBatchEmbed, GeminiEmbed};
    matches!(dialect, Dialect::Other(Embeddings | GeminiEmbed | GeminiBatchEmbed))
}

/// Whether whoever speaks `api` gives vectors to whichever client. Gemini's one text is asked for as one of several.
#[must_use]
pub fn gives_vectors(api: Api) -> bool {
    use Operation::{Embeddings, GeminiBatchEmbed};
    matches!(api, Api::Vectors(_) | Api::Shared(Dialect::Other(Embeddings | GeminiBatchEmbed)))
}

/// Whether `request` wants its vectors in base64, as OpenAI's own clients do unless they are told otherwise; and how many
/// texts it sends.
pub(crate) fn form(request: &ChatRequest) -> (bool, Option<usize>) {
    if !wants_vectors(request.dialect) {
        return (false, None);
    }
    (asked::wants_base64(&request.raw), asked::read(request).ok().map(|wanted| wanted.texts.len()))
}

/// What a provider that speaks `api` is asked.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn request_for(
    request: &ChatRequest,
    api: Api,
    model: &str,
) -> Result<Result<Written, Unsayable>, CallError> {
    Ok(written::write(&asked::read(request)?, api, model))
}

#[cfg(test)]
mod tests;
