//! ARCHITECTURE.md stays true: every path it names exists.

use super::Breach;
use super::arrows;
use super::tree::Tree;

const DOCUMENT: &str = "ARCHITECTURE.md";

/// First parts that make a quoted word with slashes a path of this workspace, beside the crates' names.
const FOLDERS: &[&str] =
    &["crates", "tests", "benches", "config", "deploy", "fuzz", "xtask", ".ci", ".cargo", ".github", "docs"];
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".yaml", ".yml", ".json", ".py", ".mjs"];

/// Every path named by the document that is not there; nothing while the document is not there itself.
pub(super) fn check(tree: &Tree) -> Vec<Breach> {
    let text = tree.text(DOCUMENT).unwrap_or_default();
    let missing = quoted(text).filter(|word| looks_like_a_path(word) && !exists(tree, word));
    missing.map(|word| Breach::new(DOCUMENT, format!("names `{word}`, which does not exist"))).collect()
}

/// What stands between single backticks; fenced blocks are drawings.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("\n```").step_by(2);
    prose.flat_map(|part| part.lines().flat_map(|line| line.split('`').skip(1).step_by(2)))
}

fn looks_like_a_path(word: &str) -> bool {
    if word.starts_with('/') || word.contains(|c: char| c.is_whitespace() || "*<>{}()$:".contains(c)) {
        return false;
    }
    let Some((first, _)) = word.split_once('/') else {
        return ENDINGS.iter().any(|ending| word.ends_with(ending)) && word.len() > 5;
    };
    FOLDERS.contains(&first) || arrows::crates().any(|name| name == first)
}

/// A path may start at the root, or at a crate: `engine/race` means crates/engine/src/race.rs.
fn exists(tree: &Tree, word: &str) -> bool {
    let (first, rest) = word.split_once('/').unwrap_or((word, ""));
    let inside = format!("crates/{first}/src/{rest}");
    let places = [word.to_owned(), format!("crates/{word}"), format!("{inside}.rs"), inside];
    places.iter().any(|place| tree.holds(place))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::law::tree::Tree;

    #[test]
    fn every_path_it_names_exists() {
        for (text, expected) in [
            ("no paths, `provider/model`, `/v1/models`, `text/event-stream`, `Result<T>`", 0),
            ("`crates/engine`, `engine/race`, `engine/race.rs`, `crates/engine/src/race.rs`, `deny.toml`", 0),
            ("`crates/gone`", 1),
            ("`engine/gone`", 1),
            ("`deploy/gone/check`", 1),
            ("`gone.toml`", 1),
            ("`fuzz/gone`", 1),
            ("`crates/*` and `engine/{a,b}`", 0),
            ("```\ncrates/gone\n```", 0),
            ("drawn:\n```\n`crates/gone`\n```\nand `crates/gone`", 1),
        ] {
            let tree = Tree::of(&[("ARCHITECTURE.md", text), ("crates/engine/src/race.rs", ""), ("deny.toml", "")]);
            assert_eq!(check(&tree).len(), expected, "{text}");
        }
    }

    #[test]
    fn nothing_to_say_before_the_document_exists() {
        assert!(check(&Tree::of(&[("deny.toml", "")])).is_empty());
    }
}
