//! Providers under a test's control: simulators in this process, and raw servers for what a simulator cannot stage.
//!
//! Hands on base URLs and what was received. Must never be here: the gateway.

use crate::client::soon;
use simulator::{Behaviour, Control, Settings, Simulator};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A simulator that serves as long as this lives.
pub(crate) struct Provider {
    pub(crate) url: String,
    pub(crate) control: Control,
    serving: JoinHandle<()>,
}

impl Provider {
    pub(crate) async fn start(settings: Settings) -> Self {
        let (listener, address) = listener().await;
        let simulator = Simulator::new(settings);
        let control = simulator.control();
        let serving = tokio::spawn(async move { simulator.serve(listener).await });
        Self { url: format!("http://{address}/v1"), control, serving }
    }

    pub(crate) async fn behaving(json: &str) -> Self {
        Self::start(Settings { behaviour: behaviour(json), ..Settings::default() }).await
    }

    /// One whose answers say what it is called.
    pub(crate) async fn named(name: &str) -> Self {
        Self::behaving(&format!(r#"{{"text":"{name}"}}"#)).await
    }

    /// How calls for one model go.
    pub(crate) fn model(&self, model: &str, json: &str) {
        self.control.set_model(model, behaviour(json)).expect("room for a model");
    }

    /// How the next calls go.
    pub(crate) fn script(&self, json: &[&str]) {
        self.control.script(json.iter().map(|json| behaviour(json))).expect("room for a script");
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> u64 {
        self.control.counts().calls
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn behaviour(json: &str) -> Behaviour {
    Behaviour::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A provider of this kind at this address, as the configuration has it: with a key where it needs one, and further settings.
pub(crate) fn configured(name: &str, kind: &str, url: &str, rest: &str) -> String {
    let place = match kind {
        "bedrock" => ", region: us-east-1",
        // Whoever asks in Anthropic's words is not to be taken for one who asks for Claude.
        "vertex" => ", project: p, location: global, apis: [generate_content]",
        _ => "",
    };
    format!("  {name}: {{ kind: {kind}{place}, base_url: \"{url}\", api_key: key-of-{kind}{rest} }}\n")
}

/// A port that refuses connections, and stays so as long as this lives.
pub(crate) struct Closed {
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

impl Closed {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Self { address: socket.local_addr().expect("an address"), _socket: socket }
    }
}

/// A port whose packets vanish, as long as this lives: its queue of connections is full, and Linux drops further ones.
pub(crate) struct Blackhole {
    pub(crate) address: SocketAddr,
    _listener: TcpListener,
    _parked: Vec<TcpStream>,
}

impl Blackhole {
    pub(crate) async fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let listener = socket.listen(0).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let mut parked = Vec::new();
        // One fits into the queue; of the next one nothing is heard.
        while let Ok(stream) = timeout(Duration::from_millis(500), TcpStream::connect(address)).await {
            parked.push(stream.expect("a connection"));
            assert!(parked.len() < 8, "its queue is never full");
        }
        Self { address, _listener: listener, _parked: parked }
    }
}

/// The pieces of a response with this body.
pub(crate) fn whole(status: &str, content_type: &str, body: &[u8]) -> Vec<Vec<u8>> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n", body.len());
    vec![format!("{head}connection: close\r\n\r\n").into_bytes(), body.to_vec()]
}

/// The pieces of a response that streams `body` in chunks of these sizes, taken in turn.
pub(crate) fn streamed(body: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    streamed_as("text/event-stream", body, sizes)
}

/// The same, of another content type.
pub(crate) fn streamed_as(content_type: &str, body: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut pieces = vec![head.into_bytes()];
    let (mut rest, mut sizes) = (body, sizes.iter().cycle());
    while !rest.is_empty() {
        let (chunk, left) = rest.split_at(rest.len().min(*sizes.next().expect("a size")));
        pieces.push([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        rest = left;
    }
    pieces.push(b"0\r\n\r\n".to_vec());
    pieces
}

/// What is said to a request.
type Reply = Arc<dyn Fn(&str) -> Vec<Vec<u8>> + Send + Sync>;

/// A server that reads requests and answers each with fixed bytes, or says nothing at all.
pub(crate) struct Raw {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Raw {
    /// One that accepts and never reads or speaks.
    pub(crate) async fn mute() -> Self {
        Self::serve(None).await
    }

    /// One that reads a request, writes `pieces` one after the other, and closes.
    pub(crate) async fn saying(pieces: Vec<Vec<u8>>) -> Self {
        Self::replying(move |_| pieces.clone()).await
    }

    /// One that answers 200 with this body.
    pub(crate) async fn answering(content_type: &str, body: &[u8]) -> Self {
        Self::saying(whole("200 OK", content_type, body)).await
    }

    /// One that streams `body` in chunks of these sizes, taken in turn.
    pub(crate) async fn streaming(body: &[u8], sizes: &[usize]) -> Self {
        Self::saying(streamed(body, sizes)).await
    }

    /// One that reads a request, writes the pieces that `reply` finds for it, and closes.
    pub(crate) async fn replying(reply: impl Fn(&str) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::serve(Some(Arc::new(reply))).await
    }

    async fn serve(reply: Option<Reply>) -> Self {
        let (listener, address) = listener().await;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(converse(stream, reply.clone(), Arc::clone(&seen)));
            }
        });
        Self { url: format!("http://{address}/v1"), requests, serving }
    }

    /// The requests so far, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A server that says the beginning of an answer, and the rest when it is told to.
pub(crate) struct Held {
    pub(crate) url: String,
    go: Arc<Notify>,
    asked: Arc<Notify>,
    left: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl Held {
    pub(crate) async fn saying(beginning: Vec<u8>, rest: Vec<u8>) -> Self {
        let (listener, address) = listener().await;
        let [go, asked, left] = [(); 3].map(|()| Arc::new(Notify::new()));
        let [told, asks, leaves] = [&go, &asked, &left].map(Arc::clone);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let read = read_request(&mut stream).await.is_some();
                if !read || stream.write_all(&beginning).await.is_err() {
                    continue;
                }
                asks.notify_one();
                let mut more = [0; 64];
                tokio::select! {
                    () = told.notified() => drop(stream.write_all(&rest).await),
                    _ = stream.read(&mut more) => leaves.notify_one(),
                }
            }
        });
        Self { url: format!("http://{address}/v1"), go, asked, left, serving }
    }

    /// Has it say the rest.
    pub(crate) fn go_on(&self) {
        self.go.notify_one();
    }

    /// Waits until it has said the beginning.
    pub(crate) async fn until_asked(&self) {
        soon("a request", self.asked.notified()).await;
    }

    /// Waits until it is left alone before it has said the rest.
    pub(crate) async fn until_left(&self) {
        soon("the end of the work", self.left.notified()).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn converse(mut stream: TcpStream, reply: Option<Reply>, seen: Arc<Mutex<Vec<String>>>) {
    let Some(reply) = reply else { return std::future::pending().await };
    let Some(request) = read_request(&mut stream).await else { return };
    let pieces = reply(&request);
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let _ = stream.set_nodelay(true);
    for piece in pieces {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// One request with a content-length.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut raw = Vec::new();
    loop {
        let text = String::from_utf8(raw.clone()).ok()?;
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut raw).await.ok()? == 0 {
            return None;
        }
    }
}
