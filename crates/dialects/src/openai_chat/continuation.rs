//! Going on with an answer that broke off: the second stream, made the rest of the first.
//!
//! Lives here: the decoder of the second stream; below it, what to ask for, where the seam is, how events are rewritten.
//! Receives a transcript and the second stream's bytes; hands on frames that the client can take as the rest of the
//! first stream, or nothing at all. Must never be here: when to try it, and on which target.

mod request;
mod rewrite;
mod seam;
#[cfg(test)]
mod tests;
mod usage;
mod withheld;

pub use request::{continuation_request, way};
pub use seam::{Mismatch, Overlap, Seam};

use super::DONE;
use super::chunk::{Choices, Chunk, decoded};
use super::stream::StreamDecoder;
use super::transcript::{Head, Transcript};
use crate::sse::{Framer, as_event};
use crate::{Ending, Quirks};
use bytes::Bytes;
use llm::{Event, Failure, FinishReason, Frame, Progress, Usage};
use seam::{Matcher, Step};
use std::collections::VecDeque;
use usage::merge_usage;

/// How a second target is brought to go on with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is handed the beginning but for the last words, and says those once more and then what follows.
    Prefill(Handed),
    /// It answers from the beginning; what the client has already is dropped, where it is exactly the same.
    Repeat,
}

/// The beginning that a second target is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// How much of the first stream's text, in bytes. What is withheld begins with a space.
    pub bytes: usize,
    /// The request limits the tokens, and the limit was lowered by the most that the beginning can have: who ends at it
    /// may have ended before the client's.
    pub limited: bool,
    /// The provider puts the beginning in front of the answer, and does not count it as said.
    pub echoed: bool,
}

impl Way {
    /// Short, stable name for records and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prefill(_) => "prefill",
            Self::Repeat => "repeat",
        }
    }
}

/// Reads the stream that is to go on with a first one.
///
/// Used as a [`StreamDecoder`]. No content, role, finish or terminator leaves before the [`Seam`] is joined; after
/// that, each frame bears the first stream's id, creation time, model and fingerprint, no role and at most one finish
/// reason. Of the second stream's own, the frames lack all that came before its new text (reasoning too: the first
/// answer had none), and the `event` and `id` lines of events. What cannot be rewritten without loss is
/// [`Event::Garbage`]. Garbage, an error and a terminator that ends no answer bear no bytes; behind them, as behind any
/// terminator, nothing follows. A finish at a limit that is not the client's is such a terminator.
#[derive(Debug)]
pub struct Continuation {
    quirks: Quirks,
    inner: StreamDecoder,
    transcript: Transcript,
    head: Head,
    way: Way,
    /// About how many tokens this target was handed.
    given: u64,
    seam: Seam,
    matcher: Matcher,
    frames: VecDeque<Frame>,
    progress: Progress,
    /// Nothing more is handed on.
    over: bool,
}

impl Continuation {
    /// A decoder for the answer of a provider with `quirks` to a request built for `way` and `transcript`, which says
    /// what the client has been given.
    #[must_use]
    pub fn new(quirks: Quirks, mut transcript: Transcript, way: Way) -> Self {
        transcript.reopen();
        let given = match way {
            Way::Prefill(handed) => transcript.tokens_before(handed.bytes),
            Way::Repeat => 0,
        };
        Self {
            quirks,
            inner: StreamDecoder::apart(quirks),
            head: transcript.head().cloned().unwrap_or_default(),
            way,
            given,
            seam: Seam::Undecided,
            matcher: Matcher::new(way),
            frames: VecDeque::new(),
            progress: Progress { content: true, ..Progress::default() },
            over: false,
            transcript,
        }
    }

    /// Whether the streams go together, as far as is known.
    #[must_use]
    pub fn seam(&self) -> Seam {
        self.seam
    }

    /// The whole answer's progress, as the frames tell it: the finish is the second stream's, the usage of both.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The second stream's own progress, for what its provider did and charges.
    #[must_use]
    pub fn own_progress(&self) -> &Progress {
        self.inner.progress()
    }

    /// What the client has been given of the whole answer, once all frames are taken: to go on once more.
    #[must_use]
    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.inner.feed(chunk);
        self.drain();
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Judges a second stream that its provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        // The inner judgement knows nothing of the first stream's content; it only reads a last unfinished line.
        let _ = self.inner.end();
        self.drain();
        if let Seam::Altered(_) = self.seam {
            return Ending::Broken(Failure::NotAnAnswer("not the rest of the answer that it was to go on with"));
        }
        match (self.progress.finished, self.progress.done, self.quirks.done_marker) {
            (true, true, _) => Ending::Complete(None),
            (true, false, false) => Ending::Complete(Some(Bytes::from_static(DONE))),
            _ => Ending::Broken(Failure::Truncated),
        }
    }

    fn drain(&mut self) {
        while let Some(frame) = self.inner.next_frame() {
            if !self.over {
                self.take(frame);
            }
        }
    }

    fn take(&mut self, frame: Frame) {
        match frame.event {
            Event::Error(_) | Event::Garbage => self.last(frame.event, b""),
            Event::Done => {
                self.progress.done = self.progress.finished;
                // One that ends no answer is the engine's to judge and nobody's to read.
                self.last(Event::Done, if self.progress.done { DONE } else { b"" });
            }
            Event::Preamble | Event::Content | Event::Closing => match event_data(&frame.raw) {
                Some(data) => self.take_chunk(&data),
                None if matches!(self.seam, Seam::Joined(_)) => self.frames.push_back(frame),
                None => {}
            },
        }
    }

    /// Hands on the last frame there is.
    fn last(&mut self, event: Event, raw: &'static [u8]) {
        self.frames.push_back(Frame { event, raw: Bytes::from_static(raw) });
        self.transcript.close();
        self.over = true;
    }

    fn take_chunk(&mut self, data: &str) {
        let read = serde_json::from_str::<Chunk<'_>>(data).ok().zip(rewrite::Chunk::read(data));
        let Some((facts, chunk)) =
            read.filter(|(facts, _)| !(facts.choices.beyond.several || facts.choices.beyond.odd))
        else {
            return self.unreadable();
        };
        match self.seam {
            Seam::Joined(overlap) => self.emit(chunk, &facts, overlap),
            Seam::Altered(_) => {}
            Seam::Undecided => self.decide(chunk, &facts),
        }
    }

    /// An event came that cannot be handed on without loss.
    fn unreadable(&mut self) {
        match self.seam {
            Seam::Joined(_) => self.last(Event::Garbage, b""),
            Seam::Undecided | Seam::Altered(_) => self.alter(Mismatch::Kind),
        }
    }

    fn alter(&mut self, why: Mismatch) {
        self.seam = Seam::Altered(why);
        self.over = true;
    }

    /// Takes in an event while the seam is undecided.
    fn decide(&mut self, mut chunk: rewrite::Chunk, facts: &Chunk<'_>) {
        let choices: &Choices<'_> = &facts.choices;
        if choices.beyond.refusal || choices.beyond.media {
            return self.alter(Mismatch::Kind);
        }
        let text = choices.text.and_then(decoded).unwrap_or_default();
        let step = if text.is_empty() { Step::Same } else { self.matcher.step(self.transcript.text(), &text) };
        match step {
            // Its text ends here, and proves nothing.
            Step::Same if choices.beyond.tool_call || choices.ended != 0 => self.alter(Mismatch::Short),
            Step::Same => {}
            Step::Other => self.alter(Mismatch::Words),
            Step::Joined(overlap, new) => {
                self.seam = Seam::Joined(overlap);
                chunk.drop_reasoning();
                chunk.cut_text(new);
                if !chunk.is_hollow() {
                    self.emit(chunk, facts, overlap);
                }
            }
        }
    }

    /// Hands on one event, which said what `facts` tell before it was cut, as one of the first stream.
    fn emit(&mut self, mut chunk: rewrite::Chunk, facts: &Chunk<'_>, overlap: Overlap) {
        if self.ends_at_our_limit(facts) {
            chunk.drop_finish();
            if !chunk.is_hollow() {
                self.rewrite(chunk, None, overlap);
            }
            self.last(Event::Done, b"");
            return self.alter(Mismatch::Limit);
        }
        self.rewrite(chunk, facts.usage(), overlap);
    }

    fn rewrite(&mut self, mut chunk: rewrite::Chunk, usage: Option<Usage>, overlap: Overlap) {
        if chunk.drop_role() && chunk.is_hollow() {
            return;
        }
        chunk.bear(&self.head);
        if self.progress.finished {
            chunk.drop_finish();
        }
        let usage = usage.map(|second| merge_usage(self.given, second, self.way, overlap));
        if self.way != Way::Repeat {
            chunk.tell_usage(usage);
        }
        self.hand_on(&chunk.data(), usage);
    }

    /// Whether an event ends the answer at a limit of tokens that may lie below the client's.
    fn ends_at_our_limit(&self, facts: &Chunk<'_>) -> bool {
        let limited = matches!(self.way, Way::Prefill(handed) if handed.limited);
        limited && !self.progress.finished && facts.choices.finish == Some(FinishReason::Length)
    }

    /// Hands on an event that holds `data`, and takes note of what it says as a client would.
    fn hand_on(&mut self, data: &str, usage: Option<Usage>) {
        let Ok(facts) = serde_json::from_str::<Chunk<'_>>(data) else { return self.unreadable() };
        // Merged usage is an estimate, and tells nothing of what the text has.
        self.transcript.note(&facts, usage.filter(|_| self.way == Way::Repeat), data);
        let choices = &facts.choices;
        self.progress.refused |= choices.refused;
        self.progress.finished |= choices.ended != 0;
        self.progress.finish = choices.finish.or(self.progress.finish);
        self.progress.usage = usage.or(self.progress.usage);
        self.frames.push_back(Frame { event: facts.event(usage), raw: as_event(data) });
    }
}

/// The data of the one event in `raw`, if it has any.
fn event_data(raw: &[u8]) -> Option<String> {
    let mut framer = Framer::default();
    framer.push(raw);
    // A stray line feed before the event makes a block of its own.
    while let Ok(Some(block)) = framer.next_block() {
        if let Some(data) = framer.data(&block).filter(|data| !data.is_empty()) {
            return std::str::from_utf8(data).ok().map(str::to_owned);
        }
    }
    None
}
