//! What is kept back of a streamed answer until it is judged, and what watches the rest.
//!
//! Receives frames in order; says of each whether it may leave. Bounded by the route's `stream_hold`. Must never be here:
//! what becomes of a stream that breaks its contract.

use crate::judge::{Ending, Judge, Ruling};
use bytes::{Bytes, BytesMut};
use contracts::{Finding, Hold, Watch};
use dialects::{Gatherer, Unread};
use llm::{ChatRequest, Dialect, Event, Frame};
use std::sync::Arc;
use tokio::time::Instant;

/// One stream's answer so far.
pub(crate) struct Keeping {
    judge: Arc<Judge>,
    /// What its frames are in.
    dialect: Dialect,
    listed: bool,
    /// The model that the serving target was asked for.
    model: Arc<str>,
    /// `None` where nothing of the stream has to be read.
    hold: Option<Hold>,
    gatherer: Gatherer,
    watch: Watch,
    held: BytesMut,
    /// Since when something is held back.
    since: Option<Instant>,
    /// Content has left: the answer cannot be exchanged for another any more.
    flowed: bool,
    /// Anything of it has left.
    left: bool,
}

impl Keeping {
    pub(crate) fn new(judge: &Arc<Judge>, request: &ChatRequest, model: Arc<str>) -> Self {
        let (hold, watch) = (judge.hold(), judge.watch());
        let (dialect, listed) = (request.dialect, request.listed);
        let (judge, gatherer, held) = (Arc::clone(judge), Gatherer::of(dialect), BytesMut::new());
        Self { judge, dialect, listed, model, hold, gatherer, watch, held, since: None, flowed: false, left: false }
    }

    /// Begins anew with another answer; nothing of the last one has left.
    pub(crate) fn restart(&mut self, model: Arc<str>) {
        self.model = model;
        (self.gatherer, self.watch) = (Gatherer::of(self.dialect), self.judge.watch());
        self.held.clear();
    }

    /// Lets everything leave from now on, unread.
    pub(crate) fn give_up(&mut self) {
        self.hold = None;
    }

    /// Takes in a frame of the answer, its terminator left out. Appends to `out` what may leave.
    ///
    /// # Errors
    /// The stream breaks its contract whatever comes: what watches it found something, or it is more than is held back.
    pub(crate) fn take(&mut self, frame: &Frame, out: &mut BytesMut, now: Instant) -> Result<(), Box<Ruling>> {
        let Some(hold) = self.hold else {
            out.extend_from_slice(&frame.raw);
            self.left |= !frame.raw.is_empty();
            return Ok(());
        };
        let (events, found) = self.read(&frame.raw);
        if !events.map_err(|_| self.judge.unreadable())? {
            // Comments keep the client waiting meanwhile.
            out.extend_from_slice(&frame.raw);
            return Ok(());
        }
        if let Some(found) = found {
            return Err(self.judge.watched(&self.model, found));
        }
        if self.waits(hold, frame) {
            self.since.get_or_insert(now);
            if self.held.len() + frame.raw.len() > self.judge.hold_bytes() {
                return Err(self.judge.too_long());
            }
            self.held.extend_from_slice(&frame.raw);
            return Ok(());
        }
        out.extend_from_slice(&self.held.split());
        out.extend_from_slice(&frame.raw);
        (self.since, self.left) = (None, true);
        self.flowed |= frame.event == Event::Content;
        Ok(())
    }

    /// Reads the bytes of whole frames: whether there was any event among them, and what the watch found first.
    fn read(&mut self, raw: &[u8]) -> (Result<bool, Unread>, Option<Finding>) {
        let (watch, mut found) = (&mut self.watch, None);
        let events = self.gatherer.push(raw, |choice, lane, words| {
            if found.is_none() {
                found = watch.push(choice, lane, words).cloned();
            }
        });
        (events, found)
    }

    /// Whether a frame has to wait. What announces an answer waits with its content: another answer announces itself.
    fn waits(&self, hold: Hold, frame: &Frame) -> bool {
        let announces = !self.flowed && frame.event != Event::Content;
        match hold {
            Hold::Nothing => announces,
            Hold::Calls => announces || self.gatherer.calls(),
            Hold::All => true,
        }
    }

    /// Judges the answer, which ends with `terminator`; `served` is the model that says it gave it.
    pub(crate) fn rule(&mut self, served: &str, terminator: &[u8]) -> Ruling {
        if self.hold.is_none() {
            return self.judge.thin(&self.model, served);
        }
        // Some say with it why they ended, and what could not be said in pieces.
        if self.read(terminator).0.is_err() {
            return *self.judge.unreadable();
        }
        let answer = std::mem::replace(&mut self.gatherer, Gatherer::of(self.dialect)).finish();
        let found = self.watch.finish().cloned();
        let ending = Ending { dialect: self.dialect, listed: self.listed, held: &self.held, terminator };
        let ruling = self.judge.streamed(answer, ending, &self.model);
        match found {
            Some(found) if ruling.broken.is_none() => ruling.found(found),
            _ => ruling,
        }
    }

    /// What was held back, to leave.
    pub(crate) fn release(&mut self) -> Bytes {
        (self.since, self.flowed) = (None, true);
        self.left |= !self.held.is_empty();
        self.held.split().freeze()
    }

    /// Whether nothing of the answer has left, so that another one may take its place.
    pub(crate) fn is_exchangeable(&self) -> bool {
        self.hold.is_some() && !self.flowed
    }

    /// When what is held back will have been held for too long; `None` where nothing is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.judge.hold_time())
    }

    /// Whether the client was given anything of it.
    pub(crate) fn has_left(&self) -> bool {
        self.left
    }

    /// Whether the client reads one JSON list, which has no place for comments.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed
    }

    pub(crate) fn judge(&self) -> &Judge {
        &self.judge
    }
}
