//! Groups that stand in for others: their targets come behind a route's own.

use super::fields::{fields, text};
use crate::finding::Findings;
use crate::gateway::{Gateway, Route, Target};
use serde_json::Value;
use std::collections::BTreeMap;

/// When a group stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Always.
    Failed,
    /// The question was too long.
    TooLong,
    /// The answer was withheld.
    Withheld,
}

impl When {
    /// The key that says so, and what is different here.
    fn difference(self) -> &'static str {
        match self {
            Self::Failed => "as targets of a later priority, within the same attempts and deadline",
            Self::TooLong => {
                "as targets of a later priority, for other failures too; of those the ones with a larger window get the question"
            }
            Self::Withheld => "as targets of a later priority, for other failures too",
        }
    }
}

/// Routes as they were before any stood in for another, and how many stand in for each.
pub(super) struct Fallbacks {
    own: Vec<Route>,
    groups: BTreeMap<String, u64>,
}

impl Fallbacks {
    pub(super) fn new(gateway: &Gateway) -> Self {
        Self { own: gateway.routes.clone(), groups: BTreeMap::new() }
    }

    /// Reads a list of `{group: [groups]}`.
    pub(super) fn read(
        &mut self,
        gateway: &mut Gateway,
        value: Vec<Value>,
        at: &str,
        when: When,
        findings: &mut Findings,
    ) {
        for (place, entry) in value.into_iter().enumerate() {
            let Some(entry) = fields(Some(entry)) else {
                findings.manual(&format!("{at}[{place}]"), "it names no group with those that stand in");
                continue;
            };
            for (group, spares) in entry {
                let at = format!("{at}[{place}].{group}");
                let routes: Vec<String> = if group == "*" {
                    self.own.iter().map(|route| route.name.clone()).collect()
                } else {
                    self.route(&group).map(|route| route.name.clone()).into_iter().collect()
                };
                if routes.is_empty() {
                    findings.manual(&at, "no such model_name has become a route");
                }
                for route in routes {
                    self.stand_in(gateway, &route, &spares, &at, when, findings);
                }
            }
        }
    }

    /// Reads a list of groups that stand in for all, which are those that have become routes.
    pub(super) fn read_for_all(&mut self, gateway: &mut Gateway, spares: &Value, at: &str, findings: &mut Findings) {
        let routes: Vec<String> = self.own.iter().map(|route| route.name.clone()).collect();
        if routes.is_empty() {
            findings.manual(at, "there is no route: direct calls have no targets to stand in");
        }
        for route in routes {
            self.stand_in(gateway, &route, spares, at, When::Failed, findings);
        }
    }

    /// Leaves attempts for those that stand in.
    pub(super) fn allow_attempts(&self, gateway: &mut Gateway) {
        /// What holds where a file says nothing.
        const USUAL: u64 = 3;
        let usual = gateway.defaults.max_attempts;
        for route in &mut gateway.routes {
            let Some(groups) = self.groups.get(&route.name) else { continue };
            let said = route.policy.max_attempts.or(usual);
            let wanted = said.unwrap_or(1) + groups;
            if said.is_some() || wanted > USUAL {
                route.policy.max_attempts = Some(wanted);
            }
        }
    }

    fn stand_in(
        &mut self,
        gateway: &mut Gateway,
        route: &str,
        spares: &Value,
        at: &str,
        when: When,
        findings: &mut Findings,
    ) {
        let spares = match spares {
            Value::Array(spares) => spares.clone(),
            one => vec![one.clone()],
        };
        for spare in spares {
            let name = match spare {
                Value::Object(mut spare) => text(spare.remove("model")),
                other => text(Some(other)),
            };
            let targets = name.as_deref().map(|name| self.targets(gateway, name)).unwrap_or_default();
            let Some(place) = gateway.routes.iter_mut().find(|known| known.name == route) else { continue };
            if targets.is_empty() {
                findings.manual(at, "a group stands in that has not become a route");
                continue;
            }
            if append(place, &targets) {
                *self.groups.entry(route.to_owned()).or_default() += 1;
            }
            place.policy.failover_on_refusal |= when == When::Withheld;
            findings.approximate(at, format!("routes.{route}.targets"), when.difference());
        }
    }

    fn route(&self, group: &str) -> Option<&Route> {
        let called = |route: &&Route| route.name == group || route.aliases.iter().any(|alias| alias == group);
        self.own.iter().find(called)
    }

    /// The targets that a name leads to.
    fn targets(&self, gateway: &Gateway, name: &str) -> Vec<Target> {
        if let Some(route) = self.route(name) {
            return route.targets.clone();
        }
        let alike = |alias: &String| alias.strip_suffix('*').is_some_and(|beginning| name.starts_with(beginning));
        if let Some(route) = self.own.iter().find(|route| route.aliases.iter().any(alike)) {
            let named = |target: &Target| if target.model == "*" { name.to_owned() } else { target.model.clone() };
            return route.targets.iter().map(|target| Target { model: named(target), ..target.clone() }).collect();
        }
        let direct = name
            .split_once('/')
            .filter(|(provider, _)| gateway.direct && gateway.providers.iter().any(|known| known.name == *provider));
        let target = |(provider, model): (&str, &str)| Target {
            provider: provider.to_owned(),
            model: model.to_owned(),
            weight: 1,
            priority: 1,
        };
        direct.map(target).into_iter().collect()
    }
}

/// Puts targets behind those that are there; whether there was one that was not.
fn append(route: &mut Route, targets: &[Target]) -> bool {
    let last = route.targets.iter().map(|target| target.priority).max().unwrap_or(0);
    let first = targets.iter().map(|target| target.priority).min().unwrap_or(0);
    let before = route.targets.len();
    for target in targets {
        if route.targets.iter().all(|known| known.name() != target.name()) {
            let priority = last + 1 + target.priority.saturating_sub(first);
            route.targets.push(Target { priority, ..target.clone() });
        }
    }
    route.targets.len() > before
}
