//! What a request loses on its way to a provider with fewer words: hints are left out and told, all else is refused.
//!
//! Must never be here: a wire format.

use crate::Unsayable;
use crate::essential::{Fate, fate};
use crate::hosted::{Speaks, hosted};
use llm::{Other, Part, PartKind, Prompt};

/// Names of hints that are left out, each once, in the order in which they are met.
#[derive(Debug, Default)]
pub(crate) struct Hints(Vec<String>);

impl Hints {
    /// Does without a hint.
    pub(crate) fn lose(&mut self, name: &str) {
        if !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Does without a hint where it was given.
    pub(crate) fn lose_if(&mut self, given: bool, name: &str) {
        if given {
            self.lose(name);
        }
    }

    /// Does without what another provider wants back with words or with a call.
    pub(crate) fn lose_seal(&mut self, part: &Part) {
        let sealed = matches!(part.kind, PartKind::Text { seal: Some(_), .. } | PartKind::Call { seal: Some(_), .. });
        self.lose_if(sealed, "signature");
    }

    /// Does without a field that is no noun, unless it says nothing.
    ///
    /// # Errors
    /// A field without which the request would be another one.
    pub(crate) fn lose_other(&mut self, other: &Other) -> Result<(), Unsayable> {
        match fate(&other.name, &other.json) {
            Fate::Nothing => {}
            Fate::LeftOut => self.lose(&other.name),
            Fate::Refused(why) => return Err(unsayable(&other.name, why)),
        }
        Ok(())
    }

    /// Does without the tools that another provider runs by itself, as far as that is possible.
    ///
    /// # Errors
    /// As of [`hosted`].
    pub(crate) fn lose_hosted(&mut self, prompt: &Prompt) -> Result<(), Unsayable> {
        let hosted = hosted(prompt, Speaks { own: None, search: false })?;
        hosted.left_out.iter().for_each(|name| self.lose(name));
        Ok(())
    }

    /// The names.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// Why a request cannot do without `field`.
pub(crate) fn unsayable(field: &str, why: &str) -> Unsayable {
    Unsayable { field: field.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{Dialect, Seal, SealKind};

    #[test]
    fn what_is_no_noun_is_left_out_or_refused() {
        let mut hints = Hints::default();
        let mut lost = |name: &str, json: &str| hints.lose_other(&Other { name: name.into(), json: json.into() });
        assert_eq!(lost("metadata", r#"{"a":"b"}"#), Ok(()));
        assert_eq!(lost("background", "false"), Ok(()));
        assert_eq!(lost("background", "true").map_err(|one| one.field), Err("background".to_owned()));
        assert_eq!(hints.into_names(), ["metadata"]);
    }

    #[test]
    fn a_seal_on_words_or_on_a_call_is_told() {
        let seal = || Some(Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: "c2ln".into() });
        let text = |seal| PartKind::Text { text: "so".into(), seal };
        let call =
            |seal| PartKind::Call { id: "a".into(), name: "f".into(), arguments: "{}".into(), free: false, seal };
        for (kind, told) in [(text(seal()), true), (call(seal()), true), (text(None), false), (call(None), false)] {
            let mut hints = Hints::default();
            hints.lose_seal(&Part { kind, cache: None });
            assert_eq!(hints.into_names().contains(&"signature".to_owned()), told);
        }
    }

    #[test]
    fn each_hint_is_told_once() {
        let mut hints = Hints::default();
        hints.lose("b");
        hints.lose_if(false, "c");
        hints.lose_if(true, "a");
        hints.lose("b");
        assert_eq!(hints.into_names(), ["b", "a"]);
    }
}
