//! Websockets as tests speak them: frames in bytes, and both ends of a connection.
//!
//! Must never be here: the gateway, and what a message should say.

use crate::client::soon;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where Google's client for Python has its talks.
pub(crate) const LIVE: &str = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

/// First bytes of frames: whole messages, and what is none.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// A frame of a server (RFC 6455, section 5.2).
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&head(first, payload.len(), 0), payload].concat()
}

/// A frame of a client.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let payload: Vec<u8> = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    [&head(first, payload.len(), 0x80), &MASK[..], &payload].concat()
}

/// What a frame of this length begins with, without its mask.
pub(crate) fn head(first: u8, length: usize, masked: u8) -> Vec<u8> {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..126), _) => vec![first, masked | short],
        (_, Ok(medium)) => [&[first, masked | 126], &medium.to_be_bytes()[..]].concat(),
        _ => [&[first, masked | 127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

/// A provider that switches protocols for whoever asks.
pub(crate) struct Talking {
    /// Its address, without a path.
    pub(crate) url: String,
    listener: TcpListener,
}

impl Talking {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self { url: format!("http://{}", listener.local_addr().expect("an address")), listener }
    }

    /// The next that asks, whose request is read and not answered.
    pub(crate) async fn asked(&self) -> Peer {
        let (stream, _) = soon("a connection", self.listener.accept()).await.expect("a connection");
        Peer::over(stream).await
    }

    /// The next that asks, with whom a talk has begun.
    pub(crate) async fn next(&self) -> Peer {
        let mut peer = self.asked().await;
        let key = peer.header("sec-websocket-key").unwrap_or_default().to_owned();
        let accept = dialects::websocket::accept(key.as_bytes());
        let switched = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {accept}\r\n\r\n"
        );
        peer.write(switched.as_bytes()).await;
        peer
    }
}

/// An end of a connection; dropped, it is gone.
pub(crate) struct Peer {
    /// What the other one's head says.
    pub(crate) head: String,
    stream: TcpStream,
    raw: Vec<u8>,
}

impl Peer {
    /// A client that asks for a websocket at this path with further headers; its head is the answer's.
    pub(crate) async fn asking(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = soon("a connection", TcpStream::connect(to)).await.expect("a connection");
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let asks = format!(
            "GET {path} HTTP/1.1\r\nhost: g\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
             sec-websocket-extensions: permessage-deflate\r\n{headers}\r\n"
        );
        soon("room to write", stream.write_all(asks.as_bytes())).await.expect("written");
        Self::over(stream).await
    }

    async fn over(stream: TcpStream) -> Self {
        let mut peer = Self { head: String::new(), stream, raw: Vec::new() };
        let end = loop {
            if let Some(end) = peer.raw.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(peer.read().await, "no head in: {}", peer.raw.escape_ascii());
        };
        let rest = peer.raw.split_off(end + 4);
        peer.head = String::from_utf8(std::mem::replace(&mut peer.raw, rest)).expect("a head of text");
        peer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon("room to write", self.stream.write_all(bytes)).await.expect("written");
    }

    /// The next frame: its first byte, and its payload without a mask.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = self.take(1).await[0];
        let second = self.take(1).await[0];
        let length = match second & 0x7f {
            126 => self.take(2).await,
            127 => self.take(8).await,
            short => vec![short],
        };
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let mask = if second & 0x80 == 0 { vec![0; 4] } else { self.take(4).await };
        let payload = self.take(length).await;
        (first, payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect())
    }

    async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.raw.len() < length {
            assert!(self.read().await, "no frame in: {}", self.raw.escape_ascii());
        }
        let rest = self.raw.split_off(length);
        std::mem::replace(&mut self.raw, rest)
    }

    /// What comes until the other one ends the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.raw)
    }

    /// Reads some more; whether there was any.
    async fn read(&mut self) -> bool {
        matches!(soon("more", self.stream.read_buf(&mut self.raw)).await, Ok(1..))
    }
}
