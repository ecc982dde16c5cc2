//! How errors are worded for an OpenAI client: ours in our words, a provider's in its own.
//!
//! Receives the one error that a call ends in; hands on status, code and body.
//! Must never be here: what a provider's error means.

use bytes::Bytes;
use llm::CallError;
use serde::{Deserialize, Serialize};

/// How an error of ours is told: status, code for machines, and the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// Our error code, as logs and clients see it; a provider's error has its kind.
    pub code: &'static str,
    /// The JSON body.
    pub body: Bytes,
}

/// Words `error` for an OpenAI client: `{"error": {"message", "type", "param", "code"}}`.
///
/// A provider's own JSON body is passed on as it is, with its status; only its 401 and 403 become 400, for the client's
/// own credential is not at fault (some say 403 of what their policy forbids).
#[must_use]
pub fn render(error: &CallError) -> Rendered {
    if let CallError::Provider(theirs) = error
        && serde_json::from_slice::<AnObject>(&theirs.body).is_ok()
    {
        return Rendered { status: passed_on(theirs.status), code: theirs.kind.as_str(), body: theirs.body.clone() };
    }
    let Wording { status, kind, code, param, message } = wording(error);
    let error = Inner { message: &message, kind, param: param.as_deref(), code };
    // Borrowed text cannot fail to serialise.
    let body = serde_json::to_vec(&Outer { error }).unwrap_or_default();
    Rendered { status, code, body: body.into() }
}

/// The status with which a provider's error reaches the client.
fn passed_on(status: u16) -> u16 {
    if matches!(status, 401 | 403) { 400 } else { status }
}

/// A worded error as the last event of a stream. No terminator follows it.
#[must_use]
pub fn as_event(error: &Rendered) -> Bytes {
    [b"data: ".as_slice(), &error.body, b"\n\n"].concat().into()
}

/// Any JSON object.
#[derive(Deserialize)]
struct AnObject {}

#[derive(Serialize)]
struct Outer<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

struct Wording {
    status: u16,
    kind: &'static str,
    code: &'static str,
    param: Option<String>,
    message: String,
}

/// The one table of statuses, types and codes.
fn wording(error: &CallError) -> Wording {
    const REQUEST: &str = "invalid_request_error";
    const SERVER: &str = "server_error";
    let say = |status, kind, code, message: String| Wording { status, kind, code, param: None, message };
    match error {
        CallError::InvalidApiKey { presented: false } => say(
            401,
            REQUEST,
            "invalid_api_key",
            "You didn't provide an API key. Send it as `Authorization: Bearer KEY`.".into(),
        ),
        CallError::InvalidApiKey { presented: true } => {
            say(401, REQUEST, "invalid_api_key", "Incorrect API key provided.".into())
        }
        CallError::InvalidRequest { message, param } => {
            Wording { param: param.clone(), ..say(400, REQUEST, "invalid_request", message.clone()) }
        }
        CallError::ModelNotFound { model } => Wording {
            param: Some("model".into()),
            ..say(
                404,
                REQUEST,
                "model_not_found",
                format!(
                    "The model `{model}` does not exist or you do not have access to it. GET /v1/models lists what there is."
                ),
            )
        },
        CallError::UnknownPath { asked } => say(404, REQUEST, "unknown_url", format!("Unknown request URL: {asked}.")),
        CallError::MethodNotAllowed { allowed } => {
            say(405, REQUEST, "method_not_allowed", format!("This path takes {allowed} only."))
        }
        CallError::RequestTooLarge { limit } => {
            say(413, REQUEST, "request_too_large", format!("The request body is over the limit of {limit} bytes."))
        }
        CallError::RequestTimeout => say(408, REQUEST, "request_timeout", "The request did not arrive in time.".into()),
        CallError::RateLimited { limit, retry_after } => say(
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
            format!("Rate limit reached: {limit}. Please try again in {:.3}s.", retry_after.as_secs_f64()),
        ),
        CallError::Provider(theirs) => say(
            passed_on(theirs.status),
            REQUEST,
            theirs.kind.as_str(),
            if theirs.message.is_empty() {
                format!("The provider refused the request with status {}.", theirs.status)
            } else {
                theirs.message.clone()
            },
        ),
        CallError::UpstreamFailed { message } => say(502, SERVER, "upstream_failed", message.clone()),
        CallError::ContractUnmet { message } => say(502, SERVER, "contract_unmet", message.clone()),
        CallError::Overloaded { .. } => {
            say(503, SERVER, "overloaded", "There is no room for this call now. Please try again shortly.".into())
        }
        CallError::AllTargetsUnavailable { message, .. } => {
            say(503, SERVER, "all_targets_unavailable", message.clone())
        }
        CallError::DeadlineExceeded { limit } => {
            say(504, SERVER, "deadline_exceeded", format!("No answer was complete within {:.3}s.", limit.as_secs_f64()))
        }
        CallError::Internal => say(500, SERVER, "internal_error", "The gateway failed on this call.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_error;
    use super::*;
    use serde_json::Value;
    use std::time::Duration;

    #[test]
    fn every_error_has_its_status_and_code() {
        let second = Duration::from_secs(1);
        let theirs = |body: &str| CallError::Provider(Box::new(read_error(400, &Bytes::from(body.to_owned()), None)));
        for (error, status, code) in [
            (CallError::InvalidApiKey { presented: true }, 401, "invalid_api_key"),
            (CallError::InvalidRequest { message: "m".into(), param: Some("x".into()) }, 400, "invalid_request"),
            (CallError::ModelNotFound { model: "x".into() }, 404, "model_not_found"),
            (CallError::UnknownPath { asked: "GET /x".into() }, 404, "unknown_url"),
            (CallError::MethodNotAllowed { allowed: "POST" }, 405, "method_not_allowed"),
            (CallError::RequestTooLarge { limit: 1 }, 413, "request_too_large"),
            (CallError::RequestTimeout, 408, "request_timeout"),
            (CallError::RateLimited { limit: "l".into(), retry_after: second }, 429, "rate_limit_exceeded"),
            (theirs("plain text"), 400, "invalid_request"),
            (CallError::UpstreamFailed { message: "m".into() }, 502, "upstream_failed"),
            (CallError::ContractUnmet { message: "m".into() }, 502, "contract_unmet"),
            (
                CallError::AllTargetsUnavailable { message: "m".into(), retry_after: None },
                503,
                "all_targets_unavailable",
            ),
            (CallError::DeadlineExceeded { limit: second }, 504, "deadline_exceeded"),
            (CallError::Internal, 500, "internal_error"),
        ] {
            let rendered = render(&error);
            assert_eq!((rendered.status, rendered.code), (status, code), "{error:?}");
            let body: Value = serde_json::from_slice(&rendered.body).expect("JSON");
            let inner = body["error"].as_object().expect("an error object");
            assert_eq!(inner.keys().collect::<Vec<_>>(), ["code", "message", "param", "type"], "{error:?}");
            assert_eq!(inner["code"], code);
        }
    }

    #[test]
    fn an_unmet_contract_is_the_services_fault_and_says_what_was_wrong() {
        let message = "schema: missing_field at /choices/0/message/content#/age".to_owned();
        let body: Value = serde_json::from_slice(&render(&CallError::ContractUnmet { message }).body).expect("JSON");
        let inner = |key: &str| body["error"][key].as_str().unwrap_or_default();
        assert_eq!(inner("type"), "server_error");
        assert_eq!(inner("message"), "schema: missing_field at /choices/0/message/content#/age");
    }

    #[test]
    fn a_providers_own_words_pass_unchanged() {
        let body = r#"{"error":{"message":"no such thing","type":"invalid_request_error"},"request_id":"r"}"#;
        let error = CallError::Provider(Box::new(read_error(400, &Bytes::from(body), None)));
        assert_eq!(render(&error), Rendered { status: 400, code: "invalid_request", body: body.into() });
        assert_eq!(as_event(&render(&error)), format!("data: {body}\n\n"));
    }

    #[test]
    fn a_question_too_long_or_forbidden_is_told_as_the_provider_told_it() {
        for (status, code, told_as, kind) in [
            (400, "context_length_exceeded", 400, "context_length"),
            (413, "exceed_context_size_error", 413, "context_length"),
            (422, "content_filter", 422, "content_policy"),
            (403, "content_filter", 400, "content_policy"),
        ] {
            let body = Bytes::from(format!(r#"{{"error":{{"message":"m","type":null,"code":"{code}"}}}}"#));
            let told = render(&CallError::Provider(Box::new(read_error(status, &body, None))));
            assert_eq!(told, Rendered { status: told_as, code: kind, body }, "{status} {code}");
        }
    }
}
