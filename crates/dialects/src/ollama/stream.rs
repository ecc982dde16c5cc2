//! A streamed answer: bytes to frames, and the judgement at its end.

use super::error::read_error;
use super::line::Line;
use super::lines::{Lines, Place};
use super::seen::Seen;
use crate::Ending;
use crate::runs::Runs;
use bytes::Bytes;
use llm::{Event, Failure, Frame, Progress};

/// Reads a stream of lines.
///
/// Pure: bytes go in by [`feed`](Self::feed), frames come out of [`next_frame`](Self::next_frame), and
/// [`end`](Self::end) says whether what came was a whole answer: one that a line with `done` has ended, with a reason.
/// However the stream is cut up, the frames say the same; neighbouring lines of content that arrive together share a
/// frame. Holds one line, 8 MiB at most.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    runs: Runs<Lines>,
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
        runs.feed(chunk, |lines, place| self.read(lines, place));
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
        runs.flush(|lines, place| self.read(lines, place));
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

    /// What one line means; keeps the progress.
    fn read(&mut self, lines: &Lines, place: &Place) -> Event {
        let data = lines.data(place);
        if data.is_empty() {
            return Event::Preamble;
        }
        let Some(line) = Line::read(data).filter(|_| std::str::from_utf8(data).is_ok()) else {
            return Event::Garbage;
        };
        if line.is_error() {
            return Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)));
        }
        if !line.has_message() && !line.is_done() {
            return Event::Garbage;
        }
        match (self.seen.line(&line), line.is_done()) {
            (_, true) => Event::Done,
            (true, false) => Event::Content,
            (false, false) => Event::Preamble,
        }
    }
}

#[cfg(test)]
mod tests {
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

    fn stream(lines: &[&str]) -> Vec<u8> {
        lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }

    fn of(lines: &[&str]) -> (Vec<Event>, Vec<u8>, Ending, Progress) {
        read(&stream(lines), &[])
    }

    const OPEN: &str = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":false}"#;
    const HI: &str = r#"{"model":"m","message":{"role":"assistant","content":"h\u00e9 é"},"done":false}"#;
    const THOUGHT: &str = r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#;
    const CALL: &str = r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":false}"#;
    const STOP: &str = r#"{"model":"m","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"prompt_eval_count":3,"eval_count":9}"#;
    const FULL: &str = r#"{"message":{"role":"assistant","content":""},"done_reason":"length","done":true}"#;
    const LOADED: &str = r#"{"message":{"role":"assistant","content":""},"done_reason":"load","done":true}"#;
    const UNSAID: &str = r#"{"message":{"role":"assistant","content":""},"done":true}"#;
    const ALL: &str = r#"{"model":"m","message":{"role":"assistant","content":"hi"},"done_reason":"stop","done":true}"#;
    const ERROR: &str = r#"{"error":"an error was encountered while running the model"}"#;

    #[test]
    fn an_answer_is_complete_only_when_it_is_done_for_a_reason() {
        let complete = Ending::Complete(None);
        let truncated = Ending::Broken(Failure::Truncated);
        let empty = Ending::Broken(Failure::Empty);
        for (lines, expected) in [
            (&[OPEN, HI, HI, STOP][..], &complete),
            (&[THOUGHT, CALL, STOP], &complete),
            (&[ALL], &complete),
            (&[FULL], &complete),
            (&[HI], &truncated),
            (&[HI, UNSAID], &truncated),
            (&[HI, ERROR], &truncated),
            (&[STOP], &empty),
            (&[LOADED], &empty),
            (&[UNSAID], &empty),
            (&[OPEN], &empty),
            (&[], &empty),
        ] {
            assert_eq!(&of(lines).2, expected, "{lines:?}");
        }
    }

    #[test]
    fn frames_say_what_their_bytes_mean() {
        use Event::{Content, Done, Preamble};
        let lines = [OPEN, HI, THOUGHT, CALL, "", STOP];
        let (read, raw, _, progress) = of(&lines);
        assert_eq!(read, [Preamble, Content, Preamble, Done]);
        assert_eq!(raw, stream(&lines), "same dialect, same bytes");
        assert_eq!(progress.usage, Some(Usage { input: 3, output: 9, ..Usage::default() }));
        assert_eq!((progress.finish, &*progress.model), (Some(FinishReason::ToolCalls), "m"));
        let (read, _, _, progress) = of(&[ALL]);
        assert_eq!((read, progress.content, progress.usage), (vec![Done], true, None), "what it took is not known");
    }

    #[test]
    fn errors_and_garbage_stand_out() {
        for (line, expected) in [
            (ERROR, "500 an error was encountered while running the model"),
            (r#"{"error":"maximum pending requests exceeded"}"#, "503 maximum pending requests exceeded"),
            (r#"{"error":{"message":"m"}}"#, "500 m"),
            (r#"{"message":"#, "garbage"),
            (r#"{"x":1}"#, "garbage"),
            (r#"{"done":false}"#, "garbage"),
            ("<html>", "garbage"),
            ("[1,2]", "garbage"),
            ("data: {}", "garbage"),
        ] {
            let said = match of(&[HI, line]).0.pop().expect("an event") {
                Event::Error(error) => format!("{} {}", error.status, error.message),
                Event::Garbage => "garbage".to_owned(),
                other => panic!("{line}: {other:?}"),
            };
            assert_eq!(said, expected, "{line}");
        }
        let broken = b"{\"done\":true,\"x\":\"\xff\"}\n".to_vec();
        assert_eq!(read(&broken, &[]).0, [Event::Garbage]);
        assert_eq!(read(&broken[..10], &[]).0, [], "half a line is none");
    }

    #[test]
    fn a_forgotten_last_line_feed_is_forgiven() {
        let mut bytes = stream(&[HI, STOP]);
        bytes.pop();
        let (events, _, ending, _) = read(&bytes, &[]);
        assert_eq!((ending, events.last()), (Ending::Complete(None), Some(&Event::Done)));
    }

    #[test]
    fn a_line_without_end_is_garbage() {
        assert_eq!(read(&vec![b'x'; 9 * 1024 * 1024], &[]).0.first(), Some(&Event::Garbage));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            picks in proptest::collection::vec(0usize..10, 0..12),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..24),
        ) {
            let all = [OPEN, HI, THOUGHT, CALL, STOP, FULL, LOADED, UNSAID, ALL, ERROR];
            let lines: Vec<&str> = picks.into_iter().map(|pick| all[pick]).collect();
            let bytes = stream(&lines);
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
