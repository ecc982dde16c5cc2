//! Errors, both ways: what Google's say, and how ours are worded.
//!
//! Google's are `google.rpc.Status` objects, alone or in a list. Receives a status with a body, or an error of ours; hands
//! on a [`ProviderError`], or a body. Must never be here: what follows from an error.

use crate::{Rendered, openai_chat};
use bytes::Bytes;
use llm::{CallError, ErrorKind, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// Reads an error body that came with HTTP `status`, or within a 200 where the body says what it stands for.
///
/// `retry_after` is the advice of the headers; Google gives its own in the body (`RetryInfo`). A quota per day, or of
/// nothing, is exhausted; one per minute limits the rate.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let error = openai_chat::read_error(status, body, retry_after);
    let kind = about_us(&error, body).unwrap_or(error.kind);
    ProviderError { kind, ..error }
}

/// What a 400 amounts to that is about our key or project, and not about the request.
fn about_us(error: &ProviderError, body: &Bytes) -> Option<ErrorKind> {
    if error.status != 400 || error.kind != ErrorKind::InvalidRequest {
        return None;
    }
    let said = one(body)?;
    let reasons = || said.details.iter().flatten().filter_map(|detail| detail.reason.as_deref());
    if reasons().any(|reason| reason.starts_with("API_KEY_")) || error.message.starts_with("API key expired") {
        return Some(ErrorKind::Auth);
    }
    // "User location is not supported", "billing has to be enabled": no request of anybody's would pass.
    (said.status.as_deref() == Some("FAILED_PRECONDITION")).then_some(ErrorKind::Permission)
}

/// The error in `body`, as far as it is asked about.
fn one(body: &Bytes) -> Option<Said> {
    #[derive(Deserialize)]
    struct Outer {
        error: Said,
    }
    first::<Outer>(body).map(|outer| outer.error)
}

/// The object that `body` is, or the first of its list.
fn first<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    // A derived struct would take a list for its fields in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice::<Vec<T>>(body).ok()?.into_iter().next();
    }
    serde_json::from_slice(body).ok()
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    code: Option<u16>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    details: Option<Vec<Detail>>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: Option<String>,
}

/// Words `error` for a Gemini client: `{"error": {"code", "message", "status", "details"}}`, our code among the details.
///
/// A provider's own error is passed on as it is where it has this form; its 401 and 403 become 400, for the client's own
/// credential is not at fault.
#[must_use]
pub fn render(error: &CallError) -> Rendered {
    if let CallError::Provider(theirs) = error
        && !matches!(theirs.status, 401 | 403)
        && let Some(body) = as_google_words_it(theirs)
    {
        return Rendered { status: theirs.status, code: theirs.kind.as_str(), body };
    }
    let told = openai_chat::render(error);
    let message = match error {
        CallError::Provider(theirs) if !theirs.message.is_empty() => theirs.message.clone(),
        _ => message_of(&told.body),
    };
    let inner = Inner {
        code: told.status,
        message: &message,
        status: status_word(told.status),
        details: details(error, told.code),
    };
    // Borrowed text cannot fail to serialise.
    let body = serde_json::to_vec(&Outer { error: inner }).unwrap_or_default();
    Rendered { body: body.into(), ..told }
}

/// A worded error as the last event of a stream.
#[must_use]
pub fn as_event(error: &Rendered) -> Bytes {
    openai_chat::as_event(error)
}

/// The provider's body, compact and out of its list, where it is a `google.rpc.Status`.
fn as_google_words_it(theirs: &ProviderError) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        error: &'a RawValue,
    }
    let said = one(&theirs.body)?;
    if said.code.is_none() || said.status.is_none() {
        return None;
    }
    let raw: Raw<'_> = first(&theirs.body)?;
    Some(format!("{{\"error\":{}}}", super::json::compact(raw.error.get())).into())
}

/// The message in a body of OpenAI's form.
fn message_of(body: &Bytes) -> String {
    #[derive(Deserialize)]
    struct Outer {
        error: Told,
    }
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        message: Option<String>,
    }
    let told: Option<Outer> = serde_json::from_slice(body).ok();
    told.and_then(|told| told.error.message).unwrap_or_default()
}

/// The word of `google.rpc.Code` for an HTTP status.
fn status_word(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        400..=499 => "INVALID_ARGUMENT",
        503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// Our code, the field at fault, and when to come back.
fn details<'a>(error: &'a CallError, code: &'a str) -> Vec<Told<'a>> {
    let mut details =
        vec![Told::Info { of: "type.googleapis.com/google.rpc.ErrorInfo", reason: code, domain: "breakwater" }];
    if let CallError::InvalidRequest { message, param: Some(field) } = error {
        let field_violations = vec![Violation { field, description: message }];
        details.push(Told::Fields { of: "type.googleapis.com/google.rpc.BadRequest", field_violations });
    }
    let after = match error {
        CallError::RateLimited { retry_after, .. } | CallError::Overloaded { retry_after } => Some(*retry_after),
        CallError::AllTargetsUnavailable { retry_after, .. } => *retry_after,
        _ => None,
    };
    details.extend(after.map(|after| Told::Retry {
        of: "type.googleapis.com/google.rpc.RetryInfo",
        retry_delay: format!("{:.3}s", after.as_secs_f64()),
    }));
    details
}

#[derive(Serialize)]
struct Outer<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    status: &'a str,
    details: Vec<Told<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Info {
        #[serde(rename = "@type")]
        of: &'a str,
        reason: &'a str,
        domain: &'a str,
    },
    Fields {
        #[serde(rename = "@type")]
        of: &'a str,
        #[serde(rename = "fieldViolations")]
        field_violations: Vec<Violation<'a>>,
    },
    Retry {
        #[serde(rename = "@type")]
        of: &'a str,
        #[serde(rename = "retryDelay")]
        retry_delay: String,
    },
}

#[derive(Serialize)]
struct Violation<'a> {
    field: &'a str,
    description: &'a str,
}

/// A worded error as the end of a stream that is one list; `begun` where the client was given any of it.
#[must_use]
pub fn as_last_entry(error: &Rendered, begun: bool) -> Bytes {
    let before: &[u8] = if begun { b",\n" } else { b"[" };
    [before, &error.body, b"\n]\n"].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::{Auth, ContentPolicy, ContextLength, InvalidRequest, NotFound, Overloaded, Permission};
    use ErrorKind::{QuotaExhausted, RateLimited, Server};
    use serde_json::{Value, json};

    fn status(code: u16, status: &str, message: &str, details: &Value) -> Value {
        json!({"error": {"code": code, "message": message, "status": status, "details": details}})
    }

    fn read(status: u16, body: &Value) -> ProviderError {
        read_error(status, &Bytes::from(body.to_string()), None)
    }

    #[test]
    fn googles_errors_are_understood_alone_in_lists_and_within_a_200() {
        let quota = |id: &str, value: &str| {
            json!([{"@type": "t/google.rpc.QuotaFailure", "violations": [{"quotaId": id, "quotaValue": value}]},
                {"@type": "t/google.rpc.RetryInfo", "retryDelay": "46s"}])
        };
        let reason = |reason: &str| json!([{"@type": "t/google.rpc.ErrorInfo", "reason": reason}]);
        let none = json!([]);
        let minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "5");
        let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20");
        for (body, kind, seconds) in [
            (status(429, "RESOURCE_EXHAUSTED", "m", &minute), RateLimited, Some(46)),
            (status(429, "RESOURCE_EXHAUSTED", "m", &day), QuotaExhausted, None),
            (status(429, "RESOURCE_EXHAUSTED", "m", &quota("PerMinute", "0")), QuotaExhausted, None),
            (status(429, "RESOURCE_EXHAUSTED", "Resource exhausted.", &none), RateLimited, None),
            (status(503, "UNAVAILABLE", "The model is overloaded.", &none), Overloaded, None),
            (status(500, "INTERNAL", "m", &none), Server, None),
            (status(504, "DEADLINE_EXCEEDED", "m", &none), Server, None),
            (status(400, "INVALID_ARGUMENT", "m", &none), InvalidRequest, None),
            (status(400, "INVALID_ARGUMENT", "API key not valid.", &reason("API_KEY_INVALID")), Auth, None),
            (status(400, "INVALID_ARGUMENT", "API key expired. Renew it.", &none), Auth, None),
            (status(400, "INVALID_ARGUMENT", "m", &reason("API_KEY_INVALID")), Auth, None),
            (status(400, "FAILED_PRECONDITION", "User location is not supported.", &none), Permission, None),
            (
                status(
                    400,
                    "INVALID_ARGUMENT",
                    "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                    &none,
                ),
                ContextLength,
                None,
            ),
            (status(400, "INVALID_ARGUMENT", "Request blocked due to safety settings", &none), ContentPolicy, None),
            (status(403, "PERMISSION_DENIED", "m", &none), Permission, None),
            (status(401, "UNAUTHENTICATED", "m", &none), Auth, None),
            (status(404, "NOT_FOUND", "m", &none), NotFound, None),
            (status(402, "X", "m", &none), QuotaExhausted, None),
        ] {
            let code = u16::try_from(body["error"]["code"].as_u64().expect("a code")).expect("short");
            for (status, body) in
                [(code, body.clone()), (code, json!([body.clone()])), (200, body.clone()), (200, json!([body]))]
            {
                let read = read(status, &body);
                assert_eq!((read.status, read.kind), (code, kind), "{body}");
                assert_eq!(read.retry_after, seconds.map(Duration::from_secs), "{body}");
            }
        }
    }

    #[test]
    fn our_errors_are_statuses_of_googles() {
        let second = Duration::from_millis(1500);
        for (error, code, word, reason) in [
            (CallError::InvalidApiKey { presented: true }, 401, "UNAUTHENTICATED", "invalid_api_key"),
            (
                CallError::InvalidRequest { message: "m".into(), param: None },
                400,
                "INVALID_ARGUMENT",
                "invalid_request",
            ),
            (CallError::ModelNotFound { model: "x".into() }, 404, "NOT_FOUND", "model_not_found"),
            (CallError::RequestTooLarge { limit: 1 }, 413, "INVALID_ARGUMENT", "request_too_large"),
            (CallError::RequestTimeout, 408, "DEADLINE_EXCEEDED", "request_timeout"),
            (
                CallError::RateLimited { limit: "l".into(), retry_after: second },
                429,
                "RESOURCE_EXHAUSTED",
                "rate_limit_exceeded",
            ),
            (CallError::UpstreamFailed { message: "m".into() }, 502, "INTERNAL", "upstream_failed"),
            (CallError::ContractUnmet { message: "m".into() }, 502, "INTERNAL", "contract_unmet"),
            (CallError::Overloaded { retry_after: second }, 503, "UNAVAILABLE", "overloaded"),
            (
                CallError::AllTargetsUnavailable { message: "m".into(), retry_after: None },
                503,
                "UNAVAILABLE",
                "all_targets_unavailable",
            ),
            (CallError::DeadlineExceeded { limit: second }, 504, "DEADLINE_EXCEEDED", "deadline_exceeded"),
            (CallError::Internal, 500, "INTERNAL", "internal_error"),
        ] {
            let told = render(&error);
            assert_eq!((told.status, told.code), (code, reason), "{error:?}");
            // Google's Python client knows an error within a stream by this beginning alone.
            assert!(told.body.starts_with(br#"{"error":"#), "{error:?}");
            let body: Value = serde_json::from_slice(&told.body).expect("JSON");
            let inner = &body["error"];
            assert_eq!((&inner["code"], &inner["status"]), (&json!(code), &json!(word)), "{error:?}");
            assert_eq!(inner["details"][0]["reason"], reason, "{error:?}");
            assert!(!inner["message"].as_str().unwrap_or_default().is_empty(), "{error:?}");
        }
        let limited: Value =
            serde_json::from_slice(&render(&CallError::RateLimited { limit: "l".into(), retry_after: second }).body)
                .expect("JSON");
        assert_eq!(limited["error"]["details"][1]["retryDelay"], "1.500s");
        let field = CallError::InvalidRequest { message: "m".into(), param: Some("contents".into()) };
        let told: Value = serde_json::from_slice(&render(&field).body).expect("JSON");
        assert_eq!(told["error"]["details"][1]["fieldViolations"][0]["field"], "contents");
    }

    #[test]
    fn a_providers_own_words_pass_where_they_have_the_form() {
        let theirs = |status, body: &Value| CallError::Provider(Box::new(read(status, body)));
        let own = json!({"error": {"code": 400, "message": "a\nb", "status": "INVALID_ARGUMENT", "x": [1]}});
        for body in [own.clone(), json!([own])] {
            let told = render(&theirs(400, &body));
            assert_eq!((told.status, told.code), (400, "invalid_request"));
            assert_eq!(serde_json::from_slice::<Value>(&told.body).expect("JSON"), own);
            assert_eq!(as_event(&told).iter().filter(|byte| **byte == b'\n').count(), 2, "one line");
        }
        for body in [
            json!({"error": {"message": "no", "type": "invalid_request_error", "code": "x"}}),
            json!({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}),
            json!({"message": "no"}),
        ] {
            let told: Value = serde_json::from_slice(&render(&theirs(400, &body)).body).expect("JSON");
            assert_eq!(
                (&told["error"]["message"], &told["error"]["status"]),
                (&json!("no"), &json!("INVALID_ARGUMENT"))
            );
        }
        let denied = status(403, "PERMISSION_DENIED", "blocked due to safety", &json!([]));
        let told = render(&theirs(403, &denied));
        let body: Value = serde_json::from_slice(&told.body).expect("JSON");
        assert_eq!((told.status, &body["error"]["code"]), (400, &json!(400)));
    }
}
