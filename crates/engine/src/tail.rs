//! The tail of a reply: what reaches the client after the commit point, and the settling of the call.
//!
//! One body for whole and streamed answers; a whole answer is a stream of one piece. What is already there leaves
//! together: the body lets the upstream connection run on for as long as that brings more, and then writes once.

mod broken;
mod judged;
mod stream;

pub(crate) use stream::{Stream, Times};

use crate::OpenCall;
use crate::open_call::AttemptNo;
use admission::Admitted;
use bytes::Bytes;
use dialects::Ending;
use http_body::{Body as HttpBody, Frame as HttpFrame, SizeHint};
use llm::{Dialect, Event, Failure, Frame, Outcome, Progress, StreamEnd, Verdict};
use resilience::{Permit, Report};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use stream::{Phase, no_body};
use tokio::time::Instant;

/// The most gathered before it is written, in bytes.
const GATHER: usize = 64 * 1024;
/// How often a client that waits for what is held back is shown that it is still coming, and by what.
const ALIVE: Duration = Duration::from_secs(10);
const COMMENT: &[u8] = b": held back until it is judged\n\n";
/// How long a stream may stay open behind its terminator before it is taken for ended.
const LINGER: Duration = Duration::from_millis(500);

/// The body of a reply. Settles its call when it has ended or is dropped.
pub struct Tail {
    state: State,
    /// The outcome if the answer turns out complete.
    good: Outcome,
    dialect: Dialect,
    /// `None` only while another attempt goes on with the stream: it then holds the record.
    call: Option<OpenCall>,
    _admitted: Admitted,
}

/// The attempt that serves, its target's permit, and what is wrong with an answer that is handed on all the same.
pub(crate) type Serving = (AttemptNo, Permit, Option<Failure>);

enum State {
    Whole(Box<Whole>),
    Stream(Box<Stream>),
    Over,
}

/// All of an answer, not yet handed over.
struct Whole {
    body: Bytes,
    progress: Progress,
    /// Who gave it, unless it stood in the configuration.
    serving: Option<Serving>,
}

impl Tail {
    /// The body of a whole answer.
    pub(crate) fn whole(
        body: Bytes,
        progress: Progress,
        serving: Serving,
        dialect: Dialect,
        good: Outcome,
        call: OpenCall,
        admitted: Admitted,
    ) -> Self {
        let state = State::Whole(Box::new(Whole { body, progress, serving: Some(serving) }));
        Self { state, good, dialect, call: Some(call), _admitted: admitted }
    }

    /// The body of an answer that no target gave: all of it, streamed or not.
    pub(crate) fn ready(
        body: Bytes,
        progress: Progress,
        dialect: Dialect,
        good: Outcome,
        call: OpenCall,
        admitted: Admitted,
    ) -> Self {
        let state = State::Whole(Box::new(Whole { body, progress, serving: None }));
        Self { state, good, dialect, call: Some(call), _admitted: admitted }
    }

    /// The body of a streamed answer that begins with `frames`.
    pub(crate) fn stream(
        frames: Vec<Frame>,
        stream: Stream,
        dialect: Dialect,
        good: Outcome,
        call: OpenCall,
        admitted: Admitted,
    ) -> Self {
        let mut tail = Self { state: State::Over, good, dialect, call: Some(call), _admitted: admitted };
        let mut stream = Box::new(stream);
        for frame in frames {
            tail.take(&mut stream, frame);
        }
        tail.state = State::Stream(stream);
        tail
    }

    /// Adds one frame to what is ready to leave.
    fn take(&mut self, stream: &mut Stream, frame: Frame) {
        if !matches!(stream.phase, Phase::Flowing) {
            // Nothing may follow a terminator.
            return;
        }
        match frame.event {
            Event::Preamble | Event::Content | Event::Closing => {
                if let Err(ruling) = stream.keeping.take(&frame, &mut stream.out, stream.heard) {
                    self.unmet(stream, *ruling, Some(&frame.raw), false);
                }
            }
            Event::Done if stream.reading.progress().finished => {
                self.finished(stream, &frame.raw);
                if matches!(stream.phase, Phase::Flowing) {
                    stream.phase = Phase::Terminated;
                }
            }
            Event::Done if stream.reading.is_altered() => self.broken(stream, &Failure::Altered),
            Event::Done => self.broken(stream, &Failure::Truncated),
            Event::Error(error) => self.broken(stream, &Failure::Provider(error)),
            Event::Garbage => self.broken(stream, &Failure::Garbage),
        }
    }

    /// Takes in bytes as they came.
    fn feed(&mut self, stream: &mut Stream, data: &[u8]) {
        if !matches!(stream.phase, Phase::Flowing) {
            // What follows a terminator is not even listened to, or it would hold the exchange open.
            return;
        }
        stream.heard = Instant::now();
        if stream.heard >= stream.deadline {
            // The timer is asked only where nothing is there: with a slow reader that may be never.
            return self.broken(stream, &Failure::Deadline);
        }
        stream.reading.feed(data);
        let mut content = false;
        while let Some(frame) = stream.reading.next_frame() {
            content |= frame.event == Event::Content;
            self.take(stream, frame);
        }
        if stream.recovery.is_some() && !stream.keeping.is_exchangeable() && stream.reading.is_hopeless() {
            // Nobody could go on with it: the request need not be kept.
            stream.recovery = None;
        }
        if content && let Some(call) = &mut self.call {
            call.record().gaps.observe(stream.heard - stream.spoke);
            stream.spoke = stream.heard;
        }
    }

    /// Takes in that the provider has ended its stream politely.
    fn ended(&mut self, stream: &mut Stream) {
        if matches!(stream.phase, Phase::Flowing) {
            let ending = stream.reading.end();
            while let Some(frame) = stream.reading.next_frame() {
                self.take(stream, frame);
            }
            match (ending, &stream.phase) {
                (Ending::Complete(supplied), Phase::Flowing) => self.finished(stream, &supplied.unwrap_or_default()),
                (Ending::Broken(failure), Phase::Flowing) => self.broken(stream, &failure),
                _ => {}
            }
        }
        if matches!(stream.phase, Phase::Unheard(_)) {
            stream.body = no_body();
        }
        stream.close();
    }

    /// Settles the call as answered.
    fn completed(&mut self, progress: &Progress, served: Option<(AttemptNo, Option<llm::Usage>, Option<&Failure>)>) {
        let Some(call) = &mut self.call else { return };
        note(call, progress);
        match served {
            Some((no, used, Some(flaw))) => {
                call.attempt_failed(no, flaw, Verdict::SemanticFailure);
                call.attempt_used(no, used);
            }
            Some((no, used, None)) => call.attempt_succeeded(no, used),
            None => {}
        }
        let refused = progress.refused || progress.finish == Some(llm::FinishReason::ContentFilter);
        let record = call.record();
        record.outcome = if refused { Outcome::Refused } else { self.good };
        record.stream_end = record.stream.then_some(StreamEnd::Complete);
    }

    /// Lets time pass: whether the stream has come to its end by it.
    fn poll_time(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(stream.timer.as_mut().poll(cx));
            let (now, due) = (Instant::now(), stream.due());
            if now < due {
                // Something came since the timer was set; it is moved once per pause, not once per event.
                stream.timer.as_mut().reset(due);
                continue;
            }
            if matches!(stream.phase, Phase::Flowing) {
                if now >= stream.deadline {
                    self.broken(stream, &Failure::Deadline);
                } else if stream.keeping.due().is_some_and(|held| held <= now) {
                    let ruling = stream.keeping.judge().too_long();
                    self.unmet(stream, *ruling, None, false);
                    if matches!(stream.phase, Phase::Flowing) {
                        return Poll::Ready(());
                    }
                } else {
                    self.broken(stream, &Failure::Stalled);
                }
            }
            stream.close();
            return Poll::Ready(());
        }
    }

    fn poll_stream(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if matches!(stream.phase, Phase::Ended) || stream.out.len() >= GATHER {
                let out = stream.out.split().freeze();
                return Poll::Ready((!out.is_empty()).then_some(out));
            }
            let waits = matches!(stream.phase, Phase::Unheard(_) | Phase::Recovering(_));
            if waits && !stream.out.is_empty() {
                return Poll::Ready(Some(stream.out.split().freeze()));
            }
            if let Phase::Unheard(hearing) = &mut stream.phase {
                match hearing.asking.as_mut().poll(cx) {
                    Poll::Ready(reply) => self.heard(stream, &reply),
                    Poll::Pending if stream.poll_alive(cx) => {}
                    Poll::Pending => return Poll::Pending,
                }
                continue;
            }
            if let Phase::Recovering(recovering) = &mut stream.phase {
                match recovering.as_mut().poll(cx) {
                    Poll::Ready(recovered) => self.recovered(stream, recovered),
                    Poll::Pending if stream.poll_alive(cx) => {}
                    Poll::Pending => return Poll::Pending,
                }
                continue;
            }
            match Pin::new(&mut stream.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        stream.yielded = false;
                        self.feed(stream, &data);
                    }
                }
                Poll::Ready(Some(Err(failure))) => {
                    if matches!(stream.phase, Phase::Flowing) {
                        self.broken(stream, &failure);
                    }
                    stream.close();
                }
                Poll::Ready(None) => self.ended(stream),
                Poll::Pending if !stream.out.is_empty() => {
                    if !stream.yielded {
                        // hyper hands frames over one task hop each: let its connection bring the next one.
                        stream.yielded = true;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    return Poll::Ready(Some(stream.out.split().freeze()));
                }
                Poll::Pending => {
                    if stream.poll_alive(cx) {
                        continue;
                    }
                    // It comes sooner than it was, where the answer has ended or is held back.
                    let due = stream.due();
                    if stream.timer.deadline() > due {
                        stream.timer.as_mut().reset(due);
                    }
                    ready!(self.poll_time(stream, cx));
                }
            }
        }
    }
}

impl HttpBody for Tail {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Over => Poll::Ready(None),
            State::Whole(whole) => {
                let Whole { body, progress, serving } = *whole;
                let served = serving.map(|(no, permit, flaw)| {
                    settle(permit, if flaw.is_some() { Verdict::SemanticFailure } else { Verdict::Success });
                    (no, flaw)
                });
                let served = served.as_ref().map(|(no, flaw)| (*no, progress.usage, flaw.as_ref()));
                self.completed(&progress, served);
                Poll::Ready(Some(Ok(HttpFrame::data(body))))
            }
            State::Stream(mut stream) => {
                let polled = self.poll_stream(&mut stream, cx);
                if let (true, Phase::Terminated | Phase::Ended, Some(call)) =
                    (polled.is_ready(), &stream.phase, &mut self.call)
                {
                    call.ended(Instant::now().into_std());
                }
                let over = matches!(stream.phase, Phase::Ended) && stream.out.is_empty();
                if !over {
                    self.state = State::Stream(stream);
                }
                polled.map(|piece| piece.map(|piece| Ok(HttpFrame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Whole(whole) => SizeHint::with_exact(whole.body.len() as u64),
            State::Stream(_) => SizeHint::default(),
            State::Over => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let Some(call) = &mut self.call else { return };
        let stream = match &self.state {
            State::Stream(stream) => stream,
            State::Whole(whole) => {
                // The client left before it took any of it; the tokens are spent all the same.
                note(call, &whole.progress);
                if let Some((no, ..)) = &whole.serving {
                    call.attempt_used(*no, whole.progress.usage);
                }
                return;
            }
            State::Over => return,
        };
        let flowing = matches!(stream.phase, Phase::Flowing | Phase::Unheard(_));
        if flowing || !stream.out.is_empty() {
            // The client left before it had everything: what was seen so far is all that is known.
            if stream.reading.progress().content {
                note(call, stream.reading.progress());
            }
            call.attempt_used(stream.no, stream.reading.used());
            let record = call.record();
            record.outcome = Outcome::Cancelled;
            record.stream_end = Some(StreamEnd::Cancelled);
        }
    }
}

fn settle(permit: Permit, verdict: Verdict) {
    permit.settle(Report::of(verdict), Instant::now().into_std(), &mut fastrand::Rng::new());
}

fn note(call: &mut OpenCall, progress: &Progress) {
    let record = call.record();
    record.finish = progress.finish;
    record.usage = progress.usage;
}
