//! Streams: what each event means, when an answer is complete, and that cuts change nothing.

use super::*;
use crate::openai_chat::render;
use llm::{CallError, FinishReason};
use proptest::prelude::*;
use serde_json::Value;

const CREATED: &str =
    r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"gpt-5","output":[]}}"#;
const MESSAGE: &str = r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","content":[]}}"#;
const HI: &str = r#"{"type":"response.output_text.delta","sequence_number":2,"output_index":0,"content_index":0,"delta":"h\u00e9 é"}"#;
const NOTHING: &str = r#"{"type":"response.output_text.delta","sequence_number":3,"output_index":0,"delta":""}"#;
const CALL: &str = r#"{"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"type":"function_call","name":"f"}}"#;
const ARGUMENTS: &str =
    r#"{"type":"response.function_call_arguments.done","sequence_number":5,"output_index":1,"arguments":"{}"}"#;
const COMPLETED: &str = r#"{"type":"response.completed","sequence_number":6,"response":{"status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2}}}"#;
const INCOMPLETE: &str = r#"{"type":"response.incomplete","sequence_number":6,"response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#;
const FAILED: &str = r#"{"type":"response.failed","sequence_number":7,"response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}"#;
const ERROR: &str = r#"{"type":"error","sequence_number":7,"code":"server_error","message":"m","param":null}"#;
const PING: &str = r#"{"type":"keepalive","sequence_number":2}"#;

fn stream(events: &[&str]) -> Vec<u8> {
    events
        .iter()
        .flat_map(|data| {
            let value: Value = serde_json::from_str(data).unwrap_or_default();
            let name = value["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
            format!("{name}data: {data}\n\n").into_bytes()
        })
        .collect()
}

/// The events with neighbours of content joined, the bytes, the progress, and the ending.
fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<Event>, Vec<u8>, Progress, Ending) {
    let mut decoder = StreamDecoder::new();
    let (mut events, mut raw): (Vec<Event>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut take = |decoder: &mut StreamDecoder| {
        while let Some(frame) = decoder.next_frame() {
            raw.extend_from_slice(&frame.raw);
            if events.last() != Some(&Event::Content) || frame.event != Event::Content {
                events.push(frame.event);
            }
        }
    };
    let mut from = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        decoder.feed(&bytes[from..cut]);
        from = cut;
        take(&mut decoder);
    }
    let ending = decoder.end();
    take(&mut decoder);
    (events, raw, decoder.progress().clone(), ending)
}

fn ending(events: &[&str]) -> Ending {
    read(&stream(events), &[]).3
}

#[test]
fn an_answer_is_complete_only_with_its_last_event() {
    let complete = Ending::Complete(None);
    let truncated = Ending::Broken(Failure::Truncated);
    let empty = Ending::Broken(Failure::Empty);
    for (events, expected) in [
        (&[CREATED, MESSAGE, HI, COMPLETED][..], &complete),
        (&[CREATED, MESSAGE, HI, COMPLETED, "[DONE]"], &complete),
        (&[CREATED, MESSAGE, HI, INCOMPLETE], &complete),
        (&[CREATED, CALL, ARGUMENTS, COMPLETED], &complete),
        (&[CREATED, MESSAGE, HI], &truncated),
        (&[CREATED, MESSAGE, HI, "[DONE]"], &truncated),
        (&[CREATED, INCOMPLETE], &complete),
        (&[CREATED, MESSAGE, NOTHING, COMPLETED], &empty),
        (&[CREATED, COMPLETED], &empty),
        (&[CREATED], &empty),
        (&[], &empty),
    ] {
        assert_eq!(&ending(events), expected, "{events:?}");
    }
}

#[test]
fn an_answer_that_is_told_at_its_end_alone_is_one() {
    let end = r#"{"type":"response.completed","response":{"model":"m","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}]}}"#;
    let (events, _, progress, ending) = read(&stream(&[end]), &[]);
    assert_eq!((events, ending, &*progress.model), (vec![Event::Done], Ending::Complete(None), "m"));
}

#[test]
fn frames_say_what_their_bytes_mean() {
    use Event::{Content, Done, Preamble};
    let bytes = stream(&[CREATED, PING, MESSAGE, NOTHING, HI, HI, CALL, ARGUMENTS, COMPLETED]);
    let (events, raw, progress, _) = read(&bytes, &[]);
    assert_eq!(events, [Preamble, Preamble, Preamble, Preamble, Content, Done]);
    assert_eq!(raw, bytes, "same dialect, same bytes");
    assert_eq!((&*progress.model, progress.finish), ("gpt-5", Some(FinishReason::ToolCalls)));
    assert_eq!(progress.usage.map(|usage| (usage.input, usage.output)), Some((1, 2)));
}

#[test]
fn each_kind_of_content_is_content() {
    for (data, content, refused) in [
        (r#"{"type":"response.refusal.delta","delta":"no"}"#, true, true),
        (r#"{"type":"response.refusal.done","refusal":"no"}"#, true, true),
        (r#"{"type":"response.reasoning_summary_text.delta","delta":"hm"}"#, true, false),
        (r#"{"type":"response.reasoning_text.delta","delta":"hm"}"#, true, false),
        (r#"{"type":"response.custom_tool_call_input.delta","delta":"x"}"#, true, false),
        (r#"{"type":"response.custom_tool_call_input.done","input":"x"}"#, true, false),
        (r#"{"type":"response.output_text.done","text":"x"}"#, true, false),
        (r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"x"}}"#, true, false),
        (r#"{"type":"response.output_item.added","item":{"type":"web_search_call"}}"#, true, false),
        (r#"{"type":"response.output_item.done","item":{"type":"reasoning","encrypted_content":"g"}}"#, true, false),
        (r#"{"type":"response.output_item.done","item":{"type":"reasoning","summary":[]}}"#, false, false),
        (r#"{"type":"response.output_item.added","item":{"type":"reasoning","encrypted_content":"g"}}"#, false, false),
        (r#"{"type":"response.content_part.added","part":{"type":"output_text","text":""}}"#, false, false),
        (r#"{"type":"response.web_search_call.searching"}"#, false, false),
        (r#"{"type":"response.queued","response":{}}"#, false, false),
    ] {
        let (events, _, progress, _) = read(&stream(&[data]), &[]);
        let expected = if content { Event::Content } else { Event::Preamble };
        assert_eq!((&events[..], progress.content, progress.refused), (&[expected][..], content, refused), "{data}");
    }
}

#[test]
fn errors_and_garbage_stand_out() {
    for (event, expected) in [
        (FAILED, "rate_limited"),
        (ERROR, "server_error"),
        (r#"{"error":{"message":"m","code":"insufficient_quota"}}"#, "quota_exhausted"),
        (r#"{"type":"response.failed"}"#, "server_error"),
        ("{\"type\":\"response.out", "garbage"),
        ("<html>", "garbage"),
        ("[1,2]", "garbage"),
        (r#"{"choices":[]}"#, "garbage"),
    ] {
        let (events, ..) = read(&stream(&[HI, event]), &[]);
        let said = match &events[1] {
            Event::Error(error) => error.kind.as_str(),
            Event::Garbage => "garbage",
            other => panic!("{event}: {other:?}"),
        };
        assert_eq!(said, expected, "{event}");
    }
    let mut broken = b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"\xff\"}\n\n".to_vec();
    assert_eq!(read(&broken, &[]).0, [Event::Garbage]);
    broken.truncate(20);
    assert_eq!(read(&broken, &[]).0, [], "half an event is none");
    assert_eq!(read(&vec![b'x'; 9 * 1024 * 1024], &[]).0.first(), Some(&Event::Garbage));
}

#[test]
fn a_forgotten_last_blank_line_is_forgiven() {
    let mut bytes = stream(&[CREATED, HI, COMPLETED]);
    bytes.truncate(bytes.len() - 2);
    let (events, _, _, ending) = read(&bytes, &[]);
    assert_eq!((events.last(), ending), (Some(&Event::Done), Ending::Complete(None)));
}

#[test]
fn an_error_goes_on_with_the_streams_numbers() {
    let mut decoder = StreamDecoder::new();
    decoder.feed(&stream(&[CREATED, MESSAGE, HI]));
    let rendered = render(&CallError::UpstreamFailed { message: "m".into() });
    let told = String::from_utf8(decoder.failing(&rendered).to_vec()).expect("UTF-8");
    let numbers = |n: u64| format!(r#""sequence_number":{n}"#);
    assert!(told.contains(&numbers(3)) && told.contains(&numbers(4)), "{told}");
    assert!(told.contains(r#""id":"resp_1""#) && told.contains(r#""model":"gpt-5""#), "{told}");
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        picks in proptest::collection::vec(0usize..12, 0..12),
        cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
    ) {
        let all = [CREATED, MESSAGE, HI, NOTHING, CALL, ARGUMENTS, COMPLETED, INCOMPLETE, FAILED, ERROR, PING, "[DONE]"];
        let events: Vec<&str> = picks.into_iter().map(|pick| all[pick]).collect();
        let bytes = stream(&events);
        let mut places: Vec<usize> = cuts.iter().map(|c| (c * bytes.len() as f64) as usize).collect();
        places.sort_unstable();
        let whole = read(&bytes, &[]);
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&read(&bytes, &places), &whole);
        prop_assert_eq!(&read(&bytes, &every), &whole);
        prop_assert_eq!(&whole.1, &bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &[]);
    }
}
