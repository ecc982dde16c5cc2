//! The plan of one call, and the error of having none.
//!
//! Made by the table, carried out by the engine, shown by `explain`. Plain data, and what can be read off it;
//! must never be here: which candidate is tried.

use crate::{ModelFacts, Policy};
use llm::{Label, PassedOver, TargetId};
use std::sync::Arc;

/// The most targets that one call may go to. The engine keeps them as a set of so many places.
pub const MAX_CANDIDATES: usize = 64;

/// Where one call may go, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The route that planned it, or `direct`.
    pub route: Label,
    /// How its attempts are made.
    pub policy: Arc<Policy>,
    /// Targets in the order to try them, each once and at most [`MAX_CANDIDATES`]; empty where every target has weight
    /// 0.
    pub candidates: Vec<Candidate>,
    /// Targets that were left out, and why.
    pub passed_over: Vec<PassedOver>,
    /// What the client gets where none of the candidates answers, in the order to try.
    pub last_resorts: Vec<Resort>,
}

/// What a client gets where no target answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Resort {
    /// The answer of another route: its plan for the same call.
    Plan(Box<Plan>),
    /// This text.
    Static(Arc<str>),
}

/// One target that a call may go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Provider and model.
    pub target: TargetId,
    /// Place of the provider in the list the table was built with.
    pub provider: usize,
    /// The target's label in metrics; its index is the place of its [`TargetSeat`](crate::TargetSeat).
    pub label: Label,
    /// Whether the label is this target's alone; `false` where `provider/other` stands for it.
    pub known: bool,
    /// What is known of it.
    pub facts: ModelFacts,
    /// The failure domains it lies in: ascending places in [`RouteTable::domains`](crate::RouteTable::domains).
    pub domains: Arc<[usize]>,
    /// Its priority; lower is tried first.
    pub priority: u32,
    /// Its share among candidates of equal priority, above 0.
    pub weight: u32,
}

impl Plan {
    /// The priority of the candidates that are tried first.
    #[must_use]
    pub fn best_priority(&self) -> u32 {
        self.candidates.first().map_or(0, |candidate| candidate.priority)
    }

    /// Places of candidates with a larger context window than `than`, in the order to try them. A window that is not
    /// declared is smaller than any that is.
    pub fn larger<'plan>(&'plan self, than: &Candidate) -> impl Iterator<Item = usize> + use<'plan> {
        let size = than.facts.context_window;
        let places = self.candidates.iter().enumerate();
        // `None` is less than any `Some`, and no `None` is more than another.
        places.filter(move |(_, candidate)| candidate.facts.context_window > size).map(|(place, _)| place)
    }
}

impl Candidate {
    /// Whether both may fail together: they are at one provider, or share a failure domain.
    #[must_use]
    pub fn shares_domain(&self, other: &Self) -> bool {
        self.provider == other.provider || self.domains.iter().any(|domain| other.domains.contains(domain))
    }
}

/// No route answers to the name, and it is no `provider/model` that may be called directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no route answers to this name")]
pub struct NoRoute;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::tests::candidate;

    fn with_window(context_window: Option<u64>) -> Candidate {
        Candidate { facts: ModelFacts { context_window, ..ModelFacts::default() }, ..candidate(0, 1) }
    }

    #[test]
    fn larger_windows_are_those_declared_larger() {
        let windows = [Some(8), None, Some(128), Some(9), Some(8)];
        let plan = Plan {
            route: Label::new(0, "r"),
            policy: Arc::new(Policy::default()),
            candidates: windows.map(with_window).into(),
            passed_over: Vec::new(),
            last_resorts: Vec::new(),
        };
        for (than, places) in
            [(Some(8), &[2, 3][..]), (Some(7), &[0, 2, 3, 4]), (Some(9), &[2]), (Some(128), &[]), (None, &[0, 2, 3, 4])]
        {
            assert_eq!(plan.larger(&with_window(than)).collect::<Vec<_>>(), places, "{than:?}");
        }
    }

    #[test]
    fn domains_are_shared_where_one_is_in_both() {
        let at = |provider, domains: &[usize]| Candidate { provider, domains: domains.into(), ..candidate(0, 1) };
        for (one, other, shared) in [
            (at(0, &[0, 2]), at(1, &[2, 3]), true),
            (at(0, &[0, 2]), at(1, &[1, 3]), false),
            (at(0, &[]), at(1, &[]), false),
            (at(0, &[]), at(0, &[]), true),
        ] {
            assert_eq!((one.shares_domain(&other), other.shares_domain(&one)), (shared, shared), "{one:?} {other:?}");
        }
    }
}
