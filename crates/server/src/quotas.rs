//! Which quotas a client is told of: its own, and those of whoever served it.
//!
//! Must never be here: the names of headers (`dialects`), what follows from a quota.

use admission::RequestLimits;
use dialects::{Quotas, limits};
use http::{HeaderMap, HeaderName, HeaderValue};
use llm::{Dialect, QuotaKind, QuotaReading};
use std::time::Duration;

/// The quotas to tell a client with a limit of its `own`, which counts for it more than `theirs` of the same kind.
pub(crate) fn with_own(theirs: Quotas, own: Option<RequestLimits>) -> Quotas {
    match own {
        None => theirs,
        Some(RequestLimits { limit, remaining, reset }) => {
            let (limit, remaining, reset) = (Some(limit.into()), remaining.into(), Some(reset));
            theirs.with_own(QuotaReading { kind: QuotaKind::Requests, limit, remaining, reset }, since_epoch())
        }
    }
}

/// The client's own quota alone.
pub(crate) fn own(own: Option<RequestLimits>) -> Quotas {
    with_own(Quotas::default(), own)
}

/// Tells a client of `dialect`.
pub(crate) fn tell(headers: &mut HeaderMap, dialect: Dialect, quotas: &Quotas) {
    if quotas.is_empty() {
        return;
    }
    for (name, value) in limits(dialect, quotas, since_epoch()) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The time of day, as quotas may be full again at an instant of it.
#[expect(clippy::disallowed_types, reason = "an instant that is told to a client is one of wall time")]
fn since_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
