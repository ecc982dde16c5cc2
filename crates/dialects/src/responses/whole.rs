//! A whole answer: complete, or why not.

use super::error::read_error;
use super::wire::{Item, Part, Response, Word, fields, list, object, text};
use crate::openai_chat::whole::may_be_empty;
use crate::shape::Shape;
use bytes::Bytes;
use llm::{Failure, Progress};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Judges the body of a success response to a request that asked for no stream.
///
/// An answer that is made in the background is whole as soon as it is taken on: its client asks for the rest of it.
///
/// # Errors
/// The one [`Failure`] for which it is no answer.
pub fn read_whole(body: &Bytes) -> Result<Progress, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::NotAnAnswer("bytes that are not UTF-8"))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(Failure::Empty),
        Some(b'{') => {}
        Some(b'<') => return Err(Failure::NotAnAnswer("a web page")),
        Some(_) => return Err(Failure::NotAnAnswer("something else than a JSON object")),
    }
    let response: Response<'_> = object(body).ok_or(Failure::NotAnAnswer("broken JSON"))?;
    let kind = object::<Typed<'_>>(body).map(|typed| typed.kind.get()).unwrap_or_default();
    if response.error.is_some() || response.status.get() == "failed" || kind == "error" {
        return Err(Failure::Provider(Box::new(read_error(200, body, None))));
    }
    if response.object.get() != "response" && response.output.is_none() {
        return Err(Failure::NoChoices);
    }
    let awaited = matches!(response.status.get(), "queued" | "in_progress");
    if response.status.get() == "cancelled" {
        return Err(Failure::Truncated);
    }
    let facts = facts(&list(response.output));
    let finish = (!awaited).then(|| response.finish(facts.calls));
    if !facts.content && !awaited && !may_be_empty(finish) {
        return Err(Failure::Empty);
    }
    Ok(Progress {
        content: facts.content,
        finished: true,
        finish,
        refused: facts.refused,
        usage: response.usage(),
        model: self::text(response.model).into(),
        done: true,
    })
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Word<'a>,
}

/// What the items of an answer say together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// One of them says something.
    pub(super) content: bool,
    /// One of them is a call that the client has to make.
    pub(super) calls: bool,
    /// One of them holds a refusal.
    pub(super) refused: bool,
}

pub(super) fn facts(items: &[&RawValue]) -> Facts {
    let mut facts = Facts::default();
    for raw in items {
        let item: Item<'_> = fields(Some(raw)).unwrap_or_default();
        facts.content |= says_something(&item);
        facts.calls |= is_call(&item);
        facts.refused |= refuses(&item);
    }
    facts
}

/// Whether an item is more than the frame of one.
pub(super) fn says_something(item: &Item<'_>) -> bool {
    let there = |raw: Option<&RawValue>| raw.is_some_and(|raw| Shape::of(raw).is_something());
    match item.kind.get() {
        "message" => list(item.content).into_iter().any(|part| {
            let part: Part<'_> = fields(Some(part)).unwrap_or_default();
            let known = matches!(part.kind.get(), "output_text" | "text" | "refusal");
            !known || there(part.text) || there(part.refusal)
        }),
        "reasoning" => there(item.summary) || there(item.content) || there(item.encrypted_content),
        kind => !kind.is_empty(),
    }
}

pub(super) fn is_call(item: &Item<'_>) -> bool {
    matches!(item.kind.get(), "function_call" | "custom_tool_call")
}

fn refuses(item: &Item<'_>) -> bool {
    let parts = list(item.content).into_iter();
    parts.filter_map(|part| fields::<Part<'_>>(Some(part))).any(|part| part.kind.get() == "refusal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::FinishReason;

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let answer = |rest: &str, output: &str| format!(r#"{{"object":"response",{rest},"output":[{output}]}}"#);
        let says = r#"{"type":"message","content":[{"type":"output_text","text":"hi"}]}"#;
        let hollow =
            r#"{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":""}]}"#;
        let completed = r#""status":"completed","error":null"#;
        let cut = r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#;
        for (body, cause) in [
            (answer(completed, says), None),
            (format!(r#"{{"output":[{says}]}}"#), None),
            (answer(completed, r#"{"type":"function_call","name":"f"}"#), None),
            (answer(completed, r#"{"type":"message","content":[{"type":"refusal","refusal":"no"}]}"#), None),
            (answer(cut, ""), None),
            (answer(r#""status":"queued""#, ""), None),
            (answer(completed, ""), Some("empty")),
            (answer(completed, hollow), Some("empty")),
            (answer(r#""status":"cancelled""#, says), Some("truncated")),
            (answer(r#""status":"failed","error":{"code":"server_error","message":"m"}"#, ""), Some("server_error")),
            (answer(r#""status":"failed""#, ""), Some("server_error")),
            (r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#.into(), Some("rate_limited")),
            (r#"{"type":"error","code":"slow_down","message":"m"}"#.into(), Some("rate_limited")),
            (r#"{"ok":true}"#.into(), Some("no_choices")),
            (r#"{"choices":[]}"#.into(), Some("no_choices")),
            (String::new(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("\"hi\"".into(), Some("not_an_answer")),
            (r#"{"output":[{"type":"#.into(), Some("not_an_answer")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }

    #[test]
    fn what_an_answer_says_is_told() {
        let body = r#"{"object":"response","model":"gpt-5","status":"completed","output":[
            {"type":"message","content":[{"type":"refusal","refusal":"no"}]},{"type":"custom_tool_call","name":"f"}],
            "usage":{"input_tokens":3,"output_tokens":2}}"#;
        let progress = read_whole(&Bytes::from(body)).expect("an answer");
        assert_eq!(
            (progress.finish, progress.refused, &*progress.model),
            (Some(FinishReason::ToolCalls), true, "gpt-5")
        );
        assert_eq!(progress.usage.map(|usage| (usage.input, usage.output)), Some((3, 2)));
    }
}
