//! Whether an answer is believed: what the contract of a call's route, and the request itself, demand of it.
//!
//! Receives answers as bytes, whole or held back of a stream; hands on rulings, and what the route wants done with an
//! answer that breaks its contract. Pure. Must never be here: who is asked next, what has left already.

use crate::asking::Correction;
use bytes::Bytes;
use contracts::{Check, Contract, Finding, Hold, Step, Watch};
use dialects::openai_chat;
use llm::{Answer, ChatRequest, CheckResult, Checked, Terms};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The most that a client is told of what is wrong, in bytes.
const TOLD: usize = 1024;

/// What answers of a route have to satisfy, and how much of a stream may be held back for that.
#[derive(Clone, Debug)]
pub struct AnswerPolicy {
    /// What they have to satisfy.
    pub contract: Arc<Contract>,
    /// The most that is held back of one stream, in bytes.
    pub hold_bytes: usize,
    /// How long a stream may be held back.
    pub hold_time: Duration,
}

/// The contract of one call.
pub(crate) struct Judge {
    policy: AnswerPolicy,
    terms: Terms,
    /// Whether anything is judged for which an answer has to be read in full.
    reads: bool,
}

/// What came of judging an answer.
pub(crate) struct Ruling {
    pub(crate) checks: Vec<Checked>,
    /// Codes of all that was found.
    pub(crate) findings: Vec<&'static str>,
    /// `None` where the contract holds.
    pub(crate) broken: Option<Box<Broken>>,
}

/// An answer that breaks its contract.
pub(crate) struct Broken {
    violations: Vec<Finding>,
    /// What is wrong where there are no findings.
    why: &'static str,
    answer: Answer,
    /// The answer's bytes, mended so that they satisfy it, where that can be done.
    mended: Option<Bytes>,
}

/// What is to be done with an answer that breaks its contract.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// Its mended bytes are handed on.
    Mended(Bytes),
    /// The same target is told what is wrong and asked again.
    Reask,
    /// Another target is asked.
    Failover,
    /// It is handed on as it is, with a mark.
    Flag,
    /// The call ends.
    Fail,
}

/// What can still be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    /// How often the same target may be asked again.
    pub(crate) reasks_left: u32,
    /// Another target could be asked.
    pub(crate) another: bool,
}

impl Judge {
    pub(crate) fn new(policy: &AnswerPolicy, request: &ChatRequest) -> Self {
        let cites = policy.contract.policy().require.contains(&Check::Citations);
        let terms = if cites || request.demands { openai_chat::terms(&request.raw) } else { Terms::default() };
        let bound = policy.contract.bind(&terms, "");
        // The decoders have proved the first two, and the model is known without reading further.
        let thin = [Check::Complete, Check::NonEmpty, Check::Model, Check::Webhook];
        let reads = Check::ALL.iter().any(|check| !thin.contains(check) && bound.makes(*check));
        Self { policy: policy.clone(), terms, reads }
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
    pub(crate) fn whole(&self, body: &Bytes, model: &str, served: &str) -> Ruling {
        if !self.reads {
            return self.thin(model, served);
        }
        match openai_chat::read_answer(body) {
            Ok(answer) => self.rule(answer, model, |before, after| openai_chat::mended(body, before, after)),
            Err(_) => *Ruling::unreadable(),
        }
    }

    /// Judges a streamed answer whose events, as far as they were held back, are `held`.
    pub(crate) fn streamed(&self, answer: Answer, held: &[u8], model: &str) -> Ruling {
        self.rule(answer, model, |before, after| openai_chat::mended_stream(held, before, after))
    }

    /// What is said of an answer that need not be read: the decoders have proved the rest.
    pub(crate) fn thin(&self, model: &str, served: &str) -> Ruling {
        let bound = self.policy.contract.bind(&self.terms, model);
        let stranger = bound.stranger(served);
        let broken = stranger.clone().filter(|_| !self.policy.contract.policy().models.is_empty()).map(|found| {
            Box::new(Broken { violations: vec![found], why: "", answer: Answer::default(), mended: None })
        });
        let wrong = if broken.is_some() { CheckResult::Failed } else { CheckResult::Flagged };
        let made = [Check::Complete, Check::NonEmpty, Check::Model].into_iter().filter(|check| bound.makes(*check));
        let result = |check| match (&stranger, check) {
            (Some(_), Check::Model) => wrong,
            _ => CheckResult::Passed,
        };
        let checks = made.map(|check| Checked { check: check.as_str(), result: result(check) }).collect();
        Ruling { checks, findings: stranger.iter().map(|found| found.code.as_str()).collect(), broken }
    }

    fn rule(&self, answer: Answer, model: &str, write: impl FnOnce(&Answer, &Answer) -> Option<Bytes>) -> Ruling {
        let bound = self.policy.contract.bind(&self.terms, model);
        let judgement = bound.check(&answer);
        let result = |holds| if holds { CheckResult::Passed } else { CheckResult::Failed };
        let checks = judgement.results().map(|(check, holds)| Checked { check: check.as_str(), result: result(holds) });
        let checks = checks.collect();
        let findings = judgement.violations.iter().chain(&judgement.marks).map(|found| found.code.as_str()).collect();
        if judgement.holds() {
            return Ruling { checks, findings, broken: None };
        }
        let mends = self.policy.contract.policy().on_violation.contains(&Step::Repair);
        let repaired = mends.then(|| bound.repair(&answer)).flatten();
        let mended = repaired.and_then(|repaired| write(&answer, &repaired.answer));
        let broken = Broken { violations: judgement.violations, why: "", answer, mended };
        Ruling { checks, findings, broken: Some(Box::new(broken)) }
    }

    /// What the route wants done with an answer that breaks its contract: the first of its steps that can be taken.
    pub(crate) fn fate(&self, broken: &mut Broken, ways: Ways) -> Fate {
        let step = |step: &Step| match step {
            Step::Repair => broken.mended.take().map(Fate::Mended),
            Step::Reask => (ways.reasks_left > 0).then_some(Fate::Reask),
            Step::Failover => ways.another.then_some(Fate::Failover),
            Step::Flag => Some(Fate::Flag),
            Step::Fail => Some(Fate::Fail),
        };
        self.policy.contract.policy().on_violation.iter().find_map(step).unwrap_or(Fate::Fail)
    }
}

impl Ruling {
    /// An answer that cannot be read in full: nothing is known of it.
    pub(crate) fn unreadable() -> Box<Self> {
        Self::unjudged("unreadable", "it cannot be read")
    }

    /// An answer of which more would have to be held back than may be, or for longer.
    pub(crate) fn too_long() -> Box<Self> {
        Self::unjudged("held_too_long", "more of it would have to be held back, or for longer, than the route allows")
    }

    fn unjudged(code: &'static str, why: &'static str) -> Box<Self> {
        let checks = vec![Checked { check: Check::Complete.as_str(), result: CheckResult::Failed }];
        let broken = Broken { violations: Vec::new(), why, answer: Answer::default(), mended: None };
        Box::new(Self { checks, findings: vec![code], broken: Some(Box::new(broken)) })
    }

    /// The same with a violation that was found besides.
    pub(crate) fn found(mut self, finding: Finding) -> Self {
        self.checks.retain(|checked| checked.check != finding.check.as_str());
        self.checks.push(Checked { check: finding.check.as_str(), result: CheckResult::Failed });
        self.findings.push(finding.code.as_str());
        let broken = Broken { violations: vec![finding], why: "", answer: Answer::default(), mended: None };
        Self { broken: Some(Box::new(broken)), ..self }
    }

    /// The same, where what failed came to `result` in the end.
    pub(crate) fn failed_as(mut self, result: CheckResult) -> Self {
        for checked in self.checks.iter_mut().filter(|checked| checked.result == CheckResult::Failed) {
            checked.result = result;
        }
        self
    }
}

impl Broken {
    /// What is wrong, by codes and places; never the answer's own words.
    pub(crate) fn told(&self) -> Box<str> {
        let mut told = String::from(self.why);
        for found in &self.violations {
            let separator = if told.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(told, "{separator}{}: {}", found.check, found.code);
            if told.len() > TOLD {
                break;
            }
        }
        told.into()
    }

    /// What the target is told that is asked again.
    pub(crate) fn into_correction(self) -> Correction {
        Correction { text: contracts::reask(&self.violations), answer: self.answer }
    }
}
