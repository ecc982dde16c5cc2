//! Whether an answer still holds words that were taken out of it, anywhere.
//!
//! Looks at every string and key of the answer's JSON, at what the strings of one place say over several events and
//! list entries, at what is written within strings in escapes of their own, and at the bytes themselves. Must never be
//! here: what is done about it.

use crate::text::decoded;
use memchr::memmem;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most that is searched: bytes times words, some 50 ms.
const MOST: usize = 256 << 20;
/// The deepest nesting that is looked into.
const DEPTH: usize = 128;
/// How often JSON within a string of JSON is read again.
const ESCAPED: usize = 3;
/// Stands in no text.
const SEAM: u8 = 0xff;

/// What the strings of an answer say, by their places; list entries share one.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    said: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Traces {
    /// Takes in one event's data; nothing where not all of it can be looked at.
    pub(crate) fn push(&mut self, data: &[u8]) -> Option<()> {
        let event: Fields<'_> = serde_json::from_slice(data).ok()?;
        for (name, value) in event.0 {
            self.note(b"", name.as_bytes());
            match name.as_str() {
                "choices" => self.choices(value)?,
                name => self.value(value, &mut name.as_bytes().to_vec(), 0)?,
            }
        }
        Some(())
    }

    /// Whether none of `words` is left, in `raw` either; no where that would cost too much.
    pub(crate) fn are_none(&self, raw: &[u8], words: &BTreeSet<String>) -> bool {
        let mut layer: Vec<u8> = Vec::new();
        for said in self.said.values() {
            layer.extend_from_slice(said);
            layer.push(SEAM);
        }
        let mut all: Vec<u8> = [raw, &[SEAM], &layer].concat();
        for _ in 0..ESCAPED {
            if memchr::memchr(b'\\', &layer).is_none() {
                break;
            }
            layer = unescaped(&layer);
            all.extend_from_slice(&layer);
        }
        let mut words = words.iter().filter(|word| !word.is_empty());
        all.len().saturating_mul(words.clone().count()) <= MOST
            && words.all(|word| memmem::find(&all, word.as_bytes()).is_none())
    }

    /// Choices are told apart by their places: their events take turns.
    fn choices(&mut self, list: &RawValue) -> Option<()> {
        let Ok(choices) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
            return self.value(list, &mut b"choices".to_vec(), 0);
        };
        for choice in choices {
            let fields = serde_json::from_str::<Fields<'_>>(choice.get()).ok();
            let index = fields.and_then(|fields| fields.0.into_iter().find(|(name, _)| name == "index"));
            let mut path = format!("choices {}", index.map_or("0", |(_, index)| index.get())).into_bytes();
            self.value(choice, &mut path, 0)?;
        }
        Some(())
    }

    fn value(&mut self, value: &RawValue, path: &mut Vec<u8>, depth: usize) -> Option<()> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => self.note(path, &decoded(text)?),
            Some(b'{' | b'[') if depth >= DEPTH => return None,
            Some(b'{') => {
                let fields: Fields<'_> = serde_json::from_str(text).ok()?;
                for (name, value) in fields.0 {
                    self.note(b"", name.as_bytes());
                    let end = path.len();
                    path.push(SEAM);
                    path.extend_from_slice(name.as_bytes());
                    self.value(value, path, depth + 1)?;
                    path.truncate(end);
                }
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                items.into_iter().try_for_each(|item| self.value(item, path, depth + 1))?;
            }
            _ => {}
        }
        Some(())
    }

    fn note(&mut self, path: &[u8], said: &[u8]) {
        let all = self.said.entry(path.to_vec()).or_default();
        all.extend_from_slice(said);
        // Keys have no place together.
        if path.is_empty() {
            all.push(SEAM);
        }
    }
}

/// `text` with each escape of JSON as what it stands for; what is none stays.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let unit = || u32::from_str_radix(std::str::from_utf8(escape.get(2..6)?).ok()?, 16).ok();
        let (stands_for, length) = match escape.get(1) {
            Some(b'u') => match unit().and_then(char::from_u32) {
                Some(c) => (c, 6),
                None => ('\\', 1),
            },
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(byte @ (b'"' | b'\\' | b'/')) => (char::from(*byte), 2),
            _ => ('\\', 1),
        };
        out.extend_from_slice(stands_for.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// An object's fields in their order, those that stand there twice included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Every;
        impl<'de> Visitor<'de> for Every {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    all.push(entry);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Every).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        let nested = |depth: usize| format!("{}\"x\"{}", "[".repeat(depth), "]".repeat(depth));
        for (events, none) in [
            (&[r#"{"a":"ada","b":["@example.org"]}"#][..], true),
            (&[r#"{"a":"to ada@example.org!"}"#], false),
            (&[r#"{"a":"ada\u0040example.org"}"#], false),
            (&[r#"{"a":"{\"b\":\"ada\\u0040example.org\"}"}"#], false),
            (&[r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"ada\\\\u0040example.org\\\"}\"}"}"#], false),
            (&[r#"{"ada\u0040example.org":1}"#], false),
            (&[r#"{"x":{"ada\u0040example.org":1}}"#], false),
            (&[r#"{"a":["ada","@exam",{"c":1},"ple.org"]}"#], false),
            (&[r#"{"a":[{"t":"ada@"},{"t":"example.org"}]}"#], false),
            (&[r#"{"a":"ada@example","b":".org"}"#], true),
            (&[r#"{"a":"x","a":"ada\u0040example.org","a":"x"}"#], false),
            (&[r#"{"x":"ada@"}"#, r#"{"x":"example.org"}"#], false),
            (&[r#"{"choices":[{"index":0,"x":"ada@"}]}"#, r#"{"choices":[{"x":"example.org"}]}"#], false),
            (&[r#"{"choices":[{"index":0,"x":"ada@"}]}"#, r#"{"choices":[{"index":1,"x":"example.org"}]}"#], true),
            (
                &[
                    r#"{"choices":[{"index":0,"x":"ada@"},{"index":1,"x":"no"}]}"#,
                    r#"{"choices":[{"index":1,"x":"no"},{"x":"example.org"}]}"#,
                ],
                false,
            ),
            (&[r#"{"choices":"ada\u0040example.org"}"#], false),
            (&[r#"{"choices":["ada\u0040example.org"]}"#], false),
            (&[r#"{"a":"\ud83d","b":"\u00e9"}"#], true),
            (&[r#"{"\ud83d":1}"#], false),
            (&[&format!(r#"{{"a":{}}}"#, nested(128))], true),
            (&[&format!(r#"{{"a":{}}}"#, nested(129))], false),
            (&["[]"], false),
        ] {
            let mut traces = Traces::default();
            let looked = events.iter().all(|event| traces.push(event.as_bytes()).is_some());
            let words = ["ada@example.org".to_owned(), String::new()].into();
            assert_eq!(looked && traces.are_none(b"", &words), none, "{events:?}");
        }
        assert!(!Traces::default().are_none(b": ada@example.org", &["ada@example.org".to_owned()].into()));
    }

    #[test]
    fn what_costs_too_much_is_not_vouched_for() {
        let words = |count: usize| (0..count).map(|n| format!("word {n}")).collect();
        assert!(Traces::default().are_none(&[b'x'; 1 << 16], &words(100)));
        assert!(!Traces::default().are_none(&[b'x'; 1 << 16], &words(10_000)));
    }
}
