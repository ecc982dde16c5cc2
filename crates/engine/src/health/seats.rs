//! One target's place: its gate, and what calls have learnt of it.
//!
//! Must never be here: what a movement of one means for others.

use super::{Health, TargetReport, snapshot};
use llm::{Label, TargetId};
use resilience::{Gate, GatePolicy, Reason, State, Transition, Watch};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The most models outside the configuration that are told apart.
pub(super) const MAX_OTHERS: usize = 256;

/// For how long a target that declined a given beginning is not handed another.
const DECLINED_FOR: Duration = Duration::from_secs(600);

/// How many calls in a row a target may turn away for our fault before it rests, and for how long: soon enough to notice
/// that someone has mended it.
const TURNED_AWAY: u32 = 5;
const UNUSABLE_REST: Duration = Duration::from_secs(60);

/// One target.
pub(crate) struct Seat {
    label: Label,
    /// `None` for the label that all other models of a provider share.
    target: Option<TargetId>,
    provider: usize,
    gate: Arc<Gate>,
    /// When it was last told to go on with a given beginning, and would not.
    declined_prefill: Mutex<Option<Instant>>,
    /// How many calls in a row it turned away for our fault.
    turned_away: AtomicU32,
}

/// Tells the house of a breaker's movements.
struct Watcher {
    label: Label,
    health: Weak<Health>,
}

impl Watch for Watcher {
    fn moved(&self, transition: &Transition) {
        if let Some(health) = self.health.upgrade() {
            health.moved(&self.label, transition);
        }
    }
}

impl Seat {
    pub(super) fn new(
        label: Label,
        target: Option<TargetId>,
        provider: usize,
        policy: GatePolicy,
        health: Weak<Health>,
        now: Instant,
    ) -> Self {
        let watcher = Arc::new(Watcher { label: label.clone(), health });
        let gate = Gate::new(policy, now, watcher);
        Self { label, target, provider, gate, declined_prefill: Mutex::new(None), turned_away: AtomicU32::new(0) }
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    pub(super) fn label(&self) -> &Label {
        &self.label
    }

    pub(super) fn target(&self) -> Option<&TargetId> {
        self.target.as_ref()
    }

    pub(super) fn state(&self, now: Instant) -> State {
        snapshot(self, now).breaker.state
    }

    /// Whether it fails so often that a call which cannot be retried is better made elsewhere, although its breaker is
    /// closed: at least one in ten of the last 20 calls or more.
    pub(crate) fn fails_often(&self, now: Instant) -> bool {
        let counts = snapshot(self, now).breaker.counts;
        counts.total >= 20 && counts.failed * 10 >= counts.total
    }

    /// The target as it is now; `rested_until` answers when the keys of a provider wake for a model.
    pub(crate) fn report(
        &self,
        now: Instant,
        rested_until: impl FnOnce(usize, &str) -> Option<Instant>,
    ) -> TargetReport {
        TargetReport {
            target: self.target.clone().map_or_else(|| self.label.to_string(), |target| target.to_string()),
            gate: snapshot(self, now),
            keys_until: self.target.as_ref().and_then(|target| rested_until(self.provider, &target.model)),
            declined_prefill: self.declined_prefill(now),
        }
    }

    /// Notes that it answered.
    pub(crate) fn let_in(&self) {
        // Healthy targets share a line of memory that nobody writes.
        if self.turned_away.load(Ordering::Relaxed) != 0 {
            self.turned_away.store(0, Ordering::Relaxed);
        }
    }

    /// Notes at `now` that it turned a call away for our fault. That blames nobody, and says nothing where it is about
    /// this one call; but a target that turns every call away would cost each of them an attempt. It rests after some
    /// in a row.
    pub(crate) fn turned_us_away(&self, now: Instant) {
        if self.turned_away.fetch_add(1, Ordering::Relaxed) + 1 >= TURNED_AWAY {
            self.gate.trip(Reason::Unusable, now + UNUSABLE_REST, now);
        }
    }

    /// Notes at `now` that the target will not go on with a given beginning, whatever the configuration says.
    pub(crate) fn declines_prefill(&self, now: Instant) {
        *self.declined_prefill.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether it would not, lately.
    pub(crate) fn declined_prefill(&self, now: Instant) -> bool {
        let declined = *self.declined_prefill.lock().unwrap_or_else(PoisonError::into_inner);
        declined.is_some_and(|declined| now.saturating_duration_since(declined) < DECLINED_FOR)
    }
}

/// Seats of models outside the configuration.
#[derive(Default)]
pub(super) struct Others(Mutex<HashMap<TargetId, Arc<Seat>>>);

impl Others {
    /// The seat of `target`, made where there is none. `None` where all seats are taken by targets that are in use or
    /// rest. One that has rested and that nobody asks since is forgotten, as are the well.
    pub(super) fn seat(&self, target: &TargetId, make: impl FnOnce() -> Seat, now: Instant) -> Option<Arc<Seat>> {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(target) {
            return Some(Arc::clone(seat));
        }
        if seats.len() >= MAX_OTHERS {
            // Calls under way hold the gate.
            let in_use = |seat: &Arc<Seat>| Arc::strong_count(seat) > 1 || Arc::strong_count(&seat.gate) > 1;
            seats.retain(|_, seat| in_use(seat) || seat.state(now) == State::Open);
        }
        if seats.len() >= MAX_OTHERS {
            return None;
        }
        let seat = Arc::new(make());
        seats.insert(target.clone(), Arc::clone(&seat));
        Some(seat)
    }

    pub(super) fn all(&self) -> Vec<Arc<Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
