//! What models can do beyond plain text, and what is known of that before any call.

/// Something that a model can do or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Call tools.
    Tools,
    /// Call several tools in one answer.
    ParallelTools,
    /// Answer in JSON that a given schema holds of, because the provider sees to it.
    JsonSchema,
    /// Look at images.
    Vision,
    /// Think before it answers.
    Reasoning,
    /// Reuse a part of the question that it was sent before, at a lower price.
    PromptCache,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Tools, Self::ParallelTools, Self::JsonSchema, Self::Vision, Self::Reasoning, Self::PromptCache];

    /// Its word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ParallelTools => "parallel_tools",
            Self::JsonSchema => "json_schema",
            Self::Vision => "vision",
            Self::Reasoning => "reasoning",
            Self::PromptCache => "prompt_cache",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == word)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What is known of a model's capabilities: of each that it has it, that it lacks it, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    has: u8,
    lacks: u8,
}

impl Capabilities {
    /// Whether the model has it; `None` is unknown.
    #[must_use]
    pub const fn of(self, capability: Capability) -> Option<bool> {
        match (self.has & capability.bit() != 0, self.lacks & capability.bit() != 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// These, with one more known.
    #[must_use]
    pub const fn with(self, capability: Capability, has: bool) -> Self {
        let (bit, Self { has: had, lacks: lacked }) = (capability.bit(), self);
        match has {
            true => Self { has: had | bit, lacks: lacked & !bit },
            false => Self { has: had & !bit, lacks: lacked | bit },
        }
    }

    /// These; what they leave unknown, as `others` know it.
    #[must_use]
    pub const fn or(self, others: Self) -> Self {
        let known = self.has | self.lacks;
        Self { has: self.has | others.has & !known, lacks: self.lacks | others.lacks & !known }
    }

    /// Those that the model is known to have, or known to lack.
    pub fn known(self, has: bool) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.of(*capability) == Some(has))
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Capability};
    use Capability::{JsonSchema, Tools, Vision};

    #[test]
    fn words_and_capabilities_are_one_to_one() {
        for capability in Capability::ALL {
            assert_eq!(Capability::from_word(capability.as_str()), Some(capability));
        }
        assert_eq!(Capability::from_word("prefill"), None);
    }

    #[test]
    fn what_is_unknown_is_asked_elsewhere() {
        let said = Capabilities::default().with(Tools, true).with(Vision, false);
        let listed = Capabilities::default().with(Tools, false).with(Vision, true).with(JsonSchema, true);
        let known = said.or(listed);
        let of = |set: Capabilities| [Tools, Vision, JsonSchema, Capability::Reasoning].map(|one| set.of(one));
        assert_eq!(of(said), [Some(true), Some(false), None, None]);
        assert_eq!(of(known), [Some(true), Some(false), Some(true), None]);
        assert_eq!(of(known.with(Tools, false).with(Vision, true)), [Some(false), Some(true), Some(true), None]);
        assert!(known.known(true).eq([Tools, JsonSchema]));
        assert!(known.known(false).eq([Vision]));
    }
}
