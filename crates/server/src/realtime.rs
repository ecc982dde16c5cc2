//! Talks in real time: a websocket to the gateway, and one from it to a provider that has them. Nothing is read.

use crate::app::App;
use crate::{calls, intake, passthrough, quotas, respond};
use admission::Refusal;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use dialects::escaped;
use engine::{Connect, Lost};
use http::header::{CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use llm::{CallError, Dialect, Operation};
use routing::Candidate;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use upstream::{Passing, Path};

/// The most talks at one time.
pub(crate) const MAX_TALKS: usize = 1024;
/// As what browsers present their key, who cannot set headers (OpenAI's guide to its realtime API).
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";
const DIALECT: Dialect = Dialect::Other(Operation::Realtime);
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const SWITCHES: HeaderValue = HeaderValue::from_static("Upgrade");

/// `GET /v1/realtime?model=...`.
pub(crate) async fn connect(State(app): State<Arc<App>>, mut request: Request<Body>) -> Response<Body> {
    let id = intake::request_id(request.headers());
    let mut open = app.journal.open(id.clone(), DIALECT, intake::now());
    let protocols = protocols(request.headers());
    let presented = protocols.iter().find_map(|protocol| protocol.strip_prefix(KEY_PROTOCOL));
    let key = intake::key(request.headers()).or(presented);
    let admitted = match calls::admit_by(&app, key, &mut open) {
        Ok(admitted) => admitted,
        Err(Refusal { error, limits }) => return calls::settle(&error, open, None, quotas::own(limits)),
    };
    let limits = admitted.limits();
    let lets = lets_talk(&app, request.headers());
    let asked = lets.and_then(|()| asked(&request)).and_then(|(model, query)| {
        let plan = calls::plan(&app, &admitted, &model, intake::session(request.headers()))?;
        Ok((plan, query, room(&app)?))
    });
    let (plan, query, room) = match asked {
        Ok(asked) => asked,
        Err(error) => return calls::settle(&error, open, None, quotas::own(limits)),
    };
    let route = plan.route.clone();
    let mut headers = passthrough::forwarded(request.headers());
    switches(&mut headers);
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    let spoken = protocols.iter().filter(|protocol| !protocol.starts_with(KEY_PROTOCOL));
    let spoken = spoken.map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(spoken) = HeaderValue::from_str(&spoken).ok().filter(|spoken| !spoken.is_empty()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, spoken);
    }
    let asks = Box::new(move |candidate: &Candidate| passing(candidate, &query, headers.clone()));
    let talk = match app.engine.connect(Connect { plan, asks, proof: None, admitted, open }).await {
        Ok(talk) => talk,
        Err(lost) => {
            let Lost { error, open, .. } = *lost;
            return calls::settle(&error, open, Some(&route.name), quotas::own(limits));
        }
    };
    let mut response = switched(passthrough::returned(&talk.headers));
    respond::frame(response.headers_mut(), DIALECT, &id, Some(&route.name), 1);
    quotas::tell(response.headers_mut(), DIALECT, &quotas::own(limits));
    let client = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A client that leaves before drops the talk, which is recorded as cancelled.
        if let Ok(client) = client.await {
            talk.carry(TokioIo::new(client)).await;
        }
        drop(room);
    });
    response
}

/// The model that a request asks for, and what else its query says.
fn asked<B>(request: &Request<B>) -> Result<(String, Vec<(String, String)>), CallError> {
    is_websocket(request.headers())?;
    let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let (models, others): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| *name == "model");
    match models.first().and_then(|(_, model)| intake::value(model)) {
        Some(model) if !model.is_empty() => {
            Ok((model, others.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
        }
        _ => {
            let (message, param) = ("Missing required parameter: 'model'.".into(), Some("model".into()));
            Err(CallError::InvalidRequest { message, param })
        }
    }
}

/// Whether a websocket is asked for.
///
/// # Errors
/// [`CallError::InvalidRequest`] where none is.
pub(crate) fn is_websocket(headers: &HeaderMap) -> Result<(), CallError> {
    if headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        return Ok(());
    }
    let message = "This path takes websockets only: send `Upgrade: websocket`.".into();
    Err(CallError::InvalidRequest { message, param: None })
}

/// Whether a page may talk. Websockets know no CORS: where nobody needs a key, any page that somebody looks at could talk at
/// their cost, and hear the answers.
///
/// # Errors
/// [`CallError::InvalidRequest`] where it may not.
pub(crate) fn lets_talk(app: &App, headers: &HeaderMap) -> Result<(), CallError> {
    if !app.admission.is_open() || is_of_here(headers) {
        return Ok(());
    }
    let message =
        "Pages of other origins may not talk here as long as no callers, and no keys of theirs, are configured.";
    Err(CallError::InvalidRequest { message: message.into(), param: None })
}

/// Whether a handshake comes from no page, or from one of this very host (RFC 6454, section 7).
fn is_of_here(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    host.zip(headers.get(HOST)).is_some_and(|(origin, host)| origin.as_bytes().eq_ignore_ascii_case(host.as_bytes()))
}

/// Room for one more talk.
///
/// # Errors
/// [`CallError::Overloaded`] where there is none.
pub(crate) fn room(app: &App) -> Result<OwnedSemaphorePermit, CallError> {
    let room = Arc::clone(&app.talks).try_acquire_owned();
    room.map_err(|_| CallError::Overloaded { retry_after: Duration::from_secs(1) })
}

/// Says in a head that the connection is to speak websockets.
pub(crate) fn switches(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, SWITCHES);
    headers.insert(UPGRADE, WEBSOCKET);
}

/// The response after which a connection speaks websockets.
pub(crate) fn switched(headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    switches(response.headers_mut());
    response
}

/// What a provider is asked for its own model.
fn passing(candidate: &Candidate, query: &[(String, String)], headers: HeaderMap) -> Passing {
    let mut path = format!("/realtime?model={}", escaped(&candidate.target.model));
    for (name, value) in query {
        path.extend(["&", name, "=", value]);
    }
    asking(candidate, Path::Below(path), headers)
}

/// A request to switch protocols there.
pub(crate) fn asking(candidate: &Candidate, path: Path, headers: HeaderMap) -> Passing {
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    Passing { provider: candidate.provider, method: Method::GET, path, headers, body }
}

/// What a client offers as `Sec-WebSocket-Protocol`.
fn protocols(headers: &HeaderMap) -> Vec<String> {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|list| list.split(',')).map(|protocol| protocol.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_origins_are_told_apart() {
        for (origin, host, of_here) in [
            (None, "127.0.0.1:8080", true),
            (Some("http://127.0.0.1:8080"), "127.0.0.1:8080", true),
            (Some("https://Gateway.test"), "gateway.test", true),
            (Some("http://127.0.0.1:3000"), "127.0.0.1:8080", false),
            (Some("https://evil.test"), "127.0.0.1:8080", false),
            (Some("null"), "127.0.0.1:8080", false),
        ] {
            let origin = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin)));
            let headers = origin.into_iter().chain([(HOST, HeaderValue::from_static(host))]).collect();
            assert_eq!(is_of_here(&headers), of_here, "{headers:?}");
        }
    }

    #[test]
    fn the_model_is_read_from_the_query() {
        let of = |path: &str, upgrade: &'static str| {
            let uri: http::Uri = path.parse().expect("a path");
            let request = Request::builder().uri(uri).header(UPGRADE, upgrade).body(()).expect("a request");
            asked(&request).ok().map(|(model, query)| (model, query.len()))
        };
        for (path, upgrade, expected) in [
            ("/v1/realtime?model=a%2Fb&x=1", "websocket", Some(("a/b".to_owned(), 1))),
            ("/v1/realtime?x=1&model=m", "WebSocket", Some(("m".to_owned(), 1))),
            ("/v1/realtime?model=m", "h2c", None),
            ("/v1/realtime?model=", "websocket", None),
            ("/v1/realtime?model=%zz", "websocket", None),
            ("/v1/realtime", "websocket", None),
        ] {
            assert_eq!(of(path, upgrade), expected, "{path}");
        }
    }
}
