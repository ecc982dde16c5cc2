//! What to try next, and how long it may take. Pure: time is an argument.

use crate::Advice;
use routing::{Policy, Timeouts};
use std::time::{Duration, Instant};

/// How many first-token timeouts a whole answer may stay silent for while another target could be asked.
const WHOLE_PATIENCE: u32 = 5;

/// The attempts of one call, decided one at a time.
#[derive(Clone, Debug)]
pub struct Schedule {
    timeouts: Timeouts,
    deadline: Instant,
    /// Whether a first token can be told from a whole answer.
    stream: bool,
    /// Attempts that may still be made.
    attempts_left: u32,
    /// The candidate to try next, and how many there are.
    next: usize,
    candidates: usize,
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
    },
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
}

impl Schedule {
    /// A schedule over `candidates` for a call that has until `deadline`.
    #[must_use]
    pub fn new(policy: Policy, candidates: usize, stream: bool, deadline: Instant) -> Self {
        let Policy { timeouts, max_attempts } = policy;
        Self { timeouts, deadline, stream, attempts_left: max_attempts, next: 0, candidates, closed: false }
    }

    /// Decides at `now`; a [`Step::Try`] counts as an attempt.
    pub fn step(&mut self, now: Instant) -> Step {
        if self.closed {
            return Step::Stop(Stop::Exhausted);
        }
        // Asked before what is left: a last target that used up the time is not why the client has no answer.
        if now >= self.deadline {
            return Step::Stop(Stop::Deadline);
        }
        if self.attempts_left == 0 || self.next >= self.candidates {
            return Step::Stop(Stop::Exhausted);
        }
        let by = now + self.patience(self.deadline - now);
        self.attempts_left -= 1;
        Step::Try { candidate: self.next, by: by.min(self.deadline) }
    }

    /// Takes in how the attempt just made failed; `fresh_key` says whether its provider has a key that does not rest.
    pub fn failed(&mut self, advice: Advice, fresh_key: bool) {
        match advice {
            Advice::Never => self.closed = true,
            // The last attempt belongs to the next target: an account whose keys are all dead must not use them all up.
            Advice::OtherKey(_) if fresh_key && (self.attempts_left > 1 || self.next + 1 >= self.candidates) => {}
            Advice::OtherKey(_) | Advice::Next => self.next += 1,
        }
    }

    /// How long the next attempt may stay silent.
    ///
    /// A stream is held to the first-token timeout. A whole answer shows nothing until it is finished, so its silence
    /// proves less: it gets [`WHOLE_PATIENCE`] such timeouts, but no more than its even share of the time left, so that
    /// the candidates after it keep theirs. Where none is left to turn to, it gets all the time there is.
    fn patience(&self, left: Duration) -> Duration {
        let Timeouts { first_token, .. } = self.timeouts;
        let candidates = u32::try_from(self.candidates - self.next).unwrap_or(u32::MAX);
        match (self.stream, candidates.min(self.attempts_left)) {
            (true, _) => first_token,
            (false, 0 | 1) => left,
            (false, tries) => (first_token * WHOLE_PATIENCE).min(left / tries).max(first_token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(max_attempts: u32) -> Policy {
        let timeouts = Timeouts { connect: SECOND, first_token: 10 * SECOND, idle: SECOND, total: 120 * SECOND };
        Policy { timeouts, max_attempts }
    }

    #[test]
    fn candidates_follow_in_order_until_attempts_run_out() {
        let now = Instant::now();
        let mut schedule = Schedule::new(policy(3), 5, true, now + 120 * SECOND);
        for candidate in 0..3 {
            assert_eq!(schedule.step(now), Step::Try { candidate, by: now + 10 * SECOND });
            schedule.failed(Advice::Next, false);
        }
        assert_eq!(schedule.step(now), Step::Stop(Stop::Exhausted));
    }

    #[test]
    fn advice_decides_where_to_go() {
        let now = Instant::now();
        let key = Advice::OtherKey(SECOND);
        for (attempts, candidates, advice, fresh, then) in [
            (3, 2, Advice::Next, true, Some(1)),
            (3, 2, key, true, Some(0)),
            (3, 2, key, false, Some(1)),
            (2, 2, key, true, Some(1)),
            (2, 1, key, true, Some(0)),
            (3, 2, Advice::Never, true, None),
        ] {
            let mut schedule = Schedule::new(policy(attempts), candidates, true, now + 60 * SECOND);
            schedule.step(now);
            schedule.failed(advice, fresh);
            let next = match schedule.step(now) {
                Step::Try { candidate, .. } => Some(candidate),
                Step::Stop(_) => None,
            };
            assert_eq!(next, then, "{attempts} {candidates} {advice:?} {fresh}");
        }
    }

    #[test]
    fn no_attempt_begins_after_the_deadline_or_outlives_it() {
        let now = Instant::now();
        let mut schedule = Schedule::new(policy(3), 2, true, now + 3 * SECOND);
        assert_eq!(schedule.step(now), Step::Try { candidate: 0, by: now + 3 * SECOND });
        schedule.failed(Advice::Next, false);
        assert_eq!(schedule.step(now + 3 * SECOND), Step::Stop(Stop::Deadline));
    }

    #[test]
    fn whole_answers_are_given_more_time_but_leave_some() {
        let now = Instant::now();
        for (candidates, total, first) in
            [(1, 120, 120), (2, 120, 50), (2, 60, 30), (3, 120, 40), (9, 120, 40), (9, 15, 10), (2, 15, 10)]
        {
            let mut schedule = Schedule::new(policy(3), candidates, false, now + total * SECOND);
            assert_eq!(
                schedule.step(now),
                Step::Try { candidate: 0, by: now + first * SECOND },
                "{candidates} {total}"
            );
        }
    }
}
