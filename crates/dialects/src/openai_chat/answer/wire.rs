//! The objects of an answer as they are written, read thinly.
//!
//! Whatever has another shape than expected is passed over: it says nothing. Must never be here: what it all amounts to.

use super::super::raw::{list, object};
use super::super::thoughts::{Thoughts, again};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event of a stream, or a whole answer.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) search_results: Option<&'a RawValue>,
    /// Hides how long the text is.
    #[serde(borrow, default)]
    pub(super) obfuscation: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(borrow, default)]
    pub(super) index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) delta: Option<&'a RawValue>,
    /// Of a whole answer. In a stream it repeats all that came, where it stands beside a delta.
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<&'a RawValue>,
    /// vLLM's name for the stop sequence that was met; it may be a number, of a token.
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<&'a RawValue>,
    /// SGLang's.
    #[serde(borrow, default)]
    pub(super) matched_stop: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking_blocks: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) images: Option<&'a RawValue>,
}

impl<'a> Said<'a> {
    /// The literal of the one piece that it adds to a thought or to a call's arguments, if it adds but that.
    pub(super) fn piece(&self) -> Option<&'a str> {
        let words = self.reasoning_content.or(self.reasoning);
        let piece = match (&list(self.tool_calls)[..], words) {
            ([], words) => words,
            ([call], None) => object::<Function<'a>>(object::<Call<'a>>(Some(call))?.function)?.arguments,
            _ => None,
        };
        piece.map(RawValue::get)
    }

    /// The literal that says such a piece of a thought once more.
    pub(super) fn again(&self) -> Option<&'a str> {
        again(self.reasoning_details.or(self.thinking_blocks))
    }

    pub(super) fn thoughts(&self) -> Thoughts<'a> {
        let Self { reasoning_content, reasoning, reasoning_details, thinking_blocks, .. } = *self;
        Thoughts { reasoning_content, reasoning, reasoning_details, thinking_blocks }
    }
}

#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct Call<'a> {
    #[serde(borrow, default)]
    pub(super) index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) function: Option<&'a RawValue>,
    /// Of a tool that takes text.
    #[serde(borrow, default)]
    pub(super) custom: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
}
