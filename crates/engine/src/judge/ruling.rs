//! What came of judging an answer, and what may be done with one that breaks its contract.
//!
//! Must never be here: how an answer is judged.

use crate::asking::Correction;
use bytes::Bytes;
use contracts::Finding;
use llm::{Answer, CheckResult, Checked, Failure};
use std::fmt::Write;

/// The most that a client is told of what is wrong, in bytes.
const TOLD: usize = 1024;

/// What came of judging an answer.
#[derive(Default)]
pub(crate) struct Ruling {
    pub(crate) checks: Vec<Checked>,
    /// Codes of all that was found.
    pub(crate) findings: Vec<&'static str>,
    /// The answer as it may leave, where it has been read in full.
    pub(crate) answer: Answer,
    /// Its bytes without what is to be taken out of it, where it held any.
    pub(crate) redacted: Option<Bytes>,
    /// This comes on top of another ruling on the same answer.
    pub(crate) besides: bool,
    /// `None` where the contract holds.
    pub(crate) broken: Option<Box<Broken>>,
}

/// An answer that breaks its contract.
#[derive(Default)]
pub(crate) struct Broken {
    pub(super) violations: Vec<Finding>,
    /// What is wrong where there are no findings.
    pub(super) why: &'static str,
    pub(super) answer: Answer,
    /// The answer mended so that it satisfies its contract, where that can be done.
    pub(super) mended: Option<Mended>,
    /// It may hold what is to be taken out, and cannot be: it must not leave, with a mark or without.
    pub(super) leaks: bool,
    /// It was not approved only because nobody was there to say so.
    pub(super) unadvised: bool,
}

/// A mended answer, and its bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Mended {
    pub(crate) answer: Answer,
    pub(crate) bytes: Bytes,
}

/// What is to be done with an answer that breaks its contract.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is handed on mended.
    Mended(Mended),
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

impl Ruling {
    /// The same with a violation that was found besides.
    pub(crate) fn found(mut self, finding: Finding) -> Self {
        self.checks.retain(|checked| checked.check != finding.check.as_str());
        self.checks.push(Checked { check: finding.check.as_str(), result: CheckResult::Failed });
        self.findings.push(finding.code.as_str());
        let broken = Broken { violations: vec![finding], ..Broken::default() };
        Self { broken: Some(Box::new(broken)), ..self }
    }

    /// Whether the answer must not leave, whatever the route wants done.
    pub(crate) fn leaks(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.leaks)
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

    /// As what its attempt failed.
    pub(crate) fn failure(&self) -> Failure {
        if self.unadvised { Failure::Unadvised(self.told()) } else { Failure::Unmet(self.told()) }
    }

    /// What the target is told that is asked again.
    pub(crate) fn into_correction(self) -> Correction {
        Correction { text: contracts::reask(&self.violations), answer: self.answer }
    }
}
