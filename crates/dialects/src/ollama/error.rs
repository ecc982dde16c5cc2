//! What Ollama's errors say: `{"error": "words"}`, as a body or as a line of a stream.
//!
//! Receives a status with a body; hands on a [`ProviderError`]. Must never be here: what follows from an error.

use crate::openai_chat;
use bytes::Bytes;
use llm::{ErrorKind, ProviderError};
use std::time::Duration;

/// What a server says that takes no more requests: with 503, and on a line where it no longer can.
const BUSY_WORDS: &str = "maximum pending requests exceeded";
/// What Ollama's own service says of an account that has used up its hours or weeks.
const SPENT_WORDS: &str = "usage limit";

/// Reads an error body that came with HTTP `status`, or a line within a 200.
///
/// `retry_after` is the advice of the headers.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let error = openai_chat::read_error(status, body, retry_after);
    let words = error.message.to_ascii_lowercase();
    match error.status {
        500.. if words.contains(BUSY_WORDS) => {
            let status = if status >= 400 { status } else { 503 };
            ProviderError { kind: ErrorKind::Overloaded, status, ..error }
        }
        429 if words.contains(SPENT_WORDS) => ProviderError { kind: ErrorKind::QuotaExhausted, ..error },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_are_understood_by_status_and_words() {
        use ErrorKind::*;
        for (status, words, kind, stands_for) in [
            (400, "registry.ollama.ai/library/x does not support tools", InvalidRequest, 400),
            (400, "the input length exceeds the context length", ContextLength, 400),
            (404, "model 'x' not found", NotFound, 404),
            (429, "too many requests", RateLimited, 429),
            (429, "you have reached your weekly usage limit, upgrade for more", QuotaExhausted, 429),
            (500, "llama runner process has terminated: exit status 2", Server, 500),
            (503, "server busy, please try again.  maximum pending requests exceeded", Overloaded, 503),
            (200, "server busy, please try again.  maximum pending requests exceeded", Overloaded, 503),
            (200, "an error was encountered while running the model", Server, 500),
        ] {
            let body = Bytes::from(serde_json::json!({"error": words}).to_string());
            let read = read_error(status, &body, None);
            assert_eq!((read.kind, read.status, &*read.message), (kind, stands_for, words), "{status} {words}");
            assert_eq!(read.body, body);
        }
        let told = Some(Duration::from_secs(3));
        assert_eq!(read_error(503, &Bytes::new(), told).retry_after, told);
    }

    proptest! {
        #[test]
        fn no_body_panics_and_no_word_blames_the_client_for_a_fault_of_the_server(
            status in any::<u16>(),
            word in "(maximum pending requests exceeded|usage limit|context length|.*)",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let told = serde_json::json!({"error": &word}).to_string();
            for body in [Bytes::from(told), Bytes::from(bytes)] {
                let read = read_error(status, &body, None);
                prop_assert!(read.status >= 400);
                if status >= 500 {
                    prop_assert!(matches!(read.kind, ErrorKind::Server | ErrorKind::Overloaded), "{:?}", read.kind);
                }
                prop_assert_eq!(read.body, body);
            }
        }
    }
}
