//! From a plan to a reply.
//!
//! Lives here: the schedule of attempts, the loop that carries it out, the single attempt, the tail of a reply, and
//! the table that says what a failure means. Receives a [`Call`]; hands on a [`Reply`] or a [`Lost`] call.
//! Must never be here: wire formats, sockets, which targets there are.

mod attempt;
mod classify;
mod execute;
mod open_call;
mod race;
mod schedule;
mod sink;
mod tail;

#[cfg(test)]
mod tests;

pub use classify::{Advice, Blame, Judgement, classify, outcome_of};
pub use execute::{Call, Engine, Lost, Reply};
pub use open_call::{Journal, OpenCall};
pub use schedule::{Schedule, Step, Stop};
pub use sink::Sink;
pub use tail::Tail;
