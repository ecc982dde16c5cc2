//! A streamed answer on its way to a client: in the bytes it came in, or in the client's dialect.
//!
//! Must never be here: how anything is written on the wire.

use crate::{Ending, Rendered, StreamDecoder, Translated};
use bytes::Bytes;
use llm::{Frame, Progress};

/// Reads a provider's stream into frames in the client's dialect.
#[derive(Debug)]
pub enum Stream {
    /// Both speak the same: bytes pass as they came.
    Passed(StreamDecoder),
    /// They do not.
    Translated(Box<Translated>),
}

impl Stream {
    /// Adds bytes as they came.
    pub fn feed(&mut self, data: &[u8]) {
        match self {
            Self::Passed(decoder) => decoder.feed(data),
            Self::Translated(translated) => translated.feed(data),
        }
    }

    /// The next frame, in order.
    pub fn next_frame(&mut self) -> Option<Frame> {
        match self {
            Self::Passed(decoder) => decoder.next_frame(),
            Self::Translated(translated) => translated.next_frame(),
        }
    }

    /// Judges a stream that the provider has ended politely, once all frames are taken.
    #[must_use]
    pub fn end(&mut self) -> Ending {
        match self {
            Self::Passed(decoder) => decoder.end(),
            Self::Translated(translated) => translated.end(),
        }
    }

    /// What has been seen so far.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        match self {
            Self::Passed(decoder) => decoder.progress(),
            Self::Translated(translated) => translated.progress(),
        }
    }

    /// Whether enough has come to believe that an answer is being given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        match self {
            Self::Passed(decoder) => decoder.has_begun(),
            Self::Translated(translated) => translated.has_begun(),
        }
    }

    /// Whether the provider has said anything, the client being told of it or not.
    #[must_use]
    pub fn speaks(&self) -> bool {
        match self {
            Self::Passed(decoder) => decoder.has_begun(),
            Self::Translated(translated) => translated.speaks(),
        }
    }

    /// The event that ends this stream in an error, for a client that was given all of it so far.
    #[must_use]
    pub fn failing(&mut self, error: &Rendered) -> Bytes {
        match self {
            Self::Passed(decoder) => decoder.failing(error),
            Self::Translated(translated) => translated.failing(error),
        }
    }
}
