//! An answer in this dialect, to and from the words of none.
//!
//! Lives here: `read`, events to deltas; `calls`, tool calls as they come in; `write`, deltas to events; `event`, how
//! they begin; `whole`, deltas to one body. Must never be here: whether an answer is complete or any good.

mod calls;
mod delta;
pub(crate) mod event;
mod read;
#[cfg(test)]
mod tests;
mod whole;
mod wire;
mod write;

pub use read::Reader;
pub use whole::write_answer;
pub use write::Writer;

/// The most alternatives of one answer, and the most tool calls in all of them together.
const MOST: usize = 128;

/// What stands in an answer beside its words and is written as it came, where it has that shape: fields of a choice's
/// delta or message.
const BESIDE: [&str; 3] = ["annotations", "audio", "images"];

/// The same, of the answer as a whole: Perplexity's.
const ABOVE: [&str; 2] = ["citations", "search_results"];

/// The same, of a choice.
const LOGPROBS: &str = "logprobs";
