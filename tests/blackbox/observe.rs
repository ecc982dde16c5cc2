//! What operators see: metrics that add up, one access-log line per call, and an admin listener of its own.

use crate::client::{Ask, soon};
use crate::gateway::{Gateway, config, sample};
use crate::provider::Provider;
use serde_json::{Value, json};

/// A route whose targets fail and answer as `script`ed, in turn.
async fn gateway(provider: &Provider, rest: &str) -> Gateway {
    let yaml = format!("routes: {{ chat: {{ targets: [p/one, p/two] }} }}\n{rest}");
    Gateway::start(&config(&[("p", &provider.url)], &yaml)).await
}

#[tokio::test]
async fn metrics_add_up() {
    let provider = Provider::behaving(r#"{"tokens":3}"#).await;
    let gateway = gateway(&provider, "defaults: { retry: { max_attempts: 2 }, recover_stream: error }").await;
    let broken = r#"{"fault":{"status":{"status":500}}}"#;
    let cut = r#"{"tokens":3,"pace":"40ms","fault":{"cut":{"after":2}}}"#;
    let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    for (script, ask, outcome) in [
        (&[][..], Ask::whole("chat"), "success"),
        (&[], Ask::whole("chat"), "success"),
        (&[], Ask::stream("chat"), "success"),
        (&[], Ask::chat("chat", usage), "success"),
        (&[broken], Ask::whole("chat"), "degraded"),
        (&[broken], Ask::stream("chat"), "degraded"),
        (&[broken, broken], Ask::whole("chat"), "failed"),
        (&[cut], Ask::stream("chat"), "truncated"),
        (&[r#"{"fault":{"status":{"status":400}}}"#], Ask::whole("chat"), "client_error"),
        (&[r#"{"finish_reason":"content_filter"}"#], Ask::whole("chat"), "refused"),
        (&[], Ask::whole("nobody"), "client_error"),
        (&[], Ask::post("{"), "client_error"),
    ] {
        provider.script(script);
        let answer = gateway.ask(ask).await;
        assert_eq!(gateway.record(&answer.id).await["outcome"], outcome, "{script:?}");
    }
    provider.script(&[r#"{"fault":"hang"}"#]);
    let leaving = gateway.send(Ask::stream("chat")).await;
    soon("a call", provider.control.until(|counts| counts.in_flight == 1)).await;
    gateway.expect(&[(r#"inflight{route="chat"}"#, 1.0)]).await;
    drop(leaving);
    let requests = |outcome: &str, route: &str, stream: bool| {
        let labels = format!(
            r#"caller="anonymous",dialect="openai_chat",outcome="{outcome}",route="{route}",stream="{stream}""#
        );
        format!("requests_total{{{labels}}}")
    };
    gateway
        .expect(&[
            (&requests("success", "chat", false), 2.0),
            (&requests("success", "chat", true), 2.0),
            (&requests("degraded", "chat", false), 1.0),
            (&requests("degraded", "chat", true), 1.0),
            (&requests("failed", "chat", false), 1.0),
            (&requests("truncated", "chat", true), 1.0),
            (&requests("client_error", "chat", false), 1.0),
            (&requests("refused", "chat", false), 1.0),
            (&requests("cancelled", "chat", true), 1.0),
            (&requests("client_error", "none", false), 2.0),
            // success and refused by the first target; failures of it: three refused with 500, one cut.
            (r#"attempts_total{target="p/one",verdict="success"}"#, 5.0),
            (r#"attempts_total{target="p/one",verdict="hard_failure"}"#, 4.0),
            (r#"attempts_total{target="p/one",verdict="client_fault"}"#, 1.0),
            (r#"attempts_total{target="p/one",verdict="neutral"}"#, 1.0),
            (r#"attempts_total{target="p/two",verdict="success"}"#, 2.0),
            (r#"attempts_total{target="p/two",verdict="hard_failure"}"#, 1.0),
            (r#"retries_total{reason="server_error",route="chat"}"#, 3.0),
            // Four good streams and whole answers, two more from the spare; one failed, one truncated.
            (r#"slo_good_total{route="chat",sli="availability"}"#, 6.0),
            (r#"slo_valid_total{route="chat",sli="availability"}"#, 8.0),
            (r#"slo_good_total{route="chat",sli="first_token"}"#, 4.0),
            (r#"slo_valid_total{route="chat",sli="first_token"}"#, 4.0),
            (r#"first_token_seconds_count{route="chat"}"#, 4.0),
            (r#"request_duration_seconds_count{route="chat"}"#, 11.0),
            (r#"stream_end_total{reason="complete"}"#, 3.0),
            (r#"stream_end_total{reason="truncated"}"#, 1.0),
            // Two tokens in, three out: two whole answers and one stream that asked; the refused greeting has seven.
            (r#"tokens_total{direction="input",target="p/one"}"#, 8.0),
            (r#"tokens_total{direction="input",target="p/two"}"#, 2.0),
            (r#"tokens_total{direction="output",target="p/two"}"#, 3.0),
            (r#"inflight{route="chat"}"#, 0.0),
            (&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
        ])
        .await;
}

#[tokio::test]
async fn a_late_first_token_misses_its_objective() {
    let provider = Provider::behaving(r#"{"tokens":3}"#).await;
    let slo = "routes: { chat: { targets: [p/m], slo: { first_token: { under: 200ms } } } }";
    let gateway = Gateway::start(&config(&[("p", &provider.url)], slo)).await;
    provider.script(&[r#"{"tokens":3,"first_token":"400ms"}"#]);
    assert_eq!(gateway.ask(Ask::stream("chat")).await.sketch(), "rcccfD.");
    assert_eq!(gateway.ask(Ask::stream("chat")).await.sketch(), "rcccfD.");
    gateway
        .expect(&[
            (r#"slo_good_total{route="chat",sli="availability"}"#, 2.0),
            (r#"slo_good_total{route="chat",sli="first_token"}"#, 1.0),
            (r#"slo_valid_total{route="chat",sli="first_token"}"#, 2.0),
        ])
        .await;
    assert!(sample(&gateway.metrics().await, r#"first_token_seconds_sum{route="chat"}"#) >= Some(0.4));
}

#[tokio::test]
async fn administration_is_reached_on_its_own_port_alone() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "admin: { token: sk-admin-1 }\ncallers: [{ name: app, key: sk-caller-1 }]").await;
    for (port, path, key, status) in [
        (gateway.admin, "/metrics", "", 401),
        (gateway.admin, "/metrics", "Bearer sk-admin-2", 401),
        (gateway.admin, "/metrics", "Bearer sk-caller-1", 401),
        (gateway.admin, "/metrics", "Bearer sk-admin-1", 200),
        (gateway.admin, "/livez", "", 200),
        (gateway.admin, "/readyz", "", 200),
        (gateway.admin, "/v1/models", "Bearer sk-admin-1", 404),
        (gateway.admin, "/nothing", "", 401),
        (gateway.data, "/livez", "", 200),
        (gateway.data, "/readyz", "", 200),
        (gateway.data, "/metrics", "Bearer sk-admin-1", 404),
        (gateway.data, "/api/anything", "Bearer sk-admin-1", 404),
        (gateway.data, "/v1/models", "Bearer sk-admin-1", 401),
    ] {
        let answer = Ask::get(path).header("authorization", key).send(port).await.answer().await;
        assert_eq!(answer.status, status, "{port} {path} {key}");
    }
    let page =
        Ask::get("/metrics").header("authorization", "Bearer sk-admin-1").send(gateway.admin).await.answer().await;
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4")));
}

#[tokio::test]
async fn each_call_leaves_one_line() {
    let provider = Provider::behaving(r#"{"tokens":3}"#).await;
    let gateway = gateway(&provider, "").await;
    let mut ids = Vec::new();
    for ask in [
        Ask::whole("chat"),
        Ask::stream("chat"),
        Ask::whole("nobody"),
        Ask::post("["),
        Ask::get("/v1/chat/completions"),
    ] {
        ids.push(gateway.ask(ask).await.id);
    }
    let not_a_call = ids.pop().expect("the last");
    for path in ["/livez", "/readyz", "/v1/models", "/v1/nothing"] {
        gateway.ask(Ask::get(path)).await;
    }
    let line = gateway.record(&ids[1]).await;
    for (field, value) in [
        ("level", json!("info")),
        ("msg", json!("call")),
        ("route", json!("chat")),
        ("caller", json!("anonymous")),
        ("dialect", json!("openai_chat")),
        ("model", json!("chat")),
        ("target", json!("p/one")),
        ("stream", json!(true)),
        ("outcome", json!("success")),
        ("status", json!(200)),
        ("attempts", json!(1)),
        ("finish", json!("stop")),
        ("stream_end", json!("complete")),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(
        ["ts", "duration_ms", "first_token_ms", "overhead_us"].iter().all(|field| !line[field].is_null()),
        "{line}"
    );
    gateway.process.signal("INT");
    assert_eq!(gateway.process.exit().await, Some(0));
    let log = gateway.process.stderr.text();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON lines alone"));
    let logged: Vec<_> = lines.filter_map(|line| Some(line["request_id"].as_str()?.to_owned())).collect();
    assert_eq!(logged, ids, "and none for {not_a_call}");
}
