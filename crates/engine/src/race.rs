//! The only loop over attempts: start, wait, note, decide again.
//!
//! Usually one attempt runs at a time; a hedge is a second one beside it. Must never be here: what a failure means
//! (`classify`), what comes next (`schedule`), how a target is (`health`).

use crate::asking::{Asking, Correction};
use crate::attempt::{Attempted, LAG, Span, Started, attempt};
use crate::classify::is_unavailable;
use crate::health::{Seat, words};
use crate::judge::{Fate, Ways};
use crate::open_call::{AttemptNo, MAX_RUNNING};
use crate::routes::Traffic;
use crate::schedule::Around;
use crate::{Advice, Blame, Health, OpenCall, Places, Schedule, Scope, Step, Stop, classify};
use llm::{AttemptKind, CheckResult, ErrorKind, Failure, PassedOver, Prefill, Priority, Verdict};
use resilience::{Ask, Denied, Entry, Permit, QuotaWindows, Reason, Refused, Report, Rest};
use routing::{Candidate, OnRefusal, Plan};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;
use upstream::Transport;

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
    /// What there is to say of its answer, which is not as the target gave it or as it should be.
    pub(crate) mark: Option<Mark>,
}

/// What there is to say of an answer that broke its contract, and is handed on.
pub(crate) enum Mark {
    /// It was mended.
    Repaired,
    /// It is as it was; this is wrong with it.
    Flagged(Box<str>),
}

/// An answer that is not handed on, and what is to be done.
struct Unmet {
    failure: Failure,
    fate: Fate,
    correction: Option<Correction>,
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
}

/// What one attempt came to that did not win.
pub(crate) struct Lapse {
    pub(crate) target: String,
    pub(crate) failure: Failure,
    /// When the target may be asked again, where it rests since.
    pub(crate) back: Option<Instant>,
}

impl Exhausted {
    /// A race that ended before it began.
    pub(crate) fn of(stop: Stop) -> Self {
        Self { stop, failures: Vec::new(), back: None, full: false, roomier_away: false }
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
    work: Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>,
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
}

impl<'a> Race<'a> {
    async fn run(&mut self) -> Result<Won, Exhausted> {
        loop {
            if self.runners.iter().all(Option::is_none) {
                if let Some(stop) = self.advance().await {
                    if let Some(refusal) = self.refusal.take() {
                        return Ok(refusal);
                    }
                    let failures = std::mem::take(&mut self.failures);
                    let roomier_away = !(self.roomier & self.away).is_empty();
                    return Err(Exhausted { stop, failures, back: self.back, full: self.full, roomier_away });
                }
                continue;
            }
            match self.wait().await {
                Some((lane, attempted)) => {
                    if let Some(won) = self.ended(lane, attempted) {
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

    /// Starts an attempt if it is the first, or the route's retry budget allows one more. Where the budget is used up
    /// and the candidate was not asked before, it is worth a short wait for more: many calls may have failed at once.
    async fn start_within_budget(
        &mut self,
        place: usize,
        seat: Arc<Seat>,
        permit: Permit,
        by: Instant,
        now: Instant,
    ) -> Option<Stop> {
        let extra = self.begun || self.asking.is_extra();
        if extra && !std::mem::take(&mut self.prepaid) && !self.track.traffic.may_retry(now) {
            drop(permit);
            return self.wait_for_budget(place, now).await;
        }
        let corrected = self.correction.as_ref().is_some_and(|(of, _)| *of == place);
        let kind = if corrected { AttemptKind::Reask } else { self.asking.kind(self.call.attempts() > 0) };
        self.start(place, seat, permit, kind, by, now);
        None
    }

    async fn wait_for_budget(&mut self, place: usize, now: Instant) -> Option<Stop> {
        let since = *self.poor_since.get_or_insert(now);
        let until = now + BUDGET_PAUSE.mul_f64(0.5 + self.rng.f64());
        let in_vain = self.plan.policy.retry_budget <= 0.0 || self.tried.contains(place);
        if in_vain || until > since + BUDGET_PATIENCE || until >= self.schedule.deadline() {
            return Some(Stop::RetryBudget);
        }
        sleep_until(until.into()).await;
        self.call.waited(self::now() - now);
        None
    }

    /// Asks a candidate's gate and keys; what they refuse is noted.
    fn enter(&mut self, place: usize, by: Instant, alternatives: bool, now: Instant) -> Option<(Permit, Arc<Seat>)> {
        let Some((candidate, seat)) = self.seat(place, now) else {
            self.schedule.refused(place, false);
            return None;
        };
        if !self.asking.may_go_to(self.prefill(place, candidate, &seat, now)) {
            self.schedule.refused(place, false);
            return None;
        }
        let alternatives = alternatives && self.plan.candidates.len() > 1;
        if alternatives && self.short_of_retries && !self.begun && seat.fails_often(now) {
            self.turned_away(place, now, "it fails often, and the retry budget is nearly used up", true, now);
            return None;
        }
        match seat.gate().enter(self.ask(by, alternatives, now), now, &mut self.rng) {
            Entry::Permit(permit) => {
                let (provider, model) = (candidate.provider, &*candidate.target.model);
                if let Some(until) = self.track.transport.rested_until(provider, model, now) {
                    self.turned_away(place, until, "every key of the provider rests", false, now);
                    return None;
                }
                Some((permit, seat))
            }
            Entry::Refused(Refused { until, reason }) => {
                self.turned_away(place, until, words(reason), is_reluctant(reason), now);
                None
            }
            Entry::Full => {
                self.full = true;
                self.away.insert(place);
                self.schedule.full(place);
                let candidate = self.plan.candidates.get(place)?;
                let (target, reason) = (candidate.target.clone(), "no slot is free");
                self.call.passed_over(PassedOver { target, reason, remaining: None });
                None
            }
        }
    }

    fn turned_away(&mut self, place: usize, until: Instant, reason: &'static str, reluctant: bool, now: Instant) {
        self.schedule.refused(place, reluctant);
        self.away.insert(place);
        self.back = Some(self.back.map_or(until, |back| back.min(until)));
        if let Some(candidate) = self.plan.candidates.get(place) {
            let remaining = Some(until.saturating_duration_since(now));
            self.call.passed_over(PassedOver { target: candidate.target.clone(), reason, remaining });
        }
    }

    /// Waits a moment for a slot at a candidate.
    async fn queue(&mut self, place: usize, by: Instant, begun: Instant) -> Option<Stop> {
        let Some((_, seat)) = self.seat(place, begun) else {
            self.schedule.refused(place, false);
            return None;
        };
        // One patience for all of a call's queues: whoever is turned away learns so soon.
        let patience = seat.gate().patience(self.claim.tenant, begun);
        let until = *self.queue_until.get_or_insert(begun + patience);
        // It is asked because nobody else is free, and not because there is nobody else.
        let ask = self.ask(by, self.plan.candidates.len() > 1, begun);
        let waiting = seat.gate().queue(ask, begun);
        let permit = match waiting {
            Ok(mut waiting) => {
                let permit = tokio::time::timeout_at(until.into(), &mut waiting).await.ok();
                if permit.is_none() {
                    waiting.give_up(now());
                }
                permit
            }
            Err(_) => None,
        };
        let now = now();
        let waited = now - begun;
        self.call.waited(waited);
        match permit {
            Some(Ok(permit)) => {
                // The wait was for us: the target has the time that it would have had without.
                let by = (by + waited).min(self.schedule.deadline());
                return self.start_within_budget(place, seat, permit, by, now).await;
            }
            Some(Err(Denied::Refused(Refused { until, reason }))) => {
                self.turned_away(place, until, words(reason), false, now);
            }
            Some(Err(Denied::Shed(_))) | None => self.schedule.full(place),
        }
        None
    }

    fn ask(&self, by: Instant, alternatives: bool, now: Instant) -> Ask {
        let Claim { tenant, priority } = self.claim;
        // Whole answers may be waited for much longer, but a probe keeps all others out.
        let probe_by = by.min(now + self.plan.policy.timeouts.first_token) + PROBE_GRACE;
        Ask { tenant, priority, probe_by, alternatives }
    }

    fn seat(&self, place: usize, now: Instant) -> Option<(&'a Candidate, Arc<Seat>)> {
        let candidate = self.plan.candidates.get(place)?;
        Some((candidate, self.track.health.seat(candidate, now)?))
    }

    fn start(&mut self, place: usize, seat: Arc<Seat>, permit: Permit, kind: AttemptKind, by: Instant, now: Instant) {
        let Some(candidate) = self.plan.candidates.get(place) else { return };
        let by = by.max(self.usual_time(&seat, now)).min(self.schedule.deadline());
        let prefill = self.prefill(place, candidate, &seat, now);
        let Some(lane) = self.runners.iter_mut().find(|runner| runner.is_none()) else { return };
        let (transport, timeouts) = (self.track.transport, self.plan.policy.timeouts);
        let correction = self.correction.as_ref().filter(|(of, _)| *of == place).map(|(_, correction)| correction);
        let Some(dispatch) = self.asking.dispatch(transport, candidate, prefill, correction, timeouts.connect) else {
            return self.schedule.refused(place, false);
        };
        let (stream, heard) = (dispatch.outbound.stream, dispatch.heard.clone());
        self.begun = true;
        self.tried.insert(place);
        self.schedule.began(place);
        let no = self.call.attempt_begins(&candidate.target, &candidate.label, kind, now);
        // Nobody knows what is unusual of a target that never answered: its probe is to find out.
        let may_tell = !permit.is_probe() || seat.gate().usual(stream).is_some();
        // A look that would come after the end needs no timer.
        let look = Some(now + seat.gate().patience_for_answer(stream)).filter(|look| may_tell && *look < by);
        let span = Span { begun: now.into(), by: by.into(), deadline: self.schedule.deadline().into() };
        let work = Box::pin(attempt(transport, dispatch, timeouts, span));
        *lane = Some(Runner { no, place, kind, seat, permit, heard, look, work });
        if kind != AttemptKind::Hedge
            && !self.hedged
            && let Some(hedge) = self.plan.policy.hedge
        {
            self.hedge_at = self.track.traffic.hedge_after(hedge, stream, now).map(|after| now + after);
        }
    }

    /// Until when an answer is nothing unusual: no target is given up before, for the sake of others, within the
    /// first-token timeout.
    fn usual_time(&self, seat: &Seat, now: Instant) -> Instant {
        let usual = seat.gate().usual(self.asking.is_for_a_stream()).unwrap_or_default();
        now + usual.saturating_mul(2).min(self.plan.policy.timeouts.first_token)
    }

    /// Waits until an attempt ends; `None` where it is time to look around.
    async fn wait(&mut self) -> Option<(usize, Attempted)> {
        let looks = self.runners.iter().flatten().filter_map(|runner| runner.look);
        let timer = looks.chain(self.hedge_at).min();
        let mut timer = std::pin::pin!(timer.map(|at| sleep_until(at.into())));
        let runners = &mut self.runners;
        poll_fn(move |cx| {
            for (lane, runner) in runners.iter_mut().enumerate() {
                let Some(runner) = runner else { continue };
                if let Poll::Ready(attempted) = runner.work.as_mut().poll(cx) {
                    return Poll::Ready(Some((lane, attempted)));
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

    /// Takes in how an attempt ended: it won, or its failure is noted.
    fn ended(&mut self, lane: usize, attempted: Attempted) -> Option<Won> {
        let Runner { no, place, kind, seat, mut permit, .. } = self.runners.get_mut(lane).and_then(Option::take)?;
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
                let (started, mark) = match self.believed(place, started) {
                    Ok(believed) => believed,
                    Err(unmet) => {
                        let Unmet { failure, fate, correction } = *unmet;
                        let (key, lagged, hurried) = (attempted.key, false, false);
                        self.failed(Failed { no, place, kind, seat, permit, failure, key, lagged, hurried }, now);
                        self.follow(place, &fate, correction);
                        return None;
                    }
                };
                let declines = self.declines(&started);
                let won = Won { started, place, no, permit, mark };
                if declines {
                    self.set_aside(won);
                    return None;
                }
                self.outrun(now);
                Some(won)
            }
            Err(failure) => {
                if self.runners.iter().all(Option::is_none) {
                    // Whoever comes next has not been slow yet.
                    self.hedge_at = None;
                }
                let Attempted { key, lagged, hurried, .. } = attempted;
                let failed = Failed { no, place, kind, seat, permit, failure, key, lagged, hurried };
                self.failed(failed, now);
                None
            }
        }
    }

    /// Whether an answer is believed: it satisfies its contract, mended perhaps, or the route hands it on all the same. Of
    /// a stream only the model is known yet; the rest is judged as it comes.
    fn believed(&mut self, place: usize, started: Started) -> Result<(Started, Option<Mark>), Box<Unmet>> {
        let Some(candidate) = self.plan.candidates.get(place) else { return Ok((started, None)) };
        let (judge, model) = (self.asking.judge(), &*candidate.target.model);
        let mut ruling = match &started {
            Started::Whole { body, progress } => judge.whole(body, model, &progress.model),
            Started::Stream { reading, .. } => judge.begun(model, reading.model()),
        };
        let Some(mut broken) = ruling.broken.take() else {
            if matches!(started, Started::Whole { .. }) {
                self.call.judged(ruling);
            }
            return Ok((started, None));
        };
        let may = self.schedule.may_try() && matches!(started, Started::Whole { .. });
        let ways = Ways { reasks_left: if may { self.reasks_left } else { 0 }, another: self.schedule.has_other() };
        match (judge.fate(&mut broken, ways), started) {
            (Fate::Mended(body), Started::Whole { progress, .. }) => {
                self.call.judged(ruling.failed_as(CheckResult::Repaired));
                Ok((Started::Whole { body, progress }, Some(Mark::Repaired)))
            }
            (Fate::Flag, started) => {
                self.call.judged(ruling.failed_as(CheckResult::Flagged));
                Ok((started, Some(Mark::Flagged(broken.told()))))
            }
            (fate, _) => {
                self.call.judged(ruling);
                let failure = Failure::Unmet(broken.told());
                let correction = (fate == Fate::Reask).then(|| broken.into_correction());
                Err(Box::new(Unmet { failure, fate, correction }))
            }
        }
    }

    /// Does what the route wants done after an answer that broke its contract.
    fn follow(&mut self, place: usize, fate: &Fate, correction: Option<Correction>) {
        match correction {
            Some(correction) => {
                self.reasks_left = self.reasks_left.saturating_sub(1);
                self.correction = Some((place, correction));
                self.schedule.reopen(place);
            }
            None if *fate == Fate::Fail => self.schedule.close(),
            None => {}
        }
    }

    /// Takes in what a response said of quotas. Where a provider has several keys, what is told is one key's alone: while
    /// another one is awake, a key whose quota is nearly used up is spared, and nothing is said of the target.
    fn note_quotas(&self, place: usize, seat: &Seat, attempted: &Attempted, now: Instant) {
        let Attempted { quotas, key, .. } = attempted;
        let Some(candidate) = self.plan.candidates.get(place).filter(|_| !quotas.is_empty()) else { return };
        let (transport, provider, model) = (self.track.transport, candidate.provider, &*candidate.target.model);
        let spared = match key.filter(|_| transport.keys(provider) > 1) {
            None => false,
            Some(key) => {
                let mut of_key = QuotaWindows::new();
                of_key.note(quotas, now);
                of_key.scarce(now, 0).is_none_or(|until| transport.spare(provider, key, model, until))
            }
        };
        if !spared {
            seat.gate().quota(quotas, now);
        }
    }

    /// Keeps a refusal while others are asked: it is what the client gets where none of them answers.
    fn set_aside(&mut self, won: Won) {
        self.call.attempt_failed(won.no, &Failure::Withheld, Verdict::ClientFault);
        if let Some(candidate) = self.plan.candidates.get(won.place) {
            self.failures.push(Lapse { target: candidate.target.to_string(), failure: Failure::Withheld, back: None });
        }
        self.refusal.get_or_insert(won);
    }

    /// Whether an answer is a refusal by policy that this route takes elsewhere, while there is an elsewhere.
    fn declines(&self, started: &Started) -> bool {
        self.plan.policy.on_refusal == OnRefusal::Failover && started.is_refusal() && self.schedule.has_other()
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

    fn failed(&mut self, failed: Failed, now: Instant) {
        let Failed { no, place, kind, seat, permit, failure, key, lagged, hurried } = failed;
        let Some(candidate) = self.plan.candidates.get(place) else { return };
        let mut judged = classify(&failure, self.plan.policy.on_refusal);
        let corrected = kind == AttemptKind::Reask && is_callers(&failure);
        if corrected || self.asking.spoilt_by(&failure) {
            // The client's question was answered before: what the target would not take is what we added.
            (judged.verdict, judged.advice, judged.blame) = (Verdict::Neutral, Advice::Next, Blame::Us);
        }
        if self.asking.prefills(self.prefill(place, candidate, &seat, now)) {
            self.note_prefill(place, &seat, &failure);
        }
        if lagged {
            // The clock of a starved process proves nothing against the target.
            (judged.verdict, judged.blame) = (Verdict::Neutral, Blame::Us);
        }
        if hurried && judged.blame == Blame::Target {
            // A target that was not given its whole time counts against its share only, not towards failures in a row.
            judged.verdict = Verdict::SemanticFailure;
        }
        self.call.attempt_failed(no, &failure, judged.verdict);
        let (provider, model) = (candidate.provider, &*candidate.target.model);
        if let (Advice::OtherKey(rest, scope), Some(key)) = (judged.advice, key)
            && !self.is_all_there_is(provider, &failure)
        {
            let model = (scope == Scope::Model).then_some(model);
            self.track.transport.rest(provider, key, model, now + rest);
        }
        let fresh_key = self.track.transport.has_fresh_key(provider, model, now);
        let verdict = if judged.blame == Blame::Target { judged.verdict } else { Verdict::Neutral };
        let rest = if fresh_key { Rest::Credential } else { Rest::Target };
        // Where the provider named a time for this key, another of its keys may still wake before.
        let wakes = self.track.transport.rested_until(provider, model, now);
        let of_a_key = wakes.filter(|_| matches!(judged.advice, Advice::OtherKey(..)));
        let retry_after = failure.retry_after().map(|told| of_a_key.map_or(told, |until| until - now));
        permit.settle(Report { verdict, retry_after, rest }, now, &mut self.rng);
        if self.plan.candidates.len() > 1 && turns_us_away(&failure, key) {
            seat.turned_us_away(now);
        }
        let around = self.around(candidate);
        if judged.advice == Advice::LargerWindow {
            self.roomier = around.larger_window;
        }
        if is_unavailable(&failure) {
            self.away.insert(place);
        }
        self.schedule.failed(place, judged.advice, judged.again, fresh_key, around);
        let back = seat.gate().look(now).breaker.until.max(wakes);
        self.failures.push(Lapse { target: candidate.target.to_string(), failure, back });
    }

    /// Takes in what a failure says of a target that was handed a beginning. One that rejects it may be asked at once for
    /// an exact repeat, and is handed no other for a while. One that did not provably go on with it may be asked for a
    /// repeat last; it may have chosen other words by chance. A beginning that is too long, or not to its taste, says
    /// nothing.
    fn note_prefill(&mut self, place: usize, seat: &Seat, failure: &Failure) {
        match failure {
            Failure::Provider(error) if error.kind == ErrorKind::InvalidRequest => {
                self.schedule.reopen(place);
                seat.declines_prefill(now());
            }
            Failure::Altered => {
                self.schedule.reopen_last(place);
                self.unproven.insert(place);
            }
            _ => {}
        }
    }

    /// How a candidate goes on with a given beginning, as configured and as seen.
    fn prefill(&self, place: usize, candidate: &Candidate, seat: &Seat, now: Instant) -> Prefill {
        if self.unproven.contains(place) || seat.declined_prefill(now) { Prefill::No } else { candidate.facts.prefill }
    }

    /// Whether throttling without a time met the only key of the only target: resting it would turn every call away,
    /// where some may be served.
    fn is_all_there_is(&self, provider: usize, failure: &Failure) -> bool {
        let untold = matches!(failure, Failure::Provider(error)
            if error.kind == ErrorKind::RateLimited && error.retry_after.is_none());
        untold && self.plan.candidates.len() == 1 && self.track.transport.keys(provider) <= 1
    }

    fn around(&self, failed: &Candidate) -> Around {
        let near = |(_, candidate): &(usize, &Candidate)| candidate.shares_domain(failed);
        let places = self.plan.candidates.iter().enumerate();
        let same_domain = places.filter(near).map(|(place, _)| place).collect();
        Around { same_domain, larger_window: self.plan.larger(failed).collect() }
    }
}

/// Whether a target turned a call away for our fault, so that every call would be: it does not know the model, or
/// accepts no call of ours though it wants no key that could rest.
fn turns_us_away(failure: &Failure, key: Option<upstream::Key>) -> bool {
    match failure {
        Failure::Provider(error) => match error.kind {
            ErrorKind::NotFound => true,
            ErrorKind::Auth | ErrorKind::Permission => key.is_none(),
            _ => false,
        },
        _ => false,
    }
}

fn is_callers(failure: &Failure) -> bool {
    matches!(failure, Failure::Provider(error) if error.kind.is_callers())
}

/// Whether a target only declines because others can be asked.
fn is_reluctant(reason: Reason) -> bool {
    matches!(reason, Reason::Recovered | Reason::Scarce)
}

/// An attempt that failed.
struct Failed {
    no: AttemptNo,
    place: usize,
    kind: AttemptKind,
    seat: Arc<Seat>,
    permit: Permit,
    failure: Failure,
    key: Option<upstream::Key>,
    lagged: bool,
    hurried: bool,
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
