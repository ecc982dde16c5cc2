//! What is said, as messages: instructions apart, the user first, each speaker's turns joined, results of tools before
//! anything else.
//!
//! Must never be here: the fields beside them.

use super::blocks::{Block, Call, Given, Message, Reasoning};
use super::family::Family;
use super::ids::{Ids, fitting};
use super::marks::{CachePoint, point};
use super::media::{Names, picture, sound};
use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use crate::thin::{arguments, as_object, literal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use llm::{Dialect, Part, PartKind, Role, SealKind, Source, Thought, Turn};
use serde_json::value::RawValue;

/// What a user says in a conversation that no user has begun: the dialect wants one to.
const OPENING: &str = "(The conversation begins.)";
/// What is said with documents of which nothing is said: the dialect wants words beside them.
const BESIDE: &str = "(See the documents.)";

/// The conversation, and the instructions apart from it.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) messages: Vec<Message<'a>>,
}

/// Writes the turns, for a model of `family`.
///
/// Instructions that stand in the middle join those in front.
///
/// # Errors
/// Parts that the dialect does not have, or not there.
pub(super) fn said<'a>(turns: &'a [Turn], family: Family, hints: &mut Hints) -> Result<Said<'a>, Unsayable> {
    let mut writing = Writing { family, ids: Ids::default(), names: Names::default(), hints };
    let (mut system, mut spoken) = (Vec::new(), Vec::new());
    for turn in turns {
        writing.hints.lose_if(!turn.name.is_empty(), "name");
        match turn.role {
            Role::System | Role::Developer => system.extend(writing.all(&turn.parts, Writing::instruction)?),
            Role::User => add(&mut spoken, "user", writing.all(&turn.parts, Writing::user)?),
            Role::Assistant => add(&mut spoken, "assistant", writing.all(&turn.parts, Writing::assistant)?),
        }
    }
    settle(&mut spoken);
    let messages = spoken.into_iter().map(|(role, pieces)| Message { role, content: blocks(pieces) }).collect();
    Ok(Said { system: blocks(system), messages })
}

/// A block, and how everything up to it is to be cached, where it is.
struct Piece<'a> {
    block: Block<'a>,
    point: Option<CachePoint>,
}

type Spoken<'a> = (&'static str, Vec<Piece<'a>>);

fn add<'a>(spoken: &mut Vec<Spoken<'a>>, role: &'static str, pieces: Vec<Piece<'a>>) {
    match spoken.last_mut() {
        _ if pieces.is_empty() => {}
        Some((last, all)) if *last == role => all.extend(pieces),
        _ => spoken.push((role, pieces)),
    }
}

/// Keeps what the dialect wants of a conversation as a whole.
fn settle(spoken: &mut Vec<Spoken<'_>>) {
    if let Some((_, pieces)) = spoken.last_mut().filter(|(role, _)| *role == "assistant") {
        trim(pieces);
        if pieces.is_empty() {
            spoken.pop();
        }
    }
    if spoken.first().is_none_or(|(role, _)| *role != "user") {
        spoken.insert(0, ("user", vec![Piece { block: Block::Text(OPENING), point: None }]));
    }
    for (_, pieces) in spoken.iter_mut().filter(|(role, _)| *role == "user") {
        pieces.sort_by_key(|piece| !matches!(piece.block, Block::ToolResult(_)));
        let has = |is: fn(&Block<'_>) -> bool| pieces.iter().any(|piece| is(&piece.block));
        if has(|block| matches!(block, Block::Document(_))) && !has(|block| matches!(block, Block::Text(_))) {
            pieces.push(Piece { block: Block::Text(BESIDE), point: None });
        }
    }
}

/// Takes white space off the end of what the model is to go on with.
fn trim(pieces: &mut Vec<Piece<'_>>) {
    while let Some(Piece { block: Block::Text(text), .. }) = pieces.last_mut() {
        *text = text.trim_end();
        if !text.is_empty() {
            return;
        }
        pieces.pop();
    }
}

/// The blocks, with the marks among them.
fn blocks(pieces: Vec<Piece<'_>>) -> Vec<Block<'_>> {
    pieces.into_iter().flat_map(|piece| [Some(piece.block), piece.point.map(Block::CachePoint)]).flatten().collect()
}

/// A part to a block; nothing where it says nothing.
type Write<'a, 'h> = fn(&mut Writing<'h>, &'a PartKind) -> Result<Option<Block<'a>>, Unsayable>;

struct Writing<'h> {
    family: Family,
    ids: Ids,
    names: Names,
    hints: &'h mut Hints,
}

impl<'h> Writing<'h> {
    /// The blocks of `parts`, those without one left out.
    fn all<'a>(&mut self, parts: &'a [Part], write: Write<'a, 'h>) -> Result<Vec<Piece<'a>>, Unsayable> {
        let mut pieces = Vec::new();
        for part in parts {
            self.hints.lose_seal(part);
            let block = write(self, &part.kind)?;
            let takes = block.is_some() && self.family.caches_turns();
            let point = point(part.cache.as_deref(), takes, self.family, self.hints);
            pieces.extend(block.map(|block| Piece { block, point }));
        }
        Ok(pieces)
    }

    fn instruction<'a>(&mut self, kind: &'a PartKind) -> Result<Option<Block<'a>>, Unsayable> {
        match kind {
            PartKind::Text { text, .. } => Ok(words(text)),
            _ => Err(unsayable("system", "holds something that is not text")),
        }
    }

    /// The dialect takes pictures, documents and sound of users alone.
    fn assistant<'a>(&mut self, kind: &'a PartKind) -> Result<Option<Block<'a>>, Unsayable> {
        match kind {
            PartKind::Image { .. } | PartKind::Document { .. } | PartKind::Audio { .. } => {
                Err(unsayable("messages", "holds something else than text in what the assistant said"))
            }
            PartKind::Thought(thought) => {
                let block = self.family.era().and_then(|_| own(thought)).map(Block::ReasoningContent);
                self.hints.lose_if(block.is_none(), "reasoning");
                Ok(block)
            }
            PartKind::Call { id, name, arguments: text, free, .. } => {
                let (tool_use_id, input) = (self.ids.call(id, name), input(text, *free));
                Ok(Some(Block::ToolUse(Call { tool_use_id, name: fitting(name), input })))
            }
            _ => self.user(kind),
        }
    }

    fn user<'a>(&mut self, kind: &'a PartKind) -> Result<Option<Block<'a>>, Unsayable> {
        match kind {
            PartKind::Result { call, name, parts, failed } => {
                let tool_use_id = self.ids.result(call, name);
                let status = (*failed && self.family.is_told_all()).then_some("error");
                self.hints.lose_if(*failed && status.is_none(), "is_error");
                let content = self.given(parts)?;
                Ok(Some(Block::ToolResult(Given { tool_use_id, content, status })))
            }
            PartKind::Audio { data, format } => Ok(Some(Block::Audio(sound(data, format)?))),
            PartKind::Thought(_) | PartKind::Call { .. } => {
                Err(unsayable("messages", "holds what only an assistant says in what the user said"))
            }
            _ => self.shown(kind),
        }
    }

    /// What a tool gave: no mark stands in it.
    fn given<'a>(&mut self, parts: &'a [Part]) -> Result<Vec<Block<'a>>, Unsayable> {
        let mut blocks = Vec::new();
        for part in parts {
            self.hints.lose_if(part.cache.is_some(), "cache_control");
            blocks.extend(self.shown(&part.kind)?);
        }
        Ok(blocks)
    }

    /// What users and tools alike can show.
    fn shown<'a>(&mut self, kind: &'a PartKind) -> Result<Option<Block<'a>>, Unsayable> {
        match kind {
            PartKind::Text { text, .. } | PartKind::Refusal(text) => Ok(words(text)),
            PartKind::Image { source, detail } => {
                self.hints.lose_if(!matches!(detail.as_str(), "" | "auto"), "detail");
                Ok(Some(Block::Image(picture(source)?)))
            }
            PartKind::Document { source, name } => self.document(source, name).map(Some),
            PartKind::Other { name, .. } => Err(unsayable(name, "is not taken by Bedrock")),
            PartKind::Audio { .. } | PartKind::Thought(_) | PartKind::Call { .. } | PartKind::Result { .. } => {
                Err(unsayable("messages", "holds a result of a kind that Bedrock does not take"))
            }
        }
    }

    fn document<'a>(&mut self, source: &'a Source, name: &str) -> Result<Block<'a>, Unsayable> {
        let (document, kept) = self.names.document(source, name)?;
        self.hints.lose_if(!kept, "title");
        Ok(Block::Document(document))
    }
}

/// Words, where there are any: blank ones are refused.
fn words(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text(text))
}

/// A thought that Anthropic signed, wherever its model ran. What only the provider reads is bytes here, so base64.
fn own(thought: &Thought) -> Option<Reasoning<'_>> {
    let seal = thought.seal.as_ref().filter(|seal| seal.of == Dialect::Anthropic)?;
    match seal.kind {
        SealKind::Signature => Some(Reasoning::ReasoningText { text: &thought.text, signature: &seal.token }),
        SealKind::Encrypted => STANDARD.decode(&*seal.token).is_ok().then_some(Reasoning::RedactedContent(&seal.token)),
    }
}

/// What a tool was called with, as an object.
fn input(text: &str, free: bool) -> Box<RawValue> {
    let wrapped = || as_object(&format!("{{\"input\":{}}}", literal(text)));
    free.then(wrapped).flatten().unwrap_or_else(|| arguments(text))
}
