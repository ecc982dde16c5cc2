//! The route table: model names to plans.
//!
//! Receives validated settings once; answers every call's model name with a [`Plan`]. Exact names are found
//! in constant time however many routes there are; patterns are tried one by one, so their cost is bounded
//! by the number of patterns configured. Must never be here: the health of targets, time.

use crate::glob::Glob;
use crate::labels::TargetLabels;
use crate::order::{Model, Target, by_weight, drop_repeats};
use crate::{Candidate, ModelChoice, NoRoute, Plan, Policy, RouteSettings};
use llm::{Label, PassedOver, TargetId};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

const DIRECT: &str = "direct";
const NONE: &str = "none";

/// The longest name, in bytes, that a pattern or a direct call takes from a client.
const MAX_NAME: usize = 512;

/// Why settings do not make a table. Validated settings always do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A target's provider is not among the providers.
    #[error("route {route}: there is no provider named {provider}")]
    UnknownProvider {
        /// The route.
        route: Arc<str>,
        /// The provider it names.
        provider: Arc<str>,
    },
    /// Two routes have one name.
    #[error("two routes are named {route}")]
    NamedTwice {
        /// The name.
        route: Arc<str>,
    },
    /// A route has a name that stands for something else in metrics.
    #[error("no route may be named {route}: direct and none have their own meaning in metrics")]
    ReservedName {
        /// The name.
        route: Arc<str>,
    },
}

/// Every route, with all that can be worked out before a call comes.
#[derive(Debug)]
pub struct RouteTable {
    routes: Vec<Route>,
    /// Names and aliases without a star; a route's name wins over another's alias.
    exact: HashMap<Arc<str>, usize>,
    /// In the order to try them.
    patterns: Vec<(Glob, usize)>,
    models: Vec<String>,
    direct: Option<Policy>,
    direct_label: Label,
    none_label: Label,
    targets: TargetLabels,
}

#[derive(Debug)]
struct Route {
    label: Label,
    policy: Policy,
    /// By ascending priority, in configuration order within one; weights above 0.
    targets: Vec<Target>,
    weightless: Vec<Target>,
}

/// What a model name stands for.
enum Found<'table, 'name> {
    Route(&'table Route),
    Direct { policy: Policy, provider: (usize, &'table Arc<str>), model: &'name str },
}

impl RouteTable {
    /// Makes the table. `direct` is the policy of `provider/model` calls, `None` where they are off;
    /// [`Candidate::provider`] counts along `providers`.
    ///
    /// # Errors
    /// Settings that contradict themselves; see [`BuildError`].
    pub fn new(routes: Vec<RouteSettings>, direct: Option<Policy>, providers: &[Arc<str>]) -> Result<Self, BuildError> {
        let targets = TargetLabels::new(&routes, providers);
        let mut exact = HashMap::new();
        for (place, RouteSettings { name, .. }) in routes.iter().enumerate() {
            if [DIRECT, NONE].contains(&&**name) {
                return Err(BuildError::ReservedName { route: Arc::clone(name) });
            }
            if exact.insert(Arc::clone(name), place).is_some() {
                return Err(BuildError::NamedTwice { route: Arc::clone(name) });
            }
        }
        let mut models = Vec::new();
        let mut patterns = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            if is_a_model(route) {
                models.push(route.name.to_string());
            }
            for alias in &route.aliases {
                if alias.contains('*') {
                    patterns.push((Glob::new(alias), place));
                } else if !exact.contains_key(alias.as_str()) {
                    exact.insert(alias.as_str().into(), place);
                    models.push(alias.clone());
                }
            }
        }
        patterns.sort_by_key(|(glob, _)| Reverse(glob.literals()));
        let direct_label = Label::new(routes.len(), DIRECT);
        let none_label = Label::new(routes.len() + 1, NONE);
        let routes = routes.into_iter().enumerate().map(|(place, route)| Route::new(place, route, &targets));
        let routes = routes.collect::<Result<_, _>>()?;
        Ok(Self { routes, exact, patterns, models, direct, direct_label, none_label, targets })
    }

    /// Where a call for `model` may go.
    ///
    /// Looks for, in this order: a route's name, an alias, `provider/model` where direct calls are on and the
    /// provider exists, the pattern with the most literal characters (of equals the first configured).
    /// Names over 512 bytes or with control characters are only ever found as they are configured.
    ///
    /// # Errors
    /// None of these fits.
    pub fn plan(&self, model: &str, rng: &mut fastrand::Rng) -> Result<Plan, NoRoute> {
        match self.find(model).ok_or(NoRoute)? {
            Found::Route(route) => self.plan_through(route, model, rng).ok_or(NoRoute),
            Found::Direct { policy, provider, model } => self.plan_directly(policy, provider, model).ok_or(NoRoute),
        }
    }

    /// The plan of the route called `name` (no alias) for a request that names `model`, by default the route.
    ///
    /// # Errors
    /// No route has this name.
    pub fn plan_route(&self, name: &str, model: Option<&str>, rng: &mut fastrand::Rng) -> Result<Plan, NoRoute> {
        let route = self.routes.iter().find(|route| *route.label.name == *name).ok_or(NoRoute)?;
        self.plan_through(route, model.unwrap_or(name), rng).ok_or(NoRoute)
    }

    /// The label of the route that [`RouteTable::plan`] would use; `None` where it would fail.
    #[must_use]
    pub fn route_of(&self, model: &str) -> Option<&Label> {
        self.find(model).map(|found| match found {
            Found::Route(route) => &route.label,
            Found::Direct { .. } => &self.direct_label,
        })
    }

    /// Whether a call for `model` gets a plan.
    #[must_use]
    pub fn knows(&self, model: &str) -> bool {
        self.find(model).is_some()
    }

    /// What a client may ask for: names of routes and their aliases, patterns left out, in the order of the
    /// configuration, each once. Left out too is the name of a route that only passes names on, and has one to show.
    #[must_use]
    pub fn models(&self) -> Vec<String> {
        self.models.clone()
    }

    /// Every label a plan's route may have, and `none`; each stands at its own index.
    #[must_use]
    pub fn route_labels(&self) -> Vec<Label> {
        let routes = self.routes.iter().map(|route| &route.label);
        routes.chain([&self.direct_label, &self.none_label]).cloned().collect()
    }

    /// Every label a candidate may have; each stands at its own index. Their number is fixed by the
    /// configuration: one per target, and `provider/other` per provider for all other models.
    #[must_use]
    pub fn target_labels(&self) -> Vec<Label> {
        self.targets.all()
    }

    /// The label of calls that name `provider/model`.
    #[must_use]
    pub fn direct(&self) -> &Label {
        &self.direct_label
    }

    /// The label of calls that end before they have a route.
    #[must_use]
    pub fn none(&self) -> &Label {
        &self.none_label
    }

    fn find<'name>(&self, model: &'name str) -> Option<Found<'_, 'name>> {
        let route = |place: usize| self.routes.get(place).map(Found::Route);
        if let Some(place) = self.exact.get(model) {
            return route(*place);
        }
        if !is_plain(model) {
            return None;
        }
        self.find_direct(model).or_else(|| {
            let (_, place) = self.patterns.iter().find(|(glob, _)| glob.matches(model))?;
            route(*place)
        })
    }

    fn find_direct<'name>(&self, model: &'name str) -> Option<Found<'_, 'name>> {
        let policy = self.direct?;
        let (provider, model) = model.split_once('/').filter(|(_, model)| !model.is_empty())?;
        Some(Found::Direct { policy, provider: self.targets.provider(provider)?, model })
    }

    fn plan_through(&self, route: &Route, model: &str, rng: &mut fastrand::Rng) -> Option<Plan> {
        let candidates = match &*route.targets {
            [only] => vec![self.candidate(only, model)?],
            targets => {
                let mut order: Vec<&Target> = targets.iter().collect();
                for group in order.chunk_by_mut(|a, b| a.priority == b.priority) {
                    by_weight(group, |target| target.weight, rng);
                }
                order.into_iter().map(|target| self.candidate(target, model)).collect::<Option<_>>()?
            }
        };
        let mut passed_over: Vec<_> = route.weightless.iter().map(|target| weightless(target, model)).collect();
        let candidates = drop_repeats(candidates, &mut passed_over);
        Some(Plan { route: route.label.clone(), policy: route.policy, candidates, passed_over })
    }

    fn plan_directly(&self, policy: Policy, (provider, name): (usize, &Arc<str>), model: &str) -> Option<Plan> {
        let label = self.targets.of(provider, model)?.clone();
        let target = TargetId { provider: Arc::clone(name), model: model.into() };
        let candidates = vec![Candidate { target, provider, label, priority: 1 }];
        Some(Plan { route: self.direct_label.clone(), policy, candidates, passed_over: Vec::new() })
    }

    /// `None` never happens: a target's provider was looked up when the table was made.
    fn candidate(&self, target: &Target, model: &str) -> Option<Candidate> {
        let label = match &target.model {
            Model::Fixed { label, .. } => label,
            Model::AsRequested { .. } => self.targets.of(target.provider, model)?,
        };
        let (provider, priority) = (target.provider, target.priority);
        Some(Candidate { target: target_id(target, model), provider, label: label.clone(), priority })
    }
}

/// Whether a route's own name is worth asking for: not where every target would be asked for a model of that name
/// although the route lists better ones.
fn is_a_model(route: &RouteSettings) -> bool {
    let passes_on = route.targets.iter().all(|target| target.model == ModelChoice::AsRequested);
    !passes_on || route.aliases.iter().all(|alias| alias.contains('*'))
}

impl Route {
    fn new(place: usize, settings: RouteSettings, labels: &TargetLabels) -> Result<Self, BuildError> {
        let RouteSettings { name, targets, policy, .. } = settings;
        let resolve = |target: crate::TargetSettings| {
            let unknown = || BuildError::UnknownProvider { route: name.clone(), provider: target.provider.clone() };
            let (provider, shared_name) = labels.provider(&target.provider).ok_or_else(unknown)?;
            let model = match target.model {
                ModelChoice::Fixed(model) => {
                    let label = labels.of(provider, &model).ok_or_else(unknown)?.clone();
                    Model::Fixed { target: TargetId { provider: Arc::clone(shared_name), model }, label }
                }
                ModelChoice::AsRequested => Model::AsRequested { provider: Arc::clone(shared_name) },
            };
            Ok(Target { provider, priority: target.priority, weight: target.weight, model })
        };
        let targets = targets.into_iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        let (mut targets, weightless): (Vec<_>, Vec<_>) = targets.into_iter().partition(|target| target.weight > 0);
        targets.sort_by_key(|target| target.priority);
        Ok(Self { label: Label::new(place, name), policy, targets, weightless })
    }
}

/// A name that is none of ours travels on to providers, headers and logs.
fn is_plain(name: &str) -> bool {
    name.len() <= MAX_NAME && !name.bytes().any(|byte| byte.is_ascii_control())
}

fn target_id(target: &Target, model: &str) -> TargetId {
    match &target.model {
        Model::Fixed { target, .. } => target.clone(),
        Model::AsRequested { provider } => TargetId { provider: Arc::clone(provider), model: model.into() },
    }
}

fn weightless(target: &Target, model: &str) -> PassedOver {
    PassedOver { target: target_id(target, model), reason: "weight 0" }
}

#[cfg(test)]
mod tests;
