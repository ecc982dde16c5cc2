//! Answers, both ways: events to deltas, and deltas to events.
//!
//! Lives here: `read`, a provider's answer in the words of no dialect; `write`, such an answer for a client. A whole
//! answer goes the way of a stream. Must never be here: whether an answer is any good.

mod item;
mod object;
mod open;
mod read;
mod write;

pub(super) use object::{Fault, Snapshot, Status, say};
pub use read::{Reader, whole};
pub use write::{Writer, write_answer};

/// Items of an answer that tools of the provider's own leave in it: handed on as they are.
pub(super) const HOSTED: [&str; 22] = [
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "computer_call",
    "computer_call_output",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
    "x_search_call",
];

/// What an annotation of text is called among things that are no noun.
const ANNOTATION: &str = "annotation";

/// The most text of one answer, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most items under way at once, parts of one, and calls.
const MAX_PARTS: usize = 128;

#[cfg(test)]
mod tests;
