//! Quotas, throttling and keys: who is told to wait is left alone for exactly so long, and nobody else is (F18 to F20
//! and F24 of the catalogue; `faults` has the table).

use crate::client::{Answer, Ask, soon};
use crate::dialect::Dialect;
use crate::gateway::{Gateway, config};
use crate::provider::{Provider, Raw, streamed, whole};
use crate::speech::{answer, refusal, speech};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A refusal by 429 with these headers.
fn throttled(headers: &Value) -> String {
    json!({"fault": {"status": {"status": 429, "headers": headers}}}).to_string()
}

/// A gateway on which every name leads to `p`, then to `spare`.
async fn gateway(p: &Provider, spare: &Provider) -> Gateway {
    let route = "routes: { any: { aliases: ['*'], targets: ['p/*', 'spare/*'] } }";
    Gateway::start(&config(&[("p", &p.url), ("spare", &spare.url)], route)).await
}

/// Asks for a model; its record. It has to be answered well.
async fn ask(gateway: &Gateway, model: &str) -> Value {
    let answer = gateway.ask(Ask::whole(model)).await;
    assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    gateway.record(&answer.id).await
}

/// For how long a target still rests, in milliseconds.
async fn rests(gateway: &Gateway, target: &str) -> u64 {
    gateway.target(target).await["for_ms"].as_u64().unwrap_or(0)
}

/// Has `model` throttled, and compares its rest with what it should be: between `least` and `most` milliseconds from
/// the refusal on.
async fn holds(gateway: &Gateway, p: &Provider, model: &str, behaviour: &str, (least, most): (u64, u64)) {
    p.model(model, behaviour);
    let began = Instant::now();
    let record = ask(gateway, model).await;
    assert_eq!(record["tried"][0]["verdict"], "rate_limited", "{behaviour}: {record}");
    assert_eq!(record["target"], format!("spare/{model}"), "{behaviour}: {record}");
    let held = rests(gateway, &format!("p/{model}")).await;
    let passed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) + 1;
    assert!(held <= most && held + passed >= least, "{behaviour}: {held} ms, asked {passed} ms ago");
}

#[tokio::test]
async fn f18_every_form_of_patience_is_understood_and_none_is_without_end() {
    let (p, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let gateway = gateway(&p, &spare).await;
    const DEFAULT: u64 = 5_000;
    const MOST: u64 = 300_000;
    for (place, (name, value, hold)) in [
        ("retry-after", "1", 1_000),
        ("retry-after", "30", 30_000),
        ("retry-after", "300", MOST),
        ("retry-after", "301", MOST),
        ("retry-after", "1000000000", MOST),
        // More digits than a number has are no number.
        ("retry-after", "99999999999999999999999999", DEFAULT),
        ("retry-after", "0", 0),
        ("retry-after", "-1", DEFAULT),
        ("retry-after", "soon", DEFAULT),
        ("retry-after", "", DEFAULT),
        ("retry-after", "1.5", 1_500),
        ("retry-after", "1m30s", 90_000),
        ("retry-after", "20ms", 20),
        ("retry-after", "Thu, 01 Jan 2099 00:00:00 GMT", MOST),
        ("retry-after", "Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("retry-after", "2099-01-01T00:00:00Z", MOST),
        ("retry-after", "2001-01-01T00:00:00Z", 0),
        ("retry-after-ms", "1500", 1_500),
        ("retry-after-ms", "999999999", MOST),
        ("retry-after-ms", "many", DEFAULT),
    ]
    .into_iter()
    .enumerate()
    {
        holds(&gateway, &p, &format!("m{place}"), &throttled(&json!({name: value})), (hold, hold)).await;
    }
    for form in ["seconds", "ms", "date", "duration"] {
        let quota = json!({"quota": {"requests": 0, "per": "30s", "retry_after": form}}).to_string();
        // Rounded up to what the form can say.
        holds(&gateway, &p, form, &quota, (30_000, 31_000)).await;
    }
    let reset = json!({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12s"});
    holds(&gateway, &p, "reset", &throttled(&reset), (12_000, 12_000)).await;
}

#[tokio::test]
async fn f19_who_does_not_say_how_long_rests_for_five_seconds() {
    let (p, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let gateway = gateway(&p, &spare).await;
    holds(&gateway, &p, "m", &throttled(&json!({})), (5_000, 5_000)).await;
    let target = gateway.target("p/m").await;
    assert_eq!([&target["state"], &target["reason"]], ["open", "throttled"], "{target}");
    assert_eq!(target["why"], "it asked for patience");
    assert!(target["until"].as_str().is_some_and(|until| until.ends_with('Z')), "{target}");
    assert_eq!(target["consecutive_failures"], 0, "patience is no failure");
    let record = ask(&gateway, "m").await;
    let passed = &record["passed_over"][0];
    assert_eq!([&passed["target"], &passed["reason"]], ["p/m", "it asked for patience"], "{record}");
    assert!(passed["for_ms"].as_f64().is_some_and(|left| left > 0.0 && left <= 5_000.0), "{record}");
    assert_eq!((p.calls(), &record["attempts"]), (1, &json!(1)));
    assert_eq!(ask(&gateway, "another").await["target"], "p/another", "its siblings go on");
}

#[tokio::test]
async fn f20_a_spent_account_is_left_alone_for_a_quarter_of_an_hour() {
    for (behaviour, cause) in [
        (r#"{"fault":{"status":{"status":429,"code":"insufficient_quota","headers":{"retry-after":"1"}}}}"#, "429"),
        (r#"{"fault":{"status":{"status":429,"code":"enforced_spend_limit_reached"}}}"#, "cap"),
        (r#"{"fault":{"status":{"status":402}}}"#, "402"),
        (r#"{"fault":{"error_object":{"code":"credit_balance_exhausted"}}}"#, "200"),
    ] {
        let (p, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
        let gateway = Gateway::chain(&[("p", &p.url), ("spare", &spare.url)], "").await;
        p.model("m", behaviour);
        for place in 0..5 {
            let record = ask(&gateway, "chat").await;
            assert_eq!(record["target"], "spare/m", "{cause}");
            assert!(place > 0 || record["tried"][0]["verdict"] == "quota_exhausted", "{cause}: {record}");
        }
        assert_eq!(p.calls(), 1, "{cause}");
        let target = gateway.target("p/m").await;
        assert_eq!([&target["state"], &target["reason"]], ["open", "quota"], "{cause}: {target}");
        let hold = target["for_ms"].as_u64().unwrap_or(0);
        assert!((880_000..=900_000).contains(&hold), "{cause}: {hold} ms");
        gateway.expect(&[(r#"breaker_transitions_total{reason="quota",target="p/m",to="open"}"#, 1.0)]).await;
    }
}

/// A provider with two keys, and a gateway that has a spare.
async fn two_keys() -> (Provider, Provider, Gateway) {
    let (p, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let yaml = format!(
        "providers:
  p: {{ kind: openai, base_url: \"{}\", keys: [sk-first-1111, sk-second-2222] }}
  spare: {{ kind: openai, base_url: \"{}\" }}
routes: {{ any: {{ aliases: ['*'], targets: ['p/*', 'spare/*'] }} }}",
        p.url, spare.url
    );
    let gateway = Gateway::start(&yaml).await;
    (p, spare, gateway)
}

/// The ends of the keys of the calls so far.
fn keys(p: &Provider) -> Vec<String> {
    p.control.journal().last.into_iter().filter_map(|entry| entry.authorization_tail).collect()
}

#[tokio::test]
async fn f24_a_wrong_key_rests_alone() {
    for status in [401, 402] {
        let (p, spare, gateway) = two_keys().await;
        p.script(&[&json!({"fault": {"status": {"status": status}}}).to_string()]);
        let record = ask(&gateway, "m").await;
        assert_eq!([&record["target"], &record["attempts"]], [&json!("p/m"), &json!(2)], "{record}");
        for model in ["m", "m", "other", "other", "third"] {
            let record = ask(&gateway, model).await;
            assert_eq!([&record["target"], &record["attempts"]], [&json!(format!("p/{model}")), &json!(1)], "{record}");
        }
        let used = keys(&p);
        assert_ne!(used[0], used[1]);
        assert!(used[1..].iter().all(|key| *key == used[1]), "the other key alone, for every model: {used:?}");
        assert_eq!((spare.calls(), &gateway.target("p/m").await["state"]), (0, &json!("closed")));
        // No breaker moved: this is what the alert on spent accounts reads.
        let spent = if status == 402 { 1.0 } else { 0.0 };
        gateway.expect(&[(r#"attempts_total{target="p/other",verdict="quota_exhausted"}"#, spent)]).await;
    }
}

#[tokio::test]
async fn f20_an_account_that_is_spent_amid_a_stream_is_counted_as_such() {
    let spent = r#"{"tokens":4,"pace":"40ms","fault":{"error_event":{"after":2,"code":"insufficient_quota"}}}"#;
    let p = Provider::behaving(spent).await;
    let gateway = Gateway::chain(&[("p", &p.url)], "defaults: { recover_stream: error }").await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!(answer.sketch(), "rccE.");
    let record = gateway.record(&answer.id).await;
    let told = [&record["tried"][0]["verdict"], &record["tried"][0]["cause"], &record["stream_end"]];
    assert_eq!(told, ["quota_exhausted", "quota_exhausted", "error_event"], "{record}");
    gateway.expect(&[(r#"attempts_total{target="p/m",verdict="quota_exhausted"}"#, 1.0)]).await;
}

#[tokio::test]
async fn f24_a_throttled_key_rests_for_the_model_alone() {
    let (p, spare, gateway) = two_keys().await;
    p.script(&[&throttled(&json!({"retry-after": "30"}))]);
    for _ in 0..5 {
        assert_eq!(ask(&gateway, "m").await["target"], "p/m");
    }
    let used = keys(&p);
    assert!(used[0] != used[1] && used[1..].iter().all(|key| *key == used[1]), "{used:?}");
    for _ in 0..4 {
        assert_eq!(ask(&gateway, "other").await["target"], "p/other");
    }
    assert!(keys(&p)[6..].contains(&used[0]), "another model has both: {:?}", keys(&p));
    p.script(&[&throttled(&json!({"retry-after": "40"}))]);
    assert_eq!(ask(&gateway, "m").await["target"], "spare/m", "now both rest");
    let calls = p.calls();
    let record = ask(&gateway, "m").await;
    assert_eq!((&record["target"], p.calls()), (&json!("spare/m"), calls), "{record}");
    // The first key wakes first, and the target waits no longer for the second.
    let left = record["passed_over"][0]["for_ms"].as_f64().unwrap_or_default();
    assert!((20_000.0..=40_000.0).contains(&left), "{record}");
    let target = gateway.target("p/m").await;
    assert!(target["keys_rest_for_ms"].as_u64().is_some_and(|left| left <= 30_000), "{target}");
    assert_eq!(spare.calls(), 2);
}

#[tokio::test]
async fn a_quota_that_is_nearly_used_up_sends_calls_elsewhere_before_it_refuses() {
    let p = Provider::behaving(r#"{"quota":{"requests":100,"per":"60s"}}"#).await;
    let spare = Provider::behaving("{}").await;
    let gateway = Gateway::chain(&[("p", &p.url), ("spare", &spare.url)], "").await;
    let mut last = Value::Null;
    for _ in 0..110 {
        last = ask(&gateway, "chat").await;
    }
    let served = p.calls();
    // Two in a hundred are scarce.
    assert!((97..=99).contains(&served), "{served}");
    let passed = &last["passed_over"][0];
    assert_eq!([&passed["target"], &passed["reason"]], ["p/m", "its quota is nearly used up"], "{last}");
    assert!(passed["for_ms"].as_f64().is_some_and(|left| left > 30_000.0 && left <= 60_000.0), "{last}");
    let target = gateway.target("p/m").await;
    assert!(target["quota_low_for_ms"].as_u64().is_some_and(|left| left <= 60_000), "{target}");
    assert_eq!(target["state"], "closed", "{target}");
    gateway
        .expect(&[
            (r#"attempts_total{target="p/m",verdict="success"}"#, served as f64),
            (r#"attempts_total{target="p/m",verdict="rate_limited"}"#, 0.0),
        ])
        .await;
}

#[tokio::test]
async fn a_quota_that_nobody_else_has_is_used_to_the_end() {
    let p = Provider::behaving(r#"{"quota":{"requests":10,"per":"60s"}}"#).await;
    let gateway = Gateway::chain(&[("p", &p.url)], "").await;
    for _ in 0..10 {
        assert_eq!(ask(&gateway, "chat").await["target"], "p/m");
    }
    for attempts in [1, 0, 0] {
        let answer = gateway.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"), "{}", answer.text());
        let wait = answer.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
        assert!(wait.is_some_and(|wait| (30..=60).contains(&wait)), "{}", answer.head);
        assert_eq!(gateway.record(&answer.id).await["attempts"], attempts);
    }
    assert_eq!(p.calls(), 11);
}

#[tokio::test]
async fn a_throttled_target_is_asked_again_when_its_time_is_over_and_then_at_once_by_all() {
    let (p, spare) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let gateway = Gateway::chain(&[("p", &p.url), ("spare", &spare.url)], "").await;
    p.script(&[&throttled(&json!({"retry-after-ms": "1200"}))]);
    let began = Instant::now();
    assert_eq!(ask(&gateway, "chat").await["target"], "spare/m");
    let back = async { while ask(&gateway, "chat").await["target"] != "p/m" {} };
    soon("its time to be over", back).await;
    let rested = began.elapsed();
    assert!(rested >= Duration::from_millis(1200) && rested < Duration::from_secs(4), "{rested:?}");
    assert_eq!(gateway.target("p/m").await["state"], "closed", "one good answer is proof enough");
    for _ in 0..10 {
        assert_eq!(ask(&gateway, "chat").await["target"], "p/m", "and no slow start");
    }
}

#[tokio::test]
async fn a_short_wait_is_waited_for_where_nobody_else_is_left() {
    let p = Provider::behaving("{}").await;
    let gateway = Gateway::chain(&[("p", &p.url)], "").await;
    p.script(&[&throttled(&json!({"retry-after-ms": "600"}))]);
    let began = Instant::now();
    let record = ask(&gateway, "chat").await;
    assert_eq!((&record["attempts"], &record["outcome"]), (&json!(2), &json!("success")), "{record}");
    assert!(began.elapsed() >= Duration::from_millis(600), "{record}");
    assert!(record["waited_ms"].as_f64().is_some_and(|waited| waited >= 600.0), "{record}");
}

type Headers = &'static [(&'static str, &'static str)];

/// What a provider of each dialect says of its quotas, and what all clients are told of that, and Anthropic's besides.
/// Of resets, only those that do not depend on the time of day.
const TOLD: [(Dialect, &str, Headers, Headers); 2] = [
    (
        Dialect::Messages,
        "anthropic-ratelimit-requests-limit: 50\r\n\
         anthropic-ratelimit-requests-remaining: 49\r\n\
         anthropic-ratelimit-requests-reset: 2099-01-01T00:00:00Z\r\n\
         anthropic-ratelimit-input-tokens-limit: 40000\r\n\
         anthropic-ratelimit-input-tokens-remaining: 39000\r\n\
         anthropic-ratelimit-output-tokens-limit: 8000\r\n\
         anthropic-ratelimit-output-tokens-remaining: 7000\r\n\
         anthropic-ratelimit-output-tokens-reset: 2001-01-01T00:00:00Z\r\n",
        &[
            ("x-ratelimit-limit-requests", "50"),
            ("x-ratelimit-remaining-requests", "49"),
            ("x-ratelimit-limit-tokens", "8000"),
            ("x-ratelimit-remaining-tokens", "7000"),
            ("x-ratelimit-reset-tokens", "0s"),
        ],
        &[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2099-01-01T00:00:00Z"),
            ("anthropic-ratelimit-tokens-limit", "8000"),
            ("anthropic-ratelimit-tokens-remaining", "7000"),
            ("anthropic-ratelimit-input-tokens-limit", "40000"),
            ("anthropic-ratelimit-input-tokens-remaining", "39000"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"),
            ("anthropic-ratelimit-output-tokens-remaining", "7000"),
        ],
    ),
    (
        Dialect::Chat,
        "x-ratelimit-limit-requests: 5000\r\n\
         x-ratelimit-remaining-requests: 4999\r\n\
         x-ratelimit-reset-requests: 0s\r\n\
         x-ratelimit-limit-tokens: 160000\r\n\
         x-ratelimit-remaining-tokens: 159976\r\n",
        &[
            ("x-ratelimit-limit-requests", "5000"),
            ("x-ratelimit-remaining-requests", "4999"),
            ("x-ratelimit-reset-requests", "0s"),
            ("x-ratelimit-limit-tokens", "160000"),
            ("x-ratelimit-remaining-tokens", "159976"),
        ],
        &[
            ("anthropic-ratelimit-requests-limit", "5000"),
            ("anthropic-ratelimit-requests-remaining", "4999"),
            ("anthropic-ratelimit-tokens-limit", "160000"),
            ("anthropic-ratelimit-tokens-remaining", "159976"),
        ],
    ),
];

/// The headers of an answer that tell of quotas, but for the resets that a client in this dialect finds counted from
/// another time than its provider's.
fn limits(answer: &Answer, moves: &[&str]) -> Vec<(String, String)> {
    let headers = answer.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let mut limits: Vec<_> = headers
        .filter(|(name, _)| name.contains("ratelimit") && !moves.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    limits.sort();
    limits
}

#[tokio::test]
async fn a_providers_quotas_reach_every_client_in_its_own_words() {
    for (of, said, to_all, to_anthropics) in TOLD {
        let with = move |mut pieces: Vec<Vec<u8>>| {
            let head = String::from_utf8(pieces[0].clone()).expect("text");
            pieces[0] = head.replacen("\r\n", &format!("\r\n{said}"), 1).into_bytes();
            pieces
        };
        let provider = Raw::replying(move |request| {
            with(if request.contains("wrong") {
                whole("400 No", "application/json", refusal(of, 400, "no").as_bytes())
            } else if request.contains(r#""stream":true"#) {
                streamed(speech(of, &["alpha", "beta"]).whole().as_bytes(), &[999])
            } else {
                whole("200 OK", "application/json", answer(of, "alpha beta").as_bytes())
            })
        })
        .await;
        let gateway = Gateway::start(&format!(
            "providers:\n{}callers:\n  - {{ name: few, key: sk-caller-few, limits: {{ rpm: 99 }} }}\n  \
             - {{ name: any, key: sk-caller-any }}\nroutes: {{ all: {{ aliases: [m, wrong], targets: ['p/*'] }} }}\n",
            of.provider("p", &provider.url, "")
        ))
        .await;
        for client in Dialect::ALL {
            for (model, stream, status) in
                [("m", false, 200), ("m", true, 200), ("wrong", false, 400), ("wrong", true, 400)]
            {
                let shown = format!("{of:?} to {client:?}, {model}, {stream}");
                let ask = |key| client.ask(model, stream).header("authorization", &format!("Bearer {key}"));
                let answer = gateway.ask(ask("sk-caller-any")).await;
                assert_eq!(answer.status, status, "{shown}: {}", answer.text());
                let more = if client == Dialect::Messages { to_anthropics } else { &[] };
                let mut expected: Vec<_> =
                    to_all.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                expected.sort();
                // What is an instant to one is a time from now to the other.
                let moves = match of {
                    Dialect::Messages => [
                        "x-ratelimit-reset-requests",
                        "anthropic-ratelimit-output-tokens-reset",
                        "anthropic-ratelimit-tokens-reset",
                    ],
                    _ => ["anthropic-ratelimit-requests-reset"; 3],
                };
                assert_eq!(limits(&answer, &moves), expected, "{shown}: {}", answer.head);
                for name in moves.iter().filter(|name| name.starts_with('x') || client == Dialect::Messages) {
                    assert!(answer.header(name).is_some(), "{shown}: {name}: {}", answer.head);
                }
                assert_eq!(answer.header("request-id").is_some(), client == Dialect::Messages, "{shown}");
                // A client's own limit is what counts for it.
                let own = gateway.ask(ask("sk-caller-few")).await;
                assert_eq!(own.header("x-ratelimit-limit-requests"), Some("99"), "{shown}: {}", own.head);
                let theirs = own.header("anthropic-ratelimit-requests-limit");
                assert_eq!(theirs, (client == Dialect::Messages).then_some("99"), "{shown}: {}", own.head);
                assert!(own.header("x-ratelimit-limit-tokens").is_some(), "{shown}: {}", own.head);
            }
        }
    }
}
