//! What is said, as messages of this dialect: its instructions apart, turns of one role joined, a user first, results of
//! tools before anything else.
//!
//! Must never be here: the fields beside them.

use super::super::blocks::is_of_requests;
use super::super::json::{as_input, as_object, literal, object};
use super::super::version::Version;
use super::super::{event, json};
use super::write::Left;
use crate::Unsayable;
use crate::literal::words;
use llm::{Dialect, Part, PartKind, Prompt, Role, SealKind, Source, Thought};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a user says in a conversation that no user has begun: the dialect wants one to.
const OPENING: &str = "(The conversation begins.)";

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Block<'a>>,
}

/// A block of what is said.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Block<'a> {
    Known {
        #[serde(flatten)]
        known: Known<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
    },
    /// As it came.
    Whole(&'a RawValue),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Known<'a> {
    Text {
        #[serde(serialize_with = "words")]
        text: &'a str,
    },
    Image {
        source: Place<'a>,
    },
    Document {
        source: Place<'a>,
        #[serde(skip_serializing_if = "str::is_empty")]
        title: &'a str,
    },
    Thinking {
        #[serde(serialize_with = "words")]
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

/// Where a picture or document is.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Place<'a> {
    Base64 {
        media_type: &'a str,
        #[serde(serialize_with = "words")]
        data: &'a str,
    },
    Url {
        url: &'a str,
    },
    File {
        file_id: &'a str,
    },
    Text {
        media_type: &'static str,
        #[serde(serialize_with = "words")]
        data: &'a str,
    },
}

/// The conversation, and the instructions apart from it.
#[derive(Debug, Default)]
pub(super) struct Turns<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) messages: Vec<Message<'a>>,
}

/// Writes the turns of `prompt`.
///
/// Instructions that stand in the middle join those in front: only newer models take them elsewhere.
///
/// # Errors
/// Parts that this dialect does not have.
pub(super) fn turns<'a>(prompt: &'a Prompt, version: Version, left: &mut Left) -> Result<Turns<'a>, Unsayable> {
    let (mut turns, mut ids) = (Turns::default(), Ids::default());
    for turn in &prompt.turns {
        if !turn.name.is_empty() {
            left.out("name");
        }
        match turn.role {
            Role::System | Role::Developer => {
                turns.system.extend(written(&turn.parts, &mut |part| instruction(part, left))?);
            }
            Role::User => {
                let blocks = written(&turn.parts, &mut |part| block(part, &mut ids, left))?;
                turns.add("user", blocks);
            }
            Role::Assistant => {
                let blocks = written(&turn.parts, &mut |part| said(part, version, &mut ids, left))?;
                turns.add("assistant", blocks);
            }
        }
    }
    turns.settle();
    Ok(turns)
}

/// The blocks of parts, those without one left out.
fn written<'a>(
    parts: &'a [Part],
    write: &mut dyn FnMut(&'a Part) -> Result<Option<Block<'a>>, Unsayable>,
) -> Result<Vec<Block<'a>>, Unsayable> {
    parts.iter().filter_map(|part| write(part).transpose()).collect()
}

impl<'a> Turns<'a> {
    fn add(&mut self, role: &'static str, blocks: Vec<Block<'a>>) {
        match self.messages.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Message { role, content: blocks }),
        }
    }

    /// Keeps what the dialect wants of a conversation as a whole.
    fn settle(&mut self) {
        if let Some(last) = self.messages.last_mut().filter(|last| last.role == "assistant") {
            trim(&mut last.content);
            if last.content.is_empty() {
                self.messages.pop();
            }
        }
        if self.messages.first().is_none_or(|first| first.role != "user") {
            self.messages.insert(0, Message { role: "user", content: vec![text(OPENING, None)] });
        }
        for message in self.messages.iter_mut().filter(|message| message.role == "user") {
            message.content.sort_by_key(|block| !block.is_result());
        }
    }
}

/// Takes white space off the end of what the model is to go on with.
fn trim(blocks: &mut Vec<Block<'_>>) {
    while let Some(Block::Known { known: Known::Text { text }, .. }) = blocks.last_mut() {
        *text = text.trim_end();
        if !text.is_empty() {
            return;
        }
        blocks.pop();
    }
}

impl Block<'_> {
    fn is_result(&self) -> bool {
        let whole =
            |raw: &RawValue| object::<event::Block<'_>>(Some(raw)).is_some_and(|block| block.kind == "tool_result");
        match self {
            Self::Known { known, .. } => matches!(known, Known::ToolResult { .. }),
            Self::Whole(raw) => whole(raw),
        }
    }
}

pub(super) fn text<'a>(text: &'a str, cache_control: Option<&'a RawValue>) -> Block<'a> {
    Block::Known { known: Known::Text { text }, cache_control }
}

/// What the application instructs.
fn instruction<'a>(part: &'a Part, left: &mut Left) -> Result<Option<Block<'a>>, Unsayable> {
    match &part.kind {
        PartKind::Text { text: words, .. } => Ok(words_of(words, part, left)),
        _ => Err(Left::never("system", "holds something that is not text")),
    }
}

/// Words, where there are any.
fn words_of<'a>(words: &'a str, part: &'a Part, left: &mut Left) -> Option<Block<'a>> {
    let cache = left.mark(part.cache.as_deref());
    if words.trim().is_empty() {
        if cache.is_some() {
            left.out("cache_control");
        }
        return None;
    }
    Some(text(words, cache))
}

/// What the model said.
fn said<'a>(part: &'a Part, version: Version, ids: &mut Ids, left: &mut Left) -> Result<Option<Block<'a>>, Unsayable> {
    match &part.kind {
        PartKind::Image { .. } => Err(Left::never("messages", "holds a picture in what the assistant said")),
        PartKind::Document { .. } if version == Version::October2026 => {
            Err(Left::never("messages", "holds a document in what the assistant said"))
        }
        _ => block(part, ids, left),
    }
}

fn block<'a>(part: &'a Part, ids: &mut Ids, left: &mut Left) -> Result<Option<Block<'a>>, Unsayable> {
    // Anthropic signs thoughts alone.
    if let PartKind::Text { seal: Some(_), .. } | PartKind::Call { seal: Some(_), .. } = &part.kind {
        left.out("signature");
    }
    let known = match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal(text) => return Ok(words_of(text, part, left)),
        PartKind::Image { source, detail } => {
            if !matches!(detail.as_str(), "" | "auto") {
                left.out("detail");
            }
            Known::Image { source: place(source, is_picture, "image_url")? }
        }
        PartKind::Document { source, name } => {
            Known::Document { source: place(source, |kind| kind == "application/pdf", "file")?, title: name }
        }
        PartKind::Audio { .. } => return Err(Left::never("input_audio", "is not taken by Anthropic")),
        PartKind::Thought(thought) => match own(thought) {
            Some(known) => known,
            None => {
                left.out("reasoning");
                return Ok(None);
            }
        },
        PartKind::Call { id, name, arguments, free, .. } => {
            Known::ToolUse { id: ids.call(id, name), name, input: input(arguments, *free) }
        }
        PartKind::Result { call, name, parts, failed } => Known::ToolResult {
            tool_use_id: ids.result(call, name),
            content: written(parts, &mut |part| block(part, &mut Ids::default(), left))?,
            is_error: *failed,
        },
        PartKind::Other { name, json } => return whole(name, json).map(Some),
    };
    Ok(Some(Block::Known { known, cache_control: left.mark(part.cache.as_deref()) }))
}

/// A thought that Anthropic signed: of others it would refuse them.
fn own(thought: &Thought) -> Option<Known<'_>> {
    let seal = thought.seal.as_ref().filter(|seal| seal.of == Dialect::Anthropic)?;
    Some(match seal.kind {
        SealKind::Signature => Known::Thinking { thinking: &thought.text, signature: &seal.token },
        SealKind::Encrypted => Known::RedactedThinking { data: &seal.token },
    })
}

/// A block of this dialect that is no noun of ours.
fn whole<'a>(name: &str, json: &'a str) -> Result<Block<'a>, Unsayable> {
    let raw = as_object(json).filter(|raw| {
        is_of_requests(name) && object::<event::Block<'_>>(Some(raw)).is_some_and(|block| block.kind == name)
    });
    raw.map(Block::Whole).ok_or_else(|| Left::never(name, "is not taken by Anthropic"))
}

fn input(arguments: &str, free: bool) -> Box<RawValue> {
    let json: Cow<'_, str> =
        if free { format!("{{\"input\":{}}}", literal(arguments)).into() } else { as_input(arguments) };
    as_object(&json).map_or_else(|| json::nothing().to_owned(), RawValue::to_owned)
}

fn is_picture(media_type: &str) -> bool {
    matches!(media_type, "image/jpeg" | "image/png" | "image/gif" | "image/webp")
}

fn place<'a>(source: &'a Source, takes: impl Fn(&str) -> bool, field: &str) -> Result<Place<'a>, Unsayable> {
    match source {
        Source::Inline { media_type, data } if takes(media_type) => Ok(Place::Base64 { media_type, data }),
        Source::Inline { .. } => Err(Left::never(field, "is of a kind that Anthropic does not take")),
        Source::Url(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(Place::Url { url }),
        Source::Url(_) => Err(Left::never(field, "is at an address that Anthropic does not fetch from")),
        Source::File(file_id) if file_id.starts_with("file_") => Ok(Place::File { file_id }),
        Source::File(_) => Err(Left::never(field, "is a file that Anthropic does not have")),
        Source::Text(data) if !takes("image/png") => Ok(Place::Text { media_type: "text/plain", data }),
        Source::Text(_) => Err(Left::never(field, "is text")),
    }
}

/// Ids of calls, as this dialect takes them: others' may hold what it does not, or be missing.
#[derive(Debug, Default)]
struct Ids {
    /// Calls without one: their tools, and how many of them have been answered.
    unnamed: BTreeMap<String, (u32, u32)>,
}

impl Ids {
    fn call<'a>(&mut self, id: &'a str, name: &str) -> Cow<'a, str> {
        if id.is_empty() {
            let (calls, _) = self.unnamed.entry(name.to_owned()).or_default();
            *calls += 1;
            return Cow::Owned(numbered(name, *calls));
        }
        fitting(id)
    }

    fn result<'a>(&mut self, id: &'a str, name: &str) -> Cow<'a, str> {
        if id.is_empty() {
            let (_, answered) = self.unnamed.entry(name.to_owned()).or_default();
            *answered += 1;
            return Cow::Owned(numbered(name, *answered));
        }
        fitting(id)
    }
}

fn numbered(name: &str, count: u32) -> String {
    fitting(&format!("toolu_{name}_{count}")).into_owned()
}

/// `id` with nothing in it that is not taken; two that differ stay two.
fn fitting(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let plain: String = id.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    Cow::Owned(format!("{plain}_{:08x}", hasher.finish() & 0xffff_ffff))
}
