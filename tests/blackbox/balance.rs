//! Which target a call goes to, and what is left where none answers: balancing, sessions, hedges, last resorts, larger
//! windows, refusals, and service without anything outside the process.

use crate::client::{Answer, Ask, soon, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Closed, Provider};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const CRASHED: &str = r#"{"fault":{"status":{"status":500}}}"#;

/// Two providers whose answers say who they are, and what each of them does besides.
async fn two(a: &str, b: &str) -> (Provider, Provider) {
    let named = |name: &str, more: &str| format!(r#"{{"text":"{name}"{more}}}"#);
    (Provider::behaving(&named("a", a)).await, Provider::behaving(&named("b", b)).await)
}

/// A gateway over two targets of equal priority.
async fn shared(a: &Provider, b: &Provider, rest: &str) -> Gateway {
    let targets = "[{ target: a/m, priority: 1 }, { target: b/m, priority: 1 }]";
    let route = format!("routes: {{ chat: {{ targets: {targets}{rest} }} }}");
    Gateway::start(&config(&[("a", &a.url), ("b", &b.url)], &route)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.header(&format!("x-breakwater-{name}"))
}

/// Who answered how many of so many calls made one after the other.
async fn serving(gateway: &Gateway, calls: u32) -> BTreeMap<String, u32> {
    let mut who = BTreeMap::new();
    for _ in 0..calls {
        let answer = gateway.ask(Ask::stream("chat")).await;
        assert_eq!((answer.status, header(&answer, "degraded")), (200, None), "{}", answer.text());
        *who.entry(answer.said()).or_default() += 1;
    }
    who
}

fn count(who: &BTreeMap<String, u32>, name: &str) -> u32 {
    who.get(name).copied().unwrap_or(0)
}

#[tokio::test]
async fn the_least_busy_target_gets_the_next_call() {
    let (a, b) = two("", "").await;
    let gateway = shared(&a, &b, ", balance: least_busy").await;
    a.model("m", r#"{"text":"a","first_token":"1m"}"#);
    b.model("m", r#"{"text":"b","first_token":"1m"}"#);
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(gateway.send(Ask::stream("chat")).await);
        let all = calls.len() as u64;
        soon("a call", async {
            while a.control.counts().in_flight + b.control.counts().in_flight < all {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert_eq!((a.control.counts().in_flight, b.control.counts().in_flight), (5, 5));
}

#[tokio::test]
async fn the_quicker_target_gets_most_calls() {
    let (a, b) = two(r#","first_token":"60ms""#, "").await;
    let gateway = shared(&a, &b, ", balance: latency").await;
    // At once, so that both are tried: of one that has never answered a second is expected.
    let one = async |_| assert_eq!(gateway.ask(Ask::stream("chat")).await.status, 200);
    together((0..10).map(one)).await;
    let who = serving(&gateway, 30).await;
    assert!(count(&who, "b") >= 24, "{who:?}");
}

#[tokio::test]
async fn the_cheaper_target_gets_all_calls() {
    let (a, b) = two("", "").await;
    let price = |of: f64| format!("models: {{ m: {{ price: {{ input: {of}, output: {of} }} }} }}");
    let provider =
        |name: &str, url: &str, of| format!("  {name}: {{ kind: openai, base_url: \"{url}\", {} }}\n", price(of));
    let yaml = format!(
        "providers:\n{}{}routes:
  chat: {{ balance: cost, targets: [{{ target: a/m, priority: 1 }}, {{ target: b/m, priority: 1 }}] }}",
        provider("a", &a.url, 2.0),
        provider("b", &b.url, 1.0)
    );
    let gateway = Gateway::start(&yaml).await;
    assert_eq!(serving(&gateway, 10).await, [("b".to_owned(), 10)].into());
}

#[tokio::test]
async fn weights_share_calls_out() {
    let (a, b) = two("", "").await;
    let route = "routes:
  chat: { targets: [{ target: a/m, priority: 1, weight: 3 }, { target: b/m, priority: 1, weight: 1 }] }";
    let gateway = Gateway::start(&config(&[("a", &a.url), ("b", &b.url)], route)).await;
    let who = serving(&gateway, 200).await;
    // Mean 150, deviation 6.
    assert!((110..=190).contains(&count(&who, "a")), "{who:?}");
}

#[tokio::test]
async fn a_session_stays_where_it_is_as_long_as_it_can() {
    let (a, b) = two("", "").await;
    let gateway = shared(&a, &b, "").await;
    let mut homes = BTreeMap::new();
    for session in 0..20 {
        let ask = || Ask::whole("chat").header("x-breakwater-session", &format!("s{session}"));
        let home = gateway.ask(ask()).await.said();
        for _ in 0..4 {
            assert_eq!(gateway.ask(ask()).await.said(), home, "session {session}");
        }
        homes.insert(session, home);
    }
    let at_a = homes.values().filter(|home| *home == "a").count();
    assert!((1..20).contains(&at_a), "sessions spread: {homes:?}");
    a.model("m", CRASHED);
    for (session, home) in &homes {
        let answer = gateway.ask(Ask::whole("chat").header("x-breakwater-session", &format!("s{session}"))).await;
        assert_eq!((answer.status, &*answer.said()), (200, "b"), "session {session}, at home at {home}");
    }
}

#[tokio::test]
async fn a_hedge_is_asked_beside_one_that_is_slow() {
    let (a, b) = two(r#","first_token":"5s""#, "").await;
    let hedge = "defaults: { hedge: { after: 150ms, max_share: 100% } }";
    let gateway = Gateway::chain(&[("a", &a.url), ("b", &b.url)], hedge).await;
    let began = Instant::now();
    let answer = gateway.ask(Ask::stream("chat")).await;
    let took = began.elapsed();
    assert_eq!((answer.status, &*answer.said(), header(&answer, "target")), (200, "b", Some("b/m")));
    assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(2), "{took:?}");
    soon("the loser's end", a.control.until(|counts| counts.in_flight == 0 && counts.cancelled == 1)).await;
    let record = gateway.record(&answer.id).await;
    let told = [&record["tried"][0]["cause"], &record["tried"][0]["verdict"], &record["tried"][1]["kind"]];
    assert_eq!(told, ["outrun", "neutral", "hedge"], "{record}");
    gateway.expect(&[(r#"retries_total{reason="hedge",route="chat"}"#, 1.0)]).await;
    assert_eq!(gateway.target("a/m").await["consecutive_failures"], 0, "slow is not broken");
    assert_eq!(gateway.ask(Ask::whole("chat")).await.said(), "a", "one that is not slow is not hedged");
    a.model("m", r#"{"text":"a","latency":"5s"}"#);
    assert_eq!(gateway.ask(Ask::whole("chat")).await.said(), "b", "a whole answer is hedged like a stream");
}

#[tokio::test]
async fn hedges_are_a_share_of_the_calls() {
    let (a, b) = two(r#","first_token":"150ms""#, "").await;
    let hedge = "defaults: { hedge: { after: 30ms, max_share: 10% } }";
    let gateway = Gateway::chain(&[("a", &a.url), ("b", &b.url)], hedge).await;
    let one = async |_| assert_eq!(gateway.ask(Ask::stream("chat")).await.status, 200);
    for _ in 0..4 {
        together((0..10).map(one)).await;
    }
    assert!((1..=4).contains(&b.calls()), "{} hedges for 40 calls", b.calls());
}

#[tokio::test]
async fn a_last_resort_answers_where_no_target_does() {
    let closed = Closed::new();
    let (down, small) = (format!("http://{}/v1", closed.address), Provider::named("small").await);
    let routes = "routes:
  chat: { targets: [p/m], last_resort: [{ route: small }, { static: 'Please come back.' }] }
  only: { targets: [p/m], last_resort: [{ static: 'Please come back.' }] }
  small: { targets: [s/m] }";
    let gateway = Gateway::start(&config(&[("p", &down), ("s", &small.url)], routes)).await;
    for stream in [false, true] {
        let ask = |route: &str| Ask::chat(route, json!({"stream": stream}));
        let answer = gateway.ask(ask("chat")).await;
        assert_eq!((answer.status, &*answer.said(), header(&answer, "degraded")), (200, "small", Some("fallback")));
        assert_eq!(header(&answer, "target"), Some("s/m"));
        assert_eq!(gateway.record(&answer.id).await["outcome"], "degraded");
        let answer = gateway.ask(ask("only")).await;
        let told = [header(&answer, "degraded"), header(&answer, "target")];
        assert_eq!((answer.status, &*answer.said(), told), (200, "Please come back.", [Some("static"), None]));
        assert!(!stream || answer.sketch().ends_with("D."), "{}", answer.sketch());
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["degraded"]], ["degraded", "static"], "{record}");
    }
    small.model("m", CRASHED);
    let answer = gateway.ask(Ask::whole("chat")).await;
    assert_eq!((answer.said().as_str(), header(&answer, "degraded")), ("Please come back.", Some("static")));
    small.model("m", r#"{"fault":{"status":{"status":400,"message":"not like this"}}}"#);
    assert_eq!(gateway.ask(Ask::whole("small")).await.status, 400);
    assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 400, "the client's own mistake is not smoothed over");
}

#[tokio::test]
async fn a_question_too_long_goes_to_a_larger_window() {
    let long = r#"{"fault":{"status":{"status":400,"code":"context_length_exceeded","message":"too long"}}}"#;
    let (small, same) = (Provider::behaving(long).await, Provider::named("same").await);
    let large = Provider::named("large").await;
    let provider = |name: &str, url: &str, window: u32| {
        format!("  {name}: {{ kind: openai, base_url: \"{url}\", models: {{ m: {{ context_window: {window} }} }} }}\n")
    };
    let yaml = format!(
        "providers:\n{}{}{}routes: {{ chat: {{ targets: [small/m, same/m, large/m] }}, alike: {{ targets: [small/m, same/m] }} }}",
        provider("small", &small.url, 8_000),
        provider("same", &same.url, 8_000),
        provider("large", &large.url, 100_000)
    );
    let gateway = Gateway::start(&yaml).await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!((answer.status, &*answer.said()), (200, "large"));
    let answer = gateway.ask(Ask::whole("alike")).await;
    assert_eq!((answer.status, &*answer.code()), (400, "context_length_exceeded"), "as the provider worded it");
    assert_eq!((same.calls(), gateway.target("small/m").await["consecutive_failures"].clone()), (0, json!(0)));
}

#[tokio::test]
async fn a_refusal_goes_elsewhere_only_where_the_route_says_so() {
    let refuses = r#"{"fault":{"status":{"status":400,"code":"content_filter","message":"no"}}}"#;
    let (a, b) = (Provider::behaving(refuses).await, Provider::named("b").await);
    let routes = "routes:
  strict: { targets: [a/m, b/m] }
  open: { targets: [a/m, b/m], on_refusal: failover }";
    let gateway = Gateway::start(&config(&[("a", &a.url), ("b", &b.url)], routes)).await;
    let answer = gateway.ask(Ask::whole("strict")).await;
    assert_eq!((answer.status, &*answer.code(), b.calls()), (400, "content_filter", 0));
    assert_eq!(gateway.ask(Ask::whole("open")).await.said(), "b");
    assert_eq!(gateway.target("a/m").await["consecutive_failures"], 0);
}

#[tokio::test]
async fn clients_learn_whether_to_try_again_themselves() {
    let provider = Provider::behaving(CRASHED).await;
    let routes = "routes: { once: { targets: [p/m], retry: { max_attempts: 1 } }, twice: { targets: [p/n], retry: { max_attempts: 2 } } }";
    let gateway = Gateway::start(&config(&[("p", &provider.url)], routes)).await;
    for (route, attempts, told) in [("once", "1", None), ("twice", "2", Some("false"))] {
        let answer = gateway.ask(Ask::whole(route)).await;
        assert_eq!((answer.status, header(&answer, "attempts")), (502, Some(attempts)));
        assert_eq!(answer.header("x-should-retry"), told);
    }
}

#[tokio::test]
async fn priorities_are_read_and_recorded() {
    let provider = Provider::behaving("{}").await;
    let gateway = Gateway::chain(&[("p", &provider.url)], "").await;
    for (priority, recorded) in
        [("critical", json!("critical")), ("normal", Value::Null), ("Sheddable", json!("sheddable"))]
    {
        let answer = gateway.ask(Ask::whole("chat").header("x-breakwater-priority", priority)).await;
        assert_eq!((answer.status, &gateway.record(&answer.id).await["priority"]), (200, &recorded));
    }
    let answer = gateway.ask(Ask::whole("chat").header("x-breakwater-priority", "urgent")).await;
    assert_eq!((answer.status, &*answer.code()), (400, "invalid_request"));
    assert_eq!(answer.json()["error"]["param"], "x-breakwater-priority");
}

#[tokio::test]
async fn it_serves_on_with_its_configuration_gone_and_its_providers_down() {
    let (closed, well) = (Closed::new(), Provider::named("well").await);
    let down = format!("http://{}/v1", closed.address);
    let routes = "routes: { well: { targets: [well/m] }, down: { targets: [down/m] } }";
    let gateway = Gateway::start(&config(&[("well", &well.url), ("down", &down)], routes)).await;
    gateway.forget_configuration();
    for _ in 0..10 {
        assert_eq!(gateway.ask(Ask::whole("down")).await.status, 503);
        assert_eq!(gateway.ask(Ask::stream("well")).await.said(), "well");
        for port in [gateway.data, gateway.admin] {
            assert_eq!(Ask::get("/readyz").send(port).await.answer().await.status, 200);
        }
    }
    assert_eq!(gateway.target("down/m").await["state"], "open");
    gateway.process.signal("INT");
    assert_eq!(gateway.process.exit().await, Some(0));
}

#[tokio::test]
async fn it_starts_and_serves_with_nothing_but_its_file() {
    let (closed, well) = (Closed::new(), Provider::named("well").await);
    let down = format!("http://{}/v1", closed.address);
    let nowhere = format!("http://{}.invalid/v1", "x".repeat(64));
    let routes = "routes: { chat: { targets: [down/m, nowhere/m, well/m] }, down: { targets: [down/m, nowhere/m] } }";
    let providers = [("down", &*down), ("nowhere", &*nowhere), ("well", &*well.url)];
    let mut gateway = Gateway::start(&config(&providers, routes)).await;
    // No database, no name service, nobody who reads the metrics; and it was killed, not told to end.
    for _ in 0..3 {
        assert_eq!(gateway.ask(Ask::whole("down")).await.status, 503);
        for _ in 0..10 {
            assert_eq!(gateway.ask(Ask::stream("chat")).await.said(), "well");
        }
        let began = Instant::now();
        gateway = gateway.again().await;
        assert_eq!(gateway.ask(Ask::stream("chat")).await.said(), "well", "with the first call");
        assert!(began.elapsed() < Duration::from_secs(5), "after {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn the_page_of_targets_is_for_operators() {
    let provider = Provider::behaving("{}").await;
    let yaml = "routes: { chat: { targets: [p/m] } }\nadmin: { token: sk-admin-1 }";
    let gateway = Gateway::start(&config(&[("p", &provider.url)], yaml)).await;
    let status = async |to, key: &str| {
        Ask::get("/api/targets").header("authorization", key).send(to).await.answer().await.status
    };
    assert_eq!(status(gateway.admin, "Bearer sk-admin-1").await, 200);
    assert_eq!(status(gateway.admin, "Bearer sk-admin-2").await, 401);
    assert_eq!(status(gateway.data, "Bearer sk-admin-1").await, 404);
}
