//! A service on the loopback that replies by a script, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// What becomes of one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These bytes, and the connection is kept.
    Kept(String),
    /// These bytes, and the connection is closed.
    Closed(String),
    /// These bytes, and nothing more, until the client leaves.
    Hung(String),
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> Reply {
    Reply::Kept(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

/// One that is running.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    /// One for each request.
    asked: Semaphore,
    /// One for each connection that is over.
    over: Semaphore,
}

impl Service {
    pub(crate) async fn new(script: &[Reply]) -> Self {
        Self::behind(script, None).await
    }

    /// The same behind TLS.
    pub(crate) async fn behind(script: &[Reply], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(script.to_vec().into()),
            requests: Mutex::default(),
            connections: Mutex::default(),
            asked: Semaphore::new(0),
            over: Semaphore::new(0),
        });
        tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// What it was asked, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("whole").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().expect("whole")
    }

    /// Waits until it is asked once more.
    pub(crate) async fn asked(&self) {
        self.shared.asked.acquire().await.expect("open").forget();
    }

    /// Waits until one more connection is over.
    pub(crate) async fn over(&self) {
        self.shared.over.acquire().await.expect("open").forget();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        *shared.connections.lock().expect("whole") += 1;
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => converse(stream, &shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, &shared).await;
                    }
                }
            }
            shared.over.add_permits(1);
        });
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    while let Some(request) = read(&mut stream).await {
        shared.requests.lock().expect("whole").push(request);
        shared.asked.add_permits(1);
        let reply = shared.script.lock().expect("whole").pop_front();
        let Some(Reply::Kept(bytes) | Reply::Closed(bytes) | Reply::Hung(bytes)) = &reply else { return };
        // Who has heard enough leaves.
        if stream.write_all(bytes.as_bytes()).await.is_err() {
            return;
        }
        match reply {
            Some(Reply::Kept(_)) => {}
            Some(Reply::Hung(_)) => {
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            _ => {
                let _ = stream.shutdown().await;
                return;
            }
        }
    }
}

/// One request with its body; `None` where the client has left.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8(bytes.clone()).expect("text");
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() == length.parse::<usize>().expect("a number") {
                return Some(text);
            }
        }
    }
}
