//! The targets of a route together: what is wrong with, or worth a warning in, a chain whose links are sound.

use crate::fault::{At, quote};
use crate::reader::Reader;
use routing::{Balance, MAX_CANDIDATES, ModelChoice, ModelFacts, ProviderFacts, TargetSettings};
use std::collections::BTreeMap;

/// What a route says of how it uses its targets.
#[derive(Clone, Copy)]
pub(crate) struct Uses {
    /// How calls spread over targets of equal priority.
    pub(crate) balance: Balance,
    /// The route says so itself.
    pub(crate) balance_written: bool,
    /// The route itself turns hedges on.
    pub(crate) hedge_written: bool,
}

/// Judges the targets of the route at `at`. A provider without facts has its own faults and is not judged.
pub(crate) fn judge(
    reader: &mut Reader<'_>,
    at: &At,
    targets: &[TargetSettings],
    facts: &BTreeMap<&str, &ProviderFacts>,
    uses: Uses,
) {
    let targets_at = at.key("targets");
    let active: Vec<_> = targets.iter().enumerate().filter(|(_, target)| target.weight > 0).collect();
    if active.is_empty() && !targets.is_empty() {
        reader.fault(&targets_at, "every weight is 0, so nothing could be called");
    }
    if let [_, _, ..] = *active
        && let Some(domain) = shared_domain(active.iter().map(|(_, target)| facts.get(&*target.provider).copied()))
    {
        reader.warn(&targets_at, format!("all share {domain}: the failover chain stays inside one failure domain"));
    }
    let shared: Vec<_> = active.iter().filter(|(place, target)| has_equal(&active, *place, target.priority)).collect();
    if uses.balance == Balance::Cost {
        for (place, target) in &shared {
            ask_for_price(reader, &targets_at.index(*place), target, facts);
        }
    }
    if uses.balance_written && uses.balance != Balance::Weighted && shared.is_empty() && !active.is_empty() {
        reader.warn(&at.key("balance"), "does nothing: no two targets have one priority");
    }
    if uses.hedge_written && active.len() == 1 {
        reader.warn(&at.key("hedge"), "does nothing: there is no second target to ask");
    }
    if active.len() > MAX_CANDIDATES {
        let count = active.len();
        reader.warn(&targets_at, format!("are {count}: one call asks the first {MAX_CANDIDATES} in its order at most"));
    }
}

fn has_equal(targets: &[(usize, &TargetSettings)], place: usize, priority: u32) -> bool {
    targets.iter().any(|(other, target)| *other != place && target.priority == priority)
}

/// The widest failure domain that all providers lie in.
fn shared_domain<'a>(providers: impl Iterator<Item = Option<&'a ProviderFacts>>) -> Option<&'a str> {
    let providers: Vec<_> = providers.collect::<Option<_>>()?;
    let (first, rest) = providers.split_first()?;
    let domains = first.domains.iter().map(|domain| &**domain);
    domains.into_iter().find(|domain| rest.iter().all(|other| other.domains.iter().any(|own| &**own == *domain)))
}

fn ask_for_price(reader: &mut Reader<'_>, at: &At, target: &TargetSettings, facts: &BTreeMap<&str, &ProviderFacts>) {
    let Some(provider) = facts.get(&*target.provider) else { return };
    let (model, known): (&str, ModelFacts) = match &target.model {
        ModelChoice::Fixed(model) => (model, provider.models.get(model).copied().unwrap_or(provider.others)),
        ModelChoice::AsRequested => (super::EVERY_OTHER, provider.others),
    };
    if known.price.is_none() {
        let models = At::root().key("providers").key(&target.provider).key("models").key(model);
        let place = quote(models.key("price").as_str());
        reader.fault(at, format!("has no price, which `balance: cost` compares: give {place}"));
    }
}
