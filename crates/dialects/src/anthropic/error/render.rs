//! How errors are worded for a client of this dialect: ours in our words, a provider's in its own.
//!
//! Receives the one error that a call ends in; hands on status, code and body. Must never be here: what a provider's
//! error means.

use super::super::json::on_one_line;
use super::{kind, said};
use crate::Rendered;
use bytes::Bytes;
use llm::{CallError, ErrorKind, ProviderError};
use serde::Serialize;

/// Words `error`: `{"type": "error", "error": {"type", "message", "details"}}`, our code in `details.error_code`.
///
/// A body that Anthropic itself worded is passed on as it is, with its status; of others only the message is. Their 401
/// and 403 become 400, for the client's own credential is not at fault.
#[must_use]
pub fn render(error: &CallError) -> Rendered {
    if let CallError::Provider(theirs) = error
        && said(&theirs.body).is_some()
    {
        return Rendered { status: passed_on(theirs.status), code: theirs.kind.as_str(), body: theirs.body.clone() };
    }
    let Wording { status, kind, code, message } = wording(error);
    let details = Details { error_code: code };
    // Borrowed text cannot fail to serialise.
    let body = serde_json::to_vec(&Outer { kind: "error", error: Inner { kind, message: &message, details } });
    Rendered { status, code, body: body.unwrap_or_default().into() }
}

/// A worded error as the last event of a stream. No terminator follows it.
#[must_use]
pub fn as_event(error: &Rendered) -> Bytes {
    // A body that was read is UTF-8, and ours are.
    let body = std::str::from_utf8(&error.body).map(on_one_line).unwrap_or_default();
    [b"event: error\ndata: ".as_slice(), body.as_bytes(), b"\n\n"].concat().into()
}

/// The status with which a provider's error reaches the client.
fn passed_on(status: u16) -> u16 {
    if matches!(status, 401 | 403) { 400 } else { status }
}

#[derive(Serialize)]
struct Outer<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    error_code: &'a str,
}

struct Wording {
    status: u16,
    kind: &'static str,
    code: &'static str,
    message: String,
}

/// The one table of statuses, types and codes.
fn wording(error: &CallError) -> Wording {
    const REQUEST: &str = "invalid_request_error";
    let say = |status, kind, code, message: String| Wording { status, kind, code, message };
    match error {
        CallError::InvalidApiKey { presented: false } => say(
            401,
            "authentication_error",
            "invalid_api_key",
            "You didn't provide an API key. Send it as `x-api-key: KEY` or `Authorization: Bearer KEY`.".into(),
        ),
        CallError::InvalidApiKey { presented: true } => {
            say(401, "authentication_error", "invalid_api_key", "Incorrect API key provided.".into())
        }
        CallError::InvalidRequest { message, .. } => say(400, REQUEST, "invalid_request", message.clone()),
        CallError::ModelNotFound { model } => say(
            404,
            "not_found_error",
            "model_not_found",
            format!(
                "model: {model}. It does not exist or you do not have access to it. GET /v1/models lists what there is."
            ),
        ),
        CallError::UnknownPath { asked } => {
            say(404, "not_found_error", "unknown_url", format!("Unknown request URL: {asked}."))
        }
        CallError::MethodNotAllowed { allowed } => {
            say(405, REQUEST, "method_not_allowed", format!("This path takes {allowed} only."))
        }
        CallError::RequestTooLarge { limit } => say(
            413,
            "request_too_large",
            "request_too_large",
            format!("The request body is over the limit of {limit} bytes."),
        ),
        CallError::RequestTimeout => {
            say(408, "timeout_error", "request_timeout", "The request did not arrive in time.".into())
        }
        CallError::RateLimited { limit, retry_after } => say(
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
            format!("Rate limit reached: {limit}. Please try again in {:.3}s.", retry_after.as_secs_f64()),
        ),
        CallError::Provider(theirs) => of_provider(theirs),
        CallError::UpstreamFailed { message } => say(502, "api_error", "upstream_failed", message.clone()),
        CallError::ContractUnmet { message } => say(502, "api_error", "contract_unmet", message.clone()),
        CallError::Overloaded { .. } => say(
            503,
            "overloaded_error",
            "overloaded",
            "There is no room for this call now. Please try again shortly.".into(),
        ),
        CallError::AllTargetsUnavailable { message, .. } => {
            say(503, "overloaded_error", "all_targets_unavailable", message.clone())
        }
        CallError::DeadlineExceeded { limit } => say(
            504,
            "timeout_error",
            "deadline_exceeded",
            format!("No answer was complete within {:.3}s.", limit.as_secs_f64()),
        ),
        CallError::Internal => say(500, "api_error", "internal_error", "The gateway failed on this call.".into()),
    }
}

/// A provider's error that was worded in another dialect, or in none.
fn of_provider(theirs: &ProviderError) -> Wording {
    let kind = match theirs.kind {
        ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::ContentPolicy => "invalid_request_error",
        ErrorKind::Auth | ErrorKind::Permission => "invalid_request_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::RateLimited | ErrorKind::QuotaExhausted => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Server => "api_error",
    };
    let message = if theirs.message.is_empty() {
        format!("The provider refused the request with status {}.", theirs.status)
    } else if theirs.kind == ErrorKind::ContextLength && !theirs.message.to_lowercase().contains(kind::TOO_LONG) {
        // Clients know by these words that they have to shorten the conversation.
        format!("{}: {}", kind::TOO_LONG, theirs.message)
    } else {
        theirs.message.clone()
    };
    Wording { status: passed_on(theirs.status), kind, code: theirs.kind.as_str(), message }
}

#[cfg(test)]
mod tests {
    use super::super::read_error;
    use super::*;
    use crate::openai_chat;
    use serde_json::Value;
    use std::time::Duration;

    #[test]
    fn every_error_has_its_status_type_and_code() {
        let second = Duration::from_secs(1);
        for (error, status, kind, code) in [
            (CallError::InvalidApiKey { presented: false }, 401, "authentication_error", "invalid_api_key"),
            (CallError::InvalidApiKey { presented: true }, 401, "authentication_error", "invalid_api_key"),
            (
                CallError::InvalidRequest { message: "m".into(), param: Some("x".into()) },
                400,
                "invalid_request_error",
                "invalid_request",
            ),
            (CallError::ModelNotFound { model: "x".into() }, 404, "not_found_error", "model_not_found"),
            (CallError::UnknownPath { asked: "GET /x".into() }, 404, "not_found_error", "unknown_url"),
            (CallError::MethodNotAllowed { allowed: "POST" }, 405, "invalid_request_error", "method_not_allowed"),
            (CallError::RequestTooLarge { limit: 1 }, 413, "request_too_large", "request_too_large"),
            (CallError::RequestTimeout, 408, "timeout_error", "request_timeout"),
            (
                CallError::RateLimited { limit: "l".into(), retry_after: second },
                429,
                "rate_limit_error",
                "rate_limit_exceeded",
            ),
            (CallError::UpstreamFailed { message: "m".into() }, 502, "api_error", "upstream_failed"),
            (CallError::ContractUnmet { message: "m".into() }, 502, "api_error", "contract_unmet"),
            (CallError::Overloaded { retry_after: second }, 503, "overloaded_error", "overloaded"),
            (
                CallError::AllTargetsUnavailable { message: "m".into(), retry_after: None },
                503,
                "overloaded_error",
                "all_targets_unavailable",
            ),
            (CallError::DeadlineExceeded { limit: second }, 504, "timeout_error", "deadline_exceeded"),
            (CallError::Internal, 500, "api_error", "internal_error"),
        ] {
            let rendered = render(&error);
            assert_eq!((rendered.status, rendered.code), (status, code), "{error:?}");
            let body: Value = serde_json::from_slice(&rendered.body).expect("JSON");
            assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &kind.into()), "{error:?}");
            assert_eq!(body["error"]["details"]["error_code"], code);
            assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }

    #[test]
    fn a_providers_own_words_pass_unchanged() {
        let body = "{\"type\":\"error\",\n\"error\":{\"type\":\"invalid_request_error\",\"message\":\"no\\n\"},\"request_id\":\"r\"}";
        let error = CallError::Provider(Box::new(read_error(400, &Bytes::from(body), None)));
        assert_eq!(render(&error), Rendered { status: 400, code: "invalid_request", body: body.into() });
        let event = format!("event: error\ndata: {}\n\n", body.replace(",\n", ", "));
        assert_eq!(as_event(&render(&error)), event, "one line of data");
    }

    #[test]
    fn other_providers_words_are_told_in_this_dialect() {
        for (status, body, told_as, kind, message) in [
            (
                400,
                r#"{"error":{"message":"bad x","type":"invalid_request_error","code":null,"param":"x"}}"#,
                400,
                "invalid_request_error",
                "bad x",
            ),
            (403, r#"{"error":{"message":"no","code":"content_filter"}}"#, 400, "invalid_request_error", "no"),
            (
                400,
                r#"{"error":{"message":"maximum context length is 8","code":"context_length_exceeded"}}"#,
                400,
                "invalid_request_error",
                "prompt is too long: maximum context length is 8",
            ),
            (422, "oops", 422, "invalid_request_error", "The provider refused the request with status 422."),
        ] {
            let theirs = openai_chat::read_error(status, &Bytes::from(body), None);
            let rendered = render(&CallError::Provider(Box::new(theirs)));
            let read: Value = serde_json::from_slice(&rendered.body).expect("JSON");
            assert_eq!((rendered.status, &read["error"]["type"]), (told_as, &kind.into()), "{body}");
            assert_eq!(read["error"]["message"], message, "{body}");
        }
    }
}
