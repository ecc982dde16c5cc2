//! Patterns of model names: literal text with `*` for any run of characters, none included.
//!
//! Receives a pattern once and names often; answers whether they match, in time linear in the name.
//! Must never be here: which route a pattern belongs to.

/// A pattern cut at its stars.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    prefix: String,
    /// What must follow the prefix, in this order, anywhere before the suffix.
    middle: Vec<String>,
    /// `None` where the pattern has no star: then the prefix is the whole name.
    suffix: Option<String>,
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let Some((prefix, rest)) = pattern.split_once('*') else {
            return Self { prefix: pattern.to_owned(), middle: Vec::new(), suffix: None };
        };
        let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { prefix: prefix.to_owned(), middle, suffix: Some(suffix.to_owned()) }
    }

    /// Taking the leftmost place for each middle part leaves the most room for the next,
    /// so no choice ever has to be taken back.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.prefix.as_str()) else { return false };
        let Some(suffix) = &self.suffix else { return rest.is_empty() };
        let Some(mut rest) = rest.strip_suffix(suffix.as_str()) else { return false };
        self.middle.iter().all(|part| {
            rest.split_once(part.as_str()).is_some_and(|(_, after)| {
                rest = after;
                true
            })
        })
    }

    /// How many characters are no stars: the more, the more exactly the pattern says what it means.
    pub(crate) fn literals(&self) -> usize {
        let parts = self.middle.iter().chain(&self.suffix);
        parts.chain([&self.prefix]).map(|part| part.chars().count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
            Some((first, rest)) => name.first() == Some(first) && naive(rest, &name[1..]),
        }
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "gpt-4o", true),
            ("fast-*", "fast-", true),
            ("fast-*", "fas", false),
            ("*-mini", "gpt-4o-mini", true),
            ("ab*ba", "aba", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("plain", "plain", true),
            ("plain", "plain-er", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
        assert_eq!(Glob::new("gpt-*-mini*").literals(), 9);
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab*é]{0,8}", name in "[abé]{0,12}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Glob::new(&pattern).matches(&name), naive(&chars(&pattern), &chars(&name)));
        }
    }
}
