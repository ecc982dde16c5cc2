//! What Cohere's errors say. Their bodies hold a `message`, and an answer that failed says so in its finish reason.
//!
//! Receives a status with a body; hands on a [`ProviderError`]. Must never be here: what follows from an error.

use super::event::{Answer, Event};
use super::stop;
use crate::openai_chat;
use crate::thin::{read, text};
use bytes::Bytes;
use llm::{ErrorKind, ProviderError};
use std::time::Duration;

/// The longest message kept for logs, in characters.
const MESSAGE_CHARS: usize = 300;
/// How the message of a 400 begins that refuses a question for its length, or the length asked of its answer.
const TOO_LONG_OPENING: &str = "too many tokens";
/// What is said of a trial key whose calls of a month are used up.
const MONTHLY_WORDS: [&str; 2] = ["calls / month", "calls per month"];

/// Reads an error body that came with HTTP `status`, or within a 200: there the finish reason says what it stands for.
///
/// `retry_after` is the advice of the headers; where they had none, a time that the message of a throttled provider names
/// is taken.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    if let Some(failed) = failed(status, body, retry_after) {
        return failed;
    }
    let error = openai_chat::read_error(status, body, retry_after);
    let kind = own_kind(&error).unwrap_or(error.kind);
    ProviderError { kind, ..error }
}

/// What Cohere's own words make of an error.
fn own_kind(error: &ProviderError) -> Option<ErrorKind> {
    let words = error.message.to_ascii_lowercase();
    match error.status {
        400 if words.starts_with(TOO_LONG_OPENING) => Some(ErrorKind::ContextLength),
        429 if MONTHLY_WORDS.iter().any(|month| words.contains(month)) => Some(ErrorKind::QuotaExhausted),
        // Something in the question or the answer is on a list of what must not be said.
        498 => Some(ErrorKind::ContentPolicy),
        _ => None,
    }
}

/// An answer that says of itself that it failed.
fn failed(status: u16, body: &Bytes, retry_after: Option<Duration>) -> Option<ProviderError> {
    let answer: Answer<'_> = read(body)?;
    let answer = if answer.reason().is_some() { answer } else { Event::read(body)?.added() };
    let code = answer.reason()?;
    let stands_for = stop::status(&code)?;
    let message = text(answer.error).chars().take(MESSAGE_CHARS).collect();
    Some(ProviderError {
        status: if status >= 400 { status } else { stands_for },
        kind: ErrorKind::Server,
        code: code.into_owned(),
        message,
        retry_after,
        body: body.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_are_understood_by_status_and_words() {
        use ErrorKind::*;
        for (status, body, kind, stands_for, message) in [
            (400, r#"{"message":"invalid request: k must be at most 500"}"#, InvalidRequest, 400, "invalid request"),
            (
                400,
                r#"{"id":"a","message":"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."}"#,
                ContextLength,
                400,
                "too many tokens",
            ),
            (400, r#"{"message":"invalid request: 'too many tokens' is no tool"}"#, InvalidRequest, 400, "invalid"),
            (401, r#"{"message":"invalid api token"}"#, Auth, 401, "invalid api token"),
            (402, r#"{"message":"please add or update your payment method"}"#, QuotaExhausted, 402, "please add"),
            (404, r#"{"message":"model 'x' not found"}"#, NotFound, 404, "model"),
            (422, r#"{"message":"unprocessable"}"#, InvalidRequest, 422, "unprocessable"),
            (
                429,
                r#"{"message":"You are using a Trial key, which is limited to 40 API calls / minute."}"#,
                RateLimited,
                429,
                "You are",
            ),
            (
                429,
                r#"{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}"#,
                QuotaExhausted,
                429,
                "You are",
            ),
            (498, r#"{"message":"blocked"}"#, ContentPolicy, 498, "blocked"),
            (499, r#"{"message":"request cancelled"}"#, Server, 499, "request"),
            (503, r#"{"message":"too many tokens"}"#, Overloaded, 503, "too many"),
            (500, "<html>", Server, 500, ""),
            (200, r#"{"message":"internal server error"}"#, Server, 500, "internal"),
            (
                200,
                r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"it broke","usage":{}}}"#,
                Server,
                500,
                "it broke",
            ),
            (200, r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#, Server, 504, ""),
            (200, r#"{"id":"a","finish_reason":"ERROR","message":{"role":"assistant"}}"#, Server, 500, ""),
        ] {
            let read = read_error(status, &Bytes::from(body), None);
            assert_eq!((read.kind, read.status), (kind, stands_for), "{status} {body}");
            assert!(read.message.starts_with(message), "{body}: {}", read.message);
            assert_eq!(read.body, body);
        }
    }

    #[test]
    fn advice_of_the_headers_wins_over_the_message() {
        let body = Bytes::from_static(br#"{"message":"Please wait and try again in 20s."}"#);
        let told = Some(Duration::from_secs(3));
        assert_eq!(read_error(429, &body, told).retry_after, told);
        assert_eq!(read_error(429, &body, None).retry_after, Some(Duration::from_secs(20)));
        assert_eq!(read_error(400, &body, None).retry_after, None);
    }

    proptest! {
        #[test]
        fn no_body_panics_and_no_word_blames_the_client_for_a_fault_of_the_server(
            status in any::<u16>(),
            word in "(too many tokens|ERROR|TIMEOUT|API calls / month|.*)",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let told = serde_json::json!({"message": &word, "finish_reason": &word}).to_string();
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
