//! One call over scripted providers, played to its end, and what came of it.
//!
//! Every play checks what holds for every call: one record, one `opened` and one `released`, never two exchanges at
//! once, and none left open.

use super::script::{Counts, Log, Provider, Script, Scripted, ms};
use crate::{Call, Engine, Journal, Lost, OpenCall, Reply, Sink, Tail, outcome_of};
use admission::{Admission, Admitted};
use bytes::Bytes;
use dialects::{Quirks, openai_chat};
use http_body_util::BodyExt;
use llm::{CallError, CallRecord, Dialect, Label, RequestId, TargetId};
use routing::{Candidate, Plan, Policy, Timeouts};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
pub(super) const HI: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
pub(super) const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub(super) const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
pub(super) const DONE: &str = "data: [DONE]\n\n";
pub(super) const PING: &str = ": ping\n\n";
pub(super) const OVERLOADED: &str = "data: {\"error\":{\"message\":\"busy\",\"type\":\"overloaded_error\"}}\n\n";
pub(super) const ANSWER: &str = "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}],\
     \"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2},\"x\": 1}\n";

/// Short enough to tell apart: nothing else here takes 2, 10, 4 or 60 seconds.
pub(super) const TIMEOUTS: Timeouts =
    Timeouts { connect: ms(2_000), first_token: ms(10_000), idle: ms(4_000), total: ms(60_000) };

/// A call to be played, and what it is played on.
pub(super) struct Stage {
    providers: Arc<Scripted>,
    log: Log,
    sink: Arc<Tally>,
    journal: Arc<Journal>,
    stream: bool,
    candidates: usize,
    policy: Policy,
    timeout: Option<Duration>,
    begun: Instant,
}

/// What came of a call.
pub(super) struct Played {
    /// The target that served and whether that was a degradation, or the error.
    pub(super) head: Result<(String, bool), CallError>,
    /// When the head or the error was there.
    pub(super) at: Duration,
    /// The pieces of the body and when each came.
    pub(super) pieces: Vec<(Duration, Bytes)>,
    /// When the body was over.
    pub(super) over: Duration,
    pub(super) record: CallRecord,
    pub(super) counts: Counts,
}

impl Played {
    pub(super) fn text(&self) -> String {
        let bytes: Vec<u8> = self.pieces.iter().flat_map(|(_, piece)| piece.iter().copied()).collect();
        String::from_utf8(bytes).unwrap()
    }
}

/// Asks the providers `a`, `b` and so on, in order, for a stream.
pub(super) fn streamed(scripts: impl IntoIterator<Item = Script>) -> Stage {
    Stage::new(true, scripts)
}

/// Asks the providers `a`, `b` and so on, in order, for a whole answer.
pub(super) fn whole(scripts: impl IntoIterator<Item = Script>) -> Stage {
    Stage::new(false, scripts)
}

impl Stage {
    pub(super) fn new(stream: bool, scripts: impl IntoIterator<Item = Script>) -> Self {
        let provider = |script| Provider { scripts: VecDeque::from([script]), keys: vec![], quirks: Quirks::default() };
        let providers: Vec<Provider> = scripts.into_iter().map(provider).collect();
        let (log, sink, candidates) = (Log::default(), Arc::new(Tally::default()), providers.len());
        let journal = Journal::new(vec![sink.clone()], Label::new(0, "anonymous"), Label::new(0, "none"));
        Self {
            providers: Arc::new(Scripted { providers: Mutex::new(providers), log: log.clone() }),
            log,
            sink,
            journal: Arc::new(journal),
            stream,
            candidates,
            policy: Policy { timeouts: TIMEOUTS, max_attempts: 3 },
            timeout: None,
            begun: Instant::now(),
        }
    }

    /// Gives a provider keys.
    pub(super) fn keys(self, provider: usize, keys: usize) -> Self {
        self.providers.providers.lock().unwrap()[provider].keys = vec![None; keys];
        self
    }

    /// What a provider does when it is asked once more.
    pub(super) fn then(self, provider: usize, script: Script) -> Self {
        self.providers.providers.lock().unwrap()[provider].scripts.push_back(script);
        self
    }

    /// The providers send no terminator.
    pub(super) fn without_done_marker(self) -> Self {
        for provider in &mut *self.providers.providers.lock().unwrap() {
            provider.quirks = Quirks { done_marker: false };
        }
        self
    }

    pub(super) fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.policy.timeouts = timeouts;
        self
    }

    /// The client's own timeout.
    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The time since the stage was set.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn counts(&self) -> Counts {
        self.log.with(|counts| counts.clone())
    }

    /// When exchanges were dropped.
    pub(super) fn dropped(&self) -> Vec<Duration> {
        self.counts().dropped.into_iter().map(|at| at - self.begun).collect()
    }

    /// A call that arrives and is read now.
    pub(super) fn call(&self) -> Call {
        let mut open = self.arrives();
        let request = self.request();
        open.read(now());
        open.asked(&request);
        self.routed(open, anyone())
    }

    pub(super) fn arrives(&self) -> OpenCall {
        self.journal.open(RequestId::minted("r-1"), Dialect::OpenAiChat, now())
    }

    pub(super) fn request(&self) -> llm::ChatRequest {
        let raw = format!(r#"{{"model":"chat","messages":[{{"role":"user"}}],"stream":{}}}"#, self.stream);
        openai_chat::decode(raw.into()).unwrap()
    }

    pub(super) fn routed(&self, open: OpenCall, admitted: Admitted) -> Call {
        let candidate = |provider: usize| {
            let letter = char::from(b'a' + u8::try_from(provider).unwrap());
            let target = TargetId { provider: letter.to_string().into(), model: format!("m-{letter}").into() };
            Candidate { label: Label::new(provider, target.to_string()), target, provider, priority: 0 }
        };
        let plan = Plan {
            route: Label::new(1, "chat"),
            policy: self.policy,
            candidates: (0..self.candidates).map(candidate).collect(),
            passed_over: Vec::new(),
        };
        Call { request: self.request(), plan, admitted, open, timeout: self.timeout }
    }

    pub(super) async fn execute(&self, call: Call) -> Result<Reply, Box<Lost>> {
        Engine::new(self.providers.clone()).execute(call).await
    }

    /// Plays a call that arrives now, to the end of its answer.
    pub(super) async fn play(&self) -> Played {
        self.finish(self.call()).await
    }

    /// Plays this call to the end of its answer.
    pub(super) async fn finish(&self, call: Call) -> Played {
        match self.execute(call).await {
            Err(lost) => {
                let Lost { error, open } = *lost;
                let (at, told) = (self.elapsed(), openai_chat::render(&error));
                open.lost(outcome_of(&error), told.status, told.code);
                self.over(Err(error), at, Vec::new())
            }
            Ok(reply) => {
                let (at, head) = (self.elapsed(), (reply.target.to_string(), reply.degraded));
                assert_eq!((reply.attempts, reply.stream), (self.counts().sent.len(), self.stream));
                let pieces = self.drain(reply.body).await;
                self.over(Ok(head), at, pieces)
            }
        }
    }

    /// Reads a body to its end, as fast as it comes.
    pub(super) async fn drain(&self, mut body: Tail) -> Vec<(Duration, Bytes)> {
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(!piece.is_empty(), "an empty piece ends a chunked body");
            pieces.push((self.elapsed(), piece));
        }
        assert!(http_body::Body::is_end_stream(&body));
        pieces
    }

    fn over(&self, head: Result<(String, bool), CallError>, at: Duration, pieces: Vec<(Duration, Bytes)>) -> Played {
        let over = self.elapsed();
        Played { head, at, pieces, over, record: self.settled(), counts: self.counts() }
    }

    /// The one record of the call, which must be over in every respect.
    pub(super) fn settled(&self) -> CallRecord {
        let counts = self.counts();
        assert_eq!(counts.open, 0, "exchanges left open");
        assert!(counts.most_open <= 1, "exchanges side by side");
        let tally = self.sink.0.lock().unwrap();
        assert_eq!((&*tally.opened, &*tally.released), (&["chat".into()][..], &["chat".into()][..]));
        assert_eq!(tally.records.len(), 1, "records");
        tally.records[0].clone()
    }

    /// Whether nothing has been published yet.
    pub(super) fn is_running(&self) -> bool {
        let tally = self.sink.0.lock().unwrap();
        tally.opened.len() == 1 && tally.released.is_empty() && tally.records.is_empty()
    }
}

/// A caller without limits.
pub(super) fn anyone() -> Admitted {
    Admission::new(Vec::new()).identify(None).unwrap().admit(now()).unwrap()
}

pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A sink that keeps everything.
#[derive(Default)]
struct Tally(Mutex<Told>);

#[derive(Default)]
struct Told {
    opened: Vec<Arc<str>>,
    released: Vec<Arc<str>>,
    records: Vec<CallRecord>,
}

impl Sink for Tally {
    fn opened(&self, route: &Label) {
        self.0.lock().unwrap().opened.push(route.name.clone());
    }

    fn released(&self, route: &Label) {
        self.0.lock().unwrap().released.push(route.name.clone());
    }

    fn record(&self, record: &CallRecord) {
        self.0.lock().unwrap().records.push(record.clone());
    }
}
