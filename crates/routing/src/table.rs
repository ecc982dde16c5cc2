//! The route table: model names to plans.
//!
//! Receives validated settings once; answers every call's model name with a [`Plan`]. Exact names are found
//! in constant time however many routes there are; patterns are tried one by one, so their cost is bounded
//! by the number of patterns configured. Must never be here: the health of targets, time.

use crate::glob::Glob;
use crate::order::{draw, drop_repeats};
use crate::seats::{Hall, Seats};
use crate::target::{Share, Target, candidate, may_repeat};
use crate::{
    Candidate, LastResort, MAX_CANDIDATES, ModelChoice, NoRoute, Pick, Plan, Policy, ProviderFacts, Resort,
    RouteSettings, TargetSeat, TargetSettings,
};
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
    direct: Option<Arc<Policy>>,
    direct_label: Label,
    none_label: Label,
    hall: Hall,
}

#[derive(Debug)]
struct Route {
    label: Label,
    policy: Arc<Policy>,
    /// By ascending priority, in configuration order within one; weights above 0.
    targets: Vec<Target>,
    /// For each of them, the sum of its weight and of those before it.
    weights: Vec<u64>,
    weightless: Vec<Target>,
    /// Whether some model name makes two of the targets one.
    may_repeat: bool,
}

/// What a model name stands for.
enum Found<'table, 'name> {
    Route(&'table Route),
    Direct { policy: &'table Arc<Policy>, provider: (usize, &'table Seats), model: &'name str },
}

impl RouteTable {
    /// Makes the table. `direct` is the policy of `provider/model` calls, `None` where they are off;
    /// [`Candidate::provider`](crate::Candidate::provider) counts along `providers`. Facts are looked up here, once,
    /// for every target whose model is fixed.
    ///
    /// # Errors
    /// Settings that contradict themselves; see [`BuildError`].
    pub fn new(
        routes: Vec<RouteSettings>,
        direct: Option<Policy>,
        providers: Vec<ProviderFacts>,
    ) -> Result<Self, BuildError> {
        let hall = Hall::new(&routes, providers);
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
        let routes = routes.into_iter().enumerate().map(|(place, route)| Route::new(place, route, &hall));
        let routes = routes.collect::<Result<_, _>>()?;
        let direct = direct.map(Arc::new);
        Ok(Self { routes, exact, patterns, models, direct, direct_label, none_label, hall })
    }

    /// Where a call for `model` may go.
    ///
    /// Looks for, in this order: a route's name, an alias, `provider/model` where direct calls are on and the
    /// provider exists, the pattern with the most literal characters (of equals the first configured).
    /// Names over 512 bytes or with control characters are only ever found as they are configured.
    ///
    /// # Errors
    /// None of these fits.
    pub fn plan(&self, model: &str, pick: &mut Pick<'_>) -> Result<Plan, NoRoute> {
        match self.find(model).ok_or(NoRoute)? {
            Found::Route(route) => self.plan_through(route, model, pick, &mut Vec::new()).ok_or(NoRoute),
            Found::Direct { policy, provider, model } => Ok(self.plan_directly(policy, provider, model, pick)),
        }
    }

    /// The plan of the route called `name` (no alias) for a request that names `model`, by default the route.
    ///
    /// # Errors
    /// No route has this name.
    pub fn plan_route(&self, name: &str, model: Option<&str>, pick: &mut Pick<'_>) -> Result<Plan, NoRoute> {
        let route = self.exact.get(name).and_then(|place| self.routes.get(*place));
        let route = route.filter(|route| *route.label.name == *name).ok_or(NoRoute)?;
        self.plan_through(route, model.unwrap_or(name), pick, &mut Vec::new()).ok_or(NoRoute)
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
        self.hall.all().iter().map(|seat| seat.label.clone()).collect()
    }

    /// Every seat that [`RouteTable::target_labels`] names, at its own index: what the health of targets is kept by.
    #[must_use]
    pub fn targets(&self) -> Vec<TargetSeat> {
        self.hall.all().to_vec()
    }

    /// Every failure domain that a provider lies in, each once; seats and candidates refer to it by place.
    #[must_use]
    pub fn domains(&self) -> &[Arc<str>] {
        self.hall.domains()
    }

    /// The policy of each route, and behind them that of direct calls: in the order of [`RouteTable::route_labels`].
    #[must_use]
    pub fn policies(&self) -> Vec<Arc<Policy>> {
        let direct = self.direct.clone().unwrap_or_default();
        self.routes.iter().map(|route| Arc::clone(&route.policy)).chain([direct]).collect()
    }

    /// The configured targets of each route, as indices of their labels, each once.
    #[must_use]
    pub fn pools(&self) -> Vec<Vec<usize>> {
        self.routes.iter().map(|route| route.targets.iter().filter_map(Target::label).collect()).collect()
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
        let policy = self.direct.as_ref()?;
        let (provider, model) = model.split_once('/').filter(|(_, model)| !model.is_empty())?;
        Some(Found::Direct { policy, provider: self.hall.provider(provider)?, model })
    }

    /// `planned` are the routes whose turn comes before, by place: none is asked twice in one call. `None` never happens:
    /// a target's provider was looked up when the table was made.
    fn plan_through(&self, route: &Route, model: &str, pick: &mut Pick<'_>, planned: &mut Vec<usize>) -> Option<Plan> {
        planned.push(route.label.index);
        let mut passed_over: Vec<_> = route.weightless.iter().map(|target| weightless(target, model)).collect();
        let mut candidates = match &*route.targets {
            [only] => vec![only.candidate(model, &self.hall)?],
            _ => self.in_order(route, model, pick)?,
        };
        if route.may_repeat {
            candidates = drop_repeats(candidates, MAX_CANDIDATES, &mut passed_over);
        }
        candidates.truncate(MAX_CANDIDATES);
        let last_resorts = self.last_resorts(&route.policy, model, pick, planned);
        let (route, policy) = (route.label.clone(), Arc::clone(&route.policy));
        Some(Plan { route, policy, candidates, passed_over, last_resorts })
    }

    /// The candidates of a route with several targets, in order. Where there are far more than a plan may hold, those
    /// of the last priority that it reaches are drawn by weight, at a cost that does not grow with their number.
    fn in_order(&self, route: &Route, model: &str, pick: &mut Pick<'_>) -> Option<Vec<Candidate>> {
        let reach = route.within_reach();
        let candidate = |target: &Target| target.candidate(model, &self.hall);
        let Some(sure) = route.surely_within(reach).filter(|_| pick.may_draw(route.policy.balance)) else {
            let mut candidates = reach.iter().map(candidate).collect::<Option<Vec<_>>>()?;
            for group in candidates.chunk_by_mut(|a, b| a.priority == b.priority) {
                pick.order(route.policy.balance, group);
            }
            return Some(candidates);
        };
        let mut candidates = reach.iter().take(sure).map(candidate).collect::<Option<Vec<_>>>()?;
        for group in candidates.chunk_by_mut(|a, b| a.priority == b.priority) {
            pick.order(route.policy.balance, group);
        }
        let drawn = draw(&route.weights, sure..reach.len(), MAX_CANDIDATES - sure, pick.rng);
        let mut drawn =
            drawn.into_iter().filter_map(|place| reach.get(place)).map(candidate).collect::<Option<Vec<_>>>()?;
        pick.order_drawn(route.policy.balance, &mut drawn);
        candidates.append(&mut drawn);
        Some(candidates)
    }

    /// What is left where none of a route's targets answers. Validated settings hold no circle of routes.
    fn last_resorts(&self, policy: &Policy, model: &str, pick: &mut Pick<'_>, planned: &mut Vec<usize>) -> Vec<Resort> {
        let resort = |resort: &LastResort| match resort {
            LastResort::Static(text) => Some(Resort::Static(Arc::clone(text))),
            LastResort::Route(name) => {
                let route = self.exact.get(name).and_then(|place| self.routes.get(*place))?;
                if planned.contains(&route.label.index) {
                    return None;
                }
                Some(Resort::Plan(Box::new(self.plan_through(route, model, pick, planned)?)))
            }
        };
        policy.last_resorts.iter().filter_map(resort).collect()
    }

    fn plan_directly(
        &self,
        policy: &Arc<Policy>,
        (provider, seats): (usize, &Seats),
        model: &str,
        pick: &mut Pick<'_>,
    ) -> Plan {
        let target = TargetId { provider: Arc::clone(&seats.name), model: model.into() };
        let candidates = vec![candidate(target, provider, seats, Share::ALONE)];
        let (route, passed_over) = (self.direct_label.clone(), Vec::new());
        let last_resorts = self.last_resorts(policy, model, pick, &mut Vec::new());
        Plan { route, policy: Arc::clone(policy), candidates, passed_over, last_resorts }
    }
}

/// Whether a route's own name is worth asking for: not where every target would be asked for a model of that name
/// although the route lists better ones.
fn is_a_model(route: &RouteSettings) -> bool {
    let passes_on = route.targets.iter().all(|target| target.model == ModelChoice::AsRequested);
    !passes_on || route.aliases.iter().all(|alias| alias.contains('*'))
}

impl Route {
    fn new(place: usize, settings: RouteSettings, hall: &Hall) -> Result<Self, BuildError> {
        let RouteSettings { name, targets, policy, .. } = settings;
        let resolve = |settings: TargetSettings| {
            let provider = settings.provider.clone();
            Target::new(settings, hall).ok_or_else(|| BuildError::UnknownProvider { route: name.clone(), provider })
        };
        let targets = targets.into_iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        let (mut targets, weightless): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| target.share.weight > 0);
        targets.sort_by_key(|target| target.share.priority);
        let may_repeat = may_repeat(&targets);
        let sum = |sum: &mut u64, target: &Target| {
            *sum += u64::from(target.share.weight);
            Some(*sum)
        };
        let weights = targets.iter().scan(0, sum).collect();
        let (label, policy) = (Label::new(place, name), Arc::new(policy));
        Ok(Self { label, policy, targets, weights, weightless, may_repeat })
    }

    /// The targets that may be among the first of a plan, whatever their order within one priority.
    fn within_reach(&self) -> &[Target] {
        // A repeat that is dropped makes room for one more.
        let last = if self.may_repeat { None } else { self.targets.get(MAX_CANDIDATES - 1) };
        let reach = last.map_or(self.targets.len(), |last| {
            self.targets.partition_point(|target| target.share.priority <= last.share.priority)
        });
        self.targets.get(..reach).unwrap_or_default()
    }

    /// How many of the targets within reach are in a plan whatever their order; `None` where all of them may be.
    fn surely_within(&self, reach: &[Target]) -> Option<usize> {
        let last = reach.last().filter(|_| reach.len() > MAX_CANDIDATES && !self.may_repeat)?;
        Some(reach.partition_point(|target| target.share.priority < last.share.priority))
    }
}

/// A name that is none of ours travels on to providers, headers and logs.
fn is_plain(name: &str) -> bool {
    name.len() <= MAX_NAME && !name.bytes().any(|byte| byte.is_ascii_control())
}

fn weightless(target: &Target, model: &str) -> PassedOver {
    PassedOver { target: target.id(model), reason: "weight 0", remaining: None }
}

#[cfg(test)]
mod tests;
