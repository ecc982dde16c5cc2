//! One call, from plan to reply.

use crate::asking::Asking;
use crate::attempt::Started;
use crate::attempt::since_epoch;
use crate::classify::is_unavailable;
use crate::continuation::Recovery;
use crate::health::GatePolicies;
use crate::judge::{AnswerPolicy, Judge, Judges};
use crate::keeping::Keeping;
use crate::race::{Claim, Exhausted, Lapse, Mark, Track, Won, race};
use crate::routes::Traffic;
use crate::tail::{Stream, Tail, Times};
use crate::{Advice, Health, OpenCall, Schedule, Sink, Stop, TargetReport, classify};
use admission::Admitted;
use dialects::Quotas;
use http::HeaderValue;
use llm::{CallError, ChatRequest, Degraded, Dialect, ErrorKind, Failure, Outcome, Prefill, Priority, TargetId};
use routing::{OnRefusal, Plan, RecoverStream, Resort, RouteTable};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use upstream::Transport;

/// When a target may be back that did not say.
const RETRY_SOON: Duration = Duration::from_secs(1);
/// The longest rest that is believed of one that is merely overloaded.
const RETRY_LATEST: Duration = Duration::from_secs(300);

/// Everything that one call needs.
pub struct Call {
    /// What is asked.
    pub request: ChatRequest,
    /// Where it may go.
    pub plan: Plan,
    /// The proof that the caller may ask it; held until the reply has ended.
    pub admitted: Admitted,
    /// The record so far.
    pub open: OpenCall,
    /// The client's own timeout, which can only shorten the route's.
    pub timeout: Option<Duration>,
    /// How much it matters where not all can be served.
    pub priority: Priority,
}

/// An answer that has begun.
pub struct Reply {
    /// The call's id.
    pub request_id: llm::RequestId,
    /// Who serves it; `None` where no target does.
    pub target: Option<TargetId>,
    /// How many attempts it took.
    pub attempts: usize,
    /// Why it is less than was asked for, where it is.
    pub degraded: Option<Degraded>,
    /// What the client asked and the provider was not told, as it has no words for it, by the client's names; and what of a
    /// whole answer the client is not told, for the same reason, by the provider's.
    pub left_out: Vec<String>,
    /// What who serves it said of the quotas there.
    pub quotas: Quotas,
    /// Whether it is a stream.
    pub stream: bool,
    /// What a whole answer is, where that is not JSON.
    pub content_type: Option<HeaderValue>,
    /// The answer itself. It settles the call when it has ended, or is dropped.
    pub body: Tail,
}

/// A call that ended without an answer: the error to tell, and the record to settle with it.
pub struct Lost {
    /// What to tell the client.
    pub error: CallError,
    /// What the target said of its quotas whose failure is told; of several, the one that may be asked again first.
    pub quotas: Quotas,
    /// The record.
    pub open: OpenCall,
}

/// Carries out calls over one transport.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

/// What all calls share.
struct Shared {
    transport: Arc<dyn Transport>,
    health: Arc<Health>,
    /// By the index of the route's label.
    traffic: Vec<Traffic>,
    /// By the same: what judges the answers.
    judges: Vec<Judges>,
}

/// One plan's race on its way.
struct Run {
    request: ChatRequest,
    plan: Plan,
    schedule: Schedule,
    claim: Claim,
    limit: Duration,
    judge: Arc<Judge>,
}

impl Engine {
    /// An engine over `transport` for the routes and targets of `table`, which are all well at `now`. `answers` says what
    /// answers have to satisfy: of each route, and behind them of direct calls, in the order of
    /// [`RouteTable::route_labels`]. Breakers tell `sinks` of their movements.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        table: &RouteTable,
        policies: GatePolicies,
        answers: Vec<AnswerPolicy>,
        sinks: Vec<Arc<dyn Sink>>,
        now: Instant,
    ) -> Self {
        let health = Health::new(table.targets(), table.pools(), policies, sinks, now);
        let traffic = table.policies().into_iter().map(|policy| Traffic::new(&policy, now)).collect();
        let judges = answers.into_iter().map(Judges::new).collect();
        Self(Arc::new(Shared { transport, health, traffic, judges }))
    }

    /// What its calls go over.
    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.0.transport
    }

    /// The health of every target.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.0.health
    }

    /// Every target as it is now: those of the configuration, and those outside it that calls have asked for lately.
    #[must_use]
    pub fn targets(&self, now: Instant) -> Vec<TargetReport> {
        let Shared { transport, health, .. } = &*self.0;
        let rested = |provider, model: &str| transport.rested_until(provider, model, now);
        health.all().into_iter().map(|seat| seat.report(now, rested)).collect()
    }

    /// Retries, hedges and continuations that each route may make now, by the index of its label.
    #[must_use]
    pub fn retries_left(&self, now: Instant) -> Vec<f64> {
        self.0.traffic.iter().map(|traffic| traffic.retries_left(now)).collect()
    }

    /// Carries out one call up to its commit point; the rest is the reply's.
    ///
    /// # Errors
    /// [`Lost`] where no candidate began to answer in time and the route has no last resort that does. Dropped before
    /// it resolves, the call is cancelled, and so is the work upstream.
    pub async fn execute(&self, call: Call) -> Result<Reply, Box<Lost>> {
        let Call { mut request, mut plan, admitted, mut open, timeout, priority } = call;
        let total = plan.policy.timeouts.total;
        let limit = timeout.map_or(total, |timeout| timeout.min(total));
        let deadline = open.arrived() + limit;
        let claim = Claim { tenant: u32::try_from(open.caller().index).unwrap_or(u32::MAX), priority };
        open.weighed(priority);
        open.routed(&mut plan);
        let mut degraded = None;
        // What is left to try, the next one last.
        let mut resorts = Vec::new();
        loop {
            resorts.extend(std::mem::take(&mut plan.last_resorts).into_iter().rev());
            let schedule = Schedule::new(&plan.policy, plan.candidates.len(), request.stream, deadline);
            let Some(judges) = self.0.judges.get(plan.route.index) else {
                return Err(Box::new(Lost { error: CallError::Internal, quotas: Quotas::default(), open }));
            };
            let judge = match judges.of(&request) {
                Ok(judge) => judge,
                Err(error) => return Err(Box::new(Lost { error, quotas: Quotas::default(), open })),
            };
            let mut run = Run { request, plan, schedule, claim, limit, judge };
            let exhausted = match self.run(&mut run, &mut open).await {
                Ok(won) => return Ok(self.reply(won, run, degraded, open, admitted)),
                Err(exhausted) => exhausted,
            };
            let (error, quotas) = error_of(exhausted, limit, now());
            request = run.request;
            if matches!(error, CallError::Provider(_)) {
                // The request is at fault, wherever it goes.
                return Err(Box::new(Lost { error, quotas, open }));
            }
            // Words stand in for an answer, and for nothing else; and not for one that nobody could be asked for.
            if !request.dialect.wants_an_answer() || matches!(error, CallError::InvalidRequest { .. }) {
                resorts.retain(|resort| !matches!(resort, Resort::Static(_)));
            }
            match resorts.pop() {
                Some(Resort::Plan(next)) => (plan, degraded) = (*next, Some(Degraded::Fallback)),
                Some(Resort::Static(text)) => return Ok(stand_in(&request, &text, open, admitted)),
                None => return Err(Box::new(Lost { error, quotas, open })),
            }
        }
    }

    async fn run(&self, run: &mut Run, open: &mut OpenCall) -> Result<Won, Exhausted> {
        let Some(track) = self.track(&run.plan) else { return Err(Exhausted::of(Stop::Exhausted)) };
        let asking = Asking::anew(&run.request, recovers(&run.plan, &run.request), &run.judge);
        race(track, asking, run.claim, &run.plan, &mut run.schedule, open).await
    }

    /// What the races of a plan run on.
    pub(crate) fn track(&self, plan: &Plan) -> Option<Track<'_>> {
        let Shared { transport, health, traffic, .. } = &*self.0;
        Some(Track { transport: &**transport, health, traffic: traffic.get(plan.route.index)? })
    }

    fn reply(&self, won: Won, run: Run, spare: Option<Degraded>, mut open: OpenCall, admitted: Admitted) -> Reply {
        let Run { request, plan, schedule, claim, limit, judge } = run;
        let Won { started, place, no, permit, mark, mut left_out, quotas } = won;
        let now = now();
        let served = plan.candidates.get(place);
        let best = plan.best_priority();
        let lower = served.is_some_and(|served| served.priority > best).then_some(Degraded::Fallback);
        let (revised, flaw) = match mark {
            Some(Mark::Revised(how)) => (Some(how), None),
            Some(Mark::Flagged(why)) => (Some(Degraded::Flagged), Some(Failure::Unmet(why))),
            None => (None, None),
        };
        let degraded = revised.or(spare).or(lower);
        let target = served.map(|served| served.target.clone());
        open.committed(target.clone(), degraded, 200, now);
        if plan.policy.hedge.is_some()
            && let Some(track) = self.track(&plan)
        {
            track.traffic.answered(request.stream, open.taken(no), now);
        }
        let good = match (&flaw, degraded) {
            (Some(_), _) => Outcome::Invalid,
            (None, Some(_)) => Outcome::Degraded,
            (None, None) => Outcome::Success,
        };
        let (request_id, attempts, stream) = (open.request_id().clone(), open.attempts(), request.stream);
        let dialect = request.dialect;
        let mut content_type = None;
        let body = match started {
            Started::Whole { body, progress, content_type: is, left_out: of_it } => {
                content_type = is;
                let new = of_it.into_iter().filter(|name| !left_out.contains(name)).collect::<Vec<_>>();
                left_out.extend(new);
                Tail::whole(body, progress, (no, permit, flaw), dialect, good, open, admitted)
            }
            Started::Stream { frames, reading, body } => {
                let (idle, deadline) = (plan.policy.timeouts.idle, schedule.deadline());
                let goes_on = recovers(&plan, &request);
                let model = served.map_or_else(|| Arc::from(""), |served| Arc::clone(&served.target.model));
                let keeping = Keeping::new(&judge, &request, model);
                let reasks_left = judge.max_reasks();
                let recovery = (goes_on || keeping.is_exchangeable()).then(|| {
                    let engine = self.clone();
                    let serving = place;
                    Box::new(Recovery { engine, request, plan, schedule, claim, serving, judge, reasks_left, goes_on })
                });
                let serving = (no, permit, flaw);
                let times = Times { idle, deadline, limit };
                let stream = Stream::new(reading, body, serving, times, keeping, recovery);
                Tail::stream(frames, stream, dialect, good, open, admitted)
            }
        };
        Reply { request_id, target, attempts, degraded, left_out, quotas, stream, content_type, body }
    }
}

/// Whether a stream of this plan is gone on with where it breaks off.
fn recovers(plan: &Plan, request: &ChatRequest) -> bool {
    let wanted = request.stream
        && request.dialect == Dialect::OpenAiChat
        && plan.policy.recover_stream == RecoverStream::Continue;
    let goes_on = || plan.candidates.iter().any(|candidate| candidate.facts.prefill != Prefill::No);
    wanted && (plan.candidates.len() > 1 || goes_on())
}

/// The answer that the configuration holds ready for when no target answers.
fn stand_in(request: &ChatRequest, text: &str, mut open: OpenCall, admitted: Admitted) -> Reply {
    let degraded = Some(Degraded::Static);
    open.committed(None, degraded, 200, now());
    let (request_id, attempts) = (open.request_id().clone(), open.attempts());
    let head = dialects::head_for(request, request_id.as_str(), since_epoch().as_secs());
    let (body, progress) = dialects::stand_in(request, head, text);
    let body = Tail::ready(body, progress, request.dialect, Outcome::Degraded, open, admitted);
    let (left_out, quotas, stream) = (Vec::new(), Quotas::default(), request.stream);
    Reply { request_id, target: None, attempts, degraded, left_out, quotas, stream, content_type: None, body }
}

/// The one error that a call without a winner ends in, and the quotas to tell with it.
fn error_of(mut exhausted: Exhausted, limit: Duration, now: Instant) -> (CallError, Quotas) {
    // Whatever others came to: where one found the request itself at fault, that is what helps its client. Not so where
    // it was too long for one, and another that has room for it is merely away.
    let callers = exhausted.failures.iter().find_map(|lapse| match &lapse.failure {
        Failure::Provider(error) if error.kind.is_callers() => Some((error.clone(), lapse.quotas)),
        _ => None,
    });
    if let Some((error, quotas)) =
        callers.filter(|(error, _)| error.kind != ErrorKind::ContextLength || !exhausted.roomier_away)
    {
        return (CallError::Provider(error), quotas);
    }
    exhausted.failures.retain(|lapse| !is_too_long(&lapse.failure));
    let soonest = exhausted.failures.iter().min_by_key(|lapse| rest_of(lapse, now));
    let quotas = soonest.map_or_else(Quotas::default, |lapse| lapse.quotas);
    (targets_error(exhausted, limit, now), quotas)
}

/// The error of a call with whose request nobody found fault.
fn targets_error(exhausted: Exhausted, limit: Duration, now: Instant) -> CallError {
    let Exhausted { stop, failures, back, full, unsayable, .. } = exhausted;
    // An answer that breaks its contract is one that came: whoever else was away, this is what there is to mend.
    if failures.iter().any(|lapse| matches!(lapse.failure, Failure::Unmet(_) | Failure::Unadvised(_))) {
        return CallError::ContractUnmet { message: summary(&failures, stop, false) };
    }
    let cut_short = failures.last().is_some_and(|last| matches!(last.failure, Failure::Deadline));
    if cut_short || stop == Stop::Deadline {
        return CallError::DeadlineExceeded { limit };
    }
    if let Some(unsayable) = unsayable.filter(|_| failures.is_empty() && back.is_none() && !full) {
        return *unsayable;
    }
    if failures.is_empty() && full {
        return CallError::Overloaded { retry_after: RETRY_SOON };
    }
    let message = summary(&failures, stop, back.is_some());
    if failures.iter().all(|lapse| is_unavailable(&lapse.failure)) {
        let rests = failures.iter().map(|lapse| rest_of(lapse, now));
        let retry_after = rests.chain(back.map(|until| until.saturating_duration_since(now))).min();
        return CallError::AllTargetsUnavailable { message, retry_after };
    }
    CallError::UpstreamFailed { message }
}

fn is_too_long(failure: &Failure) -> bool {
    matches!(failure, Failure::Provider(error) if error.kind == ErrorKind::ContextLength)
}

/// How long until a target may be asked again that failed.
fn rest_of(lapse: &Lapse, now: Instant) -> Duration {
    rest_after(&lapse.failure).max(lapse.back.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)))
}

/// When a target may be back that failed like this.
fn rest_after(failure: &Failure) -> Duration {
    match classify(failure, OnRefusal::Pass).advice {
        Advice::OtherKey(rest, _) => rest,
        _ => failure.retry_after().map_or(RETRY_SOON, |advised| advised.min(RETRY_LATEST)),
    }
}

/// What happened, a clause for each attempt.
fn summary(failures: &[Lapse], stop: Stop, resting: bool) -> String {
    if failures.is_empty() {
        let why = if resting {
            "All targets of this route rest after failures."
        } else {
            "No target of this route may be called."
        };
        return why.into();
    }
    let mut text = String::from("No target answered: ");
    for (place, Lapse { target, failure, .. }) in failures.iter().enumerate() {
        let separator = if place == 0 { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{target} {failure}");
    }
    text.push('.');
    if resting {
        text.push_str(" No other target may be asked now.");
    }
    if stop == Stop::RetryBudget {
        text.push_str(" The route's retry budget is used up for now.");
    }
    text
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
