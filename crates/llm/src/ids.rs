//! Names of things: short, shared, cheap to clone.

use std::fmt;
use std::sync::Arc;

/// One model at one provider, written `provider/model`.
///
/// The model may itself contain slashes (`openrouter/meta/llama-3`): the provider ends at the first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The model's name as the provider knows it.
    pub model: Arc<str>,
}

impl TargetId {
    /// Splits `provider/model`; `None` where either half is missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, model) = text.split_once('/')?;
        if provider.is_empty() || model.is_empty() {
            return None;
        }
        Some(Self { provider: provider.into(), model: model.into() })
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// A name with its place in a table whose size is fixed at start.
///
/// Metrics are indexed by the place, so that no label is looked up while a call runs;
/// people read the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Place in the table the label was made for (routes, callers or targets).
    pub index: usize,
    /// What a person reads.
    pub name: Arc<str>,
}

impl Label {
    /// A label at `index` named `name`.
    #[must_use]
    pub fn new(index: usize, name: impl Into<Arc<str>>) -> Self {
        Self { index, name: name.into() }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Identifies one call, in logs, headers and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest id taken from a client; longer ones are replaced by our own.
    pub const MAX_LEN: usize = 128;

    /// Takes a client's id if it is short, printable ASCII without spaces or quotes.
    #[must_use]
    pub fn from_client(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::MAX_LEN;
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        (fits && plain).then(|| Self(text.into()))
    }

    /// An id made by the gateway itself.
    #[must_use]
    pub fn minted(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_splits_at_the_first_slash() {
        for (text, expected) in [
            ("openai/gpt-4o", Some(("openai", "gpt-4o"))),
            ("openrouter/meta/llama", Some(("openrouter", "meta/llama"))),
            ("gpt-4o", None),
            ("/gpt", None),
            ("openai/", None),
        ] {
            let parsed = TargetId::parse(text);
            let halves = parsed.as_ref().map(|t| (&*t.provider, &*t.model));
            assert_eq!(halves, expected, "{text}");
        }
    }

    #[test]
    fn a_clients_request_id_is_taken_only_if_harmless() {
        assert!(RequestId::from_client("abc-123").is_some());
        for bad in ["", "a b", "a\nb", "a\"b", &"x".repeat(129)] {
            assert!(RequestId::from_client(bad).is_none(), "{bad:?}");
        }
    }
}
