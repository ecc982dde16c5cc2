//! The only loop over attempts: start, wait, note, decide again.
//!
//! Usually one attempt runs at a time; a hedge is a second one beside it. Must never be here: what a failure means
//! (`classify`), what comes next (`schedule`), how a target is (`health`).

mod believing;
mod entering;
mod failing;

use crate::asking::{Asking, Correction};
use crate::attempt::{Attempted, LAG, Started};
use crate::health::Seat;
use crate::open_call::{AttemptNo, MAX_RUNNING};
use crate::routes::Traffic;
use crate::{Health, OpenCall, Places, Schedule, Step, Stop};
use believing::{Entrant, Hearing};
use bytes::Bytes;
use dialects::Quotas;
use failing::Failed;
use llm::{AttemptKind, CallError, Degraded, Failure, Priority};
use resilience::Permit;
use routing::Plan;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::sleep_until;
use upstream::{Silence, Transport};

/// How long after its first-token deadline a probe that never reported counts as lost.
const PROBE_GRACE: Duration = Duration::from_secs(1);
/// How often a call that waits unusually long looks whether its target has been given up by the others.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long about a call waits for its share of the retry budget before it looks again, and how long in all: the time
/// over which the budget is counted.
const BUDGET_PAUSE: Duration = Duration::from_millis(200);
const BUDGET_PATIENCE: Duration = Duration::from_secs(10);

/// The attempt that won.
pub(crate) struct Won {
    pub(crate) started: Started,
    pub(crate) place: usize,
    pub(crate) no: AttemptNo,
    pub(crate) permit: Permit,
    /// What there is to say of its answer.
    pub(crate) mark: Option<Mark>,
    /// What the client asked and the provider was not told, as it has no words for it.
    pub(crate) left_out: Vec<String>,
    /// What its head said of quotas.
    pub(crate) quotas: Quotas,
}

/// What there is to say of an answer that is handed on, but not as it was given or as it should be.
pub(crate) enum Mark {
    /// It was changed, and satisfies its contract now.
    Revised(Degraded),
    /// It breaks its contract; this is wrong with it.
    Flagged(Box<str>),
}

/// A race that nobody won.
pub(crate) struct Exhausted {
    pub(crate) stop: Stop,
    /// Every failure, in order.
    pub(crate) failures: Vec<Lapse>,
    /// When the first of the targets that were turned away may be asked again, where any was.
    pub(crate) back: Option<Instant>,
    /// Some target had no free slot.
    pub(crate) full: bool,
    /// The question was too long for one target, and another that has more room could not take it for now.
    pub(crate) roomier_away: bool,
    /// Why the first candidate was not asked whose dialect has no words for the request, where there was one.
    pub(crate) unsayable: Option<Box<CallError>>,
}

/// What one attempt came to that did not win.
pub(crate) struct Lapse {
    pub(crate) target: String,
    pub(crate) failure: Failure,
    /// When the target may be asked again, where it rests since.
    pub(crate) back: Option<Instant>,
    /// What the head of its response said of quotas.
    pub(crate) quotas: Quotas,
}

impl Exhausted {
    /// A race that ended before it began.
    pub(crate) fn of(stop: Stop) -> Self {
        Self { stop, failures: Vec::new(), back: None, full: false, roomier_away: false, unsayable: None }
    }
}

/// What a race runs on, shared by all calls.
#[derive(Clone, Copy)]
pub(crate) struct Track<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) health: &'a Health,
    pub(crate) traffic: &'a Traffic,
}

/// Whose call it is, as far as sharing out slots goes.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) tenant: u32,
    pub(crate) priority: Priority,
}

/// An attempt under way.
struct Runner<'a> {
    no: AttemptNo,
    place: usize,
    kind: AttemptKind,
    seat: Arc<Seat>,
    permit: Permit,
    /// Set by an attempt whose target speaks, where that may be long before it says anything new.
    heard: Option<Arc<AtomicBool>>,
    /// When to look whether it is silent for longer than usual, where that can be told.
    look: Option<Instant>,
    left_out: Vec<String>,
    work: Work<'a>,
}

/// What a runner waits for.
enum Work<'a> {
    /// Its target's answer.
    Attempt(Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>),
    /// Whether that may be handed on.
    Hearing(Box<Hearing>),
}

/// What came of it.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and moved once")]
enum Came {
    Attempted(Attempted),
    Reply(Result<Bytes, Silence>),
}

impl Work<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Came> {
        match self {
            Self::Attempt(attempt) => attempt.as_mut().poll(cx).map(Came::Attempted),
            Self::Hearing(hearing) => hearing.asking.as_mut().poll(cx).map(Came::Reply),
        }
    }
}

impl Runner<'_> {
    /// Tells the gate of a target that speaks, though it says nothing new yet: it is well, and not silent.
    fn note_heard(&mut self) {
        if self.heard.as_ref().is_some_and(|heard| heard.load(Ordering::Relaxed)) {
            (self.heard, self.look) = (None, None);
            self.permit.begun(now(), &mut fastrand::Rng::new());
        }
    }
}

/// Tries candidates as the schedule says until one begins to answer. Dropped, it ends the exchanges under way.
pub(crate) async fn race(
    track: Track<'_>,
    asking: Asking<'_>,
    claim: Claim,
    plan: &Plan,
    schedule: &mut Schedule,
    call: &mut OpenCall,
) -> Result<Won, Exhausted> {
    let short_of_retries = !asking.is_extra() && track.traffic.arrived(now());
    let (correction, reasks_left) = (asking.correction(), asking.judge().max_reasks());
    let mut race = Race {
        track,
        asking,
        claim,
        plan,
        schedule,
        call,
        runners: [const { None }; MAX_RUNNING],
        hedge_at: None,
        hedged: false,
        begun: false,
        queue_until: None,
        tried: Places::default(),
        unproven: Places::default(),
        poor_since: None,
        prepaid: false,
        short_of_retries,
        correction,
        reasks_left,
        rng: fastrand::Rng::new(),
        failures: Vec::new(),
        refusal: None,
        back: None,
        full: false,
        away: Places::default(),
        roomier: Places::default(),
        unsayable: None,
    };
    race.run().await
}

struct Race<'a> {
    track: Track<'a>,
    asking: Asking<'a>,
    claim: Claim,
    plan: &'a Plan,
    schedule: &'a mut Schedule,
    call: &'a mut OpenCall,
    runners: [Option<Runner<'a>>; MAX_RUNNING],
    /// When to ask a second target beside the one that runs; at most once in a call.
    hedge_at: Option<Instant>,
    hedged: bool,
    /// An attempt has been started.
    begun: bool,
    /// Until when it waits for a slot, once it does.
    queue_until: Option<Instant>,
    /// Candidates that were asked.
    tried: Places,
    /// Candidates that were handed a beginning, and did not provably go on with it.
    unproven: Places,
    /// Since when the retry budget has not sufficed.
    poor_since: Option<Instant>,
    /// The next attempt has been taken from the retry budget already.
    prepaid: bool,
    short_of_retries: bool,
    /// Whom to ask again, told what was wrong with its answer.
    correction: Option<(usize, Correction)>,
    reasks_left: u32,
    rng: fastrand::Rng,
    failures: Vec<Lapse>,
    /// An answer that is a refusal, kept while others are asked.
    refusal: Option<Won>,
    back: Option<Instant>,
    full: bool,
    /// Candidates that could not take the call for now.
    away: Places,
    /// Candidates with more room than one for which the question was too long.
    roomier: Places,
    /// Why the first candidate was not asked whose dialect has no words for the request.
    unsayable: Option<Box<CallError>>,
}

impl Race<'_> {
    async fn run(&mut self) -> Result<Won, Exhausted> {
        loop {
            if self.runners.iter().all(Option::is_none) {
                if let Some(stop) = self.advance().await {
                    if let Some(refusal) = self.refusal.take() {
                        return Ok(refusal);
                    }
                    let failures = std::mem::take(&mut self.failures);
                    let roomier_away = !(self.roomier & self.away).is_empty();
                    let (back, full, unsayable) = (self.back, self.full, self.unsayable.take());
                    return Err(Exhausted { stop, failures, back, full, roomier_away, unsayable });
                }
                continue;
            }
            match self.wait().await {
                Some((lane, came)) => {
                    let won = match came {
                        Came::Attempted(attempted) => self.ended(lane, attempted),
                        Came::Reply(reply) => self.heard(lane, &reply),
                    };
                    if let Some(won) = won {
                        return Ok(won);
                    }
                }
                None => self.look(now()),
            }
        }
    }

    /// Takes one step while nothing runs. `Some` where the call is given up.
    async fn advance(&mut self) -> Option<Stop> {
        let now = now();
        match self.schedule.step(now, &mut self.rng) {
            Step::Try { candidate, by, alternatives } => {
                let (permit, seat) = self.enter(candidate, by, alternatives, now)?;
                self.start_within_budget(candidate, seat, permit, by, now).await
            }
            Step::Queue { candidate, by } => self.queue(candidate, by, now).await,
            Step::Pause(until) => {
                sleep_until(until.into()).await;
                self.call.waited(self::now() - now);
                None
            }
            Step::Stop(stop) => Some(stop),
        }
    }

    /// Waits until an attempt ends; `None` where it is time to look around.
    async fn wait(&mut self) -> Option<(usize, Came)> {
        let looks = self.runners.iter().flatten().filter_map(|runner| runner.look);
        let timer = looks.chain(self.hedge_at).min();
        let mut timer = std::pin::pin!(timer.map(|at| sleep_until(at.into())));
        let runners = &mut self.runners;
        poll_fn(move |cx| {
            for (lane, runner) in runners.iter_mut().enumerate() {
                let Some(runner) = runner else { continue };
                if let Poll::Ready(came) = runner.work.poll(cx) {
                    return Poll::Ready(Some((lane, came)));
                }
                runner.note_heard();
            }
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Looks around while attempts run: is it time for a hedge, has a target fallen silent for many?
    fn look(&mut self, now: Instant) {
        if self.hedge_at.is_some_and(|at| at <= now) {
            self.hedge_at = None;
            self.hedge(now);
        }
        for lane in 0..MAX_RUNNING {
            let Some(runner) = self.runners.get_mut(lane).and_then(Option::as_mut) else { continue };
            let Some(due) = runner.look.filter(|look| *look <= now) else { continue };
            if now - due > LAG {
                // This process slept, and the target may not have been able to say anything.
                runner.look = Some(now + runner.seat.gate().patience_for_answer(self.asking.is_for_a_stream()));
                continue;
            }
            runner.look = Some(now + LOOK_AGAIN);
            // Where nobody else can be asked, a closed door would help nobody.
            if self.schedule.has_other() {
                runner.permit.silent(now, &mut self.rng);
            }
            let in_vain = runner.permit.is_stale() || runner.permit.is_probe();
            let alone = self.runners.iter().flatten().count() == 1;
            if in_vain && alone && self.schedule.has_other() && self.track.traffic.may_retry(now) {
                // Others found the target dead while this one waited, or this one was to find out: it need not wait to
                // the end.
                self.prepaid = true;
                let silent = Attempted::lost(Failure::Silent);
                self.ended(lane, silent);
            }
        }
    }

    fn hedge(&mut self, now: Instant) {
        let Some((place, by)) = self.schedule.beside(now) else { return };
        let Some((permit, seat)) = self.enter(place, by, true, now) else { return };
        if self.track.traffic.may_hedge(now) {
            self.hedged = true;
            self.start(place, seat, permit, AttemptKind::Hedge, by, now);
        }
    }

    /// Takes in how an attempt ended: it won, it is put before somebody outside, or its failure is noted.
    fn ended(&mut self, lane: usize, attempted: Attempted) -> Option<Won> {
        let Runner { no, place, kind, seat, mut permit, left_out, .. } =
            self.runners.get_mut(lane).and_then(Option::take)?;
        let now = now();
        self.call.attempt_decided(no, now);
        self.note_quotas(place, &seat, &attempted, now);
        match attempted.result {
            Ok(started) => {
                match &started {
                    Started::Whole { .. } => permit.answered(now, &mut self.rng),
                    Started::Stream { .. } => permit.begun(now, &mut self.rng),
                }
                seat.let_in();
                let belief = self.believed(place, started);
                let Attempted { key, quotas, .. } = attempted;
                let entrant = Entrant { no, place, kind, seat, permit, left_out, key, quotas };
                self.weighed(lane, entrant, belief, now)
            }
            Err(failure) => {
                if self.runners.iter().all(Option::is_none) {
                    // Whoever comes next has not been slow yet.
                    self.hedge_at = None;
                }
                let Attempted { key, quotas, lagged, hurried, .. } = attempted;
                let failed = Failed { no, place, kind, seat, permit, failure, key, quotas, lagged, hurried };
                self.failed(failed, now);
                None
            }
        }
    }

    /// Ends the attempts that another one has outrun.
    fn outrun(&mut self, now: Instant) {
        for lane in &mut self.runners {
            if let Some(loser) = lane.take() {
                self.call.attempt_decided(loser.no, now);
                self.call.attempt_outrun(loser.no);
            }
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
