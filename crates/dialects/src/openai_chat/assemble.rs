//! An answer in full, from one body or from the events of a stream.
//!
//! Receives JSON objects of an answer; hands on an [`Answer`]. However the answer was cut into events, it comes out the
//! same. Must never be here: whether the answer is any good.

use super::chunk;
use super::shape::Shape;
use super::text::Joined;
use crate::sse::Framer;
use llm::{Answer, Choice, FinishReason, ToolCall};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// The most text that is held, in bytes, all choices and arguments together.
const MAX_BYTES: usize = 32 << 20;
/// The most choices, and the most tool calls of one.
const MAX_PARTS: usize = 128;

/// Why an answer is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It holds more than is kept: 32 MiB, 128 choices, or 128 tool calls in one of them.
    TooLarge,
    /// It is no JSON object.
    NotAnAnswer,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the answer is larger than is read",
            Self::NotAnAnswer => "the answer is no JSON object",
        })
    }
}

impl std::error::Error for Unread {}

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
    /// The tool call of that choice whose arguments it goes on with, by its position; the choice's text where none.
    pub(super) call: Option<usize>,
    pub(super) literal: &'a RawValue,
}

/// Is told of a literal, and of the position of the tool call that it belongs to.
type Told<'t, 'a> = &'t mut dyn FnMut(Option<usize>, &'a RawValue);

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
    text: Joined,
    /// How much of `text` has been handed on by [`Assembler::fresh`].
    handed: usize,
    refusal: Joined,
    calls: Vec<Call>,
    finish: Option<FinishReason>,
    reasoned: bool,
    media: bool,
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

    /// As [`push`](Self::push), and tells `told` of each literal in `data` that text or arguments are taken from, in
    /// order, those included that say nothing.
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

    /// Hands on the text that has come since it was last asked, with the place of its choice.
    pub fn fresh(&mut self, mut hand: impl FnMut(u32, &str)) {
        for (index, building) in &mut self.choices {
            let text = building.text.as_str();
            if let Some(fresh) = text.get(building.handed..).filter(|fresh| !fresh.is_empty()) {
                hand(*index, fresh);
            }
            building.handed = text.len();
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
                building.take(&said, &mut |call, literal| told(Piece { choice: index, call, literal }))?;
            }
        }
        if let Some(word) = string(wire.finish_reason).filter(|word| !word.is_empty()) {
            building.finish = Some(finish(&word));
        }
        Ok(())
    }
}

/// Why a model stopped, in the words of OpenAI and of servers that have their own.
fn finish(word: &str) -> FinishReason {
    match word {
        // Together's and TGI's; Mistral's for the end of the context window.
        "eos" | "eos_token" | "stop_sequence" | "end_turn" => FinishReason::Stop,
        "model_length" | "max_tokens" => FinishReason::Length,
        other => chunk::finish_reason(other),
    }
}

impl Building {
    fn take<'a>(&mut self, said: &Said<'a>, told: Told<'_, 'a>) -> Result<(), Unread> {
        self.content(said.content, told);
        if let Some(refusal) = said.refusal {
            self.refusal.push(refusal.get());
        }
        let there = |raw: Option<&RawValue>| raw.is_some_and(|raw| Shape::of(raw).is_something());
        self.reasoned |= there(said.reasoning_content) || there(said.reasoning);
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

    /// Text, or a list of parts as Mistral sends it.
    fn content<'a>(&mut self, content: Option<&'a RawValue>, told: Told<'_, 'a>) {
        let Some(raw) = content else { return };
        if self.text.push(raw.get()) || raw.get() == "null" {
            return told(None, raw);
        }
        let parts: Vec<Part<'_>> = value(Some(raw)).unwrap_or_default();
        for part in parts {
            match string(part.kind).as_deref() {
                Some("text" | "output_text") => {
                    if let Some(text) = part.text.filter(|text| self.text.push(text.get())) {
                        told(None, text);
                    }
                }
                Some("thinking" | "reasoning") => self.reasoned = true,
                _ => self.media = true,
            }
        }
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
            told(Some(place), raw);
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
        Choice {
            index,
            text: self.text.into_string(),
            refusal: self.refusal.into_string(),
            calls: self.calls.into_iter().map(call).collect(),
            finish: self.finish,
            reasoned: self.reasoned,
            media: self.media,
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireChoice<'a> {
    #[serde(borrow, default)]
    index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default, deserialize_with = "written")]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
    #[serde(borrow, default)]
    images: Option<&'a RawValue>,
}

impl Said<'_> {
    /// At least as many bytes as are kept of it.
    fn bytes(&self) -> usize {
        let kept = [self.content, self.refusal, self.tool_calls, self.function_call];
        kept.into_iter().flatten().map(|raw| raw.get().len()).sum()
    }
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct WireCall<'a> {
    #[serde(default, deserialize_with = "place")]
    index: Option<u64>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
    #[serde(borrow, default)]
    custom: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "written")]
    arguments: Option<&'a RawValue>,
    /// Of a tool that takes text.
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

impl<'a> Function<'a> {
    /// The arguments, or else the input; null where nothing else stands there.
    fn taken(&self) -> Option<&'a RawValue> {
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
fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

fn string(raw: Option<&RawValue>) -> Option<String> {
    value(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(message: &str, finish: &str) -> Choice {
        let body = format!(r#"{{"model":"m","choices":[{{"index":0,"message":{message},"finish_reason":{finish}}}]}}"#);
        let answer = read_answer(body.as_bytes()).expect("read");
        assert_eq!(answer.model, "m");
        answer.choices.into_iter().next().expect("one")
    }

    fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), free: false }
    }

    #[test]
    fn a_whole_answer() {
        let choice =
            whole(r#"{"role":"assistant","content":"h\u00e9","refusal":null,"reasoning_content":"hm"}"#, r#""stop""#);
        let expected =
            Choice { text: "hé".into(), finish: Some(FinishReason::Stop), reasoned: true, ..Choice::default() };
        assert_eq!(choice, expected);
        let calls = r#"[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
            {"id":"2","type":"function","function":{"name":"g","arguments":{"b":2}}},
            {"id":"3","type":"custom","custom":{"name":"h","input":"text"}}]"#;
        let choice = whole(&format!(r#"{{"content":null,"tool_calls":{calls}}}"#), r#""tool_calls""#);
        let free = ToolCall { free: true, ..call("3", "h", "text") };
        assert_eq!(choice.calls, [call("1", "f", "{\"a\":1}"), call("2", "g", "{\"b\":2}"), free]);
        let old = whole(r#"{"function_call":{"name":"f","arguments":"{}"}}"#, r#""function_call""#);
        assert_eq!((old.calls, old.finish), (vec![call("", "f", "{}")], Some(FinishReason::ToolCalls)));
        let parts = r#"{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"},{"type":"image"}]}"#;
        let parts = whole(parts, r#""model_length""#);
        assert_eq!((parts.text.as_str(), parts.reasoned, parts.media), ("a", true, true));
        assert_eq!(parts.finish, Some(FinishReason::Length));
        assert_eq!(whole(r#"{"refusal":"no"}"#, "null").refusal, "no");
        assert_eq!(whole("7", "9"), Choice::default(), "odd shapes say nothing");
    }

    #[test]
    fn what_is_no_answer_or_too_much() {
        for body in ["", "[]", "7", "{\"choices\":[", "<html>"] {
            assert_eq!(read_answer(body.as_bytes()), Err(Unread::NotAnAnswer), "{body}");
        }
        assert_eq!(read_answer(b"{}"), Ok(Answer::default()));
        let list = |n: u32, item: &dyn Fn(u32) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
        for (n, sound) in [(128, true), (129, false)] {
            let choices = list(n, &|i| format!(r#"{{"index":{i},"delta":{{}}}}"#));
            assert_eq!(read_answer(format!(r#"{{"choices":[{choices}]}}"#).as_bytes()).is_ok(), sound, "{n} choices");
            let calls = list(n, &|i| format!(r#"{{"index":{i},"function":{{}}}}"#));
            let body = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
            assert_eq!(read_answer(body.as_bytes()).is_ok(), sound, "{n} calls");
        }
        let event = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "x".repeat(1 << 20));
        let mut assembler = Assembler::default();
        let taken = (0..64).take_while(|_| assembler.push(event.as_bytes()).is_ok()).count();
        assert_eq!(taken, 31, "32 MiB with the quotes");
    }

    #[test]
    fn calls_are_told_apart_however_they_are_numbered() {
        let part = |fields: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{{fields}}}]}}}}]}}"#);
        for (events, expected) in [
            (
                vec![
                    part(r#""index":0,"id":"a","function":{"name":"f","arguments":""}"#),
                    part(r#""index":0,"function":{"arguments":"{\"x"}"#),
                    part(r#""index":1,"id":"b","function":{"name":"g","arguments":"{"}"#),
                    part(r#""index":0,"function":{"arguments":"\":1}"}"#),
                    part(r#""index":1,"function":{"arguments":"}"}"#),
                ],
                vec![call("a", "f", "{\"x\":1}"), call("b", "g", "{}")],
            ),
            (
                vec![
                    part(r#""index":0,"id":"a","function":{"name":"f","arguments":"{}"}"#),
                    part(r#""index":0,"id":"b","function":{"name":"f","arguments":"{}"}"#),
                ],
                vec![call("a", "f", "{}"), call("b", "f", "{}")],
            ),
            (
                vec![
                    part(r#""index":0,"id":"a","function":{"name":"f","arguments":"{"}"#),
                    part(r#""index":0,"id":"a","function":{"name":"f","arguments":"}"}"#),
                ],
                vec![call("a", "f", "{}")],
            ),
            (
                vec![
                    part(r#""id":"a","function":{"name":"f","arguments":"{"}"#),
                    part(r#""function":{"arguments":"}"}"#),
                    part(r#""id":"b","function":{"name":"g","arguments":"{}"}"#),
                ],
                vec![call("a", "f", "{}"), call("b", "g", "{}")],
            ),
        ] {
            let mut assembler = Assembler::default();
            events.iter().for_each(|event| assembler.push(event.as_bytes()).expect("taken"));
            assert_eq!(assembler.finish().choices[0].calls, expected, "{events:?}");
        }
    }

    proptest! {
        /// However text is cut into events, and characters into halves, it comes out the same, and is handed on once.
        #[test]
        fn cuts_change_nothing(text in "(\\PC|\u{1f600}){0,12}", cuts in proptest::collection::vec(0usize..40, 0..6)) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(units.len())).collect();
            places.sort_unstable();
            places.push(units.len());
            let (mut assembler, mut from, mut handed) = (Assembler::default(), 0, String::new());
            for to in places {
                let escaped: String = units[from..to].iter().map(|unit| format!("\\u{unit:04x}")).collect();
                let event = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{escaped}"}}}}]}}"#);
                assembler.push(event.as_bytes()).expect("taken");
                assembler.fresh(|_, fresh| handed.push_str(fresh));
                from = to;
            }
            prop_assert_eq!(&assembler.finish().choices[0].text, &text);
            prop_assert_eq!(handed, text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_answer(&bytes);
        }
    }
}
