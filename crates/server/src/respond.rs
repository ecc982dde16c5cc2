//! From a reply or an error to a response.

use crate::quotas;
use admission::RequestLimits;
use axum::body::Body;
use dialects::{Quotas, Rendered, render};
use engine::Reply;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use llm::{CallError, Dialect, RequestId};
use std::time::Duration;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where Anthropic's SDKs look for it.
const ANTHROPICS_ID: HeaderName = HeaderName::from_static("request-id");
const ROUTE: HeaderName = HeaderName::from_static("x-breakwater-route");
const TARGET: HeaderName = HeaderName::from_static("x-breakwater-target");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-breakwater-attempts");
const DEGRADED: HeaderName = HeaderName::from_static("x-breakwater-degraded");
/// Fields of the request that the provider was not told.
const LEFT_OUT: HeaderName = HeaderName::from_static("x-breakwater-left-out");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// How long a client is asked to wait where nobody knows better.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// The response to an answered call.
///
/// A stream that is `listed` is one JSON list.
pub(crate) fn reply(
    reply: Reply,
    dialect: Dialect,
    route: &str,
    own: Option<RequestLimits>,
    listed: bool,
) -> Response<Body> {
    let Reply { request_id, target, attempts, degraded, left_out, quotas, stream, content_type, body } = reply;
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.reserve(12);
    if stream {
        headers.insert(CONTENT_TYPE, if listed { JSON } else { EVENTS });
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    } else {
        headers.insert(CONTENT_TYPE, content_type.unwrap_or(JSON));
    }
    if let Some(target) = target {
        text(headers, TARGET, &target.to_string());
    }
    if let Some(degraded) = degraded {
        headers.insert(DEGRADED, HeaderValue::from_static(degraded.as_str()));
    }
    if !left_out.is_empty() {
        text(headers, LEFT_OUT, &left_out.join(", "));
    }
    frame(headers, dialect, &request_id, Some(route), attempts);
    quotas::tell(headers, dialect, &quotas::with_own(quotas, own));
    response
}

/// The response to a call that ended in `error`, and the status and code it bears.
pub(crate) struct Told {
    pub(crate) response: Response<Body>,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
}

/// The response to a call that ended in an error.
pub(crate) fn lost(
    error: &CallError,
    dialect: Dialect,
    id: &RequestId,
    route: Option<&str>,
    attempts: usize,
    quotas: &Quotas,
) -> Told {
    let Rendered { status, code, body } = render(dialect, error);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(wait) = retry_after(error) {
        // Whole seconds, rounded up: sooner would be refused again.
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1000) as u64));
    }
    if attempts > 1 {
        // OpenAI's and Anthropic's clients obey this: what was tried again here need not be tried again there.
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if let CallError::MethodNotAllowed { allowed } = error {
        headers.insert(http::header::ALLOW, HeaderValue::from_static(allowed));
    }
    frame(headers, dialect, id, route, attempts);
    quotas::tell(headers, dialect, quotas);
    Told { response, status, code }
}

/// The response to a request with `headers` that never became a call.
pub(crate) fn error(error: &CallError, headers: &HeaderMap) -> Response<Body> {
    error_in(Dialect::OpenAiChat, error, headers)
}

/// The same for a client of `dialect`.
pub(crate) fn error_in(dialect: Dialect, error: &CallError, headers: &HeaderMap) -> Response<Body> {
    lost(error, dialect, &crate::intake::request_id(headers), None, 0, &Quotas::default()).response
}

/// A response in JSON to a request with `headers` that is no call.
pub(crate) fn json(value: &serde_json::Value, dialect: Dialect, headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    frame(response.headers_mut(), dialect, &crate::intake::request_id(headers), None, 0);
    response
}

/// How long the client is asked to wait: always on 429 and 503.
fn retry_after(error: &CallError) -> Option<Duration> {
    match error {
        CallError::RateLimited { retry_after, .. } => Some(*retry_after),
        CallError::Overloaded { retry_after } => Some(*retry_after),
        CallError::AllTargetsUnavailable { retry_after, .. } => Some(retry_after.unwrap_or(RETRY_SOON)),
        _ => None,
    }
}

/// The headers that every response of a call bears.
pub(crate) fn frame(headers: &mut HeaderMap, dialect: Dialect, id: &RequestId, route: Option<&str>, attempts: usize) {
    text(headers, REQUEST_ID, id.as_str());
    if dialect.worded_as() == Dialect::Anthropic {
        text(headers, ANTHROPICS_ID, id.as_str());
    }
    if let Some(route) = route {
        text(headers, ROUTE, route);
        headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    }
}

/// Sets a header unless its value cannot be one.
fn text(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        let error = CallError::RateLimited { limit: "1".into(), retry_after: Duration::from_millis(1001) };
        let told = lost(&error, Dialect::OpenAiChat, &RequestId::minted("r"), Some("chat"), 2, &Quotas::default());
        assert_eq!((told.status, told.code), (429, "rate_limit_exceeded"));
        let header = |name: HeaderName| told.response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header(RETRY_AFTER), Some("2"));
        assert_eq!(header(REQUEST_ID), Some("r"));
        assert_eq!(header(ROUTE), Some("chat"));
        assert_eq!(header(ATTEMPTS), Some("2"));
        assert_eq!(header(SHOULD_RETRY), Some("false"), "two attempts were made");
    }
}
