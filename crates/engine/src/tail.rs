//! The tail of a reply: what reaches the client after the commit point, and the settling of the call.
//!
//! One body for whole and streamed answers; a whole answer is a stream of one piece. What is already there leaves
//! together: the body lets the upstream connection run on for as long as that brings more, and then writes once.

use crate::OpenCall;
use admission::Admitted;
use bytes::{Bytes, BytesMut};
use dialects::openai_chat::{Ending, StreamDecoder, as_event, render};
use http_body::{Body as HttpBody, Frame as HttpFrame, SizeHint};
use llm::{CallError, Dialect, Event, Failure, Frame, Outcome, Progress, StreamEnd};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The most gathered before it is written, in bytes.
const GATHER: usize = 64 * 1024;
/// How long a stream may stay open behind its terminator before it is taken for ended.
const LINGER: Duration = Duration::from_millis(500);

/// The body of a reply. Settles its call when it has ended or is dropped.
pub struct Tail {
    state: State,
    /// The outcome if the answer turns out complete.
    good: Outcome,
    dialect: Dialect,
    call: OpenCall,
    _admitted: Admitted,
}

enum State {
    /// All of an answer, not yet handed over.
    Whole(Bytes, Progress),
    Stream(Box<Stream>),
    Over,
}

/// What is left of a streamed answer.
pub(crate) struct Stream {
    decoder: StreamDecoder,
    body: upstream::Body,
    /// Ready to leave.
    out: BytesMut,
    idle: Duration,
    deadline: Instant,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    /// When anything last came, and when content last came.
    heard: Instant,
    spoke: Instant,
    /// The upstream connection was let run on since anything last came, and brought nothing.
    yielded: bool,
    phase: Phase,
}

/// How far a stream has come.
enum Phase {
    Flowing,
    /// The terminator has been handed over; only the end of the exchange is awaited, so that its connection is reused.
    Terminated,
    /// Nothing more is to come.
    Ended,
}

impl Stream {
    pub(crate) fn new(
        decoder: StreamDecoder,
        body: upstream::Body,
        idle: Duration,
        deadline: std::time::Instant,
        limit: Duration,
    ) -> Self {
        let now = Instant::now();
        let deadline = Instant::from_std(deadline);
        let timer = Box::pin(tokio::time::sleep_until(deadline.min(now + idle)));
        let (out, phase) = (BytesMut::new(), Phase::Flowing);
        Self { decoder, body, out, idle, deadline, limit, timer, heard: now, spoke: now, yielded: false, phase }
    }

    /// When the stream is given up if nothing more comes.
    fn due(&self) -> Instant {
        match self.phase {
            Phase::Terminated => self.heard + LINGER,
            Phase::Flowing | Phase::Ended => self.deadline.min(self.heard + self.idle),
        }
    }
}

impl Tail {
    /// The body of a whole answer.
    pub(crate) fn whole(
        body: Bytes,
        progress: Progress,
        dialect: Dialect,
        good: Outcome,
        call: OpenCall,
        admitted: Admitted,
    ) -> Self {
        Self { state: State::Whole(body, progress), good, dialect, call, _admitted: admitted }
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
        let mut tail = Self { state: State::Over, good, dialect, call, _admitted: admitted };
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
            Event::Preamble | Event::Content | Event::Closing => stream.out.extend_from_slice(&frame.raw),
            Event::Done if stream.decoder.progress().finished => {
                stream.out.extend_from_slice(&frame.raw);
                stream.phase = Phase::Terminated;
                self.completed(stream.decoder.progress());
            }
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
        stream.decoder.feed(data);
        let mut content = false;
        while let Some(frame) = stream.decoder.next_frame() {
            content |= frame.event == Event::Content;
            self.take(stream, frame);
        }
        if content {
            self.call.record().gaps.observe(stream.heard - stream.spoke);
            stream.spoke = stream.heard;
        }
    }

    /// Takes in that the provider has ended its stream politely.
    fn ended(&mut self, stream: &mut Stream) {
        if matches!(stream.phase, Phase::Flowing) {
            let ending = stream.decoder.end();
            while let Some(frame) = stream.decoder.next_frame() {
                self.take(stream, frame);
            }
            match (ending, &stream.phase) {
                (Ending::Complete(supplied), Phase::Flowing) => {
                    stream.out.extend_from_slice(&supplied.unwrap_or_default());
                    self.completed(stream.decoder.progress());
                }
                (Ending::Broken(failure), Phase::Flowing) => self.broken(stream, &failure),
                _ => {}
            }
        }
        stream.phase = Phase::Ended;
    }

    /// Settles the call as answered.
    fn completed(&mut self, progress: &Progress) {
        note(&mut self.call, progress);
        self.call.attempt_succeeded();
        let refused = progress.refused || progress.finish == Some(llm::FinishReason::ContentFilter);
        let record = self.call.record();
        record.outcome = if refused { Outcome::Refused } else { self.good };
        record.stream_end = record.stream.then_some(StreamEnd::Complete);
    }

    /// Settles the call as broken off, and tells the client: an error event, and no terminator behind it.
    fn broken(&mut self, stream: &mut Stream, failure: &Failure) {
        note(&mut self.call, stream.decoder.progress());
        self.call.attempt_broke(failure);
        let (outcome, end) = broken_as(failure);
        let Dialect::OpenAiChat = self.dialect;
        let error = render(&self.error_of(failure, stream.limit));
        stream.out.extend_from_slice(&as_event(&error));
        stream.phase = Phase::Ended;
        let record = self.call.record();
        record.outcome = outcome;
        record.stream_end = Some(end);
        record.error = Some(error.code);
    }

    fn error_of(&mut self, failure: &Failure, limit: Duration) -> CallError {
        match failure {
            Failure::Deadline => CallError::DeadlineExceeded { limit },
            other => {
                let target = self.call.record().served.as_ref().map(ToString::to_string).unwrap_or_default();
                CallError::UpstreamFailed { message: format!("The answer broke off: {target} {other}.") }
            }
        }
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
                let failure = if now >= stream.deadline { Failure::Deadline } else { Failure::Stalled };
                self.broken(stream, &failure);
            }
            stream.phase = Phase::Ended;
            return Poll::Ready(());
        }
    }

    fn poll_stream(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if matches!(stream.phase, Phase::Ended) || stream.out.len() >= GATHER {
                let out = stream.out.split().freeze();
                return Poll::Ready((!out.is_empty()).then_some(out));
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
                    stream.phase = Phase::Ended;
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
                    if matches!(stream.phase, Phase::Terminated) && stream.timer.deadline() > stream.due() {
                        let due = stream.due();
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
            State::Whole(body, progress) => {
                self.completed(&progress);
                Poll::Ready(Some(Ok(HttpFrame::data(body))))
            }
            State::Stream(mut stream) => {
                let polled = self.poll_stream(&mut stream, cx);
                if polled.is_ready() && !matches!(stream.phase, Phase::Flowing) {
                    self.call.ended(Instant::now().into_std());
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
            State::Whole(body, _) => SizeHint::with_exact(body.len() as u64),
            State::Stream(_) => SizeHint::default(),
            State::Over => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let State::Stream(stream) = &self.state else { return };
        let flowing = matches!(stream.phase, Phase::Flowing);
        if flowing || !stream.out.is_empty() {
            // The client left before it had everything: what was seen so far is all that is known.
            let progress = stream.decoder.progress().clone();
            note(&mut self.call, &progress);
            let record = self.call.record();
            record.outcome = Outcome::Cancelled;
            record.stream_end = Some(StreamEnd::Cancelled);
        }
    }
}

/// How an answer that broke off counts.
fn broken_as(failure: &Failure) -> (Outcome, StreamEnd) {
    match failure {
        Failure::Provider(_) => (Outcome::Failed, StreamEnd::ErrorEvent),
        Failure::Garbage | Failure::NotAnAnswer(_) | Failure::TooLarge => (Outcome::Failed, StreamEnd::Garbage),
        Failure::Deadline => (Outcome::Truncated, StreamEnd::Deadline),
        Failure::Stalled => (Outcome::Truncated, StreamEnd::Stalled),
        _ => (Outcome::Truncated, StreamEnd::Truncated),
    }
}

fn note(call: &mut OpenCall, progress: &Progress) {
    let record = call.record();
    record.finish = progress.finish;
    record.usage = progress.usage;
}
