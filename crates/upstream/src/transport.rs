//! Requests out, responses in.

use crate::connect::{Pool, TimedConnector, connector, pool, tls};
use crate::credential::{Presented, When};
use crate::keys::{Key, KeyRing};
use crate::live;
use crate::names::Names;
use crate::passing::{Passing, PassingBody, PassingPool, Path, Switched, Switching, lets_pass, passing_pool};
use crate::reason;
use crate::settings::ProviderSettings;
use crate::site::{Place, Site};
use crate::webhook::Webhooks;
use bytes::Bytes;
use dialects::{Quirks, anthropic, counts, gives_vectors, wants_a_count, wants_vectors};
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use llm::{Api, Dialect, Failure};
use rustls::ClientConfig;
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most connections without work that are kept to one provider.
const POOL_SIZE: usize = 1024;
/// The same for what is handed through; and how long a connection for it may take, or one for a token.
const PASSING_POOL: usize = 16;
const PASSING_CONNECT: Duration = Duration::from_secs(10);
/// Which version of Anthropic's API is spoken; without it, no call is taken.
const VERSION: HeaderName = HeaderName::from_static(anthropic::Version::HEADER);
/// Whoever is called is told who calls.
pub(crate) const AGENT: HeaderValue = HeaderValue::from_static(concat!("breakwater/", env!("CARGO_PKG_VERSION")));
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response body as it comes.
pub type Body = UnsyncBoxBody<Bytes, Failure>;

/// One request, finished but for where the provider lives and how it is paid.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The provider, by its place in the configuration.
    pub provider: usize,
    /// The model asked for: keys may rest for one model alone.
    pub model: Arc<str>,
    /// What it is asked in, which says where.
    pub api: Api,
    /// The body.
    pub body: Bytes,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// The stream is wanted as one JSON list.
    pub listed: bool,
    /// Headers of the client that are meant for the provider.
    pub headers: Vec<(&'static str, String)>,
    /// How long a new connection may take.
    pub connect: Duration,
}

/// The head of a response, and its body to be read.
#[derive(Debug)]
pub struct Inbound {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; dropped, it ends the exchange.
    pub body: Body,
    /// The key that the request went out with.
    pub key: Option<Key>,
}

/// A request under way. Dropped, it ends the exchange.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Inbound, Failure>> + Send + 'a>>;

/// What the engine needs of the outside: real sockets here, a script in its tests.
pub trait Transport: Send + Sync {
    /// Sends a request; resolves with the response's head.
    fn send(&self, outbound: Outbound) -> Sending<'_>;

    /// Hands a request through; resolves with the response's head.
    fn pass(&self, passing: Passing) -> Sending<'_>;

    /// Hands a request through that asks to switch protocols.
    fn switch(&self, passing: Passing) -> Switching<'_>;

    /// What a provider calls its `model` in Gemini's conversations in real time.
    fn live_name(&self, provider: usize, model: &str) -> String;

    /// Whether clients may have `path` of a provider handed through.
    fn lets_pass(&self, provider: usize, path: &str) -> bool;

    /// Rests a key that a provider turned down until `until`, for one model or for all: others go first.
    fn rest(&self, provider: usize, key: Key, model: Option<&str>, until: Instant);

    /// Rests a key of the provider for `model` until then, where another one does not rest; `false` where none does.
    fn spare(&self, provider: usize, key: Key, model: &str, until: Instant) -> bool;

    /// Whether the provider has a key that does not rest for `model`.
    fn has_fresh_key(&self, provider: usize, model: &str, now: Instant) -> bool;

    /// How many keys the provider has.
    fn keys(&self, provider: usize) -> usize;

    /// When the first of the provider's keys wakes, where all of them rest for `model`.
    fn rested_until(&self, provider: usize, model: &str, now: Instant) -> Option<Instant>;

    /// In what the provider is asked a request that came in `dialect`: in the same, where it speaks that. `None` where it
    /// has no such operation.
    fn api(&self, provider: usize, model: &str, dialect: Dialect) -> Option<Api>;

    /// Where the provider's dialect differs from the norm.
    fn quirks(&self, provider: usize) -> Quirks;
}

/// Why providers cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A key or base address that cannot stand in a request.
    #[error("provider {0}: its {1} cannot be used in a request")]
    Unusable(String, &'static str),
    /// The TLS library refuses its own defaults.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Providers over real sockets: pooled HTTP/1.1, with TLS.
///
/// HTTP/2 would put all calls to a provider on one connection: one dead connection, or the peer's limit of streams,
/// would then look like the silence of every call.
pub struct Upstream {
    providers: Vec<Provider>,
    /// One pool for each connect timeout in use.
    pools: Vec<(Duration, Pool)>,
    /// For what is handed through.
    passing: PassingPool,
    tls: ClientConfig,
    names: Names,
}

struct Provider {
    base: Uri,
    site: Site,
    /// Where operations live whose path is the same for all models: made once.
    addresses: Vec<(Cow<'static, str>, Uri)>,
    authority: HeaderValue,
    apis: Vec<Api>,
    passthrough: Vec<String>,
    keys: KeyRing<Presented>,
    headers: Vec<(HeaderName, HeaderValue)>,
    quirks: Quirks,
}

impl Upstream {
    /// Sets up `providers`, whose places become their names here, and a pool for each of `connect_timeouts`.
    ///
    /// # Errors
    /// [`BuildError`] where a provider cannot be called at all.
    pub fn new(providers: Vec<ProviderSettings>, connect_timeouts: &[Duration]) -> Result<Self, BuildError> {
        Self::naming(providers, connect_timeouts, &Names::of_the_system())
    }

    /// The same, with the hosts' addresses from `names`.
    fn naming(
        providers: Vec<ProviderSettings>,
        connect_timeouts: &[Duration],
        names: &Names,
    ) -> Result<Self, BuildError> {
        let tls = tls()?;
        let mut pools: Vec<(Duration, Pool)> = Vec::new();
        for timeout in connect_timeouts {
            if !pools.iter().any(|(known, _)| known == timeout) {
                pools.push((*timeout, pool(connector(tls.clone(), names, *timeout), POOL_SIZE)));
            }
        }
        let connector = connector(tls.clone(), names, PASSING_CONNECT);
        let providers = providers.into_iter().map(|settings| Provider::new(settings, &connector));
        let providers = providers.collect::<Result<_, _>>()?;
        let passing = passing_pool(connector, PASSING_POOL);
        Ok(Self { providers, pools, passing, tls, names: names.clone() })
    }

    /// Webhooks, reached as providers are: with the same TLS, and host names from the same place.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::new(self.tls.clone(), &self.names)
    }

    /// One exchange, begun at `at`: wall time since 1970, which signatures are made out to.
    async fn exchange(&self, outbound: Outbound, at: Duration) -> Result<Inbound, Failure> {
        let pool = self.pools.iter().find(|(timeout, _)| *timeout == outbound.connect);
        let (Some(provider), Some((_, pool))) = (self.providers.get(outbound.provider), pool) else {
            return Err(Failure::Internal("its provider or pool is not set up"));
        };
        let (key, credential) = provider.keys.take(&outbound.model, Instant::now()).unzip();
        let when = When { at, patience: outbound.connect };
        let mut request = provider.request(outbound)?;
        if let Some(credential) = credential {
            credential.present(&mut request, when).await?;
        }
        let lent = credential.filter(|credential| credential.is_lent());
        let again = lent.map(|lent| (lent, request.clone()));
        let mut response = answer(pool, request).await?;
        if let Some((lent, mut request)) = again
            && response.status() == StatusCode::UNAUTHORIZED
            && lent.turned_down(request.headers())
            && lent.present(&mut request, when).await.is_ok()
        {
            response = answer(pool, request).await?;
        }
        Ok(inbound(response, key))
    }

    async fn hand_through(&self, passing: Passing, at: Duration) -> Result<Inbound, Failure> {
        let (response, key) = self.response_to(passing, at).await?;
        Ok(inbound(response, key))
    }

    async fn response_to(&self, passing: Passing, at: Duration) -> Result<(Response<Incoming>, Option<Key>), Failure> {
        let provider = self.providers.get(passing.provider).ok_or(Failure::Internal("its provider is not set up"))?;
        let (key, credential) = provider.keys.take("", Instant::now()).unzip();
        let request = provider.passed(passing, credential, at).await?;
        let lent = credential.filter(|credential| credential.is_lent());
        let shown = lent.map(|lent| (lent, request.headers().clone()));
        let response = self.passing.request(request).await.map_err(|e| reason::of_request(&e))?;
        if let Some((lent, headers)) = shown
            && response.status() == StatusCode::UNAUTHORIZED
        {
            // Its body is gone: it is the next request that has a new one.
            lent.turned_down(&headers);
        }
        Ok((response, key))
    }
}

impl Transport for Upstream {
    fn send(&self, outbound: Outbound) -> Sending<'_> {
        Box::pin(self.exchange(outbound, wall_clock()))
    }

    fn pass(&self, passing: Passing) -> Sending<'_> {
        Box::pin(self.hand_through(passing, wall_clock()))
    }

    fn switch(&self, passing: Passing) -> Switching<'_> {
        Box::pin(async {
            let mut inbound = self.response_to(passing, wall_clock()).await?.0;
            if inbound.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Ok(Switched::Refused(inbound.status()));
            }
            let upgraded = hyper::upgrade::on(&mut inbound).await.map_err(|_| Failure::ConnectionLost)?;
            let headers = std::mem::take(inbound.headers_mut());
            Ok(Switched::To(headers, Box::new(TokioIo::new(upgraded))))
        })
    }

    fn live_name(&self, provider: usize, model: &str) -> String {
        self.providers.get(provider).map_or_else(String::new, |it| live::name(&it.site, &it.base, model))
    }

    fn lets_pass(&self, provider: usize, path: &str) -> bool {
        self.providers.get(provider).is_some_and(|provider| lets_pass(&provider.passthrough, path))
    }

    fn rest(&self, provider: usize, key: Key, model: Option<&str>, until: Instant) {
        if let Some(provider) = self.providers.get(provider) {
            provider.keys.rest(key, model, until);
        }
    }

    fn spare(&self, provider: usize, key: Key, model: &str, until: Instant) -> bool {
        let now = tokio::time::Instant::now().into_std();
        self.providers.get(provider).is_some_and(|provider| provider.keys.spare(key, model, until, now))
    }

    fn has_fresh_key(&self, provider: usize, model: &str, now: Instant) -> bool {
        self.providers.get(provider).is_some_and(|provider| provider.keys.any_awake(model, now))
    }

    fn keys(&self, provider: usize) -> usize {
        self.providers.get(provider).map_or(0, |provider| provider.keys.len())
    }

    fn rested_until(&self, provider: usize, model: &str, now: Instant) -> Option<Instant> {
        self.providers.get(provider)?.keys.rested_until(model, now)
    }

    fn api(&self, provider: usize, model: &str, dialect: Dialect) -> Option<Api> {
        let Provider { apis, site, .. } = self.providers.get(provider)?;
        let mut served = apis.iter().copied().filter(|api| site.serves(*api, model));
        let same = served.clone().find(|api| api.is(dialect));
        same.or_else(|| served.find(|api| stands_in(*api, dialect)))
    }

    fn quirks(&self, provider: usize) -> Quirks {
        self.providers.get(provider).map(|provider| provider.quirks).unwrap_or_default()
    }
}

/// Whether requests in `dialect` are translated to `api`.
fn stands_in(api: Api, dialect: Dialect) -> bool {
    match api {
        Api::Shared(Dialect::Other(_)) | Api::BedrockCount | Api::Vectors(_) => {
            wants_vectors(dialect) && gives_vectors(api) || wants_a_count(dialect) && counts(api)
        }
        Api::Shared(_) | Api::Cohere | Api::Ollama | Api::Bedrock => dialect.wants_an_answer(),
    }
}

/// Wall time since 1970.
#[expect(clippy::disallowed_types, reason = "what is signed names the wall time it is signed at")]
pub(crate) fn wall_clock() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

async fn answer(pool: &Pool, request: Request<Bytes>) -> Result<Response<Incoming>, Failure> {
    pool.request(request.map(Full::new)).await.map_err(|e| reason::of_request(&e))
}

fn inbound(response: Response<Incoming>, key: Option<Key>) -> Inbound {
    let (head, body) = response.into_parts();
    let body = body.map_err(|e| reason::of_body(&e)).boxed_unsync();
    Inbound { status: head.status, headers: head.headers, body, key }
}

impl Provider {
    /// Tokens, where it wants such, are asked for over `connector`.
    fn new(settings: ProviderSettings, connector: &TimedConnector) -> Result<Self, BuildError> {
        let unusable = |what| BuildError::Unusable(settings.name.to_string(), what);
        let authority = settings.base_url.authority().ok_or_else(|| unusable("base_url"))?;
        let authority = HeaderValue::from_str(authority.as_str()).map_err(|_| unusable("base_url"))?;
        let ProviderSettings { base_url: base, credential, headers, quirks, apis, passthrough, site, .. } = settings;
        let keys = KeyRing::new(credential.presented(connector).ok_or_else(|| unusable("key"))?);
        let mut addresses = Vec::new();
        for api in &apis {
            let path = site.path(Place { api: *api, model: "", stream: false, listed: false });
            if matches!(path, Cow::Borrowed(known) if !known.is_empty()) {
                addresses.push((path.clone(), below(&base, &path).ok_or_else(|| unusable("base_url"))?));
            }
        }
        Ok(Self { base, site, addresses, authority, apis, passthrough, keys, headers, quirks })
    }

    fn address(&self, outbound: &Outbound) -> Option<Uri> {
        let Outbound { api, model, stream, listed, .. } = outbound;
        let path = self.site.path(Place { api: *api, model, stream: *stream, listed: *listed });
        let made = self.addresses.iter().find(|(known, _)| *known == path).map(|(_, uri)| uri.clone());
        made.or_else(|| below(&self.base, &path))
    }

    /// The request, finished but for its credential.
    fn request(&self, outbound: Outbound) -> Result<Request<Bytes>, Failure> {
        const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
        const FRAMES: HeaderValue = HeaderValue::from_static("application/vnd.amazon.eventstream");
        let uri = self.address(&outbound).ok_or(Failure::Internal("its address cannot be made"))?;
        let body = self.site.body(outbound.api, outbound.body).ok_or(Failure::Internal("its body cannot be made"))?;
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.reserve(8 + self.headers.len());
        headers.insert(HOST, self.authority.clone());
        headers.insert(CONTENT_TYPE, JSON);
        let accepted = match outbound.api {
            _ if !outbound.stream || outbound.listed => JSON,
            Api::Bedrock => FRAMES,
            _ => EVENTS,
        };
        headers.insert(ACCEPT, accepted);
        headers.insert(USER_AGENT, AGENT);
        if outbound.api.is(Dialect::Anthropic) && self.site != Site::Vertex {
            headers.insert(VERSION, HeaderValue::from_static(anthropic::Version::June2023.as_str()));
        }
        // Vertex AI has the version in the body.
        for (name, value) in outbound.headers.iter().filter(|(name, _)| self.site != Site::Vertex || *name != VERSION) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(request)
    }
}

impl Provider {
    /// A request as it is handed through: with the provider's key, and the headers that the configuration adds.
    async fn passed(
        &self,
        passing: Passing,
        credential: Option<&Presented>,
        at: Duration,
    ) -> Result<Request<PassingBody>, Failure> {
        if credential.is_some_and(Presented::covers_bodies) {
            return Err(Failure::Internal("what is handed through unread cannot be signed"));
        }
        let Passing { method, path, headers, body, .. } = passing;
        let uri = match &path {
            Path::Below(path) => {
                // Clients may give the path with the prefix of the base address, or without.
                let prefix = self.base.path().trim_end_matches('/');
                let behind = path.strip_prefix(prefix).filter(|behind| behind.starts_with('/')).unwrap_or(path);
                below(&self.base, behind)
            }
            Path::Live(opened) => live::address(&self.site, &self.base, opened),
        };
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri.ok_or(Failure::Internal("its address cannot be made"))?;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers.insert(HOST, self.authority.clone());
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(credential) = credential {
            credential.present(&mut request, When { at, patience: PASSING_CONNECT }).await?;
        }
        Ok(request.map(|_| body))
    }
}

/// The address of `path` below `base`.
fn below(base: &Uri, path: &str) -> Option<Uri> {
    beside(base, &format!("{}{path}", base.path().trim_end_matches('/')))
}

/// The address of `path` where `base` is.
pub(crate) fn beside(base: &Uri, path: &str) -> Option<Uri> {
    let mut parts = base.clone().into_parts();
    parts.path_and_query = path.try_into().ok();
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
#[cfg(feature = "aws")]
mod signed;

#[cfg(test)]
#[cfg(feature = "gcp")]
mod lent;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use llm::Reach;
    use tokio::time::Instant as Clock;

    /// What becomes of a call to a name that is never looked up to its end, and when.
    async fn hung(connect: Duration) -> (Failure, Duration) {
        let names = Names::by(|_| Box::pin(std::future::pending()));
        let settings = ProviderSettings {
            name: "p".into(),
            base_url: Uri::from_static("http://hung.test/v1"),
            credential: Credential::default(),
            headers: Vec::new(),
            quirks: Quirks::default(),
            apis: vec![Api::Shared(Dialect::OpenAiChat)],
            passthrough: Vec::new(),
            site: Site::default(),
        };
        let upstream = Upstream::naming(vec![settings], &[connect], &names).expect("an upstream");
        let outbound = Outbound {
            provider: 0,
            model: "m".into(),
            api: Api::Shared(Dialect::OpenAiChat),
            body: Bytes::new(),
            stream: false,
            listed: false,
            headers: Vec::new(),
            connect,
        };
        let began = Clock::now();
        let sent = upstream.send(outbound).await;
        (sent.expect_err("a failure"), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn f06_a_name_that_hangs_is_a_failure_of_the_name_within_the_connect_timeout() {
        for timeout in [500, 2_000, 10_000].map(Duration::from_millis) {
            let (failure, took) = hung(timeout).await;
            assert!(matches!(failure, Failure::Unreachable(Reach::Dns)), "{failure:?}");
            let most = timeout.min(Duration::from_secs(2)) + Duration::from_millis(2);
            assert!(took <= most, "{took:?} of {timeout:?}");
        }
    }
}
