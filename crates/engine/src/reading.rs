//! How a streamed answer is read: as one of its own, or as the rest of one that broke off; from whatever dialect.
//!
//! One face for all, so that attempts and tails need not know: frames are in the client's dialect. Must never be here:
//! what the bytes mean.

use bytes::Bytes;
use dialects::openai_chat::{Continuation, Obstacle, Seam, StreamDecoder, Transcript};
use dialects::{Ending, Rendered, Stream, Translated};
use llm::{Dialect, Event, Frame, Progress, Usage};

/// The decoder of a stream.
pub(crate) enum Reading {
    /// A stream that another attempt may go on with: its client speaks chat completions, and so does its provider.
    Anew(Box<StreamDecoder>),
    GoingOn(Box<GoingOn>),
    /// The same of a provider of another dialect.
    Through(Box<Through>),
    /// A stream that nobody goes on with.
    Alone(Box<Stream>),
}

/// A stream that is translated first, and read then.
pub(crate) struct Through {
    translated: Translated,
    inner: Reading,
    /// What the provider said that is no part of the answer.
    aside: Option<Frame>,
}

impl Through {
    fn drain(&mut self) {
        while let Some(frame) = self.translated.next_frame() {
            match frame.event {
                Event::Error(_) | Event::Garbage => self.aside = self.aside.take().or(Some(frame)),
                _ => self.inner.feed(&frame.raw),
            }
        }
    }

    fn end(&mut self) -> Ending {
        let ending = self.translated.end();
        self.drain();
        match ending {
            Ending::Complete(supplied) => {
                supplied.inspect(|bytes| self.inner.feed(bytes));
                self.inner.end()
            }
            broken @ Ending::Broken(_) => broken,
        }
    }
}

/// The rest of an answer, and whether any of it has come.
pub(crate) struct GoingOn {
    continuation: Continuation,
    spoke: bool,
}

impl Reading {
    pub(crate) fn anew(decoder: StreamDecoder) -> Self {
        Self::Anew(Box::new(decoder))
    }

    pub(crate) fn going_on(continuation: Continuation) -> Self {
        Self::GoingOn(Box::new(GoingOn { continuation, spoke: false }))
    }

    pub(crate) fn alone(stream: Stream) -> Self {
        Self::Alone(Box::new(stream))
    }

    /// The same, of a stream that has to be translated first.
    pub(crate) fn through(self, translated: Translated) -> Self {
        Self::Through(Box::new(Through { translated, inner: self, aside: None }))
    }

    pub(crate) fn feed(&mut self, data: &[u8]) {
        match self {
            Self::Anew(decoder) => decoder.feed(data),
            Self::GoingOn(rest) => rest.continuation.feed(data),
            Self::Alone(stream) => stream.feed(data),
            Self::Through(through) => {
                through.translated.feed(data);
                through.drain();
            }
        }
    }

    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        match self {
            Self::Anew(decoder) => decoder.next_frame(),
            Self::GoingOn(rest) => {
                let frame = rest.continuation.next_frame();
                rest.spoke |= frame.as_ref().is_some_and(|frame| frame.event == Event::Content);
                frame
            }
            Self::Alone(stream) => stream.next_frame(),
            Self::Through(through) => through.inner.next_frame().or_else(|| through.aside.take()),
        }
    }

    /// Judges a stream that the provider has ended politely.
    pub(crate) fn end(&mut self) -> Ending {
        match self {
            Self::Anew(decoder) => decoder.end(),
            Self::GoingOn(rest) => rest.continuation.end(),
            Self::Alone(stream) => stream.end(),
            Self::Through(through) => through.end(),
        }
    }

    /// Of the whole answer, however many attempts gave it.
    pub(crate) fn progress(&self) -> &Progress {
        match self {
            Self::Anew(decoder) => decoder.progress(),
            Self::GoingOn(rest) => rest.continuation.progress(),
            Self::Alone(stream) => stream.progress(),
            // A client that did not ask for usage is not told it, and the reader behind the translation neither.
            Self::Through(through) => match &through.inner {
                Self::Anew(_) => through.translated.progress(),
                inner => inner.progress(),
            },
        }
    }

    /// The model that says it serves; empty where none is named yet.
    pub(crate) fn model(&self) -> &str {
        match self {
            Self::Anew(decoder) => &decoder.progress().model,
            Self::GoingOn(rest) => &rest.continuation.own_progress().model,
            Self::Alone(stream) => &stream.progress().model,
            Self::Through(through) => &through.translated.progress().model,
        }
    }

    /// Tokens that this attempt alone took.
    pub(crate) fn used(&self) -> Option<Usage> {
        match self {
            Self::Anew(decoder) => decoder.progress().usage,
            Self::GoingOn(rest) => rest.continuation.own_progress().usage,
            Self::Alone(stream) => stream.progress().usage,
            Self::Through(through) => through.translated.progress().usage,
        }
    }

    /// Whether what is there can go to the client: content, or a proper end. Of the rest of an answer, what repeats its
    /// beginning is neither.
    pub(crate) fn has_begun(&self) -> bool {
        match self {
            Self::Anew(decoder) => decoder.has_begun(),
            Self::GoingOn(rest) => {
                let joined = matches!(rest.continuation.seam(), Seam::Joined(_));
                joined && (rest.spoke || rest.continuation.own_progress().finished)
            }
            Self::Alone(stream) => stream.has_begun(),
            Self::Through(through) => through.inner.has_begun(),
        }
    }

    /// Whether the target has said anything, new to the client or not, and in words that it has or not.
    pub(crate) fn speaks(&self) -> bool {
        match self {
            Self::Anew(decoder) => decoder.has_begun(),
            Self::GoingOn(rest) => rest.continuation.own_progress().content,
            Self::Alone(stream) => stream.speaks(),
            Self::Through(through) => through.inner.speaks(),
        }
    }

    /// Whether nobody could go on with this stream, whatever comes.
    pub(crate) fn is_hopeless(&self) -> bool {
        match self {
            Self::Anew(decoder) => {
                let obstacle = decoder.transcript().and_then(Transcript::obstacle);
                obstacle.is_some_and(|obstacle| !matches!(obstacle, Obstacle::NothingSaid))
            }
            Self::GoingOn(_) => false,
            Self::Alone(_) => true,
            Self::Through(through) => through.inner.is_hopeless(),
        }
    }

    /// Whether the stream turned out to be another answer than the one it was to go on with, or another end of it.
    pub(crate) fn is_altered(&self) -> bool {
        match self {
            Self::Anew(_) | Self::Alone(_) => false,
            Self::GoingOn(rest) => matches!(rest.continuation.seam(), Seam::Altered(_)),
            Self::Through(through) => through.inner.is_altered(),
        }
    }

    /// All that the client was given, where that was kept. Nothing is left to read afterwards.
    pub(crate) fn take_transcript(&mut self) -> Option<Transcript> {
        match std::mem::replace(self, Self::anew(StreamDecoder::default())) {
            Self::Anew(mut decoder) => decoder.take_transcript(),
            Self::GoingOn(rest) => Some(rest.continuation.into_transcript()),
            Self::Alone(_) => None,
            Self::Through(mut through) => through.inner.take_transcript(),
        }
    }

    /// The event that ends the stream in an error, for a client of `dialect` that was given all of it so far.
    pub(crate) fn failing(&mut self, dialect: Dialect, error: &Rendered) -> Bytes {
        match self {
            Self::Alone(stream) => stream.failing(error),
            Self::Anew(_) | Self::GoingOn(_) | Self::Through(_) => dialects::as_event(dialect, error),
        }
    }
}
