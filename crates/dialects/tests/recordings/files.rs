//! Where the recordings are, and how a check says what it did with them.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Files of `folder` and its folders, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Says a line where it is seen: the test harness swallows what the print macros of a passing test say.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The recordings, or nothing, saying so.
pub(crate) fn recordings() -> Vec<PathBuf> {
    match std::env::var_os("BREAKWATER_RECORDINGS") {
        Some(folder) => files(Path::new(&folder)),
        None => {
            say("skipped: BREAKWATER_RECORDINGS names no folder of recordings");
            Vec::new()
        }
    }
}
