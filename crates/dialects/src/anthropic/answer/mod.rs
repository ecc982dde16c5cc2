//! An answer in this dialect, to and from the words of none.
//!
//! Lives here: `read`, events to deltas, with `open`, the blocks under way; `blocks`, deltas to blocks in order; `write`,
//! blocks to events; `whole`, blocks to one body. Must never be here: whether an answer is complete or any good.

mod blocks;
mod open;
mod read;
mod scan;
#[cfg(test)]
mod tests;
mod whole;
mod wire;
mod write;

pub use read::Reader;
pub use whole::write_answer;
pub use write::Writer;

/// The most that is read of one answer, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of one answer, and the most blocks open at once.
const MOST: usize = 128;

/// What citations are called: a list of them belongs to the text that follows and to what stands before it in the same
/// block; an empty one says that a block begins.
const CITATIONS: &str = "citations";
/// What the container is called that the provider's tools ran in.
const CONTAINER: &str = "container";
