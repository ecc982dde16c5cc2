//! The slots of one target: how many are taken, by whom, and who waits for the next one.
//!
//! Receives the number of slots there may be, a tenant and a priority; hands on slots, and the waiter who got one.
//! Must never be here: wakers, locks, how the number of slots is found.

mod queue;
mod tenants;

use llm::Priority;
use queue::Queue;
use std::time::{Duration, Instant};
use tenants::Tenants;

/// How long a priority that was asked for keeps its share of the slots free.
const SEEN: Duration = Duration::from_secs(60);
/// How long a waiter may wait in quiet times.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a waiter may wait while the target is overloaded.
const HURRY: Duration = Duration::from_millis(5);

/// What came of asking for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// A slot is taken; [`Bulkhead::release`] gives it back.
    Taken,
    /// No slot is free for this priority.
    Full,
}

/// Nobody may wait any more: too many wait already, none of them less important.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed;

/// Slots in use, in all and per tenant, and at most 64 waiters.
///
/// Less important calls are turned away before the slots run out: `Sheddable` may use 70 % of them, `Normal` 90 %, each
/// rounded up, and `Critical` all. While only one priority was asked for in the last 60 s nothing is held back: a
/// gateway whose clients never name priorities uses its whole limit.
///
/// A free slot goes to the waiter of the highest priority; among those to the tenant that holds the fewest slots, so
/// that one noisy tenant cannot starve a quiet one; among those to the oldest, or while overloaded to the newest, whose
/// client still listens. Overloaded means that the queue has not been empty for 100 ms, or that someone waited in vain
/// within the last second; waiters are then kept for 5 ms instead of 100 ms, but for those whose tenant holds less than
/// its fair share of the slots. That is the controlled delay and adaptive LIFO of Facebook's "Fail at Scale" (ACM Queue
/// 13(8), 2015), after `CoDel` (Nichols and Jacobson, ACM Queue 10(5), 2012).
#[derive(Clone, Debug, Default)]
pub struct Bulkhead {
    tenants: Tenants,
    queue: Queue,
    /// When each priority was last asked for.
    seen: [Option<Instant>; Priority::ALL.len()],
}

impl Bulkhead {
    /// Nothing in use, nobody waiting.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one of `limit` slots if one is free for this priority. A limit of 0 lets nobody in.
    pub fn enter(&mut self, limit: u32, tenant: u32, priority: Priority, now: Instant) -> Entered {
        if let Some(seen) = self.seen.get_mut(priority as usize) {
            *seen = Some(now);
        }
        if self.in_use() >= self.allowance(limit, priority, now) {
            return Entered::Full;
        }
        self.tenants.take(tenant);
        Entered::Taken
    }

    /// Joins the waiters under an id that no other waiter has. Returns the id of the waiter who gave way, if one did:
    /// it waits no more and holds nothing.
    ///
    /// Among 64 waiters the newest of the lowest priority gives way to a more important one; between equals, the newest
    /// of the tenant with the most waiters gives way to a tenant that has at least two fewer.
    ///
    /// # Errors
    /// [`Shed`] when nobody gives way.
    pub fn wait(&mut self, id: u64, tenant: u32, priority: Priority, now: Instant) -> Result<Option<u64>, Shed> {
        self.queue.join(id, tenant, priority, now)
    }

    /// Takes a waiter off the queue. `false` if it was not there: it holds a slot already, or gave way.
    pub fn leave(&mut self, id: u64) -> bool {
        self.queue.leave(id)
    }

    /// Takes a waiter off the queue that waited for as long as it may, in vain: the target is overloaded. `false` if it
    /// was not there.
    pub fn give_up(&mut self, id: u64, now: Instant) -> bool {
        self.queue.give_up(id, now)
    }

    /// Gives back a slot that `tenant` took, and hands it to the best waiter if one may have it. Returns that waiter,
    /// who now holds a slot.
    pub fn release(&mut self, tenant: u32, limit: u32, now: Instant) -> Option<u64> {
        self.tenants.give_back(tenant);
        self.promote(limit, now)
    }

    /// Hands a free slot to the best waiter. To be called until `None` whenever the limit has grown.
    pub fn promote(&mut self, limit: u32, now: Instant) -> Option<u64> {
        let priority = self.queue.highest()?;
        if self.in_use() >= self.allowance(limit, priority, now) {
            return None;
        }
        let waiter = self.queue.take_best(priority, |tenant| self.tenants.held_by(tenant), now)?;
        self.tenants.take(waiter.tenant);
        Some(waiter.id)
    }

    /// How long a waiter of `tenant` may wait, as things are now. One that holds less than its fair share of the slots is
    /// not who overloads the target: it keeps its patience.
    #[must_use]
    pub fn patience(&self, tenant: u32, now: Instant) -> Duration {
        let hurry = self.queue.overloaded(now) && !self.tenants.is_below_its_share(tenant);
        if hurry { HURRY } else { PATIENCE }
    }

    /// Slots taken.
    #[must_use]
    pub const fn in_use(&self) -> u32 {
        self.tenants.total()
    }

    /// Waiters, at most 64.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many of `limit` slots may be taken for a call of this priority to be let in.
    fn allowance(&self, limit: u32, priority: Priority, now: Instant) -> u32 {
        let fresh = |seen: &&Instant| now.saturating_duration_since(**seen) < SEEN;
        if self.seen.iter().flatten().filter(fresh).count() <= 1 {
            return limit;
        }
        let percent = match priority {
            Priority::Sheddable => 70,
            Priority::Normal => 90,
            Priority::Critical => 100,
        };
        let share = (u64::from(limit) * percent).div_ceil(100);
        u32::try_from(share).unwrap_or(limit)
    }
}

#[cfg(test)]
mod tests;
