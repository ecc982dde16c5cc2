//! The items of a client's input, read into turns.
//!
//! What the model said stands in one turn until somebody else speaks: its thoughts, its words and its calls are items
//! apart here, and one message in other dialects. Results that follow each other are one turn likewise.
//! Must never be here: fields beside the input.

use super::super::name::flat;
use super::super::seal::{Place, opened};
use super::carry::REFERENCE;
use super::read::{Fields, no_such, other, text};
use crate::fields;
use crate::json::Json;
use crate::openai_chat::request::{missing, wrong_type};
use crate::place;
use llm::{CallError, Part, PartKind, Prompt, Role, Seal, Source, Thought, Turn};
use std::borrow::Cow;
use std::collections::HashMap;

/// Reads `input`.
pub(super) fn read(prompt: &mut Prompt, input: Json<'_>) -> Result<(), CallError> {
    let whole = place::Place::default().field("input");
    if input.is_text() {
        let said = PartKind::Text { text: text(input, whole)?, seal: None };
        prompt.turns.push(turn(Role::User, vec![bare(said)]));
        return Ok(());
    }
    let items = input.items();
    let mut items =
        items.ok_or_else(|| wrong_type("input", "a string or an array of objects", input.shape()))?.enumerate();
    let mut reading = Reading { prompt, calls: HashMap::new(), seal: None };
    items.try_for_each(|(at, item)| reading.item(whole.item(at), item))
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

fn bare(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

struct Reading<'p> {
    prompt: &'p mut Prompt,
    /// The names of the tools that were called, by the ids of the calls.
    calls: HashMap<String, String>,
    /// What has to come back with the next call.
    seal: Option<Seal>,
}

impl Reading<'_> {
    fn item<'a>(&mut self, at: place::Place<'a>, item: Json<'a>) -> Result<(), CallError> {
        let fields = Fields::of(item, at)?;
        let kind = match fields.get("type") {
            Some(kind) => text(kind, fields.path("type"))?,
            None if fields.get("role").is_some() => "message".to_owned(),
            None if fields.get("id").is_some() => REFERENCE.to_owned(),
            None => return Err(missing(fields.path("type"))),
        };
        match kind.as_str() {
            "message" => self.message(&fields),
            "reasoning" => self.reasoning(&fields),
            "function_call" => self.call(&fields, false),
            "custom_tool_call" => self.call(&fields, true),
            "function_call_output" | "custom_tool_call_output" => self.result(&fields),
            _ => {
                let theirs = kind.ends_with("_output") || kind == "mcp_approval_response";
                let part = bare(PartKind::Other { name: kind, json: item.get().into() });
                self.add(if theirs { Role::User } else { Role::Assistant }, part);
                Ok(())
            }
        }
    }

    /// Adds to the turn of `role` that is under way, or begins one.
    fn add(&mut self, role: Role, part: Part) {
        let is_result = |part: &Part| matches!(part.kind, PartKind::Result { .. } | PartKind::Other { .. });
        match self.prompt.turns.last_mut() {
            Some(turn) if turn.role == role && (role == Role::Assistant || turn.parts.iter().all(is_result)) => {
                turn.parts.push(part);
            }
            _ => self.prompt.turns.push(turn(role, vec![part])),
        }
    }

    fn message(&mut self, fields: &Fields<'_>) -> Result<(), CallError> {
        let role = fields.required_text("role")?;
        let role = match role.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            _ => {
                let known = "'user', 'assistant', 'system', and 'developer'";
                return Err(no_such(&role, fields.path("role"), known));
            }
        };
        let parts = self.parts(fields.path("content"), fields.required("content")?)?;
        if let Some(phase) = fields.get("phase") {
            self.note("phase", phase);
        }
        match role {
            Role::Assistant => parts.into_iter().for_each(|part| self.add(role, part)),
            _ => self.prompt.turns.push(turn(role, parts)),
        }
        Ok(())
    }

    /// Notes a field of an item that is no noun, once.
    fn note(&mut self, name: &str, json: Json<'_>) {
        if !self.prompt.others.iter().any(|one| one.name == name) {
            other(self.prompt, name, json);
        }
    }

    /// Content, or what a tool gave: text, or a list of parts.
    fn parts<'a>(&mut self, path: place::Place<'a>, content: Json<'a>) -> Result<Vec<Part>, CallError> {
        match (content.text(), content.items()) {
            (Some(text), _) => Ok(vec![bare(PartKind::Text { text: text.into_owned(), seal: None })]),
            (None, Some(parts)) => parts.enumerate().map(|(at, part)| self.part(path.item(at), part)).collect(),
            (None, None) => Err(wrong_type(path, "a string or an array of objects", content.shape())),
        }
    }

    fn part<'a>(&mut self, at: place::Place<'a>, part: Json<'a>) -> Result<Part, CallError> {
        let fields = Fields::of(part, at)?;
        let kind = fields.required_text("type")?;
        let kind = match kind.as_str() {
            "input_text" | "output_text" | "text" => {
                if let Some(annotations) = fields.get("annotations").filter(|cited| cited.shape().is_something()) {
                    self.note("annotations", annotations);
                }
                PartKind::Text { text: fields.required_text("text")?, seal: None }
            }
            "refusal" => PartKind::Refusal(fields.required_text("refusal")?),
            "input_image" => {
                let source = match (fields.get("image_url"), fields.get("file_id")) {
                    (Some(url), _) => located(&text(url, fields.path("image_url"))?),
                    (None, Some(id)) => Source::File(text(id, fields.path("file_id"))?),
                    (None, None) => return Err(missing(fields.path("image_url"))),
                };
                PartKind::Image { source, detail: fields.text("detail")? }
            }
            "input_file" => PartKind::Document { source: file(&fields)?, name: fields.text("filename")? },
            "input_audio" => {
                let audio = Fields::of(fields.required("input_audio")?, fields.path("input_audio"))?;
                let data = audio.required_text("data")?.into();
                PartKind::Audio { data, format: audio.required_text("format")? }
            }
            _ => PartKind::Other { name: kind, json: part.get().into() },
        };
        let cache = fields.get("prompt_cache_breakpoint").map(|mark| mark.get().into());
        Ok(Part { kind, cache })
    }

    fn reasoning(&mut self, fields: &Fields<'_>) -> Result<(), CallError> {
        let words = |name: &str| -> Vec<Cow<'_, str>> {
            let parts = fields.get(name).and_then(Json::items).into_iter().flatten();
            parts.filter_map(|part| fields::Fields::of(part)?.get("text")?.text()).collect()
        };
        let summary = words("summary");
        let words = if summary.is_empty() { words("content") } else { summary }.join("\n\n");
        let content = fields.text("encrypted_content")?;
        if content.is_empty() {
            self.add(Role::Assistant, bare(PartKind::Thought(Thought { text: words, seal: None })));
            return Ok(());
        }
        let (place, seal) = opened(&fields.text("id")?, &content);
        match place {
            Place::Thought => {
                let thought = Thought { text: words, seal: Some(seal) };
                self.add(Role::Assistant, bare(PartKind::Thought(thought)));
            }
            Place::Call => self.seal = Some(seal),
            Place::Text => self.seal_text(seal),
        }
        Ok(())
    }

    /// Gives the last words of the model their seal, or empty ones where there are none.
    fn seal_text(&mut self, found: Seal) {
        let last = self.prompt.turns.last_mut().filter(|turn| turn.role == Role::Assistant);
        match last.and_then(|turn| turn.parts.last_mut()).map(|part| &mut part.kind) {
            Some(PartKind::Text { seal: seal @ None, .. }) => *seal = Some(found),
            _ => self.add(Role::Assistant, bare(PartKind::Text { text: String::new(), seal: Some(found) })),
        }
    }

    fn call(&mut self, fields: &Fields<'_>, free: bool) -> Result<(), CallError> {
        let id = fields.required_text("call_id")?;
        let name = flat(&fields.text("namespace")?, &fields.required_text("name")?).into_owned();
        let arguments = fields.text(if free { "input" } else { "arguments" })?;
        self.calls.insert(id.clone(), name.clone());
        let call = PartKind::Call { id, name, arguments, free, seal: self.seal.take() };
        self.add(Role::Assistant, bare(call));
        Ok(())
    }

    fn result(&mut self, fields: &Fields<'_>) -> Result<(), CallError> {
        let call = fields.required_text("call_id")?;
        let parts = self.parts(fields.path("output"), fields.required("output")?)?;
        let name = self.calls.get(&call).cloned().unwrap_or_default();
        self.add(Role::User, bare(PartKind::Result { call, name, parts, failed: false }));
        Ok(())
    }
}

fn file(fields: &Fields<'_>) -> Result<Source, CallError> {
    if let Some(data) = fields.get("file_data") {
        let data = text(data, fields.path("file_data"))?;
        return Ok(match located(&data) {
            // Bytes without their type.
            Source::Url(data) => Source::Inline { media_type: "application/octet-stream".into(), data: data.into() },
            source => source,
        });
    }
    match (fields.get("file_url"), fields.get("file_id")) {
        (Some(url), _) => Ok(Source::Url(text(url, fields.path("file_url"))?)),
        (None, Some(id)) => Ok(Source::File(text(id, fields.path("file_id"))?)),
        (None, None) => Err(missing(fields.path("file_data"))),
    }
}

/// Bytes that stand in a `data:` URL, or the URL.
fn located(url: &str) -> Source {
    let inline = || {
        let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
        Some(Source::Inline { media_type: media_type.to_owned(), data: data.into() })
    };
    inline().unwrap_or_else(|| Source::Url(url.to_owned()))
}
