//! A stock HTTP client for the commands that look at a gateway from outside: `demo` and `explain`.
//!
//! Shares no code with the gateway's own way to providers. Must never be here: TLS, retries, what an answer means.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client that keeps its connections.
#[derive(Clone)]
pub(crate) struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// Makes one exchange. The body is `None` where it broke off, or is longer than `most` bytes.
    ///
    /// # Errors
    /// No response came.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<(StatusCode, Option<Bytes>)> {
        let response = self.0.request(request).await.context("the gateway does not answer")?;
        let status = response.status();
        let body = Limited::new(response.into_body(), most).collect().await;
        Ok((status, body.ok().map(Collected::to_bytes)))
    }
}
