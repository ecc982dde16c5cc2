//! A short visit to a lower load, to see whether answers begin sooner there.
//!
//! Receives samples; hands on the limit that the throughput of before needs.
//! Must never be here: the gradient.

use super::Batch;
use std::time::{Duration, Instant};

/// The limit binds when this share of it is in flight: a little less than calls of normal priority may use.
const BINDS: f64 = 0.85;
/// Batches in a row that the limit must bind: the calls of two more began before it did, the next two are measured.
const BOUND: u32 = 4;
/// The share of what is in flight that a sounding goes down to.
const DEPTH: f64 = 0.7;
/// Samples it takes (Envoy's `minRTT`: 50 requests), unless more than twice as many are in flight.
const SAMPLES: f64 = 50.0;
/// First content sooner than this share of before: go down further at once.
const DEEP: f64 = 0.85;
/// First content no sooner than this share of before: the time seen is the target's own.
const FLAT: f64 = 0.95;
/// The shortest time between soundings, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(600)];
/// The least time between soundings, in times that the last one took: they cost a few percent of the time at most.
const SPACED: u32 = 10;
/// A sounding that has not seen its samples by then is given up.
const GIVEN_UP: Duration = Duration::from_secs(120);

/// The soundings of one limit.
#[derive(Clone, Debug)]
pub(super) struct Sounding {
    /// The lowest limit there may be: at it there is no need to look deeper soon.
    floor: f64,
    /// Batches in a row during which the limit was binding, and the last of them.
    bound: u32,
    last: Batch,
    running: Option<Running>,
    rest: Option<Rest>,
}

/// What a sample did for a sounding.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// There is none.
    Idle,
    /// It needs more samples.
    Going,
    /// It found something, and is over or goes deeper.
    Done(Sounded),
}

/// What a sounding found.
#[derive(Clone, Debug)]
pub(super) struct Sounded {
    /// What the limit should be now.
    pub(super) limit: f64,
    /// Seconds to first content at the lower load; `None` if it was given up.
    pub(super) seconds: Option<f64>,
    /// Whether first content came sooner there.
    pub(super) congested: bool,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    began: Instant,
    /// The limit of before.
    from: f64,
    /// Seconds to first content before.
    before: f64,
    to: f64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// More calls are in flight than the lower limit allows.
    Draining,
    /// So many answers are still left out: their calls may have begun under the higher load. Half as many more than were
    /// in flight, because the slowest come last.
    Settling(u32),
    Counting(Batch),
}

/// The time after a sounding.
#[derive(Clone, Copy, Debug)]
struct Rest {
    since: Instant,
    /// The least time to the next one.
    least: Duration,
    /// The time to the next one while nothing is wrong.
    pause: Duration,
}

impl Sounding {
    pub(super) const fn new(floor: f64) -> Self {
        Self { floor, bound: 0, last: Batch { samples: 0, logs: 0.0, in_flight: 0.0 }, running: None, rest: None }
    }

    /// Begins one if the limit has been binding for a while and the time has come; returns the lower limit. `late`:
    /// answers begin later than usual.
    pub(super) fn begin(&mut self, limit: f64, batch: Batch, late: bool, now: Instant) -> Option<f64> {
        let binds = batch.in_flight() >= BINDS * limit;
        self.bound = if binds { self.bound.saturating_add(1) } else { 0 };
        let last = std::mem::replace(&mut self.last, batch);
        if self.bound < BOUND || !self.rest.is_none_or(|rest| rest.over(late, now)) {
            return None;
        }
        self.bound = 0;
        let deep = DEPTH * batch.in_flight().min(limit);
        Some(self.go_down(limit, last.and(batch).seconds(), deep, now))
    }

    pub(super) fn observe(&mut self, seconds: f64, in_flight: u32, now: Instant) -> Step {
        let Some(running) = &mut self.running else { return Step::Idle };
        let found = running.advance(seconds, in_flight);
        let took = now.saturating_duration_since(running.began);
        if found.is_none() && took < GIVEN_UP {
            return Step::Going;
        }
        let running = *running;
        self.running = None;
        let share = found.map_or(1.0, |seconds| seconds / running.before);
        let needed = (running.from * share.clamp(DEPTH, 1.0)).max(self.floor.min(running.from));
        let limit = match found {
            Some(seconds) if share < DEEP && needed > self.floor => self.go_down(needed, seconds, DEPTH * needed, now),
            _ => {
                self.rest = Some(self.rest_after(share, took, now));
                needed
            }
        };
        Step::Done(Sounded { limit, seconds: found, congested: share < FLAT })
    }

    fn go_down(&mut self, from: f64, before: f64, to: f64, now: Instant) -> f64 {
        let to = to.max(1.0);
        self.running = Some(Running { began: now, from, before, to, phase: Phase::Draining });
        to
    }

    /// Twice as long as last time after each one that finds nothing.
    fn rest_after(&self, share: f64, took: Duration, now: Instant) -> Rest {
        let [shortest, longest] = PAUSES;
        let least = shortest.max(took * SPACED);
        let doubled = self.rest.map_or(shortest, |rest| rest.pause * 2).min(longest);
        let pause = if share < FLAT { least } else { doubled.max(least) };
        Rest { since: now, least, pause }
    }
}

impl Rest {
    fn over(&self, late: bool, now: Instant) -> bool {
        let pause = if late { self.least } else { self.pause };
        now.saturating_duration_since(self.since) >= pause
    }
}

impl Running {
    /// One sample further; the seconds to first content once there are enough.
    fn advance(&mut self, seconds: f64, in_flight: u32) -> Option<f64> {
        match &mut self.phase {
            Phase::Draining if f64::from(in_flight) <= self.to => {
                self.phase = Phase::Settling(in_flight.saturating_add(in_flight / 2));
            }
            Phase::Draining => {}
            Phase::Settling(0) => self.phase = Phase::Counting(Batch::default()),
            Phase::Settling(left) => *left -= 1,
            Phase::Counting(batch) => {
                batch.add(seconds, in_flight);
                let enough = SAMPLES.max(super::TURN * batch.in_flight());
                return (f64::from(batch.samples) >= enough).then(|| batch.seconds());
            }
        }
        None
    }
}
