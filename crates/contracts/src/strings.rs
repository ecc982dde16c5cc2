//! JSON as its reader will have it: its strings without their escapes.
//!
//! Receives a text; hands on what it says, and where in that its strings lie. Must never be here: what is looked for.

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;
use std::ops::Range;

/// A JSON text with its strings read.
#[derive(Debug)]
pub(crate) struct Strings<'a> {
    json: &'a str,
    /// The text with each string as what it stands for, its quotes around it.
    pub(crate) said: String,
    strings: Vec<Place>,
}

/// Where a string lies, without its quotes.
#[derive(Debug)]
struct Place {
    written: Range<usize>,
    said: Range<usize>,
    /// It names a field.
    key: bool,
}

impl<'a> Strings<'a> {
    /// Reads `json`; nothing where it is none, or where a string of it is no text.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(json).ok()?;
        let mut strings = Self { json, said: String::with_capacity(json.len()), strings: Vec::new() };
        let mut from = 0;
        while let Some(at) = memchr(b'"', json.get(from..)?.as_bytes()) {
            let start = from + at + 1;
            let end = start + length(json.get(start..)?.as_bytes())?;
            strings.said.push_str(json.get(from..start)?);
            strings.add(start..end)?;
            from = end;
            strings.said.push_str(json.get(from..=from)?);
            from += 1;
        }
        strings.said.push_str(json.get(from..)?);
        Some(strings)
    }

    fn add(&mut self, written: Range<usize>) -> Option<()> {
        let inner = self.json.get(written.clone())?;
        let start = self.said.len();
        if memchr(b'\\', inner.as_bytes()).is_none() {
            self.said.push_str(inner);
        } else {
            let literal = self.json.get(written.start - 1..=written.end)?;
            self.said.push_str(&serde_json::from_str::<String>(literal).ok()?);
        }
        let key = self.json.get(written.end + 1..)?.trim_start().starts_with(':');
        self.strings.push(Place { written, said: start..self.said.len(), key });
        Some(())
    }

    /// The place in `said` of the string around a place in it, and whether that names a field; nothing where there is
    /// none.
    pub(crate) fn around(&self, range: &Range<usize>) -> Option<(Range<usize>, bool)> {
        let at = self.strings.partition_point(|string| string.said.end < range.end);
        let string = self.strings.get(at).filter(|string| string.said.start <= range.start)?;
        Some((string.said.clone(), string.key))
    }

    /// The JSON with what lies at each of `gone` exchanged for a word. They must be in order, apart, and each within a
    /// string.
    pub(crate) fn exchanged(&self, gone: &[(Range<usize>, String)]) -> String {
        let (mut out, mut from, mut gone) = (String::with_capacity(self.json.len()), 0, gone.iter().peekable());
        for string in &self.strings {
            let (mut new, mut behind) = (String::new(), string.said.start);
            while let Some((range, word)) = gone.next_if(|(range, _)| range.end <= string.said.end) {
                new.push_str(self.said.get(behind..range.start).unwrap_or_default());
                new.push_str(word);
                behind = range.end;
            }
            if behind > string.said.start {
                new.push_str(self.said.get(behind..string.said.end).unwrap_or_default());
                out.push_str(self.json.get(from..string.written.start - 1).unwrap_or_default());
                // A string cannot fail to serialise.
                out.push_str(&serde_json::to_string(&new).unwrap_or_default());
                from = string.written.end + 1;
            }
        }
        out.push_str(self.json.get(from..).unwrap_or_default());
        out
    }
}

/// How long a string is whose opening quote stands before `bytes`.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_and_exchanged_in_place() {
        for (json, said, around, exchanged) in [
            (r#"{"a": "x@y" , "b":1}"#, r#"{"a": "x@y" , "b":1}"#, Some(false), Some(r#"{"a": "-" , "b":1}"#)),
            (
                r#"{"a":"\n\u0078@y\"","b":"\u00e9"}"#,
                "{\"a\":\"\nx@y\"\",\"b\":\"é\"}",
                Some(false),
                Some(r#"{"a":"\n-\"","b":"\u00e9"}"#),
            ),
            (r#"["x@y"]"#, r#"["x@y"]"#, Some(false), Some(r#"["-"]"#)),
            (r#""x@y""#, r#""x@y""#, Some(false), Some(r#""-""#)),
            (r#"{"x@y" :1}"#, r#"{"x@y" :1}"#, Some(true), Some(r#"{"-" :1}"#)),
            (r#"["x@", "y"]"#, r#"["x@", "y"]"#, None, None),
            (r#"{"\\":"x@y"}"#, r#"{"\":"x@y"}"#, Some(false), Some(r#"{"\\":"-"}"#)),
        ] {
            let strings = Strings::of(json).unwrap_or_else(|| panic!("{json}"));
            assert_eq!(strings.said, said, "{json}");
            let Some(at) = strings.said.find("x@y") else { continue };
            assert_eq!(strings.around(&(at..at + 3)).map(|(_, key)| key), around, "{json}");
            if let Some(exchanged) = exchanged {
                assert_eq!(strings.exchanged(&[(at..at + 3, "-".into())]), exchanged, "{json}");
            }
        }
        for json in ["", "{", "x", r#""\ud83d""#, r#"{"a":1}x"#] {
            assert!(Strings::of(json).is_none(), "{json}");
        }
    }
}
