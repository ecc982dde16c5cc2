//! A streamed answer that has come to its end, or breaks its contract before: it is judged, and leaves or does not.
//!
//! Must never be here: what its contract is (`judge`), what is kept back (`keeping`).

use super::Tail;
use super::stream::{After, Stream};
use crate::judge::{Fate, Ruling, Ways};
use bytes::Bytes;
use llm::{CheckResult, Degraded, Failure, Outcome, Verdict};

impl Tail {
    /// Takes in that the answer has come to its end: it is judged, and what was held back of it leaves.
    pub(super) fn finished(&mut self, stream: &mut Stream, terminator: &[u8]) {
        let mut ruling = stream.keeping.rule(stream.reading.model());
        // What is already known to be wrong was judged when it was found.
        if ruling.broken.is_some() && (stream.flaw.is_none() || ruling.leaks()) {
            return self.unmet(stream, ruling, Some(terminator), true);
        }
        let held = self.without_redacted(stream, &mut ruling);
        if stream.flaw.is_none() {
            self.note_ruling(ruling);
        }
        self.hand_over(stream, &held, terminator);
    }

    /// What was held back, as it may leave.
    fn without_redacted(&mut self, stream: &mut Stream, ruling: &mut Ruling) -> Bytes {
        let held = stream.keeping.release();
        let Some(redacted) = ruling.redacted.take() else { return held };
        self.revised(Degraded::Redacted);
        redacted
    }

    /// Notes that the client gets something else than the target said.
    fn revised(&mut self, how: Degraded) {
        self.good = Outcome::Degraded;
        if let Some(call) = &mut self.call {
            call.record().degraded = Some(how);
        }
    }

    /// Hands over the last of an answer, and settles it.
    fn hand_over(&mut self, stream: &mut Stream, held: &[u8], terminator: &[u8]) {
        stream.out.extend_from_slice(held);
        stream.out.extend_from_slice(terminator);
        stream.settle(if stream.flaw.is_some() { Verdict::SemanticFailure } else { Verdict::Success });
        let (progress, used) = (stream.reading.progress(), stream.reading.used());
        self.completed(progress, Some((stream.no, used, stream.flaw.as_ref())));
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
        let failure = Failure::Unmet(broken.told());
        match stream.keeping.judge().fate(&mut broken, ways) {
            Fate::Mended(mended) => {
                self.note_ruling(ruling.failed_as(CheckResult::Repaired));
                self.revised(Degraded::Repaired);
                self.hand_over(stream, &mended, next);
            }
            Fate::Flag => {
                let held = self.without_redacted(stream, &mut ruling);
                self.note_ruling(ruling.failed_as(CheckResult::Flagged));
                (self.good, stream.flaw) = (Outcome::Invalid, Some(failure));
                if whole {
                    self.hand_over(stream, &held, next);
                } else {
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
