//! A client's request: read once, thinly; rewritten in one place.
//!
//! Only what the gateway needs is judged here. Everything else, fields invented tomorrow included, is the provider's
//! to judge, and reaches it as the same bytes.

use crate::depth::{MAX_DEPTH, too_deep};
use crate::shape::{Outline, Shape, outline};
use bytes::{Bytes, BytesMut};
use llm::{CallError, ChatRequest, Dialect};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use std::fmt::Display;
use std::ops::Range;

/// Reads a chat request.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as OpenAI words it.
pub fn decode(raw: Bytes) -> Result<ChatRequest, CallError> {
    if too_deep(&raw) {
        return Err(invalid(format!("The JSON body nests deeper than {MAX_DEPTH} levels."), None));
    }
    let text = std::str::from_utf8(&raw)
        .map_err(|e| invalid(format!("The request body is not valid UTF-8 (at byte {}).", e.valid_up_to()), None))?;
    // A derived struct would take a list for its fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(invalid(no_object(text), None));
    }
    let thin: Thin<'_> = serde_json::from_str(text)
        .map_err(|e| invalid(format!("We could not parse the JSON body of your request: {e}."), None))?;
    thin.messages.judge()?;
    let (model, model_span) = model(thin.model, text)?;
    let stream = flag(thin.stream, "stream")?;
    let demands = thin.demands();
    Ok(ChatRequest {
        dialect: Dialect::OpenAiChat,
        model,
        stream,
        raw,
        demands,
        model_span,
        listed: false,
        forwarded: Vec::new(),
    })
}

/// The request's bytes with `model` replaced in place; the very same bytes where it already stands there.
#[must_use]
pub fn with_model(request: &ChatRequest, model: &str) -> Bytes {
    let Range { start, end } = request.model_span.clone();
    // A string cannot fail to serialise.
    let literal = serde_json::to_string(model).unwrap_or_default();
    if request.raw.get(start..end) == Some(literal.as_bytes()) {
        return request.raw.clone();
    }
    let mut spliced = BytesMut::with_capacity(request.raw.len() + literal.len());
    spliced.extend_from_slice(request.raw.get(..start).unwrap_or_default());
    spliced.extend_from_slice(literal.as_bytes());
    spliced.extend_from_slice(request.raw.get(end..).unwrap_or_default());
    spliced.freeze()
}

/// Whether usage is to be told in a stream.
#[must_use]
pub fn wants_usage(raw: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Asks {
        #[serde(default)]
        include_usage: Shape,
    }
    #[derive(Deserialize)]
    struct Thin<'a> {
        #[serde(borrow)]
        stream_options: Option<&'a RawValue>,
    }
    let options = serde_json::from_slice::<Thin<'_>>(raw).ok().and_then(|thin| thin.stream_options);
    let asks = options.and_then(|options| serde_json::from_str::<Asks>(options.get()).ok());
    asks.is_some_and(|asks| matches!(asks.include_usage, Shape::Bool(true)))
}

/// The fields that the gateway reads.
#[derive(Deserialize)]
struct Thin<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "outline")]
    messages: Messages,
    #[serde(default)]
    stream: Shape,
    #[serde(default)]
    response_format: Shape,
    #[serde(default)]
    tools: Shape,
    #[serde(default)]
    tool_choice: Shape,
    #[serde(default)]
    functions: Shape,
    #[serde(default)]
    function_call: Shape,
    #[serde(default)]
    parallel_tool_calls: Shape,
}

impl Thin<'_> {
    /// Whether anything there may demand something of the answer.
    fn demands(&self) -> bool {
        let Self { response_format, tools, tool_choice, functions, function_call, parallel_tool_calls, .. } = self;
        let all = [response_format, tools, tool_choice, functions, function_call, parallel_tool_calls];
        all.into_iter().any(|shape| !matches!(shape, Shape::Absent | Shape::Null))
    }
}

/// The model's name, and where its literal stands in `text`.
pub(crate) fn model<'a>(literal: Option<&'a RawValue>, text: &'a str) -> Result<(String, Range<usize>), CallError> {
    let Some(literal) = literal else {
        return Err(missing("model"));
    };
    let Ok(name) = serde_json::from_str::<String>(literal.get()) else {
        let shape: Shape = serde_json::from_str(literal.get()).unwrap_or_default();
        return Err(wrong_type("model", "a string", shape));
    };
    if name.is_empty() {
        return Err(missing("model"));
    }
    // Both point into the same text, which is what borrowing a RawValue means.
    let start = literal.get().as_ptr() as usize - text.as_ptr() as usize;
    Ok((name, start..start + literal.get().len()))
}

/// The outline of `messages`: whether it is a list of objects that each have a role.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Messages {
    #[default]
    Absent,
    NoList(Shape),
    Empty,
    Sound,
    /// The message at this place is no object.
    NoObject(usize, Shape),
    /// The message at this place has this for a role.
    NoRole(usize, Shape),
}

impl Messages {
    fn judge(self) -> Result<(), CallError> {
        match self {
            Self::Sound => Ok(()),
            Self::Absent | Self::NoList(Shape::Null) => Err(missing("messages")),
            Self::NoList(shape) => Err(wrong_type("messages", "an array of objects", shape)),
            Self::Empty => Err(invalid(
                "Invalid 'messages': empty array. Expected an array with at least 1 message.".into(),
                Some("messages".into()),
            )),
            Self::NoObject(at, shape) => Err(wrong_type(format!("messages[{at}]"), "an object", shape)),
            Self::NoRole(at, Shape::Absent) => Err(missing(format!("messages[{at}].role"))),
            Self::NoRole(at, shape) => Err(wrong_type(format!("messages[{at}].role"), "a string", shape)),
        }
    }
}

impl<'de> Outline<'de> for Messages {
    fn other(shape: Shape) -> Self {
        Self::NoList(shape)
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut seen = Self::Empty;
        let mut at = 0;
        while let Some(message) = items.next_element::<Message>()? {
            if matches!(seen, Self::Empty | Self::Sound) {
                seen = message.at(at);
            }
            at += 1;
        }
        Ok(seen)
    }
}

/// The outline of one message.
enum Message {
    NoObject(Shape),
    Object { role: Shape },
}

impl Message {
    fn at(self, place: usize) -> Messages {
        match self {
            Self::NoObject(shape) => Messages::NoObject(place, shape),
            Self::Object { role: Shape::Text { .. } } => Messages::Sound,
            Self::Object { role } => Messages::NoRole(place, role),
        }
    }
}

impl<'de> Outline<'de> for Message {
    fn other(shape: Shape) -> Self {
        Self::NoObject(shape)
    }

    fn object<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default)]
            role: Shape,
        }
        let fields = Fields::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(Self::Object { role: fields.role })
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        outline(deserializer)
    }
}

pub(crate) fn flag(shape: Shape, name: &str) -> Result<bool, CallError> {
    match shape {
        Shape::Absent | Shape::Null => Ok(false),
        Shape::Bool(value) => Ok(value),
        other => Err(wrong_type(name, "a boolean", other)),
    }
}

pub(crate) fn missing(place: impl Display) -> CallError {
    invalid(format!("Missing required parameter: '{place}'."), Some(place.to_string()))
}

pub(crate) fn wrong_type(place: impl Display, expected: &str, got: Shape) -> CallError {
    let message = format!("Invalid type for '{place}': expected {expected}, but got {} instead.", got.words());
    invalid(message, Some(place.to_string()))
}

pub(crate) fn invalid(message: String, param: Option<String>) -> CallError {
    CallError::InvalidRequest { message, param }
}

/// Why a text that does not begin as an object is no request.
pub(crate) fn no_object(text: &str) -> String {
    let fault = if text.trim_ascii().is_empty() { "empty: expected a JSON object" } else { "not a JSON object" };
    format!("The request body is {fault}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HI: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

    fn refusal(body: &str) -> (String, Option<String>) {
        match decode(Bytes::copy_from_slice(body.as_bytes())) {
            Err(CallError::InvalidRequest { message, param }) => (message, param),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_as_deeply_as_needed() {
        let body = format!(r#"{{"model":"gpt","stream":true,"stream_options":{{"include_usage":true}},{HI},"x":[1]}}"#);
        let request = decode(body.clone().into()).expect("sound");
        assert_eq!((request.model.as_str(), request.stream), ("gpt", true));
        assert_eq!(&request.raw[request.model_span.clone()], b"\"gpt\"");
        assert_eq!(request.raw, body);
    }

    #[test]
    fn unusual_but_legal_values_are_left_to_the_provider() {
        for body in [
            format!(r#"{{"model":"m","stream":null,{HI}}}"#),
            format!(r#"{{"model":"m","stream_options":3,{HI}}}"#),
            format!(r#"{{"model":"m","stream_options":null,"temperature":"hot",{HI}}}"#),
            r#"{"model":"m","messages":[{"role":"tomorrow","parts":{}}]}"#.to_owned(),
        ] {
            assert!(decode(body.clone().into()).is_ok(), "{body}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        for (body, message, param) in [
            ("", "body is empty", None),
            ("[1]", "not a JSON object", None),
            ("\"x\"", "not a JSON object", None),
            ("{\"model\":", "could not parse the JSON body", None),
            (r#"{"model":"m"}"#, "Missing required parameter: 'messages'", Some("messages")),
            (&format!("{{{HI}}}"), "Missing required parameter: 'model'", Some("model")),
            (&format!(r#"{{"model":"",{HI}}}"#), "Missing required parameter: 'model'", Some("model")),
            (&format!(r#"{{"model":7,{HI}}}"#), "expected a string, but got a number", Some("model")),
            (&format!(r#"{{"model":"m","stream":"yes",{HI}}}"#), "expected a boolean", Some("stream")),
            (&format!(r#"{{"model":"m","model":"n",{HI}}}"#), "duplicate field `model`", None),
            (r#"{"model":"m","messages":null}"#, "Missing required parameter: 'messages'", Some("messages")),
            (r#"{"model":"m","messages":"x"}"#, "expected an array of objects, but got a string", Some("messages")),
            (r#"{"model":"m","messages":{"a":1}}"#, "but got an object", Some("messages")),
            (r#"{"model":"m","messages":[]}"#, "empty array", Some("messages")),
            (r#"{"model":"m","messages":[1]}"#, "expected an object, but got a number", Some("messages[0]")),
            (r#"{"model":"m","messages":[{}]}"#, "'messages[0].role'", Some("messages[0].role")),
            (r#"{"model":"m","messages":[{"role":"user"},{"role":1}]}"#, "a string", Some("messages[1].role")),
        ] {
            let (said, at) = refusal(body);
            assert!(said.contains(message), "{body}: {said}");
            assert_eq!(at.as_deref(), param, "{body}");
        }
        let deep = format!(r#"{{"model":"m","messages":{}"#, "[".repeat(10_000_000));
        assert!(refusal(&deep).0.contains("nests deeper"));
        let Err(CallError::InvalidRequest { message, .. }) = decode(Bytes::from_static(b"{\"model\":\"\xff\"}")) else {
            panic!("bad UTF-8 was taken");
        };
        assert!(message.contains("UTF-8"), "{message}");
    }

    #[test]
    fn only_the_model_is_rewritten() {
        let body = format!(r#"{{ "a" : "model", "model" : "chat" ,{HI}, "z":1e3 }}"#);
        let request = decode(body.clone().into()).expect("sound");
        assert_eq!(with_model(&request, "gpt-4o"), body.replace("\"chat\"", "\"gpt-4o\""));
        assert_eq!(with_model(&request, "a\"b"), body.replace("\"chat\"", r#""a\"b""#));
        let same = with_model(&request, "chat");
        assert_eq!(same.as_ptr(), request.raw.as_ptr(), "unchanged bytes are not copied");
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(bytes.into());
        }

        #[test]
        fn splicing_keeps_everything_else(model in "\\PC{1,20}", other in "\\PC{1,20}") {
            let body = serde_json::json!({"messages": [{"role": "user", "content": other}], "model": model, "z": other});
            let request = decode(body.to_string().into()).expect("sound");
            prop_assert_eq!(&request.model, &model);
            let spliced: serde_json::Value = serde_json::from_slice(&with_model(&request, &other)).expect("valid");
            prop_assert_eq!(&spliced["model"], &other);
            prop_assert_eq!(&spliced["z"], &body["z"]);
            prop_assert_eq!(&spliced["messages"], &body["messages"]);
        }
    }
}
