//! A streamed answer: bytes to frames, and the judgement at its end.

use super::answer::Snapshot;
use super::error::{fail, read_error};
use super::whole::{facts, is_call, says_something};
use super::wire::{Event as Wire, Item, Kind, Part, Raw, Response, fields, list, object, text};
use crate::openai_chat::whole::may_be_empty;
use crate::runs::Runs;
use crate::shape::Shape;
use crate::sse::{Block, Framer};
use crate::template::Template;
use crate::{Ending, Rendered};
use bytes::{Bytes, BytesMut};
use llm::{Event, Failure, Frame, Progress};

/// Reads a stream of events.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer. However the stream is cut up, the frames say the
/// same; neighbouring events of content that arrive together share a frame.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    runs: Runs<Framer>,
    progress: Progress,
    /// The provider's id of the answer.
    id: String,
    /// A call has begun that the client has to make.
    calls: bool,
    /// The number of the event that would follow.
    sequence: u64,
    /// The last piece of text, which most events only repeat with other words and another number.
    template: Template,
}

impl StreamDecoder {
    /// A decoder for one answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.progress.content || (self.progress.finished && may_be_empty(self.progress.finish))
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut runs = std::mem::take(&mut self.runs);
        runs.feed(chunk, |framer, block| self.read(framer, block));
        self.runs = runs;
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.runs.next_frame()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        let mut runs = std::mem::take(&mut self.runs);
        runs.flush(|framer, block| self.read(framer, block));
        self.runs = runs;
        if !self.has_begun() {
            Ending::Broken(Failure::Empty)
        } else if self.progress.done {
            Ending::Complete(None)
        } else {
            Ending::Broken(Failure::Truncated)
        }
    }

    /// A worded error as the last events of this stream: they go on with its numbers and name its answer.
    #[must_use]
    pub fn failing(&self, error: &Rendered) -> Bytes {
        let (mut out, mut sequence) = (BytesMut::new(), self.sequence);
        let so_far = Snapshot { id: &self.id, model: &self.progress.model, ..Snapshot::default() };
        fail(error, &so_far, &mut sequence, &mut out);
        out.freeze()
    }

    /// What one event means; keeps the progress.
    fn read(&mut self, framer: &Framer, block: &Block) -> Event {
        let Some(data) = framer.data(block).filter(|data| !data.is_empty()) else {
            return Event::Preamble;
        };
        // Servers that speak chat completions too end this dialect's streams likewise; it says nothing here.
        if data.trim_ascii() == b"[DONE]" {
            return if self.progress.content { Event::Closing } else { Event::Preamble };
        }
        let named_error = framer.name(block) == Some(b"error");
        if !named_error && let Some([_, number, _]) = self.template.values(data) {
            self.sequence = number.parse().unwrap_or(self.sequence) + 1;
            return Event::Content;
        }
        let Some(wire) = object::<Wire<'_>>(data) else {
            return Event::Garbage;
        };
        let kind = if named_error { Kind::Failed } else { wire.kind() };
        if wire.kind.get().is_empty() && kind != Kind::Failed {
            return Event::Garbage;
        }
        self.sequence = wire.sequence().saturating_add(1);
        match kind {
            Kind::Response => {
                let response: Response<'_> = fields(wire.response).unwrap_or_default();
                if self.id.is_empty() {
                    (self.id, self.progress.model) = (text(response.id), text(response.model).into());
                }
                Event::Preamble
            }
            Kind::Failed => Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None))),
            Kind::Ended => {
                let response: Response<'_> = fields(wire.response).unwrap_or_default();
                let progress = &mut self.progress;
                let facts = facts(&list(response.output));
                progress.content |= facts.content;
                progress.refused |= facts.refused;
                progress.finish = Some(response.finish(self.calls || facts.calls));
                progress.usage = response.usage();
                if progress.model.is_empty() {
                    progress.model = text(response.model).into();
                }
                (progress.finished, progress.done) = (true, true);
                Event::Done
            }
            Kind::ItemAdded | Kind::ItemDone => {
                let item: Item<'_> = fields(wire.item).unwrap_or_default();
                self.calls |= is_call(&item);
                let frame = kind == Kind::ItemAdded && matches!(item.kind.get(), "message" | "reasoning");
                self.content(!frame && says_something(&item))
            }
            Kind::TextDelta | Kind::SummaryDelta | Kind::ReasoningDelta | Kind::ArgumentsDelta | Kind::InputDelta => {
                self.template.learn(data, wire.moving());
                self.content(says(wire.delta))
            }
            Kind::TextDone | Kind::SummaryDone | Kind::ReasoningDone => self.content(says(wire.text)),
            Kind::RefusalDelta => self.refusal(says(wire.delta)),
            Kind::RefusalDone => self.refusal(says(wire.refusal)),
            Kind::ArgumentsDone => self.content(says(wire.arguments)),
            Kind::InputDone => self.content(says(wire.input)),
            Kind::Annotation => self.content(wire.annotation.is_some()),
            Kind::PartDone => {
                let part: Part<'_> = fields(wire.part).unwrap_or_default();
                self.content(says(part.text) || says(part.refusal))
            }
            Kind::Other => Event::Preamble,
        }
    }

    fn refusal(&mut self, said: bool) -> Event {
        self.progress.refused |= said;
        self.content(said)
    }

    fn content(&mut self, said: bool) -> Event {
        self.progress.content |= said;
        if said { Event::Content } else { Event::Preamble }
    }
}

fn says(raw: Raw<'_>) -> bool {
    raw.is_some_and(|raw| Shape::of(raw).is_something())
}

#[cfg(test)]
mod tests;
