//! Pieces of a stream to frames: neighbouring pieces of content that arrive together share one.
//!
//! What every decoder does beside telling what a piece means. Must never be here: how a stream is cut into pieces, what
//! they mean.

use crate::sse::{Block, Framer};
use bytes::Bytes;
use llm::{Event, Frame};
use std::collections::VecDeque;

/// How a stream is cut into pieces.
pub(crate) trait Pieces: Default {
    /// One of them, as places in what is held.
    type Piece;
    /// A piece grew past its bound.
    type TooLong;

    /// Adds bytes.
    fn push(&mut self, chunk: &[u8]);
    /// The next whole piece, if one is there.
    fn next_piece(&mut self) -> Result<Option<Self::Piece>, Self::TooLong>;
    /// The place behind a piece.
    fn end_of(piece: &Self::Piece) -> usize;
    /// Takes out all bytes up to `end`, which must be the end of a piece already returned.
    fn take(&mut self, end: usize) -> Bytes;
    /// What a last piece lacks that careless servers leave open; nothing where none waits.
    fn completed_by(&self) -> Option<&'static [u8]>;
}

impl Pieces for Framer {
    type Piece = Block;
    type TooLong = crate::sse::EventTooLong;

    fn push(&mut self, chunk: &[u8]) {
        self.push(chunk);
    }

    fn next_piece(&mut self) -> Result<Option<Block>, Self::TooLong> {
        self.next_block()
    }

    fn end_of(piece: &Block) -> usize {
        piece.end
    }

    fn take(&mut self, end: usize) -> Bytes {
        self.take(end)
    }

    fn completed_by(&self) -> Option<&'static [u8]> {
        self.has_partial().then_some(b"\n\n")
    }
}

/// A stream cut into pieces, and the frames that are made of them.
#[derive(Debug, Default)]
pub(crate) struct Runs<P> {
    pieces: P,
    frames: VecDeque<Frame>,
}

impl<P: Pieces> Runs<P> {
    /// How it is cut.
    pub(crate) fn pieces_mut(&mut self) -> &mut P {
        &mut self.pieces
    }

    /// The next frame, in order.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Adds bytes as they came; `read` says what each whole piece means. Behind one that is too long comes garbage.
    pub(crate) fn feed(&mut self, chunk: &[u8], mut read: impl FnMut(&P, &P::Piece) -> Event) {
        self.pieces.push(chunk);
        let mut run: Option<(Event, usize)> = None;
        loop {
            match self.pieces.next_piece() {
                Ok(Some(piece)) => {
                    let event = read(&self.pieces, &piece);
                    run = Some(self.join(run, event, P::end_of(&piece)));
                }
                Ok(None) => break,
                Err(_) => {
                    self.cut(run.take());
                    self.frames.push_back(Frame { event: Event::Garbage, raw: Bytes::new() });
                    break;
                }
            }
        }
        self.cut(run);
    }

    /// Reads a last piece that lacks only its end. Half a piece is none: what is missing speaks through the progress.
    pub(crate) fn flush(&mut self, read: impl FnMut(&P, &P::Piece) -> Event) {
        let Some(lacking) = self.pieces.completed_by() else { return };
        let before = self.frames.len();
        self.feed(lacking, read);
        while self.frames.len() > before && self.frames.back().is_some_and(|frame| frame.event == Event::Garbage) {
            self.frames.pop_back();
        }
    }

    /// Lengthens the run of content, or cuts it off and begins the next.
    fn join(&mut self, run: Option<(Event, usize)>, event: Event, end: usize) -> (Event, usize) {
        match run {
            None => (event, end),
            Some((Event::Content, _)) if event == Event::Content => (event, end),
            Some((before, at)) => {
                self.cut(Some((before, at)));
                (event, end - at)
            }
        }
    }

    fn cut(&mut self, run: Option<(Event, usize)>) {
        if let Some((event, end)) = run {
            let raw = self.pieces.take(end);
            self.frames.push_back(Frame { event, raw });
        }
    }
}
