//! The objects of an answer as this dialect sends them: one event's data, a message, a block.
//!
//! Borrowed throughout: a stream has an event for each few words. Must never be here: what follows from them.

use super::json::{object, says, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One event of a stream.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) index: Option<u32>,
    /// Of `message_start`.
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
    /// Of `content_block_start`.
    #[serde(borrow, default)]
    pub(super) content_block: Option<&'a RawValue>,
    /// Of `content_block_delta` and `message_delta`.
    #[serde(borrow, default)]
    pub(super) delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    /// Reads the data of one event; nothing where it is no object of this dialect.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        // A derived struct would take a list for its fields in order.
        let text = std::str::from_utf8(data).ok()?;
        text.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
    }

    /// Whether it says that the provider failed.
    pub(super) fn is_error(&self) -> bool {
        self.kind == "error" || (self.kind.is_empty() && says(self.error))
    }
}

/// A message: the body of a whole answer, or what opens a stream. One that opens a stream may hold blocks already, and
/// its end, where the provider only goes on with a turn.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    container: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Its end, which a message that opens a stream mostly has not.
    pub(super) fn end(&self) -> End<'a> {
        let Self { stop_reason, stop_sequence, stop_details, container, .. } = *self;
        End { stop_reason, stop_sequence, stop_details, container }
    }
}

/// Why an answer ended, and what is told with that.
#[derive(Debug, Default, Deserialize)]
pub(super) struct End<'a> {
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) container: Option<&'a RawValue>,
}

impl<'a> End<'a> {
    /// The reason in the provider's words; nothing where the answer goes on.
    pub(super) fn reason(&self) -> Option<Cow<'a, str>> {
        Some(text(self.stop_reason)).filter(|word| !word.is_empty())
    }

    /// Why the model declined, in words; empty where that is not said.
    pub(super) fn explanation(&self) -> Cow<'a, str> {
        #[derive(Default, Deserialize)]
        struct Details<'a> {
            #[serde(borrow, default)]
            explanation: Option<&'a RawValue>,
        }
        text(object::<Details<'a>>(self.stop_details).unwrap_or_default().explanation)
    }
}

/// A block of content, or the beginning of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) signature: Option<&'a RawValue>,
    /// Of a redacted thought.
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
}

impl Block<'_> {
    /// Whether it holds something the user asked for, before any delta of it has come.
    pub(super) fn is_content(&self) -> bool {
        match &*self.kind {
            "text" => says(self.text),
            "thinking" => says(self.thinking),
            _ => true,
        }
    }
}

/// What is added to a block.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Added<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
}

impl<'a> Added<'a> {
    /// The literal of a piece of text, of a thought or of a call's input.
    pub(super) fn piece(&self) -> Option<&'a str> {
        let raw = match &*self.kind {
            "text_delta" => self.text,
            "thinking_delta" => self.thinking,
            "input_json_delta" => self.partial_json,
            _ => None,
        };
        raw.map(RawValue::get)
    }

    /// Whether anything is added.
    pub(super) fn is_content(&self) -> bool {
        [self.text, self.thinking, self.signature, self.partial_json, self.citation, self.content].into_iter().any(says)
    }
}
