//! What is known of providers and their models before any call, as data: made by `config`, carried by candidates.

use llm::Prefill;
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
    /// What is known of all others.
    pub others: ModelFacts,
}

/// One model at one provider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelFacts {
    /// The most tokens of question and answer together; `None` is unknown.
    pub context_window: Option<u64>,
    /// Whether it goes on with a given beginning.
    pub prefill: Prefill,
    /// What it costs; `None` is unknown.
    pub price: Option<Price>,
}

/// What a model costs, in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Of the question.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
}
