//! Answers that a model gets wrong with status 200: what reaches the client, and what is told of it.
//!
//! Must never be here: providers that fail as such (`faults`), answers judged offline (`verify`).

use crate::client::{Answer, Ask};
use crate::gateway::Gateway;
use crate::provider::Provider;
use serde_json::{Value, json};

/// The form that is demanded.
fn form() -> Value {
    json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
        "required": ["name", "age"],
        "additionalProperties": false
    })
}

const SOUND: &str = r#"{"name":"Ada","age":36}"#;

fn asks(stream: bool) -> Ask {
    let format = json!({"type": "json_schema", "json_schema": {"name": "person", "strict": true, "schema": form()}});
    Ask::chat("chat", json!({"stream": stream, "response_format": format}))
}

fn asks_tools(stream: bool) -> Ask {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": parameters}});
    Ask::chat("chat", json!({"stream": stream, "tools": [tool]}))
}

fn saying(text: &str, finish: &str) -> String {
    json!({"text": text, "finish_reason": finish}).to_string()
}

/// Two providers in a row: what the first and the second say.
async fn pair(first: &str, second: &str, rest: &str) -> (Provider, Provider, Gateway) {
    let (first, second) = (Provider::behaving(first).await, Provider::behaving(second).await);
    let gateway = Gateway::chain(&[("first", &first.url), ("second", &second.url)], rest).await;
    (first, second, gateway)
}

fn is_whole(answer: &Answer, stream: bool) -> bool {
    if stream { answer.sketch().ends_with("D.") } else { answer.status == 200 }
}

#[tokio::test]
async fn the_five_classic_failures_never_reach_a_client() {
    let sound = saying(SOUND, "stop");
    for (name, said, finish, mended) in [
        ("fenced", "```json\n{\"name\":\"Ada\",\"age\":36}\n```", "stop", true),
        ("omitted", r#"{"name":"Ada"}"#, "stop", false),
        ("wrong type", r#"{"name":"Ada","age":"thirty-six"}"#, "stop", false),
        ("renamed", r#"{"full_name":"Ada","age":36}"#, "stop", false),
        ("truncated", r#"{"name":"Ada","age""#, "length", false),
    ] {
        let (first, second, gateway) = pair(&saying(said, finish), &sound, "").await;
        for stream in [false, true] {
            let answer = gateway.ask(asks(stream)).await;
            assert!(is_whole(&answer, stream), "{name}: {}", answer.text());
            assert_eq!(answer.said(), SOUND, "{name}, stream: {stream}");
            let record = gateway.record(&answer.id).await;
            assert_eq!(record["degraded"], if mended { "repaired" } else { "fallback" }, "{name}: {record}");
            assert_eq!(record["outcome"], "degraded", "{name}: {record}");
            let tried = record["tried"].as_array().unwrap().len();
            // Asked, told what was wrong and asked again, and then the second target.
            assert_eq!(tried, if mended { 1 } else { 3 }, "{name}: {record}");
            if !mended {
                assert_eq!([&record["tried"][1]["kind"], &record["tried"][1]["cause"]], ["reask", "contract_unmet"]);
            }
            if !stream {
                assert_eq!(answer.header("x-breakwater-degraded"), record["degraded"].as_str(), "{name}");
            }
        }
        assert_eq!((first.calls(), second.calls()), if mended { (2, 0) } else { (4, 2) }, "{name}");
        let result = if mended { "repaired" } else { "passed" };
        let counted = format!(r#"contract_checks_total{{check="schema",result="{result}",route="chat"}}"#);
        gateway.expect(&[(&*counted, 2.0)]).await;
    }
}

#[tokio::test]
async fn f33_invalid_tool_calls_never_reach_a_client_not_even_in_fragments() {
    let call =
        |name: &str, arguments: Value| json!({"tool_calls": [{"name": name, "arguments": arguments}]}).to_string();
    let good = call("weather", json!({"city": "Bonn"}));
    for (name, bad) in [
        ("undeclared", call("launch_missiles", json!({}))),
        ("missing argument", call("weather", json!({"town": "Bonn"}))),
        ("cut arguments", call("weather", json!("{\"city\": \"Bo"))),
    ] {
        let (_first, _second, gateway) = pair(&bad, &good, "").await;
        for stream in [false, true] {
            let answer = gateway.ask(asks_tools(stream)).await;
            let text = answer.text();
            assert!(is_whole(&answer, stream) && text.contains("Bonn"), "{name}: {text}");
            assert!(!text.contains("launch") && !text.contains("town"), "{name}: {text}");
        }
        // With nobody else to ask, the client is told.
        let (_first, _second, gateway) = pair(&bad, &bad, "").await;
        for stream in [false, true] {
            let answer = gateway.ask(asks_tools(stream)).await;
            let text = answer.text();
            assert!(text.contains("contract_unmet") && !text.contains("launch_missiles\""), "{name}: {text}");
            assert!(!text.contains("[DONE]") && !text.contains("town\\\":"), "{name}: {text}");
            assert_eq!(answer.status, if stream { 200 } else { 502 }, "{name}");
            let record = gateway.record(&answer.id).await;
            assert_eq!([&record["outcome"], &record["error"]], ["invalid", "contract_unmet"], "{record}");
        }
    }
}

#[tokio::test]
async fn what_the_route_says_is_done() {
    let bad = saying(r#"{"name":"Ada"}"#, "stop");
    let flag = "defaults: { contract: { on_violation: [flag] } }";
    let (_first, second, gateway) = pair(&bad, &saying(SOUND, "stop"), flag).await;
    for stream in [false, true] {
        let answer = gateway.ask(asks(stream)).await;
        assert!(is_whole(&answer, stream) && answer.said() == r#"{"name":"Ada"}"#, "{}", answer.text());
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["checks"]["schema"]], ["invalid", "flagged"], "{record}");
        assert_eq!(record["findings"], json!(["missing_field"]), "{record}");
    }
    assert_eq!(second.calls(), 0);
    let fail = "defaults: { contract: { on_violation: [fail] } }";
    let (_first, second, gateway) = pair(&bad, &saying(SOUND, "stop"), fail).await;
    let answer = gateway.ask(asks(false)).await;
    assert_eq!((answer.status, &*answer.code(), second.calls()), (502, "contract_unmet", 0), "{}", answer.text());
    let deny =
        r#"defaults: { contract: { require: [complete, deny], deny: ["swordfish"], on_violation: [failover] } }"#;
    let words = |text: &str| saying(text, "stop");
    let (_first, _second, gateway) = pair(&words("The password is swordfish."), &words("I will not say."), deny).await;
    let answer = gateway.ask(Ask::whole("chat")).await;
    assert_eq!(answer.said(), "I will not say.");
    // Text flows at once: a short one is there before it is known to hold the word. The client is told.
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert!(answer.text().contains("contract_unmet") && !answer.text().contains("[DONE]"), "{}", answer.text());
}

#[tokio::test]
async fn answers_that_keep_breaking_it_open_the_breaker_and_count_as_bad() {
    let (_first, _second, gateway) = pair(&saying("{}", "stop"), &saying(SOUND, "stop"), "").await;
    for _ in 0..12 {
        assert_eq!(gateway.ask(asks(false)).await.said(), SOUND);
    }
    let target = gateway.target("first/m").await;
    assert_eq!(target["state"], "open", "{target}");
    let (_first, _second, gateway) = pair(&saying("{}", "stop"), &saying("[]", "stop"), "").await;
    assert_eq!(gateway.ask(asks(false)).await.status, 502);
    let good = r#"slo_good_total{route="chat",sli="availability"}"#;
    gateway.expect(&[(good, 0.0), (r#"slo_valid_total{route="chat",sli="availability"}"#, 1.0)]).await;
}
