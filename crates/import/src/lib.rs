//! Configurations of other gateways in the words of this one.
//!
//! Lives here: what each of their keys becomes, and what is told of those that become nothing.
//! Receives the text of a file; hands on the text of ours and a [`Finding`] for each field.
//! Must never be here: files, the environment, secrets in what is handed on.

mod finding;
mod gateway;
mod litellm;
mod yaml;

pub use finding::{Finding, Status};
pub use litellm::litellm;

/// What a file of another gateway comes to.
#[derive(Clone, Debug)]
pub struct Import {
    /// Our file, as YAML. Literal secrets of the other are references in it.
    pub file: String,
    /// One for each field of the other, in the order of its sections.
    pub findings: Vec<Finding>,
}

impl Import {
    /// Whether every field has a place in our file, and means the same there.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.findings.iter().all(|finding| finding.status == Status::Exact)
    }
}
