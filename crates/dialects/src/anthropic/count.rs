//! Counting the tokens of a request, without an answer.
//!
//! The request is that for an answer, read by [`decode`](super::decode) and passed on as it came with its model replaced.
//! Must never be here: counting.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The path of this operation below a provider's base address.
pub const COUNT_PATH: &str = "/messages/count_tokens";

#[derive(Deserialize, Serialize)]
struct Counted {
    input_tokens: u64,
}

/// The answer that tells `input_tokens`.
#[must_use]
pub fn counted(input_tokens: u64) -> Bytes {
    // A number cannot fail to serialise.
    serde_json::to_vec(&Counted { input_tokens }).unwrap_or_default().into()
}

/// What an answer tells; nothing where it is none.
#[must_use]
pub fn read_counted(body: &[u8]) -> Option<u64> {
    let raw: &serde_json::value::RawValue = serde_json::from_slice(body).ok()?;
    Some(super::json::object::<Counted>(Some(raw))?.input_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_and_read() {
        assert_eq!(counted(2095), r#"{"input_tokens":2095}"#);
        for (body, expected) in [
            (r#"{"input_tokens":2095}"#, Some(2095)),
            (r#"{"input_tokens":7,"context_management":{"original_input_tokens":9}}"#, Some(7)),
            (r#"{"type":"error"}"#, None),
            ("[7]", None),
            ("", None),
        ] {
            assert_eq!(read_counted(body.as_bytes()), expected, "{body}");
        }
    }
}
