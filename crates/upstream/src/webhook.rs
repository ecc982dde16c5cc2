//! Advisers that are asked over HTTP: a question is the body of a POST, a reply that of a 2xx.
//!
//! Must never be here: what is asked, what a reply means.

use crate::adviser::{Adviser, Asking, Silence};
use crate::connect::{Pool, connector, pool};
use crate::names::Names;
use crate::settings::WebhookSettings;
use crate::transport::{AGENT, JSON};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Collected, Full, LengthLimitError, Limited};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// The longest reply, in bytes.
const MAX_REPLY: usize = 64 * 1024;
/// The most questions under way at one webhook, and so connections to it; others wait, within their time.
const AT_ONCE: usize = 256;
/// The most connections without work that are kept to one host.
const POOL_SIZE: usize = 64;
/// How long a new connection may take, within the time of the question.
const CONNECT: Duration = Duration::from_secs(10);

/// The webhooks of a process, each once, however many routes name it.
pub struct Webhooks {
    pool: Pool,
    /// No more than the configuration has.
    known: Vec<Arc<Webhook>>,
}

impl Webhooks {
    pub(crate) fn new(tls: ClientConfig, names: &Names) -> Self {
        Self { pool: pool(connector(tls, names, CONNECT), POOL_SIZE), known: Vec::new() }
    }

    /// The one that is set up so.
    pub fn of(&mut self, settings: &WebhookSettings) -> Arc<dyn Adviser> {
        self.known(settings)
    }

    fn known(&mut self, settings: &WebhookSettings) -> Arc<Webhook> {
        if let Some(webhook) = self.known.iter().find(|webhook| webhook.settings == *settings) {
            return Arc::clone(webhook);
        }
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let webhook = Arc::new(Webhook { settings: settings.clone(), pool: self.pool.clone(), places });
        self.known.push(Arc::clone(&webhook));
        webhook
    }
}

/// A service that is asked for an opinion.
#[derive(Debug)]
struct Webhook {
    settings: WebhookSettings,
    pool: Pool,
    places: Arc<Semaphore>,
}

impl Webhook {
    fn request(&self, question: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(question));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.settings.url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, AGENT);
        for (name, value) in &self.settings.headers {
            headers.insert(name.clone(), value.clone());
        }
        request
    }
}

impl Adviser for Webhook {
    fn ask(&self, question: Bytes, by: Instant) -> Asking {
        let by = by.min(tokio::time::Instant::now().into_std() + self.settings.timeout);
        let exchange = exchange(self.pool.clone(), Arc::clone(&self.places), self.request(question));
        Box::pin(async move { timeout_at(by.into(), exchange).await.unwrap_or(Err(Silence::Timeout)) })
    }
}

async fn exchange(pool: Pool, places: Arc<Semaphore>, request: Request<Full<Bytes>>) -> Result<Bytes, Silence> {
    // Nobody closes it.
    let _place = places.acquire().await.map_err(|_| Silence::Unreachable)?;
    let sent = pool.request(request).await;
    let response = sent.map_err(|e| if e.is_connect() { Silence::Unreachable } else { Silence::Broken })?;
    if !response.status().is_success() {
        return Err(Silence::Status(response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), MAX_REPLY).collect().await;
    body.map(Collected::to_bytes)
        .map_err(|e| if e.is::<LengthLimitError>() { Silence::TooLarge } else { Silence::Broken })
}

#[cfg(test)]
pub(crate) mod tests;
