//! Ids of calls and names of tools as Bedrock takes them: letters, digits, `_` and `-`, 64 at most.
//!
//! The service model has `.` and `:` in ids too; Claude has not. Must never be here: what is called.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The longest id or name, in characters.
const MAX: usize = 64;
/// How much of one that does not fit is kept: what tells it from others has 16 digits, and a `_` before them.
const KEPT: usize = MAX - 17;

/// Ids of calls, which others may lack.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Calls without one: their tools, how many calls there were, and how many of them have been answered.
    unnamed: BTreeMap<String, (u32, u32)>,
}

impl Ids {
    /// The id of a call.
    pub(super) fn call<'a>(&mut self, id: &'a str, name: &str) -> Cow<'a, str> {
        if !id.is_empty() {
            return fitting(id);
        }
        let (calls, _) = self.unnamed.entry(name.to_owned()).or_default();
        *calls = calls.saturating_add(1);
        numbered(name, *calls)
    }

    /// The id of the call that a result answers.
    pub(super) fn result<'a>(&mut self, id: &'a str, name: &str) -> Cow<'a, str> {
        if !id.is_empty() {
            return fitting(id);
        }
        let (_, answered) = self.unnamed.entry(name.to_owned()).or_default();
        *answered = answered.saturating_add(1);
        numbered(name, *answered)
    }
}

fn numbered(name: &str, count: u32) -> Cow<'static, str> {
    Cow::Owned(fitting(&format!("tooluse_{name}_{count}")).into_owned())
}

/// Whether an id or a name is taken as it is.
pub(super) fn fits(id: &str) -> bool {
    (1..=MAX).contains(&id.len()) && id.chars().all(is_taken)
}

/// `id` as it is taken: always the same for the same, and two that differ stay two.
pub(super) fn fitting(id: &str) -> Cow<'_, str> {
    if fits(id) {
        return Cow::Borrowed(id);
    }
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let plain: String = id.chars().take(KEPT).map(|c| if is_taken(c) { c } else { '_' }).collect();
    Cow::Owned(format!("{plain}_{:016x}", hasher.finish()))
}

fn is_taken(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_fits_stays_and_all_else_stays_apart() {
        let longest = "a".repeat(MAX);
        for id in ["a", "toolu_01-Z", &longest] {
            assert_eq!(fitting(id), id);
        }
        let longer = "a".repeat(MAX + 1);
        let others = ["", "a.b", "a:b", "é", "call 1", &longer, &format!("{longer}a")];
        let written: BTreeSet<String> = others.iter().map(|id| fitting(id).into_owned()).collect();
        assert_eq!(written.len(), others.len());
        assert!(written.iter().all(|id| fits(id)), "{written:?}");
        assert_eq!(fitting("a.b"), fitting("a.b"));
    }

    #[test]
    fn calls_without_ids_are_answered_in_order() {
        let mut ids = Ids::default();
        let calls = ["f", "g", "f"].map(|name| ids.call("", name).into_owned());
        let results = ["f", "f", "g"].map(|name| ids.result("", name).into_owned());
        assert_eq!(calls, ["tooluse_f_1", "tooluse_g_1", "tooluse_f_2"]);
        assert_eq!(results, ["tooluse_f_1", "tooluse_f_2", "tooluse_g_1"]);
        assert_eq!((ids.call("a", "f"), ids.result("a", "f")), ("a".into(), "a".into()));
    }
}
