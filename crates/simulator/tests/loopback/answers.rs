//! What goes right: shapes, options, refusals, listing.

use crate::client::{End, Provider, call};
use serde_json::{Value, json};
use simulator::{Behaviour, MAX_REQUEST, Settings};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_whole_answer_has_the_shape_of_openai() {
    let provider = Provider::start(Settings { seed: 0xfeed, ..Settings::default() }).await;
    let mut answer = provider.chat(json!({})).await.json();
    assert!(answer["created"].as_u64().is_some_and(|created| created > 1_700_000_000));
    answer["created"] = json!(0);
    let expected = json!({
        "id": "chatcmpl-0000feed00000000",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "system_fingerprint": "fp_simulator",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello from the simulator! You said: \"hi there\".",
                "refusal": null
            },
            "logprobs": null,
            "finish_reason": "stop"
        }],
        "usage": {"prompt_tokens": 2, "completion_tokens": 8, "total_tokens": 10}
    });
    assert_eq!(answer, expected);
    for path in ["/chat/completions", "/v1/chat/completions?x=1"] {
        let again = provider.ask("POST", path, "", &call(json!({}))).await;
        assert_eq!(again.status, 200, "{path}");
        assert_ne!(again.json()["id"], expected["id"], "{path}");
    }
}

#[tokio::test]
async fn a_burst_leaves_as_one_frame_and_a_paced_stream_event_by_event() {
    let burst = Provider::behaving(r#"{"tokens":100}"#).await.chat(json!({"stream": true})).await;
    assert_eq!(burst.sketch(), format!("r{}fD.", "c".repeat(100)));
    assert_eq!(burst.frames.len(), 1);
    let role = &burst.events()[0]["choices"][0];
    let delta = json!({"role": "assistant", "content": "", "refusal": null});
    assert_eq!(role, &json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}));

    let began = Instant::now();
    let paced = Provider::behaving(r#"{"tokens":3,"pace":"10ms","first_token":"40ms","latency":20}"#).await;
    let paced = paced.chat(json!({"stream": true})).await;
    assert_eq!((paced.sketch().as_str(), paced.frames.len()), ("rcccfD.", 6));
    assert!(began.elapsed() >= Duration::from_millis(20 + 40 + 4 * 10));
}

#[tokio::test]
async fn streams_honour_their_options() {
    let provider = Provider::behaving(r#"{"tokens":2}"#).await;
    let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    for (extra, sketch) in [
        (json!({"stream": true, "n": 2}), "rrccccffD."),
        (usage, "rccfuD."),
        (json!({"stream": true, "max_tokens": 1}), "rcfD."),
    ] {
        assert_eq!(provider.chat(extra.clone()).await.sketch(), sketch, "{extra}");
    }
    let got = provider.chat(json!({"stream": true, "logprobs": true, "top_logprobs": 2})).await;
    let logprobs = &got.events()[2]["choices"][0]["logprobs"]["content"][0];
    assert_eq!(logprobs["token"], " gateway");
    assert_eq!(logprobs["top_logprobs"].as_array().map(Vec::len), Some(2));
    assert_eq!(logprobs["bytes"], json!(b" gateway"));
}

#[tokio::test]
async fn tool_calls_stream_in_fragments() {
    let provider = Provider::behaving("{}").await;
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string", "minLength": 30}}});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let whole = provider.chat(json!({"tools": tools})).await.json();
    let message = &whole["choices"][0]["message"];
    let function = &message["tool_calls"][0]["function"];
    assert_eq!((&message["content"], &function["name"]), (&Value::Null, &json!("weather")));

    let stream = provider.chat(json!({"tools": tools, "stream": true})).await;
    let events = stream.events();
    let deltas: Vec<_> = events.iter().filter_map(|e| e["choices"][0]["delta"]["tool_calls"].get(0)).collect();
    let begin =
        json!({"index": 0, "id": "call_sim_1_0", "type": "function", "function": {"name": "weather", "arguments": ""}});
    assert_eq!(deltas[0], &begin);
    assert!(deltas.len() > 2 && deltas[1].get("id").is_none());
    let arguments: String = deltas.iter().filter_map(|d| d["function"]["arguments"].as_str()).collect();
    assert_eq!(function["arguments"], arguments);
    assert_eq!(events.last().expect("events")["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn bad_requests_are_refused_in_openai_shape() {
    let provider = Provider::behaving("{}").await;
    for (method, path, body, status, code) in [
        ("POST", "/v1/chat/completions", "{".to_owned(), 400, json!(null)),
        ("POST", "/v1/chat/completions", call(json!({"stream": 3})), 400, json!("invalid_type")),
        ("POST", "/v1/chat/completions", call(json!({"model": "missing-model"})), 404, json!("model_not_found")),
        ("GET", "/v1/chat/completions", String::new(), 404, json!(null)),
        ("POST", "/v1/embeddings", String::new(), 404, json!(null)),
        ("GET", "/v1/models/none", String::new(), 404, json!("model_not_found")),
        ("POST", "/v1/chat/completions", " ".repeat(MAX_REQUEST + 1), 413, json!("request_too_large")),
    ] {
        let got = provider.ask(method, path, "", &body).await;
        let error = &got.json()["error"];
        assert_eq!((got.status, &error["code"]), (status, &code), "{method} {path}");
        assert_eq!(error["type"], "invalid_request_error", "{method} {path}");
    }
}

#[tokio::test]
async fn only_known_keys_are_served_where_keys_are_named() {
    let provider = Provider::start(Settings { keys: vec!["sk-good".to_owned()], ..Settings::default() }).await;
    for (header, status) in [
        ("authorization: Bearer sk-good\r\n", 200),
        ("authorization: bearer sk-good\r\n", 200),
        ("authorization: Bearer sk-secret-evil\r\n", 401),
        ("authorization: Basic sk-good\r\n", 401),
        ("", 401),
    ] {
        for (method, path) in [("POST", "/v1/chat/completions"), ("GET", "/v1/models")] {
            let got = provider.ask(method, path, header, &call(json!({}))).await;
            assert_eq!(got.status, status, "{header} {path}");
            assert!(!got.text().contains("secret"), "{}", got.text());
        }
    }
    let tails: Vec<_> = provider.control.journal().last.into_iter().map(|entry| entry.authorization_tail).collect();
    assert_eq!(tails, [Some("good"), Some("good"), Some("evil"), None, None].map(|tail| tail.map(str::to_owned)));
}

#[tokio::test]
async fn models_are_listed() {
    let provider = Provider::behaving("{}").await;
    let list = provider.ask("GET", "/v1/models", "", "").await.json();
    let ids: Vec<_> = list["data"].as_array().expect("a list").iter().map(|model| &model["id"]).collect();
    assert_eq!(ids, ["sim-large", "sim-small"]);
    assert_eq!(provider.ask("GET", "/models/sim-small", "", "").await.json()["object"], "model");
}

#[tokio::test]
async fn a_connection_serves_many_calls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let provider = Provider::start(Settings { behaviour: Behaviour::text("so"), ..Settings::default() }).await;
    let body = call(json!({}));
    let mut stream = tokio::net::TcpStream::connect(provider.address).await.expect("a connection");
    for _ in 0..3 {
        let request =
            format!("POST /chat/completions HTTP/1.1\r\nhost: sim\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut got = Vec::new();
        while !got.ends_with(b"}}") {
            assert_ne!(stream.read_buf(&mut got).await.expect("an answer"), 0);
        }
    }
    let last = provider.ask("POST", "/chat/completions", "", &body).await;
    assert_eq!(last.end, End::Complete);
    assert_eq!(provider.control.counts().completed, 4);
}
