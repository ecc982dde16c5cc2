//! A whole answer: complete, or why not.

use super::error::read_error;
use super::event::Answer;
use super::seen::Seen;
use crate::thin::says;
use bytes::Bytes;
use llm::{Failure, Progress};

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
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    if answer.has_failed() || !answer.failure().is_empty() || (says(answer.error) && answer.reason().is_none()) {
        return Err(Failure::Provider(Box::new(read_error(200, body, None))));
    }
    if !answer.has_message() {
        return Err(Failure::NoChoices);
    }
    let mut seen = Seen::default();
    seen.said(&answer);
    seen.end(&answer);
    if !seen.progress.finished {
        return Err(Failure::Truncated);
    }
    if !seen.has_begun() {
        return Err(Failure::Empty);
    }
    Ok(seen.progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{FinishReason, Usage};

    fn answer(message: &str, reason: &str) -> String {
        format!(
            r#"{{"id":"a","message":{{"role":"assistant",{message}}},"finish_reason":{reason},"usage":{{"tokens":{{"input_tokens":5,"output_tokens":7}},"cached_tokens":2}}}}"#
        )
    }

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let hi = r#""content":[{"type":"text","text":"hi"}]"#;
        let call = r#""tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"null"}}]"#;
        for (body, cause) in [
            (answer(hi, r#""COMPLETE""#), None),
            (format!("\n {}", answer(hi, r#""TOMORROW""#)), None),
            (answer(call, r#""TOOL_CALL""#), None),
            (answer(r#""content":[{"type":"thinking","thinking":"hm"}]"#, r#""MAX_TOKENS""#), None),
            (answer(r#""content":[]"#, r#""MAX_TOKENS""#), None),
            (answer(r#""content":[]"#, r#""COMPLETE""#), Some("empty")),
            (answer(r#""content":[{"type":"text","text":""}]"#, r#""COMPLETE""#), Some("empty")),
            (answer(hi, "null"), Some("truncated")),
            (answer(hi, r#""ERROR""#), Some("server_error")),
            (answer(hi, r#""TIMEOUT""#), Some("server_error")),
            (r#"{"id":"a","finish_reason":"COMPLETE"}"#.into(), Some("no_choices")),
            (r#"{"choices":[]}"#.into(), Some("no_choices")),
            (r#"{"message":"no capacity"}"#.into(), Some("server_error")),
            (r#"{"error":{"message":"m"}}"#.into(), Some("server_error")),
            (String::new(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("[]".into(), Some("not_an_answer")),
            (r#"{"mess"#.into(), Some("not_an_answer")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }

    #[test]
    fn what_is_seen_of_it() {
        let call = r#""tool_calls":[{"id":"f_1","function":{"name":"f","arguments":"{}"}}]"#;
        let read = read_whole(&answer(call, r#""COMPLETE""#).into()).expect("an answer");
        let usage = Usage { input: 5, output: 7, cached: 2, ..Usage::default() };
        assert!(read.done && read.finished && read.content && !read.refused);
        assert_eq!((read.finish, read.usage, &*read.model), (Some(FinishReason::ToolCalls), Some(usage), ""));
    }
}
