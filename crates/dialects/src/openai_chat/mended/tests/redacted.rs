//! Answers out of which words are taken for good, wherever they say them.

use super::super::stream::read;
use super::{END, LAST, event};
use crate::openai_chat::{each_data, read_answer, redacted, redacted_stream};
use bytes::Bytes;
use llm::{Answer, Lane};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WORD: &str = "ada@example.org";

fn taken() -> BTreeSet<String> {
    [WORD.to_owned()].into()
}

/// The answer with the word taken out of everything that can be replaced.
fn without(before: &Answer) -> Answer {
    let mut after = before.clone();
    for choice in &mut after.choices {
        for lane in Lane::ALL {
            *choice.words_mut(lane) = choice.words(lane).replace(WORD, "<EMAIL_ADDRESS>");
        }
        choice.calls.iter_mut().for_each(|call| call.arguments = call.arguments.replace(WORD, "<EMAIL_ADDRESS>"));
    }
    after
}

fn whole(body: &Value) -> Option<Value> {
    let body = Bytes::from(body.to_string());
    let before = read_answer(&body).expect("an answer");
    redacted(&body, &before, &without(&before), &taken()).map(|body| serde_json::from_slice(&body).expect("JSON"))
}

#[test]
fn what_says_it_again_goes_too() {
    let said = |message: Value, beside: Value| {
        let mut choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        choice.as_object_mut().expect("an object").extend(beside.as_object().expect("an object").clone());
        json!({ "model": "m", "choices": [choice] })
    };
    let (held, gone) = (format!("to {WORD}."), "to <EMAIL_ADDRESS>.");
    for (before, after) in [
        (
            said(json!({ "content": held }), json!({ "logprobs": tokens(&held), "token_ids": [1, 2] })),
            said(json!({ "content": gone }), json!({ "logprobs": null, "token_ids": null })),
        ),
        (
            said(json!({ "refusal": held }), json!({ "logprobs": { "refusal": [] } })),
            said(json!({ "refusal": gone }), json!({ "logprobs": null })),
        ),
        (
            said(
                json!({ "content": "a", "reasoning": held, "reasoning_content": held, "provider_specific_fields": { "x": held } }),
                json!({}),
            ),
            said(
                json!({ "content": "a", "reasoning": gone, "reasoning_content": gone, "provider_specific_fields": null }),
                json!({}),
            ),
        ),
        (
            said(
                json!({ "reasoning": held, "reasoning_details": [{ "text": held, "signature": "s" }, { "data": "x" }] }),
                json!({}),
            ),
            said(
                json!({ "reasoning": gone, "reasoning_details": [{ "type": "reasoning.text", "text": gone }] }),
                json!({}),
            ),
        ),
        (
            said(
                json!({ "content": [{ "type": "text", "text": "to ada@" }, { "type": "ref" }, { "type": "text", "text": "example.org." }] }),
                json!({}),
            ),
            said(
                json!({ "content": [{ "type": "text", "text": gone }, { "type": "ref" }, { "type": "text", "text": "" }] }),
                json!({}),
            ),
        ),
    ] {
        assert_eq!(whole(&before), Some(after), "{before}");
    }
    let untouched = said(json!({ "content": "a" }), json!({ "logprobs": tokens("ada"), "x": "ada" }));
    assert_eq!(whole(&untouched), Some(untouched), "no word of it changed");
}

#[test]
fn what_nobody_thought_of_is_not_vouched_for() {
    let held = format!("to {WORD}.");
    for (message, beside) in [
        (json!({ "content": held, "x": held }), json!({})),
        (json!({ "content": held }), json!({ "annotations": [{ "ada@example.org": 1 }] })),
        (json!({ "content": "a" }), json!({ "x": held })),
        (json!({ "content": held, "x": ["ada@", "example.org"] }), json!({})),
        (json!({ "content": held, "x": "{\"a\":\"ada\\u0040example.org\"}" }), json!({})),
    ] {
        let body =
            json!({ "model": "m", "choices": [{ "message": message, "finish_reason": "stop", "beside": beside }] });
        assert_eq!(whole(&body), None, "{body}");
        let body =
            json!({ "model": "m", "beside": beside, "choices": [{ "message": message, "finish_reason": "stop" }] });
        assert_eq!(whole(&body), None, "{body}");
    }
    for held in
        [format!(": {WORD}\n\n"), event(&json!({ "content": "", "x": WORD })), format!("id: {WORD}\ndata: {{}}\n\n")]
    {
        let held = event(&json!({ "content": WORD })) + &held + END + LAST;
        let before = read(held.as_bytes()).expect("an answer");
        assert_eq!(redacted_stream(held.as_bytes(), &before, &without(&before), &taken()), None, "{held}");
    }
}

#[test]
fn a_word_over_many_events_goes_from_all() {
    let pieces = ["to a", "da@exam", "ple.org", "."];
    let logprobs = |piece: &str| json!({ "content": [{ "token": piece, "logprob": -0.1 }] });
    let say = |piece: &str| {
        let delta =
            json!({ "content": piece, "reasoning": piece, "reasoning_details": [{ "text": piece, "index": 0 }] });
        let choice = json!({ "index": 0, "delta": delta, "logprobs": logprobs(piece) });
        format!("data: {}\n\n", json!({ "model": "m", "choices": [choice] }))
    };
    let held = pieces.map(say).concat() + END + LAST;
    let before = read(held.as_bytes()).expect("an answer");
    let redacted = redacted_stream(held.as_bytes(), &before, &without(&before), &taken()).expect("redacted");
    let gone = "to <EMAIL_ADDRESS>.";
    let delta = json!({ "content": gone, "reasoning": gone, "reasoning_details": [{ "type": "reasoning.text", "text": gone }] });
    let expected = json!({ "model": "m", "choices": [{ "index": 0, "delta": delta, "logprobs": null }] });
    let mut data = Vec::new();
    each_data(&redacted, |event| {
        data.push(event.to_vec());
        Ok::<(), ()>(())
    })
    .expect("events");
    assert_eq!(serde_json::from_slice::<Value>(&data[0]).expect("JSON"), expected);
    assert_eq!(data.len(), 3, "one event says all; the end and the terminator stay");
}

/// Any string of the answer, in order, by its place among objects; of choices by their own.
fn strings(value: &Value, path: &str, all: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => all.entry(path.to_owned()).or_default().push_str(text),
        Value::Array(items) => {
            for item in items {
                let index = item.get("index").filter(|_| path.ends_with("choices")).map(ToString::to_string);
                strings(item, &format!("{path}{}", index.unwrap_or_default()), all);
            }
        }
        Value::Object(fields) => fields.iter().for_each(|(name, value)| strings(value, &format!("{path}/{name}"), all)),
        _ => {}
    }
}

/// Text that holds the word sometimes.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just(WORD.to_owned()), "[a-z@.\"\\\\é ]{0,5}"];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.join(" "))
}

/// One choice: its words by field, and whether what doubles them comes too.
fn choices() -> impl Strategy<Value = Vec<(Vec<String>, bool, bool)>> {
    proptest::collection::vec((proptest::collection::vec(words(), 4), any::<bool>(), any::<bool>()), 1..3)
}

/// The fields of a message or delta that says these words.
fn said(words: &[String], doubled: bool, sealed: bool) -> Value {
    let mut said = json!({ "content": words[0], "refusal": words[1], "reasoning": words[2] });
    if doubled {
        said["reasoning_content"] = json!(words[2]);
        said["reasoning_details"] = json!([{ "text": words[2], "signature": "s" }]);
    }
    if sealed {
        said["thinking_blocks"] = json!([{ "data": "x" }]);
    }
    said["tool_calls"] = json!([{ "index": 0, "function": { "arguments": words[3] } }]);
    said
}

fn tokens(text: &str) -> Value {
    let tokens: Vec<Value> = text.split_inclusive(['@', '.']).map(|token| json!({ "token": token })).collect();
    json!({ "content": tokens })
}

/// The same JSON, its letters within strings escaped here and there.
fn escaped(json: &str, every: usize) -> String {
    let unit = |(at, c): (usize, char)| match c {
        '@' | '.' | 'a' if at % every == 0 => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    };
    // Only words hold these letters behind an `@`.
    let whole: String = json.chars().enumerate().map(unit).collect();
    if serde_json::from_str::<Value>(&whole).ok() == serde_json::from_str::<Value>(json).ok() {
        whole
    } else {
        json.replace('@', "\\u0040")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_string_of_a_whole_answer_holds_it(choices in choices(), every in 1usize..4, id in "[a-z]{3}") {
        let choice = |(index, (words, doubled, sealed)): (usize, &(Vec<String>, bool, bool))| json!({
            "index": index, "message": said(words, *doubled, *sealed), "finish_reason": "stop",
            "logprobs": if *doubled { tokens(&words[0]) } else { Value::Null },
        });
        let choices: Vec<Value> = choices.iter().enumerate().map(choice).collect();
        let body = json!({ "id": id, "model": "m", "choices": choices }).to_string();
        let body = Bytes::from(escaped(&body, every));
        let before = read_answer(&body).expect("an answer");
        let after = without(&before);
        let redacted = redacted(&body, &before, &after, &taken()).expect("every field is known");
        let mut all = BTreeMap::new();
        strings(&serde_json::from_slice(&redacted).expect("JSON"), "", &mut all);
        prop_assert!(all.values().all(|said| !said.contains(WORD)), "{:?}", all);
        let read = read_answer(&redacted).expect("an answer");
        for (read, after) in read.choices.iter().zip(&after.choices) {
            prop_assert_eq!((&read.text, &read.refusal, &read.reasoning, &read.calls),
                (&after.text, &after.refusal, &after.reasoning, &after.calls));
        }
        prop_assert_eq!(redacted == body, before == after, "what holds nothing stays as it is");
    }

    #[test]
    fn no_strings_of_a_stream_hold_it(choices in choices(), every in 1usize..4, cut in 1usize..9, turns in any::<bool>()) {
        let mut events: Vec<(usize, String)> = Vec::new();
        for (index, (words, doubled, sealed)) in choices.iter().enumerate() {
            let pieces: Vec<Vec<String>> = words.iter().map(|words| pieces(words, cut)).collect();
            for at in 0..pieces.iter().map(Vec::len).max().unwrap_or(0) {
                let now: Vec<String> = pieces.iter().map(|pieces| pieces.get(at).cloned().unwrap_or_default()).collect();
                let logprobs = if *doubled { tokens(&now[0]) } else { Value::Null };
                let choice = json!({ "index": index, "delta": said(&now, *doubled, *sealed && at == 0), "logprobs": logprobs });
                let data = json!({ "id": "c", "model": "m", "choices": [choice] }).to_string();
                events.push((at, format!("data: {}\n\n", escaped(&data, every))));
            }
        }
        if turns {
            events.sort_by_key(|(at, _)| *at);
        }
        let held: String = events.into_iter().map(|(_, event)| event).collect::<String>() + LAST;
        let before = read(held.as_bytes()).expect("an answer");
        let after = without(&before);
        let redacted = redacted_stream(held.as_bytes(), &before, &after, &taken()).expect("every field is known");
        let mut all = BTreeMap::new();
        each_data(&redacted, |data| {
            if let Ok(event) = serde_json::from_slice(data) {
                strings(&event, "", &mut all);
            }
            Ok::<(), ()>(())
        }).expect("events");
        prop_assert!(all.values().all(|said| !said.contains(WORD)), "{:?}", all);
        let read = read(&redacted).expect("an answer");
        for (read, after) in read.choices.iter().zip(&after.choices) {
            prop_assert_eq!((&read.text, &read.refusal, &read.reasoning, &read.calls),
                (&after.text, &after.refusal, &after.reasoning, &after.calls));
        }
        prop_assert_eq!(redacted == held, before == after, "what holds nothing stays as it is");
    }
}

fn pieces(words: &str, cut: usize) -> Vec<String> {
    let chars: Vec<char> = words.chars().collect();
    chars.chunks(cut).map(|piece| piece.iter().collect()).collect()
}
