//! The objects of an answer as Cohere sends them: one event's data, a whole answer, a message, a call.
//!
//! A stream has one object where a whole answer has a list of them; both are read alike. Borrowed throughout: a stream
//! has an event for each few words. Must never be here: what follows from them.

use super::stop;
use crate::thin::{Raw, is_object, items, object, read, says, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One event of a stream.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) id: Raw<'a>,
    /// The place of a block or call.
    #[serde(borrow, default)]
    pub(super) index: Raw<'a>,
    #[serde(borrow, default)]
    delta: Raw<'a>,
    /// Stands in errors alone.
    #[serde(borrow, default)]
    message: Raw<'a>,
}

impl<'a> Event<'a> {
    /// Reads the data of one event; nothing where it is no object.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        read(data)
    }

    /// What kind of event it is; empty where it says none.
    pub(super) fn kind(&self) -> Cow<'a, str> {
        text(self.kind)
    }

    /// What it adds to the answer, in the form of a whole one.
    pub(super) fn added(&self) -> Answer<'a> {
        object(self.delta)
    }

    /// The literal of the one piece that it adds to text, thoughts or arguments; nothing where it adds more than that, or
    /// another thing.
    pub(super) fn piece(&self) -> Option<&'a str> {
        let message = self.added().message();
        let raw = match (&*self.kind(), &message.blocks()[..], &message.calls()[..]) {
            ("content-delta", [Block { text, thinking: None }], []) => *text,
            ("content-delta", [Block { text: None, thinking }], []) => *thinking,
            ("tool-call-delta", [], [call]) => object::<Function<'a>>(call.function).arguments,
            _ => return None,
        };
        let alone = !says(message.tool_plan) && !says(message.citations);
        raw.filter(|_| alone).map(RawValue::get)
    }

    /// Whether it is an error body: those have a message and no type.
    pub(super) fn is_error(&self) -> bool {
        self.kind().is_empty() && !text(self.message).is_empty()
    }
}

/// A whole answer, or what one event adds to it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(super) id: Raw<'a>,
    #[serde(borrow, default)]
    message: Raw<'a>,
    #[serde(borrow, default)]
    finish_reason: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) usage: Raw<'a>,
    /// What went wrong, in words.
    #[serde(borrow, default)]
    pub(super) error: Raw<'a>,
}

impl<'a> Answer<'a> {
    /// Its message, perhaps an empty one.
    pub(super) fn message(&self) -> Message<'a> {
        object(self.message)
    }

    /// Whether it holds a message. Error bodies have a text of that name.
    pub(super) fn has_message(&self) -> bool {
        is_object(self.message)
    }

    /// The words of an error body; empty where it is none.
    pub(super) fn failure(&self) -> Cow<'a, str> {
        text(self.message)
    }

    /// Why it ended, in Cohere's words; nothing where it goes on.
    pub(super) fn reason(&self) -> Option<Cow<'a, str>> {
        Some(text(self.finish_reason)).filter(|word| !word.is_empty())
    }

    /// Whether the provider says that it failed.
    pub(super) fn has_failed(&self) -> bool {
        self.reason().is_some_and(|word| stop::status(&word).is_some())
    }
}

/// A message, or a piece of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    content: Raw<'a>,
    /// What the model thinks before it calls tools.
    #[serde(borrow, default)]
    pub(super) tool_plan: Raw<'a>,
    #[serde(borrow, default)]
    tool_calls: Raw<'a>,
    #[serde(borrow, default)]
    citations: Raw<'a>,
}

impl<'a> Message<'a> {
    /// Its blocks. A text alone stands for one.
    pub(super) fn blocks(&self) -> Vec<Block<'a>> {
        if !text(self.content).is_empty() {
            return vec![Block { text: self.content, ..Block::default() }];
        }
        items(self.content).into_iter().map(|raw| object(Some(raw))).collect()
    }

    /// Its calls.
    pub(super) fn calls(&self) -> Vec<Call<'a>> {
        items(self.tool_calls).into_iter().map(|raw| object(Some(raw))).collect()
    }

    /// Its citations, each as JSON.
    pub(super) fn citations(&self) -> Vec<&'a str> {
        items(self.citations).into_iter().map(RawValue::get).collect()
    }

    /// Whether a reader would see something in it.
    pub(super) fn is_content(&self) -> bool {
        says(self.tool_plan)
            || says(self.citations)
            || self.blocks().iter().any(|block| says(block.text) || says(block.thinking))
            || self.calls().iter().any(Call::says_something)
    }
}

/// A block of content, or a piece of one: what it holds says what it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow, default)]
    pub(super) text: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) thinking: Raw<'a>,
}

/// A call of a tool, or more of its arguments.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Call<'a> {
    #[serde(borrow, default)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    function: Raw<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Raw<'a>,
    #[serde(borrow, default)]
    arguments: Raw<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn id(&self) -> Cow<'a, str> {
        text(self.id)
    }

    pub(super) fn name(&self) -> Cow<'a, str> {
        text(object::<Function<'a>>(self.function).name)
    }

    pub(super) fn arguments(&self) -> Cow<'a, str> {
        text(object::<Function<'a>>(self.function).arguments)
    }

    fn says_something(&self) -> bool {
        let function: Function<'a> = object(self.function);
        says(function.name) || says(function.arguments)
    }
}
