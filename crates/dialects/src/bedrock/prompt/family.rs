//! What differs between the models that Bedrock serves, as far as a request cannot be written without knowing it.
//!
//! A model that hides behind an ARN without its name is one of which nothing is known. Must never be here: limits, prices.

use crate::anthropic::{Era, caches_for_an_hour};

/// Whose a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's, which is asked to think in the way of its era. What it is told may be cached for an `hour`.
    Claude { era: Era, hour: bool },
    /// Amazon's.
    Nova,
    /// Of others, or unknown.
    Other,
}

impl Family {
    /// That of `model`, by its id or that of its inference profile.
    pub(super) fn of(model: &str) -> Self {
        if model.contains("anthropic.claude") {
            Self::Claude { era: Era::of(model), hour: caches_for_an_hour(model) }
        } else if model.contains("amazon.nova") {
            Self::Nova
        } else {
            Self::Other
        }
    }

    /// The era of a Claude.
    pub(super) fn era(self) -> Option<Era> {
        match self {
            Self::Claude { era, .. } => Some(era),
            Self::Nova | Self::Other => None,
        }
    }

    /// Whether what is said can be marked to be cached. Others refuse the mark.
    pub(super) fn caches_turns(self) -> bool {
        self != Self::Other
    }

    /// Whether tools can be.
    pub(super) fn caches_tools(self) -> bool {
        self.era().is_some()
    }

    /// Whether the cache may be told to live for an hour. Others refuse the request.
    pub(super) fn caches_for_an_hour(self) -> bool {
        matches!(self, Self::Claude { hour: true, .. })
    }

    /// Whether a result may say that its tool failed, and a choice which tool is to be called: the service model has
    /// both of these alone.
    pub(super) fn is_told_all(self) -> bool {
        self != Self::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_name() {
        let claude = |era| Family::Claude { era, hour: true };
        for (model, family) in [
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Family::Claude { era: Era::Budget, hour: false }),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", claude(Era::Budget)),
            ("anthropic.claude-opus-4-6-v1", claude(Era::Either)),
            ("global.anthropic.claude-opus-4-7", claude(Era::Adaptive)),
            ("amazon.nova-pro-v1:0", Family::Nova),
            ("meta.llama4-scout-17b-instruct-v1:0", Family::Other),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", Family::Other),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }
}
