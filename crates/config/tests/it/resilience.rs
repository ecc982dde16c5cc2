//! What keeps a route standing when providers do not: what its keys come to.

use crate::{accepted, lines};
use ::resilience::{BreakerPolicy, GatePolicy};
use config::{Gates, zero_config};
use llm::{Capabilities, Capability, Prefill, Price, TargetId};
use routing::{Balance, Hedge, HedgeAfter, LastResort, ModelFacts, OnRefusal, Policy, ProviderFacts, RecoverStream};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The policy of the route `r` of two targets that says `keys`.
fn policy(keys: &str) -> Policy {
    accepted(&format!("routes: {{ r: {{ targets: [p/m, q/m], {keys} }} }}")).routes[0].policy.clone()
}

/// The breaker of the only target of a route that says `breaker`.
fn breaker(breaker: &str) -> BreakerPolicy {
    let settings = accepted(&format!("routes: {{ r: {{ targets: [p/m], breaker: {breaker} }} }}"));
    settings.gates.of(&target("p/m")).breaker
}

fn target(text: &str) -> TargetId {
    TargetId::parse(text).unwrap()
}

fn domains(facts: &ProviderFacts) -> Vec<&str> {
    facts.domains.iter().map(|domain| &**domain).collect()
}

#[test]
fn nothing_said_gives_the_defaults() {
    let settings = accepted("direct: true");
    assert_eq!(settings.routes[0].policy, Policy::default());
    assert_eq!(settings.direct, Some(Policy::default()));
    assert_eq!(settings.gates, Gates::default());
    assert_eq!(settings.gates.of(&target("p/m")), GatePolicy::default());
    let expected = ["p", "q"].map(|name| ProviderFacts {
        name: name.into(),
        domains: vec![format!("vendor {name}").into()],
        ..ProviderFacts::default()
    });
    assert_eq!(settings.facts, expected);
}

#[test]
fn an_inherited_first_token_leaves_time_for_a_second_target() {
    for (defaults, keys, direct, route) in [
        ("{}", "timeouts: { total: 600s }", 60_000, 60_000),
        ("{}", "timeouts: { total: 180s }", 60_000, 60_000),
        ("{}", "timeouts: { total: 179999ms }", 60_000, 59_999),
        ("{}", "timeouts: { total: 30s }", 60_000, 10_000),
        ("{}", "timeouts: { total: 30s }, retry: { max_attempts: 9 }", 60_000, 10_000),
        ("{}", "timeouts: { total: 30s }, retry: { max_attempts: 2 }", 60_000, 15_000),
        ("{}", "timeouts: { total: 30s }, retry: { max_attempts: 1 }", 60_000, 30_000),
        ("{}", "timeouts: { total: 2s }", 60_000, 1000),
        ("{}", "timeouts: { total: 800ms }", 60_000, 800),
        ("{}", "timeouts: { total: 30s, first_token: 30s }", 60_000, 30_000),
        ("{ timeouts: { total: 30s } }", "aliases: []", 10_000, 10_000),
        ("{ timeouts: { total: 30s } }", "timeouts: { total: 60s }", 10_000, 10_000),
        ("{ timeouts: { total: 30s }, retry: { max_attempts: 1 } }", "retry: { max_attempts: 2 }", 30_000, 15_000),
        // What `defaults` says stays as it is where a section changes nothing that it must fit into.
        ("{ timeouts: { first_token: 500s } }", "timeouts: { idle: 9s }", 500_000, 500_000),
        ("{ timeouts: { first_token: 500s } }", "timeouts: { total: 300s }", 500_000, 100_000),
    ] {
        let route_keys = format!("routes: {{ r: {{ targets: [p/m, q/m], {keys} }} }}");
        let settings = accepted(&format!("direct: true\ndefaults: {defaults}\n{route_keys}"));
        let first_token = |policy: &Policy| policy.timeouts.first_token.as_millis();
        let is = (first_token(settings.direct.as_ref().unwrap()), first_token(&settings.routes[0].policy));
        assert_eq!(is, (direct, route), "{defaults} {keys}");
    }
}

#[test]
fn shares_are_percent_or_numbers() {
    for (written, expected) in [
        ("20%", 0.2),
        ("'20%'", 0.2),
        ("0.2", 0.2),
        ("'0.2'", 0.2),
        ("0", 0.0),
        ("0%", 0.0),
        ("1", 1.0),
        ("100%", 1.0),
        ("12.5%", 0.125),
        ("'${UNSET:-30%}'", 0.3),
    ] {
        let budget = policy(&format!("retry: {{ retry_budget: {written} }}")).retry_budget;
        assert!((budget - expected).abs() < 1e-12, "{written}: {budget}");
    }
}

#[test]
fn hedges_are_off_until_written() {
    let hedge = |after, max_share| Some(Hedge { after, max_share });
    for (written, expected) in [
        ("", None),
        ("hedge: {}", hedge(HedgeAfter::Quantile(0.95), 0.05)),
        ("hedge: { after: p50 }", hedge(HedgeAfter::Quantile(0.5), 0.05)),
        ("hedge: { after: p99, max_share: 100% }", hedge(HedgeAfter::Quantile(0.99), 1.0)),
        ("hedge: { after: 800ms }", hedge(HedgeAfter::Fixed(SECOND * 4 / 5), 0.05)),
        ("hedge: { after: 59s }", hedge(HedgeAfter::Fixed(SECOND * 59), 0.05)),
        ("hedge: { max_share: 10% }", hedge(HedgeAfter::Quantile(0.95), 0.1)),
        ("hedge: { after: never }", None),
    ] {
        assert_eq!(policy(written).hedge, expected, "{written}");
    }
}

#[test]
fn words_choose() {
    for (word, expected) in [("weighted", Balance::Weighted), ("latency", Balance::Latency), ("cost", Balance::Cost)] {
        assert_eq!(policy(&format!("balance: {word}")).balance, expected);
    }
    assert_eq!(policy("balance: least_busy").balance, Balance::LeastBusy);
    assert_eq!(policy("recover_stream: continue").recover_stream, RecoverStream::Continue);
    assert_eq!(policy("recover_stream: error").recover_stream, RecoverStream::Error);
    assert_eq!(policy("on_refusal: pass").on_refusal, OnRefusal::Pass);
    assert_eq!(policy("on_refusal: failover").on_refusal, OnRefusal::Failover);
}

#[test]
fn everything_of_a_breaker_is_taken() {
    let usual = BreakerPolicy::default();
    for (written, expected) in [
        ("{}", usual),
        ("{ consecutive: 0 }", BreakerPolicy { consecutive: 0, ..usual }),
        ("{ failure_ratio: 100% }", BreakerPolicy { failure_ratio: 1.0, ..usual }),
        ("{ failure_ratio: 0.25, min_calls: 1 }", BreakerPolicy { failure_ratio: 0.25, min_calls: 1, ..usual }),
        ("{ slow_call: 8s }", BreakerPolicy { slow_call: Some(SECOND * 8), ..usual }),
        ("{ window: 1s }", BreakerPolicy { window: SECOND, ..usual }),
        ("{ window: 1h }", BreakerPolicy { window: SECOND * 3600, ..usual }),
        ("{ open: 300s }", BreakerPolicy { open: SECOND * 300, ..usual }),
        ("{ open: 7s, max_open: 7s }", BreakerPolicy { open: SECOND * 7, max_open: SECOND * 7, ..usual }),
        ("{ max_open: 3s }", BreakerPolicy { open: SECOND * 3, max_open: SECOND * 3, ..usual }),
        (
            "{ half_open_successes: 1, ramp: 0s }",
            BreakerPolicy { half_open_successes: 1, ramp: Duration::ZERO, ..usual },
        ),
    ] {
        assert_eq!(breaker(written), expected, "{written}");
    }
}

#[test]
fn what_defaults_say_holds_for_routes_and_direct_calls() {
    let settings = accepted(
        "direct: true
defaults:
  retry: { retry_budget: 50% }
  breaker: { consecutive: 9, window: 90s }
  hedge: { after: p90, max_share: 10% }
  balance: latency
  recover_stream: error
  on_refusal: failover
  last_resort: [{ route: small }, { static: 'Try again later.' }]
routes:
  own:
    targets: [p/own]
    retry: { retry_budget: 0% }
    breaker: { consecutive: 2 }
    hedge: { after: never }
    balance: weighted
    recover_stream: continue
    on_refusal: pass
    last_resort: []
  small: { targets: [p/small, q/small], hedge: { max_share: 1% } }
  plain: { targets: [p/plain, q/plain] }
",
    );
    let sorry = LastResort::Static("Try again later.".into());
    let inherited = Policy {
        retry_budget: 0.5,
        hedge: Some(Hedge { after: HedgeAfter::Quantile(0.9), max_share: 0.1 }),
        balance: Balance::Latency,
        recover_stream: RecoverStream::Error,
        on_refusal: OnRefusal::Failover,
        last_resorts: vec![LastResort::Route("small".into()), sorry.clone()],
        ..Policy::default()
    };
    let small = Policy {
        hedge: Some(Hedge { after: HedgeAfter::Quantile(0.9), max_share: 0.01 }),
        last_resorts: vec![sorry],
        ..inherited.clone()
    };
    let [own, plain, also_small] = &settings.routes[..] else { panic!("three routes") };
    assert_eq!(own.policy, Policy { retry_budget: 0.0, ..Policy::default() });
    assert_eq!(plain.policy, inherited);
    assert_eq!(also_small.policy, small, "a last resort of all keeps the static answers alone");
    assert_eq!(settings.direct, Some(inherited));
    assert_eq!(lines(&settings.warnings), [""; 0]);

    let default = BreakerPolicy { consecutive: 9, window: SECOND * 90, ..BreakerPolicy::default() };
    let breaker = |name| settings.gates.of(&target(name)).breaker;
    assert_eq!(settings.gates.default.breaker, default);
    assert_eq!(breaker("p/plain"), default);
    assert_eq!(breaker("p/own"), BreakerPolicy { consecutive: 2, ..default });
}

#[test]
fn a_breaker_watches_a_target_not_a_route() {
    let settings = accepted(
        "providers:
  p: { kind: simulator, models: { small: { max_concurrency: 4 }, free: {}, '*': { max_concurrency: 9 } } }
  q: { kind: simulator }
routes:
  a: { targets: [p/small, p/shared, q/m], breaker: { consecutive: 2 } }
  b: { targets: [p/shared, p/other], breaker: { consecutive: 2 } }
  inherits: { targets: [p/shared, q/n] }
  any: { targets: ['p/*', { target: q/m, weight: 0 }], breaker: { consecutive: 3 } }
",
    );
    let gates = settings.gates;
    let seen = |name| {
        let gate = gates.of(&target(name));
        (gate.breaker.consecutive, gate.max_concurrency)
    };
    for (name, expected) in [
        ("p/small", (2, Some(4))),
        ("p/shared", (2, Some(9))),
        ("p/other", (2, Some(9))),
        ("p/free", (3, None)),
        ("p/unheard-of", (3, Some(9))),
        ("q/m", (2, None)),
        ("q/n", (5, None)),
        ("q/unheard-of", (5, None)),
    ] {
        assert_eq!(seen(name), expected, "{name}");
    }
    assert_eq!((gates.by_provider.len(), gates.by_target.len()), (1, 5), "only what differs is kept");
}

/// Just these of what a file may declare.
fn able(has: &[Capability]) -> Capabilities {
    let declared = Capability::ALL.into_iter().filter(|one| *one != Capability::PromptCache);
    declared.fold(Capabilities::default(), |able, one| able.with(one, has.contains(&one)))
}

#[test]
fn what_is_known_of_models() {
    let settings = accepted(
        "providers:
  m:
    kind: mistral
    api_key: k
    models:
      priced: { price: { input: 0.15, output: 3, cached_input: 0.01 }, context_window: 128000, max_output_tokens: 8 }
      not: { capabilities: [] }
      said: { capabilities: [prefill] }
      able: { capabilities: [vision, tools] }
  o: { kind: openai, api_key: k, models: { said: { capabilities: [prefill] }, '*': { context_window: 1 } } }
  s: { kind: sglang }
  v: { kind: vllm, models: { '*': { capabilities: [] }, a/b: { context_window: 4294967295 } } }
  z: { kind: simulator, models: { said: { capabilities: [prefill] } } }
routes: { r: { targets: [m/a, o/a] } }
",
    );
    let facts = |place: usize, model: &str| {
        let provider: &ProviderFacts = &settings.facts[place];
        provider.models.get(model).copied().unwrap_or(provider.others)
    };
    let plain = |prefill| ModelFacts { prefill, ..ModelFacts::default() };
    let (price, flag) =
        (Price { input: 0.15, output: 3.0, cached_input: Some(0.01), cache_write: None }, Prefill::PrefixFlag);
    let none = |prefill| ModelFacts { capabilities: able(&[]), ..plain(prefill) };
    for (place, model, expected) in [
        (
            0,
            "priced",
            ModelFacts { context_window: Some(128_000), max_output_tokens: Some(8), price: Some(price), ..plain(flag) },
        ),
        (0, "not", none(Prefill::No)),
        (0, "said", none(flag)),
        (0, "able", ModelFacts { capabilities: able(&[Capability::Tools, Capability::Vision]), ..plain(Prefill::No) }),
        (0, "unheard-of", plain(flag)),
        (1, "said", none(Prefill::Plain)),
        (1, "unheard-of", ModelFacts { context_window: Some(1), ..ModelFacts::default() }),
        (2, "unheard-of", plain(Prefill::ContinueFlag)),
        (3, "unheard-of", none(Prefill::No)),
        (3, "a/b", ModelFacts { context_window: Some(u32::MAX.into()), ..plain(Prefill::ContinueFlag) }),
        (4, "said", none(Prefill::Plain)),
        (4, "unheard-of", plain(Prefill::No)),
    ] {
        assert_eq!(facts(place, model), expected, "{place} {model}");
    }
}

#[test]
fn failure_domains_are_vendor_account_and_region() {
    let settings = accepted(
        "providers:
  a: { kind: openai, api_key: k, account: team, region: eu }
  b: { kind: openai, api_key: k, account: team, base_url: 'https://API.openai.com:443/other' }
  c: { kind: openai, api_key: k, account: team, base_url: 'https://api.openai.com:8443/v1' }
  d: { kind: vllm }
  e: { kind: vllm, base_url: 'http://[::1]:80/v1', region: '${UNSET:-rack-1}' }
  f: { kind: simulator, account: x }
routes: { r: { targets: [a/m, d/m] } }
",
    );
    for (facts, expected) in settings.facts.iter().zip([
        &["vendor api.openai.com", "account team at api.openai.com", "region eu at api.openai.com"][..],
        &["vendor api.openai.com", "account team at api.openai.com"],
        &["vendor api.openai.com:8443", "account team at api.openai.com:8443"],
        &["vendor 127.0.0.1:8000"],
        &["vendor [::1]", "region rack-1 at [::1]"],
        &["vendor f", "account x at f"],
    ]) {
        assert_eq!(domains(facts), expected, "{}", facts.name);
    }
}

#[test]
fn zero_config_knows_what_kinds_are() {
    let facts = |variables: &[(&str, &str)]| zero_config(&crate::env(variables)).unwrap().facts;
    let [openai, mistral] = &facts(&[("OPENAI_API_KEY", "k"), ("MISTRAL_API_KEY", "k")])[..] else { panic!("two") };
    assert_eq!((&*openai.name, domains(openai)), ("openai", vec!["vendor api.openai.com"]));
    assert_eq!((openai.others.prefill, mistral.others.prefill), (Prefill::No, Prefill::PrefixFlag));
    let [simulated] = &facts(&[])[..] else { panic!("one") };
    assert_eq!(domains(simulated), ["vendor simulator"]);
}
