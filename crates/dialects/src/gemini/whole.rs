//! An answer that is there as a whole, or in whole events.
//!
//! Receives bytes; hands on the judgement, or each object. Must never be here: what is in the parts.

use super::elements::{Element, Elements};
use super::seen::Seen;
use crate::sse::Framer;
use bytes::Bytes;
use llm::{Event, Failure, Progress};
use serde_json::value::RawValue;

/// Judges the body of a success response to a request that asked for no stream. A streamed list that came whole counts
/// as well.
///
/// # Errors
/// The one [`Failure`] for which it is no answer.
pub fn read_whole(body: &Bytes) -> Result<Progress, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::NotAnAnswer("bytes that are not UTF-8"))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(Failure::Empty),
        Some(b'{' | b'[') => {}
        Some(b'<') => return Err(Failure::NotAnAnswer("a web page")),
        Some(_) => return Err(Failure::NotAnAnswer("something else than a JSON object")),
    }
    let mut seen = Seen::default();
    for object in objects(text).ok_or(Failure::NotAnAnswer("broken JSON"))? {
        match seen.note(object.as_bytes()) {
            Event::Error(error) => return Err(Failure::Provider(error)),
            Event::Garbage => return Err(Failure::NotAnAnswer("broken JSON")),
            _ => {}
        }
    }
    seen.judge()
}

/// The objects of a body: itself, or those of its list.
pub(super) fn objects(text: &str) -> Option<Vec<&str>> {
    if !text.trim_ascii_start().starts_with('[') {
        return Some(vec![text]);
    }
    let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(list.into_iter().map(RawValue::get).collect())
}

/// Hands on each object in `raw`, the bytes of whole frames of a stream in either form; whether there was any.
///
/// # Errors
/// The first that `hand` returns.
pub fn each_data<E>(raw: &[u8], mut hand: impl FnMut(&[u8]) -> Result<(), E>) -> Result<bool, E> {
    let mut any = false;
    if matches!(raw.trim_ascii_start().first(), Some(b'[' | b'{' | b',' | b']')) {
        let mut elements = Elements::default();
        elements.push(raw);
        while let Ok(Some(element)) = elements.next_element() {
            if let Element::Object(range) = element {
                any = true;
                hand(elements.data(&range))?;
            }
        }
        return Ok(any);
    }
    let mut framer = Framer::default();
    framer.push(raw);
    while let Ok(Some(block)) = framer.next_block() {
        if let Some(data) = framer.data(&block).filter(|data| !data.is_empty()) {
            any = true;
            hand(data)?;
        }
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::FinishReason;
    use std::convert::Infallible;

    #[test]
    fn each_way_to_be_no_answer_has_its_name() {
        let answer =
            |parts: &str, rest: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{parts}]}}{rest}}}]}}"#);
        let stop = r#","finishReason":"STOP""#;
        for (body, cause) in [
            (answer(r#"{"text":"hi"}"#, stop), None),
            (answer(r#"{"functionCall":{"name":"f"}}"#, stop), None),
            (answer(r#"{"inlineData":{}}"#, stop), None),
            (format!("[{},{}]", answer(r#"{"text":"hi"}"#, ""), answer("", stop)), None),
            (answer("", r#","finishReason":"MAX_TOKENS""#), None),
            (answer("", r#","finishReason":"SAFETY""#), None),
            (r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#.into(), None),
            (answer(r#"{"text":""}"#, stop), Some("empty")),
            (answer(r#"{"text":"","thoughtSignature":"s"}"#, stop), Some("empty")),
            (answer("", r#","finishReason":"MALFORMED_FUNCTION_CALL""#), Some("empty")),
            (answer(r#"{"text":"hi"}"#, ""), Some("truncated")),
            (r#"{"candidates":[]}"#.into(), Some("no_choices")),
            (r#"{"ok":true}"#.into(), Some("no_choices")),
            ("[]".into(), Some("no_choices")),
            (String::new(), Some("empty")),
            ("<html></html>".into(), Some("not_an_answer")),
            ("\"hi\"".into(), Some("not_an_answer")),
            (r#"{"candidates":[{"index":0"#.into(), Some("not_an_answer")),
            ("[7]".into(), Some("not_an_answer")),
            (r#"{"error":{"code":500,"status":"INTERNAL"}}"#.into(), Some("server_error")),
            (r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#.into(), Some("rate_limited")),
        ] {
            let read = read_whole(&Bytes::from(body.clone()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{body}");
        }
        assert!(matches!(read_whole(&Bytes::from_static(b"{\"a\":\"\xff\"}")), Err(Failure::NotAnAnswer(_))));
    }

    #[test]
    fn a_blocked_question_is_an_answer_of_the_policy() {
        let body = Bytes::from_static(
            br#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#,
        );
        let progress = read_whole(&body).expect("an answer");
        assert_eq!((progress.finish, progress.content), (Some(FinishReason::ContentFilter), false));
        assert_eq!(progress.usage.map(|usage| usage.input), Some(4));
    }

    #[test]
    fn the_objects_of_frames_are_found_in_either_form() {
        for (raw, expected) in [
            ("data: {\"a\":1}\r\n\r\n: ping\n\ndata: {\"b\":2}\n\n", vec!["{\"a\":1}", "{\"b\":2}"]),
            ("[{\"a\":1}", vec!["{\"a\":1}"]),
            ("\r\n,\r\n{\"a\":1},{\"b\":2}", vec!["{\"a\":1}", "{\"b\":2}"]),
            ("\n]", vec![]),
            (": ping\n\n", vec![]),
        ] {
            let mut found = Vec::new();
            let Ok(any) = each_data(raw.as_bytes(), |data| {
                found.push(String::from_utf8(data.to_vec()).expect("UTF-8"));
                Ok::<(), Infallible>(())
            });
            assert_eq!(
                (&found, any),
                (&expected.iter().map(|s| (*s).to_owned()).collect(), !expected.is_empty()),
                "{raw}"
            );
        }
    }
}
