//! The wiring: settings to a gateway that only has to be run.

use admission::Admission;
use anyhow::{Context, Result};
use config::{Provider, Settings};
use dialects::Quirks;
use dialects::openai_chat::Server;
use engine::{AnswerPolicy, Engine, GatePolicies, Journal, Sink};
use llm::{Api, Dialect, TargetId};
use routing::RouteTable;
use server::{Admin, App, Health, ListenLimits, Listener, Phase, admin_router, data_router};
use simulator::{Behaviour, Simulator};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use telemetry::{LogSink, Metrics};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use upstream::{Credential, ProviderSettings, Site, Upstream, Webhooks};

/// The most connections of the admin listener.
const ADMIN_CONNECTIONS: usize = 64;

/// A gateway with bound listeners, not yet accepting.
pub(crate) struct Gateway {
    data: Listener,
    admin: Listener,
    app: Arc<App>,
    admin_state: Arc<Admin>,
    health: Health,
    /// The built-in providers it calls; they end with it.
    simulators: JoinSet<()>,
}

impl Gateway {
    /// Builds a gateway and binds its listeners. Calls are recorded in metrics and in `sinks`.
    ///
    /// # Errors
    /// An address that cannot be listened on, or a provider that cannot be called at all.
    pub(crate) async fn build(
        settings: Settings,
        mut sinks: Vec<Arc<dyn Sink>>,
        log: Option<&LogSink>,
    ) -> Result<Self> {
        let table = route_table(&settings)?;
        let connect_timeouts = connect_timeouts(&settings);
        let Settings { listen, admin, limits, providers, callers, objectives, gates, contracts, files, .. } = settings;
        let provider_names = providers.iter().map(|provider| Arc::clone(provider.name())).collect();
        let data_limits = ListenLimits { connections: limits.connections, header_timeout: limits.header_timeout };
        let admin_limits = ListenLimits { connections: ADMIN_CONNECTIONS, ..data_limits };
        let data = bind("the data listener", "--listen", listen, data_limits).await?;
        let admin_listener = bind("the admin listener", "--admin", admin.listen, admin_limits).await?;

        let (providers, simulators) = start_simulators(providers).await?;
        let upstream = Upstream::new(providers, &connect_timeouts)?;
        let admission = Admission::new(callers);
        let metrics = Arc::new(Metrics::new(
            &table.route_labels(),
            &admission.caller_labels(),
            &table.target_labels(),
            objectives,
            env!("CARGO_PKG_VERSION"),
        )?);
        if let Some(log) = log {
            metrics.watch(log)?;
        }
        sinks.push(Arc::clone(&metrics) as Arc<dyn Sink>);
        let gates: GatePolicies = Arc::new(move |target: &TargetId| gates.of(target));
        let mut webhooks = upstream.webhooks();
        let answers = contracts.into_iter().map(|policy| answers(policy, &mut webhooks)).collect();
        let engine = Engine::new(Arc::new(upstream), &table, gates, answers, sinks.clone(), Instant::now());
        metrics.watch_engine(&engine, &table.route_labels(), &table.target_labels())?;
        let journal = Arc::new(Journal::new(sinks, admission.anonymous().clone(), table.none().clone()));
        let health = Health::default();
        let app = App {
            admission,
            table,
            engine: engine.clone(),
            journal,
            limits: server::Limits { body: limits.body },
            providers: provider_names,
            files,
            talks: App::room_for_talks(),
            health: health.clone(),
        };
        let admin_state = Admin { metrics, engine, health: health.clone(), token: admin.token };
        let (app, admin_state) = (Arc::new(app), Arc::new(admin_state));
        Ok(Self { data, admin: admin_listener, app, admin_state, health, simulators })
    }

    /// Where clients connect.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.data.address()?)
    }

    /// Where metrics and administration are.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn admin_address(&self) -> Result<SocketAddr> {
        Ok(self.admin.address()?)
    }

    /// What moves the gateway from phase to phase.
    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// What a client may ask for, for the greeting.
    pub(crate) fn models(&self) -> Vec<String> {
        self.app.table.models()
    }

    /// Serves until its health says to end, or to drain and nothing is left to do.
    pub(crate) async fn run(self) {
        let Self { data, admin, app, admin_state, health, simulators } = self;
        let turned_away = {
            let app = Arc::clone(&app);
            move || turn_away(&app)
        };
        let ended = health.clone();
        let data = async {
            data.serve(data_router(app), health.clone(), turned_away).await;
            // Metrics and probes are served until the last call is done.
            ended.advance(Phase::Ending);
        };
        let admin = admin.serve_to_the_end(admin_router(admin_state), health.clone());
        tokio::join!(data, admin);
        drop(simulators);
    }
}

/// Records a connection over the ceiling as the call it was meant to carry.
fn turn_away(app: &App) {
    let id = llm::RequestId::minted("none");
    let open = app.journal.open(id, Dialect::OpenAiChat, Instant::now());
    open.lost(llm::Outcome::Shed, 503, "overloaded");
}

/// The routes of a configuration.
///
/// # Errors
/// None for settings that `config` has validated.
pub(crate) fn route_table(settings: &Settings) -> Result<RouteTable> {
    Ok(RouteTable::new(settings.routes.clone(), settings.direct.clone(), settings.facts.clone())?)
}

fn connect_timeouts(settings: &Settings) -> Vec<Duration> {
    let policies = settings.routes.iter().map(|route| &route.policy).chain(&settings.direct);
    policies.map(|policy| policy.timeouts.connect).collect()
}

async fn bind(what: &str, flag: &str, address: SocketAddr, limits: ListenLimits) -> Result<Listener> {
    Listener::bind(address, limits).await.with_context(|| {
        format!("cannot open {what} on {address} (choose another address with {flag} or in the configuration)")
    })
}

fn answers(policy: config::AnswerPolicy, webhooks: &mut Webhooks) -> AnswerPolicy {
    let config::AnswerPolicy { contract, hold, webhook } = policy;
    let adviser = webhook.map(|webhook| webhooks.of(&webhook));
    AnswerPolicy { contract, hold_bytes: hold.bytes, hold_time: hold.time, adviser }
}

/// Gives every simulated provider a listener of its own on the loopback, so that it is called like any other.
async fn start_simulators(providers: Vec<Provider>) -> Result<(Vec<ProviderSettings>, JoinSet<()>)> {
    let mut running = JoinSet::new();
    let mut settings = Vec::with_capacity(providers.len());
    for (seed, provider) in (0..).zip(providers) {
        settings.push(match provider {
            Provider::Http(provider) => provider,
            Provider::Simulated { name, behaviour } => {
                let behaviour = match behaviour {
                    Some(json) => Behaviour::from_json(json.to_string().as_bytes())
                        .with_context(|| format!("providers.{name}.behaviour"))?,
                    None => Behaviour::default(),
                };
                let simulator = Simulator::new(simulator::Settings { behaviour, seed, keys: Vec::new() });
                let listener =
                    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot open the simulator")?;
                let base_url = format!("http://{}/v1", listener.local_addr()?).parse()?;
                running.spawn(async move { simulator.serve(listener).await });
                ProviderSettings {
                    name,
                    base_url,
                    credential: Credential::default(),
                    headers: Vec::new(),
                    quirks: Quirks { server: Server::OPENAI, ..Quirks::default() },
                    apis: vec![Api::Shared(Dialect::OpenAiChat)],
                    passthrough: Vec::new(),
                    site: Site::default(),
                }
            }
        });
    }
    Ok((settings, running))
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Format;

    #[test]
    fn routes_that_name_one_webhook_share_its_adviser() {
        let webhook = |path| format!("{{ webhook: {{ url: 'https://checks.test/{path}' }} }}");
        let yaml = format!(
            "providers: {{ p: {{ kind: simulator }} }}
routes:
  a: {{ targets: [p/m], contract: {} }}
  b: {{ targets: [p/m], contract: {} }}
  c: {{ targets: [p/m], contract: {} }}
  d: {{ targets: [p/m] }}",
            webhook("judge"),
            webhook("judge"),
            webhook("other"),
        );
        let settings = config::parse(&yaml, Format::Yaml, &|_| None).expect("sound");
        let mut webhooks = Upstream::new(Vec::new(), &[]).expect("an upstream").webhooks();
        let advisers = settings.contracts.into_iter().map(|policy| answers(policy, &mut webhooks).adviser);
        let [Some(a), Some(b), Some(c), None, None] = &advisers.collect::<Vec<_>>()[..] else {
            panic!("three routes ask, one and direct calls do not")
        };
        assert!(Arc::ptr_eq(a, b) && !Arc::ptr_eq(a, c));
    }
}
