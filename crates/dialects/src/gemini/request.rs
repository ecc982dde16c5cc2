//! A client's request: read once, thinly, and passed on as the same bytes.
//!
//! Only what the gateway needs is judged here. Everything else, fields invented tomorrow included, is the provider's
//! to judge. Must never be here: the model, which stands in the path.

use crate::depth::{MAX_DEPTH, too_deep};
use crate::shape::{Outline, Shape, outline};
use bytes::Bytes;
use llm::{CallError, ChatRequest, Dialect};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};

/// Reads a chat request for `model`, which is asked to stream its answer or not: both stand in the path.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as Google words it.
pub fn decode(model: &str, stream: bool, raw: Bytes) -> Result<ChatRequest, CallError> {
    let text = object(&raw)?;
    let thin: Thin =
        serde_json::from_str(text).map_err(|e| invalid(format!("Invalid JSON payload received. {e}."), None))?;
    thin.contents.judge()?;
    let (model, demands) = (model.to_owned(), thin.demands());
    Ok(ChatRequest {
        dialect: Dialect::Gemini,
        model,
        stream,
        raw,
        demands,
        model_span: 0..0,
        listed: false,
        forwarded: Vec::new(),
    })
}

/// The text of a JSON object, as far as can be told before it is parsed.
pub(super) fn object(raw: &[u8]) -> Result<&str, CallError> {
    if too_deep(raw) {
        return Err(invalid(format!("The JSON body nests deeper than {MAX_DEPTH} levels."), None));
    }
    let text = std::str::from_utf8(raw)
        .map_err(|e| invalid(format!("The request body is not valid UTF-8 (at byte {}).", e.valid_up_to()), None))?;
    // A derived struct would take a list for its fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(invalid("Invalid JSON payload received. Expected an object.".into(), None));
    }
    Ok(text)
}

/// The request's bytes for `model`: the very same, for it is named by the path.
#[must_use]
pub fn with_model(request: &ChatRequest, _model: &str) -> Bytes {
    request.raw.clone()
}

/// The fields that the gateway reads. Google takes both spellings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thin {
    #[serde(default, deserialize_with = "outline")]
    contents: Contents,
    #[serde(default)]
    tools: Shape,
    #[serde(default, alias = "tool_config")]
    tool_config: Shape,
    #[serde(default, alias = "generation_config", deserialize_with = "outline")]
    generation_config: Demand,
}

impl Thin {
    /// Whether anything there may demand something of the answer.
    fn demands(&self) -> bool {
        let said = |shape: Shape| !matches!(shape, Shape::Absent | Shape::Null);
        said(self.tools) || said(self.tool_config) || self.generation_config.0
    }
}

/// The outline of `generationConfig`: whether it demands a form of the answer.
#[derive(Default)]
struct Demand(bool);

impl<'de> Outline<'de> for Demand {
    fn other(_: Shape) -> Self {
        Self(false)
    }

    fn object<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields {
            #[serde(default, alias = "response_mime_type")]
            response_mime_type: Shape,
            #[serde(default, alias = "response_schema")]
            response_schema: Shape,
            #[serde(default, alias = "response_json_schema")]
            response_json_schema: Shape,
        }
        let fields = Fields::deserialize(MapAccessDeserializer::new(entries))?;
        let all = [fields.response_mime_type, fields.response_schema, fields.response_json_schema];
        Ok(Self(all.into_iter().any(|shape| !matches!(shape, Shape::Absent | Shape::Null))))
    }
}

/// The outline of `contents`: whether it is a list of objects, or one alone, which Google takes as well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Contents {
    #[default]
    Absent,
    NoList(Shape),
    Empty,
    Sound,
    /// What stands at this place is no object.
    NoObject(usize, Shape),
}

impl Contents {
    fn judge(self) -> Result<(), CallError> {
        match self {
            Self::Sound => Ok(()),
            Self::Absent | Self::Empty | Self::NoList(Shape::Null) => Err(invalid(
                "* GenerateContentRequest.contents: contents is not specified".into(),
                Some("contents".into()),
            )),
            Self::NoList(shape) => Err(no_content("contents", shape)),
            Self::NoObject(at, shape) => Err(no_content(&format!("contents[{at}]"), shape)),
        }
    }
}

impl<'de> Outline<'de> for Contents {
    fn other(shape: Shape) -> Self {
        Self::NoList(shape)
    }

    fn object<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        Content::object(entries).map(|_| Self::Sound)
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut seen = Self::Empty;
        let mut at = 0;
        while let Some(Content(shape)) = items.next_element()? {
            if matches!(seen, Self::Empty | Self::Sound) {
                seen = if shape == Shape::Object { Self::Sound } else { Self::NoObject(at, shape) };
            }
            at += 1;
        }
        Ok(seen)
    }
}

/// The outline of one content.
struct Content(Shape);

impl<'de> Outline<'de> for Content {
    fn other(shape: Shape) -> Self {
        Self(shape)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        outline(deserializer)
    }
}

fn no_content(place: &str, shape: Shape) -> CallError {
    let message = format!("Invalid value at '{place}' (type.googleapis.com/Content), got {}.", shape.words());
    invalid(message, Some(place.to_owned()))
}

fn invalid(message: String, param: Option<String>) -> CallError {
    CallError::InvalidRequest { message, param }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HI: &str = r#""contents":[{"role":"user","parts":[{"text":"hi"}]}]"#;

    fn refusal(body: &str) -> (String, Option<String>) {
        match decode("m", false, Bytes::copy_from_slice(body.as_bytes())) {
            Err(CallError::InvalidRequest { message, param }) => (message, param),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_as_deeply_as_needed_and_kept() {
        let body = format!("{{{HI}, \"x\":[1]}}");
        let request = decode("openai/gpt", true, body.clone().into()).expect("sound");
        assert_eq!((request.model.as_str(), request.stream, request.dialect), ("openai/gpt", true, Dialect::Gemini));
        assert_eq!(with_model(&request, "other").as_ptr(), request.raw.as_ptr(), "the very same bytes");
    }

    #[test]
    fn what_demands_something_is_told() {
        for (fields, demands) in [
            ("", false),
            (r#","generationConfig":{"temperature":1}"#, false),
            (r#","generationConfig":null,"tools":null"#, false),
            (r#","generationConfig":7"#, false),
            (r#","tools":[]"#, true),
            (r#","toolConfig":{}"#, true),
            (r#","tool_config":{}"#, true),
            (r#","generationConfig":{"responseMimeType":"application/json"}"#, true),
            (r#","generation_config":{"response_schema":{}}"#, true),
            (r#","generationConfig":{"responseJsonSchema":{}}"#, true),
        ] {
            let body = format!("{{{HI}{fields}}}");
            assert_eq!(decode("m", false, body.into()).expect("a request").demands, demands, "{fields}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        for (body, message, param) in [
            ("", "Expected an object", None),
            ("[1]", "Expected an object", None),
            ("{\"contents\":", "Invalid JSON payload", None),
            ("{}", "contents is not specified", Some("contents")),
            (r#"{"contents":null}"#, "contents is not specified", Some("contents")),
            (r#"{"contents":[]}"#, "contents is not specified", Some("contents")),
            (r#"{"contents":"hi"}"#, "got a string", Some("contents")),
            (r#"{"contents":[{},7]}"#, "got a number", Some("contents[1]")),
        ] {
            let (said, at) = refusal(body);
            assert!(said.contains(message), "{body}: {said}");
            assert_eq!(at.as_deref(), param, "{body}");
        }
        assert!(decode("m", false, r#"{"contents":{"parts":{"text":"hi"}}}"#.into()).is_ok(), "one alone");
        assert!(refusal(&format!(r#"{{"contents":{}"#, "[".repeat(10_000_000))).0.contains("nests deeper"));
        let Err(CallError::InvalidRequest { message, .. }) = decode("m", false, Bytes::from_static(b"{\"\xff\"}"))
        else {
            panic!("bad UTF-8 was taken");
        };
        assert!(message.contains("UTF-8"), "{message}");
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode("m", false, bytes.into());
        }
    }
}
