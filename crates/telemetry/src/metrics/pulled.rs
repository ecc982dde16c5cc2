//! A metric without labels whose value is asked for when metrics are read.
//!
//! Must never be here: what is asked.

use prometheus::Error;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};
use std::collections::HashMap;

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
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        vec![family]
    }
}
