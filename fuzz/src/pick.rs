//! Which dialect an input is for: its first byte says so, counted from `0`.
//!
//! Must never be here: what has to hold of any dialect.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use llm::{Api, Dialect, Operation, Vectors};

/// What providers of answers speak.
pub(crate) const APIS: [Api; 7] = [
    Api::Shared(Dialect::OpenAiChat),
    Api::Shared(Dialect::Anthropic),
    Api::Shared(Dialect::Gemini),
    Api::Shared(Dialect::Responses),
    Api::Cohere,
    Api::Ollama,
    Api::Bedrock,
];

/// What providers of vectors speak.
pub(crate) const OF_VECTORS: [Api; 4] = [
    Api::Shared(Dialect::Other(Operation::Embeddings)),
    Api::Shared(Dialect::Other(Operation::GeminiBatchEmbed)),
    Api::Vectors(Vectors::Cohere),
    Api::Vectors(Vectors::Ollama),
];

/// What clients speak that want vectors.
pub(crate) const FOR_VECTORS: [Dialect; 3] = [
    Dialect::Other(Operation::Embeddings),
    Dialect::Other(Operation::GeminiEmbed),
    Dialect::Other(Operation::GeminiBatchEmbed),
];

/// `first`, and `second` behind it.
pub(crate) fn all<T: Copy>(first: &[T], second: &[T]) -> Vec<T> {
    [first, second].concat()
}

/// One of `all`, and what follows the byte that says which.
pub(crate) fn pick<'a, T: Copy>(all: &[T], data: &'a [u8]) -> Option<(T, &'a [u8])> {
    let (first, rest) = data.split_first()?;
    let place = usize::from(first.wrapping_sub(b'0')) % all.len();
    all.get(place).map(|one| (*one, rest))
}

/// `data` as a provider that speaks `api` sends it.
///
/// Checksums cannot be guessed: of Bedrock's streams each line that is an event, written as recordings have them, is put
/// into a frame. Other lines, and what begins as a frame does, are bytes that come as they are.
pub(crate) fn wire(api: Api, data: &[u8]) -> Vec<u8> {
    if api != Api::Bedrock || data.starts_with(b"\0") {
        return data.to_vec();
    }
    data.split(|byte| *byte == b'\n').flat_map(|line| framed(line).unwrap_or_else(|| line.to_vec())).collect()
}

/// An event in its frame; its name is its only key.
fn framed(line: &[u8]) -> Option<Vec<u8>> {
    let name_at = line.strip_prefix(b"{\"")?;
    let name_end = name_at.windows(2).position(|two| two == b"\":")?;
    let (name, payload) = (std::str::from_utf8(name_at.get(..name_end)?).ok()?, name_at.get(name_end + 2..)?);
    let payload = payload.strip_suffix(b"}")?;
    let (kind, key) = match name.ends_with("Exception") {
        true => ("exception", ":exception-type"),
        false => ("event", ":event-type"),
    };
    let header = |name: &str, value: &str| Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into()));
    let headers = vec![header(key, name), header(":message-type", kind)];
    let mut frame = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload.to_vec()), &mut frame).ok()?;
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_picks() {
        for (data, expected) in [
            (&b"0ab"[..], Some(('a', &b"ab"[..]))),
            (b"1", Some(('b', b""))),
            (b"2", Some(('a', b""))),
            (b"\0", Some(('a', b""))),
            (b"", None),
        ] {
            assert_eq!(pick(&['a', 'b'], data), expected, "{data:?}");
        }
    }

    #[test]
    fn only_events_are_framed() {
        let sent = wire(Api::Bedrock, b"{\"messageStart\":{}}\n<html>");
        assert!(sent.starts_with(&[0, 0, 0]) && sent.ends_with(b"<html>") && sent.len() > 50);
        assert_eq!(wire(Api::Bedrock, b"\0\0\0\n{\"a\":{}}"), b"\0\0\0\n{\"a\":{}}");
        assert_eq!(wire(Api::Cohere, b"{\"a\":{}}"), b"{\"a\":{}}");
    }
}
