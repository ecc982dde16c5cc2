//! An answer as completions of a text, from the words of no dialect.
//!
//! Lives here: `write`, deltas to events; `whole`, deltas to one body. Words are all that this dialect has: thoughts, calls
//! and whatever else a model may say are left out, and told. Must never be here: whether an answer is complete or any good.

#[cfg(test)]
mod tests;
mod whole;
mod write;

use crate::left_out::LeftOut;
use crate::openai_chat::whole::may_be_empty;
use llm::Delta;
pub use whole::write_answer;
pub use write::Writer;

/// What an answer and each of its events call themselves.
const OBJECT: &str = "text_completion";

/// The most alternatives of one answer.
const MOST: u32 = 128;

/// Whether a client learns something of the answer by `delta`: words, or that a limit or a policy left no room for any.
pub(crate) fn tells(delta: &Delta) -> bool {
    match delta {
        Delta::Text { text, .. } | Delta::Refusal { text, .. } => !text.is_empty(),
        Delta::Ended { finish, .. } => may_be_empty(Some(*finish)),
        _ => false,
    }
}

/// Notes what `delta` says that this dialect has no word for.
fn leave_out(delta: &Delta, left_out: &mut LeftOut) {
    match delta {
        Delta::Thought { .. } => left_out.tell("reasoning"),
        Delta::ThoughtSealed { .. } | Delta::TextSealed { .. } => left_out.tell("signature"),
        Delta::Call { .. } | Delta::Arguments { .. } => left_out.tell("tool_calls"),
        Delta::Other { name, .. } => left_out.tell(name),
        Delta::Began { .. } | Delta::Text { .. } | Delta::Refusal { .. } | Delta::Ended { .. } | Delta::Used(_) => {}
    }
}
