//! A client's request: read once, thinly; rewritten in one place, or in two.
//!
//! Only what the gateway needs is judged here. Everything else, fields invented tomorrow included, is the provider's
//! to judge, and reaches it as the same bytes.

use super::seal::{Place, is_envelope, may_hold_envelopes, opened, own};
use super::wire::{Item as WireItem, fields, list, object, text};
use crate::depth::{MAX_DEPTH, too_deep};
use crate::openai_chat;
use crate::openai_chat::request::{flag, invalid, missing, model, no_object, wrong_type};
use crate::shape::{Outline, Shape, outline};
use bytes::Bytes;
use llm::{CallError, ChatRequest, Dialect};
use serde::de::{Deserializer, SeqAccess};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads a request.
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
    thin.input.judge(thin.may_lack_input())?;
    let (model, model_span) = model(thin.model, text)?;
    let stream = flag(thin.stream, "stream")?;
    let demands = thin.demands();
    Ok(ChatRequest {
        dialect: Dialect::Responses,
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
///
/// Where an answer that another dialect gave left seals in the conversation, they are taken out of it, for they mean
/// nothing to a provider of this one; its own are restored.
#[must_use]
pub fn with_model(request: &ChatRequest, model: &str) -> Bytes {
    let bytes = openai_chat::with_model(request, model);
    if !may_hold_envelopes(&bytes) {
        return bytes;
    }
    unsealed(&bytes).unwrap_or(bytes)
}

/// `body` with the envelopes taken out of its `input`, if it holds any.
fn unsealed(body: &Bytes) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Given<'a> {
        #[serde(borrow)]
        input: Option<&'a RawValue>,
    }
    let input = object::<Given<'_>>(body)?.input.filter(|input| input.get().starts_with('['))?;
    let items: Vec<Cow<'_, str>> = list(Some(input)).into_iter().filter_map(given_back).collect();
    // Both point into the same text, which is what borrowing a RawValue means.
    let start = input.get().as_ptr() as usize - body.as_ptr() as usize;
    let (before, after) = (body.get(..start)?, body.get(start + input.get().len()..)?);
    Some([before, b"[", items.join(",").as_bytes(), b"]", after].concat().into())
}

/// An item as a provider of this dialect is given it; nothing where it only carries what is another's.
fn given_back(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Serialize)]
    struct Reasoning<'a> {
        r#type: &'static str,
        id: &'a str,
        summary: Option<&'a RawValue>,
        encrypted_content: &'a str,
    }
    let item: WireItem<'_> = fields(Some(raw)).unwrap_or_default();
    let content = text(item.encrypted_content);
    if !is_envelope(&content) {
        return Some(Cow::Borrowed(raw.get()));
    }
    let (place, seal) = opened("", &content);
    let (id, encrypted_content) = own(&seal).filter(|_| place == Place::Thought)?;
    let item = Reasoning { r#type: "reasoning", id, summary: item.summary, encrypted_content };
    serde_json::to_string(&item).ok().map(Cow::Owned)
}

/// The fields that the gateway reads.
#[derive(Deserialize)]
struct Thin<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "outline")]
    input: Input,
    #[serde(default)]
    stream: Shape,
    #[serde(default)]
    previous_response_id: Shape,
    #[serde(default)]
    conversation: Shape,
    #[serde(default)]
    prompt: Shape,
    #[serde(default)]
    text: Shape,
    #[serde(default)]
    tools: Shape,
    #[serde(default)]
    tool_choice: Shape,
    #[serde(default)]
    parallel_tool_calls: Shape,
}

impl Thin<'_> {
    /// Whether anything there may demand something of the answer.
    fn demands(&self) -> bool {
        let Self { text, tools, tool_choice, parallel_tool_calls, .. } = self;
        [text, tools, tool_choice, parallel_tool_calls].into_iter().any(|shape| shape.is_something())
    }

    /// Whether what is asked stands at the provider.
    fn may_lack_input(&self) -> bool {
        [self.previous_response_id, self.conversation, self.prompt].into_iter().any(Shape::is_something)
    }
}

/// The outline of `input`: whether it is a text, or a list of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Input {
    #[default]
    Absent,
    Sound,
    Empty,
    Wrong(Shape),
    /// The item at this place is no object.
    NoObject(usize, Shape),
}

impl Input {
    fn judge(self, may_lack: bool) -> Result<(), CallError> {
        match self {
            Self::Sound => Ok(()),
            Self::Absent | Self::Empty | Self::Wrong(Shape::Null) if may_lack => Ok(()),
            Self::Absent | Self::Wrong(Shape::Null) => Err(missing("input")),
            Self::Empty => Err(invalid(
                "Invalid 'input': empty array. Expected an array with at least 1 item.".into(),
                Some("input".into()),
            )),
            Self::Wrong(shape) => Err(wrong_type("input", "a string or an array of objects", shape)),
            Self::NoObject(at, shape) => Err(wrong_type(format!("input[{at}]"), "an object", shape)),
        }
    }
}

impl<'de> Outline<'de> for Input {
    fn other(shape: Shape) -> Self {
        if matches!(shape, Shape::Text { .. }) { Self::Sound } else { Self::Wrong(shape) }
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut seen = Self::Empty;
        let mut at = 0;
        while let Some(Item(shape)) = items.next_element()? {
            if matches!(seen, Self::Empty | Self::Sound) {
                seen = if shape == Shape::Object { Self::Sound } else { Self::NoObject(at, shape) };
            }
            at += 1;
        }
        Ok(seen)
    }
}

/// The shape of one item.
struct Item(Shape);

impl<'de> Outline<'de> for Item {
    fn other(shape: Shape) -> Self {
        Self(shape)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        outline(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(body: &str) -> (String, Option<String>) {
        match decode(Bytes::copy_from_slice(body.as_bytes())) {
            Err(CallError::InvalidRequest { message, param }) => (message, param),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_as_deeply_as_needed() {
        let body = r#"{"input":"hi","model":"gpt","stream":true,"tools":[],"x":[1]}"#;
        let request = decode(body.into()).expect("sound");
        assert_eq!((request.model.as_str(), request.stream, request.demands), ("gpt", true, false));
        assert_eq!((request.dialect, &request.raw[request.model_span.clone()]), (Dialect::Responses, &b"\"gpt\""[..]));
        assert_eq!(with_model(&request, "o5"), body.replace("\"gpt\"", "\"o5\""));
        for field in [r#""text":{}"#, r#""tools":[{}]"#, r#""tool_choice":"auto""#, r#""parallel_tool_calls":false"#] {
            let body = format!(r#"{{"model":"m","input":"hi",{field}}}"#);
            assert!(decode(body.into()).expect("sound").demands, "{field}");
        }
    }

    #[test]
    fn unusual_but_legal_values_are_left_to_the_provider() {
        for body in [
            r#"{"model":"m","input":"","stream":null}"#,
            r#"{"model":"m","input":[{}],"temperature":"hot"}"#,
            r#"{"model":"m","input":[{"type":"tomorrow"}],"tools":7}"#,
            r#"{"model":"m","prompt":{"id":"pmpt_1"}}"#,
            r#"{"model":"m","previous_response_id":"resp_1","input":[]}"#,
            r#"{"model":"m","conversation":"conv_1","input":null}"#,
        ] {
            assert!(decode(body.into()).is_ok(), "{body}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        for (body, message, param) in [
            ("", "body is empty", None),
            ("[1]", "not a JSON object", None),
            ("{\"model\":", "could not parse the JSON body", None),
            (r#"{"model":"m"}"#, "Missing required parameter: 'input'", Some("input")),
            (r#"{"model":"m","input":null,"prompt":null}"#, "Missing required parameter: 'input'", Some("input")),
            (r#"{"input":"hi"}"#, "Missing required parameter: 'model'", Some("model")),
            (r#"{"model":"","input":"hi"}"#, "Missing required parameter: 'model'", Some("model")),
            (r#"{"model":7,"input":"hi"}"#, "expected a string, but got a number", Some("model")),
            (r#"{"model":"m","input":"hi","stream":"yes"}"#, "expected a boolean", Some("stream")),
            (r#"{"model":"m","input":"hi","input":"ho"}"#, "duplicate field `input`", None),
            (r#"{"model":"m","input":{}}"#, "a string or an array of objects, but got an object", Some("input")),
            (r#"{"model":"m","input":[]}"#, "empty array", Some("input")),
            (r#"{"model":"m","input":[{},"hi"]}"#, "expected an object, but got a string", Some("input[1]")),
        ] {
            let (said, at) = refusal(body);
            assert!(said.contains(message), "{body}: {said}");
            assert_eq!(at.as_deref(), param, "{body}");
        }
        assert!(refusal(&format!(r#"{{"model":"m","input":{}"#, "[".repeat(1000))).0.contains("nests deeper"));
        assert!(matches!(decode(Bytes::from_static(b"{\"model\":\"\xff\"}")), Err(CallError::InvalidRequest { .. })));
    }

    #[test]
    fn seals_of_other_dialects_stay_behind() {
        let body = r#"{"model":"m","input":[{"role":"user","content":"\"seal:"} ,
            {"type":"reasoning","id":"rs_0","summary":[{"text":"a"}],"encrypted_content":"seal:anthropic:signature:thought:s"},
            {"type":"reasoning","id":"rs_1","summary":[{"text":"b"}],"encrypted_content":"seal:responses:encrypted:thought:rs_9|g"},
            {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAA"}],"x":[1]}"#;
        let request = decode(body.into()).expect("sound");
        let sent: serde_json::Value = serde_json::from_slice(&with_model(&request, "gpt")).expect("JSON");
        let expected = serde_json::json!({"model": "gpt", "x": [1], "input": [
            {"role": "user", "content": "\"seal:"},
            {"type": "reasoning", "id": "rs_9", "summary": [{"text": "b"}], "encrypted_content": "g"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAA"},
        ]});
        assert_eq!(sent, expected);
        let plain = decode(r#"{"model":"m","input":"\"seal:"}"#.into()).expect("sound");
        assert_eq!(with_model(&plain, "m"), plain.raw, "a text is no list of items");
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(bytes.into());
        }
    }
}
