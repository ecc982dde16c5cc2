//! What a provider is, as data: made by `config`, read by the transport.

use dialects::Quirks;
use http::{HeaderName, HeaderValue, Uri};
use secrecy::SecretString;
use std::sync::Arc;

/// One provider as configured.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its name, the first half of `provider/model`.
    pub name: Arc<str>,
    /// Scheme, host, port and path prefix of its API, such as `https://api.openai.com/v1`.
    pub base_url: Uri,
    /// Keys, used in turn; none where the provider wants none.
    pub keys: Vec<SecretString>,
    /// Headers added to every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Where it differs from the dialect it speaks.
    pub quirks: Quirks,
}
