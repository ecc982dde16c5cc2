//! Percent-encoding (RFC 3986, section 2.1): names of models in paths and queries, both ways.
//!
//! Must never be here: which path or query.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every byte encoded but letters, digits, `-`, `.`, `_` and `~`: as one segment of a path, or one value of a
/// query.
#[must_use]
pub fn escaped(text: &str) -> String {
    escaped_but(text, b"")
}

/// The same, but for the bytes in `kept` too.
pub(crate) fn escaped_but(text: &str, kept: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // A string takes all.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// `text` with encoded bytes as themselves; nothing where they are no text, or an escape is none.
#[must_use]
pub fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let [high, low] = [*digits.first()?, *digits.last()?].map(digit);
        bytes.push(high? << 4 | low?);
        rest = behind;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back_and_what_is_no_escape_does_not() {
        for (text, encoded) in [("a-1._~", "a-1._~"), ("a/b c:@", "a%2Fb%20c%3A%40"), ("é", "%C3%A9"), ("%", "%25")] {
            assert_eq!(escaped(text), encoded);
            assert_eq!(unescaped(encoded).as_deref(), Some(text));
        }
        assert_eq!(escaped_but("a/b@c d", b"/@"), "a/b@c%20d");
        for text in ["%", "%4", "%zz", "%ff", "a%2"] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }
}
