//! What has been seen of an answer, whole or streamed: whether it says something, how it ended, what it took.
//!
//! Texts are judged, never decoded. Must never be here: what an answer says.

use super::event::Answer;
use super::stop;
use super::usage::usage;
use llm::{FinishReason, Progress};

/// The state of an answer. Cohere never names the model that serves.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) progress: Progress,
    /// It wants tools called.
    calls: bool,
}

impl Seen {
    /// Takes in what is said; whether it is content.
    pub(super) fn said(&mut self, answer: &Answer<'_>) -> bool {
        let message = answer.message();
        let content = message.is_content();
        self.calls |= message.calls().iter().any(|call| !call.name().is_empty());
        self.progress.content |= content;
        content
    }

    /// Takes in the end.
    pub(super) fn end(&mut self, answer: &Answer<'_>) {
        self.progress.usage = usage(answer.usage).or(self.progress.usage);
        if let Some(word) = answer.reason() {
            self.progress.finished = true;
            self.progress.finish = Some(stop::finish(&word, self.calls));
        }
        self.progress.done = true;
    }

    /// Whether enough has come to believe that an answer is being given.
    pub(super) fn has_begun(&self) -> bool {
        // A token limit may leave no room for an answer.
        self.progress.content || self.progress.finish == Some(FinishReason::Length)
    }
}
