//! What is said of a plan, word for word.

use super::*;
use crate::explain::live::understood;
use config::Format;
use http::StatusCode;
use routing::{NoLoads, Pick, RouteTable};
use std::net::SocketAddr;

const FILE: &str = r#"
providers:
  one: { kind: openai, api_key: "k", account: house, models: { m: { price: { input: 1, output: 1 } } } }
  two: { kind: mistral, api_key: "k", models: { m: { price: { input: 2, output: 2 } } } }
  three: { kind: groq, api_key: "k", models: { m: { price: { input: 1, output: 2 } }, n: { price: { input: 1, output: 2 } } } }
routes:
  chat:
    targets:
      - { target: one/m, priority: 1 }
      - { target: two/m, priority: 1 }
      - { target: three/m, priority: 2 }
      - { target: three/n, weight: 0 }
    balance: cost
    retry: { max_attempts: 2, retry_budget: 12.5% }
    hedge: { after: p95 }
    on_refusal: failover
    last_resort: [ { route: small }, { static: "Later." } ]
  small: { targets: [three/m] }
"#;

/// What `/api/targets` says of three targets.
const ANSWER: &str = r#"{ "targets": [
  { "target": "one/m", "state": "open", "why": "its breaker is open: it failed several times in a row",
    "until": "2026-01-02T03:04:05.000000Z", "for_ms": 4200, "share": 0.0, "under_way": 3,
    "slots": { "in_use": 2, "limit": 20, "waiting": 1 }, "keys_rest_for_ms": 60000, "window": {} },
  { "target": "two/m", "state": "closed", "why": null, "until": null, "for_ms": null, "share": 0.4, "under_way": 0,
    "slots": { "in_use": 0, "limit": 20, "waiting": 0 }, "quota_low_for_ms": 900, "declined_prefill": true }
] }"#;

fn described(file: &str, route: &str, live: &Live) -> String {
    let settings = config::parse(file, Format::Yaml, &|_| None).unwrap();
    let table = RouteTable::new(settings.routes.clone(), None, settings.facts.clone()).unwrap();
    let pick = &mut Pick { rng: &mut fastrand::Rng::with_seed(1), session: None, loads: &NoLoads };
    describe(&table.plan_route(route, None, pick).unwrap(), &settings.gates, table.domains(), live)
}

#[test]
fn a_plan_with_the_states_of_its_targets() {
    let live = understood(SocketAddr::from(([127, 0, 0, 1], 8081)), StatusCode::OK, Some(ANSWER.as_bytes()));
    let expected = "\
route chat: at most 2 attempts; connect 2s, first token 60s, idle 60s, total 600s
  retries, hedges and continuations: 12.5% of the route's calls; hedge after the time within which 95% of first tokens come, for at most 5% of calls
  streams that break off go on at another target where that is provably right; content-policy refusals go to the next target
  breaker: opens after 5 hard failures in a row, or at 50% of at least 20 calls in 60s; rests 5s to 300s, then 3 probes
  states: as the gateway on 127.0.0.1:8081 tells them
  1. one/m  priority 1
       open: it failed several times in a row; until 2026-01-02T03:04:05.000000Z, for 4.2s more
       calls under way: 3; slots in use: 2 of 20; waiting for one: 1
       all keys of its provider rest, for 1m00s more
       price: $1 in, $1 out for a million tokens
       failure domains: vendor api.openai.com, account house at api.openai.com
  2. two/m  priority 1
       closed: it has just recovered and takes 40% of its calls
       calls under way: 0; slots in use: 0 of 20; waiting for one: 0
       its quota is nearly used up, for 0.9s more
       it would not go on with a given beginning, and is not asked to for ten minutes
       price: $2 in, $2 out for a million tokens
       can: prefill
       failure domains: vendor api.mistral.ai
  3. three/m  priority 2  (only if an attempt is left: over max_attempts)
       not known to that gateway
       price: $1 in, $2 out for a million tokens
       failure domains: vendor api.groq.com
  Of targets of equal priority the cheapest is tried first; equal prices are drawn by weight.
  passed over: three/n: weight 0
  last resort: route small
  last resort: a static answer of 6 characters
";
    assert_eq!(described(FILE, "chat", &live), expected);
}

#[test]
fn without_a_gateway_the_plan_alone() {
    let live = Live::Unknown("no gateway answers on 127.0.0.1:8081: states are not shown".into());
    let text = described(FILE, "small", &live);
    assert!(text.contains("  states: no gateway answers on 127.0.0.1:8081: states are not shown\n"), "{text}");
    assert!(text.contains("no hedge"), "{text}");
    assert!(text.ends_with("failure domains: vendor api.groq.com\n"), "{text}");
}

#[test]
fn each_balance_has_words_of_its_own() {
    let live = Live::Unknown(String::new());
    for (word, expected) in [
        ("weighted", "drawn by weight for every call; this is one draw"),
        ("latency", "the quicker is tried first"),
        ("least_busy", "the fewest calls under way"),
        ("cost", "the cheapest is tried first"),
    ] {
        let text = described(&FILE.replace("balance: cost", &format!("balance: {word}")), "chat", &live);
        assert!(text.contains(expected), "{word}: {text}");
    }
}

#[test]
fn breakers_that_differ_stand_at_their_targets() {
    let file = FILE.replace("account: house, models: { m: {", "models: { m: { max_concurrency: 7,");
    let text = described(&file, "chat", &Live::Unknown(String::new()));
    assert_eq!(text.matches("breaker: opens after").count(), 3, "{text}");
    assert_eq!(text.matches("; at most 7 waiting calls").count(), 1, "{text}");
}
