//! One target's breaker: closed lets calls through, open refuses them, half-open probes.
//!
//! Receives admissions, first contents and reports, each with its instant and with chance; hands on tickets, refusals
//! and its own moves. The rules are linkerd's unified breaker and Finagle's failure accrual, fitted to model calls:
//! results count at their first decisive event, a target that says when it will serve again is believed, and nobody
//! is blamed for what clients do. Must never be here: clocks, locks, which targets there are.

mod judge;
mod moves;
mod ramp;
mod rest;
mod row;
mod state;
mod ticket;
mod window;

#[cfg(test)]
mod tests;

pub use state::{Counts, Reason, Refused, Snapshot, State, Transition};
pub use ticket::{Report, Rest, Ticket};

use crate::{BreakerPolicy, FirstTokens};
use llm::Verdict;
use ramp::Ramp;
use rest::Escalation;
use row::{Row, Seat};
use std::time::{Duration, Instant};
use window::Window;

/// When a call that is refused for a moment may ask again.
const SOON: Duration = Duration::from_secs(1);

/// The breaker of one target. All of it takes constant time.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    phase: Phase,
    since: Instant,
    reason: Option<Reason>,
    /// When and why it last opened.
    opened: Option<(Instant, Reason)>,
    /// Whether it left the closed state by ratio when it last did.
    by_ratio: bool,
    /// How often it has opened. Results of calls from before the last time are stragglers and change nothing.
    generation: u64,
    /// The generation that began with the last opening by a fault of the target.
    fallen: u64,
    /// The number of the last probe.
    probes: u64,
    window: Window,
    row: Row,
    escalation: Escalation,
    /// How soon calls showed what would become of them.
    decided: FirstTokens,
    /// The last result was that the target asked for patience.
    throttled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed { ramp: Option<Ramp> },
    HalfOpen { probe: Option<Probe>, successes: u32 },
    Open { until: Instant },
}

/// The one probe that a verdict is awaited of.
#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u64,
    /// Without a verdict by then it counts as lost, and the next call may probe; or, after a rest that the target asked
    /// for, as let in.
    by: Instant,
    /// Whether it could have gone to another target.
    alternatives: bool,
}

/// What a breaker says to a call.
#[derive(Debug)]
pub enum Admit {
    /// It may pass.
    Through(Ticket),
    /// It may pass, and its result decides over others.
    Probe(Ticket),
    /// It may not pass.
    Refused(Refused),
}

impl Breaker {
    /// A closed breaker without a past.
    #[must_use]
    pub fn new(policy: BreakerPolicy, now: Instant) -> Self {
        Self {
            policy,
            phase: Phase::Closed { ramp: None },
            since: now,
            reason: None,
            opened: None,
            by_ratio: false,
            generation: 0,
            fallen: 0,
            probes: 0,
            window: Window::new(policy.window, now),
            row: Row::default(),
            escalation: Escalation::new(now),
            decided: FirstTokens::new(now),
            throttled: false,
        }
    }

    /// Notices that a rest is over, or that a probe was not refused. To be called before [`Self::admit`].
    pub fn wake(&mut self, now: Instant) -> Option<Transition> {
        match self.phase {
            Phase::Open { until } if until <= now => {
                let phase = Phase::HalfOpen { probe: None, successes: 0 };
                Some(self.enter(phase, State::HalfOpen, Reason::Probe, now))
            }
            // Who is not let in learns it at once. A long answer must not prolong the rest that was asked for.
            Phase::HalfOpen { probe: Some(probe), .. } if probe.by <= now && self.cause().is_told() => {
                Some(self.recover(probe.alternatives, now))
            }
            _ => None,
        }
    }

    /// Whether a call may pass now. As a probe it has until `probe_by` to show a verdict. `alternatives` says whether
    /// it could go to another target: one that could not is never refused for the sake of a slow start, and makes
    /// this a target alone: it opens later, and not for a throttling without a time, rests as shortly as it can, and
    /// closes with the first probe that succeeds.
    pub fn admit(&mut self, now: Instant, probe_by: Instant, alternatives: bool, rng: &mut fastrand::Rng) -> Admit {
        if let Phase::Closed { ramp: Some(ramp) } = self.phase {
            let share = ramp.share(now);
            if share >= 1.0 {
                self.phase = Phase::Closed { ramp: None };
            } else if alternatives && rng.f64() >= share {
                return Admit::Refused(Refused { reason: Reason::Recovered, until: now + SOON });
            }
        }
        self.readmit(now, probe_by, alternatives)
    }

    /// Whether a call may still pass that [`Self::admit`] let through before, and that had to wait since: it is not
    /// weighed against the slow start again.
    pub fn readmit(&mut self, now: Instant, probe_by: Instant, alternatives: bool) -> Admit {
        match self.phase {
            Phase::Closed { .. } => Admit::Through(self.ticket(None, alternatives, now)),
            Phase::HalfOpen { probe: Some(probe), .. } if now < probe.by => {
                Admit::Refused(Refused { reason: Reason::Probe, until: probe.by.min(now + SOON) })
            }
            Phase::HalfOpen { successes, .. } => {
                self.probes += 1;
                let number = self.probes;
                let by = if self.cause().is_told() { probe_by.min(now + SOON) } else { probe_by };
                self.phase = Phase::HalfOpen { probe: Some(Probe { number, by, alternatives }), successes };
                Admit::Probe(self.ticket(Some(number), alternatives, now))
            }
            Phase::Open { until } => Admit::Refused(Refused { reason: self.cause(), until }),
        }
    }

    /// The call's first content came so long after it was sent. It counts as a success, or as too slow, from now on;
    /// [`Self::settle`] takes that back where the answer breaks later. Only the first call for a ticket counts.
    pub fn begun(
        &mut self,
        ticket: &mut Ticket,
        first_token: Duration,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Transition> {
        if ticket.begun || ticket.generation != self.generation {
            return None;
        }
        let limit = self.policy.slow_call;
        let slow = limit.map_or(ticket.seat.was_silent(), |limit| first_token > limit);
        match self.phase {
            Phase::Closed { .. } => {
                ticket.begun = true;
                ticket.mark = Some(self.window.count(slow, now));
                self.decided.observe(first_token, now);
                self.row.success(&mut ticket.seat);
                self.throttled = false;
                if slow { self.trip_if_due(ticket.alternatives, Duration::ZERO, now, rng) } else { None }
            }
            Phase::HalfOpen { probe, successes } if ticket.probe.is_some() => {
                // A probe that outlasted its deadline has shown as much as one that did not.
                let awaited = probe.is_some_and(|probe| ticket.probe == Some(probe.number));
                if slow && !awaited {
                    return None;
                }
                ticket.begun = true;
                self.throttled = false;
                if slow {
                    return Some(self.fail_probe(ticket.alternatives, Duration::ZERO, now, rng));
                }
                self.pass_probe(ticket, probe.filter(|_| !awaited), successes + 1, now)
            }
            Phase::HalfOpen { .. } | Phase::Open { .. } => None,
        }
    }

    /// The call has waited for its first content far longer than usual. It counts among the hard failures in a row
    /// until it is answered, so that a hung target is found out before the first of its calls times out; answered, it
    /// was too slow where the policy does not say what that is. A probe's silence ends at its deadline instead.
    pub fn silent(&mut self, ticket: &mut Ticket, now: Instant, rng: &mut fastrand::Rng) -> Option<Transition> {
        let current = ticket.generation == self.generation && !ticket.begun;
        let closed = matches!(self.phase, Phase::Closed { .. });
        if !current || !closed || !self.row.silence(&mut ticket.seat) {
            return None;
        }
        self.trip_if_due(ticket.alternatives, Duration::ZERO, now, rng)
    }

    /// The call has ended. A success need not have [`Self::begun`] before; any other verdict afterwards takes the
    /// success back, except those that blame nobody.
    pub fn settle(
        &mut self,
        mut ticket: Ticket,
        report: Report,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Transition> {
        if ticket.generation != self.generation {
            self.extend(&report, now);
            return None;
        }
        if report.verdict == Verdict::Success {
            let waited = now.saturating_duration_since(ticket.admitted);
            return self.begun(&mut ticket, waited, now, rng);
        }
        match self.phase {
            Phase::Closed { .. } => self.settle_closed(&ticket, &report, now, rng),
            Phase::HalfOpen { probe, .. } => {
                let awaited = probe.is_some_and(|probe| ticket.probe == Some(probe.number));
                if awaited || ticket.begun { self.settle_probe(&ticket, &report, now, rng) } else { None }
            }
            Phase::Open { .. } => None,
        }
    }

    /// The call has ended and blames nobody, or it never really began: all is as though it had not been let through,
    /// but for a success or a silence that it was counted for.
    pub fn give_back(&mut self, ticket: &Ticket) {
        if let Phase::HalfOpen { probe: Some(probe), successes } = self.phase
            && ticket.generation == self.generation
            && ticket.probe == Some(probe.number)
        {
            self.phase = Phase::HalfOpen { probe: None, successes };
        }
    }

    /// Opens it until then for a reason that its own calls did not give. A failing domain only opens what is closed;
    /// other reasons also end probing, and extend a rest.
    pub fn trip(&mut self, reason: Reason, until: Instant, now: Instant) -> Option<Transition> {
        match self.phase {
            _ if until <= now => None,
            Phase::Closed { .. } => Some(self.open(reason, until, now)),
            _ if reason == Reason::Domain => None,
            Phase::HalfOpen { .. } => Some(self.open(reason, until, now)),
            Phase::Open { until: old } => {
                self.phase = Phase::Open { until: old.max(until) };
                None
            }
        }
    }

    /// Closes it again with fresh counts, where it opened by ratio: used where too much of a priority group did.
    pub fn pardon(&mut self, now: Instant) -> Option<Transition> {
        if !matches!(self.phase, Phase::Open { .. }) || self.cause() != Reason::Ratio {
            return None;
        }
        self.escalation.step_back();
        Some(self.close(Reason::Pardoned, None, now))
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self, now: Instant) -> Snapshot {
        let (state, reason, since, until, share) = match self.phase {
            Phase::Closed { ramp } => {
                let share = ramp.map_or(1.0, |ramp| ramp.share(now));
                (State::Closed, self.reason, self.since, None, share)
            }
            Phase::Open { until } if now < until => (State::Open, self.reason, self.since, Some(until), 0.0),
            Phase::Open { until } => (State::HalfOpen, Some(Reason::Probe), until, None, 0.0),
            Phase::HalfOpen { .. } => (State::HalfOpen, self.reason, self.since, None, 0.0),
        };
        let opened = self.opened.filter(|_| state != State::Closed);
        let (counts, consecutive) = (self.counts(now), self.row.failures());
        let by_ratio = self.by_ratio && state != State::Closed;
        Snapshot { state, reason, since, until, opened, by_ratio, counts, consecutive, share }
    }

    /// Why it refuses every call now, where it is open.
    #[must_use]
    pub fn refusal(&self) -> Option<Refused> {
        let Phase::Open { until } = self.phase else { return None };
        Some(Refused { reason: self.cause(), until })
    }

    /// The generation that its last opening by a fault of the target began: a call of an older one
    /// ([`Ticket::generation`]) waits for a target that has been given up since.
    #[must_use]
    pub fn fallen(&self) -> u64 {
        self.fallen
    }

    fn ticket(&self, probe: Option<u64>, alternatives: bool, now: Instant) -> Ticket {
        let (generation, seat) = (self.generation, Seat::default());
        Ticket { generation, probe, admitted: now, alternatives, begun: false, mark: None, seat }
    }
}
