//! Clocks: connect, first token, idle, total, and the client's own deadline.

use crate::client::{Ask, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Provider, Raw};
use serde_json::json;
use std::time::{Duration, Instant};

const HANG: &str = r#"{"fault":"hang"}"#;
const ENDLESS: &str = r#"{"tokens":1000,"pace":"30ms"}"#;
const STALL: &str = r#"{"pace":"30ms","fault":{"stall":{"after":2}}}"#;

/// What a provider does, what is waited for, and what the client gets after how many milliseconds.
struct Case {
    behaviour: &'static str,
    timeouts: &'static str,
    /// The client's own deadline.
    client: Option<&'static str>,
    stream: bool,
    status: u16,
    code: &'static str,
    cause: &'static str,
    after: u64,
}

const fn case(behaviour: &'static str, timeouts: &'static str, stream: bool, after: u64) -> Case {
    Case { behaviour, timeouts, client: None, stream, status: 504, code: "deadline_exceeded", cause: "deadline", after }
}

const CASES: &[Case] = &[
    // A stream is held to the first token, a whole answer to its share of the total.
    Case {
        status: 502,
        code: "upstream_failed",
        cause: "first_token_timeout",
        ..case(HANG, "first_token: 300ms", true, 300)
    },
    Case {
        status: 502,
        code: "upstream_failed",
        cause: "first_token_timeout",
        ..case(r#"{"first_token":"1m"}"#, "first_token: 300ms", true, 300)
    },
    // Between two pieces, before the commit point and after it.
    Case { status: 502, code: "upstream_failed", cause: "idle_timeout", ..case(STALL, "idle: 300ms", false, 300) },
    Case { status: 200, code: "upstream_failed", cause: "idle_timeout", ..case(STALL, "idle: 300ms", true, 300) },
    // Altogether.
    case(HANG, "total: 400ms", false, 400),
    case(HANG, "total: 400ms", true, 400),
    case(r#"{"fault":"silence"}"#, "total: 400ms", false, 400),
    Case { cause: "first_token_timeout", ..case(HANG, "first_token: 100ms, total: 400ms", false, 400) },
    Case { status: 200, ..case(ENDLESS, "total: 400ms", true, 400) },
    // As the client says, but no longer than the route says.
    Case { client: Some("400"), ..case(HANG, "", false, 400) },
    Case { client: Some("400"), ..case(HANG, "", true, 400) },
    Case { client: Some("400"), status: 200, ..case(ENDLESS, "", true, 400) },
    Case { client: Some("60000"), ..case(HANG, "total: 400ms", false, 400) },
];

#[tokio::test]
async fn each_clock_ends_what_it_watches() {
    together(CASES.iter().enumerate().map(|(place, case)| ends(place, case))).await;
}

async fn ends(place: usize, case: &Case) {
    let Case { behaviour, timeouts, client, stream, status, code, cause, after } = case;
    let provider = Provider::behaving(behaviour).await;
    let timeouts = format!("defaults: {{ timeouts: {{ {timeouts} }} }}");
    let gateway = Gateway::chain(&[("p", &provider.url)], &timeouts).await;
    let ask = Ask::chat("chat", json!({"stream": stream}));
    let ask = client.iter().fold(ask, |ask, millis| ask.header("x-breakwater-timeout-ms", millis));
    let began = Instant::now();
    let answer = gateway.ask(ask).await;
    let took = began.elapsed();
    let told = if *status == 200 { answer.error_event()["code"].clone() } else { json!(answer.code()) };
    assert_eq!((answer.status, told), (*status, json!(code)), "case {place}: {}", answer.text());
    let record = gateway.record(&answer.id).await;
    assert_eq!(record["tried"][0]["cause"], *cause, "case {place}: {record}");
    assert!(took >= Duration::from_millis(*after) && took < Duration::from_secs(5), "case {place}: {took:?}");
}

#[tokio::test]
async fn a_connection_takes_no_longer_than_its_timeout() {
    let mute = Raw::mute().await;
    let url = mute.url.replace("http://", "https://");
    let gateway = Gateway::chain(&[("p", &url)], "defaults: { timeouts: { connect: 300ms } }").await;
    let began = Instant::now();
    let answer = gateway.ask(Ask::whole("chat")).await;
    let took = began.elapsed();
    assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"));
    assert_eq!(gateway.record(&answer.id).await["tried"][0]["cause"], "connect_timeout");
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_route_has_its_own_clocks() {
    let provider = Provider::behaving(HANG).await;
    let routes = "routes:
  quick: { targets: [p/m], timeouts: { total: 300ms } }
defaults: { timeouts: { total: 10m } }";
    let gateway = Gateway::start(&config(&[("p", &provider.url)], routes)).await;
    assert_eq!(gateway.ask(Ask::whole("quick")).await.code(), "deadline_exceeded");
}

#[tokio::test]
async fn a_deadline_that_cannot_be_read_is_refused() {
    let provider = Provider::behaving("{}").await;
    let gateway = Gateway::chain(&[("p", &provider.url)], "").await;
    for text in ["0", "-1", "1.5", "soon", ""] {
        let answer = gateway.ask(Ask::whole("chat").header("x-breakwater-timeout-ms", text)).await;
        assert_eq!((answer.status, &*answer.code()), (400, "invalid_request"), "{text}");
        assert_eq!(answer.json()["error"]["param"], "x-breakwater-timeout-ms");
        assert_eq!(gateway.record(&answer.id).await["outcome"], "client_error");
    }
    assert_eq!(provider.calls(), 0);
}
