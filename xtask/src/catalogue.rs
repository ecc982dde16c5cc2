//! crates/catalogue/models.json: facts of models, made from a price list of others.
//!
//! Receives LiteLLM's `model_prices_and_context_window` as JSON; writes what `crates/catalogue` reads. Facts alone are
//! taken: numbers and yes or no, under names of our own. What the list does not say stays unsaid.

mod entry;
mod kinds;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the catalogue is kept, from the root of the workspace.
const FILE: &str = "crates/catalogue/models.json";

/// What to read, and what to say of it.
#[derive(Args)]
pub(crate) struct Options {
    /// The price list, as JSON; `-` reads standard input
    file: PathBuf,
    /// Where the list comes from, with its version and licence
    #[arg(long)]
    source: String,
    /// The day of the list, as YYYY-MM-DD
    #[arg(long)]
    date: String,
}

/// Models by kind of provider and name.
type Kinds = BTreeMap<&'static str, BTreeMap<String, Value>>;

/// Writes the catalogue.
pub(crate) fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    let list = read(&options.file)?;
    let list: Map<String, Value> = serde_json::from_str(&list).context("the price list is no JSON object")?;
    let kinds = kinds(&list);
    let models: usize = kinds.values().map(BTreeMap::len).sum();
    let text = written(&kinds, &options.source, &options.date);
    std::fs::write(root.join(FILE), &text).with_context(|| format!("cannot write {FILE}"))?;
    println!("wrote {FILE}: {models} models of {} kinds, {} KiB", kinds.len(), text.len() >> 10);
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What is known of the models of the kinds that there are. A name that comes with its provider in front is the more
/// exact one, and stands against the same name alone.
fn kinds(list: &Map<String, Value>) -> Kinds {
    let mut kinds = Kinds::new();
    let placed = |prefixed: bool| {
        let entries = list.iter().filter_map(|(key, facts)| Some((kinds::place(key, facts)?, facts)));
        entries.filter(move |(place, _)| place.prefixed == prefixed)
    };
    for (place, facts) in placed(false).chain(placed(true)) {
        if let Some(entry) = entry::entry(facts, place.is_free()) {
            kinds.entry(place.kind).or_default().insert(place.model.to_owned(), entry);
        }
    }
    kinds
}

/// The file: a line for each model, so that a difference between two versions can be read.
fn written(kinds: &Kinds, source: &str, date: &str) -> String {
    let about =
        "Made by `cargo xtask catalogue`. Prices in US dollars for a million tokens; what is absent is unknown.";
    let mut text = String::from("{\n");
    for (key, value) in [("about", about), ("source", source), ("date", date)] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\"{key}\":{},", json!(value));
    }
    text.push_str("\"kinds\":{");
    for (place, (kind, models)) in kinds.iter().enumerate() {
        let _ = write!(text, "{}\n\"{kind}\":{{", if place == 0 { "" } else { "," });
        for (place, (model, entry)) in models.iter().enumerate() {
            let _ = write!(text, "{}\n{}:{entry}", if place == 0 { "" } else { "," }, json!(model));
        }
        text.push_str("\n}");
    }
    text.push_str("\n}}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_a_catalogue() {
        let list = json!({
            "sample_spec": { "litellm_provider": "one of many", "mode": "one of: chat" },
            "gpt-4o": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-6,
                        "output_cost_per_token": 1e-5, "max_input_tokens": 128_000 },
            "dall-e-3": { "litellm_provider": "openai", "mode": "image_generation", "max_input_tokens": 9 },
            "gemini-x": { "litellm_provider": "vertex_ai-language-models", "mode": "chat", "max_input_tokens": 1 },
            "vertex_ai/gemini-x": { "litellm_provider": "vertex_ai", "mode": "chat", "max_input_tokens": 2 },
            "us.a.b-v1:0": { "litellm_provider": "bedrock_converse", "mode": "chat", "supports_vision": false },
            "silent": { "litellm_provider": "openai", "mode": "chat" },
        });
        let Value::Object(list) = list else { unreachable!() };
        let text = written(&kinds(&list), "a list", "2026-11-29");
        let made: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "bedrock": { "us.a.b-v1:0": { "cannot": "vision" } },
            "openai": { "gpt-4o": { "price": { "in": 2.5, "out": 10.0 }, "context": 128_000 } },
            "vertex": { "gemini-x": { "context": 2 } },
        });
        assert_eq!(made["kinds"], expected);
        assert_eq!(made["date"], "2026-11-29");
        assert_eq!(text.lines().filter(|line| line.contains("gpt-4o")).count(), 1);
    }
}
