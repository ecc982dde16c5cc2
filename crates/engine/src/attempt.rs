//! One attempt at one target, up to the commit point.
//!
//! Nothing reaches the client from here: an answer's head is held until its first meaningful content, so that any
//! failure before it can be answered by another target.

use bytes::{Bytes, BytesMut};
use dialects::openai_chat::{self, Ending, StreamDecoder};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use llm::{ChatRequest, Event, Failure, Frame, Progress};
use routing::{Candidate, Timeouts};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use upstream::{Body, Inbound, Key, Outbound, Transport};

/// The largest whole answer held, in bytes.
pub(crate) const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The most that may precede a stream's first content, in bytes; an event begun is held besides, within its own bound.
pub(crate) const MAX_PREAMBLE: usize = 64 * 1024;
/// The most read of a body that says why the provider refuses, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long a refusal's words may take after its status, which alone decides what is tried next.
const REFUSAL_BODY: Duration = Duration::from_secs(1);

/// An answer that has begun.
pub(crate) enum Started {
    /// All of it.
    Whole { body: Bytes, progress: Progress },
    /// Its frames so far, the first content among them; the rest follows.
    Stream { frames: Vec<Frame>, decoder: Box<StreamDecoder>, body: Body },
}

/// An attempt that failed, and the key it was made with.
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    pub(crate) key: Option<Key>,
}

/// The clock of one attempt.
#[derive(Clone, Copy)]
struct Limits {
    /// When the first content has to be there.
    by: Instant,
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
    fn new(timeouts: Timeouts, begun: Instant, by: Instant) -> Self {
        let late = if by - begun < timeouts.first_token { Late::Deadline } else { Late::Silent };
        Self { by, idle: timeouts.idle, late }
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

/// Makes one attempt, `begun` when it was decided. It ends with the first content, a failure, or `by`; dropped, it
/// ends the exchange.
pub(crate) async fn attempt(
    transport: &dyn Transport,
    request: &ChatRequest,
    candidate: &Candidate,
    timeouts: Timeouts,
    begun: Instant,
    by: Instant,
) -> Result<Started, Failed> {
    let limits = Limits::new(timeouts, begun, by);
    let outbound = Outbound {
        provider: candidate.provider,
        path: openai_chat::PATH,
        body: openai_chat::with_model(request, &candidate.target.model),
        stream: request.stream,
        connect: timeouts.connect,
    };
    let sent = limits.preamble(transport.send(outbound)).await.and_then(|sent| sent);
    let inbound = sent.map_err(|failure| Failed { failure, key: None })?;
    let key = inbound.key;
    let decoder = StreamDecoder::new(transport.quirks(candidate.provider));
    let started = read_head(inbound, request.stream, decoder, limits).await;
    started.map_err(|failure| Failed { failure, key })
}

async fn read_head(inbound: Inbound, stream: bool, decoder: StreamDecoder, limits: Limits) -> Result<Started, Failure> {
    let Inbound { status, headers, body, .. } = inbound;
    if status.is_redirection() {
        return Err(Failure::Redirect(status.as_u16()));
    }
    if !status.is_success() {
        return Err(refusal(status, &headers, body, limits).await);
    }
    if !stream {
        let body = collect(body, MAX_ANSWER, limits).await?;
        let progress = openai_chat::read_whole(&body)?;
        return Ok(Started::Whole { body, progress });
    }
    if may_be_stream(&headers) {
        return hold(body, decoder, limits).await;
    }
    let body = collect(body, MAX_ERROR, limits).await?;
    openai_chat::read_whole(&body)?;
    Err(Failure::NotAnAnswer("a whole answer instead of a stream"))
}

/// Holds a stream until its first content.
///
/// Everything that came together is judged together: an error that arrives with the first content still counts as
/// before it, for the client has seen neither.
async fn hold(mut body: Body, mut decoder: StreamDecoder, limits: Limits) -> Result<Started, Failure> {
    let (mut frames, mut held) = (Vec::new(), 0);
    while !decoder.has_begun() {
        let Some(chunk) = limits.preamble(body.frame()).await? else {
            return Err(ended_early(&mut decoder));
        };
        let Ok(data) = chunk?.into_data() else { continue };
        decoder.feed(&data);
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
        if held > MAX_PREAMBLE && !decoder.has_begun() {
            return Err(Failure::TooLarge);
        }
    }
    Ok(Started::Stream { frames, decoder: Box::new(decoder), body })
}

/// Why a stream that ended before its first content failed. A careless server's last line may still be an error.
fn ended_early(decoder: &mut StreamDecoder) -> Failure {
    let ending = decoder.end();
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
async fn refusal(status: StatusCode, headers: &HeaderMap, body: Body, limits: Limits) -> Failure {
    let retry_after =
        dialects::retry_after(|name| headers.get(name).and_then(|value| value.to_str().ok()), since_epoch());
    // The status says enough where the body does not come.
    let by = limits.by.min(Instant::now() + REFUSAL_BODY);
    let body = collect(body, MAX_ERROR, Limits { by, ..limits }).await.unwrap_or_default();
    Failure::Provider(Box::new(openai_chat::read_error(status.as_u16(), &body, retry_after)))
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
fn since_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
