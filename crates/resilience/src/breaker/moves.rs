//! From one state to another.
//!
//! Must never be here: reasons to move.

use super::ramp::Ramp;
use super::{Breaker, Phase, Reason, Report, Rest, State, Transition, rest};
use llm::Verdict;
use std::time::Instant;

impl Breaker {
    /// A straggler may still say when the target will serve again; all else that it says is old.
    pub(super) fn extend(&mut self, report: &Report, now: Instant) {
        let Phase::Open { until } = self.phase else { return };
        let told = match (report.verdict, report.rest) {
            (Verdict::RateLimited, Rest::Target) => rest::patience(report, false),
            (Verdict::QuotaExhausted, Rest::Target) => rest::until_full(report),
            _ => return,
        };
        self.phase = Phase::Open { until: until.max(now + told) };
    }

    pub(super) fn open(&mut self, reason: Reason, until: Instant, now: Instant) -> Transition {
        if matches!(self.phase, Phase::Closed { .. }) {
            self.by_ratio = reason == Reason::Ratio;
        }
        self.escalation.fall(now);
        self.throttled = reason == Reason::Throttled;
        self.generation += 1;
        if reason.is_fault() {
            self.fallen = self.generation;
        }
        self.opened = Some((now, reason));
        self.enter(Phase::Open { until }, State::Open, reason, now)
    }

    pub(super) fn close(&mut self, reason: Reason, ramp: Option<Ramp>, now: Instant) -> Transition {
        self.window.clear();
        self.row.clear();
        self.escalation.rise(now);
        self.enter(Phase::Closed { ramp }, State::Closed, reason, now)
    }

    pub(super) fn enter(&mut self, phase: Phase, to: State, reason: Reason, now: Instant) -> Transition {
        (self.phase, self.since, self.reason) = (phase, now, Some(reason));
        let until = if let Phase::Open { until } = phase { Some(until) } else { None };
        Transition { to, reason, until }
    }

    /// Why it last opened; only asked while it is not closed.
    pub(super) fn cause(&self) -> Reason {
        self.opened.map_or(Reason::Recovered, |(_, reason)| reason)
    }
}
