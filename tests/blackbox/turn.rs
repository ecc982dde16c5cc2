//! Who has the machine: tests that measure have it to themselves, all others share it.
//!
//! Every test is a thread of its own here, so that waiting for a turn may block it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct Turns {
    sharing: usize,
    alone: bool,
    /// Those who want it alone go first: they would wait for the last of the others.
    waiting: usize,
}

static TURNS: Mutex<Turns> = Mutex::new(Turns { sharing: 0, alone: false, waiting: 0 });
static CHANGED: Condvar = Condvar::new();

thread_local! {
    /// How many turns this test holds: it never waits for itself.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// A turn, until it is dropped, by the test that took it.
pub(crate) struct Turn {
    alone: bool,
    _here: PhantomData<*const ()>,
}

/// Waits until nobody has the machine alone.
pub(crate) fn shared() -> Turn {
    if HELD.get() == 0 {
        let mut turns = until(|turns| !turns.alone && turns.waiting == 0);
        turns.sharing += 1;
    }
    HELD.set(HELD.get() + 1);
    Turn { alone: false, _here: PhantomData }
}

/// Waits until nobody else has it at all. A test takes this before anything else.
pub(crate) fn alone() -> Turn {
    assert_eq!(HELD.get(), 0, "first of all");
    lock().waiting += 1;
    let mut turns = until(|turns| !turns.alone && turns.sharing == 0);
    (turns.waiting, turns.alone) = (turns.waiting - 1, true);
    HELD.set(1);
    Turn { alone: true, _here: PhantomData }
}

impl Drop for Turn {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
        let mut turns = lock();
        if self.alone {
            turns.alone = false;
        } else if HELD.get() == 0 {
            turns.sharing -= 1;
        }
        CHANGED.notify_all();
    }
}

fn lock() -> MutexGuard<'static, Turns> {
    TURNS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn until(free: impl Fn(&Turns) -> bool) -> MutexGuard<'static, Turns> {
    CHANGED.wait_while(lock(), |turns| !free(turns)).unwrap_or_else(PoisonError::into_inner)
}
