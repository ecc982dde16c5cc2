//! A whole answer: complete, or why not.

use super::error::read_error;
use super::line::Line;
use super::seen::Seen;
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
    let answer: Line<'_> = serde_json::from_str(text).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    if answer.is_error() {
        return Err(Failure::Provider(Box::new(read_error(200, body, None))));
    }
    if !answer.has_message() {
        return Err(Failure::NoChoices);
    }
    let mut seen = Seen::default();
    seen.line(&answer);
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

    fn answer(message: &str, end: &str) -> String {
        format!(r#"{{"model":"m","message":{{"role":"assistant",{message}}},{end}}}"#)
    }

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        const STOP: &str = r#""done":true,"done_reason":"stop""#;
        let hi = r#""content":"hi""#;
        let call = r#""content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]"#;
        for (body, cause) in [
            (answer(hi, STOP), None),
            (answer(call, STOP), None),
            (answer(r#""content":"","thinking":"hm""#, r#""done":true,"done_reason":"length""#), None),
            (answer(r#""content":"""#, r#""done":true,"done_reason":"length""#), None),
            (answer(r#""content":"""#, STOP), Some("empty")),
            (answer(r#""content":"""#, r#""done":true,"done_reason":"load""#), Some("empty")),
            (answer(r#""content":"""#, r#""done":true,"done_reason":"unload""#), Some("empty")),
            (answer(hi, r#""done":true"#), Some("truncated")),
            (answer(hi, r#""done":false,"done_reason":"stop""#), Some("truncated")),
            (r#"{"done":true,"done_reason":"stop"}"#.into(), Some("no_choices")),
            (r#"{"choices":[]}"#.into(), Some("no_choices")),
            (r#"{"error":"it broke"}"#.into(), Some("server_error")),
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
        let call = r#""tool_calls":[{"function":{"name":"f"}}]"#;
        let end = r#""done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":7"#;
        let read = read_whole(&answer(call, end).into()).expect("an answer");
        let usage = Usage { input: 5, output: 7, ..Usage::default() };
        assert!(read.done && read.finished && read.content && !read.refused);
        assert_eq!((read.finish, read.usage, &*read.model), (Some(FinishReason::ToolCalls), Some(usage), "m"));
    }
}
