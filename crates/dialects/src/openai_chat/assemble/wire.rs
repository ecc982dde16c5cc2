//! The objects of an answer as they are written, read thinly.
//!
//! Whatever has another shape than expected is passed over: it says nothing. Must never be here: what it all amounts to.

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) choices: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct WireChoice<'a> {
    #[serde(borrow, default)]
    pub(super) index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, default, deserialize_with = "written")]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking_blocks: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) audio: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) images: Option<&'a RawValue>,
}

impl Said<'_> {
    /// At least as many bytes as are kept of it.
    pub(super) fn bytes(&self) -> usize {
        let said = [self.content, self.refusal, self.tool_calls, self.function_call];
        let thought = [self.reasoning_content, self.reasoning, self.reasoning_details, self.thinking_blocks];
        said.into_iter().chain(thought).flatten().map(|raw| raw.get().len()).sum()
    }
}

#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    /// Text, or a list of parts, where it is one of reasoning.
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
    /// OpenRouter's, of reasoning that is told in short.
    #[serde(borrow, default)]
    pub(super) summary: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct WireCall<'a> {
    #[serde(default, deserialize_with = "place")]
    pub(super) index: Option<u64>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow, default)]
    pub(super) custom: Option<Function<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "written")]
    pub(super) arguments: Option<&'a RawValue>,
    /// Of a tool that takes text.
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
}

impl<'a> Function<'a> {
    /// The arguments, or else the input; null where nothing else stands there.
    pub(super) fn taken(&self) -> Option<&'a RawValue> {
        self.arguments.filter(|raw| raw.get() != "null").or(self.input).or(self.arguments)
    }
}

fn place<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|raw| value(Some(raw)))
}

/// Whatever stands there, null included.
fn written<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What `raw` holds, where it has that shape.
pub(super) fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

pub(super) fn string(raw: Option<&RawValue>) -> Option<String> {
    value(raw)
}
