//! What is said, for a provider of this dialect: `contents` and `systemInstruction`.
//!
//! Google wants all results of a step in one content of their own, right behind the one content of the calls; so turns of
//! the model that follow each other become one, and results stand before whatever else a turn says.
//! Must never be here: tools, settings.

use super::super::chunk::PARTS;
use super::super::json::{Object, arguments, compact, is_object, literal, push_list};
use super::super::seal::UNSIGNED;
use super::CACHED;
use super::config::is_older;
use crate::Unsayable;
use llm::{Dialect, Part, PartKind, Role, Seal, Source, Thought, Turn};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What is said, written.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) contents: String,
    pub(super) system: Option<String>,
    /// The content that is cached at Google, by its name as JSON.
    pub(super) cached: Option<&'a str>,
}

/// Who says a content.
#[derive(Clone, Copy, PartialEq)]
enum Voice {
    User,
    Tools,
    Model,
}

/// Parts that make one content.
struct Content<'a> {
    voice: Voice,
    parts: Vec<&'a Part>,
}

/// Writes what is said.
pub(super) fn said<'a>(turns: &'a [Turn], model: &str, left_out: &mut Vec<String>) -> Result<Said<'a>, Unsayable> {
    let mut said = Said::default();
    let mut instructions = Vec::new();
    let mut contents: Vec<Content<'a>> = Vec::new();
    for turn in turns {
        note(turn, left_out);
        if matches!(turn.role, Role::System | Role::Developer) {
            instructions.extend(turn.parts.iter().map(words).collect::<Result<Vec<_>, _>>()?);
            continue;
        }
        let is_cached = |part: &&Part| matches!(&part.kind, PartKind::Other { name, .. } if name == CACHED);
        let (cached, parts): (Vec<&Part>, Vec<&Part>) = turn.parts.iter().partition(is_cached);
        for part in cached {
            if let PartKind::Other { json, .. } = &part.kind {
                said.cached = Some(json);
            }
        }
        let is_result = |part: &&Part| matches!(part.kind, PartKind::Result { .. });
        let (results, rest): (Vec<&Part>, Vec<&Part>) = parts.into_iter().partition(is_result);
        let rest_of = if turn.role == Role::Assistant { Voice::Model } else { Voice::User };
        for (voice, parts) in [(Voice::Tools, results), (rest_of, rest)] {
            let parts: Vec<&Part> = parts.into_iter().filter(|part| says_something(part)).collect();
            match contents.last_mut() {
                _ if parts.is_empty() => {}
                Some(last) if last.voice == voice && voice != Voice::User => last.parts.extend(parts),
                _ => contents.push(Content { voice, parts }),
            }
        }
    }
    if contents.is_empty() && said.cached.is_none() {
        let why = "hold nothing but instructions, and Google wants something to answer".to_owned();
        return Err(Unsayable { field: "messages".to_owned(), why });
    }
    let mut writer = Writer { names: names(turns), unsigned: !is_older(model), fault: None };
    push_list(&mut said.contents, &contents, |out, content| writer.content(out, content));
    if let Some(fault) = writer.fault {
        return Err(fault);
    }
    instructions.retain(|text| !text.is_empty());
    if !instructions.is_empty() {
        let mut out = String::new();
        let mut system = Object::open(&mut out);
        push_list(system.value("parts"), instructions, |out, text| {
            let mut part = Object::open(out);
            part.text("text", text);
            part.close();
        });
        system.close();
        said.system = Some(out);
    }
    Ok(said)
}

/// Tells of hints that Google has no word for.
fn note(turn: &Turn, left_out: &mut Vec<String>) {
    let mut tell = |name: &str| {
        if !left_out.iter().any(|known| known == name) {
            left_out.push(name.to_owned());
        }
    };
    if !turn.name.is_empty() {
        tell("name");
    }
    for part in &turn.parts {
        if part.cache.is_some() {
            tell("cache_control");
        }
        match &part.kind {
            PartKind::Image { detail, .. } if !matches!(detail.as_str(), "" | "auto") => tell("detail"),
            PartKind::Document { name, .. } if !name.is_empty() => tell("filename"),
            PartKind::Text { seal: Some(seal), .. }
            | PartKind::Call { seal: Some(seal), .. }
            | PartKind::Thought(Thought { seal: Some(seal), .. })
                if seal.of != Dialect::Gemini =>
            {
                tell("signature");
            }
            _ => {}
        }
    }
}

/// The words of a part of the instructions.
fn words(part: &Part) -> Result<&str, Unsayable> {
    match &part.kind {
        PartKind::Text { text, .. } => Ok(text),
        _ => Err(unsayable("hold more than words in their instructions")),
    }
}

/// The names of the tools that were called, by the ids of the calls.
fn names(turns: &[Turn]) -> BTreeMap<&str, &str> {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    parts
        .filter_map(|part| match &part.kind {
            PartKind::Call { id, name, .. } => Some((id.as_str(), name.as_str())),
            _ => None,
        })
        .collect()
}

/// Whether Google would find anything in a part: it refuses empty ones.
fn says_something(part: &Part) -> bool {
    match &part.kind {
        PartKind::Text { text, seal } => !text.is_empty() || google(seal.as_ref()).is_some(),
        PartKind::Thought(thought) => !thought.text.is_empty() || google(thought.seal.as_ref()).is_some(),
        PartKind::Refusal(text) => !text.is_empty(),
        _ => true,
    }
}

/// The token of a seal that means something to Google.
fn google(seal: Option<&Seal>) -> Option<&str> {
    seal.filter(|seal| seal.of == Dialect::Gemini).map(|seal| &*seal.token)
}

fn unsayable(why: impl Into<String>) -> Unsayable {
    Unsayable { field: "messages".to_owned(), why: why.into() }
}

/// Writes contents; the first fault is kept.
struct Writer<'a> {
    names: BTreeMap<&'a str, &'a str>,
    /// Calls that Google did not sign have to say so.
    unsigned: bool,
    fault: Option<Unsayable>,
}

impl Writer<'_> {
    fn content(&mut self, out: &mut String, content: &Content<'_>) {
        let signed =
            |part: &&Part| matches!(&part.kind, PartKind::Call { seal, .. } if google(seal.as_ref()).is_some());
        // Google signs the first call of a step, and looks there alone.
        let mut unsigned = self.unsigned && !content.parts.iter().any(signed);
        let mut object = Object::open(out);
        object.text("role", if content.voice == Voice::Model { "model" } else { "user" });
        push_list(object.value("parts"), &content.parts, |out, part| {
            let mut object = Object::open(out);
            let unsigned = matches!(part.kind, PartKind::Call { .. }) && std::mem::take(&mut unsigned);
            match self.part(&mut object, part, unsigned) {
                Ok(()) => object.close(),
                Err(fault) => {
                    self.fault.get_or_insert(fault);
                }
            }
        });
        object.close();
    }

    fn part(&self, out: &mut Object<'_>, part: &Part, unsigned: bool) -> Result<(), Unsayable> {
        match &part.kind {
            PartKind::Text { text, seal } => {
                out.text("text", text);
                sign(out, google(seal.as_ref()));
            }
            PartKind::Thought(thought) => {
                out.text("text", &thought.text);
                out.json("thought", "true");
                sign(out, google(thought.seal.as_ref()));
            }
            PartKind::Refusal(text) => out.text("text", text),
            PartKind::Call { id, name, arguments: text, seal, .. } => {
                let mut call = Object::open(out.value("functionCall"));
                if !id.is_empty() {
                    call.text("id", id);
                }
                call.text("name", name);
                call.json("args", &arguments(text).0);
                call.close();
                sign(out, google(seal.as_ref()).or(unsigned.then_some(UNSIGNED)));
            }
            PartKind::Result { call, name, parts, failed } => self.result(out, call, name, parts, *failed)?,
            PartKind::Image { source, .. } => place(out, source, "image/jpeg")?,
            PartKind::Document { source: Source::Text(text), .. } => out.text("text", text),
            PartKind::Document { source, .. } => place(out, source, "application/pdf")?,
            PartKind::Audio { data, format } => {
                let mut blob = Object::open(out.value("inlineData"));
                blob.text("mimeType", &format!("audio/{format}"));
                blob.text("data", data);
                blob.close();
            }
            PartKind::Other { name, json } => own(out, name, json)?,
        }
        Ok(())
    }

    fn result(
        &self,
        out: &mut Object<'_>,
        call: &str,
        name: &str,
        parts: &[Part],
        failed: bool,
    ) -> Result<(), Unsayable> {
        let name = if name.is_empty() { self.names.get(call).copied().unwrap_or_default() } else { name };
        if name.is_empty() {
            return Err(unsayable(format!("hold a result of a call that none of them makes: {call}")));
        }
        let (text, media): (Vec<&Part>, Vec<&Part>) =
            parts.iter().partition(|part| matches!(part.kind, PartKind::Text { .. }));
        let text: String = text.iter().map(|part| words(part).unwrap_or_default()).collect();
        let mut response = Object::open(out.value("functionResponse"));
        if !call.is_empty() {
            response.text("id", call);
        }
        response.text("name", name);
        response.json("response", &given(&text, failed));
        let mut fault = None;
        if !media.is_empty() {
            push_list(response.value("parts"), media, |out, part| {
                let mut object = Object::open(out);
                let placed = match &part.kind {
                    PartKind::Image { source, .. } => place(&mut object, source, "image/jpeg"),
                    PartKind::Document { source, .. } => place(&mut object, source, "application/pdf"),
                    _ => Err(unsayable("hold a result of a kind that Google takes from no tool")),
                };
                fault = fault.take().or(placed.err());
                object.close();
            });
        }
        response.close();
        fault.map_or(Ok(()), Err)
    }
}

fn sign(out: &mut Object<'_>, token: Option<&str>) {
    if let Some(token) = token {
        out.text("thoughtSignature", token);
    }
}

/// What a tool gave, as an object: itself where it is one, else under Google's word for it. An object with words of JSON
/// Schema is told as text, for Google would look up its references.
fn given(text: &str, failed: bool) -> String {
    if !failed && is_object(text) && !text.contains("\"$") {
        return compact(text).into_owned();
    }
    format!("{{\"{}\":{}}}", if failed { "error" } else { "output" }, literal(text))
}

/// Writes where the bytes of a picture or document are; `usual` is their type where nothing tells.
fn place(out: &mut Object<'_>, source: &Source, usual: &str) -> Result<(), Unsayable> {
    match source {
        Source::Inline { media_type, data } => {
            let mut blob = Object::open(out.value("inlineData"));
            blob.text("mimeType", if media_type.is_empty() { usual } else { media_type });
            blob.text("data", data);
            blob.close();
        }
        Source::Url(uri) if uri.starts_with("https://") || uri.starts_with("http://") => file(out, uri, usual),
        Source::File(uri) if uri.starts_with("gs://") || uri.contains("/files/") || uri.starts_with("files/") => {
            file(out, uri, usual);
        }
        Source::Url(_) => return Err(unsayable("name a picture or document at an address that Google cannot fetch")),
        Source::File(_) => return Err(unsayable("name a picture or document that is at another provider")),
        Source::Text(text) => out.text("text", text),
    }
    Ok(())
}

fn file(out: &mut Object<'_>, uri: &str, usual: &str) {
    let mut file = Object::open(out.value("fileData"));
    file.text("mimeType", media_type(uri).unwrap_or(usual));
    file.text("fileUri", uri);
    file.close();
}

/// What the ending of a URL says of its type.
fn media_type(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let (_, ending) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    Some(match ending {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        _ => return None,
    })
}

/// Writes the fields of a part that has no noun, where it is one of Google's.
fn own(out: &mut Object<'_>, name: &str, json: &str) -> Result<(), Unsayable> {
    let fields: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(json).ok();
    let fields = fields.filter(|fields| PARTS.contains(&name) && fields.contains_key(name));
    let Some(fields) = fields else {
        return Err(unsayable(format!("hold a part that Google has no word for: {name}")));
    };
    for (name, value) in &fields {
        out.json(name, value.get());
    }
    Ok(())
}
