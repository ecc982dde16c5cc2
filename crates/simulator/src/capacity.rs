//! How many calls are worked on at a time, and who waits for a slot.
//!
//! Receives calls one by one; hands each a `Turn`, which becomes its `Slot`, or turns it away. Slots go to those who
//! wait in the order they came; who leaves while waiting gives up the place, who leaves while working the slot.
//! Never here: what the calls do, and what those turned away are told.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The most slots, and the longest queue, that a capacity may have.
pub const MAX_CAPACITY: usize = 10_000;

/// How many calls are worked on at a time; all that come by default.
///
/// In JSON: `{"slots": 4, "queue": 16, "hold": "end"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Calls worked on at a time, 1 to [`MAX_CAPACITY`].
    #[serde(deserialize_with = "slots")]
    pub slots: usize,
    /// Calls that wait for a slot, at most [`MAX_CAPACITY`], none by default; further ones are answered 503 at once.
    #[serde(default, deserialize_with = "queue")]
    pub queue: usize,
    /// How long a call keeps its slot.
    #[serde(default)]
    pub hold: Hold,
}

/// How long a call keeps its slot. `latency` and the fault count: a call that hangs keeps it until its client leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until the last bytes of the answer are handed to the connection, or the client leaves.
    #[default]
    End,
    /// Of a stream only until the first content is handed to the connection.
    FirstToken,
}

impl Capacity {
    /// So many calls at a time, so many waiting, each holding its slot to the end.
    #[must_use]
    pub const fn new(slots: usize, queue: usize) -> Self {
        Self { slots, queue, hold: Hold::End }
    }
}

fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let slots = usize::deserialize(deserializer)?;
    let fits = (1..=MAX_CAPACITY).contains(&slots);
    if fits { Ok(slots) } else { Err(D::Error::custom(format_args!("`slots` lies in 1 to {MAX_CAPACITY}"))) }
}

fn queue<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let queue = usize::deserialize(deserializer)?;
    let fits = queue <= MAX_CAPACITY;
    if fits { Ok(queue) } else { Err(D::Error::custom(format_args!("`queue` is at most {MAX_CAPACITY}"))) }
}

/// All slots are taken and the queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// Hands out slots. The capacity comes with each call, so that it may change while calls are under way.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: usize,
    busy: usize,
    /// Those who wait, longest first; a message is the slot.
    waiting: VecDeque<oneshot::Sender<()>>,
}

impl Gate {
    /// A call comes.
    pub(crate) fn enter(self: &Arc<Self>, capacity: Capacity) -> Result<Turn, Overloaded> {
        let mut state = self.lock();
        state.slots = capacity.slots;
        state.waiting.retain(|waiting| !waiting.is_closed());
        state.serve();
        if state.busy >= state.slots && state.waiting.len() >= capacity.queue {
            return Err(Overloaded);
        }
        let (sender, called) = oneshot::channel();
        state.waiting.push_back(sender);
        state.serve();
        Ok(Turn { gate: Arc::clone(self), called })
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.busy -= 1;
        state.serve();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives free slots to those who wait and are still there.
    fn serve(&mut self) {
        while self.busy < self.slots
            && let Some(next) = self.waiting.pop_front()
        {
            self.busy += usize::from(next.send(()).is_ok());
        }
    }
}

/// A place in the queue. Dropped it is given up, and with it a slot that was given but not yet taken.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Arc<Gate>,
    called: oneshot::Receiver<()>,
}

impl Turn {
    /// Waits for the slot. None where the gate forgot this turn, which it does not.
    pub(crate) async fn slot(mut self) -> Option<Slot> {
        (&mut self.called).await.ok()?;
        Some(Slot { gate: Arc::clone(&self.gate) })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.called.close();
        if self.called.try_recv().is_ok() {
            self.gate.leave();
        }
    }
}

/// A call being worked on. Dropped it makes room for the next.
#[derive(Debug)]
pub(crate) struct Slot {
    gate: Arc<Gate>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    type Waiting = Pin<Box<dyn Future<Output = Option<Slot>>>>;

    fn wait(turn: Turn) -> Waiting {
        Box::pin(turn.slot())
    }

    fn poll(waiting: &mut Waiting) -> Option<Slot> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(slot) => Some(slot.expect("a slot")),
            Poll::Pending => None,
        }
    }

    #[test]
    fn slots_go_round_in_order_and_those_too_many_are_turned_away() {
        let (gate, capacity) = (Arc::new(Gate::default()), Capacity::new(1, 2));
        let mut waiting: Vec<_> = (0..3).map(|_| wait(gate.enter(capacity).expect("room"))).collect();
        assert_eq!(gate.enter(capacity).expect_err("a full queue"), Overloaded);
        for index in 0..3 {
            let slot = poll(&mut waiting[index]).expect("the next in order");
            assert!(waiting[index + 1..].iter_mut().all(|later| poll(later).is_none()));
            drop(slot);
        }
        assert!(poll(&mut wait(gate.enter(Capacity::new(1, 0)).expect("room"))).is_some());
    }

    #[test]
    fn who_leaves_gives_up_the_place_or_the_slot() {
        let (gate, capacity) = (Arc::new(Gate::default()), Capacity::new(1, 1));
        let working = poll(&mut wait(gate.enter(capacity).expect("room"))).expect("a slot");
        drop(gate.enter(capacity).expect("a place"));
        let mut second = wait(gate.enter(capacity).expect("the place given up"));
        assert!(poll(&mut second).is_none() && gate.enter(capacity).is_err());
        drop(working);
        drop(second);
        assert!(poll(&mut wait(gate.enter(Capacity::new(1, 0)).expect("room"))).is_some(), "a slot was lost");
    }

    #[test]
    fn capacity_may_change_under_way() {
        let gate = Arc::new(Gate::default());
        let mut calls: Vec<_> = (0..3).map(|_| wait(gate.enter(Capacity::new(1, 9)).expect("room"))).collect();
        let first = poll(&mut calls[0]).expect("a slot");
        let mut last = wait(gate.enter(Capacity::new(3, 9)).expect("room"));
        let others = [poll(&mut calls[1]), poll(&mut calls[2])].map(|slot| slot.expect("a new slot"));
        assert!(poll(&mut last).is_none());
        drop(first);
        assert!(poll(&mut last).is_some());
        drop(others);
        assert_eq!(gate.lock().busy, 0);
    }

    proptest! {
        /// Whatever comes and goes: never more work than slots, never more wait than may, no slot is lost.
        #[test]
        fn bounds_hold_and_no_slot_is_lost(
            slots in 1_usize..4, queue in 0_usize..4, steps in prop::collection::vec((any::<bool>(), 0_usize..8), 0..60),
        ) {
            let (gate, capacity) = (Arc::new(Gate::default()), Capacity::new(slots, queue));
            let (mut waiting, mut working) = (Vec::new(), Vec::new());
            for (comes, which) in steps {
                let there = waiting.len() + working.len();
                match gate.enter(capacity) {
                    Ok(turn) if comes => waiting.push(wait(turn)),
                    Ok(_) => {}
                    Err(Overloaded) => prop_assert_eq!(there, slots + queue),
                }
                if !comes && which < waiting.len() {
                    drop(waiting.remove(which));
                } else if !comes && which < there {
                    drop(working.swap_remove(which - waiting.len()));
                }
                waiting.retain_mut(|one| poll(one).map(|slot| working.push(slot)).is_none());
                prop_assert!(working.len() <= slots && waiting.len() <= queue);
                prop_assert!(working.len() == slots || waiting.is_empty());
            }
            drop((waiting, working));
            prop_assert_eq!(gate.lock().busy, 0);
        }
    }
}
