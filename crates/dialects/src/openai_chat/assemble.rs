//! An answer in full, from one body or from the events of a stream.
//!
//! Receives JSON objects of an answer; hands on an [`Answer`]. However the answer was cut into events, it comes out the
//! same. Must never be here: whether the answer is any good.

mod reasoning;
#[cfg(test)]
mod tests;
mod wire;

use super::chunk;
use super::shape::Shape;
use crate::Unread;
use crate::sse::Framer;
use crate::text::Joined;
use llm::{Answer, Choice, FinishReason, Lane, ToolCall};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use wire::{Body, Function, Part, Said, WireCall, WireChoice, string, value};

/// The most text that is held, in bytes, all choices and arguments together.
const MAX_BYTES: usize = 32 << 20;
/// The most choices, and the most tool calls of one.
const MAX_PARTS: usize = 128;

/// Reads the body of a whole answer in full.
///
/// # Errors
/// What is too large, or no JSON object. Whether it is a good answer is not judged.
pub fn read_answer(body: &[u8]) -> Result<Answer, Unread> {
    let mut assembler = Assembler::default();
    assembler.push(body)?;
    Ok(assembler.finish())
}

/// A literal that a part of an answer is taken from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// The place of the choice that it belongs to.
    pub(super) choice: u32,
    /// What it goes on with.
    pub(super) slot: Slot,
    /// The field that it stands in.
    pub(super) field: Field,
    pub(super) literal: &'a RawValue,
}

/// A part of a choice that grows by literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Words(Lane),
    /// The arguments of the tool call at this position.
    Arguments(usize),
}

/// Where a part of a choice is told. Reasoning may be told in several fields at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    /// The one that the part has; of reasoning `reasoning_content`, or parts of the content.
    Own,
    /// `reasoning`.
    Plain,
    /// An entry of `reasoning_details`.
    Details,
    /// An entry of `thinking_blocks`.
    Blocks,
}

/// Is told of a literal, of what it goes on with, and of the field that it stands in.
type Told<'t, 'a> = &'t mut dyn FnMut(Slot, Field, &'a RawValue);

/// Hands on the data of each event in `raw`, which are whole, comments left out; whether there was any.
///
/// # Errors
/// The first that `hand` returns.
pub fn each_data<E>(raw: &[u8], mut hand: impl FnMut(&[u8]) -> Result<(), E>) -> Result<bool, E> {
    let (mut framer, mut any) = (Framer::default(), false);
    framer.push(raw);
    while let Ok(Some(block)) = framer.next_block() {
        if let Some(data) = framer.data(&block).filter(|data| !data.is_empty()) {
            any = true;
            hand(data)?;
        }
    }
    Ok(any)
}

/// Puts an answer together from the JSON objects of its events.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    model: String,
    choices: BTreeMap<u32, Building>,
    /// Bytes of text held.
    held: usize,
}

#[derive(Clone, Debug, Default)]
struct Building {
    words: [Words; Lane::ALL.len()],
    calls: Vec<Call>,
    finish: Option<FinishReason>,
    sealed: bool,
    media: bool,
}

/// The words of one lane.
#[derive(Clone, Debug, Default)]
struct Words {
    said: Joined,
    /// How much of it has been handed on by [`Assembler::fresh`].
    handed: usize,
}

#[derive(Clone, Debug, Default)]
struct Call {
    /// The place the provider gives it.
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Joined,
    free: bool,
}

impl Assembler {
    /// Takes in one JSON object: an event's data, or a whole answer. `[DONE]` says nothing.
    ///
    /// # Errors
    /// What is too large, or no JSON object; what came before stays.
    pub fn push(&mut self, data: &[u8]) -> Result<(), Unread> {
        self.push_telling(data, &mut |_| ())
    }

    /// As [`push`](Self::push), and tells `told` of each literal in `data` that words or arguments are taken from,
    /// those included that say nothing, and those that only repeat what another field says.
    pub(super) fn push_telling<'a>(&mut self, data: &'a [u8], told: &mut dyn FnMut(Piece<'a>)) -> Result<(), Unread> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        if !data.trim_ascii_start().starts_with(b"{") {
            return Err(Unread::NotAnAnswer);
        }
        let body: Body<'_> = serde_json::from_slice(data).map_err(|_| Unread::NotAnAnswer)?;
        if self.model.is_empty() {
            self.model = string(body.model).unwrap_or_default();
        }
        let choices: Vec<&RawValue> = value(body.choices).unwrap_or_default();
        choices
            .into_iter()
            .filter_map(|raw| value::<WireChoice<'_>>(Some(raw)))
            .try_for_each(|choice| self.choice(&choice, told))
    }

    /// Hands on the words that have come since it was last asked, with the place of their choice and their lane.
    pub fn fresh(&mut self, mut hand: impl FnMut(u32, Lane, &str)) {
        for (index, building) in &mut self.choices {
            for (lane, words) in Lane::ALL.into_iter().zip(&mut building.words) {
                let said = words.said.as_str();
                if let Some(fresh) = said.get(words.handed..).filter(|fresh| !fresh.is_empty()) {
                    hand(*index, lane, fresh);
                }
                words.handed = said.len();
            }
        }
    }

    /// Whether a tool call has begun.
    #[must_use]
    pub fn calls(&self) -> bool {
        self.choices.values().any(|building| !building.calls.is_empty())
    }

    /// The answer, as far as it has come.
    #[must_use]
    pub fn finish(self) -> Answer {
        let choices = self.choices.into_iter().map(|(index, building)| building.finish(index)).collect();
        Answer { model: self.model, choices }
    }

    fn choice<'a>(&mut self, wire: &WireChoice<'a>, told: &mut dyn FnMut(Piece<'a>)) -> Result<(), Unread> {
        let index = value(wire.index).unwrap_or(0);
        let known = self.choices.len();
        if known >= MAX_PARTS && !self.choices.contains_key(&index) {
            return Err(Unread::TooLarge);
        }
        let building = self.choices.entry(index).or_default();
        for said in [wire.delta, wire.message] {
            if let Some(said) = value::<Said<'_>>(said) {
                self.held += said.bytes();
                if self.held > MAX_BYTES {
                    return Err(Unread::TooLarge);
                }
                building
                    .take(&said, &mut |slot, field, literal| told(Piece { choice: index, slot, field, literal }))?;
            }
        }
        if let Some(word) = string(wire.finish_reason).filter(|word| !word.is_empty()) {
            building.finish = Some(finish(&word));
        }
        Ok(())
    }
}

/// Why a model stopped, in the words of OpenAI and of servers that have their own.
pub(super) fn finish(word: &str) -> FinishReason {
    match word {
        // Together's and TGI's; Mistral's for the end of the context window.
        "eos" | "eos_token" | "stop_sequence" | "end_turn" => FinishReason::Stop,
        "model_length" | "max_tokens" => FinishReason::Length,
        other => chunk::finish_reason(other),
    }
}

impl Building {
    fn words(&mut self, lane: Lane) -> &mut Joined {
        &mut self.words[lane as usize].said
    }

    fn take<'a>(&mut self, said: &Said<'a>, told: Told<'_, 'a>) -> Result<(), Unread> {
        let parts = self.content(said.content, told);
        self.reasoning(said, &parts, told);
        if let Some(raw) = said.refusal.filter(|raw| self.words(Lane::Refusal).push(raw.get())) {
            told(Slot::Words(Lane::Refusal), Field::Own, raw);
        }
        let there = |raw: Option<&RawValue>| raw.is_some_and(|raw| Shape::of(raw).is_something());
        self.media |= there(said.audio) || there(said.images);
        let calls: Vec<&RawValue> = value(said.tool_calls).unwrap_or_default();
        for raw in calls {
            if let Some(call) = value::<WireCall<'_>>(Some(raw)) {
                self.call(&call, told)?;
            }
        }
        if let Some(function) = value::<Function<'_>>(said.function_call) {
            self.call(&WireCall { index: Some(u64::MAX), function: Some(function), ..WireCall::default() }, told)?;
        }
        Ok(())
    }

    /// Text, or a list of parts as Mistral sends it. Hands back those of reasoning.
    fn content<'a>(&mut self, content: Option<&'a RawValue>, told: Told<'_, 'a>) -> Vec<Part<'a>> {
        let text = Slot::Words(Lane::Text);
        let Some(raw) = content else { return Vec::new() };
        if self.words(Lane::Text).push(raw.get()) || raw.get() == "null" {
            told(text, Field::Own, raw);
            return Vec::new();
        }
        let parts: Vec<Part<'_>> = value(Some(raw)).unwrap_or_default();
        let mut thoughts = Vec::new();
        for part in parts {
            match string(part.kind).as_deref() {
                Some("text" | "output_text") => {
                    if let Some(words) = part.text.filter(|words| self.words(Lane::Text).push(words.get())) {
                        told(text, Field::Own, words);
                    }
                }
                Some("thinking" | "reasoning") => thoughts.push(part),
                _ => self.media = true,
            }
        }
        thoughts
    }

    fn call<'a>(&mut self, wire: &WireCall<'a>, told: Told<'_, 'a>) -> Result<(), Unread> {
        let id = string(wire.id).unwrap_or_default();
        let function = wire.function.as_ref().or(wire.custom.as_ref());
        let name = function.and_then(|function| string(function.name)).unwrap_or_default();
        let place = match self.place(wire.index, &id, &name) {
            Some(place) => place,
            None if self.calls.len() < MAX_PARTS => {
                self.calls.push(Call { index: wire.index, free: wire.custom.is_some(), ..Call::default() });
                self.calls.len() - 1
            }
            None => return Err(Unread::TooLarge),
        };
        let Some(call) = self.calls.get_mut(place) else { return Ok(()) };
        if call.id.is_empty() {
            call.id = id;
        }
        // Some servers repeat the name in every event.
        if call.name != name {
            call.name.push_str(&name);
        }
        let arguments = function.and_then(Function::taken);
        if let Some(raw) = arguments {
            told(Slot::Arguments(place), Field::Own, raw);
        }
        if let Some(raw) = arguments.filter(|raw| raw.get() != "null")
            && !call.arguments.push(raw.get())
        {
            // Servers that send the arguments as an object instead of its text.
            call.arguments.push(&serde_json::Value::from(raw.get()).to_string());
        }
        Ok(())
    }

    /// Which call an event goes on with. A call that is given another id is another call, whatever its index:
    /// Gemini's compatible endpoint numbers all of them 0.
    fn place(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let place = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index)?,
            None if id.is_empty() && name.is_empty() => self.calls.len().checked_sub(1)?,
            None => return None,
        };
        let call = self.calls.get(place)?;
        let another = !id.is_empty() && !call.id.is_empty() && call.id != id && !name.is_empty();
        (!another).then_some(place)
    }

    fn finish(self, index: u32) -> Choice {
        let call = |call: Call| ToolCall {
            id: call.id,
            name: call.name,
            arguments: call.arguments.into_string(),
            free: call.free,
        };
        let [text, refusal, reasoning] = self.words.map(|words| words.said.into_string());
        let calls = self.calls.into_iter().map(call).collect();
        Choice { index, text, refusal, reasoning, calls, finish: self.finish, sealed: self.sealed, media: self.media }
    }
}
