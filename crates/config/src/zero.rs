//! What to serve without a config file: the providers whose keys the environment holds, else the simulator.

use crate::settings::{Admin, Drain, Gates, Limits, Provider, Settings};
use crate::{Env, Fault, defaults, resolve};
use routing::{ModelChoice, Policy, ProviderFacts, RouteSettings, TargetSettings};
use slo::Objective;
use std::sync::Arc;
use upstream::{PRESETS, Preset, ProviderSettings};

const SIMULATOR: &str = "simulator";

/// Settings from the environment alone.
///
/// Every preset whose usual key variable is set and not empty becomes a provider and a route, both named
/// after its kind; the route answers to the preset's example model, which is what `GET /v1/models` then lists, to its
/// model families, and the first route to every other name.
/// With no key at all the one provider is the simulator. What was passed over is in `warnings`. White space around a
/// value, such as the line end of a file it was read from, is no part of it.
///
/// # Errors
/// Keys are set and none of them can be used: whoever set them does not want the simulator.
pub fn zero_config(env: Env<'_>) -> Result<Settings, Vec<Fault>> {
    let trimmed = |value: String| value.trim().to_owned();
    let set = |name: &str| env(name).map(trimmed).filter(|value| !value.is_empty());
    let mut warnings = Vec::new();
    let (mut found, mut elsewhere) = (Vec::new(), Vec::new());
    for preset in PRESETS {
        let usual = preset.key_variables.iter().find_map(|name| set(name).map(|key| (*name, key)));
        let Some((variable, key)) = usual else { continue };
        if preset.base_url.is_none() {
            let why = format!("{} is left out: its address needs a file that says where it is", preset.kind);
            elsewhere.push(Fault::new(variable, why));
            continue;
        }
        match provider(preset, &set, key) {
            Ok(provider) => found.push((preset, provider)),
            Err(why) => warnings.push(Fault::new(variable, format!("{} is left out: {why}", preset.kind))),
        }
    }
    if found.is_empty() && !warnings.is_empty() {
        return Err(warnings);
    }
    warnings.extend(elsewhere);
    let (providers, routes) = if found.is_empty() { simulated() } else { served(found) };
    let (providers, facts) = providers.into_iter().unzip();
    Ok(settings(providers, facts, routes, warnings))
}

fn provider(preset: &Preset, set: &dyn Fn(&str) -> Option<String>, key: String) -> Result<ProviderSettings, String> {
    // The one provider whose clients all honour a variable for its address.
    let address = (preset.kind == "openai").then(|| set("OPENAI_BASE_URL")).flatten();
    let named = if address.is_some() { "its key or OPENAI_BASE_URL" } else { "its key" };
    resolve::http(preset, address.as_deref(), key).map_err(|why| format!("{named} {why}"))
}

/// A provider with what is known of it.
type Known = (Provider, ProviderFacts);

fn known(provider: Provider, kind: &str, library: &mut resolve::Library) -> Known {
    let facts = resolve::unsaid_facts(&provider, kind, library);
    (provider, facts)
}

fn served(found: Vec<(&Preset, ProviderSettings)>) -> (Vec<Known>, Vec<RouteSettings>) {
    let routes = found.iter().enumerate().map(|(place, (preset, _))| {
        let everything_else = (place == 0).then_some("*");
        route(preset.kind, preset.example.into_iter().chain(preset.families.iter().copied()).chain(everything_else))
    });
    let routes = routes.collect();
    let library = &mut resolve::Library::default();
    let known = |(preset, provider): (&Preset, _)| known(Provider::Http(provider), preset.kind, library);
    (found.into_iter().map(known).collect(), routes)
}

fn simulated() -> (Vec<Known>, Vec<RouteSettings>) {
    let provider = Provider::Simulated { name: SIMULATOR.into(), behaviour: None };
    (vec![known(provider, SIMULATOR, &mut resolve::Library::default())], vec![route(SIMULATOR, ["*"])])
}

fn route<'a>(name: &str, aliases: impl IntoIterator<Item = &'a str>) -> RouteSettings {
    let name: Arc<str> = name.into();
    let provider = Arc::clone(&name);
    let model = ModelChoice::AsRequested;
    RouteSettings {
        name,
        aliases: aliases.into_iter().map(str::to_owned).collect(),
        targets: vec![TargetSettings { provider, model, weight: defaults::WEIGHT, priority: 1 }],
        policy: Policy::default(),
    }
}

fn settings(
    providers: Vec<Provider>,
    facts: Vec<ProviderFacts>,
    routes: Vec<RouteSettings>,
    warnings: Vec<Fault>,
) -> Settings {
    let usual = resolve::AnswerRules::usual(Arc::default()).answers;
    Settings {
        listen: defaults::LISTEN,
        open: false,
        admin: Admin { listen: defaults::ADMIN_LISTEN, token: None },
        limits: Limits {
            body: defaults::BODY,
            connections: defaults::CONNECTIONS,
            header_timeout: defaults::HEADER_TIMEOUT,
        },
        drain: Drain { linger: defaults::LINGER, timeout: defaults::DRAIN_TIMEOUT },
        objectives: vec![Objective { first_token_under: defaults::FIRST_TOKEN_UNDER }; routes.len()],
        contracts: vec![usual; routes.len() + 1],
        files: providers.iter().position(|provider| &**provider.name() == "openai"),
        providers,
        facts,
        gates: Gates::default(),
        routes,
        direct: Some(Policy::default()),
        callers: Vec::new(),
        warnings,
    }
}
