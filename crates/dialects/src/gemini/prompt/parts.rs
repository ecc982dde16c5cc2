//! What is said in a request, part by part.
//!
//! Google's calls may have no ids, and results name their tool: here each call gets an id, and each result the id of the
//! call that it answers. Ids are made of places, so that they are the same when the conversation has grown.
//! Must never be here: tools, settings.

use super::super::fields::{Fields, camel};
use super::super::json::{Object, compact};
use super::super::seal::seal;
use super::read::Others;
use crate::json::Json;
use crate::place::Place;
use llm::{CallError, Dialect, Part, PartKind, Role, Seal, Source, Thought, Turn};

/// A conversation as far as it has been read.
#[derive(Default)]
pub(super) struct Talk {
    calls: Vec<Call>,
}

/// A call that was made in it.
struct Call {
    id: String,
    name: String,
    answered: bool,
}

impl Talk {
    /// Reads one content; `role` where it is not for the content to say.
    pub(super) fn turn<'a>(
        &mut self,
        mut content: Fields<'a>,
        role: Option<Role>,
        others: &mut Others,
    ) -> Result<Turn, CallError> {
        let said = content.text("role")?;
        let role = role.unwrap_or(match said.as_deref() {
            Some("model") => Role::Assistant,
            Some("system") => Role::System,
            // Results were said by `function` once.
            _ => Role::User,
        });
        let at = content.at("parts");
        let mut parts = Vec::new();
        for (place, part) in content.list("parts").enumerate() {
            parts.extend(self.part(at.item(place), part, others)?);
        }
        others.keep_rest("contents", content);
        Ok(Turn { role, name: String::new(), parts })
    }

    fn part<'a>(&mut self, at: Place<'a>, part: Json<'a>, others: &mut Others) -> Result<Option<Part>, CallError> {
        let mut fields = Fields::read(at, part)?;
        let thought = fields.flag("thought")?.unwrap_or(false);
        let seal = fields.text("thoughtSignature")?.and_then(|token| seal(&token));
        // What says how a film is to be seen has no meaning beside anything else; nor has what Google signed, where no
        // noun has room for a seal: pictures that its models made.
        let signed = seal.as_ref().is_some_and(|seal| seal.of == Dialect::Gemini);
        let sealable = ["text", "functionCall", "functionResponse"].into_iter().any(|name| fields.has(name));
        let beyond = !sealable && fields.has_any();
        if fields.has("videoMetadata") || (signed && beyond) {
            return Ok(Some(other(part)));
        }
        let kind = if let Some(call) = fields.object("functionCall")? {
            self.call(call, seal, others)?
        } else if let Some(response) = fields.object("functionResponse")? {
            if signed {
                others.keep("contents.parts.functionResponse.thoughtSignature".to_owned(), part);
            }
            self.result(response, others)?
        } else if let Some(data) = fields.object("inlineData")? {
            match inline(data)? {
                Some(kind) => kind,
                None => return Ok(Some(other(part))),
            }
        } else if let Some(file) = fields.object("fileData")? {
            match filed(file)? {
                Some(kind) => kind,
                None => return Ok(Some(other(part))),
            }
        } else if fields.has("text") || (seal.is_some() && !beyond) {
            let text = fields.text("text")?.unwrap_or_default();
            if thought { PartKind::Thought(Thought { text, seal }) } else { PartKind::Text { text, seal } }
        } else {
            let any = part.entries().is_some_and(|mut entries| entries.next().is_some());
            return Ok(any.then(|| other(part)));
        };
        others.keep_rest("contents.parts", fields);
        Ok(Some(Part { kind, cache: None }))
    }

    fn call(&mut self, mut call: Fields<'_>, seal: Option<Seal>, others: &mut Others) -> Result<PartKind, CallError> {
        let name = call.text("name")?.unwrap_or_default();
        let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| self.fresh());
        let arguments = call.take("args").map_or_else(|| "{}".to_owned(), |args| compact(args.get()).into_owned());
        self.calls.push(Call { id: id.clone(), name: name.clone(), answered: false });
        others.keep_rest("contents.parts.functionCall", call);
        Ok(PartKind::Call { id, name, arguments, free: false, seal })
    }

    fn result(&mut self, mut response: Fields<'_>, others: &mut Others) -> Result<PartKind, CallError> {
        let (id, name) = (response.text("id")?, response.text("name")?.unwrap_or_default());
        let call = self.answered(id.filter(|id| !id.is_empty()), &name);
        let (text, failed) = response.take("response").map(told).unwrap_or_default();
        let mut parts = vec![Part { kind: PartKind::Text { text, seal: None }, cache: None }];
        let at = response.at("parts");
        for (place, part) in response.list("parts").enumerate() {
            let mut media = Fields::read(at.item(place), part)?;
            let kind = if let Some(data) = media.object("inlineData")? { inline(data)? } else { None };
            parts.push(kind.map_or_else(|| other(part), |kind| Part { kind, cache: None }));
        }
        others.keep_rest("contents.parts.functionResponse", response);
        Ok(PartKind::Result { call, name, parts, failed })
    }

    /// The id of the call that a result answers: the one it names, else the first of its tool that nobody has answered.
    fn answered(&mut self, id: Option<String>, name: &str) -> String {
        let open = |call: &&mut Call| match &id {
            Some(id) => call.id == *id,
            None => !call.answered && call.name == name,
        };
        if let Some(call) = self.calls.iter_mut().find(open) {
            call.answered = true;
            return call.id.clone();
        }
        id.unwrap_or_else(|| self.fresh())
    }

    fn fresh(&self) -> String {
        format!("call_{}", self.calls.len())
    }
}

/// What a tool gave, and whether it failed. Google's words for both are `output` and `error`, or the whole object.
fn told(response: Json<'_>) -> (String, bool) {
    let whole = || compact(response.get()).into_owned();
    let fields: Vec<_> = response.entries().into_iter().flatten().take(2).collect();
    let [(name, value)] = fields.as_slice() else { return (whole(), false) };
    match (&**name, value.text()) {
        ("output", Some(text)) => (text.into_owned(), false),
        ("error", Some(text)) => (text.into_owned(), true),
        ("error", None) => (compact(value.get()).into_owned(), true),
        _ => (whole(), false),
    }
}

/// Bytes in base64; nothing where they are of a kind that is no noun.
fn inline(mut data: Fields<'_>) -> Result<Option<PartKind>, CallError> {
    let media_type = data.text("mimeType")?.unwrap_or_default();
    let bytes = data.text("data")?.unwrap_or_default();
    if let Some(format) = media_type.strip_prefix("audio/") {
        let format = match format {
            "mpeg" => "mp3",
            "x-wav" | "wave" => "wav",
            format => format,
        };
        return Ok(Some(PartKind::Audio { data: bytes.into(), format: format.to_owned() }));
    }
    let name = data.text("displayName")?.unwrap_or_default();
    let source = Source::Inline { media_type: media_type.clone(), data: bytes.into() };
    Ok(placed(&media_type, source, name))
}

/// A file at a URL, or at Google; nothing where it is of a kind that is no noun.
fn filed(mut file: Fields<'_>) -> Result<Option<PartKind>, CallError> {
    let media_type = file.text("mimeType")?.unwrap_or_default();
    let uri = file.text("fileUri")?.unwrap_or_default();
    let name = file.text("displayName")?.unwrap_or_default();
    Ok(placed(&media_type, if is_googles(&uri) { Source::File(uri) } else { Source::Url(uri) }, name))
}

/// Whether only Google can read what is at `uri`.
fn is_googles(uri: &str) -> bool {
    uri.starts_with("gs://") || uri.starts_with("https://generativelanguage.googleapis.com/") || !uri.contains("://")
}

fn placed(media_type: &str, source: Source, name: String) -> Option<PartKind> {
    if media_type.starts_with("image/") {
        Some(PartKind::Image { source, detail: String::new() })
    } else if media_type == "application/pdf" || media_type.starts_with("text/") {
        Some(PartKind::Document { source, name })
    } else {
        None
    }
}

/// A part that is no noun, as it came but for the spelling of its names.
fn other(part: Json<'_>) -> Part {
    let known = |name: &str| !matches!(name, "thought" | "thoughtSignature");
    let entries = part.entries().into_iter().flatten().map(|(name, json)| (camel(name), json));
    let mut json = String::new();
    let mut object = Object::open(&mut json);
    let mut name = String::new();
    for (field, value) in entries.filter(|(_, value)| !value.is_null()) {
        object.json(&field, &compact(value.get()));
        if name.is_empty() && known(&field) {
            name = field.into_owned();
        }
    }
    object.close();
    Part { kind: PartKind::Other { name, json: json.into() }, cache: None }
}
