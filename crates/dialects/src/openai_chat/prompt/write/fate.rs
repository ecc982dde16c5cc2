//! What becomes of a request's fields that are no noun, by their names, which any dialect may have given them.
//!
//! A name that two dialects give to different things is never said: a hint of one is an error of the other.

use super::Server;
use crate::essential::{self, Fate as Foreign};
use llm::Other;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written as it came.
    Said,
    /// It says nothing.
    Nothing,
    /// It changes nothing essential.
    LeftOut,
    /// The answer would be another one without it, and why it cannot be said.
    Unsayable(&'static str),
}

/// What becomes of a field.
pub(super) fn fate(other: &Other, server: &Server) -> Fate {
    match essential::fate(&other.name, &other.json) {
        _ if server.takes.contains(&other.name.as_str()) => Fate::Said,
        Foreign::Nothing => Fate::Nothing,
        Foreign::LeftOut => Fate::LeftOut,
        Foreign::Refused(why) => Fate::Unsayable(why),
    }
}
