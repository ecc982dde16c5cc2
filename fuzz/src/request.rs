//! Requests of every dialect that clients speak. Input: which one, and a body.

use crate::pick::{APIS, FOR_VECTORS, OF_VECTORS, all, pick};
use bytes::Bytes;
use dialects::openai_chat::Server;
use dialects::{Quirks, Written, anthropic, correction_for, gemini, head_for, openai_chat, other, request_for};
use dialects::{responses, terms, wants_vectors};
use llm::{Answer, Api, CallError, ChatRequest, Choice, Dialect, Operation};
use serde_json::Value;
use serde_json::value::RawValue;

/// What servers of OpenAI's dialect take.
const SERVERS: [Server; 5] = [Server::COMPATIBLE, Server::OPENAI, Server::OPENROUTER, Server::GEMINI, Server::MISTRAL];

/// Whoever is asked, a request is written as one of that dialect that asks for the model and the stream it should, or is
/// refused as wrong; and what demands a form is read without a stumble. Whoever is asked for vectors is sent each text.
pub fn request(data: &[u8]) {
    let Some((dialect, raw)) = pick(&all(&all(&Dialect::ANSWERS, &FOR_VECTORS), &[Dialect::COMPLETIONS]), data) else {
        return;
    };
    let Ok(request) = decode(dialect, false, Bytes::copy_from_slice(raw)) else { return };
    let _ = terms(&request);
    if wants_vectors(dialect) {
        return OF_VECTORS.into_iter().for_each(|api| asks_for_vectors(&request, api));
    }
    for api in APIS {
        let servers = if api.is(Dialect::OpenAiChat) { &SERVERS[..] } else { &SERVERS[..1] };
        for server in servers {
            let quirks = Quirks { server: *server, ..Quirks::default() };
            match request_for(&request, api, quirks, "other") {
                Ok(written) => is_a_request(&request, api, &written),
                Err(CallError::InvalidRequest { .. }) => {}
                Err(error) => panic!("{error:?} is nobody's fault here"),
            }
            if let Some(written) = correction_for(&request, api, quirks, "other", &wrong(), "no") {
                is_a_request(&request, api, &written);
            }
        }
    }
}

/// Reads a request; `stream` is asked for in the path of Gemini's alone.
fn decode(dialect: Dialect, stream: bool, raw: Bytes) -> Result<ChatRequest, CallError> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::decode(raw),
        Dialect::Anthropic => anthropic::decode(raw),
        Dialect::Gemini => gemini::decode("other", stream, raw),
        Dialect::Responses => responses::decode(raw),
        Dialect::Other(operation) => {
            let in_path = matches!(operation, Operation::GeminiEmbed | Operation::GeminiBatchEmbed);
            other::decode(operation, in_path.then_some("other"), raw)
        }
    }
}

/// That whoever speaks `api` is asked for a vector of each text, or the request is refused as wrong.
fn asks_for_vectors(request: &ChatRequest, api: Api) {
    match request_for(request, api, Quirks::default(), "other") {
        Ok(written) => {
            is_a_request(request, api, &written);
            if !api.is(request.dialect) {
                let body: Value = serde_json::from_slice(&written.body).expect("JSON");
                let lists = ["input", "texts", "requests"].into_iter().filter_map(|name| body[name].as_array());
                let texts = lists.map(Vec::len).next();
                assert!(texts.is_some(), "{api:?}: {body}");
                assert_eq!(texts, head_for(request, "", 0).texts, "{api:?}: {body}");
            }
        }
        Err(CallError::InvalidRequest { .. }) => {}
        Err(error) => panic!("{error:?} is nobody's fault here"),
    }
}

/// An answer that is to be corrected.
fn wrong() -> Answer {
    let choice = Choice { text: "yes".into(), ..Choice::default() };
    Answer { model: "other".into(), choices: vec![choice] }
}

/// That what is written is a request of its dialect, and no longer than what was asked warrants.
fn is_a_request(asked: &ChatRequest, api: Api, written: &Written) {
    let shown = || format!("{api:?}: {}", written.body.escape_ascii());
    let json = serde_json::from_slice::<Box<RawValue>>(&written.body);
    assert!(json.is_ok(), "{json:?} {}", shown());
    assert!(written.body.len() <= 64 * asked.raw.len() + 4096, "{} bytes of {}", written.body.len(), asked.raw.len());
    let Api::Shared(dialect) = api else { return };
    let read = decode(dialect, asked.stream, written.body.clone());
    let read = read.unwrap_or_else(|error| panic!("{error:?} {}", shown()));
    assert_eq!((&*read.model, read.stream), ("other", asked.stream), "{}", shown());
}
