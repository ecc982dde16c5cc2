//! What an open translated stream holds: under 16 KB, however long it has been, beyond what its client's dialect says
//! only at the end.
//!
//! The only test of its program, whose allocator counts: nothing else may allocate while it measures.

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod spoken;

use dialects::{Ending, Quirks, Translated};
use llm::{Api, Delta, Dialect};
use spoken::{Provider, arguments, call, head, pairs, text, thought};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::io::Write as _;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most that a stream holds beyond its buffers, in bytes.
const MOST: usize = 16 * 1024;

/// Bytes on the heap.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// What a provider goes on saying.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Thoughts,
    /// A call in each event, whole.
    Calls,
    /// The arguments of one call, a piece in each event.
    Arguments,
}

impl Kind {
    /// What the `n`th event says.
    fn said(self, n: u32) -> Vec<Delta> {
        match (self, n) {
            (Self::Text, _) => vec![text(format!("word{n} "))],
            (Self::Thoughts, _) => vec![thought(format!("word{n} "))],
            (Self::Calls, _) => vec![call(n), arguments(n, r#"{"city":"Rome"}"#)],
            (Self::Arguments, 0) => vec![call(0), arguments(0, r#"{"city":""#)],
            (Self::Arguments, _) => vec![arguments(0, format!("word{n} "))],
        }
    }
}

/// What a stream holds after this many events, and how much of its answer it has still to say then, both in bytes.
fn measured(api: Api, dialect: Dialect, kind: Kind, events: u32) -> (usize, usize) {
    let mut provider = Provider::of(api);
    let mut pieces = vec![provider.begins()];
    // Who is told nothing but words is given one, without which there would be no answer.
    let terse = dialect == Dialect::COMPLETIONS;
    pieces.extend(terse.then(|| provider.says(&text("word"))));
    pieces.extend((0..events).map(|n| kind.said(n).iter().flat_map(|delta| provider.says(delta)).collect()));
    let last = match kind {
        Kind::Arguments => provider.says(&arguments(0, r#""}"#)),
        _ => Vec::new(),
    };
    let end = [last, provider.ends()].concat();
    let before = held();
    let mut translated = Box::new(Translated::new(api, Quirks::default(), dialect, false, head()));
    let take = |translated: &mut Translated, piece: &[u8]| {
        translated.feed(piece);
        std::iter::from_fn(|| translated.next_frame()).map(|frame| frame.raw.len()).sum::<usize>()
    };
    let said: usize = pieces.iter().map(|piece| take(&mut translated, piece)).sum();
    let held = held() - before;
    let mut rest = take(&mut translated, &end);
    match translated.end() {
        Ending::Complete(more) => rest += more.map_or(0, |more| more.len()),
        Ending::Broken(failure) => panic!("{api:?} to {dialect:?}, {kind:?}: {failure}"),
    }
    let least = if terse { 0 } else { events as usize };
    assert!(said + rest > least, "{api:?} to {dialect:?}, {kind:?}: nothing is said");
    (held, rest)
}

#[test]
fn an_open_stream_holds_little() {
    let (mut largest, mut wrong) = ((0, String::new()), Vec::new());
    for (api, dialect) in pairs() {
        // Ollama's calls come whole.
        let pieces = if api == Api::Ollama { 0 } else { 10_000 };
        for (kind, events) in [
            (Kind::Text, 100),
            (Kind::Text, 10_000),
            (Kind::Thoughts, 100),
            (Kind::Thoughts, 1_000),
            (Kind::Calls, 100),
            (Kind::Arguments, pieces / 100),
            (Kind::Arguments, pieces),
        ] {
            // Nor has one a tool to call whose client knows but words.
            let of_calls = matches!(kind, Kind::Calls | Kind::Arguments);
            if events == 0 || of_calls && dialect == Dialect::COMPLETIONS {
                continue;
            }
            let (held, rest) = measured(api, dialect, kind, events);
            // A buffer that grows has up to twice the room that it needs.
            let beyond = held.saturating_sub(2 * rest);
            let shown = format!("{events} events of {kind:?}, {api:?} to {dialect:?}: {held} bytes, {rest} to be said");
            if beyond >= MOST {
                wrong.push(shown.clone());
            }
            if beyond > largest.0 {
                largest = (beyond, shown);
            }
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "the most an open stream holds: {} bytes beyond buffers ({})",
        largest.0,
        largest.1
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}
