//! A streamed answer of these operations: bytes to frames, and the judgement at its end.
//!
//! All are server-sent events. OpenAI's completions end with a reason and `[DONE]`; images, sound and words from speech
//! with an event whose type says so.

use super::usage::usage;
use super::whole::Choice;
use crate::openai_chat::{DONE, read_error};
use crate::runs::Runs;
use crate::shape::Shape;
use crate::sse::{Block, Framer};
use crate::{Ending, Quirks};
use bytes::Bytes;
use llm::{Event, Failure, Frame, Operation, Progress};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads a stream of one operation. Holds one event, 8 MiB at most.
#[derive(Debug)]
pub struct StreamDecoder {
    operation: Operation,
    quirks: Quirks,
    runs: Runs<Framer>,
    progress: Progress,
}

impl StreamDecoder {
    /// A decoder for one answer to `operation` of a provider with `quirks`.
    #[must_use]
    pub fn new(operation: Operation, quirks: Quirks) -> Self {
        let (runs, progress) = (Runs::default(), Progress::default());
        Self { operation, quirks, runs, progress }
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.progress.content || self.progress.finished
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
        let Progress { finished, done, .. } = self.progress;
        let supplied = finished && !done && !self.quirks.done_marker && self.operation == Operation::Completions;
        match (self.has_begun(), finished && done, supplied) {
            (false, ..) => Ending::Broken(Failure::Empty),
            (true, true, _) => Ending::Complete(None),
            (true, false, true) => Ending::Complete(Some(Bytes::from_static(DONE))),
            (true, false, false) => Ending::Broken(Failure::Truncated),
        }
    }

    fn read(&mut self, framer: &Framer, block: &Block) -> Event {
        let Some(data) = framer.data(block).filter(|data| !data.is_empty()) else { return Event::Preamble };
        if data.trim_ascii() == b"[DONE]" {
            self.progress.done = true;
            return Event::Done;
        }
        let Ok(event) = serde_json::from_slice::<Wire<'_>>(data) else { return Event::Garbage };
        if event.error.is_something() || event.kind.as_deref() == Some("error") {
            return Event::Error(Box::new(read_error(200, &Bytes::copy_from_slice(data), None)));
        }
        self.progress.usage = event.usage.and_then(usage).or(self.progress.usage);
        if self.operation == Operation::Completions {
            return texts(&mut self.progress, &event.choices);
        }
        self.progress.content = true;
        let ends = event.kind.is_some_and(|kind| kind.ends_with(".done") || kind.ends_with(".completed"));
        if !ends {
            return Event::Content;
        }
        (self.progress.finished, self.progress.done) = (true, true);
        Event::Done
    }
}

/// What an event of OpenAI's completions means.
fn texts(progress: &mut Progress, choices: &[Choice<'_>]) -> Event {
    let content = choices.iter().any(|choice| choice.text.is_something());
    progress.content |= content;
    if let Some(finish) = choices.iter().find_map(Choice::finish) {
        (progress.finished, progress.finish) = (true, Some(finish));
    }
    match (content, progress.finished) {
        (true, _) => Event::Content,
        (false, true) => Event::Closing,
        (false, false) => Event::Preamble,
    }
}

/// What is read of an event of any of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    error: Shape,
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(operation: Operation, stream: &str, step: usize) -> (Vec<&'static str>, String, Ending) {
        let mut decoder = StreamDecoder::new(operation, Quirks::default());
        let (mut kinds, mut raw) = (Vec::new(), Vec::new());
        for piece in stream.as_bytes().chunks(step) {
            decoder.feed(piece);
            while let Some(frame) = decoder.next_frame() {
                raw.extend_from_slice(&frame.raw);
                kinds.push(match frame.event {
                    Event::Preamble => "preamble",
                    Event::Content => "content",
                    Event::Closing => "closing",
                    Event::Error(_) => "error",
                    Event::Done => "done",
                    Event::Garbage => "garbage",
                });
            }
        }
        (kinds, String::from_utf8(raw).expect("text"), decoder.end())
    }

    #[test]
    fn streams_are_complete_only_with_their_last_event() {
        let text = |text: &str, finish: &str| {
            format!("data: {{\"choices\":[{{\"text\":\"{text}\",\"finish_reason\":{finish}}}]}}\n\n")
        };
        let (hi, stop) = (text("hi", "null"), text("", "\"stop\""));
        let event = |kind: &str| format!("event: {kind}\ndata: {{\"type\":\"{kind}\"}}\n\n");
        let truncated = Ending::Broken(Failure::Truncated);
        for (operation, stream, kinds, ending) in [
            (
                Operation::Completions,
                format!("{hi}{stop}data: [DONE]\n\n"),
                &["content", "closing", "done"][..],
                Ending::Complete(None),
            ),
            (Operation::Completions, format!("{hi}{stop}"), &["content", "closing"], truncated.clone()),
            (Operation::Completions, hi.clone(), &["content"], truncated.clone()),
            (Operation::Completions, String::new(), &[], Ending::Broken(Failure::Empty)),
            (
                Operation::Completions,
                "data: {\"error\":{\"message\":\"m\"}}\n\n".into(),
                &["error"],
                Ending::Broken(Failure::Empty),
            ),
            (
                Operation::Transcriptions,
                format!("{}{}", event("transcript.text.delta"), event("transcript.text.done")),
                &["content", "done"],
                Ending::Complete(None),
            ),
            (Operation::ImageGenerations, event("image_generation.partial_image"), &["content"], truncated),
            (Operation::Speech, event("speech.audio.done"), &["done"], Ending::Complete(None)),
        ] {
            for step in [1, 7, 4096] {
                let (read, raw, ended) = read(operation, &stream, step);
                assert_eq!((&*read, &*raw, &ended), (kinds, &*stream, &ending), "{operation:?} by {step}");
            }
        }
    }
}
