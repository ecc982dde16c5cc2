//! What may be a secret: a reference that is handed on, or the thing itself, which never is.

use super::fields::variable;
use crate::finding::Findings;

/// It has no `Debug`.
#[derive(Clone, PartialEq)]
pub(super) enum Secret {
    /// Our reference.
    Reference(String),
    /// The secret itself.
    Literal(String),
}

/// Keys that people write where a server asks for none.
const PLACEHOLDERS: &[&str] = &[
    "",
    "none",
    "null",
    "empty",
    "dummy",
    "fake",
    "fake-key",
    "fake_key",
    "anything",
    "not-needed",
    "no-key",
    "ollama",
    "sk-no-key-required",
];

/// Whether it is a key that people write where a server asks for none.
pub(super) fn is_placeholder(key: &str) -> bool {
    PLACEHOLDERS.contains(&key.to_ascii_lowercase().as_str())
}

/// The beginning of a variable that is called after `name`.
pub(super) fn stem(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

impl Secret {
    pub(super) fn new(written: String) -> Self {
        match variable(&written) {
            Some(name) => Self::Reference(format!("${{{name}}}")),
            None => Self::Literal(written),
        }
    }

    /// It as our files may hold it: a literal is a reference to `variable`.
    pub(super) fn reference(&self, variable: &str) -> String {
        match self {
            Self::Reference(reference) => reference.clone(),
            Self::Literal(_) => format!("${{{variable}}}"),
        }
    }

    /// The same, with what is told of it; `note` is what is different even so.
    pub(super) fn told(&self, from: &str, to: &str, variable: &str, note: &str, findings: &mut Findings) -> String {
        let moved = match self {
            Self::Reference(_) => String::new(),
            Self::Literal(_) => format!("a literal secret is not copied: set the variable {variable}"),
        };
        let why = [moved.as_str(), note].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
        match why.is_empty() {
            true => findings.exact(from, to),
            false => findings.approximate(from, to, why),
        }
        self.reference(variable)
    }
}
