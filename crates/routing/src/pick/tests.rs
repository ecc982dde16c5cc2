//! Each balance as a table with loads given, and the shares of sessions as properties.

use super::*;
use crate::ModelFacts;
use llm::Price;
use llm::{Label, TargetId};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::HashMap;

/// A candidate that is told from others by its label's index.
pub(crate) fn candidate(index: usize, weight: u32) -> Candidate {
    let target = TargetId { provider: "p".into(), model: index.to_string().into() };
    let (label, facts, domains) = (Label::new(index, target.to_string()), ModelFacts::default(), [].into());
    Candidate { target, provider: 0, label, known: true, facts, domains, priority: 1, weight }
}

/// Loads by label, and who was asked.
#[derive(Default)]
struct Known {
    loads: HashMap<usize, Load>,
    asked: RefCell<Vec<usize>>,
}

impl Known {
    fn expected(seconds: &[f64]) -> Self {
        let loads = seconds.iter().map(|expected| Load { expected: *expected, in_flight: 0 });
        Self { loads: loads.enumerate().collect(), ..Self::default() }
    }

    fn in_flight(calls: &[u32]) -> Self {
        let loads = calls.iter().map(|in_flight| Load { expected: 0.0, in_flight: *in_flight });
        Self { loads: loads.enumerate().collect(), ..Self::default() }
    }
}

impl Loads for Known {
    fn load(&self, candidate: &Candidate) -> Load {
        self.asked.borrow_mut().push(candidate.label.index);
        self.loads[&candidate.label.index]
    }
}

fn group(weights: &[u32]) -> Vec<Candidate> {
    weights.iter().enumerate().map(|(index, weight)| candidate(index, *weight)).collect()
}

fn order(balance: Balance, mut group: Vec<Candidate>, loads: &dyn Loads, seed: u64) -> Vec<usize> {
    Pick { rng: &mut fastrand::Rng::with_seed(seed), session: None, loads }.order(balance, &mut group);
    places(&group)
}

fn of_session(session: &str, mut group: Vec<Candidate>) -> Vec<usize> {
    let rng = &mut fastrand::Rng::new();
    let loads = &Known::default();
    Pick { rng, session: Some(session), loads }.order(Balance::LeastBusy, &mut group);
    places(&group)
}

fn places(group: &[Candidate]) -> Vec<usize> {
    group.iter().map(|candidate| candidate.label.index).collect()
}

/// How often each came first in so many orders.
fn firsts(orders: impl Iterator<Item = Vec<usize>>, among: usize) -> Vec<u32> {
    let mut counts = vec![0; among];
    orders.for_each(|order| counts[order[0]] += 1);
    counts
}

fn share(count: u32, of: u32) -> f64 {
    f64::from(count) / f64::from(of)
}

#[test]
fn loads_are_asked_for_only_where_they_matter() {
    for (balance, size, questions) in [
        (Balance::Weighted, 5, 0),
        (Balance::Cost, 5, 0),
        (Balance::Latency, 1, 0),
        (Balance::Latency, 5, 2),
        (Balance::LeastBusy, 1, 0),
        (Balance::LeastBusy, 5, 5),
    ] {
        let loads = Known::expected(&[1.0; 5]);
        let mut order = order(balance, group(&vec![1; size]), &loads, 3);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..size), "a permutation");
        let mut asked = loads.asked.take();
        assert_eq!(asked.len(), questions, "{balance:?} of {size}");
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), questions, "each once");
    }
    // Known would panic if it were asked: it has no loads.
    assert_eq!(of_session("s", group(&[1, 1, 1])).len(), 3);
}

#[test]
fn of_two_the_quicker_comes_first_and_a_tie_is_left_to_chance() {
    for (seconds, shares) in [
        ([1.0, 1.1], [1.0, 0.0]),
        ([2.0, 0.5], [0.0, 1.0]),
        ([0.0, f64::INFINITY], [1.0, 0.0]),
        ([1.0, 1.0], [0.25, 0.75]),
        ([f64::NAN, 1.0], [0.25, 0.75]),
    ] {
        let loads = Known::expected(&seconds);
        let orders = (0..4_000).map(|seed| order(Balance::Latency, group(&[1, 3]), &loads, seed));
        let counts = firsts(orders, 2);
        for (count, expected) in counts.into_iter().zip(shares) {
            assert!((share(count, 4_000) - expected).abs() < 0.03, "{seconds:?}: {count} instead of {expected}");
        }
    }
}

/// With equal weights a target wins against those slower than it: of 4, in 3, 2, 1, 0 of 6 pairs.
#[test]
fn two_choices_draw_pairs_and_the_rest_follows_by_weight() {
    let loads = Known::expected(&[0.1, 0.2, 0.3, 0.4]);
    let orders = || (0..6_000).map(|seed| order(Balance::Latency, group(&[1; 4]), &loads, seed));
    for (count, wins) in firsts(orders(), 4).into_iter().zip([3.0, 2.0, 1.0, 0.0]) {
        assert!((share(count, 6_000) - wins / 6.0).abs() < 0.03, "{count} instead of {wins} sixths");
    }
    assert!(orders().all(|order| order[0] < order[1]), "the loser of the pair comes second");
    let thirds = firsts(orders().map(|order| order[2..].to_vec()), 4);
    assert!(thirds.iter().all(|count| (share(*count, 6_000) - 0.25).abs() < 0.03), "{thirds:?}");
}

#[test]
fn the_least_busy_for_its_weight_comes_first() {
    for (weights, in_flight, expected) in [
        (&[1, 1, 1][..], &[2, 0, 1][..], &[1, 2, 0][..]),
        (&[4, 1, 2], &[3, 1, 0], &[2, 0, 1]),
        (&[10, 1], &[0, 0], &[0, 1]),
        (&[1, 1], &[u32::MAX, 7], &[1, 0]),
    ] {
        for seed in 0..20 {
            let order = order(Balance::LeastBusy, group(weights), &Known::in_flight(in_flight), seed);
            assert_eq!(order, expected, "{weights:?} {in_flight:?}");
        }
    }
}

#[test]
fn equally_busy_targets_are_drawn() {
    let loads = Known::in_flight(&[2, 2, 2, 5]);
    let orders = (0..3_000).map(|seed| order(Balance::LeastBusy, group(&[1; 4]), &loads, seed));
    let counts = firsts(orders, 4);
    assert_eq!(counts[3], 0);
    assert!(counts[..3].iter().all(|count| (share(*count, 3_000) - 1.0 / 3.0).abs() < 0.05), "{counts:?}");
    let idle = (0..3_000).map(|seed| order(Balance::LeastBusy, group(&[1; 2]), &NoLoads, seed));
    assert!(firsts(idle, 2).into_iter().all(|count| (share(count, 3_000) - 0.5).abs() < 0.05));
}

fn priced(prices: &[Option<(f64, f64)>]) -> Vec<Candidate> {
    let mut group = group(&vec![1; prices.len()]);
    for (candidate, price) in group.iter_mut().zip(prices) {
        candidate.facts.price = price.map(|(input, output)| Price { input, output, ..Price::default() });
    }
    group
}

#[test]
fn the_cheapest_comes_first_and_the_unknown_last() {
    for (prices, expected) in [
        (&[Some((3.0, 15.0)), Some((0.1, 0.4)), Some((1.0, 5.0))][..], &[1, 2, 0][..]),
        (&[None, Some((0.0, 0.0)), Some((900.0, 900.0))], &[1, 2, 0]),
        // Three of the question weigh as much as one of the answer.
        (&[Some((2.0, 0.0)), Some((0.0, 5.0))], &[1, 0]),
        (&[Some((1.0, 0.0)), Some((0.0, 5.0))], &[0, 1]),
    ] {
        for seed in 0..20 {
            assert_eq!(order(Balance::Cost, priced(prices), &NoLoads, seed), expected, "{prices:?}");
        }
    }
}

#[test]
fn equal_prices_share_by_weight() {
    for price in [None, Some((1.0, 2.0))] {
        let orders = (0..4_000).map(|seed| {
            let mut group = priced(&[price, price]);
            group[1].weight = 3;
            order(Balance::Cost, group, &NoLoads, seed)
        });
        let share = share(firsts(orders, 2)[1], 4_000);
        assert!((share - 0.75).abs() < 0.03, "{price:?}: {share}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_session_keeps_its_order_when_targets_come_and_go(
        session in "[a-z0-9-]{1,40}",
        weights in proptest::collection::vec(1_u32..20, 2..8),
        gone: prop::sample::Index,
    ) {
        let all = of_session(&session, group(&weights));
        prop_assert_eq!(&of_session(&session, group(&weights)), &all, "same session, same order");
        let gone = gone.index(weights.len());
        let left: Vec<_> = group(&weights).into_iter().rev().filter(|one| one.label.index != gone).collect();
        let stayed: Vec<_> = all.into_iter().filter(|place| *place != gone).collect();
        prop_assert_eq!(of_session(&session, left), stayed);
    }

    #[test]
    fn sessions_spread_by_weight(weights in proptest::collection::vec(1_u32..20, 2..6), salt: u32) {
        const SESSIONS: u32 = 4_000;
        let orders = (0..SESSIONS).map(|number| of_session(&format!("{salt}-{number}"), group(&weights)));
        let total = f64::from(weights.iter().sum::<u32>());
        for (count, weight) in firsts(orders, weights.len()).into_iter().zip(&weights) {
            let (seen, expected) = (share(count, SESSIONS), f64::from(*weight) / total);
            prop_assert!((seen - expected).abs() < 0.05, "{seen} instead of {expected}");
        }
    }
}

#[test]
fn ranks_are_ordered_as_numbers_are() {
    let ascending = [0.0, f64::MIN_POSITIVE, 0.1, 1.0, 1.5, 1e300, f64::INFINITY];
    assert!(ascending.windows(2).all(|pair| rank(pair[0]) < rank(pair[1])));
    assert!([-0.0, -1.0, f64::NAN].into_iter().all(|odd| rank(odd) == 0));
}
