//! Events of an answer to deltas.
//!
//! Receives one event's data at a time, or a whole body; hands on what they say, in order, each word once. Holds no text
//! but halves of characters and the beginning of a call: under 16 KB.

use super::super::assemble::finish;
use super::super::chunk::is_failure;
use super::super::raw::{list, object, text, value};
use super::super::seal::of_extra;
use super::super::shape::Shape;
use super::super::thoughts::{Step, block};
use super::super::usage::{Meter, usage};
use super::calls::Calls;
use super::wire::{Choice, Event, Part, Said};
use super::{ABOVE, BESIDE, LOGPROBS, MOST};
use crate::Unread;
use crate::template::{Mould, Template};
use crate::text::{Half, continued};
use llm::Delta;
use serde_json::value::RawValue;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most text of an answer that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;

/// Reads an answer, event by event.
#[derive(Debug, Default)]
pub struct Reader {
    began: bool,
    choices: Vec<Told>,
    calls: Calls,
    /// Fingerprints of what stands above the choices, which Perplexity repeats in every event.
    above: [u64; ABOVE.len()],
    /// The last event that said nothing but a piece of text, and where its alternative is kept.
    template: (Template, usize),
    /// What its likes tell of tokens.
    meter: Meter,
    /// The last event, where it said nothing but a piece of a thought or of a call's arguments.
    mould: Mould,
    /// Bytes handed on.
    read: usize,
}

/// What is known of an alternative.
#[derive(Debug, Default)]
struct Told {
    choice: u32,
    text: Half,
    thought: Half,
    refusal: Half,
    ended: bool,
}

impl Reader {
    /// Takes in the data of one event; `[DONE]` says nothing.
    ///
    /// # Errors
    /// What is no part of an answer, a provider's error included, and what is larger than is read.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            return Ok(());
        }
        let before = out.len();
        if let Some((piece, _)) = self.mould.cast(data) {
            out.push(piece);
            return self.count(out.get(before..).unwrap_or_default());
        }
        if self.says_the_like(data, out) {
            return self.count(out.get(before..).unwrap_or_default());
        }
        // A derived struct would take a list for its fields in order.
        if !data.starts_with(b"{") {
            return Err(Unread::NotAnAnswer);
        }
        let json = std::str::from_utf8(data).map_err(|_| Unread::NotAnAnswer)?;
        let event: Event<'_> = serde_json::from_str(json).map_err(|_| Unread::NotAnAnswer)?;
        if event.error.is_some_and(|error| !matches!(error.get(), "\"\"" | "{}" | "false")) {
            return Err(Unread::NotAnAnswer);
        }
        let choices = list(event.choices);
        let used = event.usage.and_then(usage);
        // Azure opens with an event that has neither choices nor an id.
        if !self.began && (!choices.is_empty() || used.is_some()) {
            self.began = true;
            out.push(Delta::Began { id: text(event.id), model: text(event.model) });
        }
        let (mut said, mut piece, mut again) = (None, None, None);
        for choice in choices.into_iter().filter_map(|raw| object::<Choice<'_>>(Some(raw))) {
            let (at, told) = self.choice(&choice, out)?;
            said = told.as_ref().and_then(|told| Some((at, told.content?.get())));
            piece = told.as_ref().and_then(Said::piece);
            again = told.as_ref().filter(|_| piece.is_some()).and_then(Said::again);
        }
        self.above([event.citations, event.search_results], out);
        out.extend(used.map(Delta::Used));
        let words = said.filter(|(_, words)| is_all(out.get(before..).unwrap_or_default(), words));
        self.template.1 = words.map_or(0, |(at, _)| at);
        let hidden = event.obfuscation.map(RawValue::get);
        let [second, third] = if used.is_some() { Meter::moving(event.usage) } else { [hidden, None] };
        self.template.0.learn(data, [words.map(|(_, words)| words), second, third]);
        self.meter = Meter::of(used);
        let piece = piece.filter(|_| words.is_none());
        self.mould.learn_doubled(data, [piece, hidden, None], again, out.get(before..).unwrap_or_default());
        self.count(out.get(before..).unwrap_or_default())
    }

    fn count(&mut self, said: &[Delta]) -> Result<(), Unread> {
        self.read += said.iter().map(length).sum::<usize>();
        if self.read > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }

    /// Takes in an event that repeats the last one with another piece of text; whether it does.
    fn says_the_like(&mut self, data: &[u8], out: &mut Vec<Delta>) -> bool {
        let (template, at) = &self.template;
        let told = self.choices.get(*at).filter(|told| told.text.is_none());
        let (Some(told), Some([text, counts @ ..])) = (told, template.values(data)) else { return false };
        let Ok(used) = self.meter.usage(counts) else { return false };
        let text = Delta::Text { choice: told.choice, text: text.to_owned() };
        self.calls.settle(out);
        out.push(text);
        out.extend(used.map(Delta::Used));
        true
    }

    /// Reads the body of a whole answer.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let (mut reader, mut out) = (Self::default(), Vec::new());
        reader.push(body, &mut out)?;
        reader.calls.settle(&mut out);
        Ok(out)
    }

    /// Takes in a piece of an alternative; hands back where that is kept, and what the piece says.
    fn choice<'a>(&mut self, wire: &Choice<'a>, out: &mut Vec<Delta>) -> Result<(usize, Option<Said<'a>>), Unread> {
        let choice = value(wire.index).unwrap_or(0);
        let at = self.told(choice)?;
        let said = object::<Said<'a>>(wire.delta.or(wire.message));
        if let Some(said) = &said {
            self.said(at, choice, said, out)?;
        }
        out.extend(beside(choice, LOGPROBS, wire.logprobs, |shape| shape == Shape::Object));
        match text(wire.finish_reason).as_str() {
            "" => {}
            word if is_failure(word) => return Err(Unread::NotAnAnswer),
            word => {
                let stop = value(wire.stop_reason).or_else(|| value(wire.matched_stop));
                self.end(at, Delta::Ended { choice, finish: finish(word), stop }, out);
            }
        }
        Ok((at, said))
    }

    /// Where the alternative is kept.
    fn told(&mut self, choice: u32) -> Result<usize, Unread> {
        if let Some(at) = self.choices.iter().position(|told| told.choice == choice) {
            return Ok(at);
        }
        if self.choices.len() >= MOST {
            return Err(Unread::TooLarge);
        }
        self.choices.push(Told { choice, ..Told::default() });
        Ok(self.choices.len() - 1)
    }

    fn said(&mut self, at: usize, choice: u32, said: &Said<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        for step in said.thoughts().steps() {
            self.step(at, choice, step, out);
        }
        self.content(at, choice, said.content, out);
        if let Some(raw) = said.refusal {
            self.refusal(at, choice, raw, out);
        }
        if let Some(seal) = of_extra(said.extra_content) {
            self.calls.settle(out);
            out.push(Delta::TextSealed { choice, seal });
        }
        for raw in list(said.tool_calls) {
            self.calls.call(choice, raw, out)?;
        }
        if let Some(raw) = said.function_call {
            self.calls.legacy(choice, raw, out)?;
        }
        for (name, raw) in BESIDE.into_iter().zip([said.annotations, said.audio, said.images]) {
            out.extend(beside(choice, name, raw, Shape::is_something));
        }
        Ok(())
    }

    /// Text, or a list of parts as Mistral sends it.
    fn content(&mut self, at: usize, choice: u32, content: Option<&RawValue>, out: &mut Vec<Delta>) {
        let Some(raw) = content else { return };
        if let Shape::Text { .. } = Shape::of(raw) {
            return self.text(at, choice, raw, out);
        }
        for raw in list(content) {
            let Some(part) = object::<Part<'_>>(Some(raw)) else { continue };
            let kind = text(part.kind);
            match (kind.as_str(), part.text, part.refusal) {
                ("text" | "output_text", Some(words), _) => self.text(at, choice, words, out),
                ("refusal", _, Some(words)) => self.refusal(at, choice, words, out),
                ("thinking" | "reasoning" | "redacted_thinking", ..) => {
                    block(raw).into_iter().for_each(|step| self.step(at, choice, step, out));
                }
                _ => out.push(Delta::Other { choice, name: kind, json: raw.get().into() }),
            }
        }
    }

    fn text(&mut self, at: usize, choice: u32, literal: &RawValue, out: &mut Vec<Delta>) {
        if let Some(text) = self.words(at, literal, |told| &mut told.text, out) {
            out.push(Delta::Text { choice, text });
        }
    }

    fn refusal(&mut self, at: usize, choice: u32, literal: &RawValue, out: &mut Vec<Delta>) {
        if let Some(text) = self.words(at, literal, |told| &mut told.refusal, out) {
            out.push(Delta::Refusal { choice, text });
        }
    }

    fn step(&mut self, at: usize, choice: u32, step: Step<'_>, out: &mut Vec<Delta>) {
        match step {
            Step::Words(literal) => {
                if let Some(text) = self.words(at, literal, |told| &mut told.thought, out) {
                    out.push(Delta::Thought { choice, text });
                }
            }
            Step::Sealed(seal) => {
                self.calls.settle(out);
                out.push(Delta::ThoughtSealed { choice, seal });
            }
        }
    }

    /// The words that `literal` adds, if any; a call that waits comes before them.
    fn words(
        &mut self,
        at: usize,
        literal: &RawValue,
        half: impl Fn(&mut Told) -> &mut Half,
        out: &mut Vec<Delta>,
    ) -> Option<String> {
        let told = self.choices.get_mut(at)?;
        let words = continued(half(told), literal.get()).filter(|words| !words.is_empty())?;
        self.calls.settle(out);
        Some(words)
    }

    /// An alternative is over. Half a character is replaced, as every reader would.
    fn end(&mut self, at: usize, ended: Delta, out: &mut Vec<Delta>) {
        self.calls.settle(out);
        let Some(told) = self.choices.get_mut(at).filter(|told| !told.ended) else { return };
        told.ended = true;
        let (choice, replaced) = (told.choice, || char::REPLACEMENT_CHARACTER.to_string());
        out.extend(told.thought.take().map(|_| Delta::Thought { choice, text: replaced() }));
        out.extend(told.text.take().map(|_| Delta::Text { choice, text: replaced() }));
        out.extend(told.refusal.take().map(|_| Delta::Refusal { choice, text: replaced() }));
        out.push(ended);
    }

    /// What stands above the choices, where it is not what stood there before.
    fn above(&mut self, told: [Option<&RawValue>; ABOVE.len()], out: &mut Vec<Delta>) {
        for ((name, raw), seen) in ABOVE.into_iter().zip(told).zip(&mut self.above) {
            let Some(raw) = raw else { continue };
            let mut hasher = DefaultHasher::new();
            raw.get().hash(&mut hasher);
            let fingerprint = hasher.finish();
            if *seen != fingerprint {
                *seen = fingerprint;
                out.extend(beside(0, name, Some(raw), Shape::is_something));
            }
        }
    }
}

/// Whether the text written as `literal` is all that is told, but for what is used so far.
fn is_all(told: &[Delta], literal: &str) -> bool {
    let plain = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let ([Delta::Text { text, .. }] | [Delta::Text { text, .. }, Delta::Used(_)]) = told else { return false };
    Some(text.as_str()) == plain
}

/// How much a step says, in bytes.
fn length(delta: &Delta) -> usize {
    match delta {
        Delta::Text { text, .. }
        | Delta::Thought { text, .. }
        | Delta::Refusal { text, .. }
        | Delta::Arguments { text, .. } => text.len(),
        Delta::Other { json, .. } => json.len(),
        _ => 0,
    }
}

/// What stands beside the words, where it is something.
fn beside(choice: u32, name: &str, raw: Option<&RawValue>, counts: impl Fn(Shape) -> bool) -> Option<Delta> {
    let raw = raw.filter(|raw| counts(Shape::of(raw)))?;
    Some(Delta::Other { choice, name: name.to_owned(), json: raw.get().into() })
}
