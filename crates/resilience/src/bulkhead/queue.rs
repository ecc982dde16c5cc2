//! Those who wait for a slot, who comes next, and who gives way.
//!
//! Receives waiters, and how many slots a tenant holds; hands on the best one.
//! Must never be here: limits, slots.

use super::Shed;
use llm::Priority;
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// The most waiters there may be.
pub(super) const ROOM: usize = 64;
/// A queue that has not been empty for this long belongs to an overloaded target.
const STANDING: Duration = Duration::from_millis(100);
/// A target stays overloaded for so long after someone waited in vain: where few calls come, the queue is empty between
/// them, and each would wait its full time only to be turned away.
const SINCE_IN_VAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) tenant: u32,
    priority: Priority,
}

/// At most [`ROOM`] waiters, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiters: Vec<Waiter>,
    /// Since when it has not been empty.
    standing: Option<Instant>,
    /// When someone last gave up who had waited for as long as one may.
    in_vain: Option<Instant>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn overloaded(&self, now: Instant) -> bool {
        let passed = |since: Instant| now.saturating_duration_since(since);
        let lately = self.in_vain.is_some_and(|left| passed(left) < SINCE_IN_VAIN);
        lately || self.standing.is_some_and(|since| passed(since) >= STANDING)
    }

    pub(super) fn highest(&self) -> Option<Priority> {
        self.waiters.iter().map(|waiter| waiter.priority).max()
    }

    pub(super) fn join(&mut self, id: u64, tenant: u32, priority: Priority, now: Instant) -> Result<Option<u64>, Shed> {
        let gone = if self.waiters.len() < ROOM {
            None
        } else {
            let at = self.gives_way_to(tenant, priority).ok_or(Shed)?;
            Some(self.waiters.remove(at).id)
        };
        self.waiters.push(Waiter { id, tenant, priority });
        self.standing = self.standing.or(Some(now));
        Ok(gone)
    }

    pub(super) fn leave(&mut self, id: u64) -> bool {
        let at = self.waiters.iter().position(|waiter| waiter.id == id);
        at.and_then(|at| self.take(at)).is_some()
    }

    /// Takes a waiter out that waited for as long as it may, in vain.
    pub(super) fn give_up(&mut self, id: u64, now: Instant) -> bool {
        let left = self.leave(id);
        if left {
            self.in_vain = Some(now);
        }
        left
    }

    /// Takes the best waiter of a priority.
    pub(super) fn take_best(&mut self, priority: Priority, held: impl Fn(u32) -> u32, now: Instant) -> Option<Waiter> {
        let equals = self.waiters.iter().enumerate().filter(|(_, waiter)| waiter.priority == priority);
        let ranked = equals.map(|(at, waiter)| (held(waiter.tenant), at));
        let best =
            if self.overloaded(now) { ranked.min_by_key(|(held, at)| (*held, Reverse(*at))) } else { ranked.min() };
        best.and_then(|(_, at)| self.take(at))
    }

    fn take(&mut self, at: usize) -> Option<Waiter> {
        let waiter = self.waiters.get(at).copied()?;
        self.waiters.remove(at);
        if self.waiters.is_empty() {
            self.standing = None;
        }
        Some(waiter)
    }

    /// Where the waiter stands that gives way to a new one.
    fn gives_way_to(&self, tenant: u32, priority: Priority) -> Option<usize> {
        let lowest = self.waiters.iter().map(|waiter| waiter.priority).min()?;
        let newest = |of: &dyn Fn(&Waiter) -> bool| {
            self.waiters.iter().rposition(|waiter| waiter.priority == lowest && of(waiter))
        };
        if lowest != priority {
            return (lowest < priority).then(|| newest(&|_| true)).flatten();
        }
        let waiting = |tenant: u32| {
            self.waiters.iter().filter(|waiter| waiter.priority == lowest && waiter.tenant == tenant).count()
        };
        let equals = self.waiters.iter().filter(|waiter| waiter.priority == lowest);
        let noisiest = equals.map(|waiter| waiter.tenant).max_by_key(|tenant| waiting(*tenant))?;
        if waiting(noisiest) < waiting(tenant) + 2 {
            return None;
        }
        newest(&|waiter| waiter.tenant == noisiest)
    }
}
