//! What has been seen of an answer, whole or streamed: whether it says something, how it ended, what it took.
//!
//! Texts are judged, never decoded. Must never be here: what an answer says.

use super::line::Line;
use super::stop;
use crate::thin::text;
use llm::{FinishReason, Progress};

/// The state of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) progress: Progress,
    /// It wants tools called.
    calls: bool,
}

impl Seen {
    /// Takes in a line; whether it holds content.
    pub(super) fn line(&mut self, line: &Line<'_>) -> bool {
        let message = line.message();
        let content = message.is_content();
        let progress = &mut self.progress;
        if progress.model.is_empty() {
            progress.model = text(line.model).into();
        }
        self.calls |= message.has_calls();
        progress.content |= content;
        progress.usage = line.usage().or(progress.usage);
        if let Some(word) = line.reason() {
            progress.finished = true;
            progress.finish = Some(stop::finish(&word, self.calls));
        }
        progress.done |= line.is_done();
        content
    }

    /// Whether enough has come to believe that an answer is being given.
    pub(super) fn has_begun(&self) -> bool {
        // A token limit may leave no room for an answer.
        self.progress.content || self.progress.finish == Some(FinishReason::Length)
    }
}
