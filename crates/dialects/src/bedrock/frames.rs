//! Amazon's event streams: bytes to messages. The frames, their lengths and checksums are the library's matter; here is
//! what bounds them, and what their headers say.
//!
//! Must never be here: what a payload means.

use crate::sse::MAX_EVENT;
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use bytes::{Buf, Bytes, BytesMut};

/// The bytes before a frame's headers: its length, that of its headers, and a checksum of both.
const PRELUDE: usize = 12;

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    /// What it is.
    pub(super) kind: Kind,
    /// The type of event or exception, or the code of an error.
    pub(super) name: String,
    /// JSON, if all is well; of an error its message, as text.
    pub(super) payload: Bytes,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of the answer.
    Event,
    /// An error that the service model names.
    Exception,
    /// Another error.
    Error,
}

/// Bytes that are no event stream, or a frame longer than [`MAX_EVENT`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unframed;

/// Cuts a byte stream into messages. Holds one frame, [`MAX_EVENT`] at most, and what came with its end.
#[derive(Debug, Default)]
pub(super) struct Framer {
    buffer: BytesMut,
    decoder: MessageFrameDecoder,
    /// The library has taken the prelude of a frame whose rest has not come.
    inside: bool,
}

impl Framer {
    /// Adds bytes.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole message, if one is there.
    pub(super) fn next_message(&mut self) -> Result<Option<Message>, Unframed> {
        if !self.inside {
            let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
            if u32::from_be_bytes(*length) as usize > MAX_EVENT {
                return Err(Unframed);
            }
            if self.buffer.remaining() < PRELUDE {
                return Ok(None);
            }
        }
        match self.decoder.decode_frame(&mut self.buffer) {
            Ok(DecodedFrame::Complete(message)) => {
                self.inside = false;
                Ok(Some(read(&message)))
            }
            Ok(DecodedFrame::Incomplete) => {
                self.inside = true;
                Ok(None)
            }
            Err(_) => Err(Unframed),
        }
    }
}

/// What the headers of a message say.
fn read(message: &aws_smithy_types::event_stream::Message) -> Message {
    let header = |name: &str| {
        let found = message.headers().iter().find(|header| header.name().as_str() == name);
        found.and_then(|header| header.value().as_string().ok()).map(|value| value.as_str().to_owned())
    };
    let (kind, name, payload) = match header(":message-type").as_deref() {
        Some("exception") => (Kind::Exception, header(":exception-type"), message.payload().clone()),
        Some("error") => {
            (Kind::Error, header(":error-code"), header(":error-message").unwrap_or_default().into_bytes().into())
        }
        _ => (Kind::Event, header(":event-type"), message.payload().clone()),
    };
    Message { kind, name: name.unwrap_or_default(), payload }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message as Frame};

    /// A frame with text headers.
    pub(in super::super) fn frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let header = |(name, value): &(&str, &str)| {
            Header::new((*name).to_owned(), HeaderValue::String((*value).to_owned().into()))
        };
        let headers = headers.iter().map(header).collect();
        let mut out = Vec::new();
        write_message_to(&Frame::new_from_parts(headers, payload.as_bytes().to_vec()), &mut out).expect("a frame");
        out
    }

    /// A frame of an event, as Bedrock sends it.
    pub(in super::super) fn event(kind: &str, payload: &str) -> Vec<u8> {
        let told = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
        frame(&told, payload)
    }

    /// A frame of an exception.
    pub(in super::super) fn exception(kind: &str, payload: &str) -> Vec<u8> {
        let told = [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
        frame(&told, payload)
    }

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let error =
            frame(&[(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "An error.")], "");
        let stream = [event("messageStart", "{}"), exception("throttlingException", "{}"), error, frame(&[], "x")];
        let stream = stream.concat();
        for step in [1, 5, 13, stream.len()] {
            let (mut framer, mut read) = (Framer::default(), Vec::new());
            for piece in stream.chunks(step) {
                framer.push(piece);
                while let Some(message) = framer.next_message().expect("framed") {
                    read.push((message.kind, message.name, message.payload));
                }
            }
            let told = |kind, name: &str, payload: &'static str| (kind, name.to_owned(), Bytes::from(payload));
            let expected = [
                told(Kind::Event, "messageStart", "{}"),
                told(Kind::Exception, "throttlingException", "{}"),
                told(Kind::Error, "InternalError", "An error."),
                told(Kind::Event, "", "x"),
            ];
            assert_eq!(read, expected, "cut at every {step} bytes");
        }
    }

    #[test]
    fn what_is_no_frame_is_known_at_once() {
        let mut broken = event("messageStart", "{}");
        let last = broken.len() - 1;
        broken[last] ^= 1;
        let mut misled = event("messageStart", "{}");
        misled[9] ^= 1;
        for bytes in [b"<html>".to_vec(), b"{\"message\"".to_vec(), broken, misled, vec![0; 12], vec![0, 0, 0, 15]] {
            let mut framer = Framer::default();
            framer.push(&bytes);
            framer.push(&[0; 12]);
            assert_eq!(framer.next_message().err(), Some(Unframed), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn frames_are_bounded() {
        let most = u32::try_from(MAX_EVENT).expect("a length");
        for (length, taken) in [(most, true), (most + 1, false)] {
            let mut framer = Framer::default();
            framer.push(&length.to_be_bytes());
            assert_eq!(framer.next_message().is_ok(), taken, "{length}");
        }
        let within = "x".repeat(MAX_EVENT - event("e", "").len());
        let mut framer = Framer::default();
        framer.push(&event("e", &within));
        assert_eq!(framer.next_message().expect("framed").expect("whole").payload.len(), within.len());
    }
}
