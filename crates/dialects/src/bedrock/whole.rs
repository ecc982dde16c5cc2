//! A whole answer: complete, or why not.

use super::error::{is_error, read_error};
use super::event::Whole;
use super::seen::{Seen, may_be_empty};
use crate::anthropic::json::object;
use bytes::Bytes;
use llm::{Failure, Progress};
use serde_json::value::RawValue;

/// Judges the body of a success response to a request that asked for no stream.
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
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    let whole: Whole<'_> = object(Some(raw)).unwrap_or_default();
    let Some(content) = whole.content() else {
        return Err(match is_error(body) {
            true => Failure::Provider(Box::new(read_error(200, body, None))),
            false => Failure::NoChoices,
        });
    };
    let mut seen = Seen::default();
    seen.whole(raw, content);
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
            r#"{{"output":{{"message":{{"role":"assistant","content":{content}}}}},"stopReason":{reason},"usage":{{"inputTokens":5,"cacheReadInputTokens":2,"outputTokens":7}}}}"#
        )
    }

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let hi = r#"[{"text":"hi"}]"#;
        for (body, cause) in [
            (answer(hi, r#""end_turn""#), None),
            (format!("\n {}", answer(hi, r#""malformed_tool_use""#)), None),
            (answer(r#"[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]"#, r#""tool_use""#), None),
            (answer(r#"[{"reasoningContent":{"reasoningText":{"text":"hm"}}}]"#, r#""max_tokens""#), None),
            (answer(r#"[{"reasoningContent":{"redactedContent":"eA=="}}]"#, r#""end_turn""#), None),
            (answer(r#"[{"citationsContent":{"content":[{"text":"a"}]}}]"#, r#""end_turn""#), None),
            (answer("[]", r#""max_tokens""#), None),
            (answer("[]", r#""guardrail_intervened""#), None),
            (answer("[]", r#""end_turn""#), Some("empty")),
            (answer(r#"[{"text":""}]"#, r#""end_turn""#), Some("empty")),
            (answer(hi, "null"), Some("truncated")),
            (r#"{"output":{"message":{}}}"#.into(), Some("no_choices")),
            (r#"{"results":[]}"#.into(), Some("no_choices")),
            ("{}".into(), Some("no_choices")),
            (String::new(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("\"hi\"".into(), Some("not_an_answer")),
            (r#"{"output":"#.into(), Some("not_an_answer")),
            (r#"{"__type":"ThrottlingException","message":"m"}"#.into(), Some("rate_limited")),
            (r#"{"message":"m"}"#.into(), Some("server_error")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }

    #[test]
    fn what_is_seen_of_it() {
        let call = r#"[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]"#;
        let read = read_whole(&answer(call, r#""end_turn""#).into()).expect("an answer");
        let usage = Usage { input: 7, output: 7, cached: 2, ..Usage::default() };
        assert!(read.done && read.finished && read.content && !read.refused);
        assert_eq!((read.finish, read.usage), (Some(FinishReason::ToolCalls), Some(usage)));
    }
}
