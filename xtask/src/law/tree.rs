//! The files of the workspace as text, by path from the root, slashes forward.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Folders that hold what tools made, wherever they are. A build folder elsewhere is known by cargo's CACHEDIR.TAG;
/// the usual one may be older than cargo's first build.
const MADE_BY_TOOLS: &[&str] = &[".git", "node_modules", "target", ".venv", "__pycache__"];

/// What fuzzing leaves behind: mutated bytes of all kinds, and too many of them to read.
const MADE_BY_FUZZING: &[&str] = &["fuzz/artifacts", "fuzz/corpus", "fuzz/coverage"];

/// Path to text; a file that is not UTF-8 has an empty text.
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads everything below `root` that is not made by tools. Links are not followed.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        walk(root, "", &mut files)?;
        Ok(Self(files))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Whether `path` is a file, or a folder that holds one.
    pub(super) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        self.0.contains_key(path)
            || self.0.range(inside.clone()..).next().is_some_and(|(next, _)| next.starts_with(&inside))
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    if folder.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type()?;
        let path = format!("{prefix}{name}");
        if kind.is_dir() && !is_made(&path, &name) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() && name != ".git" {
            let text = String::from_utf8(std::fs::read(entry.path())?).unwrap_or_default();
            files.insert(path, text);
        }
    }
    Ok(())
}

/// Whether a folder holds what tools made.
fn is_made(path: &str, name: &str) -> bool {
    MADE_BY_TOOLS.contains(&name) || MADE_BY_FUZZING.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::{Tree, is_made};

    #[test]
    fn what_tools_made_is_not_read() {
        for (path, made) in [
            ("target", true),
            ("crates/llm/target", true),
            ("fuzz/corpus", true),
            ("fuzz/artifacts", true),
            ("fuzz/seeds", false),
            ("crates/contracts/tests/corpus", false),
        ] {
            assert_eq!(is_made(path, path.rsplit('/').next().unwrap_or(path)), made, "{path}");
        }
    }

    #[test]
    fn holds_files_and_folders_but_not_halves_of_names() {
        let tree = Tree::of(&[("crates/llm/src/lib.rs", ""), ("crates/llm-extra/a", "")]);
        for (path, held) in [
            ("crates/llm", true),
            ("crates/llm/", true),
            ("crates/llm/src/lib.rs", true),
            ("crates/ll", false),
            ("crates/llm-extra", true),
            ("crates/llm/src/lib", false),
        ] {
            assert_eq!(tree.holds(path), held, "{path}");
        }
    }
}
