//! A streamed answer: bytes to frames, and the judgement at its end.

use super::DONE;
use super::chunk::Chunk;
use super::error::read_error;
use super::transcript::Transcript;
use super::usage::Meter;
use super::whole::may_be_empty;
use crate::sse::{Block, Framer};
use crate::template::Template;
use crate::{Ending, Quirks};
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};
use serde_json::value::RawValue;
use std::collections::VecDeque;

/// Reads a stream of chat completion chunks.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer. However the stream is cut up, the frames say the
/// same; neighbouring events of one meaning that arrive together share a frame.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    quirks: Quirks,
    framer: Framer,
    frames: VecDeque<Frame>,
    progress: Progress,
    begun: u128,
    ended: u128,
    /// The last event of plain text, which most events only repeat with other words.
    template: Template,
    /// What its likes tell of tokens.
    meter: Meter,
    /// The last event that only added to a thought or to a call's arguments.
    alike: Template,
    /// What the client is given, where that is asked for.
    transcript: Option<Box<Transcript>>,
    /// Each event is a frame of its own.
    apart: bool,
}

impl StreamDecoder {
    /// A decoder for one answer of a provider with `quirks`.
    #[must_use]
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks, ..Self::default() }
    }

    /// As [`new`](Self::new), and keeps a [`Transcript`] of what the frames say.
    #[must_use]
    pub fn recording(quirks: Quirks) -> Self {
        Self { quirks, transcript: Some(Box::default()), ..Self::default() }
    }

    /// As [`new`](Self::new), with a frame for each event.
    pub(super) fn apart(quirks: Quirks) -> Self {
        Self { quirks, apart: true, ..Self::default() }
    }

    /// What the frames said up to the first that was garbage, an error or the terminator; nothing where none is kept.
    ///
    /// Speaks of all frames made: of what the client was given once [`next_frame`](Self::next_frame) has no more.
    #[must_use]
    pub fn transcript(&self) -> Option<&Transcript> {
        self.transcript.as_deref()
    }

    /// The transcript itself; none is kept from then on.
    pub fn take_transcript(&mut self) -> Option<Transcript> {
        self.transcript.take().map(|transcript| *transcript)
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.progress.content || (self.progress.finished && may_be_empty(self.progress.finish))
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.framer.push(chunk);
        let mut run: Option<(Event, usize)> = None;
        loop {
            match self.framer.next_block() {
                Ok(Some(block)) => {
                    let event = self.read(&block);
                    if matches!(event, Event::Garbage | Event::Error(_) | Event::Done) {
                        self.close_transcript();
                    }
                    run = Some(self.join(run, event, block.end));
                }
                Ok(None) => break,
                Err(_) => {
                    self.cut_run(run.take());
                    self.close_transcript();
                    self.frames.push_back(Frame { event: Event::Garbage, raw: Bytes::new() });
                    break;
                }
            }
        }
        self.cut_run(run);
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        self.flush_last_line();
        let progress = &self.progress;
        if !self.has_begun() {
            return Ending::Broken(Failure::Empty);
        }
        match (progress.finished, progress.done, self.quirks.done_marker) {
            (true, true, _) => Ending::Complete(None),
            (true, false, false) => Ending::Complete(Some(Bytes::from_static(DONE))),
            _ => Ending::Broken(Failure::Truncated),
        }
    }

    /// Reads a last event that lacks only the blank line behind it, which careless servers forget.
    fn flush_last_line(&mut self) {
        if self.framer.has_partial() {
            let before = self.frames.len();
            self.feed(b"\n\n");
            // A half event is no event: what is missing speaks through the progress.
            while self.frames.len() > before && self.frames.back().is_some_and(|f| f.event == Event::Garbage) {
                self.frames.pop_back();
            }
        }
    }

    /// Lengthens the run of equal content events, or cuts it off and begins the next.
    fn join(&mut self, run: Option<(Event, usize)>, event: Event, end: usize) -> (Event, usize) {
        match run {
            None => (event, end),
            Some((Event::Content, _)) if event == Event::Content && !self.apart => (event, end),
            Some((before, at)) => {
                self.cut_run(Some((before, at)));
                (event, end - at)
            }
        }
    }

    fn cut_run(&mut self, run: Option<(Event, usize)>) {
        if let Some((event, end)) = run {
            let raw = self.framer.take(end);
            self.frames.push_back(Frame { event, raw });
        }
    }

    fn close_transcript(&mut self) {
        if let Some(transcript) = &mut self.transcript {
            transcript.close();
        }
    }

    /// What one event means; keeps the progress.
    fn read(&mut self, block: &Block) -> Event {
        let Some(data) = self.framer.data(block) else {
            return Event::Preamble;
        };
        if data.trim_ascii_end() == b"[DONE]" {
            self.progress.done = true;
            return Event::Done;
        }
        let named_error = self.framer.name(block) == Some(b"error");
        if !named_error
            && let Some([text, counts @ ..]) = self.template.values(data)
            && let Ok(usage) = self.meter.usage(counts)
        {
            self.progress.usage = usage.or(self.progress.usage);
            if let Some(transcript) = &mut self.transcript {
                transcript.push(text);
            }
            return Event::Content;
        }
        if !named_error && self.alike.values(data).is_some() {
            return Event::Content;
        }
        if data.is_empty() {
            return Event::Preamble;
        }
        let Ok(text) = std::str::from_utf8(data) else {
            return Event::Garbage;
        };
        // A derived struct would take a list for its fields in order.
        let chunk = text.trim_ascii_start().starts_with('{').then(|| serde_json::from_str::<Chunk<'_>>(text));
        let Some(Ok(chunk)) = chunk else {
            return Event::Garbage;
        };
        if named_error || chunk.is_error() {
            return Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)));
        }
        let choices = chunk.choices;
        let usage = chunk.usage();
        self.begun |= choices.begun;
        self.ended |= choices.ended;
        let progress = &mut self.progress;
        progress.content |= choices.content;
        progress.refused |= choices.refused;
        progress.finished = self.begun != 0 && self.begun == self.ended;
        progress.finish = choices.finish.or(progress.finish);
        progress.usage = usage.or(progress.usage);
        if progress.model.is_empty() {
            progress.model = chunk.model();
        }
        if let Some(transcript) = &mut self.transcript {
            transcript.note(&chunk, usage, text);
        }
        if choices.content {
            let hidden = chunk.obfuscation.map(RawValue::get);
            // A transcript wants to know what was used when.
            let text = choices.text.filter(|_| usage.is_none() || self.transcript.is_none());
            let [second, third] = if usage.is_some() { chunk.counts() } else { [hidden, None] };
            self.template.learn(data, [text, second, third]);
            self.meter = Meter::of(usage);
            // A transcript wants to know of each.
            let piece = choices.piece.filter(|_| self.transcript.is_none());
            self.alike.learn_doubled(data, [piece, hidden, None], choices.again);
        }
        chunk.event(usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROLE: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
    const HI: &str = r#"data: {"choices":[{"index":0,"delta":{"content":"h\u00e9 é"},"finish_reason":null}]}"#;
    const STOP: &str = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    const LENGTH: &str = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    const ERROR: &str = r#"data: {"error":{"message":"m","type":"overloaded_error"}}"#;
    const DONE_LINE: &str = "data: [DONE]";
    /// The last words, with the end and the counts.
    const LAST: &str = r#"data: {"choices":[{"index":0,"delta":{"content":"b","tool_calls":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    /// OpenRouter's, while nobody answers yet.
    const QUEUED: &str = ": OPENROUTER PROCESSING";
    /// DeepSeek's end of an answer that it could not go on with.
    const INTERRUPTED: &str =
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}"#;

    fn stream(events: &[&str]) -> Vec<u8> {
        events.iter().flat_map(|event| [event.as_bytes(), b"\n\n"].concat()).collect()
    }

    /// The events with neighbours of one meaning joined, the bytes, and the ending.
    fn read(bytes: &[u8], quirks: Quirks, cuts: &[usize]) -> (Vec<Event>, Vec<u8>, Ending) {
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
        (events, raw, ending)
    }

    fn ending(events: &[&str]) -> Ending {
        read(&stream(events), Quirks::default(), &[]).2
    }

    #[test]
    fn an_answer_is_complete_only_with_reason_and_terminator() {
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (events, expected) in [
            (&[ROLE, HI, HI, STOP, USAGE, DONE_LINE][..], &complete),
            (&[QUEUED, QUEUED, ROLE, QUEUED, HI, STOP, DONE_LINE], &complete),
            (&[HI, LAST, DONE_LINE], &complete),
            (&[QUEUED, QUEUED, DONE_LINE], &empty),
            (&[ROLE, HI, STOP], &truncated),
            (&[ROLE, HI, DONE_LINE], &truncated),
            (&[ROLE, HI], &truncated),
            (&[ROLE, LENGTH, DONE_LINE], &complete),
            (&[ROLE, STOP, DONE_LINE], &empty),
            (&[DONE_LINE], &empty),
            (&[": ping"], &empty),
            (&[], &empty),
        ] {
            assert_eq!(&ending(events), expected, "{events:?}");
        }
        let lax = Quirks { done_marker: false, ..Quirks::default() };
        let (_, _, supplied) = read(&stream(&[HI, STOP]), lax, &[]);
        assert_eq!(supplied, Ending::Complete(Some(Bytes::from_static(DONE))));
    }

    #[test]
    fn every_choice_has_to_end() {
        let second = r#"data: {"choices":[{"index":1,"delta":{"content":"b"}}]}"#;
        assert_eq!(ending(&[HI, second, STOP, DONE_LINE]), Ending::Broken(Failure::Truncated));
        let both = r#"data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(ending(&[HI, second, STOP, both, DONE_LINE]), Ending::Complete(None));
    }

    #[test]
    fn frames_say_what_their_bytes_mean() {
        let bytes = stream(&[": ping", ROLE, HI, HI, STOP, USAGE, DONE_LINE]);
        let (events, raw, _) = read(&bytes, Quirks::default(), &[]);
        use Event::{Closing, Content, Done, Preamble};
        assert_eq!(events, [Preamble, Preamble, Content, Closing, Closing, Done]);
        assert_eq!(raw, bytes, "same dialect, same bytes");
        let bytes = stream(&[QUEUED, HI, LAST, DONE_LINE]);
        assert_eq!(read(&bytes, Quirks::default(), &[]).0, [Preamble, Content, Done]);
        let mut decoder = StreamDecoder::default();
        decoder.feed(&bytes);
        assert_eq!(decoder.progress().usage.map(|usage| (usage.input, usage.output)), Some((1, 2)));
    }

    #[test]
    fn errors_and_garbage_stand_out() {
        for (event, expected) in [
            (ERROR, "error"),
            (INTERRUPTED, "error"),
            ("event: error\ndata: {\"message\":\"x\"}", "error"),
            ("data: {\"choices\":[", "garbage"),
            ("data: \u{1}", "garbage"),
            ("data: <html>", "garbage"),
            ("data: [1,2]", "garbage"),
        ] {
            let (events, ..) = read(&stream(&[HI, event]), Quirks::default(), &[]);
            let said = match &events[1] {
                Event::Error(_) => "error",
                Event::Garbage => "garbage",
                other => panic!("{event}: {other:?}"),
            };
            assert_eq!(said, expected, "{event}");
        }
        let mut broken = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\"}}]}\n\n".to_vec();
        assert_eq!(read(&broken, Quirks::default(), &[]).0, [Event::Garbage]);
        broken.truncate(20);
        assert_eq!(read(&broken, Quirks::default(), &[]).0, [], "half an event is none");
    }

    #[test]
    fn a_forgotten_last_blank_line_is_forgiven() {
        let mut bytes = stream(&[HI, STOP, DONE_LINE]);
        bytes.truncate(bytes.len() - 2);
        let (events, _, ending) = read(&bytes, Quirks::default(), &[]);
        assert_eq!(ending, Ending::Complete(None));
        assert_eq!(events.last(), Some(&Event::Done));
    }

    #[test]
    fn an_event_without_end_is_garbage() {
        let (events, ..) = read(&vec![b'x'; 9 * 1024 * 1024], Quirks::default(), &[]);
        assert_eq!(events.first(), Some(&Event::Garbage));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            picks in proptest::collection::vec(0usize..8, 0..12),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
        ) {
            let all = [ROLE, HI, STOP, LENGTH, USAGE, ERROR, DONE_LINE, ": ping"];
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
}
