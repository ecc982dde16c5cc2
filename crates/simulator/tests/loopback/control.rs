//! Scripting and journal, in process and over HTTP.

use crate::client::{End, Provider, call};
use serde_json::json;
use simulator::{Behaviour, Counts, Ended, Fault, MAX_CONTROL};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

const TOO_LONG: Duration = Duration::from_secs(20);

async fn said(provider: &Provider, model: &str) -> String {
    let answer = provider.chat(json!({"model": model})).await;
    answer.json()["choices"][0]["message"]["content"].as_str().unwrap_or("nothing").to_owned()
}

#[tokio::test]
async fn the_endpoint_scripts_calls_and_resets() {
    let provider = Provider::behaving(r#"{"text":"first"}"#).await;
    for (method, path, body, reply) in [
        ("PUT", "/_sim/behaviour", r#"{"text":"default"}"#, json!({"set": "behaviour"})),
        ("PUT", "/_sim/models/meta/llama", r#"{"text":"own"}"#, json!({"set": "meta/llama"})),
        ("POST", "/_sim/script", r#"[{"text":"one"},{"text":"two"}]"#, json!({"queued": 2})),
    ] {
        let got = provider.ask(method, path, "", body).await;
        assert_eq!((got.status, got.json()), (200, reply), "{method} {path}");
    }
    let mut heard = Vec::new();
    for model in ["meta/llama", "m", "meta/llama", "m"] {
        heard.push(said(&provider, model).await);
    }
    assert_eq!(heard, ["one", "two", "own", "default"]);
    assert_eq!(provider.ask("DELETE", "/_sim", "", "").await.status, 200);
    assert_eq!(said(&provider, "meta/llama").await, "first");
    assert_eq!(provider.control.counts(), Counts { calls: 1, completed: 1, ..Counts::default() });
}

#[tokio::test]
async fn refused_calls_leave_the_script_alone() {
    let provider = Provider::behaving("{}").await;
    provider.control.script([Behaviour::text("scripted")]).expect("room");
    assert_eq!(provider.chat(json!({"messages": []})).await.status, 400);
    assert_eq!(said(&provider, "missing-model").await, "nothing");
    assert_eq!(said(&provider, "m").await, "scripted");
}

#[tokio::test]
async fn what_does_not_parse_is_named() {
    let provider = Provider::behaving("{}").await;
    for (method, path, body, status, named) in [
        ("PUT", "/_sim/behaviour", r#"{"fault":"explode"}"#, 400, "explode"),
        ("PUT", "/_sim/models/m", r#"{"pase":3}"#, 400, "pase"),
        ("POST", "/_sim/script", r#"[{},{"latency":"soon"}]"#, 400, "entry 1: `latency`"),
        ("POST", "/_sim/script", "{}", 400, "array"),
        ("POST", "/_sim/script", &" ".repeat(MAX_CONTROL + 1), 413, "larger than 4194304 bytes"),
        ("PUT", "/_sim/models/", "{}", 404, "/_sim/models/"),
        ("GET", "/_sim/nothing", "", 404, "/_sim/nothing"),
    ] {
        let got = provider.ask(method, path, "", body).await;
        assert_eq!(got.status, status, "{method} {path}");
        let message = got.json()["error"]["message"].to_string();
        assert!(message.contains(named), "{method} {path}: {message}");
    }
    let help = provider.ask("GET", "/_sim", "", "").await.json();
    assert!(help["faults"]["cut"]["example"].is_object());
}

#[tokio::test]
async fn a_header_decides_one_call() {
    let provider = Provider::behaving(r#"{"text":"default"}"#).await;
    let header = "x-sim-behaviour: {\"fault\":{\"status\":{\"status\":418}}}\r\n";
    assert_eq!(provider.ask("POST", "/v1/chat/completions", header, &call(json!({}))).await.status, 418);
    let got = provider.ask("POST", "/v1/chat/completions", "x-sim-behaviour: {\"x\":1}\r\n", &call(json!({}))).await;
    assert!(got.status == 400 && got.text().contains("unknown field"), "{}", got.text());
    assert_eq!(said(&provider, "m").await, "default");
}

#[tokio::test]
async fn the_journal_tells_what_came_and_how_it_ended() {
    let provider = Provider::behaving(r#"{"text":"so"}"#).await;
    provider.control.script([Behaviour::default(), Behaviour::fault(Fault::Reset)]).expect("room");
    let header = "authorization: Bearer sk-1234567\r\n";
    provider.ask("POST", "/v1/chat/completions", header, &call(json!({"stream": true}))).await;
    provider.chat(json!({})).await;
    let journal = provider.ask("GET", "/_sim/journal", "", "").await.json();
    let brief = |entry: &serde_json::Value| {
        let fields = ["number", "model", "stream", "authorization_tail", "body_bytes", "fault", "ended"];
        fields.map(|field| entry[field].clone())
    };
    let first = call(json!({"stream": true}));
    assert_eq!(journal["last"][0]["body"], first);
    assert_eq!(json!(brief(&journal["last"][0])), json!([1, "m", true, "4567", first.len(), null, "completed"]));
    let length = call(json!({})).len();
    assert_eq!(json!(brief(&journal["last"][1])), json!([2, "m", false, null, length, "reset", "faulted"]));
    assert_eq!([&journal["calls"], &journal["completed"], &journal["faulted"]], [2, 1, 1]);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_in_every_phase() {
    for (behaviour, reads) in [
        (r#"{"latency":"1m"}"#, false),
        (r#"{"fault":"hang"}"#, false),
        (r#"{"fault":"silence"}"#, true),
        (r#"{"first_token":"1m"}"#, true),
        (r#"{"tokens":9,"pace":"1m"}"#, true),
        (r#"{"fault":{"stall":{"after":2}}}"#, true),
        (r#"{"fault":{"stall_with_comments":{"after":2,"every":"5ms"}}}"#, true),
        (r#"{"fault":{"never_content":{"every":"1m"}}}"#, true),
        (r#"{"fault":{"drip":{"every":"1m"}}}"#, true),
    ] {
        let provider = Provider::behaving(behaviour).await;
        let mut stream = provider.send("POST", "/v1/chat/completions", "", &call(json!({"stream": true}))).await;
        if reads {
            assert_ne!(stream.read(&mut [0; 64]).await.expect("a head"), 0, "{behaviour}");
        }
        let begun = timeout(TOO_LONG, provider.control.until(|counts| counts.in_flight == 1)).await;
        begun.expect(behaviour);
        drop(stream);
        let ended = timeout(TOO_LONG, provider.control.until(|counts| counts.in_flight == 0)).await.expect(behaviour);
        assert_eq!(ended, Counts { calls: 1, cancelled: 1, ..Counts::default() }, "{behaviour}");
        assert_eq!(provider.control.journal().last[0].ended, Some(Ended::Cancelled), "{behaviour}");
    }
}

#[tokio::test]
async fn connections_end_with_the_simulator() {
    let provider = Provider::behaving(r#"{"fault":"hang"}"#).await;
    let control = provider.control.clone();
    let mut stream = provider.send("POST", "/v1/chat/completions", "", &call(json!({}))).await;
    timeout(TOO_LONG, control.until(|counts| counts.in_flight == 1)).await.expect("a call");
    drop(provider);
    let ended = timeout(TOO_LONG, stream.read(&mut [0; 8])).await.expect("an end");
    assert!(matches!(ended, Ok(0) | Err(_)));
    assert_eq!(control.counts().cancelled, 1);
}

#[tokio::test]
async fn the_same_behaviour_in_rust_and_in_json() {
    let provider = Provider::behaving("{}").await;
    provider.control.set_model("m", Behaviour::fault(Fault::Cut { after: 1 })).expect("room");
    assert_eq!(provider.chat(json!({"stream": true})).await.sketch(), "rc!");
    provider.control.set_behaviour(Behaviour::fault(Fault::status(500)));
    assert_eq!(provider.chat(json!({"model": "other"})).await.status, 500);
    provider.control.reset();
    assert_eq!(provider.chat(json!({})).await.end, End::Complete);
}
