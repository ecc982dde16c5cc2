//! The tail of a reply: what reaches the client after the commit point, and the settling of the call.
//!
//! One body for whole and streamed answers; a whole answer is a stream of one piece. What is already there leaves
//! together: the body lets the upstream connection run on for as long as that brings more, and then writes once.

use crate::asking::Correction;
use crate::attempt::LAG;
use crate::continuation::{Recovered, Recovery, may_go_on};
use crate::judge::{Fate, Ruling, Ways};
use crate::keeping::Keeping;
use crate::open_call::AttemptNo;
use crate::race::{Mark, Won};
use crate::reading::Reading;
use crate::{OpenCall, attempt::Started};
use admission::Admitted;
use bytes::{Bytes, BytesMut};
use dialects::openai_chat::{Ending, as_event, render};
use http_body::{Body as HttpBody, Frame as HttpFrame, SizeHint};
use http_body_util::{BodyExt, Empty};
use llm::{
    CallError, CheckResult, Degraded, Dialect, ErrorKind, Event, Failure, Frame, Outcome, Progress, StreamEnd, Verdict,
};
use resilience::{Permit, Report};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

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

/// The clocks of a stream.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) idle: Duration,
    pub(crate) deadline: std::time::Instant,
    pub(crate) limit: Duration,
}

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
    /// What is wrong with the answer, though it is handed on.
    flaw: Option<Failure>,
    /// What is held back of it until it is judged.
    keeping: Keeping,
    /// Shows a client that waits for what is held back that it is still coming; made where that is needed.
    alive: Option<Pin<Box<Sleep>>>,
    /// How to go on where the stream breaks off; `None` where it is to end.
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

type Recovering = Pin<Box<dyn Future<Output = Recovered> + Send>>;

/// What may come after a stream that is not handed on any further.
enum After {
    /// The rest of its answer, of another attempt.
    GoOn,
    /// Another answer, nothing of this one having left; of the same target, where it is corrected.
    Anew(Option<Correction>),
    /// Nothing.
    End,
}

/// How far a stream has come.
enum Phase {
    Flowing,
    /// The terminator has been handed over; only the end of the exchange is awaited, so that its connection is reused.
    Terminated,
    /// It broke off, and another attempt may go on with it.
    Recovering(Recovering),
    /// Nothing more is to come.
    Ended,
}

impl Stream {
    pub(crate) fn new(
        reading: Reading,
        body: upstream::Body,
        (no, permit, flaw): Serving,
        Times { idle, deadline, limit }: Times,
        keeping: Keeping,
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
            flaw,
            keeping,
            alive: None,
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
            Phase::Flowing | Phase::Recovering(_) | Phase::Ended => {
                let due = self.deadline.min(self.heard + self.idle);
                self.keeping.due().map_or(due, |held| due.min(held))
            }
        }
    }

    /// Whether a client that waits for what is held back should be shown that it is still coming.
    fn poll_alive(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.keeping.is_exchangeable() {
            return false;
        }
        let alive = self.alive.get_or_insert_with(|| Box::pin(tokio::time::sleep(ALIVE)));
        if alive.as_mut().poll(cx).is_pending() {
            return false;
        }
        alive.as_mut().reset(Instant::now() + ALIVE);
        self.out.extend_from_slice(COMMENT);
        true
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
        stream.close();
    }

    /// Takes in that the answer has come to its end: it is judged, and what was held back of it leaves.
    fn finished(&mut self, stream: &mut Stream, terminator: &[u8]) {
        let mut ruling = stream.keeping.rule(stream.reading.model());
        // What is already known to be wrong was judged when it was found.
        if ruling.broken.is_some() && stream.flaw.is_none() {
            return self.unmet(stream, ruling, Some(terminator), true);
        }
        if stream.flaw.is_none() {
            ruling.broken = None;
            self.note_ruling(ruling);
        }
        let held = stream.keeping.release();
        self.hand_over(stream, &held, terminator);
    }

    /// Hands over the last of an answer, and settles it.
    fn hand_over(&mut self, stream: &mut Stream, held: &[u8], terminator: &[u8]) {
        stream.out.extend_from_slice(held);
        stream.out.extend_from_slice(terminator);
        stream.settle(if stream.flaw.is_some() { Verdict::SemanticFailure } else { Verdict::Success });
        let (progress, used) = (stream.reading.progress(), stream.reading.used());
        self.completed(progress, Some((stream.no, used, stream.flaw.as_ref())));
    }

    fn note_ruling(&mut self, ruling: Ruling) {
        if let Some(call) = &mut self.call {
            call.judged(ruling);
        }
    }

    /// Takes in that the answer breaks its contract, at its end (`whole`) or before; `next` are the bytes that would leave
    /// now. What becomes of it is the route's to say, and a question of whether any of it has left.
    fn unmet(&mut self, stream: &mut Stream, mut ruling: Ruling, next: Option<&[u8]>, whole: bool) {
        let Some(mut broken) = ruling.broken.take() else { return };
        let next = next.unwrap_or_default();
        let recovery = stream.recovery.as_deref().filter(|_| stream.keeping.is_exchangeable());
        let ways = recovery.map_or(Ways { reasks_left: 0, another: false }, |recovery| Ways {
            reasks_left: if whole && recovery.schedule.may_try() { recovery.reasks_left } else { 0 },
            another: recovery.schedule.has_other(),
        });
        let failure = Failure::Unmet(broken.told());
        match stream.keeping.judge().fate(&mut broken, ways) {
            Fate::Mended(mended) => {
                self.note_ruling(ruling.failed_as(CheckResult::Repaired));
                self.good = Outcome::Degraded;
                if let Some(call) = &mut self.call {
                    call.record().degraded = Some(Degraded::Repaired);
                }
                self.hand_over(stream, &mended, next);
            }
            Fate::Flag => {
                self.note_ruling(ruling.failed_as(CheckResult::Flagged));
                (self.good, stream.flaw) = (Outcome::Invalid, Some(failure));
                let held = stream.keeping.release();
                if whole {
                    self.hand_over(stream, &held, next);
                } else {
                    stream.keeping.give_up();
                    stream.out.extend_from_slice(&held);
                    stream.out.extend_from_slice(next);
                }
            }
            Fate::Fail => {
                self.note_ruling(ruling);
                self.break_off(stream, &failure, After::End);
            }
            fate @ (Fate::Reask | Fate::Failover) => {
                self.note_ruling(ruling);
                let correction = (fate == Fate::Reask).then(|| broken.into_correction());
                self.break_off(stream, &failure, After::Anew(correction));
            }
        }
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

    /// Takes in that the stream broke off: where nothing of it has left, another answer takes its place; else another
    /// attempt goes on with it, where one may and can.
    fn broken(&mut self, stream: &mut Stream, failure: &Failure) {
        let after = if stream.keeping.is_exchangeable() { After::Anew(None) } else { After::GoOn };
        self.break_off(stream, failure, after);
    }

    fn break_off(&mut self, stream: &mut Stream, failure: &Failure, after: After) {
        let Some(mut call) = self.call.take() else { return };
        note(&mut call, stream.reading.progress());
        let lagged = matches!(failure, Failure::Stalled) && Instant::now() - stream.due() > LAG;
        let verdict = call.attempt_broke(stream.no, failure, lagged, stream.reading.used());
        // Who ended at a limit that we had lowered is not to blame for it.
        stream.settle(if matches!(failure, Failure::Altered) { Verdict::Neutral } else { verdict });
        let record = call.record();
        (record.outcome, record.stream_end) = (Outcome::Cancelled, Some(StreamEnd::Cancelled));
        let wanted = stream.recovery.take().filter(|recovery| {
            let unmet = matches!(failure, Failure::Unmet(_));
            unmet || may_go_on(failure, recovery.plan.policy.on_refusal)
        });
        let recovering: Recovering = match (wanted, after) {
            (Some(recovery), After::Anew(correction)) => Box::pin(recovery.redo(call, failure.clone(), correction)),
            (Some(recovery), After::GoOn) if recovery.goes_on => match stream.reading.take_transcript() {
                Some(transcript) => Box::pin(recovery.recover(call, transcript, failure.clone())),
                None => return self.lost(stream, call, failure),
            },
            _ => return self.lost(stream, call, failure),
        };
        // The exchange ends here: no provider is to go on with what nobody reads.
        stream.body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        stream.phase = Phase::Recovering(recovering);
    }

    fn lost(&mut self, stream: &mut Stream, call: OpenCall, failure: &Failure) {
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
        let Recovered { mut call, cause, result, anew } = recovered;
        let resumed = match result {
            Some((Won { started: Started::Stream { frames, reading, body }, no, permit, mark, .. }, recovery)) => {
                let served = recovery.plan.candidates.get(recovery.serving);
                let record = call.record();
                let elsewhere = record.served.as_ref() != served.map(|served| &served.target);
                if anew {
                    record.served = served.map(|served| served.target.clone());
                    stream.keeping.restart(served.map_or_else(|| Arc::from(""), |one| Arc::clone(&one.target.model)));
                } else {
                    record.continued += 1;
                }
                if elsewhere || !anew {
                    self.good = Outcome::Degraded;
                    record.degraded = Some(Degraded::Fallback);
                }
                if let Some(Mark::Flagged(why)) = mark {
                    (self.good, stream.flaw) = (Outcome::Invalid, Some(Failure::Unmet(why)));
                }
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
            Failure::Unmet(_) => CallError::ContractUnmet { message: format!("The answer {failure}.") },
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
                if now >= stream.deadline {
                    self.broken(stream, &Failure::Deadline);
                } else if stream.keeping.due().is_some_and(|held| held <= now) {
                    self.unmet(stream, *Ruling::too_long(), None, false);
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
            if let Phase::Recovering(recovering) = &mut stream.phase {
                if !stream.out.is_empty() {
                    return Poll::Ready(Some(stream.out.split().freeze()));
                }
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
        Failure::Unmet(_) => (Outcome::Invalid, StreamEnd::Unmet),
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
