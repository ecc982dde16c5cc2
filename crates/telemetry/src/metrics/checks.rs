//! `contract_checks_total`: what the checks of contracts came to, by route, check and result.
//!
//! The counters of a route and a check appear together when the check is first made there, so that a first failure is
//! an increase, and checks that no answer meets cost no series. Must never be here: how anything is checked.

use super::registry::Names;
use contracts::Check;
use llm::{CallRecord, CheckResult, Label};
use prometheus::{Error, IntCounter, IntCounterVec};
use std::sync::OnceLock;

type Results = [IntCounter; CheckResult::ALL.len()];

pub(crate) struct Checks {
    checks: IntCounterVec,
    routes: usize,
    /// Flat, by route, then check.
    counters: Vec<OnceLock<Results>>,
}

impl Checks {
    pub(crate) fn new(names: &Names, routes: &[Label]) -> Result<Self, Error> {
        let help = "Checks of the answers that calls ended with, by what they came to.";
        let checks = names.counters("contract_checks_total", help, &["route", "check", "result"])?;
        let counters = std::iter::repeat_with(OnceLock::new).take(routes.len() * Check::ALL.len()).collect();
        Ok(Self { checks, routes: routes.len(), counters })
    }

    pub(crate) fn count(&self, record: &CallRecord) {
        if record.route.index >= self.routes {
            return;
        }
        for checked in &record.checks {
            let Some(place) = Check::ALL.iter().position(|check| check.as_str() == checked.check) else { continue };
            let Some(slot) = self.counters.get(record.route.index * Check::ALL.len() + place) else { continue };
            let results = slot.get_or_init(|| self.results(&record.route, checked.check));
            if let Some(counter) = results.get(checked.result as usize) {
                counter.inc();
            }
        }
    }

    fn results(&self, route: &Label, check: &str) -> Results {
        CheckResult::ALL.map(|result| self.checks.with_label_values(&[&*route.name, check, result.as_str()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_at_their_own_place() {
        for (place, result) in CheckResult::ALL.iter().enumerate() {
            assert_eq!(*result as usize, place);
        }
    }
}
