//! What the events of OpenAI's streams have in common, those of chats and those of texts: how each
//! begins, and its word for the end.
//!
//! Must never be here: what any of them says.

use crate::Head;
use bytes::{BufMut, BytesMut};
use llm::FinishReason;
use serde::Serialize;

/// The longest id and model that are repeated in every event, in characters.
const MAX_NAME: usize = 256;

/// Who answers: the provider's word, else ours, cut to what is repeated in every event.
pub(crate) fn named(theirs: &str, ours: &str) -> String {
    let name = if theirs.is_empty() { ours } else { theirs };
    name.chars().take(MAX_NAME).collect()
}

/// What every event of an answer begins with, up to the choices, where it calls itself `object` and its provider names
/// this `id` and `model`.
pub(crate) fn opening(object: &'static str, head: &Head, id: &str, model: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Opening<'a> {
        id: &'a str,
        object: &'static str,
        created: u64,
        model: &'a str,
        choices: [(); 0],
    }
    let (id, model) = (named(id, &head.id), named(model, &head.model));
    let opening = Opening { id: &id, object, created: head.created, model: &model, choices: [] };
    let mut text = b"data: ".to_vec();
    // Writing text to memory cannot fail.
    let _ = serde_json::to_writer(&mut text, &opening);
    text.truncate(text.len() - b"[]}".len());
    text
}

/// The word for why a choice ended. A choice that called tools ended in that, if it ended well at all.
pub(crate) fn word(finish: FinishReason, called: bool) -> &'static str {
    match (finish, called) {
        (FinishReason::Length, _) => "length",
        (FinishReason::ContentFilter, _) => "content_filter",
        (_, true) => "tool_calls",
        (FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other, false) => "stop",
    }
}

/// Appends `value` as JSON.
pub(crate) fn put(value: &(impl Serialize + ?Sized), out: &mut BytesMut) {
    // Writing text to memory cannot fail.
    let _ = serde_json::to_writer(out.writer(), value);
}
