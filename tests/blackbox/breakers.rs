//! Targets that fail again and again: when they are left alone, for how long, and how they come back (F01, F02, F21 to F27, F41,
//! F43, F44 of the catalogue; `faults` has the table).

use crate::child::skip;
use crate::client::{Ask, soon, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Blackhole, Closed, Provider};
use serde_json::Value;
use simulator::{Behaviour, Settings};
use std::time::{Duration, Instant};

const CRASHED: &str = r#"{"fault":{"status":{"status":500}}}"#;
const OVERLOADED: &str = r#"{"fault":{"status":{"status":529}}}"#;

/// Asks so many times at once; everybody has to be answered well.
async fn flood(gateway: &Gateway, model: &str, count: usize) {
    let one = async |_| {
        let answer = gateway.ask(Ask::whole(model)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    together((0..count).map(one)).await;
}

/// The middle one.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn millis(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[tokio::test]
async fn f01_a_refused_connection_costs_next_to_nothing_and_five_of_them_open_the_breaker() {
    let (closed, spare) = (Closed::new(), Provider::behaving(r#"{"tokens":3}"#).await);
    let url = format!("http://{}/v1", closed.address);
    let gateway = Gateway::chain(&[("bad", &url), ("spare", &spare.url)], "").await;
    let (mut attempts, mut after) = (0, Vec::new());
    for _ in 0..8 {
        let answer = gateway.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, &*answer.said()), (200, "A gateway keeps"));
        let record = gateway.record(&answer.id).await;
        if record["tried"][0]["target"] == "bad/m" {
            attempts += 1;
            after.push(millis(&record["tried"][1]["begun_ms"]));
        } else {
            let passed = &record["passed_over"][0];
            assert_eq!(passed["target"], "bad/m", "{record}");
            assert!(passed["reason"].as_str().is_some_and(|why| why.contains("in a row")), "{record}");
            assert!((1.0..=6000.0).contains(&millis(&passed["for_ms"])), "{record}");
        }
    }
    assert_eq!(attempts, 5);
    let after = median(after);
    assert!(after <= 50.0, "failover took {after} ms");
    assert_eq!(gateway.target("bad/m").await["reason"], "consecutive");
}

#[tokio::test]
async fn f02_packets_that_vanish_cost_the_connect_timeout_until_the_breaker_opens() {
    if !cfg!(target_os = "linux") {
        return skip("f02", "only Linux drops packets for a full queue");
    }
    let (hole, spare) = (Blackhole::new().await, Provider::behaving(r#"{"tokens":3}"#).await);
    let url = format!("http://{}/v1", hole.address);
    let rest = "defaults: { timeouts: { connect: 300ms }, breaker: { open: 1m } }";
    let gateway = Gateway::chain(&[("bad", &url), ("spare", &spare.url)], rest).await;
    let (mut calls, mut quickest) = (0, f64::INFINITY);
    // Five, and on a machine that stands still now and then one more for each time: the gateway's lateness is not counted.
    while gateway.target("bad/m").await["state"] == "closed" {
        let answer = gateway.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, &*answer.said()), (200, "A gateway keeps"));
        let record = gateway.record(&answer.id).await;
        let tried = &record["tried"][0];
        assert_eq!((&tried["target"], &tried["cause"]), (&"bad/m".into(), &"connect_timeout".into()), "{record}");
        let took = millis(&tried["ms"]);
        assert!(took >= 300.0, "{record}");
        quickest = quickest.min(took);
        calls += 1;
        assert!(calls < 15, "it should be open by now");
    }
    assert!(calls >= 5 && quickest <= 400.0, "{calls} calls, the quickest after {quickest} ms");
    assert_eq!(gateway.target("bad/m").await["reason"], "consecutive");
    for _ in 0..10 {
        let answer = gateway.ask(Ask::whole("chat")).await;
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["attempts"], &record["target"]], [&1.into(), &Value::from("spare/m")], "{record}");
        assert_eq!(record["passed_over"][0]["target"], "bad/m", "{record}");
    }
}

/// Asks once and, while that call probes `bad`, so many times more; nobody but the one has to get there, and everybody
/// has to be answered well.
async fn probed(gateway: &Gateway, bad: &Provider, others: usize) {
    gateway.until_target("bad/m", "half_open").await;
    let before = bad.calls();
    let probe = gateway.send(Ask::whole("chat")).await;
    soon("a probe", bad.control.until(|counts| counts.in_flight == 1)).await;
    flood(gateway, "chat", others).await;
    assert_eq!(bad.control.counts().in_flight, 1, "the probe outlasts the others");
    assert_eq!(bad.calls(), before + 1, "one probe, and no second one beside it");
    assert_eq!(probe.answer().await.status, 200);
}

#[tokio::test]
async fn f21_an_overloaded_target_is_probed_by_one_call_at_a_time_and_comes_back_slowly() {
    let (bad, spare) = (Provider::behaving(OVERLOADED).await, Provider::behaving("{}").await);
    let breaker = "defaults: { breaker: { open: 300ms, max_open: 300ms } }";
    let gateway = Gateway::chain(&[("bad", &bad.url), ("spare", &spare.url)], breaker).await;
    for _ in 0..5 {
        flood(&gateway, "chat", 1).await;
    }
    assert_eq!((bad.calls(), &gateway.target("bad/m").await["reason"]), (5, &"consecutive".into()));
    bad.model("m", r#"{"latency":"1500ms","fault":{"status":{"status":529}}}"#);
    probed(&gateway, &bad, 20).await;
    bad.model("m", r#"{"latency":"1500ms"}"#);
    let well = Instant::now();
    for _ in 0..3 {
        probed(&gateway, &bad, 10).await;
    }
    let closed = gateway.until_target("bad/m", "closed").await;
    assert!(well.elapsed() < Duration::from_secs(10), "closed after {:?}", well.elapsed());
    let share = closed["share"].as_f64().expect("a share");
    assert!((0.1..0.2).contains(&share), "{closed}");
    bad.model("m", "{}");
    flood(&gateway, "chat", 100).await;
    // A tenth of 100 by chance: mean 10, deviation 3. More than 30 comes once in a billion runs.
    let burst = bad.calls() - 9;
    assert!(burst <= 30, "{burst} of 100 calls went to a target that is just back");
}

#[tokio::test]
async fn f22_half_of_the_calls_failing_opens_by_ratio_and_no_client_sees_it() {
    let behaviour = Behaviour::from_json(br#"{"share":0.5,"fault":{"status":{"status":500}}}"#).expect("a behaviour");
    let bad = Provider::start(Settings { behaviour, seed: 4, ..Settings::default() }).await;
    let spare = Provider::behaving("{}").await;
    // Five in a row may well come first, by chance.
    let ratio = "defaults: { breaker: { consecutive: 0 } }";
    let gateway = Gateway::chain(&[("bad", &bad.url), ("spare", &spare.url)], ratio).await;
    let opened = async {
        loop {
            flood(&gateway, "chat", 4).await;
            let target = gateway.target("bad/m").await;
            if target["state"] != "closed" {
                return target;
            }
        }
    };
    let target = soon("the breaker to open", opened).await;
    assert_eq!([&target["state"], &target["reason"]], ["open", "ratio"], "{target}");
    let calls = bad.calls();
    // 20 for the window to speak; the share swings around a half for a few calls more.
    assert!((20..=40).contains(&calls), "{calls} calls");
}

#[tokio::test]
async fn f23_a_single_target_that_fails_is_left_alone_after_five_and_refused_at_once() {
    let bad = Provider::behaving(CRASHED).await;
    let gateway = Gateway::chain(&[("bad", &bad.url)], "").await;
    let mut refused = Vec::new();
    for _ in 0..25 {
        let answer = gateway.ask(Ask::whole("chat")).await;
        let record = gateway.record(&answer.id).await;
        if record["attempts"] == 0 {
            assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"));
            assert!(answer.header("retry-after").is_some_and(|wait| (1..=6).contains(&wait.parse().unwrap_or(0))));
            refused.push(millis(&record["duration_ms"]));
        } else {
            assert_eq!((answer.status, &*answer.code()), (502, "upstream_failed"));
        }
    }
    assert_eq!((bad.calls(), refused.len()), (5, 23), "two calls, of three attempts and of two");
    let took = median(refused);
    assert!(took <= 5.0, "refused after {took} ms");
}

#[tokio::test]
async fn f25_one_model_that_fails_leaves_its_siblings_alone() {
    let (provider, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    provider.model("down", CRASHED);
    let routes = "routes: { down: { targets: [p/down, s/m] }, well: { targets: [p/well] } }";
    let gateway = Gateway::start(&config(&[("p", &provider.url), ("s", &spare.url)], routes)).await;
    for _ in 0..10 {
        flood(&gateway, "down", 1).await;
        let answer = gateway.ask(Ask::whole("well")).await;
        let record = gateway.record(&answer.id).await;
        assert_eq!((answer.status, &record["attempts"], &record["outcome"]), (200, &1.into(), &"success".into()));
        assert!(record["passed_over"].is_null(), "{record}");
    }
    assert_eq!(gateway.target("p/down").await["state"], "open");
    assert_eq!(gateway.target("p/well").await["state"], "closed");
}

#[tokio::test]
async fn f26_half_of_a_failure_domain_speaks_for_all_of_it() {
    let (provider, spare) = (Provider::behaving(CRASHED).await, Provider::behaving("{}").await);
    let routes = "routes: { a: { targets: [p/a, s/m] }, b: { targets: [p/b, s/m] }, c: { targets: [p/c, s/m] } }";
    let gateway = Gateway::start(&config(&[("p", &provider.url), ("s", &spare.url)], routes)).await;
    for model in ["a", "b"] {
        for _ in 0..5 {
            flood(&gateway, model, 1).await;
        }
    }
    assert_eq!(provider.calls(), 10);
    let target = gateway.target("p/c").await;
    assert_eq!((&target["state"], &target["reason"]), (&"open".into(), &"domain".into()), "{target}");
    let answer = gateway.ask(Ask::whole("c")).await;
    let record = gateway.record(&answer.id).await;
    assert_eq!((answer.status, &record["passed_over"][0]["target"]), (200, &"p/c".into()), "{record}");
    assert_eq!(provider.calls(), 10, "it was never asked");
}

#[tokio::test]
async fn f26_who_cannot_be_reached_is_left_with_the_second_attempt() {
    let (closed, spare) = (Closed::new(), Provider::behaving("{}").await);
    let url = format!("http://{}/v1", closed.address);
    let routes = "routes: { chat: { targets: [p/a, p/b, p/c, s/m] } }";
    let gateway = Gateway::start(&config(&[("p", &url), ("s", &spare.url)], routes)).await;
    let answer = gateway.ask(Ask::whole("chat")).await;
    let told = ["target", "attempts"].map(|name| answer.header(&format!("x-breakwater-{name}")));
    assert_eq!((answer.status, told), (200, [Some("s/m"), Some("2")]));
}

#[tokio::test]
async fn f27_with_every_target_down_clients_are_refused_at_once_and_targets_left_alone() {
    let bad = Provider::behaving(CRASHED).await;
    let other = Provider::behaving(OVERLOADED).await;
    let gateway = Gateway::chain(&[("a", &bad.url), ("b", &other.url)], "").await;
    let (mut refused, mut calls) = (Vec::new(), 0);
    while refused.len() < 50 {
        let answer = gateway.ask(Ask::stream("chat")).await;
        let record = gateway.record(&answer.id).await;
        calls += 1;
        if record["attempts"] == 0 {
            assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"), "{}", answer.text());
            assert!(answer.header("retry-after").is_some_and(|wait| (1..=6).contains(&wait.parse().unwrap_or(0))));
            assert_eq!(record["passed_over"].as_array().map(Vec::len), Some(2), "{record}");
            refused.push(millis(&record["duration_ms"]));
        }
        assert!(calls < 70, "both should be open by now");
    }
    let took = median(refused);
    assert!(took <= 10.0, "refused after {took} ms");
    assert!(bad.calls() + other.calls() <= 12, "{} and {}", bad.calls(), other.calls());
    let ready = Ask::get("/readyz").send(gateway.data).await.answer().await;
    assert_eq!(ready.status, 200, "readiness is the gateway's own");
}

#[tokio::test]
async fn f27_retries_stay_a_share_of_the_calls() {
    const CALLS: usize = 400;
    let bad = Provider::behaving(CRASHED).await;
    let breaker = "defaults: { breaker: { consecutive: 0, min_calls: 1000000 } }";
    let gateway = Gateway::chain(&[("bad", &bad.url)], breaker).await;
    let one = async |_| assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 502);
    for _ in 0..CALLS / 100 {
        together((0..100).map(one)).await;
    }
    // 20 % of the calls, and the floor of 3 a second over the ten seconds that it lives.
    let most = CALLS as f64 * 1.2 + 30.0;
    assert!(bad.calls() as f64 <= most && bad.calls() > CALLS as u64, "{} calls", bad.calls());
    let left = crate::gateway::sample(&gateway.metrics().await, r#"retry_budget_remaining{route="chat"}"#);
    assert!(left.is_some_and(|left| left < 30.0), "{left:?}");
}

#[tokio::test]
async fn f41_a_probe_whose_client_leaves_is_given_back() {
    let bad = Provider::behaving(CRASHED).await;
    let rest = "defaults: { breaker: { open: 300ms, max_open: 300ms }, retry: { max_attempts: 1 } }";
    let gateway = Gateway::chain(&[("bad", &bad.url)], rest).await;
    for _ in 0..5 {
        assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 502);
    }
    gateway.until_target("bad/m", "half_open").await;
    bad.model("m", r#"{"fault":"hang"}"#);
    let probe = gateway.send(Ask::stream("chat")).await;
    soon("a probe", bad.control.until(|counts| counts.in_flight == 1)).await;
    assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 503, "no second one beside it");
    bad.model("m", "{}");
    let left = Instant::now();
    drop(probe);
    soon("the next probe", async { while gateway.ask(Ask::whole("chat")).await.status != 200 {} }).await;
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
}

#[tokio::test]
async fn f43_time_that_the_gateway_itself_lost_is_nobodys_failure() {
    let provider = Provider::behaving(r#"{"fault":"hang"}"#).await;
    let rest = "defaults: { timeouts: { first_token: 2s }, retry: { max_attempts: 1 } }";
    let gateway = Gateway::chain(&[("p", &provider.url)], rest).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(gateway.send(Ask::stream("chat")).await);
    }
    soon("six calls", provider.control.until(|counts| counts.in_flight == 6)).await;
    gateway.process.signal("STOP");
    // Not to wait for anything: this is what is staged.
    tokio::time::sleep(Duration::from_secs(3)).await;
    gateway.process.signal("CONT");
    for call in waiting {
        assert_eq!(call.answer().await.status, 502);
    }
    let target = gateway.target("p/m").await;
    assert_eq!((&target["state"], &target["consecutive_failures"]), (&"closed".into(), &0.into()), "{target}");
    // On a busy machine the gateway may be late once more.
    let counted = async { while silent(&gateway).await == 0 {} };
    soon("the target's own silence to be counted", counted).await;
}

/// Asks a target that is silent; how many failures in a row are counted then.
async fn silent(gateway: &Gateway) -> u64 {
    assert_eq!(gateway.ask(Ask::stream("chat")).await.status, 502);
    gateway.target("p/m").await["consecutive_failures"].as_u64().expect("a count")
}

/// Where libfaketime is, which is not on every machine; `LIBFAKETIME` names another place.
fn libfaketime() -> Option<String> {
    let usual = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib"];
    let usual = usual.map(|place| format!("{place}/faketime/libfaketime.so.1"));
    std::env::var("LIBFAKETIME").into_iter().chain(usual).find(|path| std::path::Path::new(path).exists())
}

#[tokio::test]
async fn f44_a_clock_that_jumps_moves_no_timer() {
    let Some(library) = libfaketime() else {
        return skip("f44", "there is no libfaketime here (apt-get install faketime)");
    };
    let clock = tempfile::NamedTempFile::new().expect("a file");
    let jump = |to: &str| std::fs::write(clock.path(), format!("{to}\n")).expect("a file");
    jump("+0");
    let (provider, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let routes = "routes: { chat: { targets: [p/m, s/m] }, long: { targets: [s/long] } }";
    let path = clock.path().display().to_string();
    let variables = [
        ("LD_PRELOAD", &*library),
        ("FAKETIME_TIMESTAMP_FILE", &*path),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let gateway = Gateway::with(&config(&[("p", &provider.url), ("s", &spare.url)], routes), &variables).await;
    let year = async || {
        let answer = gateway.ask(Ask::whole("long")).await;
        gateway.record(&answer.id).await["ts"].as_str().map(str::to_owned).unwrap_or_default()
    };
    let before = year().await;
    for to in ["+1h", "-1h", "+400d", "+0"] {
        provider.script(&[r#"{"fault":{"status":{"status":429,"headers":{"retry-after":"1"}}}}"#]);
        spare.model("long", r#"{"tokens":20,"pace":"10ms"}"#);
        let mut stream = gateway.send(Ask::stream("long")).await;
        stream.until("\"content\":\"A").await;
        flood(&gateway, "chat", 1).await;
        let rest = Instant::now();
        jump(to);
        let hold = millis(&gateway.target("p/m").await["for_ms"]);
        assert!((1.0..=1000.0).contains(&hold), "{to}: {hold}");
        gateway.until_target("p/m", "half_open").await;
        assert!(rest.elapsed() < Duration::from_secs(4), "{to}");
        flood(&gateway, "chat", 1).await;
        gateway.until_target("p/m", "closed").await;
        assert!(stream.answer().await.sketch().ends_with("fD."), "{to}");
        spare.model("long", "{}");
        assert_eq!(year().await[..4] > before[..4], to == "+400d", "the clock did jump");
    }
}
