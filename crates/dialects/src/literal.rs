//! Texts as JSON strings, written at the speed of copying.
//!
//! Long words, and pictures in base64 above all, hold little that has to be escaped: what lies between is found by vector
//! instructions and copied at once. Must never be here: what is written.

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Adds `text` to `out` as a string.
pub(crate) fn push_literal(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some((plain, escaped, behind)) = up_to_escape(rest) {
        out.push_str(plain);
        push_escape(out, escaped);
        rest = behind;
    }
    out.push_str(rest);
    out.push('"');
}

/// `text` around the first character that has to be escaped; nothing where none has to be.
fn up_to_escape(text: &str) -> Option<(&str, u8, &str)> {
    let at = first_escape(text.as_bytes())?;
    // What is escaped is one byte, so that both ends are borders of characters.
    Some((text.get(..at)?, *text.as_bytes().get(at)?, text.get(at + 1..)?))
}

/// Where the first byte is that has to be escaped. Judged by blocks, without a way out of one, which is what compilers
/// turn into vector instructions.
pub(crate) fn first_escape(text: &[u8]) -> Option<usize> {
    let escaped = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    let (blocks, _) = text.as_chunks::<32>();
    let plain =
        blocks.iter().take_while(|block| !block.iter().fold(false, |any, byte| any | escaped(byte))).count() * 32;
    text.get(plain..)?.iter().position(escaped).map(|at| plain + at)
}

fn push_escape(out: &mut String, byte: u8) {
    let short = match byte {
        b'"' => '"',
        b'\\' => '\\',
        b'\n' => 'n',
        b'\r' => 'r',
        b'\t' => 't',
        0x08 => 'b',
        0x0c => 'f',
        _ => {
            // As serde_json has it.
            out.push_str(&format!("\\u{byte:04x}"));
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

/// A text field of an object that [`to_vec`] writes: `#[serde(serialize_with = "words")]`. Others write it as a list of
/// numbers.
pub(crate) fn words<S: Serializer>(text: &(impl AsRef<str> + ?Sized), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(text.as_ref().as_bytes())
}

/// `value` as JSON, its [`words`] as strings.
///
/// # Errors
/// A value that cannot be JSON, as a map whose names are no texts.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Words))?;
    Ok(out)
}

/// Compact JSON in which bytes are a text.
struct Words;

impl Formatter for Words {
    fn write_byte_array<W: Write + ?Sized>(&mut self, writer: &mut W, value: &[u8]) -> io::Result<()> {
        writer.write_all(b"\"")?;
        let mut rest = std::str::from_utf8(value).map_err(io::Error::other)?;
        while let Some((plain, escaped, behind)) = up_to_escape(rest) {
            writer.write_all(plain.as_bytes())?;
            let mut escape = String::new();
            push_escape(&mut escape, escaped);
            writer.write_all(escape.as_bytes())?;
            rest = behind;
        }
        writer.write_all(rest.as_bytes())?;
        writer.write_all(b"\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct Said<'a> {
        #[serde(serialize_with = "words")]
        text: &'a str,
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_json_writes_them(
            text in prop_oneof![".{0,100}", "[\\x00-\\x20\"\\\\a-zé]{0,100}", "[a-z\\n ]{60,200}"],
        ) {
            let expected = serde_json::to_string(&text).expect("a string");
            let mut out = "[".to_owned();
            push_literal(&mut out, &text);
            prop_assert_eq!(out, format!("[{expected}"));
            let written = to_vec(&Said { text: &text }).expect("an object");
            prop_assert_eq!(String::from_utf8(written), Ok(format!("{{\"text\":{expected}}}")));
        }
    }
}
