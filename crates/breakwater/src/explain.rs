//! `breakwater explain`: the plan of a call, without making it.

use crate::cli::Explain;
use crate::gateway::route_table;
use crate::settings::{Loaded, load, tell};
use anyhow::{Context, Result, anyhow};
use dialects::openai_chat;
use llm::{CallError, ChatRequest};
use routing::{Plan, RouteTable};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// Prints the plan of a route, or of a request.
///
/// # Errors
/// Routes that make no table. A request that cannot be read, or a name that no route answers to, is bad usage.
pub(crate) fn run(options: &Explain) -> Result<ExitCode> {
    let Loaded { settings, .. } = match load(options.config.as_deref()) {
        Ok(loaded) => loaded,
        Err((source, faults)) => {
            tell(&source, &faults);
            return Ok(ExitCode::from(crate::BAD_CONFIG));
        }
    };
    let table = route_table(&settings)?;
    let request = options.request.as_deref().map(read).transpose();
    match request.and_then(|request| plan(&table, options.route.as_deref(), request.as_ref())) {
        Ok(plan) => {
            anstream::print!("{}", describe(&plan));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            Ok(ExitCode::from(crate::BAD_CONFIG))
        }
    }
}

fn plan(table: &RouteTable, route: Option<&str>, request: Option<&ChatRequest>) -> Result<Plan> {
    let rng = &mut fastrand::Rng::new();
    let model = request.map(|request| request.model.as_str());
    let (asked, planned) = match (route, model) {
        (Some(route), model) => (route, table.plan_route(route, model, rng)),
        (None, model) => (model.unwrap_or_default(), table.plan(model.unwrap_or_default(), rng)),
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

/// A plan in words.
fn describe(plan: &Plan) -> String {
    let Plan { route, policy, candidates, passed_over } = plan;
    let timeouts = policy.timeouts;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "route {route}: at most {} attempts; connect {:?}, first token {:?}, idle {:?}, total {:?}",
        policy.max_attempts, timeouts.connect, timeouts.first_token, timeouts.idle, timeouts.total
    );
    for (place, candidate) in candidates.iter().enumerate() {
        let late = place >= policy.max_attempts as usize;
        let note = if late { "  (only if an attempt is left: over max_attempts)" } else { "" };
        let _ = writeln!(text, "  {}. {}  priority {}{note}", place + 1, candidate.target, candidate.priority);
    }
    let shared = candidates.windows(2).any(|pair| matches!(pair, [a, b] if a.priority == b.priority));
    if shared {
        text.push_str("  Targets of equal priority are drawn by weight for every call; this is one draw.\n");
    }
    for passed in passed_over {
        let _ = writeln!(text, "  passed over: {}: {}", passed.target, passed.reason);
    }
    text
}
