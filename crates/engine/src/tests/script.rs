//! Providers that do as they are told, and what was seen of them.
//!
//! Receives scripts; hands on a [`Transport`] that plays them. Must never be here: what the engine should make of it.

use bytes::Bytes;
use dialects::Quirks;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use llm::{Api, Dialect, Failure};
use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};
use upstream::{Inbound, Key, Outbound, Passing, Sending, Switching, Transport};

/// What a provider does with one exchange.
#[derive(Clone)]
pub(super) struct Script {
    /// How long it waits before it does anything.
    delay: Duration,
    act: Act,
}

#[derive(Clone)]
enum Act {
    Fail(Failure),
    Hang,
    Answer(Answer),
}

#[derive(Clone, Default)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// Pieces of the body, each with the wait before it.
    pieces: VecDeque<(Duration, Bytes)>,
    /// The wait before what comes next.
    wait: Duration,
    end: End,
    /// Each piece takes a turn of the runtime, as where a connection's task hands it over.
    by_hops: bool,
}

#[derive(Clone, Copy, Default)]
enum End {
    #[default]
    Polite,
    Cut,
    Hang,
}

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// No answer, for this reason.
pub(super) fn fails(failure: Failure) -> Script {
    Script { delay: Duration::ZERO, act: Act::Fail(failure) }
}

/// Never a head.
pub(super) fn hangs() -> Script {
    Script { delay: Duration::ZERO, act: Act::Hang }
}

/// A head; its body is empty and ends politely unless told otherwise.
pub(super) fn head(status: u16) -> Script {
    let status = StatusCode::from_u16(status).unwrap();
    Script { delay: Duration::ZERO, act: Act::Answer(Answer { status, ..Answer::default() }) }
}

/// The head of a stream.
pub(super) fn events() -> Script {
    head(200).header("content-type", "text/event-stream")
}

/// A JSON body that comes at once.
pub(super) fn json(status: u16, body: impl Into<Bytes>) -> Script {
    head(status).header("content-type", "application/json").say(body)
}

impl Script {
    /// Begins only after this long.
    pub(super) fn after(mut self, millis: u64) -> Self {
        self.delay = ms(millis);
        self
    }

    pub(super) fn header(self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.answer(|answer| {
            let value = HeaderValue::from_str(value.as_ref()).unwrap();
            answer.headers.insert(HeaderName::from_static(name), value);
        })
    }

    /// Waits before what comes next, counted from when the piece before it was taken.
    pub(super) fn wait(self, millis: u64) -> Self {
        self.answer(|answer| answer.wait = ms(millis))
    }

    pub(super) fn say(self, piece: impl Into<Bytes>) -> Self {
        self.answer(|answer| answer.pieces.push_back((std::mem::take(&mut answer.wait), piece.into())))
    }

    /// Says the same again and again, each time after a wait.
    pub(super) fn repeat(self, times: usize, millis: u64, piece: impl Into<Bytes>) -> Self {
        let piece = piece.into();
        (0..times).fold(self, |script, _| script.wait(millis).say(piece.clone()))
    }

    /// Every piece takes a turn of the runtime to arrive.
    pub(super) fn by_hops(self) -> Self {
        self.answer(|answer| answer.by_hops = true)
    }

    pub(super) fn cut(self) -> Self {
        self.answer(|answer| answer.end = End::Cut)
    }

    pub(super) fn hang(self) -> Self {
        self.answer(|answer| answer.end = End::Hang)
    }

    fn answer(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        match &mut self.act {
            Act::Answer(answer) => change(answer),
            Act::Fail(_) | Act::Hang => panic!("only an answer has a body"),
        }
        self
    }
}

/// What was seen of the exchanges.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// What was sent, in order.
    pub(super) sent: Vec<Outbound>,
    /// When each was sent.
    pub(super) at: Vec<Instant>,
    /// The keys it went out with.
    pub(super) keys: Vec<Option<usize>>,
    /// Keys sent to rest: provider, key, for how long.
    pub(super) rests: Vec<(usize, usize, Duration)>,
    /// Exchanges under way, now and at most.
    pub(super) open: usize,
    pub(super) most_open: usize,
    /// When exchanges were dropped that had not come to their own end.
    pub(super) dropped: Vec<Instant>,
}

#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Counts>>);

impl Log {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    fn begin(&self, outbound: Outbound, key: Option<usize>) -> Exchange {
        self.with(|counts| {
            counts.sent.push(outbound);
            counts.at.push(Instant::now());
            counts.keys.push(key);
            counts.open += 1;
            counts.most_open = counts.most_open.max(counts.open);
        });
        Exchange { log: self.clone(), ended: false }
    }
}

/// One exchange under way.
struct Exchange {
    log: Log,
    ended: bool,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.log.with(|counts| {
            counts.open -= 1;
            if !self.ended {
                counts.dropped.push(Instant::now());
            }
        });
    }
}

/// One exchange, as the provider sees it begin.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// How many came before.
    pub(super) before: usize,
    /// The time since the curtain rose.
    pub(super) at: Duration,
    /// Whether a stream is wanted.
    pub(super) stream: bool,
    /// How many bytes of an answer's beginning it is handed, if it is.
    pub(super) handed: Option<usize>,
}

/// What a provider does, decided anew for each exchange.
pub(super) type Play = Box<dyn FnMut(Asked) -> Script + Send>;

/// One provider: its scripts in order, the last of them for ever, or its play; its keys, with the end of their rest.
pub(super) struct Provider {
    pub(super) scripts: VecDeque<Script>,
    pub(super) play: Option<Play>,
    pub(super) asked: usize,
    pub(super) keys: Vec<Option<std::time::Instant>>,
    pub(super) quirks: Quirks,
    /// What it speaks.
    pub(super) api: Api,
}

impl Provider {
    fn next(&mut self, at: Duration, outbound: &Outbound) -> Script {
        self.asked += 1;
        match (&mut self.play, self.scripts.len()) {
            (Some(play), _) => {
                play(Asked { before: self.asked - 1, at, stream: outbound.stream, handed: handed(&outbound.body) })
            }
            (None, 1) => self.scripts[0].clone(),
            (None, _) => self.scripts.pop_front().unwrap(),
        }
    }
}

/// How long the beginning is that a last message of the assistant holds, where nothing of it is escaped.
fn handed(body: &[u8]) -> Option<usize> {
    let (_, content) = std::str::from_utf8(body).ok()?.rsplit_once(r#"{"role":"assistant","content":""#)?;
    content.find('"')
}

/// The scripted transport.
pub(super) struct Scripted {
    pub(super) providers: Mutex<Vec<Provider>>,
    pub(super) begun: Instant,
    pub(super) log: Log,
}

impl Transport for Scripted {
    fn send(&self, outbound: Outbound) -> Sending<'_> {
        let mut providers = self.providers.lock().unwrap();
        let provider = &mut providers[outbound.provider];
        let key = provider.keys.iter().position(|rest| rest.is_none_or(|until| until <= now()));
        let script = provider.next(self.begun.elapsed(), &outbound);
        let exchange = self.log.begin(outbound, key);
        Box::pin(play(script, key.map(Key), exchange))
    }

    fn pass(&self, _: Passing) -> Sending<'_> {
        Box::pin(async { Err(Failure::Internal("nothing is handed through here")) })
    }

    fn switch(&self, _: Passing) -> Switching<'_> {
        Box::pin(async { Err(Failure::Internal("nobody talks here")) })
    }

    fn live_name(&self, _: usize, model: &str) -> String {
        model.to_owned()
    }

    fn lets_pass(&self, _: usize, _: &str) -> bool {
        false
    }

    fn rest(&self, provider: usize, key: Key, _: Option<&str>, until: std::time::Instant) {
        self.log.with(|counts| counts.rests.push((provider, key.0, until - now())));
        self.providers.lock().unwrap()[provider].keys[key.0] = Some(until);
    }

    fn spare(&self, provider: usize, key: Key, _: &str, until: std::time::Instant) -> bool {
        let keys = &mut self.providers.lock().unwrap()[provider].keys;
        let others = keys.iter().enumerate().filter(|(place, _)| *place != key.0);
        let spared = others.into_iter().any(|(_, rest)| rest.is_none_or(|until| until <= now()));
        if spared {
            keys[key.0] = Some(until);
        }
        spared
    }

    fn has_fresh_key(&self, provider: usize, _: &str, now: std::time::Instant) -> bool {
        self.providers.lock().unwrap()[provider].keys.iter().any(|rest| rest.is_none_or(|until| until <= now))
    }

    fn keys(&self, provider: usize) -> usize {
        self.providers.lock().unwrap()[provider].keys.len()
    }

    fn rested_until(&self, provider: usize, _: &str, now: std::time::Instant) -> Option<std::time::Instant> {
        let keys = &self.providers.lock().unwrap()[provider].keys;
        let wakes = |rest: &Option<std::time::Instant>| rest.filter(|until| *until > now);
        if keys.iter().any(|rest| wakes(rest).is_none()) { None } else { keys.iter().filter_map(wakes).min() }
    }

    fn api(&self, provider: usize, _: &str, _: Dialect) -> Option<Api> {
        Some(self.providers.lock().unwrap()[provider].api)
    }

    fn quirks(&self, provider: usize) -> Quirks {
        self.providers.lock().unwrap()[provider].quirks
    }
}

async fn play(script: Script, key: Option<Key>, mut exchange: Exchange) -> Result<Inbound, Failure> {
    if !script.delay.is_zero() {
        sleep(script.delay).await;
    }
    match script.act {
        Act::Hang => pending().await,
        Act::Fail(failure) => {
            exchange.ended = true;
            Err(failure)
        }
        Act::Answer(mut answer) => {
            let (status, headers) = (answer.status, std::mem::take(&mut answer.headers));
            let body = Played { answer, timer: None, hopped: false, exchange }.boxed_unsync();
            Ok(Inbound { status, headers, body, key })
        }
    }
}

/// A body as its script has it.
struct Played {
    answer: Answer,
    timer: Option<Pin<Box<Sleep>>>,
    hopped: bool,
    exchange: Exchange,
}

impl http_body::Body for Played {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = &mut *self;
        let wait = this.answer.pieces.front().map_or(this.answer.wait, |(wait, _)| *wait);
        if !wait.is_zero() {
            ready!(this.timer.get_or_insert_with(|| Box::pin(sleep(wait))).as_mut().poll(cx));
        }
        this.hopped = this.answer.by_hops && !this.hopped;
        if this.hopped {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some((_, piece)) = this.answer.pieces.pop_front() {
            this.timer = None;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        this.exchange.ended = !matches!(this.answer.end, End::Hang);
        match this.answer.end {
            End::Hang => Poll::Pending,
            End::Polite => Poll::Ready(None),
            End::Cut => Poll::Ready(Some(Err(Failure::Cut))),
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
