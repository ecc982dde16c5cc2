//! Which calls count as good, and which count at all.
//!
//! Lives here: objectives, and the judgement of one finished call.
//! Receives a call record; hands on good, bad or not counted, per objective.
//! Must never be here: counters, metric names, time sources.

mod judgement;

pub use judgement::{Judgement, Objective, judge};
