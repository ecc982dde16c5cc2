//! The request that asks a model once more, with its own answer and what is wrong with it.
//!
//! Receives the client's request, an answer and the words of a correction; hands on the bytes to send. The client's
//! JSON is spliced, never written anew. Must never be here: what is wrong with an answer, and how that is worded.

use super::splice::{list_end, literal, splice};
use crate::shape::Shape;
use bytes::Bytes;
use llm::{Answer, ChatRequest, Choice};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write;

/// The most that is repeated of the answer, in bytes.
const MOST: usize = 64 * 1024;

/// The request that asks `model` to answer `request` again, as its answer `answer` fell short for `correction`.
///
/// Two messages are added: the assistant's own answer (its first choice, up to 64 KiB) and a user's with the
/// correction. Tool calls are told as plain text: providers refuse those that have no result. Nothing else changes.
///
/// Nothing where the messages are no list, where the answer has neither text nor calls, or where the client has the
/// last message gone on with, which would then be the correction.
#[must_use]
pub fn corrected(request: &ChatRequest, model: &str, answer: &Answer, correction: &str) -> Option<Bytes> {
    let wire: Wire<'_> = serde_json::from_slice(&request.raw).ok()?;
    let Shape::List { empty } = Shape::of(wire.messages) else { return None };
    if wire.goes_on() {
        return None;
    }
    let said = literal(&told(answer.choices.first()?)?);
    let comma = if empty { "" } else { "," };
    let asked = literal(correction);
    let added = format!(r#"{comma}{{"role":"assistant","content":{said}}},{{"role":"user","content":{asked}}}"#);
    let end = list_end(&request.raw, wire.messages);
    Some(splice(&request.raw, vec![(request.model_span.clone(), literal(model)), (end, added)]))
}

/// The fields that decide whether messages can be added. One that stands there twice is an error.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(default)]
    continue_final_message: Shape,
    #[serde(default)]
    add_generation_prompt: Shape,
}

impl Wire<'_> {
    /// Whether vLLM or SGLang is told to go on with the last message instead of answering it.
    fn goes_on(&self) -> bool {
        !matches!(self.continue_final_message, Shape::Absent | Shape::Null | Shape::Bool(false))
            || !matches!(self.add_generation_prompt, Shape::Absent | Shape::Null | Shape::Bool(true))
    }
}

/// What `choice` says, its calls in words, up to 64 KiB, cut at a character; nothing where it says nothing.
#[must_use]
pub fn told(choice: &Choice) -> Option<String> {
    let mut said = beginning(&choice.text).to_owned();
    for call in &choice.calls {
        if said.len() >= MOST {
            break;
        }
        let parted = if said.is_empty() { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = write!(said, "{parted}[Called the tool {} with {}]", call.name, beginning(&call.arguments));
    }
    said.truncate(beginning(&said).len());
    (!said.trim().is_empty()).then_some(said)
}

/// As much of `text` as is repeated at most.
fn beginning(text: &str) -> &str {
    let end = (0..=MOST.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;
    use crate::openai_chat::Server;
    use crate::{Quirks, correction_for};
    use llm::{Api, Dialect, ToolCall};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn answer(text: &str, calls: &[(&str, &str)]) -> Answer {
        let call = |(name, arguments): &(&str, &str)| ToolCall {
            name: (*name).into(),
            arguments: (*arguments).into(),
            ..ToolCall::default()
        };
        let choice = Choice { text: text.into(), calls: calls.iter().map(call).collect(), ..Choice::default() };
        let other = Choice { index: 1, text: "other".into(), ..Choice::default() };
        Answer { model: "m".into(), choices: vec![choice, other] }
    }

    fn request(body: &str) -> ChatRequest {
        decode(body.to_owned().into()).expect("sound")
    }

    #[test]
    fn a_server_is_asked_again_in_the_words_in_which_it_was_asked() {
        let before = request(
            r#"{"model":"chat","max_completion_tokens":9,"messages":[{"role":"assistant","content":"ho","reasoning_content":"hm"}]}"#,
        );
        for (server, gone, there) in [
            (Server::MISTRAL, ["max_completion_tokens", "reasoning_content"], "\"max_tokens\":9"),
            (Server::OPENAI, ["\"max_tokens\"", "reasoning_content"], "\"max_completion_tokens\":9"),
        ] {
            let quirks = Quirks { server, ..Quirks::default() };
            let chat = Api::Shared(Dialect::OpenAiChat);
            let again = correction_for(&before, chat, quirks, "m", &answer("hi", &[]), "No.").expect("built");
            let body = String::from_utf8(again.body.to_vec()).expect("text");
            assert!(gone.iter().all(|word| !body.contains(word)) && body.contains(there), "{body}");
            assert!(body.contains("No.") && body.contains("\"model\":\"m\""), "{body}");
        }
    }

    #[test]
    fn two_messages_are_added_and_nothing_else_changes() {
        let body = r#" {"n":2, "messages":[ {"role":"user","content":"h\u00e9"} ADDED], "model": MODEL,
            "tools":[{"a":1e3}],"response_format":{ "type":"json_object" }, "x":null } "#;
        let before = request(&body.replace("ADDED", "").replace("MODEL", "\"chat\""));
        let said = r#",{"role":"assistant","content":"{\"a\": é\n"},{"role":"user","content":"No \"a\"."}"#;
        let built = corrected(&before, "m\"x", &answer("{\"a\": é\n", &[]), "No \"a\".").expect("built");
        assert_eq!(built, body.replace("ADDED", said).replace("MODEL", r#""m\"x""#));
        assert!(decode(built).is_ok());
    }

    #[test]
    fn calls_are_told_in_words() {
        for (text, calls, expected) in [
            ("a", &[][..], Some("a")),
            ("", &[("f", "{\"x\":1}")], Some("[Called the tool f with {\"x\":1}]")),
            ("a", &[("f", "{}"), ("g", "")], Some("a\n[Called the tool f with {}]\n[Called the tool g with ]")),
            ("", &[], None),
            (" \n", &[], None),
        ] {
            let Answer { choices, .. } = answer(text, calls);
            assert_eq!(told(&choices[0]).as_deref(), expected, "{text:?} {calls:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_again_is_not() {
        let body = |fields: &str| request(&format!(r#"{{"model":"m","messages":[{{"role":"user"}}]{fields}}}"#));
        for (fields, built) in [
            ("", true),
            (r#","continue_final_message":false,"add_generation_prompt":true"#, true),
            (r#","continue_final_message":null,"add_generation_prompt":null"#, true),
            (r#","continue_final_message":true"#, false),
            (r#","add_generation_prompt":false"#, false),
        ] {
            assert_eq!(corrected(&body(fields), "m", &answer("a", &[]), "c").is_some(), built, "{fields}");
        }
        assert_eq!(corrected(&body(""), "m", &answer("", &[]), "c"), None);
        assert_eq!(corrected(&body(""), "m", &Answer::default(), "c"), None);
        let bare = |raw: &'static str| ChatRequest {
            dialect: Dialect::OpenAiChat,
            model: "m".into(),
            stream: false,
            demands: false,
            model_span: raw.find("\"m\"").map(|at| at..at + 3).expect("there"),
            raw: Bytes::from_static(raw.as_bytes()),
            listed: false,
            forwarded: Vec::new(),
        };
        for raw in
            [r#"{"model":"m"}"#, r#"{"model":"m","messages":{}}"#, r#"{"model":"m","messages":[1],"messages":[]}"#]
        {
            assert_eq!(corrected(&bare(raw), "m", &answer("a", &[]), "c"), None, "{raw}");
        }
        let empty = corrected(&bare(r#"{"messages":[ ],"model":"m"}"#), "m", &answer("a", &[]), "c").expect("built");
        assert!(decode(empty).is_ok());
    }

    #[test]
    fn little_of_a_long_answer_is_repeated() {
        let long = "é".repeat(MOST);
        for (text, calls, length) in [
            (long.as_str(), &[][..], MOST),
            (&format!("a{long}"), &[], MOST - 1),
            ("", &[("f", long.as_str()), ("g", "{}")], MOST),
            (&long[..MOST], &[("f", "{}")], MOST),
        ] {
            let Answer { choices, .. } = answer(text, calls);
            assert_eq!(told(&choices[0]).expect("something").len(), length);
        }
    }

    proptest! {
        #[test]
        fn a_reader_finds_both_messages_behind_the_others(
            text in "\\PC{0,20}|[\"\\\\\n\u{0}]{1,4}", arguments in "\\PC{0,20}", correction in "\\PC{0,20}|[\"\\\\\n]{1,4}",
            messages in 1usize..4, behind in any::<bool>(),
        ) {
            let mut body = json!({"messages": vec![json!({"role": "user", "content": text}); messages], "x": [1]});
            body["model"] = "m".into();
            let raw = body.to_string();
            let raw = if behind && !text.contains(',') { raw.replace(",\"", " ,\n \"") } else { raw };
            let request = request(&raw);
            let built = corrected(&request, "n", &answer(&text, &[("f", &arguments)]), &correction).expect("built");
            let read: Value = serde_json::from_slice(&built).expect("valid");
            let mut expected: Value = serde_json::from_str(&raw).expect("valid");
            let list = expected["messages"].as_array_mut().expect("a list");
            let said = told(&answer(&text, &[("f", &arguments)]).choices[0]).expect("something");
            list.push(json!({"role": "assistant", "content": said}));
            list.push(json!({"role": "user", "content": correction}));
            expected["model"] = "n".into();
            prop_assert_eq!(read, expected);
        }
    }
}
