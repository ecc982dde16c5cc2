//! What is said in a request, block by block.
//!
//! A block that has more to it than our nouns have words for is kept whole, as something that only this dialect knows.
//! Must never be here: whose turn it is.

use super::super::fault::fault;
use super::super::seal::{self, seal};
use super::fields::Fields;
use crate::json::Json;
use crate::place::Place;
use crate::shape::Shape;
use llm::{CallError, Part, PartKind, Seal, SealKind, Source, Thought};
use std::collections::BTreeMap;

/// What is remembered from block to block.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Names of tools, by the ids of their calls.
    names: BTreeMap<String, String>,
    /// The seal of the call that comes next.
    of_call: Option<Seal>,
    /// Citations were asked for, or given: nothing of ours holds them.
    pub(super) cited: bool,
}

impl Parts {
    /// Reads content: one text, or a list of blocks.
    pub(super) fn content<'a>(&mut self, content: Json<'a>, path: Place<'a>) -> Result<Vec<Part>, CallError> {
        match (content.text(), content.items()) {
            (Some(text), _) => Ok(vec![plain(text.into_owned())]),
            (None, Some(blocks)) => {
                let parts = blocks.enumerate().map(|(at, block)| self.block(block, path.item(at)));
                parts.filter_map(Result::transpose).collect()
            }
            (None, None) => Err(fault(path, "Input should be a valid string or list")),
        }
    }

    /// Reads a block; nothing where it only seals the next.
    fn block<'a>(&mut self, block: Json<'a>, path: Place<'a>) -> Result<Option<Part>, CallError> {
        let mut fields = Fields::of(block, path)?;
        let name = fields.needed("type")?;
        let cache = fields.take("cache_control").map(|mark| mark.get().into());
        let kind = match &*name {
            "text" => {
                self.cited |= fields.take("citations").is_some_and(|cited| cited.shape().is_something());
                Some(PartKind::Text { text: fields.needed("text")?, seal: None })
            }
            "image" => source(&mut fields)?.map(|source| PartKind::Image { source, detail: String::new() }),
            "document" => self.document(&mut fields)?,
            "thinking" => Some(PartKind::Thought(thought(&mut fields)?)),
            "redacted_thinking" => match seal(&fields.needed("data")?, SealKind::Encrypted) {
                (seal::Place::Call, seal) => {
                    self.of_call = Some(seal);
                    return Ok(None);
                }
                (seal::Place::Thought, seal) => {
                    Some(PartKind::Thought(Thought { text: String::new(), seal: Some(seal) }))
                }
            },
            "tool_use" => self.call(&mut fields)?,
            "tool_result" => self.result(&mut fields)?,
            _ => None,
        };
        let whole = || PartKind::Other { name: name.clone(), json: block.get().into() };
        match kind.filter(|_| fields.is_empty()) {
            Some(kind) => Ok(Some(Part { kind, cache })),
            // Its mark stands in it.
            None => Ok(Some(Part { kind: whole(), cache: None })),
        }
    }

    fn document(&mut self, fields: &mut Fields<'_>) -> Result<Option<PartKind>, CallError> {
        if let Some(mut citations) = fields.object("citations")? {
            self.cited |= citations.value("enabled", "boolean")?.unwrap_or(false);
        }
        let name = fields.text("title")?.unwrap_or_default();
        Ok(source(fields)?.map(|source| PartKind::Document { source, name }))
    }

    fn call(&mut self, fields: &mut Fields<'_>) -> Result<Option<PartKind>, CallError> {
        let (id, name) = (fields.needed("id")?, fields.needed("name")?);
        let path = fields.path("input");
        let input = fields.take("input").ok_or_else(|| fault(path, "Field required"))?;
        if input.shape() != Shape::Object {
            return Err(fault(path, "Input should be an object"));
        }
        if let Some(mut caller) = fields.object("caller")?
            && caller.text("type")?.is_none_or(|kind| kind != "direct")
        {
            return Ok(None);
        }
        self.names.insert(id.clone(), name.clone());
        let seal = self.of_call.take();
        Ok(Some(PartKind::Call { id, name, arguments: input.get().to_owned(), free: false, seal }))
    }

    fn result(&mut self, fields: &mut Fields<'_>) -> Result<Option<PartKind>, CallError> {
        let call = fields.needed("tool_use_id")?;
        let failed = fields.value("is_error", "boolean")?.unwrap_or(false);
        let path = fields.path("content");
        let parts = fields.take("content").map(|content| self.content(content, path)).transpose()?.unwrap_or_default();
        let name = self.names.get(&call).cloned().unwrap_or_default();
        Ok(Some(PartKind::Result { call, name, parts, failed }))
    }
}

/// Words by themselves.
pub(super) fn plain(text: String) -> Part {
    Part { kind: PartKind::Text { text, seal: None }, cache: None }
}

fn thought(fields: &mut Fields<'_>) -> Result<Thought, CallError> {
    let text = fields.needed("thinking")?;
    let signature = fields.text("signature")?.filter(|signature| !signature.is_empty());
    Ok(Thought { text, seal: signature.map(|token| seal(&token, SealKind::Signature).1) })
}

/// Where a picture or document is; nothing where it is somewhere that we have no word for.
fn source(fields: &mut Fields<'_>) -> Result<Option<Source>, CallError> {
    let path = fields.path("source");
    let mut source = fields.object("source")?.ok_or_else(|| fault(path, "Field required"))?;
    let read = match &*source.needed("type")? {
        "base64" => Source::Inline { media_type: source.needed("media_type")?, data: source.needed("data")?.into() },
        "url" => Source::Url(source.needed("url")?),
        "file" => Source::File(source.needed("file_id")?),
        "text" => {
            source.take("media_type");
            Source::Text(source.needed("data")?)
        }
        _ => return Ok(None),
    };
    Ok(Some(read).filter(|_| source.is_empty()))
}
