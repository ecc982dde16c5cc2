//! Which target a model name leads to, and with which of its provider's keys.

use crate::client::Ask;
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use serde_json::json;
use simulator::{Behaviour, Settings};

const ROUTES: &str = "
routes:
  chat: { aliases: [gpt-4o-mini, 'fast-*'], targets: [a/large] }
  long: { aliases: ['fast-long-*'], targets: [b/long] }
  any: { aliases: ['*'], targets: ['b/*'] }
direct: true";

#[tokio::test]
async fn a_model_name_leads_to_its_target() {
    let (a, b) = (Provider::behaving("{}").await, Provider::behaving("{}").await);
    let gateway = Gateway::start(&config(&[("a", &a.url), ("b", &b.url)], ROUTES)).await;
    for (model, route, target) in [
        ("chat", "chat", "a/large"),
        ("gpt-4o-mini", "chat", "a/large"),
        ("fast-1", "chat", "a/large"),
        ("fast-long-1", "long", "b/long"),
        ("long", "long", "b/long"),
        ("whatever", "any", "b/whatever"),
        ("a/tiny", "direct", "a/tiny"),
        ("b/meta/llama-3", "direct", "b/meta/llama-3"),
        ("c/tiny", "any", "b/c/tiny"),
    ] {
        for ask in [Ask::whole(model), Ask::stream(model)] {
            let answer = gateway.ask(ask).await;
            let told =
                ["route", "target", "attempts", "degraded"].map(|name| answer.header(&format!("x-breakwater-{name}")));
            assert_eq!((answer.status, told), (200, [Some(route), Some(target), Some("1"), None]), "{model}");
            assert_eq!(answer.header("x-request-id"), Some(&*answer.id));
            let (provider, asked) = target.split_once('/').expect("a target");
            let journal = if provider == "a" { a.control.journal() } else { b.control.journal() };
            assert_eq!(journal.last.last().map(|call| &*call.model), Some(asked), "{model}");
            assert_eq!(gateway.record(&answer.id).await["model"], model);
        }
    }
}

#[tokio::test]
async fn provider_and_model_are_refused_where_direct_is_off() {
    let a = Provider::behaving("{}").await;
    let gateway = Gateway::chain(&[("a", &a.url)], "").await;
    let answer = gateway.ask(Ask::whole("a/m")).await;
    assert_eq!((answer.status, &*answer.code()), (404, "model_not_found"));
}

#[tokio::test]
async fn weights_share_and_priorities_wait() {
    const CALLS: u64 = 200;
    let (a, b, c) = (Provider::behaving("{}").await, Provider::behaving("{}").await, Provider::behaving("{}").await);
    let targets = "routes:
  chat:
    targets:
      - { target: c/m, priority: 2 }
      - { target: a/m, weight: 3, priority: 1 }
      - { target: b/m, weight: 1, priority: 1 }
      - { target: a/never, weight: 0, priority: 1 }";
    let gateway = Gateway::start(&config(&[("a", &a.url), ("b", &b.url), ("c", &c.url)], targets)).await;
    for _ in 0..CALLS {
        assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 200);
    }
    // Six standard deviations around three quarters: chance alone does not leave them.
    assert!((113..=187).contains(&a.calls()), "{} of {CALLS}", a.calls());
    assert_eq!((a.calls() + b.calls(), c.calls()), (CALLS, 0));
    a.control.set_behaviour(behaviour(r#"{"fault":"reset"}"#));
    b.control.set_behaviour(behaviour(r#"{"fault":"reset"}"#));
    let answer = gateway.ask(Ask::whole("chat")).await;
    assert_eq!(
        (answer.header("x-breakwater-target"), answer.header("x-breakwater-attempts")),
        (Some("c/m"), Some("3"))
    );
    let passed_over = gateway.record(&answer.id).await["passed_over"].take();
    assert_eq!(passed_over, json!([{"target": "a/never", "reason": "weight 0"}]));
}

fn behaviour(json: &str) -> Behaviour {
    Behaviour::from_json(json.as_bytes()).expect(json)
}

/// A gateway over one provider with two keys.
async fn two_keys(provider: &Provider) -> Gateway {
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", keys: [sk-0001, sk-0002] }} }}\n\
         routes: {{ chat: {{ targets: [p/m] }} }}",
        provider.url
    );
    Gateway::start(&yaml).await
}

/// The keys that calls came with so far, by their tails.
fn keys(provider: &Provider) -> Vec<String> {
    provider.control.journal().last.into_iter().filter_map(|call| call.authorization_tail).collect()
}

#[tokio::test]
async fn keys_take_turns() {
    let provider = Provider::behaving("{}").await;
    let gateway = two_keys(&provider).await;
    for _ in 0..4 {
        assert_eq!(gateway.ask(Ask::whole("chat")).await.status, 200);
    }
    assert_eq!(keys(&provider), ["0001", "0002", "0001", "0002"]);
}

#[tokio::test]
async fn a_key_that_is_turned_down_rests_while_the_other_works() {
    let revoked = Provider::start(Settings { keys: vec!["sk-0002".into()], ..Settings::default() }).await;
    let throttled = Provider::behaving("{}").await;
    throttled.script(&[r#"{"fault":{"status":{"status":429}}}"#]);
    let spent = Provider::behaving("{}").await;
    spent.script(&[r#"{"fault":{"status":{"status":429,"code":"insufficient_quota"}}}"#]);
    for (provider, cause) in [(revoked, "auth"), (throttled, "rate_limited"), (spent, "quota_exhausted")] {
        let gateway = two_keys(&provider).await;
        for call in 0..5 {
            let answer = gateway.ask(if call % 2 == 0 { Ask::whole("chat") } else { Ask::stream("chat") }).await;
            let attempts = if call == 0 { "2" } else { "1" };
            let told = ["target", "attempts", "degraded"].map(|name| answer.header(&format!("x-breakwater-{name}")));
            assert_eq!((answer.status, told), (200, [Some("p/m"), Some(attempts), None]), "{cause} {call}");
            let record = gateway.record(&answer.id).await;
            assert_eq!(record["outcome"], "success", "{record}");
            assert!(call > 0 || record["tried"][0]["cause"] == cause, "{record}");
        }
        assert_eq!(keys(&provider), ["0001", "0002", "0002", "0002", "0002", "0002"], "{cause}");
    }
}
