//! How a client takes in what it is told: by the decoder and the reader of its own dialect.

use dialects::{Ending, Quirks, Reader, StreamDecoder, each_data, read_deltas};
use llm::{Api, Delta, Dialect, Event, FinishReason, Usage};
use serde_json::Value;

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
                if client == Dialect::COMPLETIONS {
                    completed(data, &mut deltas);
                    return Ok(());
                }
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
    let event: Value = serde_json::from_slice(data).ok()?;
    ["/id", "/responseId", "/message/id", "/response/id"]
        .iter()
        .find_map(|at| event.pointer(at)?.as_str().map(str::to_owned))
}

/// What a whole answer says.
pub(crate) fn read_whole(client: Dialect, body: &[u8]) -> Vec<Delta> {
    let mut deltas = Vec::new();
    if client == Dialect::COMPLETIONS {
        completed(body, &mut deltas);
        return deltas;
    }
    read_deltas(Api::Shared(client), body).expect("an answer")
}

/// Adds what an answer of OpenAI's completions says, or an event of one: the gateway reads none.
fn completed(data: &[u8], deltas: &mut Vec<Delta>) {
    let Ok(said) = serde_json::from_slice::<Value>(data) else { return assert_eq!(data, b"[DONE]") };
    assert_eq!(said["object"], "text_completion");
    if deltas.is_empty() {
        let word = |name: &str| said[name].as_str().expect("a word").to_owned();
        deltas.push(Delta::Began { id: word("id"), model: word("model") });
    }
    for one in said["choices"].as_array().expect("choices") {
        assert!(one["logprobs"].is_null() && one["text"].is_string(), "{said}");
        let choice = u32::try_from(one["index"].as_u64().expect("a place")).expect("a small one");
        let text = one["text"].as_str().unwrap_or_default().to_owned();
        deltas.extend((!text.is_empty()).then_some(Delta::Text { choice, text }));
        let finish = match &one["finish_reason"] {
            Value::Null => continue,
            word if word == "stop" => FinishReason::Stop,
            word if word == "length" => FinishReason::Length,
            word if word == "content_filter" => FinishReason::ContentFilter,
            word => panic!("no word of this dialect: {word}"),
        };
        deltas.push(Delta::Ended { choice, finish, stop: None });
    }
    let usage = &said["usage"];
    let count = |at: &str| usage.pointer(at).and_then(Value::as_u64).expect("a count");
    deltas.extend(usage.is_object().then(|| {
        Delta::Used(Usage {
            input: count("/prompt_tokens"),
            output: count("/completion_tokens"),
            cached: count("/prompt_tokens_details/cached_tokens"),
            cache_written: count("/prompt_tokens_details/cache_write_tokens"),
            reasoning: count("/completion_tokens_details/reasoning_tokens"),
        })
    }));
}
