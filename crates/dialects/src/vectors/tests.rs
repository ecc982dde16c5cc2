//! Embeddings between every client and every provider: requests, answers, and what is none.

use super::*;
use crate::{Answers, Head, Quirks, Whole, head_for, other};
use bytes::Bytes;
use llm::{Failure, Usage, Vectors};
use serde_json::{Value, json};

const OPENAI: Api = Api::Shared(Dialect::Other(Operation::Embeddings));
const GEMINI: Api = Api::Shared(Dialect::Other(Operation::GeminiBatchEmbed));
const COHERE: Api = Api::Vectors(Vectors::Cohere);
const OLLAMA: Api = Api::Vectors(Vectors::Ollama);

fn request(operation: Operation, body: &Value) -> ChatRequest {
    let named = matches!(operation, Operation::GeminiEmbed | Operation::GeminiBatchEmbed).then_some("route");
    other::decode(operation, named, body.to_string().into()).expect("a request")
}

fn asked(request: &ChatRequest, api: Api) -> Result<(Value, Vec<String>), CallError> {
    let written = crate::request_for(request, api, Quirks::default(), "m")?;
    Ok((serde_json::from_slice(&written.body).expect("JSON"), written.left_out))
}

#[test]
fn every_provider_is_asked_in_its_own_words() {
    let of_openai = request(
        Operation::Embeddings,
        &json!({"model": "route", "input": ["a\n", "b"], "dimensions": 8, "encoding_format": "base64", "user": "u"}),
    );
    let one = request(
        Operation::GeminiEmbed,
        &json!({"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "taskType": "RETRIEVAL_QUERY", "title": "t"}),
    );
    let several = request(
        Operation::GeminiBatchEmbed,
        &json!({"requests": [{"model": "models/route", "content": {"parts": [{"text": "a"}]}, "output_dimensionality": 8},
            {"model": "models/route", "content": {"parts": [{"text": "b"}]}, "outputDimensionality": 8}]}),
    );
    let part = |text: &str| json!({"parts": [{"text": text}]});
    for (request, api, body, left_out) in [
        (
            &of_openai,
            GEMINI,
            json!({"requests": [{"model": "models/m", "content": part("a\n"), "outputDimensionality": 8},
                {"model": "models/m", "content": part("b"), "outputDimensionality": 8}]}),
            &["user"][..],
        ),
        (
            &of_openai,
            COHERE,
            json!({"model": "m", "texts": ["a\n", "b"], "input_type": "search_document", "embedding_types": ["float"],
                "output_dimension": 8}),
            &["user"],
        ),
        (&of_openai, OLLAMA, json!({"model": "m", "input": ["a\n", "b"], "dimensions": 8}), &["user"]),
        (&one, OPENAI, json!({"model": "m", "input": ["ab"], "encoding_format": "float"}), &["title", "taskType"]),
        (
            &one,
            GEMINI,
            json!({"requests": [{"model": "models/m", "content": part("ab"), "taskType": "RETRIEVAL_QUERY"}]}),
            &["title"],
        ),
        (
            &one,
            COHERE,
            json!({"model": "m", "texts": ["ab"], "input_type": "search_query", "embedding_types": ["float"]}),
            &["title"],
        ),
        (
            &several,
            OPENAI,
            json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"}),
            &[],
        ),
    ] {
        let (written, told) = asked(request, api).expect("asked");
        assert_eq!((written, told), (body, left_out.iter().map(ToString::to_string).collect()), "{api:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let batch = |second: Value| json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, second]});
    for (operation, body, field) in [
        (Operation::Embeddings, json!({"model": "m", "input": [[1, 2]]}), "input"),
        (Operation::Embeddings, json!({"model": "m", "input": [1, 2]}), "input"),
        (Operation::Embeddings, json!({"model": "m", "input": []}), "input"),
        (Operation::Embeddings, json!({"model": "m"}), "input"),
        (Operation::Embeddings, json!({"model": "m", "input": "a", "dimensions": "8"}), "dimensions"),
        (Operation::GeminiEmbed, json!({"content": {"parts": [{"inlineData": {}}]}}), "content"),
        (Operation::GeminiEmbed, json!({}), "content"),
        (Operation::GeminiBatchEmbed, json!({"requests": []}), "requests"),
        (Operation::GeminiBatchEmbed, batch(json!({"content": 7})), "requests[1].content"),
        (
            Operation::GeminiBatchEmbed,
            batch(json!({"content": {"parts": [{"text": "b"}]}, "taskType": "CLUSTERING"})),
            "requests[1]",
        ),
    ] {
        let refused = asked(&request(operation, &body), COHERE).expect_err("refused");
        let CallError::InvalidRequest { param, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(param.as_deref(), Some(field), "{body}: {refused:?}");
    }
}

fn answers(api: Api, request: &ChatRequest) -> Answers {
    let head = Some(Box::new(Head { model: "route".into(), ..head_for(request, "id", 1) }));
    Answers { api, quirks: Quirks::default(), dialect: request.dialect, listed: false, head }
}

const OF_PROVIDERS: [(Api, &str, Option<u64>); 4] = [
    (
        OPENAI,
        r#"{"object":"list","data":[{"index":1,"embedding":[-1]},{"index":0,"embedding":[0.5, 1e-3]}],"model":"big","usage":{"prompt_tokens":3,"total_tokens":3}}"#,
        Some(3),
    ),
    (GEMINI, r#"{"embeddings":[{"values":[0.5, 1e-3]},{"values":[-1]}]}"#, None),
    (
        COHERE,
        r#"{"id":"x","embeddings":{"float":[[0.5, 1e-3],[-1]]},"texts":["a","b"],"meta":{"billed_units":{"input_tokens":3}}}"#,
        Some(3),
    ),
    (OLLAMA, r#"{"model":"big","embeddings":[[0.5, 1e-3],[-1]],"prompt_eval_count":3}"#, Some(3)),
];

#[test]
fn every_client_is_told_in_its_own_words() {
    let plain = request(Operation::Embeddings, &json!({"model": "route", "input": ["a", "b"]}));
    let coded =
        request(Operation::Embeddings, &json!({"model": "route", "input": ["a", "b"], "encoding_format": "base64"}));
    let part = |text: &str| json!({"content": {"parts": [{"text": text}]}});
    let batch = request(Operation::GeminiBatchEmbed, &json!({"requests": [part("a"), part("b")]}));
    for (api, body, tokens) in OF_PROVIDERS {
        let body = Bytes::from_static(body.as_bytes());
        let told = |request: &ChatRequest| -> (Value, Option<Usage>) {
            let Whole { body: told, progress, .. } = answers(api, request).whole(body.clone()).expect("vectors");
            (serde_json::from_slice(&told).expect("JSON"), progress.usage)
        };
        let (list, usage) = told(&plain);
        assert_eq!(usage.map(|usage| usage.input), tokens, "{api:?}");
        assert_eq!(list["data"][0], json!({"object": "embedding", "index": 0, "embedding": [0.5, 0.001]}), "{api:?}");
        assert_eq!(list["data"][1]["embedding"], json!([-1]));
        assert_eq!(list["usage"]["prompt_tokens"].as_u64(), tokens, "unknown stays unknown");
        assert!(["big", "route"].contains(&list["model"].as_str().expect("a model")));
        // Half as a float is 3f000000, minus one bf800000; the lowest byte comes first.
        let coded = told(&coded).0;
        assert_eq!(coded["data"][1]["embedding"], json!("AACAvw=="), "{api:?}");
        assert!(coded["data"][0]["embedding"].as_str().is_some_and(|text| text.starts_with("AAAAP")), "{api:?}");
        assert_eq!(told(&batch).0, json!({"embeddings": [{"values": [0.5, 0.001]}, {"values": [-1]}]}), "{api:?}");
    }
}

#[test]
fn too_few_vectors_are_no_answer_and_neither_is_anything_else() {
    let one = request(Operation::Embeddings, &json!({"model": "route", "input": "a"}));
    for (api, body, _) in OF_PROVIDERS {
        let whole = |body: &'static str| answers(api, &one).whole(Bytes::from_static(body.as_bytes()));
        assert_eq!(whole(body).map(drop), Err(Failure::Truncated), "{api:?}: two for one");
        for (none, cause) in [
            ("", "not_an_answer"),
            ("{", "not_an_answer"),
            ("[]", "not_an_answer"),
            ("{}", "empty"),
            (r#"{"data":[],"embeddings":[]}"#, "empty"),
        ] {
            let failure = whole(none).expect_err(none);
            assert!([cause, "empty", "not_an_answer"].contains(&failure.as_str()), "{api:?} {none}: {failure:?}");
        }
        let hollow = r#"{"data":[{"embedding":[]}],"embeddings":[[]]}"#;
        assert!(whole(hollow).is_err(), "{api:?}: a vector of nothing");
    }
}

#[test]
fn one_text_of_geminis_is_one_vector() {
    let one = request(Operation::GeminiEmbed, &json!({"content": {"parts": [{"text": "a"}]}}));
    let body = Bytes::from_static(br#"{"embeddings":[[1,2]]}"#);
    let told = answers(OLLAMA, &one).whole(body).expect("a vector").body;
    assert_eq!(&*told, br#"{"embedding":{"values":[1,2]}}"#);
}
