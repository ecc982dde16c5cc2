//! The breaker's rules, one table or story each.

use super::*;
use proptest::prelude::*;

mod closing;
mod opening;
mod properties;
mod rests;

const SECOND: Duration = Duration::from_secs(1);
const PROBE: Duration = Duration::from_secs(60);

/// A breaker with its clock, and calls that come one after another unless a test holds on to their tickets.
pub(super) struct Stage {
    pub(super) breaker: Breaker,
    pub(super) now: Instant,
    pub(super) rng: fastrand::Rng,
    pub(super) alternatives: bool,
}

impl Stage {
    pub(super) fn new(policy: BreakerPolicy) -> Self {
        let now = Instant::now();
        let (breaker, rng) = (Breaker::new(policy, now), fastrand::Rng::with_seed(7));
        Self { breaker, now, rng, alternatives: true }
    }

    pub(super) fn alone(policy: BreakerPolicy) -> Self {
        Self { alternatives: false, ..Self::new(policy) }
    }

    pub(super) fn admit(&mut self) -> Admit {
        self.breaker.wake(self.now);
        self.breaker.admit(self.now, self.now + PROBE, self.alternatives, &mut self.rng)
    }

    pub(super) fn pass(&mut self) -> Ticket {
        match self.admit() {
            Admit::Through(ticket) | Admit::Probe(ticket) => ticket,
            Admit::Refused(refused) => panic!("refused: {refused:?}"),
        }
    }

    pub(super) fn refused(&mut self) -> Refused {
        match self.admit() {
            Admit::Refused(refused) => refused,
            passed => panic!("passed: {passed:?}"),
        }
    }

    pub(super) fn begun(&mut self, ticket: &mut Ticket) -> Option<Transition> {
        self.breaker.begun(ticket, SECOND, self.now, &mut self.rng)
    }

    pub(super) fn settle(&mut self, ticket: Ticket, report: Report) -> Option<Transition> {
        self.breaker.settle(ticket, report, self.now, &mut self.rng)
    }

    pub(super) fn silent(&mut self, ticket: &mut Ticket) -> Option<Transition> {
        self.breaker.silent(ticket, self.now, &mut self.rng)
    }

    /// One whole call.
    pub(super) fn call(&mut self, report: Report) -> Option<Transition> {
        let ticket = self.pass();
        self.settle(ticket, report)
    }

    /// So many whole calls; the last one's transition.
    pub(super) fn calls(&mut self, times: u32, verdict: Verdict) -> Option<Transition> {
        (0..times).map(|_| self.call(Report::of(verdict))).last().flatten()
    }

    pub(super) fn wait(&mut self, span: Duration) {
        self.now += span;
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.breaker.state(self.now)
    }

    pub(super) fn state(&self) -> State {
        self.snapshot().state
    }

    /// Five hard failures, and the rest that they bring.
    pub(super) fn break_down(&mut self) -> Duration {
        let transition = self.calls(5, Verdict::HardFailure);
        self.rest_of(transition)
    }

    pub(super) fn rest_of(&self, transition: Option<Transition>) -> Duration {
        transition.and_then(|moved| moved.until).expect("it opened") - self.now
    }

    /// Waits until the rest is over.
    pub(super) fn sleep(&mut self) {
        self.now = self.snapshot().until.expect("it is open");
    }

    /// Sleeps, and lets the probes succeed.
    pub(super) fn recover(&mut self) -> Option<Transition> {
        self.sleep();
        let mut last = None;
        while self.state() != State::Closed {
            last = self.call(Report::of(Verdict::Success));
        }
        last
    }
}

pub(super) fn without_ramp() -> BreakerPolicy {
    BreakerPolicy { ramp: Duration::ZERO, ..BreakerPolicy::default() }
}

pub(super) fn throttled(secs: impl Into<Option<u64>>) -> Report {
    Report { retry_after: secs.into().map(Duration::from_secs), ..Report::of(Verdict::RateLimited) }
}

pub(super) fn spent(secs: impl Into<Option<u64>>) -> Report {
    Report { verdict: Verdict::QuotaExhausted, ..throttled(secs) }
}

pub(super) fn of_one_credential(report: Report) -> Report {
    Report { rest: Rest::Credential, ..report }
}

pub(super) fn about(rest: Duration, secs: u32) -> bool {
    (SECOND * secs * 4 / 5..=SECOND * secs * 6 / 5).contains(&rest)
}
