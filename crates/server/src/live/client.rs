//! The client's end of a websocket, until all that it says is carried unread.
//!
//! Must never be here: what a message means.

use bytes::BytesMut;
use dialects::websocket::{self, Fault, Heard, Hearing, Message};
use llm::CallError;
use std::future::pending;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long a client may take until it has said its first message.
const FIRST: Duration = Duration::from_secs(30);
/// What is kept of what a client says before a provider is there, in bytes, and one read.
const EARLY: usize = 64 * 1024;
/// The code of an end that nobody minds.
const NORMAL: u16 = 1000;
/// How long a client may take to go once it is told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// A client that speaks websockets.
pub(super) struct Client<S> {
    stream: S,
    /// What came and has not been heard.
    buffer: BytesMut,
    hearing: Hearing,
    /// The longest message.
    limit: usize,
}

/// Why there is no message.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// The client left.
    Gone,
    /// What it said cannot be taken.
    Turned(CallError),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// One that may say messages of at most `limit` bytes.
    pub(super) fn new(stream: S, limit: usize) -> Self {
        Self { stream, buffer: BytesMut::new(), hearing: Hearing::new(limit), limit }
    }

    /// Its first message. Pings before it are answered.
    ///
    /// # Errors
    /// [`Ended`] where there is none in time.
    pub(super) async fn first(&mut self) -> Result<Message, Ended> {
        timeout(FIRST, self.message()).await.unwrap_or(Err(Ended::Turned(CallError::RequestTimeout)))
    }

    async fn message(&mut self) -> Result<Message, Ended> {
        loop {
            match self.hearing.next(&mut self.buffer).map_err(|fault| Ended::Turned(self.turned(fault)))? {
                Some(Heard::Message(message)) => return Ok(message),
                Some(Heard::Ping(payload)) => self.write(&websocket::pong(&payload)).await?,
                Some(Heard::Pong) => {}
                Some(Heard::Close) => {
                    self.write(&websocket::close(NORMAL, "")).await?;
                    return Err(Ended::Gone);
                }
                None => self.read().await?,
            }
        }
    }

    /// Resolves once the client is gone; keeps what it says until then.
    pub(super) async fn gone(&mut self) {
        while self.buffer.len() < EARLY {
            if self.read().await.is_err() {
                return;
            }
        }
        pending::<()>().await;
    }

    /// The stream, and what came over it and has not been heard.
    pub(super) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.buffer)
    }

    /// Ends the websocket, saying why, and waits a while for the client to go: what it still says would else be answered
    /// by a reset, which may overtake the words.
    pub(super) async fn end(mut self, code: u16, why: &str) {
        let farewell = async {
            self.write(&websocket::close(code, why)).await?;
            self.stream.shutdown().await.map_err(|_| Ended::Gone)?;
            loop {
                self.buffer.clear();
                self.read().await?;
            }
        };
        let _: Result<Result<(), Ended>, _> = timeout(FAREWELL, farewell).await;
    }

    fn turned(&self, fault: Fault) -> CallError {
        match fault {
            Fault::TooLarge => CallError::RequestTooLarge { limit: self.limit },
            Fault::Broken(why) => {
                CallError::InvalidRequest { message: format!("No websocket message: {why}."), param: None }
            }
        }
    }

    async fn read(&mut self) -> Result<(), Ended> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(1..) => Ok(()),
            Ok(0) | Err(_) => Err(Ended::Gone),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.stream.write_all(bytes).await.map_err(|_| Ended::Gone)?;
        self.stream.flush().await.map_err(|_| Ended::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialects::websocket::{Kind, masked};
    use tokio::io::duplex;
    use tokio::time::Instant;

    const LIMIT: usize = 100;

    fn said(text: &'static str) -> Vec<u8> {
        masked(&Message { kind: Kind::Text, payload: text.into() }, [1, 2, 3, 4])
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_or_drips_is_not_waited_for() {
        for said in [Vec::new(), said("hi")[..7].to_vec(), vec![0x8a, 0x80, 0, 0, 0, 0]] {
            let (mut outside, inside) = duplex(1024);
            outside.write_all(&said).await.expect("room");
            let began = Instant::now();
            let ended = Client::new(inside, LIMIT).first().await;
            assert_eq!(ended, Err(Ended::Turned(CallError::RequestTimeout)), "{said:?}");
            assert_eq!(began.elapsed(), FIRST, "{said:?}");
        }
    }

    #[tokio::test]
    async fn pings_are_answered_and_what_follows_the_message_is_kept() {
        let (mut outside, inside) = duplex(1024);
        let all = [&[0x89, 0x81, 0, 0, 0, 0, b'?'][..], &said("setup"), &said("more")].concat();
        outside.write_all(&all).await.expect("room");
        let mut client = Client::new(inside, LIMIT);
        assert_eq!(client.first().await.map(|message| message.payload), Ok("setup".into()));
        let mut answered = [0; 3];
        outside.read_exact(&mut answered).await.expect("a pong");
        assert_eq!(answered, [0x8a, 1, b'?']);
        assert_eq!(client.into_parts().1, said("more"));
    }

    #[tokio::test]
    async fn a_client_that_leaves_or_says_too_much_is_told_apart() {
        let goes = vec![0x88, 0x80, 0, 0, 0, 0];
        let long = vec![0x81, 0x80 | 101];
        for (bytes, ended) in [
            (Vec::new(), Ended::Gone),
            (goes, Ended::Gone),
            ([long, vec![0; 4]].concat(), Ended::Turned(CallError::RequestTooLarge { limit: LIMIT })),
        ] {
            let (mut outside, inside) = duplex(1024);
            outside.write_all(&bytes).await.expect("room");
            outside.shutdown().await.expect("an end");
            assert_eq!(Client::new(inside, LIMIT).first().await, Err(ended), "{bytes:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_early_is_kept_within_bounds_and_a_client_that_goes_is_noticed() {
        let (mut outside, inside) = duplex(4 * EARLY);
        outside.write_all(&vec![7; 3 * EARLY]).await.expect("room");
        let mut client = Client::new(inside, LIMIT);
        assert!(timeout(FIRST, client.gone()).await.is_err(), "full, and not gone");
        assert!((EARLY..2 * EARLY).contains(&client.buffer.len()), "{}", client.buffer.len());

        let (outside, inside) = duplex(1024);
        drop(outside);
        Client::new(inside, LIMIT).gone().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_why_and_not_waited_for_long() {
        let (mut outside, inside) = duplex(1024);
        let began = Instant::now();
        let (mut told, ()) = (Vec::new(), Client::new(inside, LIMIT).end(1008, "no").await);
        assert_eq!(began.elapsed(), FAREWELL);
        outside.read_to_end(&mut told).await.expect("the end");
        assert_eq!(told, websocket::close(1008, "no"));
    }
}
