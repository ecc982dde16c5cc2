//! A stream of JSON objects, each on a line: bytes to lines, keeping the bytes.
//!
//! Every byte is looked at once, however the stream is cut up. Must never be here: what the lines mean.

use crate::runs::Pieces;
use crate::sse::{EventTooLong, MAX_EVENT};
use bytes::{Bytes, BytesMut};
use memchr::memchr;
use std::ops::Range;

/// A whole line, by places in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    range: Range<usize>,
    /// The place behind its line feed.
    pub(super) end: usize,
}

/// Cuts a byte stream into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// Start of the line being read.
    start: usize,
    /// Everything before this has been searched for a line feed.
    searched: usize,
}

impl Lines {
    /// Adds bytes.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// Whether bytes wait that do not yet make a line.
    pub(super) fn has_partial(&self) -> bool {
        self.buffer.get(self.start..).is_some_and(|rest| !rest.trim_ascii().is_empty())
    }

    /// The next whole line, if one is there.
    pub(super) fn next_line(&mut self) -> Result<Option<Place>, EventTooLong> {
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(found) = memchr(b'\n', rest) else {
            self.searched = self.buffer.len();
            return if self.buffer.len() - self.start > MAX_EVENT { Err(EventTooLong) } else { Ok(None) };
        };
        let at = self.searched + found;
        let place = Place { range: self.start..at, end: at + 1 };
        (self.start, self.searched) = (at + 1, at + 1);
        Ok(Some(place))
    }

    /// What stands on a line already handed on, without white space around it.
    pub(super) fn data(&self, place: &Place) -> &[u8] {
        self.buffer.get(place.range.clone()).unwrap_or_default().trim_ascii()
    }

    /// Takes out all bytes up to `end`, which must be the end of a line already handed on.
    pub(super) fn take(&mut self, end: usize) -> Bytes {
        let taken = self.buffer.split_to(end).freeze();
        self.start -= end;
        self.searched -= end;
        taken
    }
}

impl Pieces for Lines {
    type Piece = Place;
    type TooLong = EventTooLong;

    fn push(&mut self, chunk: &[u8]) {
        self.push(chunk);
    }

    fn next_piece(&mut self) -> Result<Option<Place>, EventTooLong> {
        self.next_line()
    }

    fn end_of(piece: &Place) -> usize {
        piece.end
    }

    fn take(&mut self, end: usize) -> Bytes {
        self.take(end)
    }

    fn completed_by(&self) -> Option<&'static [u8]> {
        self.has_partial().then_some(b"\n")
    }
}

/// Hands on what stands on each line of `raw`, the bytes of whole frames; whether there was any.
///
/// # Errors
/// The first that `hand` returns.
pub fn each_data<E>(raw: &[u8], mut hand: impl FnMut(&[u8]) -> Result<(), E>) -> Result<bool, E> {
    let mut any = false;
    for line in raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        any = true;
        hand(line)?;
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// What stands on the lines, and the bytes that each was taken with.
    fn read(stream: &[u8], cuts: &[usize]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (mut lines, mut found, mut from) = (Lines::default(), Vec::new(), 0);
        for cut in cuts.iter().copied().chain([stream.len()]) {
            lines.push(&stream[from..cut]);
            from = cut;
            while let Some(place) = lines.next_line().expect("short") {
                let data = lines.data(&place).to_vec();
                found.push((data, lines.take(place.end).to_vec()));
            }
        }
        found
    }

    #[test]
    fn lines_end_in_line_feeds() {
        for (stream, expected) in
            [("a\nb\n", vec!["a", "b"]), ("a\r\n\r\n b \n", vec!["a", "", "b"]), ("a\nb", vec!["a"]), ("", vec![])]
        {
            let found: Vec<Vec<u8>> = read(stream.as_bytes(), &[]).into_iter().map(|(data, _)| data).collect();
            assert_eq!(found, expected.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>(), "{stream:?}");
            let mut handed = Vec::new();
            let Ok(any) = each_data(stream.as_bytes(), |data| {
                handed.push(data.to_vec());
                Ok::<(), Infallible>(())
            });
            assert_eq!(any, !stream.is_empty());
            assert!(handed.iter().all(|line| !line.is_empty()));
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; MAX_EVENT]);
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(b"x");
        assert_eq!(lines.next_line(), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            stream in "[aé\n\r ]{0,40}",
            cuts in proptest::collection::vec(0.0f64..1.0, 0..16),
        ) {
            let stream = stream.into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * stream.len() as f64) as usize).collect();
            places.sort_unstable();
            let every: Vec<usize> = (0..stream.len()).collect();
            let whole = read(&stream, &[]);
            prop_assert_eq!(&read(&stream, &places), &whole);
            prop_assert_eq!(&read(&stream, &every), &whole);
        }
    }
}
