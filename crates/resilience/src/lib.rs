//! What keeps a bad provider from becoming a bad day.
//!
//! Lives here: breakers and their roll-up over failure domains, bulkheads and adaptive limits, retry budgets, backoff,
//! load estimates, quota windows, and the gate that puts a target's share of them behind one lock.
//! Receives instants, chance and verdicts as arguments; hands on permits, refusals and transitions.
//! Must never be here: tokio, sockets, wire formats, which targets there are.

mod backoff;
mod breaker;
mod bulkhead;
mod concurrency;
mod domain;
mod first_tokens;
mod gate;
mod peak_ewma;
mod policy;
mod quota;
mod rendezvous;
mod retry_budget;
mod ring;
mod sync;

pub use backoff::Backoff;
pub use breaker::{Admit, Breaker, Counts, Reason, Refused, Report, Rest, Snapshot, State, Ticket, Transition};
pub use bulkhead::{Bulkhead, Entered, Shed};
pub use concurrency::AdaptiveLimit;
pub use domain::{over_ejection_cap, roll_up};
pub use first_tokens::FirstTokens;
pub use gate::{Ask, Denied, Entry, Gate, GateSnapshot, Load, Permit, Waiting, Watch};
pub use peak_ewma::PeakEwma;
pub use policy::{BreakerPolicy, GatePolicy};
pub use quota::QuotaWindows;
pub use rendezvous::by_session;
pub use retry_budget::RetryBudget;
