//! Answers: read however they are told, written in order, and read again.

use super::*;
use crate::openai_chat::{each_data, render};
use crate::responses::StreamDecoder;
use crate::{Ending, Head, Unread};
use bytes::{Bytes, BytesMut};
use llm::{CallError, Delta, Dialect, Event, FinishReason, Seal, SealKind, Usage};
use proptest::prelude::*;
use serde_json::{Value, json};

fn head() -> Head {
    Head { id: "resp_7".into(), model: "asked".into(), created: 1_700_000_000, usage: true, ..Head::default() }
}

fn began(id: &str, model: &str) -> Delta {
    Delta::Began { id: id.into(), model: model.into() }
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> Delta {
    Delta::Thought { choice: 0, text: text.into() }
}

fn refusal(text: &str) -> Delta {
    Delta::Refusal { choice: 0, text: text.into() }
}

fn call(call: u32, id: &str, name: &str) -> Delta {
    Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
}

fn arguments(call: u32, text: &str) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

fn ended(finish: FinishReason) -> Delta {
    Delta::Ended { choice: 0, finish, stop: None }
}

fn other(name: &str, json: &Value) -> Delta {
    Delta::Other { choice: 0, name: name.into(), json: json.to_string().into() }
}

fn seal(of: Dialect, kind: SealKind, token: &str) -> Seal {
    Seal { of, kind, token: token.into() }
}

fn sealed(token: &str) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: seal(Dialect::Responses, SealKind::Encrypted, token) }
}

/// Reads the events of a stream.
fn read(events: &[Value]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    for event in events {
        reader.push(event.to_string().as_bytes(), &mut out).expect("read");
    }
    out
}

fn read_bytes(stream: &[u8]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    each_data(stream, |data| reader.push(data, &mut out)).expect("read");
    out
}

fn written(deltas: &[Delta]) -> (Bytes, Vec<String>) {
    let (mut writer, mut out) = (Writer::new(head()), BytesMut::new());
    for delta in deltas {
        writer.push(delta, &mut out);
    }
    writer.finish(&mut out);
    (out.freeze(), writer.left_out().to_vec())
}

/// The events of a stream, each of which is named twice alike.
fn events(stream: &[u8]) -> Vec<Value> {
    let stream = std::str::from_utf8(stream).expect("UTF-8");
    let event = |text: &str| {
        let (name, data) = text.split_once('\n').expect("two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    stream.split_terminator("\n\n").map(event).collect()
}

/// Neighbouring pieces of one text joined: what a reader of whole answers sees.
fn joined(deltas: &[Delta]) -> Vec<Delta> {
    let mut all: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (all.last_mut(), delta) {
            (Some(Delta::Text { text, .. }), Delta::Text { text: more, .. })
            | (Some(Delta::Thought { text, .. }), Delta::Thought { text: more, .. })
            | (Some(Delta::Refusal { text, .. }), Delta::Refusal { text: more, .. }) => text.push_str(more),
            (Some(Delta::Arguments { call: one, text, .. }), Delta::Arguments { call, text: more, .. })
                if one == call =>
            {
                text.push_str(more);
            }
            _ => all.push(delta.clone()),
        }
    }
    all
}

fn added(place: u32, item: &Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": place, "item": item})
}

fn done(place: u32, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": place, "item": item})
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "output": []}})
}

fn completed(output: &Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-5", "status": "completed",
        "output": output, "usage": {"input_tokens": 3, "output_tokens": 2}}})
}

const USED: Delta = Delta::Used(Usage { input: 3, output: 2, cached: 0, cache_written: 0, reasoning: 0 });

/// One answer as servers tell it: in pieces, in pieces with the whole of each, with wholes alone, and at the end alone.
#[test]
fn however_much_is_said_it_is_read_once() {
    let hi = json!({"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "hé there"}]});
    let weather = json!({"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"a\":1}"});
    let thinks = json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "one"},
        {"type": "summary_text", "text": "two"}], "encrypted_content": "gAA="});
    let mut opened = weather.clone();
    opened["arguments"] = json!("");
    let started = json!({"id": "rs_0", "type": "reasoning", "summary": [], "encrypted_content": "unripe"});
    let piece = |kind: &str, place: u32, delta: &str| json!({"type": format!("response.{kind}.delta"), "item_id": "x", "output_index": place, "summary_index": 0, "delta": delta});
    let pieces = vec![
        added(0, &started),
        piece("reasoning_summary_text", 0, "on"),
        piece("reasoning_summary_text", 0, "e"),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "two"}),
        done(0, &thinks),
        added(1, &json!({"type": "message", "content": []})),
        piece("output_text", 1, "h\u{e9}"),
        piece("output_text", 1, " there"),
        done(1, &hi),
        added(2, &opened),
        piece("function_call_arguments", 2, "{\"a\""),
        piece("function_call_arguments", 2, ":1}"),
        done(2, &weather),
    ];
    let wholes = vec![
        added(0, &started),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "one"}),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 1, "text": "two"}),
        done(0, &thinks),
        json!({"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "hé there"}),
        done(1, &hi),
        added(2, &opened),
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{\"a\":1}"}),
    ];
    let nameless = vec![
        done(0, &thinks),
        piece("output_text", 1, "hé"),
        done(1, &hi),
        added(2, &json!({"type": "function_call"})),
        piece("function_call_arguments", 2, "{\"a\":1}"),
        done(2, &weather),
    ];
    let expected = [
        began("resp_1", "gpt-5"),
        thought("one\n\ntwo"),
        sealed("rs_1|gAA="),
        text("hé there"),
        call(0, "call_1", "weather"),
        arguments(0, "{\"a\":1}"),
        ended(FinishReason::ToolCalls),
        USED,
    ];
    let output = json!([thinks, hi, weather]);
    for told in [pieces, wholes, nameless, vec![]] {
        let all: Vec<Value> = [vec![created()], told, vec![completed(&output)]].concat();
        assert_eq!(joined(&read(&all)), expected, "{all:?}");
    }
    let whole = whole(completed(&output)["response"].to_string().as_bytes()).expect("read");
    assert_eq!(joined(&whole), expected);
}

#[test]
fn what_servers_do_differently_is_read() {
    let custom = json!({"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "SELECT 1"});
    let free = Delta::Call { choice: 0, call: 0, id: "c".into(), name: "sql".into(), free: true, seal: None };
    let spaced = json!({"type": "function_call", "id": "fc_9", "namespace": "crm", "name": "find", "arguments": "{}"});
    let raw = json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    let both = json!({"type": "reasoning", "summary": [{"text": "short"}], "content": [{"text": "long"}]});
    let refused = json!({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]});
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed"});
    let cited = json!({"type": "message", "content": [{"type": "output_text", "text": "x", "annotations": [{"type": "url_citation"}]}]});
    let citation = other("annotation", &json!({"type": "url_citation"}));
    let annotation = json!({"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0,
        "annotation": {"type": "url_citation"}});
    let commented = json!({"type": "message", "phase": "commentary",
        "content": [{"type": "output_text", "text": "x", "logprobs": [{"token": "x"}]}]});
    let envelope = |content: &str| json!({"type": "reasoning", "summary": [], "encrypted_content": content});
    let signed = seal(Dialect::Gemini, SealKind::Signature, "sig");
    let after = Delta::Call {
        choice: 0,
        call: 0,
        id: "fc_9".into(),
        name: "ns3_crm_find".into(),
        free: false,
        seal: Some(signed.clone()),
    };
    for (told, expected) in [
        (vec![done(0, &custom)], vec![free.clone(), arguments(0, "SELECT 1")]),
        (
            vec![
                added(0, &json!({"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": ""})),
                json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "SELECT "}),
                json!({"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "SELECT 1"}),
                done(0, &custom),
            ],
            vec![free, arguments(0, "SELECT "), arguments(0, "1")],
        ),
        (vec![done(0, &spaced)], vec![call(0, "fc_9", "ns3_crm_find"), arguments(0, "{}")]),
        (vec![done(0, &raw)], vec![thought("hm")]),
        (
            vec![json!({"type": "response.reasoning_text.delta", "output_index": 0, "delta": "h"}), done(0, &raw)],
            vec![thought("h"), thought("m")],
        ),
        (vec![done(0, &both)], vec![thought("short")]),
        (
            vec![json!({"type": "response.reasoning_text.delta", "output_index": 0, "delta": "lo"}), done(0, &both)],
            vec![thought("lo"), thought("ng")],
        ),
        (vec![done(0, &raw), done(1, &raw)], vec![thought("hm"), thought("\n\n"), thought("hm")]),
        // What was said stands, whatever is said of it in the end.
        (
            vec![
                json!({"type": "response.output_text.delta", "output_index": 0, "delta": "It ran."}),
                json!({"type": "response.output_text.done", "output_index": 0, "text": "It ran in a container."}),
                done(0, &json!({"type": "message", "content": [{"type": "output_text", "text": "It"}]})),
            ],
            vec![text("It ran.")],
        ),
        (
            vec![
                added(0, &json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""})),
                json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{\"a\":1}"}),
                json!({"type": "response.function_call_arguments.done", "output_index": 0, "arguments": "{\"a\": 1}"}),
            ],
            vec![call(0, "c", "f"), arguments(0, "{\"a\":1}")],
        ),
        (
            vec![json!({"type": "response.refusal.delta", "delta": "n"}), done(0, &refused)],
            vec![refusal("n"), refusal("o")],
        ),
        (vec![done(0, &search)], vec![other("web_search_call", &search)]),
        (vec![done(0, &cited)], vec![text("x"), citation.clone()]),
        (vec![annotation, done(0, &cited)], vec![citation, text("x")]),
        (
            vec![done(0, &commented)],
            vec![text("x"), other("logprobs", &json!([{"token": "x"}])), other("phase", &json!("commentary"))],
        ),
        (vec![done(0, &envelope("seal:gemini:signature:call:sig")), done(1, &spaced)], vec![after, arguments(0, "{}")]),
        (
            vec![done(0, &cited), done(1, &envelope("seal:gemini:signature:text:sig"))],
            vec![
                text("x"),
                other("annotation", &json!({"type": "url_citation"})),
                Delta::TextSealed { choice: 0, seal: signed },
            ],
        ),
        (vec![json!({"type": "response.web_search_call.searching", "output_index": 0})], vec![]),
        (vec![json!({"type": "tomorrow"}), json!({"type": "response.output_text.delta", "delta": 7})], vec![]),
    ] {
        let all: Vec<Value> = [vec![created()], told, vec![completed(&json!([]))]].concat();
        let mut read = read(&all);
        read.truncate(read.len() - 2);
        assert_eq!(read.split_first().map(|(_, rest)| rest), Some(&expected[..]), "{all:?}");
    }
}

#[test]
fn characters_cut_in_two_are_joined() {
    let mut out = Vec::new();
    let mut reader = Reader::default();
    for data in [
        r#"{"type":"response.output_text.delta","delta":"a\ud83d"}"#,
        r#"{"type":"response.output_text.delta","delta":"\ude00b"}"#,
        r#"{"type":"response.output_text.delta","output_index":1,"delta":"c\ud83d"}"#,
        r#"{"type":"response.output_text.done","output_index":1,"text":"c\ud83d\ude00"}"#,
    ] {
        reader.push(data.as_bytes(), &mut out).expect("read");
    }
    assert_eq!(out, [began("", ""), text("a"), text("\u{1f600}b"), text("c"), text("\u{1f600}")]);
}

#[test]
fn ends_and_what_is_no_answer() {
    for (response, finish) in [
        (json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}), FinishReason::Length),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}),
            FinishReason::ContentFilter,
        ),
        (json!({"status": "completed"}), FinishReason::Stop),
    ] {
        let end = json!({"type": "response.incomplete", "response": response});
        let twice = read(&[created(), end.clone(), end]);
        assert_eq!(twice, [began("resp_1", "gpt-5"), ended(finish)]);
    }
    let mut out = Vec::new();
    for data in ["", "[1]", "<html>", "{\"type\":"] {
        assert_eq!(Reader::default().push(data.as_bytes(), &mut out), Err(Unread::NotAnAnswer), "{data}");
        assert_eq!(whole(data.as_bytes()), Err(Unread::NotAnAnswer), "{data}");
    }
    let silent = [r#"{"type":"error","message":"m"}"#, "[DONE]", r#"{"type":"response.failed","response":{}}"#];
    for data in silent {
        assert_eq!(Reader::default().push(data.as_bytes(), &mut out), Ok(()), "{data}");
    }
    assert_eq!(out, []);
}

#[test]
fn what_is_held_is_bounded() {
    let mut out = Vec::new();
    let many = |event: &dyn Fn(u32) -> Value, most: u32| {
        let (mut reader, mut sink) = (Reader::default(), Vec::new());
        (0..)
            .map(|n| reader.push(event(n).to_string().as_bytes(), &mut sink))
            .take(most as usize)
            .filter(Result::is_ok)
            .count()
    };
    assert_eq!(many(&|n| added(n, &json!({"type": "message"})), 200), MAX_PARTS);
    assert_eq!(many(&|n| done(n, &json!({"type": "function_call", "name": "f"})), 200), MAX_PARTS);
    assert_eq!(
        many(&|n| json!({"type": "response.output_text.delta", "content_index": n, "delta": "x"}), 200),
        MAX_PARTS
    );
    let long = json!({"type": "response.output_text.delta", "delta": "x".repeat(MAX_BYTES / 4)}).to_string();
    let mut reader = Reader::default();
    let read: Vec<bool> = (0..5).map(|_| reader.push(long.as_bytes(), &mut out).is_ok()).collect();
    assert_eq!(read, [true, true, true, true, false]);

    let (mut writer, mut sink) = (Writer::new(head()), BytesMut::new());
    for _ in 0..5 {
        writer.push(&text(&"x".repeat(MAX_BYTES / 4)), &mut sink);
        sink.clear();
    }
    writer.push(&ended(FinishReason::Stop), &mut sink);
    writer.finish(&mut sink);
    let last = events(&sink).pop().expect("an end");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(last["response"]["output"][0]["content"][0]["text"].as_str().map(str::len), Some(MAX_BYTES));
}

#[test]
fn an_answer_is_written_in_full_order() {
    let deltas = [
        began("chatcmpl-1", "claude"),
        thought("h"),
        thought("m"),
        Delta::ThoughtSealed { choice: 0, seal: seal(Dialect::Anthropic, SealKind::Signature, "s") },
        text("hi"),
        refusal("no"),
        call(0, "toolu_1", "ns3_crm_find"),
        arguments(0, "{}"),
        Delta::Call { choice: 0, call: 1, id: String::new(), name: "sql".into(), free: true, seal: None },
        arguments(1, "SELECT"),
        call(2, "c3", "none"),
        ended(FinishReason::ToolCalls),
        Delta::Used(Usage { input: 9, output: 5, cached: 3, cache_written: 2, reasoning: 4 }),
    ];
    let (stream, left_out) = written(&deltas);
    let events = events(&stream);
    let order: Vec<String> = events
        .iter()
        .map(|event| {
            let place = &event["output_index"];
            let kind = event["type"].as_str().expect("a type").trim_start_matches("response.").to_owned();
            if place.is_null() { kind } else { format!("{place} {kind}") }
        })
        .collect();
    assert_eq!(
        order,
        [
            "created",
            "in_progress",
            "0 output_item.added",
            "0 reasoning_summary_part.added",
            "0 reasoning_summary_text.delta",
            "0 reasoning_summary_text.delta",
            "0 reasoning_summary_text.done",
            "0 reasoning_summary_part.done",
            "0 output_item.done",
            "1 output_item.added",
            "1 content_part.added",
            "1 output_text.delta",
            "1 output_text.done",
            "1 content_part.done",
            "1 content_part.added",
            "1 refusal.delta",
            "1 refusal.done",
            "1 content_part.done",
            "1 output_item.done",
            "2 output_item.added",
            "2 function_call_arguments.delta",
            "2 function_call_arguments.done",
            "2 output_item.done",
            "3 output_item.added",
            "3 custom_tool_call_input.delta",
            "4 output_item.added",
            "3 custom_tool_call_input.done",
            "3 output_item.done",
            "4 function_call_arguments.delta",
            "4 function_call_arguments.done",
            "4 output_item.done",
            "completed",
        ]
    );
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let response = &events.last().expect("an end")["response"];
    let item =
        |kind: &str, prefix: &str, place: u32| json!({"type": kind, "id": format!("{prefix}_chatcmpl-1_{place}")});
    let with = |mut item: Value, more: Value| {
        item.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        item
    };
    assert_eq!(
        response["output"],
        json!([
            with(
                item("reasoning", "rs", 0),
                json!({"summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "seal:anthropic:signature:thought:s"})
            ),
            with(
                item("message", "msg", 1),
                json!({"status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}, {"type": "refusal", "refusal": "no"}]})
            ),
            with(
                item("function_call", "fc", 2),
                json!({"status": "completed", "call_id": "toolu_1", "namespace": "crm",
                "name": "find", "arguments": "{}"})
            ),
            with(
                item("custom_tool_call", "ctc", 3),
                json!({"status": "completed", "call_id": "call_chatcmpl-1_3",
                "name": "sql", "input": "SELECT"})
            ),
            with(
                item("function_call", "fc", 4),
                json!({"status": "completed", "call_id": "c3", "name": "none",
                "arguments": "{}"})
            ),
        ])
    );
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 14})
    );
    assert_eq!(left_out, [] as [&str; 0]);
    let whole: Value = serde_json::from_slice(&write_answer(&head(), &deltas)).expect("JSON");
    assert_eq!(&whole, response, "whole and streamed are one");
    for field in ["error", "incomplete_details", "instructions", "temperature", "top_p", "previous_response_id"] {
        assert!(response.get(field).is_some_and(Value::is_null), "{field}");
    }
    assert_eq!(
        (&response["id"], &response["model"], &response["object"], &response["created_at"]),
        (&json!("chatcmpl-1"), &json!("claude"), &json!("response"), &json!(1_700_000_000))
    );
    for (field, value) in [("tools", json!([])), ("tool_choice", json!("auto")), ("parallel_tool_calls", json!(true))] {
        assert_eq!(response[field], value);
    }
}

#[test]
fn ends_are_told_in_legal_words() {
    for (finish, status, details, kind) in [
        (Some(FinishReason::Stop), "completed", Value::Null, "response.completed"),
        (Some(FinishReason::ToolCalls), "completed", Value::Null, "response.completed"),
        (Some(FinishReason::Length), "incomplete", json!({"reason": "max_output_tokens"}), "response.incomplete"),
        (Some(FinishReason::ContentFilter), "incomplete", json!({"reason": "content_filter"}), "response.incomplete"),
        (Some(FinishReason::Other), "incomplete", json!({}), "response.incomplete"),
        (None, "incomplete", json!({}), "response.incomplete"),
    ] {
        let deltas: Vec<Delta> = [text("x")].into_iter().chain(finish.map(ended)).collect();
        let (stream, _) = written(&deltas);
        let last = events(&stream).pop().expect("an end");
        let response = &last["response"];
        assert_eq!((last["type"].as_str(), response["status"].as_str()), (Some(kind), Some(status)), "{finish:?}");
        assert_eq!(response["incomplete_details"], details, "{finish:?}");
        assert_eq!(response["output"][0]["status"], status, "{finish:?}");
        let called: Vec<Delta> = [call(0, "a", "f")].into_iter().chain(finish.map(ended)).collect();
        let last = events(&written(&called).0).pop().expect("an end");
        // One that called tools ended in that, if it ended well at all.
        let well = !matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter) | None);
        assert_eq!(
            last["response"]["status"],
            if well { "completed" } else { "incomplete" },
            "{finish:?} beside a call"
        );
        // Nobody told any usage, and there are clients that cannot do without.
        assert_eq!(response["usage"]["total_tokens"], 0);
        assert_eq!((&response["id"], &response["model"]), (&json!("resp_7"), &json!("asked")));
    }
}

#[test]
fn calls_whose_arguments_interleave_stay_whole() {
    let deltas = [
        call(0, "a", "f"),
        arguments(0, "{\"x\""),
        call(1, "b", "g"),
        arguments(1, "{}"),
        arguments(0, ":1}"),
        text("then"),
        arguments(0, "late"),
        ended(FinishReason::ToolCalls),
    ];
    let (stream, left_out) = written(&deltas);
    let output = &events(&stream).pop().expect("an end")["response"]["output"];
    assert_eq!((&output[0]["arguments"], &output[1]["arguments"]), (&json!("{\"x\":1}"), &json!("{}")));
    assert_eq!(left_out, ["arguments"]);
}

#[test]
fn what_is_no_noun_is_written_where_the_dialect_knows_it() {
    let search = json!({"type": "web_search_call", "id": "ws_1"});
    let pretty =
        Delta::Other { choice: 0, name: "web_search_call".into(), json: "{\n\"type\":\"web_search_call\"\r\n}".into() };
    let deltas = [
        pretty,
        text("x"),
        other("annotation", &json!({"type": "url_citation"})),
        other("web_search_call", &search),
        other("annotation", &json!({"type": "too late"})),
        other("server_tool_use", &json!({})),
        other("server_tool_use", &json!({})),
        Delta::Other { choice: 0, name: "mcp_call".into(), json: "[]".into() },
        Delta::Text { choice: 1, text: "another".into() },
        ended(FinishReason::Stop),
    ];
    let (stream, left_out) = written(&deltas);
    let output = events(&stream).pop().expect("an end")["response"]["output"].clone();
    assert_eq!(output[0], json!({"type": "web_search_call"}));
    assert_eq!(output[1]["content"][0]["annotations"], json!([{"type": "url_citation"}]));
    assert_eq!((&output[2], output.as_array().map(Vec::len)), (&search, Some(3)));
    assert_eq!(left_out, ["annotation", "server_tool_use", "mcp_call", "choices"]);
}

#[test]
fn an_answer_that_fails_goes_on_with_its_numbers() {
    let (mut writer, mut out) = (Writer::new(head()), BytesMut::new());
    writer.push(&text("half"), &mut out);
    let before = events(&out).len();
    writer.fail(&render(&CallError::Internal), &mut out);
    writer.push(&text("more"), &mut out);
    writer.finish(&mut out);
    let events = events(&out);
    let [error, failed] = &events[before..] else { panic!("{events:?}") };
    assert_eq!((&error["sequence_number"], &failed["sequence_number"]), (&json!(before), &json!(before + 1)));
    assert_eq!((&failed["type"], &failed["response"]["id"]), (&json!("response.failed"), &json!("resp_7")));
    assert_eq!(failed["response"]["error"]["code"], "internal_error");
}

/// Any order of what providers say, each by the laws of deltas.
fn deltas() -> impl Strategy<Value = Vec<Delta>> {
    let words = "[a-z\"\\\\é\n]{1,6}";
    let any_seal = (0usize..4, any::<bool>(), "[a-z]{1,5}\\|[a-z:]{1,5}").prop_map(|(of, signed, token)| {
        let kind = if signed { SealKind::Signature } else { SealKind::Encrypted };
        seal(Dialect::ANSWERS[of], kind, &token)
    });
    let step = prop_oneof![
        4 => words.prop_map(|words| vec![text(&words)]),
        2 => (words, proptest::option::of(any_seal.clone())).prop_map(|(words, seal)| {
            // Thoughts that nothing seals would be told apart by a paragraph, where nothing is said between them.
            let over = seal.map_or_else(|| text("so"), |seal| Delta::ThoughtSealed { choice: 0, seal });
            vec![thought(&words), over]
        }),
        1 => words.prop_map(|words| vec![refusal(&words)]),
        1 => any_seal.clone().prop_map(|seal| vec![Delta::TextSealed { choice: 0, seal }]),
        3 => ("[a-z_0-9]{1,6}", any::<bool>(), proptest::option::of(any_seal), words).prop_map(|(name, free, seal, words)| {
            let call = Delta::Call { choice: 0, call: 0, id: format!("id_{name}"), name, free, seal };
            vec![call, arguments(0, &words), arguments(0, "}")]
        }),
        1 => Just(vec![other("web_search_call", &json!({"type": "web_search_call", "id": "ws"}))]),
        1 => Just(vec![text("x"), other("annotation", &json!({"type": "url_citation"}))]),
    ];
    let finish = prop_oneof![Just(FinishReason::Length), Just(FinishReason::ContentFilter), Just(FinishReason::Stop)];
    (proptest::collection::vec(step, 0..8), finish, any::<u16>()).prop_map(|(steps, finish, tokens)| {
        let mut calls = 0;
        let mut all = vec![began("resp_1", "m")];
        for mut delta in steps.into_iter().flatten() {
            match &mut delta {
                Delta::Call { call, .. } => {
                    *call = calls;
                    calls += 1;
                }
                Delta::Arguments { call, .. } => *call = calls - 1,
                _ => {}
            }
            all.push(delta);
        }
        let finish = if finish == FinishReason::Stop && calls > 0 { FinishReason::ToolCalls } else { finish };
        let usage = Usage { input: tokens.into(), output: 2, cached: 1, cache_written: 0, reasoning: 1 };
        all.extend([ended(finish), Delta::Used(usage)]);
        all
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(deltas in deltas()) {
        let (stream, left_out) = written(&deltas);
        prop_assert_eq!(&left_out, &[] as &[String]);
        prop_assert_eq!(read_bytes(&stream), deltas.clone());
        let whole = whole(&write_answer(&head(), &deltas)).expect("read");
        // A whole answer tells of a text's citations behind it.
        let uncited = |deltas: &[Delta]| {
            let cites = |delta: &&Delta| matches!(delta, Delta::Other { name, .. } if name == ANNOTATION);
            joined(&deltas.iter().filter(|delta| !cites(delta)).cloned().collect::<Vec<_>>())
        };
        prop_assert_eq!(uncited(&whole), uncited(&deltas));
        let mut decoder = StreamDecoder::new();
        decoder.feed(&stream);
        let mut kinds = Vec::new();
        while let Some(frame) = decoder.next_frame() {
            kinds.push(frame.event);
        }
        prop_assert_eq!(kinds.last(), Some(&Event::Done));
        if decoder.has_begun() {
            prop_assert_eq!(decoder.end(), Ending::Complete(None));
        }
    }

    #[test]
    fn no_event_makes_it_panic(data in "\\PC{0,80}") {
        let _ = Reader::default().push(data.as_bytes(), &mut Vec::new());
    }
}
