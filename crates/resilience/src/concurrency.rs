//! How many calls a target takes at one time, found out from how soon its answers begin.
//!
//! Receives the time to first content of each call and how many calls were waiting for theirs; hands on a limit.
//! Must never be here: slots, queues, the duration of whole answers - that grows with their length, which is no load.

mod sounding;

use sounding::{Sounded, Sounding, Step};
use std::time::{Duration, Instant};

/// The ceiling where none is set (Envoy's circuit breaker: 1024 requests).
const CEILING: u32 = 1_024;
/// The floor, unless the ceiling is lower (Gradient2: 20).
const FLOOR: u32 = 20;
/// Below this many calls in flight, slowness is not congestion.
const ALONE: f64 = 10.0;
/// Ordinary noise: first content this many times later than usual is not congestion (Gradient2).
const TOLERANCE: f64 = 1.5;
/// How far one batch moves the limit (Gradient2).
const SMOOTHING: f64 = 0.2;
/// The least headroom (Gradient2); the square root of the limit where that is more (Envoy's gradient controller).
const HEADROOM: f64 = 4.0;
/// Samples averaged before the limit moves: the short window.
const BATCH: f64 = 20.0;
/// A batch is at least this share of the calls in flight. Answers tell of the load under which their calls began; a limit
/// that moves many times before it sees what the first move did swings.
const TURN: f64 = 0.5;
/// Samples the usual time is averaged over: the long window (Gradient2).
const WINDOW: f64 = 600.0;
/// Batches whose plain average begins the usual time (Gradient2: 10 samples). The first answers to a burst are the quick
/// ones.
const WARM: u32 = 10;
/// How slowly the usual time moves while the slowness may be of our own making. In both directions: a usual time that
/// fell faster than it rose would settle below the average and take noise for congestion.
const BUSY_DRIFT: Duration = Duration::from_secs(600);
/// Seconds: what is faster than a microsecond counts as one.
const LEAST: f64 = 1e-6;

/// A limit on calls in flight that follows the target's capacity: Gradient2 of Netflix's `concurrency-limits`, fed with
/// times to first content, and with soundings.
///
/// `gradient = clamp(1.5 * usual / recent, 0.5, 1)`, `limit = 0.8 * limit + 0.2 * (gradient * limit + headroom)`, between
/// 20 and the ceiling; the headroom is 4, or the root of the limit. What differs from the original:
/// - It starts at the ceiling, because a gateway that has just started must not turn away a healthy burst.
/// - `recent` is the geometric mean of 20 samples: prompts differ, and one slow call is no congestion.
/// - It grows only while at least half of it is in flight, and shrinks only while at least 10 calls are. Congestion draws
///   a limit above twice what is in flight down to that in one step.
/// - The usual time follows 600 samples only while fewer than 10 calls are in flight, else it moves over 10 minutes:
///   lasting congestion would soon become usual otherwise.
/// - A limit that binds is sounded: at once when it first does, 30 s after the last time while answers are late, and ever
///   more rarely (up to 10 minutes) while nothing is wrong. It goes down to 70 % of what is in flight until 50 calls, or
///   half of those in flight, have told. If answers then begin sooner, the target was congested, and the limit becomes
///   what the same throughput needs at the time seen (Little's law). If they do not, the limit returns, and the usual
///   time moves towards the time seen. Envoy's gradient controller measures its `minRTT`, and BBR its round-trip time,
///   by such a visit to a lower load.
///
/// Against a target that is flat up to C calls (20 or more) and then slows down in proportion, endless demand holds it
/// between C and 2 C on average - briefly between 0.55 C, in a sounding, and 2.25 C - and costs less than 5 % of the
/// throughput. What it cannot see is congestion that was there from the first call on and never reached the limit.
/// During a sounding the limit may be below 20; a ceiling of 20 or less is a fixed limit.
#[derive(Clone, Debug)]
pub struct AdaptiveLimit {
    floor: f64,
    ceiling: f64,
    limit: f64,
    /// Seconds to first content when nothing is wrong; `None` until the first batch.
    usual: Option<f64>,
    batch: Batch,
    /// Batches that the usual time was learnt from, up to [`WARM`].
    learnt: u32,
    /// When the last batch was complete.
    judged: Option<Instant>,
    sounding: Sounding,
}

impl AdaptiveLimit {
    /// A limit that begins at its ceiling: `max_concurrency` (at least 1), else 1024.
    #[must_use]
    pub fn new(max_concurrency: Option<u32>) -> Self {
        let ceiling = max_concurrency.unwrap_or(CEILING).max(1);
        let floor = f64::from(FLOOR.min(ceiling));
        Self {
            floor,
            ceiling: f64::from(ceiling),
            limit: f64::from(ceiling),
            usual: None,
            batch: Batch::default(),
            learnt: 0,
            judged: None,
            sounding: Sounding::new(floor),
        }
    }

    /// Calls that may be in flight, waiting for first content. At least 1.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        // Within [1, u32::MAX]: the cast drops the fraction and nothing else.
        self.limit as u32
    }

    /// Learns that first content came after `first_token`, while `in_flight` calls, this one included, waited for
    /// theirs. Calls that failed before their first content are not to be told here.
    pub fn observe(&mut self, first_token: Duration, in_flight: u32, now: Instant) {
        if self.floor >= self.ceiling {
            return;
        }
        let seconds = first_token.as_secs_f64().max(LEAST);
        match self.sounding.observe(seconds, in_flight, now) {
            Step::Idle => self.learn(seconds, in_flight, now),
            Step::Going => {}
            Step::Done(sounded) => self.sounded(&sounded),
        }
    }

    fn learn(&mut self, seconds: f64, in_flight: u32, now: Instant) {
        self.batch.add(seconds, in_flight);
        if f64::from(self.batch.samples) < BATCH.max(TURN * self.batch.in_flight()) {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let gradient = self.gradient(&batch, now);
        self.limit = self.moved(gradient, batch.in_flight()).clamp(self.floor, self.ceiling);
        self.judged = Some(now);
        if let Some(lower) = self.sounding.begin(self.limit, batch, gradient < 1.0, now) {
            self.limit = lower;
        }
    }

    /// How much of the limit is left once recent answers are held against usual ones.
    fn gradient(&mut self, batch: &Batch, now: Instant) -> f64 {
        let recent = batch.seconds();
        let usual = self.usual.map_or(recent, |usual| self.followed(usual, batch, now));
        self.usual = Some(usual);
        self.learnt = (self.learnt + 1).min(WARM);
        (TOLERANCE * usual / recent).clamp(0.5, 1.0)
    }

    /// The usual time after a batch.
    fn followed(&self, usual: f64, batch: &Batch, now: Instant) -> f64 {
        let recent = batch.seconds();
        let window = 2.0 * f64::from(batch.samples) / (WINDOW + 1.0);
        let elapsed = self.judged.map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        let drift = 1.0 - (-elapsed.as_secs_f64() / BUSY_DRIFT.as_secs_f64()).exp();
        let step = if batch.in_flight() < ALONE { window } else { window.min(drift) };
        let step = if self.learnt < WARM { 1.0 / f64::from(self.learnt + 1) } else { step.min(1.0) };
        let next = usual + (recent - usual) * step;
        // Gradient2: after a long bad time the usual comes down faster than by its average.
        if next > 2.0 * recent { next * 0.9 } else { next }
    }

    fn moved(&self, gradient: f64, in_flight: f64) -> f64 {
        let (congested, drawn) = (gradient < 1.0, 2.0 * in_flight);
        if congested && in_flight < ALONE || !congested && drawn < self.limit {
            return self.limit;
        }
        if congested && drawn < self.limit {
            return drawn;
        }
        let headroom = self.limit.sqrt().max(HEADROOM);
        self.limit + SMOOTHING * (gradient * self.limit + headroom - self.limit)
    }

    fn sounded(&mut self, sounded: &Sounded) {
        self.limit = sounded.limit;
        let Some(seen) = sounded.seconds else { return };
        let usual = self.usual.unwrap_or(seen);
        // Half way up, in ratio: one sounding that noise misled does no great harm.
        let higher = if sounded.congested { usual } else { (usual * seen).sqrt() };
        self.usual = Some(seen.min(higher));
    }
}

/// Samples on their way to an average.
#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    samples: u32,
    /// Sum of the logarithms of seconds.
    logs: f64,
    /// Sum of the calls in flight.
    in_flight: f64,
}

impl Batch {
    fn add(&mut self, seconds: f64, in_flight: u32) {
        self.samples += 1;
        self.logs += seconds.ln();
        self.in_flight += f64::from(in_flight);
    }

    fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            logs: self.logs + other.logs,
            in_flight: self.in_flight + other.in_flight,
        }
    }

    /// The geometric mean.
    fn seconds(&self) -> f64 {
        (self.logs / f64::from(self.samples.max(1))).exp()
    }

    fn in_flight(&self) -> f64 {
        self.in_flight / f64::from(self.samples.max(1))
    }
}

#[cfg(test)]
mod tests;
