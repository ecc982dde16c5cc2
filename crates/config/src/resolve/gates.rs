//! How targets are watched and bounded: breakers from routes, bulkheads from providers.

use super::EVERY_OTHER;
use super::breaker::Breakers;
use super::model::Slots;
use crate::settings::Gates;
use llm::TargetId;
use resilience::GatePolicy;
use std::sync::Arc;

/// The gates of all targets. What a route or a model says of its own comes before what is said of `*`.
pub(crate) fn gates(default: GatePolicy, breakers: &Breakers, providers: &[(Arc<str>, Slots)]) -> Gates {
    let mut gates = Gates { default, ..Gates::default() };
    for (provider, slots) in providers {
        let breaker = breakers.of(provider, EVERY_OTHER).unwrap_or(default.breaker);
        let others = GatePolicy { breaker, max_concurrency: slots.others };
        if others != default {
            gates.by_provider.insert(Arc::clone(provider), others);
        }
        let named = slots.models.keys().chain(breakers.models(provider)).filter(|model| &***model != EVERY_OTHER);
        for model in named {
            let breaker = breakers.of(provider, model).unwrap_or(others.breaker);
            let own = GatePolicy { breaker, max_concurrency: slots.of(model) };
            if own != others {
                let target = TargetId { provider: Arc::clone(provider), model: Arc::clone(model) };
                gates.by_target.insert(target, own);
            }
        }
    }
    gates
}
