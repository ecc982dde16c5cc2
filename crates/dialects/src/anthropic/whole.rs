//! A whole answer: complete, or why not.

use super::error::read_error;
use super::event::Message;
use super::json::{says, text};
use super::seen::{Seen, may_be_empty};
use crate::shape::Shape;
use bytes::Bytes;
use llm::{Failure, Progress};

/// Judges the body of a success response to a request that asked for no stream.
///
/// # Errors
/// The one [`Failure`] for which it is no answer.
pub fn read_whole(body: &Bytes) -> Result<Progress, Failure> {
    let text_of = std::str::from_utf8(body).map_err(|_| Failure::NotAnAnswer("bytes that are not UTF-8"))?;
    match text_of.trim_ascii_start().as_bytes().first() {
        None => return Err(Failure::Empty),
        Some(b'{') => {}
        Some(b'<') => return Err(Failure::NotAnAnswer("a web page")),
        Some(_) => return Err(Failure::NotAnAnswer("something else than a JSON object")),
    }
    let message: Message<'_> = serde_json::from_str(text_of).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    if text(message.kind) == "error" || says(message.error) {
        return Err(Failure::Provider(Box::new(read_error(200, body, None))));
    }
    if !message.content.is_some_and(|raw| matches!(Shape::of(raw), Shape::List { .. })) {
        return Err(Failure::NoChoices);
    }
    let mut seen = Seen::default();
    seen.message(&message);
    let progress = seen.progress;
    if !progress.finished {
        return Err(Failure::Truncated);
    }
    if !progress.content && !may_be_empty(progress.finish) {
        return Err(Failure::Empty);
    }
    Ok(Progress { done: true, ..progress })
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{FinishReason, Usage};

    fn answer(content: &str, reason: &str) -> String {
        format!(
            r#"{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":{content},"stop_reason":{reason},"stop_sequence":null,"usage":{{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":7}}}}"#
        )
    }

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let hi = r#"[{"type":"text","text":"hi"}]"#;
        for (body, cause) in [
            (answer(hi, r#""end_turn""#), None),
            (format!("\n {}", answer(hi, r#""pause_turn""#)), None),
            (answer(r#"[{"type":"tool_use","id":"a","name":"f","input":{}}]"#, r#""tool_use""#), None),
            (answer(r#"[{"type":"thinking","thinking":"hm","signature":"s"}]"#, r#""max_tokens""#), None),
            (answer(r#"[{"type":"redacted_thinking","data":"x"}]"#, r#""end_turn""#), None),
            (answer("[]", r#""max_tokens""#), None),
            (answer("[]", r#""refusal""#), None),
            (answer("[]", r#""end_turn""#), Some("empty")),
            (answer(r#"[{"type":"text","text":""}]"#, r#""end_turn""#), Some("empty")),
            (answer(hi, "null"), Some("truncated")),
            (r#"{"type":"message"}"#.into(), Some("no_choices")),
            (r#"{"choices":[]}"#.into(), Some("no_choices")),
            (String::new(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("\"hi\"".into(), Some("not_an_answer")),
            (r#"{"type":"mess"#.into(), Some("not_an_answer")),
            (r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#.into(), Some("overloaded")),
            (r#"{"error":{"type":"api_error","message":"m"}}"#.into(), Some("server_error")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }

    #[test]
    fn what_is_seen_of_it() {
        let read = read_whole(&answer("[]", r#""refusal""#).into()).expect("an answer");
        let usage = Usage { input: 7, output: 7, cached: 2, ..Usage::default() };
        assert!(read.refused && read.done && read.finished && !read.content);
        assert_eq!((read.finish, read.usage, &*read.model), (Some(FinishReason::ContentFilter), Some(usage), "m"));
    }
}
