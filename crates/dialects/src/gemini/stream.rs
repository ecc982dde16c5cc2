//! A streamed answer: bytes to frames, and the judgement at its end.
//!
//! Comes as server-sent events without a terminator, or as a JSON list where `alt=sse` was not asked for; the first byte
//! tells which. Must never be here: what is in the parts.

use super::elements::{Element, Elements};
use super::seen::Seen;
use crate::Ending;
use crate::runs::{Pieces, Runs};
use crate::sse::{Block, EventTooLong, Framer};
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};

/// Reads a stream of `GenerateContentResponse`s.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer. However the stream is cut up, the frames say the
/// same; neighbouring events of one meaning that arrive together share a frame.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    runs: Runs<Framing>,
    seen: Seen,
}

impl StreamDecoder {
    /// A decoder for one answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        self.seen.progress()
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.seen.has_begun()
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, chunk: &[u8]) {
        let Self { runs, seen } = self;
        runs.feed(chunk, |framing, piece| framing.read(piece, seen));
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.runs.next_frame()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        let Self { runs, seen } = self;
        runs.flush(|framing, piece| framing.read(piece, seen));
        if !self.has_begun() {
            return Ending::Broken(Failure::Empty);
        }
        if self.progress().finished {
            Ending::Complete(self.runs.pieces_mut().lacks())
        } else {
            Ending::Broken(Failure::Truncated)
        }
    }
}

/// How the answer is cut into events.
#[derive(Debug)]
enum Framing {
    /// No byte has come that tells; what has come, which is blank.
    Undecided(Vec<u8>),
    Events(Framer),
    List(Elements),
}

/// The most blank bytes that may stand before a list.
const MAX_BLANKS: usize = 1024;

fn events(held: &[u8]) -> Framing {
    let mut framer = Framer::default();
    framer.push(held);
    Framing::Events(framer)
}

impl Default for Framing {
    fn default() -> Self {
        Self::Undecided(Vec::new())
    }
}

/// A piece that the framing found.
enum Piece {
    Block(Block),
    Element(Element),
}

impl Pieces for Framing {
    type Piece = Piece;
    type TooLong = EventTooLong;

    fn push(&mut self, chunk: &[u8]) {
        match self {
            Self::Events(framer) => framer.push(chunk),
            Self::List(elements) => elements.push(chunk),
            Self::Undecided(blank) => {
                blank.extend_from_slice(chunk);
                let held = std::mem::take(blank);
                let blanks = held.len() - held.trim_ascii_start().len();
                *self = match held.get(blanks) {
                    // Blank lines alone could be a list's as well; more of them than this are an event stream's.
                    _ if blanks > MAX_BLANKS => events(&held),
                    None => Self::Undecided(held),
                    Some(b'[' | b'{') => {
                        let mut elements = Elements::default();
                        elements.push(&held);
                        Self::List(elements)
                    }
                    Some(_) => events(&held),
                };
            }
        }
    }

    fn next_piece(&mut self) -> Result<Option<Piece>, EventTooLong> {
        match self {
            Self::Undecided(_) => Ok(None),
            Self::Events(framer) => Ok(framer.next_block()?.map(Piece::Block)),
            Self::List(elements) => Ok(elements.next_element()?.map(Piece::Element)),
        }
    }

    fn end_of(piece: &Piece) -> usize {
        match piece {
            Piece::Block(block) => block.end,
            Piece::Element(element) => element.end(),
        }
    }

    fn take(&mut self, end: usize) -> Bytes {
        match self {
            Self::Undecided(_) => Bytes::new(),
            Self::Events(framer) => framer.take(end),
            Self::List(elements) => elements.take(end),
        }
    }

    fn completed_by(&self) -> Option<&'static [u8]> {
        matches!(self, Self::Events(framer) if framer.has_partial()).then_some(b"\n\n")
    }
}

impl Framing {
    /// What one piece means; `seen` keeps it.
    fn read(&self, piece: &Piece, seen: &mut Seen) -> Event {
        match (self, piece) {
            (Self::Events(framer), Piece::Block(block)) => match framer.data(block) {
                None | Some([]) => Event::Preamble,
                Some(data) => seen.note(data),
            },
            (Self::List(elements), Piece::Element(Element::Object(range))) => seen.note(elements.data(range)),
            (_, Piece::Element(Element::Close(_))) => seen.close(),
            _ => Event::Garbage,
        }
    }

    /// What completes the answer for a client: the end of a list, or of a last line whose halves came apart.
    fn lacks(&mut self) -> Option<Bytes> {
        match self {
            Self::List(elements) if elements.is_open() => Some(Bytes::from_static(b"]")),
            Self::Events(framer) => Some(std::mem::take(framer).rest()).filter(|rest| **rest == *b"\n"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HI: &str = r#"{"candidates":[{"content":{"parts":[{"text":"h\u00e9 é"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1}}"#;
    const CALL: &str = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}"#;
    const STOP: &str = r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"modelVersion":"m"}"#;
    const LAST: &str = r#"{"candidates":[{"content":{"parts":[{"text":"!"}]},"finishReason":"STOP","index":0}]}"#;
    const FULL: &str = r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#;
    const ONE: &str = r#"{"candidates":[{"content":{"parts":[{"text":"b"}]},"index":1}]}"#;
    const BLOCKED: &str = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    const TRAFFIC: &str = r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#;
    const ERROR: &str = r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#;

    fn events(of: &[&str]) -> Vec<u8> {
        of.iter().flat_map(|data| format!("data: {data}\r\n\r\n").into_bytes()).collect()
    }

    fn list(of: &[&str]) -> Vec<u8> {
        format!("[{}\n]", of.join("\r\n,\r\n")).into_bytes()
    }

    /// The events with neighbours of one meaning joined, the bytes, and the ending.
    fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<Event>, Vec<u8>, Ending, Progress) {
        let mut decoder = StreamDecoder::new();
        let (mut events, mut raw): (Vec<Event>, Vec<u8>) = (Vec::new(), Vec::new());
        let mut take = |decoder: &mut StreamDecoder| {
            while let Some(frame) = decoder.next_frame() {
                raw.extend_from_slice(&frame.raw);
                if events.last() != Some(&Event::Content) || frame.event != Event::Content {
                    events.push(frame.event);
                }
            }
        };
        let mut from = 0;
        for cut in cuts.iter().copied().chain([bytes.len()]) {
            decoder.feed(&bytes[from..cut]);
            from = cut;
            take(&mut decoder);
        }
        let ending = decoder.end();
        take(&mut decoder);
        let progress = decoder.progress().clone();
        (events, raw, ending, progress)
    }

    #[test]
    fn an_answer_is_complete_when_every_candidate_has_ended() {
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (said, expected) in [
            (&[HI, HI, STOP][..], &complete),
            (&[HI, LAST], &complete),
            (&[CALL, STOP], &complete),
            (&[HI, HI], &truncated),
            (&[HI, ONE, STOP], &truncated),
            (&[FULL], &complete),
            (&[BLOCKED], &complete),
            (&[STOP], &empty),
            (&[TRAFFIC], &empty),
            (&[], &empty),
        ] {
            assert_eq!(&read(&events(said), &[]).2, expected, "{said:?}");
            assert_eq!(&read(&list(said), &[]).2, expected, "{said:?} in a list");
        }
    }

    #[test]
    fn a_list_that_was_not_closed_is_closed_where_its_answer_is_complete() {
        let mut cut = list(&[HI, STOP]);
        cut.pop();
        assert_eq!(read(&cut, &[]).2, Ending::Complete(Some(Bytes::from_static(b"]"))));
        let mut cut = list(&[HI]);
        cut.pop();
        assert_eq!(read(&cut, &[]).2, Ending::Broken(Failure::Truncated));
        assert_eq!(read(LAST.as_bytes(), &[]).2, Ending::Complete(None), "one object alone");
    }

    #[test]
    fn frames_say_what_their_bytes_mean() {
        use Event::{Closing, Content, Done, Preamble};
        let said = [TRAFFIC, HI, CALL, STOP, TRAFFIC];
        for (bytes, expected) in [
            (events(&said), &[Preamble, Content, Closing, Closing][..]),
            (list(&said), &[Preamble, Content, Closing, Closing, Done]),
            (b": ping\n\ndata:\n\n".to_vec(), &[Preamble, Preamble]),
        ] {
            let (seen, raw, ..) = read(&bytes, &[]);
            assert_eq!(seen, expected);
            assert_eq!(raw, bytes, "same dialect, same bytes");
        }
        let progress = read(&events(&said), &[]).3;
        assert_eq!((progress.finish, &*progress.model), (Some(llm::FinishReason::ToolCalls), "m"));
        assert_eq!(progress.usage.map(|usage| (usage.input, usage.output)), Some((1, 2)), "the last usage counts");
        let grown = |output: u64| {
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}}}],"usageMetadata":{{"candidatesTokenCount":{output}}}}}"#
            )
        };
        let progress = read(&events(&[&grown(1), &grown(1), &grown(5), LAST]), &[]).3;
        assert_eq!(progress.usage.map(|usage| usage.output), Some(5), "it is never added up");
    }

    #[test]
    fn errors_and_garbage_stand_out() {
        let wrapped = format!("[{ERROR}]");
        for (data, expected) in [
            (ERROR, "error"),
            (&wrapped, "error"),
            ("{\"candidates\":[", "garbage"),
            ("{\"candidates\":7}", "garbage"),
            ("{\"candidates\":[{\"content\":{\"parts\":[7]}}]}", "garbage"),
            ("<html>", "garbage"),
            ("[1,2]", "garbage"),
            ("[DONE]", "garbage"),
        ] {
            let (seen, ..) = read(&events(&[HI, data]), &[]);
            let said = match &seen[1] {
                Event::Error(error) => {
                    assert_eq!(error.status, 503);
                    "error"
                }
                Event::Garbage => "garbage",
                other => panic!("{data}: {other:?}"),
            };
            assert_eq!(said, expected, "{data}");
        }
        assert!(matches!(read(&list(&[HI, ERROR]), &[]).0[1], Event::Error(_)));
        assert!(matches!(read(wrapped.as_bytes(), &[]).0[0], Event::Error(_)), "instead of a stream");
        assert_eq!(read(b"[7]", &[]).0[0], Event::Garbage);
        assert_eq!(read(b"data: {\"candi", &[]).0, [], "half an event is none");
    }

    #[test]
    fn blank_bytes_before_a_list_are_counted_however_they_come() {
        for blanks in [1024, 1025, 2000] {
            let bytes = [vec![b' '; blanks], list(&[HI, STOP])].concat();
            let every: Vec<usize> = (0..bytes.len()).collect();
            assert_eq!(read(&bytes, &every), read(&bytes, &[]), "{blanks} of them");
        }
    }

    #[test]
    fn a_forgotten_last_blank_line_is_forgiven() {
        let mut bytes = events(&[HI, STOP]);
        bytes.truncate(bytes.len() - 4);
        let (seen, _, ending, _) = read(&bytes, &[]);
        assert_eq!((seen.last(), ending), (Some(&Event::Closing), Ending::Complete(None)));
    }

    #[test]
    fn an_event_without_end_is_garbage() {
        for first in [b'x', b'{'] {
            let mut bytes = vec![b'"'; 9 * 1024 * 1024];
            bytes[0] = first;
            assert_eq!(read(&bytes, &[]).0.first(), Some(&Event::Garbage));
        }
        assert_eq!(read(&vec![b'\n'; 4096], &[]).2, Ending::Broken(Failure::Empty));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            picks in proptest::collection::vec(0usize..9, 0..12),
            listed in any::<bool>(),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
        ) {
            let all = [HI, CALL, STOP, LAST, FULL, ONE, BLOCKED, TRAFFIC, ERROR];
            let said: Vec<&str> = picks.into_iter().map(|pick| all[pick]).collect();
            let bytes = if listed { list(&said) } else { events(&said) };
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * bytes.len() as f64) as usize).collect();
            places.sort_unstable();
            let whole = read(&bytes, &[]);
            let every: Vec<usize> = (0..bytes.len()).collect();
            for cuts in [&places, &every] {
                let (seen, mut raw, ending, progress) = read(&bytes, cuts);
                let ending = match ending {
                    Ending::Complete(Some(lacking)) => {
                        raw.extend_from_slice(&lacking);
                        Ending::Complete(None)
                    }
                    // The half of a line end that nobody waits for.
                    Ending::Broken(_) if raw.len() + 1 == bytes.len() => {
                        raw.push(b'\n');
                        ending
                    }
                    ending => ending,
                };
                prop_assert_eq!(&(seen, raw, ending, progress), &whole);
            }
            prop_assert_eq!(&whole.1, &bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, &[]);
        }
    }
}
