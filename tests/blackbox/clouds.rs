//! Clouds as providers: where they are asked, how they are paid, and what becomes of a chat client's words.

use crate::client::Ask;
use crate::gateway::Gateway;
use crate::provider::Raw;
use serde_json::Value;

const CLAUDE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#;
const GEMINI: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}"#;
const NOVA: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}"#;

#[tokio::test]
async fn each_model_is_asked_where_its_cloud_has_it() {
    for (kind, model, answer, path, says) in [
        (
            "vertex, project: p-1, location: europe-west1",
            "claude-opus-4",
            CLAUDE,
            "/v1/publishers/anthropic/models/claude-opus-4:rawPredict",
            r#""anthropic_version":"vertex-2023-10-16""#,
        ),
        (
            "vertex, project: p-1",
            "gemini-2.5-pro",
            GEMINI,
            "/v1/publishers/google/models/gemini-2.5-pro:generateContent",
            r#""contents""#,
        ),
        (
            "bedrock, region: us-east-1",
            "us.amazon.nova-pro-v1:0",
            NOVA,
            "/v1/model/us.amazon.nova-pro-v1%3A0/converse",
            r#""messages":[{"role":"user","content":[{"text":"hi there"}]}]"#,
        ),
    ] {
        let provider = Raw::answering("application/json", answer.as_bytes()).await;
        let yaml = format!(
            "providers: {{ cloud: {{ kind: {kind}, base_url: \"{}\", api_key: key-of-cloud }} }}
routes: {{ chat: {{ targets: [\"cloud/{model}\"] }} }}
",
            provider.url
        );
        let gateway = Gateway::start(&yaml).await;
        let answer = gateway.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, answer.said().as_str()), (200, "hi"), "{kind}: {}", answer.text());
        let usage = answer.json()["usage"].take();
        assert_eq!([&usage["prompt_tokens"], &usage["completion_tokens"]], [&Value::from(3), &Value::from(2)]);
        let requests = provider.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("POST {path} HTTP/1.1")), "{head}");
        assert!(head.contains("authorization: Bearer key-of-cloud"), "{head}");
        assert!(body.contains(says) && !body.contains("\"model\""), "{body}");
    }
}
