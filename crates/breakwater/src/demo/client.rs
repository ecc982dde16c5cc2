//! One call as a user makes it, and what came of it by the wire alone.
//!
//! Shares no code with the gateway, so that it cannot share its mistakes. Must never be here: anything the gateway
//! says about itself.

use crate::http_client::HttpClient;
use anyhow::Result;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// The longest answer a client takes, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// How long a client waits before it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The whole answer, ended as the API ends one.
    Answer,
    /// An error status.
    Status(u16),
    /// An error event in the stream.
    ErrorEvent,
    /// Neither a complete answer nor an error that says so: what must never happen.
    Untold,
}

/// Clients of one gateway, who all expect the same answer.
#[derive(Clone)]
pub(super) struct Clients {
    http: HttpClient,
    url: String,
    expected: &'static str,
}

impl Clients {
    pub(super) fn of(gateway: SocketAddr, expected: &'static str) -> Self {
        Self { http: HttpClient::new(), url: format!("http://{gateway}/v1/chat/completions"), expected }
    }

    /// Makes one call and waits for its end.
    ///
    /// # Errors
    /// The gateway cannot be talked to at all.
    pub(super) async fn call(&self, request_id: &str, stream: bool) -> Result<View> {
        let asked = json!({
            "model": "chat",
            "stream": stream,
            "messages": [{ "role": "user", "content": "Why is the harbour calm?" }],
        });
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-request-id", request_id)
            .body(Full::from(asked.to_string()))?;
        match timeout(PATIENCE, self.exchange(request, stream)).await {
            Ok(view) => view,
            Err(_) => Ok(View::Untold),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, stream: bool) -> Result<View> {
        let (status, body) = self.http.exchange(request, MAX_ANSWER).await?;
        Ok(body.map_or(View::Untold, |body| judge(status, stream, &body, self.expected)))
    }
}

/// What a response is to a client who expects this answer.
fn judge(status: StatusCode, stream: bool, body: &[u8], expected: &str) -> View {
    if status != StatusCode::OK {
        return View::Status(status.as_u16());
    }
    if stream { streamed(body, expected) } else { whole(body, expected) }
}

fn whole(body: &[u8], expected: &str) -> View {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let choice = &answer["choices"][0];
    let complete = choice["finish_reason"] == "stop" && choice["message"]["content"] == expected;
    if complete { View::Answer } else { View::Untold }
}

fn streamed(body: &[u8], expected: &str) -> View {
    let (mut text, mut finished, mut terminated) = (String::new(), false, false);
    for data in body.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: ")) {
        if data == b"[DONE]" {
            terminated = true;
            continue;
        }
        let event: Value = serde_json::from_slice(data).unwrap_or_default();
        if event["error"].is_object() {
            return View::ErrorEvent;
        }
        let choice = &event["choices"][0];
        finished |= choice["finish_reason"] == "stop";
        text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
    }
    if finished && terminated && text == expected { View::Answer } else { View::Untold }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    const ERROR: &str = "data: {\"error\":{\"message\":\"broke off\"}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    #[test]
    fn only_a_complete_answer_is_one() {
        for (parts, expected) in [
            (&[WORD, STOP, DONE][..], View::Answer),
            (&[WORD, STOP], View::Untold),
            (&[WORD, DONE], View::Untold),
            (&[STOP, DONE], View::Untold),
            (&[WORD, WORD, STOP, DONE], View::Untold),
            (&[WORD, ERROR], View::ErrorEvent),
            (&[], View::Untold),
        ] {
            assert_eq!(judge(StatusCode::OK, true, parts.concat().as_bytes(), "Hi"), expected, "{parts:?}");
        }
        for (status, body, expected) in [
            (200, r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#, View::Answer),
            (200, r#"{"choices":[{"message":{"content":"H"},"finish_reason":"stop"}]}"#, View::Untold),
            (200, r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":null}]}"#, View::Untold),
            (200, r#"{"choices":[{"message":{"#, View::Untold),
            (200, r#"{"error":{"message":"no"}}"#, View::Untold),
            (200, "<html>", View::Untold),
            (200, "", View::Untold),
            (502, r#"{"error":{"message":"no"}}"#, View::Status(502)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(status, false, body.as_bytes(), "Hi"), expected, "{body}");
        }
    }
}
