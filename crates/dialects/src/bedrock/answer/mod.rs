//! An answer, to the words of none: what a client of another dialect is answered.
//!
//! Lives here: `read`, events or a whole body to deltas, with `open`, a block between its beginning and its end. Must
//! never be here: writing, for no client speaks this dialect.

mod open;
mod read;
#[cfg(test)]
mod tests;

pub use read::Reader;

/// The most that is handed on of one answer and held of it, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of one answer, and the most blocks under way.
const MOST: usize = 128;
/// What citations are called.
const CITATIONS: &str = "citationsContent";
