//! Requests that are wrong or hostile: each gets a clear answer, and the gateway goes on serving in bounded memory.

use crate::client::{Ask, End, Exchange, TOO_LONG, soon};
use crate::gateway::Gateway;
use crate::provider::Provider;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The most memory a gateway may ever have used here.
const MEMORY: usize = 100 << 20;

async fn gateway(provider: &Provider, rest: &str) -> Gateway {
    Gateway::chain(&[("p", &provider.url)], rest).await
}

/// A right call is still answered, nothing has panicked, and memory was always bounded.
async fn still_serves(gateway: &Gateway) {
    let answer = soon("an answer", gateway.ask(Ask::whole("chat"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.process.pid)).expect("a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    let peak: usize = peak.expect("a high-water mark");
    assert!(peak << 10 < MEMORY, "{peak} kB");
    let log = gateway.process.stderr.text();
    assert!(!log.contains("panicked") && !log.contains("internal_error"), "{log}");
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "direct: true").await;
    let hi = r#""messages":[{"role":"user","content":"hi"}]"#;
    let nested = |open: &str, count: usize| format!(r#"{{"model":"chat",{hi},"x":{}"#, open.repeat(count));
    let bad_utf8 = [br#"{"model":"chat","messages":[{"role":"user","content":""#.as_slice(), b"\xff\"}]}"].concat();
    for (body, status, code, param, said) in [
        (Vec::new(), 400, "invalid_request", None, "empty"),
        (b"{".to_vec(), 400, "invalid_request", None, "JSON"),
        (b"\x00\x01".to_vec(), 400, "invalid_request", None, "JSON"),
        (b"[]".to_vec(), 400, "invalid_request", None, "JSON object"),
        (bad_utf8, 400, "invalid_request", None, "UTF-8"),
        (nested("[", 10_000_000).into(), 400, "invalid_request", None, "nests deeper"),
        (nested(r#"{"x":"#, 3_000_000).into(), 400, "invalid_request", None, "nests deeper"),
        (format!("{{{hi}}}").into(), 400, "invalid_request", Some("model"), "model"),
        (format!(r#"{{"model":7,{hi}}}"#).into(), 400, "invalid_request", Some("model"), "a string"),
        (
            format!(r#"{{"model":"chat","stream":"yes",{hi}}}"#).into(),
            400,
            "invalid_request",
            Some("stream"),
            "boolean",
        ),
        (br#"{"model":"chat"}"#.to_vec(), 400, "invalid_request", Some("messages"), "messages"),
        (br#"{"model":"chat","messages":"hi"}"#.to_vec(), 400, "invalid_request", Some("messages"), "array"),
        (br#"{"model":"chat","messages":[]}"#.to_vec(), 400, "invalid_request", Some("messages"), "empty"),
        (br#"{"model":"chat","messages":[{}]}"#.to_vec(), 400, "invalid_request", Some("messages[0].role"), "role"),
        (format!(r#"{{"model":"nobody",{hi}}}"#).into(), 404, "model_not_found", Some("model"), "nobody"),
        (format!(r#"{{"model":"nobody/m",{hi}}}"#).into(), 404, "model_not_found", Some("model"), "nobody/m"),
        (format!(r#"{{"model":"{}",{hi}}}"#, "x".repeat(1 << 20)).into(), 404, "model_not_found", Some("model"), "xxx"),
    ] {
        let shown = String::from_utf8(body.iter().copied().take(60).collect()).unwrap_or_default();
        let began = Instant::now();
        let answer = gateway.ask(Ask::post(body)).await;
        let error = answer.json()["error"].take();
        assert_eq!((answer.status, &error["code"], &error["param"]), (status, &json!(code), &json!(param)), "{shown}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(said) && message.len() < 1000, "{shown}: {message}");
        assert!(began.elapsed() < Duration::from_secs(5), "{shown}");
        assert_eq!(gateway.record(&answer.id).await["outcome"], "client_error", "{shown}");
    }
    assert_eq!(provider.calls(), 0);
    still_serves(&gateway).await;
}

#[tokio::test]
async fn wrong_paths_and_methods_are_told_so() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "").await;
    for (method, path, status, code, allow) in [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed", Some("POST")),
        ("DELETE", "/v1/models", 405, "method_not_allowed", Some("GET")),
        ("POST", "/v1/nothing", 404, "unknown_url", None),
        ("GET", "/", 404, "unknown_url", None),
        ("GET", "/v1/models/nobody", 404, "model_not_found", None),
    ] {
        let answer = gateway.ask(Ask::new(method, path)).await;
        assert_eq!((answer.status, &*answer.code(), answer.header("allow")), (status, code, allow), "{method} {path}");
        let error = answer.json()["error"].take();
        assert!(error["message"].is_string() && error["type"] == "invalid_request_error", "{error}");
    }
}

/// A right request of exactly `size` bytes.
fn sized(size: usize) -> Ask {
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "hi"}], "pad": ""}).to_string();
    Ask::post(body.replace(r#""pad":"""#, &format!(r#""pad":"{}""#, "x".repeat(size - body.len()))))
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "limits: { body: 100KB }").await;
    assert_eq!(gateway.ask(sized(100_000)).await.status, 200);
    let answer = gateway.ask(sized(100_001)).await;
    assert_eq!((answer.status, &*answer.code()), (413, "request_too_large"));
    assert_eq!(gateway.record(&answer.id).await["outcome"], "client_error");
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_huge_body_is_refused_in_bounded_memory() {
    const HUGE: usize = 100 << 20;
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "").await;
    let announced = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: {HUGE}\r\n\r\n");
    let chunked = "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n";
    let piece = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n", &*piece, b"\r\n"].concat();
    for (head, piece) in [(&*announced, &piece), (chunked, &chunk)] {
        let mut exchange = Exchange::saying(gateway.data, head.as_bytes()).await;
        for _ in 0..HUGE >> 20 {
            let _ = exchange.write(piece).await;
        }
        let _ = exchange.write(if head == chunked { b"0\r\n\r\n" } else { b"" }).await;
        let said = exchange.until("request_too_large").await;
        assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    }
    assert_eq!(provider.calls(), 0);
    still_serves(&gateway).await;
}

#[tokio::test]
async fn heads_are_bounded_in_size_and_time() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "limits: { header_timeout: 300ms }").await;
    let huge = gateway.ask(Ask::get("/livez").header("x-huge", &"x".repeat(200_000))).await;
    assert!(huge.status == 431 || huge.raw.is_empty(), "{}", huge.head);
    let many = (0..500).fold(Ask::get("/livez"), |ask, number| ask.header(&format!("x-{number}"), "x"));
    let many = gateway.ask(many).await;
    assert!(many.status == 431 || many.raw.is_empty(), "{}", many.head);
    for said in ["POST /v1/chat/completions HTTP/1.1\r\nhost: ", "", "P", "PRI * HT"] {
        let began = Instant::now();
        let slow = Exchange::saying(gateway.data, said.as_bytes()).await.answer().await;
        assert!(slow.status == 408 || slow.raw.is_empty(), "{said:?}: {}", slow.head);
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(300) && took < TOO_LONG / 4, "{said:?}: {took:?}");
    }
    still_serves(&gateway).await;
}

#[tokio::test]
async fn connections_over_the_ceiling_are_told_to_come_back() {
    let provider = Provider::behaving(r#"{"fault":"hang"}"#).await;
    let gateway = gateway(&provider, "limits: { connections: 2 }").await;
    let held = [gateway.send(Ask::whole("chat")).await, gateway.send(Ask::whole("chat")).await];
    soon("both calls", provider.control.until(|counts| counts.in_flight == 2)).await;
    let answer = gateway.ask(Ask::get("/livez")).await;
    let error: Value = serde_json::from_slice(&answer.body).expect("an error");
    assert_eq!((answer.status, &error["error"]["code"]), (503, &json!("overloaded")), "{}", answer.head);
    assert!(answer.header("retry-after").is_some(), "{}", answer.head);
    gateway.expect(&[(r#"shed_total{priority="normal",reason="overloaded"}"#, 1.0)]).await;
    drop(held);
    soon("room again", async { while gateway.ask(Ask::get("/livez")).await.status != 200 {} }).await;
}

#[tokio::test]
async fn old_and_hasty_clients_are_served() {
    let provider = Provider::named("fine").await;
    let gateway = gateway(&provider, "").await;
    let body = r#"{"model":"chat","messages":[{"role":"user","content":"hi"}]}"#;
    let head = |version: &str, more: &str| {
        let length = body.len();
        format!("POST /v1/chat/completions HTTP/{version}\r\nhost: g\r\ncontent-length: {length}\r\n{more}\r\n{body}")
    };
    let old = Exchange::saying(gateway.data, head("1.0", "").as_bytes()).await.answer().await;
    assert_eq!((old.status, &*old.said()), (200, "fine"), "{}", old.head);
    let pipelined = [head("1.1", ""), head("1.1", ""), head("1.1", "connection: close\r\n")].concat();
    let hasty = Exchange::saying(gateway.data, pipelined.as_bytes()).await.answer().await;
    let answers = String::from_utf8(hasty.raw).expect("text");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    let expecting = head("1.1", "expect: 100-continue\r\nconnection: close\r\n");
    let expecting = Exchange::saying(gateway.data, expecting.as_bytes()).await.answer().await;
    assert!(expecting.raw.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "{}", expecting.head);
}

#[tokio::test]
async fn noise_disturbs_nobody() {
    let provider = Provider::behaving("{}").await;
    let gateway = gateway(&provider, "").await;
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\x00\xff\x00\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n",
        b"GET /\x7f\x00 HTTP/1.1\r\nhost: g\r\n\r\n",
    ] {
        let mut exchange = Exchange::saying(gateway.data, noise).await;
        exchange.hang_up().await;
        let answer = exchange.answer().await;
        let refused = answer.raw.is_empty() || (400..500).contains(&answer.status);
        assert!(refused, "{}: {}", noise.escape_ascii(), answer.raw.escape_ascii());
    }
    let mut cut_short = gateway.send(Ask::get("/livez")).await;
    cut_short.hang_up().await;
    assert_ne!(cut_short.answer().await.end, End::Reset);
    still_serves(&gateway).await;
}
