//! What the gate's lock guards: one target's state, and the order in which its parts are asked and told.
//!
//! Receives events with their instants; hands on answers, and [`News`] for others. Must never be here: the lock.

mod pace;
mod waiters;

use super::news::News;
use super::waiting::Denied;
use super::{Ask, GateSnapshot, Load};
use crate::bulkhead::{self, Bulkhead};
use crate::{Admit, Breaker, GatePolicy, QuotaWindows, Reason, Refused, Report, Shed, Ticket, Transition};
use llm::{QuotaReading, Verdict};
use pace::Pace;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use waiters::{Standing, Waiters};

/// What came first of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    FirstContent,
    Whole,
}

#[derive(Debug)]
pub(super) struct Inside {
    breaker: Breaker,
    bulkhead: Bulkhead,
    pace: Pace,
    quota: QuotaWindows,
    waiters: Waiters,
    /// The most calls are given by the policy.
    fixed: bool,
    /// Calls that have not ended.
    under_way: u32,
    /// The latest instant that anyone told: the time for those who are dropped, and cannot tell.
    latest: Instant,
}

/// A call that may pass.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) ticket: Ticket,
    pub(super) tenant: u32,
    /// Whether it holds a slot.
    pub(super) slot: bool,
    pub(super) at: Instant,
}

pub(super) enum Entered {
    Passed(Passed),
    Refused(Refused),
    Full,
}

/// A call under way, as it reports its end.
pub(super) struct Leaving {
    pub(super) ticket: Ticket,
    pub(super) tenant: u32,
    pub(super) slot: bool,
    pub(super) begun: bool,
    pub(super) at: Instant,
}

impl Inside {
    pub(super) fn new(policy: GatePolicy, now: Instant) -> Self {
        Self {
            breaker: Breaker::new(policy.breaker, now),
            bulkhead: Bulkhead::new(),
            pace: Pace::new(&policy, now),
            quota: QuotaWindows::new(),
            waiters: Waiters::default(),
            fixed: policy.max_concurrency.is_some(),
            under_way: 0,
            latest: now,
        }
    }

    pub(super) fn enter(&mut self, ask: &Ask, now: Instant, rng: &mut fastrand::Rng, news: &mut News) -> Entered {
        self.wake(now, news);
        if let Some(until) = self.scarce(now).filter(|_| ask.alternatives) {
            return Entered::Refused(Refused { reason: Reason::Scarce, until });
        }
        let (ticket, probe) = match self.breaker.admit(now, ask.probe_by, ask.alternatives, rng) {
            Admit::Refused(refused) => return Entered::Refused(refused),
            Admit::Through(ticket) => (ticket, false),
            Admit::Probe(ticket) => (ticket, true),
        };
        let slot = self.bulkhead.enter(self.pace.slots(), ask.tenant, ask.priority, now) == bulkhead::Entered::Taken;
        if !slot && !probe {
            return Entered::Full;
        }
        self.under_way += 1;
        Entered::Passed(Passed { ticket, tenant: ask.tenant, slot, at: now })
    }

    /// Joins the queue; the id to ask for the outcome with.
    pub(super) fn queue(&mut self, ask: &Ask, now: Instant, news: &mut News) -> Result<u64, Shed> {
        self.wake(now, news);
        let id = self.waiters.next_id();
        if let Some(refused) = self.breaker.refusal() {
            self.waiters.add(id, *ask, Standing::Denied(Denied::Refused(refused)));
            return Ok(id);
        }
        let gave_way = self.bulkhead.wait(id, ask.tenant, ask.priority, now)?;
        self.waiters.add(id, *ask, Standing::Waits(None));
        if let Some(other) = gave_way {
            self.waiters.decide(other, Standing::Denied(Denied::Shed(Shed)), news);
        }
        // A slot may have come free since the gate was full, and nobody else would hand it on.
        self.hand_on(None, now, news);
        Ok(id)
    }

    pub(super) fn poll(&mut self, id: u64, waker: Waker, news: &mut News) -> Poll<Result<Passed, Denied>> {
        let outcome = self.waiters.poll(id, waker, news);
        self.under_way += u32::from(matches!(outcome, Poll::Ready(Ok(_))));
        outcome
    }

    /// A waiter leaves: what it holds, if anything, goes to the next. `in_vain` is when it had waited for as long as it
    /// may; `None` where it was dropped.
    pub(super) fn leave_queue(&mut self, id: u64, in_vain: Option<Instant>, news: &mut News) {
        self.latest = in_vain.map_or(self.latest, |now| self.latest.max(now));
        match self.waiters.remove(id) {
            Some(Standing::Waits(waker)) => {
                match in_vain {
                    Some(now) => self.bulkhead.give_up(id, now),
                    None => self.bulkhead.leave(id),
                };
                news.idle(waker);
            }
            Some(Standing::Passed(passed)) => {
                self.breaker.give_back(&passed.ticket);
                self.free(passed.tenant, self.latest, news);
            }
            Some(Standing::Denied(_)) | None => {}
        }
    }

    pub(super) fn begun(
        &mut self,
        ticket: &mut Ticket,
        tenant: Option<u32>,
        (heard, took): (Heard, Duration),
        now: Instant,
        rng: &mut fastrand::Rng,
        news: &mut News,
    ) {
        match heard {
            _ if ticket.generation() < self.breaker.fallen() => self.pace.learn_late(took, now),
            Heard::FirstContent => self.pace.learn(took, self.bulkhead.in_use(), now),
            Heard::Whole => self.pace.learn_load(took, now),
        }
        let moved = self.breaker.begun(ticket, took, now, rng);
        self.moved(moved, now, news);
        if let Some(tenant) = tenant {
            self.free(tenant, now, news);
        }
    }

    /// Whether a call holds its slot to its end, and not only to its first content: where the target is said to take
    /// so many calls, it is calls that count.
    pub(super) fn holds_to_the_end(&self) -> bool {
        self.fixed
    }

    pub(super) fn silent(&mut self, ticket: &mut Ticket, now: Instant, rng: &mut fastrand::Rng, news: &mut News) {
        let moved = self.breaker.silent(ticket, now, rng);
        self.moved(moved, now, news);
    }

    pub(super) fn settle(
        &mut self,
        leaving: Leaving,
        report: Report,
        now: Instant,
        rng: &mut fastrand::Rng,
        news: &mut News,
    ) {
        self.weigh(&leaving, &report, now);
        let moved = self.breaker.settle(leaving.ticket, report, now, rng);
        self.moved(moved, now, news);
        self.depart(leaving.tenant, leaving.slot, now, news);
    }

    /// The call was dropped: nobody is to blame, and nobody said when.
    pub(super) fn abandon(&mut self, leaving: &Leaving, news: &mut News) {
        let now = self.latest;
        self.weigh(leaving, &Report::of(Verdict::Neutral), now);
        self.breaker.give_back(&leaving.ticket);
        self.depart(leaving.tenant, leaving.slot, now, news);
    }

    pub(super) fn trip(&mut self, reason: Reason, until: Instant, now: Instant, news: &mut News) {
        self.wake(now, news);
        let moved = self.breaker.trip(reason, until, now);
        self.moved(moved, now, news);
    }

    pub(super) fn pardon(&mut self, now: Instant, news: &mut News) {
        let moved = self.breaker.pardon(now);
        self.moved(moved, now, news);
    }

    pub(super) fn quota(&mut self, readings: &[QuotaReading], now: Instant) {
        self.quota.note(readings, now);
    }

    pub(super) fn patience(&self, tenant: u32, now: Instant) -> Duration {
        self.bulkhead.patience(tenant, now)
    }

    pub(super) fn patience_for_answer(&self, stream: bool) -> Duration {
        self.pace.patience(stream)
    }

    pub(super) fn usual(&self, stream: bool) -> Option<Duration> {
        self.pace.usual(stream)
    }

    pub(super) fn load(&self, now: Instant) -> Load {
        let in_flight = self.bulkhead.in_use();
        Load { expected: self.pace.load(now, in_flight), in_flight, under_way: self.under_way }
    }

    pub(super) fn look(&self, now: Instant) -> GateSnapshot {
        GateSnapshot {
            breaker: self.breaker.state(now),
            in_flight: self.bulkhead.in_use(),
            under_way: self.under_way,
            waiting: self.bulkhead.waiting(),
            limit: self.pace.slots(),
            first_token: self.pace.expected(now),
            scarce_until: self.scarce(now),
        }
    }

    pub(super) fn fallen(&self) -> u64 {
        self.breaker.fallen()
    }

    fn scarce(&self, now: Instant) -> Option<Instant> {
        self.quota.scarce(now, self.bulkhead.in_use())
    }

    fn wake(&mut self, now: Instant, news: &mut News) {
        self.latest = self.latest.max(now);
        news.moved(self.breaker.wake(now));
    }

    /// Publishes a move of the breaker. Where it opened, those who wait need not wait any more.
    fn moved(&mut self, moved: Option<Transition>, now: Instant, news: &mut News) {
        self.latest = self.latest.max(now);
        news.moved(moved);
        let Some(refused) = self.breaker.refusal().filter(|_| moved.is_some()) else { return };
        while let Some(id) = self.waiters.first_waiting() {
            self.bulkhead.leave(id);
            self.waiters.decide(id, Standing::Denied(Denied::Refused(refused)), news);
        }
    }

    /// What a call's end says of the target's load.
    fn weigh(&mut self, leaving: &Leaving, report: &Report, now: Instant) {
        let waited = (!leaving.begun).then(|| now.saturating_duration_since(leaving.at));
        match (report.verdict, waited) {
            (Verdict::Success, Some(waited)) => self.pace.learn(waited, self.bulkhead.in_use(), now),
            (Verdict::HardFailure, _) => self.pace.penalise(waited.unwrap_or_default(), report.retry_after, now),
            (Verdict::Neutral, Some(waited)) => self.pace.at_least(waited, now),
            _ => {}
        }
    }

    fn depart(&mut self, tenant: u32, slot: bool, now: Instant, news: &mut News) {
        self.under_way = self.under_way.saturating_sub(1);
        if slot {
            self.free(tenant, now, news);
        }
    }

    fn free(&mut self, tenant: u32, now: Instant, news: &mut News) {
        let next = self.bulkhead.release(tenant, self.pace.slots(), now);
        self.hand_on(next, now, news);
    }

    /// Admits the waiter who was given a slot, and everyone else there is a slot for. Where the breaker refuses one,
    /// its slot goes to the next.
    fn hand_on(&mut self, first: Option<u64>, now: Instant, news: &mut News) {
        let mut next = first;
        while let Some(id) = next.take().or_else(|| self.bulkhead.promote(self.pace.slots(), now)) {
            let Some(ask) = self.waiters.ask(id) else { continue };
            self.wake(now, news);
            match self.breaker.readmit(now, ask.probe_by, ask.alternatives) {
                Admit::Through(ticket) | Admit::Probe(ticket) => {
                    let passed = Passed { ticket, tenant: ask.tenant, slot: true, at: now };
                    self.waiters.decide(id, Standing::Passed(passed), news);
                }
                Admit::Refused(refused) => {
                    self.waiters.decide(id, Standing::Denied(Denied::Refused(refused)), news);
                    next = self.bulkhead.release(ask.tenant, self.pace.slots(), now);
                }
            }
        }
    }
}
