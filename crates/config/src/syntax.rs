//! Text to a tree: YAML (and JSON, which is YAML) or TOML.
//!
//! Hands on the tree or one fault with its line and column.
//! Must never be here: snippets of the file in a message, for the line may hold a secret.

use crate::fault::Fault;
use crate::source::Format;
use serde_json::Value;

/// Nesting deeper than any configuration, shallow enough for every stack.
const DEPTH: usize = 64;
/// Nodes in a file, those that its aliases repeat included.
const NODES: usize = 100_000;
/// Bytes of all scalars, those that its aliases repeat included.
const SCALAR_BYTES: usize = 4 << 20;

/// The tree behind a text.
pub(crate) fn tree(text: &str, format: Format) -> Result<Value, Fault> {
    let value = match format {
        Format::Yaml => yaml(text)?,
        Format::Toml => toml(text)?,
    };
    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    if empty { Err(Fault::new("", "the file is empty")) } else { Ok(value) }
}

fn yaml(text: &str) -> Result<Value, Fault> {
    let budget = serde_saphyr::budget! {
        max_depth: DEPTH,
        max_nodes: NODES,
        max_total_scalar_bytes: SCALAR_BYTES,
    };
    let options = serde_saphyr::options! { budget: budget, with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (path, place) = match error.location() {
            Some(location) => (
                format!("line {}, column {}", location.line(), location.column()),
                format!(" at line {}, column {}", location.line(), location.column()),
            ),
            None => (String::new(), String::new()),
        };
        Fault::new(path, error.render_with_formatter(&serde_saphyr::UserMessageFormatter).replace(&place, ""))
    })
}

fn toml(text: &str) -> Result<Value, Fault> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let path = before.map_or_else(String::new, |before| {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            format!("line {line}, column {column}")
        });
        Fault::new(path, error.message())
    })
}
