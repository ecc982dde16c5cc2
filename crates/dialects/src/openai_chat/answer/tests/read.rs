//! Servers' answers: every name for what is said, and what is none.

use super::super::MOST;
use super::*;
use crate::Unread;
use llm::Usage;

/// The events of one choice, with `id` and `model` told.
fn said(deltas: &[&str]) -> Vec<Delta> {
    let event = |delta: &&str| format!(r#"{{"id":"i","model":"m","choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let events: Vec<String> = deltas.iter().map(event).collect();
    let read = read(&events.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(read.first(), Some(&Delta::Began { id: "i".into(), model: "m".into() }));
    read.into_iter().skip(1).collect()
}

#[test]
fn words_are_read_once_under_whatever_name() {
    use Dialect::{Anthropic, Gemini, OpenAiChat, Responses};
    use SealKind::{Encrypted, Signature};
    for (deltas, expected) in [
        (&[r#"{"role":"assistant","content":""}"#, r#"{"content":"a"}"#][..], vec![text("a")]),
        (&[r#"{"content":"a\ud83d"}"#, r#"{"content":"\ude00"}"#], vec![text("a"), text("\u{1f600}")]),
        (&[r#"{"content":null,"reasoning_content":"x","reasoning":"x"}"#], vec![thought("x")]),
        (&[r#"{"reasoning":"x"}"#], vec![thought("x")]),
        (&[r#"{"content":"a","reasoning":"x"}"#], vec![thought("x"), text("a")]),
        (
            &[
                r#"{"reasoning":"x","reasoning_details":[{"type":"reasoning.text","text":"x","index":0}]}"#,
                r#"{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]}"#,
            ],
            vec![thought("x"), sealed(Anthropic, Signature, "s")],
        ),
        (
            &[r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"x"},
                {"type":"reasoning.encrypted","data":"d","format":"openai-responses-v1"},
                {"type":"reasoning.encrypted","data":"g","format":"google-gemini-v1"},
                {"type":"reasoning.encrypted","data":"o","format":"xai-responses-v1"}]}"#],
            vec![
                thought("x"),
                sealed(Responses, Encrypted, "d"),
                sealed(Gemini, Signature, "g"),
                sealed(OpenAiChat, Encrypted, "o"),
            ],
        ),
        (
            &[r#"{"reasoning_content":"xy","thinking_blocks":[{"type":"thinking","thinking":"x","signature":"s"},
                {"type":"redacted_thinking","data":"d"},{"type":"thinking","thinking":"","signature":"t"}]}"#],
            vec![
                thought("x"),
                sealed(Anthropic, Signature, "s"),
                sealed(Anthropic, Encrypted, "d"),
                sealed(Anthropic, Signature, "t"),
            ],
        ),
        (
            &[
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]},{"type":"text","text":"a"}]}"#,
            ],
            vec![thought("x"), text("a")],
        ),
        (&[r#"{"refusal":"no"}"#], vec![Delta::Refusal { choice: 0, text: "no".into() }]),
        (
            &[r#"{"content":"a","extra_content":{"google":{"thought_signature":"g"}}}"#],
            vec![text("a"), Delta::TextSealed { choice: 0, seal: seal(Gemini, Signature, "g") }],
        ),
        (
            &[r#"{"content":[{"type":"reference","reference_ids":[1]}],"annotations":[],"audio":null}"#],
            vec![Delta::Other {
                choice: 0,
                name: "reference".into(),
                json: r#"{"type":"reference","reference_ids":[1]}"#.into(),
            }],
        ),
        (&["7", "null", "[1]"], vec![]),
        // vLLM lists no calls beside its words, event by event.
        (&[r#"{"content":"a","tool_calls":[]}"#, r#"{"content":"b","tool_calls":[]}"#], vec![text("a"), text("b")]),
        (
            // Words and calls in one event, behind those that say words alone, and repeated with other words.
            &[
                r#"{"content":"a"}"#,
                r#"{"content":"b"}"#,
                r#"{"content":"c","tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"x"}}]}"#,
                r#"{"content":"d","tool_calls":[{"index":0,"function":{"arguments":"y"}}]}"#,
                r#"{"content":"e","tool_calls":[{"index":0,"function":{"arguments":"y"}}]}"#,
                r#"{"content":"f"}"#,
            ],
            vec![
                text("a"),
                text("b"),
                text("c"),
                call(0, "i", "f"),
                arguments(0, "x"),
                text("d"),
                arguments(0, "y"),
                text("e"),
                arguments(0, "y"),
                text("f"),
            ],
        ),
    ] {
        assert_eq!(said(deltas), expected, "{deltas:?}");
    }
}

#[test]
fn calls_are_read_with_name_and_id_once() {
    let calls = |items: &str| format!(r#"{{"tool_calls":[{items}]}}"#);
    for (items, expected) in [
        (
            vec![
                r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x"}}"#,
                r#"{"index":0,"id":"","type":"function","function":{"name":"","arguments":"\":1}"}}"#,
            ],
            vec![call(0, "a", "f"), arguments(0, "{\"x"), arguments(0, "\":1}")],
        ),
        (
            // Whole calls, all numbered 0, as Gemini's endpoint sends them.
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}"#,
            ],
            vec![call(0, "a", "f"), arguments(0, "{}"), call(1, "b", "f"), arguments(1, "{}")],
        ),
        (
            // A name that comes late, and in pieces.
            vec![
                r#"{"index":3,"id":"a","function":{"arguments":"{"}}"#,
                r#"{"index":3,"function":{"name":"get"}}"#,
                r#"{"index":3,"function":{"arguments":"}"}}"#,
            ],
            vec![call(0, "a", "get"), arguments(0, "{"), arguments(0, "}")],
        ),
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"ge","arguments":""}}"#,
                r#"{"index":0,"function":{"name":"t","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":{"x":1}}}"#,
            ],
            vec![call(0, "a", "get"), arguments(0, r#"{"x":1}"#)],
        ),
        (
            // Neither index nor id: what has a name begins.
            vec![r#"{"function":{"name":"f","arguments":"{"}}"#, r#"{"function":{"arguments":"}"}}"#],
            vec![call(0, "", "f"), arguments(0, "{"), arguments(0, "}")],
        ),
        (
            // Calls that all have the place before the first.
            vec![
                r#"{"index":-1,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":-1,"function":{"arguments":"{}"}}"#,
                r#"{"index":-1,"id":"b","function":{"name":"g","arguments":"{"}}"#,
                r#"{"index":-1,"id":"","function":{"name":"","arguments":"}"}}"#,
            ],
            vec![call(0, "a", "f"), arguments(0, "{}"), call(1, "b", "g"), arguments(1, "{"), arguments(1, "}")],
        ),
    ] {
        let deltas: Vec<String> = items.iter().map(|item| calls(item)).collect();
        let read = said(&deltas.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(read, expected, "{items:?}");
    }
}

#[test]
fn a_call_without_arguments_is_told_before_what_follows() {
    let begun = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","custom":{"name":"f"},
        "extra_content":{"google":{"thought_signature":"g"}}}]}}]}"#;
    let told = Delta::Call {
        choice: 0,
        call: 0,
        id: "a".into(),
        name: "f".into(),
        free: true,
        seal: Some(seal(Dialect::Gemini, SealKind::Signature, "g")),
    };
    for (after, expected) in [
        (r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#, text("a")),
        (r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, ended(FinishReason::ToolCalls)),
    ] {
        assert_eq!(read(&[begun, after])[1..], [told.clone(), expected], "{after}");
    }
    assert_eq!(Reader::whole(begun.replace("delta", "message").as_bytes()).expect("read")[1..], [told]);
}

#[test]
fn ends_and_counts_are_read() {
    let end = |fields: &str| format!(r#"{{"id":"i","choices":[{{"index":0,"delta":{{}},{fields}}}]}}"#);
    for (fields, expected) in [
        (r#""finish_reason":"stop","stop_reason":"END""#, vec![(FinishReason::Stop, Some("END"))]),
        (r#""finish_reason":"stop","stop_reason":7,"matched_stop":"\n""#, vec![(FinishReason::Stop, Some("\n"))]),
        (r#""finish_reason":"function_call""#, vec![(FinishReason::ToolCalls, None)]),
        (r#""finish_reason":"model_length""#, vec![(FinishReason::Length, None)]),
        (r#""finish_reason":"tomorrow""#, vec![(FinishReason::Other, None)]),
        (r#""finish_reason":null"#, vec![]),
        (r#""finish_reason":"""#, vec![]),
    ] {
        let expected: Vec<Delta> = expected
            .into_iter()
            .map(|(finish, stop)| Delta::Ended { choice: 0, finish, stop: stop.map(Into::into) })
            .collect();
        let event = end(fields);
        assert_eq!(read(&[&event, &event])[1..], expected, "{fields}, and once");
    }
    let azure = r#"{"choices":[],"id":"","model":"","prompt_filter_results":[]}"#;
    let used = r#"{"id":"i","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let counted = Usage { input: 1, output: 2, ..Usage::default() };
    let expected = [Delta::Began { id: "i".into(), model: "m".into() }, Delta::Used(counted)];
    assert_eq!(read(&[azure, used, "[DONE]"]), expected);
    // The last words bring the end and the counts with them, and the counts grow.
    let last = |text: &str, finish: &str, output: u64| {
        let choice = format!(r#"{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}"#);
        format!(r#"{{"choices":[{choice}],"usage":{{"prompt_tokens":1,"completion_tokens":{output}}}}}"#)
    };
    let words = [last("a", "null", 1), last("b", "null", 1), last("c", "\"stop\"", 2)];
    let grown = |output| Delta::Used(Usage { output, ..counted });
    let expected = [text("a"), grown(1), text("b"), grown(1), text("c"), ended(FinishReason::Stop), grown(2)];
    assert_eq!(read(&words.each_ref().map(String::as_str))[1..], expected);
    let cited = r#"{"choices":[],"citations":["u"],"usage":{"prompt_tokens":1}}"#;
    let citations = |delta: &Delta| matches!(delta, Delta::Other { name, .. } if name == "citations");
    assert_eq!(read(&[cited, cited]).iter().filter(|delta| citations(delta)).count(), 1);
}

/// DeepSeek sends blank lines while a call is queued.
#[test]
fn a_whole_answer_may_stand_behind_blank_lines() {
    let answer = r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#;
    for blank in ["\n".repeat(10_000), "\r\n \t\n".to_owned()] {
        let read = Reader::whole(format!("{blank}{answer}").as_bytes()).expect("an answer");
        assert_eq!(read[1..], [text("a"), ended(FinishReason::Stop)]);
    }
}

#[test]
fn what_is_no_answer_or_too_much() {
    for event in [
        "",
        "[]",
        "{",
        "7",
        r#"{"error":{"message":"m"}}"#,
        r#"{"choices":[{"finish_reason":"error"}]}"#,
        r#"{"choices":[{"finish_reason":"insufficient_system_resource"}]}"#,
    ] {
        assert_eq!(Reader::default().push(event.as_bytes(), &mut Vec::new()), Err(Unread::NotAnAnswer), "{event}");
    }
    let list = |n: usize, item: &dyn Fn(usize) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
    for (n, sound) in [(MOST, true), (MOST + 1, false)] {
        let choices = list(n, &|i| format!(r#"{{"index":{i},"delta":{{"content":"a"}}}}"#));
        let calls = list(n, &|i| format!(r#"{{"index":{i},"function":{{"name":"f"}}}}"#));
        for body in [
            format!(r#"{{"choices":[{choices}]}}"#),
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{calls}]}}}}]}}"#),
        ] {
            assert_eq!(Reader::whole(body.as_bytes()).is_ok(), sound, "{n}");
        }
    }
    let nameless = |n: usize| {
        let arguments = "x".repeat(n);
        format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"function":{{"arguments":"{arguments}"}}}}]}}}}]}}"#)
    };
    for (bytes, sound) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        assert_eq!(Reader::whole(nameless(bytes).as_bytes()).is_ok(), sound, "{bytes}");
    }
}
