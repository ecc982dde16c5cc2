//! Metrics whose values are asked for when metrics are read.
//!
//! Must never be here: what is asked.

use prometheus::Error;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) enum Kind {
    Counter,
    Gauge,
}

pub(crate) struct Pulled<R> {
    desc: Desc,
    kind: Kind,
    read: R,
}

impl<R: Fn() -> Option<f64> + Send + Sync> Pulled<R> {
    /// Where `read` gives nothing, the metric is absent.
    pub(crate) fn new(name: &str, help: &str, kind: Kind, read: R) -> Result<Self, Error> {
        let desc = Desc::new(name.to_owned(), help.to_owned(), Vec::new(), HashMap::new())?;
        Ok(Self { desc, kind, read })
    }

    fn metric(&self, value: f64) -> (MetricType, Metric) {
        match self.kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                let mut metric = Metric::default();
                metric.set_counter(counter);
                (MetricType::COUNTER, metric)
            }
            Kind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                (MetricType::GAUGE, Metric::from_gauge(gauge))
            }
        }
    }
}

impl<R: Fn() -> Option<f64> + Send + Sync> Collector for Pulled<R> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(value) = (self.read)() else { return Vec::new() };
        let (kind, metric) = self.metric(value);
        vec![family(&self.desc, kind, vec![metric])]
    }
}

/// Gauges of one name, told apart by one label whose values are fixed at start.
pub(crate) struct PulledGauges<R> {
    desc: Desc,
    label: &'static str,
    names: Vec<Arc<str>>,
    read: R,
}

impl<R: Fn() -> Vec<f64> + Send + Sync> PulledGauges<R> {
    /// `read` gives the values in the order of `names`.
    pub(crate) fn new(
        name: &str,
        help: &str,
        label: &'static str,
        names: Vec<Arc<str>>,
        read: R,
    ) -> Result<Self, Error> {
        let desc = Desc::new(name.to_owned(), help.to_owned(), vec![label.to_owned()], HashMap::new())?;
        Ok(Self { desc, label, names, read })
    }

    fn metric(&self, name: &str, value: f64) -> Metric {
        let mut pair = LabelPair::default();
        pair.set_name(self.label.to_owned());
        pair.set_value(name.to_owned());
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = Metric::from_gauge(gauge);
        metric.set_label(vec![pair]);
        metric
    }
}

impl<R: Fn() -> Vec<f64> + Send + Sync> Collector for PulledGauges<R> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let values = (self.read)();
        let metrics = self.names.iter().zip(values).map(|(name, value)| self.metric(name, value)).collect();
        vec![family(&self.desc, MetricType::GAUGE, metrics)]
    }
}

fn family(desc: &Desc, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(desc.fq_name.clone());
    family.set_help(desc.help.clone());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}
