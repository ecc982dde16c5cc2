//! A streamed answer that has come to its end, or breaks its contract before: it is judged, and leaves or does not.
//!
//! Must never be here: what its contract is (`judge`), what is kept back (`keeping`).

use super::Tail;
use super::stream::{After, Hearing, Phase, Revision, Stream};
use crate::judge::{Fate, Mended, Ruling, Ways};
use bytes::Bytes;
use contracts::About;
use llm::{Answer, CheckResult, Degraded, Failure, Outcome, Verdict};
use upstream::{Asking, Silence};

impl Tail {
    /// Takes in that the answer has come to its end: it is judged, and what was held back of it leaves.
    pub(super) fn finished(&mut self, stream: &mut Stream, terminator: &[u8]) {
        let mut ruling = stream.keeping.rule(stream.reading.model(), terminator);
        // What is already known to be wrong was judged when it was found.
        if ruling.broken.is_some() && (stream.flaw.is_none() || ruling.leaks()) {
            return self.unmet(stream, ruling, Some(terminator), true);
        }
        let revision = ruling.redacted.take().map(|bytes| (Degraded::Redacted, bytes));
        let answer = std::mem::take(&mut ruling.answer);
        if stream.flaw.is_some() {
            return self.hand_over(stream, revision, terminator);
        }
        self.note_ruling(ruling);
        self.put(stream, answer, revision, terminator);
    }

    /// Hands over the last of an answer, once somebody outside has spoken where its contract says so.
    fn put(&mut self, stream: &mut Stream, answer: Answer, revision: Option<Revision>, terminator: &[u8]) {
        match self.ask(stream, &answer) {
            Some(asking) => {
                let terminator = Bytes::copy_from_slice(terminator);
                stream.phase = Phase::Unheard(Box::new(Hearing { asking, answer, revision, terminator }));
            }
            None => self.hand_over(stream, revision, terminator),
        }
    }

    fn ask(&self, stream: &Stream, answer: &Answer) -> Option<Asking> {
        let (call, judge) = (self.call.as_ref()?, stream.keeping.judge());
        let request = stream.recovery.as_ref().map_or(&[][..], |recovery| &recovery.request.raw);
        let (request_id, target) = (call.request_id().as_str(), call.target_of(stream.no)?);
        let by = stream.keeping.due().map_or(stream.deadline, |due| due.min(stream.deadline));
        judge.ask(&About { request_id, route: call.route(), target, request }, answer, by.into_std())
    }

    /// Takes in what somebody outside says of an answer.
    pub(super) fn heard(&mut self, stream: &mut Stream, reply: &Result<Bytes, Silence>) {
        let Phase::Unheard(hearing) = std::mem::replace(&mut stream.phase, Phase::Flowing) else { return };
        let Hearing { answer, revision, terminator, .. } = *hearing;
        let mut ruling = stream.keeping.judge().advised(answer, reply);
        if ruling.broken.is_some() {
            ruling.redacted = revision.map(|(_, bytes)| bytes);
            self.unmet(stream, ruling, Some(&terminator), true);
        } else {
            self.note_ruling(ruling);
            self.hand_over(stream, revision, &terminator);
        }
        if matches!(stream.phase, Phase::Flowing) {
            stream.phase = Phase::Terminated;
        }
    }

    /// Hands over the last of an answer, and settles it.
    fn hand_over(&mut self, stream: &mut Stream, revision: Option<Revision>, terminator: &[u8]) {
        let revised = revision.is_some();
        let held = self.release(stream, revision);
        stream.out.extend_from_slice(&held);
        if !revised {
            stream.out.extend_from_slice(terminator);
        }
        stream.settle(if stream.flaw.is_some() { Verdict::SemanticFailure } else { Verdict::Success });
        let (progress, used) = (stream.reading.progress(), stream.reading.used());
        self.completed(progress, Some((stream.no, used, stream.flaw.as_ref())));
    }

    /// What was held back, or what leaves in its place.
    fn release(&mut self, stream: &mut Stream, revision: Option<Revision>) -> Bytes {
        let held = stream.keeping.release();
        let Some((how, bytes)) = revision else { return held };
        if stream.flaw.is_none() {
            self.good = Outcome::Degraded;
            self.mark(stream, how);
        }
        bytes
    }

    /// Hands an answer on though this is wrong with it.
    pub(super) fn flag(&mut self, stream: &mut Stream, flaw: Failure) {
        (self.good, stream.flaw) = (Outcome::Invalid, Some(flaw));
        self.mark(stream, Degraded::Flagged);
    }

    /// Tells the client what it gets. The head has left, which would have said so: a comment stands in for it.
    fn mark(&mut self, stream: &mut Stream, how: Degraded) {
        if !stream.keeping.is_listed() {
            stream.out.extend_from_slice(b": x-breakwater-degraded: ");
            stream.out.extend_from_slice(how.as_str().as_bytes());
            stream.out.extend_from_slice(b"\n\n");
        }
        if let Some(call) = &mut self.call {
            call.record().degraded = Some(how);
        }
    }

    fn note_ruling(&mut self, ruling: Ruling) {
        if let Some(call) = &mut self.call {
            call.judged(ruling);
        }
    }

    /// Takes in that the answer breaks its contract, at its end (`whole`) or before; `next` are the bytes that would leave
    /// now. What becomes of it is the route's to say, and a question of whether any of it has left.
    pub(super) fn unmet(&mut self, stream: &mut Stream, mut ruling: Ruling, next: Option<&[u8]>, whole: bool) {
        let Some(mut broken) = ruling.broken.take() else { return };
        let next = next.unwrap_or_default();
        let recovery = stream.recovery.as_deref().filter(|_| stream.keeping.is_exchangeable());
        let ways = recovery.map_or(Ways { reasks_left: 0, another: false }, |recovery| Ways {
            reasks_left: if whole && recovery.schedule.may_try() { recovery.reasks_left } else { 0 },
            another: recovery.schedule.has_other(),
        });
        let failure = broken.failure();
        match stream.keeping.judge().fate(&mut broken, ways) {
            Fate::Mended(Mended { answer, bytes }) => {
                self.note_ruling(ruling.failed_as(CheckResult::Repaired));
                self.put(stream, answer, Some((Degraded::Repaired, bytes)), next);
            }
            Fate::Flag => {
                let revision = ruling.redacted.take().map(|bytes| (Degraded::Redacted, bytes));
                self.note_ruling(ruling.failed_as(CheckResult::Flagged));
                self.flag(stream, failure);
                if whole {
                    self.hand_over(stream, revision, next);
                } else {
                    let held = self.release(stream, revision);
                    stream.keeping.give_up();
                    stream.out.extend_from_slice(&held);
                    stream.out.extend_from_slice(next);
                }
            }
            Fate::Fail => {
                self.note_ruling(ruling);
                self.break_off(stream, &failure, After::End);
            }
            fate @ (Fate::Reask | Fate::Failover) => {
                self.note_ruling(ruling);
                let correction = (fate == Fate::Reask).then(|| broken.into_correction());
                self.break_off(stream, &failure, After::Anew(correction));
            }
        }
    }
}
