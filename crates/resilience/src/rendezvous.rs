//! Which target a session belongs to.
//!
//! Receives a session, a target and its weight; hands on a score.
//! Must never be here: which targets there are or are well.

/// The score of `place` for `session`: among several places the highest score has the session. In (0, infinity), and
/// 0 for a place of no weight.
///
/// Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005, in the
/// logarithmic form `weight / -ln(hash)`): each place has its weight's share of the sessions; when one comes or goes,
/// only the sessions it gains or had move. The same everywhere and always: it depends on its arguments alone.
#[must_use]
pub fn by_session(session: &str, place: &str, weight: u32) -> f64 {
    // 0xff is in no UTF-8 text: ("ab", "c") and ("a", "bc") differ.
    let bytes = session.bytes().chain([0xff]).chain(place.bytes());
    f64::from(weight) / -unit(mixed(fnv1a(bytes))).ln()
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The finaliser of `MurmurHash3` (Appleby): FNV alone leaves the high bits of short texts alike.
const fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The high 52 bits as a number strictly between 0 and 1.
fn unit(hash: u64) -> f64 {
    ((hash >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn winner<'a>(session: &str, places: &[(&'a str, u32)]) -> &'a str {
        let score = |place: &&(&str, u32)| by_session(session, place.0, place.1);
        places.iter().max_by(|one, other| score(one).total_cmp(&score(other))).unwrap().0
    }

    #[test]
    fn hashes_are_the_published_ones() {
        // Vectors of the FNV reference.
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a".bytes()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
        assert_eq!(mixed(0), 0);
        assert_eq!(mixed(1), 0xb456_bcfc_34c2_cb2c);
    }

    #[test]
    fn every_hash_gives_a_finite_score() {
        for hash in [0, 1, u64::MAX - 1, u64::MAX] {
            let unit = unit(hash);
            assert!(unit > 0.0 && unit < 1.0 && (1.0 / -unit.ln()).is_finite(), "{hash}");
        }
        assert_eq!(by_session("s", "p", 0), 0.0);
    }

    #[test]
    fn sessions_spread_by_weight() {
        let places = [("east", 1), ("west", 2), ("north", 5), ("south", 0)];
        let mut counts = [0u32; 4];
        for session in 0..40_000 {
            let won = winner(&format!("session-{session}"), &places);
            counts[places.iter().position(|(place, _)| *place == won).unwrap()] += 1;
        }
        for (count, (place, weight)) in counts.into_iter().zip(places) {
            let wanted = 40_000 * weight / 8;
            assert!(count.abs_diff(wanted) <= wanted / 20, "{place}: {count}, not {wanted}");
        }
    }

    #[test]
    fn the_parts_are_kept_apart() {
        assert_ne!(by_session("ab", "c", 1), by_session("a", "bc", 1));
    }

    proptest! {
        #[test]
        fn a_place_that_comes_or_goes_moves_only_its_own_sessions(session in ".{0,40}", weight in 1u32..10) {
            let few = [("a", 3), ("b", 1), ("c", 2)];
            let more = [("a", 3), ("b", 1), ("c", 2), ("d", weight)];
            let (before, after) = (winner(&session, &few), winner(&session, &more));
            prop_assert!(after == before || after == "d");
        }

        #[test]
        fn more_weight_never_loses_a_session(session in ".{0,40}", weight in 0u32..1_000) {
            prop_assert!(by_session(&session, "a", weight + 1) > by_session(&session, "a", weight));
        }
    }
}
