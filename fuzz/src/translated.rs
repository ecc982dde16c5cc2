//! Streams of one dialect for clients of another. Input: which two, and bytes as a provider sends them.

use crate::cuts::ways;
use crate::decoder::decoded;
use crate::pick::{APIS, FOR_VECTORS, OF_VECTORS, all, pick, wire};
use crate::whole::{completed, folded, head, words};
use bytes::Bytes;
use dialects::{Ending, Gatherer, Quirks, Reader, StreamDecoder, Translated, each_data, gives_vectors, render};
use llm::{Answer, Api, CallError, Dialect, Event, Failure, Frame};

/// What clients are given: in which dialect, and whether as one list.
const CLIENTS: [(Dialect, bool); 6] = [
    (Dialect::OpenAiChat, false),
    (Dialect::Anthropic, false),
    (Dialect::Gemini, false),
    (Dialect::Responses, false),
    (Dialect::Gemini, true),
    (Dialect::COMPLETIONS, false),
];

/// However a stream is cut, its client is given the same bytes: a stream of its own dialect, that says what the provider
/// does and ends once, whole or with an error, and is no longer than what came warrants. Vectors are no stream: of one
/// that comes all the same only the first of this holds.
pub fn translated(data: &[u8]) {
    let Some((api, data)) = pick(&all(&APIS, &OF_VECTORS), data) else { return };
    let for_vectors = FOR_VECTORS.map(|dialect| (dialect, false));
    let clients = if gives_vectors(api) { &for_vectors[..] } else { &CLIENTS };
    let Some(((dialect, listed), data)) = pick(clients, data) else { return };
    if api.is(dialect) {
        return;
    }
    let wire = up_to_its_end(api, wire(api, data));
    let whole = given(api, dialect, listed, &[&wire]);
    for pieces in ways(&wire) {
        assert_eq!(given(api, dialect, listed, &pieces), whole, "the cuts matter");
    }
    let Given { out, broken, .. } = &whole;
    if out.is_empty() || gives_vectors(api) {
        return;
    }
    assert!(out.len() <= 4096 * wire.len() + 65536, "{} bytes of {}", out.len(), wire.len());
    let shown = || format!("{api:?} to {dialect:?}: {}", out.escape_ascii());
    let read = decoded(StreamDecoder::of(Api::Shared(dialect), Quirks::default()), &[out]);
    let failures = read.events.iter().filter(|event| matches!(event, Event::Error(_))).count();
    assert!(!read.events.contains(&Event::Garbage), "{}", shown());
    match broken {
        true => {
            assert!(failures > 0 && matches!(read.events.last(), Some(Event::Error(_) | Event::Done)), "{}", shown());
        }
        false => {
            // An answer of nothing that the client has a word for is an empty one.
            let empty = read.ending == Ending::Broken(Failure::Empty) && words(&whole.answer) == Default::default();
            assert!(failures == 0 && (empty || read.ending == Ending::Complete(None)), "{:?} {}", read.ending, shown());
            assert!(read.events.iter().filter(|event| **event == Event::Done).count() <= 1, "{}", shown());
            if let Some(said) = said(api, &wire).filter(|_| dialect == Dialect::COMPLETIONS) {
                let data = out.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: "));
                assert_eq!(completed(data.filter(|data| *data != b"[DONE]")), words(&said).0, "{}", shown());
            } else if let Some(said) = said(api, &wire) {
                assert_eq!(words(&whole.answer), words(&said), "{}", shown());
            }
        }
    }
}

/// The stream without what follows its terminator, to which nobody listens.
fn up_to_its_end(api: Api, mut wire: Vec<u8>) -> Vec<u8> {
    let mut decoder = StreamDecoder::of(api, Quirks::default());
    let ends = |byte: &u8| {
        decoder.feed(std::slice::from_ref(byte));
        std::iter::from_fn(|| decoder.next_frame()).any(|frame| frame.event == Event::Done)
    };
    let end = wire.iter().position(ends).map_or(wire.len(), |at| at + 1);
    wire.truncate(end);
    wire
}

/// What a client is given of a stream.
#[derive(Debug, PartialEq)]
struct Given {
    /// The meanings of its frames, neighbours of one meaning joined.
    events: Vec<Event>,
    out: Vec<u8>,
    broken: bool,
    /// What it says, put together while it passes.
    answer: Answer,
    left_out: Vec<String>,
}

fn given(api: Api, dialect: Dialect, listed: bool, pieces: &[&[u8]]) -> Given {
    let mut translated = Translated::new(api, Quirks::default(), dialect, listed, head());
    let (mut events, mut out, mut gatherer) = (Vec::new(), Vec::new(), Gatherer::of(dialect));
    let mut give = |raw: &Bytes, out: &mut Vec<u8>| {
        out.extend_from_slice(raw);
        assert!(gatherer.push(raw, |_, _, _| {}).is_ok(), "{}", raw.escape_ascii());
    };
    let mut broken = false;
    let mut pieces = pieces.iter();
    let ending = loop {
        let ending = match pieces.next() {
            Some(piece) => {
                translated.feed(piece);
                None
            }
            None => Some(translated.end()),
        };
        while let Some(Frame { event, raw }) = translated.next_frame() {
            let early = event == Event::Done && !translated.progress().finished;
            broken |= early || matches!(event, Event::Error(_) | Event::Garbage);
            if broken {
                events.push(event);
                break;
            }
            give(&raw, &mut out);
            // What a client has no word for is content without bytes, unless it shares a frame.
            let unsaid = event == Event::Content && raw.is_empty();
            if !unsaid && (events.last() != Some(&Event::Content) || event != Event::Content) {
                events.push(event);
            }
        }
        if broken || ending.is_some() {
            break ending;
        }
    };
    match ending {
        Some(Ending::Complete(more)) if !broken => more.iter().for_each(|more| give(more, &mut out)),
        // Nothing of it has reached the client, who is told in another way.
        _ if !events.contains(&Event::Content) => {
            broken = true;
            out.clear();
        }
        _ => {
            broken = true;
            out.extend_from_slice(&translated.failing(&render(dialect, &CallError::Internal)));
        }
    }
    Given { events, out, broken, answer: gatherer.finish(), left_out: translated.left_out().to_vec() }
}

/// What the provider's stream says, if all of it can be read.
fn said(api: Api, wire: &[u8]) -> Option<Answer> {
    let mut decoder = StreamDecoder::of(api, Quirks::default());
    decoder.feed(wire);
    let _ = decoder.end();
    let (mut reader, mut deltas) = (Reader::of(api), Vec::new());
    while let Some(frame) = decoder.next_frame() {
        each_data(api, &frame.raw, |data| reader.push(data, &mut deltas)).ok()?;
    }
    folded(&deltas)
}
