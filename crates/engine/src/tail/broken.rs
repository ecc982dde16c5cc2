//! A streamed answer that broke off: another attempt goes on with it or gives it anew, or the client is told.
//!
//! Must never be here: whether the rest can be had (`continuation`).

use super::stream::{After, Phase, Recovering, Stream, no_body};
use super::{Tail, note};
use crate::OpenCall;
use crate::attempt::{LAG, Started};
use crate::continuation::{Recovered, may_go_on};
use crate::race::{Mark, Won};
use dialects::{gemini, render};
use llm::{CallError, Degraded, ErrorKind, Failure, Outcome, StreamEnd, Verdict};
use std::sync::Arc;
use tokio::time::Instant;

impl Tail {
    /// Takes in that the stream broke off: where nothing of it has left, another answer takes its place; else another
    /// attempt goes on with it, where one may and can.
    pub(super) fn broken(&mut self, stream: &mut Stream, failure: &Failure) {
        let after = if stream.keeping.is_exchangeable() { After::Anew(None) } else { After::GoOn };
        self.break_off(stream, failure, after);
    }

    pub(super) fn break_off(&mut self, stream: &mut Stream, failure: &Failure, after: After) {
        let Some(mut call) = self.call.take() else { return };
        note(&mut call, stream.reading.progress());
        let lagged = matches!(failure, Failure::Stalled) && Instant::now() - stream.due() > LAG;
        let verdict = call.attempt_broke(stream.no, failure, lagged, stream.reading.used());
        // Who ended at a limit that we had lowered is not to blame for it.
        stream.settle(if matches!(failure, Failure::Altered) { Verdict::Neutral } else { verdict });
        let record = call.record();
        (record.outcome, record.stream_end) = (Outcome::Cancelled, Some(StreamEnd::Cancelled));
        let wanted = stream.recovery.take().filter(|recovery| {
            let unmet = matches!(failure, Failure::Unmet(_) | Failure::Unadvised(_));
            unmet || may_go_on(failure, recovery.plan.policy.on_refusal)
        });
        let recovering: Recovering = match (wanted, after) {
            (Some(recovery), After::Anew(correction)) => Box::pin(recovery.redo(call, failure.clone(), correction)),
            (Some(recovery), After::GoOn) if recovery.goes_on => match stream.reading.take_transcript() {
                Some(transcript) => Box::pin(recovery.recover(call, transcript, failure.clone())),
                None => return self.lost(stream, call, failure),
            },
            _ => return self.lost(stream, call, failure),
        };
        // The exchange ends here: no provider is to go on with what nobody reads.
        stream.body = no_body();
        stream.phase = Phase::Recovering(recovering);
    }

    fn lost(&mut self, stream: &mut Stream, call: OpenCall, failure: &Failure) {
        self.call = Some(call);
        self.given_up(stream, failure);
    }

    /// Settles the call as broken off, and tells the client: an error event, and no terminator behind it.
    fn given_up(&mut self, stream: &mut Stream, failure: &Failure) {
        let (outcome, end) = broken_as(failure);
        let error = render(self.dialect, &self.error_of(failure, stream));
        let told = if stream.keeping.is_listed() {
            // Whatever was read of it, the list begins with what the client was given.
            gemini::as_last_entry(&error, stream.keeping.has_left())
        } else {
            stream.reading.failing(self.dialect, &error)
        };
        stream.out.extend_from_slice(&told);
        stream.phase = Phase::Ended;
        if let Some(call) = &mut self.call {
            let record = call.record();
            record.outcome = outcome;
            record.stream_end = Some(end);
            record.error = Some(error.code);
        }
    }

    /// Takes in what came of the attempt to go on.
    pub(super) fn recovered(&mut self, stream: &mut Stream, recovered: Recovered) {
        let Recovered { mut call, cause, result, anew } = recovered;
        let resumed = match result {
            Some((Won { started: Started::Stream { frames, reading, body }, no, permit, mark, .. }, recovery)) => {
                let served = recovery.plan.candidates.get(recovery.serving);
                let record = call.record();
                let elsewhere = record.served.as_ref() != served.map(|served| &served.target);
                if anew {
                    if stream.flaw.take().is_some() {
                        // What was wrong went with the answer that had it.
                        (self.good, record.degraded) = (Outcome::Success, None);
                    }
                    record.served = served.map(|served| served.target.clone());
                    stream.keeping.restart(served.map_or_else(|| Arc::from(""), |one| Arc::clone(&one.target.model)));
                } else {
                    record.continued += 1;
                }
                if elsewhere || !anew {
                    self.good = Outcome::Degraded;
                    record.degraded = Some(Degraded::Fallback);
                }
                (stream.reading, stream.body, stream.no) = (reading, body, no);
                (stream.permit, stream.recovery) = (Some(permit), Some(recovery));
                stream.heard = Instant::now();
                // What the client waited for the rest is a pause like any other.
                call.record().gaps.observe(stream.heard - stream.spoke);
                (stream.spoke, stream.phase) = (stream.heard, Phase::Flowing);
                Some((frames, mark))
            }
            Some((Won { started: Started::Whole { .. }, .. }, _)) | None => None,
        };
        self.call = Some(call);
        match resumed {
            Some((frames, mark)) => {
                if let Some(Mark::Flagged(why)) = mark {
                    self.flag(stream, Failure::Unmet(why));
                }
                frames.into_iter().for_each(|frame| self.take(stream, frame));
            }
            None => self.given_up(stream, &cause),
        }
    }

    fn error_of(&self, failure: &Failure, stream: &Stream) -> CallError {
        match failure {
            Failure::Deadline => CallError::DeadlineExceeded { limit: stream.limit },
            Failure::Unmet(_) | Failure::Unadvised(_) => {
                CallError::ContractUnmet { message: format!("The answer {failure}.") }
            }
            other => {
                let broke = self.call.as_ref().and_then(|call| call.target_of(stream.no));
                let target = broke.map(ToString::to_string).unwrap_or_default();
                CallError::UpstreamFailed { message: format!("The answer broke off: {target} {other}.") }
            }
        }
    }
}

/// How an answer that broke off counts.
fn broken_as(failure: &Failure) -> (Outcome, StreamEnd) {
    match failure {
        Failure::Provider(error) if error.kind == ErrorKind::ContentPolicy => (Outcome::Refused, StreamEnd::ErrorEvent),
        Failure::Provider(_) => (Outcome::Failed, StreamEnd::ErrorEvent),
        Failure::Garbage | Failure::NotAnAnswer(_) | Failure::TooLarge => (Outcome::Failed, StreamEnd::Garbage),
        Failure::Unmet(_) | Failure::Unadvised(_) => (Outcome::Invalid, StreamEnd::Unmet),
        Failure::Deadline => (Outcome::Truncated, StreamEnd::Deadline),
        Failure::Stalled => (Outcome::Truncated, StreamEnd::Stalled),
        _ => (Outcome::Truncated, StreamEnd::Truncated),
    }
}
