//! Frames in bytes: how a message goes out, and how a talk is ended.
//!
//! Must never be here: reading (that is `hearing`).

use bytes::Bytes;

/// The most that a frame may hold which is no part of a message (section 5.5).
pub(super) const MOST_OF_CONTROL: usize = 125;
/// The last frame of its message.
const LAST: u8 = 0x80;
const CLOSE: u8 = 0x8;
const PONG: u8 = 0xa;

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

impl Kind {
    const fn opcode(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Binary => 0x2,
        }
    }
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is said to hold.
    pub kind: Kind,
    /// What it holds.
    pub payload: Bytes,
}

/// A message as a client sends it, in one frame: masked by four bytes that nobody should be able to foresee.
#[must_use]
pub fn masked(message: &Message, mask: [u8; 4]) -> Vec<u8> {
    let payload = &message.payload;
    let mut frame = head(message.kind.opcode(), payload.len(), LAST);
    frame.extend_from_slice(&mask);
    let start = frame.len();
    frame.extend_from_slice(payload);
    mask_over(frame.get_mut(start..).unwrap_or_default(), mask);
    frame
}

/// A server's answer to a ping, whose words it repeats.
#[must_use]
pub fn pong(payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..MOST_OF_CONTROL).unwrap_or(payload);
    [&head(PONG, payload.len(), 0), payload].concat()
}

/// A server's last frame: why it ends the talk (section 7.4), in words as far as there is room for them.
#[must_use]
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    let room = MOST_OF_CONTROL - size_of::<u16>();
    let reason = reason.get(..reason.floor_char_boundary(room)).unwrap_or_default();
    let mut frame = head(CLOSE, size_of::<u16>() + reason.len(), 0);
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

/// Masks `payload`, or takes the mask away.
pub(super) fn mask_over(payload: &mut [u8], mask: [u8; 4]) {
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

/// What stands before a payload of this length, and before its mask where there is one (section 5.2).
fn head(opcode: u8, length: usize, masked: u8) -> Vec<u8> {
    let mut head = vec![LAST | opcode];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..126), _) => head.push(masked | short),
        (_, Ok(medium)) => {
            head.push(masked | 126);
            head.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            head.push(masked | 127);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_as_the_standard_has_them() {
        // Its examples in section 5.7.
        let hello = Message { kind: Kind::Text, payload: Bytes::from_static(b"Hello") };
        let expected = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(masked(&hello, [0x37, 0xfa, 0x21, 0x3d]), expected);
        for (length, start) in [
            (125, &[0x82, 0x80 | 125, 0, 0, 0, 0][..]),
            (126, &[0x82, 0x80 | 126, 0, 126, 0, 0, 0, 0]),
            (256, &[0x82, 0x80 | 126, 1, 0, 0, 0, 0, 0]),
            (65_536, &[0x82, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ] {
            let message = Message { kind: Kind::Binary, payload: vec![7; length].into() };
            let frame = masked(&message, [0; 4]);
            assert!(frame.starts_with(start) && frame.len() == start.len() + length, "{length}");
        }
    }

    #[test]
    fn an_end_says_why_as_far_as_there_is_room() {
        assert_eq!(close(1008, "no"), [0x88, 4, 0x03, 0xf0, b'n', b'o']);
        for (reason, kept) in [("a".repeat(123), 123), ("a".repeat(124), 123), ("\u{e9}".repeat(62), 122)] {
            let frame = close(1011, &reason);
            assert_eq!((frame.len(), usize::from(frame[1])), (4 + kept, 2 + kept), "{reason}");
            assert!(std::str::from_utf8(&frame[4..]).is_ok(), "{reason}");
        }
        assert_eq!(pong(b"hi"), [0x8a, 2, b'h', b'i']);
    }
}
