//! A streamed answer: bytes to frames, and the judgement at its end.

use super::STOP;
use super::error::read_error;
use super::event::{Added, End, Event as Wire, Message};
use super::json::object;
use super::seen::Seen;
use crate::runs::Runs;
use crate::sse::{Block, Framer};
use crate::template::Template;
use crate::{Ending, Quirks};
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};

/// Reads a stream of named events.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer. However the stream is cut up, the frames say the same;
/// neighbouring events of content that arrive together share a frame. Holds one event, 8 MiB at most.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    quirks: Quirks,
    runs: Runs<Framer>,
    seen: Seen,
    /// A block has come, or a part of one.
    spoken: bool,
    /// The last event that added text to a block, which most events only repeat with other words.
    template: Template,
}

impl StreamDecoder {
    /// A decoder for one answer of a provider with `quirks`.
    #[must_use]
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks, ..Self::default() }
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.seen.progress
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.seen.has_begun()
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut runs = std::mem::take(&mut self.runs);
        runs.feed(chunk, |framer, block| self.read(framer, block));
        self.runs = runs;
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.runs.next_frame()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        let mut runs = std::mem::take(&mut self.runs);
        runs.flush(|framer, block| self.read(framer, block));
        self.runs = runs;
        if !self.has_begun() {
            return Ending::Broken(Failure::Empty);
        }
        let progress = self.progress();
        match (progress.finished, progress.done, self.quirks.done_marker) {
            (true, true, _) => Ending::Complete(None),
            (true, false, false) => Ending::Complete(Some(Bytes::from_static(STOP))),
            _ => Ending::Broken(Failure::Truncated),
        }
    }

    /// What one event means; keeps the progress.
    fn read(&mut self, framer: &Framer, block: &Block) -> Event {
        // Servers that were made for another dialect too add its terminator.
        let data = framer.data(block).filter(|data| !data.is_empty() && data.trim_ascii_end() != b"[DONE]");
        let Some(data) = data else { return Event::Preamble };
        let named_error = framer.name(block) == Some(b"error");
        if !named_error && self.template.values(data).is_some() {
            return Event::Content;
        }
        let Some(event) = Wire::read(data) else {
            return if named_error { failed(data) } else { Event::Garbage };
        };
        if named_error || event.is_error() {
            return failed(data);
        }
        let content = match &*event.kind {
            "message_start" => return begin(&mut self.seen, &mut self.spoken, &event),
            "content_block_start" => self.seen.block(event.content_block),
            "content_block_delta" => object::<Added<'_>>(event.delta).map(|added| {
                let content = self.seen.added(&added);
                self.template.learn(data, [added.piece().filter(|_| content), None, None]);
                content
            }),
            "message_delta" => {
                self.seen.end(&object::<End<'_>>(event.delta).unwrap_or_default(), event.usage);
                return Event::Closing;
            }
            "message_stop" => {
                self.seen.progress.done = true;
                return Event::Done;
            }
            "" => return Event::Garbage,
            // A ping, the end of a block, or what is invented tomorrow.
            _ => return Event::Preamble,
        };
        self.spoken = true;
        match content {
            Some(true) => Event::Content,
            Some(false) => Event::Preamble,
            None => Event::Garbage,
        }
    }
}

/// Takes in the event that opens an answer. Some proxies send it twice; where something was said in between, it opens
/// another answer, and the two are none.
fn begin(seen: &mut Seen, spoken: &mut bool, event: &Wire<'_>) -> Event {
    match object::<Message<'_>>(event.message) {
        Some(message) if !*spoken => {
            let content = seen.message(&message);
            *spoken |= content;
            if content { Event::Content } else { Event::Preamble }
        }
        _ => Event::Garbage,
    }
}

fn failed(data: &[u8]) -> Event {
    Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, stream};
    use super::*;
    use llm::{ErrorKind, FinishReason, Usage};
    use proptest::prelude::*;

    /// The events with neighbours of one meaning joined, the bytes, and the ending.
    fn read(bytes: &[u8], quirks: Quirks, cuts: &[usize]) -> (Vec<Event>, Vec<u8>, Ending, Progress) {
        let mut decoder = StreamDecoder::new(quirks);
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
        (events, raw, ending, decoder.progress().clone())
    }

    fn of(events: &[&str]) -> (Vec<Event>, Vec<u8>, Ending, Progress) {
        read(&stream(events), Quirks::default(), &[])
    }

    const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"m","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#;
    const OPEN: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    const PING: &str = r#"{"type":"ping"}"#;
    const HI: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h\u00e9"}}"#;
    const CLOSE: &str = r#"{"type":"content_block_stop","index":0}"#;
    const END: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}"#;
    const STOPPED: &str = r#"{"type":"message_stop"}"#;
    const ERROR: &str = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;

    #[test]
    fn an_answer_is_complete_only_with_reason_and_terminator() {
        let refused = END.replace("end_turn", "refusal");
        let whole = r#"{"type":"message_start","message":{"content":[{"type":"tool_use","id":"a","name":"f","input":{}}],"stop_reason":"tool_use"}}"#;
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (events, expected) in [
            (&[START, OPEN, HI, CLOSE, END, STOPPED][..], &complete),
            (&[START, OPEN, HI, CLOSE, END], &truncated),
            (&[START, OPEN, HI, CLOSE, STOPPED], &truncated),
            (&[START, OPEN, HI], &truncated),
            (&[START, &refused, STOPPED], &complete),
            (&[START, END, STOPPED], &empty),
            (&[whole, STOPPED], &complete),
            (&[START, PING], &empty),
            (&[STOPPED], &empty),
            (&[], &empty),
        ] {
            assert_eq!(&of(events).2, expected, "{events:?}");
        }
        let lax = Quirks { done_marker: false, ..Quirks::default() };
        let (_, _, supplied, _) = read(&stream(&[START, OPEN, HI, CLOSE, END]), lax, &[]);
        assert_eq!(supplied, Ending::Complete(Some(Bytes::from_static(STOP))));
    }

    #[test]
    fn frames_say_what_their_bytes_mean() {
        let events = [START, OPEN, PING, HI, HI, CLOSE, END, STOPPED];
        let (read, raw, _, progress) = of(&events);
        use Event::{Closing, Content, Done, Preamble};
        assert_eq!(read, [Preamble, Preamble, Preamble, Content, Preamble, Closing, Done]);
        assert_eq!(raw, stream(&events), "same dialect, same bytes");
        assert_eq!(progress.usage, Some(Usage { input: 3, output: 9, ..Usage::default() }));
        assert_eq!((progress.finish, &*progress.model, progress.refused), (Some(FinishReason::Stop), "m", false));
    }

    #[test]
    fn whatever_a_block_says_is_content() {
        let opened = |block: &str| format!(r#"{{"type":"content_block_start","index":0,"content_block":{block}}}"#);
        let added = |delta: &str| format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#);
        for (event, expected) in [
            (opened(r#"{"type":"thinking","thinking":"","signature":""}"#), Event::Preamble),
            (opened(r#"{"type":"redacted_thinking","data":"x"}"#), Event::Content),
            (opened(r#"{"type":"tool_use","id":"a","name":"f","input":{}}"#), Event::Content),
            (opened(r#"{"type":"server_tool_use","id":"a","name":"web_search","input":{}}"#), Event::Content),
            (opened("7"), Event::Garbage),
            (added(r#"{"type":"thinking_delta","thinking":"hm"}"#), Event::Content),
            (added(r#"{"type":"signature_delta","signature":"s"}"#), Event::Content),
            (added(r#"{"type":"input_json_delta","partial_json":""}"#), Event::Preamble),
            (added(r#"{"type":"input_json_delta","partial_json":"{"}"#), Event::Content),
            (added(r#"{"type":"text_delta","text":"\ud83d"}"#), Event::Content),
            (added(r#"{"type":"citations_delta","citation":{"type":"x"}}"#), Event::Content),
            (r#"{"type":"tomorrow","x":1}"#.into(), Event::Preamble),
        ] {
            assert_eq!(of(&[START, &event]).0[1], expected, "{event}");
        }
    }

    #[test]
    fn an_answer_that_begins_anew_is_none() {
        assert_eq!(of(&[START, START, OPEN, HI]).0[1], Event::Preamble, "said twice before anything else");
        let (events, ..) = of(&[START, OPEN, HI, START]);
        assert_eq!(events.last(), Some(&Event::Garbage));
    }

    #[test]
    fn errors_and_garbage_stand_out() {
        for (raw, expected) in [
            (format!("event: error\ndata: {ERROR}\n\n"), "overloaded"),
            (format!("data: {ERROR}\n\n"), "overloaded"),
            ("event: error\ndata: {\"message\":\"x\"}\n\n".into(), "server_error"),
            ("event: error\ndata: oops\n\n".into(), "server_error"),
            ("data: {\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\"}}\n\n".into(), "rate_limited"),
            ("data: {\"type\":\n\n".into(), "garbage"),
            ("data: {\"x\":1}\n\n".into(), "garbage"),
            ("data: <html>\n\n".into(), "garbage"),
            ("data: [1,2]\n\n".into(), "garbage"),
            ("data: {\"type\":\"message_start\"}\n\n".into(), "garbage"),
        ] {
            let bytes = [stream(&[START, OPEN, HI]), raw.clone().into_bytes()].concat();
            let said = match read(&bytes, Quirks::default(), &[]).0.pop().expect("an event") {
                Event::Error(error) => error.kind.as_str(),
                Event::Garbage => "garbage",
                other => panic!("{raw}: {other:?}"),
            };
            assert_eq!(said, expected, "{raw}");
        }
        let broken = b"data: {\"type\":\"ping\",\"x\":\"\xff\"}\n\n".to_vec();
        assert_eq!(read(&broken, Quirks::default(), &[]).0, [Event::Garbage]);
        assert_eq!(read(&broken[..20], Quirks::default(), &[]).0, [], "half an event is none");
        let Some(Event::Error(error)) = of(&[ERROR]).0.pop() else { panic!("no error") };
        assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, 529));
    }

    #[test]
    fn a_forgotten_last_blank_line_is_forgiven() {
        let mut bytes = stream(&[START, OPEN, HI, CLOSE, END, STOPPED]);
        bytes.truncate(bytes.len() - 2);
        let (events, _, ending, _) = read(&bytes, Quirks::default(), &[]);
        assert_eq!((ending, events.last()), (Ending::Complete(None), Some(&Event::Done)));
    }

    #[test]
    fn an_event_without_end_is_garbage() {
        let (events, ..) = read(&vec![b'x'; 9 * 1024 * 1024], Quirks::default(), &[]);
        assert_eq!(events.first(), Some(&Event::Garbage));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            picks in proptest::collection::vec(0usize..9, 0..12),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
        ) {
            let all = [START, OPEN, PING, HI, CLOSE, END, STOPPED, ERROR, "[DONE]"];
            let events: Vec<&str> = picks.into_iter().map(|pick| all[pick]).collect();
            let bytes = stream(&events);
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * bytes.len() as f64) as usize).collect();
            places.sort_unstable();
            let whole = read(&bytes, Quirks::default(), &[]);
            let every: Vec<usize> = (0..bytes.len()).collect();
            prop_assert_eq!(&read(&bytes, Quirks::default(), &places), &whole);
            prop_assert_eq!(&read(&bytes, Quirks::default(), &every), &whole);
            prop_assert_eq!(&whole.1, &bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, Quirks::default(), &[]);
        }
    }

    #[test]
    fn every_fixture_is_an_answer() {
        for (name, events) in fixtures::ALL {
            let (_, raw, ending, _) = of(events);
            assert_eq!((ending, raw), (Ending::Complete(None), stream(events)), "{name}");
        }
    }
}
