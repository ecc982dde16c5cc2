//! Each client against each provider that counts, both ways.

use super::*;
use crate::{Answers, Head, request_for};
use bytes::Bytes;
use llm::{Failure, Operation};

const ANTHROPIC: Api = Api::Shared(Dialect::Other(Operation::CountTokens));
const GEMINI: Api = Api::Shared(Dialect::Other(Operation::GeminiCountTokens));
const OPENAI: Api = Api::Shared(Dialect::Other(Operation::InputTokens));

const OF_ANTHROPIC: &str = r#"{"model":"route","system":"Be brief.","messages":[{"role":"user","content":"How many?"}],
    "tools":[{"name":"look","description":"Looks","input_schema":{"type":"object"}}]}"#;
const OF_GEMINI: &str = r#"{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"Be brief."}]},
    "contents":[{"role":"user","parts":[{"text":"How many?"}]}],"generationConfig":{"temperature":0.5},
    "tools":[{"functionDeclarations":[{"name":"look","description":"Looks","parameters":{"type":"object"}}]}]}}"#;
const OF_OPENAI: &str = r#"{"model":"route","instructions":"Be brief.","input":"How many?","truncation":"auto",
    "tools":[{"type":"function","name":"look","description":"Looks","parameters":{"type":"object"}}]}"#;

fn of(operation: Operation, raw: &'static str) -> ChatRequest {
    let named = (operation == Operation::GeminiCountTokens).then_some("route");
    crate::other::decode(operation, named, Bytes::from_static(raw.as_bytes())).expect("a request")
}

fn clients() -> [ChatRequest; 3] {
    [
        of(Operation::CountTokens, OF_ANTHROPIC),
        of(Operation::GeminiCountTokens, OF_GEMINI),
        of(Operation::InputTokens, OF_OPENAI),
    ]
}

#[test]
fn every_client_can_ask_every_provider_that_counts() {
    for (api, expected) in [
        (
            ANTHROPIC,
            r#"{"model":"other","system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"How many?"}]}],"tools":[{"name":"look","description":"Looks","input_schema":{"type":"object"}}]}"#,
        ),
        (
            GEMINI,
            r#"{"generateContentRequest":{"model":"models/other","contents":[{"role":"user","parts":[{"text":"How many?"}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]},"tools":[{"functionDeclarations":[{"name":"look","description":"Looks","parametersJsonSchema":{"type":"object"}}]}]}}"#,
        ),
        (
            OPENAI,
            r#"{"model":"other","input":[{"type":"message","role":"system","content":"Be brief."},{"type":"message","role":"user","content":"How many?"}],"tools":[{"type":"function","name":"look","description":"Looks","parameters":{"type":"object"},"strict":false}]}"#,
        ),
        (
            Api::BedrockCount,
            r#"{"input":{"converse":{"system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"How many?"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"look","description":"Looks","inputSchema":{"json":{"type":"object"}}}}]}}}}"#,
        ),
    ] {
        for client in clients().iter().filter(|client| !api.is(client.dialect)) {
            let written = request_for(client, api, Quirks::default(), "other").expect("written");
            let [asked, expected]: [serde_json::Value; 2] =
                [&*written.body, expected.as_bytes()].map(|body| serde_json::from_slice(body).expect("JSON"));
            // Of how to answer, nothing is said.
            assert_eq!(asked, expected, "{api:?} of {:?}", client.dialect);
        }
    }
}

#[test]
fn what_can_only_be_asked_of_its_own_kind_passes_as_it_came() {
    for client in clients() {
        let written = request_for(&client, Api::Shared(client.dialect), Quirks::default(), "route").expect("written");
        assert_eq!(written.body, client.raw);
    }
}

#[test]
fn faults_are_named_in_the_clients_words() {
    for (client, api, expected) in [
        (
            of(Operation::CountTokens, r#"{"model":"m","messages":[{"role":"user","content":7}]}"#),
            GEMINI,
            "messages.0.content",
        ),
        (
            of(Operation::GeminiCountTokens, r#"{"contents":[{"parts":[{"text":7}]}]}"#),
            ANTHROPIC,
            "contents[0].parts[0].text",
        ),
        (
            of(Operation::InputTokens, r#"{"model":"m","input":"a","previous_response_id":"r"}"#),
            GEMINI,
            "previous_response_id",
        ),
        (of(Operation::InputTokens, r#"{"model":"m","input":[7]}"#), Api::BedrockCount, "input[0]"),
        // Whoever does not count is not asked.
        (of(Operation::CountTokens, OF_ANTHROPIC), Api::Cohere, "model"),
    ] {
        let refused = request_for(&client, api, Quirks::default(), "other");
        let Err(CallError::InvalidRequest { param, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(param.as_deref(), Some(expected));
    }
}

#[test]
fn every_count_reaches_every_client() {
    for (api, body) in [
        (ANTHROPIC, r#"{"input_tokens":2095,"context_management":{"original_input_tokens":9}}"#),
        (GEMINI, r#"{"totalTokens":2095,"promptTokensDetails":[{"modality":"TEXT","tokenCount":2095}]}"#),
        (OPENAI, r#"{"object":"response.input_tokens","input_tokens":2095}"#),
        (Api::BedrockCount, r#"{"inputTokens":2095}"#),
    ] {
        for (client, expected) in clients().iter().zip([
            r#"{"input_tokens":2095}"#,
            r#"{"totalTokens":2095}"#,
            r#"{"object":"response.input_tokens","input_tokens":2095}"#,
        ]) {
            let same = api.is(client.dialect);
            let head = (!same).then(|| Box::new(Head::default()));
            let answers = Answers { api, quirks: Quirks::default(), dialect: client.dialect, listed: false, head };
            let whole = answers.whole(Bytes::from_static(body.as_bytes())).expect("a count");
            let (told, progress) = (whole.body, whole.progress);
            assert_eq!(told, if same { body } else { expected }, "{api:?} to {:?}", client.dialect);
            assert!(progress.finished && progress.usage.is_none());
            for broken in ["", "{}", r#"{"input_tokens":"many","totalTokens":null,"inputTokens":-1}"#] {
                let told = answers.whole(Bytes::from_static(broken.as_bytes()));
                assert!(matches!(told, Err(Failure::Empty)), "{api:?} to {:?}: {broken}", client.dialect);
            }
        }
    }
}
