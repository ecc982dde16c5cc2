//! The architecture law: what may depend on what, and the habits a machine can check.
//!
//! Receives the files of the workspace as text, hands on the breaches found. Every rule is a pure
//! function over a [`Tree`], so that each has a fixture that breaks it. Nothing here runs cargo.

mod arrows;
mod bans;
mod dialects;
mod documents;
mod manifest;
mod sources;
mod tree;

use anyhow::Result;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use tree::Tree;

/// One rule broken in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Breach {
    path: String,
    what: String,
}

impl Breach {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Prints every breach; fails where there is one.
pub(crate) fn report(root: &Path) -> Result<ExitCode> {
    let tree = Tree::read(root)?;
    let breaches = check(&tree);
    for breach in &breaches {
        eprintln!("{breach}");
    }
    if breaches.is_empty() {
        println!("the law holds over {} files", tree.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn check(tree: &Tree) -> Vec<Breach> {
    let (manifests, mut breaches) = manifest::read_all(tree);
    breaches.extend(arrows::check(&manifests));
    breaches.extend(bans::check(&manifests));
    breaches.extend(sources::check(tree));
    breaches.extend(dialects::check(tree));
    breaches.extend(documents::check(tree));
    breaches
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn the_workspace_keeps_the_law() {
        let breaches = check(&Tree::read(crate::root()).unwrap());
        let lines: Vec<_> = breaches.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }

    #[test]
    fn a_breach_of_any_rule_reaches_the_report() {
        let machine = ["", "root", "x"].join("/");
        let tree = Tree::of(&[
            (
                "crates/llm/Cargo.toml",
                "[package]\nname = 'llm'\n[dependencies]\nengine.workspace = true\ntokio = '1'\n[lints]\nworkspace = true\n",
            ),
            ("crates/llm/src/lib.rs", "fn headless() {}"),
            ("crates/dialects/src/completions/prompt.rs", "//! without answers"),
            ("ARCHITECTURE.md", "see `crates/gone`"),
            ("notes.txt", &machine),
        ]);
        let paths: Vec<_> = check(&tree).into_iter().map(|breach| breach.path).collect();
        let expected = [
            "crates/llm/Cargo.toml",
            "crates/llm/Cargo.toml",
            "crates/llm/src/lib.rs",
            "crates/dialects/src/completions",
            "ARCHITECTURE.md",
            "notes.txt",
        ];
        assert_eq!(sorted(paths), sorted(expected.map(str::to_owned).to_vec()));
    }

    fn sorted(mut list: Vec<String>) -> Vec<String> {
        list.sort();
        list
    }
}
