//! What Amazon's requests are signed with, as data: made by `config`, read by the signer.
//!
//! Must never be here: how a request is signed (that is `sigv4`), where the credentials come from.

use secrecy::SecretString;
use std::sync::Arc;

/// A key of an AWS account, and the region that its requests go to. It prints no secret.
#[derive(Clone, Debug)]
pub struct AwsCredentials {
    /// The key's name; no secret, it stands in every request.
    pub access_key_id: Arc<str>,
    /// The key itself. It signs and is never sent.
    pub secret_access_key: SecretString,
    /// Comes with keys that end after some hours, and is sent with each request.
    pub session_token: Option<SecretString>,
    /// The region, such as `eu-west-3`: a signature counts in that one alone.
    pub region: Arc<str>,
}
