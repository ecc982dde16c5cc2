//! Streams of events. Input: bytes as a provider sends them.

use crate::cuts::ways;
use dialects::Quirks;
use dialects::openai_chat::{Assembler, Ending, StreamDecoder, each_data};
use llm::{Event, Progress};

/// However a stream is cut, its frames say the same and carry its own bytes; its events are those of the standard; and
/// what is recorded of it is what a reader would read.
pub fn stream(data: &[u8]) {
    assert_eq!(data_of(data), by_the_standard(data), "events");
    for done_marker in [true, false] {
        let quirks = Quirks { done_marker, ..Quirks::default() };
        let whole = decoded(StreamDecoder::recording(quirks), &[data]);
        let mut plain = decoded(StreamDecoder::new(quirks), &[data]);
        plain.recorded.clone_from(&whole.recorded);
        assert_eq!(plain, whole, "recorded or not");
        for pieces in ways(data) {
            assert_eq!(decoded(StreamDecoder::recording(quirks), &pieces), whole, "the cuts matter");
        }
        whole.carries(data);
        whole.is_recorded_as_read();
    }
}

/// What a decoder made of a stream.
#[derive(Debug, PartialEq)]
struct Decoded {
    /// Neighbours of one meaning joined: how many share a frame depends on the cuts.
    events: Vec<Event>,
    raw: Vec<u8>,
    /// The bytes of the frames before the first that a client is not given.
    given: Vec<u8>,
    ending: Ending,
    progress: Progress,
    /// The text of the transcript, where nothing is in its way.
    recorded: Option<String>,
}

fn decoded(mut decoder: StreamDecoder, pieces: &[&[u8]]) -> Decoded {
    let (mut events, mut raw, mut given) = (Vec::new(), Vec::new(), None);
    let mut take = |decoder: &mut StreamDecoder| {
        while let Some(frame) = decoder.next_frame() {
            if matches!(frame.event, Event::Garbage | Event::Error(_) | Event::Done) {
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
    let transcript = decoder.transcript().filter(|transcript| transcript.obstacle().is_none());
    let given = raw.get(..given.unwrap_or(raw.len())).unwrap_or_default();
    Decoded {
        recorded: transcript.map(|transcript| transcript.text().to_owned()),
        progress: decoder.progress().clone(),
        given: without_line_feed(given),
        raw: without_line_feed(&raw),
        events,
        ending,
    }
}

/// A carriage return ends a line by itself: a line feed that comes apart from it goes with the next frame, if there is
/// one.
pub(crate) fn without_line_feed(raw: &[u8]) -> Vec<u8> {
    let cut = if raw.ends_with(b"\r\n") { raw.strip_suffix(b"\n") } else { None };
    cut.unwrap_or(raw).to_vec()
}

impl Decoded {
    /// That its frames carry the bytes of `data`, and a blank line where the last event lacks one.
    fn carries(&self, data: &[u8]) {
        let sent = [unmarked(data), b"\n\n"].concat();
        assert!(sent.starts_with(&self.raw), "other bytes than came");
    }

    /// That the text recorded is the text a reader of the same events gets.
    fn is_recorded_as_read(&self) {
        let Some(recorded) = &self.recorded else { return };
        let mut assembler = Assembler::default();
        let read = each_data(&self.given, |data| assembler.push(data));
        assert!(read.is_ok(), "no obstacle, and no answer");
        let answer = assembler.finish();
        let [choice] = answer.choices.as_slice() else { panic!("no obstacle, and {} choices", answer.choices.len()) };
        assert_eq!((choice.index, &choice.text), (0, recorded), "recorded otherwise than read");
    }
}

/// Without the byte order mark that may lead a stream.
pub(crate) fn unmarked(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data)
}

fn data_of(data: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let any = each_data(data, |data| {
        found.push(data.to_vec());
        Ok::<_, ()>(())
    });
    assert_eq!(any, Ok(!found.is_empty()));
    found
}

/// The data of events, after the WHATWG HTML standard, section "Interpreting an event stream"; empty data left out.
fn by_the_standard(data: &[u8]) -> Vec<Vec<u8>> {
    let (mut events, mut lines) = (Vec::new(), Vec::<&[u8]>::new());
    let mut rest = unmarked(data);
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let (line, later) = rest.split_at(end);
        rest = later.strip_prefix(b"\r\n").or(later.get(1..)).unwrap_or_default();
        if line.is_empty() {
            events.push(lines.join(&b'\n'));
            lines.clear();
        } else if line == b"data" {
            lines.push(b"");
        } else if let Some(value) = line.strip_prefix(b"data:") {
            lines.push(value.strip_prefix(b" ").unwrap_or(value));
        }
    }
    events.retain(|data| !data.is_empty());
    events
}
