//! A whole answer: complete, or why not.

use super::chunk::Chunk;
use super::error::read_error;
use bytes::Bytes;
use llm::{Failure, FinishReason, Progress};

/// Judges the body of a success response to a request that asked for no stream.
///
/// # Errors
/// The one [`Failure`] for which it is no answer.
pub fn read_whole(body: &Bytes) -> Result<Progress, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::NotAnAnswer("bytes that are not UTF-8"))?;
    // DeepSeek sends blank lines while a call is queued.
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(Failure::Empty),
        Some(b'{') => {}
        Some(b'<') => return Err(Failure::NotAnAnswer("a web page")),
        Some(_) => return Err(Failure::NotAnAnswer("something else than a JSON object")),
    }
    let chunk: Chunk<'_> = serde_json::from_str(text).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    if chunk.is_error() {
        return Err(Failure::Provider(Box::new(read_error(200, body, None))));
    }
    let choices = chunk.choices;
    if choices.begun == 0 {
        return Err(Failure::NoChoices);
    }
    if choices.ended != choices.begun {
        return Err(Failure::Truncated);
    }
    if !choices.content && !may_be_empty(choices.finish) {
        return Err(Failure::Empty);
    }
    Ok(Progress {
        content: choices.content,
        finished: true,
        finish: choices.finish,
        refused: choices.refused,
        usage: chunk.usage(),
        model: chunk.model(),
        done: true,
    })
}

/// Whether nothing is a legitimate answer: the token limit or the content policy left no room for one.
pub(crate) fn may_be_empty(finish: Option<FinishReason>) -> bool {
    matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let answer = |message: &str, finish: &str| {
            format!(r#"{{"choices":[{{"index":0,"message":{message},"finish_reason":{finish}}}]}}"#)
        };
        for (body, cause) in [
            (answer(r#"{"content":"hi"}"#, r#""stop""#), None),
            (format!("\n\n  {}", answer(r#"{"content":"hi"}"#, r#""stop""#)), None),
            (format!("{}{}", "\n".repeat(10_000), answer(r#"{"content":"hi"}"#, r#""stop""#)), None),
            (answer(r#"{"content":"hi","tool_calls":[]}"#, r#""stop""#), None),
            (answer(r#"{"content":"hi"}"#, r#""insufficient_system_resource""#), Some("server_error")),
            (answer(r#"{"tool_calls":[{}]}"#, r#""tool_calls""#), None),
            (answer(r#"{"content":""}"#, r#""length""#), None),
            (answer(r#"{"content":null}"#, r#""content_filter""#), None),
            (answer(r#"{"content":""}"#, r#""stop""#), Some("empty")),
            (answer(r#"{"content":"hi"}"#, "null"), Some("truncated")),
            (r#"{"choices":[]}"#.into(), Some("no_choices")),
            (r#"{"ok":true}"#.into(), Some("no_choices")),
            (String::new(), Some("empty")),
            (" \n".into(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("\"hi\"".into(), Some("not_an_answer")),
            (r#"{"choices":[{"index":0"#.into(), Some("not_an_answer")),
            (r#"{"error":{"message":"m","type":"server_error"}}"#.into(), Some("server_error")),
            (r#"{"error":{"message":"m","code":429}}"#.into(), Some("rate_limited")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }
}
