//! A client's request to the words of no dialect.
//!
//! Receives the body; hands on a [`Prompt`], or the error that names the field. Must never be here: the parts of what is
//! said, tools and settings.

use super::super::fields::{Fields, invalid};
use super::super::json::compact;
use super::CACHED;
use super::parts::Talk;
use super::settings::{choice, format, generation, tools};
use crate::fields::under;
use crate::json::{Ends, Json};
use crate::place::Place;
use llm::{CallError, Demanded, Format, Other, Part, PartKind, Prompt, Role, Terms, Tool, Turn};

/// The most fields that are kept as they came.
const MAX_OTHERS: usize = 64;

/// Fields that are no noun, each name once.
#[derive(Default)]
pub(super) struct Others(Vec<Other>);

impl Others {
    /// Keeps a field under its name, which says where it stands without places in lists.
    pub(super) fn keep(&mut self, name: String, json: Json<'_>) {
        if self.0.len() < MAX_OTHERS && !self.0.iter().any(|other| other.name == name) {
            self.0.push(Other { name, json: compact(json.get()).into() });
        }
    }

    /// Keeps all that nobody has taken of the fields of an object called `of`.
    pub(super) fn keep_rest(&mut self, of: &str, fields: Fields<'_>) {
        for (name, json) in fields.rest() {
            self.keep(under(of, &name), json);
        }
    }
}

/// Reads a request in full. Whether its answer is to be streamed stands in the path: `stream` is false.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field of a type that cannot be read.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    let ends = Ends::of(raw);
    let mut fields = whole(raw, &ends)?;
    let mut others = Others::default();
    let mut turns = Vec::new();
    let mut talk = Talk::default();
    if let Some(system) = fields.object("systemInstruction")? {
        turns.push(talk.turn(system, Some(Role::System), &mut others)?);
    }
    if let Some(cached) = fields.take(CACHED) {
        // A part that nobody but Google can say: whoever writes this for others has to refuse it.
        let kind = PartKind::Other { name: CACHED.to_owned(), json: cached.get().into() };
        turns.push(Turn { role: Role::User, name: String::new(), parts: vec![Part { kind, cache: None }] });
    }
    let contents = fields.at("contents");
    for (at, content) in fields.list("contents").enumerate() {
        turns.push(talk.turn(Fields::read(contents.item(at), content)?, None, &mut others)?);
    }
    let (tools, tool_choice) = (tools(&mut fields, &mut others)?, choice(&mut fields, &mut others)?);
    let mut config = fields.object("generationConfig")?;
    let format = config.as_mut().map(format).transpose()?.unwrap_or_default();
    let (sampling, thinking) = config.map(|config| generation(config, &mut others)).transpose()?.unwrap_or_default();
    // Some clients name the model here as well.
    fields.take("model");
    others.keep_rest("", fields);
    Ok(Prompt {
        turns,
        tools,
        tool_choice,
        format,
        sampling,
        thinking,
        stream_usage: true,
        others: others.0,
        ..Prompt::default()
    })
}

/// Reads what a request demands of its answer; what cannot be read demands nothing.
#[must_use]
pub fn terms(raw: &[u8]) -> Terms {
    let ends = Ends::of(raw);
    let Ok(mut fields) = whole(raw, &ends) else { return Terms::default() };
    let mut others = Others::default();
    let declared = tools(&mut fields, &mut others).unwrap_or_default();
    let config = fields.object("generationConfig").ok().flatten();
    let format = match config.and_then(|mut config| format(&mut config).ok()) {
        // Google's word for JSON means any, not an object alone.
        Some(Format::JsonObject) => {
            Format::JsonSchema(Demanded { name: String::new(), schema: "{}".into(), strict: false })
        }
        format => format.unwrap_or_default(),
    };
    Terms {
        format,
        tools: declared.into_iter().map(|tool| Tool { name: tool.name, takes: tool.takes }).collect(),
        tool_choice: choice(&mut fields, &mut others).unwrap_or_default(),
        ..Terms::default()
    }
}

/// The fields of the request that `raw` has to be.
fn whole<'a>(raw: &'a [u8], ends: &'a Ends) -> Result<Fields<'a>, CallError> {
    let refused = |why: String| invalid(format!("Invalid JSON payload received. {why}"), Place::default());
    let body = std::str::from_utf8(raw).map_err(|_| refused("It is not UTF-8.".to_owned()))?;
    Fields::read(Place::default(), Json::taken(body, ends))
}
