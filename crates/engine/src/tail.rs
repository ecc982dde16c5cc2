//! The tail of a reply: what reaches the client after the commit point, and the settling of the call.
//!
//! One body for whole and streamed answers; a whole answer is a stream of one piece. What is already there leaves
//! together: the body lets the upstream connection run on for as long as that brings more, and then writes once.

use crate::attempt::LAG;
use crate::continuation::{Recovered, Recovery, may_go_on};
use crate::open_call::AttemptNo;
use crate::race::Won;
use crate::reading::Reading;
use crate::{OpenCall, attempt::Started};
use admission::Admitted;
use bytes::{Bytes, BytesMut};
use dialects::openai_chat::{Ending, as_event, render};
use http_body::{Body as HttpBody, Frame as HttpFrame, SizeHint};
use http_body_util::{BodyExt, Empty};
use llm::{CallError, Degraded, Dialect, ErrorKind, Event, Failure, Frame, Outcome, Progress, StreamEnd, Verdict};
use resilience::{Permit, Report};
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
    /// `None` only while another attempt goes on with the stream: it then holds the record.
    call: Option<OpenCall>,
    _admitted: Admitted,
}

/// The attempt that serves, and its target's permit.
pub(crate) type Serving = (AttemptNo, Permit);

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

/// What is left of a streamed answer.
pub(crate) struct Stream {
    reading: Reading,
    body: upstream::Body,
    no: AttemptNo,
    /// `None` once settled.
    permit: Option<Permit>,
    /// How to go on where the stream breaks off; `None` where the route wants it to end.
    recovery: Option<Box<Recovery>>,
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
    /// It broke off, and another attempt may go on with it.
    Recovering(Pin<Box<dyn Future<Output = Recovered> + Send>>),
    /// Nothing more is to come.
    Ended,
}

impl Stream {
    pub(crate) fn new(
        reading: Reading,
        body: upstream::Body,
        (no, permit): Serving,
        idle: Duration,
        deadline: std::time::Instant,
        limit: Duration,
        recovery: Option<Box<Recovery>>,
    ) -> Self {
        let now = Instant::now();
        let deadline = Instant::from_std(deadline);
        let timer = Box::pin(tokio::time::sleep_until(deadline.min(now + idle)));
        Self {
            reading,
            body,
            no,
            permit: Some(permit),
            recovery,
            out: BytesMut::new(),
            idle,
            deadline,
            limit,
            timer,
            heard: now,
            spoke: now,
            yielded: false,
            phase: Phase::Flowing,
        }
    }

    /// When the stream is given up if nothing more comes.
    fn due(&self) -> Instant {
        match self.phase {
            Phase::Terminated => self.heard + LINGER,
            Phase::Flowing | Phase::Recovering(_) | Phase::Ended => self.deadline.min(self.heard + self.idle),
        }
    }

    /// Tells the target's gate how the attempt ended.
    fn settle(&mut self, verdict: Verdict) {
        if let Some(permit) = self.permit.take() {
            settle(permit, verdict);
        }
    }

    /// Ends the stream unless another attempt goes on with it.
    fn close(&mut self) {
        if !matches!(self.phase, Phase::Recovering(_)) {
            self.phase = Phase::Ended;
        }
    }
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
            Event::Preamble | Event::Content | Event::Closing => stream.out.extend_from_slice(&frame.raw),
            Event::Done if stream.reading.progress().finished => {
                stream.out.extend_from_slice(&frame.raw);
                stream.phase = Phase::Terminated;
                self.stream_completed(stream);
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
        if stream.recovery.is_some() && stream.reading.is_hopeless() {
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
                (Ending::Complete(supplied), Phase::Flowing) => {
                    stream.out.extend_from_slice(&supplied.unwrap_or_default());
                    self.stream_completed(stream);
                }
                (Ending::Broken(failure), Phase::Flowing) => self.broken(stream, &failure),
                _ => {}
            }
        }
        stream.close();
    }

    fn stream_completed(&mut self, stream: &mut Stream) {
        stream.settle(Verdict::Success);
        let (progress, used) = (stream.reading.progress(), stream.reading.used());
        self.completed(progress, Some((stream.no, used)));
    }

    /// Settles the call as answered.
    fn completed(&mut self, progress: &Progress, served: Option<(AttemptNo, Option<llm::Usage>)>) {
        let Some(call) = &mut self.call else { return };
        note(call, progress);
        if let Some((no, used)) = served {
            call.attempt_succeeded(no, used);
        }
        let refused = progress.refused || progress.finish == Some(llm::FinishReason::ContentFilter);
        let record = call.record();
        record.outcome = if refused { Outcome::Refused } else { self.good };
        record.stream_end = record.stream.then_some(StreamEnd::Complete);
    }

    /// Takes in that the stream broke off: another attempt goes on with it, where one may and can; else it is over.
    fn broken(&mut self, stream: &mut Stream, failure: &Failure) {
        let Some(mut call) = self.call.take() else { return };
        note(&mut call, stream.reading.progress());
        let lagged = matches!(failure, Failure::Stalled) && Instant::now() - stream.due() > LAG;
        let verdict = call.attempt_broke(stream.no, failure, lagged, stream.reading.used());
        // Who ended at a limit that we had lowered is not to blame for it.
        stream.settle(if matches!(failure, Failure::Altered) { Verdict::Neutral } else { verdict });
        let record = call.record();
        (record.outcome, record.stream_end) = (Outcome::Cancelled, Some(StreamEnd::Cancelled));
        if let Some(recovery) = stream.recovery.take()
            && may_go_on(failure, recovery.plan.policy.on_refusal)
            && let Some(transcript) = stream.reading.take_transcript()
        {
            // The exchange ends here: no provider is to go on with what nobody reads.
            stream.body = Empty::new().map_err(|never| match never {}).boxed_unsync();
            stream.phase = Phase::Recovering(Box::pin(recovery.recover(call, transcript, failure.clone())));
            return;
        }
        self.call = Some(call);
        self.given_up(stream, failure);
    }

    /// Settles the call as broken off, and tells the client: an error event, and no terminator behind it.
    fn given_up(&mut self, stream: &mut Stream, failure: &Failure) {
        let (outcome, end) = broken_as(failure);
        let Dialect::OpenAiChat = self.dialect;
        let error = render(&self.error_of(failure, stream));
        stream.out.extend_from_slice(&as_event(&error));
        stream.phase = Phase::Ended;
        if let Some(call) = &mut self.call {
            let record = call.record();
            record.outcome = outcome;
            record.stream_end = Some(end);
            record.error = Some(error.code);
        }
    }

    /// Takes in what came of the attempt to go on.
    fn recovered(&mut self, stream: &mut Stream, recovered: Recovered) {
        let Recovered { mut call, cause, result } = recovered;
        let resumed = match result {
            Some((Won { started: Started::Stream { frames, reading, body }, no, permit, .. }, recovery)) => {
                self.good = Outcome::Degraded;
                let record = call.record();
                record.continued += 1;
                record.degraded = Some(Degraded::Fallback);
                (stream.reading, stream.body, stream.no) = (reading, body, no);
                (stream.permit, stream.recovery) = (Some(permit), Some(recovery));
                stream.heard = Instant::now();
                // What the client waited for the rest is a pause like any other.
                call.record().gaps.observe(stream.heard - stream.spoke);
                (stream.spoke, stream.phase) = (stream.heard, Phase::Flowing);
                Some(frames)
            }
            Some((Won { started: Started::Whole { .. }, .. }, _)) | None => None,
        };
        self.call = Some(call);
        match resumed {
            Some(frames) => frames.into_iter().for_each(|frame| self.take(stream, frame)),
            None => self.given_up(stream, &cause),
        }
    }

    fn error_of(&self, failure: &Failure, stream: &Stream) -> CallError {
        match failure {
            Failure::Deadline => CallError::DeadlineExceeded { limit: stream.limit },
            other => {
                let broke = self.call.as_ref().and_then(|call| call.target_of(stream.no));
                let target = broke.map(ToString::to_string).unwrap_or_default();
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
            if let Phase::Recovering(recovering) = &mut stream.phase {
                if !stream.out.is_empty() {
                    return Poll::Ready(Some(stream.out.split().freeze()));
                }
                let recovered = ready!(recovering.as_mut().poll(cx));
                self.recovered(stream, recovered);
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
            State::Whole(whole) => {
                let Whole { body, progress, serving } = *whole;
                let served = serving.map(|(no, permit)| {
                    settle(permit, Verdict::Success);
                    (no, progress.usage)
                });
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
                if let Some((no, _)) = &whole.serving {
                    call.attempt_used(*no, whole.progress.usage);
                }
                return;
            }
            State::Over => return,
        };
        let flowing = matches!(stream.phase, Phase::Flowing);
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

/// How an answer that broke off counts.
fn broken_as(failure: &Failure) -> (Outcome, StreamEnd) {
    match failure {
        Failure::Provider(error) if error.kind == ErrorKind::ContentPolicy => (Outcome::Refused, StreamEnd::ErrorEvent),
        Failure::Provider(_) => (Outcome::Failed, StreamEnd::ErrorEvent),
        Failure::Garbage | Failure::NotAnAnswer(_) | Failure::TooLarge => (Outcome::Failed, StreamEnd::Garbage),
        Failure::Deadline => (Outcome::Truncated, StreamEnd::Deadline),
        Failure::Stalled => (Outcome::Truncated, StreamEnd::Stalled),
        _ => (Outcome::Truncated, StreamEnd::Truncated),
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
