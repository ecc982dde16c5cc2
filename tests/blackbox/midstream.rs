//! After the commit point, where nobody goes on with the stream (`going_on` has those that do): what came arrives, then
//! one error event says that it is not all, and never a false end.

use crate::client::{Ask, together};
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use serde_json::json;

/// A fault in the middle of a stream, and what comes of it.
struct Case {
    fault: &'static str,
    /// What the client gets, as [`Answer::sketch`](crate::client::Answer::sketch) writes it.
    sketch: &'static str,
    code: &'static str,
    outcome: &'static str,
    stream_end: &'static str,
    cause: &'static str,
}

/// The usual case: the provider's fault, told as `upstream_failed`.
const fn case(
    fault: &'static str,
    sketch: &'static str,
    outcome: &'static str,
    stream_end: &'static str,
    cause: &'static str,
) -> Case {
    Case { fault, sketch, code: "upstream_failed", outcome, stream_end, cause }
}

const CASES: &[Case] = &[
    case(r#"{"cut":{"after":2}}"#, "rccE.", "truncated", "truncated", "cut"),
    case(r#"{"stall":{"after":2}}"#, "rccE.", "truncated", "stalled", "idle_timeout"),
    case(r#"{"polite_end":{"after":2}}"#, "rccE.", "truncated", "truncated", "truncated"),
    case(r#""no_finish""#, "rccccE.", "truncated", "truncated", "truncated"),
    case(r#""no_done""#, "rccccfE.", "truncated", "truncated", "truncated"),
    case(r#"{"garbage":{"after":2}}"#, "rccE.", "failed", "garbage", "garbage"),
    case(r#"{"invalid_utf8":{"after":2}}"#, "rccE.", "failed", "garbage", "garbage"),
    case(r#"{"error_event":{"after":2,"message":"secret"}}"#, "rccE.", "failed", "error_event", "server_error"),
    Case {
        code: "deadline_exceeded",
        ..case(r#"{"stall_with_comments":{"after":2,"every":"100ms"}}"#, "rcc:E.", "truncated", "deadline", "deadline")
    },
];

async fn gateway(provider: &Provider) -> Gateway {
    let route = "routes: { any: { aliases: ['*'], targets: ['p/*', 'spare/*'], recover_stream: error } }
defaults: { timeouts: { idle: 500ms, total: 2s } }";
    Gateway::start(&config(&[("p", &provider.url), ("spare", &provider.url)], route)).await
}

/// Events leave one by one, so that the fault comes well after the first content.
fn paced(fault: &str) -> String {
    format!(r#"{{"tokens":4,"pace":"40ms","fault":{fault}}}"#)
}

async fn breaks_off(gateway: &Gateway, model: &str, case: &Case) {
    let answer = gateway.ask(Ask::stream(model)).await;
    let Case { fault, sketch, code, outcome, stream_end, cause } = case;
    assert_eq!((answer.status, &*answer.sketch()), (200, *sketch), "{fault}: {}", answer.text());
    assert!("A gateway keeps its".starts_with(&answer.said()), "{fault}: {}", answer.said());
    let error = answer.error_event();
    assert_eq!(error["code"], *code, "{fault}");
    assert!(!error.to_string().contains("secret"), "a provider's text stays with us: {error}");
    let record = gateway.record(&answer.id).await;
    assert_eq!([&record["outcome"], &record["stream_end"]], [outcome, stream_end], "{fault}: {record}");
    let verdict = if *cause == "deadline" { "neutral" } else { "hard_failure" };
    let tried = &record["tried"][0];
    assert_eq!([&tried["cause"], &tried["verdict"], &record["attempts"]], [&json!(cause), &json!(verdict), &json!(1)]);
}

#[tokio::test]
async fn a_broken_stream_ends_in_one_error_event() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    let cases: Vec<_> = CASES.iter().enumerate().map(|(place, case)| (format!("m{place}"), case)).collect();
    for (model, case) in &cases {
        provider.model(model, &paced(case.fault));
    }
    together(cases.iter().map(|(model, case)| breaks_off(&gateway, model, case))).await;
    let hard = CASES.len() as f64 - 1.0;
    gateway
        .expect(&[
            (r#"attempts_total{target="p/other",verdict="hard_failure"}"#, hard),
            (r#"attempts_total{target="p/other",verdict="neutral"}"#, 1.0),
            (r#"stream_end_total{reason="truncated"}"#, 4.0),
            (r#"stream_end_total{reason="stalled"}"#, 1.0),
            (r#"stream_end_total{reason="garbage"}"#, 2.0),
            (r#"stream_end_total{reason="error_event"}"#, 1.0),
            (r#"stream_end_total{reason="deadline"}"#, 1.0),
            (r#"stream_end_total{reason="complete"}"#, 0.0),
        ])
        .await;
}

#[tokio::test]
async fn a_reset_may_cost_what_was_on_its_way_and_no_more() {
    let provider = Provider::behaving(&paced(r#"{"cut_reset":{"after":3}}"#)).await;
    let answer = gateway(&provider).await.ask(Ask::stream("m")).await;
    assert!(["rccE.", "rcccE."].contains(&&*answer.sketch()), "{}", answer.sketch());
}

#[tokio::test]
async fn comments_keep_a_stream_alive() {
    // Content comes after more than the idle timeout, comments in between.
    let provider = Provider::behaving(r#"{"fault":{"stall_with_comments":{"after":1,"every":"100ms"}}}"#).await;
    let answer = gateway(&provider).await.ask(Ask::stream("m")).await;
    assert_eq!((&*answer.sketch(), &answer.error_event()["code"]), ("rc:E.", &json!("deadline_exceeded")));
}

#[tokio::test]
async fn a_provider_without_terminator_gets_one() {
    let provider = Provider::behaving(&paced(r#""no_done""#)).await;
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", done_marker: false }} }}\n\
         routes: {{ chat: {{ targets: [p/m] }} }}",
        provider.url
    );
    let gateway = Gateway::start(&yaml).await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!(answer.sketch(), "rccccfD.");
    assert_eq!(gateway.record(&answer.id).await["outcome"], "success");
}

#[tokio::test]
async fn slow_and_split_streams_arrive_whole() {
    for (behaviour, said) in [
        (r#"{"tokens":2,"fault":{"drip":{"every":"1us"}}}"#, "A gateway"),
        (r#"{"text":"Grüße 你好 🚀 done.","fault":"split_utf8"}"#, "Grüße 你好 🚀 done."),
    ] {
        let provider = Provider::behaving(behaviour).await;
        let gateway = Gateway::chain(&[("p", &provider.url)], "").await;
        let streamed = gateway.ask(Ask::stream("chat")).await;
        let sketch = streamed.sketch();
        assert!((streamed.said().as_str(), &sketch[..1]) == (said, "r") && sketch.ends_with("cfD."), "{sketch}");
        assert_eq!(gateway.ask(Ask::whole("chat")).await.said(), said);
        assert_eq!(gateway.record(&streamed.id).await["outcome"], "success");
    }
}
