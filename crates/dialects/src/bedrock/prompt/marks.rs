//! What is to be cached: the dialect has a block of its own for it, behind what is marked.
//!
//! Must never be here: which models cache.

use super::family::Family;
use crate::hints::Hints;
use crate::thin::{Raw, read, text};
use serde::{Deserialize, Serialize};

/// Everything up to here is to be cached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
    /// How long it is to live, where that is not as long as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

/// What the mark of a client comes to, where its place `takes` one. A longer life than the usual is a hint where models
/// of the `family` have none.
pub(super) fn point(mark: Option<&str>, takes: bool, family: Family, hints: &mut Hints) -> Option<CachePoint> {
    #[derive(Default, Deserialize)]
    struct Mark<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Raw<'a>,
        #[serde(borrow, default)]
        ttl: Raw<'a>,
    }
    let mark: Mark<'_> = read(mark?.as_bytes()).unwrap_or_default();
    let life = text(mark.ttl);
    let ttl = (&*life == "1h" && family.caches_for_an_hour()).then_some("1h");
    let point = (takes && text(mark.kind) == "ephemeral").then_some(CachePoint { kind: "default", ttl });
    hints.lose_if(point.is_none() || !(ttl.is_some() || matches!(&*life, "" | "5m")), "cache_control");
    point
}
