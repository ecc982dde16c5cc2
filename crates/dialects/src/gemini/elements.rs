//! A JSON list that comes in pieces: bytes to its objects, keeping the bytes.
//!
//! So Google streams to whoever does not ask for `alt=sse`. Nothing is parsed here: brackets outside strings are counted,
//! and every byte is looked at once, however the stream is cut up. An object without a list around it is one of one.
//! Must never be here: what the objects mean.

use crate::sse::{EventTooLong, MAX_EVENT};
use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use std::ops::Range;

/// Something whole, by places in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// An object, with whatever stands before it.
    Object(Range<usize>),
    /// The bracket that ends the list, by the place behind it.
    Close(usize),
    /// A byte that has no place between objects, by the place behind it.
    Stray(usize),
}

impl Element {
    /// The place behind it.
    pub(super) fn end(&self) -> usize {
        match self {
            Self::Object(range) => range.end,
            Self::Close(end) | Self::Stray(end) => *end,
        }
    }
}

/// Cuts a JSON list into its objects.
#[derive(Debug, Default)]
pub(super) struct Elements {
    buffer: BytesMut,
    /// Everything before this has been looked at.
    at: usize,
    /// How many brackets are open within an object; none between objects.
    depth: usize,
    /// Where the object being read starts.
    start: usize,
    in_string: bool,
    /// The next byte of the string is escaped.
    escaped: bool,
    /// Everything before this has been handed on as an element.
    told: usize,
    /// The list has been opened, and not closed.
    open: bool,
}

impl Elements {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// Whether the list lacks its end.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// The next whole element, if one is there.
    pub(super) fn next_element(&mut self) -> Result<Option<Element>, EventTooLong> {
        while let Some(&byte) = self.buffer.get(self.at) {
            if self.in_string {
                self.pass_string();
                continue;
            }
            self.at += 1;
            if self.depth > 0 {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
                if self.depth == 0 {
                    return Ok(Some(self.tell(Element::Object(self.start..self.at))));
                }
                continue;
            }
            match byte {
                b'{' => (self.depth, self.start) = (1, self.at - 1),
                b'[' if !self.open => self.open = true,
                b']' if self.open => {
                    self.open = false;
                    return Ok(Some(self.tell(Element::Close(self.at))));
                }
                b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => return Ok(Some(self.tell(Element::Stray(self.at)))),
            }
        }
        if self.buffer.len() - self.told > MAX_EVENT { Err(EventTooLong) } else { Ok(None) }
    }

    /// The bytes of an object already handed on.
    pub(super) fn data(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// Takes out all bytes up to `end`, which must be the end of an element already handed on.
    pub(super) fn take(&mut self, end: usize) -> Bytes {
        let taken = self.buffer.split_to(end).freeze();
        self.at -= end;
        self.told -= end;
        self.start = self.start.saturating_sub(end);
        taken
    }

    fn tell(&mut self, element: Element) -> Element {
        self.told = element.end();
        element
    }

    /// Passes over a string as far as it is there.
    fn pass_string(&mut self) {
        if std::mem::take(&mut self.escaped) {
            self.at += 1;
            return;
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let Some(found) = memchr2(b'"', b'\\', rest) else {
            self.at = self.buffer.len();
            return;
        };
        self.in_string = rest.get(found) == Some(&b'\\');
        self.escaped = self.in_string;
        self.at += found + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is found, and the bytes that each element was taken with.
    fn read(list: &[u8], cuts: &[usize]) -> Vec<(String, String)> {
        let mut elements = Elements::default();
        let mut found = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().copied().chain([list.len()]) {
            elements.push(&list[from..cut]);
            from = cut;
            while let Some(element) = elements.next_element().expect("short") {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("utf-8");
                let said = match &element {
                    Element::Object(range) => text(elements.data(range)),
                    Element::Close(_) => "close".to_owned(),
                    Element::Stray(_) => "stray".to_owned(),
                };
                found.push((said, text(&elements.take(element.end()))));
            }
        }
        found
    }

    #[test]
    fn objects_are_found_in_lists_and_alone() {
        for (list, expected) in [
            ("[{\"a\":1}\r\n,\r\n{\"b\":[{}]}\n]\n", vec!["{\"a\":1}", "{\"b\":[{}]}", "close"]),
            ("{\"a\":1}", vec!["{\"a\":1}"]),
            ("[{\"a\":\"}]\\\"{\"}]", vec!["{\"a\":\"}]\\\"{\"}", "close"]),
            ("[]", vec!["close"]),
            ("[{\"a\":", vec![]),
            ("[7", vec!["stray"]),
            ("[[", vec!["stray"]),
            ("]", vec!["stray"]),
        ] {
            let found: Vec<String> = read(list.as_bytes(), &[]).into_iter().map(|(said, _)| said).collect();
            assert_eq!(found, expected, "{list}");
        }
    }

    #[test]
    fn an_endless_object_is_refused() {
        let mut elements = Elements::default();
        elements.push(b"[{\"a\":\"");
        elements.push(&vec![b'x'; MAX_EVENT - 7]);
        assert_eq!(elements.next_element(), Ok(None));
        elements.push(b"x");
        assert_eq!(elements.next_element(), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            pieces in proptest::collection::vec("\\{\"a\":\"[aé\\[}]{0,4}(\\\\\"|\\\\\\\\)?\"\\}|,|\r\n|7|\\]|\\[", 0..16),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..16),
        ) {
            let list = pieces.concat().into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * list.len() as f64) as usize).collect();
            places.sort_unstable();
            let whole = read(&list, &[]);
            prop_assert_eq!(&read(&list, &places), &whole);
            let every: Vec<usize> = (0..list.len()).collect();
            prop_assert_eq!(&read(&list, &every), &whole);
        }
    }
}
