//! A stream of one dialect, handed on in another.
//!
//! What comes in leaves with the event it came in: nothing is gathered but what the client's dialect cannot say in
//! pieces. Must never be here: how anything is written on the wire.

use crate::{Ending, Head, Quirks, Reader, Rendered, StreamDecoder, Unread, Writer, each_data};
use bytes::{Bytes, BytesMut};
use llm::{Api, Delta, Dialect, Event, Frame, Progress};
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
    /// The terminator has been written.
    over: bool,
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
            over: false,
        }
    }

    /// Adds bytes as they came.
    pub fn feed(&mut self, data: &[u8]) {
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
        self.decoder.has_begun()
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
        while let Some(Frame { event, raw }) = self.decoder.next_frame() {
            let frame = match event {
                // Words for these are the engine's to find.
                Event::Error(_) | Event::Garbage => Frame { event, raw: Bytes::new() },
                Event::Preamble | Event::Content | Event::Closing | Event::Done => match self.said(&raw) {
                    Ok(()) if event == Event::Done => Frame { event, raw: self.finish() },
                    Ok(()) if event == Event::Preamble && self.out.is_empty() => continue,
                    Ok(()) => Frame { event, raw: self.out.split().freeze() },
                    Err(_) => Frame { event: Event::Garbage, raw: Bytes::new() },
                },
            };
            self.frames.push_back(frame);
        }
    }

    /// Says what the events in `raw` say.
    fn said(&mut self, raw: &[u8]) -> Result<(), Unread> {
        let Self { api, reader, writer, deltas, out, .. } = self;
        each_data(*api, raw, |data| {
            reader.push(data, deltas)?;
            deltas.drain(..).for_each(|delta| writer.push(&delta, out));
            Ok(())
        })
        .map(|_| ())
    }

    fn finish(&mut self) -> Bytes {
        if !std::mem::replace(&mut self.over, true) {
            self.writer.finish(&mut self.out);
        }
        self.out.split().freeze()
    }
}
