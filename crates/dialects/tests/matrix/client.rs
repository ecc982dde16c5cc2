//! How a client takes in what it is told: by the decoder and the reader of its own dialect.

use dialects::{Ending, Quirks, Reader, StreamDecoder, each_data};
use llm::{Api, Delta, Dialect, Event, FinishReason};

/// A stream is read in pieces of this many bytes.
const PIECE: usize = 7;

/// What a client has been told.
pub(crate) struct Told {
    pub(crate) deltas: Vec<Delta>,
    /// The id of the answer, as often as it is said.
    pub(crate) ids: Vec<String>,
    pub(crate) terminators: usize,
    pub(crate) complete: bool,
    /// Events that say that the provider failed, or that nobody can read.
    pub(crate) errors: usize,
    pub(crate) finish: Option<FinishReason>,
}

impl Told {
    /// Whether it is one whole answer of its dialect, and if not, why.
    pub(crate) fn faults(&self, client: Dialect) -> Option<String> {
        let ends = if client == Dialect::Gemini { 0 } else { 1 };
        let Self { ids, terminators, complete, errors, finish, .. } = self;
        let same = ids.first().is_some_and(|first| ids.iter().all(|id| id == first));
        (!complete || *errors > 0 || *terminators != ends || !same || finish.is_none()).then(|| {
            format!("complete {complete}, errors {errors}, terminators {terminators}, ids {ids:?}, finish {finish:?}")
        })
    }
}

/// Reads the bytes of a stream.
pub(crate) fn read(client: Dialect, bytes: &[u8]) -> Told {
    let api = Api::Shared(client);
    let (mut decoder, mut reader) = (StreamDecoder::of(api, Quirks::default()), Reader::of(api));
    let (mut deltas, mut ids, mut terminators, mut errors) = (Vec::new(), Vec::new(), 0, 0);
    for piece in bytes.chunks(PIECE) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            match frame.event {
                Event::Done => terminators += 1,
                Event::Error(_) | Event::Garbage => {
                    errors += 1;
                    continue;
                }
                Event::Preamble | Event::Content | Event::Closing => {}
            }
            each_data(api, &frame.raw, |data| {
                ids.extend(id_of(data));
                reader.push(data, &mut deltas)
            })
            .expect("an event");
        }
    }
    let complete = matches!(decoder.end(), Ending::Complete(_));
    let finish = decoder.progress().finish;
    Told { deltas, ids, terminators, complete, errors, finish }
}

/// The id of the answer that an event names.
fn id_of(data: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(data).ok()?;
    ["/id", "/responseId", "/message/id", "/response/id"]
        .iter()
        .find_map(|at| event.pointer(at)?.as_str().map(str::to_owned))
}
