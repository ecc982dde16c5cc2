//! What a request's head says to the gateway, and its body, read within bounds.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use dialects::unescaped;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName};
use http::{HeaderMap, Uri};
use http_body_util::BodyExt;
use llm::{CallError, Dialect, Operation, Priority, RequestId};
use std::borrow::Cow;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a body may pause while it comes in.
const BODY_IDLE: Duration = Duration::from_secs(30);
/// How long it may take in all: 16 MiB over a slow line, and no drip for ever.
const BODY_TOTAL: Duration = Duration::from_secs(300);
/// How much of a body that is too large is read away, so that its sender sees the answer and not a reset.
const DISCARD: usize = 256 * 1024 * 1024;
/// For how long.
const DISCARD_TIME: Duration = Duration::from_secs(10);
/// For how long where the caller is turned down: a stranger gets less.
const UNREAD_TIME: Duration = Duration::from_secs(2);

// Names are parsed once: every call is asked for each of them.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TIMEOUT: HeaderName = HeaderName::from_static("x-breakwater-timeout-ms");
const PRIORITY: HeaderName = HeaderName::from_static("x-breakwater-priority");
const SESSION: HeaderName = HeaderName::from_static("x-breakwater-session");

/// The key a request presents, wherever its dialect's clients put it.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| text(&API_KEY)).or_else(|| text(&GOOGLE_KEY))
}

/// The same of a client that speaks `dialect`: Google's may say it in the query too.
pub(crate) fn key_in<'a>(dialect: Dialect, headers: &'a HeaderMap, uri: &Uri) -> Option<Cow<'a, str>> {
    let said = || key_of_query(uri.query()).filter(|_| dialect.worded_as() == Dialect::Gemini);
    key(headers).map(Cow::Borrowed).or_else(|| said().map(Cow::Owned))
}

/// `?key=`, as in Google's examples and from browsers, who cannot set headers of a websocket; or a token in its place.
fn key_of_query(query: Option<&str>) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, key) = pairs.find(|(name, key)| matches!(*name, "key" | "access_token") && !key.is_empty())?;
    value(key)
}

/// A value of a query as itself. Forms write a blank as `+`.
pub(crate) fn value(text: &str) -> Option<String> {
    unescaped(&text.replace('+', " ")).map(Cow::into_owned)
}

/// The client's id for the call, or one of ours (UUID version 7, RFC 9562).
pub(crate) fn request_id(headers: &HeaderMap) -> RequestId {
    let theirs = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    theirs.and_then(RequestId::from_client).unwrap_or_else(mint)
}

/// An id that sorts by time. It has to be unlikely to repeat, not to be guessed.
#[expect(clippy::disallowed_types, reason = "the standard puts wall time into the id")]
fn mint() -> RequestId {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut chance = [0; 10];
    fastrand::fill(&mut chance);
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid();
    RequestId::minted(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
}

/// The client's own timeout for the call.
///
/// # Errors
/// [`CallError::InvalidRequest`] where the header is there and is no positive whole number.
pub(crate) fn client_timeout(headers: &HeaderMap) -> Result<Option<Duration>, CallError> {
    let Some(value) = headers.get(&TIMEOUT) else { return Ok(None) };
    let millis = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok()).filter(|millis| *millis > 0);
    let invalid = || CallError::InvalidRequest {
        message: format!("Invalid '{TIMEOUT}' header: expected a positive whole number of milliseconds."),
        param: Some(TIMEOUT.as_str().into()),
    };
    // A century is more than any clock here has to hold.
    millis.map(|millis| Some(Duration::from_millis(millis.min(3_155_760_000_000)))).ok_or_else(invalid)
}

/// How much the call matters where not all can be served.
///
/// # Errors
/// [`CallError::InvalidRequest`] where the header is there and names no priority.
pub(crate) fn priority(headers: &HeaderMap) -> Result<Priority, CallError> {
    let Some(value) = headers.get(&PRIORITY) else { return Ok(Priority::default()) };
    let named = |priority: &Priority| value.as_bytes().trim_ascii().eq_ignore_ascii_case(priority.as_str().as_bytes());
    Priority::ALL.into_iter().find(named).ok_or_else(|| CallError::InvalidRequest {
        message: format!("Invalid '{PRIORITY}' header: expected critical, normal or sheddable."),
        param: Some(PRIORITY.as_str().into()),
    })
}

/// What the head says that is meant for a provider of the client's dialect: versions, and what is still in trial.
pub(crate) fn forwarded(headers: &HeaderMap, dialect: Dialect) -> Vec<(&'static str, String)> {
    let names: &[&'static str] = match dialect {
        Dialect::Anthropic => &["anthropic-version", "anthropic-beta"],
        Dialect::OpenAiChat | Dialect::Responses | Dialect::Other(Operation::InputTokens) => &["openai-beta"],
        Dialect::Other(Operation::CountTokens) => &["anthropic-version", "anthropic-beta"],
        // Whose boundary it names.
        Dialect::Other(operation) if operation.is_a_form() => &["content-type"],
        Dialect::Gemini | Dialect::Other(_) => &[],
    };
    let said = |name: &'static str| {
        // A client may send a header several times, which means one list.
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        let values = values.collect::<Vec<_>>().join(",");
        (!values.is_empty()).then_some((name, values))
    };
    names.iter().filter_map(|name| said(name)).collect()
}

/// What calls of one conversation share, so that they go to one target as long as it is well.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    headers.get(&SESSION).and_then(|value| value.to_str().ok()).filter(|session| !session.is_empty())
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`CallError::RequestTooLarge`], [`CallError::RequestTimeout`] where it pauses for too long, or
/// [`CallError::InvalidRequest`] where the connection ends before the body does.
pub(crate) async fn body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, CallError> {
    timeout(BODY_TOTAL, read(headers, body, limit)).await.map_err(|_| CallError::RequestTimeout)?
}

async fn read(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, CallError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(body, limit).await);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = timeout(BODY_IDLE, body.frame()).await.map_err(|_| CallError::RequestTimeout)? {
        let frame = frame.map_err(|_| cut_short())?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large(body, limit).await);
        }
        if first.is_empty() && rest.is_empty() {
            // Most requests come in one piece, which is then not copied.
            first = data;
        } else {
            if rest.is_empty() {
                let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
                rest.reserve(expected.max(first.len() + data.len()));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

fn cut_short() -> CallError {
    CallError::InvalidRequest { message: "The request body ended before it was complete.".into(), param: None }
}

/// Reads the rest of a body away, holding nothing, and says that it was too large.
async fn too_large(body: Body, limit: usize) -> CallError {
    discard(body, DISCARD, DISCARD_TIME).await;
    CallError::RequestTooLarge { limit }
}

/// Reads a body away whose sender is turned down without it, for as long as such a sender may take.
pub(crate) async fn unread(body: Body, limit: usize) {
    discard(body, limit, UNREAD_TIME).await;
}

/// Reads at most `most` bytes away, for at most `time`. Whether the body came to its end or not is all the same.
async fn discard(mut body: Body, most: usize, time: Duration) {
    let mut read = 0;
    let discard = async {
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > most {
                break;
            }
        }
    };
    let _ = timeout(time, discard).await;
}

/// Now, by the clock that tests can drive.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        entries.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn keys_are_found_wherever_clients_put_them() {
        for (entries, expected) in [
            (&[("authorization", "Bearer k")][..], Some("k")),
            (&[("authorization", "bearer  k")], Some("k")),
            (&[("authorization", "Basic k")], None),
            (&[("x-api-key", "k")], Some("k")),
            (&[("x-goog-api-key", "k")], Some("k")),
            (&[("authorization", "Bearer a"), ("x-api-key", "b")], Some("a")),
            (&[], None),
        ] {
            assert_eq!(key(&headers(entries)), expected, "{entries:?}");
        }
    }

    #[test]
    fn googles_clients_may_say_their_key_in_the_query() {
        let gemini = Dialect::Gemini;
        for (dialect, entries, query, expected) in [
            (gemini, &[][..], "key=a%2Fb", Some("a/b")),
            (gemini, &[], "alt=sse&access_token=auth_tokens%2Ft", Some("auth_tokens/t")),
            (Dialect::Other(Operation::GeminiCountTokens), &[], "key=k", Some("k")),
            (Dialect::Other(Operation::GeminiLive), &[], "key=k", Some("k")),
            (gemini, &[("x-goog-api-key", "h")], "key=k", Some("h")),
            (gemini, &[], "key=&access_token=t", Some("t")),
            (gemini, &[], "key=", None),
            (gemini, &[], "keys=k", None),
            (gemini, &[], "", None),
            (Dialect::OpenAiChat, &[], "key=k", None),
        ] {
            let (headers, uri) =
                (headers(entries), format!("/v1beta/models/m:generateContent?{query}").parse().unwrap());
            assert_eq!(key_in(dialect, &headers, &uri).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn ids_are_kept_or_minted() {
        assert_eq!(request_id(&headers(&[("x-request-id", "abc")])).as_str(), "abc");
        let (one, two) = (request_id(&headers(&[("x-request-id", "a b")])), request_id(&headers(&[])));
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), 36);
        assert_eq!(one.as_str().as_bytes()[14], b'7', "version 7");
    }

    #[test]
    fn timeouts_are_positive_whole_milliseconds() {
        for (text, expected) in
            [("250", Some(250)), (" 7 ", Some(7)), ("0", None), ("-1", None), ("1.5", None), ("x", None)]
        {
            let read = client_timeout(&headers(&[("x-breakwater-timeout-ms", text)])).ok().flatten();
            assert_eq!(read, expected.map(Duration::from_millis), "{text}");
        }
        assert_eq!(client_timeout(&headers(&[])), Ok(None));
        assert!(client_timeout(&headers(&[("x-breakwater-timeout-ms", "18446744073709551615")])).is_ok());
    }

    #[test]
    fn priorities_are_named_or_normal() {
        for (text, expected) in [
            ("critical", Some(Priority::Critical)),
            (" Sheddable ", Some(Priority::Sheddable)),
            ("normal", Some(Priority::Normal)),
            ("high", None),
            ("", None),
        ] {
            assert_eq!(priority(&headers(&[("x-breakwater-priority", text)])).ok(), expected, "{text}");
        }
        assert_eq!(priority(&headers(&[])), Ok(Priority::Normal));
    }

    #[test]
    fn an_empty_session_is_none() {
        assert_eq!(session(&headers(&[("x-breakwater-session", "s-1")])), Some("s-1"));
        assert_eq!(session(&headers(&[("x-breakwater-session", "")])), None);
        assert_eq!(session(&headers(&[])), None);
    }

    #[tokio::test]
    async fn bodies_end_at_the_limit() {
        for (size, limit, fits) in [(10, 10, true), (11, 10, false), (0, 10, true)] {
            let read = body(&HeaderMap::new(), Body::from(vec![b'x'; size]), limit).await;
            assert_eq!(read.is_ok(), fits, "{size}");
        }
        let lies = headers(&[("content-length", "99")]);
        assert_eq!(body(&lies, Body::from("tiny"), 10).await, Err(CallError::RequestTooLarge { limit: 10 }));
    }
}
