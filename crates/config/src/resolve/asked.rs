//! Which models can be asked for at each provider, read ahead of the routes: what is known of models is looked up first.
//!
//! Must never be here: faults. Whoever reads the routes finds them.

use super::EVERY_OTHER;
use crate::Env;
use crate::file::{self, TargetEntry};
use crate::lenient::Lenient;
use crate::reference;
use llm::TargetId;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The models that can be asked for, by provider.
pub(crate) struct AskedOf {
    models: BTreeMap<Arc<str>, BTreeSet<String>>,
    /// Clients may name any model of any provider.
    direct: bool,
}

/// Those of one provider.
pub(crate) struct Asked<'a> {
    /// The models that routes name.
    pub(crate) models: Cow<'a, BTreeSet<String>>,
    /// Clients may name any other.
    pub(crate) anything: bool,
}

impl AskedOf {
    /// What routes that are still unjudged ask for.
    pub(crate) fn new(routes: &file::Named<file::Route>, direct: bool, env: Env<'_>) -> Self {
        let mut models: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for id in written(routes).filter_map(|text| TargetId::parse(&reference::expand(text, env).ok()?)) {
            models.entry(id.provider).or_default().insert(id.model.to_string());
        }
        Self { models, direct }
    }

    /// What is asked of one provider.
    pub(crate) fn of(&self, provider: &str) -> Asked<'_> {
        let models = self.models.get(provider).map_or_else(Cow::default, Cow::Borrowed);
        let anything = self.direct || models.contains(EVERY_OTHER);
        Asked { models, anything }
    }
}

impl Asked<'_> {
    /// Anything.
    pub(crate) fn anything() -> Self {
        Self { models: Cow::default(), anything: true }
    }
}

/// The targets of all routes, as they are written.
fn written(routes: &file::Named<file::Route>) -> impl Iterator<Item = &str> {
    let routes = is(routes).into_iter().flat_map(BTreeMap::values);
    let lists = routes.filter_map(|route| is(&is(route)?.known.targets));
    lists.flatten().filter_map(|entry| match is(entry)? {
        TargetEntry::Name(name) => Some(name.as_str()),
        TargetEntry::Placed(section) => is(&section.known.target).map(String::as_str),
    })
}

fn is<T>(value: &Lenient<T>) -> Option<&T> {
    match value {
        Lenient::Is(value) => Some(value),
        Lenient::Absent | Lenient::Wrong(_) => None,
    }
}
