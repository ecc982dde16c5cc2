//! Amazon's signatures, version 4, for requests to Bedrock.
//!
//! Receives a finished request and the time; hands on the headers that show by whose leave it is made.
//! Must never be here: where the credentials come from, a clock.

use crate::aws::AwsCredentials;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningInstructions, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use llm::Failure;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The name that Bedrock's signatures are made out to, its runtime and its control plane alike (botocore's
/// `bedrock-runtime` model, `signingName`).
const SERVICE: &str = "bedrock";
/// Who vouches for the credentials; it is in no request.
const SOURCE: &str = "configuration";
/// The last second that a date of four digits for the year can name.
const LAST: Duration = Duration::from_secs(253_402_300_799);
/// What Amazon reads itself; each that is sent has to be signed.
const AMAZONS: &str = "x-amz";
/// What an earlier signature may have left behind. Of these, the hash of the body is asked for by S3 alone.
const EARLIER: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

/// Signs requests with one key, for one region. It prints no secret.
#[derive(Debug)]
pub(crate) struct Signer {
    credentials: Credentials,
    region: Arc<str>,
}

impl Signer {
    /// A signer with `credentials`; `None` where a part of them is empty, or holds blanks or what cannot stand in a
    /// header: Amazon would answer each request with 403.
    pub(crate) fn new(credentials: AwsCredentials) -> Option<Self> {
        let AwsCredentials { access_key_id, secret_access_key, session_token, region } = credentials;
        let secret = secret_access_key.expose_secret();
        let token = session_token.as_ref().map(SecretString::expose_secret);
        let parts = [Some(&*access_key_id), Some(secret), token, Some(&*region)];
        let sound = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        if !parts.into_iter().flatten().all(sound) {
            return None;
        }
        let credentials = Credentials::new(&*access_key_id, secret, token.map(str::to_owned), None, SOURCE);
        Some(Self { credentials, region })
    }

    /// Signs a request as it stands at `at`, wall time since 1970, which has to be within five minutes of Amazon's:
    /// the path and query as they go over the wire, `body` whole, and of the headers the host, the content type and
    /// Amazon's own. What proxies may touch is not signed. Puts `authorization`, `x-amz-date` and, with a session
    /// token, `x-amz-security-token` into `headers`, in place of those that are there; none of them prints a secret.
    ///
    /// The path is percent-encoded once more before it is signed, so that `%3A` on the wire is signed as `%253A`
    /// (botocore does so for every service but S3). Later changes of what is signed make the signature void.
    ///
    /// # Errors
    /// [`Failure::Internal`] where there is no host, a header to be signed is not visible ASCII, or the year has more
    /// than four digits.
    pub(crate) fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: &[u8],
        at: Duration,
    ) -> Result<(), Failure> {
        for name in &EARLIER {
            headers.remove(name);
        }
        for (name, value) in self.signature(method, uri, headers, body, at)? {
            headers.insert(name, value);
        }
        Ok(())
    }

    /// The headers that a signature consists of.
    fn signature(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        at: Duration,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        // Without either, and beyond the last date, the library panics.
        if uri.host().is_none() && !headers.contains_key(HOST) {
            return Err(Failure::Internal("a request without a host cannot be signed"));
        }
        if at > LAST {
            return Err(Failure::Internal("its date cannot be written"));
        }
        let signed = to_sign(headers)?;
        let body = SignableBody::Bytes(body);
        let request =
            SignableRequest::new(method.as_str(), uri.to_string(), signed.into_iter(), body).map_err(|_| UNSIGNED)?;
        let identity = self.credentials.clone().into();
        // Its defaults are what Bedrock wants: the path encoded once more, the token signed, no hash beside the body.
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(UNIX_EPOCH + at)
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| UNSIGNED)?;
        let (instructions, _) = sign(request, &params.into()).map_err(|_| UNSIGNED)?.into_parts();
        made(instructions)
    }
}

const UNSIGNED: Failure = Failure::Internal("its signature cannot be made");

/// The headers that are signed.
fn to_sign(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, Failure> {
    let signed = |name: &HeaderName| *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with(AMAZONS);
    headers.iter().filter(|(name, _)| signed(name)).map(|(name, value)| Ok((name.as_str(), text(value)?))).collect()
}

fn text(value: &HeaderValue) -> Result<&str, Failure> {
    value.to_str().map_err(|_| Failure::Internal("a header of it cannot be signed"))
}

/// The headers as they are sent, those marked that say who asks.
fn made(instructions: SigningInstructions) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let (headers, _) = instructions.into_parts();
    let made = headers.into_iter().map(|header| {
        let name = HeaderName::from_static(header.name());
        let mut value = HeaderValue::try_from(header.value()).map_err(|_| UNSIGNED)?;
        value.set_sensitive(header.sensitive() || name == AUTHORIZATION);
        Ok((name, value))
    });
    made.collect()
}

#[cfg(test)]
mod tests;
