//! The content of a message to parts.

use super::super::super::request::{invalid, missing, wrong_type};
use super::super::super::thoughts::block;
use super::fields::{self, Fields};
use super::message::joined;
use crate::json::Json;
use crate::place::Place;
use llm::{CallError, Other, Part, PartKind, Source};
use std::sync::Arc;

/// A part that nobody asks to cache.
pub(super) fn plain(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

/// The content that a message has to have.
pub(super) fn content(message: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<Vec<Part>, CallError> {
    let path = message.path("content");
    let content = message.take("content").ok_or_else(|| missing(path))?;
    parts(content, path, others)
}

/// Text, or a list of parts.
pub(super) fn parts<'a>(content: Json<'a>, path: Place<'a>, others: &mut Vec<Other>) -> Result<Vec<Part>, CallError> {
    if content.is_text() {
        let text = fields::text(content, path)?;
        return Ok(vec![plain(PartKind::Text { text, seal: None })]);
    }
    let items = content.items();
    let items = items.ok_or_else(|| wrong_type(path, "a string or an array of objects", content.shape()))?;
    let mut parts = Vec::new();
    for (at, item) in items.enumerate() {
        parts.extend(part(item, path.item(at), others)?);
    }
    Ok(parts)
}

/// The parts with what the message itself says of caching, which holds for its end.
pub(super) fn marked(message: &mut Fields<'_>, mut parts: Vec<Part>) -> Vec<Part> {
    if let (Some(mark), Some(last)) = (cache(message), parts.last_mut()) {
        last.cache = Some(mark);
    }
    parts
}

/// How an object asks for caching: in Anthropic's words, which OpenRouter and LiteLLM took over, or in OpenAI's, which
/// say no more than the least of those.
pub(super) fn cache(fields: &mut Fields<'_>) -> Option<Arc<str>> {
    let (theirs, ours) = (fields.take("cache_control"), fields.take("prompt_cache_breakpoint"));
    theirs.map(|mark| mark.get().into()).or_else(|| ours.map(|_| r#"{"type":"ephemeral"}"#.into()))
}

fn part<'a>(json: Json<'a>, at: Place<'a>, others: &mut Vec<Other>) -> Result<Vec<Part>, CallError> {
    let mut part = Fields::of(json, at)?;
    let cache = cache(&mut part);
    let kind = part.required_text("type")?;
    let kind = match kind.as_str() {
        "text" | "input_text" | "output_text" => PartKind::Text { text: part.required_text("text")?, seal: None },
        "refusal" => PartKind::Refusal(part.required_text("refusal")?),
        "image_url" => image(&mut part, others)?,
        "input_audio" => {
            let mut audio = part.required("input_audio")?;
            let (data, format) = (audio.required_text("data")?.into(), audio.required_text("format")?);
            others.extend(audio.rest());
            PartKind::Audio { data, format }
        }
        "file" => file(part.required("file")?, others)?,
        "thinking" | "redacted_thinking" => return Ok(json.raw().map(|raw| joined(block(raw))).unwrap_or_default()),
        _ => return Ok(vec![Part { kind: PartKind::Other { name: kind, json: json.get().into() }, cache }]),
    };
    others.extend(part.rest());
    Ok(vec![Part { kind, cache }])
}

fn image(part: &mut Fields<'_>, others: &mut Vec<Other>) -> Result<PartKind, CallError> {
    let path = part.path("image_url");
    let json = part.take("image_url").ok_or_else(|| missing(path))?;
    // Some clients write the address alone.
    let (url, detail) = if json.is_text() {
        (fields::text(json, path)?, None)
    } else {
        let mut image = Fields::of(json, path)?;
        let told = (image.required_text("url")?, image.text("detail")?);
        others.extend(image.rest());
        told
    };
    let source = match inline(&url) {
        Some(source) => source,
        None if url.starts_with("data:") => {
            let message = "Invalid image: expected a data URL as 'data:MEDIA_TYPE;base64,DATA'.";
            return Err(invalid(message.into(), Some(path.to_string())));
        }
        None => Source::Url(url),
    };
    Ok(PartKind::Image { source, detail: detail.unwrap_or_default() })
}

/// A document: by id, as a data URL, as bare base64, or, of some servers, at a URL.
fn file(mut file: Fields<'_>, others: &mut Vec<Other>) -> Result<PartKind, CallError> {
    let name = file.text("filename")?.unwrap_or_default();
    let source = match (file.text("file_id")?, file.text("file_data")?) {
        (Some(id), _) => Source::File(id),
        (None, Some(data)) if data.starts_with("http://") || data.starts_with("https://") => Source::Url(data),
        (None, Some(data)) => inline(&data)
            .unwrap_or_else(|| Source::Inline { media_type: "application/pdf".into(), data: data.as_str().into() }),
        (None, None) => return Err(missing(file.path("file_data"))),
    };
    others.extend(file.rest());
    Ok(PartKind::Document { source, name })
}

/// What a data URL holds, where it holds base64.
fn inline(url: &str) -> Option<Source> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    let media_type = media_type.split(';').next().filter(|media_type| !media_type.is_empty())?;
    Some(Source::Inline { media_type: media_type.to_owned(), data: data.into() })
}
