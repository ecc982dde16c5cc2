//! `requests_total`: calls by route, caller, dialect, outcome and stream.
//!
//! The counters of a pair of route and caller appear together when the pair is first used, so that pairs
//! that never meet cost no series. Must never be here: other metrics of a call.

use super::registry::Names;
use llm::{CallRecord, Dialect, Label, Outcome};
use prometheus::{Error, IntCounter, IntCounterVec};
use std::sync::OnceLock;

/// By outcome, then whether a stream was asked for.
type Pair = [[IntCounter; 2]; Outcome::ALL.len()];

pub(crate) struct Calls {
    requests: IntCounterVec,
    routes: usize,
    callers: usize,
    /// Flat, by dialect, then route, then caller.
    pairs: Vec<OnceLock<Pair>>,
}

impl Calls {
    pub(crate) fn new(names: &Names, routes: &[Label], callers: &[Label]) -> Result<Self, Error> {
        let labels = ["route", "caller", "dialect", "outcome", "stream"];
        let requests = names.counters("requests_total", "Calls by how they ended for the client.", &labels)?;
        let pairs = std::iter::repeat_with(OnceLock::new).take(Dialect::COUNT * routes.len() * callers.len()).collect();
        Ok(Self { requests, routes: routes.len(), callers: callers.len(), pairs })
    }

    pub(crate) fn count(&self, record: &CallRecord) {
        if let Some(counter) = self.counter(record) {
            counter.inc();
        }
    }

    /// `None` for labels that the tables were not made for.
    fn counter(&self, record: &CallRecord) -> Option<&IntCounter> {
        let (route, caller) = (record.route.index, record.caller.index);
        if route >= self.routes || caller >= self.callers {
            return None;
        }
        let place = (record.dialect.index() * self.routes + route) * self.callers + caller;
        let pair = self.pairs.get(place)?.get_or_init(|| self.pair(record));
        pair.get(record.outcome as usize)?.get(usize::from(record.stream))
    }

    fn pair(&self, record: &CallRecord) -> Pair {
        let (route, caller, dialect) = (&*record.route.name, &*record.caller.name, record.dialect.as_str());
        Outcome::ALL.map(|outcome| {
            ["false", "true"]
                .map(|stream| self.requests.with_label_values(&[route, caller, dialect, outcome.as_str(), stream]))
        })
    }
}
