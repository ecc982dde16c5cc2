//! `breakwater explain`: the plan of a call, without making it, and how its targets are where a gateway runs.
//!
//! Lives here: the order of things. `live` asks the gateway, `words`, `facts` and `contract` say it all. Must never be here: a way to fail
//! because no gateway runs.

mod contract;
mod facts;
mod live;
mod words;

use crate::cli::Explain;
use crate::gateway::route_table;
use crate::settings::{Loaded, load, tell};
use anyhow::{Context, Result, anyhow};
use dialects::openai_chat;
use llm::{CallError, ChatRequest};
use routing::{NoLoads, Pick, Plan, RouteTable};
use std::path::Path;
use std::process::ExitCode;

/// Prints the plan of a route, or of a request.
///
/// # Errors
/// Routes that make no table. A request that cannot be read, or a name that no route answers to, is bad usage.
pub(crate) async fn run(options: Explain) -> Result<ExitCode> {
    let Loaded { settings, .. } = match load(options.config.as_deref()) {
        Ok(loaded) => loaded,
        Err((source, faults)) => {
            tell(&source, &faults);
            return Ok(ExitCode::from(crate::BAD_CONFIG));
        }
    };
    let table = route_table(&settings)?;
    let request = options.request.as_deref().map(read).transpose();
    let terms = request.as_ref().ok().and_then(Option::as_ref).map(|request| openai_chat::terms(&request.raw));
    match request.and_then(|request| plan(&table, options.route.as_deref(), request.as_ref())) {
        Ok(plan) => {
            let live = live::ask(options.admin.unwrap_or(settings.admin.listen), settings.admin.token.as_ref()).await;
            anstream::print!("{}", words::describe(&plan, &settings.gates, table.domains(), &live));
            if let Some(answers) = settings.contracts.get(plan.route.index) {
                anstream::print!("{}", contract::describe(answers, terms.as_ref()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            Ok(ExitCode::from(crate::BAD_CONFIG))
        }
    }
}

fn plan(table: &RouteTable, route: Option<&str>, request: Option<&ChatRequest>) -> Result<Plan> {
    let pick = &mut Pick { rng: &mut fastrand::Rng::new(), session: None, loads: &NoLoads };
    let model = request.map(|request| request.model.as_str());
    let (asked, planned) = match (route, model) {
        (Some(route), model) => (route, table.plan_route(route, model, pick)),
        (None, model) => (model.unwrap_or_default(), table.plan(model.unwrap_or_default(), pick)),
    };
    planned.map_err(|_| anyhow!("no route answers to `{asked}`; there are: {}", table.models().join(", ")))
}

fn read(path: &Path) -> Result<ChatRequest> {
    let shown = path.display();
    let body = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    openai_chat::decode(body.into()).map_err(|error| match error {
        CallError::InvalidRequest { message, .. } => anyhow!("{shown}: {message}"),
        other => anyhow!("{shown}: {other:?}"),
    })
}
