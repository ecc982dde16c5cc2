//! Groups to routes: targets with their shares and places, waits, attempts, and what patterns come to.

use super::deployment::{Deployment, Group};
use crate::finding::Findings;
use crate::gateway::{Gateway, Route, Target};

/// Names that mean something else here.
const RESERVED: &[&str] = &["direct", "none"];
/// The longest name of a route, in bytes.
const LONGEST: usize = 64;
/// The most that a weight may be.
const HEAVIEST: f64 = 1e9;

/// Adds a route for each group.
pub(super) fn routes(gateway: &mut Gateway, groups: &[Group], shuffled: bool, findings: &mut Findings) {
    for group in groups {
        let mut route = Route { name: route_name(&group.name, groups), ..Route::default() };
        if route.name != group.name {
            route.aliases.push(group.name.clone());
        }
        let weights = weights(&group.deployments, shuffled);
        for (deployment, weight) in group.deployments.iter().zip(weights) {
            match kept(&group.name, deployment) {
                Kept::Target => {
                    findings.exact(&format!("{}.model_name", deployment.entry_at), format!("routes.{}", route.name));
                    add(&mut route, deployment, weight, shuffled, findings);
                }
                Kept::Directly => {
                    gateway.direct = true;
                    findings.exact(&format!("{}.model_name", deployment.entry_at), "direct");
                    let why = "clients name provider/model, of every provider in the file";
                    findings.approximate(&format!("{}.model", deployment.at), "direct", why);
                    unplaced(deployment, "it has no route: direct calls follow `defaults`", findings);
                }
                Kept::Not => {
                    let why =
                        "a pattern keeps the name that the client asked for, and this one changes it: list the models";
                    findings.manual(&format!("{}.model", deployment.at), why);
                    findings.manual(&format!("{}.model_name", deployment.entry_at), "its entry has become no target");
                    unplaced(deployment, "its entry has become no target", findings);
                }
            }
        }
        waits(&mut route, &group.name, &group.deployments, findings);
        if !route.targets.is_empty() {
            gateway.routes.push(route);
        }
    }
}

/// What becomes of a pattern.
enum Kept {
    /// The name that is asked for is the model's.
    Target,
    /// The provider stands before it, as in a direct call.
    Directly,
    /// Neither.
    Not,
}

fn kept(group: &str, deployment: &Deployment) -> Kept {
    let Some(model) = deployment.model.strip_suffix('*') else {
        return if deployment.model.contains('*') { Kept::Not } else { Kept::Target };
    };
    match group.strip_suffix('*') {
        Some(asked) if asked == model && !model.contains('*') => Kept::Target,
        Some(asked) if asked.split_once('/') == Some((&deployment.provider, model)) => Kept::Directly,
        _ => Kept::Not,
    }
}

/// A name that a route may have; patterns and odd names become aliases.
fn route_name(group: &str, groups: &[Group]) -> String {
    let sound = group.len() <= LONGEST && group.bytes().all(|byte| byte.is_ascii_graphic());
    if sound && !group.contains('*') && !RESERVED.contains(&group) && !group.is_empty() {
        return group.to_owned();
    }
    let plain: String =
        group.replace('*', "any").chars().filter(char::is_ascii_alphanumeric).take(LONGEST / 2).collect();
    let taken =
        |name: &str| groups.iter().any(|other| other.name == name) || RESERVED.contains(&name) || name.is_empty();
    let numbered = (2..).map(|number| format!("{plain}_{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(plain)
}

/// The share of each entry: what it says, else what it takes in a minute where shares go by that.
fn weights(deployments: &[Deployment], shuffled: bool) -> Vec<u64> {
    let all = |read: fn(&Deployment) -> Option<f64>| deployments.iter().map(read).collect::<Option<Vec<f64>>>();
    let said = deployments.iter().any(|one| one.weight.is_some());
    let said = said.then(|| deployments.iter().map(|one| one.weight.unwrap_or(1.0)).collect());
    let rates = || all(|one| one.rpm).or_else(|| all(|one| one.tpm)).filter(|_| shuffled);
    let shares: Vec<f64> = said.or_else(rates).unwrap_or_else(|| vec![1.0; deployments.len()]);
    let scale = if shares.iter().all(|share| share.fract() == 0.0) { 1.0 } else { 1000.0 };
    let whole: Vec<u64> = shares.iter().map(|share| (share * scale).round().min(HEAVIEST) as u64).collect();
    let divisor = whole.iter().copied().fold(0, divisor).max(1);
    whole.into_iter().map(|share| share / divisor).collect()
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn add(route: &mut Route, deployment: &Deployment, weight: u64, shuffled: bool, findings: &mut Findings) {
    let model = if deployment.model.ends_with('*') { "*" } else { &deployment.model };
    let priority = deployment.order.unwrap_or(1).max(1);
    let to = format!("routes.{}.targets", route.name);
    let at = |key: &str| format!("{}.{key}", deployment.at);
    if deployment.weight.is_some() {
        findings.exact(&at("weight"), format!("{to}.weight"));
    }
    if deployment.order.is_some() {
        findings.exact(&at("order"), format!("{to}.priority"));
    }
    for (key, rate) in [("rpm", deployment.rpm), ("tpm", deployment.tpm)] {
        match rate {
            None => {}
            Some(_) if shuffled => {
                let why =
                    "its share of the calls; how much a target takes is learned from its answers and quota headers";
                findings.approximate(&at(key), format!("{to}.weight"), why);
            }
            Some(_) => {
                findings.unsupported(&at(key), "how much a target takes is learned from its answers and quota headers");
            }
        }
    }
    let target = Target { provider: deployment.provider.clone(), model: model.to_owned(), weight, priority };
    match route.targets.iter_mut().find(|known| known.name() == target.name()) {
        Some(known) => known.weight += weight,
        None => route.targets.push(target),
    }
}

/// Tells of what an entry says of its share and its calls, where it is no target of a route.
fn unplaced(deployment: &Deployment, why: &str, findings: &mut Findings) {
    for (key, there) in [
        ("weight", deployment.weight.is_some()),
        ("order", deployment.order.is_some()),
        ("rpm", deployment.rpm.is_some()),
        ("tpm", deployment.tpm.is_some()),
        ("timeout", deployment.timeout.is_some()),
        ("stream_timeout", deployment.stream_timeout.is_some()),
        (deployment.retries.map_or("", |(key, _)| key), deployment.retries.is_some()),
    ] {
        if there {
            findings.manual(&format!("{}.{key}", deployment.at), why);
        }
    }
}

/// The longest of what the entries say, for a route has one word on each.
fn waits(route: &mut Route, group: &str, deployments: &[Deployment], findings: &mut Findings) {
    let to = format!("routes.{}", route.name);
    for deployment in deployments.iter().filter(|one| matches!(kept(group, one), Kept::Target)) {
        let policy = &mut route.policy;
        let attempts = deployment.retries.map(|(_, retries)| retries + 1);
        for (key, said, place, ours, why) in [
            (
                "timeout",
                deployment.timeout,
                &mut policy.total,
                "timeouts.total",
                "for the whole call with all its attempts",
            ),
            (
                "stream_timeout",
                deployment.stream_timeout,
                &mut policy.first_token,
                "timeouts.first_token",
                "until the first content, of whole answers too",
            ),
            (
                deployment.retries.map_or("", |(key, _)| key),
                attempts,
                &mut policy.max_attempts,
                "retry.max_attempts",
                "for the route, the first attempt and those at other targets included",
            ),
        ] {
            let Some(said) = said else { continue };
            *place = Some(place.map_or(said, |other| other.max(said)));
            findings.approximate(&format!("{}.{key}", deployment.at), format!("{to}.{ours}"), why);
        }
    }
}
