//! A call's place in the queue for a slot.
//!
//! Must never be here: timers. Whoever waits decides how long.

use super::{Gate, Permit};
use crate::{Refused, Shed};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Resolves with a permit once a slot is free and the breaker still lets the call pass. Dropped, it leaves the queue; a
/// slot that it had just been given goes to the next.
#[derive(Debug)]
#[must_use]
pub struct Waiting {
    gate: Arc<Gate>,
    id: u64,
    over: bool,
}

/// Why waiting was in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The breaker opened meanwhile.
    Refused(Refused),
    /// A more important call took the place in the queue.
    Shed(Shed),
}

impl Waiting {
    pub(super) fn new(gate: Arc<Gate>, id: u64) -> Self {
        Self { gate, id, over: false }
    }
}

impl Waiting {
    /// Leaves the queue at `now`, after as long as [`Gate::patience`] allows: in vain, so that others need not try as
    /// long. A drop alone says nothing of the target.
    pub fn give_up(mut self, now: Instant) {
        if !std::mem::replace(&mut self.over, true) {
            self.gate.locked(|inside, news| inside.leave_queue(self.id, Some(now), news));
        }
    }
}

impl Future for Waiting {
    type Output = Result<Permit, Denied>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker().clone();
        let outcome = self.gate.locked(|inside, news| inside.poll(self.id, waker, news));
        let Poll::Ready(outcome) = outcome else { return Poll::Pending };
        self.over = true;
        Poll::Ready(outcome.map(|passed| Permit::new(Arc::clone(&self.gate), passed)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.gate.locked(|inside, news| inside.leave_queue(self.id, None, news));
        }
    }
}
