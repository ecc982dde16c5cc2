//! What is said, as Ollama's messages: text, with pictures beside it, and results of tools each in a message of its own,
//! directly behind the calls that they answer.
//!
//! Must never be here: the fields beside them.

use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use crate::literal::words as written;
use crate::plain::words;
use crate::thin::arguments;
use llm::{Part, PartKind, Role, Source, Turn};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    #[serde(serialize_with = "written")]
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    /// In base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    tool_name: &'a str,
    /// Read by newer servers alone; of two calls of one tool it tells which is meant.
    #[serde(skip_serializing_if = "str::is_empty")]
    tool_call_id: &'a str,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Box<RawValue>,
}

/// Text and pictures under way to a message.
#[derive(Debug, Default)]
struct Content<'a> {
    texts: Vec<Cow<'a, str>>,
    images: Vec<&'a str>,
}

/// Writes the turns.
///
/// # Errors
/// Parts that Ollama does not take.
pub(super) fn said<'a>(turns: &'a [Turn], hints: &mut Hints) -> Result<Vec<Message<'a>>, Unsayable> {
    let mut writing = Writing { messages: Vec::new(), shown: Vec::new(), hints };
    for turn in turns {
        writing.hints.lose_if(!turn.name.is_empty(), "name");
        match turn.role {
            Role::System | Role::Developer => writing.instructions(&turn.parts)?,
            Role::User => writing.user(&turn.parts)?,
            Role::Assistant => writing.assistant(&turn.parts)?,
        }
    }
    writing.show();
    Ok(writing.messages)
}

struct Writing<'a, 'h> {
    messages: Vec<Message<'a>>,
    /// Pictures that tools gave, until their messages are all written.
    shown: Vec<&'a str>,
    hints: &'h mut Hints,
}

impl<'a> Writing<'a, '_> {
    fn instructions(&mut self, parts: &'a [Part]) -> Result<(), Unsayable> {
        if !parts.iter().all(|part| matches!(part.kind, PartKind::Text { .. })) {
            return Err(unsayable("messages", "has instructions that are no text"));
        }
        let content = self.content(parts)?;
        self.show();
        self.push("system", content);
        Ok(())
    }

    /// Results first, wherever they stand: nothing may come between them and their calls.
    fn user(&mut self, parts: &'a [Part]) -> Result<(), Unsayable> {
        let is_result = |part: &&Part| matches!(part.kind, PartKind::Result { .. });
        for part in parts.iter().filter(is_result) {
            if let PartKind::Result { call, name, parts, failed } = &part.kind {
                self.hints.lose_if(*failed, "is_error");
                self.result(call, name, parts)?;
            }
        }
        let content = self.content(parts)?;
        if !content.texts.is_empty() || !content.images.is_empty() {
            self.show();
            self.push("user", content);
        }
        Ok(())
    }

    fn result(&mut self, call: &'a str, name: &'a str, parts: &'a [Part]) -> Result<(), Unsayable> {
        let Content { texts, images } = self.content(parts)?;
        let content =
            if texts.is_empty() && !images.is_empty() { "The result follows.".into() } else { joined(texts, "\n\n") };
        self.shown.extend(images);
        self.messages.push(Message {
            role: "tool",
            content,
            tool_name: name,
            tool_call_id: call,
            ..Message::default()
        });
        Ok(())
    }

    fn assistant(&mut self, parts: &'a [Part]) -> Result<(), Unsayable> {
        let mut message = Message { role: "assistant", ..Message::default() };
        for part in parts {
            match &part.kind {
                PartKind::Thought(thought) => {
                    message.thinking.push_str(&thought.text);
                    self.hints.lose_if(thought.seal.is_some(), "signature");
                }
                PartKind::Call { free: true, .. } => {
                    return Err(unsayable("messages", "has a call with text, which Ollama does not have"));
                }
                PartKind::Call { id, name, arguments: text, .. } => {
                    message.tool_calls.push(Call { id, function: Function { name, arguments: arguments(text) } });
                }
                _ => {}
            }
        }
        let Content { texts, images } = self.content(parts)?;
        if !images.is_empty() {
            return Err(unsayable("messages", "has a picture in what the assistant said"));
        }
        message.content = joined(texts, "");
        let thinks = !message.thinking.is_empty();
        if thinks || !message.content.is_empty() || !message.tool_calls.is_empty() {
            self.show();
            self.messages.push(message);
        }
        Ok(())
    }

    /// What stands in a message's text and beside it.
    fn content(&mut self, parts: &'a [Part]) -> Result<Content<'a>, Unsayable> {
        let mut content = Content::default();
        for part in parts {
            self.hints.lose_if(part.cache.is_some(), "cache_control");
            self.hints.lose_seal(part);
            match &part.kind {
                PartKind::Text { text, .. } | PartKind::Refusal(text) if text.is_empty() => {}
                PartKind::Text { text, .. } | PartKind::Refusal(text) => content.texts.push(text.into()),
                PartKind::Document { source, name } => {
                    self.hints.lose_if(!name.is_empty(), "title");
                    content.texts.push(words(source)?);
                }
                PartKind::Image { source, detail } => {
                    self.hints.lose_if(!matches!(detail.as_str(), "" | "auto"), "detail");
                    content.images.push(image(source)?);
                }
                PartKind::Audio { .. } => return Err(unsayable("input_audio", "is not taken by Ollama")),
                PartKind::Other { name, .. } => {
                    return Err(unsayable(
                        "messages",
                        &format!("has a part of the kind `{name}`, which Ollama has not"),
                    ));
                }
                PartKind::Thought(_) | PartKind::Call { .. } | PartKind::Result { .. } => {}
            }
        }
        Ok(content)
    }

    fn push(&mut self, role: &'static str, content: Content<'a>) {
        let Content { texts, images } = content;
        self.messages.push(Message { role, content: joined(texts, "\n\n"), images, ..Message::default() });
    }

    fn show(&mut self) {
        if !self.shown.is_empty() {
            let images = std::mem::take(&mut self.shown);
            self.push("user", Content { images, ..Content::default() });
        }
    }
}

/// Several texts as one.
fn joined<'a>(mut texts: Vec<Cow<'a, str>>, between: &str) -> Cow<'a, str> {
    if texts.len() > 1 { texts.join(between).into() } else { texts.pop().unwrap_or_default() }
}

fn image(source: &Source) -> Result<&str, Unsayable> {
    match source {
        Source::Inline { data, .. } => Ok(data),
        Source::Url(_) => Err(unsayable("image_url", "is at a URL, and Ollama fetches none")),
        Source::File(_) | Source::Text(_) => Err(unsayable("image_url", "is not in the request")),
    }
}
