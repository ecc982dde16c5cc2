//! Ids of calls, as the server takes them that is given them back.
//!
//! Must never be here: ids that answers are told with.

use super::Ids;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long an id is where its length counts.
const LENGTH: usize = 9;
/// What it is made of.
const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `id` where the server takes it, else one that is made of it: the same for the call and for its result, and another one
/// for every other call.
pub(super) fn fitting(id: &str, ids: Ids) -> Cow<'_, str> {
    let fits = id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if ids == Ids::Any || fits {
        return Cow::Borrowed(id);
    }
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let mut rest = hasher.finish();
    let base = LETTERS.len() as u64;
    let letter = |rest: u64| LETTERS.get((rest % base) as usize).map_or('0', |letter| char::from(*letter));
    let made = std::iter::repeat_with(|| {
        let next = letter(rest);
        rest /= base;
        next
    });
    Cow::Owned(made.take(LENGTH).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_that_fit_stay() {
        for (id, ids, stays) in [
            ("call_1", Ids::Any, true),
            ("", Ids::Any, true),
            ("aB3dE6gH9", Ids::Nine, true),
            ("aB3dE6gH", Ids::Nine, false),
            ("aB3dE6gH90", Ids::Nine, false),
            ("aB3_E6gH9", Ids::Nine, false),
            ("toolu_01A", Ids::Nine, false),
            ("", Ids::Nine, false),
        ] {
            assert_eq!(fitting(id, ids) == id, stays, "{id}");
        }
    }

    proptest! {
        #[test]
        fn made_ids_fit_and_differ(id in ".{0,40}", other in ".{0,40}") {
            let made = fitting(&id, Ids::Nine);
            prop_assert!(made.len() == LENGTH && made.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", made);
            prop_assert_eq!(&fitting(&id, Ids::Nine), &made);
            prop_assert!(id == other || fitting(&other, Ids::Nine) != made);
        }
    }
}
