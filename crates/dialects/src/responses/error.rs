//! Errors, both ways: what a provider's says, and how ours end a stream. Bodies are worded as those of chat completions.
//!
//! Receives a status with a body, or an error of ours; hands on a [`ProviderError`], or events.
//! Must never be here: what follows from an error.

use super::answer::{Fault, Snapshot, Status, say};
use super::wire::{Raw, Response, Word, fields, object, text};
use crate::{Rendered, openai_chat};
use bytes::{Bytes, BytesMut};
use llm::{ErrorKind, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// Codes of a question or answer that policy forbids.
const POLICY: [&str; 4] =
    ["bio_policy", "cyber_policy", "image_content_policy_violation", "misalignment_policy_violation"];

/// Codes of a request that is at fault, as they are told within a stream.
const FAULTS: [&str; 15] = [
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
    "image_file_too_large",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "invalid_base64_image",
    "invalid_image",
    "invalid_image_format",
    "invalid_image_mode",
    "invalid_image_url",
    "invalid_prompt",
    "previous_response_not_found",
    "unsupported_image_media_type",
];

/// Reads an error body that came with HTTP `status`, or an event or answer within a 200 that tells of a failure.
///
/// The error that is kept is worded as a body is, `{"error": {...}}`, whatever it came in.
#[must_use]
pub fn read_error(status: u16, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
    let body = worded(body).unwrap_or_else(|| body.clone());
    let mut error = openai_chat::read_error(status, &body, retry_after);
    let code = error.code.as_str();
    if POLICY.contains(&code) && (status < 400 || error.kind == ErrorKind::InvalidRequest) {
        (error.status, error.kind) = (if status < 400 { 400 } else { status }, ErrorKind::ContentPolicy);
    } else if status < 400 && error.status == 500 {
        (error.status, error.kind) = match code {
            code if FAULTS.contains(&code) => (400, ErrorKind::InvalidRequest),
            "data_residency_mismatch" => (403, ErrorKind::Permission),
            "vector_store_timeout" => (504, ErrorKind::Server),
            _ => (500, error.kind),
        };
    }
    error
}

/// The error in an event or a failed answer, worded as a body is; nothing where `body` is such a body already.
fn worded(body: &Bytes) -> Option<Bytes> {
    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Wire<'a> {
        #[serde(borrow, rename = "type")]
        kind: Word<'a>,
        #[serde(borrow)]
        object: Word<'a>,
        #[serde(borrow)]
        response: Raw<'a>,
        #[serde(borrow)]
        error: Raw<'a>,
    }
    let wire: Wire<'_> = object(body)?;
    let failed = fields::<Response<'_>>(wire.response).and_then(|response| response.error);
    let ours = wire.kind.get() == "error" || wire.object.get() == "response";
    let error = failed.or(wire.error.filter(|_| ours)).map(RawValue::get);
    let flat = (wire.kind.get() == "error").then(|| std::str::from_utf8(body).ok()).flatten();
    Some(Bytes::from(format!("{{\"error\":{}}}", error.or(flat)?)))
}

/// A worded error as the last events of a stream that has not begun: `error`, then `response.failed`, as OpenAI tells
/// it. Of one that has, [`Writer::fail`](super::Writer::fail) and
/// [`StreamDecoder::failing`](super::StreamDecoder::failing) know the numbers and names.
#[must_use]
pub fn as_event(error: &Rendered) -> Bytes {
    let mut out = BytesMut::new();
    fail(error, &Snapshot::default(), &mut 0, &mut out);
    out.freeze()
}

/// Writes the last events of a stream that failed; `so_far` is what was told of its answer.
pub(super) fn fail(error: &Rendered, so_far: &Snapshot<'_>, sequence: &mut u64, out: &mut BytesMut) {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Inner<'a> {
        #[serde(borrow)]
        code: Raw<'a>,
        #[serde(borrow)]
        message: Raw<'a>,
        #[serde(borrow)]
        param: Raw<'a>,
    }
    #[derive(Serialize)]
    struct Flat<'a> {
        code: &'a str,
        message: &'a str,
        param: Raw<'a>,
        /// Python's library raises where it finds this, and hands on an event like any other where it does not.
        error: Raw<'a>,
    }
    #[derive(Serialize)]
    struct Failed<'a> {
        response: &'a Snapshot<'a>,
    }
    let body: Response<'_> = object(&error.body).unwrap_or_default();
    let inner: Inner<'_> = fields(body.error).unwrap_or_default();
    let (code, message) = (text(inner.code), text(inner.message));
    let code = if code.is_empty() { error.code } else { code.as_str() };
    say(out, sequence, "error", &Flat { code, message: &message, param: inner.param, error: body.error });
    let response = Snapshot { status: Status::Failed, error: Some(Fault { code, message: &message }), ..*so_far };
    say(out, sequence, "response.failed", &Failed { response: &response });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai_chat::render;
    use ErrorKind::*;
    use llm::CallError;
    use serde_json::Value;

    #[test]
    fn errors_are_understood_wherever_they_stand() {
        let plain = r#"{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded","param":null}}"#;
        let nested =
            r#"{"type":"error","sequence_number":2,"error":{"type":"x","code":"insufficient_quota","message":"m"}}"#;
        let failed = |code: &str| {
            format!(r#"{{"type":"response.failed","response":{{"id":"r","error":{{"code":"{code}","message":"m"}}}}}}"#)
        };
        let flat = r#"{"type":"error","code":"server_is_overloaded","message":"m","param":null,"sequence_number":1}"#;
        let whole = r#"{"object":"response","status":"failed","error":{"code":"invalid_prompt","message":"m"}}"#;
        for (status, body, kind, stands_for) in [
            (429, plain.to_owned(), RateLimited, 429),
            (200, plain.to_owned(), RateLimited, 429),
            (200, nested.to_owned(), QuotaExhausted, 429),
            (200, flat.to_owned(), Overloaded, 503),
            (200, whole.to_owned(), InvalidRequest, 400),
            (200, failed("server_error"), Server, 500),
            (200, failed("rate_limit_exceeded"), RateLimited, 429),
            (200, failed("insufficient_quota"), QuotaExhausted, 429),
            (200, failed("context_length_exceeded"), ContextLength, 400),
            (200, failed("invalid_image_url"), InvalidRequest, 400),
            (200, failed("bio_policy"), ContentPolicy, 400),
            (200, failed("data_residency_mismatch"), Permission, 403),
            (200, failed("vector_store_timeout"), Server, 504),
            (200, failed("tomorrow"), Server, 500),
            (200, r#"{"type":"response.failed","response":{"error":null}}"#.to_owned(), Server, 500),
            (400, r#"{"error":{"code":"cyber_policy","message":"m"}}"#.to_owned(), ContentPolicy, 400),
            (503, r#"{"error":{"code":"cyber_policy","message":"m"}}"#.to_owned(), Overloaded, 503),
            (502, "<html>".to_owned(), Server, 502),
        ] {
            let read = read_error(status, &Bytes::from(body.clone()), None);
            assert_eq!((read.kind, read.status), (kind, stands_for), "{status} {body}");
        }
        let body = |event: &str| String::from_utf8(read_error(200, &Bytes::from(event.to_owned()), None).body.to_vec());
        assert_eq!(body(&failed("x")).as_deref(), Ok(r#"{"error":{"code":"x","message":"m"}}"#));
        assert_eq!(body(flat), Ok(format!(r#"{{"error":{flat}}}"#)));
        assert_eq!(body(plain).as_deref(), Ok(plain));
    }

    #[test]
    fn an_error_ends_a_stream_twice_as_openai_does() {
        let rendered = render(&CallError::UpstreamFailed { message: "the provider broke off".into() });
        let events = String::from_utf8(as_event(&rendered).to_vec()).expect("UTF-8");
        let read: Vec<(&str, Value)> = events
            .split_terminator("\n\n")
            .map(|event| {
                let (name, data) = event.split_once('\n').expect("two lines");
                let data = data.strip_prefix("data: ").expect("data");
                (name.strip_prefix("event: ").expect("a name"), serde_json::from_str(data).expect("JSON"))
            })
            .collect();
        let [("error", error), ("response.failed", failed)] = &read[..] else { panic!("{events}") };
        assert_eq!((&error["type"], &error["code"]), (&"error".into(), &"upstream_failed".into()));
        assert_eq!(error["error"]["message"], error["message"]);
        assert_eq!((&error["sequence_number"], &failed["sequence_number"]), (&0.into(), &1.into()));
        let response = &failed["response"];
        assert_eq!((&response["status"], &response["object"]), (&"failed".into(), &"response".into()));
        assert_eq!(
            response["error"],
            serde_json::json!({"code": "upstream_failed", "message": "the provider broke off"})
        );
    }
}
