//! Gemini's conversations in real time: a client's first message names the model, so that it is read before a provider is
//! asked. Nothing else is.
//!
//! The client is answered at once; what fails from then on ends the websocket, with why. Must never be here: frames
//! (`dialects::websocket`), and what a setup says (`dialects::gemini::live`).

mod client;

use crate::app::App;
use crate::{calls, intake, passthrough, quotas, realtime, respond};
use admission::{Admitted, Refusal};
use axum::body::Body;
use axum::extract::State;
use client::{Client, Ended};
use dialects::gemini::live::{self, Opened};
use dialects::{render, websocket};
use engine::{Connect, Lost, OpenCall, Talk, outcome_of};
use http::header::{
    ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
};
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper_util::rt::TokioIo;
use llm::{CallError, ChatRequest, Dialect, Operation};
use routing::Candidate;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use upstream::Path;

/// The largest first message, in bytes, where `limits.body` is not smaller.
const SETUP: usize = 1024 * 1024;
const DIALECT: Dialect = Dialect::Other(Operation::GeminiLive);

/// `GET /ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent`, and its like.
pub(crate) async fn connect(State(app): State<Arc<App>>, mut request: Request<Body>) -> Response<Body> {
    let Some(opened) = live::opened(request.uri().path()) else {
        return crate::app::unknown(&request, Dialect::Gemini);
    };
    let id = intake::request_id(request.headers());
    let mut open = app.journal.open(id.clone(), DIALECT, intake::now());
    let key = intake::key_in(DIALECT, request.headers(), request.uri());
    let admitted = match calls::admit_by(&app, key.as_deref(), &mut open) {
        Ok(admitted) => admitted,
        Err(Refusal { error, limits }) => return calls::settle(&error, open, None, quotas::own(limits)),
    };
    let limits = admitted.limits();
    let lets = realtime::lets_talk(&app, request.headers());
    let agreed = lets.and_then(|()| proof(request.headers())).and_then(|proof| Ok((proof, realtime::room(&app)?)));
    let (proof, room) = match agreed {
        Ok(agreed) => agreed,
        Err(error) => return calls::settle(&error, open, None, quotas::own(limits)),
    };
    let mut response = realtime::switched(HeaderMap::from_iter([(SEC_WEBSOCKET_ACCEPT, proof)]));
    respond::frame(response.headers_mut(), DIALECT, &id, None, 0);
    quotas::tell(response.headers_mut(), DIALECT, &quotas::own(limits));
    let client = hyper::upgrade::on(&mut request);
    let headers = request.into_parts().0.headers;
    let call = Call { app, opened, headers, admitted, open };
    tokio::spawn(async move {
        // A client that leaves before drops the call, which is recorded as cancelled.
        if let Ok(client) = client.await {
            call.carry(TokioIo::new(client)).await;
        }
        drop(room);
    });
    response
}

/// A call whose client has been answered, and has to say what it asks for.
struct Call {
    app: Arc<App>,
    opened: Opened,
    headers: HeaderMap,
    admitted: Admitted,
    open: OpenCall,
}

impl Call {
    /// Carries the call out; ends the websocket where that fails.
    async fn carry<S: AsyncRead + AsyncWrite + Unpin>(mut self, stream: S) {
        let mut client = Client::new(stream, SETUP.min(self.app.limits.body));
        let asked = match client.first().await {
            Ok(message) => live::decode(message.payload).map(|setup| (setup, message.kind)),
            Err(Ended::Gone) => return,
            Err(Ended::Turned(error)) => Err(error),
        };
        let (setup, kind) = match asked {
            Ok(asked) => asked,
            Err(error) => return end(client, &error, self.open).await,
        };
        self.open.asked(&setup);
        let talk = tokio::select! {
            biased;
            talk = self.begin(setup, kind) => talk,
            // Dropping what is under way ends it upstream, and records it as cancelled.
            () = client.gone() => return,
        };
        match talk {
            Ok(talk) => begun(client, talk).await,
            Err(lost) => end(client, &lost.error, lost.open).await,
        }
    }

    /// A provider that has been told the first message.
    async fn begin(self, setup: ChatRequest, kind: websocket::Kind) -> Result<Talk, Box<Lost>> {
        let Self { app, opened, headers, admitted, open } = self;
        let plan = match calls::plan(&app, &admitted, &setup.model, intake::session(&headers)) {
            Ok(plan) => plan,
            Err(error) => return Err(Box::new(Lost { error, quotas: dialects::Quotas::default(), open })),
        };
        let key = websocket::key(chance());
        let proof = Some(websocket::accept(key.as_bytes()));
        let headers = asking(&headers, &key);
        let asks = Box::new(move |candidate: &Candidate| {
            realtime::asking(candidate, Path::Live(opened.clone()), headers.clone())
        });
        let talk = app.engine.connect(Connect { plan, asks, proof, admitted, open }).await?;
        let payload = live::with_model(&setup, &talk.live_name);
        let [a, b, c, d, ..] = chance();
        talk.say(&websocket::masked(&websocket::Message { kind, payload }, [a, b, c, d])).await
    }
}

/// Carries a talk that has begun; what the client has said since its first message comes first.
async fn begun<S: AsyncRead + AsyncWrite + Unpin>(client: Client<S>, talk: Talk) {
    let (stream, since) = client.into_parts();
    match talk.say(&since).await {
        Ok(talk) => talk.carry(stream).await,
        Err(lost) => end(Client::new(stream, 0), &lost.error, lost.open).await,
    }
}

/// Ends a call in an error: told to the client as its websocket ends, noted in the record.
async fn end<S: AsyncRead + AsyncWrite + Unpin>(client: Client<S>, error: &CallError, open: OpenCall) {
    let told = render(DIALECT, error);
    let body: serde_json::Value = serde_json::from_slice(&told.body).unwrap_or_default();
    let why = body.pointer("/error/message").and_then(serde_json::Value::as_str).unwrap_or(told.code).to_owned();
    open.lost(outcome_of(error), told.status, told.code);
    client.end(code(told.status), &why).await;
}

/// The code by which a websocket ends (RFC 6455, section 7.4.1, and IANA's registry) in place of a status.
fn code(status: u16) -> u16 {
    const POLICY: u16 = 1008;
    const TOO_BIG: u16 = 1009;
    const INTERNAL: u16 = 1011;
    const TRY_LATER: u16 = 1013;
    match status {
        413 => TOO_BIG,
        429 | 503 => TRY_LATER,
        400..500 => POLICY,
        _ => INTERNAL,
    }
}

/// What proves to a client that its handshake has been read.
fn proof(headers: &HeaderMap) -> Result<HeaderValue, CallError> {
    realtime::is_websocket(headers)?;
    let invalid = |message: &str| CallError::InvalidRequest { message: message.into(), param: None };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != websocket::VERSION) {
        return Err(invalid("This path takes websockets of version 13 only: send `Sec-WebSocket-Version: 13`."));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or_else(|| invalid("The header 'Sec-WebSocket-Key' is missing."))?;
    HeaderValue::try_from(websocket::accept(key.as_bytes())).map_err(|_| CallError::Internal)
}

/// The head of a request for a websocket of our own: neither side's extensions are the other's.
fn asking(headers: &HeaderMap, key: &str) -> HeaderMap {
    let mut headers = passthrough::forwarded(headers);
    for of_the_client in [ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL] {
        headers.remove(of_the_client);
    }
    realtime::switches(&mut headers);
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(websocket::VERSION));
    if let Ok(key) = HeaderValue::from_str(key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    headers
}

/// Bytes that nobody can foresee, as masks have to be (RFC 6455, section 5.3): what is asked must not be able to choose
/// what is sent. The standard library's hashes are keyed by the system's chance.
fn chance() -> [u8; 16] {
    let half = |number: u8| RandomState::new().hash_one(number).to_ne_bytes();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip([half(0), half(1)].concat()).for_each(|(byte, chance)| *byte = chance);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_code() {
        for (status, expected) in
            [(400, 1008), (404, 1008), (408, 1008), (413, 1009), (429, 1013), (503, 1013), (502, 1011), (500, 1011)]
        {
            assert_eq!(code(status), expected, "{status}");
        }
    }

    #[test]
    fn neither_side_agrees_for_the_other() {
        let said = [
            ("origin", "https://a.test"),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("sec-websocket-protocol", "p"),
            ("sec-websocket-key", "theirs"),
            ("sec-websocket-version", "13"),
            ("x-goog-api-key", "secret"),
            ("x-goog-api-client", "google-genai"),
        ];
        let header = |(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
        let headers = asking(&said.into_iter().map(header).collect(), "ours");
        let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let expected = ["connection", "sec-websocket-key", "sec-websocket-version", "upgrade", "x-goog-api-client"];
        assert_eq!(
            (names.as_slice(), &headers["sec-websocket-key"]),
            (&expected[..], &HeaderValue::from_static("ours"))
        );
    }

    #[test]
    fn a_handshake_is_judged() {
        let of = |entries: &[(&'static str, &'static str)]| {
            let header = |(name, value): &(&'static str, &'static str)| {
                (http::HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            proof(&entries.iter().map(header).collect()).ok()
        };
        let (upgrade, version) = (("upgrade", "websocket"), ("sec-websocket-version", "13"));
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let accept = HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for (entries, expected) in [
            (&[upgrade, version, key][..], Some(accept)),
            (&[version, key], None),
            (&[upgrade, key], None),
            (&[upgrade, ("sec-websocket-version", "8"), key], None),
            (&[upgrade, version], None),
        ] {
            assert_eq!(of(entries), expected, "{entries:?}");
        }
    }

    #[test]
    fn no_two_keys_are_the_same() {
        assert_ne!(chance(), chance());
        assert_ne!(chance()[..8], chance()[8..]);
    }
}
