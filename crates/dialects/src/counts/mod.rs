//! The tokens of a request, counted for any client by any provider that counts.
//!
//! The request is that for an answer, so readers and writers of answers do the work: here it is read as that, written as
//! that, and cut to what the provider's count takes. Lives here: `asked`, a client's request; `written`, a provider's;
//! `told`, the number. Wire facts: Anthropic's reference of `/v1/messages/count_tokens`; Google's of `models.countTokens`;
//! OpenAI's OpenAPI document 2.3.0 (`/responses/input_tokens`); Amazon's service model `bedrock-runtime` 2023-09-30
//! (`CountTokens`). Must never be here: counting, and requests that pass as they came.

mod asked;
mod told;
mod written;

pub(crate) use told::{read_whole, told};

use crate::Quirks;
use crate::Written;
use crate::asked::{untranslated, written_for};
use llm::{Api, CallError, ChatRequest, Dialect, Operation};

/// Whether a client of `dialect` wants tokens counted, which every provider that counts can do for it.
#[must_use]
pub fn wants_a_count(dialect: Dialect) -> bool {
    use Operation::{CountTokens, GeminiCountTokens, InputTokens};
    matches!(dialect, Dialect::Other(CountTokens | GeminiCountTokens | InputTokens))
}

/// Whether whoever speaks `api` counts for whichever client.
#[must_use]
pub fn counts(api: Api) -> bool {
    answers(api).is_some()
}

/// In which API whoever counts in `api` is asked for answers.
fn answers(api: Api) -> Option<Api> {
    Some(match api {
        Api::Shared(Dialect::Other(Operation::CountTokens)) => Api::Shared(Dialect::Anthropic),
        Api::Shared(Dialect::Other(Operation::GeminiCountTokens)) => Api::Shared(Dialect::Gemini),
        Api::Shared(Dialect::Other(Operation::InputTokens)) => Api::Shared(Dialect::Responses),
        Api::BedrockCount => Api::Bedrock,
        _ => return None,
    })
}

/// What a provider that counts in `api` is asked.
///
/// # Errors
/// The client's field that is wrong, or that the provider's dialect cannot say.
pub(crate) fn request_for(request: &ChatRequest, api: Api, quirks: Quirks, model: &str) -> Result<Written, CallError> {
    let asked = asked::asked(request)?;
    let answers = answers(api).ok_or_else(|| untranslated(Operation::CountTokens))?;
    let written = written_for(request.dialect.worded_as(), &asked.raw, asked.prompt, answers, quirks, model)?;
    Ok(Written { body: written::counted(api, model, &written.body), ..written })
}

#[cfg(test)]
mod tests;
