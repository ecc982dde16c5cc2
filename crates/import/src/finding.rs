//! What became of one field.

use std::fmt;

/// How well a field could be said in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It means the same.
    Exact,
    /// It is there, with a difference.
    Approximate,
    /// It is not there, and somebody has to do something about it.
    Manual,
    /// It is not there: this version has nothing like it.
    Unsupported,
}

impl Status {
    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Manual => "manual",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What became of one field. Holds no value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How well it could be said.
    pub status: Status,
    /// Where it stands in the other file, as `model_list[0].litellm_params.rpm`.
    pub from: String,
    /// Where it stands in ours; empty where it does not.
    pub to: String,
    /// What is different, or to be done, or why there is nothing; empty where nothing is to be said.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.as_str(), self.from)?;
        if !self.to.is_empty() {
            write!(f, " -> {}", self.to)?;
        }
        if self.why.is_empty() { Ok(()) } else { write!(f, ": {}", self.why) }
    }
}

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn exact(&mut self, from: &str, to: impl Into<String>) {
        self.add(Status::Exact, from, to, "");
    }

    pub(crate) fn approximate(&mut self, from: &str, to: impl Into<String>, why: impl Into<String>) {
        self.add(Status::Approximate, from, to, why);
    }

    pub(crate) fn manual(&mut self, from: &str, why: impl Into<String>) {
        self.add(Status::Manual, from, "", why);
    }

    pub(crate) fn unsupported(&mut self, from: &str, why: impl Into<String>) {
        self.add(Status::Unsupported, from, "", why);
    }

    fn add(&mut self, status: Status, from: &str, to: impl Into<String>, why: impl Into<String>) {
        self.0.push(Finding { status, from: printable(from), to: printable(&to.into()), why: printable(&why.into()) });
    }

    pub(crate) fn into_list(self) -> Vec<Finding> {
        self.0
    }
}

/// Names of the file in a report: one line, harmless on a terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_debug().collect() } else { vec![c] }).collect()
}
