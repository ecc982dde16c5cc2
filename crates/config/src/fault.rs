//! What is wrong with a file, and where.
//!
//! Must never be here: the value of a secret. Messages quote what the file says, never what a
//! reference in it stands for.

use std::fmt;

/// One thing wrong, or worth a warning, in a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `routes.chat.targets[1]`, `line 3, column 5`, or empty for the file as a whole.
    pub path: String,
    /// What, in words for the person who wrote the file.
    pub message: String,
}

impl Fault {
    /// A fault at a place.
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// Faults and warnings for a person, one a line.
#[must_use]
pub fn render(faults: &[Fault], warnings: &[Fault]) -> String {
    let faults = faults.iter().map(|fault| format!("fault: {fault}\n"));
    let warnings = warnings.iter().map(|warning| format!("warning: {warning}\n"));
    faults.chain(warnings).collect()
}

/// A place in the file, grown on the way down.
#[derive(Clone)]
pub(crate) struct At(String);

impl At {
    /// The file as a whole.
    pub(crate) fn root() -> Self {
        Self(String::new())
    }

    /// The value under `key`.
    pub(crate) fn key(&self, key: &str) -> Self {
        let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        match (plain, self.0.is_empty()) {
            (true, true) => Self(key.to_owned()),
            (true, false) => Self(format!("{}.{key}", self.0)),
            (false, _) => Self(format!("{}[\"{}\"]", self.0, clipped(key))),
        }
    }

    /// The value at `index` of a list.
    pub(crate) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path as people read it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The file's own words in a message: short, and harmless on a terminal.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", clipped(text))
}

/// The nearest of `known`, worded as a question, or nothing where none is near.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let word = clipped(word);
    let nearest = known.into_iter().map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate)).min();
    match nearest {
        Some((distance, candidate)) if distance <= (word.chars().count() / 3).max(1) => {
            format!(" (did you mean {}?)", quote(candidate))
        }
        _ => String::new(),
    }
}

fn clipped(text: &str) -> String {
    const SHOWN: usize = 60;
    let start: String = text.chars().take(SHOWN).collect();
    let dots = if start.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", start.escape_debug())
}
