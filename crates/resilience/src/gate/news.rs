//! What others have to be told, gathered under the gate's lock and told outside it.
//!
//! Must never be here: the lock.

use super::Watch;
use crate::Transition;
use std::task::Waker;

/// Empty on nearly every call, and then without any allocation.
#[derive(Debug, Default)]
pub(super) struct News {
    moved: Vec<Transition>,
    woken: Vec<Waker>,
    /// Wakers that nobody needs any more: dropping one may run code of a runtime.
    idle: Vec<Waker>,
}

impl News {
    pub(super) fn moved(&mut self, transition: Option<Transition>) {
        self.moved.extend(transition);
    }

    pub(super) fn wake(&mut self, waker: Option<Waker>) {
        self.woken.extend(waker);
    }

    pub(super) fn idle(&mut self, waker: Option<Waker>) {
        self.idle.extend(waker);
    }

    pub(super) fn publish(self, watch: &dyn Watch) {
        self.moved.iter().for_each(|transition| watch.moved(transition));
        self.woken.into_iter().for_each(Waker::wake);
    }
}
