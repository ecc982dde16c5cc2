//! A raw HTTP client: shows body frames, unfinished bodies and how the connection ended.

use serde_json::{Value, json};
use simulator::{Behaviour, Control, Settings, Simulator};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes; only a failing test waits for it.
pub(crate) const TOO_LONG: Duration = Duration::from_secs(20);
/// How long nothing must come for a connection to be called silent.
const SILENCE: Duration = Duration::from_millis(50);

/// A simulator that serves as long as this lives.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    pub(crate) control: Control,
    serving: JoinHandle<()>,
}

impl Provider {
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let simulator = Simulator::new(settings);
        let control = simulator.control();
        let serving = tokio::spawn(async move { simulator.serve(listener).await });
        Self { address, control, serving }
    }

    pub(crate) async fn behaving(behaviour: &str) -> Self {
        let behaviour = Behaviour::from_json(behaviour.as_bytes()).expect(behaviour);
        Self::start(Settings { behaviour, ..Settings::default() }).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("a head sent");
        stream.write_all(body.as_bytes()).await.expect("a body sent");
        stream
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Got {
        let stream = self.send(method, path, headers, body).await;
        Got::read(stream, None).await
    }

    /// A chat call with these fields besides model and message.
    pub(crate) async fn chat(&self, extra: Value) -> Got {
        self.ask("POST", "/v1/chat/completions", "", &call(extra)).await
    }

    /// A chat call whose answer never ends: read until `seen` has come and then nothing.
    pub(crate) async fn chat_until(&self, extra: Value, seen: &str) -> Got {
        let stream = self.send("POST", "/v1/chat/completions", "", &call(extra)).await;
        Got::read(stream, Some(seen)).await
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A chat request, `extra` over the usual fields.
pub(crate) fn call(extra: Value) -> String {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi there"}]});
    let (Value::Object(body_fields), Value::Object(extra)) = (&mut body, extra) else { panic!("objects") };
    body_fields.extend(extra);
    body.to_string()
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// In order, the body finished.
    Complete,
    /// In order, the body unfinished.
    Closed,
    Reset,
    /// It did not: nothing more comes.
    Open,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) raw: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) head: String,
    /// Body frames: the chunks of a chunked body.
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) end: End,
}

impl Got {
    pub(crate) async fn read(mut stream: TcpStream, seen: Option<&str>) -> Self {
        let mut raw = Vec::new();
        let end = loop {
            let found = seen.is_some_and(|seen| raw.windows(seen.len()).any(|window| window == seen.as_bytes()));
            match timeout(if found { SILENCE } else { TOO_LONG }, stream.read_buf(&mut raw)).await {
                Err(_) if found => break End::Open,
                Err(_) => panic!("waited too long after: {}", raw.escape_ascii()),
                Ok(Ok(0)) => break End::Closed,
                // Fillers never fall silent; once seen often enough they count as open.
                Ok(Ok(_)) if found && raw.len() > 100_000 => break End::Open,
                Ok(Ok(_)) => {}
                Ok(Err(_)) => break End::Reset,
            }
        };
        Self::parse(raw, end)
    }

    /// Reads until `seen` has come.
    pub(crate) async fn seen(stream: &mut TcpStream, seen: &str) {
        let mut raw = Vec::new();
        while !raw.windows(seen.len()).any(|window| window == seen.as_bytes()) {
            let read = timeout(TOO_LONG, stream.read_buf(&mut raw)).await.expect(seen).expect(seen);
            assert_ne!(read, 0, "ended after: {}", raw.escape_ascii());
        }
    }

    fn parse(raw: Vec<u8>, end: End) -> Self {
        let split = raw.windows(4).position(|window| window == b"\r\n\r\n");
        let head = String::from_utf8(raw[..split.unwrap_or(0)].to_vec()).unwrap_or_default().to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = split.map_or(&[][..], |split| &raw[split + 4..]);
        let length: Option<usize> =
            head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        let (frames, finished) = match length {
            Some(length) => (vec![body.to_vec()], body.len() == length),
            None => dechunk(body),
        };
        let end = if end == End::Closed && finished { End::Complete } else { end };
        Self { status, head, frames, end, raw }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }

    pub(crate) fn text(&self) -> String {
        self.body().escape_ascii().to_string()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The data of all events that can be read, `[DONE]` left out.
    pub(crate) fn events(&self) -> Vec<Value> {
        let body = String::from_utf8(self.body()).expect("text");
        let data = body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect(data)).collect()
    }

    /// A stream in a line: `r`ole, `c`ontent, `f`inish, `u`sage, `0` no choices, `E`rror, `X` unreadable, `D`one,
    /// `:` comments; then how it ended: `.` complete, `!` closed, `R` reset, `~` open.
    pub(crate) fn sketch(&self) -> String {
        let body = self.body();
        let mut sketch = String::new();
        for event in split_events(&body) {
            let letter = letter(event);
            if !(letter == ':' && sketch.ends_with(':')) {
                sketch.push(letter);
            }
        }
        sketch.push(match self.end {
            End::Complete => '.',
            End::Closed => '!',
            End::Reset => 'R',
            End::Open => '~',
        });
        sketch
    }
}

fn split_events(mut body: &[u8]) -> Vec<&[u8]> {
    let mut events = Vec::new();
    while let Some(at) = body.windows(2).position(|window| window == b"\n\n") {
        events.push(&body[..at]);
        body = &body[at + 2..];
    }
    events
}

fn letter(event: &[u8]) -> char {
    let Some(data) = event.strip_prefix(b"data: ") else { return if event[0] == b':' { ':' } else { '?' } };
    if data == b"[DONE]" {
        return 'D';
    }
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return 'X' };
    let choice = &value["choices"][0];
    match &value {
        _ if value.get("error").is_some() => 'E',
        _ if value["usage"].is_object() => 'u',
        _ if choice.is_null() => '0',
        _ if choice["finish_reason"].is_string() => 'f',
        _ if choice["delta"].get("role").is_some() => 'r',
        _ => 'c',
    }
}

fn dechunk(mut body: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut frames = Vec::new();
    while let Some(at) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        match size {
            Some(0) => return (frames, true),
            Some(size) if body.len() >= at + 2 + size + 2 => {
                frames.push(body[at + 2..at + 2 + size].to_vec());
                body = &body[at + 2 + size + 2..];
            }
            _ => break,
        }
    }
    (frames, false)
}
