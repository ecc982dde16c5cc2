//! What an error of Bedrock's amounts to: by its name, then by its status and words.
//!
//! The name stands in the header `x-amzn-errortype`, in a body's `__type`, or around an exception within a stream. Whose
//! fault it is decides how much a word may do: at 500 and above none makes the client guilty. Must never be here: what
//! follows from a kind.

use crate::anthropic::json::{literal, object, text};
use crate::openai_chat;
use bytes::Bytes;
use llm::{ErrorKind, ProviderError};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// The longest name and message kept for logs, in characters.
const CODE_CHARS: usize = 64;
const MESSAGE_CHARS: usize = 300;
/// The most of a message that is searched for words, in characters.
const WORDS_CHARS: usize = 4096;

/// The errors of the service model and of Amazon's front door, each with its status and what it amounts to where no words
/// say otherwise.
const NAMES: [(&str, u16, ErrorKind); 20] = [
    ("AccessDeniedException", 403, ErrorKind::Permission),
    ("ExpiredTokenException", 403, ErrorKind::Auth),
    ("IncompleteSignatureException", 400, ErrorKind::Auth),
    ("InternalFailure", 500, ErrorKind::Server),
    ("InternalServerException", 500, ErrorKind::Server),
    ("InvalidClientTokenId", 403, ErrorKind::Auth),
    ("InvalidSignatureException", 403, ErrorKind::Auth),
    ("MissingAuthenticationTokenException", 403, ErrorKind::Auth),
    ("ModelErrorException", 424, ErrorKind::Server),
    ("ModelNotReadyException", 429, ErrorKind::Overloaded),
    ("ModelStreamErrorException", 424, ErrorKind::Server),
    ("ModelTimeoutException", 408, ErrorKind::Server),
    ("ResourceNotFoundException", 404, ErrorKind::NotFound),
    ("ServiceQuotaExceededException", 400, ErrorKind::QuotaExhausted),
    ("ServiceUnavailable", 503, ErrorKind::Overloaded),
    ("ServiceUnavailableException", 503, ErrorKind::Overloaded),
    ("ThrottlingException", 429, ErrorKind::RateLimited),
    ("TooManyRequestsException", 429, ErrorKind::RateLimited),
    ("UnrecognizedClientException", 403, ErrorKind::Auth),
    ("ValidationException", 400, ErrorKind::InvalidRequest),
];

/// What is said of a question too long for the model: by Bedrock, by Claude and by others behind it.
const CONTEXT_WORDS: [&str; 7] = [
    "input is too long",
    "prompt is too long",
    "exceed context limit",
    "context window",
    "context length",
    "too many input tokens",
    "too large for model",
];
/// What is said of a question or answer that policy forbids.
const POLICY_WORDS: [&str; 3] = ["content filtering policy", "usage policy", "blocked by our content filters"];
/// How a model is told to be none, or none that can be asked in this way: by no fault of a client.
const NO_MODEL_OPENINGS: [&str; 3] =
    ["the provided model identifier is invalid", "invocation of model id", "the model id or arn"];
/// How an account is told that it may not ask this.
const NOT_ALLOWED_OPENING: &str = "operation not allowed";
/// What is said of a quota that is full again only the next day.
const DAILY_WORDS: &str = "per day";

/// An error body, `__type` of which other services of Amazon's write.
#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, rename = "__type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    /// As some of Amazon's front doors spell it.
    #[serde(borrow, default, rename = "Message")]
    other_message: Option<&'a RawValue>,
}

/// Reads an error body that came with HTTP `status`, or within a 200 where its type says what it stands for.
///
/// As [`read_named_error`] without a name beside the body.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    read_named_error(None, status, body, retry_after)
}

/// Reads an error body that came with HTTP `status`; `name` is the value of the header `x-amzn-errortype`, which says
/// what the body often does not.
///
/// `retry_after` is the advice of the headers; where they had none, a time that the message of a throttled or overloaded
/// provider names is taken. A body without a name known here is read as any other provider's.
#[must_use]
pub fn read_named_error(name: Option<&str>, status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let said: Body<'_> = serde_json::from_slice(body).ok().and_then(|raw| object(Some(raw))).unwrap_or_default();
    let told = text(said.kind);
    let known = name.into_iter().chain([&*told]).find_map(known);
    let Some((code, stands_for, usual)) = known else { return openai_chat::read_error(status, body, retry_after) };
    let message = text(said.message.or(said.other_message));
    let words: String = message.chars().take(WORDS_CHARS).map(|c| c.to_ascii_lowercase()).collect();
    let status = if status >= 400 { status } else { stands_for };
    let kind = kind(usual, status, &words);
    let waits = matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded);
    ProviderError {
        status,
        kind,
        code: code.to_owned(),
        message: message.chars().take(MESSAGE_CHARS).collect(),
        retry_after: retry_after.or_else(|| waits.then(|| crate::advice::advised(&words)).flatten()),
        body: body.clone(),
    }
}

/// An error within a stream, which names itself: an exception of the service model, or another one whose `payload` is
/// its message.
pub(super) fn within(name: &str, payload: &[u8]) -> ProviderError {
    let body = Bytes::copy_from_slice(payload);
    let read = read_named_error(Some(name), 200, &body, None);
    if known(name).is_some() {
        return read;
    }
    // Whatever it is called, it ended a stream that had been granted.
    let message = match serde_json::from_slice::<&RawValue>(payload).ok().and_then(|raw| object(Some(raw))) {
        Some(Body { message, other_message, .. }) => text(message.or(other_message)),
        None => std::str::from_utf8(payload).unwrap_or_default().into(),
    };
    ProviderError {
        status: 500,
        kind: ErrorKind::Server,
        code: name.chars().take(CODE_CHARS).collect(),
        message: message.chars().take(MESSAGE_CHARS).collect(),
        ..read
    }
}

/// The entry of an error's name, however it is spelled: `ValidationException:http://...` in headers,
/// `com.amazon.coral.service#ValidationException` in bodies, `validationException` in streams.
fn known(name: &str) -> Option<(&'static str, u16, ErrorKind)> {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let name = name.rsplit_once('#').map_or(name, |(_, name)| name).trim();
    NAMES.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))
}

/// What an error amounts to that is `usual`ly of one kind, by its words.
fn kind(usual: ErrorKind, status: u16, words: &str) -> ErrorKind {
    let speaks = |known: &[&str]| known.iter().any(|known| words.contains(known));
    match usual {
        _ if status >= 500 && usual.is_callers() => ErrorKind::Server,
        ErrorKind::RateLimited if words.contains(DAILY_WORDS) => ErrorKind::QuotaExhausted,
        ErrorKind::InvalidRequest if NO_MODEL_OPENINGS.iter().any(|opening| words.starts_with(opening)) => {
            ErrorKind::NotFound
        }
        ErrorKind::InvalidRequest if words.starts_with(NOT_ALLOWED_OPENING) => ErrorKind::Permission,
        ErrorKind::InvalidRequest if speaks(&CONTEXT_WORDS) => ErrorKind::ContextLength,
        ErrorKind::InvalidRequest if speaks(&POLICY_WORDS) => ErrorKind::ContentPolicy,
        usual => usual,
    }
}

/// Whether a body of a 200 is an error: it names one.
pub(super) fn is_error(body: &[u8]) -> bool {
    let said: Option<Body<'_>> = serde_json::from_slice(body).ok().and_then(|raw| object(Some(raw)));
    said.is_some_and(|said| said.kind.or(said.message).or(said.other_message).is_some())
}

/// The payload of an error that is told in headers alone.
pub(super) fn as_payload(message: &str) -> String {
    format!("{{\"message\":{}}}", literal(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;
    use proptest::prelude::*;

    fn body(message: &str) -> Bytes {
        serde_json::json!({ "message": message }).to_string().into()
    }

    #[test]
    fn every_name_has_its_kind_with_its_own_status() {
        for (name, status, expected) in NAMES {
            for spelled in [
                name.to_owned(),
                format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
                format!("com.amazon.coral.service#{name}"),
                name[..1].to_lowercase() + &name[1..],
            ] {
                let read = read_named_error(Some(&spelled), status, &body("m"), None);
                assert_eq!((read.kind, read.status, &*read.code), (expected, status, name), "{spelled}");
                assert_eq!(read.message, "m");
                let told = Bytes::from(format!(r#"{{"__type":"{spelled}","Message":"m"}}"#));
                let read = read_error(status, &told, None);
                assert_eq!((read.kind, &*read.code, &*read.message), (expected, name, "m"), "{spelled}");
                assert_eq!(read.body, told);
            }
            let read = within(name, b"{\"message\":\"m\"}");
            assert_eq!((read.kind, read.status), (expected, status), "{name} in a stream");
        }
    }

    #[test]
    fn words_tell_faults_apart() {
        for (name, status, message, expected) in [
            ("ValidationException", 400, "Input is too long for requested model.", ContextLength),
            (
                "ValidationException",
                400,
                "The model returned: prompt is too long: 200001 tokens > 200000",
                ContextLength,
            ),
            ("ValidationException", 400, "Output blocked by content filtering policy", ContentPolicy),
            ("ValidationException", 400, "The provided model identifier is invalid.", NotFound),
            (
                "ValidationException",
                400,
                "Invocation of model ID anthropic.claude-x with on-demand throughput isn't supported.",
                NotFound,
            ),
            ("ValidationException", 400, "Operation not allowed", Permission),
            ("ValidationException", 400, "messages: 'operation not allowed' is odd", InvalidRequest),
            ("ValidationException", 400, "A conversation must start with a user message.", InvalidRequest),
            ("ValidationException", 500, "Input is too long for requested model.", Server),
            ("ThrottlingException", 429, "Too many requests, please wait before trying again.", RateLimited),
            ("ThrottlingException", 429, "Too many tokens, please wait before trying again.", RateLimited),
            ("ThrottlingException", 429, "Too many tokens per day, please wait before trying again.", QuotaExhausted),
            ("InternalServerException", 500, "prompt is too long", Server),
        ] {
            let read = read_named_error(Some(name), status, &body(message), None);
            assert_eq!(read.kind, expected, "{name} {message}");
        }
    }

    #[test]
    fn an_error_without_a_name_is_read_as_anyones() {
        for (status, told, expected) in [
            (400, r#"{"message":"m"}"#, InvalidRequest),
            (403, r#"{"message":"The security token included in the request is invalid."}"#, Permission),
            (429, r#"{"message":"Too many requests"}"#, RateLimited),
            (503, "<html>", Overloaded),
            (500, "", Server),
        ] {
            let read = read_named_error(Some("TomorrowsException"), status, &Bytes::from(told), None);
            assert_eq!((read.kind, read.status), (expected, status), "{told}");
        }
        let read = within("tomorrowsException", b"{\"message\":\"context window\"}");
        assert_eq!(
            (read.kind, read.status, &*read.code, &*read.message),
            (Server, 500, "tomorrowsException", "context window")
        );
        let read = within("InternalError", "An error.".as_bytes());
        assert_eq!((read.kind, &*read.message), (Server, "An error."));
    }

    #[test]
    fn advice_of_the_headers_wins_over_the_message() {
        let told = body("Too many requests. Try again in 2 minutes.");
        let header = Some(Duration::from_secs(3));
        for (name, header, expected) in [
            ("ThrottlingException", header, header),
            ("ThrottlingException", None, Some(Duration::from_secs(120))),
            ("ModelNotReadyException", None, Some(Duration::from_secs(120))),
            ("InternalServerException", None, None),
        ] {
            assert_eq!(read_named_error(Some(name), 429, &told, header).retry_after, expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics_and_no_word_blames_the_client_for_a_fault_of_the_server(
            status in any::<u16>(),
            name in "(ValidationException|ThrottlingException|ServiceQuotaExceededException|.*)",
            word in "(input is too long|content filtering policy|.*)",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            for told in [body(&word), Bytes::from(bytes)] {
                let read = read_named_error(Some(&name), status, &told, None);
                prop_assert!(read.status >= 400);
                if status >= 500 {
                    prop_assert!(!read.kind.is_callers(), "{:?}", read.kind);
                }
                prop_assert_eq!(read.body, told);
            }
        }
    }
}
