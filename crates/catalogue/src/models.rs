//! The models of one kind, and how one of them is found.

use crate::name::{self, undated};
use crate::{Entry, Facts};
use std::collections::BTreeMap;
use std::ops::Bound;

/// What is known of the models of one kind of provider.
#[derive(Debug, Default)]
pub struct Models(BTreeMap<&'static str, Entry>);

impl Models {
    pub(crate) fn new(entries: BTreeMap<&'static str, Entry>) -> Self {
        Self(entries)
    }

    /// What is known of a model: as it is called, else without what only says where it runs, or which day's it is. A name
    /// that says no day, or the latest one, may also stand for the newest of those with a day.
    ///
    /// A day that is not in the catalogue stands for its model, and never for another day.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Facts> {
        let named = || name::spellings(model).find_map(|name| self.0.get(name));
        let entry = named().or_else(|| self.newest(name::open_ended(model)?))?;
        Some(entry.facts())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Facts)> {
        self.0.iter().map(|(name, entry)| (*name, entry.facts()))
    }

    /// The last of the days of a model.
    fn newest(&self, model: &str) -> Option<&Entry> {
        let alike = self
            .0
            .range::<str, _>((Bound::Included(model), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(model));
        alike.filter(|(name, _)| undated(name) == model).last().map(|(_, entry)| entry)
    }

    #[cfg(test)]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        self.0.iter().map(|(name, entry)| (*name, entry))
    }
}
