//! More calls than a provider can take: what can be served is served, the rest is refused at once, the important ones
//! last of all; and trouble stays where it is.
//!
//! Loads are open: calls leave at their times whether others have ended or not; they have the machine to themselves.
//! Must never be here: single faults.

use crate::client::{Ask, soon, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Provider, Raw};
use crate::turn;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A provider that works on four calls at a time, for 80 ms each: fifty a second. Others wait.
const FIFTY_A_SECOND: &str = r#"{"tokens":2,"latency":"80ms","capacity":{"slots":4,"queue":1000}}"#;
/// Twice what it works on: slots are never idle between two calls.
const SLOTS: u32 = 8;

/// What became of a call.
#[derive(Clone, Copy, Debug)]
struct Done {
    status: u16,
    /// Whether it is an answer with its end.
    whole: bool,
    at: Instant,
    took: Duration,
}

async fn call(ask: Ask, to: SocketAddr) -> Done {
    let began = Instant::now();
    let answer = ask.send(to).await.answer().await;
    let at = Instant::now();
    Done { status: answer.status, whole: answer.sketch().ends_with("fD."), at, took: at - began }
}

/// Sends a call every `every` for as long as `during`, and waits for all of them.
async fn open_loop(to: SocketAddr, every: Duration, during: Duration, ask: impl Fn(u32) -> Ask) -> Vec<Done> {
    let (began, mut calls) = (Instant::now(), JoinSet::new());
    for number in 0.. {
        let due = began + every * number;
        if due >= began + during {
            break;
        }
        tokio::time::sleep_until(due).await;
        calls.spawn(call(ask(number), to));
    }
    soon("the end of all calls", calls.join_all()).await
}

fn served(all: &[Done]) -> Vec<Done> {
    all.iter().copied().filter(|done| done.status == 200 && done.whole).collect()
}

/// Good answers a second between two instants.
fn goodput(all: &[Done], from: Instant, until: Instant) -> f64 {
    let within = served(all).iter().filter(|done| done.at >= from && done.at < until).count();
    within as f64 / (until - from).as_secs_f64()
}

/// The duration that so many of a hundred do not exceed.
fn percentile(percent: usize, mut all: Vec<Duration>) -> Duration {
    assert!(!all.is_empty(), "nothing was measured");
    all.sort();
    all[(all.len() * percent / 100).min(all.len() - 1)]
}

fn took(all: &[Done]) -> Vec<Duration> {
    all.iter().map(|done| done.took).collect()
}

/// How long the gateway took for each of so many refusals, by its own log.
async fn sheds(gateway: &Gateway, count: usize) -> Vec<Duration> {
    let all = async {
        loop {
            let all = logged_sheds(gateway);
            if all.len() >= count {
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the log lines of all refusals", all).await
}

fn logged_sheds(gateway: &Gateway) -> Vec<Duration> {
    let log = gateway.process.stderr.text();
    let records = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let shed = records.filter(|record| record["outcome"] == "shed");
    shed.filter_map(|record| Some(Duration::from_secs_f64(record["duration_ms"].as_f64()? / 1e3))).collect()
}

/// A gateway whose only target `p/m` may have so many calls waiting.
async fn bounded(provider: &Provider, slots: u32, rest: &str) -> Gateway {
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", models: {{ m: {{ max_concurrency: {slots} }} }} }} }}
routes: {{ chat: {{ targets: [p/m] }} }}
{rest}",
        provider.url
    );
    Gateway::start(&yaml).await
}

/// Good answers a second with as many clients as there are slots.
async fn peak(gateway: &Gateway) -> f64 {
    let until = Instant::now() + Duration::from_millis(1600);
    let began = Instant::now();
    let all = std::cell::RefCell::new(Vec::new());
    let client = async |_| {
        while Instant::now() < until {
            let done = call(Ask::stream("chat"), gateway.data).await;
            all.borrow_mut().push(done);
        }
    };
    together((0..SLOTS).map(client)).await;
    goodput(&all.into_inner(), began + Duration::from_millis(200), until)
}

#[tokio::test]
async fn five_times_the_load_costs_no_goodput_and_refusals_are_quick() {
    let _alone = turn::alone();
    let provider = Provider::behaving(FIFTY_A_SECOND).await;
    let gateway = bounded(&provider, SLOTS, "").await;
    let peak = peak(&gateway).await;
    let began = Instant::now();
    let all = open_loop(gateway.data, Duration::from_millis(4), Duration::from_secs(3), |_| Ask::stream("chat")).await;
    let good = goodput(&all, began + Duration::from_millis(500), began + Duration::from_secs(3));
    assert!(good >= 0.9 * peak, "{good} good answers a second of {peak}");
    let refused: Vec<_> = all.iter().filter(|done| done.status == 503).collect();
    assert_eq!(refused.len() + served(&all).len(), all.len(), "an answer or a refusal");
    assert!(refused.len() > all.len() / 2, "{} of {}", refused.len(), all.len());
    let seen: Vec<_> = refused.iter().map(|done| done.took).collect();
    let (middle, late) = (percentile(50, seen.clone()), percentile(99, seen));
    let own = percentile(50, sheds(&gateway, refused.len()).await);
    assert!(own <= Duration::from_millis(10), "refused after {own:?}");
    // As the client sees it, on a machine that it shares with the gateway and the provider.
    assert!(middle <= Duration::from_millis(50), "refused after {middle:?}");
    // The first ones wait for 100 ms, before it is clear that there is too much.
    assert!(late <= Duration::from_millis(250), "refused after {late:?}");
    let slowest = percentile(100, took(&served(&all)));
    assert!(slowest < Duration::from_secs(2), "served after {slowest:?}");
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!(answer.status, 200, "and it is over when it is over");
    gateway.expect(&[(r#"inflight{route="chat"}"#, 0.0)]).await;
}

#[tokio::test]
async fn a_refusal_says_what_it_is() {
    let provider = Provider::behaving(r#"{"fault":"hang"}"#).await;
    let gateway = bounded(&provider, 1, "").await;
    let _working = gateway.send(Ask::stream("chat")).await;
    soon("a call", provider.control.until(|counts| counts.in_flight == 1)).await;
    for ask in [Ask::stream("chat"), Ask::whole("chat")] {
        let answer = gateway.ask(ask).await;
        assert_eq!((answer.status, &*answer.code()), (503, "overloaded"), "{}", answer.text());
        assert!(answer.header("retry-after").is_some(), "{}", answer.head);
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["error"]], ["shed", "overloaded"], "{record}");
        let told = [&record["attempts"], &record["passed_over"][0]["reason"]];
        assert_eq!(told, [&json!(0), &json!("no slot is free")], "{record}");
    }
    assert_eq!(gateway.target("p/m").await["slots"]["limit"], 1);
}

#[tokio::test]
async fn a_full_target_leaves_its_calls_to_the_next() {
    let (provider, spare) = (Provider::behaving(r#"{"fault":"hang"}"#).await, Provider::behaving("{}").await);
    let yaml = format!(
        "providers:
  p: {{ kind: openai, base_url: \"{}\", models: {{ m: {{ max_concurrency: 2 }} }} }}
  spare: {{ kind: openai, base_url: \"{}\" }}
routes: {{ chat: {{ targets: [p/m, spare/m] }} }}",
        provider.url, spare.url
    );
    let gateway = Gateway::start(&yaml).await;
    let _working = (gateway.send(Ask::stream("chat")).await, gateway.send(Ask::stream("chat")).await);
    soon("two calls", provider.control.until(|counts| counts.in_flight == 2)).await;
    for _ in 0..5 {
        let answer = gateway.ask(Ask::whole("chat")).await;
        let told = ["target", "attempts", "degraded"].map(|name| answer.header(&format!("x-breakwater-{name}")));
        assert_eq!((answer.status, told), (200, [Some("spare/m"), Some("1"), Some("fallback")]));
        assert!(gateway.record(&answer.id).await["waited_ms"].is_null(), "it does not wait");
    }
}

#[tokio::test]
async fn what_matters_is_served_while_the_rest_is_refused() {
    let _alone = turn::alone();
    let provider = Provider::behaving(FIFTY_A_SECOND).await;
    let gateway = bounded(&provider, SLOTS, "").await;
    let (to, during) = (gateway.data, Duration::from_secs(3));
    let of = |priority: &'static str| move |_| Ask::stream("chat").header("x-breakwater-priority", priority);
    let (critical, sheddable) = tokio::join!(
        open_loop(to, Duration::from_millis(100), during, of("critical")),
        open_loop(to, Duration::from_millis(5), during, of("sheddable")),
    );
    let share = |all: &[Done]| served(all).len() as f64 / all.len() as f64;
    let (critical, sheddable) = (share(&critical), share(&sheddable));
    assert!(critical >= 0.9, "{critical} of the critical calls, {sheddable} of the sheddable");
    assert!(sheddable <= 0.5, "{sheddable} of the sheddable calls");
}

#[tokio::test]
async fn a_provider_that_hangs_is_no_concern_of_other_routes() {
    let _alone = turn::alone();
    let (hung, well) = (Raw::mute().await, Provider::behaving(r#"{"tokens":3}"#).await);
    let routes = "routes: { hung: { targets: [hung/m] }, well: { targets: [well/m] } }";
    let gateway = Gateway::start(&config(&[("hung", &hung.url), ("well", &well.url)], routes)).await;
    let latency = async || {
        let mut all = Vec::new();
        for _ in 0..300 {
            let done = call(Ask::stream("well"), gateway.data).await;
            assert!(done.whole, "{done:?}");
            all.push(done.took);
        }
        (percentile(50, all.clone()), percentile(99, all))
    };
    // Not the first calls: they open connections and fault pages in.
    latency().await;
    let before = latency().await;
    let mut hanging = Vec::new();
    for _ in 0..200 {
        hanging.push(gateway.send(Ask::stream("hung")).await);
    }
    gateway.expect(&[(r#"inflight{route="hung"}"#, 200.0)]).await;
    let during = latency().await;
    // Unchanged but for noise, of which the slowest few calls have more; without bulkheads it would be seconds.
    assert!(during.0 <= before.0 * 5 / 4 + Duration::from_millis(1), "median {during:?}, before {before:?}");
    assert!(during.1 <= before.1 * 3 / 2 + Duration::from_millis(10), "p99 {during:?}, before {before:?}");
}

#[tokio::test]
async fn a_noisy_caller_does_not_starve_a_quiet_one() {
    let _alone = turn::alone();
    // Sixteen slots, each for 100 ms.
    let provider = Provider::behaving(r#"{"tokens":2,"latency":"100ms"}"#).await;
    let callers = "callers: [{ name: noisy, key: sk-caller-noisy }, { name: quiet, key: sk-caller-quiet }]";
    let gateway = bounded(&provider, 16, callers).await;
    let (to, during) = (gateway.data, Duration::from_secs(3));
    let of = |key: &'static str| move |_| Ask::stream("chat").header("authorization", key);
    let every = Duration::from_millis(50);
    let before = open_loop(to, every, during, of("Bearer sk-caller-quiet")).await;
    let (noisy, quiet) = tokio::join!(
        open_loop(to, Duration::from_millis(3), during, of("Bearer sk-caller-noisy")),
        open_loop(to, every, during, of("Bearer sk-caller-quiet")),
    );
    let share = |all: &[Done]| served(all).len() as f64 / all.len() as f64;
    let latency = |all: &[Done]| (percentile(50, took(&served(all))), percentile(99, took(&served(all))));
    let (before, while_noisy) = (latency(&before), latency(&quiet));
    let (noisy, quiet) = (share(&noisy), share(&quiet));
    assert!(quiet >= 0.9 && quiet > noisy, "{quiet} of the quiet caller's calls, {noisy} of the noisy one's");
    // A slot comes free every 6 ms, and who holds few gets the next: half of the calls hardly wait. None waits for longer
    // than the queue keeps anybody, which is 100 ms.
    assert!(while_noisy.0 <= before.0 * 3 / 2, "median and p99 {while_noisy:?}, alone {before:?}");
    assert!(while_noisy.1 <= before.1 + Duration::from_millis(120), "median and p99 {while_noisy:?}, alone {before:?}");
}
