//! JSON that stands within other text.
//!
//! Must never be here: guessing. Brackets anywhere outside the one value could be another value, and then there is no
//! certain one.

use crate::json::MAX_VALUES;
use crate::scan::{Extent, Scanner};
use serde_json::Value;

/// The longest text that is searched, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// What a text that is no JSON holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside<'a> {
    /// One object or array within a code fence.
    Fenced(&'a str),
    /// One object or array with words around it.
    Prose(&'a str),
    /// The beginning of one, or nothing at all.
    Cut,
    /// None, more than one, or none that is certain.
    Nothing,
}

/// Looks for the one object or array in `text`.
pub(crate) fn inside(text: &str) -> Inside<'_> {
    if text.trim().is_empty() {
        return Inside::Cut;
    }
    let opening = |c: char| matches!(c, '{' | '[');
    let bracket = |c: char| matches!(c, '{' | '[' | '}' | ']');
    let Some(start) = text.find(bracket).filter(|_| text.len() <= MAX_BYTES) else { return Inside::Nothing };
    let (before, rest) = text.split_at(start);
    if !rest.starts_with(opening) {
        return Inside::Nothing;
    }
    let mut scanner = Scanner::default();
    scanner.push(rest.as_bytes());
    if scanner.values() > MAX_VALUES {
        return Inside::Nothing;
    }
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    match values.next() {
        Some(Ok(_)) => {}
        // A parser wants more of an escape too that ends with its string.
        Some(Err(error)) if error.is_eof() && scanner.extent() == Extent::Open => return Inside::Cut,
        Some(Err(_)) | None => return Inside::Nothing,
    }
    let (json, after) = rest.split_at(values.byte_offset());
    if after.contains(bracket) {
        return Inside::Nothing;
    }
    if is_fence(before, after) { Inside::Fenced(json) } else { Inside::Prose(json) }
}

/// Whether nothing but the marks of one fence stands around.
fn is_fence(before: &str, after: &str) -> bool {
    let info = before.trim().strip_prefix("```");
    let closed = matches!(after.trim(), "```" | "");
    closed && info.is_some_and(|info| info.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_found() {
        use Inside::{Cut, Fenced, Nothing, Prose};
        for (text, expected) in [
            ("```json\n{\"a\":1}\n```", Fenced("{\"a\":1}")),
            ("```\n[1]\n```\n", Fenced("[1]")),
            ("  ```JSON {\"a\":\"```\"} ```", Fenced("{\"a\":\"```\"}")),
            ("```json\n{\"a\":1}", Fenced("{\"a\":1}")),
            ("Here it is:\n```json\n{\"a\":1}\n```\nEnjoy!", Prose("{\"a\":1}")),
            ("Sure! {\"a\":\"}\"} Done.", Prose("{\"a\":\"}\"}")),
            ("The answer is [1,2].", Prose("[1,2]")),
            ("{\"a\":1} {\"b\":2}", Nothing),
            ("{\"a\":1} and [1]", Nothing),
            ("[note] {\"a\":1}", Nothing),
            ("{'a': [1]}", Nothing),
            ("{\"a\": [1,2], b}", Nothing),
            ("a } {\"a\":1}", Nothing),
            ("no brackets", Nothing),
            ("```json\n{\"a\": [1,2], \"b\": \"cut", Cut),
            ("{\"a\":1", Cut),
            ("```\n{\"a\":1.", Cut),
            ("{\"a\":1e999}", Nothing),
            ("{\"a\":\"\\ud\"}", Nothing),
            ("", Cut),
        ] {
            assert_eq!(inside(text), expected, "{text}");
        }
    }
}
