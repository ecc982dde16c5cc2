//! A client's messages, read out of bytes as they come: in pieces of any size, and with pings in between.
//!
//! Must never be here: for how long a client may be silent.

use super::frame::{Kind, MOST_OF_CONTROL, Message, mask_over};
use bytes::{Buf, Bytes, BytesMut};

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole message.
    Message(Message),
    /// A question whether anybody is there, to be answered in the same words.
    Ping(Bytes),
    /// An answer to such a question.
    Pong,
    /// That it ends the talk.
    Close,
}

/// Why nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What came is no websocket's.
    Broken(&'static str),
    /// A message is longer than is taken.
    TooLarge,
}

/// A reader of messages of at most so many bytes. What it holds is bounded by that.
#[derive(Debug)]
pub struct Hearing {
    limit: usize,
    /// The beginning of a message, in frames that came before.
    begun: Option<Kind>,
    message: BytesMut,
}

impl Hearing {
    /// One for messages of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, begun: None, message: BytesMut::new() }
    }

    /// Takes what was said next out of `bytes`; nothing while that is not there whole.
    ///
    /// # Errors
    /// [`Fault`], for the length that a frame announces before its bytes are there.
    pub fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Heard>, Fault> {
        while let Some(header) = Header::read(bytes)? {
            let length = self.length(&header)?;
            if bytes.len() - header.size < length {
                return Ok(None);
            }
            bytes.advance(header.size);
            let mut payload = bytes.split_to(length);
            mask_over(&mut payload, header.mask);
            if let Some(heard) = self.take(&header, payload)? {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    /// The length of a frame's payload, where it may have that.
    fn length(&self, header: &Header) -> Result<usize, Fault> {
        let length = usize::try_from(header.length).map_err(|_| Fault::TooLarge)?;
        match header.is_control() {
            true if header.last && length <= MOST_OF_CONTROL => Ok(length),
            true => Err(Fault::Broken("a control frame is long or in pieces")),
            false if length <= self.limit - self.message.len() => Ok(length),
            false => Err(Fault::TooLarge),
        }
    }

    fn take(&mut self, header: &Header, payload: BytesMut) -> Result<Option<Heard>, Fault> {
        let kind = match (header.opcode, self.begun) {
            (0x0, Some(kind)) => kind,
            (0x1, None) => Kind::Text,
            (0x2, None) => Kind::Binary,
            (0x8, _) => return Ok(Some(Heard::Close)),
            (0x9, _) => return Ok(Some(Heard::Ping(payload.freeze()))),
            (0xa, _) => return Ok(Some(Heard::Pong)),
            (0x0, None) => return Err(Fault::Broken("a frame goes on with no message")),
            (0x1 | 0x2, Some(_)) => return Err(Fault::Broken("a message begins within another")),
            _ => return Err(Fault::Broken("a frame of an unknown kind")),
        };
        self.message.unsplit(payload);
        if !header.last {
            self.begun = Some(kind);
            return Ok(None);
        }
        self.begun = None;
        Ok(Some(Heard::Message(Message { kind, payload: self.message.split().freeze() })))
    }
}

/// What stands before a payload (section 5.2).
struct Header {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    length: u64,
    /// Of itself, in bytes.
    size: usize,
}

impl Header {
    /// The header that `bytes` begin with; nothing while it is not there whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Fault::Broken("a frame asks for an extension that was not agreed on"));
        }
        if second & 0x80 == 0 {
            return Err(Fault::Broken("a client's frame is not masked"));
        }
        let (length, rest) = match second & 0x7f {
            126 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let size = bytes.len() - rest.len();
        Ok(Some(Self { last: first & 0x80 != 0, opcode: first & 0xf, mask: *mask, length, size }))
    }

    const fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::masked;
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 300;

    /// A client's frame, masked with nothing but zeros.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("short");
        [&[first, 0x80 | length, 0, 0, 0, 0][..], payload].concat()
    }

    /// What is heard of `bytes` that come in pieces of this size, and what is left of them.
    fn heard(bytes: &[u8], size: usize) -> (Vec<Result<Heard, Fault>>, Vec<u8>) {
        let (mut hearing, mut buffer, mut all) = (Hearing::new(LIMIT), BytesMut::new(), Vec::new());
        for piece in bytes.chunks(size) {
            buffer.extend_from_slice(piece);
            while let Some(heard) = hearing.next(&mut buffer).transpose() {
                let fault = heard.is_err();
                all.push(heard);
                if fault {
                    return (all, buffer.to_vec());
                }
            }
        }
        (all, buffer.to_vec())
    }

    fn text(payload: &[u8]) -> Result<Heard, Fault> {
        Ok(Heard::Message(Message { kind: Kind::Text, payload: Bytes::copy_from_slice(payload) }))
    }

    #[test]
    fn messages_are_heard_whole_however_they_come() {
        let pieces = [frame(0x01, b"Hel"), frame(0x89, b"?"), frame(0x00, b"l"), frame(0x80, b"o")].concat();
        let all = [pieces, frame(0x8a, b""), frame(0x82, b"\xff"), frame(0x88, b"\x03\xe8"), vec![0x81]].concat();
        let binary = Ok(Heard::Message(Message { kind: Kind::Binary, payload: Bytes::from_static(b"\xff") }));
        let ping = Ok(Heard::Ping(Bytes::from_static(b"?")));
        let expected = vec![ping, text(b"Hello"), Ok(Heard::Pong), binary, Ok(Heard::Close)];
        for size in 1..all.len() {
            assert_eq!(heard(&all, size), (expected.clone(), vec![0x81]), "{size}");
        }
    }

    #[test]
    fn what_is_no_message_or_too_long_is_turned_down_before_it_is_held() {
        let long = |first: u8| [&[first, 0x80 | 126, 1, 45, 0, 0, 0, 0][..], &[7; 301]].concat();
        let broken = |why| Fault::Broken(why);
        for (bytes, fault) in [
            (long(0x81), Fault::TooLarge),
            (vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], Fault::TooLarge),
            ([frame(0x01, &[7; 125]), frame(0x00, &[7; 125]), frame(0x80, &[7; 51])].concat(), Fault::TooLarge),
            (long(0x89), broken("a control frame is long or in pieces")),
            (frame(0x09, b""), broken("a control frame is long or in pieces")),
            (frame(0x80, b""), broken("a frame goes on with no message")),
            ([frame(0x01, b""), frame(0x81, b"")].concat(), broken("a message begins within another")),
            (frame(0x83, b""), broken("a frame of an unknown kind")),
            (frame(0xc1, b""), broken("a frame asks for an extension that was not agreed on")),
            (vec![0x81, 0x00], broken("a client's frame is not masked")),
        ] {
            assert_eq!(heard(&bytes, bytes.len()).0, [Err(fault)], "{bytes:x?}");
        }
        let fits = [frame(0x01, &[7; 125]), frame(0x00, &[7; 125]), frame(0x80, &[7; 50])].concat();
        assert_eq!(heard(&fits, 99).0, [text(&[7; LIMIT])]);
    }

    proptest! {
        #[test]
        fn what_is_masked_is_heard(payload in proptest::collection::vec(any::<u8>(), 0..LIMIT), mask: [u8; 4], size in 1usize..400) {
            let frame = masked(&Message { kind: Kind::Text, payload: payload.clone().into() }, mask);
            prop_assert_eq!(heard(&frame, size), (vec![text(&payload)], Vec::new()));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1usize..400) {
            let _ = heard(&bytes, size);
        }
    }
}
