//! Making and registering metric families under the one prefix.
//!
//! Must never be here: which metrics there are.

use prometheus::core::Collector;
use prometheus::{Error, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

const PREFIX: &str = "breakwater";

#[derive(Default)]
pub(crate) struct Names(Registry);

impl Names {
    pub(crate) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
        self.kept(IntCounterVec::new(Opts::new(name, help).namespace(PREFIX), labels)?)
    }

    pub(crate) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
        self.kept(IntGaugeVec::new(Opts::new(name, help).namespace(PREFIX), labels)?)
    }

    pub(crate) fn histograms(&self, name: &str, help: &str, bounds: &[f64]) -> Result<HistogramVec, Error> {
        let opts = HistogramOpts::new(name, help).namespace(PREFIX).buckets(bounds.to_vec());
        self.kept(HistogramVec::new(opts, &["route"])?)
    }

    pub(crate) fn register(&self, collector: impl Collector + 'static) -> Result<(), Error> {
        self.0.register(Box::new(collector))
    }

    pub(crate) fn render(&self) -> Result<String, Error> {
        TextEncoder::new().encode_to_string(&self.0.gather())
    }

    fn kept<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, Error> {
        self.register(collector.clone())?;
        Ok(collector)
    }
}
