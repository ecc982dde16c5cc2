//! In whose name tokens are asked for, as Google's credential files say it.
//!
//! Receives the text of a file; hands on requests for a token. Must never be here: sending them, and what comes back.

use super::assertion::assertion;
use crate::transport::{AGENT, JSON};
use bytes::Bytes;
use dialects::escaped;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use rustls::SignatureAlgorithm;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Says that a request comes from no browser, and that an answer comes from the metadata server.
pub(super) const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
pub(super) const GOOGLE: HeaderValue = HeaderValue::from_static("Google");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
/// Where tokens are asked for, unless a file says otherwise.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// In whose name tokens are asked for.
#[derive(Clone, Debug)]
pub enum GoogleAccount {
    /// In that of the machine's own account: this address, of its metadata server, tells the token.
    Machine(Uri),
    /// In that of a service account, whose key signs for it.
    Service(ServiceAccount),
    /// In that of a person, who once let a program ask for them.
    User(UserAccount),
}

/// A service account with its key, which does not print.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: Arc<dyn SigningKey>,
    project: Option<String>,
    tokens: Uri,
}

/// A person's leave.
#[derive(Clone, Debug)]
pub struct UserAccount {
    client: String,
    secret: SecretString,
    leave: SecretString,
    /// Whom requests are billed to; they have to say so, where a person makes them.
    project: Option<HeaderValue>,
    tokens: Uri,
}

/// What files are for that ask for tokens in other ways.
const OTHERS: &[&str] =
    &["external_account", "external_account_authorized_user", "impersonated_service_account", "gdch_service_account"];

/// A credential file; which fields it has goes by its type.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    project_id: Option<String>,
    quota_project_id: Option<String>,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
}

impl GoogleAccount {
    /// Where the metadata server is asked, unless `GCE_METADATA_HOST` says otherwise.
    pub const METADATA_HOST: &str = "metadata.google.internal";

    /// The account of the machine whose metadata server is `host`, perhaps with a port. `None` where that is no host.
    #[must_use]
    pub fn of_the_machine(host: &str) -> Option<Self> {
        let address = Uri::builder().scheme("http").authority(host).path_and_query(METADATA_PATH);
        address.build().ok().map(Self::Machine)
    }

    /// The account that a credential file is for.
    ///
    /// # Errors
    /// What is wrong with the file, without its words, to complete "the file ...".
    pub fn read(json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|_| "is no credential file of Google's")?;
        let tokens = file.token_uri.as_deref().unwrap_or(TOKENS).parse::<Uri>();
        let tokens = tokens.ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
        let tokens = tokens.ok_or("has a token_uri that is no address")?;
        match file.kind.as_str() {
            "service_account" => {
                let email = file.client_email.ok_or("has no client_email")?;
                let key = signing_key(&file.private_key.ok_or("has no private_key")?)?;
                let (key_id, project) = (file.private_key_id, file.project_id);
                Ok(Self::Service(ServiceAccount { email, key_id, key, project, tokens }))
            }
            "authorized_user" => {
                let client = file.client_id.ok_or("has no client_id")?;
                let secret = file.client_secret.ok_or("has no client_secret")?.into();
                let leave = file.refresh_token.ok_or("has no refresh_token")?.into();
                let project = file.quota_project_id.map(HeaderValue::try_from).transpose();
                let project = project.map_err(|_| "has a quota_project_id that is no name")?;
                Ok(Self::User(UserAccount { client, secret, leave, project, tokens }))
            }
            kind => {
                let other = OTHERS.iter().find(|known| **known == kind);
                let kind = other.map_or_else(|| "an unknown type".to_owned(), |kind| format!("type {kind}"));
                Err(format!("is of {kind}; only service_account and authorized_user can be used"))
            }
        }
    }

    /// The project that the file names, if it does.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Machine(_) => None,
            Self::Service(account) => account.project.as_deref(),
            Self::User(account) => account.project.as_ref().and_then(|project| project.to_str().ok()),
        }
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn tokens(&self) -> &Uri {
        match self {
            Self::Machine(tokens)
            | Self::Service(ServiceAccount { tokens, .. })
            | Self::User(UserAccount { tokens, .. }) => tokens,
        }
    }

    /// Whom requests have to name that they are billed to (`x-goog-user-project`): those of persons alone.
    pub(super) fn billed(&self) -> Option<&HeaderValue> {
        match self {
            Self::Machine(_) | Self::Service(_) => None,
            Self::User(account) => account.project.as_ref(),
        }
    }

    /// A request for a token; `since_epoch` is the time of day. `None` where it cannot be signed.
    pub(super) fn request(&self, since_epoch: Duration) -> Option<Request<Bytes>> {
        let form = match self {
            Self::Machine(address) => {
                let mut request = addressed(address, Bytes::new());
                request.headers_mut().insert(FLAVOR, GOOGLE);
                return Some(request);
            }
            Self::Service(ServiceAccount { email, key_id, key, tokens, .. }) => {
                let assertion = assertion(&**key, key_id.as_deref(), email, &tokens.to_string(), since_epoch)?;
                let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                form(&[("grant_type", grant), ("assertion", &assertion)])
            }
            Self::User(UserAccount { client, secret, leave, .. }) => form(&[
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("client_secret", secret.expose_secret()),
                ("refresh_token", leave.expose_secret()),
            ]),
        };
        let mut request = addressed(self.tokens(), form.into());
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(CONTENT_TYPE, FORM);
        Some(request)
    }
}

fn addressed(address: &Uri, body: Bytes) -> Request<Bytes> {
    let host = address.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let mut request = Request::new(body);
    *request.uri_mut() = address.clone();
    let headers = request.headers_mut();
    headers.extend(host.map(|host| (HOST, host)));
    headers.insert(ACCEPT, JSON);
    headers.insert(USER_AGENT, AGENT);
    request
}

/// `pairs` as a form (application/x-www-form-urlencoded).
fn form(pairs: &[(&str, &str)]) -> String {
    let fields: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    fields.join("&")
}

fn signing_key(pem: &str) -> Result<Arc<dyn SigningKey>, &'static str> {
    const UNREADABLE: &str = "has a private_key that cannot be read";
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| UNREADABLE)?;
    let key = any_supported_type(&der).map_err(|_| UNREADABLE)?;
    let is_rsa = key.algorithm() == SignatureAlgorithm::RSA;
    if is_rsa { Ok(key) } else { Err("has a private_key that is none of RSA") }
}

#[cfg(test)]
pub(super) mod tests;
