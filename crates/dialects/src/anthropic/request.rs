//! A client's request: read once, thinly; rewritten in one place.
//!
//! Only what the gateway needs is judged here. Everything else, fields invented tomorrow included, is the provider's to
//! judge, and reaches it as the same bytes.

use super::fault::{fault, unreadable};
use crate::depth::{MAX_DEPTH, too_deep};
use crate::shape::{Outline, Shape, outline};
use bytes::Bytes;
use llm::{CallError, ChatRequest, Dialect};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use std::ops::Range;

/// Reads a request for an answer, or for a count of its tokens, which has the same fields.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, worded as Anthropic words it.
pub fn decode(raw: Bytes) -> Result<ChatRequest, CallError> {
    if too_deep(&raw) {
        return Err(unreadable(&format!("nests deeper than {MAX_DEPTH} levels")));
    }
    let text = std::str::from_utf8(&raw)
        .map_err(|e| unreadable(&format!("is not valid UTF-8 (at byte {})", e.valid_up_to())))?;
    // A derived struct would take a list for its fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(unreadable("is not a JSON object"));
    }
    let thin: Thin<'_> = serde_json::from_str(text).map_err(|e| unreadable(&format!("is not valid JSON: {e}")))?;
    thin.messages.judge()?;
    let (model, model_span) = thin.model(text)?;
    let stream = match thin.stream {
        Shape::Absent | Shape::Null => false,
        Shape::Bool(value) => value,
        _ => return Err(fault("stream", "Input should be a valid boolean")),
    };
    let demands = thin.demands();
    Ok(ChatRequest {
        dialect: Dialect::Anthropic,
        model,
        stream,
        raw,
        demands,
        model_span,
        listed: false,
        forwarded: Vec::new(),
    })
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
    output_config: Shape,
    #[serde(default)]
    output_format: Shape,
    #[serde(default)]
    tools: Shape,
    #[serde(default)]
    tool_choice: Shape,
}

impl<'a> Thin<'a> {
    /// Whether anything there may demand something of the answer.
    fn demands(&self) -> bool {
        let all = [self.output_config, self.output_format, self.tools, self.tool_choice];
        all.into_iter().any(|shape| !matches!(shape, Shape::Absent | Shape::Null))
    }

    /// The model's name, and where its literal stands in `text`.
    fn model(&self, text: &'a str) -> Result<(String, Range<usize>), CallError> {
        let literal = self.model.ok_or_else(|| fault("model", "Field required"))?;
        let name: String =
            serde_json::from_str(literal.get()).map_err(|_| fault("model", "Input should be a valid string"))?;
        if name.is_empty() {
            return Err(fault("model", "String should have at least 1 character"));
        }
        // Both point into the same text, which is what borrowing a RawValue means.
        let start = literal.get().as_ptr() as usize - text.as_ptr() as usize;
        Ok((name, start..start + literal.get().len()))
    }
}

/// The outline of `messages`: whether it is a list of objects that each have a role.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Messages {
    #[default]
    Absent,
    NoList,
    Empty,
    Sound,
    /// The message at this place is no object.
    NoObject(usize),
    /// The message at this place has this for a role.
    NoRole(usize, Shape),
}

impl Messages {
    fn judge(self) -> Result<(), CallError> {
        match self {
            Self::Sound => Ok(()),
            Self::Absent => Err(fault("messages", "Field required")),
            Self::NoList => Err(fault("messages", "Input should be a valid list")),
            Self::Empty => Err(fault("messages", "at least one message is required")),
            Self::NoObject(at) => Err(fault(format!("messages.{at}"), "Input should be an object")),
            Self::NoRole(at, Shape::Absent) => Err(fault(format!("messages.{at}.role"), "Field required")),
            Self::NoRole(at, _) => Err(fault(format!("messages.{at}.role"), "Input should be a valid string")),
        }
    }
}

impl<'de> Outline<'de> for Messages {
    fn other(_: Shape) -> Self {
        Self::NoList
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let (mut seen, mut at) = (Self::Empty, 0);
        while let Some(message) = items.next_element::<Message>()? {
            if matches!(seen, Self::Empty | Self::Sound) {
                seen = match message {
                    Message::NoObject => Self::NoObject(at),
                    Message::Object { role: Shape::Text { .. } } => Self::Sound,
                    Message::Object { role } => Self::NoRole(at, role),
                };
            }
            at += 1;
        }
        Ok(seen)
    }
}

/// The outline of one message.
enum Message {
    NoObject,
    Object { role: Shape },
}

impl<'de> Outline<'de> for Message {
    fn other(_: Shape) -> Self {
        Self::NoObject
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

#[cfg(test)]
mod tests {
    use super::super::with_model;
    use super::*;
    use proptest::prelude::*;

    const HI: &str = r#""max_tokens":9,"messages":[{"role":"user","content":"hi"}]"#;

    #[test]
    fn a_request_is_read_as_deeply_as_needed() {
        let body = format!(r#"{{"model":"chat","stream":true,{HI},"x":[1]}}"#);
        let request = decode(body.clone().into()).expect("sound");
        assert_eq!((request.dialect, request.model.as_str(), request.stream), (Dialect::Anthropic, "chat", true));
        assert_eq!(&request.raw[request.model_span.clone()], b"\"chat\"");
        assert_eq!(request.raw, body);
        assert_eq!(with_model(&request, "claude-x"), body.replace("\"chat\"", "\"claude-x\""));
    }

    #[test]
    fn unusual_but_legal_values_are_left_to_the_provider() {
        for body in [
            format!(r#"{{"model":"m","stream":null,{HI}}}"#),
            format!(r#"{{"model":"m","temperature":"hot",{HI}}}"#),
            r#"{"model":"m","messages":[{"role":"tomorrow","parts":{}},{"role":"system","content":"x"}]}"#.to_owned(),
        ] {
            assert!(decode(body.clone().into()).is_ok_and(|request| !request.demands), "{body}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        for (body, expected, at) in [
            ("", "The request body is not a JSON object.", None),
            ("[1]", "The request body is not a JSON object.", None),
            (r#"{"model":"m"}"#, "messages: Field required", Some("messages")),
            (&format!("{{{HI}}}"), "model: Field required", Some("model")),
            (&format!(r#"{{"model":"",{HI}}}"#), "model: String should have at least 1 character", Some("model")),
            (&format!(r#"{{"model":7,{HI}}}"#), "model: Input should be a valid string", Some("model")),
            (
                &format!(r#"{{"model":"m","stream":"yes",{HI}}}"#),
                "stream: Input should be a valid boolean",
                Some("stream"),
            ),
            (r#"{"model":"m","messages":"x"}"#, "messages: Input should be a valid list", Some("messages")),
            (r#"{"model":"m","messages":[]}"#, "messages: at least one message is required", Some("messages")),
            (r#"{"model":"m","messages":[1]}"#, "messages.0: Input should be an object", Some("messages.0")),
            (r#"{"model":"m","messages":[{}]}"#, "messages.0.role: Field required", Some("messages.0.role")),
            (
                r#"{"model":"m","messages":[{"role":"user"},{"role":1}]}"#,
                "messages.1.role: Input should be a valid string",
                Some("messages.1.role"),
            ),
        ] {
            match decode(Bytes::copy_from_slice(body.as_bytes())) {
                Err(CallError::InvalidRequest { message, param }) => {
                    assert_eq!((message.as_str(), param.as_deref()), (expected, at), "{body}");
                }
                other => panic!("{body}: {other:?}"),
            }
        }
        for body in [format!(r#"{{"model":"m","messages":{}"#, "[".repeat(10_000_000)).into_bytes(), b"{\"\xff".into()]
        {
            assert!(decode(body.into()).is_err());
        }
    }

    #[test]
    fn what_may_demand_something_is_told() {
        for (fields, demands) in [
            ("", false),
            (r#","tools":null"#, false),
            (r#","tools":[]"#, true),
            (r#","tool_choice":{"type":"any"}"#, true),
            (r#","output_config":{"effort":"high"}"#, true),
            (r#","output_format":{}"#, true),
            (r#","t\u006fols":[]"#, true),
        ] {
            let body = format!(r#"{{"model":"m",{HI}{fields}}}"#);
            assert_eq!(decode(body.into()).expect("sound").demands, demands, "{fields}");
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(bytes.into());
        }
    }
}
