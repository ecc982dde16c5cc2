//! Errors, both ways: what a provider's says, and how ours are worded.
//!
//! Lives here: `said`, the words of an error body; `kind`, what they amount to; `render`, errors for clients.
//! Receives a status with a body, or an error of ours; hands on a [`ProviderError`], or a body.
//! Must never be here: what follows from an error.

mod kind;
mod render;
mod said;

use bytes::Bytes;
use llm::{ErrorKind, ProviderError};
pub use render::{Rendered, as_event, render};
use said::Said;
use std::time::Duration;

/// The longest provider code and message kept for logs, in characters.
const CODE_CHARS: usize = 64;
const MESSAGE_CHARS: usize = 300;

/// Reads an error body that came with HTTP `status`, or within a 200 where the body says what it stands for.
///
/// `retry_after` is the advice of the headers; where they had none, the body's is taken: Google's `RetryInfo`, else
/// the time in the message of a throttled or overloaded provider. An exhausted quota takes none from the body: Gemini
/// names seconds beside a quota per day.
///
/// Understands OpenAI's `{"error": {message, type, param, code}}`, bare strings in `error` (Ollama, xAI), numeric codes
/// (OpenRouter, vLLM, llama.cpp), the flat form (Mistral, vLLM) and Google's `status`; anything else keeps only its status.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let said = serde_json::from_slice(body).map(|value| Said::from_value(&value)).unwrap_or_default();
    let status = if status >= 400 { status } else { kind::status(&said) };
    let kind = kind::kind(&said, status);
    let retry_after = retry_after.or_else(|| advice(&said, kind));
    ProviderError {
        status,
        kind,
        code: said.code.or(said.detail).or(said.kind).unwrap_or_default().chars().take(CODE_CHARS).collect(),
        message: said.message.chars().take(MESSAGE_CHARS).collect(),
        retry_after,
        body: body.clone(),
    }
}

/// How long the body asks to wait.
fn advice(said: &Said, kind: ErrorKind) -> Option<Duration> {
    match kind {
        ErrorKind::QuotaExhausted => None,
        ErrorKind::RateLimited | ErrorKind::Overloaded => said.delay.or_else(|| crate::advice::advised(&said.words)),
        _ => said.delay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn providers_errors_are_understood_in_every_form() {
        use ErrorKind::*;
        for (status, body, kind, stands_for, code) in [
            (
                429,
                r#"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#,
                RateLimited,
                429,
                "rate_limit_exceeded",
            ),
            (
                429,
                r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
                QuotaExhausted,
                429,
                "insufficient_quota",
            ),
            (
                429,
                r#"{"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}}"#,
                QuotaExhausted,
                429,
                "credit_balance_exhausted",
            ),
            (402, "", QuotaExhausted, 402, ""),
            (
                400,
                r#"{"error":{"code":"billing_hard_limit_reached"}}"#,
                QuotaExhausted,
                400,
                "billing_hard_limit_reached",
            ),
            (400, r#"{"error":{"message":"Your credit balance is too low to go on."}}"#, QuotaExhausted, 400, ""),
            (
                400,
                r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#,
                Auth,
                400,
                "INVALID_ARGUMENT",
            ),
            (429, r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#, RateLimited, 429, "RESOURCE_EXHAUSTED"),
            (
                400,
                r#"{"error":{"message":"bad","type":"invalid_request_error","param":"x"}}"#,
                InvalidRequest,
                400,
                "invalid_request_error",
            ),
            (422, r#"{"detail":[]}"#, InvalidRequest, 422, ""),
            (401, r#"{"error":{"code":"invalid_api_key"}}"#, Auth, 401, "invalid_api_key"),
            (403, "<html>", Permission, 403, ""),
            (
                404,
                r#"{"object":"error","message":"m","type":"NotFoundError","code":404}"#,
                NotFound,
                404,
                "NotFoundError",
            ),
            (503, "", Overloaded, 503, ""),
            (529, "", Overloaded, 529, ""),
            (500, "not json", Server, 500, ""),
            (418, "", Server, 418, ""),
            (
                501,
                r#"{"error":{"code":501,"message":"This server does not support embeddings. Start it with `--embeddings`","type":"not_supported_error"}}"#,
                NotFound,
                501,
                "not_supported_error",
            ),
            (200, r#"{"error":{"message":"m","code":400}}"#, InvalidRequest, 400, ""),
            (200, r#"{"error":{"message":"m","code":502}}"#, Server, 502, ""),
            (200, r#"{"error":{"type":"overloaded_error"}}"#, Overloaded, 503, "overloaded_error"),
            (200, r#"{"error":{"type":"insufficient_quota"}}"#, QuotaExhausted, 429, "insufficient_quota"),
            (200, r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#, Overloaded, 503, "UNAVAILABLE"),
            (200, r#"{"error":"model crashed"}"#, Server, 500, ""),
            (200, r#"{"object":"error","message":"m","code":7}"#, Server, 500, ""),
        ] {
            let read = read_error(status, &Bytes::from(body), None);
            assert_eq!((read.kind, read.status, read.code.as_str()), (kind, stands_for, code), "{status} {body}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        let body = format!(r#"{{"error":{{"message":"{0}","code":"{0}"}}}}"#, "é".repeat(9999));
        let read = read_error(500, &Bytes::from(body), None);
        assert_eq!((read.code.chars().count(), read.message.chars().count()), (CODE_CHARS, MESSAGE_CHARS));
    }

    #[test]
    fn advice_of_the_body_is_taken_where_the_headers_had_none() {
        const GOOGLE: &str = r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Please retry in 9s.",
            "details":[{"@type":"x/google.rpc.Help"},{"@type":"x/google.rpc.RetryInfo","retryDelay":"46.5s"}]}}]"#;
        const NUMBERS: &str = r#"{"error":{"details":[{"retryDelay":{"seconds":"46","nanos":500000000}}]}}"#;
        const DAILY: &str = r#"{"error":{"message":"Please retry in 36.4s.","details":[
            {"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"36s"}]}}"#;
        const OPENAI: &str = r#"{"error":{"message":"Rate limit reached. Please try again in 1.2s. Visit us."}}"#;
        let told = Some(Duration::from_secs(3));
        let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
        for (status, body, header, expected) in [
            (429, GOOGLE, None, seconds(46.5)),
            (429, GOOGLE, told, told),
            (429, NUMBERS, None, seconds(46.5)),
            (500, NUMBERS, None, seconds(46.5)),
            (429, DAILY, None, None),
            (429, DAILY, told, told),
            (429, OPENAI, None, seconds(1.2)),
            (429, OPENAI, told, told),
            (429, OPENAI, Some(Duration::ZERO), Some(Duration::ZERO)),
            (503, OPENAI, None, seconds(1.2)),
            // Words are believed only where the provider could take no call.
            (400, OPENAI, None, None),
            (500, OPENAI, None, None),
            (429, r#"{"error":{"message":"PLEASE RETRY AFTER 26 SECONDS."}}"#, None, seconds(26.0)),
            (429, r#"{"error":"try again in 20ms"}"#, None, seconds(0.02)),
            (429, r#"{"error":{"message":"later"}}"#, None, None),
            (429, "try again in 20ms", None, None),
        ] {
            assert_eq!(read_error(status, &Bytes::from(body), header).retry_after, expected, "{status} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics_and_no_word_blames_the_client_for_a_fault_of_the_server(
            status in any::<u16>(),
            name in "(error|message|code|type|details|metadata|detail)",
            word in "(context_length_exceeded|content_filter|Prompt is too long|insufficient_quota|.*)",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let told = serde_json::json!({"error": {"message": &word, (name): &word}}).to_string();
            for body in [Bytes::from(told), Bytes::from(bytes)] {
                let read = read_error(status, &body, None);
                prop_assert!(read.status >= 400);
                if status >= 500 {
                    let known = matches!(read.kind, ErrorKind::Server | ErrorKind::Overloaded);
                    prop_assert!(known || (status == 501 && read.kind == ErrorKind::NotFound), "{:?}", read.kind);
                }
                prop_assert_eq!(read.body, body);
            }
        }
    }
}
