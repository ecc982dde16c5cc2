//! A client's request: read once, thinly, and passed on with its model replaced.
//!
//! Must never be here: what else is asked; that is the provider's to judge.

use super::form::{boundary, field};
use crate::depth::{MAX_DEPTH, too_deep};
use crate::openai_chat::request::model;
use crate::shape::Shape;
use crate::{anthropic, openai_chat, wants_vectors};
use bytes::{Bytes, BytesMut};
use llm::{CallError, ChatRequest, Dialect, Operation};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;

/// Reads the JSON request of an operation; `named` is the model where the path names it.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault.
pub fn decode(operation: Operation, named: Option<&str>, raw: Bytes) -> Result<ChatRequest, CallError> {
    if operation == Operation::CountTokens {
        return Ok(of(operation, anthropic::decode(raw)?));
    }
    if too_deep(&raw) {
        return Err(invalid(format!("The JSON body nests deeper than {MAX_DEPTH} levels."), None));
    }
    let text = std::str::from_utf8(&raw)
        .map_err(|e| invalid(format!("The request body is not valid UTF-8 (at byte {}).", e.valid_up_to()), None))?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err(invalid("We could not parse the JSON body of your request: expected an object.".into(), None));
    }
    let thin: Thin<'_> = serde_json::from_str(text)
        .map_err(|e| invalid(format!("We could not parse the JSON body of your request: {e}."), None))?;
    let (model, model_span) = match (named, thin.model, operation) {
        (Some(named), ..) => (named.to_owned(), 0..0),
        // OpenAI has a default here, which is no route: the provider of `*` may know one.
        (None, None, Operation::Moderations) => ("omni-moderation-latest".to_owned(), 0..0),
        (None, literal, _) => model(literal, text)?,
    };
    let stream = match operation {
        // Whose sound may come as events, or in one piece.
        Operation::Speech => thin.stream_format.is_some_and(|format| format.get() == "\"sse\""),
        _ => match thin.stream {
            Shape::Absent | Shape::Null => false,
            // Vectors are none, whatever is asked.
            Shape::Bool(stream) => stream && !wants_vectors(Dialect::Other(operation)),
            _ => return Err(invalid("Invalid type for 'stream': expected a boolean.".into(), Some("stream"))),
        },
    };
    Ok(request(operation, model, stream, model_span, raw))
}

/// Reads the form of an operation, of this content type.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault.
pub fn decode_form(operation: Operation, content_type: &str, raw: Bytes) -> Result<ChatRequest, CallError> {
    let boundary = boundary(content_type)
        .ok_or_else(|| invalid("Expected a form: `Content-Type: multipart/form-data; boundary=...`.".into(), None))?;
    let value = |name| field(&raw, boundary, name);
    let text = |at: Range<usize>| std::str::from_utf8(raw.get(at)?).ok();
    let missing = || invalid("Missing required parameter: 'model'.".into(), Some("model"));
    let model_span = value("model").ok_or_else(missing)?;
    let model = text(model_span.clone()).filter(|model| !model.is_empty()).ok_or_else(missing)?.to_owned();
    let stream = value("stream").and_then(text).is_some_and(|stream| stream.eq_ignore_ascii_case("true"));
    Ok(request(operation, model, stream, model_span, raw))
}

/// The request's bytes with `model` replaced in place; the very same where it stands there or in the path.
#[must_use]
pub fn with_model(operation: Operation, request: &ChatRequest, model: &str) -> Bytes {
    let Range { start, end } = request.model_span.clone();
    if start == end {
        return request.raw.clone();
    }
    if !operation.is_a_form() {
        return openai_chat::with_model(request, model);
    }
    let mut spliced = BytesMut::with_capacity(request.raw.len() + model.len());
    spliced.extend_from_slice(request.raw.get(..start).unwrap_or_default());
    spliced.extend_from_slice(model.as_bytes());
    spliced.extend_from_slice(request.raw.get(end..).unwrap_or_default());
    spliced.freeze()
}

/// The fields that the gateway reads.
#[derive(Deserialize)]
struct Thin<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(default)]
    stream: Shape,
    #[serde(borrow)]
    stream_format: Option<&'a RawValue>,
}

fn request(operation: Operation, model: String, stream: bool, model_span: Range<usize>, raw: Bytes) -> ChatRequest {
    ChatRequest {
        dialect: Dialect::Other(operation),
        model,
        stream,
        raw,
        demands: false,
        model_span,
        listed: false,
        forwarded: Vec::new(),
    }
}

/// The same request, for what is asked beside an answer.
fn of(operation: Operation, request: ChatRequest) -> ChatRequest {
    ChatRequest { dialect: Dialect::Other(operation), stream: false, demands: false, ..request }
}

fn invalid(message: String, param: Option<&str>) -> CallError {
    CallError::InvalidRequest { message, param: param.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_pass_but_for_their_model() {
        for (operation, raw, model, stream, after) in [
            (
                Operation::Embeddings,
                r#"{"model": "e","input":"h\u00e9"}"#,
                "e",
                false,
                r#"{"model": "m","input":"h\u00e9"}"#,
            ),
            (Operation::Embeddings, r#"{"model":"e","stream":true}"#, "e", false, r#"{"model":"m","stream":true}"#),
            (Operation::Completions, r#"{"model":"e","stream":true}"#, "e", true, r#"{"model":"m","stream":true}"#),
            (
                Operation::Speech,
                r#"{"model":"e","stream_format":"sse"}"#,
                "e",
                true,
                r#"{"model":"m","stream_format":"sse"}"#,
            ),
            (Operation::Speech, r#"{"model":"e","stream":true}"#, "e", false, r#"{"model":"m","stream":true}"#),
            (Operation::Moderations, r#"{"input":"a"}"#, "omni-moderation-latest", false, r#"{"input":"a"}"#),
            (
                Operation::CountTokens,
                r#"{"model":"e","messages":[{"role":"user","content":"a"}]}"#,
                "e",
                false,
                r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
            ),
        ] {
            let request = decode(operation, None, Bytes::from_static(raw.as_bytes())).expect(raw);
            assert_eq!((request.model.as_str(), request.stream), (model, stream), "{raw}");
            assert_eq!(with_model(operation, &request, "m"), after);
        }
        let raw = Bytes::from_static(b"{ \"content\": {} }");
        let request = decode(Operation::GeminiEmbed, Some("e"), raw.clone()).expect("read");
        assert_eq!((request.model.as_str(), with_model(Operation::GeminiEmbed, &request, "m")), ("e", raw));
    }

    #[test]
    fn forms_pass_but_for_their_model() {
        let form =
            |model: &str| format!("--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--x--\r\n");
        let read = |raw: String| decode_form(Operation::Transcriptions, "multipart/form-data; boundary=x", raw.into());
        let request = read(form("whisper-1")).expect("read");
        assert_eq!((request.model.as_str(), request.stream), ("whisper-1", false));
        assert_eq!(with_model(Operation::Transcriptions, &request, "m"), form("m"));
        assert!(read(form("")).is_err() && read("--x--".into()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_field() {
        for (raw, param) in [
            ("{}", Some("model")),
            (r#"{"model":7}"#, Some("model")),
            (r#"{"model":"m","stream":"yes"}"#, Some("stream")),
            ("[]", None),
            ("{", None),
        ] {
            let refused = decode(Operation::Embeddings, None, Bytes::from_static(raw.as_bytes())).expect_err(raw);
            let CallError::InvalidRequest { param: named, .. } = refused else { panic!("{raw}: {refused:?}") };
            assert_eq!(named.as_deref(), param, "{raw}");
        }
    }
}
