//! What is to be cached: the dialect has a block of its own for it, behind what is marked.
//!
//! Must never be here: which models cache.

use crate::hints::Hints;
use crate::thin::{Raw, read, text};
use serde::{Deserialize, Serialize};

/// Everything up to here is to be cached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The only one there is.
pub(super) const CACHE_POINT: CachePoint = CachePoint { kind: "default" };

/// Whether the mark of a client is written, where its place `takes` one. A longer life than the usual is a hint.
pub(super) fn is_marked(mark: Option<&str>, takes: bool, hints: &mut Hints) -> bool {
    #[derive(Default, Deserialize)]
    struct Mark<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Raw<'a>,
        #[serde(borrow, default)]
        ttl: Raw<'a>,
    }
    let Some(mark) = mark else { return false };
    let mark: Mark<'_> = read(mark.as_bytes()).unwrap_or_default();
    let written = takes && text(mark.kind) == "ephemeral";
    hints.lose_if(!written || !matches!(&*text(mark.ttl), "" | "5m"), "cache_control");
    written
}
