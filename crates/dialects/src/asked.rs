//! A client's request, as a provider is asked it: the same bytes where both speak one dialect, else written anew.
//!
//! Must never be here: how any dialect reads or writes.

use crate::openai_chat::{Fit, Server};
use crate::own_words::own_word;
use crate::{
    Head, Quirks, Unsayable, Written, anthropic, bedrock, cohere, completions, counts, gemini, ollama, openai_chat,
    other, responses, vectors,
};
use bytes::Bytes;
use llm::{Answer, Api, CallError, ChatRequest, Dialect, Operation, Part, PartKind, Prompt, Role, Terms, Turn};
use std::collections::BTreeSet;

/// What a provider that speaks `api` with `quirks` is sent, so that its `model` answers `request`.
///
/// Where the client speaks its dialect too, nothing changes but the model; only seals that another provider left in the
/// conversation are taken out, which would be refused.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the client's field that is wrong, or that the provider's dialect cannot say.
pub fn request_for(request: &ChatRequest, api: Api, quirks: Quirks, model: &str) -> Result<Written, CallError> {
    if vectors::wants_vectors(request.dialect) && !api.is(request.dialect) {
        return vectors::request_for(request, api, model)?.map_err(refused);
    }
    if counts::wants_a_count(request.dialect) && !api.is(request.dialect) {
        return counts::request_for(request, api, quirks, model);
    }
    if request.dialect == Dialect::OpenAiChat && api.is(request.dialect) {
        return to_a_server(request, quirks, model);
    }
    if api.is(request.dialect) && !has_foreign_seals(request) {
        return Ok(Written { body: with_model(request, model), left_out: Vec::new() });
    }
    written(request, read_prompt(request)?, api, quirks, model)
}

/// A request of OpenAI's chat dialect for a server that speaks it: as it came, where that server takes it.
fn to_a_server(request: &ChatRequest, quirks: Quirks, model: &str) -> Result<Written, CallError> {
    match openai_chat::fit(request, &quirks.server, model) {
        Fit::AsItCame => Ok(Written { body: with_model(request, model), left_out: Vec::new() }),
        Fit::Without(body, left_out) => Ok(Written { body: body.into(), left_out }),
        Fit::Anew => {
            let prompt = read_prompt(request)?;
            // Its answers pass as they come: usage that the client did not ask for would reach it.
            let stream_usage = quirks.server.stream_usage && prompt.stream_usage;
            let quirks = Quirks { server: Server { stream_usage, ..quirks.server }, ..quirks };
            written(request, prompt, Api::Shared(Dialect::OpenAiChat), quirks, model)
        }
    }
}

/// As [`request_for`], once the model has given `answer`, of which `correction` says what is wrong.
///
/// Nothing where that cannot be said.
#[must_use]
pub fn correction_for(
    request: &ChatRequest,
    api: Api,
    quirks: Quirks,
    model: &str,
    answer: &Answer,
    correction: &str,
) -> Option<Written> {
    if request.dialect == Dialect::OpenAiChat && api.is(Dialect::OpenAiChat) {
        let body = openai_chat::corrected(request, model, answer, correction)?;
        return to_a_server(&openai_chat::decode(body).ok()?, quirks, model).ok();
    }
    let mut prompt = read_prompt(request).ok()?;
    let said = openai_chat::told(answer.choices.first()?)?;
    prompt.turns.push(turn(Role::Assistant, said));
    prompt.turns.push(turn(Role::User, correction.to_owned()));
    written(request, prompt, api, quirks, model).ok()
}

/// What a request demands of its answer.
#[must_use]
pub fn terms(request: &ChatRequest) -> Terms {
    match request.dialect {
        Dialect::OpenAiChat => openai_chat::terms(&request.raw),
        Dialect::Anthropic => anthropic::terms(&request.raw),
        Dialect::Gemini => gemini::terms(&request.raw),
        Dialect::Responses => responses::terms(&request.raw),
        Dialect::Other(_) => Terms::default(),
    }
}

/// What an answer to `request` says that is written for its client: with the call's `id`, begun `created` seconds after
/// 1970.
#[must_use]
pub fn head_for(request: &ChatRequest, id: &str, created: u64) -> Head {
    let (prefix, usage) = match request.dialect {
        Dialect::OpenAiChat => ("chatcmpl-", openai_chat::wants_usage(&request.raw)),
        Dialect::Anthropic => ("msg_", true),
        Dialect::Responses => ("resp_", true),
        Dialect::COMPLETIONS => ("cmpl-", openai_chat::wants_usage(&request.raw)),
        Dialect::Gemini | Dialect::Other(_) => ("", true),
    };
    let (base64, texts) = vectors::form(request);
    Head { id: format!("{prefix}{id}"), model: request.model.clone(), created, usage, base64, texts }
}

fn with_model(request: &ChatRequest, model: &str) -> Bytes {
    match request.dialect {
        Dialect::OpenAiChat => openai_chat::with_model(request, model),
        Dialect::Anthropic => anthropic::with_model(request, model),
        Dialect::Gemini => gemini::with_model(request, model),
        Dialect::Responses => responses::with_model(request, model),
        Dialect::Other(operation) => other::with_model(operation, request, model),
    }
}

/// Whether the conversation holds seals of another dialect's provider, which one of this dialect would refuse.
fn has_foreign_seals(request: &ChatRequest) -> bool {
    match request.dialect {
        Dialect::Anthropic => anthropic::has_foreign_thoughts(&request.raw),
        Dialect::Gemini => gemini::has_foreign_seals(&request.raw),
        // Those of responses are spared it with the model.
        Dialect::OpenAiChat | Dialect::Responses | Dialect::Other(_) => false,
    }
}

fn read_prompt(request: &ChatRequest) -> Result<Prompt, CallError> {
    let mut prompt = match request.dialect {
        Dialect::OpenAiChat => openai_chat::read_prompt(&request.raw),
        Dialect::Anthropic => anthropic::read_prompt(&request.raw),
        Dialect::Gemini => gemini::read_prompt(&request.raw),
        Dialect::Responses => responses::read_prompt(&request.raw),
        Dialect::COMPLETIONS => completions::read_prompt(&request.raw),
        Dialect::Other(operation) => Err(untranslated(operation)),
    }?;
    // Gemini's stands in the path.
    prompt.stream = request.stream;
    Ok(prompt)
}

fn written(request: &ChatRequest, prompt: Prompt, api: Api, quirks: Quirks, model: &str) -> Result<Written, CallError> {
    written_for(request.dialect, &request.raw, prompt, api, quirks, model)
}

/// `prompt`, read from what a client of `dialect` sent in `raw`, in the words of `api`.
///
/// # Errors
/// As [`request_for`].
pub(crate) fn written_for(
    dialect: Dialect,
    raw: &[u8],
    mut prompt: Prompt,
    api: Api,
    quirks: Quirks,
    model: &str,
) -> Result<Written, CallError> {
    let mut left_out = Vec::new();
    if dialect == Dialect::Responses && !api.is(Dialect::Responses) {
        left_out = responses::carry(&mut prompt, raw).map_err(refused)?;
    }
    let own = |field: &str| own_word(dialect, &prompt, field).to_owned();
    match said(&prompt, api, quirks, model)? {
        Ok(written) => {
            left_out.extend(written.left_out.iter().map(|name| own(name)));
            let mut seen = BTreeSet::new();
            left_out.retain(|name| seen.insert(name.clone()));
            Ok(Written { left_out, ..written })
        }
        Err(unsayable) => Err(refused(Unsayable { field: own(&unsayable.field), ..unsayable })),
    }
}

/// A prompt in the words of `api`.
fn said(prompt: &Prompt, api: Api, quirks: Quirks, model: &str) -> Result<Result<Written, Unsayable>, CallError> {
    Ok(match api {
        Api::Shared(Dialect::OpenAiChat) => openai_chat::write_prompt(prompt, model, &quirks.server),
        Api::Shared(Dialect::Anthropic) => anthropic::write_prompt(prompt, model),
        Api::Shared(Dialect::Gemini) => gemini::write_prompt(prompt, model),
        Api::Shared(Dialect::Responses) => responses::write_prompt(prompt, model),
        Api::Shared(Dialect::Other(operation)) => return Err(untranslated(operation)),
        Api::BedrockCount => return Err(untranslated(Operation::CountTokens)),
        Api::Vectors(_) => return Err(untranslated(Operation::Embeddings)),
        Api::Cohere => cohere::write_prompt(prompt, model),
        Api::Ollama => ollama::write_prompt(prompt, model),
        Api::Bedrock => bedrock::write_prompt(prompt, model),
    })
}

/// What the client of an operation is told whose provider speaks otherwise.
pub(crate) fn untranslated(operation: Operation) -> CallError {
    let message = format!("The provider of this model has no {}, and nothing stands in for it.", operation.as_str());
    CallError::InvalidRequest { message, param: Some("model".into()) }
}

/// What a client is told whose provider cannot be asked what it asks.
pub(crate) fn refused(unsayable: Unsayable) -> CallError {
    let message = format!("No provider of this model can be asked this: {unsayable}.");
    CallError::InvalidRequest { message, param: Some(unsayable.field) }
}

/// Words, said by one.
pub(crate) fn turn(role: Role, text: String) -> Turn {
    let part = Part { kind: PartKind::Text { text, seal: None }, cache: None };
    Turn { role, name: String::new(), parts: vec![part] }
}
