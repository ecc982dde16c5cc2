//! Clients that leave: the work upstream ends within 100 ms in every phase, and nobody is blamed (F39 and F40 of the
//! catalogue; `faults` has the table).

use crate::client::{Ask, soon, together};
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

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
async fn f39_the_provider_is_let_go_in_every_phase() {
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
        unblamed(&gateway).await;
    }
}

/// The only target is as if nothing had happened, as soon as the gateway has let go of what was under way.
async fn unblamed(gateway: &Gateway) {
    let settled = async {
        loop {
            let target = gateway.target("p/m").await;
            if target["under_way"] == 0 {
                return target;
            }
        }
    };
    let target = soon("the end of all calls", settled).await;
    assert_eq!([&target["state"], &target["consecutive_failures"]], [&json!("closed"), &json!(0)], "{target}");
    assert_eq!([&target["slots"]["in_use"], &target["window"]["failed"]], [0, 0], "{target}");
}

#[tokio::test]
async fn f39_a_connection_that_never_comes_about_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}/v1", listener.local_addr().expect("an address"));
    let gateway = Gateway::chain(&[("p", &url)], "defaults: { timeouts: { connect: 60s } }").await;
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let client = gateway.send(Ask::stream("chat")).await;
        let (mut upstream, _) = soon("a connection", listener.accept()).await.expect("a connection");
        let mut hello = vec![0; 4096];
        soon("a greeting", upstream.read(&mut hello)).await.expect("a greeting");
        let left = Instant::now();
        drop(client);
        let mut rest = Vec::new();
        let _ = soon("its end", upstream.read_to_end(&mut rest)).await;
        took = took.min(left.elapsed());
    }
    assert!(took <= AT_ONCE, "{took:?}");
    unblamed(&gateway).await;
}

#[tokio::test]
async fn f39_a_place_in_the_queue_is_given_up() {
    let provider = Provider::behaving("{}").await;
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", models: {{ m: {{ max_concurrency: 1 }} }} }} }}
routes: {{ chat: {{ targets: [p/m] }} }}",
        provider.url
    );
    let gateway = Gateway::start(&yaml).await;
    provider.script(&[r#"{"fault":"hang"}"#]);
    let working = gateway.send(Ask::stream("chat")).await;
    soon("a call", provider.control.until(|counts| counts.in_flight == 1)).await;
    let waits = async || gateway.target("p/m").await["slots"]["waiting"] == 1;
    let left = async {
        loop {
            let ask = Ask::stream("chat");
            let waiting = gateway.send(ask.clone()).await;
            // It waits for 100 ms at most: a busy machine may be too slow to see it.
            if !(waits().await || waits().await) {
                continue;
            }
            drop(waiting);
            let record = gateway.record(&ask.id).await;
            if record["outcome"] == "cancelled" {
                return record;
            }
        }
    };
    let record = soon("a client that leaves while it waits", left).await;
    assert_eq!([&record["attempts"], &record["passed_over"][0]["reason"]], [&json!(0), &json!("no slot is free")]);
    drop(working);
    soon("a free slot", async { while gateway.ask(Ask::whole("chat")).await.status != 200 {} }).await;
    unblamed(&gateway).await;
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
async fn f40_a_crowd_that_leaves_at_once_leaves_nothing_behind() {
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
    assert_eq!(gateway.ask(Ask::get("/readyz")).await.status, 200);
    unblamed(&gateway).await;
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
