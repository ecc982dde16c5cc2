//! Rules about the text of files: heads, ignored tests, sockets, paths of one machine.

use super::Breach;
use super::tree::Tree;

/// Rooms that may name an HTTP client: upstream talks to providers, the program's demo plays a client.
const CLIENTS: &[&str] = &["crates/upstream/", "crates/breakwater/"];

/// What opens a connection.
const SOCKETS: &[&str] = &["TcpStream::connect", "hyper::client", "hyper_util::client", "hyper_rustls::"];

/// Every text that breaks a rule.
pub(super) fn check(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in tree.iter() {
        if path.ends_with(".rs") {
            breaches.extend(headless(text).map(|what| Breach::new(path, what)));
            breaches.extend(ignored_test(text).map(|what| Breach::new(path, what)));
            breaches.extend(socket(path, text).map(|what| Breach::new(path, what)));
        }
        breaches.extend(machine_path(text).map(|what| Breach::new(path, what)));
    }
    breaches
}

fn headless(text: &str) -> Option<String> {
    (!text.starts_with("//!")).then(|| "opens without `//!`: say what lives here".to_owned())
}

fn ignored_test(text: &str) -> Option<String> {
    let ignores =
        |line: &str| line.starts_with("#[ignore") || line.starts_with("#[cfg_attr") && line.contains("ignore");
    let line = text.lines().position(|line| ignores(line.trim_start()))?;
    Some(format!("line {}: a test that is ignored tests nothing", line + 1))
}

fn socket(path: &str, text: &str) -> Option<String> {
    let own = path.starts_with("crates/") && !path.contains("/tests/") && !path.ends_with("/tests.rs");
    if !own || CLIENTS.iter().any(|room| path.starts_with(room)) {
        return None;
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let grouped = ["use hyper::{", "use hyper_util::{"].iter().find(|group| {
        let imports = code.split(**group).skip(1).filter_map(|rest| rest.split(';').next());
        imports.into_iter().any(|names| names.contains("client::"))
    });
    let opens = SOCKETS.iter().find(|socket| code.contains(**socket)).or(grouped)?;
    Some(format!("`{opens}`: only upstream opens sockets to providers"))
}

/// Absolute paths of the place where the work was done mean nothing to anybody else.
fn machine_path(text: &str) -> Option<String> {
    let inside_a_path = |before: char| before.is_ascii_alphanumeric() || "_-.}*".contains(before);
    let homes = ["work", "root"].map(|home| format!("/{home}/"));
    let found = homes.iter().find_map(|home| {
        let starts = text.match_indices(home.as_str()).map(|(start, _)| start);
        starts.into_iter().find(|start| !text[..*start].ends_with(inside_a_path))
    })?;
    Some(format!("line {}: a path of one machine", text[..found].lines().count().max(1)))
}

#[cfg(test)]
mod tests {
    use super::{check, machine_path};
    use crate::law::tree::Tree;

    fn breaches(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn rules_of_source_files() {
        for (path, text, expected) in [
            ("crates/llm/src/a.rs", "//! Head.\n", 0),
            ("crates/llm/src/a.rs", "// Not a head.\n", 1),
            ("crates/llm/src/a.rs", "", 1),
            ("crates/llm/src/a.rs", "//! Head.\n#[test]\n    #[ignore = \"slow\"]\nfn a() {}", 1),
            ("crates/llm/src/a.rs", "//! Head.\n#[cfg_attr(windows, ignore)]\nfn a() {}", 1),
            ("crates/server/src/a.rs", "//! Head.\nuse hyper_util::client::legacy::Client;", 1),
            ("crates/server/src/a.rs", "//! Head.\nuse hyper_util::{rt::X, client::legacy::Client};", 1),
            ("crates/server/src/a.rs", "//! Head.\nuse hyper_util::{rt::X, server::conn};", 0),
            ("crates/server/src/a.rs", "//! Head.\n#[cfg(test)]\nmod tests { use hyper::client::conn; }", 0),
            ("crates/server/tests/a.rs", "//! Head.\nuse hyper::client::conn;", 0),
            ("crates/upstream/src/a.rs", "//! Head.\nuse hyper_util::client::legacy::Client;", 0),
        ] {
            assert_eq!(breaches(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn paths_of_one_machine() {
        for (before, home, breach) in [
            ("see ", "work", true),
            ("\"", "root", true),
            ("", "work", true),
            ("https://example.org", "work", false),
            ("my", "root", false),
            ("see ", "workers", false),
        ] {
            let text = format!("{before}/{home}/x");
            assert_eq!(machine_path(&text).is_some(), breach, "{text}");
        }
    }
}
