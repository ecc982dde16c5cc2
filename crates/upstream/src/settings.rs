//! What a provider is, and a webhook, as data: made by `config`, read by what calls them.

use crate::credential::Credential;
use crate::site::Site;
use dialects::Quirks;
use http::{HeaderName, HeaderValue, Uri};
use llm::Api;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One provider as configured.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its name, the first half of `provider/model`.
    pub name: Arc<str>,
    /// Scheme, host, port and path prefix of its API, such as `https://api.openai.com/v1`.
    pub base_url: Uri,
    /// How it is shown that requests may be made.
    pub credential: Credential,
    /// Headers added to every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Where it differs from the dialect it speaks.
    pub quirks: Quirks,
    /// What it speaks, at least one: a request in one of them goes out as it came, any other is written in the first.
    pub apis: Vec<Api>,
    /// Paths below `base_url` that clients may have handed through: each itself, or all below one that ends in `/*`.
    pub passthrough: Vec<String>,
    /// How its API is laid out.
    pub site: Site,
}

/// A service that is asked for an opinion.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where it is asked.
    pub url: Uri,
    /// Headers added to every question.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long it may take.
    pub timeout: Duration,
}

/// Without the address below the host, which may be all that keeps others from asking there.
impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, headers, timeout } = self;
        let host = url.host().unwrap_or_default();
        f.debug_struct("WebhookSettings")
            .field("host", &host)
            .field("headers", headers)
            .field("timeout", timeout)
            .finish()
    }
}
