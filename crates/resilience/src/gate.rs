//! The door of one target: its breaker, slots, limit, load and quota, behind one lock.
//!
//! Receives calls that want to pass, and what became of them; hands on permits, refusals and places in the queue, and
//! tells a [`Watch`] of the breaker's moves. Every call takes the lock for a moment at entry, first content and end;
//! under it there is arithmetic only. Must never be here: clocks, timers, which targets there are.

mod inside;
mod news;
mod permit;
mod waiting;

#[cfg(test)]
#[cfg(not(feature = "shuttle"))]
mod tests;

pub use permit::Permit;
pub use waiting::{Denied, Waiting};

use crate::sync::{AtomicU64, Mutex, MutexGuard};
use crate::{GatePolicy, Reason, Refused, Shed, Snapshot, Transition};
use inside::{Entered, Inside};
use llm::{Priority, QuotaReading};
use news::News;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Is told of a breaker's moves. Called outside the gate's lock, on the thread that caused the move; moves of two
/// threads at one time may arrive in either order, so that whoever needs the present state asks [`Gate::look`].
pub trait Watch: Send + Sync {
    /// The breaker moved.
    fn moved(&self, transition: &Transition);
}

/// Nobody watches.
impl Watch for () {
    fn moved(&self, _: &Transition) {}
}

/// Who wants to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// On whose behalf, for a fair share of the slots.
    pub tenant: u32,
    /// How much the call matters when not all can pass.
    pub priority: Priority,
    /// Until when it will have shown a verdict, should it become a probe: its deadline for first content.
    pub probe_by: Instant,
    /// Whether it can go to another target instead.
    pub alternatives: bool,
}

/// What the gate says to a call.
#[derive(Debug)]
pub enum Entry {
    /// It may pass; this travels with it.
    Permit(Permit),
    /// The target is not to be asked now.
    Refused(Refused),
    /// The target is well and has no slot free. [`Gate::queue`] waits for one.
    Full,
}

/// How busy a target is; the less, the better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Seconds to first content that one more call has to expect, times the calls that would wait for it.
    pub expected: f64,
    /// Slots in use: calls that wait for their first content, or all under way where the policy says how many may be.
    pub in_flight: u32,
    /// Calls that have not ended.
    pub under_way: u32,
}

/// A gate at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateSnapshot {
    /// Its breaker.
    pub breaker: Snapshot,
    /// Slots in use: calls that wait for their first content, or all under way where the policy says how many may be.
    pub in_flight: u32,
    /// Calls that have not ended.
    pub under_way: u32,
    /// Calls that wait for a slot.
    pub waiting: usize,
    /// The most slots that may be in use now.
    pub limit: u32,
    /// Seconds to first content, as expected of a call that begins now.
    pub first_token: f64,
    /// Where its quota is nearly used up: until when.
    pub scarce_until: Option<Instant>,
}

/// One target's gate. Shared by all calls that may go there.
pub struct Gate {
    inside: Mutex<Inside>,
    /// [`crate::Breaker::fallen`], for calls under way to compare with their own generation without the lock.
    fallen: AtomicU64,
    watch: Arc<dyn Watch>,
}

impl Gate {
    /// A gate with a closed breaker, nobody inside.
    #[must_use]
    pub fn new(policy: GatePolicy, now: Instant, watch: Arc<dyn Watch>) -> Arc<Self> {
        Arc::new(Self { inside: Mutex::new(Inside::new(policy, now)), fallen: AtomicU64::new(0), watch })
    }

    /// Asks to pass now. The order of the questions: is the quota nearly used up (where the call has alternatives),
    /// does the breaker let it pass, is a slot free. A probe passes without a slot where none is free.
    pub fn enter(self: &Arc<Self>, ask: Ask, now: Instant, rng: &mut fastrand::Rng) -> Entry {
        match self.locked(|inside, news| inside.enter(&ask, now, rng, news)) {
            Entered::Passed(passed) => Entry::Permit(Permit::new(Arc::clone(self), passed)),
            Entered::Refused(refused) => Entry::Refused(refused),
            Entered::Full => Entry::Full,
        }
    }

    /// Waits for a slot, after [`Entry::Full`]. How long is the caller's business; [`Self::patience`] says how long
    /// is wise.
    ///
    /// # Errors
    /// [`Shed`] where 64 calls wait already that matter as much.
    pub fn queue(self: &Arc<Self>, ask: Ask, now: Instant) -> Result<Waiting, Shed> {
        let id = self.locked(|inside, news| inside.queue(&ask, now, news))?;
        Ok(Waiting::new(Arc::clone(self), id))
    }

    /// How long a call of `tenant` may wait for a slot, as things are now.
    #[must_use]
    pub fn patience(&self, tenant: u32, now: Instant) -> Duration {
        self.lock().patience(tenant, now)
    }

    /// After how much silence a call is to tell so by [`Permit::silent`]: `slow_call` where that is configured, else
    /// four times as long as first content took lately (of a call that is no `stream`: the whole answer), at least 5 s.
    /// A target that has never begun an answer gets 15 s, one that has never finished a whole one 60 s.
    #[must_use]
    pub fn patience_for_answer(&self, stream: bool) -> Duration {
        self.lock().patience_for_answer(stream)
    }

    /// How long first content took at most lately (of a call that is no `stream`: the whole answer); `None` where the
    /// target has never answered so.
    #[must_use]
    pub fn usual(&self, stream: bool) -> Option<Duration> {
        self.lock().usual(stream)
    }

    /// Opens the breaker until then, for a reason that its own calls did not give; see [`crate::Breaker::trip`].
    pub fn trip(&self, reason: Reason, until: Instant, now: Instant) {
        self.locked(|inside, news| inside.trip(reason, until, now, news));
    }

    /// Closes the breaker where it opened by ratio; see [`crate::over_ejection_cap`].
    pub fn pardon(&self, now: Instant) {
        self.locked(|inside, news| inside.pardon(now, news));
    }

    /// Learns what a response said of the quota.
    pub fn quota(&self, readings: &[QuotaReading], now: Instant) {
        self.lock().quota(readings, now);
    }

    /// How busy the target is, for choosing between targets.
    #[must_use]
    pub fn load(&self, now: Instant) -> Load {
        self.lock().load(now)
    }

    /// Everything there is to show.
    #[must_use]
    pub fn look(&self, now: Instant) -> GateSnapshot {
        self.lock().look(now)
    }

    /// The only way to change what is inside. What has to be told to others is gathered under the lock and told after
    /// it is released: neither wakers nor the watch ever run inside.
    fn locked<T>(&self, act: impl FnOnce(&mut Inside, &mut News) -> T) -> T {
        let mut news = News::default();
        let answer = {
            let mut inside = self.lock();
            let answer = act(&mut inside, &mut news);
            self.fallen.store(inside.fallen(), Ordering::Release);
            answer
        };
        news.publish(&*self.watch);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_fallen_since(&self, generation: u64) -> bool {
        self.fallen.load(Ordering::Acquire) > generation
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}
