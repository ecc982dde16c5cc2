//! Turns of a conversation as items of the input.
//!
//! What one turn holds becomes as many items as it takes: words and pictures that stand together are one message,
//! thoughts, calls and results are items of their own. Must never be here: fields beside the input.

use super::super::answer::HOSTED;
use super::super::name::{Name, apart};
use super::super::seal::own;
use super::base64::encode;
use super::said::{Content, Item, Part as Said};
use super::write::{raw, unsayable};
use crate::Unsayable;
use llm::{Part, PartKind, Role, Source, Thought, Turn};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;

/// Items of an input, beside those of answers, that only this dialect knows.
const GIVEN: [&str; 3] = ["additional_tools", "compaction_trigger", "item_reference"];

/// Writes a conversation.
pub(super) fn write<'a>(turns: &'a [Turn], left_out: &mut Vec<String>) -> Result<Vec<Item<'a>>, Unsayable> {
    let mut writing = Writing { items: Vec::new(), message: Vec::new(), free: HashSet::new(), left_out };
    for turn in turns {
        writing.turn(turn)?;
    }
    Ok(writing.items)
}

struct Writing<'a, 'l> {
    items: Vec<Item<'a>>,
    /// Parts of the message under way.
    message: Vec<Said<'a>>,
    /// Calls of tools that take text.
    free: HashSet<&'a str>,
    left_out: &'l mut Vec<String>,
}

impl<'a> Writing<'a, '_> {
    fn turn(&mut self, turn: &'a Turn) -> Result<(), Unsayable> {
        if !turn.name.is_empty() {
            self.leave_out("name");
        }
        for part in &turn.parts {
            match &part.kind {
                PartKind::Thought(thought) => {
                    self.close(turn.role);
                    self.thought(thought);
                }
                PartKind::Call { id, name, arguments, free, seal } => {
                    self.close(turn.role);
                    // Nothing of this dialect's is signed but thoughts.
                    if seal.is_some() {
                        self.leave_out("signature");
                    }
                    self.call(id, name, arguments, *free);
                }
                PartKind::Result { call, parts, failed, .. } => {
                    self.close(turn.role);
                    self.result(call, parts, *failed)?;
                }
                PartKind::Other { name, json } => {
                    self.close(turn.role);
                    self.items.push(given(name, json)?);
                }
                // Words kept from the client, of which another provider wants its seal back.
                PartKind::Text { text, seal: Some(_) } if text.is_empty() => self.leave_out("reasoning"),
                kind => {
                    if matches!(kind, PartKind::Text { seal: Some(_), .. }) {
                        self.leave_out("signature");
                    }
                    let said = self.said(part, turn.role)?;
                    self.message.push(said);
                }
            }
        }
        self.close(turn.role);
        Ok(())
    }

    fn leave_out(&mut self, name: &str) {
        self.left_out.push(name.to_owned());
    }

    /// Ends the message under way.
    fn close(&mut self, role: Role) {
        let role = match role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        if !self.message.is_empty() {
            let content = content(std::mem::take(&mut self.message));
            self.items.push(Item::Message { role, content });
        }
    }

    /// Thoughts of others mean nothing here, and those without a seal cannot be given back.
    fn thought(&mut self, thought: &'a Thought) {
        let Some((id, encrypted_content)) = thought.seal.as_ref().and_then(own) else {
            return self.leave_out("reasoning");
        };
        let words = (!thought.text.is_empty()).then_some(Said::SummaryText { text: &thought.text });
        self.items.push(Item::Reasoning { id, summary: words.into_iter().collect(), encrypted_content });
    }

    fn call(&mut self, call_id: &'a str, flat: &'a str, said: &'a str, free: bool) {
        let Name { namespace, name } = apart(flat);
        if free {
            self.free.insert(call_id);
            self.items.push(Item::CustomToolCall { call_id, namespace, name, input: said });
        } else {
            let arguments = if said.is_empty() { "{}" } else { said };
            self.items.push(Item::FunctionCall { call_id, namespace, name, arguments });
        }
    }

    fn result(&mut self, call_id: &'a str, parts: &'a [Part], failed: bool) -> Result<(), Unsayable> {
        if failed {
            self.leave_out("is_error");
        }
        let said: Vec<Said<'a>> = parts.iter().map(|part| self.said(part, Role::User)).collect::<Result<_, _>>()?;
        let output = if said.is_empty() { Content::Text("") } else { content(said) };
        self.items.push(if self.free.contains(call_id) {
            Item::CustomToolCallOutput { call_id, output }
        } else {
            Item::FunctionCallOutput { call_id, output }
        });
        Ok(())
    }

    /// A part of a message, or of what a tool gave.
    fn said(&mut self, part: &'a Part, role: Role) -> Result<Said<'a>, Unsayable> {
        let cache = self.cache(part);
        match &part.kind {
            PartKind::Text { text, .. } if role == Role::Assistant => Ok(Said::OutputText { text, annotations: [] }),
            PartKind::Text { text, .. } => Ok(Said::InputText { text, prompt_cache_breakpoint: cache }),
            PartKind::Refusal(refusal) => Ok(Said::Refusal { refusal }),
            PartKind::Image { .. } | PartKind::Document { .. } if role == Role::Assistant => {
                unsayable("content", "holds a picture or document of the model's: this provider takes its words alone")
            }
            PartKind::Image { source, detail } => image(source, detail, cache),
            PartKind::Document { source, name } => Ok(document(source, name, cache)),
            PartKind::Audio { .. } => unsayable("input_audio", "is sound: this provider takes none"),
            PartKind::Other { name, .. } => unsayable(name, "is nothing that this provider can be told"),
            PartKind::Thought(_) | PartKind::Call { .. } | PartKind::Result { .. } => {
                unsayable("content", "holds a call within what a tool gave")
            }
        }
    }

    /// Where the provider is asked to cache up to, in this dialect's words; those of others are left out.
    fn cache(&mut self, part: &'a Part) -> Option<&'a RawValue> {
        #[derive(Deserialize)]
        struct Breakpoint {
            #[serde(rename = "mode")]
            _mode: String,
        }
        let json = part.cache.as_deref()?;
        if serde_json::from_str::<Breakpoint>(json).is_ok() {
            return raw(json);
        }
        self.leave_out("cache_control");
        None
    }
}

/// One text stands by itself.
fn content(mut parts: Vec<Said<'_>>) -> Content<'_> {
    match parts.pop() {
        Some(Said::InputText { text, prompt_cache_breakpoint: None } | Said::OutputText { text, .. })
            if parts.is_empty() =>
        {
            Content::Text(text)
        }
        last => {
            parts.extend(last);
            Content::Parts(parts)
        }
    }
}

fn given<'a>(name: &str, json: &'a str) -> Result<Item<'a>, Unsayable> {
    match raw(json) {
        Some(json) if HOSTED.contains(&name) || GIVEN.contains(&name) => Ok(Item::Given(json)),
        _ => unsayable(name, "is nothing that this provider can be told"),
    }
}

fn image<'a>(source: &'a Source, detail: &'a str, cache: Option<&'a RawValue>) -> Result<Said<'a>, Unsayable> {
    let (image_url, file_id) = match source {
        Source::Inline { media_type, data } => (Some(format!("data:{media_type};base64,{data}")), None),
        Source::Url(url) => (Some(url.clone()), None),
        Source::File(id) => (None, Some(id.as_str())),
        Source::Text(_) => return unsayable("image", "is text, and no picture"),
    };
    let detail = if detail.is_empty() { "auto" } else { detail };
    Ok(Said::InputImage { image_url, file_id, detail, prompt_cache_breakpoint: cache })
}

fn document<'a>(source: &'a Source, name: &'a str, cache: Option<&'a RawValue>) -> Said<'a> {
    let named = |fallback: &str| Some(if name.is_empty() { fallback.to_owned() } else { name.to_owned() });
    let (filename, file_data, file_url, file_id) = match source {
        Source::Inline { media_type, data } => {
            let fallback = if media_type == "application/pdf" { "document.pdf" } else { "document" };
            (named(fallback), Some(format!("data:{media_type};base64,{data}")), None, None)
        }
        Source::Text(text) => {
            (named("document.txt"), Some(format!("data:text/plain;base64,{}", encode(text.as_bytes()))), None, None)
        }
        Source::Url(url) => (None, None, Some(url.as_str()), None),
        Source::File(id) => (None, None, None, Some(id.as_str())),
    };
    Said::InputFile { filename, file_data, file_url, file_id, prompt_cache_breakpoint: cache }
}
