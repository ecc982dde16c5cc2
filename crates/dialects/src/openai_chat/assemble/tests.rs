//! Answers in every form, whole and in pieces.

use super::*;
use proptest::prelude::*;

fn whole(message: &str, finish: &str) -> Choice {
    let body = format!(r#"{{"model":"m","choices":[{{"index":0,"message":{message},"finish_reason":{finish}}}]}}"#);
    let answer = read_answer(body.as_bytes()).expect("read");
    assert_eq!(answer.model, "m");
    answer.choices.into_iter().next().expect("one")
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), free: false }
}

#[test]
fn a_whole_answer() {
    let choice =
        whole(r#"{"role":"assistant","content":"h\u00e9","refusal":null,"reasoning_content":"hm"}"#, r#""stop""#);
    let expected =
        Choice { text: "hé".into(), finish: Some(FinishReason::Stop), reasoning: "hm".into(), ..Choice::default() };
    assert_eq!(choice, expected);
    let calls = r#"[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
        {"id":"2","type":"function","function":{"name":"g","arguments":{"b":2}}},
        {"id":"3","type":"custom","custom":{"name":"h","input":"text"}}]"#;
    let choice = whole(&format!(r#"{{"content":null,"tool_calls":{calls}}}"#), r#""tool_calls""#);
    let free = ToolCall { free: true, ..call("3", "h", "text") };
    assert_eq!(choice.calls, [call("1", "f", "{\"a\":1}"), call("2", "g", "{\"b\":2}"), free]);
    let old = whole(r#"{"function_call":{"name":"f","arguments":"{}"}}"#, r#""function_call""#);
    assert_eq!((old.calls, old.finish), (vec![call("", "f", "{}")], Some(FinishReason::ToolCalls)));
    let parts = r#"{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"},{"type":"image"}]}"#;
    let parts = whole(parts, r#""model_length""#);
    assert_eq!((parts.text.as_str(), parts.sealed, parts.media), ("a", true, true));
    assert_eq!(parts.finish, Some(FinishReason::Length));
    assert_eq!(whole(r#"{"refusal":"no"}"#, "null").refusal, "no");
    assert_eq!(whole("7", "9"), Choice::default(), "odd shapes say nothing");
}

#[test]
fn reasoning_is_read_once_under_all_its_names() {
    for (message, reasoning, sealed) in [
        (r#"{"reasoning_content":"hm"}"#, "hm", false),
        (r#"{"reasoning":"h\u006d"}"#, "hm", false),
        (r#"{"reasoning_content":"hm","reasoning":"h\u006d"}"#, "hm", false),
        (r#"{"reasoning_content":"","reasoning":"hm"}"#, "hm", false),
        (r#"{"reasoning_content":"one ","reasoning":"two"}"#, "one two", false),
        (r#"{"reasoning":"ab","reasoning_details":[{"type":"reasoning.text","text":"a"},{"text":"b"}]}"#, "ab", false),
        (
            r#"{"reasoning_details":[{"text":"a"},{"text":"a"},{"type":"reasoning.summary","summary":"b"}]}"#,
            "aab",
            false,
        ),
        (r#"{"reasoning_content":"a","thinking_blocks":[{"thinking":"a","signature":"x"}]}"#, "a", false),
        (r#"{"reasoning":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]}"#, "a", true),
        (r#"{"thinking_blocks":[{"type":"redacted_thinking","data":"x"}]}"#, "", true),
        (r#"{"reasoning_details":[7]}"#, "", true),
        (r#"{"reasoning_details":{"a":1}}"#, "", true),
        (r#"{"reasoning":{"a":1}}"#, "", true),
        (r#"{"reasoning":null,"reasoning_content":"","reasoning_details":[]}"#, "", false),
        (r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"},{"text":"b"}]}]}"#, "ab", false),
        (r#"{"content":[{"type":"reasoning","text":"a"},{"type":"text","text":"b"}]}"#, "a", false),
    ] {
        let choice = whole(message, "null");
        assert_eq!((choice.reasoning.as_str(), choice.sealed), (reasoning, sealed), "{message}");
        assert_eq!(choice.reasoned(), sealed || !reasoning.is_empty(), "{message}");
    }
}

#[test]
fn fresh_words_are_told_apart() {
    let mut assembler = Assembler::default();
    let mut told = Vec::new();
    for delta in [
        r#"{"reasoning":"a","reasoning_details":[{"text":"a"}]}"#,
        r#"{"reasoning":"b","reasoning_content":"b"}"#,
        r#"{"reasoning":"c","content":"d"}"#,
        r#"{"refusal":"e"}"#,
        r#"{"refusal":null}"#,
    ] {
        assembler.push(format!(r#"{{"choices":[{{"index":1,"delta":{delta}}}]}}"#).as_bytes()).expect("taken");
        assembler.fresh(|choice, lane, words| told.push((choice, lane, words.to_owned())));
    }
    let expected = [
        (Lane::Reasoning, "a"),
        (Lane::Reasoning, "b"),
        (Lane::Text, "d"),
        (Lane::Reasoning, "c"),
        (Lane::Refusal, "e"),
    ];
    assert_eq!(told, expected.map(|(lane, words)| (1, lane, words.to_owned())));
}

#[test]
fn what_is_no_answer_or_too_much() {
    for body in ["", "[]", "7", "{\"choices\":[", "<html>"] {
        assert_eq!(read_answer(body.as_bytes()), Err(Unread::NotAnAnswer), "{body}");
    }
    assert_eq!(read_answer(b"{}"), Ok(Answer::default()));
    let list = |n: u32, item: &dyn Fn(u32) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
    for (n, sound) in [(128, true), (129, false)] {
        let choices = list(n, &|i| format!(r#"{{"index":{i},"delta":{{}}}}"#));
        assert_eq!(read_answer(format!(r#"{{"choices":[{choices}]}}"#).as_bytes()).is_ok(), sound, "{n} choices");
        let calls = list(n, &|i| format!(r#"{{"index":{i},"function":{{}}}}"#));
        let body = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
        assert_eq!(read_answer(body.as_bytes()).is_ok(), sound, "{n} calls");
    }
    for field in ["content", "refusal", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"] {
        let event = format!(r#"{{"choices":[{{"delta":{{"{field}":"{}"}}}}]}}"#, "x".repeat(1 << 20));
        let mut assembler = Assembler::default();
        let taken = (0..64).take_while(|_| assembler.push(event.as_bytes()).is_ok()).count();
        assert_eq!(taken, 31, "32 MiB with the quotes: {field}");
    }
}

#[test]
fn calls_are_told_apart_however_they_are_numbered() {
    let part = |fields: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{{fields}}}]}}}}]}}"#);
    for (events, expected) in [
        (
            vec![
                part(r#""index":0,"id":"a","function":{"name":"f","arguments":""}"#),
                part(r#""index":0,"function":{"arguments":"{\"x"}"#),
                part(r#""index":1,"id":"b","function":{"name":"g","arguments":"{"}"#),
                part(r#""index":0,"function":{"arguments":"\":1}"}"#),
                part(r#""index":1,"function":{"arguments":"}"}"#),
            ],
            vec![call("a", "f", "{\"x\":1}"), call("b", "g", "{}")],
        ),
        (
            vec![
                part(r#""index":0,"id":"a","function":{"name":"f","arguments":"{}"}"#),
                part(r#""index":0,"id":"b","function":{"name":"f","arguments":"{}"}"#),
            ],
            vec![call("a", "f", "{}"), call("b", "f", "{}")],
        ),
        (
            vec![
                part(r#""index":0,"id":"a","function":{"name":"f","arguments":"{"}"#),
                part(r#""index":0,"id":"a","function":{"name":"f","arguments":"}"}"#),
            ],
            vec![call("a", "f", "{}")],
        ),
        (
            vec![
                part(r#""id":"a","function":{"name":"f","arguments":"{"}"#),
                part(r#""function":{"arguments":"}"}"#),
                part(r#""id":"b","function":{"name":"g","arguments":"{}"}"#),
            ],
            vec![call("a", "f", "{}"), call("b", "g", "{}")],
        ),
    ] {
        let mut assembler = Assembler::default();
        events.iter().for_each(|event| assembler.push(event.as_bytes()).expect("taken"));
        assert_eq!(assembler.finish().choices[0].calls, expected, "{events:?}");
    }
}

proptest! {
    /// However text is cut into events, and characters into halves, it comes out the same, and is handed on once.
    #[test]
    fn cuts_change_nothing(text in "(\\PC|\u{1f600}){0,12}", cuts in proptest::collection::vec(0usize..40, 0..6)) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(units.len())).collect();
        places.sort_unstable();
        places.push(units.len());
        let (mut assembler, mut from, mut handed) = (Assembler::default(), 0, [const { String::new() }; 3]);
        for to in places {
            let escaped: String = units[from..to].iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let said = r#""content":"X","refusal":"X","reasoning":"X","reasoning_details":[{"text":"X"}]"#;
            let event = format!(r#"{{"choices":[{{"index":0,"delta":{{{}}}}}]}}"#, said.replace('X', &escaped));
            assembler.push(event.as_bytes()).expect("taken");
            assembler.fresh(|_, lane, fresh| handed[lane as usize].push_str(fresh));
            from = to;
        }
        let answer = assembler.finish();
        for lane in Lane::ALL {
            prop_assert_eq!(answer.choices[0].words(lane), &text);
            prop_assert_eq!(&handed[lane as usize], &text);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_answer(&bytes);
    }
}
