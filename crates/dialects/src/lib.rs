//! Wire formats to and from the nouns of `llm`.
mod quirks;
pub use quirks::Quirks;
