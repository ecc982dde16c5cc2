//! The seats of targets: label, facts and failure domains of each, a set that is fixed by the configuration,
//! whatever clients ask for.
//!
//! Receives the configured targets and what is known of providers; hands on one seat per fixed target and one
//! called `provider/other` per provider, which every model outside the configuration shares.
//! Must never be here: anything that grows while calls run.

use crate::{ModelChoice, ModelFacts, ProviderFacts, RouteSettings};
use llm::{Label, TargetId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The model whose label every model outside the configuration shares.
const OTHER: &str = "other";

/// One seat as a user of the table sees it: who sits there, and what it fails together with.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSeat {
    /// Its label; its index is the seat's place in [`RouteTable::targets`](crate::RouteTable::targets).
    pub label: Label,
    /// The only target that sits here; `None` for `provider/other`, which stands for many.
    pub target: Option<TargetId>,
    /// Place of the provider in the list the table was built with.
    pub provider: usize,
    /// Its failure domains: ascending places in [`RouteTable::domains`](crate::RouteTable::domains).
    pub domains: Arc<[usize]>,
}

/// What is known of one model at one provider before a call names it.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) label: Label,
    /// Whether the label is this model's alone.
    pub(crate) known: bool,
    pub(crate) facts: ModelFacts,
}

/// One provider and its share of the seats.
#[derive(Debug)]
pub(crate) struct Seats {
    pub(crate) name: Arc<str>,
    pub(crate) domains: Arc<[usize]>,
    models: HashMap<Arc<str>, Seat>,
    listed: Arc<HashMap<Arc<str>, ModelFacts>>,
    other: Seat,
}

impl Seats {
    /// The seat of `model`.
    pub(crate) fn of(&self, model: &str) -> Seat {
        let listed = || self.listed.get(model).map(|facts| Seat { facts: *facts, ..self.other.clone() });
        self.models.get(model).cloned().or_else(listed).unwrap_or_else(|| self.other.clone())
    }
}

/// Every provider with its seats, in the order given.
#[derive(Debug)]
pub(crate) struct Hall {
    providers: Vec<Seats>,
    places: HashMap<Arc<str>, usize>,
    domains: Vec<Arc<str>>,
    all: Vec<TargetSeat>,
}

impl Hall {
    /// Targets at providers that are not in `providers` get no seat: the table refuses their routes.
    pub(crate) fn new(routes: &[RouteSettings], providers: Vec<ProviderFacts>) -> Self {
        let places = providers.iter().map(|provider| Arc::clone(&provider.name)).zip(0..).collect();
        let mut hall = Self { providers: Vec::new(), places, domains: Vec::new(), all: Vec::new() };
        let mut domain_places = HashMap::new();
        let domains: Vec<_> =
            providers.iter().map(|provider| hall.enter(&provider.domains, &mut domain_places)).collect();
        let mut labels = vec![HashMap::new(); providers.len()];
        for (place, model) in hall.fixed(routes) {
            let (Some(provider), Some(domains)) = (providers.get(place), domains.get(place)) else { continue };
            let Some(labels) = labels.get_mut(place) else { continue };
            let label = hall.sit(place, &provider.name, &model, domains);
            labels.insert(model, label);
        }
        for (place, ((provider, domains), mut labels)) in providers.into_iter().zip(domains).zip(labels).enumerate() {
            let taken = labels.remove(OTHER);
            let other = taken.unwrap_or_else(|| hall.sit(place, &provider.name, OTHER, &domains));
            hall.providers.push(seats(provider, domains, labels, other));
        }
        hall
    }

    /// Every seat, at its own index.
    pub(crate) fn all(&self) -> &[TargetSeat] {
        &self.all
    }

    /// Every failure domain that a provider lies in, each once.
    pub(crate) fn domains(&self) -> &[Arc<str>] {
        &self.domains
    }

    /// The provider's place, and its seats.
    pub(crate) fn provider(&self, name: &str) -> Option<(usize, &Seats)> {
        let place = *self.places.get(name)?;
        Some((place, self.providers.get(place)?))
    }

    /// The seats of the provider at `place`.
    pub(crate) fn at(&self, place: usize) -> Option<&Seats> {
        self.providers.get(place)
    }

    /// The fixed models of all routes with their providers' places, each once, in the order of the configuration.
    fn fixed(&self, routes: &[RouteSettings]) -> Vec<(usize, Arc<str>)> {
        let mut seen = HashSet::new();
        let targets = routes.iter().flat_map(|route| &route.targets);
        let fixed = targets.filter_map(|target| match &target.model {
            ModelChoice::Fixed(model) => Some((*self.places.get(&target.provider)?, Arc::clone(model))),
            ModelChoice::AsRequested => None,
        });
        fixed.filter(|one| seen.insert(one.clone())).collect()
    }

    /// The places of these domains, ascending; new ones are entered.
    fn enter(&mut self, names: &[Arc<str>], places: &mut HashMap<Arc<str>, usize>) -> Arc<[usize]> {
        let mut place = |name: &Arc<str>| {
            *places.entry(Arc::clone(name)).or_insert_with(|| {
                self.domains.push(Arc::clone(name));
                self.domains.len() - 1
            })
        };
        let mut entered: Vec<_> = names.iter().map(&mut place).collect();
        entered.sort_unstable();
        entered.dedup();
        entered.into()
    }

    /// Takes the next free seat.
    fn sit(&mut self, provider: usize, name: &Arc<str>, model: &str, domains: &Arc<[usize]>) -> Label {
        let label = Label::new(self.all.len(), format!("{name}/{model}"));
        // Models outside the configuration sit beside a configured one that is called so.
        let alone = || TargetId { provider: Arc::clone(name), model: model.into() };
        let target = (model != OTHER).then(alone);
        self.all.push(TargetSeat { label: label.clone(), target, provider, domains: Arc::clone(domains) });
        label
    }
}

/// The seats of a provider: those with a label of their own, and those that only facts are known of.
fn seats(provider: ProviderFacts, domains: Arc<[usize]>, labels: HashMap<Arc<str>, Label>, other: Label) -> Seats {
    let ProviderFacts { name, models: facts, listed, others, .. } = provider;
    let known = |(model, label): (Arc<str>, Label)| {
        let facts = facts.get(&model).or_else(|| listed.get(&model)).copied().unwrap_or(others);
        (model, Seat { label, known: true, facts })
    };
    let mut models: HashMap<_, _> = labels.into_iter().map(known).collect();
    for (model, facts) in &facts {
        let shared = || Seat { label: other.clone(), known: false, facts: *facts };
        models.entry(Arc::clone(model)).or_insert_with(shared);
    }
    Seats { name, domains, models, listed, other: Seat { label: other, known: false, facts: others } }
}
