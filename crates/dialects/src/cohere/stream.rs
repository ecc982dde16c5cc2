//! A streamed answer: bytes to frames, and the judgement at its end.

use super::error::read_error;
use super::event::Event as Wire;
use super::seen::Seen;
use crate::Ending;
use crate::runs::Runs;
use crate::sse::{Block, Framer};
use crate::template::Template;
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};

/// Reads a stream of Cohere's events.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer: one that `message-end` has ended, with a reason. However
/// the stream is cut up, the frames say the same; neighbouring events of content that arrive together share a frame.
/// Holds one event, 8 MiB at most.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    runs: Runs<Framer>,
    seen: Seen,
    /// The last event that added one piece, which most events only repeat with another.
    template: Template,
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
        let progress = self.progress();
        if !self.has_begun() {
            Ending::Broken(Failure::Empty)
        } else if progress.done && progress.finished {
            Ending::Complete(None)
        } else {
            Ending::Broken(Failure::Truncated)
        }
    }

    /// What one event means; keeps the progress.
    fn read(&mut self, framer: &Framer, block: &Block) -> Event {
        // Gateways in between add the terminator of another dialect.
        let data = framer.data(block).filter(|data| !data.is_empty() && data.trim_ascii() != b"[DONE]");
        let Some(data) = data else { return Event::Preamble };
        let named_error = framer.name(block) == Some(b"error");
        if !named_error && self.template.values(data).is_some() {
            return Event::Content;
        }
        let Some(event) = Wire::read(data).filter(|_| std::str::from_utf8(data).is_ok()) else {
            return if named_error { failed(data) } else { Event::Garbage };
        };
        if named_error || event.is_error() {
            return failed(data);
        }
        let added = event.added();
        match &*event.kind() {
            // Where something was said before, it opens another answer, and the two are none.
            "message-start" if self.seen.progress.content => Event::Garbage,
            "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta"
            | "citation-start"
                if !added.has_message() =>
            {
                Event::Garbage
            }
            "message-start" | "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start"
            | "tool-call-delta" | "citation-start" => {
                if self.seen.said(&added) {
                    self.template.learn(data, [event.piece(), None, None]);
                    Event::Content
                } else {
                    Event::Preamble
                }
            }
            "message-end" if added.has_failed() => failed(data),
            "message-end" => {
                self.seen.end(&added);
                Event::Done
            }
            "" => Event::Garbage,
            // The end of a block, or what is invented tomorrow.
            _ => Event::Preamble,
        }
    }
}

fn failed(data: &[u8]) -> Event {
    Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, stream};
    use super::*;
    use llm::{FinishReason, Usage};
    use proptest::prelude::*;

    /// The events with neighbours of one meaning joined, the bytes, the ending and the progress.
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
        (events, raw, ending, decoder.progress().clone())
    }

    fn of(events: &[&str]) -> (Vec<Event>, Vec<u8>, Ending, Progress) {
        read(&stream(events), &[])
    }

    const START: &str = r#"{"id":"a","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[]}}}"#;
    const OPEN: &str =
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#;
    const HI: &str = r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"h\u00e9"}}}}"#;
    const CLOSE: &str = r#"{"type":"content-end","index":0}"#;
    const CALL: &str = r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","function":{"name":"f","arguments":""}}}}}"#;
    const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":3,"output_tokens":9}}}}"#;
    const FULL: &str = r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}"#;
    const UNSAID: &str = r#"{"type":"message-end","delta":{"usage":{}}}"#;
    const FAILED: &str = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"broke"}}"#;

    #[test]
    fn an_answer_is_complete_only_with_its_end_and_a_reason() {
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (events, expected) in [
            (&[START, OPEN, HI, CLOSE, END][..], &complete),
            (&[START, CALL, END], &complete),
            (&[START, FULL], &complete),
            (&[START, OPEN, HI, CLOSE], &truncated),
            (&[START, OPEN, HI, UNSAID], &truncated),
            (&[START, OPEN, HI, "[DONE]"], &truncated),
            (&[START, OPEN, HI, FAILED], &truncated),
            (&[START, END], &empty),
            (&[END], &empty),
            (&[], &empty),
        ] {
            assert_eq!(&of(events).2, expected, "{events:?}");
        }
    }

    #[test]
    fn frames_say_what_their_bytes_mean() {
        use Event::{Content, Done, Preamble};
        let events = [START, OPEN, HI, HI, CLOSE, END];
        let (read, raw, _, progress) = of(&events);
        assert_eq!(read, [Preamble, Preamble, Content, Preamble, Done]);
        assert_eq!(raw, stream(&events), "same dialect, same bytes");
        assert_eq!(progress.usage, Some(Usage { input: 3, output: 9, ..Usage::default() }));
        assert_eq!((progress.finish, &*progress.model), (Some(FinishReason::Stop), ""));
        assert_eq!(of(&[START, CALL, END]).3.finish, Some(FinishReason::ToolCalls), "whatever the provider says");
    }

    #[test]
    fn whatever_a_reader_would_see_is_content() {
        let event =
            |kind: &str, message: &str| format!(r#"{{"type":"{kind}","index":0,"delta":{{"message":{message}}}}}"#);
        for (event, expected) in [
            (event("content-delta", r#"{"content":{"thinking":"hm"}}"#), Event::Content),
            (event("content-delta", r#"{"content":{"thinking":""}}"#), Event::Preamble),
            (event("content-start", r#"{"content":{"type":"text","text":"a"}}"#), Event::Content),
            (event("tool-plan-delta", r#"{"tool_plan":"a"}"#), Event::Content),
            (event("tool-plan-delta", r#"{"tool_plan":""}"#), Event::Preamble),
            (event("tool-call-delta", r#"{"tool_calls":{"function":{"arguments":"{"}}}"#), Event::Content),
            (event("tool-call-delta", r#"{"tool_calls":{"function":{"arguments":""}}}"#), Event::Preamble),
            (event("citation-start", r#"{"citations":{"start":0}}"#), Event::Content),
            (event("tool-call-end", "{}"), Event::Preamble),
            (event("citation-end", "{}"), Event::Preamble),
            (event("tomorrow", r#"{"content":{"text":"a"}}"#), Event::Preamble),
            (event("content-delta", "7"), Event::Garbage),
        ] {
            assert_eq!(of(&[START, &event]).0[1], expected, "{event}");
        }
    }

    #[test]
    fn errors_and_garbage_stand_out() {
        for (raw, expected) in [
            (format!("data: {FAILED}\n\n"), "500 broke"),
            ("data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TIMEOUT\"}}\n\n".into(), "504 "),
            ("data: {\"message\":\"no capacity\"}\n\n".into(), "500 no capacity"),
            ("event: error\ndata: oops\n\n".into(), "500 "),
            ("data: {\"type\":\n\n".into(), "garbage"),
            ("data: {\"x\":1}\n\n".into(), "garbage"),
            ("data: <html>\n\n".into(), "garbage"),
            ("data: [1,2]\n\n".into(), "garbage"),
            (format!("data: {START}\n\n"), "garbage"),
        ] {
            let bytes = [stream(&[START, OPEN, HI]), raw.clone().into_bytes()].concat();
            let said = match read(&bytes, &[]).0.pop().expect("an event") {
                Event::Error(error) => format!("{} {}", error.status, error.message),
                Event::Garbage => "garbage".to_owned(),
                other => panic!("{raw}: {other:?}"),
            };
            assert_eq!(said, expected, "{raw}");
        }
        let broken = b"data: {\"type\":\"content-end\",\"x\":\"\xff\"}\n\n".to_vec();
        assert_eq!(read(&broken, &[]).0, [Event::Garbage]);
        assert_eq!(read(&broken[..20], &[]).0, [], "half an event is none");
        assert_eq!(of(&[START, START, OPEN]).0[1], Event::Preamble, "said twice before anything else");
    }

    #[test]
    fn a_forgotten_last_blank_line_is_forgiven() {
        let mut bytes = stream(&[START, OPEN, HI, CLOSE, END]);
        bytes.truncate(bytes.len() - 2);
        let (events, _, ending, _) = read(&bytes, &[]);
        assert_eq!((ending, events.last()), (Ending::Complete(None), Some(&Event::Done)));
    }

    #[test]
    fn an_event_without_end_is_garbage() {
        assert_eq!(read(&vec![b'x'; 9 * 1024 * 1024], &[]).0.first(), Some(&Event::Garbage));
    }

    #[test]
    fn every_fixture_is_an_answer() {
        for events in [fixtures::WORDS, fixtures::CALLS] {
            let (_, raw, ending, _) = of(events);
            assert_eq!((ending, raw), (Ending::Complete(None), stream(events)));
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            picks in proptest::collection::vec(0usize..10, 0..12),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
        ) {
            let all = [START, OPEN, HI, CLOSE, CALL, END, FULL, UNSAID, FAILED, "[DONE]"];
            let events: Vec<&str> = picks.into_iter().map(|pick| all[pick]).collect();
            let bytes = stream(&events);
            let mut places: Vec<usize> = cuts.iter().map(|c| (c * bytes.len() as f64) as usize).collect();
            places.sort_unstable();
            let whole = read(&bytes, &[]);
            let every: Vec<usize> = (0..bytes.len()).collect();
            prop_assert_eq!(&read(&bytes, &places), &whole);
            prop_assert_eq!(&read(&bytes, &every), &whole);
            prop_assert_eq!(&whole.1, &bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, &[]);
        }
    }
}
