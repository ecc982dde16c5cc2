//! What is measured per route: times, calls in flight, good and valid counts.
//!
//! Must never be here: what makes a call good.

use super::buckets;
use super::registry::Names;
use llm::{CallRecord, Label};
use prometheus::{Error, Histogram, IntCounter, IntGauge};
use slo::Objective;

pub(crate) struct Routes(Vec<Route>);

pub(crate) struct Route {
    pub(crate) inflight: IntGauge,
    duration: Histogram,
    first_token: Histogram,
    overhead: Histogram,
    objective: Objective,
    availability: Indicator,
    first_token_in_time: Indicator,
}

/// One service level indicator of one route.
struct Indicator {
    good: IntCounter,
    valid: IntCounter,
}

impl Routes {
    pub(crate) fn new(names: &Names, routes: &[Label], objectives: Vec<Objective>) -> Result<Self, Error> {
        let inflight = names.gauges("inflight", "Calls that were given to a route and are not over.", &["route"])?;
        let durations = "From a request's arrival to the last byte handed to the client.";
        let durations = names.histograms("request_duration_seconds", durations, &buckets::DURATION)?;
        let first_tokens = "From a request's arrival to its first meaningful content; streams only.";
        let first_tokens = names.histograms("first_token_seconds", first_tokens, &buckets::DURATION)?;
        let overheads = "Of the time to an answer's head, the part spent in the gateway itself.";
        let overheads = names.histograms("overhead_seconds", overheads, &buckets::OVERHEAD)?;
        let good = names.counters("slo_good_total", "Calls that met the objective.", &["route", "sli"])?;
        let valid = names.counters("slo_valid_total", "Calls that count for the objective.", &["route", "sli"])?;
        let objectives = objectives.into_iter().map(Some).chain(std::iter::repeat(None));
        let handles = routes.iter().zip(objectives).map(|(route, objective)| {
            let route = &*route.name;
            let indicator = |sli| Indicator {
                good: good.with_label_values(&[route, sli]),
                valid: valid.with_label_values(&[route, sli]),
            };
            Route {
                inflight: inflight.with_label_values(&[route]),
                duration: durations.with_label_values(&[route]),
                first_token: first_tokens.with_label_values(&[route]),
                overhead: overheads.with_label_values(&[route]),
                objective: objective.unwrap_or_default(),
                availability: indicator("availability"),
                first_token_in_time: indicator("first_token"),
            }
        });
        Ok(Self(handles.collect()))
    }

    pub(crate) fn get(&self, route: &Label) -> Option<&Route> {
        self.0.get(route.index)
    }
}

impl Route {
    pub(crate) fn observe(&self, record: &CallRecord) {
        self.duration.observe(record.duration.as_secs_f64());
        self.overhead.observe(record.overhead.as_secs_f64());
        if let Some(time) = record.first_token {
            self.first_token.observe(time.as_secs_f64());
        }
        let judgement = slo::judge(record, &self.objective);
        self.availability.count(judgement.availability);
        self.first_token_in_time.count(judgement.first_token);
    }
}

impl Indicator {
    fn count(&self, judged: Option<bool>) {
        let Some(good) = judged else { return };
        self.valid.inc();
        if good {
            self.good.inc();
        }
    }
}
