//! The nouns that every other room speaks in.
//!
//! Lives here: plain values for ids, requests, frames, failures, verdicts, outcomes and the call record.
//! Receives nothing, decides nothing, waits for nothing.
//! Must never be here: parsing of a wire format, time sources, sockets, async.

mod answer;
mod capability;
mod delta;
mod error;
mod failure;
mod frame;
mod ids;
mod price;
mod prompt;
mod quota;
mod record;
mod request;
mod terms;
mod usage;
mod verdict;

pub use answer::{Answer, Choice, Lane, ToolCall};
pub use capability::{Capabilities, Capability};
pub use delta::Delta;
pub use error::CallError;
pub use failure::{ErrorKind, Failure, ProviderError, Reach};
pub use frame::{Event, FinishReason, Frame, Progress};
pub use ids::{Label, RequestId, TargetId};
pub use price::Price;
pub use prompt::{
    Declared, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Thinking, Thought, Turn,
};
pub use quota::{QuotaKind, QuotaReading};
pub use record::{
    AttemptKind, AttemptRecord, CallRecord, CheckResult, Checked, Degraded, GAP_BOUNDS, Gaps, PassedOver, StreamEnd,
};
pub use request::{Api, ChatRequest, Dialect, Operation, Prefill, Priority, Vectors};
pub use terms::{Demanded, Format, Takes, Terms, Tool, ToolChoice};
pub use usage::Usage;
pub use verdict::{Outcome, Verdict};
