//! Server-sent events: bytes to blocks, keeping the bytes.
//!
//! After the WHATWG HTML standard, section "Parsing an event stream": lines end in LF, CRLF or CR, a blank line
//! ends an event, a leading byte order mark is skipped. Blocks are ranges into one buffer, so that a run of events
//! leaves as one slice; every byte is looked at once, however the stream is cut up.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;
use std::ops::Range;

/// The longest event held, in bytes. Images come in one event, some megabytes of base64 each.
pub(crate) const MAX_EVENT: usize = 8 * 1024 * 1024;

/// An event grew past [`MAX_EVENT`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventTooLong;

/// One event, as places in the framer's buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where its one `data` line has its value; unset where it has none or several.
    data: Option<Range<usize>>,
    /// The values of several `data` lines, joined by line feeds.
    joined: Option<Vec<u8>>,
    /// Where its last `event` line has its value.
    name: Option<Range<usize>>,
    /// The place behind its terminator.
    pub(crate) end: usize,
}

impl Block {
    /// Where the value of its one `data` line stands; nothing where it has none or several.
    pub(crate) fn one_line(&self) -> Option<Range<usize>> {
        if self.joined.is_none() { self.data.clone() } else { None }
    }
}

/// An event that holds `data`, which must be one line.
pub(crate) fn as_event(data: &str) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}

/// Cuts a byte stream into events.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    buffer: BytesMut,
    /// Start of the line being read.
    line: usize,
    /// Everything before this has been searched for a line end.
    searched: usize,
    /// The event being read.
    block: Block,
    /// Where the event being read starts.
    start: usize,
    /// The last line ended in CR at the very end of the buffer: a LF that follows belongs to it.
    skip_lf: bool,
    /// It is decided whether a byte order mark leads.
    begun: bool,
}

impl Framer {
    /// Adds bytes.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// Whether bytes wait that do not yet make an event.
    pub(crate) fn has_partial(&self) -> bool {
        self.start < self.buffer.len() && !self.buffer[self.start..].iter().all(|b| matches!(b, b'\n' | b'\r'))
    }

    /// The next whole event, if one is there.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, EventTooLong> {
        if !self.skip_mark() {
            return Ok(None);
        }
        while let Some(line) = self.next_line() {
            if line.is_empty() {
                self.start = self.line;
                let end = self.line;
                return Ok(Some(Block { end, ..std::mem::take(&mut self.block) }));
            }
            self.note_field(line);
        }
        if self.buffer.len() - self.start > MAX_EVENT { Err(EventTooLong) } else { Ok(None) }
    }

    /// The value of a block's data, if it has any.
    pub(crate) fn data<'a>(&'a self, block: &'a Block) -> Option<&'a [u8]> {
        match (&block.joined, &block.data) {
            (Some(joined), _) => Some(joined),
            (None, Some(range)) => self.buffer.get(range.clone()),
            (None, None) => None,
        }
    }

    /// The value of a block's `event` line, if it has one.
    pub(crate) fn name(&self, block: &Block) -> Option<&[u8]> {
        block.name.clone().and_then(|range| self.buffer.get(range))
    }

    /// Takes out all bytes up to `end`, which must be the end of a block already returned.
    pub(crate) fn take(&mut self, end: usize) -> Bytes {
        let taken = self.buffer.split_to(end).freeze();
        self.line -= end;
        self.searched -= end;
        self.start -= end;
        for range in [&mut self.block.data, &mut self.block.name].into_iter().flatten() {
            range.start -= end;
            range.end -= end;
        }
        taken
    }

    /// What is left: the bytes of no whole event.
    pub(crate) fn rest(self) -> Bytes {
        self.buffer.freeze()
    }

    /// Skips a byte order mark at the very beginning; false while it is undecided.
    fn skip_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.begun {
            return true;
        }
        if self.buffer.len() < MARK.len() && MARK.starts_with(&self.buffer) {
            return false;
        }
        self.begun = true;
        if self.buffer.starts_with(MARK) {
            self.buffer.advance(MARK.len());
        }
        true
    }

    /// The next whole line, without its end.
    fn next_line(&mut self) -> Option<Range<usize>> {
        if self.skip_lf && self.line < self.buffer.len() {
            self.skip_lf = false;
            if self.buffer[self.line] == b'\n' {
                // The event that the CR ended is out already; its LF opens the next one's bytes and means nothing.
                self.line += 1;
                self.searched = self.line;
            }
        }
        let Some(found) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + found;
        let line = self.line..end;
        let carriage = self.buffer[end] == b'\r';
        self.skip_lf = carriage && end + 1 == self.buffer.len();
        self.line = if carriage && self.buffer.get(end + 1) == Some(&b'\n') { end + 2 } else { end + 1 };
        self.searched = self.line;
        Some(line)
    }

    /// Remembers a line's value where it is `data` or `event`; other fields and comments mean nothing here.
    fn note_field(&mut self, line: Range<usize>) {
        if let Some(value) = self.value(&line, b"data") {
            match (self.block.data.take(), &mut self.block.joined) {
                (None, None) => self.block.data = Some(value),
                (Some(first), _) => {
                    let mut joined = self.buffer[first].to_vec();
                    joined.push(b'\n');
                    joined.extend_from_slice(&self.buffer[value]);
                    self.block.joined = Some(joined);
                }
                (None, Some(joined)) => {
                    joined.push(b'\n');
                    joined.extend_from_slice(&self.buffer[value]);
                }
            }
        } else if let Some(value) = self.value(&line, b"event") {
            self.block.name = Some(value);
        }
    }

    /// Where `line` has its value, if its field is `field`.
    fn value(&self, line: &Range<usize>, field: &[u8]) -> Option<Range<usize>> {
        let rest = self.buffer[line.clone()].strip_prefix(field)?;
        match rest {
            [] => Some(line.end..line.end),
            [b':', b' ', ..] => Some(line.start + field.len() + 2..line.end),
            [b':', ..] => Some(line.start + field.len() + 1..line.end),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Seen = Vec<(Option<String>, Option<String>, String)>;

    fn read(stream: &[u8], cuts: &[usize]) -> Seen {
        let mut framer = Framer::default();
        let mut seen = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().copied().chain([stream.len()]) {
            framer.push(&stream[from..cut]);
            from = cut;
            while let Some(block) = framer.next_block().expect("short") {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("utf-8");
                let data = framer.data(&block).map(text);
                let name = framer.name(&block).map(text);
                seen.push((name, data, text(&framer.take(block.end))));
            }
        }
        seen
    }

    fn data_of(seen: &Seen) -> Vec<(Option<&str>, Option<&str>)> {
        seen.iter().map(|(name, data, _)| (name.as_deref(), data.as_deref())).collect()
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        for (stream, expected) in [
            ("data: a\n\n", vec![(None, Some("a"))]),
            ("data:a\n\ndata: b\n\n", vec![(None, Some("a")), (None, Some("b"))]),
            ("data: a\r\n\r\n", vec![(None, Some("a"))]),
            ("data: a\r\rdata: b\r\r", vec![(None, Some("a")), (None, Some("b"))]),
            ("data: a\ndata: b\ndata: c\n\n", vec![(None, Some("a\nb\nc"))]),
            ("event: error\ndata: {}\n\n", vec![(Some("error"), Some("{}"))]),
            (": ping\n\n", vec![(None, None)]),
            ("id: 7\nretry: 1\ndata:  two\n\n", vec![(None, Some(" two"))]),
            ("data\n\n", vec![(None, Some(""))]),
            ("database: no\n\n", vec![(None, None)]),
            ("\u{feff}data: a\n\n", vec![(None, Some("a"))]),
            ("data: unfinished", vec![]),
        ] {
            assert_eq!(data_of(&read(stream.as_bytes(), &[])), expected, "{stream:?}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut framer = Framer::default();
        framer.push(&vec![b'x'; MAX_EVENT]);
        assert_eq!(framer.next_block(), Ok(None));
        framer.push(b"xx");
        assert_eq!(framer.next_block(), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            pieces in proptest::collection::vec("(data: [aé]{0,5}|event: x|: c|)(\n|\r\n|\r)", 0..24),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..16),
        ) {
            let stream = pieces.concat().into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * stream.len() as f64) as usize).collect();
            places.sort_unstable();
            let whole = read(&stream, &[]);
            let every: Vec<usize> = (0..stream.len()).collect();
            for cuts in [places, every] {
                let cut = read(&stream, &cuts);
                prop_assert_eq!(data_of(&cut), data_of(&whole));
            }
        }
    }
}
