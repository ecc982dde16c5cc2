//! Errors, both ways: what a provider's says, and how ours are worded.
//!
//! Lives here: `kind`, what a provider's words amount to; `render`, errors for clients.
//! Receives a status with a body, or an error of ours; hands on a [`ProviderError`], or a body.
//! Must never be here: what follows from an error.

mod kind;
mod render;

use super::json::{object, text};
use crate::openai_chat;
use bytes::Bytes;
use llm::{ErrorKind, ProviderError};
pub use render::{as_event, render};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// The longest provider code and message kept for logs, in characters.
const CODE_CHARS: usize = 64;
const MESSAGE_CHARS: usize = 300;
/// The most of a message that is searched for words, in characters.
const WORDS_CHARS: usize = 4096;

/// An error body: `{"type": "error", "error": {"type", "message", "details"}, "request_id"}`.
#[derive(Default, Deserialize)]
struct Outer<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Details<'a> {
    #[serde(borrow, default)]
    error_code: Option<&'a RawValue>,
}

/// What an error body says.
#[derive(Default)]
struct Said {
    /// Its broad category.
    kind: String,
    /// What names the cause; empty where none does.
    code: String,
    message: String,
    /// The beginning of the message, in lower case.
    words: String,
}

/// Reads an error body that came with HTTP `status`, or within a 200 where its type says what it stands for.
///
/// `retry_after` is the advice of the headers; where they had none, a time that the message of a throttled or overloaded
/// provider names is taken. A body that is not worded as Anthropic words it, as those of proxies and of servers that
/// only speak its dialect besides, is read as any other provider's.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let Some(said) = said(body) else { return openai_chat::read_error(status, body, retry_after) };
    let status = if status >= 400 { status } else { kind::status(&said.kind) };
    let kind = kind::kind(&said, status);
    let waits = matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded);
    let code = if said.code.is_empty() { said.kind } else { said.code };
    ProviderError {
        status,
        kind,
        code: code.chars().take(CODE_CHARS).collect(),
        message: said.message.chars().take(MESSAGE_CHARS).collect(),
        retry_after: retry_after.or_else(|| waits.then(|| crate::advice::advised(&said.words)).flatten()),
        body: body.clone(),
    }
}

/// The words of a body, where it is one of this dialect.
fn said(body: &[u8]) -> Option<Said> {
    let outer: &RawValue = serde_json::from_slice(body).ok()?;
    let outer: Outer<'_> = object(Some(outer))?;
    // OpenAI has types of the same names in an object without one.
    let inner: Inner<'_> = object(outer.error.filter(|_| text(outer.kind) == "error"))?;
    let kind = text(inner.kind).into_owned();
    if !kind::is_known(&kind) {
        return None;
    }
    let message = text(inner.message).into_owned();
    let words = message.chars().take(WORDS_CHARS).map(|c| c.to_ascii_lowercase()).collect();
    let code = text(object::<Details<'_>>(inner.details).unwrap_or_default().error_code).into_owned();
    Some(Said { kind, code, message, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_are_understood_by_status_type_and_code() {
        use ErrorKind::*;
        let of = |kind: &str, message: &str| {
            format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"req_1"}}"#)
        };
        let coded = |kind: &str, code: &str| {
            format!(
                r#"{{"type":"error","error":{{"type":"{kind}","message":"m","details":{{"error_code":"{code}"}}}}}}"#
            )
        };
        for (status, body, kind, stands_for, code) in [
            (529, of("overloaded_error", "Overloaded"), Overloaded, 529, "overloaded_error"),
            (200, of("overloaded_error", "Overloaded"), Overloaded, 529, "overloaded_error"),
            (200, of("api_error", "Internal server error"), Server, 500, "api_error"),
            (200, of("timeout_error", "m"), Server, 504, "timeout_error"),
            (200, of("rate_limit_error", "m"), RateLimited, 429, "rate_limit_error"),
            (200, of("invalid_request_error", "m"), InvalidRequest, 400, "invalid_request_error"),
            (504, of("timeout_error", "m"), Server, 504, "timeout_error"),
            (413, of("request_too_large", "m"), InvalidRequest, 413, "request_too_large"),
            (402, of("billing_error", "m"), QuotaExhausted, 402, "billing_error"),
            (429, of("rate_limit_error", "m"), RateLimited, 429, "rate_limit_error"),
            (
                429,
                coded("rate_limit_error", "enforced_spend_limit_reached"),
                QuotaExhausted,
                429,
                "enforced_spend_limit_reached",
            ),
            (
                200,
                coded("rate_limit_error", "enforced_spend_limit_reached"),
                QuotaExhausted,
                429,
                "enforced_spend_limit_reached",
            ),
            (429, coded("rate_limit_error", "ramp_limit_exceeded"), RateLimited, 429, "ramp_limit_exceeded"),
            // Of proxies and other servers.
            (
                503,
                r#"{"error":{"message":"m","code":"server_is_overloaded"}}"#.into(),
                Overloaded,
                503,
                "server_is_overloaded",
            ),
            (404, r#"{"error":{"type":"model_not_found","message":"m"}}"#.into(), NotFound, 404, "model_not_found"),
            (400, r#"{"detail":[{"msg":"prompt is too long"}]}"#.into(), ContextLength, 400, ""),
            (502, "<html>".into(), Server, 502, ""),
            (529, String::new(), Overloaded, 529, ""),
        ] {
            let read = read_error(status, &Bytes::from(body.clone()), None);
            assert_eq!((read.kind, read.status, read.code.as_str()), (kind, stands_for, code), "{status} {body}");
            assert_eq!(read.body, body);
        }
    }

    #[test]
    fn advice_of_the_headers_wins_over_the_message() {
        let body = |kind: &str| {
            format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"Try again in 2 minutes."}}}}"#)
        };
        let told = Some(Duration::from_secs(3));
        for (status, kind, header, expected) in [
            (429, "rate_limit_error", told, told),
            (429, "rate_limit_error", None, Some(Duration::from_secs(120))),
            (529, "overloaded_error", None, Some(Duration::from_secs(120))),
            (500, "api_error", None, None),
            (402, "billing_error", None, None),
        ] {
            assert_eq!(read_error(status, &body(kind).into(), header).retry_after, expected, "{status} {kind}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        let body = format!(
            r#"{{"type":"error","error":{{"type":"api_error","message":"{0}","details":{{"error_code":"{0}"}}}}}}"#,
            "é".repeat(9999)
        );
        let read = read_error(500, &Bytes::from(body), None);
        assert_eq!((read.code.chars().count(), read.message.chars().count()), (CODE_CHARS, MESSAGE_CHARS));
    }

    proptest! {
        #[test]
        fn no_body_panics_and_no_word_blames_the_client_for_a_fault_of_the_server(
            status in any::<u16>(),
            kind in "(invalid_request_error|rate_limit_error|billing_error|api_error|.*)",
            word in "(prompt is too long|content filtering policy|your credit balance is too low|.*)",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let told = serde_json::json!({"type": "error", "error": {"type": kind, "message": &word}}).to_string();
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
