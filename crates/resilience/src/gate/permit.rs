//! What a call that passed carries to its end, so that the gate learns of it whatever happens.
//!
//! Must never be here: what follows from a report.

use super::Gate;
use super::inside::{Heard, Leaving, Passed};
use crate::{Report, Ticket};
use std::sync::Arc;
use std::time::Instant;

/// Leave to ask the target once. Travels with the attempt and is settled at its end; dropped unsettled it blames
/// nobody: the slot is freed, a probe's permit is returned, and what has begun stays a success.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    gate: Arc<Gate>,
    /// `None` once settled.
    ticket: Option<Ticket>,
    tenant: u32,
    /// Whether it still holds a slot.
    slot: bool,
    begun: bool,
    at: Instant,
}

impl Permit {
    pub(super) fn new(gate: Arc<Gate>, Passed { ticket, tenant, slot, at }: Passed) -> Self {
        Self { gate, ticket: Some(ticket), tenant, slot, begun: false, at }
    }

    /// Whether the call decides over others: it is the one probe of a half-open breaker.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.ticket.as_ref().is_some_and(Ticket::is_probe)
    }

    /// Whether the breaker has opened by a fault of the target since the call passed. What the call still waits for is
    /// then not worth waiting for. Takes no lock.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| self.gate.has_fallen_since(ticket.generation()))
    }

    /// The first content came: the slot is free (unless the policy counts calls to their end), the time it took since the
    /// call passed is learnt, and the call counts as a success until [`Self::settle`] takes that back. Only the first
    /// time counts.
    pub fn begun(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        self.heard(Heard::FirstContent, now, rng);
    }

    /// All of an answer came at once: as [`Self::begun`], but how long it took says as much of its length as of the
    /// target's load, and is not taken for a time to first content.
    pub fn answered(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        self.heard(Heard::Whole, now, rng);
    }

    fn heard(&mut self, heard: Heard, now: Instant, rng: &mut fastrand::Rng) {
        let Some(ticket) = self.ticket.as_mut().filter(|_| !self.begun) else { return };
        self.begun = true;
        let took = now.saturating_duration_since(self.at);
        let (slot, tenant) = (&mut self.slot, self.tenant);
        self.gate.locked(|inside, news| {
            let freed = !inside.holds_to_the_end() && std::mem::take(slot);
            inside.begun(ticket, freed.then_some(tenant), (heard, took), now, rng, news);
        });
    }

    /// The call has been silent for [`Gate::patience_for_answer`]: until it answers, it counts among the hard
    /// failures in a row. Only the first time counts.
    pub fn silent(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        if let Some(ticket) = &mut self.ticket {
            self.gate.locked(|inside, news| inside.silent(ticket, now, rng, news));
        }
    }

    /// The attempt ended so.
    pub fn settle(mut self, report: Report, now: Instant, rng: &mut fastrand::Rng) {
        if let Some(leaving) = self.leave() {
            self.gate.locked(|inside, news| inside.settle(leaving, report, now, rng, news));
        }
    }

    fn leave(&mut self) -> Option<Leaving> {
        let ticket = self.ticket.take()?;
        let slot = std::mem::take(&mut self.slot);
        Some(Leaving { ticket, tenant: self.tenant, slot, begun: self.begun, at: self.at })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(leaving) = self.leave() {
            self.gate.locked(|inside, news| inside.abandon(&leaving, news));
        }
    }
}
