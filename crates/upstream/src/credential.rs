//! How it is shown to a provider that a request may be made.
//!
//! Receives what the configuration has; hands on what stands in a request. Nothing here prints a secret.
//! Must never be here: whose turn it is, and which key rests (that is `keys`).

use crate::connect::TimedConnector;
#[cfg(feature = "gcp")]
use crate::google::{GoogleAccount, TokenSource};
#[cfg(feature = "aws")]
use crate::{aws::AwsCredentials, sigv4::Signer};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use llm::Failure;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How it is shown that requests may be made.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Keys, used in turn.
    Keys {
        /// The keys; none where the provider wants none.
        keys: Vec<SecretString>,
        /// How each is presented.
        scheme: Scheme,
    },
    /// A key of Amazon's: it signs each request, and is not sent.
    #[cfg(feature = "aws")]
    Aws(AwsCredentials),
    /// Access tokens of Google's, in the name of this account.
    #[cfg(feature = "gcp")]
    Google(GoogleAccount),
}

/// No key.
impl Default for Credential {
    fn default() -> Self {
        Self::Keys { keys: Vec::new(), scheme: Scheme::default() }
    }
}

/// How a key is presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// As it is, in a header of this name, in small letters.
    Header(&'static str),
}

impl Scheme {
    /// `x-api-key`: Anthropic.
    pub const X_API_KEY: Self = Self::Header("x-api-key");
    /// `x-goog-api-key`: Gemini.
    pub const X_GOOG_API_KEY: Self = Self::Header("x-goog-api-key");
    /// `api-key`: Azure.
    pub const API_KEY: Self = Self::Header("api-key");

    /// The header that the key stands in.
    #[must_use]
    pub fn header(self) -> HeaderName {
        match self {
            Self::Bearer => AUTHORIZATION,
            Self::Header(name) => HeaderName::from_static(name),
        }
    }

    /// What stands before the key there.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer ",
            Self::Header(_) => "",
        }
    }
}

/// One key, ready to be presented.
#[derive(Debug)]
pub(crate) enum Presented {
    /// In a header, its value marked so that it does not print.
    Header(HeaderName, HeaderValue),
    /// By a signature over the whole request.
    #[cfg(feature = "aws")]
    Signed(Signer),
    /// By a token that is good for a while.
    #[cfg(feature = "gcp")]
    Token(TokenSource),
}

/// When a request is sent, and how long it may wait for what has to be asked for first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// Wall time since 1970.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "a signature alone names its time"))]
    pub(crate) at: Duration,
    #[cfg_attr(not(feature = "gcp"), expect(dead_code, reason = "only tokens are asked for"))]
    pub(crate) patience: Duration,
}

impl Credential {
    /// Its keys, where it is keys.
    #[must_use]
    pub fn keys(&self) -> &[SecretString] {
        match self {
            Self::Keys { keys, .. } => keys,
            #[cfg(feature = "aws")]
            Self::Aws(_) => &[],
            #[cfg(feature = "gcp")]
            Self::Google(_) => &[],
        }
    }

    /// Whether it is shown by what is made of the whole request, so that none can be handed through unread.
    #[must_use]
    pub fn covers_bodies(&self) -> bool {
        match self {
            Self::Keys { .. } => false,
            #[cfg(feature = "aws")]
            Self::Aws(_) => true,
            #[cfg(feature = "gcp")]
            Self::Google(_) => false,
        }
    }

    /// Each key, ready to be presented; tokens are asked for over `connector`. `None` where a key cannot stand in a
    /// request.
    #[cfg_attr(not(feature = "gcp"), expect(unused_variables, reason = "keys are there"))]
    pub(crate) fn presented(self, connector: &TimedConnector) -> Option<Vec<Presented>> {
        match self {
            Self::Keys { keys, scheme } => keys.iter().map(|key| in_header(key, scheme)).collect(),
            #[cfg(feature = "aws")]
            Self::Aws(credentials) => Signer::new(credentials).map(|signer| vec![Presented::Signed(signer)]),
            #[cfg(feature = "gcp")]
            Self::Google(account) => Some(vec![Presented::Token(TokenSource::new(account, connector))]),
        }
    }
}

fn in_header(key: &SecretString, scheme: Scheme) -> Option<Presented> {
    let mut value = HeaderValue::try_from(format!("{}{}", scheme.prefix(), key.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(Presented::Header(scheme.header(), value))
}

impl Presented {
    /// Puts it into `request`, which is finished but for this.
    ///
    /// # Errors
    /// [`Failure::NoToken`] where a token was not to be had, [`Failure::Internal`] where nothing can be signed.
    #[cfg_attr(not(feature = "gcp"), expect(clippy::unused_async, reason = "keys are there"))]
    #[cfg_attr(not(any(feature = "aws", feature = "gcp")), expect(unused_variables, reason = "keys are there"))]
    pub(crate) async fn present(&self, request: &mut Request<Bytes>, when: When) -> Result<(), Failure> {
        match self {
            Self::Header(name, value) => {
                request.headers_mut().insert(name.clone(), value.clone());
                Ok(())
            }
            #[cfg(feature = "aws")]
            Self::Signed(signer) => {
                let (method, uri, body) = (request.method().clone(), request.uri().clone(), request.body().clone());
                signer.sign(&method, &uri, request.headers_mut(), &body, when.at)
            }
            #[cfg(feature = "gcp")]
            Self::Token(source) => source.present(request.headers_mut(), when.patience).await,
        }
    }

    /// Whether it is made of the whole request; see [`Credential::covers_bodies`].
    pub(crate) fn covers_bodies(&self) -> bool {
        match self {
            Self::Header(..) => false,
            #[cfg(feature = "aws")]
            Self::Signed(_) => true,
            #[cfg(feature = "gcp")]
            Self::Token(_) => false,
        }
    }

    /// Whether it is lent for a while, so that there may be a better one where it is turned down.
    pub(crate) fn is_lent(&self) -> bool {
        match self {
            Self::Header(..) => false,
            #[cfg(feature = "aws")]
            Self::Signed(_) => false,
            #[cfg(feature = "gcp")]
            Self::Token(_) => true,
        }
    }

    /// Takes in that it was turned down, as it stands in the headers of a request. Whether there may be a better one.
    #[cfg_attr(not(feature = "gcp"), expect(unused_variables, reason = "keys stay what they are"))]
    pub(crate) fn turned_down(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Header(..) => false,
            #[cfg(feature = "aws")]
            Self::Signed(_) => false,
            #[cfg(feature = "gcp")]
            Self::Token(source) => source.distrust(headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::{connector, tls};
    use crate::names::Names;

    const WHEN: When = When { at: Duration::ZERO, patience: Duration::ZERO };

    fn presented(credential: Credential) -> Option<Vec<Presented>> {
        let names = Names::of_the_system();
        credential.presented(&connector(tls().expect("TLS"), &names, Duration::ZERO))
    }

    #[tokio::test]
    async fn keys_stand_where_their_scheme_says_and_never_print() {
        for (scheme, header, value) in
            [(Scheme::Bearer, "authorization", "Bearer sk-canary"), (Scheme::X_API_KEY, "x-api-key", "sk-canary")]
        {
            let credential = Credential::Keys { keys: vec!["sk-canary".into()], scheme };
            assert!(!format!("{credential:?}").contains("canary"));
            let presented = presented(credential).expect("a plain key");
            assert!(!format!("{presented:?}").contains("canary"));
            let mut request = Request::new(Bytes::new());
            assert_eq!(presented[0].present(&mut request, WHEN).await, Ok(()));
            assert_eq!(request.headers()[header], value);
        }
    }

    #[test]
    fn no_key_is_no_hindrance_and_one_that_breaks_a_line_is() {
        assert_eq!(presented(Credential::default()).map(|keys| keys.len()), Some(0));
        let broken = Credential::Keys { keys: vec!["line\nbreak".into()], scheme: Scheme::Bearer };
        assert!(presented(broken).is_none());
    }

    #[cfg(feature = "aws")]
    #[test]
    fn what_signs_never_prints_and_covers_what_is_sent() {
        let credentials = |secret: &str| AwsCredentials {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: secret.into(),
            session_token: Some("canary-token".into()),
            region: "us-east-1".into(),
        };
        let credential = Credential::Aws(credentials("canary"));
        assert!(!format!("{credential:?}").contains("canary") && credential.covers_bodies());
        let shown = presented(credential).expect("a plain key");
        assert!(!format!("{shown:?}").contains("canary") && shown[0].covers_bodies());
        assert!(!Credential::default().covers_bodies());
        assert!(presented(Credential::Aws(credentials("line\nbreak"))).is_none());
    }
}
