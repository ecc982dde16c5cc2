//! The load: keep-alive connections that each ask again as soon as they are answered.
//!
//! Reads every answer to its end and fails at the first that is not complete: a gateway that loses
//! events would otherwise look fast.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How every complete stream ends.
const TERMINATOR: &[u8] = b"data: [DONE]\n\n";
/// Longer than any answer of the workloads takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where to send what, and how.
pub(super) struct Load<'a> {
    pub(super) address: SocketAddr,
    pub(super) request: &'a Bytes,
    pub(super) streamed: bool,
    pub(super) at_once: usize,
    /// Connections begin spread over this time, so that paced streams do not tick in step.
    pub(super) stagger: Duration,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: usize,
    /// Content events of a stream, the terminator not counted; 0 for a whole answer.
    pub(super) events: usize,
}

/// One call, looked at closely: the answer that all others must equal in length.
pub(super) async fn one(load: &Load<'_>) -> Result<Answer> {
    let mut sender = connect(load.address).await?;
    let mut body = send(&mut sender, chat(load.request.clone())?).await?;
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        text.extend_from_slice(&frame?.into_data().unwrap_or_default());
    }
    ensure!(!load.streamed || text.ends_with(TERMINATOR), "a stream without [DONE]");
    let events = text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"data:")).count();
    Ok(Answer { bytes: text.len(), events: events.saturating_sub(1) })
}

/// `calls` calls, each checked against the expected answer.
pub(super) async fn drive(load: &Load<'_>, calls: usize, expected: &Answer) -> Result<()> {
    let left = Arc::new(AtomicUsize::new(calls));
    let mut connections = JoinSet::new();
    for place in 0..load.at_once.min(calls) {
        let (left, address, request) = (left.clone(), load.address, load.request.clone());
        let (streamed, bytes) = (load.streamed, expected.bytes);
        let delay = load.stagger.mul_f64(place as f64 / load.at_once as f64);
        connections.spawn(async move {
            tokio::time::sleep(delay).await;
            let mut sender = connect(address).await?;
            while take(&left) {
                let answered = timeout(PATIENCE, complete(&mut sender, request.clone(), streamed, bytes)).await;
                answered.context("no answer in time")??;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

/// Tells the simulator how to answer for `model`.
pub(super) async fn script(simulator: SocketAddr, model: &str, behaviour: &serde_json::Value) -> Result<()> {
    let request = Request::put(format!("/_sim/models/{model}"))
        .header(header::HOST, simulator.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(behaviour.to_string()))?;
    let mut sender = connect(simulator).await?;
    let answered = send(&mut sender, request).await.with_context(|| format!("scripting {model} as {behaviour}"));
    answered.map(drop)
}

/// Whether `path` answers with a success.
pub(super) async fn probe(address: SocketAddr, path: &str) -> Result<()> {
    let request = Request::get(path).header(header::HOST, address.to_string()).body(Full::default())?;
    send(&mut connect(address).await?, request).await.map(drop)
}

fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

async fn complete(sender: &mut SendRequest<Full<Bytes>>, request: Bytes, streamed: bool, bytes: usize) -> Result<()> {
    let mut body = send(sender, chat(request)?).await?;
    let (mut length, mut tail) = (0, Vec::with_capacity(2 * TERMINATOR.len()));
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        length += data.len();
        keep_end(&mut tail, &data);
    }
    ensure!(!streamed || tail == TERMINATOR, "a stream of {length} bytes without [DONE]");
    ensure!(length == bytes, "an answer of {length} bytes where {bytes} were sent");
    Ok(())
}

/// Keeps the last bytes of what has come, as many as the terminator has.
fn keep_end(tail: &mut Vec<u8>, data: &[u8]) {
    tail.extend_from_slice(&data[data.len().saturating_sub(TERMINATOR.len())..]);
    tail.drain(..tail.len().saturating_sub(TERMINATOR.len()));
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; what goes wrong on it is seen by the call.
    tokio::spawn(connection);
    Ok(sender)
}

fn chat(body: Bytes) -> Result<Request<Full<Bytes>>> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/chat/completions")
        .header(header::HOST, "bench")
        .header(header::AUTHORIZATION, "Bearer bench-key-1")
        .header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::new(body))?)
}

async fn send(sender: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Incoming> {
    sender.ready().await.context("the connection was closed")?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer.into_body());
    }
    let text = answer.into_body().collect().await?.to_bytes();
    bail!("status {status}: {}", text.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::{Answer, Load, TERMINATOR, drive, keep_end};
    use bytes::Bytes;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn the_end_is_kept_however_the_bytes_are_cut() {
        let text = [b"data: {\"a\":1}\n\n".as_slice(), TERMINATOR].concat();
        for size in [1, 3, 14, text.len()] {
            let mut tail = Vec::new();
            text.chunks(size).for_each(|chunk| keep_end(&mut tail, chunk));
            assert_eq!(tail, TERMINATOR, "chunks of {size}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_complete_fails_the_run() {
        let stream = "data: 1\n\ndata: [DONE]\n\n";
        let length = stream.len();
        for (head, body, good) in [
            (format!("200 OK\r\ncontent-length: {length}"), stream, true),
            (format!("500 Oh\r\ncontent-length: {length}"), stream, false),
            (format!("200 OK\r\ncontent-length: {}", length + 1), stream, false),
            ("200 OK\r\ncontent-length: 14".into(), "data: [DONE]\n\n", false),
            ("200 OK\r\ncontent-length: 23".into(), "data: 1\n\ndata: [DONE].\n", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let request = Bytes::new();
            let address = listener.local_addr().unwrap();
            let load = Load { address, request: &request, streamed: true, at_once: 1, stagger: Duration::ZERO };
            let server = async {
                let (mut peer, _) = listener.accept().await.unwrap();
                let _request = peer.read(&mut [0; 1024]).await.unwrap();
                peer.write_all(format!("HTTP/1.1 {head}\r\n\r\n{body}").as_bytes()).await.unwrap();
            };
            let expected = Answer { bytes: length, events: 1 };
            let (driven, ()) = tokio::join!(drive(&load, 1, &expected), server);
            assert_eq!(driven.is_ok(), good, "{head}: {driven:?}");
        }
    }
}
