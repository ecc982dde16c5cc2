//! From a plan to a reply.
//!
//! Lives here: the schedule of attempts, the loop that carries it out, the single attempt, the tail of a reply, and
//! the table that says what a failure means. Receives a [`Call`]; hands on a [`Reply`] or a [`Lost`] call.
//! Must never be here: wire formats, sockets, which targets there are.

mod asking;
mod attempt;
mod classify;
mod continuation;
mod execute;
mod health;
mod judge;
mod keeping;
mod open_call;
mod passing;
mod places;
mod race;
mod reading;
mod routes;
mod schedule;
mod sink;
mod tail;

#[cfg(test)]
mod tests;

pub use classify::{Advice, Again, Blame, Judgement, Scope, classify, outcome_of};
pub use execute::{Call, Engine, Lost, Reply};
pub use health::{GatePolicies, Health, TargetReport};
pub use judge::AnswerPolicy;
pub use open_call::{Journal, OpenCall};
pub use passing::{Connect, Pass, Passed, Talk, Trail};
pub use places::Places;
pub use schedule::{Around, Schedule, Step, Stop};
pub use sink::Sink;
pub use tail::Tail;
