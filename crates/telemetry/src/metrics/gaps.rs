//! `token_gap_seconds`: pauses between pieces of content, added a whole call at a time.
//!
//! A stream counts its own pauses while it runs; here the finished histogram is added bucket by bucket,
//! which the registry's own histogram cannot do. Must never be here: how a pause is measured.

use super::registry::Names;
use llm::{GAP_BOUNDS, Gaps, Label};
use prometheus::Error;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const NAME: &str = "breakwater_token_gap_seconds";
const HELP: &str = "Pauses between pieces of content of a stream.";

#[derive(Clone)]
pub(crate) struct GapHistograms {
    desc: Desc,
    routes: Arc<[RouteGaps]>,
}

struct RouteGaps {
    route: Label,
    /// Not cumulative.
    buckets: [AtomicU64; GAP_BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl GapHistograms {
    pub(crate) fn new(names: &Names, routes: &[Label]) -> Result<Self, Error> {
        let desc = Desc::new(NAME.to_owned(), HELP.to_owned(), vec!["route".to_owned()], HashMap::new())?;
        let empty = |route: &Label| RouteGaps {
            route: route.clone(),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_nanos: AtomicU64::new(0),
        };
        let histograms = Self { desc, routes: routes.iter().map(empty).collect() };
        names.register(histograms.clone())?;
        Ok(histograms)
    }

    pub(crate) fn add(&self, route: &Label, gaps: &Gaps) {
        let Some(route) = self.routes.get(route.index) else { return };
        for (total, count) in route.buckets.iter().zip(gaps.buckets).filter(|(_, count)| *count > 0) {
            total.fetch_add(u64::from(count), Ordering::Relaxed);
        }
        if !gaps.sum.is_zero() {
            let nanos = u64::try_from(gaps.sum.as_nanos()).unwrap_or(u64::MAX);
            route.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
        }
    }
}

impl RouteGaps {
    fn metric(&self) -> Metric {
        let mut count = 0;
        let mut histogram = Histogram::default();
        let mut cumulative = Vec::with_capacity(GAP_BOUNDS.len());
        for (place, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if let Some(bound) = GAP_BOUNDS.get(place) {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(*bound);
                bucket.set_cumulative_count(count);
                cumulative.push(bucket);
            }
        }
        histogram.set_bucket(cumulative);
        histogram.set_sample_count(count);
        let sum = Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed));
        histogram.set_sample_sum(sum.as_secs_f64());
        let mut label = LabelPair::default();
        label.set_name("route".to_owned());
        label.set_value(self.route.name.to_string());
        let mut metric = Metric::from_label(vec![label]);
        metric.set_histogram(histogram);
        metric
    }
}

impl Collector for GapHistograms {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(NAME.to_owned());
        family.set_help(HELP.to_owned());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(self.routes.iter().map(RouteGaps::metric).collect());
        vec![family]
    }
}
