//! What of an answer its client is not told, for want of a word: by names, of which few are kept.
//!
//! Must never be here: what a dialect has words for.

/// The most names that are told, and the longest, in characters: providers choose some of them.
const MAX_NAMES: usize = 16;
const MAX_NAME: usize = 64;

/// The names, each once, in the order in which they are met.
#[derive(Debug, Default)]
pub(crate) struct LeftOut(Vec<String>);

impl LeftOut {
    /// The names so far.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Does without what is called `name`.
    pub(crate) fn tell(&mut self, name: &str) {
        if self.0.len() < MAX_NAMES && !self.0.iter().any(|known| known == name) {
            self.0.push(name.chars().take(MAX_NAME).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_kept_each_once() {
        let mut left_out = LeftOut::default();
        ["b", "a", "b"].iter().for_each(|name| left_out.tell(name));
        assert_eq!(left_out.names(), ["b", "a"]);
        (0..99).for_each(|n| left_out.tell(&n.to_string().repeat(99)));
        assert_eq!(left_out.names().len(), MAX_NAMES);
        assert!(left_out.names().iter().all(|name| name.len() <= MAX_NAME));
    }
}
