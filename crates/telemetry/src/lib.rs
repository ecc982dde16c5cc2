//! Call records to metrics, access log and process logs.
//!
//! Lives here: metric names, their registry and text form; the access log; the one writer that all logs share.
//! Receives finished calls through [`engine::Sink`]; hands on text.
//! Must never be here: decisions about calls, prompt text, keys.

mod logs;
mod metrics;
#[cfg(test)]
mod samples;

pub use logs::{AccessLog, Format, LogSink, TargetLog, Timestamp, init_logs, why_moved};
pub use metrics::Metrics;
