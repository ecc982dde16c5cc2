//! What has been seen of an answer, whole or streamed: whether it says something, how it ended, what it took.
//!
//! Receives the objects of an answer; hands on [`Progress`]. Texts are judged, never decoded. Must never be here: what
//! an answer says.

use super::event::{Added, Block, End, Message};
use super::json::{list, object, text};
use super::stop;
use super::usage::Counted;
use llm::{FinishReason, Progress};
use serde_json::value::RawValue;

/// The state of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) progress: Progress,
    counted: Counted,
}

impl Seen {
    /// Takes in a message, which may hold blocks and an end; whether it holds content.
    pub(super) fn message(&mut self, message: &Message<'_>) -> bool {
        if self.progress.model.is_empty() {
            self.progress.model = text(message.model).into();
        }
        let blocks = list(message.content);
        let content =
            blocks.into_iter().filter_map(|raw| object::<Block<'_>>(Some(raw))).any(|block| block.is_content());
        self.progress.content |= content;
        self.end(&message.end(), message.usage);
        content
    }

    /// Takes in the beginning of a block; whether it holds content.
    pub(super) fn block(&mut self, raw: Option<&RawValue>) -> Option<bool> {
        let content = object::<Block<'_>>(raw)?.is_content();
        self.progress.content |= content;
        Some(content)
    }

    /// Takes in what is added to a block; whether it is content.
    pub(super) fn added(&mut self, added: &Added<'_>) -> bool {
        let content = added.is_content();
        self.progress.content |= content;
        content
    }

    /// Takes in an end, where the answer has one, and what it took.
    pub(super) fn end(&mut self, end: &End<'_>, usage: Option<&RawValue>) {
        self.counted.take(usage);
        self.progress.usage = self.counted.usage();
        if let Some(word) = end.reason() {
            self.progress.finished = true;
            self.progress.finish = Some(stop::finish(&word));
            self.progress.refused |= word == "refusal";
        }
    }

    /// Whether enough has come to believe that an answer is being given.
    pub(super) fn has_begun(&self) -> bool {
        self.progress.content || (self.progress.finished && may_be_empty(self.progress.finish))
    }
}

/// Whether nothing is a legitimate answer: the token limit or the content policy left no room for one.
pub(super) fn may_be_empty(finish: Option<FinishReason>) -> bool {
    matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter))
}
