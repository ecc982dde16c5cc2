//! Text from JSON string literals whose characters may be cut in two.
//!
//! Servers that cut text between UTF-16 halves send `\ud83d` at the end of one event and `\ude00` at the beginning of
//! the next: each is valid JSON and no text, both are one character. Receives literals, hands on a `String`.

use serde::de::{Deserializer, Visitor};
use std::fmt;

/// Text that grows by literals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joined {
    text: String,
    /// The first half of a character whose other half has not come.
    half: Half,
}

/// The first half of a character whose other half has not come, kept where the text is handed on.
pub(crate) type Half = Option<u32>;

/// The text that `literal` adds to one that left off with `half`; nothing where it is no string.
pub(crate) fn continued(half: &mut Half, literal: &str) -> Option<String> {
    let mut joined = Joined { text: String::new(), half: half.take() };
    let sound = joined.push(literal);
    *half = joined.half;
    sound.then_some(joined.text)
}

impl Joined {
    /// Adds the string that `literal` stands for; whether it is one.
    pub(crate) fn push(&mut self, literal: &str) -> bool {
        let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(plain) if !plain.contains('\\') => self.add(plain.as_bytes()),
            _ => {
                let Some(bytes) = decoded(literal) else { return false };
                self.add(&bytes);
            }
        }
        true
    }

    /// The text so far, without a half character at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text; half a character at its end is replaced, as every reader would.
    pub(crate) fn into_string(mut self) -> String {
        self.settle();
        self.text
    }

    /// The text so far, which is held no longer; half a character stays for what follows.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Adds UTF-8 in which halves of characters may stand by themselves, encoded as three bytes each.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match std::str::from_utf8(bytes) {
                Ok(rest) => return self.whole(rest),
                Err(error) => {
                    let (good, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
                    self.whole(std::str::from_utf8(good).unwrap_or_default());
                    bytes = self.half(rest);
                }
            }
        }
    }

    fn whole(&mut self, text: &str) {
        if !text.is_empty() {
            self.settle();
            self.text.push_str(text);
        }
    }

    /// Takes the half at the beginning of `bytes`; hands back what is behind it.
    fn half<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match *bytes {
            [0xed, second @ 0xa0..=0xaf, third, ref rest @ ..] => {
                self.settle();
                self.half = Some((u32::from(second & 0x0f) << 6) | u32::from(third & 0x3f));
                rest
            }
            [0xed, second @ 0xb0..=0xbf, third, ref rest @ ..] => {
                let low = (u32::from(second & 0x0f) << 6) | u32::from(third & 0x3f);
                let high = self.half.take();
                let joined = high.and_then(|high| char::from_u32(0x1_0000 + (high << 10) + low));
                self.text.push(joined.unwrap_or(char::REPLACEMENT_CHARACTER));
                rest
            }
            [_, ref rest @ ..] => {
                self.settle();
                self.text.push(char::REPLACEMENT_CHARACTER);
                rest
            }
            [] => &[],
        }
    }

    fn settle(&mut self) {
        if self.half.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// The bytes that a string's literal stands for, halves of characters included.
pub(crate) fn decoded(literal: &str) -> Option<Vec<u8>> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    // A list of numbers would pass for bytes too.
    literal.starts_with('"').then(|| serde_json::Deserializer::from_str(literal).deserialize_bytes(Bytes).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_meet() {
        for (literals, expected) in [
            (&[r#""plain é""#][..], Some("plain é")),
            (&[r#""a\n\u00e9""#], Some("a\né")),
            (&[r#""\ud83d\ude00""#], Some("\u{1f600}")),
            (&[r#""a\ud83d""#, r#""\ude00b""#], Some("a\u{1f600}b")),
            (&[r#""a\ud83d""#, r#""b""#], Some("a\u{fffd}b")),
            (&[r#""a\ud83d""#], Some("a\u{fffd}")),
            (&[r#""\ude00""#], Some("\u{fffd}")),
            (&[r#""\ud83d""#, r#""\ud83d""#, r#""\ude00""#], Some("\u{fffd}\u{1f600}")),
            (&[r#""a\ud83d""#, r#""""#, r#""\ude00""#], Some("a\u{1f600}")),
            (&["[97]"], None),
            (&["7"], None),
        ] {
            let mut joined = Joined::default();
            let sound = literals.iter().all(|literal| joined.push(literal));
            assert_eq!(sound.then(|| joined.into_string()).as_deref(), expected, "{literals:?}");
        }
    }
}
