//! Fields that are no noun, on which answers depend: refused or told at every provider that does not have them, under
//! one name and to one effect.

use crate::sides::{CLIENTS, providers};
use llm::Dialect::{self, Anthropic, Gemini, OpenAiChat, Responses};
use serde_json::{Value, json};

/// What becomes of a field where it is not said.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Elsewhere {
    /// The request is refused.
    Refused,
    /// It is left out, and told.
    Told,
    /// It says what holds anyway.
    Nothing,
}
use Elsewhere::{Nothing, Refused, Told};

/// A client's dialect; a field of it, by a path of its names, with its value; the name by which it is known where it is
/// not said; the providers that say it; what becomes of it at the others.
type Field = (Dialect, &'static str, fn() -> Value, &'static str, &'static [&'static str], Elsewhere);

const OF_OPENAI: &[&str] = &["openai", "elsewhere"];
const OF_CHAT: &[&str] = &["openai", "elsewhere", "compatible", "openrouter", "vllm", "perplexity"];
const CLAUDE: &[&str] = &["anthropic", "vertex"];

const FIELDS: &[Field] = &[
    (
        Gemini,
        "generationConfig.responseModalities",
        || json!(["TEXT", "IMAGE"]),
        "generationConfig.responseModalities",
        &["gemini"],
        Refused,
    ),
    (
        Gemini,
        "generationConfig.responseModalities",
        || json!(["TEXT"]),
        "generationConfig.responseModalities",
        &["gemini"],
        Nothing,
    ),
    (
        Gemini,
        "generationConfig.speechConfig",
        || json!({"voiceConfig": {}}),
        "generationConfig.speechConfig",
        &["gemini"],
        Refused,
    ),
    (
        Gemini,
        "generationConfig.mediaResolution",
        || json!("LOW"),
        "generationConfig.mediaResolution",
        &["gemini"],
        Told,
    ),
    (Gemini, "safetySettings", || json!([{"category": "C"}]), "safetySettings", &["gemini"], Told),
    (OpenAiChat, "modalities", || json!(["text", "audio"]), "modalities", OF_OPENAI, Refused),
    (OpenAiChat, "audio", || json!({"voice": "alloy"}), "audio", OF_OPENAI, Refused),
    (OpenAiChat, "logit_bias", || json!({"1": 5}), "logit_bias", OF_CHAT, Refused),
    (
        OpenAiChat,
        "prediction",
        || json!({"type": "content", "content": "x"}),
        "prediction",
        &["openai", "elsewhere", "mistral"],
        Told,
    ),
    (OpenAiChat, "store", || json!(true), "store", &["responses"], Told),
    (OpenAiChat, "store", || json!(false), "store", &["responses"], Nothing),
    (Dialect::COMPLETIONS, "logit_bias", || json!({"1": 5}), "logit_bias", OF_CHAT, Refused),
    (Dialect::COMPLETIONS, "logit_bias", || json!({}), "logit_bias", &[], Nothing),
    (Dialect::COMPLETIONS, "tomorrow", || json!(1), "tomorrow", &[], Told),
    (Anthropic, "mcp_servers", || json!([{"type": "url", "url": "https://x"}]), "mcp_servers", CLAUDE, Refused),
    (Anthropic, "container", || json!("c"), "container", CLAUDE, Refused),
    (
        Anthropic,
        "context_management",
        || json!({"edits": [{"type": "clear_tool_uses_20250919"}]}),
        "context_management",
        CLAUDE,
        Told,
    ),
    (Anthropic, "inference_geo", || json!("us"), "inference_geo", CLAUDE, Refused),
    (Responses, "previous_response_id", || json!("resp_1"), "previous_response_id", &["responses"], Refused),
    (Responses, "conversation", || json!("conv_1"), "conversation", &["responses"], Refused),
    (Responses, "background", || json!(true), "background", &["responses"], Refused),
    (Responses, "background", || json!(false), "background", &["responses"], Nothing),
    (Responses, "prompt", || json!({"id": "p"}), "prompt", &["responses"], Refused),
    (Responses, "store", || json!(true), "store", &["responses"], Told),
    (Responses, "store", || json!(false), "store", &["responses"], Nothing),
    (Responses, "context_management", || json!([{"type": "compaction"}]), "context_management", &["responses"], Told),
    (Responses, "tool_choice", || json!({"type": "file_search"}), "tool_choice", &["responses"], Refused),
];

fn body(client: Dialect) -> Value {
    match client {
        Anthropic => json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
        Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        Responses => json!({"model": "m", "input": "hi"}),
        Dialect::COMPLETIONS => json!({"model": "m", "prompt": "hi"}),
        _ => json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
    }
}

#[test]
fn a_field_that_is_not_said_is_refused_or_told_everywhere_alike() {
    for (client, path, value, name, said_at, elsewhere) in FIELDS {
        let mut request = body(*client);
        let pointer = format!("/{}", path.replace('.', "/"));
        match path.split_once('.') {
            Some((outer, inner)) => request[outer] = json!({inner: value()}),
            None => request[*path] = value(),
        }
        let reader = CLIENTS.into_iter().find(|one| one.dialect == *client).expect("a client");
        let prompt = (reader.read)(request.to_string().as_bytes()).expect("sound");
        for provider in providers() {
            let written = (provider.write)(&prompt, provider.model, &provider.quirks.server);
            let cell = format!("{client:?}'s {path} {} at {}: {written:?}", value(), provider.name);
            if said_at.contains(&provider.name) {
                let written = written.expect(&cell);
                let said: Value = serde_json::from_slice(&written.body).expect("JSON");
                // What holds anyway need not be said.
                let is_said = said.pointer(&pointer) == Some(&value());
                assert!((is_said || *elsewhere == Nothing) && written.left_out.is_empty(), "{cell}");
                continue;
            }
            let found = match written {
                Err(unsayable) if unsayable.field == *name => Refused,
                Ok(written) if written.left_out == [*name] => Told,
                Ok(written) if written.left_out.is_empty() => Nothing,
                _ => panic!("{cell}"),
            };
            assert_eq!(found, *elsewhere, "{cell}");
        }
    }
}

#[test]
fn what_is_cached_at_google_is_refused_by_all_others() {
    let request =
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "cachedContent": "cachedContents/x"});
    let client = CLIENTS.into_iter().find(|one| one.dialect == Gemini).expect("a client");
    let prompt = (client.read)(request.to_string().as_bytes()).expect("sound");
    for provider in providers() {
        match (provider.write)(&prompt, provider.model, &provider.quirks.server) {
            Ok(written) => {
                let said: Value = serde_json::from_slice(&written.body).expect("JSON");
                assert_eq!((provider.name, &said["cachedContent"]), ("gemini", &json!("cachedContents/x")));
            }
            Err(unsayable) => {
                assert!(unsayable.to_string().contains("cachedContent"), "{}: {unsayable}", provider.name);
            }
        }
    }
}
