//! What is said, as Cohere's messages: instructions first, results of tools each in a message of its own, directly behind
//! the calls that they answer.
//!
//! Must never be here: the fields beside them.

use super::documents::Document;
use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use crate::literal::words as written;
use crate::plain::words;
use llm::{Part, PartKind, Role, Source, Turn};
use serde::Serialize;
use std::borrow::Cow;

/// What is said, and the documents that it may be about.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) documents: Vec<Document<'a>>,
}

/// One message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    tool_plan: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(#[serde(serialize_with = "written")] Cow<'a, str>),
    Blocks(Vec<Block<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        #[serde(serialize_with = "written")]
        text: Cow<'a, str>,
    },
    ImageUrl {
        image_url: ImageUrl<'a>,
    },
}

#[derive(Debug, Serialize)]
struct ImageUrl<'a> {
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// Writes the turns. Documents stand beside them where they may be `apart`, else among what is said.
///
/// # Errors
/// Parts that Cohere does not take.
pub(super) fn said<'a>(turns: &'a [Turn], apart: bool, hints: &mut Hints) -> Result<Said<'a>, Unsayable> {
    let mut writing = Writing { said: Said::default(), shown: Vec::new(), apart, hints };
    // Instructions are taken first alone, and in one message.
    let (instructions, spoken): (Vec<&Turn>, Vec<&Turn>) =
        turns.iter().partition(|turn| matches!(turn.role, Role::System | Role::Developer));
    writing.instructions(&instructions)?;
    for turn in spoken {
        writing.hints.lose_if(!turn.name.is_empty(), "name");
        match turn.role {
            Role::Assistant => writing.assistant(&turn.parts)?,
            _ => writing.user(&turn.parts)?,
        }
    }
    writing.show();
    Ok(writing.said)
}

struct Writing<'a, 'h> {
    said: Said<'a>,
    /// Pictures that tools gave, until their messages are all written: those hold text alone.
    shown: Vec<Block<'a>>,
    apart: bool,
    hints: &'h mut Hints,
}

impl<'a> Writing<'a, '_> {
    fn instructions(&mut self, turns: &[&'a Turn]) -> Result<(), Unsayable> {
        let mut blocks = Vec::new();
        for part in turns.iter().flat_map(|turn| &turn.parts) {
            self.note(part);
            match &part.kind {
                PartKind::Text { text, .. } => blocks.extend(block(text)),
                _ => return Err(unsayable("messages", "has instructions that are no text")),
            }
        }
        self.push("system", blocks);
        Ok(())
    }

    /// Results first, wherever they stand: nothing may come between them and their calls.
    fn user(&mut self, parts: &'a [Part]) -> Result<(), Unsayable> {
        for part in parts {
            if let PartKind::Result { call, parts, failed, .. } = &part.kind {
                self.note(part);
                self.result(call, parts, *failed)?;
            }
        }
        let spoken = parts.iter().any(|part| matches!(&part.kind, PartKind::Text { text, .. } if !text.is_empty()));
        let mut blocks = Vec::new();
        for part in parts.iter().filter(|part| !matches!(part.kind, PartKind::Result { .. })) {
            self.note(part);
            match &part.kind {
                // A message has to say something.
                PartKind::Document { source, name } if self.apart && spoken => {
                    self.said.documents.push(Document::told(words(source)?, name));
                }
                kind => blocks.extend(self.block(kind)?),
            }
        }
        if !blocks.is_empty() {
            self.show();
            self.push("user", blocks);
        }
        Ok(())
    }

    fn result(&mut self, call: &'a str, parts: &'a [Part], failed: bool) -> Result<(), Unsayable> {
        self.hints.lose_if(failed, "is_error");
        let (mut texts, before) = (Vec::new(), self.shown.len());
        for part in parts {
            self.note(part);
            match self.block(&part.kind)? {
                Some(Block::Text { text }) => texts.push(text),
                Some(shown) => self.shown.push(shown),
                None => {}
            }
        }
        let content = match texts.len() {
            0 if self.shown.len() > before => "The result follows.".into(),
            0 | 1 => texts.pop().unwrap_or_default(),
            _ => texts.join("\n\n").into(),
        };
        let (content, tool_call_id) = (Some(Content::Text(content)), Some(call));
        self.said.messages.push(Message { role: "tool", content, tool_call_id, ..Message::default() });
        Ok(())
    }

    /// What a model thought comes back to it as its plan, beside the calls that it thought of; else it is not missed.
    fn assistant(&mut self, parts: &'a [Part]) -> Result<(), Unsayable> {
        let mut message = Message { role: "assistant", ..Message::default() };
        let mut blocks = Vec::new();
        for part in parts {
            self.note(part);
            match &part.kind {
                PartKind::Thought(thought) => {
                    message.tool_plan.push_str(&thought.text);
                    self.hints.lose_if(thought.seal.is_some(), "signature");
                }
                PartKind::Call { free: true, .. } => {
                    return Err(unsayable("messages", "has a call with text, which Cohere does not have"));
                }
                PartKind::Call { id, name, arguments, .. } => {
                    // Arguments are JSON, and nothing is not.
                    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
                    message.tool_calls.push(Call { id, kind: "function", function: Function { name, arguments } });
                }
                PartKind::Text { text, .. } | PartKind::Refusal(text) => blocks.extend(block(text)),
                _ => return Err(unsayable("messages", "has a message of the assistant that is no text")),
            }
        }
        if message.tool_calls.is_empty() && !message.tool_plan.is_empty() {
            self.hints.lose("reasoning");
            message.tool_plan.clear();
        }
        message.content = content(blocks);
        if message.content.is_some() || !message.tool_calls.is_empty() {
            self.show();
            self.said.messages.push(message);
        }
        Ok(())
    }

    /// How a part of a user's message is written; nothing where it says nothing.
    fn block(&mut self, kind: &'a PartKind) -> Result<Option<Block<'a>>, Unsayable> {
        Ok(match kind {
            PartKind::Text { text, .. } | PartKind::Refusal(text) => block(text),
            PartKind::Image { source, detail } => {
                Some(Block::ImageUrl { image_url: ImageUrl { url: image(source)?, detail } })
            }
            PartKind::Document { source, name } => {
                self.hints.lose_if(!name.is_empty(), "title");
                Some(Block::Text { text: words(source)? })
            }
            PartKind::Audio { .. } => return Err(unsayable("input_audio", "is not taken by Cohere")),
            PartKind::Other { name, .. } => {
                return Err(unsayable("messages", &format!("has a part of the kind `{name}`, which Cohere has not")));
            }
            PartKind::Thought(_) | PartKind::Call { .. } | PartKind::Result { .. } => None,
        })
    }

    fn note(&mut self, part: &Part) {
        self.hints.lose_if(part.cache.is_some(), "cache_control");
        self.hints.lose_seal(part);
    }

    fn push(&mut self, role: &'static str, blocks: Vec<Block<'a>>) {
        if let Some(content) = content(blocks) {
            self.said.messages.push(Message { role, content: Some(content), ..Message::default() });
        }
    }

    fn show(&mut self) {
        let shown = std::mem::take(&mut self.shown);
        self.push("user", shown);
    }
}

/// Words, where there are any.
fn block(text: &str) -> Option<Block<'_>> {
    (!text.is_empty()).then_some(Block::Text { text: text.into() })
}

/// One text as text.
fn content(mut blocks: Vec<Block<'_>>) -> Option<Content<'_>> {
    match (blocks.pop(), blocks.is_empty()) {
        (None, _) => None,
        (Some(Block::Text { text }), true) => Some(Content::Text(text)),
        (Some(last), _) => {
            blocks.push(last);
            Some(Content::Blocks(blocks))
        }
    }
}

fn image(source: &Source) -> Result<Cow<'_, str>, Unsayable> {
    match source {
        Source::Inline { media_type, data } => Ok(format!("data:{media_type};base64,{data}").into()),
        Source::Url(url) => Ok(url.into()),
        Source::File(_) | Source::Text(_) => Err(unsayable("image_url", "is neither at a URL nor in the request")),
    }
}
