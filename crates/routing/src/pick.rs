//! What a call brings to the choice among targets of equal priority, and how each balance uses it.
//!
//! Receives candidates of one priority, their loads where the balance asks for them, a source of chance and the
//! session of the call; puts them in order. Must never be here: how loads are measured, whether a target is well.

use crate::order::by_weight;
use crate::{Balance, Candidate};
use std::cmp::Reverse;

/// What one call brings to the choice.
pub struct Pick<'a> {
    /// Chance.
    pub rng: &'a mut fastrand::Rng,
    /// The session that the call belongs to: its calls go to the same targets in the same order, whatever the
    /// balance, so that what a provider has cached for them is found again.
    pub session: Option<&'a str>,
    /// How busy targets are.
    pub loads: &'a dyn Loads,
}

/// Tells how busy targets are. Asked only where the answer can change the order: never by [`Balance::Weighted`] and
/// [`Balance::Cost`], never for a session, never for a target that is alone in its priority.
pub trait Loads {
    /// The load of this target now.
    fn load(&self, candidate: &Candidate) -> Load;
}

/// How busy one target is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Seconds to first content, times the calls that wait for it and this one. Lower is better.
    pub expected: f64,
    /// Calls under way.
    pub in_flight: u32,
}

/// Knows nothing: every target is idle.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLoads;

impl Loads for NoLoads {
    fn load(&self, _: &Candidate) -> Load {
        Load::default()
    }
}

impl Pick<'_> {
    /// Puts candidates of one priority in the order to try them.
    pub(crate) fn order(&mut self, balance: Balance, group: &mut [Candidate]) {
        if group.len() < 2 {
            return;
        }
        if let Some(session) = self.session {
            return by_session(group, session);
        }
        // What a balance leaves undecided, weights decide: the sorts below are stable.
        by_weight(group, |candidate| candidate.weight, self.rng);
        self.order_drawn(balance, group);
    }

    /// Whether a few of very many candidates may be drawn by weight and then put in order: not where all of them have
    /// to be compared to find the first.
    pub(crate) fn may_draw(&self, balance: Balance) -> bool {
        self.session.is_none() && balance != Balance::Cost
    }

    /// Puts candidates of one priority that were drawn by weight in the order to try them.
    pub(crate) fn order_drawn(&mut self, balance: Balance, group: &mut [Candidate]) {
        match balance {
            Balance::Weighted => {}
            Balance::Latency => quicker_of_two(group, self.loads),
            Balance::LeastBusy => group.sort_by_cached_key(|candidate| busy(candidate, self.loads)),
            Balance::Cost => group.sort_by_cached_key(cost),
        }
    }
}

/// Weighted rendezvous hashing: a session's order over the targets that remain stays as it is when others come or go.
fn by_session(group: &mut [Candidate], session: &str) {
    group.sort_by_cached_key(|candidate| {
        let score = resilience::by_session(session, &candidate.label.name, candidate.weight);
        Reverse(rank(score))
    });
}

/// Power of two choices over peak EWMA: the first two of a weighted order are two distinct targets drawn by weight.
/// Comparing two and not all keeps callers from rushing to whoever was quickest a moment ago.
/// (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"; the load is that of linkerd and Finagle.)
fn quicker_of_two(group: &mut [Candidate], loads: &dyn Loads) {
    if let [first, second, ..] = group
        && loads.load(second).expected < loads.load(first).expected
    {
        std::mem::swap(first, second);
    }
}

/// Calls under way with this one, for each unit of weight.
fn busy(candidate: &Candidate, loads: &dyn Loads) -> u64 {
    let calls = f64::from(loads.load(candidate).in_flight) + 1.0;
    rank(calls / f64::from(candidate.weight))
}

/// Dollars for four million tokens, three of the question for one of the answer; unknown ones come last.
fn cost(candidate: &Candidate) -> u64 {
    let dollars = candidate.facts.price.map(|price| 3.0 * price.input + price.output);
    dollars.map_or(u64::MAX, rank)
}

/// The place of a number that is not negative among its like: such floats are ordered as their bits are.
pub(crate) fn rank(number: f64) -> u64 {
    number.max(0.0).abs().to_bits()
}

#[cfg(test)]
pub(crate) mod tests;
