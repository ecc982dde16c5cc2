//! A block that is being read, and what is held of it until it ends.
//!
//! Must never be here: what is handed on at once.

use llm::{Delta, Dialect, Seal, SealKind};

/// A block between its first event and its last.
#[derive(Debug)]
pub(super) struct Open {
    /// The place that the provider gives it.
    pub(super) index: Option<u32>,
    pub(super) kind: Kind,
}

/// What is being read.
#[derive(Debug)]
pub(super) enum Kind {
    /// A thought, with what has come of its signature.
    Thought(String),
    /// A call, and whether any of its input has come.
    Call { call: u32, added: bool },
    /// What the provider ran itself, or something else that is no noun of ours: what follows of it goes the same way.
    Other,
}

impl Open {
    /// What is told of it at its end.
    pub(super) fn close(self) -> Option<Delta> {
        match self.kind {
            Kind::Thought(signature) if !signature.is_empty() => {
                Some(Delta::ThoughtSealed { choice: 0, seal: own(&signature, SealKind::Signature) })
            }
            // Arguments are JSON, and nothing is not.
            Kind::Call { call, added: false } => Some(Delta::Arguments { choice: 0, call, text: "{}".into() }),
            Kind::Thought(_) | Kind::Call { .. } | Kind::Other => None,
        }
    }
}

/// What has to come back with a thought. Of those that Bedrock serves, Claude alone signs, and its signatures are the
/// same wherever it runs.
pub(super) fn own(token: &str, kind: SealKind) -> Seal {
    Seal { of: Dialect::Anthropic, kind, token: token.into() }
}
