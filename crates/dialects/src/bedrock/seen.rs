//! What has been seen of an answer, whole or streamed: whether it says something, how it ended, what it took.
//!
//! Receives the objects of an answer; hands on [`Progress`]. Texts are judged, never decoded. Must never be here: what an
//! answer says.

use super::event::{Block, End, Metadata, Step};
use super::stop;
use super::usage::usage;
use crate::anthropic::json::{list, object};
use crate::template::Template;
use llm::{Event, FinishReason, Progress};
use serde_json::value::RawValue;

/// The event that adds a piece to a block.
const PIECE: &str = "contentBlockDelta";

/// The state of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) progress: Progress,
    /// A block has come, or a part of one.
    spoken: bool,
    /// Tools are wanted called.
    calls: bool,
    /// The event that tells usage has come.
    told: bool,
    /// The last piece of a block that was content, which most only repeat with other words.
    template: Template,
}

impl Seen {
    /// Whether enough has come to believe that an answer is being given.
    pub(super) fn has_begun(&self) -> bool {
        self.progress.content || (self.progress.finished && may_be_empty(self.progress.finish))
    }

    /// What one event means.
    ///
    /// An answer is over with `messageStop` and `metadata`, whichever comes last: Amazon sends usage behind the reason,
    /// others that speak its dialect before it.
    pub(super) fn note(&mut self, kind: &str, payload: &RawValue) -> Event {
        match kind {
            "messageStart" if self.spoken => Event::Garbage,
            "contentBlockStart" | PIECE => self.step(kind, payload).unwrap_or(Event::Garbage),
            "messageStop" => {
                let end: Option<End<'_>> = object(Some(payload));
                let Some(word) = end.and_then(|end| end.reason()) else { return Event::Garbage };
                self.end(&word);
                self.settle(Event::Closing)
            }
            "metadata" => {
                self.told = true;
                self.count(Some(payload));
                self.settle(if self.progress.content { Event::Closing } else { Event::Preamble })
            }
            // The beginning of an answer, the end of a block, or what is invented tomorrow.
            _ => Event::Preamble,
        }
    }

    /// Takes in the body of a whole answer, with the list of its blocks.
    pub(super) fn whole(&mut self, body: &RawValue, content: &RawValue) {
        for raw in list(Some(content)) {
            self.block(raw);
        }
        self.count(Some(body));
        let end: End<'_> = object(Some(body)).unwrap_or_default();
        if let Some(word) = end.reason() {
            self.end(&word);
        }
    }

    /// Whether `payload` repeats the last piece of a block with other words: then it is valid, and content too.
    pub(super) fn is_alike(&self, kind: &str, payload: &str) -> bool {
        kind == PIECE && self.template.values(payload.as_bytes()).is_some()
    }

    fn step(&mut self, kind: &str, payload: &RawValue) -> Option<Event> {
        let step: Step<'_> = object(Some(payload))?;
        let content = self.block(step.block()?)?;
        if content && kind == PIECE {
            self.template.learn(payload.get().as_bytes(), step.moving());
        }
        Some(if content { Event::Content } else { Event::Preamble })
    }

    /// Takes in a block, its beginning, or what is added to it; whether it is content.
    fn block(&mut self, raw: &RawValue) -> Option<bool> {
        let block = Block::read(Some(raw))?;
        let content = block.is_content(raw);
        self.spoken = true;
        self.calls |= block.is_clients_call();
        self.progress.content |= content;
        Some(content)
    }

    fn end(&mut self, word: &str) {
        self.progress.finished = true;
        self.progress.finish = Some(stop::finish(word, self.calls));
        self.progress.refused |= word == "refusal";
    }

    fn count(&mut self, raw: Option<&RawValue>) {
        let told = object::<Metadata<'_>>(raw).unwrap_or_default().usage;
        self.progress.usage = usage(told).or(self.progress.usage);
    }

    fn settle(&mut self, event: Event) -> Event {
        if self.progress.finished && self.told {
            self.progress.done = true;
            return Event::Done;
        }
        event
    }
}

/// Whether nothing is a legitimate answer: the token limit or the content policy left no room for one.
pub(super) fn may_be_empty(finish: Option<FinishReason>) -> bool {
    matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter))
}
