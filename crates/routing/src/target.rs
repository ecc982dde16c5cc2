//! A target of a route: all that can be known before a call names its model, and the candidate it becomes then.
//!
//! Receives a target's settings and its provider's seats once, then the model of every call; hands on candidates.
//! Must never be here: the order of candidates.

use crate::seats::{Hall, Seat, Seats};
use crate::{Candidate, ModelChoice, TargetSettings};
use llm::TargetId;
use std::collections::HashSet;
use std::sync::Arc;

/// A target of a route.
#[derive(Debug)]
pub(crate) struct Target {
    provider: usize,
    pub(crate) share: Share,
    model: Model,
}

/// Which model a target is asked for.
#[derive(Debug)]
enum Model {
    /// Always this one, so that the candidate is ready.
    Fixed(Candidate),
    /// The one the call names.
    AsRequested { provider: Arc<str> },
}

/// A target's place among the others of its route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) priority: u32,
    pub(crate) weight: u32,
}

impl Share {
    /// That of a target which is named directly.
    pub(crate) const ALONE: Self = Self { priority: 1, weight: 1 };
}

impl Target {
    /// `None` where the provider is unknown.
    pub(crate) fn new(settings: TargetSettings, hall: &Hall) -> Option<Self> {
        let TargetSettings { provider, model, weight, priority } = settings;
        let (provider, seats) = hall.provider(&provider)?;
        let (name, share) = (Arc::clone(&seats.name), Share { priority, weight });
        let model = match model {
            ModelChoice::Fixed(model) => {
                Model::Fixed(candidate(TargetId { provider: name, model }, provider, seats, share))
            }
            ModelChoice::AsRequested => Model::AsRequested { provider: name },
        };
        Some(Self { provider, share, model })
    }

    /// What is asked when a call names `model`.
    pub(crate) fn id(&self, model: &str) -> TargetId {
        match &self.model {
            Model::Fixed(candidate) => candidate.target.clone(),
            Model::AsRequested { provider } => TargetId { provider: Arc::clone(provider), model: model.into() },
        }
    }

    /// What this is to a call that names `model`. `None` never happens: the provider was looked up in this hall.
    pub(crate) fn candidate(&self, model: &str, hall: &Hall) -> Option<Candidate> {
        match &self.model {
            Model::Fixed(ready) => Some(ready.clone()),
            Model::AsRequested { .. } => {
                Some(candidate(self.id(model), self.provider, hall.at(self.provider)?, self.share))
            }
        }
    }

    /// The index of its label, where that is known before a call.
    pub(crate) fn label(&self) -> Option<usize> {
        match &self.model {
            Model::Fixed(candidate) => Some(candidate.label.index),
            Model::AsRequested { .. } => None,
        }
    }

    /// The model, where it is known before a call.
    fn fixed(&self) -> Option<Arc<str>> {
        match &self.model {
            Model::Fixed(candidate) => Some(Arc::clone(&candidate.target.model)),
            Model::AsRequested { .. } => None,
        }
    }
}

/// The candidate that `target` is, with what its provider's seats tell of it.
pub(crate) fn candidate(target: TargetId, provider: usize, seats: &Seats, share: Share) -> Candidate {
    let Seat { label, known, facts } = seats.of(&target.model);
    let Share { priority, weight } = share;
    Candidate { target, provider, label, known, facts, domains: Arc::clone(&seats.domains), priority, weight }
}

/// Whether a call may name a model that makes two of these one target, or two are one already.
pub(crate) fn may_repeat(targets: &[Target]) -> bool {
    let mut seen = HashSet::new();
    let listed_twice = targets.iter().any(|target| !seen.insert((target.provider, target.fixed())));
    let open: HashSet<_> = targets.iter().filter(|one| one.fixed().is_none()).map(|one| one.provider).collect();
    listed_twice || targets.iter().any(|target| target.fixed().is_some() && open.contains(&target.provider))
}
