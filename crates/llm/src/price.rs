//! What tokens cost.

/// What a model costs, in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Of the question.
    pub input: f64,
    /// Of the answer; 0 where it has none, as with vectors.
    pub output: f64,
    /// Of the part of the question that is read from the provider's cache; `None` is unknown.
    pub cached_input: Option<f64>,
    /// Of the part of the question that is written to it; `None` is unknown.
    pub cache_write: Option<f64>,
}
