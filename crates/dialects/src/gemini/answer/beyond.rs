//! What has no noun, or no word of Google's: where it stands all the same, or that it is left out.
//!
//! Must never be here: how anything is put down.

use super::super::chunk::{BESIDE, PARTS};
use super::form::Call;
use serde_json::value::RawValue;

/// The most names that are told as left out.
const MAX_LEFT_OUT: usize = 32;

/// Where something that is no noun stands in Google's objects.
pub(super) enum Stands<'a> {
    Part(&'a RawValue),
    Beside(&'a str, &'a RawValue),
}

impl<'a> Stands<'a> {
    /// Of what came from Google, by its name.
    pub(super) fn of(name: &'a str, json: &'a str) -> Option<Self> {
        let json: &RawValue = serde_json::from_str(json).ok()?;
        if BESIDE.contains(&name) {
            return Some(Self::Beside(name, json));
        }
        (PARTS.contains(&name) && json.get().starts_with('{')).then_some(Self::Part(json))
    }
}

/// Names of what is left out, each once.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Vec<String>);

impl LeftOut {
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    pub(super) fn tell(&mut self, name: &str) {
        if self.0.len() < MAX_LEFT_OUT && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Tells of arguments that are no object and should be.
    pub(super) fn judge(&mut self, call: &Call) {
        if !call.args().1 {
            self.tell("arguments");
        }
    }
}
