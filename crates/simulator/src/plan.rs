//! A body as a plan: which bytes, after which waits, and how it ends.
//!
//! Receives events or bytes; hands on a `Plan` for `body` to play. Never here: timers, connections, why it is so.

use crate::events::{Event, Kind};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes that leave together, after a wait counted from the piece before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) wait: Duration,
    pub(crate) bytes: Bytes,
    /// Whether the first content of a stream is in it.
    pub(crate) begins: bool,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum End {
    /// In good order.
    #[default]
    Complete,
    /// The connection closes, the body unfinished.
    Cut,
    /// The connection is reset, the body unfinished.
    Reset,
    /// Nothing more comes, ever.
    Silence,
    /// Only this comes, for ever.
    Filler { every: Duration, bytes: &'static [u8] },
}

/// What a body does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) pieces: VecDeque<Piece>,
    /// Send single bytes, this long after each other, whatever the pieces say.
    pub(crate) bytewise: Option<Duration>,
    pub(crate) end: End,
    /// The length that is announced, which a broken end may not keep; none sends chunks.
    pub(crate) length: Option<u64>,
}

/// The waits of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tempo {
    /// Before the first content.
    pub(crate) first_token: Duration,
    /// Between two events.
    pub(crate) pace: Duration,
}

impl Plan {
    /// A body that is sent at once and in good order.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = Some(bytes.len() as u64);
        Self {
            pieces: VecDeque::from([Piece { wait: Duration::ZERO, bytes, begins: false }]),
            length,
            ..Self::default()
        }
    }

    /// No bytes, then this end.
    pub(crate) fn only(end: End) -> Self {
        Self { end, ..Self::default() }
    }

    /// The events of a stream, those that need not wait joined to the one before.
    pub(crate) fn stream(events: &[Event], tempo: Tempo) -> Self {
        let mut joined: VecDeque<(Duration, BytesMut, bool)> = VecDeque::new();
        let content = events.iter().position(|event| event.kind == Kind::Content);
        let first = events.iter().position(|event| event.kind != Kind::Role);
        for (index, event) in events.iter().enumerate() {
            let wait = match index {
                _ if Some(index) == first && !tempo.first_token.is_zero() => tempo.first_token,
                0 => Duration::ZERO,
                _ => tempo.pace,
            };
            match joined.back_mut().filter(|_| wait.is_zero()) {
                Some((_, bytes, begins)) => {
                    bytes.extend_from_slice(&event.bytes);
                    *begins |= Some(index) == content;
                }
                None => joined.push_back((wait, BytesMut::from(&*event.bytes), Some(index) == content)),
            }
        }
        let piece = |(wait, bytes, begins): (_, BytesMut, _)| Piece { wait, bytes: bytes.freeze(), begins };
        Self { pieces: joined.into_iter().map(piece).collect(), ..Self::default() }
    }

    /// How long the next bytes wait; none where no bytes are left.
    pub(crate) fn next_wait(&self) -> Option<Duration> {
        self.pieces.front().map(|piece| self.bytewise.unwrap_or(piece.wait))
    }

    /// Whether the next bytes belong to a piece with the first content.
    pub(crate) fn begins(&self) -> bool {
        self.pieces.front().is_some_and(|piece| piece.begins)
    }

    /// The next bytes.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let mut piece = self.pieces.pop_front()?;
        if self.bytewise.is_none() || piece.bytes.len() <= 1 {
            return Some(piece.bytes);
        }
        let byte = piece.bytes.split_to(1);
        self.pieces.push_front(piece);
        Some(byte)
    }

    /// Whether nothing is left but a good end.
    pub(crate) fn is_complete(&self) -> bool {
        self.pieces.is_empty() && self.end == End::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn events_that_need_not_wait_leave_together() {
        let kinds = [Kind::Role, Kind::Content, Kind::Content, Kind::Finish, Kind::Done];
        let events = kinds.map(|kind| Event { kind, bytes: Bytes::from_static(b"x") });
        for (first_token, pace, expected) in [
            (ms(0), ms(0), vec![(ms(0), 5)]),
            (ms(9), ms(0), vec![(ms(0), 1), (ms(9), 4)]),
            (ms(0), ms(2), vec![(ms(0), 1), (ms(2), 1), (ms(2), 1), (ms(2), 1), (ms(2), 1)]),
            (ms(9), ms(2), vec![(ms(0), 1), (ms(9), 1), (ms(2), 1), (ms(2), 1), (ms(2), 1)]),
        ] {
            let plan = Plan::stream(&events, Tempo { first_token, pace });
            let pieces: Vec<_> = plan.pieces.iter().map(|piece| (piece.wait, piece.bytes.len())).collect();
            assert_eq!(pieces, expected);
        }
    }

    #[test]
    fn the_piece_with_the_first_content_is_known() {
        let events = |kinds: &[Kind]| -> Vec<Event> {
            kinds.iter().map(|kind| Event { kind: *kind, bytes: Bytes::from_static(b"xy") }).collect()
        };
        let full = [Kind::Role, Kind::Role, Kind::Content, Kind::Content, Kind::Done];
        for (kinds, pace, expected) in [
            (&full[..], ms(0), vec![true]),
            (&full[..], ms(2), vec![false, false, true, false, false]),
            (&full[..2], ms(2), vec![false, false]),
        ] {
            let plan = Plan::stream(&events(kinds), Tempo { pace, ..Tempo::default() });
            let begins: Vec<_> = plan.pieces.iter().map(|piece| piece.begins).collect();
            assert_eq!(begins, expected);
        }
    }
}
