//! The stage: two simulated providers and, in front of them, the gateway as `serve` would run it.
//!
//! Must never be here: a shortcut. Calls take the same way as anybody's, over loopback sockets.

use super::watch::Watch;
use super::{Pace, acts};
use crate::gateway::Gateway;
use anyhow::{Context, Result, anyhow};
use config::{Format, Settings};
use engine::Sink;
use simulator::{Behaviour, Control, Simulator};
use slo::Objective;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The second choice's name.
pub(super) const SPARE: &str = "spare";

/// Everything that runs while the demo plays; dropped, it ends.
pub(super) struct Stage {
    /// Tells the primary how to behave.
    pub(super) primary: Control,
    /// Where clients call.
    pub(super) gateway: SocketAddr,
    /// What the gateway says about each call.
    pub(super) watch: Arc<Watch>,
    /// What the route promises.
    pub(super) objective: Objective,
    _running: JoinSet<()>,
}

impl Stage {
    /// Starts providers and gateway, each on a port of the system's choice.
    ///
    /// # Errors
    /// No port of the loopback can be had.
    pub(super) async fn set(pace: Pace) -> Result<Self> {
        let mut running = JoinSet::new();
        let (primary, primary_at) = provider(&mut running, acts::primary(None)).await?;
        let (_, spare_at) = provider(&mut running, acts::spare()).await?;
        let settings = settings(primary_at, spare_at, pace.rest)?;
        let objective = settings.objectives.first().map(|route| route.first_token_under);
        let objective = objective.map_or_else(Objective::default, |under| Objective { first_token_under: under });
        let watch = Arc::new(Watch::default());
        let gateway = Gateway::build(settings, vec![Arc::clone(&watch) as Arc<dyn Sink>], None).await?;
        let address = gateway.address()?;
        running.spawn(gateway.run());
        Ok(Self { primary, gateway: address, watch, objective, _running: running })
    }
}

async fn provider(running: &mut JoinSet<()>, behaviour: Behaviour) -> Result<(Control, SocketAddr)> {
    let simulator = Simulator::new(simulator::Settings { behaviour, ..simulator::Settings::default() });
    let control = simulator.control();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot open a simulated provider")?;
    let address = listener.local_addr()?;
    running.spawn(async move { simulator.serve(listener).await });
    Ok((control, address))
}

/// The gateway's configuration, written as a user would write it.
fn settings(primary: SocketAddr, spare: SocketAddr, rest: Duration) -> Result<Settings> {
    let rest = rest.as_millis();
    let (most, ramp) = (2 * rest, 2 * rest);
    let file = format!(
        r#"
listen: 127.0.0.1:0
admin: {{ listen: 127.0.0.1:0 }}
providers:
  primary: {{ kind: openai, base_url: "http://{primary}/v1" }}
  {SPARE}: {{ kind: openai, base_url: "http://{spare}/v1" }}
routes:
  chat:
    targets: [primary/large, {SPARE}/small]
    breaker: {{ open: {rest}ms, max_open: {most}ms, ramp: {ramp}ms }}
    timeouts: {{ connect: 1s, first_token: 600ms, idle: 800ms, total: 2s }}
    slo: {{ first_token: {{ under: 1s }} }}
"#
    );
    config::parse(&file, Format::Yaml, &|_| None).map_err(|faults| anyhow!("{}", config::render(&faults, &[])))
}
