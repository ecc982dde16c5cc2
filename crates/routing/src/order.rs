//! The order of candidates: weighted chance, and each only once.
//!
//! Receives candidates and a source of chance; hands them on in order.
//! Must never be here: names, patterns, loads.

use crate::Candidate;
use crate::pick::rank;
use llm::PassedOver;

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

/// Drops candidates that stand earlier in the list already.
pub(crate) fn drop_repeats(candidates: Vec<Candidate>, passed_over: &mut Vec<PassedOver>) -> Vec<Candidate> {
    let repeats = |seen: &[Candidate], next: &Candidate| seen.iter().any(|one| one.target == next.target);
    if !(1..candidates.len()).any(|place| repeats(&candidates[..place], &candidates[place])) {
        return candidates;
    }
    candidates.into_iter().fold(Vec::new(), |mut kept, next| {
        if repeats(&kept, &next) {
            passed_over.push(PassedOver { target: next.target, reason: "listed twice", remaining: None });
        } else {
            kept.push(next);
        }
        kept
    })
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
