//! Everything there is to say about one call, said once, when it is over.

use crate::{Dialect, FinishReason, Label, Outcome, Priority, RequestId, TargetId, Usage, Verdict};
use std::time::Duration;

/// One finished call. Logs, metrics and SLOs are made from this alone.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// The call's id.
    pub request_id: RequestId,
    /// The route that planned it, `direct`, or `none` where it ended before routing.
    pub route: Label,
    /// Who called; `anonymous` where no callers are configured or none was recognised.
    pub caller: Label,
    /// The client's wire format.
    pub dialect: Dialect,
    /// The model asked for, shortened; empty where the request could not be read.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// How the call ended for the client.
    pub outcome: Outcome,
    /// The HTTP status that went out (0 where the client left before one did).
    pub status: u16,
    /// The code that the client was told, in the response or in the stream; for a provider's error its kind.
    pub error: Option<&'static str>,
    /// The target that served, where one did.
    pub served: Option<TargetId>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRecord>,
    /// Targets that were not considered, and why.
    pub passed_over: Vec<PassedOver>,
    /// Why the answer is less than asked for, where it is: told to the client as `x-breakwater-degraded`.
    pub degraded: Option<Degraded>,
    /// What each check of the contract came to, for the answer that the client got or, where it got none, for the last.
    pub checks: Vec<Checked>,
    /// Codes of what was found wrong with answers of this call, or worth a mark, in the order found. Never content.
    pub findings: Vec<&'static str>,
    /// How often the stream went on with another attempt after it had broken off.
    pub continued: u32,
    /// How much the call matters where not all can be served.
    pub priority: Priority,
    /// From the request's arrival to the last byte handed to the client.
    pub duration: Duration,
    /// From the request's arrival to the first meaningful content; streams only.
    pub first_token: Option<Duration>,
    /// Of the time to the answer's head, the part spent in the gateway itself, deliberate waits left out.
    pub overhead: Duration,
    /// Of the time to the answer's head, the part spent waiting on purpose: for a free slot, or between attempts.
    pub waited: Duration,
    /// How a stream ended, once one had begun.
    pub stream_end: Option<StreamEnd>,
    /// Pauses between pieces of content; streams only.
    pub gaps: Gaps,
    /// Why the model stopped.
    pub finish: Option<FinishReason>,
    /// Tokens, where the provider told.
    pub usage: Option<Usage>,
}

/// One attempt at one target.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// The target tried.
    pub target: TargetId,
    /// The target's label in metrics.
    pub label: Label,
    /// What it was made for.
    pub kind: AttemptKind,
    /// When it began, counted from the call's arrival.
    pub begun: Duration,
    /// How it ended.
    pub verdict: Verdict,
    /// Short cause, where it failed: [`Failure::as_str`](crate::Failure::as_str).
    pub cause: Option<&'static str>,
    /// The provider's status, where one came.
    pub status: Option<u16>,
    /// How long it took, to the commit point or to its failure.
    pub duration: Duration,
    /// Tokens that it took, where the provider told.
    pub usage: Option<Usage>,
    /// The provider may charge for it although nobody got its whole answer:
    /// [`Failure::may_be_billed`](crate::Failure::may_be_billed).
    pub maybe_billed: bool,
}

/// What an attempt was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptKind {
    /// The call's first.
    First,
    /// After another had failed before anything reached the client.
    Retry,
    /// Beside another that was slow.
    Hedge,
    /// To go on with a stream that had broken off.
    Continuation,
    /// The same target once more, told what was wrong with its answer.
    Reask,
}

impl AttemptKind {
    /// The word in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
            Self::Continuation => "continuation",
            Self::Reask => "reask",
        }
    }
}

/// Why an answer is less than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Degraded {
    /// It came from a target of lower priority than the best, or from another route.
    Fallback,
    /// It was mended so that it satisfies its contract.
    Repaired,
    /// Personal data or credentials were taken out of it, as its contract says.
    Redacted,
    /// It breaks its contract, and its route hands it on all the same.
    Flagged,
    /// It is a text of the configuration: no target answered.
    Static,
}

impl Degraded {
    /// The header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Repaired => "repaired",
            Self::Redacted => "redacted",
            Self::Flagged => "flagged",
            Self::Static => "static",
        }
    }
}

/// What one check of a contract came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The check's name.
    pub check: &'static str,
    /// What it came to.
    pub result: CheckResult,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// The answer satisfies it.
    Passed,
    /// It did once it was mended.
    Repaired,
    /// It does without what was taken out of it.
    Redacted,
    /// It does not, and was handed on with a mark, as the route says.
    Flagged,
    /// It does not.
    Failed,
}

impl CheckResult {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 5] = [Self::Passed, Self::Repaired, Self::Redacted, Self::Flagged, Self::Failed];

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Repaired => "repaired",
            Self::Redacted => "redacted",
            Self::Flagged => "flagged",
            Self::Failed => "failed",
        }
    }
}

/// A target that a call left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The target.
    pub target: TargetId,
    /// Why, in words.
    pub reason: &'static str,
    /// For how long still, where that is known.
    pub remaining: Option<Duration>,
}

/// How a stream ended after its first content went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamEnd {
    /// With a finish reason and the terminator.
    Complete,
    /// The client left.
    Cancelled,
    /// The provider broke off, or ended without a finish reason.
    Truncated,
    /// The provider fell silent.
    Stalled,
    /// The provider sent an error event.
    ErrorEvent,
    /// The provider sent something unreadable.
    Garbage,
    /// The deadline passed.
    Deadline,
    /// The answer broke its contract.
    Unmet,
}

impl StreamEnd {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 8] = [
        Self::Complete,
        Self::Cancelled,
        Self::Truncated,
        Self::Stalled,
        Self::ErrorEvent,
        Self::Garbage,
        Self::Deadline,
        Self::Unmet,
    ];

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Truncated => "truncated",
            Self::Stalled => "stalled",
            Self::ErrorEvent => "error_event",
            Self::Garbage => "garbage",
            Self::Deadline => "deadline",
            Self::Unmet => "contract_unmet",
        }
    }
}

/// Upper bounds of the buckets in [`Gaps`], in seconds; one more bucket takes what is longer.
pub const GAP_BOUNDS: [f64; 12] = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 10.24, 40.96];

/// A histogram of pauses, kept in the call itself so that a running stream touches nothing shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps {
    /// Pauses per bucket of [`GAP_BOUNDS`], not cumulative; the last one is unbounded.
    pub buckets: [u32; GAP_BOUNDS.len() + 1],
    /// The sum of all pauses.
    pub sum: Duration,
}

impl Gaps {
    /// Counts one pause.
    pub fn observe(&mut self, gap: Duration) {
        let seconds = gap.as_secs_f64();
        let place = GAP_BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(GAP_BOUNDS.len());
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket = bucket.saturating_add(1);
        }
        self.sum += gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lands_in_the_first_bucket_that_holds_it() {
        let mut gaps = Gaps::default();
        for millis in [0, 5, 6, 20, 50_000] {
            gaps.observe(Duration::from_millis(millis));
        }
        assert_eq!(gaps.buckets[0], 2);
        assert_eq!(gaps.buckets[1], 1);
        assert_eq!(gaps.buckets[2], 1);
        assert_eq!(gaps.buckets[GAP_BOUNDS.len()], 1);
        assert_eq!(gaps.buckets.iter().sum::<u32>(), 5);
        assert_eq!(gaps.sum, Duration::from_millis(50_031));
    }

    #[test]
    fn stream_ends_are_listed_in_order() {
        for (place, end) in StreamEnd::ALL.iter().enumerate() {
            assert_eq!(*end as usize, place);
        }
    }
}
