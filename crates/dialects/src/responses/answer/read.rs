//! A provider's answer, read into deltas event by event.
//!
//! Receives the data of one event, or a whole body; hands on deltas. Items are told apart by their places: some servers
//! give one item another id in every event. What an event says in full (`.done`) is handed on as far as it was not said
//! before, so that servers which send arguments only at the end are read like all others; where it contradicts what was
//! said, that stands. Holds, beyond half a character, numbers for each part of the items under way: at most 128 of 128.

use super::super::name::flat;
use super::super::seal::{Place, opened};
use super::super::whole::is_call;
use super::super::wire::{Event, Item, Kind, Part, Raw, Response, fields, list, object, text};
use super::{ANNOTATION, MAX_BYTES, MAX_PARTS};
use crate::Unread;
use crate::template::Template;
use crate::text::Joined;
use llm::{Delta, Seal};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads the events of one answer.
#[derive(Debug, Default)]
pub struct Reader {
    began: bool,
    ended: bool,
    /// An item has come.
    any: bool,
    items: BTreeMap<u32, Under>,
    calls: u32,
    /// Words of a thought came last.
    thinking: bool,
    /// What has to come back with the call that follows.
    seal: Option<Seal>,
    /// Bytes handed on.
    said: usize,
    /// The last piece, and where it stood: its item's place, and its own.
    template: (Template, u32, (Lane, u32)),
}

/// An item under way.
#[derive(Debug, Default)]
struct Under {
    /// Which call it is, once that is told.
    call: Option<u32>,
    parts: Vec<Told>,
}

/// How much of a part has been handed on.
#[derive(Debug)]
struct Told {
    lane: Lane,
    index: u32,
    bytes: usize,
    /// By what these bytes are known again.
    print: u64,
    annotations: usize,
    /// Half a character whose other half has not come.
    half: Joined,
}

/// What a part is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Lane {
    #[default]
    Text,
    Refusal,
    Summary,
    Reasoning,
    Arguments,
}

/// The print of nothing.
const PRINT: u64 = 0xcbf2_9ce4_8422_2325;

/// The print of what has `before` as that of its beginning, and ends in `text` (FNV-1a).
fn print(before: u64, text: &str) -> u64 {
    text.bytes().fold(before, |print, byte| (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Reads a whole answer.
///
/// # Errors
/// What is too large, or no JSON object.
pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
    let response: Response<'_> = object(body).ok_or(Unread::NotAnAnswer)?;
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    reader.begin(Some(&response), &mut out);
    reader.end(&response, &mut out)?;
    Ok(out)
}

impl Reader {
    /// Takes in the data of one event. `[DONE]`, errors and events unknown here say nothing.
    ///
    /// # Errors
    /// What is too large, or no JSON object; what came before stands.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if self.ended || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        if let Some([text, ..]) = self.template.0.values(data) {
            return self.more_of_it(text, out);
        }
        let event: Event<'_> = object(data).ok_or(Unread::NotAnAnswer)?;
        let kind = event.kind();
        let (place, part) = (event.output_index.0, event.content_index.0);
        match kind {
            Kind::Response | Kind::Ended => self.begin(fields(event.response).as_ref(), out),
            Kind::Other | Kind::Failed | Kind::PartDone => return Ok(()),
            _ => self.begin(None, out),
        }
        match kind {
            Kind::Response | Kind::Other | Kind::Failed | Kind::PartDone => Ok(()),
            Kind::ItemAdded => self.added(place, event.item, out),
            Kind::ItemDone => self.done(place, event.item, out),
            Kind::TextDelta => self.like(data, &event, (Lane::Text, part), out),
            Kind::TextDone => self.rest(place, (Lane::Text, part), event.text, out),
            Kind::RefusalDelta => self.more(place, (Lane::Refusal, part), event.delta, out),
            Kind::RefusalDone => self.rest(place, (Lane::Refusal, part), event.refusal, out),
            Kind::SummaryDelta => self.like(data, &event, (Lane::Summary, event.summary_index.0), out),
            Kind::SummaryDone => self.rest(place, (Lane::Summary, event.summary_index.0), event.text, out),
            Kind::ReasoningDelta => self.like(data, &event, (Lane::Reasoning, part), out),
            Kind::ReasoningDone => self.rest(place, (Lane::Reasoning, part), event.text, out),
            Kind::ArgumentsDelta | Kind::InputDelta => self.like(data, &event, (Lane::Arguments, 0), out),
            Kind::ArgumentsDone => self.rest(place, (Lane::Arguments, 0), event.arguments, out),
            Kind::InputDone => self.rest(place, (Lane::Arguments, 0), event.input, out),
            Kind::Annotation => self.annotate(place, part, event.annotation, out),
            Kind::Ended => self.end(&fields(event.response).unwrap_or_default(), out),
        }
    }

    fn begin(&mut self, response: Option<&Response<'_>>, out: &mut Vec<Delta>) {
        if !self.began {
            self.began = true;
            let (id, model) = response.map(|one| (text(one.id), text(one.model))).unwrap_or_default();
            out.push(Delta::Began { id, model });
        }
    }

    /// The end of the answer: its items, of a server that told none before, then why it ended.
    fn end(&mut self, response: &Response<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if !self.any {
            for (place, item) in (0..).zip(list(response.output)) {
                self.done(place, Some(item), out)?;
            }
        }
        self.ended = true;
        out.push(Delta::Ended { choice: 0, finish: response.finish(self.calls > 0), stop: None });
        out.extend(response.usage().map(Delta::Used));
        Ok(())
    }

    fn added(&mut self, place: u32, raw: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let item: Item<'_> = fields(raw).unwrap_or_default();
        self.under(place)?;
        // A name that is not there yet comes with the item's end.
        if is_call(&item) && !text(item.name).is_empty() {
            self.call(place, &item, out)?;
        }
        Ok(())
    }

    fn done(&mut self, place: u32, raw: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let item: Item<'_> = fields(raw).unwrap_or_default();
        self.under(place)?;
        match item.kind.get() {
            "message" => self.message(place, &item, out)?,
            "reasoning" => self.reasoning(place, &item, out)?,
            "" => {}
            _ if is_call(&item) => self.call(place, &item, out)?,
            kind => self.other(kind, raw, out)?,
        }
        self.items.remove(&place);
        Ok(())
    }

    fn message(&mut self, place: u32, item: &Item<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        for (index, raw) in (0..).zip(list(item.content)) {
            let part: Part<'_> = fields(Some(raw)).unwrap_or_default();
            match part.kind.get() {
                "output_text" | "text" => {
                    self.rest(place, (Lane::Text, index), part.text, out)?;
                    let told = self.told(place, Lane::Text, index)?.annotations;
                    for annotation in list(part.annotations).into_iter().skip(told) {
                        self.annotate(place, index, Some(annotation), out)?;
                    }
                    if !list(part.logprobs).is_empty() {
                        self.other("logprobs", part.logprobs, out)?;
                    }
                }
                "refusal" => self.rest(place, (Lane::Refusal, index), part.refusal, out)?,
                "" => {}
                kind => self.other(kind, Some(raw), out)?,
            }
        }
        // Whether it is a comment on the way or the answer: no other dialect tells them apart.
        match item.phase.filter(|phase| phase.get() != "null") {
            Some(_) => self.other("phase", item.phase, out),
            None => Ok(()),
        }
    }

    /// The words of a thought are its summary, or itself where there is none; where both are sent, what came first.
    fn reasoning(&mut self, place: u32, item: &Item<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let summary = list(item.summary);
        let itself = self.under(place)?.parts.iter().any(|told| told.lane == Lane::Reasoning);
        let (lane, parts) =
            if itself || summary.is_empty() { (Lane::Reasoning, list(item.content)) } else { (Lane::Summary, summary) };
        for (index, raw) in (0..).zip(parts) {
            let part: Part<'_> = fields(Some(raw)).unwrap_or_default();
            self.rest(place, (lane, index), part.text, out)?;
        }
        let content = text(item.encrypted_content);
        if !content.is_empty() {
            self.count(content.len())?;
            self.sealed(opened(&text(item.id), &content), out);
        }
        Ok(())
    }

    fn sealed(&mut self, (place, seal): (Place, Seal), out: &mut Vec<Delta>) {
        self.thinking = false;
        match place {
            Place::Thought => out.push(Delta::ThoughtSealed { choice: 0, seal }),
            Place::Text => out.push(Delta::TextSealed { choice: 0, seal }),
            Place::Call => self.seal = Some(seal),
        }
    }

    /// A call, told once, and as much of its arguments as the item holds.
    fn call(&mut self, place: u32, item: &Item<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let free = item.kind.get() == "custom_tool_call";
        if self.under(place)?.call.is_none() {
            let number = self.calls;
            if number as usize >= MAX_PARTS {
                return Err(Unread::TooLarge);
            }
            self.calls += 1;
            self.thinking = false;
            self.under(place)?.call = Some(number);
            let id = Some(text(item.call_id)).filter(|id| !id.is_empty()).unwrap_or_else(|| text(item.id));
            let name = flat(&text(item.namespace), &text(item.name)).into_owned();
            self.count(id.len() + name.len())?;
            out.push(Delta::Call { choice: 0, call: number, id, name, free, seal: self.seal.take() });
        }
        self.rest(place, (Lane::Arguments, 0), if free { item.input } else { item.arguments }, out)
    }

    fn other(&mut self, name: &str, raw: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let json = raw.map(RawValue::get).unwrap_or_default();
        self.count(json.len())?;
        out.push(Delta::Other { choice: 0, name: name.to_owned(), json: json.into() });
        Ok(())
    }

    fn annotate(&mut self, place: u32, index: u32, raw: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if raw.is_some() {
            self.told(place, Lane::Text, index)?.annotations += 1;
            self.other(ANNOTATION, raw, out)?;
        }
        Ok(())
    }

    /// More of a part.
    fn more(&mut self, place: u32, at: (Lane, u32), piece: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let Some(piece) = piece.filter(|_| self.may_say(place, at.0)) else { return Ok(()) };
        let told = self.told(place, at.0, at.1)?;
        told.half.push(piece.get());
        let words = told.half.take();
        self.say(place, at, words, out)
    }

    /// More of a part, in an event whose likes may follow.
    fn like(&mut self, data: &[u8], event: &Event<'_>, at: (Lane, u32), out: &mut Vec<Delta>) -> Result<(), Unread> {
        let place = event.output_index.0;
        self.template.0.learn(data, event.moving());
        (self.template.1, self.template.2) = (place, at);
        self.more(place, at, event.delta, out)
    }

    /// More of the part that came last, in an event that differs in nothing else.
    fn more_of_it(&mut self, text: &str, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let (place, at) = (self.template.1, self.template.2);
        if !self.may_say(place, at.0) {
            return Ok(());
        }
        let told = self.told(place, at.0, at.1)?;
        told.half.add(text.as_bytes());
        let words = told.half.take();
        self.say(place, at, words, out)
    }

    /// All of a part: what of it has not been said.
    fn rest(&mut self, place: u32, at: (Lane, u32), all: Raw<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let Some(all) = all.filter(|_| self.may_say(place, at.0)) else { return Ok(()) };
        let told = self.told(place, at.0, at.1)?;
        let (said, known, mut joined) = (told.bytes, told.print, Joined::default());
        // What was said is over, half a character at its end included.
        told.half = Joined::default();
        joined.push(all.get());
        let all = joined.into_string();
        let goes_on = |(before, _): &(&str, &str)| print(PRINT, before) == known;
        let words = all.split_at_checked(said).filter(|(_, rest)| !rest.is_empty()).filter(goes_on);
        self.say(place, at, words.map(|(_, rest)| rest.to_owned()).unwrap_or_default(), out)
    }

    fn say(&mut self, place: u32, at: (Lane, u32), text: String, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if text.is_empty() {
            return Ok(());
        }
        self.count(text.len())?;
        let told = self.told(place, at.0, at.1)?;
        let first = told.bytes == 0;
        told.bytes += text.len();
        told.print = print(told.print, &text);
        let was_thinking = std::mem::replace(&mut self.thinking, matches!(at.0, Lane::Summary | Lane::Reasoning));
        match at.0 {
            Lane::Text => out.push(Delta::Text { choice: 0, text }),
            Lane::Refusal => out.push(Delta::Refusal { choice: 0, text }),
            Lane::Summary | Lane::Reasoning => {
                // Its parts are paragraphs, and so are thoughts that nothing else was said between.
                if first && was_thinking && !text.starts_with("\n\n") {
                    out.push(Delta::Thought { choice: 0, text: "\n\n".to_owned() });
                }
                out.push(Delta::Thought { choice: 0, text });
            }
            Lane::Arguments => {
                if let Some(call) = self.under(place)?.call {
                    out.push(Delta::Arguments { choice: 0, call, text });
                }
            }
        }
        Ok(())
    }

    /// Whether words of this lane are handed on: arguments of a call that is told, and one of the lanes of a thought.
    fn may_say(&self, place: u32, lane: Lane) -> bool {
        let item = self.items.get(&place);
        let has = |lane: Lane| item.is_some_and(|item| item.parts.iter().any(|told| told.lane == lane));
        match lane {
            Lane::Text | Lane::Refusal => true,
            Lane::Summary => !has(Lane::Reasoning),
            Lane::Reasoning => !has(Lane::Summary),
            Lane::Arguments => item.is_some_and(|item| item.call.is_some()),
        }
    }

    fn under(&mut self, place: u32) -> Result<&mut Under, Unread> {
        self.any = true;
        if self.items.len() >= MAX_PARTS && !self.items.contains_key(&place) {
            return Err(Unread::TooLarge);
        }
        Ok(self.items.entry(place).or_default())
    }

    fn told(&mut self, place: u32, lane: Lane, index: u32) -> Result<&mut Told, Unread> {
        let parts = &mut self.under(place)?.parts;
        let at = match parts.iter().position(|told| (told.lane, told.index) == (lane, index)) {
            Some(at) => at,
            None if parts.len() < MAX_PARTS => {
                parts.push(Told { lane, index, bytes: 0, print: PRINT, annotations: 0, half: Joined::default() });
                parts.len() - 1
            }
            None => return Err(Unread::TooLarge),
        };
        parts.get_mut(at).ok_or(Unread::TooLarge)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Unread> {
        self.said += bytes;
        if self.said > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}
