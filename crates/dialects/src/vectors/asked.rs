//! A client's request for vectors, read in full.
//!
//! Must never be here: how any provider is asked.

use crate::fields::{Fields, under};
use crate::json::{Ends, Json};
use llm::{CallError, ChatRequest, Dialect, Operation};

/// What a client wants of the texts that it sends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wanted {
    pub(super) texts: Vec<String>,
    /// How long the vectors are to be.
    pub(super) dimensions: Option<u64>,
    /// What they are for, in Google's words, by the client's name for that.
    pub(super) purpose: Option<(&'static str, String)>,
    /// Fields that only say more, by the client's names: whoever writes for a provider leaves them out.
    pub(super) hints: Vec<String>,
}

/// Reads a request of one of the operations that want vectors.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault.
pub(super) fn read(request: &ChatRequest) -> Result<Wanted, CallError> {
    let ends = Ends::of(&request.raw);
    let body = fields(&request.raw, &ends).ok_or_else(|| invalid("the request", "", "an object"))?;
    match request.dialect {
        Dialect::Other(Operation::GeminiEmbed) => {
            one_of_gemini("", body).map(|(text, wanted)| Wanted { texts: vec![text], ..wanted })
        }
        Dialect::Other(Operation::GeminiBatchEmbed) => several_of_gemini(body),
        _ => of_openai(body),
    }
}

/// Whether a client of OpenAI's wants base64.
pub(super) fn wants_base64(raw: &[u8]) -> bool {
    let ends = Ends::default();
    let format = fields(raw, &ends).and_then(|body| body.get("encoding_format"));
    format.is_some_and(|format| format.get() == "\"base64\"")
}

fn fields<'a>(raw: &'a [u8], ends: &'a Ends) -> Option<Fields<'a>> {
    Fields::of(Json::taken(std::str::from_utf8(raw).ok()?, ends))
}

fn of_openai(mut body: Fields<'_>) -> Result<Wanted, CallError> {
    let input = body.take("input").ok_or_else(|| invalid("input", "", "a string or a list of strings"))?;
    let text = |json: Json<'_>| {
        let tokens = "a string: tokens of another model's are no words here";
        json.text().map(String::from).ok_or_else(|| invalid("input", json.get(), tokens))
    };
    let texts = match input.items() {
        Some(items) => items.map(text).collect::<Result<Vec<_>, _>>()?,
        None => vec![text(input)?],
    };
    if texts.is_empty() {
        return Err(invalid("input", input.get(), "at least one text"));
    }
    let dimensions = body.take("dimensions").map(|json| count("dimensions", json)).transpose()?;
    // These say how the answer is written, which is ours to do.
    let _ = (body.take("model"), body.take("encoding_format"));
    Ok(Wanted { texts, dimensions, purpose: None, hints: body.iter().map(|(name, _)| name.to_owned()).collect() })
}

fn several_of_gemini(mut body: Fields<'_>) -> Result<Wanted, CallError> {
    let requests = body.take("requests").and_then(Json::items).ok_or_else(|| invalid("requests", "", "a list"))?;
    let mut all: Option<Wanted> = None;
    for (at, request) in requests.enumerate() {
        let at = format!("requests[{at}]");
        let fields = Fields::of(request).ok_or_else(|| invalid(&at, request.get(), "an object"))?;
        let (text, wanted) = one_of_gemini(&at, fields)?;
        let all = all.get_or_insert_with(|| wanted.clone());
        if (all.dimensions, &all.purpose) != (wanted.dimensions, &wanted.purpose) {
            return Err(invalid(&at, "", "asked for like the first: providers of others take one wish for all texts"));
        }
        all.texts.push(text);
    }
    all.ok_or_else(|| invalid("requests", "[]", "at least one request"))
}

fn one_of_gemini(at: &str, mut fields: Fields<'_>) -> Result<(String, Wanted), CallError> {
    let place = under(at, "content");
    let content = fields.take("content").and_then(Fields::of).ok_or_else(|| invalid(&place, "", "an object"))?;
    let parts = content.get("parts").and_then(Json::items).into_iter().flatten();
    let text = |part: Json<'_>| Fields::of(part)?.get("text")?.text().map(String::from);
    let texts = parts.map(|part| text(part).ok_or_else(|| invalid(&place, part.get(), "text")));
    let text = texts.collect::<Result<Vec<_>, _>>()?.concat();
    if text.is_empty() {
        return Err(invalid(&place, "", "text"));
    }
    let either = |fields: &mut Fields<'_>, camel: &str, snake: &str| {
        let (camel, snake) = (fields.take(camel).map(Json::get), fields.take(snake).map(Json::get));
        camel.or(snake).map(str::to_owned)
    };
    let dimensions = either(&mut fields, "outputDimensionality", "output_dimensionality");
    let purpose = either(&mut fields, "taskType", "task_type");
    let _ = fields.take("model");
    let wanted = Wanted {
        texts: Vec::new(),
        dimensions: dimensions
            .map(|json| json.parse().map_err(|_| invalid(&under(at, "outputDimensionality"), &json, "a number")))
            .transpose()?,
        purpose: purpose.map(|word| ("taskType", word.trim_matches('"').to_owned())),
        hints: fields.iter().map(|(name, _)| name.to_owned()).collect(),
    };
    Ok((text, wanted))
}

fn count(field: &str, json: Json<'_>) -> Result<u64, CallError> {
    json.read().ok_or_else(|| invalid(field, json.get(), "a whole number"))
}

/// A field of another kind than is wanted. What stands there is shown in part.
fn invalid(field: &str, got: &str, wanted: &str) -> CallError {
    let mut shown: String = got.chars().take(40).collect();
    if shown.len() < got.len() {
        shown.push_str("...");
    }
    let got = if shown.is_empty() { String::new() } else { format!(", but got {shown}") };
    CallError::InvalidRequest {
        message: format!("Invalid value for '{field}': expected {wanted}{got}."),
        param: Some(field.to_owned()),
    }
}
