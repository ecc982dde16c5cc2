//! What the objects of an answer have said so far, and what each means to the engine.
//!
//! Receives one object after the other, of a stream or of a whole answer; keeps the progress. Must never be here: how
//! objects are cut out of bytes.

use super::chunk::{Chunk, MAX_CANDIDATES, Meter, Part};
use super::error::read_error;
use crate::template::Template;
use bytes::Bytes;
use llm::{Event, Failure, FinishReason, Progress};

/// What the objects have said.
#[derive(Debug, Default)]
pub(super) struct Seen {
    progress: Progress,
    begun: u128,
    ended: u128,
    /// Candidates that want tools called.
    called: u128,
    /// The last object that says nothing but words and what is used so far, which most only repeat with others.
    template: Template,
    meter: Meter,
}

impl Seen {
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether enough has come to believe that an answer is being given.
    pub(super) fn has_begun(&self) -> bool {
        self.progress.content || (self.progress.finished && may_be_empty(self.progress.finish))
    }

    /// Notes that the list of objects is over.
    pub(super) fn close(&mut self) -> Event {
        self.progress.done = true;
        Event::Done
    }

    /// Judges an answer of which nothing more comes.
    pub(super) fn judge(self) -> Result<Progress, Failure> {
        if self.begun == 0 {
            Err(Failure::NoChoices)
        } else if !self.progress.finished {
            Err(Failure::Truncated)
        } else if !self.has_begun() {
            Err(Failure::Empty)
        } else {
            Ok(Progress { done: true, ..self.progress })
        }
    }

    /// What one object means.
    pub(super) fn note(&mut self, data: &[u8]) -> Event {
        let error = || Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)));
        if let Some([_, count, _]) = self.template.values(data)
            && let Ok(usage) = self.meter.usage(count)
        {
            self.progress.usage = usage.or(self.progress.usage);
            return Event::Content;
        }
        let Ok(text) = std::str::from_utf8(data) else {
            return Event::Garbage;
        };
        let Some(chunk) = Chunk::read(text) else {
            return if is_error_list(text) { error() } else { Event::Garbage };
        };
        if chunk.is_error() {
            return error();
        }
        let Some(content) = self.candidates(&chunk) else {
            return Event::Garbage;
        };
        let [words, count, total] = chunk.moving();
        self.template.learn(data, [words.filter(|_| content), count, total]);
        self.meter = Meter::of(&chunk);
        let progress = &mut self.progress;
        let usage = chunk.usage();
        progress.usage = usage.or(progress.usage);
        if let Some(model) = chunk.model_version.filter(|_| progress.model.is_empty()) {
            progress.model = model.0.into();
        }
        if content {
            Event::Content
        } else if progress.finished || (progress.content && usage.is_some()) {
            Event::Closing
        } else {
            Event::Preamble
        }
    }

    /// Notes what the candidates say; whether any of it is content, or nothing where they cannot be read.
    fn candidates(&mut self, chunk: &Chunk<'_>) -> Option<bool> {
        let mut content = false;
        for candidate in chunk.candidates() {
            let bit = 1u128 << candidate.index().min(MAX_CANDIDATES - 1);
            self.begun |= bit;
            for raw in candidate.parts() {
                let part = Part::read(raw)?;
                content |= part.is_content();
                if matches!(part, Part::Call { .. }) {
                    self.called |= bit;
                }
            }
            if let Some(reason) = candidate.reason() {
                self.ended |= bit;
                self.progress.finish = Some(reason.of(self.called & bit != 0));
            }
        }
        if chunk.is_blocked() {
            (self.begun, self.ended) = (self.begun | 1, self.ended | 1);
            self.progress.finish = Some(FinishReason::ContentFilter);
        }
        self.progress.content |= content;
        self.progress.finished = self.begun != 0 && self.begun == self.ended;
        Some(content)
    }
}

/// Whether nothing is a legitimate answer: the token limit or the content policy left no room for one.
fn may_be_empty(finish: Option<FinishReason>) -> bool {
    matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter))
}

/// Whether `text` is a list that begins with an error, as Google wraps some.
fn is_error_list(text: &str) -> bool {
    let list: Option<Vec<Chunk<'_>>> =
        text.trim_ascii_start().starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
    list.is_some_and(|list| list.first().is_some_and(Chunk::is_error))
}
