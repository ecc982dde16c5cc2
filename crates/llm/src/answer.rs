//! A whole answer, read in full: what a contract judges.
//!
//! Handed on by a dialect's reader. Must never be here: how it was written on the wire.

use crate::FinishReason;

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The model that says it served; empty where none is named.
    pub model: String,
    /// The alternatives, in the order of their places.
    pub choices: Vec<Choice>,
}

/// One alternative.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Its place among the alternatives.
    pub index: u32,
    /// What it says to the user.
    pub text: String,
    /// Why it declines to answer, in the field the dialect has for it; empty where it does not.
    pub refusal: String,
    /// The tools it wants called, in order.
    pub calls: Vec<ToolCall>,
    /// Why it ended; `None` where it does not say.
    pub finish: Option<FinishReason>,
    /// What it thought before it answered, as far as that can be read; empty where nothing of it can.
    pub reasoning: String,
    /// Reasoning came with it that cannot be read: encrypted, a signature alone, or in a form unknown here.
    pub sealed: bool,
    /// Whether it holds something that is no text: audio, images, parts of a kind unknown here.
    pub media: bool,
}

/// A part of a choice that is plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// What it says to the user.
    Text,
    /// Why it declines to answer.
    Refusal,
    /// What it thought before it answered.
    Reasoning,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Refusal, Self::Reasoning];
}

impl Choice {
    /// Whether reasoning came with it, readable or not.
    #[must_use]
    pub fn reasoned(&self) -> bool {
        self.sealed || !self.reasoning.is_empty()
    }

    /// Its words of one lane.
    #[must_use]
    pub fn words(&self, lane: Lane) -> &str {
        match lane {
            Lane::Text => &self.text,
            Lane::Refusal => &self.refusal,
            Lane::Reasoning => &self.reasoning,
        }
    }

    /// Its words of one lane, to be changed.
    pub fn words_mut(&mut self, lane: Lane) -> &mut String {
        match lane {
            Lane::Text => &mut self.text,
            Lane::Refusal => &mut self.refusal,
            Lane::Reasoning => &mut self.reasoning,
        }
    }
}

/// One tool that a model wants called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// By what its result will be told; empty where it has none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, if all is well.
    pub arguments: String,
    /// The tool takes free text instead of JSON.
    pub free: bool,
}
