//! What is asked beside answers. Input: which operation, and a body; of a form behind a line that holds its content type.

use crate::decoder::is_cut_as_it_may;
use crate::parts::text;
use crate::pick::pick;
use bytes::Bytes;
use dialects::{Quirks, other as operations};
use llm::{Api, ChatRequest, Dialect, Operation};

/// A request changes in nothing but its model, and asks for that then; a stream is the same however it is cut.
pub fn other(data: &[u8]) {
    let Some((operation, body)) = pick(&Operation::ALL, data) else { return };
    let end = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
    let (line, form) = (body.get(..end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default());
    let content_type = text(line);
    let read = |raw: Bytes| match operation.is_a_form() {
        true => operations::decode_form(operation, content_type, raw).ok(),
        false => operations::decode(operation, None, raw).ok(),
    };
    let body = Bytes::copy_from_slice(if operation.is_a_form() { form } else { body });
    if let Some(request) = read(body.clone()) {
        passes_but_for_its_model(operation, &request, read);
    }
    let _ = operations::decode(operation, Some("named"), body.clone());
    let _ = operations::read_whole(operation, &body);
    for done_marker in [true, false] {
        let quirks = Quirks { done_marker, ..Quirks::default() };
        is_cut_as_it_may(Api::Shared(Dialect::Other(operation)), quirks, &body).carries(&body);
    }
}

fn passes_but_for_its_model(operation: Operation, request: &ChatRequest, read: impl Fn(Bytes) -> Option<ChatRequest>) {
    let span = request.model_span.clone();
    let sent = operations::with_model(operation, request, "an-other");
    let (before, behind) = (request.raw.get(..span.start), request.raw.get(span.end..));
    let (before, behind) = before.zip(behind).expect("the model stands in the request");
    if span.is_empty() {
        return assert_eq!(sent, request.raw, "named elsewhere");
    }
    assert!(sent.starts_with(before) && sent.ends_with(behind), "more than the model is changed");
    let again = read(sent).expect("still a request");
    assert_eq!((&*again.model, again.stream), ("an-other", request.stream));
}
