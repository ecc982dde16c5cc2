//! What is handed through to one provider: paths that the configuration lists, files and batches.
//!
//! Must never be here: what any of it means.

use crate::app::App;
use crate::{calls, intake, quotas, respond};
use admission::Refusal;
use axum::body::Body;
use axum::extract::State;
use dialects::Quotas;
use engine::{Lost, Pass, Passed};
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use llm::{CallError, Dialect, Operation};
use std::sync::Arc;
use upstream::{Passing, Path};

/// Headers of a connection, which mean nothing behind it (RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What a client says to the gateway alone.
const OF_THE_CLIENT: [HeaderName; 6] = [
    HOST,
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
];
/// What begins so is said to the gateway alone as well.
const OURS: &str = "x-breakwater-";
/// As what a caller has to be granted what is handed through: as direct calls are.
const DIRECT: &str = "direct";
const DIALECT: Dialect = Dialect::Other(Operation::Passthrough);

/// `/passthrough/{provider}/...`: paths of a provider that the configuration lists.
pub(crate) async fn listed(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let asked = request.uri().path().strip_prefix("/passthrough/").and_then(|rest| {
        let (name, _) = rest.split_once('/')?;
        let place = app.providers.iter().position(|provider| **provider == *name)?;
        Some((place, rest.get(name.len()..)?.to_owned()))
    });
    match asked.filter(|(place, path)| app.engine.lets_pass(*place, path)) {
        Some((place, path)) => pass(&app, place, path, request).await,
        None => crate::app::unknown(&request, Dialect::OpenAiChat),
    }
}

/// `/v1/files`, `/v1/uploads` and `/v1/batches`, and all below.
pub(crate) async fn files(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().strip_prefix("/v1").unwrap_or_default().to_owned();
    match app.files {
        Some(place) if !path.contains("..") && !path.contains('%') => pass(&app, place, path, request).await,
        _ => crate::app::unknown(&request, Dialect::OpenAiChat),
    }
}

/// Hands a request through to the provider at this place, below whose base address `path` is asked.
async fn pass(app: &App, provider: usize, path: String, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let id = intake::request_id(&head.headers);
    let mut open = app.journal.open(id.clone(), DIALECT, intake::now());
    let admitted = match calls::admit(app, &head.headers, &mut open) {
        Ok(admitted) if admitted.may_use(DIRECT) => admitted,
        Ok(_) => {
            let error = CallError::UnknownPath { asked: format!("{} {}", head.method, head.uri.path()) };
            intake::unread(body, app.limits.body).await;
            return calls::settle(&error, open, None, Quotas::default());
        }
        Err(Refusal { error, limits }) => {
            intake::unread(body, app.limits.body).await;
            return calls::settle(&error, open, None, quotas::own(limits));
        }
    };
    let limits = admitted.limits();
    let query = head.uri.query().map(|query| without(query, intake::key(&head.headers)));
    let path = query.filter(|query| !query.is_empty()).map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let (method, headers) = (head.method, forwarded(&head.headers));
    let (path, body) = (Path::Below(path), body.map_err(Into::into).boxed_unsync());
    let passing = Passing { provider, method, path, headers, body };
    match app.engine.pass(Pass { passing, admitted, open }).await {
        Ok(Passed { status, headers, body }) => {
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = status;
            *response.headers_mut() = returned(&headers);
            respond::frame(response.headers_mut(), DIALECT, &id, None, 0);
            quotas::tell(response.headers_mut(), DIALECT, &quotas::own(limits));
            response
        }
        Err(lost) => {
            let Lost { error, open, .. } = *lost;
            calls::settle(&error, open, None, quotas::own(limits))
        }
    }
}

/// A query without what repeats the client's key, which is ours and no provider's.
fn without(query: &str, key: Option<&str>) -> String {
    let is_key = |pair: &str| {
        let said = pair.split_once('=').and_then(|(_, said)| intake::value(said));
        said.is_some_and(|said| Some(said.as_str()) == key)
    };
    query.split('&').filter(|pair| !is_key(pair)).collect::<Vec<_>>().join("&")
}

/// What a provider is told of the head of a request.
pub(crate) fn forwarded(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| !OF_THE_CLIENT.contains(name) && !name.as_str().starts_with(OURS))
}

/// What a client is told of the head of a response.
pub(crate) fn returned(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| *name != SET_COOKIE)
}

fn kept(headers: &HeaderMap, keep: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    // A connection may name further headers of its own.
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    let of_connection =
        |name: &HeaderName| OF_A_CONNECTION.contains(name) || named.iter().any(|named| named == name.as_str());
    let all = headers.iter().filter(|(name, _)| !of_connection(name) && keep(name));
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(names: &[&'static str]) -> HeaderMap {
        let value = |name: &str| HeaderValue::from_static(if name == "connection" { "close, X-Hop" } else { "v" });
        names.iter().map(|name| (HeaderName::from_static(name), value(name))).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn no_provider_is_told_a_clients_key() {
        for (query, key, expected) in [
            ("after=a&key=se%2Fcret&limit=2", Some("se/cret"), "after=a&limit=2"),
            ("key=secret", Some("secret"), ""),
            ("key=name&a=%zz&b", Some("secret"), "key=name&a=%zz&b"),
            ("key=", None, "key="),
        ] {
            assert_eq!(without(query, key), expected, "{query}");
        }
    }

    #[test]
    fn neither_side_sees_what_is_said_to_the_gateway() {
        let said = [
            "host",
            "authorization",
            "cookie",
            "x-api-key",
            "x-goog-api-key",
            "api-key",
            "connection",
            "x-hop",
            "te",
            "x-breakwater-priority",
            "content-type",
            "openai-beta",
        ];
        assert_eq!(names(&forwarded(&headers(&said))), ["content-type", "openai-beta"]);
        let answered = ["set-cookie", "transfer-encoding", "content-type", "retry-after"];
        assert_eq!(names(&returned(&headers(&answered))), ["content-type", "retry-after"]);
    }
}
