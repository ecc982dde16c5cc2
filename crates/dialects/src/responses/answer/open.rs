//! Items that are being written: opened, gone on with, closed, each with its events in the order of the dialect.
//!
//! Receives what is said of an item; hands on events, and the item when it is done.
//! Must never be here: which item comes when.

use super::super::name::apart;
use super::item::{About, All, Annotated, At, Content, Item, OfItem, OfPart, Piece};
use super::object::say;
use bytes::BytesMut;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Where events go, and their numbers.
pub(super) struct Events<'a> {
    pub(super) out: &'a mut BytesMut,
    pub(super) sequence: &'a mut u64,
    /// The answer is told as a whole alone: nothing is written.
    pub(super) quiet: bool,
}

impl Events<'_> {
    pub(super) fn say<T: Serialize>(&mut self, kind: &str, body: &T) {
        if !self.quiet {
            say(self.out, self.sequence, kind, body);
        }
    }

    pub(super) fn added(&mut self, output_index: u32, item: &Item<'_>) {
        if let Some(item) = raw(item) {
            self.say("response.output_item.added", &OfItem { output_index, item: &item });
        }
    }

    pub(super) fn done(&mut self, output_index: u32, item: &RawValue) {
        self.say("response.output_item.done", &OfItem { output_index, item });
    }
}

/// JSON of what cannot fail to serialise.
pub(super) fn raw<T: Serialize>(value: &T) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

/// The place of an item, and the id made for it.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) place: u32,
    pub(super) id: String,
}

impl Spot {
    fn about<T>(&self, content_index: Option<u32>, summary_index: Option<u32>, what: T) -> About<'_, T> {
        let at = At { item_id: &self.id, output_index: self.place };
        About { at, content_index, summary_index, what }
    }
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    spot: Spot,
    /// Its parts that are done.
    parts: Vec<Box<RawValue>>,
    part: Option<PartOf>,
}

#[derive(Debug)]
struct PartOf {
    refusal: bool,
    text: String,
    annotations: Vec<Box<RawValue>>,
}

impl PartOf {
    fn content(&self) -> Content<'_> {
        if self.refusal {
            Content::Refusal { refusal: &self.text }
        } else {
            Content::OutputText { text: &self.text, annotations: &self.annotations, logprobs: [] }
        }
    }
}

impl Message {
    pub(super) fn open(spot: Spot, to: &mut Events<'_>) -> Self {
        let item = Item::Message { id: &spot.id, status: "in_progress", role: "assistant", content: &[] };
        to.added(spot.place, &item);
        Self { spot, parts: Vec::new(), part: None }
    }

    /// The place of the part being written.
    fn index(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn push(&mut self, refusal: bool, text: &str, to: &mut Events<'_>) {
        if self.part.as_ref().is_some_and(|part| part.refusal != refusal) {
            self.close_part(to);
        }
        let index = Some(self.index());
        let part = self.part.get_or_insert_with(|| {
            let part = PartOf { refusal, text: String::new(), annotations: Vec::new() };
            to.say("response.content_part.added", &self.spot.about(index, None, OfPart { part: &part.content() }));
            part
        });
        part.text.push_str(text);
        let (kind, logprobs) =
            if refusal { ("response.refusal.delta", None) } else { ("response.output_text.delta", Some([])) };
        to.say(kind, &self.spot.about(index, None, Piece { delta: text, logprobs }));
    }

    /// Adds a citation to the text that is being written; hands it back where there is none.
    pub(super) fn annotate(&mut self, annotation: Box<RawValue>, to: &mut Events<'_>) -> Result<(), Box<RawValue>> {
        let index = Some(self.index());
        let Some(part) = self.part.as_mut().filter(|part| !part.refusal) else { return Err(annotation) };
        let what = Annotated { annotation_index: part.annotations.len(), annotation: &annotation };
        to.say("response.output_text.annotation.added", &self.spot.about(index, None, what));
        part.annotations.push(annotation);
        Ok(())
    }

    fn close_part(&mut self, to: &mut Events<'_>) {
        let index = Some(self.index());
        let Some(part) = self.part.take() else { return };
        let (kind, all) = if part.refusal {
            ("response.refusal.done", All::Refusal { refusal: &part.text })
        } else {
            ("response.output_text.done", All::Text { text: &part.text, logprobs: [] })
        };
        to.say(kind, &self.spot.about(index, None, all));
        to.say("response.content_part.done", &self.spot.about(index, None, OfPart { part: &part.content() }));
        self.parts.extend(raw(&part.content()));
    }

    pub(super) fn close(mut self, status: &'static str, to: &mut Events<'_>) -> (u32, Option<Box<RawValue>>) {
        self.close_part(to);
        let item = raw(&Item::Message { id: &self.spot.id, status, role: "assistant", content: &self.parts });
        finish(self.spot.place, item, to)
    }
}

/// A thought. Its words are a summary: that is what clients show, and what they give back.
#[derive(Debug)]
pub(super) struct Thought {
    spot: Spot,
    text: String,
}

impl Thought {
    pub(super) fn open(spot: Spot, to: &mut Events<'_>) -> Self {
        to.added(spot.place, &Item::Reasoning { id: &spot.id, summary: &[], encrypted_content: None });
        Self { spot, text: String::new() }
    }

    pub(super) fn push(&mut self, text: &str, to: &mut Events<'_>) {
        if self.text.is_empty() {
            let part = Content::SummaryText { text: "" };
            let about = self.spot.about(None, Some(0), OfPart { part: &part });
            to.say("response.reasoning_summary_part.added", &about);
        }
        self.text.push_str(text);
        let piece = Piece { delta: text, logprobs: None };
        to.say("response.reasoning_summary_text.delta", &self.spot.about(None, Some(0), piece));
    }

    pub(super) fn close(self, content: Option<&str>, to: &mut Events<'_>) -> (u32, Option<Box<RawValue>>) {
        let part = Content::SummaryText { text: &self.text };
        if !self.text.is_empty() {
            let all = All::Summary { text: &self.text };
            to.say("response.reasoning_summary_text.done", &self.spot.about(None, Some(0), all));
            let about = self.spot.about(None, Some(0), OfPart { part: &part });
            to.say("response.reasoning_summary_part.done", &about);
        }
        let parts = [part];
        let summary = if self.text.is_empty() { &[] } else { &parts[..] };
        let item = raw(&Item::Reasoning { id: &self.spot.id, summary, encrypted_content: content });
        finish(self.spot.place, item, to)
    }
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    spot: Spot,
    /// Which call of the answer it is.
    pub(super) number: u32,
    call_id: String,
    name: String,
    arguments: String,
    free: bool,
}

impl Call {
    pub(super) fn open(
        spot: Spot,
        (number, call_id, name, free): (u32, String, String, bool),
        to: &mut Events<'_>,
    ) -> Self {
        let call = Self { spot, number, call_id, name, arguments: String::new(), free };
        to.added(call.spot.place, &call.item("in_progress"));
        call
    }

    fn item(&self, status: &'static str) -> Item<'_> {
        let (id, call_id, said) = (&*self.spot.id, &*self.call_id, &*self.arguments);
        let super::super::name::Name { namespace, name } = apart(&self.name);
        if self.free {
            Item::CustomToolCall { id, status, call_id, namespace, name, input: said }
        } else {
            Item::FunctionCall { id, status, call_id, namespace, name, arguments: said }
        }
    }

    pub(super) fn push(&mut self, text: &str, to: &mut Events<'_>) {
        self.arguments.push_str(text);
        let kind = match self.free {
            true => "response.custom_tool_call_input.delta",
            false => "response.function_call_arguments.delta",
        };
        to.say(kind, &self.spot.about(None, None, Piece { delta: text, logprobs: None }));
    }

    /// Whether nothing can follow: its arguments are a whole object. Of text nobody knows.
    pub(super) fn is_whole(&self) -> bool {
        let object = !self.free && self.arguments.trim_ascii_start().starts_with('{');
        object && serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_ok()
    }

    pub(super) fn close(mut self, status: &'static str, to: &mut Events<'_>) -> (u32, Option<Box<RawValue>>) {
        if !self.free && self.arguments.is_empty() {
            self.push("{}", to);
        }
        let name = apart(&self.name).name;
        let (kind, all) = if self.free {
            ("response.custom_tool_call_input.done", All::Input { input: &self.arguments })
        } else {
            ("response.function_call_arguments.done", All::Arguments { name, arguments: &self.arguments })
        };
        to.say(kind, &self.spot.about(None, None, all));
        let item = raw(&self.item(status));
        finish(self.spot.place, item, to)
    }
}

fn finish(place: u32, item: Option<Box<RawValue>>, to: &mut Events<'_>) -> (u32, Option<Box<RawValue>>) {
    if let Some(item) = &item {
        to.done(place, item);
    }
    (place, item)
}
