//! What a provider says about its own limits: how long to stay away, and how much is left.
//!
//! Lives here: `wait`, every way to write a time; `names`, the headers of quotas; `retry_after`, the headers of a
//! refusal; `quotas`, the headers of any answer; `told`, the headers that tell a client; `words`, the sentences of error
//! messages. Receives header values and text with the time of day; hands on durations, readings and header values.
//! Must never be here: what follows from them, caps, error bodies (each dialect has its own), clocks.

mod names;
mod quotas;
mod retry_after;
mod told;
mod wait;
mod words;

pub use quotas::{Quotas, quotas};
pub use retry_after::retry_after;
pub use told::limits;
pub(crate) use wait::span;
pub(crate) use words::advised;
