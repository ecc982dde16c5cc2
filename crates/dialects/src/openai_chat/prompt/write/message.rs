//! Turns to messages.
//!
//! Results of tools become messages of their own, directly behind the calls that they answer. What is no text among them
//! follows in a user message behind all of them: a tool message holds text alone.

use super::super::super::seal::{Extra, details, extra};
use super::super::{Reasoning, Server};
use super::wire::{Call, Content, Custom, File, Function, ImageUrl, InputAudio, Kind, Message, Part};
use super::{LeftOut, fitting, json, unsayable};
use crate::Unsayable;
use llm::{PartKind, Role, Seal, Source, Thought, Turn};
use std::borrow::Cow;

/// Writes the conversation.
pub(super) fn messages<'a>(
    turns: &'a [Turn],
    server: &Server,
    left: &mut LeftOut,
) -> Result<Vec<Message<'a>>, Unsayable> {
    let mut writing = Writing { messages: Vec::new(), shown: Vec::new(), server, left };
    for turn in turns {
        match turn.role {
            Role::System | Role::Developer => writing.instructions(turn)?,
            Role::User => writing.user(turn)?,
            Role::Assistant => writing.assistant(turn)?,
        }
    }
    writing.show();
    Ok(writing.messages)
}

struct Writing<'a, 'w> {
    messages: Vec<Message<'a>>,
    /// What tools gave that is no text, until their messages are all written.
    shown: Vec<Part<'a>>,
    server: &'w Server,
    left: &'w mut LeftOut,
}

impl<'a> Writing<'a, '_> {
    fn instructions(&mut self, turn: &'a Turn) -> Result<(), Unsayable> {
        if !turn.parts.iter().all(|part| matches!(part.kind, PartKind::Text { .. })) {
            return Err(unsayable("messages", "has instructions that are no text"));
        }
        let role = if turn.role == Role::Developer && self.server.own { "developer" } else { "system" };
        let parts = self.parts(&turn.parts)?;
        let (content, name) = (Some(self.content(parts)), self.named(turn));
        self.push(Message { content, name, ..with(role) });
        Ok(())
    }

    /// Results first, wherever they stand: nothing may come between them and their calls.
    fn user(&mut self, turn: &'a Turn) -> Result<(), Unsayable> {
        let mut results = 0;
        for part in &turn.parts {
            if let PartKind::Result { call, name, parts, failed } = &part.kind {
                self.result(call, name, parts, *failed)?;
                results += 1;
            }
        }
        let parts = self.parts(&turn.parts)?;
        if !parts.is_empty() || results == 0 {
            self.show();
            let (content, name) = (Some(self.content(parts)), self.named(turn));
            self.push(Message { content, name, ..with("user") });
        }
        Ok(())
    }

    fn result(&mut self, call: &'a str, name: &'a str, parts: &'a [llm::Part], failed: bool) -> Result<(), Unsayable> {
        if failed {
            self.left.note("is_error");
        }
        let (said, shown): (Vec<_>, Vec<_>) =
            self.parts(parts)?.into_iter().partition(|part| matches!(part.kind, Kind::Text { .. }));
        let told = shown.is_empty() || !said.is_empty();
        let content = if told { self.content(said) } else { Content::Text("The result follows.".into()) };
        self.shown.extend(shown);
        // OpenAI knows no name here; Gemini's and Mistral's endpoints do.
        let name = Some(name).filter(|name| !self.server.own && !name.is_empty());
        self.messages.push(Message {
            content: Some(content),
            name,
            tool_call_id: Some(fitting(call, self.server.ids)),
            ..with("tool")
        });
        Ok(())
    }

    fn assistant(&mut self, turn: &'a Turn) -> Result<(), Unsayable> {
        let mut message = Message { name: self.named(turn), ..with("assistant") };
        let mut refusal = String::new();
        for part in &turn.parts {
            match &part.kind {
                PartKind::Text { seal: Some(seal), .. } => message.extra_content = self.signature(seal),
                PartKind::Refusal(words) if self.server.refusals => refusal.push_str(words),
                PartKind::Call { free: true, .. } if !self.server.own => {
                    return Err(unsayable("messages", "has a call with text, of which the provider knows none"));
                }
                PartKind::Call { id, name, arguments, free, seal } => {
                    let extra_content = seal.as_ref().and_then(|seal| self.signature(seal));
                    let id = fitting(id, self.server.ids);
                    message.tool_calls.push(Call { extra_content, ..called(id, name, arguments, *free) });
                }
                _ => {}
            }
        }
        self.thoughts(&turn.parts, &mut message);
        let said = |part: &&llm::Part| !matches!(&part.kind, PartKind::Text { text, .. } if text.is_empty());
        let parts = self.parts(turn.parts.iter().filter(said))?;
        if !parts.iter().all(|part| matches!(part.kind, Kind::Text { .. })) {
            return Err(unsayable("messages", "has a message of the assistant that is no text"));
        }
        message.refusal = Some(refusal).filter(|refusal| !refusal.is_empty());
        if !parts.is_empty() || (message.tool_calls.is_empty() && message.refusal.is_none()) {
            // Its parts go on with each other.
            message.content = Some(self.joined(parts, ""));
        }
        self.push(message);
        Ok(())
    }

    /// The thoughts among `parts`, where the server is given them back.
    fn thoughts(&mut self, parts: &'a [llm::Part], message: &mut Message<'a>) {
        let thoughts = || {
            parts
                .iter()
                .filter_map(|part| if let PartKind::Thought(thought) = &part.kind { Some(thought) } else { None })
        };
        let words: String = thoughts().map(|thought| thought.text.as_str()).collect();
        let sealed = thoughts().any(|thought| thought.seal.is_some());
        let words = Some(words).filter(|words| !words.is_empty());
        match self.server.reasoning {
            Reasoning::Unknown | Reasoning::Kept | Reasoning::Switch if words.is_some() || sealed => {
                return self.left.note("reasoning");
            }
            Reasoning::Unknown | Reasoning::Kept | Reasoning::Switch => return,
            Reasoning::Content => message.reasoning_content = words,
            Reasoning::Plain => message.reasoning = words,
            Reasoning::Details => {
                message.reasoning = words;
                message.reasoning_details =
                    details(thoughts().map(|Thought { text, seal }| (text.as_str(), seal.as_ref())));
                return;
            }
        }
        if sealed {
            self.left.note("signature");
        }
    }

    fn signature(&mut self, seal: &'a Seal) -> Option<Extra<'a>> {
        let written = extra(seal).filter(|_| self.server.signatures);
        if written.is_none() {
            self.left.note("signature");
        }
        written
    }

    /// The parts that stand in a content.
    fn parts(&mut self, parts: impl IntoIterator<Item = &'a llm::Part>) -> Result<Vec<Part<'a>>, Unsayable> {
        let mut written = Vec::new();
        for part in parts {
            if let Some(kind) = self.kind(&part.kind)? {
                let mark = self.left.unless(self.server.cache_marks, "cache_control", part.cache.as_deref());
                let cache_control = mark.map(|mark| json(mark, "cache_control")).transpose()?;
                written.push(Part { kind, cache_control });
            }
        }
        Ok(written)
    }

    /// How a part is written in a content; nothing for those that stand elsewhere.
    fn kind(&mut self, kind: &'a PartKind) -> Result<Option<Kind<'a>>, Unsayable> {
        Ok(Some(match kind {
            PartKind::Text { text, .. } => Kind::Text { text },
            PartKind::Image { source, detail } => {
                Kind::ImageUrl { image_url: ImageUrl { url: image(source)?, detail } }
            }
            PartKind::Audio { data, format } => Kind::InputAudio { input_audio: InputAudio { data, format } },
            PartKind::Document { source: Source::Text(text), name } => {
                if !name.is_empty() {
                    self.left.note("title");
                }
                Kind::Text { text }
            }
            PartKind::Document { source, name } if self.server.document_urls => {
                Kind::DocumentUrl { document_url: document(source)?, document_name: name }
            }
            PartKind::Document { source, name } => Kind::File { file: file(source, name)? },
            PartKind::Refusal(text) if !self.server.refusals => Kind::Text { text },
            PartKind::Other { name, .. } => {
                return Err(unsayable(
                    "messages",
                    &format!("has a part of the kind `{name}`, which the provider has not"),
                ));
            }
            PartKind::Thought(_) | PartKind::Call { .. } | PartKind::Result { .. } | PartKind::Refusal(_) => {
                return Ok(None);
            }
        }))
    }

    /// Text as text where nothing hangs on its parts.
    fn content(&self, parts: Vec<Part<'a>>) -> Content<'a> {
        self.joined(parts, "\n\n")
    }

    fn joined(&self, parts: Vec<Part<'a>>, between: &str) -> Content<'a> {
        let texts: Option<Vec<&'a str>> = parts.iter().map(text).collect();
        match texts.as_deref() {
            Some([]) => Content::Text("".into()),
            Some([text]) => Content::Text(Cow::Borrowed(text)),
            Some(texts) if !self.server.parts => Content::Text(texts.join(between).into()),
            _ => Content::Parts(parts),
        }
    }

    /// The speaker's own name, where it may be said.
    fn named(&mut self, turn: &'a Turn) -> Option<&'a str> {
        let name = Some(turn.name.as_str()).filter(|name| !name.is_empty());
        self.left.unless(self.server.names, "name", name)
    }

    /// Writes a message behind whatever is to come before it.
    fn push(&mut self, message: Message<'a>) {
        self.show();
        self.messages.push(message);
    }

    fn show(&mut self) {
        if !self.shown.is_empty() {
            let content = Some(Content::Parts(std::mem::take(&mut self.shown)));
            self.messages.push(Message { content, ..with("user") });
        }
    }
}

fn with(role: &'static str) -> Message<'static> {
    Message { role, ..Message::default() }
}

/// The text of a part that is nothing else.
fn text<'a>(part: &Part<'a>) -> Option<&'a str> {
    match part {
        Part { kind: Kind::Text { text }, cache_control: None } => Some(text),
        _ => None,
    }
}

fn called<'a>(id: Cow<'a, str>, name: &'a str, arguments: &'a str, free: bool) -> Call<'a> {
    let (kind, extra_content) = (if free { "custom" } else { "function" }, None);
    if free {
        return Call { id, kind, function: None, custom: Some(Custom { name, input: arguments }), extra_content };
    }
    // Arguments are JSON, and nothing is not.
    let arguments = if arguments.is_empty() { "{}" } else { arguments };
    Call { id, kind, function: Some(Function { name, arguments }), custom: None, extra_content }
}

fn image(source: &Source) -> Result<Cow<'_, str>, Unsayable> {
    match source {
        Source::Inline { media_type, data } => Ok(data_url(media_type, data).into()),
        Source::Url(url) => Ok(url.into()),
        Source::File(_) | Source::Text(_) => {
            Err(unsayable("messages", "has a picture that is neither at a URL nor in the request"))
        }
    }
}

fn document(source: &Source) -> Result<Cow<'_, str>, Unsayable> {
    match source {
        Source::Inline { media_type, data } => Ok(data_url(media_type, data).into()),
        Source::Url(url) => Ok(url.into()),
        Source::File(_) | Source::Text(_) => {
            Err(unsayable("messages", "has a document that is neither at a URL nor in the request"))
        }
    }
}

fn file<'a>(source: &'a Source, name: &'a str) -> Result<File<'a>, Unsayable> {
    let filename = Some(name).filter(|name| !name.is_empty());
    match source {
        // OpenAI refuses bytes without a name.
        Source::Inline { media_type, data } => Ok(File {
            filename: filename.or(Some("document")),
            file_data: Some(data_url(media_type, data).into()),
            file_id: None,
        }),
        Source::File(id) => Ok(File { file_id: Some(id), ..File::default() }),
        Source::Url(_) | Source::Text(_) => {
            Err(unsayable("messages", "has a document at a URL, and the provider takes none from there"))
        }
    }
}

fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}
