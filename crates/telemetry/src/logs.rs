//! What people and machines read line by line: the access log and the process's own events.
//!
//! Both go through one bounded writer to stderr. Must never be here: metrics, prompt text, keys.

mod access;
mod human;
mod json;
mod process;
mod sink;
mod targets;
mod timestamp;

pub use access::AccessLog;
pub use process::init_logs;
pub use sink::LogSink;
pub use targets::{TargetLog, why_moved};
pub use timestamp::Timestamp;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Human,
    /// One JSON object per line.
    Json,
}
