//! The judgement of one finished call, from its record alone.
//!
//! A call that says nothing about the service - the client's mistake, a refusal by policy, a client who left -
//! is not counted, neither as good nor as bad.

use llm::{CallRecord, Outcome};
use std::time::Duration;

/// What a route promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// A stream's first meaningful content comes within this time of the request's arrival.
    pub first_token_under: Duration,
}

impl Default for Objective {
    fn default() -> Self {
        Self { first_token_under: Duration::from_secs(2) }
    }
}

/// Whether a call was good (`true`), bad (`false`) or does not count (`None`), per indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The user got a complete, valid answer.
    pub availability: Option<bool>,
    /// The user of a stream got its first content in time.
    pub first_token: Option<bool>,
}

/// Judges a call. One that never reached a route counts nowhere, unless it was turned away for want of room.
#[must_use]
pub fn judge(record: &CallRecord, objective: &Objective) -> Judgement {
    if *record.route.name == *"none" && record.outcome != Outcome::Shed {
        return Judgement { availability: None, first_token: None };
    }
    let availability = availability(record.outcome);
    let first_token = if record.stream { first_token(record, availability.is_some(), objective) } else { None };
    Judgement { availability, first_token }
}

fn availability(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Success | Outcome::Degraded => Some(true),
        Outcome::Failed | Outcome::Invalid | Outcome::Truncated | Outcome::Shed => Some(false),
        Outcome::ClientError | Outcome::Cancelled | Outcome::Refused => None,
    }
}

/// A client who left counts by what it had seen: leaving because nothing came is the service's doing.
fn first_token(record: &CallRecord, valid: bool, objective: &Objective) -> Option<bool> {
    let bound = objective.first_token_under;
    let left = record.outcome == Outcome::Cancelled;
    match record.first_token {
        Some(time) if valid || left => Some(time <= bound),
        None if valid => Some(false),
        None if left && record.duration > bound => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{CheckResult, Checked, Degraded, Dialect, Gaps, Label, RequestId, StreamEnd};

    fn stream(outcome: Outcome, first_token_ms: Option<u64>, duration_ms: u64) -> CallRecord {
        CallRecord {
            request_id: RequestId::minted("id"),
            route: Label::new(0, "chat"),
            caller: Label::new(0, "anonymous"),
            dialect: Dialect::OpenAiChat,
            model: "chat".into(),
            stream: true,
            outcome,
            status: 200,
            error: None,
            served: None,
            attempts: Vec::new(),
            passed_over: Vec::new(),
            degraded: None,
            checks: Vec::new(),
            findings: Vec::new(),
            continued: 0,
            priority: llm::Priority::Normal,
            duration: Duration::from_millis(duration_ms),
            first_token: first_token_ms.map(Duration::from_millis),
            overhead: Duration::ZERO,
            waited: Duration::ZERO,
            stream_end: None,
            gaps: Gaps::default(),
            finish: None,
            usage: None,
        }
    }

    #[test]
    fn every_outcome_is_good_bad_or_not_counted() {
        let (good, bad) = (Some(true), Some(false));
        // Availability; first token of a stream whose content came after 2 s, after 2.001 s, never;
        // and of one that was over without content before 2 s had passed.
        for (outcome, expected) in [
            (Outcome::Success, [good, good, bad, bad, bad]),
            (Outcome::Degraded, [good, good, bad, bad, bad]),
            (Outcome::Failed, [bad, good, bad, bad, bad]),
            (Outcome::Invalid, [bad, good, bad, bad, bad]),
            (Outcome::Truncated, [bad, good, bad, bad, bad]),
            (Outcome::Shed, [bad, good, bad, bad, bad]),
            (Outcome::Refused, [None; 5]),
            (Outcome::ClientError, [None; 5]),
            (Outcome::Cancelled, [None, good, bad, bad, None]),
        ] {
            let objective = Objective { first_token_under: Duration::from_secs(2) };
            let times = [(Some(2_000), 5_000), (Some(2_001), 5_000), (None, 5_000), (None, 1_000)];
            let judged = times.map(|(first, over)| judge(&stream(outcome, first, over), &objective));
            let first_tokens = judged.iter().map(|one| one.first_token);
            let seen: Vec<_> = [judged[0].availability].into_iter().chain(first_tokens).collect();
            assert_eq!(seen, expected, "{outcome:?}");

            let whole = CallRecord { stream: false, ..stream(outcome, None, 5_000) };
            let judgement = Judgement { availability: expected[0], first_token: None };
            assert_eq!(judge(&whole, &objective), judgement, "{outcome:?}, not streamed");
            let unrouted = CallRecord { route: Label::new(2, "none"), ..stream(outcome, None, 5_000) };
            let counts = (outcome == Outcome::Shed).then_some(false);
            let nowhere = Judgement { availability: counts, first_token: counts };
            assert_eq!(judge(&unrouted, &objective), nowhere, "{outcome:?}, without a route");
        }
    }

    #[test]
    fn a_mended_answer_is_good_and_an_unmet_contract_is_bad() {
        let whole = |outcome| CallRecord { stream: false, ..stream(outcome, None, 100) };
        let repaired = CallRecord {
            degraded: Some(Degraded::Repaired),
            checks: vec![Checked { check: "schema", result: CheckResult::Repaired }],
            findings: vec!["json_fenced"],
            ..whole(Outcome::Degraded)
        };
        let unmet = CallRecord {
            status: 502,
            error: Some("contract_unmet"),
            checks: vec![Checked { check: "schema", result: CheckResult::Failed }],
            findings: vec!["not_json"],
            ..whole(Outcome::Invalid)
        };
        let broken_off = CallRecord { stream_end: Some(StreamEnd::Unmet), ..stream(Outcome::Invalid, Some(100), 900) };
        for (record, availability, first_token) in
            [(repaired, Some(true), None), (unmet, Some(false), None), (broken_off, Some(false), Some(true))]
        {
            let judged = judge(&record, &Objective::default());
            assert_eq!(judged, Judgement { availability, first_token }, "{:?}", record.outcome);
        }
    }
}
