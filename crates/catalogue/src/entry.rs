//! A model as the file says it.

use crate::Facts;
use llm::{Capabilities, Capability, Price};
use serde::Deserialize;

/// One line of the file. Its words are few because the lines are many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    price: Option<Cost>,
    context: Option<u64>,
    output: Option<u64>,
    /// Capabilities that it has, with a space between them.
    #[serde(default)]
    can: &'static str,
    /// Those that it lacks.
    #[serde(default)]
    cannot: &'static str,
}

/// US dollars for a million tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    #[serde(rename = "in")]
    input: f64,
    /// Absent where an answer has no tokens.
    #[serde(rename = "out", default)]
    output: f64,
    cached: Option<f64>,
    written: Option<f64>,
}

/// The one capability that is more than yes or no elsewhere.
const PREFILL: &str = "prefill";

impl Entry {
    /// What it tells.
    pub(crate) fn facts(&self) -> Facts {
        let price = self.price.as_ref().map(|cost| Price {
            input: cost.input,
            output: cost.output,
            cached_input: cost.cached,
            cache_write: cost.written,
        });
        let told = [(self.can, true), (self.cannot, false)];
        let words = told.iter().flat_map(|(words, has)| words.split(' ').map(|word| (word, *has)));
        let (mut prefill, mut capabilities) = (None, Capabilities::default());
        for (word, has) in words {
            match Capability::from_word(word) {
                Some(capability) => capabilities = capabilities.with(capability, has),
                None if word == PREFILL => prefill = Some(has),
                None => {}
            }
        }
        Facts { price, context_window: self.context, max_output_tokens: self.output, prefill, capabilities }
    }

    /// Every word of its capabilities.
    #[cfg(test)]
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.can, self.cannot].into_iter().flat_map(|words| words.split(' ')).filter(|word| !word.is_empty())
    }
}
