//! What is publicly known of models: prices, windows, capabilities.
//!
//! Lives here: the data file and the lookup in it. Receives a kind of provider and a model's name; hands on [`Facts`].
//! Must never be here: what a configuration says, what becomes of the facts.
//!
//! The file, `models.json`, is made by `cargo xtask catalogue` and names its source and date. It says what the source
//! says and no more: what it does not know is unknown here, never zero and never "no". Prices are those of plain calls
//! with short questions; where a provider asks more for long ones, or less for batches, the file does not say so. The
//! source tells the most tokens of a question, which for most models is the window of question and answer together and
//! for some less than that, never more.

mod entry;
mod models;
mod name;

pub use models::Models;

use entry::Entry;
use llm::{Capabilities, Price};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const FILE: &str = include_str!("../models.json");

/// What is known of one model at a kind of provider. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts {
    /// What it costs.
    pub price: Option<Price>,
    /// The most tokens of a question, or of question and answer together.
    pub context_window: Option<u64>,
    /// The most tokens of an answer.
    pub max_output_tokens: Option<u64>,
    /// Whether it goes on with an answer whose beginning the request holds.
    pub prefill: Option<bool>,
    /// What else it can do.
    pub capabilities: Capabilities,
}

/// The catalogue. It reads the part of a kind when that is first asked for, and costs nothing before and little after.
#[derive(Debug, Default)]
pub struct Catalogue {
    file: Option<File>,
    read: BTreeMap<String, Models>,
}

/// The parts that are not read yet stay text.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(borrow)]
    kinds: BTreeMap<&'static str, &'static RawValue>,
}

impl Catalogue {
    /// What is known of the models of one kind of provider; nothing where the kind is unknown.
    pub fn models(&mut self, kind: &str) -> &Models {
        // A test reads the whole file, so that what cannot be read is never shipped.
        let file = self.file.get_or_insert_with(|| serde_json::from_str(FILE).unwrap_or_default());
        let part = file.kinds.get(kind).map(|part| part.get());
        let read = || part.and_then(|part| serde_json::from_str(part).ok()).map(Models::new).unwrap_or_default();
        self.read.entry(kind.to_owned()).or_insert_with(read)
    }
}

#[cfg(test)]
mod tests;
