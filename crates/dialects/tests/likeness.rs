//! An event that is recognised by its likeness to the last one says what it says when it is read in full.
//!
//! White space behind each event, more every time, makes no two alike and says nothing.

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod spoken;

use dialects::{Ending, Quirks, Reader, StreamDecoder, Unread, each_data};
use llm::{Api, Delta, Dialect, Event, Progress};
use proptest::prelude::*;
use spoken::{APIS, Provider, arguments, call, text, thought};

/// What a provider may say next, after so many calls.
fn said(pick: u8, calls: u32) -> Delta {
    match pick {
        0 => text("one"),
        1 => text("more"),
        2 => text("\"\n"),
        3 => thought("hm"),
        4 => thought("hmm"),
        5 => call(calls),
        6 => arguments(0, "{"),
        7 => arguments(calls.saturating_sub(1), "12"),
        _ => arguments(calls.saturating_sub(1), "3"),
    }
}

/// The events that say these, one by one.
fn told(api: Api, picks: &[u8]) -> Vec<Vec<u8>> {
    let mut provider = Provider::of(api);
    let (mut events, mut calls) = (vec![provider.begins()], 0);
    for pick in picks.iter().copied().filter(|pick| *pick < 6 || picks.contains(&5)) {
        // Of arguments, only those of a call that has begun.
        if pick < 6 || calls > 0 {
            events.push(provider.says(&said(pick, calls)));
            calls += u32::from(pick == 5);
        }
    }
    events.push(provider.ends());
    events
}

/// `event` with so many spaces behind each object that ends a line.
fn spaced(event: &[u8], spaces: usize) -> Vec<u8> {
    let written = std::str::from_utf8(event).expect("text");
    written.replace("}\n", &format!("}}{}\n", " ".repeat(spaces))).into_bytes()
}

/// What is decoded: the meanings of the frames, neighbours joined, and the data of all events.
fn decoded(api: Api, events: &[Vec<u8>]) -> (Vec<Event>, Ending, Progress, Vec<Vec<u8>>) {
    let mut decoder = StreamDecoder::of(api, Quirks::default());
    let (mut seen, mut all) = (Vec::new(), Vec::new());
    for event in events {
        decoder.feed(event);
        while let Some(frame) = decoder.next_frame() {
            let _ = each_data(api, &frame.raw, |data| {
                all.push(data.to_vec());
                Ok::<(), Unread>(())
            });
            seen.push(frame.event);
        }
    }
    seen.dedup();
    let ending = decoder.end();
    (seen, ending, decoder.progress().clone(), all)
}

fn read(api: Api, all: &[Vec<u8>]) -> (Vec<Delta>, Result<(), Unread>) {
    let (mut reader, mut deltas) = (Reader::of(api), Vec::new());
    let result = all.iter().try_for_each(|data| reader.push(data, &mut deltas));
    (deltas, result)
}

proptest! {
    #[test]
    fn what_is_like_the_last_says_what_it_says_in_full(picks in proptest::collection::vec(0u8..9, 0..24)) {
        for api in APIS {
            let events = told(api, &picks);
            let (seen, ending, progress, all) = decoded(api, &events);
            // A frame of Bedrock's has its checksum.
            if api != Api::Bedrock {
                let apart: Vec<Vec<u8>> = events.iter().zip(1..).map(|(event, n)| spaced(event, n)).collect();
                let in_full = decoded(api, &apart);
                prop_assert_eq!((&seen, &ending, &progress), (&in_full.0, &in_full.1, &in_full.2), "{:?}", api);
            }
            let apart: Vec<Vec<u8>> = all.iter().zip(1..).map(|(data, n)| [&data[..], &vec![b' '; n]].concat()).collect();
            prop_assert_eq!(read(api, &all), read(api, &apart), "{:?}", api);
        }
    }
}

/// Some servers count in every event; xAI leaves reasoning out of the tokens of the answer.
#[test]
fn counts_in_every_event_are_those_that_are_read_in_full() {
    let api = Api::Shared(Dialect::OpenAiChat);
    let event = |said: &str, completion: u64, total: u64| {
        let details = r#""completion_tokens_details":{"reasoning_tokens":5}"#;
        let used =
            format!(r#"{{"prompt_tokens":10,"completion_tokens":{completion},"total_tokens":{total},{details}}}"#);
        let choice = format!(r#"{{"index":0,"delta":{{"content":"{said}"}},"finish_reason":null}}"#);
        format!(r#"{{"id":"i","model":"m","choices":[{choice}],"usage":{used}}}"#).into_bytes()
    };
    let events = [("a", 1, 16), ("b", 2, 17), ("c", 3, 13), ("d", 30, 45), (r"\n", 31, 46), ("e", 32, 47)];
    let all: Vec<Vec<u8>> = events.iter().map(|(said, completion, total)| event(said, *completion, *total)).collect();
    let apart: Vec<Vec<u8>> = all.iter().zip(1..).map(|(data, n)| [&data[..], &vec![b' '; n]].concat()).collect();
    assert_eq!(read(api, &all), read(api, &apart));
    let framed =
        |all: &[Vec<u8>]| -> Vec<Vec<u8>> { all.iter().map(|data| [b"data: ", &data[..], b"\n\n"].concat()).collect() };
    for count in 1..=all.len() {
        let [alike, full] = [&all[..count], &apart[..count]].map(|all| decoded(api, &framed(all)));
        assert_eq!((alike.0, alike.2), (full.0, full.2), "{count}");
    }
}
