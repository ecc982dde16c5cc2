//! A streamed answer: bytes to frames, and the judgement at its end.
//!
//! Must never be here: how a frame is cut out of bytes, what is in the blocks.

use super::error::{as_payload, within};
use super::frames::{Framer, Kind, Message};
use super::seen::Seen;
use crate::Ending;
use crate::anthropic::json::literal;
use crate::shape::Shape;
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Reads a stream of `application/vnd.amazon.eventstream`.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer. However the stream is cut up, the frames are the same:
/// one for each event, its bytes the event's type around its payload, as [`Reader`](super::Reader) takes it. Holds one
/// frame, 8 MiB at most; behind bytes that are none, nothing more is read.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    framer: Framer,
    frames: VecDeque<Frame>,
    seen: Seen,
    /// Something came that is no frame: where the next one begins is not known.
    lost: bool,
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
        if self.lost {
            return;
        }
        self.framer.push(chunk);
        loop {
            let frame = match self.framer.next_message() {
                Ok(Some(message)) => self.read(&message),
                Ok(None) => break,
                Err(_) => {
                    (self.lost, self.framer) = (true, Framer::default());
                    self.frames.push_back(Frame { event: Event::Garbage, raw: Bytes::new() });
                    break;
                }
            };
            self.frames.push_back(frame);
        }
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    ///
    /// What it took may be missing of a whole answer, and is not known then.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        match self.has_begun() {
            _ if self.lost => Ending::Broken(Failure::Garbage),
            false => Ending::Broken(Failure::Empty),
            true if self.progress().finished => Ending::Complete(None),
            true => Ending::Broken(Failure::Truncated),
        }
    }

    /// What one message means; keeps the progress.
    fn read(&mut self, message: &Message) -> Frame {
        let Message { kind, name, payload } = message;
        if *kind != Kind::Event {
            let error = within(name, payload);
            let told = std::str::from_utf8(payload).ok().filter(|told| payload_of(told).is_some());
            let raw = wrapped(name, &told.map_or_else(|| as_payload(&error.message).into(), Cow::Borrowed));
            return Frame { event: Event::Error(Box::new(error)), raw };
        }
        let text = std::str::from_utf8(payload).unwrap_or_default();
        if self.seen.is_alike(name, text) {
            return Frame { event: Event::Content, raw: wrapped(name, text) };
        }
        let Some(object) = payload_of(text).filter(|_| !name.is_empty()) else {
            return Frame { event: Event::Garbage, raw: payload.clone() };
        };
        Frame { event: self.seen.note(name, object), raw: wrapped(name, object.get()) }
    }
}

/// The object that a payload is.
fn payload_of(text: &str) -> Option<&RawValue> {
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| Shape::of(raw) == Shape::Object)
}

/// An event as recordings have it: its type around its payload.
fn wrapped(name: &str, payload: &str) -> Bytes {
    Bytes::from(["{", &literal(name), ":", payload, "}"].concat())
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::{event, exception, frame};
    use super::*;
    use llm::{ErrorKind, FinishReason, Usage};
    use proptest::prelude::*;

    fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<Frame>, Ending, Progress) {
        let (mut decoder, mut frames, mut from) = (StreamDecoder::new(), Vec::new(), 0);
        for cut in cuts.iter().copied().chain([bytes.len()]) {
            decoder.feed(&bytes[from..cut]);
            from = cut;
            frames.extend(std::iter::from_fn(|| decoder.next_frame()));
        }
        let ending = decoder.end();
        (frames, ending, decoder.progress().clone())
    }

    /// The frames of events written as recordings have them: each a type and a payload.
    fn stream(events: &[(&str, &str)]) -> Vec<u8> {
        events.iter().flat_map(|(kind, payload)| event(kind, payload)).collect()
    }

    fn of(events: &[(&str, &str)]) -> (Vec<Event>, Ending, Progress) {
        let (frames, ending, progress) = read(&stream(events), &[]);
        (frames.into_iter().map(|frame| frame.event).collect(), ending, progress)
    }

    const START: (&str, &str) = ("messageStart", r#"{"p":"abcd","role":"assistant"}"#);
    const HI: (&str, &str) = ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"h\u00e9"},"p":"ab"}"#);
    const CLOSE: (&str, &str) = ("contentBlockStop", r#"{"contentBlockIndex":0}"#);
    const CALL: (&str, &str) =
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}"#);
    const STOP: (&str, &str) = ("messageStop", r#"{"stopReason":"end_turn"}"#);
    const TOLD: (&str, &str) =
        ("metadata", r#"{"usage":{"inputTokens":3,"outputTokens":9},"metrics":{"latencyMs":1}}"#);

    #[test]
    fn an_answer_is_complete_only_with_its_reason() {
        let (length, blocked) = (
            ("messageStop", r#"{"stopReason":"max_tokens"}"#),
            ("messageStop", r#"{"stopReason":"guardrail_intervened"}"#),
        );
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (events, expected, done) in [
            (&[START, HI, CLOSE, STOP, TOLD][..], &complete, true),
            (&[HI, TOLD, STOP], &complete, true),
            (&[HI, STOP], &complete, false),
            (&[CALL, STOP, TOLD], &complete, true),
            (&[START, length, TOLD], &complete, true),
            (&[START, blocked, TOLD], &complete, true),
            (&[START, HI, CLOSE, TOLD], &truncated, false),
            (&[START, HI], &truncated, false),
            (&[START, HI, ("messageStop", "{}")], &truncated, false),
            (&[START, STOP, TOLD], &empty, true),
            (&[START, TOLD], &empty, false),
            (&[], &empty, false),
        ] {
            let (_, ending, progress) = of(events);
            assert_eq!((&ending, progress.done), (expected, done), "{events:?}");
        }
    }

    #[test]
    fn frames_say_what_their_payloads_mean() {
        let (frames, _, progress) = read(&stream(&[START, HI, CLOSE, CALL, STOP, TOLD]), &[]);
        use Event::{Closing, Content, Done, Preamble};
        let events: Vec<&Event> = frames.iter().map(|frame| &frame.event).collect();
        assert_eq!(events, [&Preamble, &Content, &Preamble, &Content, &Closing, &Done]);
        let raw = format!("{{\"{}\":{}}}", HI.0, HI.1);
        assert_eq!(frames[1].raw, raw);
        assert_eq!(progress.usage, Some(Usage { input: 3, output: 9, ..Usage::default() }));
        assert_eq!((progress.finish, progress.refused), (Some(FinishReason::ToolCalls), false));
        assert_eq!(of(&[HI, TOLD, STOP]).0, [Content, Closing, Done], "usage before the reason");
    }

    #[test]
    fn whatever_a_block_says_is_content() {
        let added = |delta: &str| ("contentBlockDelta", format!(r#"{{"contentBlockIndex":0,"delta":{delta}}}"#));
        let opened = |start: &str| ("contentBlockStart", format!(r#"{{"contentBlockIndex":0,"start":{start}}}"#));
        for ((kind, payload), expected) in [
            (added(r#"{"text":""}"#), Event::Preamble),
            (added(r#"{"text":"\ud83d"}"#), Event::Content),
            (added(r#"{"toolUse":{"input":""}}"#), Event::Preamble),
            (added(r#"{"toolUse":{"input":"{"}}"#), Event::Content),
            (added(r#"{"reasoningContent":{"text":""}}"#), Event::Preamble),
            (added(r#"{"reasoningContent":{"text":"hm"}}"#), Event::Content),
            (added(r#"{"reasoningContent":{"signature":"s"}}"#), Event::Content),
            (added(r#"{"reasoningContent":{"redactedContent":"eA=="}}"#), Event::Content),
            (added(r#"{"citation":{"title":"t"}}"#), Event::Content),
            (added(r#"{"image":{"source":{"bytes":"eA=="}}}"#), Event::Content),
            (added("7"), Event::Garbage),
            (opened("{}"), Event::Preamble),
            (opened(r#"{"toolUse":{"toolUseId":"a","name":"f"}}"#), Event::Content),
            (opened(r#"{"toolUse":{"toolUseId":"a","name":"f","type":"server_tool_use"}}"#), Event::Content),
            (("contentBlockStart", r#"{"contentBlockIndex":0}"#.into()), Event::Garbage),
            (("messageStop", r#"{"stopReason":7}"#.into()), Event::Garbage),
            (("tomorrow", r#"{"x":1}"#.into()), Event::Preamble),
            (("initial-response", "{}".into()), Event::Preamble),
            (("tomorrow", "[]".into()), Event::Garbage),
            (("messageStart", "oops".into()), Event::Garbage),
            (("messageStart", String::new()), Event::Garbage),
            (("", "{}".into()), Event::Garbage),
        ] {
            assert_eq!(of(&[(kind, &payload)]).0, [expected], "{kind} {payload}");
        }
        assert_eq!(
            of(&[START, START, HI, START]).0.last(),
            Some(&Event::Garbage),
            "an answer that begins anew is none"
        );
    }

    #[test]
    fn errors_stand_out_wherever_they_come() {
        for (name, status, expected) in [
            ("throttlingException", 429, ErrorKind::RateLimited),
            ("modelStreamErrorException", 424, ErrorKind::Server),
            ("internalServerException", 500, ErrorKind::Server),
            ("validationException", 400, ErrorKind::InvalidRequest),
            ("serviceUnavailableException", 503, ErrorKind::Overloaded),
            ("tomorrowsException", 500, ErrorKind::Server),
        ] {
            for before in [&[][..], &[START, HI]] {
                let bytes = [stream(before), exception(name, r#"{"message":"m"}"#)].concat();
                let (mut frames, ending, _) = read(&bytes, &[]);
                let Some(Frame { event: Event::Error(error), raw }) = frames.pop() else { panic!("no error: {name}") };
                assert_eq!((error.status, error.kind, &*error.message), (status, expected, "m"), "{name}");
                assert_eq!(raw, format!(r#"{{"{name}":{{"message":"m"}}}}"#));
                assert!(matches!(ending, Ending::Broken(_)));
            }
        }
        let headers =
            [(":message-type", "error"), (":error-code", "Internal\"Error"), (":error-message", "A \"bad\" day.")];
        let (mut frames, ..) = read(&frame(&headers, ""), &[]);
        let Some(Frame { event: Event::Error(error), raw }) = frames.pop() else { panic!("no error") };
        assert_eq!((error.kind, &*error.message), (ErrorKind::Server, "A \"bad\" day."));
        assert_eq!(raw, r#"{"Internal\"Error":{"message":"A \"bad\" day."}}"#);
    }

    #[test]
    fn behind_a_broken_frame_nothing_is_read() {
        let mut bytes = stream(&[START, HI]);
        let last = bytes.len() - 1;
        bytes[last] ^= 0x40;
        bytes.extend(stream(&[STOP, TOLD]));
        for cuts in [vec![], (1..bytes.len()).collect()] {
            let (frames, ending, progress) = read(&bytes, &cuts);
            let events: Vec<&Event> = frames.iter().map(|frame| &frame.event).collect();
            assert_eq!(events, [&Event::Preamble, &Event::Garbage]);
            assert_eq!((ending, progress.finished), (Ending::Broken(Failure::Garbage), false));
        }
        assert_eq!(read(b"<html>", &[]).0, [Frame { event: Event::Garbage, raw: Bytes::new() }]);
        let half = stream(&[START, HI]);
        assert_eq!(read(&half[..half.len() - 3], &[]).0.len(), 1, "half an event is none");
    }

    proptest! {
        #[test]
        fn cuts_make_no_difference(mut cuts in prop::collection::vec(0usize..900, 0..20)) {
            let bytes = [stream(&[START, HI, HI, CLOSE, CALL, STOP, TOLD]), exception("throttlingException", "{}")].concat();
            cuts.retain(|cut| *cut < bytes.len());
            cuts.sort_unstable();
            prop_assert_eq!(read(&bytes, &cuts), read(&bytes, &[]));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in ".*", payload in ".*") {
            let _ = read(&bytes, &[]);
            let _ = read(&event(&kind, &payload), &[]);
        }
    }
}
