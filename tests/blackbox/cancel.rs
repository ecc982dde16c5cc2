//! Clients that leave: the work upstream ends within 100 ms in every phase, and nobody is blamed.

use crate::client::{Ask, soon, together};
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use serde_json::json;
use std::time::{Duration, Instant};

/// How soon the provider has to be let go.
const AT_ONCE: Duration = Duration::from_millis(100);

/// When the client leaves.
#[derive(Clone, Copy)]
enum When {
    /// The provider has the request, the client has nothing.
    Asked,
    /// The client has the first content.
    Answering,
}

/// What the provider does, what is asked, and when the client leaves.
const PHASES: &[(&str, &str, bool, When)] = &[
    ("before an answer", r#"{"fault":"hang"}"#, false, When::Asked),
    ("before a stream", r#"{"fault":"hang"}"#, true, When::Asked),
    ("behind the head of an answer", r#"{"fault":"silence"}"#, false, When::Asked),
    ("behind the head of a stream", r#"{"fault":"silence"}"#, true, When::Asked),
    ("amid comments", r#"{"fault":{"never_content":{"every":"10ms"}}}"#, true, When::Asked),
    ("within an answer", r#"{"fault":"stall"}"#, false, When::Asked),
    ("within a stream", r#"{"tokens":1000,"pace":"30ms"}"#, true, When::Answering),
    ("within a stalled stream", r#"{"tokens":9,"fault":{"stall":{"after":2}}}"#, true, When::Answering),
];

/// Asks, leaves, and tells how long the provider went on working.
async fn leave(gateway: &Gateway, provider: &Provider, ask: Ask, when: When) -> Duration {
    let mut exchange = gateway.send(ask).await;
    match when {
        When::Asked => {
            soon("a call", provider.control.until(|counts| counts.in_flight == 1)).await;
        }
        When::Answering => drop(exchange.until("\"content\":\"A").await),
    }
    let left = Instant::now();
    drop(exchange);
    soon("the end of the work", provider.control.until(|counts| counts.in_flight == 0)).await;
    left.elapsed()
}

/// As [`leave`], the quickest of three: a busy machine is not the gateway's delay.
async fn leave_quickly(gateway: &Gateway, provider: &Provider, ask: &Ask, when: When) {
    let mut took = Duration::MAX;
    for _ in 0..3 {
        took = took.min(leave(gateway, provider, ask.clone(), when).await);
        if took <= AT_ONCE {
            return;
        }
    }
    panic!("the provider worked on for {took:?}");
}

#[tokio::test]
async fn the_provider_is_let_go_in_every_phase() {
    for (phase, behaviour, stream, when) in PHASES {
        let provider = Provider::behaving(behaviour).await;
        let gateway = Gateway::chain(&[("p", &provider.url)], "").await;
        let ask = Ask::chat("chat", json!({"stream": stream}));
        leave_quickly(&gateway, &provider, &ask, *when).await;
        let counts = provider.control.counts();
        assert_eq!((counts.cancelled, counts.completed), (counts.calls, 0), "{phase}");
        let record = gateway.record(&ask.id).await;
        let told = [&record["outcome"], &record["attempts"], &record["tried"][0]["verdict"]];
        assert_eq!(told, [&json!("cancelled"), &json!(1), &json!("neutral")], "{phase}: {record}");
        let stream_end = matches!(when, When::Answering).then_some("cancelled");
        assert_eq!(record["stream_end"].as_str(), stream_end, "{phase}: {record}");
        let calls = counts.calls as f64;
        gateway
            .expect(&[
                (r#"attempts_total{target="p/m",verdict="neutral"}"#, calls),
                (r#"attempts_total{target="p/m",verdict="hard_failure"}"#, 0.0),
                (r#"slo_valid_total{route="chat",sli="availability"}"#, 0.0),
                (r#"inflight{route="chat"}"#, 0.0),
            ])
            .await;
    }
}

#[tokio::test]
async fn the_second_attempt_is_let_go_too() {
    let broken = Provider::behaving(r#"{"fault":{"status":{"status":500}}}"#).await;
    let spare = Provider::behaving(r#"{"fault":"hang"}"#).await;
    let gateway = Gateway::chain(&[("a", &broken.url), ("b", &spare.url)], "").await;
    let ask = Ask::stream("chat");
    leave_quickly(&gateway, &spare, &ask, When::Asked).await;
    let record = gateway.record(&ask.id).await;
    let verdict = |place: usize| &record["tried"][place]["verdict"];
    assert_eq!([&record["outcome"], verdict(0), verdict(1)], ["cancelled", "hard_failure", "neutral"], "{record}");
}

#[tokio::test]
async fn a_crowd_that_leaves_at_once_leaves_nothing_behind() {
    const CROWD: u64 = 50;
    let provider = Provider::behaving(r#"{"tokens":1000,"pace":"50ms"}"#).await;
    let gateway = Gateway::chain(&[("p", &provider.url)], "").await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(gateway.send(Ask::stream("chat")).await);
    }
    together(crowd.iter_mut().map(|exchange| async { drop(exchange.until("\"content\":\"A").await) })).await;
    gateway.expect(&[(r#"inflight{route="chat"}"#, CROWD as f64)]).await;
    drop(crowd);
    soon("the end of all work", provider.control.until(|counts| counts.cancelled == CROWD)).await;
    provider.model("m", "{}");
    assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 200);
    gateway
        .expect(&[
            (r#"inflight{route="chat"}"#, 0.0),
            (r#"attempts_total{target="p/m",verdict="neutral"}"#, CROWD as f64),
            (r#"stream_end_total{reason="cancelled"}"#, CROWD as f64),
        ])
        .await;
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let provider = Provider::behaving("{}").await;
    let callers = "routes: { chat: { targets: [p/m] } }
callers: [{ name: app, key: sk-caller-1, limits: { concurrency: 1 } }]";
    let gateway = Gateway::start(&config(&[("p", &provider.url)], callers)).await;
    let keyed = || Ask::whole("chat").header("authorization", "Bearer sk-caller-1");
    provider.script(&[r#"{"fault":"hang"}"#]);
    leave(&gateway, &provider, keyed(), When::Asked).await;
    // The provider may notice a moment before the place is free.
    soon("a free place", async { while gateway.ask(keyed()).await.status != 200 {} }).await;
}
