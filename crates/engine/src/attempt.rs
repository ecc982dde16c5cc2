//! One attempt at one target, up to the commit point.
//!
//! Nothing reaches the client from here: an answer's head is held until its first meaningful content, so that any
//! failure before it can be answered by another target.

use crate::reading::Reading;
use bytes::{Bytes, BytesMut};
use dialects::{Answers, Ending, Quotas, Whole};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use llm::{Dialect, Event, Failure, FinishReason, Frame, Progress, Reach};
use routing::Timeouts;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use upstream::{Body, Inbound, Key, Outbound, Transport};

/// The largest whole answer held, in bytes.
pub(crate) const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The most that may precede a stream's first content, in bytes, beside what repeats the request: OpenAI's responses
/// begin with two events that each hold much of it. An event begun is held besides, within its own bound.
pub(crate) const MAX_PREAMBLE: usize = 64 * 1024;
/// How often a request may be repeated before that.
const ECHOES: usize = 3;
/// The most read of a body that says why the provider refuses, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long a refusal's words may take after its status, which alone decides what is tried next.
const REFUSAL_BODY: Duration = Duration::from_secs(1);
/// A timer that rings later than this says more of this machine than of the target.
pub(crate) const LAG: Duration = Duration::from_millis(100);

/// What an attempt asks, and how its answer is to be read.
pub(crate) struct Dispatch {
    pub(crate) outbound: Outbound,
    /// How answers become the client's.
    pub(crate) answers: Answers,
    /// `None` where a whole answer is asked for.
    pub(crate) reading: Option<Reading>,
    /// Set once the target speaks, where that may be long before it says anything new.
    pub(crate) heard: Option<Arc<AtomicBool>>,
    /// What the client asked and the provider is not told, as it has no words for it.
    pub(crate) left_out: Vec<String>,
}

/// How an answer is read up to its first content.
struct Expected {
    answers: Answers,
    reading: Option<Reading>,
    heard: Option<Arc<AtomicBool>>,
    /// The most that may precede the first content of a stream, in bytes.
    preamble: usize,
}

/// An answer that has begun.
pub(crate) enum Started {
    /// All of it, what it is where that is not JSON, and what the client has no words for.
    Whole { body: Bytes, progress: Progress, content_type: Option<HeaderValue>, left_out: Vec<String> },
    /// Its frames so far, the first content among them; the rest follows.
    Stream { frames: Vec<Frame>, reading: Reading, body: Body },
}

impl Started {
    /// Whether all that has come is that the model, or its provider's policy, declines to answer.
    pub(crate) fn is_refusal(&self) -> bool {
        let progress = match self {
            Self::Whole { progress, .. } => progress,
            Self::Stream { reading, .. } => reading.progress(),
        };
        progress.refused || progress.finish == Some(FinishReason::ContentFilter)
    }
}

/// What came of an attempt.
pub(crate) struct Attempted {
    pub(crate) result: Result<Started, Failure>,
    /// The key it was made with, once there was a response.
    pub(crate) key: Option<Key>,
    /// What the response's head said of quotas.
    pub(crate) quotas: Quotas,
    /// Whether its time ran out on a clock that was late itself.
    pub(crate) lagged: bool,
    /// Whether it was given up before the first-token timeout, for the sake of the candidates after it.
    pub(crate) hurried: bool,
}

impl Attempted {
    /// An attempt that was given up from outside.
    pub(crate) fn lost(failure: Failure) -> Self {
        Self { result: Err(failure), key: None, quotas: Quotas::default(), lagged: false, hurried: false }
    }
}

/// The clock of one attempt.
#[derive(Clone, Copy)]
struct Limits {
    /// When the first content has to be there.
    by: Instant,
    /// When the call is over.
    deadline: Instant,
    /// How long nothing at all may come once a body has begun to.
    idle: Duration,
    /// What running into `by` amounts to.
    late: Late,
}

#[derive(Clone, Copy)]
enum Late {
    /// The target had its time.
    Silent,
    /// The call's deadline came before the target had its time.
    Deadline,
}

impl Limits {
    /// `begun` is the instant from which `by` was counted: a later one would take every full wait for a shortened one.
    fn new(timeouts: Timeouts, begun: Instant, by: Instant, deadline: Instant) -> Self {
        let cut_short = by >= deadline && by - begun < timeouts.first_token;
        let late = if cut_short { Late::Deadline } else { Late::Silent };
        Self { by, deadline, idle: timeouts.idle, late }
    }

    /// Those of an answer that has begun with what the client is not told: only the client waits.
    fn repeating(self) -> Self {
        Self { by: self.deadline, late: Late::Deadline, ..self }
    }

    fn too_late(self) -> Failure {
        match self.late {
            Late::Silent => Failure::Silent,
            Late::Deadline => Failure::Deadline,
        }
    }

    /// Waits for something that precedes the content.
    async fn preamble<T>(self, waiting: impl Future<Output = T>) -> Result<T, Failure> {
        timeout_at(self.by, waiting).await.map_err(|_| self.too_late())
    }

    /// Waits for more of what has begun to come.
    async fn more<T>(self, waiting: impl Future<Output = T>) -> Result<T, Failure> {
        let idle = Instant::now() + self.idle;
        let failure = if idle < self.by { Failure::Stalled } else { self.too_late() };
        timeout_at(idle.min(self.by), waiting).await.map_err(|_| failure)
    }
}

/// When an attempt began, when its first content has to be there, and when its call is over.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) begun: Instant,
    pub(crate) by: Instant,
    pub(crate) deadline: Instant,
}

/// Makes one attempt. It ends with the first content that is new to the client, a failure, or when its time is over;
/// dropped, it ends the exchange.
pub(crate) async fn attempt(
    transport: &dyn Transport,
    dispatch: Dispatch,
    timeouts: Timeouts,
    Span { begun, by, deadline }: Span,
) -> Attempted {
    let limits = Limits::new(timeouts, begun, by, deadline);
    let Dispatch { outbound, answers, reading, heard, .. } = dispatch;
    let preamble = MAX_PREAMBLE.saturating_add(outbound.body.len().saturating_mul(ECHOES));
    let expected = Expected { answers, reading, heard, preamble };
    let sent = limits.preamble(transport.send(outbound)).await.and_then(|sent| sent);
    let (result, key, quotas) = match sent {
        Err(failure) => (Err(failure), None, Quotas::default()),
        Ok(inbound) => {
            let (key, quotas) = (inbound.key, quotas(&inbound.headers));
            (read_head(inbound, expected, limits).await, key, quotas)
        }
    };
    let hurried = matches!(result, Err(Failure::Silent)) && by - begun < timeouts.first_token;
    let due = match &result {
        Err(Failure::Silent) => Some(by),
        Err(Failure::Unreachable(Reach::Timeout | Reach::Dns)) => Some(begun + timeouts.connect),
        _ => None,
    };
    let lagged = due.is_some_and(|due| Instant::now().saturating_duration_since(due) > LAG);
    Attempted { result, key, quotas, lagged, hurried }
}

async fn read_head(inbound: Inbound, expected: Expected, limits: Limits) -> Result<Started, Failure> {
    let Inbound { status, headers, body, .. } = inbound;
    if status.is_redirection() {
        return Err(Failure::Redirect(status.as_u16()));
    }
    if !status.is_success() {
        return Err(refusal(status, &headers, body, &expected.answers, limits).await);
    }
    let begun = begin(&headers, body, expected, limits).await;
    begun.map_err(|failure| advised(failure, &headers))
}

/// Reads an answer up to its first content.
async fn begin(headers: &HeaderMap, body: Body, expected: Expected, limits: Limits) -> Result<Started, Failure> {
    let Expected { answers, reading, heard, preamble } = expected;
    let Some(reading) = reading else {
        let body = collect(body, MAX_ANSWER, limits).await?;
        let Whole { body, progress, left_out } = answers.whole(body)?;
        let passed = matches!(answers.dialect, Dialect::Other(_)) && answers.head.is_none();
        let content_type = headers.get(CONTENT_TYPE).filter(|_| passed).cloned();
        return Ok(Started::Whole { body, progress, content_type, left_out });
    };
    if may_be_stream(headers) || (answers.listed && answers.head.is_none()) {
        let held = hold(body, reading, heard.as_deref(), preamble, limits).await;
        return held.map_err(|failure| answers.failure(failure));
    }
    let body = collect(body, MAX_ERROR, limits).await?;
    answers.read(&body)?;
    Err(Failure::NotAnAnswer("a whole answer instead of a stream"))
}

/// An error inside an answer, with the retry advice of the head where it has none of its own.
fn advised(mut failure: Failure, headers: &HeaderMap) -> Failure {
    if let Failure::Provider(error) = &mut failure
        && error.retry_after.is_none()
    {
        error.retry_after = retry_after(headers);
    }
    failure
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    dialects::retry_after(|name| headers.get(name).and_then(|value| value.to_str().ok()), since_epoch())
}

/// What a response's head says of quotas.
fn quotas(headers: &HeaderMap) -> Quotas {
    dialects::quotas(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())), since_epoch())
}

/// Holds a stream until its first content.
///
/// Everything that came together is judged together: an error that arrives with the first content still counts as
/// before it, for the client has seen neither. What the client is not told is content too - the beginning repeated, of the
/// rest of an answer; thoughts, where its dialect has none: it is noted in `heard`, and from then on the target is only
/// held to the idle timeout.
async fn hold(
    mut body: Body,
    mut decoder: Reading,
    heard: Option<&AtomicBool>,
    preamble: usize,
    mut limits: Limits,
) -> Result<Started, Failure> {
    let (mut frames, mut held, mut repeating) = (Vec::new(), 0, false);
    while !decoder.has_begun() {
        let next = if repeating { limits.more(body.frame()).await } else { limits.preamble(body.frame()).await };
        let Some(chunk) = next? else {
            return Err(ended_early(&mut decoder));
        };
        let Ok(data) = chunk?.into_data() else { continue };
        decoder.feed(&data);
        if !repeating && decoder.speaks() {
            (repeating, limits) = (true, limits.repeating());
            heard.inspect(|heard| heard.store(true, Ordering::Relaxed));
        }
        if decoder.is_altered() {
            return Err(Failure::Altered);
        }
        while let Some(frame) = decoder.next_frame() {
            match frame.event {
                Event::Error(error) => return Err(Failure::Provider(error)),
                Event::Garbage => return Err(Failure::NotAnAnswer("an unreadable event")),
                Event::Done if !decoder.has_begun() => return Err(Failure::Empty),
                Event::Done if !decoder.progress().finished => return Err(Failure::Truncated),
                _ => {}
            }
            held += frame.raw.len();
            frames.push(frame);
        }
        if held > preamble && !decoder.has_begun() {
            return Err(Failure::TooLarge);
        }
    }
    Ok(Started::Stream { frames, reading: decoder, body })
}

/// Why a stream that ended before its first content failed. A careless server's last line may still be an error.
fn ended_early(decoder: &mut Reading) -> Failure {
    let ending = decoder.end();
    if decoder.is_altered() {
        return Failure::Altered;
    }
    let said = std::iter::from_fn(|| decoder.next_frame()).find_map(|frame| match frame.event {
        Event::Error(error) => Some(Failure::Provider(error)),
        _ => None,
    });
    match (said, ending) {
        (Some(failure), _) | (None, Ending::Broken(failure)) => failure,
        // Content in the last, unfinished line alone: an answer nobody would call complete.
        (None, Ending::Complete(_)) => Failure::Truncated,
    }
}

/// What a refusal by status says.
async fn refusal(status: StatusCode, headers: &HeaderMap, body: Body, answers: &Answers, limits: Limits) -> Failure {
    let retry_after = retry_after(headers);
    // The status says enough where the body does not come.
    let by = limits.by.min(Instant::now() + REFUSAL_BODY);
    let body = collect(body, MAX_ERROR, Limits { by, ..limits }).await.unwrap_or_default();
    let name = headers.get(dialects::ERROR_NAME).and_then(|value| value.to_str().ok());
    Failure::Provider(Box::new(answers.error(status.as_u16(), name, &body, retry_after)))
}

/// Reads a body whole, up to `limit` bytes.
async fn collect(mut body: Body, limit: usize, limits: Limits) -> Result<Bytes, Failure> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut begun = false;
    while let Some(frame) = if begun { limits.more(body.frame()).await } else { limits.preamble(body.frame()).await }? {
        begun = true;
        let Ok(data) = frame?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(Failure::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// Whether a response may be a stream: not one that says to be something else that we know. Some call theirs plain text.
fn may_be_stream(headers: &HeaderMap) -> bool {
    let name = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is = |known: &[u8]| name.get(..known.len()).is_some_and(|name| name.eq_ignore_ascii_case(known));
    !is(b"application/json") && !is(b"text/html")
}

/// The time of day, for the one form of retry advice that is a date.
#[expect(clippy::disallowed_types, reason = "an HTTP date can only be compared with wall time")]
pub(crate) fn since_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
