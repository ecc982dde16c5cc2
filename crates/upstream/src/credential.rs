//! How it is shown to a provider that a request may be made.
//!
//! Receives what the configuration has; hands on what stands in a request. Nothing here prints a secret.
//! Must never be here: whose turn it is, and which key rests (that is `keys`).

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};

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
}

impl Credential {
    /// Its keys, where it is keys.
    #[must_use]
    pub fn keys(&self) -> &[SecretString] {
        match self {
            Self::Keys { keys, .. } => keys,
        }
    }

    /// Each key, ready to be presented; `None` where one of them cannot stand in a header.
    pub(crate) fn presented(self) -> Option<Vec<Presented>> {
        match self {
            Self::Keys { keys, scheme } => keys.iter().map(|key| in_header(key, scheme)).collect(),
        }
    }
}

fn in_header(key: &SecretString, scheme: Scheme) -> Option<Presented> {
    let mut value = HeaderValue::try_from(format!("{}{}", scheme.prefix(), key.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(Presented::Header(scheme.header(), value))
}

impl Presented {
    /// Puts it into `request`.
    pub(crate) fn present(&self, request: &mut Request<Bytes>) {
        match self {
            Self::Header(name, value) => {
                request.headers_mut().insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_where_their_scheme_says_and_never_print() {
        for (scheme, header, value) in
            [(Scheme::Bearer, "authorization", "Bearer sk-canary"), (Scheme::X_API_KEY, "x-api-key", "sk-canary")]
        {
            let credential = Credential::Keys { keys: vec!["sk-canary".into()], scheme };
            assert!(!format!("{credential:?}").contains("canary"));
            let presented = credential.presented().expect("a plain key");
            assert!(!format!("{presented:?}").contains("canary"));
            let mut request = Request::new(Bytes::new());
            presented[0].present(&mut request);
            assert_eq!(request.headers()[header], value);
        }
    }

    #[test]
    fn no_key_is_no_hindrance_and_one_that_breaks_a_line_is() {
        assert_eq!(Credential::default().presented().map(|keys| keys.len()), Some(0));
        let broken = Credential::Keys { keys: vec!["line\nbreak".into()], scheme: Scheme::Bearer };
        assert!(broken.presented().is_none());
    }
}
