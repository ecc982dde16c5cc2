//! A stream of one dialect, handed on in another.
//!
//! What comes in leaves with the event it came in: nothing is gathered but what the client's dialect cannot say in
//! pieces. Must never be here: how anything is written on the wire.

use crate::{Ending, Head, Quirks, Reader, Rendered, StreamDecoder, Unread, Writer, completions, each_data};
use bytes::{Bytes, BytesMut};
use llm::{Api, Delta, Dialect, Event, Failure, Frame, Progress};
use std::collections::VecDeque;

/// Reads a provider's stream; its frames mean what the provider's do, and say it in the client's dialect.
#[derive(Debug)]
pub struct Translated {
    api: Api,
    decoder: StreamDecoder,
    reader: Reader,
    writer: Writer,
    frames: VecDeque<Frame>,
    deltas: Vec<Delta>,
    out: BytesMut,
    /// Something has been said to the client beside that an answer begins and ends.
    spoken: bool,
    /// The terminator has been written.
    over: bool,
    /// Something came that ends the stream in an error: what follows it is not read.
    failed: bool,
}

impl Translated {
    /// A translator of one answer of a provider that speaks `api` with `quirks`, for a client of `dialect`.
    #[must_use]
    pub fn new(api: Api, quirks: Quirks, dialect: Dialect, listed: bool, head: Head) -> Self {
        Self {
            api,
            decoder: StreamDecoder::of(api, quirks),
            reader: Reader::of(api),
            writer: Writer::of(dialect, listed, head),
            frames: VecDeque::new(),
            deltas: Vec::new(),
            out: BytesMut::new(),
            spoken: false,
            over: false,
            failed: false,
        }
    }

    /// Adds bytes as they came. Behind an error, and behind what cannot be read, nothing is.
    pub fn feed(&mut self, data: &[u8]) {
        if self.failed {
            return;
        }
        self.decoder.feed(data);
        self.drain();
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        let ending = self.decoder.end();
        self.drain();
        match ending {
            Ending::Complete(_) if self.failed => Ending::Broken(Failure::Garbage),
            Ending::Complete(_) if self.is_hollow() => Ending::Broken(Failure::Empty),
            Ending::Complete(_) if self.over => Ending::Complete(None),
            Ending::Complete(_) => Ending::Complete(Some(self.finish())),
            broken @ Ending::Broken(_) => broken,
        }
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        self.decoder.progress()
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.speaks() && !self.is_hollow()
    }

    /// Whether the provider has said anything, the client being told of it or not.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.decoder.has_begun()
    }

    /// Whether the provider has said something, and nothing of it to this client: the answer would only look complete.
    fn is_hollow(&self) -> bool {
        self.decoder.progress().content && !self.spoken
    }

    /// The event that ends this stream in an error, for a client that was given all of it so far.
    #[must_use]
    pub fn failing(&mut self, error: &Rendered) -> Bytes {
        self.over = true;
        self.writer.fail(error, &mut self.out);
        self.out.split().freeze()
    }

    /// What the answer held that the client's dialect has no word for, by the provider's.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        self.writer.left_out()
    }

    fn drain(&mut self) {
        while !self.failed {
            let Some(Frame { event, raw }) = self.decoder.next_frame() else { return };
            // Words for these are the engine's to find.
            if matches!(event, Event::Error(_) | Event::Garbage) {
                return self.fails(event);
            }
            let said = self.said(&raw);
            let raw = match said {
                // One that comes before its time ends nothing.
                Ok(()) if event == Event::Done && self.progress().finished && !self.is_hollow() => self.finish(),
                _ => self.out.split().freeze(),
            };
            match said {
                Ok(()) if raw.is_empty() && (event == Event::Preamble || self.is_hollow()) => {}
                Ok(()) => self.frames.push_back(Frame { event, raw }),
                Err(_) => {
                    if !raw.is_empty() {
                        self.frames.push_back(Frame { event: Event::Content, raw });
                    }
                    self.fails(Event::Garbage);
                }
            }
        }
    }

    fn fails(&mut self, event: Event) {
        self.failed = true;
        self.frames.push_back(Frame { event, raw: Bytes::new() });
    }

    /// Says what the events in `raw` say.
    fn said(&mut self, raw: &[u8]) -> Result<(), Unread> {
        let Self { api, reader, writer, deltas, out, spoken, .. } = self;
        each_data(*api, raw, |data| {
            reader.push(data, deltas)?;
            for delta in deltas.drain(..) {
                let before = out.len();
                writer.push(&delta, out);
                *spoken |= match delta {
                    _ if matches!(writer, Writer::Completions(_)) => completions::tells(&delta),
                    Delta::Began { .. } | Delta::Used(_) | Delta::Ended { .. } => false,
                    // Some dialects have a call told whole, once it is, and why the model declined, at the end.
                    Delta::Call { choice: 0, .. } | Delta::Refusal { choice: 0, .. } => true,
                    _ => out.len() > before,
                };
            }
            Ok(())
        })
        .map(|_| ())
    }

    /// Tells what the client does not get, in a comment: the head has left, which would have said so. Google's clients read
    /// no comments.
    fn tell_left_out(&mut self) {
        let left_out = self.writer.left_out();
        if left_out.is_empty() || matches!(self.writer, Writer::Gemini(_)) {
            return;
        }
        // A provider chose these words: none of them may end the line.
        let plain = |c: &char| c.is_ascii_graphic() && *c != ',';
        let names: Vec<String> = left_out.iter().map(|name| name.chars().filter(plain).collect()).collect();
        self.out.extend_from_slice([": x-breakwater-left-out: ", &names.join(", "), "\n\n"].concat().as_bytes());
    }

    fn finish(&mut self) -> Bytes {
        if !std::mem::replace(&mut self.over, true) {
            self.tell_left_out();
            self.writer.finish(&mut self.out);
        }
        self.out.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(translated: &mut Translated, pieces: &[&str]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for piece in pieces {
            translated.feed(piece.as_bytes());
            frames.extend(std::iter::from_fn(|| translated.next_frame()));
        }
        frames
    }

    fn translated(api: Api, dialect: Dialect, listed: bool) -> Translated {
        let head = Head { id: "1".into(), model: "m".into(), created: 7, usage: true, ..Head::default() };
        Translated::new(api, Quirks::default(), dialect, listed, head)
    }

    #[test]
    fn what_is_left_out_is_told_in_one_line_whatever_its_provider_calls_it() {
        let begin = r#"data: {"type":"message_start","message":{"id":"1","model":"m","usage":{"input_tokens":1}}}"#;
        let odd =
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"odd\n\ndata: {}, \u0007one"}}"#;
        let text = r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"hi"}}"#;
        let end = r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#;
        let stop = r#"data: {"type":"message_stop"}"#;
        let events = [begin, odd, text, end, stop].map(|event| format!("{event}\n\n")).concat();
        for (dialect, listed, told) in
            [(Dialect::OpenAiChat, false, true), (Dialect::Responses, false, true), (Dialect::Gemini, false, false)]
        {
            let mut translated = translated(Api::Shared(Dialect::Anthropic), dialect, listed);
            let said: Vec<u8> =
                frames(&mut translated, &[&events]).iter().flat_map(|frame| frame.raw.to_vec()).collect();
            let said = String::from_utf8(said).expect("text");
            let comments: Vec<&str> = said.lines().filter(|line| line.starts_with(':')).collect();
            let expected = if told { vec![": x-breakwater-left-out: odddata:{}one"] } else { vec![] };
            assert_eq!(comments, expected, "{dialect:?}: {said}");
            assert!(!translated.left_out().is_empty(), "{dialect:?}");
        }
    }

    #[test]
    fn nothing_is_said_behind_a_failure() {
        const SAID: &str = r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#;
        const ERROR: &str = r#"data: {"type":"error","error":{"type":"overloaded_error","message":"m"}}"#;
        const STOP: &str = r#"data: {"type":"message_stop"}"#;
        let broken = r#"data: {"type":"#;
        for failure in [ERROR, broken] {
            let events = [SAID, failure, SAID, STOP].map(|event| format!("{event}\n\n"));
            let whole = events.concat();
            let apart: Vec<&str> = events.iter().map(String::as_str).collect();
            for pieces in [&apart[..], &[&*whole]] {
                let mut translated = translated(Api::Shared(Dialect::Anthropic), Dialect::OpenAiChat, false);
                let frames = frames(&mut translated, pieces);
                let [said, failed] = &frames[..] else { panic!("{frames:?}") };
                assert_eq!(said.event, Event::Content);
                assert!(
                    matches!(failed.event, Event::Error(_) | Event::Garbage) && failed.raw.is_empty(),
                    "{failed:?}"
                );
                assert!(matches!(translated.end(), Ending::Broken(_)), "{failure}");
            }
        }
    }

    #[test]
    fn what_says_nothing_to_the_client_is_no_answer() {
        // An alternative beside the one that these clients know, and a picture, for which they have no word.
        let second =
            r#"{"choices":[{"index":1,"delta":{"content":"a"},"message":{"content":"a"},"finish_reason":"stop"}]}"#;
        let second_call = r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]},
            "message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#
            .replace('\n', " ");
        let second_call = second_call.as_str();
        let picture = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}]}"#;
        for (api, object, dialect) in [
            (Api::Shared(Dialect::OpenAiChat), second, Dialect::Anthropic),
            (Api::Shared(Dialect::OpenAiChat), second, Dialect::Responses),
            (Api::Shared(Dialect::OpenAiChat), second_call, Dialect::Anthropic),
            (Api::Shared(Dialect::OpenAiChat), second_call, Dialect::Responses),
            (Api::Shared(Dialect::Gemini), picture, Dialect::Anthropic),
        ] {
            let mut streamed = translated(api, dialect, false);
            let end = if api.is(Dialect::OpenAiChat) { "data: [DONE]\n\n" } else { "" };
            let frames = frames(&mut streamed, &[&format!("data: {object}\n\n{end}")]);
            assert!(!streamed.has_begun() && frames.iter().all(|frame| frame.event != Event::Done), "{dialect:?}");
            assert!(matches!(streamed.end(), Ending::Broken(Failure::Empty)), "{dialect:?}");
            let head = Head { id: "1".into(), model: "m".into(), ..Head::default() };
            let (quirks, head) = (Quirks::default(), Some(Box::new(head)));
            let answers = crate::Answers { api, quirks, dialect, listed: false, head };
            assert_eq!(answers.whole(object.to_owned().into()).map(drop), Err(Failure::Empty), "{dialect:?}");
        }
    }

    #[test]
    fn a_terminator_that_comes_before_its_time_ends_nothing() {
        let stream = concat!(
            "data: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}\n\n",
            "data: {\"type\":\"message-end\",\"delta\":{}}\n\n"
        );
        for (dialect, listed) in [(Dialect::OpenAiChat, false), (Dialect::Anthropic, false), (Dialect::Gemini, true)] {
            let mut translated = translated(Api::Cohere, dialect, listed);
            let last = frames(&mut translated, &[stream]).pop().expect("a frame");
            assert_eq!((last.event, &*last.raw), (Event::Done, &b""[..]), "{dialect:?}");
            assert!(matches!(translated.end(), Ending::Broken(Failure::Truncated)), "{dialect:?}");
        }
    }
}
