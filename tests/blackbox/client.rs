//! A raw HTTP client: says exactly what it is told, shows exactly what came, and can leave at any time.
//!
//! Receives an [`Ask`] and an address; hands back an [`Exchange`] under way, which becomes an [`Answer`] or is dropped.
//! Must never be here: anything of the gateway.

use serde_json::{Value, json};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes; only a failing test waits for it.
pub(crate) const TOO_LONG: Duration = Duration::from_secs(20);

/// Waits for `happens`, within bounds.
pub(crate) async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TOO_LONG, happens).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

/// Carries all of these out at one time.
pub(crate) async fn together(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let finished = std::future::poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if all.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    });
    finished.await;
}

/// A request. Each has an id of its own, by which its access-log line is found.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) id: String,
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (line, headers) = (format!("{method} {path} HTTP/1.1"), vec![("host".into(), "gateway".into())]);
        Self { id: String::new(), line, headers, body: Vec::new() }.anew()
    }

    /// The same, with an id of its own.
    pub(crate) fn anew(mut self) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.id = format!("ask-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.headers.retain(|(name, _)| name != "x-request-id");
        let id = self.id.clone();
        self.header("x-request-id", &id)
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A chat request for `model` that is answered whole.
    pub(crate) fn whole(model: &str) -> Self {
        Self::chat(model, json!({}))
    }

    /// A chat request for `model` that is answered as a stream.
    pub(crate) fn stream(model: &str) -> Self {
        Self::chat(model, json!({"stream": true}))
    }

    /// A chat request for `model` with further fields.
    pub(crate) fn chat(model: &str, fields: Value) -> Self {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi there"}]});
        let (Value::Object(all), Value::Object(fields)) = (&mut body, fields) else { panic!("objects") };
        all.extend(fields);
        Self::post(body.to_string())
    }

    /// A chat request with this body.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        Self::to("/v1/chat/completions", body)
    }

    /// A request that puts this body to a path.
    pub(crate) fn to(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new("POST", path) }
    }

    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn head(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", self.line, self.body.len())
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(self, to: SocketAddr) -> Exchange {
        let mut exchange = Exchange::open(to, self.id.clone()).await;
        // The other side may answer and close before it has everything; what it said is then still there to read.
        let _ = exchange.write(self.head().as_bytes()).await;
        let _ = exchange.write(&self.body).await;
        exchange
    }
}

/// A connection with a request on it. Dropped, the client is gone.
pub(crate) struct Exchange {
    pub(crate) id: String,
    stream: TcpStream,
    raw: Vec<u8>,
}

impl Exchange {
    /// A connection on which nothing has been said.
    pub(crate) async fn open(to: SocketAddr, id: String) -> Self {
        let stream = soon("a connection", TcpStream::connect(to)).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        Self { id, stream, raw: Vec::new() }
    }

    /// A connection on which these bytes are said.
    pub(crate) async fn saying(to: SocketAddr, bytes: &[u8]) -> Self {
        let mut exchange = Self::open(to, String::new()).await;
        let _ = exchange.write(bytes).await;
        exchange
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        soon("room to write", self.stream.write_all(bytes)).await
    }

    /// Says that nothing more will be said.
    pub(crate) async fn hang_up(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads until `wanted` has come; everything so far.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        while !self.raw.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            let read = soon(wanted, self.stream.read_buf(&mut self.raw)).await;
            assert!(matches!(read, Ok(1..)), "no {wanted:?} in: {}", self.raw.escape_ascii());
        }
        String::from_utf8(self.raw.clone()).expect("text")
    }

    /// Reads to the end of the connection.
    pub(crate) async fn answer(mut self) -> Answer {
        let end = loop {
            match soon("the end of an answer", self.stream.read_buf(&mut self.raw)).await {
                Ok(0) => break End::Closed,
                Ok(_) => {}
                Err(_) => break End::Reset,
            }
        };
        Answer::parse(self.id, self.raw, end)
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// In order, the body finished.
    Complete,
    /// In order, the body unfinished.
    Closed,
    Reset,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
    pub(crate) raw: Vec<u8>,
}

impl Answer {
    fn parse(id: String, raw: Vec<u8>, end: End) -> Self {
        let split = raw.windows(4).position(|window| window == b"\r\n\r\n");
        let head = String::from_utf8(raw[..split.unwrap_or(0)].to_vec()).expect("a head of text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let rest = split.map_or(&[][..], |split| &raw[split + 4..]);
        let length: Option<usize> = value(&head, "content-length").and_then(|length| length.parse().ok());
        let (body, finished) = match length {
            Some(length) => (rest.to_vec(), rest.len() == length),
            None => dechunked(rest),
        };
        let end = if end == End::Closed && finished { End::Complete } else { end };
        Self { id, status, head, body, end, raw }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text.to_owned(),
            Err(_) => self.body.escape_ascii().to_string(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.head, self.text()))
    }

    /// `error.code` of the body.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The data of all events, those that cannot be read as null, `[DONE]` as text.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        data.map(|data| if data == "[DONE]" { json!(data) } else { serde_json::from_str(data).unwrap_or_default() })
            .collect()
    }

    /// The error event at the end of a stream.
    pub(crate) fn error_event(&self) -> Value {
        self.events().pop().map(|mut event| event["error"].take()).unwrap_or_default()
    }

    /// What the answer says, whole or streamed.
    pub(crate) fn said(&self) -> String {
        let whole = serde_json::from_slice::<Value>(&self.body).ok();
        let pieces = whole.map_or_else(|| self.events(), |answer| vec![answer]);
        let choice = |piece: &Value| {
            let choice = &piece["choices"][0];
            let said = [&choice["message"]["content"], &choice["delta"]["content"]];
            said.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
        };
        pieces.iter().map(choice).collect()
    }

    /// A stream in a line: `r`ole, `c`ontent, `f`inish, `u`sage, `E`rror, `X` unreadable, `D`one, `:` comments;
    /// then how it ended: `.` complete, `!` closed, `R` reset.
    pub(crate) fn sketch(&self) -> String {
        let text = self.text();
        let mut sketch = String::new();
        for event in text.split_terminator("\n\n") {
            let letter = letter(event);
            if !(letter == ':' && sketch.ends_with(':')) {
                sketch.push(letter);
            }
        }
        sketch.push(match self.end {
            End::Complete => '.',
            End::Closed => '!',
            End::Reset => 'R',
        });
        sketch
    }
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
}

fn letter(event: &str) -> char {
    let Some(data) = event.strip_prefix("data: ") else { return if event.starts_with(':') { ':' } else { '?' } };
    if data == "[DONE]" {
        return 'D';
    }
    let Ok(value) = serde_json::from_str::<Value>(data) else { return 'X' };
    let choice = &value["choices"][0];
    match &value {
        _ if value.get("error").is_some() => 'E',
        _ if value["usage"].is_object() => 'u',
        _ if choice["finish_reason"].is_string() => 'f',
        _ if choice["delta"].get("role").is_some() => 'r',
        _ => 'c',
    }
}

/// The body behind its chunks, and whether it was finished.
fn dechunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        match size {
            Some(0) => return (body, true),
            Some(size) if rest.len() >= at + 2 + size + 2 => {
                body.extend_from_slice(&rest[at + 2..at + 2 + size]);
                rest = &rest[at + 2 + size + 2..];
            }
            _ => break,
        }
    }
    (body, false)
}
