//! Who may call, and how much: keys, allowed routes, requests per minute, calls at one time.

use crate::client::{Answer, Ask, soon};
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use serde_json::json;

const CALLERS: &str = "
routes:
  chat: { targets: [p/m], aliases: [fast, 'fast-*'] }
  other: { targets: [p/m] }
direct: true
callers:
  - { name: all, key: sk-caller-all }
  - { name: some, key: sk-caller-some, routes: [chat] }
  - { name: few, key: sk-caller-few, limits: { rpm: 2 } }
  - { name: one, key: sk-caller-one, limits: { concurrency: 1 } }";

async fn gateway(provider: &Provider) -> Gateway {
    Gateway::start(&config(&[("p", &provider.url)], CALLERS)).await
}

fn keyed(ask: Ask, key: &str) -> Ask {
    ask.header("authorization", &format!("Bearer {key}"))
}

fn ids(models: &Answer) -> Vec<String> {
    let json = models.json();
    let models = json["data"].as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn who_is_turned_down_learns_why_however_much_there_is_to_send() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    let answer = gateway.ask(keyed(Ask::post(vec![b' '; 12_000_000]), "sk-nobody-here")).await;
    assert_eq!((answer.status, answer.code()), (401, "invalid_api_key".to_owned()), "{}", answer.head);
    assert_eq!(provider.calls(), 0);
}

#[tokio::test]
async fn nobody_calls_without_a_key() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    for (name, value) in [
        ("x-nothing", ""),
        ("authorization", "Bearer sk-caller-alL"),
        ("authorization", "Bearer "),
        ("authorization", "Basic sk-caller-all"),
        ("x-api-key", "sk-caller-al"),
        ("x-goog-api-key", "sk-caller-all2"),
    ] {
        for ask in [
            Ask::whole("chat"),
            Ask::stream("chat"),
            Ask::post("{"),
            Ask::get("/v1/models"),
            Ask::get("/v1/models/chat"),
        ] {
            let answer = gateway.ask(ask.header(name, value)).await;
            let error = answer.json()["error"].take();
            assert_eq!((answer.status, &error["code"]), (401, &json!("invalid_api_key")), "{name}: {value}");
            assert_eq!((&error["type"], &error["param"]), (&json!("invalid_request_error"), &json!(null)), "{error}");
            assert!(!error.to_string().contains("sk-caller"), "{error}");
        }
    }
    assert_eq!(provider.calls(), 0);
}

#[tokio::test]
async fn a_key_counts_wherever_clients_put_it() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    for (name, value) in [
        ("authorization", "Bearer sk-caller-all"),
        ("authorization", "bearer sk-caller-all"),
        ("x-api-key", "sk-caller-all"),
        ("x-goog-api-key", "sk-caller-all"),
    ] {
        let answer = gateway.ask(Ask::whole("chat").header(name, value)).await;
        assert_eq!(answer.status, 200, "{name}: {value}");
        assert_eq!(gateway.record(&answer.id).await["caller"], "all");
    }
}

/// As in Google's own examples. What the query says reaches neither the provider nor a log.
#[tokio::test]
async fn googles_clients_may_say_their_key_in_the_query() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;
    for (key, status) in [("sk-caller-all", 200), ("sk-caller-alL", 401), ("", 401)] {
        for path in ["/v1beta/models/chat:generateContent", "/v1beta/models/chat:streamGenerateContent"] {
            let answer = gateway.ask(Ask::to(&format!("{path}?alt=sse&key={key}"), body)).await;
            assert_eq!(answer.status, status, "{path} {key}");
            assert_eq!(gateway.record(&answer.id).await["caller"] == "all", status == 200, "{path} {key}");
        }
        assert_eq!(gateway.ask(Ask::get(&format!("/v1beta/models?key={key}"))).await.status, status, "{key}");
        let chat = Ask::to(&format!("/v1/chat/completions?key={key}"), r#"{"model":"chat","messages":[]}"#);
        assert_eq!(gateway.ask(chat).await.status, 401, "OpenAI's clients have no such habit");
    }
    let asked = provider.control.journal().last;
    let told = gateway.process.stderr.text() + &asked.iter().map(|entry| entry.body.as_str()).collect::<String>();
    assert!(!told.contains("sk-caller"), "{told}");
}

#[tokio::test]
async fn a_route_that_is_not_allowed_does_not_exist() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    for (model, all, some) in [
        ("chat", 200, 200),
        ("fast", 200, 200),
        ("fast-7", 200, 200),
        ("other", 200, 404),
        ("p/m", 200, 404),
        ("no", 404, 404),
    ] {
        for (key, status) in [("sk-caller-all", all), ("sk-caller-some", some)] {
            let answer = gateway.ask(keyed(Ask::whole(model), key)).await;
            assert_eq!(answer.status, status, "{model} {key}");
            assert!(status == 200 || answer.code() == "model_not_found", "{}", answer.text());
            let told = gateway.ask(keyed(Ask::get(&format!("/v1/models/{model}")), key)).await;
            assert_eq!(told.status, status, "{model} {key}");
        }
    }
    assert_eq!(ids(&gateway.ask(keyed(Ask::get("/v1/models"), "sk-caller-all")).await), ["chat", "fast", "other"]);
    assert_eq!(ids(&gateway.ask(keyed(Ask::get("/v1/models"), "sk-caller-some")).await), ["chat", "fast"]);
}

#[tokio::test]
async fn requests_per_minute_are_counted_and_told() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    let few = |ask| gateway.ask(keyed(ask, "sk-caller-few"));
    for (ask, status, remaining) in [
        (Ask::whole("chat"), 200, "1"),
        (Ask::stream("other"), 200, "0"),
        (Ask::whole("chat"), 429, "0"),
        (Ask::stream("chat"), 429, "0"),
    ] {
        let answer = few(ask).await;
        let told = ["limit", "remaining"].map(|what| answer.header(&format!("x-ratelimit-{what}-requests")));
        assert_eq!((answer.status, told), (status, [Some("2"), Some(remaining)]), "{}", answer.head);
        assert!(
            answer.header("x-ratelimit-reset-requests").is_some_and(|reset| reset.ends_with('s')),
            "{}",
            answer.head
        );
        let wait = answer.header("retry-after").and_then(|wait| wait.parse().ok());
        assert_eq!(wait.is_some_and(|wait: u32| (1..=30).contains(&wait)), status == 429, "{}", answer.head);
        let outcome = if status == 429 { "refused" } else { "success" };
        assert_eq!(gateway.record(&answer.id).await["outcome"], outcome);
    }
    let refused = few(Ask::whole("chat")).await.json()["error"].take();
    assert_eq!(
        (&refused["code"], &refused["type"]),
        (&json!("rate_limit_exceeded"), &json!("rate_limit_error")),
        "{refused}"
    );
    assert_eq!(gateway.ask(keyed(Ask::whole("chat"), "sk-caller-all")).await.status, 200, "others go on");
}

#[tokio::test]
async fn calls_at_one_time_are_counted_until_the_stream_ends() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider).await;
    let one = |ask| keyed(ask, "sk-caller-one");
    provider.script(&[r#"{"tokens":30,"pace":"20ms"}"#]);
    let mut running = gateway.send(one(Ask::stream("chat"))).await;
    running.until("\"content\":\"A").await;
    let refused = gateway.ask(one(Ask::whole("chat"))).await;
    assert_eq!((refused.status, &*refused.code()), (429, "rate_limit_exceeded"));
    assert!(refused.header("retry-after").is_some(), "{}", refused.head);
    assert!(running.answer().await.sketch().ends_with("fD."));
    soon("a free place", async { while gateway.ask(one(Ask::whole("chat"))).await.status != 200 {} }).await;
}
