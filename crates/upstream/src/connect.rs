//! How a connection comes about: name, TCP, TLS, all within one timeout; and how it is kept.

use crate::names::Names;
use crate::reason::ConnectTimeout;
use bytes::Bytes;
use http::Uri;
use http_body::Body;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// The largest response head that is read, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;

/// How long a connection without work is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);

/// Connections that are kept. Follows no redirect, reads no proxy variable, keeps no cookie. A request whose connection
/// turns out to be closed before any of it was sent is sent once more, over another one.
pub(crate) type Pool = Client<TimedConnector, Full<Bytes>>;

type Connector = HttpsConnector<HttpConnector<Names>>;

/// A connector that gives up after `timeout`.
#[derive(Clone)]
pub(crate) struct TimedConnector {
    inner: Connector,
    timeout: Duration,
}

type Connection = <Connector as Service<Uri>>::Response;
type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for TimedConnector {
    type Response = Connection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let timeout = self.timeout;
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(Box::new(ConnectTimeout) as BoxError),
            }
        })
    }
}

/// TLS by the system's roots, or by the built-in ones where the system has none (as in scratch images).
pub(crate) fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()?;
    let builder = match builder.clone().with_native_roots() {
        Ok(rooted) => rooted,
        Err(_) => builder.with_webpki_roots(),
    };
    Ok(builder.with_no_client_auth())
}

/// A connector that has host names from `names`, and gives up after `timeout`.
pub(crate) fn connector(tls: ClientConfig, names: &Names, timeout: Duration) -> TimedConnector {
    let mut http = HttpConnector::new_with_resolver(names.within(timeout));
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_keepalive(Some(Duration::from_secs(60)));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
    TimedConnector { inner: https, timeout }
}

/// A pool that keeps at most `idle` connections without work to one host.
pub(crate) fn pool(connector: TimedConnector, idle: usize) -> Pool {
    client(connector, idle)
}

/// The same, for any body.
pub(crate) fn client<B>(connector: TimedConnector, idle: usize) -> Client<TimedConnector, B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_buf_size(MAX_HEAD)
        .build(connector)
}
