//! How a streamed answer is read: as one of its own, or as the rest of one that broke off.
//!
//! One face for both, so that attempts and tails need not know. Must never be here: what the bytes mean.

use dialects::openai_chat::{Continuation, Ending, Obstacle, Seam, StreamDecoder, Transcript};
use llm::{Event, Frame, Progress, Usage};

/// The decoder of a stream.
pub(crate) enum Reading {
    Anew(Box<StreamDecoder>),
    GoingOn(Box<GoingOn>),
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

    pub(crate) fn feed(&mut self, data: &[u8]) {
        match self {
            Self::Anew(decoder) => decoder.feed(data),
            Self::GoingOn(rest) => rest.continuation.feed(data),
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
        }
    }

    /// Judges a stream that the provider has ended politely.
    pub(crate) fn end(&mut self) -> Ending {
        match self {
            Self::Anew(decoder) => decoder.end(),
            Self::GoingOn(rest) => rest.continuation.end(),
        }
    }

    /// Of the whole answer, however many attempts gave it.
    pub(crate) fn progress(&self) -> &Progress {
        match self {
            Self::Anew(decoder) => decoder.progress(),
            Self::GoingOn(rest) => rest.continuation.progress(),
        }
    }

    /// The model that says it serves; empty where none is named yet.
    pub(crate) fn model(&self) -> &str {
        match self {
            Self::Anew(decoder) => &decoder.progress().model,
            Self::GoingOn(rest) => &rest.continuation.own_progress().model,
        }
    }

    /// Tokens that this attempt alone took.
    pub(crate) fn used(&self) -> Option<Usage> {
        match self {
            Self::Anew(decoder) => decoder.progress().usage,
            Self::GoingOn(rest) => rest.continuation.own_progress().usage,
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
        }
    }

    /// Whether the target has said anything, new or not.
    pub(crate) fn speaks(&self) -> bool {
        match self {
            Self::Anew(decoder) => decoder.has_begun(),
            Self::GoingOn(rest) => rest.continuation.own_progress().content,
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
        }
    }

    /// Whether the stream turned out to be another answer than the one it was to go on with, or another end of it.
    pub(crate) fn is_altered(&self) -> bool {
        match self {
            Self::Anew(_) => false,
            Self::GoingOn(rest) => matches!(rest.continuation.seam(), Seam::Altered(_)),
        }
    }

    /// All that the client was given, where that was kept. Nothing is left to read afterwards.
    pub(crate) fn take_transcript(&mut self) -> Option<Transcript> {
        match std::mem::replace(self, Self::anew(StreamDecoder::default())) {
            Self::Anew(mut decoder) => decoder.take_transcript(),
            Self::GoingOn(rest) => Some(rest.continuation.into_transcript()),
        }
    }
}
