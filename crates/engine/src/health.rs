//! How every target is: one gate each, and what their movements mean for the targets around them.
//!
//! Receives the targets of the configuration; hands on a seat for each candidate, the loads that balancing asks for,
//! and a report for people. Must never be here: when a breaker opens (that is `resilience`), what to try next.

mod pools;
mod report;
mod seats;

pub use report::TargetReport;
pub(crate) use report::words;
pub(crate) use seats::Seat;

use crate::Sink;
use llm::{Label, TargetId};
use pools::Pools;
use resilience::{GatePolicy, GateSnapshot, Reason, State, Transition};
use routing::{Candidate, Load, Loads, TargetSeat};
use seats::Others;
use std::sync::{Arc, Weak};
use std::time::Instant;

/// How each target is watched and bounded; models outside the configuration of a provider `p` are asked for under
/// their own names, and together as `p/other`.
pub type GatePolicies = Arc<dyn Fn(&TargetId) -> GatePolicy + Send + Sync>;

/// The health of every target. Nothing in it depends on anything outside the process.
pub struct Health {
    /// By the index of their labels.
    seats: Vec<Arc<Seat>>,
    /// Models that are not in the configuration.
    others: Others,
    pools: Pools,
    policies: GatePolicies,
    sinks: Vec<Arc<dyn Sink>>,
    this: Weak<Self>,
}

impl Health {
    /// The health of `seats`, all well at `now`. `routes` are the targets of each route, by their labels' indices.
    #[must_use]
    pub fn new(
        seats: Vec<TargetSeat>,
        routes: Vec<Vec<usize>>,
        policies: GatePolicies,
        sinks: Vec<Arc<dyn Sink>>,
        now: Instant,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| {
            let pools = Pools::new(&seats, routes);
            let seats = seats.into_iter().map(|seat| {
                let policy = seat.target.clone().or_else(|| TargetId::parse(&seat.label.name));
                let policy = policy.map_or_else(GatePolicy::default, |target| policies(&target));
                Arc::new(Seat::new(seat.label, seat.target, seat.provider, policy, this.clone(), now))
            });
            Self { seats: seats.collect(), others: Others::default(), pools, policies, sinks, this: this.clone() }
        })
    }

    /// The seat of a candidate. Models outside the configuration get seats of their own, up to a bound; beyond it they
    /// share one for each provider.
    pub(crate) fn seat(&self, candidate: &Candidate, now: Instant) -> Option<Arc<Seat>> {
        let shared = self.seats.get(candidate.label.index);
        if candidate.known {
            return shared.cloned();
        }
        let policy = || (self.policies)(&candidate.target);
        let make = || {
            let (label, target) = (candidate.label.clone(), candidate.target.clone());
            Seat::new(label, Some(target), candidate.provider, policy(), self.this.clone(), now)
        };
        self.others.seat(&candidate.target, make, now).or_else(|| shared.cloned())
    }

    /// The seat of every target that is in the configuration, and of those outside it that calls have asked for lately.
    pub(crate) fn all(&self) -> Vec<Arc<Seat>> {
        let known = self.seats.iter().filter(|seat| seat.target().is_some()).cloned();
        known.chain(self.others.all()).collect()
    }

    /// The state of the breaker of each label, in the labels' order. That of `provider/other` is the worst of its own.
    #[must_use]
    pub fn states(&self, now: Instant) -> Vec<State> {
        let mut states: Vec<State> = self.seats.iter().map(|seat| seat.state(now)).collect();
        for seat in self.others.all() {
            if let Some(state) = states.get_mut(seat.label().index) {
                *state = [*state, seat.state(now)].into_iter().max_by_key(|state| state.code()).unwrap_or(*state);
            }
        }
        states
    }

    /// Takes in that a breaker moved.
    fn moved(&self, label: &Label, transition: &Transition) {
        for sink in &self.sinks {
            sink.moved(label, transition);
        }
        if transition.to != State::Open {
            return;
        }
        let now = tokio::time::Instant::now().into_std();
        match transition.reason {
            Reason::Consecutive | Reason::ProbeFailed => self.roll_up(label.index, now),
            Reason::Ratio if self.ejects_too_many(label.index, now) => {
                if let Some(seat) = self.seats.get(label.index) {
                    seat.gate().pardon(now);
                }
            }
            Reason::Ratio => self.roll_up(label.index, now),
            _ => {}
        }
    }

    /// Rests the other targets of a failure domain once half of it, and two at least, have failed.
    fn roll_up(&self, place: usize, now: Instant) {
        for members in self.pools.domains_of(place) {
            if let Some(until) = resilience::roll_up(&self.look(members, now), now) {
                for member in members.iter().filter_map(|member| self.seats.get(*member)) {
                    member.gate().trip(Reason::Domain, until, now);
                }
            }
        }
    }

    /// Whether some route would lose more than half of its targets to mere ratios.
    fn ejects_too_many(&self, place: usize, now: Instant) -> bool {
        let over = |members: &&[usize]| resilience::over_ejection_cap(&self.look(members, now));
        self.pools.routes_of(place).any(|members| over(&members))
    }

    fn look(&self, members: &[usize], now: Instant) -> Vec<resilience::Snapshot> {
        let gates = members.iter().filter_map(|member| self.seats.get(*member));
        gates.map(|seat| seat.gate().look(now).breaker).collect()
    }
}

impl Loads for Health {
    fn load(&self, candidate: &Candidate) -> Load {
        let now = tokio::time::Instant::now().into_std();
        self.seat(candidate, now).map_or(Load::default(), |seat| {
            let resilience::Load { expected, under_way, .. } = seat.gate().load(now);
            Load { expected, in_flight: under_way }
        })
    }
}

/// What a gate tells of itself, for reports.
pub(crate) fn snapshot(seat: &Seat, now: Instant) -> GateSnapshot {
    seat.gate().look(now)
}
