//! The calls that stand in the queue, or have left it and do not know yet.
//!
//! Receives what is decided about them; hands on the outcome when they ask. Must never be here: who is next.

use super::super::news::News;
use super::super::{Ask, Denied};
use super::Passed;
use std::task::{Poll, Waker};

/// At most 64 wait; those decided upon stay until they ask or are dropped.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    all: Vec<Waiter>,
    last_id: u64,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    ask: Ask,
    standing: Standing,
}

/// How it stands with a waiter.
#[derive(Debug)]
pub(super) enum Standing {
    /// It waits; the waker is there once it has asked.
    Waits(Option<Waker>),
    /// It holds a slot and may pass.
    Passed(Passed),
    /// It may not, and holds nothing.
    Denied(Denied),
}

impl Waiters {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn add(&mut self, id: u64, ask: Ask, standing: Standing) {
        self.all.push(Waiter { id, ask, standing });
    }

    pub(super) fn ask(&self, id: u64) -> Option<Ask> {
        self.all.iter().find(|waiter| waiter.id == id).map(|waiter| waiter.ask)
    }

    pub(super) fn first_waiting(&self) -> Option<u64> {
        self.all.iter().find(|waiter| matches!(waiter.standing, Standing::Waits(_))).map(|waiter| waiter.id)
    }

    /// It waits no more.
    pub(super) fn decide(&mut self, id: u64, standing: Standing, news: &mut News) {
        let Some(waiter) = self.all.iter_mut().find(|waiter| waiter.id == id) else { return };
        if let Standing::Waits(waker) = std::mem::replace(&mut waiter.standing, standing) {
            news.wake(waker);
        }
    }

    /// The outcome, once; until there is one, remembers whom to wake.
    pub(super) fn poll(&mut self, id: u64, waker: Waker, news: &mut News) -> Poll<Result<Passed, Denied>> {
        let found = self.all.iter_mut().find(|waiter| waiter.id == id);
        if let Some(Waiter { standing: Standing::Waits(known), .. }) = found {
            news.idle(known.replace(waker));
            return Poll::Pending;
        }
        news.idle(Some(waker));
        match self.remove(id) {
            Some(Standing::Passed(passed)) => Poll::Ready(Ok(passed)),
            Some(Standing::Denied(denied)) => Poll::Ready(Err(denied)),
            Some(Standing::Waits(_)) | None => Poll::Pending,
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Standing> {
        let place = self.all.iter().position(|waiter| waiter.id == id)?;
        Some(self.all.swap_remove(place).standing)
    }
}
