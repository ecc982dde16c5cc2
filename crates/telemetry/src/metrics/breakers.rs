//! What is told of breakers and retry budgets: their state when metrics are read, and each movement.
//!
//! Must never be here: when a breaker moves.

use super::pulled::PulledGauges;
use super::registry::Names;
use engine::Engine;
use llm::Label;
use prometheus::{Error, IntCounterVec};
use resilience::Transition;
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Breakers {
    /// Asked for by name at each movement, which is rare; a series appears with its first one.
    transitions: IntCounterVec,
}

impl Breakers {
    pub(crate) fn new(names: &Names) -> Result<Self, Error> {
        let help = "Movements of breakers, by where to and why.";
        Ok(Self { transitions: names.counters("breaker_transitions_total", help, &["target", "to", "reason"])? })
    }

    pub(crate) fn count(&self, target: &Label, transition: &Transition) {
        let labels = [&*target.name, transition.to.as_str(), transition.reason.as_str()];
        self.transitions.with_label_values(&labels).inc();
    }
}

/// Registers what is asked of the engine when metrics are read.
pub(crate) fn watch(names: &Names, engine: &Engine, routes: &[Label], targets: &[Label]) -> Result<(), Error> {
    let label_names = |labels: &[Label]| labels.iter().map(|label| Arc::clone(&label.name)).collect();
    let (name, help) = ("breakwater_breaker_state", "Whether a target is asked: 0 closed, 1 half-open, 2 open.");
    let health = Arc::clone(engine.health());
    let states = move || health.states(Instant::now()).into_iter().map(|state| f64::from(state.code())).collect();
    names.register(PulledGauges::new(name, help, "target", label_names(targets), states)?)?;
    let (name, help) =
        ("breakwater_retry_budget_remaining", "Retries, hedges and continuations that a route may make now.");
    let engine = engine.clone();
    let remaining = move || engine.retries_left(Instant::now());
    names.register(PulledGauges::new(name, help, "route", label_names(routes), remaining)?)
}
