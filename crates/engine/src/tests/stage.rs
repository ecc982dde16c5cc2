//! What calls are made on: providers and what is known of them, a route and its policy, one engine.
//!
//! `playing` carries calls out, `seen` keeps what came of them and checks what must hold for every call: one record, no
//! two attempts at once but for a hedge, no more attempts than are allowed. A stage for one call also checks its
//! exchanges; one for many is asked at the end whether all is idle.

mod playing;
mod seen;
mod speaking;

pub(super) use playing::{Played, futures};

use super::script::{Asked, Counts, Log, Play, Provider, Script, Scripted, events, json, ms};
use crate::{AnswerPolicy, Call, Engine, GatePolicies, Journal, OpenCall};
use admission::{Admission, Admitted};
use contracts::Contract;
use dialects::Quirks;
use llm::{Api, Dialect, Label, Priority, RequestId, TargetId};
use resilience::GatePolicy;
use routing::{
    Hedge, HedgeAfter, ModelChoice, ModelFacts, NoLoads, Pick, Policy, ProviderFacts, RouteSettings, RouteTable,
    TargetSettings, Timeouts,
};
use seen::Tally;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::time::Instant;
use upstream::Adviser;

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

/// A sound answer.
pub(super) fn good(stream: bool) -> Script {
    if stream { events().say([ROLE, HI, STOP, DONE].concat()) } else { json(200, ANSWER) }
}

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
    /// The targets of each route in the order to try them: the provider and the model. The first route is `chat`.
    routes: Vec<(&'static str, Vec<(usize, String)>)>,
    /// What is known of each provider's models.
    facts: Vec<ModelFacts>,
    /// The failure domains of each provider.
    domains: Vec<Vec<Arc<str>>>,
    gate: GatePolicy,
    contract: contracts::Policy,
    hold: (usize, Duration),
    adviser: Option<Arc<dyn Adviser>>,
    priority: Priority,
    /// What the client speaks.
    client: Dialect,
    /// Fields that the request has besides.
    fields: String,
    table: OnceLock<RouteTable>,
    engine: OnceLock<Engine>,
    /// Calls made.
    calls: AtomicUsize,
    policy: Policy,
    timeout: Option<Duration>,
    begun: Instant,
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
        // Whoever asks for chance here gets the same every time.
        fastrand::seed(7);
        let provider = |script| Provider {
            scripts: VecDeque::from([script]),
            play: None,
            asked: 0,
            keys: vec![],
            quirks: Quirks::default(),
            api: Api::Shared(Dialect::OpenAiChat),
        };
        let providers: Vec<Provider> = scripts.into_iter().map(provider).collect();
        let (log, sink, count, begun) = (Log::default(), Arc::new(Tally::default()), providers.len(), Instant::now());
        let own = |provider: usize| (provider, format!("m-{}", letter(provider)));
        let journal = Journal::new(vec![sink.clone()], Label::new(0, "anonymous"), Label::new(0, "none"));
        Self {
            providers: Arc::new(Scripted { providers: Mutex::new(providers), begun, log: log.clone() }),
            log,
            sink,
            journal: Arc::new(journal),
            stream,
            routes: vec![("chat", (0..count).map(own).collect())],
            facts: vec![ModelFacts::default(); count],
            domains: vec![Vec::new(); count],
            gate: GatePolicy::default(),
            contract: contracts::Policy::default(),
            hold: (64 * 1024, ms(30_000)),
            adviser: None,
            priority: Priority::Normal,
            client: Dialect::OpenAiChat,
            fields: String::new(),
            table: OnceLock::new(),
            engine: OnceLock::new(),
            calls: AtomicUsize::new(0),
            policy: Policy { timeouts: TIMEOUTS, ..Policy::default() },
            timeout: None,
            begun,
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
            provider.quirks = Quirks { done_marker: false, ..Quirks::default() };
        }
        self
    }

    /// What a provider does, decided anew for each exchange by how many came before and when it is.
    pub(super) fn plays(
        self,
        provider: usize,
        mut play: impl FnMut(usize, Duration) -> Script + Send + 'static,
    ) -> Self {
        self.lives(provider, move |asked| play(asked.before, asked.at))
    }

    /// What a provider does, decided anew for each exchange.
    pub(super) fn lives(self, provider: usize, play: impl FnMut(Asked) -> Script + Send + 'static) -> Self {
        let play: Play = Box::new(play);
        self.providers.providers.lock().unwrap()[provider].play = Some(play);
        self
    }

    /// What is known of a provider's models.
    pub(super) fn facts(mut self, provider: usize, facts: ModelFacts) -> Self {
        self.facts[provider] = facts;
        self
    }

    /// Puts a provider into a failure domain.
    pub(super) fn domain(mut self, provider: usize, domain: &str) -> Self {
        self.domains[provider].push(domain.into());
        self
    }

    /// The targets of `chat`: provider and model.
    pub(super) fn targets(mut self, targets: &[(usize, &str)]) -> Self {
        self.routes[0].1 = targets.iter().map(|(provider, model)| (*provider, (*model).into())).collect();
        self
    }

    /// Another route, with targets of its own and the same policy but for last resorts.
    pub(super) fn route(mut self, name: &'static str, targets: &[(usize, &str)]) -> Self {
        self.routes.push((name, targets.iter().map(|(provider, model)| (*provider, (*model).into())).collect()));
        self
    }

    /// What answers have to satisfy.
    pub(super) fn contract(mut self, change: impl FnOnce(&mut contracts::Policy)) -> Self {
        change(&mut self.contract);
        self
    }

    /// How much of a stream is held back, and for how long.
    pub(super) fn hold(mut self, bytes: usize, millis: u64) -> Self {
        self.hold = (bytes, ms(millis));
        self
    }

    /// Who is asked about answers, and whether they pass where nobody says so.
    pub(super) fn advised_by(mut self, adviser: Arc<dyn Adviser>, fail_open: bool) -> Self {
        self.adviser = Some(adviser);
        self.contract(|policy| {
            policy.require.insert(contracts::Check::Webhook);
            policy.webhook = Some(contracts::Webhook { fail_open });
        })
    }

    /// How every target is watched and bounded.
    pub(super) fn gate(mut self, change: impl FnOnce(&mut GatePolicy)) -> Self {
        change(&mut self.gate);
        self
    }

    pub(super) fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// A second target is asked so long after the first.
    pub(super) fn hedged(self, after: u64) -> Self {
        self.policy(|policy| policy.hedge = Some(Hedge { after: HedgeAfter::Fixed(ms(after)), max_share: 1.0 }))
    }

    /// Fields that the request has besides, each after a comma.
    pub(super) fn fields(mut self, fields: &str) -> Self {
        self.fields = fields.into();
        self
    }

    pub(super) fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.policy.timeouts = timeouts;
        self
    }

    /// The most attempts.
    pub(super) fn attempts(mut self, most: usize) -> Self {
        self.policy.max_attempts = u32::try_from(most.max(1)).unwrap();
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
        self.call_of_kind(self.stream)
    }

    /// A call for a stream, or for a whole answer.
    pub(super) fn call_of_kind(&self, stream: bool) -> Call {
        let mut open = self.arrives();
        let request = self.request_of(stream);
        open.read(now());
        open.asked(&request);
        Call { request, ..self.routed(open, anyone()) }
    }

    /// A call that matters so much.
    pub(super) fn call_of(&self, priority: Priority) -> Call {
        Call { priority, ..self.call() }
    }

    /// A call for `model`, whatever that is.
    pub(super) fn call_for(&self, model: &str) -> Call {
        let plan = self.table().plan(model, &mut pick(&mut fastrand::Rng::with_seed(1))).unwrap();
        Call { plan, ..self.call() }
    }

    pub(super) fn arrives(&self) -> OpenCall {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.journal.open(RequestId::minted(&format!("r-{number}")), self.client, now())
    }

    pub(super) fn request(&self) -> llm::ChatRequest {
        self.request_of(self.stream)
    }

    pub(super) fn routed(&self, open: OpenCall, admitted: Admitted) -> Call {
        let plan = self.table().plan("chat", &mut pick(&mut fastrand::Rng::with_seed(1))).unwrap();
        let priority = self.priority;
        Call { request: self.request(), plan, admitted, open, timeout: self.timeout, priority }
    }

    /// The routes over the providers, in order.
    fn table(&self) -> &RouteTable {
        self.table.get_or_init(|| {
            let facts = |place: usize| ProviderFacts {
                name: letter(place).into(),
                domains: self.domains[place].clone(),
                others: self.facts[place],
                ..ProviderFacts::default()
            };
            let routes = self.routes.iter().map(|(name, targets)| self.route_settings(name, targets)).collect();
            let direct = Policy { last_resorts: Vec::new(), ..self.policy.clone() };
            RouteTable::new(routes, Some(direct), (0..self.facts.len()).map(facts).collect()).unwrap()
        })
    }

    fn route_settings(&self, name: &str, targets: &[(usize, String)]) -> RouteSettings {
        let target = |(place, (provider, model)): (usize, &(usize, String))| TargetSettings {
            provider: letter(*provider).into(),
            model: ModelChoice::Fixed(model.as_str().into()),
            weight: 1,
            priority: u32::try_from(place).unwrap(),
        };
        let mut policy = self.policy.clone();
        if name != "chat" {
            policy.last_resorts.clear();
        }
        let targets = targets.iter().enumerate().map(target).collect();
        RouteSettings { name: name.into(), aliases: Vec::new(), targets, policy }
    }

    /// The engine of all calls of this stage.
    pub(super) fn engine(&self) -> &Engine {
        self.engine.get_or_init(|| {
            let gates: GatePolicies = {
                let gate = self.gate;
                Arc::new(move |_: &TargetId| gate)
            };
            let contract = Arc::new(Contract::new(self.contract.clone(), Arc::default()).unwrap());
            let (hold_bytes, hold_time) = self.hold;
            let answers = AnswerPolicy { contract, hold_bytes, hold_time, adviser: self.adviser.clone() };
            let answers = vec![answers; self.table().route_labels().len()];
            Engine::new(self.providers.clone(), self.table(), gates, answers, vec![self.sink.clone()], now())
        })
    }
}

fn letter(place: usize) -> String {
    char::from(b'a' + u8::try_from(place).unwrap()).to_string()
}

fn pick(rng: &mut fastrand::Rng) -> Pick<'_> {
    Pick { rng, session: None, loads: &NoLoads }
}

/// A caller without limits.
pub(super) fn anyone() -> Admitted {
    Admission::new(Vec::new()).identify(None).unwrap().admit(now()).unwrap()
}

pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
