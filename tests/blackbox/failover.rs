//! Before the commit point: whatever a provider does, another one answers and the client does not notice.

use crate::client::{Answer, Ask, End, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Closed, Provider, Raw};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every fault that shows itself at once: what the simulator does, then the cause of a whole and of a streamed call.
const QUICK: &[(&str, &str, &str)] = &[
    (r#""reset""#, "connection_lost", "connection_lost"),
    (r#""close""#, "connection_lost", "connection_lost"),
    (r#""not_http""#, "bad_http", "bad_http"),
    (r#""oversized_headers""#, "head_too_large", "head_too_large"),
    (r#"{"status":{"status":401}}"#, "auth", "auth"),
    (r#"{"status":{"status":402}}"#, "quota_exhausted", "quota_exhausted"),
    (r#"{"status":{"status":403}}"#, "permission", "permission"),
    (r#"{"status":{"status":404}}"#, "not_found", "not_found"),
    (r#"{"status":{"status":408}}"#, "server_error", "server_error"),
    (r#"{"status":{"status":409}}"#, "server_error", "server_error"),
    (r#"{"status":{"status":429}}"#, "rate_limited", "rate_limited"),
    (r#"{"status":{"status":500}}"#, "server_error", "server_error"),
    (r#"{"status":{"status":502}}"#, "server_error", "server_error"),
    (r#"{"status":{"status":503}}"#, "overloaded", "overloaded"),
    (r#"{"status":{"status":529}}"#, "overloaded", "overloaded"),
    (r#"{"status":{"status":503,"body":"<html>busy</html>"}}"#, "overloaded", "overloaded"),
    (r#""error_object""#, "server_error", "server_error"),
    (r#"{"error_object":{"code":"rate_limit_exceeded"}}"#, "rate_limited", "rate_limited"),
    (r#"{"error_object":{"type":"insufficient_quota"}}"#, "quota_exhausted", "quota_exhausted"),
    (r#""html""#, "not_an_answer", "not_an_answer"),
    (r#""empty_body""#, "empty", "empty"),
    (r#""invalid_json""#, "not_an_answer", "not_an_answer"),
    (r#""invalid_utf8""#, "not_an_answer", "not_an_answer"),
    (r#""garbage""#, "not_an_answer", "not_an_answer"),
    (r#""no_choices""#, "no_choices", "empty"),
    (r#""cut""#, "cut", "cut"),
    (r#""cut_reset""#, "cut", "cut"),
    (r#""polite_end""#, "truncated", "empty"),
    (r#""error_event""#, "server_error", "server_error"),
    (r#"{"error_event":{"code":"overloaded_error"}}"#, "overloaded", "overloaded"),
];

/// Faults that only time shows.
const SLOW: &[(&str, &str, &str)] = &[
    (r#"{"fault":"hang"}"#, "first_token_timeout", "first_token_timeout"),
    (r#"{"fault":"silence"}"#, "first_token_timeout", "first_token_timeout"),
    (r#"{"fault":"stall"}"#, "idle_timeout", "first_token_timeout"),
    (r#"{"latency":"1m"}"#, "first_token_timeout", "first_token_timeout"),
    (r#"{"fault":{"never_content":{"every":"50ms"}}}"#, "first_token_timeout", "first_token_timeout"),
];

/// The verdict on an attempt that failed by `cause`.
fn verdict(cause: &str) -> &'static str {
    match cause {
        "empty" | "no_choices" => "semantic_failure",
        "rate_limited" => "rate_limited",
        "quota_exhausted" => "quota_exhausted",
        _ => "hard_failure",
    }
}

/// Asks for `model`, whose first target fails by `cause`: the client must get the second one's right answer.
async fn survives(gateway: &Gateway, ask: Ask, model: &str, cause: &str) {
    assert_eq!(failed_over(gateway, ask, model, cause).await, verdict(cause), "{model} {cause}");
}

/// The same where a clock of the gateway decides. One that rings 100 ms late blames nobody, as a busy machine may have
/// it; in time it has to blame the target.
async fn survives_silence(gateway: &Gateway, ask: Ask, model: &str, cause: &str) {
    for _ in 0..5 {
        match &*failed_over(gateway, ask.clone().anew(), model, cause).await {
            "neutral" => {}
            told => return assert_eq!(told, verdict(cause), "{model} {cause}"),
        }
    }
    panic!("{model} {cause}: the gateway is never in time");
}

/// Asks as `survives` does; the verdict on the first attempt.
async fn failed_over(gateway: &Gateway, ask: Ask, model: &str, cause: &str) -> String {
    let answer = gateway.ask(ask).await;
    let headers = ["degraded", "attempts", "target"].map(|name| answer.header(&format!("x-breakwater-{name}")));
    assert_eq!(answer.status, 200, "{model} {cause}: {}", answer.text());
    assert_eq!(headers, [Some("fallback"), Some("2"), Some(&*format!("spare/{model}"))], "{model} {cause}");
    assert_eq!((answer.end, &*answer.said()), (End::Complete, "A gateway keeps"), "{model} {cause}");
    let record = gateway.record(&answer.id).await;
    let tried = |place: usize, field: &str| record["tried"][place][field].clone();
    assert_eq!(record["outcome"], "degraded", "{record}");
    assert_eq!(tried(0, "cause"), cause, "{model} {record}");
    assert_eq!([tried(1, "target"), tried(1, "verdict")], [json!(format!("spare/{model}")), json!("success")]);
    tried(0, "verdict").as_str().unwrap_or_default().to_owned()
}

/// A gateway over `bad`, then `spare`, whatever the model.
async fn chain(bad: &str, spare: &str, rest: &str) -> Gateway {
    let route = format!("routes:\n  any: {{ aliases: ['*'], targets: ['bad/*', 'spare/*'] }}\n{rest}");
    Gateway::start(&config(&[("bad", bad), ("spare", spare)], &route)).await
}

async fn spare() -> Provider {
    Provider::behaving(r#"{"tokens":3}"#).await
}

#[tokio::test]
async fn every_fault_is_survived_and_counted() {
    let (bad, spare) = (Provider::behaving("{}").await, spare().await);
    let gateway = chain(&bad.url, &spare.url, "defaults: { retry: { retry_budget: 100% } }").await;
    let mut verdicts = BTreeMap::<_, f64>::new();
    for (place, (fault, whole, stream)) in QUICK.iter().enumerate() {
        // Models of their own: one that is throttled or spent is not asked again.
        for (way, streamed, cause) in [("whole", false, whole), ("stream", true, stream)] {
            let model = format!("m{place}-{way}");
            bad.model(&model, &format!(r#"{{"tokens":3,"fault":{fault}}}"#));
            survives(&gateway, Ask::chat(&model, json!({"stream": streamed})), &model, cause).await;
            *verdicts.entry(verdict(cause)).or_default() += 1.0;
        }
    }
    let calls = verdicts.values().sum::<f64>();
    let sample =
        |target: &str, verdict: &str| format!("attempts_total{{target=\"{target}/other\",verdict=\"{verdict}\"}}");
    let mut samples: Vec<_> = verdicts.iter().map(|(verdict, count)| (sample("bad", verdict), *count)).collect();
    samples.push((sample("spare", "success"), calls));
    gateway.expect(&samples.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>()).await;
    assert_eq!((bad.calls(), spare.calls()), (calls as u64, calls as u64), "each target is asked once per call");
}

#[tokio::test]
async fn silence_is_survived_in_time() {
    let (bad, spare) = (Provider::behaving("{}").await, spare().await);
    let timeouts = "defaults: { timeouts: { first_token: 500ms, idle: 700ms, total: 3s } }";
    let gateway = chain(&bad.url, &spare.url, timeouts).await;
    let mut cases = Vec::new();
    for (place, (behaviour, whole, stream)) in SLOW.iter().enumerate() {
        let model = format!("m{place}");
        bad.model(&model, behaviour);
        cases.extend([(model.clone(), Ask::whole(&model), whole), (model.clone(), Ask::stream(&model), stream)]);
    }
    bad.model("late", r#"{"first_token":"1m"}"#);
    cases.push(("late".into(), Ask::stream("late"), &"first_token_timeout"));
    let all = cases.iter().map(|(model, ask, cause)| survives_silence(&gateway, ask.clone(), model, cause));
    together(all).await;
}

#[tokio::test]
async fn connections_that_never_come_about_are_survived() {
    let (closed, mute, plain, spare) = (Closed::new(), Raw::mute().await, spare().await, spare().await);
    let tls = |url: &str| url.replace("http://", "https://");
    // Too long a label for any resolver: it fails without asking anybody.
    let nowhere = format!("http://{}.invalid/v1", "x".repeat(64));
    for (url, cause) in [
        (format!("http://{}/v1", closed.address), "connect_refused"),
        (tls(&plain.url), "tls"),
        (tls(&mute.url), "connect_timeout"),
        (nowhere, "dns"),
    ] {
        let gateway = chain(&url, &spare.url, "defaults: { timeouts: { connect: 500ms } }").await;
        survives_silence(&gateway, Ask::whole("m"), "m", cause).await;
        survives_silence(&gateway, Ask::stream("m"), "m", cause).await;
    }
    assert_eq!(plain.calls(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (bad, elsewhere, spare) = (Provider::behaving("{}").await, spare().await, spare().await);
    let location = format!("{}/chat/completions", elsewhere.url);
    bad.model("m", &json!({"fault": {"redirect": {"location": location}}}).to_string());
    let gateway = chain(&bad.url, &spare.url, "").await;
    survives(&gateway, Ask::whole("m"), "m", "redirect").await;
    survives(&gateway, Ask::stream("m"), "m", "redirect").await;
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn a_clients_own_mistake_comes_back_once_as_the_provider_worded_it() {
    let (first, spare) = (Provider::behaving("{}").await, spare().await);
    let gateway = chain(&first.url, &spare.url, "").await;
    for (status, stream) in [400, 413, 422].into_iter().flat_map(|status| [(status, false), (status, true)]) {
        let body = format!(r#"{{"error":  {{"message":"not like this","odd":[{status}]}},"request_id":"r1"}}"#);
        first.model("m", &json!({"fault": {"status": {"status": status, "body": body}}}).to_string());
        let answer = gateway.ask(Ask::chat("m", json!({"stream": stream}))).await;
        assert_eq!((answer.status, answer.text()), (status, body));
        let record = gateway.record(&answer.id).await;
        let told = [&record["outcome"], &record["tried"][0]["verdict"], &record["attempts"]];
        assert_eq!(told, [&json!("client_error"), &json!("client_fault"), &json!(1)], "{record}");
    }
    assert_eq!((first.calls(), spare.calls()), (6, 0));
}

/// What a call comes to over two providers that fail like this.
async fn lost(faults: [&str; 2], stream: bool) -> (Answer, Value) {
    let bad = |fault: &str| format!(r#"{{"fault":{fault}}}"#);
    let (a, b) = (Provider::behaving(&bad(faults[0])).await, Provider::behaving(&bad(faults[1])).await);
    // With a third attempt one of them would be asked once more, after a pause.
    let gateway = Gateway::chain(&[("a", &a.url), ("b", &b.url)], "defaults: { retry: { max_attempts: 2 } }").await;
    let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
    let record = gateway.record(&answer.id).await;
    (answer, record)
}

#[tokio::test]
async fn when_nobody_answers_the_client_learns_what_to_do() {
    let busy = r#"{"status":{"status":503,"headers":{"retry-after":"7"}}}"#;
    let throttled = r#"{"status":{"status":429,"headers":{"retry-after":"3"}}}"#;
    let (wrong_key, crashed) = (r#"{"status":{"status":401}}"#, r#"{"status":{"status":500}}"#);
    for (faults, status, code, retry_after) in [
        ([busy, throttled], 503, "all_targets_unavailable", Some("3")),
        ([busy, crashed], 502, "upstream_failed", None),
        ([crashed, r#""cut""#], 502, "upstream_failed", None),
        ([wrong_key, wrong_key], 502, "upstream_failed", None),
        ([crashed, wrong_key], 502, "upstream_failed", None),
    ] {
        for stream in [false, true] {
            let (answer, record) = lost(faults, stream).await;
            assert_eq!((answer.status, &*answer.code()), (status, code), "{faults:?}");
            assert_eq!(answer.header("retry-after"), retry_after, "{faults:?}");
            assert_eq!(
                (answer.header("x-breakwater-attempts"), answer.header("x-breakwater-degraded")),
                (Some("2"), None)
            );
            assert_eq!(answer.header("x-should-retry"), Some("false"), "{faults:?}: tried again here already");
            assert_eq!([&record["outcome"], &record["error"]], ["failed", code], "{record}");
        }
    }
}

#[tokio::test]
async fn nobody_there_at_all_is_unavailable_with_advice() {
    let closed = Closed::new();
    let gateway = Gateway::chain(&[("a", &format!("http://{}/v1", closed.address))], "").await;
    let answer = gateway.ask(Ask::whole("chat")).await;
    assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"));
    assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok()), "{}", answer.head);
}

#[tokio::test]
async fn no_more_attempts_are_made_than_allowed() {
    let broken = Provider::behaving(r#"{"fault":{"status":{"status":500}}}"#).await;
    let fine = spare().await;
    let chain = [("a", &*broken.url), ("b", &*broken.url), ("c", &*broken.url), ("d", &*fine.url)];
    for (retry, calls, status) in [("", 3, 502), ("max_attempts: 2", 2, 502), ("max_attempts: 4", 3, 200)] {
        broken.control.reset();
        let gateway = Gateway::chain(&chain, &format!("defaults: {{ retry: {{ {retry} }} }}")).await;
        let answer = gateway.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, broken.calls()), (status, calls), "{retry}");
    }
}
