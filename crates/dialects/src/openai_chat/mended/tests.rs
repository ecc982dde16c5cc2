//! Answers in every form that providers give them, mended and read again.

mod redacted;

use super::stream::read;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is read from `body`, changed.
fn changed(before: &Answer, change: impl FnOnce(&mut Answer)) -> Answer {
    let mut after = before.clone();
    change(&mut after);
    after
}

fn text(choice: usize, words: &str) -> impl Fn(&mut Answer) {
    move |answer| words.clone_into(&mut answer.choices[choice].text)
}

fn thought(words: &str) -> impl Fn(&mut Answer) {
    move |answer| words.clone_into(&mut answer.choices[0].reasoning)
}

fn arguments(call: usize, words: &str) -> impl Fn(&mut Answer) {
    move |answer| words.clone_into(&mut answer.choices[0].calls[call].arguments)
}

fn whole(message: &str) -> String {
    format!(
        r#"{{ "id":"c","model":"m","choices":[{{"index":0, "message":{message} ,"finish_reason":"stop"}}], "x": 1e3 }}"#
    )
}

/// `body` with `change` made to what is read from it.
fn mend(body: &str, change: impl FnOnce(&mut Answer)) -> Option<String> {
    let body = Bytes::from(body.to_owned());
    let before = read_answer(&body).expect("an answer");
    mended(&body, &before, &changed(&before, change)).map(|mended| String::from_utf8(mended.to_vec()).expect("UTF-8"))
}

#[test]
fn words_of_a_whole_answer_are_replaced_in_place() {
    let calls = r#"{"role":"assistant", "content":null,"tool_calls":[
        {"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1"}},
        {"id":"2","function":{"arguments" : {"b":2},"name":"g"},"x":"\ud83d"}]}"#;
    let escaped = r#"{"content": "h\u00e9\ud83d\ude00" ,"refusal":null,"y":"h\u00e9"}"#;
    for (message, change, from, to) in [
        (escaped, &text(0, "é\n\"") as &dyn Fn(&mut Answer), r#""h\u00e9\ud83d\ude00""#, r#""é\n\"""#),
        (escaped, &text(0, ""), r#""h\u00e9\ud83d\ude00""#, r#""""#),
        (calls, &text(0, "said"), r#""content":null"#, r#""content":"said""#),
        (calls, &arguments(0, "{\"a\":1}"), r#""{\"a\":1""#, r#""{\"a\":1}""#),
        (calls, &arguments(1, "{}"), r#"{"b":2}"#, r#""{}""#),
        (r#"{"content":[{"type":"text", "text":"a"}]}"#, &text(0, "b"), r#""a""#, r#""b""#),
        (
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"text":"a","type":"text"}]}"#,
            &text(0, "b"),
            r#""a""#,
            r#""b""#,
        ),
        (r#"{"refusal":"a","content":""}"#, &|answer| answer.choices[0].refusal = "b".into(), r#""a""#, r#""b""#),
        (r#"{"reasoning_content":"a","content":"a"}"#, &thought("b"), r#""a""#, r#""b""#),
        (r#"{"content":"a","reasoning":"a"}"#, &thought("b"), r#""reasoning":"a""#, r#""reasoning":"b""#),
        (
            r#"{"reasoning_content":"a","reasoning":"\u0061"}"#,
            &thought("b"),
            r#""a","reasoning":"\u0061""#,
            r#""b","reasoning":"b""#,
        ),
        (
            r#"{"reasoning":"ab","reasoning_details":[{"text":"a"},{"text":"b","signature":"s"}]}"#,
            &thought("b"),
            r#""ab","reasoning_details":[{"text":"a"},{"text":"b","signature":"s"}]"#,
            r#""b","reasoning_details":[{"type":"reasoning.text","text":"b"}]"#,
        ),
        (
            r#"{"thinking_blocks":[{"thinking":"a","signature":"s"}]}"#,
            &thought("b"),
            r#"[{"thinking":"a","signature":"s"}]"#,
            r#"[{"type":"thinking","thinking":"b"}]"#,
        ),
        (r#"{"function_call":{"name":"f","arguments":"{"}}"#, &arguments(0, "{}"), r#""{""#, r#""{}""#),
        (r#"{"tool_calls":[{"custom":{"name":"f","input":"{"}}]}"#, &arguments(0, "{}"), r#""{""#, r#""{}""#),
        (r#"{"tool_calls":[{"function":{"name":"f","arguments":null}}]}"#, &arguments(0, "{}"), "null", r#""{}""#),
    ] {
        let body = whole(message);
        assert_eq!(mend(&body, change), Some(body.replacen(from, to, 1)), "{message}");
        assert_eq!(mend(&body, |_| ()), Some(body.clone()), "nothing differs: {message}");
    }
}

#[test]
fn each_choice_has_its_own_words() {
    let body = r#"{"choices":[{"index":1,"message":{"content":"a"}}, {"index":0,"message":{"content":"a"}}]}"#;
    assert_eq!(
        mend(body, text(0, "b")),
        Some(body.replace(r#"0,"message":{"content":"a""#, r#"0,"message":{"content":"b""#))
    );
    assert_eq!(
        mend(body, text(1, "b")),
        Some(body.replace(r#"1,"message":{"content":"a""#, r#"1,"message":{"content":"b""#))
    );
    assert_eq!(
        mend(body, |answer| answer.choices.iter_mut().for_each(|c| c.text = "bb".into())),
        Some(body.replace("\"a\"", "\"bb\""))
    );
}

#[test]
fn what_cannot_be_replaced_is_not() {
    let say = whole(r#"{"content":"a","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]}"#);
    let changes: [fn(&mut Answer); 11] = [
        |answer| answer.model = "other".into(),
        |answer| answer.choices.clear(),
        |answer| answer.choices[0].index = 1,
        |answer| answer.choices[0].refusal = "no".into(),
        |answer| answer.choices[0].finish = None,
        |answer| answer.choices[0].reasoning = "hm".into(),
        |answer| answer.choices[0].sealed = true,
        |answer| answer.choices[0].media = true,
        |answer| answer.choices[0].calls.clear(),
        |answer| answer.choices[0].calls[0].name = "g".into(),
        |answer| answer.choices[0].calls[0].free = true,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert_eq!(mend(&say, change), None, "{at}");
        let streamed = format!("data: {say}\n\n");
        let before = read(streamed.as_bytes()).expect("an answer");
        assert_eq!(mended_stream(streamed.as_bytes(), &before, &changed(&before, change)), None, "{at}");
    }
    for message in [
        r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
        r#"{"content":[]}"#,
        r#"{"refusal":"no"}"#,
        r#"{"reasoning":"hm"}"#,
    ] {
        assert_eq!(mend(&whole(message), text(0, "c")), None, "{message}");
    }
    let unsaid = whole(r#"{"tool_calls":[{"function":{"name":"f"}}]}"#);
    assert_eq!(mend(&unsaid, arguments(0, "{}")), None);
    // Bytes that are not those of the answer.
    let (before, after) = (Answer::default(), read_answer(say.as_bytes()).expect("an answer"));
    assert_eq!(mended(&Bytes::from_static(b"{}"), &before, &after), None);
    let other = changed(&after, text(0, "b"));
    assert_eq!(mended(&Bytes::from_static(b"<html>"), &after, &other), None);
    assert_eq!(mended_stream(b"data: <html>\n\n", &after, &other), None);
}

fn event(delta: &Value) -> String {
    format!("data: {}\n\n", json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]}))
}

fn say(words: &str) -> String {
    event(&json!({ "content": words }))
}

fn call(fields: &Value) -> String {
    event(&json!({ "tool_calls": [fields] }))
}

const END: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
const LAST: &str = "data: [DONE]\n\n";

/// The events with `change` made to what is read from them.
fn mend_events(events: &[&str], change: impl FnOnce(&mut Answer)) -> Option<String> {
    let held = events.concat();
    let before = read(held.as_bytes()).expect("an answer");
    mended_stream(held.as_bytes(), &before, &changed(&before, change))
        .map(|mended| String::from_utf8(mended.to_vec()).expect("UTF-8"))
}

#[test]
fn the_first_words_of_a_stream_carry_all_and_later_ones_are_left_out() {
    let role = event(&json!({"role": "assistant", "content": ""}));
    let (a, b, ab) = (say("a"), say("b"), say("mended \"é\""));
    let spoken = |words: &str| event(&json!({"role": "assistant", "content": words}));
    let crlf = |event: &str| event.replace('\n', "\r\n");
    let listed = |words: &str| event(&json!({"content": [{"type": "text", "text": words}]}));
    let closing = |words: &str| END.replace("{}", &json!({ "content": words }).to_string());
    let halves = [r#"\ud83d"#, r#"\ude00"#].map(|half| a.replace("\"a\"", &format!("\"{half}\"")));
    let unnamed = |words: &str| say(words).replace(",\"model\":\"m\"", "");
    let lines = "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n";
    let one_line =
        "data: {\"model\":\"m\",\"choices\":[{\"index\":0, \"delta\":{\"content\":\"mended \\\"é\\\"\"}}]}\n\n";
    for (events, expected) in [
        (vec![&*role, ": ping\n\n", &a, &b, END, USAGE, LAST], vec![&*role, ": ping\n\n", &ab, END, USAGE, LAST]),
        (vec![&a, ": ping\n\n", &b, &b, LAST], vec![&ab, ": ping\n\n", LAST]),
        (vec![&role, END], vec![&spoken("mended \"é\""), END]),
        (vec![&spoken("a"), &spoken("b"), END], vec![&spoken("mended \"é\""), END]),
        (vec![&a, &spoken("b"), &spoken("b"), END], vec![&ab, &spoken(""), END]),
        (vec![&a, &closing("b"), LAST], vec![&ab, &closing(""), LAST]),
        (vec![&crlf(&a), &crlf(&b), &crlf(END), &crlf(LAST)], vec![&crlf(&ab), &crlf(END), &crlf(LAST)]),
        (vec![&a.replace('\n', "\r"), &b.replace('\n', "\r")], vec![&ab.replace('\n', "\r")]),
        (vec![&halves[0], &halves[1], END], vec![&ab, END]),
        (vec![&listed("a"), &listed("b"), END], vec![&listed("mended \"é\""), &listed(""), END]),
        (vec![lines, &b, END], vec![one_line, END]),
        (vec![&a, "event: x\nid: 7\n: c\n", &b, END], vec![&ab, END]),
        (vec!["event: x\nid: 7\n", &a, &b, END], vec!["event: x\nid: 7\n", &ab, END]),
        (vec![&a, END.trim_end()], vec![&ab, END]),
        // The first that names the model stays.
        (vec![&unnamed("a"), &b, &b], vec![&unnamed("mended \"é\""), &say("")]),
        (vec![&a.replace("\"id\"", "\"é\":1,\"id\""), &b], vec![&ab.replace("\"id\"", "\"é\":1,\"id\"")]),
        (vec![&a, &b.replace("\"id\"", "\"x\":1,\"id\"")], vec![&ab, &say("").replace("\"id\"", "\"x\":1,\"id\"")]),
    ] {
        let mended = mend_events(&events, text(0, "mended \"é\""));
        assert_eq!(mended, Some(expected.concat()), "{events:?}");
        assert_eq!(mend_events(&events, |_| ()), Some(events.concat()), "nothing differs: {events:?}");
    }
    assert_eq!(mend_events(&[&role, &a, &b, END], text(0, "")), Some([&role, &say(""), END].concat()));
    assert_eq!(mend_events(&[END, LAST], text(0, "a")), None, "there is no place for it");
}

#[test]
fn arguments_of_parallel_calls_are_told_apart() {
    let open = |index: u8, id: &str| {
        call(&json!({"index": index, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}}))
    };
    let part = |index: u8, words: &str| call(&json!({"index": index, "function": {"arguments": words}}));
    let both = |first: &str, second: &str| {
        let call = |index: u8, words: &str| json!({"index": index, "function": {"arguments": words}});
        event(&json!({"tool_calls": [call(0, first), call(1, second)]}))
    };
    let complete =
        |id: &str, words: &str| call(&json!({"index": 0, "id": id, "function": {"name": "f", "arguments": words}}));
    for (events, change, expected) in [
        (
            vec![open(0, "a"), part(0, "{"), open(1, "b"), part(1, "{"), part(0, "\"x"), part(1, "}")],
            arguments(0, "{}"),
            vec![open(0, "a"), part(0, "{}"), open(1, "b"), part(1, "{"), part(1, "}")],
        ),
        (
            vec![open(0, "a"), open(1, "b"), both("{", "{"), both("\"", "}"), part(0, ":")],
            arguments(0, "{}"),
            vec![open(0, "a"), open(1, "b"), both("{}", "{"), both("", "}")],
        ),
        (
            vec![complete("a", "{"), complete("b", "{")],
            arguments(1, "{}"),
            vec![complete("a", "{"), complete("b", "{}")],
        ),
        (
            vec![
                call(&json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
                call(&json!({"function": {"arguments": ","}})),
            ],
            arguments(0, "{}"),
            vec![call(&json!({"id": "a", "function": {"name": "f", "arguments": "{}"}}))],
        ),
        (
            vec![open(0, "a")],
            arguments(0, "{}"),
            vec![open(0, "a").replace(r#""arguments":"""#, r#""arguments":"{}""#)],
        ),
        (
            vec![
                event(&json!({"function_call": {"name": "f", "arguments": "{"}})),
                event(&json!({"function_call": {"arguments": ","}})),
            ],
            arguments(0, "{}"),
            vec![event(&json!({"function_call": {"name": "f", "arguments": "{}"}}))],
        ),
    ] {
        let mut held: Vec<&str> = events.iter().map(String::as_str).collect();
        held.extend([END, USAGE, LAST]);
        let expected = expected.concat() + END + USAGE + LAST;
        assert_eq!(mend_events(&held, change), Some(expected), "{events:?}");
    }
}

/// A piece of an answer: of which choice, of which of its calls if of one, and the words.
type Said = (u32, Option<u8>, String);

/// The data of an event that says `said`; calls of which `opened` does not know are named, or all of them.
fn as_data(said: &[Said], opened: &mut BTreeSet<(u32, u8)>, named: bool) -> String {
    let choice = |(index, call, words): &Said| match call {
        None => json!({"index": index, "delta": {"content": words}}),
        Some(call) => {
            let mut wire = json!({"index": call, "function": {"arguments": words}});
            if opened.insert((*index, *call)) || named {
                wire["id"] = format!("call-{index}-{call}").into();
                wire["function"]["name"] = "f".into();
            }
            json!({"index": index, "delta": {"tool_calls": [wire]}})
        }
    };
    json!({"id": "c", "model": "m", "choices": said.iter().map(choice).collect::<Vec<_>>()}).to_string()
}

fn words() -> impl Strategy<Value = String> {
    "\\PC{0,6}|[a-z{}:,]{0,5}|[\"\\\\\n😀]{1,3}"
}

/// Events of up to three choices, with up to three calls each, and what lies between events.
fn streams() -> impl Strategy<Value = String> {
    let said = (0u32..3, proptest::option::of(0u8..3), words());
    let event = (proptest::collection::vec(said, 0..4), 0u8..9, any::<bool>());
    (proptest::collection::vec(event, 1..12), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(events, named, ended, ascii)| {
            let mut opened = BTreeSet::new();
            let mut held = String::new();
            for (said, form, usage) in events {
                let mut data = as_data(&said, &mut opened, named);
                if usage {
                    data = data.replacen(r#""id":"c""#, r#""usage":{"prompt_tokens":1},"id":"c""#, 1);
                }
                if ascii {
                    let escape =
                        |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
                    let write = |c: char| if c.is_ascii() { c.to_string() } else { escape(c) };
                    data = data.chars().map(write).collect();
                }
                held += &match form {
                    0 => format!(": ping\n\ndata: {data}\n\n"),
                    1 => format!("data:{data}\r\n\r\n"),
                    2 => format!("id: 1\ndata: {data}\nevent: x\n\n"),
                    3 => format!("data: {data}\r\r"),
                    4 => format!("data: {}\n\n", data.replacen("\"choices\":", "\"choices\":\ndata: ", 1)),
                    _ => format!("data: {data}\n\n"),
                };
            }
            if ended { held + END + USAGE + LAST } else { held }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_mended_stream_reads_as_what_is_after(
        held in streams(), changes in proptest::collection::vec((0usize..3, 0usize..4, words()), 0..4),
    ) {
        let before = read(held.as_bytes()).expect("an answer");
        let after = changed(&before, |answer| for (choice, part, words) in &changes {
            let Some(choice) = answer.choices.get_mut(*choice) else { continue };
            match choice.calls.get_mut(*part) {
                Some(call) => call.arguments.clone_from(words),
                // Text can stand only where some stood, and no answer is mended into nothing.
                None if !choice.text.is_empty() && !words.is_empty() => choice.text.clone_from(words),
                None => {}
            }
        });
        let mended = mended_stream(held.as_bytes(), &before, &after).expect("mended");
        prop_assert_eq!(read(&mended).expect("an answer"), after.clone());
        prop_assert_eq!(&mended_stream(&mended, &after, &after).expect("the same"), &mended);
        let same = mended_stream(held.as_bytes(), &before, &before).expect("the same");
        prop_assert_eq!(same, held.as_bytes());
        // Comments and usage stay, whatever goes.
        for kept in [": ping", "\"usage\"", "[DONE]", "\"stop\""] {
            let count = |bytes: &[u8]| memchr::memmem::find_iter(bytes, kept).count();
            prop_assert_eq!(count(&mended), count(held.as_bytes()), "{}", kept);
        }
    }

    /// However its text was cut into events, a mended text is one event where nothing else was said.
    #[test]
    fn a_mended_text_is_one_event(pieces in proptest::collection::vec("\\PC{1,4}", 1..9), words in words()) {
        let said: Vec<String> = pieces.iter().map(|piece| say(piece)).collect();
        let held = said.concat() + END + LAST;
        let before = read(held.as_bytes()).expect("an answer");
        let after = changed(&before, text(0, &words));
        prop_assume!(before != after);
        let mended = mended_stream(held.as_bytes(), &before, &after).expect("mended");
        prop_assert_eq!(mended, (say(&words) + END + LAST).into_bytes());
    }

    #[test]
    fn a_whole_answer_changes_nowhere_else(
        said in proptest::collection::vec((words(), words(), words()), 1..4), to in (words(), words()), at in 0usize..3,
        spaced in any::<bool>(),
    ) {
        let body = |said: &[(String, String, String)]| {
            let choice = |(index, (text, first, second)): (usize, &(String, String, String))| {
                let call = |id: &str, arguments: &str| json!({"id": id, "function": {"name": "f", "arguments": arguments}});
                json!({"index": index, "finish_reason": "stop", "x": [text],
                    "message": {"content": text, "tool_calls": [call("1", first), call("2", second)]}})
            };
            let choices: Vec<Value> = said.iter().enumerate().map(choice).collect();
            json!({"model": "m", "choices": choices, "usage": {"prompt_tokens": 1}})
        };
        let value = body(&said);
        let raw = if spaced { serde_json::to_string_pretty(&value).expect("written") } else { value.to_string() };
        let raw = Bytes::from(raw);
        let before = read_answer(&raw).expect("an answer");
        let at = at % said.len();
        let after = changed(&before, |answer| {
            answer.choices[at].text.clone_from(&to.0);
            answer.choices[at].calls[1].arguments.clone_from(&to.1);
        });
        let mended = mended(&raw, &before, &after).expect("mended");
        prop_assert_eq!(read_answer(&mended).expect("an answer"), after);
        let mut expected = value;
        expected["choices"][at]["message"]["content"] = to.0.into();
        expected["choices"][at]["message"]["tool_calls"][1]["function"]["arguments"] = to.1.into();
        let written = if spaced { serde_json::to_string_pretty(&expected).expect("written") } else { expected.to_string() };
        prop_assert_eq!(mended, written.into_bytes());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let before = Answer { choices: vec![Choice::default()], ..Answer::default() };
        let after = changed(&before, text(0, "a"));
        let _ = (mended_stream(&bytes, &before, &after), mended(&bytes.clone().into(), &before, &after));
        let taken = ["a".to_owned()].into();
        let _ = (redacted_stream(&bytes, &before, &after, &taken), redacted(&bytes.into(), &before, &after, &taken));
    }
}
