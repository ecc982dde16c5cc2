//! Errors, both ways: what a provider's says, and how ours are worded.

use bytes::Bytes;
use llm::{CallError, ErrorKind, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The longest provider code and message kept for logs, in characters.
const CODE_CHARS: usize = 64;
const MESSAGE_CHARS: usize = 300;

/// Reads an error body that came with HTTP `status`, or within a 200 where the body says what it stands for.
///
/// Understands OpenAI's `{"error": {message, type, param, code}}`, bare strings in `error` (Ollama, xAI), numeric codes
/// (OpenRouter, vLLM, llama.cpp), the flat form (Mistral, vLLM) and Google's `status`; anything else keeps only its status.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let said = serde_json::from_slice::<Value>(body).map(|value| Said::from_value(&value)).unwrap_or_default();
    let status = if status >= 400 { status } else { said.status() };
    ProviderError {
        status,
        kind: said.kind(status),
        code: shorten(&said.code.or(said.kind).unwrap_or_default(), CODE_CHARS),
        message: shorten(&said.message, MESSAGE_CHARS),
        retry_after,
        body: body.clone(),
    }
}

/// The words of an error body.
#[derive(Default)]
struct Said {
    message: String,
    kind: Option<String>,
    code: Option<String>,
    number: Option<u16>,
}

impl Said {
    fn from_value(value: &Value) -> Self {
        // Google's OpenAI dialect wraps its error in a list.
        let value = value.get(0).unwrap_or(value);
        let inner = match value.get("error") {
            Some(Value::String(message)) => {
                let code = value.get("code").and_then(Value::as_str).map(str::to_owned);
                return Self { message: message.clone(), code, ..Self::default() };
            }
            Some(inner @ Value::Object(_)) => inner,
            _ => value,
        };
        let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
        let code = inner.get("code");
        Self {
            message: text("message").unwrap_or_default(),
            kind: text("type").or_else(|| text("status")),
            code: code.and_then(Value::as_str).map(str::to_owned),
            number: code.and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok()),
        }
    }

    /// The HTTP status that an error within a 200 stands for.
    fn status(&self) -> u16 {
        if let Some(number) = self.number.filter(|n| (400..600).contains(n)) {
            return number;
        }
        let words = [self.code.as_deref(), self.kind.as_deref()];
        words.into_iter().flatten().find_map(status_of).unwrap_or(500)
    }

    fn kind(&self, status: u16) -> ErrorKind {
        let named = [self.code.as_deref(), self.kind.as_deref()].into_iter().flatten().any(is_spent);
        // Anthropic's words, which have no code of their own.
        let spent = named || self.message.contains("credit balance is too low");
        match status {
            402 => ErrorKind::QuotaExhausted,
            400 | 403 | 412 | 429 if spent => ErrorKind::QuotaExhausted,
            400 if self.is_about_the_key() => ErrorKind::Auth,
            400 | 413 | 422 => ErrorKind::InvalidRequest,
            401 => ErrorKind::Auth,
            403 => ErrorKind::Permission,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            498 | 503 | 529 => ErrorKind::Overloaded,
            _ => ErrorKind::Server,
        }
    }
}

impl Said {
    /// Whether a 400 means our key and not the client's request, as xAI's and Google's do.
    fn is_about_the_key(&self) -> bool {
        let named = [self.code.as_deref(), self.kind.as_deref()].contains(&Some("invalid_api_key"));
        named || ["Incorrect API key", "API key not valid"].iter().any(|words| self.message.starts_with(words))
    }
}

/// The status behind a word, for errors that come without one.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error"
        | "invalid_request"
        | "invalid_prompt"
        | "context_length_exceeded"
        | "BadRequestError"
        | "INVALID_ARGUMENT" => 400,
        "invalid_api_key" | "authentication_error" | "UNAUTHENTICATED" => 401,
        "billing_error" => 402,
        "permission_error" | "PERMISSION_DENIED" => 403,
        "model_not_found" | "not_found_error" | "NotFoundError" | "NOT_FOUND" => 404,
        "rate_limit_exceeded" | "rate_limit_error" | "slow_down" | "RESOURCE_EXHAUSTED" => 429,
        word if is_spent(word) => 429,
        "server_is_overloaded" | "overloaded_error" | "overloaded" | "UNAVAILABLE" => 503,
        _ => return None,
    })
}

/// Whether a code says that there is nothing left to spend, so that waiting will not help soon.
fn is_spent(word: &str) -> bool {
    matches!(
        word,
        "insufficient_quota"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded"
            | "enforced_spend_limit_reached"
            | "billing_hard_limit_reached"
            | "billing_not_active"
    )
}

fn shorten(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

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
/// A provider's own JSON body is passed on as it is.
#[must_use]
pub fn render(error: &CallError) -> Rendered {
    if let CallError::Provider(theirs) = error
        && serde_json::from_slice::<AnObject>(&theirs.body).is_ok()
    {
        return Rendered { status: theirs.status, code: theirs.kind.as_str(), body: theirs.body.clone() };
    }
    let Wording { status, kind, code, param, message } = wording(error);
    let error = Inner { message: &message, kind, param: param.as_deref(), code };
    // Borrowed text cannot fail to serialise.
    let body = serde_json::to_vec(&Outer { error }).unwrap_or_default();
    Rendered { status, code, body: body.into() }
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
            theirs.status,
            REQUEST,
            theirs.kind.as_str(),
            if theirs.message.is_empty() {
                format!("The provider refused the request with status {}.", theirs.status)
            } else {
                theirs.message.clone()
            },
        ),
        CallError::UpstreamFailed { message } => say(502, SERVER, "upstream_failed", message.clone()),
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
    use super::*;

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
    fn a_providers_own_words_pass_unchanged() {
        let body = r#"{"error":{"message":"no such thing","type":"invalid_request_error"},"request_id":"r"}"#;
        let error = CallError::Provider(Box::new(read_error(400, &Bytes::from(body), None)));
        assert_eq!(render(&error), Rendered { status: 400, code: "invalid_request", body: body.into() });
        assert_eq!(as_event(&render(&error)), format!("data: {body}\n\n"));
    }
}
