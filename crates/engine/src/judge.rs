//! Whether an answer is believed: what the contract of a call's route, and the request itself, demand of it.
//!
//! Receives answers as bytes, whole or held back of a stream; hands on rulings, and what the route wants done with an
//! answer that breaks its contract. Pure. Must never be here: who is asked next, what has left already.

mod ruling;

pub(crate) use ruling::{Broken, Fate, Mended, Ruling, Ways};

use crate::attempt::since_epoch;
use bytes::Bytes;
use contracts::{About, Action, Advised, Check, Contract, Finding, Hold, Step, Watch, question};
use dialects::{Revision, revised, revised_stream};
use llm::{Answer, CallError, ChatRequest, CheckResult, Checked, Dialect, Terms};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use upstream::{Adviser, Asking, Silence};

/// What answers of a route have to satisfy, and how much of a stream may be held back for that.
#[derive(Clone, Debug)]
pub struct AnswerPolicy {
    /// What they have to satisfy.
    pub contract: Arc<Contract>,
    /// The most that is held back of one stream, in bytes.
    pub hold_bytes: usize,
    /// How long a stream may be held back.
    pub hold_time: Duration,
    /// Who is asked besides; there where the contract says so.
    pub adviser: Option<Arc<dyn Adviser>>,
}

/// The end of a streamed answer.
#[derive(Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) listed: bool,
    /// What was held back of it.
    pub(crate) held: &'a [u8],
    pub(crate) terminator: &'a [u8],
}

/// What judges the answers of one route.
pub(crate) struct Judges {
    policy: AnswerPolicy,
    /// For all requests that demand nothing themselves.
    plain: Arc<Judge>,
    /// For what is no answer of a model.
    idle: Arc<Judge>,
}

/// The contract of one call, or of all that are alike.
pub(crate) struct Judge {
    policy: AnswerPolicy,
    terms: Terms,
    /// Whether anything is judged for which an answer has to be read in full.
    reads: bool,
}

impl Judges {
    pub(crate) fn new(policy: AnswerPolicy) -> Self {
        let plain = Arc::new(Judge::new(policy.clone(), Terms::default()));
        let idle = AnswerPolicy { contract: Arc::new(Contract::none()), adviser: None, ..policy.clone() };
        let idle = Arc::new(Judge::new(idle, Terms::default()));
        Self { policy, plain, idle }
    }

    /// The one for answers to `request`.
    ///
    /// # Errors
    /// [`CallError::InvalidRequest`] where the answer would have to be read, and nobody here reads it.
    pub(crate) fn of(&self, request: &ChatRequest) -> Result<Arc<Judge>, CallError> {
        if request.dialect == Dialect::COMPLETIONS && self.policy.contract.demands_more() {
            return Err(unread());
        }
        if matches!(request.dialect, Dialect::Other(_)) {
            return Ok(Arc::clone(&self.idle));
        }
        let cites = self.policy.contract.policy().require.contains(&Check::Citations);
        Ok(if cites || request.demands {
            Arc::new(Judge::new(self.policy.clone(), dialects::terms(request)))
        } else {
            Arc::clone(&self.plain)
        })
    }
}

fn unread() -> CallError {
    let message = "Answers of this model have to satisfy a contract, which completions of a text are not held against. \
                   Ask for chat completions.";
    CallError::InvalidRequest { message: message.into(), param: Some("model".into()) }
}

impl Judge {
    fn new(policy: AnswerPolicy, terms: Terms) -> Self {
        let bound = policy.contract.bind(&terms, "");
        // The decoders have proved the first two, and the model is known without reading further.
        let thin = [Check::Complete, Check::NonEmpty, Check::Model];
        let reads = Check::ALL.iter().any(|check| !thin.contains(check) && bound.makes(*check));
        Self { policy, terms, reads }
    }

    /// How often one call may ask a target again.
    pub(crate) fn max_reasks(&self) -> u32 {
        self.policy.contract.policy().max_repairs
    }

    pub(crate) fn hold_bytes(&self) -> usize {
        self.policy.hold_bytes
    }

    pub(crate) fn hold_time(&self) -> Duration {
        self.policy.hold_time
    }

    /// What has to be held back of a stream; `None` where none of it even has to be read.
    pub(crate) fn hold(&self) -> Option<Hold> {
        self.reads.then(|| self.policy.contract.bind(&self.terms, "").hold())
    }

    /// What watches text that flows.
    pub(crate) fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.policy.contract))
    }

    /// Judges a stream of which nothing is known yet but the model that says it serves.
    pub(crate) fn begun(&self, model: &str, served: &str) -> Ruling {
        self.thin(model, served)
    }

    /// Judges a whole answer of the target's `model`.
    pub(crate) fn whole(&self, dialect: Dialect, body: &Bytes, model: &str, served: &str) -> Ruling {
        if !self.reads {
            return self.thin(model, served);
        }
        match dialects::read_answer(dialect, body) {
            Ok(answer) => self.rule(answer, model, |revision| revised(dialect, body, revision)),
            Err(_) => *self.unreadable(),
        }
    }

    /// Judges a streamed answer that ends with `ending`.
    pub(crate) fn streamed(&self, answer: Answer, ending: Ending<'_>, model: &str) -> Ruling {
        let Ending { dialect, listed, held, terminator } = ending;
        self.rule(answer, model, |revision| revised_stream(dialect, listed, held, terminator, revision))
    }

    /// What is said of an answer that need not be read: the decoders have proved the rest.
    pub(crate) fn thin(&self, model: &str, served: &str) -> Ruling {
        let bound = self.policy.contract.bind(&self.terms, model);
        let stranger = bound.stranger(served);
        let broken = stranger
            .clone()
            .filter(|_| !self.policy.contract.policy().models.is_empty())
            .map(|found| Box::new(Broken { violations: vec![found], ..Broken::default() }));
        let wrong = if broken.is_some() { CheckResult::Failed } else { CheckResult::Flagged };
        let made = [Check::Complete, Check::NonEmpty, Check::Model].into_iter().filter(|check| bound.makes(*check));
        let result = |check| match (&stranger, check) {
            (Some(_), Check::Model) => wrong,
            _ => CheckResult::Passed,
        };
        let checks = made.map(|check| Checked { check: check.as_str(), result: result(check) }).collect();
        let findings = stranger.iter().map(|found| found.code.as_str()).collect();
        Ruling { checks, findings, broken, ..Ruling::default() }
    }

    /// What is said of a stream in which something was found before its end.
    pub(crate) fn watched(&self, model: &str, found: Finding) -> Box<Ruling> {
        let mut ruling = self.thin(model, "").found(found);
        if let Some(broken) = &mut ruling.broken {
            broken.leaks = self.takes_out();
        }
        Box::new(ruling)
    }

    /// An answer that cannot be read in full: nothing is known of it.
    pub(crate) fn unreadable(&self) -> Box<Ruling> {
        self.unjudged("unreadable", "it cannot be read")
    }

    /// An answer of which more would have to be held back than may be, or for longer.
    pub(crate) fn too_long(&self) -> Box<Ruling> {
        self.unjudged("held_too_long", "more of it would have to be held back, or for longer, than the route allows")
    }

    fn unjudged(&self, code: &'static str, why: &'static str) -> Box<Ruling> {
        let checks = vec![Checked { check: Check::Complete.as_str(), result: CheckResult::Failed }];
        let broken = Box::new(Broken { why, leaks: self.takes_out(), ..Broken::default() });
        Box::new(Ruling { checks, findings: vec![code], broken: Some(broken), ..Ruling::default() })
    }

    /// Judges an answer that has been read in full; `write` makes bytes of a revision of it, where that can be done.
    fn rule(&self, answer: Answer, model: &str, write: impl Fn(Revision<'_>) -> Option<Bytes>) -> Ruling {
        let write = |before: &Answer, after: &Answer, taken: Option<&BTreeSet<String>>| {
            write(Revision { before, after, taken, now: since_epoch().as_secs() })
        };
        let bound = self.policy.contract.bind(&self.terms, model);
        let judgement = bound.check(&answer);
        // First of all: whatever leaves, mended or with a mark, leaves without it.
        let clean = bound.redacted(&answer);
        let bytes = clean.as_ref().map(|clean| write(&answer, &clean.answer, Some(&clean.taken)));
        let (judgement, clean) = match (clean, bytes) {
            (Some(clean), Some(Some(bytes))) => (bound.check(&clean.answer).redacted(judgement), Some((clean, bytes))),
            (Some(_), _) => (judgement.unredacted(), None),
            (None, _) => (judgement, None),
        };
        let checks = judgement.results().map(|(check, holds)| {
            let result = match holds {
                false => CheckResult::Failed,
                true if judgement.redacts(check) => CheckResult::Redacted,
                true => CheckResult::Passed,
            };
            Checked { check: check.as_str(), result }
        });
        let checks = checks.collect();
        let findings = judgement.violations.iter().chain(&judgement.marks).map(|found| found.code.as_str()).collect();
        let mends = !judgement.holds() && self.policy.contract.policy().on_violation.contains(&Step::Repair);
        let (to_mend, taken) = match &clean {
            Some((clean, _)) => (&clean.answer, Some(&clean.taken)),
            None => (&answer, None),
        };
        let repaired = mends.then(|| bound.repair(to_mend)).flatten();
        let mended = repaired.and_then(|repaired| {
            let bytes = write(&answer, &repaired.answer, taken)?;
            Some(Mended { answer: repaired.answer, bytes })
        });
        let (answer, redacted) = clean.map_or((answer, None), |(clean, bytes)| (clean.answer, Some(bytes)));
        let ruling = Ruling { checks, findings, redacted, ..Ruling::default() };
        if judgement.holds() {
            return Ruling { answer, ..ruling };
        }
        let leaks = ruling.redacted.is_none() && judgement.violations.iter().any(|found| self.redacts(found.check));
        let broken = Broken { violations: judgement.violations, answer, mended, leaks, ..Broken::default() };
        Ruling { broken: Some(Box::new(broken)), ..ruling }
    }

    /// Asks somebody outside about an answer, where the contract says so.
    pub(crate) fn ask(&self, about: &About<'_>, answer: &Answer, by: Instant) -> Option<Asking> {
        let adviser = self.policy.adviser.as_ref().filter(|_| self.policy.contract.policy().webhook.is_some())?;
        Some(adviser.ask(question(about, answer).into(), by))
    }

    /// What the reply comes to of one who was asked about `answer`.
    pub(crate) fn advised(&self, answer: Answer, reply: &Result<Bytes, Silence>) -> Ruling {
        let Some(webhook) = self.policy.contract.policy().webhook else { return Ruling::default() };
        let ruled = |result, found: Option<&Finding>| Ruling {
            checks: vec![Checked { check: Check::Webhook.as_str(), result }],
            findings: found.iter().map(|found| found.code.as_str()).collect(),
            besides: true,
            ..Ruling::default()
        };
        let (found, unadvised) = match webhook.advised(reply.as_deref()) {
            Advised::Approved => return ruled(CheckResult::Passed, None),
            Advised::Excused(found) => return ruled(CheckResult::Flagged, Some(&found)),
            Advised::Refused(found) => (found, false),
            Advised::Withheld(found) => (found, true),
        };
        let ruling = ruled(CheckResult::Failed, Some(&found));
        let broken = Broken { violations: vec![found], answer, unadvised, ..Broken::default() };
        Ruling { broken: Some(Box::new(broken)), ..ruling }
    }

    /// Whether something that `check` finds is to be taken out.
    fn redacts(&self, check: Check) -> bool {
        let policy = self.policy.contract.policy();
        let action = match check {
            Check::Pii => policy.pii_action,
            Check::Secrets => policy.secrets_action,
            _ => return false,
        };
        policy.require.contains(&check) && action == Action::Redact
    }

    fn takes_out(&self) -> bool {
        self.redacts(Check::Pii) || self.redacts(Check::Secrets)
    }

    /// What the route wants done with an answer that breaks its contract: the first of its steps that can be taken.
    pub(crate) fn fate(&self, broken: &mut Broken, ways: Ways) -> Fate {
        if broken.unadvised {
            return Fate::Fail;
        }
        let step = |step: &Step| match step {
            Step::Repair => broken.mended.take().map(Fate::Mended),
            Step::Reask => (ways.reasks_left > 0).then_some(Fate::Reask),
            Step::Failover => ways.another.then_some(Fate::Failover),
            // What is to be taken out does not leave with a mark either.
            Step::Flag => (!broken.leaks).then_some(Fate::Flag),
            Step::Fail => Some(Fate::Fail),
        };
        self.policy.contract.policy().on_violation.iter().find_map(step).unwrap_or(Fate::Fail)
    }
}
