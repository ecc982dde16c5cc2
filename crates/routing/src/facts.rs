//! What is known of providers and their models before any call, as data: made by `config`, carried by candidates.

use llm::{Capabilities, Prefill, Price};
use std::collections::HashMap;
use std::sync::Arc;

/// One provider, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderFacts {
    /// Its name, the first half of `provider/model`.
    pub name: Arc<str>,
    /// The failure domains it lies in, in words such as `vendor api.openai.com` or `region eu at api.openai.com`:
    /// targets that share one fail together.
    pub domains: Vec<Arc<str>>,
    /// What is known of models by name.
    pub models: HashMap<Arc<str>, ModelFacts>,
    /// What is known by name of those that only clients name; many providers may share it. It yields to `models`.
    pub listed: Arc<HashMap<Arc<str>, ModelFacts>>,
    /// What is known of all others.
    pub others: ModelFacts,
}

/// One model at one provider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelFacts {
    /// The most tokens of question and answer together; `None` is unknown.
    pub context_window: Option<u64>,
    /// The most tokens of an answer; `None` is unknown.
    pub max_output_tokens: Option<u64>,
    /// Whether it goes on with a given beginning.
    pub prefill: Prefill,
    /// What it costs; `None` is unknown.
    pub price: Option<Price>,
    /// What else it can do.
    pub capabilities: Capabilities,
    /// Which of these the catalogue told, and not the configuration.
    pub listed: Listed,
}

/// Which facts of a model come from the catalogue of models. All others are the configuration's, or the kind's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its `context_window`.
    pub context_window: bool,
    /// Its `max_output_tokens`.
    pub max_output_tokens: bool,
    /// Its `price`, or what of it the configuration does not say.
    pub price: bool,
    /// Its `prefill` and `capabilities`, or what of them the configuration does not say.
    pub capabilities: bool,
}
