//! `breaker`: when a target stops being called. It is written at routes and belongs to their targets, so that two
//! routes may not give one target different breakers.

use crate::fault::{At, quote};
use crate::file::{self, Block, Span};
use crate::lenient::Lenient;
use crate::reader::Reader;
use resilience::BreakerPolicy;
use routing::{ModelChoice, TargetSettings};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// The shortest and the longest window: the ring of ten keeps tenths of it, and forgets within the hour.
const WINDOWS: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// The breaker of the section at `at`, which inherits `base`. `first_token` is how long the section's calls wait.
pub(crate) fn breaker(
    reader: &mut Reader<'_>,
    at: &At,
    block: Block<file::Breaker>,
    base: BreakerPolicy,
    first_token: Duration,
) -> BreakerPolicy {
    let breaker = reader.block(at, block);
    let (open, max_open) = rests(reader, at, breaker.open, breaker.max_open, base);
    let min_calls = reader.count(&at.key("min_calls"), breaker.min_calls);
    let successes = reader.count(&at.key("half_open_successes"), breaker.half_open_successes);
    BreakerPolicy {
        consecutive: reader.value(&at.key("consecutive"), breaker.consecutive).unwrap_or(base.consecutive),
        failure_ratio: reader.part(&at.key("failure_ratio"), breaker.failure_ratio).unwrap_or(base.failure_ratio),
        min_calls: min_calls.map_or(base.min_calls, NonZeroU32::get),
        slow_call: slow_call(reader, &at.key("slow_call"), breaker.slow_call, first_token).or(base.slow_call),
        window: window(reader, &at.key("window"), breaker.window, first_token).unwrap_or(base.window),
        open,
        max_open,
        half_open_successes: successes.map_or(base.half_open_successes, NonZeroU32::get),
        ramp: reader.duration(&at.key("ramp"), breaker.ramp).unwrap_or(base.ramp),
    }
}

/// What is written must fit below the longest rest; what is inherited is cut to it, for nobody asked for both.
fn rests(
    reader: &mut Reader<'_>,
    at: &At,
    open: Lenient<Span>,
    max_open: Lenient<Span>,
    base: BreakerPolicy,
) -> (Duration, Duration) {
    let max_open = reader.wait(&at.key("max_open"), max_open).unwrap_or(base.max_open);
    let at = at.key("open");
    let Some(open) = reader.wait(&at, open) else { return (base.open.min(max_open), max_open) };
    if open > max_open {
        reader.fault(&at, format!("is longer than max_open of {max_open:?}"));
    }
    (open, max_open)
}

fn slow_call(reader: &mut Reader<'_>, at: &At, span: Lenient<Span>, first_token: Duration) -> Option<Duration> {
    let slow_call = reader.wait(at, span)?;
    if slow_call >= first_token {
        let limit = format!("timeouts.first_token of {first_token:?}");
        reader.warn(at, format!("is not shorter than {limit}, which such a call meets first"));
    }
    Some(slow_call)
}

fn window(reader: &mut Reader<'_>, at: &At, span: Lenient<Span>, first_token: Duration) -> Option<Duration> {
    let window = reader.duration(at, span)?;
    if !WINDOWS.contains(&window) {
        reader.fault(at, "must last from 1s to 1h");
    } else if window < first_token {
        let limit = format!("timeouts.first_token of {first_token:?}");
        reader.warn(at, format!("is shorter than {limit}: failures are forgotten while calls still wait"));
    }
    Some(window)
}

/// A breaker that a route gives a target, and where it says so.
struct Claim {
    breaker: BreakerPolicy,
    at: At,
}

/// The breakers that routes give their targets.
#[derive(Default)]
pub(crate) struct Breakers {
    /// By provider and model; `*` stands for the models that are not named.
    claims: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Claim>>,
}

impl Breakers {
    /// Gives each of `targets` the breaker that is written at `at`, but for those that the route takes out.
    pub(crate) fn claim(
        &mut self,
        reader: &mut Reader<'_>,
        at: &At,
        targets: &[TargetSettings],
        breaker: BreakerPolicy,
    ) {
        for target in targets.iter().filter(|target| target.weight > 0) {
            let model = model(target);
            let shared = quote(&format!("{}/{model}", target.provider));
            let models = self.claims.entry(Arc::clone(&target.provider)).or_default();
            let claim = models.entry(model).or_insert_with(|| Claim { breaker, at: at.clone() });
            if claim.breaker != breaker {
                let message = format!("{shared} has another breaker from {}: a target has one", claim.at.as_str());
                reader.fault(at, message);
            }
        }
    }

    /// Warns of each breaker that also holds for a target of the route at `at`, which says nothing of breakers and so
    /// would have `inherited`.
    pub(crate) fn warn_of_silent(
        &self,
        reader: &mut Reader<'_>,
        at: &At,
        targets: &[TargetSettings],
        inherited: BreakerPolicy,
    ) {
        let mut told = BTreeSet::new();
        for target in targets.iter().filter(|target| target.weight > 0) {
            let model = model(target);
            let Some(models) = self.claims.get(&target.provider) else { continue };
            let Some(claim) = models.get(&model).or_else(|| models.get(super::EVERY_OTHER)) else { continue };
            if claim.breaker != inherited && told.insert(claim.at.as_str()) {
                let shared = quote(&format!("{}/{model}", target.provider));
                let message = format!("holds for {shared} of {} too, which says nothing of breakers", at.as_str());
                reader.warn(&claim.at, message);
            }
        }
    }

    /// The breaker that a route gives this model at this provider; `*` is every model that is not named.
    pub(crate) fn of(&self, provider: &str, model: &str) -> Option<BreakerPolicy> {
        Some(self.claims.get(provider)?.get(model)?.breaker)
    }

    /// The models at this provider that routes give breakers to.
    pub(crate) fn models(&self, provider: &str) -> impl Iterator<Item = &Arc<str>> {
        self.claims.get(provider).into_iter().flat_map(BTreeMap::keys)
    }
}

fn model(target: &TargetSettings) -> Arc<str> {
    match &target.model {
        ModelChoice::Fixed(model) => Arc::clone(model),
        ModelChoice::AsRequested => super::EVERY_OTHER.into(),
    }
}
