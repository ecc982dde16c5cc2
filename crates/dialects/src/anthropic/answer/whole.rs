//! Deltas to one body.
//!
//! Must never be here: the order of blocks.

use super::super::json::{as_input, as_object, nothing};
use super::blocks::{Blocks, Step};
use super::wire::{Block, Message};
use super::write::{end, named};
use crate::Head;
use bytes::Bytes;
use llm::Delta;
use serde_json::value::RawValue;

/// Writes a whole answer.
#[must_use]
pub fn write_answer(head: &Head, deltas: &[Delta]) -> Bytes {
    let (mut id, mut model) = (head.id.clone(), head.model.clone());
    let (mut blocks, mut content) = (Blocks::new(&head.id), Content::default());
    for delta in deltas {
        if let Delta::Began { id: theirs, model: called } = delta {
            (id, model) = (named(theirs, &head.id), named(called, &head.model));
        }
        blocks.push(delta, &mut |step| content.step(&step));
    }
    blocks.finish(&mut |step| content.step(&step));
    let message = Message::new(&id, &model, &content.done, end(&blocks), blocks.usage.unwrap_or_default());
    // Borrowed text cannot fail to serialise.
    serde_json::to_vec(&message).unwrap_or_default().into()
}

/// Blocks put together.
#[derive(Default)]
struct Content {
    done: Vec<Box<RawValue>>,
    open: Building,
}

/// A block under way.
#[derive(Default)]
enum Building {
    #[default]
    Nothing,
    Text {
        text: String,
        citations: Option<Vec<Box<RawValue>>>,
    },
    Thinking {
        text: String,
        signature: String,
    },
    Redacted(String),
    Call {
        id: String,
        name: String,
        input: String,
    },
}

impl Content {
    fn step(&mut self, step: &Step<'_>) {
        match (step, &mut self.open) {
            (Step::Text { cited }, open) => {
                *open = Building::Text { text: String::new(), citations: cited.then(Vec::new) };
            }
            (Step::Thinking, open) => *open = Building::Thinking { text: String::new(), signature: String::new() },
            (Step::Redacted(data), open) => *open = Building::Redacted(data.as_ref().to_owned()),
            (Step::Call { id, name }, open) => {
                *open = Building::Call { id: id.as_ref().to_owned(), name: (*name).to_owned(), input: String::new() };
            }
            (Step::Other(json), _) => self.done.extend(RawValue::from_string((*json).to_owned()).ok()),
            (Step::Words(more), Building::Text { text, .. })
            | (Step::Thoughts(more), Building::Thinking { text, .. }) => {
                text.push_str(more);
            }
            (Step::Input(more), Building::Call { input, .. }) => input.push_str(more),
            (Step::Signature(token), Building::Thinking { signature, .. }) => token.as_ref().clone_into(signature),
            (Step::Citation(json), Building::Text { citations, .. }) => {
                citations.get_or_insert_default().extend(RawValue::from_string((*json).to_owned()).ok());
            }
            (Step::Close, open) => self.done.extend(std::mem::take(open).finish()),
            // Steps come in order.
            (Step::Words(_) | Step::Thoughts(_) | Step::Input(_) | Step::Signature(_) | Step::Citation(_), _) => {}
        }
    }
}

impl Building {
    fn finish(self) -> Option<Box<RawValue>> {
        let wrapped;
        let block = match &self {
            Self::Nothing => return None,
            Self::Text { text, citations } => Block::Text { text, citations: citations.as_deref() },
            Self::Thinking { text, signature } => Block::Thinking { thinking: text, signature },
            Self::Redacted(data) => Block::RedactedThinking { data },
            Self::Call { id, name, input } => {
                wrapped = as_input(input);
                Block::ToolUse { id, name, input: as_object(&wrapped).unwrap_or(nothing()) }
            }
        };
        serde_json::value::to_raw_value(&block).ok()
    }
}
