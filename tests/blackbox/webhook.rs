//! Answers that a service of the user's own has the last word on, and what a route takes out of answers.
//!
//! Must never be here: what else a contract demands (`contracts`).

use crate::client::{Answer, Ask};
use crate::gateway::Gateway;
use crate::provider::Provider;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Approves of whatever does not speak of prices; asked for `silence` it says nothing.
struct Service {
    url: String,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
    task: JoinHandle<()>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/judge", listener.local_addr().expect("bound"));
        let heard: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let noted = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (head, question) = read(&mut socket).await;
                let said = question["answer"]["choices"][0]["content"].as_str().unwrap_or_default().to_owned();
                noted.lock().expect("no poison").push((head, question));
                let reply = match &*said {
                    "Silence." => continue,
                    said if said.contains("costs") => json!({"verdict": false, "reason": "Name no prices."}),
                    _ => json!({"verdict": true}),
                };
                let body = reply.to_string();
                let length = body.len();
                let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                let _ = socket.write_all(reply.as_bytes()).await;
            }
        });
        Self { url, heard, task }
    }

    fn heard(&self) -> Vec<(String, Value)> {
        self.heard.lock().expect("no poison").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request: its head, and its JSON.
async fn read(socket: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n")
            && let Ok(body) = serde_json::from_slice(&bytes[end + 4..])
        {
            return (std::str::from_utf8(&bytes[..end]).expect("a head").to_ascii_lowercase(), body);
        }
        assert!(socket.read_buf(&mut bytes).await.expect("a request") > 0, "a whole request");
    }
}

fn saying(text: &str) -> String {
    json!({"text": text}).to_string()
}

fn is_whole(answer: &Answer, stream: bool) -> bool {
    if stream { answer.sketch().ends_with("D.") } else { answer.status == 200 }
}

async fn advised(said: &str, rest: &str) -> (Service, Provider, Provider, Gateway) {
    let (service, first, second) = (
        Service::start().await,
        Provider::behaving(&saying(said)).await,
        Provider::behaving(&saying("No idea.")).await,
    );
    let webhook = format!("{{ url: '{}', timeout: 300ms, headers: {{ x-token: canary }} {rest} }}", service.url);
    let contract = format!("defaults: {{ contract: {{ webhook: {webhook}, on_violation: [failover] }} }}");
    let gateway = Gateway::chain(&[("first", &first.url), ("second", &second.url)], &contract).await;
    (service, first, second, gateway)
}

#[tokio::test]
async fn what_it_approves_reaches_the_client_and_what_it_refuses_never_does() {
    for stream in [false, true] {
        let (service, _first, second, gateway) = advised("Fine weather.", "").await;
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        assert!(is_whole(&answer, stream) && answer.said() == "Fine weather.", "{}", answer.text());
        assert_eq!((second.calls(), answer.header("x-breakwater-degraded")), (0, None));
        let [(head, question)] = &service.heard()[..] else { panic!("asked once") };
        assert!(head.starts_with("post /judge http/1.1") && head.contains("x-token: canary"), "{head}");
        assert_eq!([&question["event"], &question["route"], &question["target"]], ["answer", "chat", "first/m"]);
        assert_eq!(question["request_id"], &*answer.id);
        assert_eq!(question["request"]["stream"], stream);

        let (service, _first, second, gateway) = advised("It costs 3.", "").await;
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        assert!(is_whole(&answer, stream) && answer.said() == "No idea.", "{}", answer.text());
        assert!(!answer.text().contains("costs"), "{}", answer.text());
        assert_eq!((second.calls(), service.heard().len()), (1, 2));
        let record = gateway.record(&answer.id).await;
        assert_eq!(record["findings"], json!(["webhook_refused"]), "{record}");
        assert!(!record.to_string().contains("prices"), "{record}");
    }
}

#[tokio::test]
async fn where_it_says_nothing_the_route_decides() {
    for stream in [false, true] {
        let (_service, _first, second, gateway) = advised("Silence.", "").await;
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        let text = answer.text();
        assert!(text.contains("contract_unmet") && !text.contains("Silence.") && !text.contains("[DONE]"), "{text}");
        assert_eq!((answer.status, second.calls()), (if stream { 200 } else { 502 }, 0));
        let target = gateway.target("first/m").await;
        assert_eq!(target["state"], "closed", "{target}");

        let (_service, _first, _second, gateway) = advised("Silence.", ", on_failure: pass").await;
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        assert!(is_whole(&answer, stream) && answer.said() == "Silence.", "{}", answer.text());
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["checks"]["webhook"]], ["success", "flagged"], "{record}");
    }
}

#[tokio::test]
async fn what_is_taken_out_reaches_nobody() {
    let said = "Write to ada@mail.example, soon.";
    let provider = Provider::behaving(&saying(said)).await;
    let redact = "defaults: { contract: { pii: { action: redact } } }";
    let gateway = Gateway::chain(&[("first", &provider.url)], redact).await;
    for stream in [false, true] {
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        assert!(is_whole(&answer, stream), "{}", answer.text());
        assert_eq!(answer.said(), "Write to <EMAIL_ADDRESS>, soon.");
        assert!(!answer.text().contains("mail.example"), "{}", answer.text());
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["degraded"], &record["checks"]["pii"]], ["redacted", "redacted"], "{record}");
        let marked = if stream { answer.text().contains(": x-breakwater-degraded: redacted\n\n") } else { false };
        assert!(marked || answer.header("x-breakwater-degraded") == Some("redacted"), "{}", answer.text());
    }
}
