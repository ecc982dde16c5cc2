//! What a provider says about its own limits: how long to stay away, and how much is left.
//!
//! Lives here: `wait`, every way to write a time; `names`, the headers of quotas; `retry_after`, the headers of a
//! refusal; `quotas`, the headers of any answer; `words`, the sentences of error messages.
//! Receives header values and text with the time of day; hands on durations and readings.
//! Must never be here: what follows from them, caps, error bodies (each dialect has its own), clocks.

mod names;
mod quotas;
mod retry_after;
mod wait;
mod words;

pub use quotas::{Quotas, quotas};
pub use retry_after::retry_after;
pub(crate) use wait::span;
pub(crate) use words::advised;
