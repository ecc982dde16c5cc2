//! The order of candidates: weighted chance, and each only once.
//!
//! Receives candidates and a source of chance; hands them on in order.
//! Must never be here: names, patterns, loads.

use crate::Candidate;
use crate::pick::rank;
use llm::PassedOver;
use std::ops::Range;

/// Draws for each place that is wanted, before a draw gives up.
const DRAWS: usize = 4;

/// A random order of `group` in which an element comes first as often as its weight says,
/// and so on for those after it. Weights are above 0.
///
/// Each element waits for an exponential time whose rate is its weight, and the first to come is first: drawing one
/// after the other gives the same distribution in quadratic time (Efraimidis and Spirakis, "Weighted random sampling
/// with a reservoir").
pub(crate) fn by_weight<T>(group: &mut [T], weight: impl Fn(&T) -> u32, rng: &mut fastrand::Rng) {
    group.sort_by_cached_key(|item| {
        // f64() may be 0 and is never 1, and the logarithm of 0 is no time.
        let time = (1.0 - rng.f64()).ln().abs();
        rank(time / f64::from(weight(item)))
    });
}

/// At most `most` distinct places of `range`, drawn one after the other by weight: the first is each place as often as
/// its weight says, and so on. `sums` are running sums of the weights of all places.
///
/// What was drawn before is drawn anew. Where a few heavy places keep coming, it gives up and returns fewer.
pub(crate) fn draw(sums: &[u64], range: Range<usize>, most: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    let sum = |count: usize| count.checked_sub(1).and_then(|last| sums.get(last)).copied().unwrap_or(0);
    let (from, to) = (sum(range.start), sum(range.end));
    let mut drawn = Vec::with_capacity(most);
    for _ in 0..most * DRAWS {
        if drawn.len() == most || from >= to {
            break;
        }
        let at = rng.u64(from..to);
        let place = sums.partition_point(|sum| *sum <= at);
        if !drawn.contains(&place) {
            drawn.push(place);
        }
    }
    drawn
}

/// Drops candidates that stand earlier in the list already; keeps no more than the first `most`.
pub(crate) fn drop_repeats(
    candidates: Vec<Candidate>,
    most: usize,
    passed_over: &mut Vec<PassedOver>,
) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len().min(most));
    for next in candidates {
        if kept.len() == most {
            break;
        }
        if kept.iter().any(|one| one.target == next.target) {
            passed_over.push(PassedOver { target: next.target, reason: "listed twice", remaining: None });
        } else {
            kept.push(next);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn each_comes_first_in_proportion_to_its_weight(
            weights in proptest::collection::vec(1_u32..50, 1..6),
            seed: u64,
        ) {
            const DRAWS: u32 = 4_000;
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut firsts = vec![0_u32; weights.len()];
            for _ in 0..DRAWS {
                let mut order: Vec<usize> = (0..weights.len()).collect();
                by_weight(&mut order, |place| weights[*place], &mut rng);
                firsts[order[0]] += 1;
                order.sort_unstable();
                prop_assert!(order.into_iter().eq(0..weights.len()), "a permutation");
            }
            let total = f64::from(weights.iter().sum::<u32>());
            for (count, weight) in firsts.iter().zip(&weights) {
                let expected = f64::from(*weight) / total;
                let seen = f64::from(*count) / f64::from(DRAWS);
                // Six standard deviations of a share near one half: chance alone does not reach it.
                prop_assert!((seen - expected).abs() < 0.05, "{seen} instead of {expected}");
            }
        }
    }

    #[test]
    fn few_of_many_are_drawn_as_their_weights_say() {
        // Two places before the range, one behind it, and three in it that weigh 1, 2 and 5.
        let sums = [100, 200, 201, 203, 208, 300];
        let mut rng = fastrand::Rng::with_seed(7);
        let mut firsts = [0_u32; 6];
        for _ in 0..8_000 {
            let drawn = draw(&sums, 2..5, 2, &mut rng);
            assert!(drawn.iter().all(|place| (2..5).contains(place)));
            assert!(drawn.get(1).is_none_or(|second| *second != drawn[0]), "{drawn:?}");
            firsts[drawn[0]] += 1;
        }
        for (place, wanted) in [(2, 1_000), (3, 2_000), (4, 5_000)] {
            assert!(firsts[place].abs_diff(wanted) < 250, "{firsts:?}");
        }
        assert_eq!(draw(&sums, 3..3, 9, &mut rng), [0_usize; 0]);
        assert_eq!(draw(&[u64::MAX >> 1, u64::MAX >> 1, u64::MAX >> 1], 0..3, 2, &mut rng), [0], "it gives up");
    }

    #[test]
    fn second_places_follow_the_weights_too() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut second = [0_u32; 3];
        for _ in 0..10_000 {
            let mut order = [(0, 1000_u32), (1, 30), (2, 10)];
            by_weight(&mut order, |(_, weight)| *weight, &mut rng);
            if order[0].0 == 0 {
                second[order[1].0] += 1;
            }
        }
        let share = f64::from(second[1]) / f64::from(second[1] + second[2]);
        assert!((share - 0.75).abs() < 0.03, "{share}");
    }
}
