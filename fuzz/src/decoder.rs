//! Streams of every dialect. Input: which one, and bytes as a provider sends them.

use crate::cuts::ways;
use crate::pick::{APIS, pick, wire};
use crate::stream::{unmarked, without_line_feed};
use dialects::{Ending, Quirks, Reader, StreamDecoder, each_data};
use llm::{Api, Dialect, Event, Progress};

/// However a stream is cut, its frames say the same and hold no more than came; where the dialect has bytes of its own,
/// these; and whoever reads them as steps of an answer gets the same steps.
pub fn decoder(data: &[u8]) {
    let Some((api, data)) = pick(&APIS, data) else { return };
    let wire = wire(api, data);
    for done_marker in [true, false] {
        let quirks = Quirks { done_marker, ..Quirks::default() };
        let whole = is_cut_as_it_may(api, quirks, &wire);
        match api {
            // Their frames are not the bytes that came, but what is in them, with the name escaped.
            Api::Bedrock => assert!(whole.raw.len() <= 6 * wire.len(), "more than came"),
            _ => whole.carries(&wire),
        }
        steps(api, &whole);
    }
}

/// Decodes a stream in one piece and in many, which must come to the same.
pub(crate) fn is_cut_as_it_may(api: Api, quirks: Quirks, wire: &[u8]) -> Decoded {
    let whole = decoded(StreamDecoder::of(api, quirks), &[wire]);
    for pieces in ways(wire) {
        assert_eq!(decoded(StreamDecoder::of(api, quirks), &pieces), whole, "the cuts matter");
    }
    whole
}

/// What a decoder made of a stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    /// Neighbours of one meaning joined: how many share a frame depends on the cuts.
    pub(crate) events: Vec<Event>,
    raw: Vec<u8>,
    /// The bytes of the frames before the first that a client is not given.
    given: Vec<u8>,
    pub(crate) ending: Ending,
    pub(crate) progress: Progress,
}

pub(crate) fn decoded(mut decoder: StreamDecoder, pieces: &[&[u8]]) -> Decoded {
    let (mut events, mut raw, mut given) = (Vec::new(), Vec::new(), None);
    let mut take = |decoder: &mut StreamDecoder| {
        while let Some(frame) = decoder.next_frame() {
            if matches!(frame.event, Event::Garbage | Event::Error(_)) {
                given.get_or_insert(raw.len());
            }
            raw.extend_from_slice(&frame.raw);
            if events.last() != Some(&Event::Content) || frame.event != Event::Content {
                events.push(frame.event);
            }
        }
    };
    for piece in pieces {
        decoder.feed(piece);
        take(&mut decoder);
    }
    let ending = decoder.end();
    take(&mut decoder);
    let given = raw.get(..given.unwrap_or(raw.len())).unwrap_or_default();
    Decoded {
        progress: decoder.progress().clone(),
        given: without_line_feed(given),
        raw: without_line_feed(&raw),
        events,
        ending: match ending {
            // The half of a line end that came apart from the other.
            Ending::Complete(Some(rest)) if *rest == *b"\n" => Ending::Complete(None),
            ending => ending,
        },
    }
}

impl Decoded {
    /// That its frames carry the bytes of `data`, and the end of a last event that lacks one.
    pub(crate) fn carries(&self, data: &[u8]) {
        let sent = [unmarked(data), b"\n\n"].concat();
        assert!(sent.starts_with(&self.raw) || data.starts_with(&self.raw), "other bytes than came");
    }
}

/// What the frames before the first failure say, read piece by piece.
fn steps(api: Api, whole: &Decoded) {
    if matches!(api, Api::Shared(Dialect::Other(_)) | Api::Bedrock) {
        return;
    }
    let (mut reader, mut deltas) = (Reader::of(api), Vec::new());
    let _ = each_data(api, &whole.given, |data| reader.push(data, &mut deltas));
    assert!(deltas.len() <= 8 * whole.given.len() + 8, "more steps than bytes");
}
