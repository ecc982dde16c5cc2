//! Where each operation lives below a provider's base address.

use crate::gemini;
use llm::Operation;
use std::borrow::Cow;

/// The path of `operation` on `model`.
#[must_use]
pub fn path(operation: Operation, model: &str) -> Cow<'static, str> {
    let fixed = match operation {
        Operation::Completions => "/completions",
        Operation::Embeddings => "/embeddings",
        Operation::Moderations => "/moderations",
        Operation::ImageGenerations => "/images/generations",
        Operation::ImageEdits => "/images/edits",
        Operation::ImageVariations => "/images/variations",
        Operation::Speech => "/audio/speech",
        Operation::Transcriptions => "/audio/transcriptions",
        Operation::Translations => "/audio/translations",
        Operation::Rerank => "/rerank",
        Operation::Realtime => "/realtime",
        // The path is the client's, or stands beside the base address.
        Operation::Passthrough | Operation::GeminiLive => "",
        Operation::CountTokens => "/messages/count_tokens",
        Operation::InputTokens => "/responses/input_tokens",
        Operation::GeminiCountTokens => return gemini::path(model, gemini::Operation::CountTokens).into(),
        Operation::GeminiEmbed => return gemini::path(model, gemini::Operation::Embed).into(),
        Operation::GeminiBatchEmbed => return gemini::path(model, gemini::Operation::BatchEmbed).into(),
    };
    Cow::Borrowed(fixed)
}
