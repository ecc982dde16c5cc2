//! What keeps a route standing when providers do not: what is refused of its keys, and what is only warned about.

use crate::rules::refused;
use crate::{accepted, lines, read};

fn warned(cases: &[(&str, &[&str])]) {
    for (yaml, expected) in cases {
        assert_eq!(lines(&accepted(yaml).warnings), *expected, "{yaml}");
    }
}

#[test]
fn rules_of_breakers_budgets_and_hedges() {
    refused(&[
        (
            "routes: { r: { targets: [p/m], retry: { max_attempts: 0, retry_budget: 101% } } }",
            &[
                "routes.r.retry.max_attempts: must be more than 0",
                "routes.r.retry.retry_budget: `101%` is more than 100%: write 20% or 0.2",
            ],
        ),
        (
            "defaults: { retry: { retry_budget: 20 } }",
            &["defaults.retry.retry_budget: `20` is more than 100%: write 20% or 0.2"],
        ),
        (
            "defaults: { retry: { retry_budget: -0.2 } }",
            &["defaults.retry.retry_budget: `-0.2` is no share: write 20% or 0.2"],
        ),
        (
            "defaults: { retry: { retry_budget: [1] } }",
            &["defaults.retry.retry_budget: expected a share (20% or 0.2), not a list"],
        ),
        (
            "routes: { r: { targets: [p/m], breaker: { consecutive: -1, failure_ratio: 0%, slow_call: 0s, \
             min_calls: 0, window: 500ms, open: 0s, max_open: 0s, half_open_successes: 0, ramp: slow, windw: 1s } } }",
            &[
                "routes.r.breaker.windw: unknown key (did you mean `window`?)",
                "routes.r.breaker.max_open: must be more than 0",
                "routes.r.breaker.open: must be more than 0",
                "routes.r.breaker.min_calls: must be more than 0",
                "routes.r.breaker.half_open_successes: must be more than 0",
                "routes.r.breaker.consecutive: expected a whole number up to 4294967295, not a negative number",
                "routes.r.breaker.failure_ratio: must be more than 0",
                "routes.r.breaker.slow_call: must be more than 0",
                "routes.r.breaker.window: must last from 1s to 1h",
                "routes.r.breaker.ramp: `slow` is no duration: write 500ms, 2s, 1m30s or 1h",
            ],
        ),
        (
            "defaults: { breaker: { window: 999ms, failure_ratio: 101% } }",
            &[
                "defaults.breaker.failure_ratio: `101%` is more than 100%: write 20% or 0.2",
                "defaults.breaker.window: must last from 1s to 1h",
            ],
        ),
        ("defaults: { breaker: { window: 3600001ms } }", &["defaults.breaker.window: must last from 1s to 1h"]),
        ("defaults: { breaker: { open: 301s } }", &["defaults.breaker.open: is longer than max_open of 300s"]),
        (
            "defaults: { breaker: { open: 6s, max_open: 5s } }",
            &["defaults.breaker.open: is longer than max_open of 5s"],
        ),
        (
            "routes: { a: { targets: [p/m, q/m], breaker: { consecutive: 2 } }, b: { targets: [q/m, p/n], breaker: {} } }",
            &["routes.b.breaker: `q/m` has another breaker from routes.a.breaker: a target has one"],
        ),
        (
            "routes: { a: { targets: ['p/*'], breaker: {} }, b: { targets: ['p/*'], breaker: { min_calls: 9 } } }",
            &["routes.b.breaker: `p/*` has another breaker from routes.a.breaker: a target has one"],
        ),
        (
            "routes: { r: { targets: [p/m], hedge: { after: p49 } } }",
            &["routes.r.hedge.after: `p49` is no time to hedge after: write p95 (p50 to p99), 800ms or never"],
        ),
        (
            "routes: { r: { targets: [p/m], hedge: { after: p100, max_share: 0% } } }",
            &[
                "routes.r.hedge.max_share: must be more than 0",
                "routes.r.hedge.after: `p100` is no time to hedge after: write p95 (p50 to p99), 800ms or never",
            ],
        ),
        (
            "defaults: { hedge: { after: 0ms } }",
            &["defaults.hedge.after: `0ms` is no time to hedge after: write p95 (p50 to p99), 800ms or never"],
        ),
        ("defaults: { hedge: { after: 95 } }", &["defaults.hedge.after: expected text, not a number"]),
        (
            "routes: { r: { targets: [p/m], timeouts: { first_token: 2s }, hedge: { after: 2s } } }",
            &["routes.r.hedge.after: is not shorter than timeouts.first_token of 2s, so it never acts"],
        ),
        (
            "defaults: { hedge: { after: never, max_share: 5% } }",
            &["defaults.hedge.max_share: does nothing beside `after: never`"],
        ),
        ("defaults: { hedge: p95 }", &["defaults.hedge: expected a mapping, not text"]),
    ]);
}

#[test]
fn rules_of_words_and_prices() {
    const BALANCES: &str = "known are weighted, latency, least_busy, cost";
    refused(&[
        (
            "routes: { r: { targets: [p/m], balance: random, recover_stream: continued, on_refusal: fail } }",
            &[
                &format!("routes.r.balance: unknown balance `random`; {BALANCES}"),
                "routes.r.recover_stream: unknown recover_stream `continued` (did you mean `continue`?); \
                 known are continue, error",
                "routes.r.on_refusal: unknown on_refusal `fail`; known are pass, failover",
            ],
        ),
        (
            "defaults: { balance: latancy, recover_stream: true }",
            &[
                &format!("defaults.balance: unknown balance `latancy` (did you mean `latency`?); {BALANCES}"),
                "defaults.recover_stream: expected text, not true or false",
            ],
        ),
        (
            "providers: { p: { kind: simulator, models: { m: { price: { input: 1, output: 1 } } } }, q: { kind: simulator } }
routes: { r: { balance: cost, targets: [{ target: p/m, priority: 1 }, { target: 'q/*', priority: 1 }, \
             { target: q/a.b, priority: 1 }, { target: q/off, priority: 1, weight: 0 }, p/alone] } }",
            &[
                "routes.r.targets[1]: has no price, which `balance: cost` compares: \
                 give `providers.q.models[\\\"*\\\"].price`",
                "routes.r.targets[2]: has no price, which `balance: cost` compares: \
                 give `providers.q.models[\\\"a.b\\\"].price`",
            ],
        ),
        (
            "defaults: { balance: cost }
routes: { r: { targets: [{ target: p/m, priority: 2 }, { target: q/m }] } }",
            &[
                "routes.r.targets[0]: has no price, which `balance: cost` compares: give `providers.p.models.m.price`",
                "routes.r.targets[1]: has no price, which `balance: cost` compares: give `providers.q.models.m.price`",
            ],
        ),
        (
            "providers: { p: { kind: simulator, models: { m: { price: { input: x, output: 1 } } } }, q: { kind: simulator } }
routes: { r: { balance: cost, targets: [{ target: p/m, priority: 1 }, { target: p/n, priority: 1 }] } }",
            &["providers.p.models.m.price.input: expected a number, not text"],
        ),
    ]);
    let priced = "models: { '*': { price: { input: 1, output: 2.5 } } }";
    accepted(&format!(
        "providers: {{ p: {{ kind: simulator, {priced} }}, q: {{ kind: simulator, {priced} }} }}
routes: {{ r: {{ balance: cost, targets: [{{ target: p/m, priority: 2 }}, 'q/*'] }} }}"
    ));
    accepted("routes: { r: { balance: cost, targets: [p/m, q/m] } }");
}

#[test]
fn rules_of_models_accounts_and_regions() {
    const ABLE: &str = "known are prefill, tools, parallel_tools, json_schema, vision, reasoning";
    refused(&[
        (
            "providers: { p: { kind: simulator, account: '', region: 'a b' } }",
            &[
                "providers.p.account: `` is no name: it is empty",
                "providers.p.region: `a b` is no name: only printable ASCII without spaces",
            ],
        ),
        ("providers: { p: { kind: simulator, models: [] } }", &["providers.p.models: expected a mapping, not a list"]),
        (
            "providers: { p: { kind: simulator, models: { m: } } }",
            &["providers.p.models.m: expected a mapping, not nothing"],
        ),
        (
            "providers: { p: { kind: simulator, models: { '': {}, 'a b': {}, 'gpt-*': {}, m: { prise: {} } } } }",
            &[
                "providers.p.models[\"\"]: `` is no model: only printable ASCII without spaces",
                "providers.p.models[\"a b\"]: `a b` is no model: only printable ASCII without spaces",
                "providers.p.models[\"gpt-*\"]: `gpt-*` is no model: `*` stands alone, for all that are not named",
                "providers.p.models.m.prise: unknown key (did you mean `price`?)",
            ],
        ),
        (
            "providers: { p: { kind: simulator, models: { m: { price: {}, context_window: 0, max_output_tokens: 0, max_concurrency: 0 } } } }",
            &[
                "providers.p.models.m.price.input: is missing",
                "providers.p.models.m.price.output: is missing",
                "providers.p.models.m.context_window: must be more than 0",
                "providers.p.models.m.max_output_tokens: must be more than 0",
                "providers.p.models.m.max_concurrency: must be more than 0",
            ],
        ),
        (
            "providers: { p: { kind: simulator, models: { m: { price: { input: 0, output: -0.1, cached: 1, cached_input: 0 } } } } }",
            &[
                "providers.p.models.m.price.cached: unknown key",
                "providers.p.models.m.price.input: must be more than 0",
                "providers.p.models.m.price.output: must be more than 0",
                "providers.p.models.m.price.cached_input: must be more than 0",
            ],
        ),
        (
            "providers: { p: { kind: simulator, models: { m: { capabilities: [prefil, tools, flying, prompt_cache, 5] } } } }",
            &[
                "providers.p.models.m.capabilities[4]: expected text, not a number",
                &format!(
                    "providers.p.models.m.capabilities[0]: unknown capability `prefil` (did you mean `prefill`?); {ABLE}"
                ),
                &format!("providers.p.models.m.capabilities[2]: unknown capability `flying`; {ABLE}"),
                &format!("providers.p.models.m.capabilities[3]: unknown capability `prompt_cache`; {ABLE}"),
            ],
        ),
    ]);
}

#[test]
fn rules_of_last_resorts() {
    refused(&[
        (
            "routes: { r: { targets: [p/m], last_resort: [{}, { route: r2, static: x }, { statc: x }, text] } }",
            &[
                "routes.r.last_resort[3]: expected a mapping, not text",
                "routes.r.last_resort[0]: takes either `route` or `static`",
                "routes.r.last_resort[1]: takes either `route` or `static`",
                "routes.r.last_resort[2].statc: unknown key (did you mean `static`?)",
                "routes.r.last_resort[2]: takes either `route` or `static`",
            ],
        ),
        (
            "routes: { chat: { targets: [p/m], last_resort: [{ route: chta }, { static: ' ' }, { static: x }] } }",
            &[
                "routes.chat.last_resort[0].route: no route is named `chta` (did you mean `chat`?)",
                "routes.chat.last_resort[1].static: is empty",
                "routes.chat.last_resort[2]: stands behind a static answer, so it could never act",
            ],
        ),
        (
            "defaults: { last_resort: [{ route: nowhere }] }",
            &["defaults.last_resort[0].route: no route is named `nowhere`"],
        ),
        (
            "routes: { r: { targets: [p/m], last_resort: [{ route: r }] } }",
            &["routes.r.last_resort[0].route: is this route itself"],
        ),
        (
            "routes:
  a: { targets: [p/m], last_resort: [{ route: d }, { route: b }] }
  b: { targets: [p/m], last_resort: [{ route: c }] }
  c: { targets: [p/m], last_resort: [{ route: a }, { static: x }] }
  d: { targets: [p/m] }",
            &["routes.a.last_resort[1].route: `b` leads back to this route"],
        ),
        (
            "defaults: { last_resort: [{ route: a }] }
routes: { a: { targets: [p/m], last_resort: [{ route: b }] }, b: { targets: [p/m] } }",
            &["routes.a.last_resort[0].route: `b` leads back to this route"],
        ),
    ]);
    let routes = "a: { targets: [p/m], last_resort: [{ route: b }, { route: c }] }, \
                  b: { targets: [p/m], last_resort: [{ route: c }] }, c: { targets: [p/m] }";
    accepted(&format!("routes: {{ {routes} }}"));
}

#[test]
fn warnings() {
    warned(&[
        (
            "routes: { r: { targets: [p/m], breaker: { window: 30s } } }",
            &["routes.r.breaker.window: is shorter than timeouts.first_token of 60s: failures are forgotten while calls \
               still wait"],
        ),
        ("routes: { r: { targets: [p/m], breaker: { window: 60s } } }", &[]),
        ("routes: { r: { targets: [p/m], timeouts: { first_token: 90s }, breaker: { open: 1s } } }", &[]),
        (
            "defaults: { timeouts: { first_token: 8s }, breaker: { slow_call: 8s, window: 8s } }",
            &["defaults.breaker.slow_call: is not shorter than timeouts.first_token of 8s, which such a call meets first"],
        ),
        (
            "routes: { r: { targets: [p/m, q/m], hedge: {}, retry: { retry_budget: 0% } } }",
            &["routes.r.hedge: does nothing: a retry_budget of 0% allows no hedges either"],
        ),
        (
            "routes: { r: { targets: [p/m, q/m], balance: least_busy } }",
            &["routes.r.balance: does nothing: no two targets have one priority"],
        ),
        ("routes: { r: { targets: [{ target: p/m, priority: 2 }, q/m], balance: least_busy } }", &[]),
        ("defaults: { balance: least_busy }", &[]),
        ("routes: { r: { targets: [p/m, q/m], recover_stream: continue } }", &[]),
        (
            "routes: { r: { targets: [p/m, p/n, { target: q/m, weight: 0 }] } }",
            &["routes.r.targets: all share vendor p: the failover chain stays inside one failure domain"],
        ),
        (
            "providers: { a: { kind: groq }, b: { kind: groq, account: other, region: eu } }
routes: { r: { targets: [a/m, b/m] } }",
            &["routes.r.targets: all share vendor api.groq.com: the failover chain stays inside one failure domain"],
        ),
        (
            "providers: { a: { kind: groq }, b: { kind: vllm }, c: { kind: vllm, base_url: 'http://127.0.0.1:8002/v1' } }
routes: { r: { targets: [a/m, b/m] }, s: { targets: [b/m, c/m] } }",
            &[],
        ),
    ]);
}

#[test]
fn keys_that_can_do_nothing_are_warned_about() {
    const TWICE: &str = "routes.r.hedge: does nothing: a hedge is a second attempt, and max_attempts is 1";
    warned(&[
        ("routes: { r: { targets: [p/m, q/m], hedge: {}, retry: { max_attempts: 1 } } }", &[TWICE]),
        ("routes: { r: { targets: [p/m, q/m], hedge: {}, retry: { max_attempts: 2 } } }", &[]),
        ("routes: { r: { targets: [p/m, q/m], hedge: { after: never }, retry: { max_attempts: 1 } } }", &[]),
        (
            "defaults: { hedge: {}, retry: { max_attempts: 1 } }",
            &["defaults.hedge: does nothing: a hedge is a second attempt, and max_attempts is 1"],
        ),
        // What is inherited is nobody's slip.
        ("defaults: { hedge: {} }\nroutes: { r: { targets: [p/m], retry: { max_attempts: 1 } } }", &[]),
        (
            "routes: { r: { targets: [p/m], hedge: {} } }",
            &["routes.r.hedge: does nothing: there is no second target to ask"],
        ),
        (
            "routes: { r: { targets: [p/m, { target: q/m, weight: 0 }], hedge: {} } }",
            &["routes.r.hedge: does nothing: there is no second target to ask"],
        ),
        ("defaults: { hedge: {} }\nroutes: { r: { targets: [p/m], hedge: { after: never } } }", &[]),
        (
            "routes: { r: { targets: [p/m, q/m], recover_stream: continue, retry: { max_attempts: 1 } } }",
            &["routes.r.recover_stream: does nothing: going on is a second attempt, and max_attempts is 1"],
        ),
        ("routes: { r: { targets: [p/m, q/m], recover_stream: error, retry: { max_attempts: 1 } } }", &[]),
        ("routes: { r: { targets: [p/m, q/m], retry: { max_attempts: 1 } } }", &[]),
    ]);
}

#[test]
fn targets_that_no_call_reaches_are_warned_about() {
    let targets = |count| (0..count).map(|no| format!("{}/m{no}", ["p", "q"][no % 2])).collect::<Vec<_>>().join(", ");
    let warnings = |targets: &str| lines(&accepted(&format!("routes: {{ r: {{ targets: [{targets}] }} }}")).warnings);
    let none: [&str; 0] = [];
    assert_eq!(warnings(&targets(64)), none);
    assert_eq!(warnings(&format!("{}, {{ target: p/off, weight: 0 }}", targets(64))), none);
    let expected = ["routes.r.targets: are 65: one call asks the first 64 in its order at most"];
    assert_eq!(warnings(&targets(65)), expected);
}

#[test]
fn breakers_that_hold_for_routes_without_one_are_warned_about() {
    const OWN: &str = "routes: { a: { targets: [p/m, q/m], breaker: { consecutive: 2 } }";
    let warned_of = |others: &str| lines(&accepted(&format!("{OWN}, {others} }}")).warnings);
    let of_b = "routes.a.breaker: holds for `p/m` of routes.b too, which says nothing of breakers";
    for (others, expected) in [
        ("b: { targets: [p/m] }", &[of_b][..]),
        // Once for each pair of routes.
        ("b: { targets: [p/m, q/m] }", &[of_b]),
        (
            "b: { targets: [p/m] }, c: { targets: [q/m] }",
            &[of_b, "routes.a.breaker: holds for `q/m` of routes.c too, which says nothing of breakers"],
        ),
        ("b: { targets: [p/n] }", &[]),
        ("b: { targets: [p/n, { target: p/m, weight: 0 }] }", &[]),
        ("b: { targets: [p/m], breaker: { consecutive: 2 } }", &[]),
        (
            "b: { targets: ['q/*'], breaker: { consecutive: 3 } }, c: { targets: [q/n] }",
            &["routes.b.breaker: holds for `q/n` of routes.c too, which says nothing of breakers"],
        ),
    ] {
        let warnings = warned_of(others);
        let warnings: Vec<_> = warnings.iter().filter(|line| line.contains("breaker")).collect();
        assert_eq!(warnings, expected, "{others}");
    }
    // What is the same as without it surprises nobody.
    warned(&[("routes: { a: { targets: [p/m], breaker: {} }, b: { targets: [p/m] } }", &[])]);
}

/// Puts a reference to a secret into every text of these keys that is quoted in a fault.
#[test]
fn what_a_reference_stands_for_is_never_shown() {
    let wrong = "providers:
  p:
    kind: simulator
    account: '${NEWLINE}'
    region: '${NEWLINE}'
    models: { m: { capabilities: ['${SECRET}'] } }
routes:
  r:
    targets: [p/m]
    retry: { retry_budget: '${SECRET}' }
    breaker: { window: '${SECRET}' }
    hedge: { after: '${SECRET}' }
    balance: '${SECRET}'
    recover_stream: '${SECRET}'
    on_refusal: '${SECRET}'
    last_resort: [{ route: '${SECRET}' }]
";
    let faults = read(wrong).map(|_| ()).unwrap_err();
    let shown = lines(&faults).join("\n");
    assert!(!shown.contains("resolved"), "{shown}");
    assert_eq!(faults.len(), 10, "{shown}");
}
