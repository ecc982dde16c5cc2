//! What providers answer, told to each client: a stream that the client's dialect accepts as whole, and that says the same.
//!
//! What a dialect has no words for is a loss, and stands in a table here.

use crate::client::{Told, read, read_whole};
use bytes::BytesMut;
use dialects::{Head, Writer, as_event, render, write_answer};
use llm::{CallError, Delta, Dialect, FinishReason, Seal, SealKind, Usage};

const CLIENTS: [Dialect; 5] =
    [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini, Dialect::Responses, Dialect::COMPLETIONS];

fn head() -> Head {
    Head { id: "own".into(), model: "asked".into(), created: 1, usage: true, ..Head::default() }
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

fn sealed(of: Dialect) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: Seal { of, kind: SealKind::Signature, token: "c2ln".into() } }
}

fn ended(finish: FinishReason, stop: Option<&str>) -> Delta {
    Delta::Ended { choice: 0, finish, stop: stop.map(str::to_owned) }
}

fn used(cached: u64, cache_written: u64, reasoning: u64) -> Delta {
    Delta::Used(Usage { input: 20, output: 9, cached, cache_written, reasoning })
}

/// What is answered, by name.
fn answers() -> Vec<(&'static str, Vec<Delta>)> {
    use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
    vec![
        ("text", vec![text("Hé"), text("llo\n"), text("\"x\""), ended(Stop, None), used(0, 0, 0)]),
        (
            "one call",
            vec![
                call(0, "call_a", "f"),
                arguments(0, "{\"city\":"),
                arguments(0, "\"Rome\"}"),
                ended(ToolCalls, None),
                used(0, 0, 0),
            ],
        ),
        ("a call of nothing", vec![call(0, "call_a", "f"), ended(ToolCalls, None), used(0, 0, 0)]),
        (
            "text and a call",
            vec![text("so"), call(0, "call_a", "f"), arguments(0, "{}"), ended(ToolCalls, None), used(0, 0, 0)],
        ),
        (
            "parallel calls",
            vec![
                call(0, "call_a", "f"),
                arguments(0, "{\"a\":1}"),
                call(1, "call_b", "g"),
                arguments(1, "{\"b\":"),
                arguments(1, "2}"),
                ended(ToolCalls, None),
                used(0, 0, 0),
            ],
        ),
        (
            "reasoning",
            vec![thought("h"), thought("m"), sealed(Dialect::Anthropic), text("so"), ended(Stop, None), used(0, 0, 5)],
        ),
        ("a refusal", vec![refusal("I "), refusal("won't"), ended(Stop, None), used(0, 0, 0)]),
        ("withheld", vec![text("wh"), ended(ContentFilter, None), used(0, 0, 0)]),
        ("length", vec![text("cut of"), ended(Length, None), used(0, 0, 0)]),
        ("a stop sequence", vec![text("one"), ended(Stop, Some("END")), used(0, 0, 0)]),
        ("usage in full", vec![text("x"), ended(Stop, None), used(8, 4, 5)]),
    ]
}

/// What comes back otherwise than it went, of an answer told to a client.
fn expected(client: Dialect, mut deltas: Vec<Delta>) -> Vec<Delta> {
    let refuses = deltas.iter().any(|delta| matches!(delta, Delta::Refusal { .. }));
    if client == Dialect::COMPLETIONS {
        // Words are all that it has.
        deltas.retain(|delta| {
            matches!(delta, Delta::Text { .. } | Delta::Refusal { .. } | Delta::Ended { .. } | Delta::Used(_))
        });
    }
    for delta in &mut deltas {
        match (client, &mut *delta) {
            // To refuse is a way to end there.
            (Dialect::Anthropic, Delta::Ended { finish, .. }) if refuses => *finish = FinishReason::ContentFilter,
            (Dialect::Anthropic, _) => {}
            (Dialect::COMPLETIONS, Delta::Ended { finish: end @ FinishReason::ToolCalls, stop, .. }) => {
                (*end, *stop) = (FinishReason::Stop, None);
            }
            (Dialect::COMPLETIONS, Delta::Refusal { text: words, .. }) => *delta = text(words),
            // Only Anthropic names the sequence.
            (_, Delta::Ended { stop, .. }) => *stop = None,
            // Google's models decline in words like any others, and what is written to a cache is not counted.
            (Dialect::Gemini, Delta::Refusal { text: words, .. }) => *delta = text(words),
            (Dialect::Gemini, Delta::Used(usage)) => usage.cache_written = 0,
            _ => {}
        }
    }
    deltas
}

/// Deltas with what belongs together joined, so that only what they say counts.
fn joined(deltas: Vec<Delta>) -> Vec<Delta> {
    let mut joined: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (joined.last_mut(), &delta) {
            (Some(Delta::Text { text: known, .. }), Delta::Text { text, .. })
            | (Some(Delta::Thought { text: known, .. }), Delta::Thought { text, .. })
            | (Some(Delta::Refusal { text: known, .. }), Delta::Refusal { text, .. }) => known.push_str(text),
            (Some(Delta::Arguments { call: of, text: known, .. }), Delta::Arguments { call, text, .. })
                if of == call =>
            {
                known.push_str(text);
            }
            (_, Delta::Text { text, .. } | Delta::Thought { text, .. }) if text.is_empty() => {}
            // The last one counts.
            (_, Delta::Used(_)) => {
                joined.retain(|known| !matches!(known, Delta::Used(_)));
                joined.push(delta);
            }
            _ => joined.push(delta),
        }
    }
    // No arguments are an empty object.
    let without = |at: usize| !matches!(joined.get(at + 1), Some(Delta::Arguments { .. }));
    let hollow: Vec<usize> =
        (0..joined.len()).filter(|at| matches!(joined[*at], Delta::Call { .. }) && without(*at)).collect();
    for at in hollow.into_iter().rev() {
        if let Delta::Call { call, .. } = joined[at] {
            joined.insert(at + 1, arguments(call, "{}"));
        }
    }
    joined
}

fn told(client: Dialect, deltas: &[Delta]) -> (Told, Vec<String>) {
    let (mut writer, mut out) = (Writer::of(client, false, head()), BytesMut::new());
    let began = Delta::Began { id: "theirs".into(), model: "m-1".into() };
    std::iter::once(&began).chain(deltas).for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    (read(client, &out), writer.left_out().to_vec())
}

fn shown(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn without_head(deltas: Vec<Delta>) -> Vec<Delta> {
    deltas.into_iter().filter(|delta| !matches!(delta, Delta::Began { .. })).collect()
}

#[test]
fn every_client_is_told_a_whole_answer_that_says_the_same() {
    let mut faults = Vec::new();
    for client in CLIENTS {
        for (name, deltas) in answers() {
            let cell = format!("{name}, to {client:?}");
            let (found, left_out) = told(client, &deltas);
            faults.extend(found.faults(client).map(|fault| format!("{cell}: {fault}")));
            let whole = read_whole(client, &write_answer(client, &head(), &deltas));
            let wanted = joined(expected(client, deltas));
            for (way, back) in [("streamed", found.deltas), ("whole", whole)] {
                let back = joined(without_head(back));
                if back != wanted {
                    faults.push(format!("{cell}, {way} (left out: {left_out:?}):\n    {back:?}\n  not {wanted:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_stream_that_fails_ends_in_an_error_and_never_as_if_it_were_whole() {
    let error = CallError::UpstreamFailed { message: "It broke.".into() };
    for client in CLIENTS {
        for begun in [vec![], vec![text("half of")], vec![call(0, "call_a", "f"), arguments(0, "{\"a")]] {
            let (mut writer, mut out) = (Writer::of(client, false, head()), BytesMut::new());
            begun.iter().for_each(|delta| writer.push(delta, &mut out));
            writer.fail(&render(client, &error), &mut out);
            let found = read(client, &out);
            assert!(!found.complete, "{client:?}: {begun:?}: {}", shown(&out));
            // Clients of the responses dialect look for either of two.
            let errors = if client == Dialect::Responses { 2 } else { 1 };
            assert_eq!((found.errors, found.finish), (errors, None), "{client:?}: {begun:?}: {}", shown(&out));
            assert!(shown(&out).contains("It broke."), "{client:?}");
        }
        assert!(shown(&as_event(client, &render(client, &error))).contains("It broke."), "{client:?}");
    }
}

#[test]
fn what_a_client_has_no_words_for_is_told() {
    let notes = [("phase", "\"commentary\""), ("web_search_call", r#"{"type":"web_search_call","id":"ws_1"}"#)];
    for client in CLIENTS {
        for (name, json) in notes {
            let other = Delta::Other { choice: 0, name: name.into(), json: json.into() };
            let (found, left_out) = told(client, &[text("x"), other.clone(), ended(FinishReason::Stop, None)]);
            assert!(found.complete, "{client:?}: {name}");
            let back =
                found.deltas.iter().any(|delta| matches!(delta, Delta::Other { name: known, .. } if known == name));
            assert!(back != left_out.iter().any(|known| known == name), "{client:?}: {name}: {left_out:?}");
        }
    }
}
