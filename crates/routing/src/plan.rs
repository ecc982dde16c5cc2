//! The plan of one call, and the error of having none.
//!
//! Made by the table, carried out by the engine, shown by `explain`. Plain data: no decision is taken here.

use crate::Policy;
use llm::{Label, PassedOver, TargetId};

/// Where one call may go, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The route that planned it, or `direct`.
    pub route: Label,
    /// How its attempts are made.
    pub policy: Policy,
    /// Targets in the order to try them, each once; empty where every target has weight 0.
    pub candidates: Vec<Candidate>,
    /// Targets that were left out, and why.
    pub passed_over: Vec<PassedOver>,
}

/// One target that a call may go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Provider and model.
    pub target: TargetId,
    /// Place of the provider in the list the table was built with.
    pub provider: usize,
    /// The target's label in metrics.
    pub label: Label,
    /// Its priority; lower is tried first.
    pub priority: u32,
}

/// No route answers to the name, and it is no `provider/model` that may be called directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no route answers to this name")]
pub struct NoRoute;
