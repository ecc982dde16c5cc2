//! Token counts as a provider reports them.

/// Tokens of one answer. Unknown is `None` in whatever holds a `Usage`, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
    /// The part of `input` that was read from the provider's cache.
    pub cached: u64,
    /// The part of `input` that was written to it.
    pub cache_written: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
}
