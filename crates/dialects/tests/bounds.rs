//! What is read of an answer, translated or gathered, ends at its bounds: exactly there it is whole, and one more is a
//! failure that is known as one.

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod spoken;

use dialects::{Gatherer, Quirks, Translated, Unread};
use llm::{Api, Delta, Dialect, Event};
use spoken::{APIS, CLIENTS, Provider, arguments, call, head, pairs, text};

/// The most text of an answer, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of an answer, and the most alternatives.
const MAX_PARTS: u32 = 128;
/// Pieces in which the most text comes: each is within one event.
const PIECES: usize = 8;

/// What is said, a step in each event, and the one step more.
struct Said {
    within: Vec<Delta>,
    beyond: Delta,
}

/// That all of it but the last step reaches a client, and that nothing follows the failure that this is.
fn is_translated_up_to_there(api: Api, dialect: Dialect, said: &Said) {
    let shown = format!("{api:?} to {dialect:?}");
    let mut provider = Provider::of(api);
    let mut stream = Translated::new(api, Quirks::default(), dialect, false, head());
    let mut events = |piece: &[u8]| {
        stream.feed(piece);
        std::iter::from_fn(|| stream.next_frame()).map(|frame| frame.event).collect::<Vec<Event>>()
    };
    events(&provider.begins());
    for delta in &said.within {
        assert!(!events(&provider.says(delta)).contains(&Event::Garbage), "{shown}");
    }
    let beyond = provider.says_plainly(&said.beyond);
    assert_eq!(events(&beyond).last(), Some(&Event::Garbage), "{shown}");
    assert_eq!(events(&beyond), [], "{shown}: more behind a failure");
}

/// The same, of a client's own stream that is gathered.
fn is_gathered_up_to_there(dialect: Dialect, said: &Said) {
    let mut provider = Provider::of(Api::Shared(dialect));
    let mut gatherer = Gatherer::of(dialect);
    let mut push = |piece: &[u8]| gatherer.push(piece, |_, _, _| {});
    push(&provider.begins()).expect("a beginning");
    for delta in &said.within {
        // Of chat completions the text is counted as it is written, empty pieces too.
        let chat = dialect == Dialect::OpenAiChat;
        let event = if chat { provider.says_plainly(delta) } else { provider.says(delta) };
        assert!(push(&event).is_ok(), "{dialect:?}");
    }
    assert_eq!(push(&provider.says_plainly(&said.beyond)), Err(Unread::TooLarge), "{dialect:?}");
}

/// As much text as is read, of which each piece takes `more` bytes beside its own, and then one byte more.
fn words(more: usize) -> Said {
    let within = vec![text("x".repeat(MAX_BYTES / PIECES - more)); PIECES];
    Said { within, beyond: text("x") }
}

/// As many calls as are read, and then one more.
fn calls() -> Said {
    let within = (0..MAX_PARTS).flat_map(|n| [call(n), arguments(n, "{}")]).collect();
    Said { within, beyond: call(MAX_PARTS) }
}

#[test]
fn calls_are_bounded_in_every_translation() {
    pairs().for_each(|(api, dialect)| is_translated_up_to_there(api, dialect, &calls()));
}

#[test]
fn text_is_bounded_in_every_translation() {
    // Each provider's reader once, and each client's writer.
    for (api, dialect) in APIS.into_iter().zip(CLIENTS.into_iter().cycle().skip(1)) {
        is_translated_up_to_there(api, dialect, &words(0));
    }
}

#[test]
fn what_is_gathered_is_bounded_in_every_dialect() {
    for dialect in Dialect::ANSWERS {
        // In its quotes.
        let quotes = if dialect == Dialect::OpenAiChat { 2 } else { 0 };
        is_gathered_up_to_there(dialect, &words(quotes));
        is_gathered_up_to_there(dialect, &calls());
    }
}

#[test]
fn alternatives_are_bounded_where_there_are_any() {
    let one =
        |choice: u32| format!("data: {{\"choices\":[{{\"index\":{choice},\"delta\":{{\"content\":\"a\"}}}}]}}\n\n");
    let of_gemini = |index: u32| {
        format!("data: {{\"candidates\":[{{\"index\":{index},\"content\":{{\"parts\":[{{\"text\":\"a\"}}]}}}}]}}\n\n")
    };
    let written: [(Dialect, &dyn Fn(u32) -> String); 2] = [(Dialect::OpenAiChat, &one), (Dialect::Gemini, &of_gemini)];
    for (from, event) in written {
        let mut gatherer = Gatherer::of(from);
        let taken = (0..=MAX_PARTS).take_while(|n| gatherer.push(event(*n).as_bytes(), |_, _, _| {}).is_ok()).count();
        assert_eq!(taken, MAX_PARTS as usize, "{from:?}");
        for to in CLIENTS.into_iter().filter(|to| *to != from) {
            let mut stream = Translated::new(Api::Shared(from), Quirks::default(), to, false, head());
            let mut passes = |n: u32| {
                stream.feed(event(n).as_bytes());
                std::iter::from_fn(|| stream.next_frame()).all(|frame| frame.event != Event::Garbage)
            };
            assert_eq!((0..=MAX_PARTS).take_while(|n| passes(*n)).count(), MAX_PARTS as usize, "{from:?} to {to:?}");
        }
    }
}

/// An event of 8 MiB is read. One is given up when more than that has come of it, and it is not whole: no piece of it is
/// handed on.
#[test]
fn events_are_bounded_in_every_translation() {
    const MAX_EVENT: usize = 8 << 20;
    for (api, dialect) in APIS.into_iter().zip(CLIENTS.into_iter().cycle().skip(1)) {
        for (more, passes) in [(0, true), (2, false)] {
            let mut provider = Provider::of(api);
            let mut stream = Translated::new(api, Quirks::default(), dialect, false, head());
            stream.feed(&[provider.begins(), provider.says(&text("a"))].concat());
            let shell = provider.says(&text("b")).len() - 1;
            let event = provider.says(&text("x".repeat(MAX_EVENT - shell + more)));
            assert_eq!(event.len(), MAX_EVENT + more, "{api:?}");
            let (all_but_one, last) = event.split_at(event.len() - 1);
            stream.feed(all_but_one);
            stream.feed(last);
            let garbage = std::iter::from_fn(|| stream.next_frame()).any(|frame| frame.event == Event::Garbage);
            assert_eq!(!garbage, passes, "{api:?} to {dialect:?}: {} bytes", event.len());
        }
    }
}
