//! What each provider answers, told to each client through the faces that the gateway uses: as a stream in whatever
//! pieces, and as a whole answer. What a client has no word for stands in one table here.

use crate::client::{Told, read, read_whole};
use crate::meaning::Meaning;
use crate::provider::{Scene, Wire, answer, failure, throttled};
use crate::rows::{ROWS, Row};
use crate::sides::CLIENTS;
use bytes::Bytes;
use dialects::{Answers, Ending, Head, Stream, render};
use llm::{Api, CallError, Delta, Dialect, ErrorKind, Event, Failure, FinishReason, Usage};
use serde_json::Value;

/// What a server that sends no terminator is given.
const DONE: &str = "data: [DONE]\n\n";

/// How a provider's answers to one request reach its client.
pub(crate) fn face(Row { api, quirks, .. }: Row, client: Dialect) -> Answers {
    let head = Head { id: "own".into(), model: "asked".into(), created: 1, usage: true, ..Head::default() };
    let head = (!api.is(client)).then(|| Box::new(head));
    Answers { api, quirks, dialect: client, listed: false, head }
}

/// All pairs of a provider and a client.
fn pairs() -> impl Iterator<Item = (Row, Dialect)> {
    ROWS.into_iter().flat_map(|row| CLIENTS.into_iter().map(move |client| (row, client.dialect)))
}

/// What a client of `client` is told otherwise than a provider that speaks `api` says it.
fn expected(api: Api, client: Dialect, mut meaning: Meaning) -> Meaning {
    if api.is(client) {
        return meaning;
    }
    if client == Dialect::Anthropic {
        // Google signs words as well, which is only asked back of calls.
        meaning.seals.retain(|_| !api.is(Dialect::Gemini));
    } else {
        // Only Anthropic has a word for the sequence.
        meaning.stop = None;
    }
    if client == Dialect::Gemini {
        // Google's models decline in words like any others, and what is written to a cache is not counted.
        meaning.text.push_str(&std::mem::take(&mut meaning.refusal));
        meaning.usage = meaning.usage.map(|usage| Usage { cache_written: 0, ..usage });
    }
    if client == Dialect::COMPLETIONS {
        // Words are all that it has, those with which a model declines among them.
        meaning.text.push_str(&std::mem::take(&mut meaning.refusal));
        let Meaning { text, usage, .. } = meaning;
        let finish = meaning.finish.map(|finish| match finish {
            FinishReason::ToolCalls | FinishReason::Other => FinishReason::Stop,
            finish => finish,
        });
        return Meaning { text, finish, usage, ..Meaning::default() };
    }
    meaning.finish = match meaning.finish {
        // To refuse is a way to end there.
        Some(FinishReason::Stop) if client == Dialect::Anthropic && !meaning.refusal.is_empty() => {
            Some(FinishReason::ContentFilter)
        }
        // An answer with calls ended in them, if it ended well.
        Some(FinishReason::Other) if !meaning.calls.is_empty() => Some(FinishReason::ToolCalls),
        // No word of theirs says that nobody knows.
        Some(FinishReason::Other) if matches!(client, Dialect::OpenAiChat | Dialect::Anthropic) => {
            Some(FinishReason::Stop)
        }
        finish => finish,
    };
    meaning
}

/// What a client is sent of a stream that comes in these pieces; as one that failed where the provider says so, or breaks
/// off.
pub(crate) fn sent<'a>(answers: &Answers, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Stream) {
    let broken = render(answers.dialect, &CallError::UpstreamFailed { message: "It broke.".into() });
    let (mut stream, mut out) = (answers.stream(), Vec::new());
    for piece in pieces {
        stream.feed(piece);
        while let Some(frame) = stream.next_frame() {
            if matches!(frame.event, Event::Error(_) | Event::Garbage) {
                out.extend_from_slice(&stream.failing(&broken));
                return (out, stream);
            }
            out.extend_from_slice(&frame.raw);
        }
    }
    match stream.end() {
        Ending::Complete(rest) => out.extend(rest.into_iter().flatten()),
        Ending::Broken(_) => out.extend_from_slice(&stream.failing(&broken)),
    }
    (out, stream)
}

/// Ways to cut a stream: not at all, byte by byte, and at places that chance picks, always the same.
fn cuts(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut ways = vec![vec![bytes], bytes.chunks(1).collect()];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for longest in [9, 64, 300] {
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let length = 1 + usize::try_from((state >> 33) % longest).expect("small");
            let (piece, more) = rest.split_at(length.min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        ways.push(pieces);
    }
    ways
}

/// What is wrong with the stream that a client is sent, if anything is.
fn streamed(answers: &Answers, wire: &Wire, expected: &Meaning) -> Option<String> {
    let stream = wire.events.concat();
    let ways: Vec<(Vec<u8>, Stream)> = cuts(&stream).into_iter().map(|way| sent(answers, way)).collect();
    let (whole, last) = ways.first()?;
    if ways.iter().any(|(out, _)| out != whole) {
        return Some("other bytes where it is cut otherwise".into());
    }
    // A terminator that is not there is supplied.
    let supplied = if answers.quirks.done_marker { "" } else { DONE };
    if answers.head.is_none() && *whole != [&stream[..], supplied.as_bytes()].concat() {
        return Some("other bytes than came".into());
    }
    let told = read(answers.dialect, whole);
    told.faults(answers.dialect).or_else(|| {
        // What is recorded of it is what the provider said.
        let progress = last.progress();
        let recorded = (progress.finish, progress.usage) == (wire.meaning.finish, wire.meaning.usage);
        differs(&told.deltas, expected).or((!recorded).then(|| format!("recorded as {progress:?}")))
    })
}

fn whole(answers: &Answers, wire: &Wire, expected: &Meaning) -> Option<String> {
    let dialects::Whole { body, progress, .. } = match answers.whole(Bytes::from(wire.whole.clone())) {
        Ok(told) => told,
        Err(failure) => return Some(format!("{failure:?}")),
    };
    let recorded = (progress.finish, progress.usage) == (wire.meaning.finish, wire.meaning.usage);
    let deltas = read_whole(answers.dialect, &body);
    differs(&deltas, expected).or((!recorded).then(|| format!("recorded as {progress:?}")))
}

/// What is wrong with an answer to a client of which it is told nothing.
fn hollow(answers: &Answers, wire: &Wire) -> Option<String> {
    let (out, stream) = sent(answers, [&wire.events.concat()[..]]);
    let fault = failed(answers.dialect, &out).or_else(|| stream.has_begun().then(|| "seems to have begun".into()));
    let whole = answers.whole(Bytes::from(wire.whole.clone()));
    fault.or_else(|| (whole != Err(Failure::Empty)).then(|| format!("{whole:?}")))
}

fn differs(deltas: &[Delta], expected: &Meaning) -> Option<String> {
    let meaning = Meaning::of(deltas);
    (meaning != *expected).then(|| format!("{meaning:?}\n  not {expected:?}"))
}

#[test]
fn every_client_is_told_what_every_provider_says() {
    let (mut faults, mut cells) = (Vec::new(), 0);
    for (row, client) in pairs() {
        let answers = face(row, client);
        for scene in Scene::ALL {
            let Some(wire) = answer(row, scene) else { continue };
            cells += 1;
            let expected = expected(row.api, client, wire.meaning.clone());
            let cell = format!("{scene:?} of {} to {client:?}", row.name);
            if expected.says_nothing() {
                faults
                    .extend(hollow(&answers, &wire).map(|fault| format!("{cell}, of which nothing is told: {fault}")));
                continue;
            }
            faults.extend(streamed(&answers, &wire, &expected).map(|fault| format!("{cell}, streamed: {fault}")));
            faults.extend(whole(&answers, &wire, &expected).map(|fault| format!("{cell}, whole: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{} faults in {cells} cells:\n{}", faults.len(), faults.join("\n"));
}

/// Whether a client is told once that the answer failed, and never that it is whole.
fn failed(client: Dialect, bytes: &[u8]) -> Option<String> {
    let told: Told = read(client, bytes);
    // Clients of the responses dialect look for either of two.
    let errors = if client == Dialect::Responses { 2 } else { 1 };
    let shown = std::str::from_utf8(bytes).expect("text");
    let right = !told.complete && told.errors == errors && told.terminators == 0;
    (!right || !shown.contains("It broke.")).then(|| format!("errors {}, {shown}", told.errors))
}

#[test]
fn a_stream_that_fails_or_is_cut_ends_in_one_error_for_every_client() {
    let mut faults = Vec::new();
    for (row, client) in pairs().filter(|(row, client)| !row.api.is(*client)) {
        let (answers, api) = (face(row, client), row.name);
        let wire = answer(row, Scene::TextAndCall).expect("a scene that all have");
        let at_once = failure(row.api);
        // Behind the text, and within the arguments of the call.
        let stream = wire.events.concat();
        for behind in [0, stream.len() / 3, stream.len() / 2] {
            let (begun, _) = sent(&answers, [&stream[..behind]]);
            faults.extend(failed(client, &begun).map(|fault| format!("{api} to {client:?}, cut at {behind}: {fault}")));
        }
        let (out, first) = sent(&answers, [&at_once[..]]);
        assert!(!first.has_begun(), "{api} to {client:?}: an error is no content");
        faults.extend(failed(client, &out).map(|fault| format!("{api} to {client:?}, at once: {fault}")));
        for events in 1..wire.events.len() {
            let mut begun = wire.events[..events].concat();
            begun.extend_from_slice(&at_once);
            for way in cuts(&begun) {
                let (out, _) = sent(&answers, way);
                faults
                    .extend(failed(client, &out).map(|fault| format!("{api} to {client:?}, behind {events}: {fault}")));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn an_error_before_content_is_told_in_the_clients_words() {
    for (row, client) in pairs() {
        let (answers, api) = (face(row, client), row.api);
        let (status, name, body) = throttled(api);
        let error = answers.error(status, name, &Bytes::from(body.to_string()), None);
        assert_eq!((error.kind, &*error.message), (ErrorKind::RateLimited, "Slow down."), "{api:?}");
        assert_eq!(error.body.is_empty(), !api.is(client), "{api:?} to {client:?}: words of another dialect");
        let rendered = render(client, &CallError::Provider(Box::new(error)));
        let body: Value = serde_json::from_slice(&rendered.body).expect("JSON");
        let (at, message) = match client {
            Dialect::Anthropic => (body["type"] == "error", &body["error"]["message"]),
            Dialect::Gemini => (body["error"]["code"] == 429, &body["error"]["message"]),
            _ => (body["error"].get("type").is_some(), &body["error"]["message"]),
        };
        assert!(
            at && message.as_str().is_some_and(|words| words.contains("Slow down.")),
            "{api:?} to {client:?}: {body}"
        );
        assert_eq!(rendered.status, 429, "{api:?} to {client:?}");
    }
}
