//! LiteLLM's proxy: `model_list` and the settings beside it.
//!
//! What its keys mean is told by its documentation (docs.litellm.ai, November 2026) and by the files people write.
//! Entries of one `model_name` share their calls, so each such group becomes a route, its entries targets of it, and
//! what they say of addresses and keys providers.

mod account;
mod address;
mod deployment;
mod fallbacks;
mod fields;
mod groups;
mod kinds;
mod model;
mod secret;
mod settings;
mod signing;

use crate::Import;
use crate::finding::Findings;
use crate::gateway::Gateway;
use deployment::Deployments;
use fields::{Fields, fields, list};
use serde_json::Value;

/// Nesting deeper than any configuration, shallow enough for every stack.
const DEPTH: usize = 64;
/// Nodes in a file, those that its aliases repeat included.
const NODES: usize = 100_000;
/// Bytes of all scalars, those that its aliases repeat included.
const SCALAR_BYTES: usize = 4 << 20;

/// A `config.yaml` of LiteLLM's proxy in our words.
///
/// # Errors
/// Text that is no YAML, or holds no `model_list` of which anything could be called.
pub fn litellm(text: &str) -> Result<Import, String> {
    let mut file = parse(text)?;
    let mut findings = Findings::default();
    let mut gateway = Gateway::default();
    let credentials = account::credentials(&mut file, &mut findings);
    let entries = list(file.remove("model_list")).ok_or("it has no model_list")?;
    let mut deployments = Deployments::default();
    for (place, entry) in entries.into_iter().enumerate() {
        deployments.add(&format!("model_list[{place}]"), entry, &credentials, &mut findings);
    }
    let (groups, providers) = deployments.into_groups();
    gateway.providers = providers;
    groups::routes(&mut gateway, &groups, settings::is_shuffled(&file), &mut findings);
    if gateway.routes.is_empty() && !gateway.direct {
        return Err("nothing in its model_list could be called here".to_owned());
    }
    settings::all(&mut gateway, file, &groups, &mut findings);
    Ok(Import { file: gateway.write(), findings: findings.into_list() })
}

fn parse(text: &str) -> Result<Fields, String> {
    let budget = serde_saphyr::budget! {
        max_depth: DEPTH,
        max_nodes: NODES,
        max_total_scalar_bytes: SCALAR_BYTES,
    };
    // Neither a snippet nor the error's own words: the line may hold a secret.
    let options = serde_saphyr::options! { budget: budget, with_snippet: false };
    let tree: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place =
            error.location().map(|location| format!(" at line {}, column {}", location.line(), location.column()));
        format!("it is no YAML{}", place.unwrap_or_default())
    })?;
    fields(Some(tree)).ok_or_else(|| "it is no mapping of keys such as model_list".to_owned())
}
