//! One folder for each dialect, with the same five files in each: who has read one finds the way in all.

use super::Breach;
use super::tree::Tree;
use std::collections::BTreeSet;

const ROOM: &str = "crates/dialects/src/";

/// What each dialect has, as a file or as a folder: requests read and written, answers told anew, streams and whole answers
/// judged as they come, and failures.
const FIVE: &[&str] = &["prompt", "answer", "stream", "whole", "error"];

/// Dialects in which no provider is asked, so that no answer of one is read and none fails.
const OF_CLIENTS_ALONE: &[&str] = &["completions"];
const TWO: &[&str] = &["prompt", "answer"];

/// Folders that are no dialect: what all of them share, operations whose bodies are read thinly, and the framing of talks.
const NO_DIALECT: &[&str] = &["advice", "counts", "json", "other", "vectors", "websocket"];

/// Every file that a dialect lacks.
pub(super) fn check(tree: &Tree) -> Vec<Breach> {
    let folders: BTreeSet<&str> = tree.iter().filter_map(|(path, _)| folder(path)).collect();
    let dialects = folders.into_iter().filter(|name| !NO_DIALECT.contains(name));
    dialects.flat_map(|name| lacking(tree, name)).collect()
}

/// The folder of the room that holds `path`.
fn folder(path: &str) -> Option<&str> {
    path.strip_prefix(ROOM)?.split_once('/').map(|(folder, _)| folder)
}

fn lacking(tree: &Tree, dialect: &str) -> Vec<Breach> {
    let has = |part: &str| {
        let place = format!("{ROOM}{dialect}/{part}");
        tree.holds(&format!("{place}.rs")) || tree.holds(&format!("{place}/mod.rs"))
    };
    let wanted = if OF_CLIENTS_ALONE.contains(&dialect) { TWO } else { FIVE };
    let missing = wanted.iter().filter(|part| !has(part)).map(|part| {
        let what =
            format!("has no `{part}`: every dialect has {}, and what is none is named in the law", wanted.join(", "));
        Breach::new(format!("{ROOM}{dialect}"), what)
    });
    missing.collect()
}

#[cfg(test)]
mod tests {
    use super::{FIVE, ROOM, check};
    use crate::law::tree::Tree;

    fn breaches(files: &[String]) -> usize {
        let files: Vec<(&str, &str)> = files.iter().map(|path| (path.as_str(), "")).collect();
        check(&Tree::of(&files)).len()
    }

    /// A folder with these files.
    fn folder(name: &str, files: &[&str]) -> Vec<String> {
        files.iter().map(|file| format!("{ROOM}{name}/{file}")).collect()
    }

    #[test]
    fn every_dialect_has_the_same_five_as_files_or_as_folders() {
        let files: Vec<String> = FIVE.iter().map(|part| format!("{part}.rs")).collect();
        let folders: Vec<String> = FIVE.iter().map(|part| format!("{part}/mod.rs")).collect();
        for five in [&files, &folders] {
            let five: Vec<&str> = five.iter().map(String::as_str).collect();
            assert_eq!(breaches(&folder("anthropic", &five)), 0, "{five:?}");
            for lost in 0..five.len() {
                let mut rest = five.clone();
                rest.remove(lost);
                assert_eq!(breaches(&folder("anthropic", &rest)), 1, "without {}", five[lost]);
            }
        }
    }

    #[test]
    fn a_newcomer_is_a_dialect_unless_the_law_names_it() {
        for (name, files, expected) in [
            ("newcomer", &["mod.rs"][..], 5),
            ("completions", &["prompt/mod.rs", "answer.rs"], 0),
            ("completions", &["prompt/mod.rs"], 1),
            // A folder with nothing of its own name in it is no module.
            ("completions", &["prompt/mod.rs", "answer/read.rs"], 1),
            ("json", &["ends.rs"], 0),
        ] {
            assert_eq!(breaches(&folder(name, files)), expected, "{name}: {files:?}");
        }
        assert_eq!(breaches(&[format!("{ROOM}lib.rs"), "crates/llm/src/new/mod.rs".to_owned()]), 0);
    }
}
