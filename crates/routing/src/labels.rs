//! The labels of targets: a set that is fixed by the configuration, whatever clients ask for.
//!
//! Receives the configured targets and providers; hands on one label per fixed target and one
//! `provider/other` per provider, which every model outside the configuration shares.
//! Must never be here: anything that grows while calls run.

use crate::{ModelChoice, RouteSettings};
use llm::Label;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// One provider's share of the labels.
#[derive(Debug)]
struct Models {
    name: Arc<str>,
    fixed: HashMap<Arc<str>, Label>,
    other: Label,
}

/// Every provider with its labels, in the order given.
#[derive(Debug)]
pub(crate) struct TargetLabels {
    providers: Vec<Models>,
    places: HashMap<Arc<str>, usize>,
    all: Vec<Label>,
}

impl TargetLabels {
    /// Providers that are not in `providers` get no label: the table refuses their routes.
    pub(crate) fn new(routes: &[RouteSettings], providers: &[Arc<str>]) -> Self {
        let places: HashMap<_, _> = providers.iter().cloned().zip(0..).collect();
        let mut fixed: Vec<HashMap<Arc<str>, Label>> = vec![HashMap::new(); providers.len()];
        let mut all = Vec::new();
        for target in routes.iter().flat_map(|route| &route.targets) {
            let ModelChoice::Fixed(model) = &target.model else { continue };
            let models = places.get(&target.provider).and_then(|place: &usize| fixed.get_mut(*place));
            let Some(models) = models else { continue };
            if let Entry::Vacant(free) = models.entry(Arc::clone(model)) {
                all.push(free.insert(target_label(all.len(), &target.provider, model)).clone());
            }
        }
        let with_other = |(name, fixed): (&Arc<str>, HashMap<Arc<str>, Label>)| {
            let other = fixed.get("other").cloned().unwrap_or_else(|| {
                let other = target_label(all.len(), name, "other");
                all.push(other.clone());
                other
            });
            Models { name: Arc::clone(name), fixed, other }
        };
        let providers = providers.iter().zip(fixed).map(with_other).collect();
        Self { providers, places, all }
    }

    pub(crate) fn all(&self) -> Vec<Label> {
        self.all.clone()
    }

    /// The provider's place and its name, shared.
    pub(crate) fn provider(&self, name: &str) -> Option<(usize, &Arc<str>)> {
        let place = *self.places.get(name)?;
        Some((place, &self.providers.get(place)?.name))
    }

    /// The label of a model at the provider at `place`.
    pub(crate) fn of(&self, place: usize, model: &str) -> Option<&Label> {
        let provider = self.providers.get(place)?;
        Some(provider.fixed.get(model).unwrap_or(&provider.other))
    }
}

fn target_label(index: usize, provider: &str, model: &str) -> Label {
    Label::new(index, format!("{provider}/{model}"))
}
