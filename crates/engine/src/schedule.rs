//! What to try next, when, and for how long. Pure: time and chance are arguments.
//!
//! Receives how candidates fared; hands on the next step. Must never be here: breakers, budgets, which targets there
//! are.

use crate::places::Places;
use crate::{Advice, Again};
use resilience::Backoff;
use routing::{Policy, Timeouts};
use std::time::{Duration, Instant};

/// How many first-token timeouts a whole answer may stay silent for while another target could be asked.
const WHOLE_PATIENCE: u32 = 5;
/// What a target gets before it is given up for another one's sake, however short the time is; of a stream's, no more
/// than half the time that is left, so that the other has as much.
const FAIR: Duration = Duration::from_secs(10);
/// By how much of itself a pause may be longer.
const JITTER: f64 = 0.1;
/// The longest pause that a call makes because a target asked for it.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The attempts of one call, decided one at a time.
#[derive(Clone, Debug)]
pub struct Schedule {
    timeouts: Timeouts,
    deadline: Instant,
    /// Whether a first token can be told from a whole answer.
    stream: bool,
    /// Attempts that may still be made.
    attempts_left: u32,
    /// Candidates that may be asked.
    open: Places,
    /// Those of them to be asked after the others.
    deferred: Places,
    /// Turned away only because there were others.
    reluctant: Places,
    /// Without a free slot.
    full: Places,
    /// To be asked once more after a pause of our choice.
    again: Places,
    /// To be asked once more after this pause, which they asked for.
    told: Option<(Places, Duration)>,
    /// Pauses made.
    pauses: u32,
    closed: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Try this candidate; its first content has to come before `by`.
    Try {
        /// Place in the plan.
        candidate: usize,
        /// When to give it up.
        by: Instant,
        /// Whether the candidate may decline because others can be asked.
        alternatives: bool,
    },
    /// Wait for a slot at this candidate; all others were tried.
    Queue {
        /// Place in the plan.
        candidate: usize,
        /// When to give its first content up.
        by: Instant,
    },
    /// Wait until then.
    Pause(Instant),
    /// Give the call up.
    Stop(Stop),
}

/// Why a call is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No candidate or no attempt is left while there was time, or another attempt would not help.
    Exhausted,
    /// There is no time left.
    Deadline,
    /// The route's retries are used up for now.
    RetryBudget,
}

/// What the plan says of the candidates around one that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Those that may have failed with it: at the same provider, or in a failure domain of it.
    pub same_domain: Places,
    /// Those with a larger context window.
    pub larger_window: Places,
}

impl Schedule {
    /// A schedule over `candidates` for a call that has until `deadline`. Candidates after the 64th are not asked.
    #[must_use]
    pub fn new(policy: &Policy, candidates: usize, stream: bool, deadline: Instant) -> Self {
        let Policy { timeouts, max_attempts, .. } = *policy;
        Self {
            timeouts,
            deadline,
            stream,
            attempts_left: max_attempts,
            open: Places::first(candidates),
            deferred: Places::default(),
            reluctant: Places::default(),
            full: Places::default(),
            again: Places::default(),
            told: None,
            pauses: 0,
            closed: false,
        }
    }

    /// When the call has to be over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Decides at `now`.
    pub fn step(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Step {
        if self.closed {
            return Step::Stop(Stop::Exhausted);
        }
        // Asked before what is left: a last target that used up the time is not why the client has no answer.
        if now >= self.deadline {
            return Step::Stop(Stop::Deadline);
        }
        if self.attempts_left == 0 {
            return Step::Stop(Stop::Exhausted);
        }
        if let Some(candidate) = self.next() {
            return Step::Try { candidate, by: self.by(now), alternatives: true };
        }
        if let Some(candidate) = ((self.open & self.reluctant) - self.full).lowest() {
            return Step::Try { candidate, by: self.by(now), alternatives: false };
        }
        if let Some(candidate) = (self.open & self.full).lowest() {
            return Step::Queue { candidate, by: self.by(now) };
        }
        self.pause(now, rng)
    }

    /// A candidate to ask beside one that is slow.
    #[must_use]
    pub fn beside(&self, now: Instant) -> Option<(usize, Instant)> {
        let may = !self.closed && self.attempts_left > 0 && now < self.deadline;
        self.next().filter(|_| may).map(|candidate| (candidate, self.by(now)))
    }

    /// Whether another candidate could be asked at once.
    #[must_use]
    pub fn has_other(&self) -> bool {
        !self.closed && self.attempts_left > 0 && self.next().is_some()
    }

    /// Whether an attempt may still be made.
    #[must_use]
    pub fn may_try(&self) -> bool {
        !self.closed && self.attempts_left > 0
    }

    /// Takes in that nobody is to be asked any more.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Takes in that an attempt at a candidate begins.
    pub fn began(&mut self, candidate: usize) {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        self.open.remove(candidate);
    }

    /// Takes in that a candidate cannot be asked now; `reluctant` says that it can where no other is left.
    pub fn refused(&mut self, candidate: usize, reluctant: bool) {
        if reluctant && !self.reluctant.contains(candidate) {
            self.reluctant.insert(candidate);
        } else {
            self.open.remove(candidate);
        }
    }

    /// Takes in that a candidate has no free slot. The second time, waiting for one was in vain.
    pub fn full(&mut self, candidate: usize) {
        if self.full.contains(candidate) {
            self.open.remove(candidate);
        } else {
            self.full.insert(candidate);
        }
    }

    /// Takes in how an attempt failed; `fresh_key` says whether its provider has a key that does not rest.
    pub fn failed(&mut self, candidate: usize, advice: Advice, again: Again, fresh_key: bool, around: Around) {
        match advice {
            Advice::Never => self.closed = true,
            // The last attempt belongs to the next target: an account whose keys are all dead must not use them all up.
            Advice::OtherKey(..) if fresh_key && (self.attempts_left > 1 || self.next().is_none()) => {
                self.open.insert(candidate);
                return;
            }
            Advice::LargerWindow => {
                self.open = self.open & around.larger_window;
                self.again = Places::default();
                self.told = None;
            }
            Advice::Elsewhere => self.deferred = self.deferred | around.same_domain,
            Advice::OtherKey(..) | Advice::Next => {}
        }
        self.note_again(candidate, again);
    }

    /// Takes in that the same candidate may be asked at once in another way.
    pub fn reopen(&mut self, candidate: usize) {
        self.open.insert(candidate);
    }

    /// Takes in that the candidate that served may be asked once more, after all others.
    pub fn reopen_last(&mut self, candidate: usize) {
        self.open.insert(candidate);
        self.deferred.insert(candidate);
    }

    fn note_again(&mut self, candidate: usize, again: Again) {
        match again {
            Again::No => {}
            Again::Backoff => self.again.insert(candidate),
            Again::After(pause) if pause <= MAX_PAUSE => {
                let (mut places, soonest) = self.told.unwrap_or((Places::default(), pause));
                places.insert(candidate);
                self.told = Some((places, soonest.max(pause)));
            }
            Again::After(_) => {}
        }
    }

    /// The next candidate that has not been turned away.
    fn next(&self) -> Option<usize> {
        let willing = self.open - self.reluctant - self.full;
        (willing - self.deferred).lowest().or_else(|| willing.lowest())
    }

    /// A pause before those candidates are asked once more for which that may help; none that would outlast the call.
    fn pause(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Step {
        let (places, pause) = match (self.again, self.told) {
            (again, Some((told, pause))) if again.is_empty() => (told, pause),
            (again, _) if !again.is_empty() => (again, Backoff::default().wait(self.pauses, rng)),
            _ => return Step::Stop(Stop::Exhausted),
        };
        // Many calls may have been told the same time.
        let until = now + pause + pause.mul_f64(JITTER * rng.f64());
        if until >= self.deadline {
            return Step::Stop(Stop::Exhausted);
        }
        self.pauses += 1;
        self.open = places;
        (self.reluctant, self.full, self.again) = Default::default();
        self.told = self.told.filter(|(told, _)| *told != places);
        Step::Pause(until)
    }

    fn by(&self, now: Instant) -> Instant {
        (now + self.patience(self.deadline - now)).min(self.deadline)
    }

    /// How long the next attempt may stay silent.
    ///
    /// A stream is held to the first-token timeout, but to no more than its even share of a short time left, where
    /// another candidate could be asked: a client's own deadline must not all go to a target that hangs. A whole answer
    /// shows nothing until it is finished, so its silence proves less: it gets [`WHOLE_PATIENCE`] such timeouts, within
    /// the same bounds. Where no other is left to turn to, it gets all the time there is.
    fn patience(&self, left: Duration) -> Duration {
        let Timeouts { first_token, .. } = self.timeouts;
        let tries = self.open.count().min(self.attempts_left);
        let share = |tries: u32, fair: Duration| first_token.min((left / tries).max(fair));
        match (self.stream, tries) {
            (true, 0 | 1) => first_token,
            (true, tries) => share(tries, FAIR.min(left / 2)),
            (false, 0 | 1) => left,
            (false, tries) => (first_token * WHOLE_PATIENCE).min(left / tries).max(share(tries, FAIR)),
        }
    }
}

#[cfg(test)]
mod tests;
