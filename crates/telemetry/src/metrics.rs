//! Every metric of the gateway, from the call record alone.
//!
//! Handles are resolved at start, or once at their first use; a running call looks nothing up by name.
//! Must never be here: the access log, judgements about calls (those are the `slo` room's).

mod breakers;
mod buckets;
mod calls;
mod checks;
mod gaps;
mod process;
mod pulled;
mod registry;
mod retries;
mod routes;
mod shed;
mod targets;

use crate::LogSink;
use breakers::Breakers;
use calls::Calls;
use checks::Checks;
use engine::{Engine, Sink};
use gaps::GapHistograms;
use llm::{CallRecord, Label, Outcome, StreamEnd};
use prometheus::{Error, IntCounter};
use pulled::{Kind, Pulled};
use registry::Names;
use resilience::Transition;
use retries::Retries;
use routes::Routes;
use shed::Shed;
use slo::Objective;
use targets::Targets;

/// The registry and the handles into it.
///
/// The number of series is bounded by the configuration. With R routes (`direct` and `none` included),
/// C callers (`anonymous` included) and T target labels there are at the start 74 R + 11 T + 16;
/// traffic adds at most 18 R C for outcomes, 36 R for reasons of retries and 56 R for checks of contracts.
pub struct Metrics {
    names: Names,
    calls: Calls,
    checks: Checks,
    routes: Routes,
    gaps: GapHistograms,
    targets: Targets,
    retries: Retries,
    breakers: Breakers,
    shed: Shed,
    stream_ends: [IntCounter; StreamEnd::ALL.len()],
}

impl Metrics {
    /// Registers everything. Labels stand at their own index; `objectives` run parallel to `routes`,
    /// and routes beyond their end have the default one.
    ///
    /// # Errors
    /// A name or label that Prometheus does not accept.
    pub fn new(
        routes: &[Label],
        callers: &[Label],
        targets: &[Label],
        objectives: Vec<Objective>,
        version: &str,
    ) -> Result<Self, Error> {
        let names = Names::default();
        let build = names.gauges("build_info", "The version that runs.", &["version"])?;
        build.with_label_values(&[version]).set(1);
        let ends = names.counters("stream_end_total", "Streams by how they ended, once begun.", &["reason"])?;
        process::register(&names)?;
        Ok(Self {
            calls: Calls::new(&names, routes, callers)?,
            checks: Checks::new(&names, routes)?,
            routes: Routes::new(&names, routes, objectives)?,
            gaps: GapHistograms::new(&names, routes)?,
            targets: Targets::new(&names, targets)?,
            retries: Retries::new(&names, routes)?,
            breakers: Breakers::new(&names)?,
            shed: Shed::new(&names)?,
            stream_ends: StreamEnd::ALL.map(|end| ends.with_label_values(&[end.as_str()])),
            names,
        })
    }

    /// Also exports how many log lines were dropped.
    ///
    /// # Errors
    /// It was done before.
    pub fn watch(&self, log: &LogSink) -> Result<(), Error> {
        let (name, help) = ("breakwater_log_dropped_total", "Log lines dropped for want of room.");
        let log = log.clone();
        // A counter of lines stays far below the 2^53 up to which f64 counts exactly.
        #[allow(clippy::cast_precision_loss)]
        let read = move || Some(log.dropped() as f64);
        self.names.register(Pulled::new(name, help, Kind::Counter, read)?)
    }

    /// Also exports how breakers and retry budgets stand. `routes` and `targets` are the labels given at the start.
    ///
    /// # Errors
    /// It was done before.
    pub fn watch_engine(&self, engine: &Engine, routes: &[Label], targets: &[Label]) -> Result<(), Error> {
        breakers::watch(&self.names, engine, routes, targets)
    }

    /// Everything, in the text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.names.render().unwrap_or_else(|error| format!("# {error}\n"))
    }
}

impl Sink for Metrics {
    fn opened(&self, route: &Label) {
        if let Some(route) = self.routes.get(route) {
            route.inflight.inc();
        }
    }

    fn released(&self, route: &Label) {
        if let Some(route) = self.routes.get(route) {
            route.inflight.dec();
        }
    }

    fn record(&self, record: &CallRecord) {
        self.calls.count(record);
        self.checks.count(record);
        if let Some(route) = self.routes.get(&record.route) {
            route.observe(record);
        }
        self.gaps.add(&record.route, &record.gaps);
        self.targets.count(record);
        self.retries.count(record);
        if record.outcome == Outcome::Shed {
            self.shed.count(record.error, record.priority);
        }
        if let Some(counter) = record.stream_end.and_then(|end| self.stream_ends.get(end as usize)) {
            counter.inc();
        }
    }

    fn moved(&self, target: &Label, transition: &Transition) {
        self.breakers.count(target, transition);
    }
}

#[cfg(test)]
mod tests;
