//! Streams that break off and are gone on with: the client gets one answer, whole, and sees nothing of the seam; where
//! that cannot be had without doubling, losing or altering text it gets an error event, and never a false end.

use crate::client::{Answer, Ask, together};
use crate::gateway::Gateway;
use crate::provider::Provider;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Twenty words, sixteen of which the first provider says before it fails.
const TEXT: &str =
    "A gateway keeps its word when the water is rough and says so plainly whenever an answer was not whole";

/// How the first provider breaks off, and the cause of it.
const BREAKS: &[(&str, &str)] = &[
    (r#"{"cut":{"after":16}}"#, "cut"),
    (r#"{"cut_reset":{"after":16}}"#, "cut"),
    (r#"{"polite_end":{"after":16}}"#, "truncated"),
    (r#"{"stall":{"after":16}}"#, "idle_timeout"),
    (r#"{"garbage":{"after":16}}"#, "garbage"),
    (r#"{"invalid_utf8":{"after":16}}"#, "garbage"),
    (r#"{"error_event":{"after":16}}"#, "server_error"),
    (r#"{"error_event":{"after":16,"code":"overloaded_error"}}"#, "overloaded"),
];

/// What the second provider makes of a beginning, its kind, whether it is declared to go on with one, and the attempts
/// of a call.
const SPARES: &[(&str, &str, &str, u64)] = &[
    ("ignore", "openai", "", 2),
    ("continue", "openai", "prefill", 2),
    ("continue", "mistral", "prefill", 2),
    ("continue", "vllm", "prefill", 2),
    ("strip", "openai", "prefill", 2),
    ("ignore", "openai", "prefill", 2),
    ("echo", "mistral", "prefill", 2),
    ("restart", "openai", "prefill", 3),
    ("empty", "openai", "prefill", 3),
    ("reject", "openai", "prefill", 3),
];

/// Two providers, the second declared to be able to do these things.
async fn gateway(first: &Provider, spare: &Provider, capabilities: &str, rest: &str) -> Gateway {
    gateway_of("openai", first, spare, capabilities, rest).await
}

/// The same, the second of this kind.
async fn gateway_of(kind: &str, first: &Provider, spare: &Provider, capabilities: &str, rest: &str) -> Gateway {
    let yaml = format!(
        "providers:
  p: {{ kind: openai, base_url: \"{}\" }}
  spare: {{ kind: {kind}, base_url: \"{}\", models: {{ '*': {{ capabilities: [{capabilities}] }} }} }}
routes: {{ any: {{ aliases: ['*'], targets: ['p/*', 'spare/*'] }} }}
defaults: {{ timeouts: {{ idle: 400ms }}, retry: {{ retry_budget: 100% }}{rest} }}",
        first.url, spare.url
    );
    Gateway::start(&yaml).await
}

/// A stream that says twenty words, each in a write of its own, and this.
fn words(more: &str) -> String {
    format!(r#"{{"tokens":20,"pace":"10ms"{more}}}"#)
}

fn usage(model: &str) -> Ask {
    Ask::chat(model, json!({"stream": true, "stream_options": {"include_usage": true}}))
}

/// One answer, as if from one stream: one id, one model, one role, one finish, one usage, one end.
fn is_seamless(answer: &Answer, what: &str) {
    assert_eq!((answer.status, &*answer.said()), (200, TEXT), "{what}: {}", answer.text());
    let sketch = answer.sketch();
    assert!(sketch.starts_with('r') && sketch.ends_with("fuD."), "{what}: {sketch}");
    for once in ['r', 'f', 'u', 'D'] {
        assert_eq!(sketch.matches(once).count(), 1, "{what}: {sketch}");
    }
    let events = answer.events();
    let chunks = events.iter().filter(|event| event.is_object());
    let heads: BTreeSet<String> =
        chunks.map(|event| format!("{} {} {}", event["id"], event["model"], event["created"])).collect();
    assert_eq!(heads.len(), 1, "{what}: {heads:?}");
    let usage = events.iter().find(|event| event["usage"].is_object()).expect("usage");
    assert_eq!(usage["usage"]["completion_tokens"], 20, "{what}: {usage}");
}

async fn goes_on(gateway: &Gateway, model: &str, cause: &str, attempts: u64) {
    let answer = gateway.ask(usage(model)).await;
    is_seamless(&answer, model);
    let told = ["target", "attempts", "degraded"].map(|name| answer.header(&format!("x-breakwater-{name}")));
    assert_eq!(told, [Some(&*format!("p/{model}")), Some("1"), None], "as things were when the answer began");
    let record = gateway.record(&answer.id).await;
    assert_eq!([&record["continued"], &record["attempts"]], [1, attempts], "{record}");
    assert_eq!([&record["outcome"], &record["stream_end"], &record["finish"]], ["degraded", "complete", "stop"]);
    let tried = record["tried"].as_array().expect("attempts");
    let (broken, last) = (&tried[0], &tried[tried.len() - 1]);
    assert_eq!([&broken["cause"], &broken["verdict"]], [cause, "hard_failure"], "{record}");
    assert_eq!([&last["kind"], &last["verdict"]], ["continuation", "success"], "{record}");
    assert_eq!(last["target"], format!("spare/{model}"), "{record}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_gone_on_with() {
    for (prefill, kind, capabilities, attempts) in SPARES {
        let (first, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
        let gateway = gateway_of(kind, &first, &spare, capabilities, "").await;
        let mut cases = Vec::new();
        for (place, (fault, cause)) in BREAKS.iter().enumerate() {
            let model = format!("{prefill}{}-{place}", capabilities.len());
            first.model(&model, &words(&format!(r#","fault":{fault}"#)));
            // Mistral tells usage unasked, and refuses to be asked.
            spare.model(&model, &words(&format!(r#","prefill":"{prefill}","usage":true"#)));
            cases.push((model, *cause));
        }
        together(cases.iter().map(|(model, cause)| goes_on(&gateway, model, cause, *attempts))).await;
        let asked = spare.control.journal().last;
        let beginnings = asked.iter().filter(|entry| entry.last_role == Some("assistant")).count();
        assert_eq!(beginnings, if capabilities.is_empty() { 0 } else { BREAKS.len() }, "{prefill}");
        assert!(asked.iter().all(|entry| entry.body.contains("stream_options") == (*kind != "mistral")), "{kind}");
        let done = BREAKS.len() as f64;
        gateway.expect(&[(r#"stream_end_total{reason="complete"}"#, done)]).await;
        let (model, cause) = &cases[0];
        assert_eq!(gateway.target(&format!("spare/{model}")).await["declined_prefill"], *prefill == "reject");
        if *prefill == "reject" {
            // It is not asked in vain a second time.
            goes_on(&gateway, model, cause, 2).await;
        }
    }
}

/// An error event ends the stream, whatever the spare would have said.
async fn breaks_off(gateway: &Gateway, ask: Ask, what: &str) -> Value {
    let answer = gateway.ask(ask).await;
    let sketch = answer.sketch();
    assert!(sketch.ends_with("E.") && !sketch.contains(['f', 'D', 'u']), "{what}: {sketch}");
    assert_eq!(sketch.matches('E').count(), 1, "{what}: {sketch}");
    assert_eq!(answer.error_event()["code"], "upstream_failed", "{what}");
    assert!(TEXT.starts_with(&answer.said()), "{what}: {}", answer.said());
    let record = gateway.record(&answer.id).await;
    assert_eq!((&record["continued"], &record["outcome"]), (&Value::Null, &json!("truncated")), "{what}: {record}");
    record
}

#[tokio::test]
async fn other_words_are_not_taken_for_the_rest() {
    let cut = words(r#","fault":{"cut":{"after":4}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving("{}").await);
    let gateway = gateway(&first, &spare, "", "").await;
    for (model, behaviour) in [
        ("seeded", words(r#","seed":7"#)),
        ("shorter", r#"{"text":"A gateway"}"#.into()),
        ("nearly", r#"{"text":"A gateway keeps it simple."}"#.into()),
        ("spaced", r#"{"text":" A gateway keeps its word when the water is rough"}"#.into()),
    ] {
        spare.model(model, &behaviour);
        let record = breaks_off(&gateway, Ask::stream(model), model).await;
        assert_eq!(record["tried"][1]["kind"], "continuation", "{record}");
        assert_eq!(gateway.target(&format!("spare/{model}")).await["consecutive_failures"], 0, "nobody is blamed");
    }
}

#[tokio::test]
async fn other_words_after_a_given_beginning_are_not_taken_for_the_rest() {
    let cut = words(r#","fault":{"cut":{"after":16}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving("{}").await);
    let gateway = gateway(&first, &spare, "prefill", "").await;
    for (model, behaviour) in [
        ("ignoring", words(r#","seed":7"#)),
        ("nearly", r#"{"text":"A gateway keeps it simple.","prefill":"continue"}"#.into()),
        ("restarting", r#"{"text":"A gateway keeps it simple.","prefill":"restart"}"#.into()),
        ("empty", r#"{"text":"A gateway keeps it simple.","prefill":"empty"}"#.into()),
    ] {
        spare.model(model, &behaviour);
        let record = breaks_off(&gateway, Ask::stream(model), model).await;
        let tried: Vec<_> = record["tried"].as_array().expect("attempts").iter().map(|one| &one["cause"]).collect();
        assert_eq!(tried, ["cut", "altered", "altered"], "{model}: handed over, then to be repeated");
    }
}

#[tokio::test]
async fn a_beginning_too_short_to_withhold_any_of_it_has_to_be_repeated() {
    let cut = words(r#","fault":{"cut":{"after":2}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving(&words("")).await);
    let gateway = gateway(&first, &spare, "prefill", "").await;
    let answer = gateway.ask(usage("m")).await;
    is_seamless(&answer, "short");
    let record = gateway.record(&answer.id).await;
    assert_eq!([&record["continued"], &record["attempts"]], [1, 2], "{record}");
    assert!(spare.control.journal().last.iter().all(|entry| entry.last_role != Some("assistant")));
}

#[tokio::test]
async fn a_limit_of_tokens_holds_for_both_together_and_is_never_said_to_be_reached_where_it_was_not() {
    let cut = words(r#","fault":{"cut":{"after":16}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving(&words(r#","prefill":"continue""#)).await);
    let gateway = gateway(&first, &spare, "prefill", "").await;
    // There is room for the rest for certain; for some of it, so that it has to be repeated; for less than all of it.
    for (limit, finish, said) in [(200, "stop", 20), (20, "stop", 20), (18, "length", 18)] {
        let more = json!({"stream": true, "max_tokens": limit, "stream_options": {"include_usage": true}});
        let answer = gateway.ask(Ask::chat("m", more)).await;
        let words: Vec<&str> = TEXT.split(' ').take(said).collect();
        assert_eq!(answer.said(), words.join(" "), "{limit}: {}", answer.text());
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["finish"], &record["continued"]], [&json!(finish), &json!(1)], "{limit}: {record}");
    }
}

#[tokio::test]
async fn what_is_more_than_text_is_not_gone_on_with() {
    let cut = r#""pace":"10ms","fault":{"cut":{"after":4}}"#;
    let (first, spare) =
        (Provider::behaving(&format!(r#"{{"tokens":12,{cut}}}"#)).await, Provider::behaving("{}").await);
    let gateway = gateway(&first, &spare, "prefill", "").await;
    first.model(
        "tools",
        &format!(r#"{{"tool_calls":[{{"name":"f","arguments":{{"a":1,"b":"two three four"}}}}],{cut}}}"#),
    );
    for (model, ask) in [
        ("tools", Ask::stream("tools")),
        ("several", Ask::chat("several", json!({"stream": true, "n": 2}))),
        ("logprobs", Ask::chat("logprobs", json!({"stream": true, "logprobs": true}))),
    ] {
        let answer = gateway.ask(ask).await;
        let sketch = answer.sketch();
        assert!(sketch.ends_with("E.") && !sketch.contains(['f', 'D']), "{model}: {sketch}");
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["attempts"], &record["outcome"]], [&json!(1), &json!("truncated")], "{model}: {record}");
    }
    assert_eq!(spare.calls(), 0);
}

#[tokio::test]
async fn a_route_may_want_streams_to_end() {
    let cut = words(r#","fault":{"cut":{"after":4}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving(&words("")).await);
    let gateway = gateway(&first, &spare, "prefill", ", recover_stream: error").await;
    breaks_off(&gateway, Ask::stream("m"), "error").await;
    assert_eq!(spare.calls(), 0);
}

#[tokio::test]
async fn a_stream_may_break_off_more_than_once() {
    let broken = |after: u32| words(&format!(r#","fault":{{"cut":{{"after":{after}}}}}"#));
    let (first, second) = (Provider::behaving(&broken(3)).await, Provider::behaving(&broken(7)).await);
    let third = Provider::behaving(&words("")).await;
    let gateway = Gateway::chain(&[("a", &first.url), ("b", &second.url), ("c", &third.url)], "").await;
    let answer = gateway.ask(usage("chat")).await;
    is_seamless(&answer, "twice");
    let record = gateway.record(&answer.id).await;
    assert_eq!([&record["continued"], &record["attempts"]], [2, 3], "{record}");
}

#[tokio::test]
async fn going_on_draws_on_the_retries() {
    let cut = words(r#","fault":{"cut":{"after":4}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving(&words("")).await);
    let none = "defaults: { retry: { retry_budget: 0% } }";
    let gateway = Gateway::chain(&[("p", &first.url), ("spare", &spare.url)], none).await;
    breaks_off(&gateway, Ask::stream("chat"), "no budget").await;
    let one = "defaults: { retry: { max_attempts: 1 } }";
    let gateway = Gateway::chain(&[("p", &first.url), ("spare", &spare.url)], one).await;
    breaks_off(&gateway, Ask::stream("chat"), "no attempt left").await;
    assert_eq!(spare.calls(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_is_gone_on_with_is_let_go() {
    let cut = words(r#","fault":{"cut":{"after":4}}"#);
    let (first, spare) = (Provider::behaving(&cut).await, Provider::behaving(r#"{"fault":"hang"}"#).await);
    let gateway = Gateway::chain(&[("p", &first.url), ("spare", &spare.url)], "").await;
    let ask = Ask::stream("chat");
    let mut client = gateway.send(ask.clone()).await;
    client.until("keeps").await;
    crate::client::soon("a continuation", spare.control.until(|counts| counts.in_flight == 1)).await;
    drop(client);
    crate::client::soon("its end", spare.control.until(|counts| counts.in_flight == 0)).await;
    let record = gateway.record(&ask.id).await;
    assert_eq!([&record["outcome"], &record["stream_end"]], ["cancelled", "cancelled"], "{record}");
    assert_eq!([&record["tried"][0]["verdict"], &record["tried"][1]["verdict"]], ["hard_failure", "neutral"]);
}
