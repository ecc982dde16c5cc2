//! What differs between models, as far as a request cannot be written without knowing it.
//!
//! Must never be here: limits, prices.

/// How a model is asked to think, and whether it lets itself be sampled otherwise than by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Up to Claude 4.5, and models of others behind this dialect: thinks within a budget of tokens.
    Budget,
    /// Claude 4.6: within a budget or as it sees fit.
    Either,
    /// From Claude 4.7 on: as it sees fit, and takes no sampling but the default.
    Adaptive,
}

impl Era {
    /// That of `model`, by its name at Anthropic or at a cloud that serves it.
    pub(crate) fn of(model: &str) -> Self {
        let Some((_, name)) = model.split_once("claude-") else { return Self::Budget };
        match version(name) {
            Some((major, minor)) if (major, minor) <= (4, 5) => Self::Budget,
            Some((4, 6)) => Self::Either,
            _ => Self::Adaptive,
        }
    }

    /// Whether sampling other than the default is taken.
    pub(crate) fn is_sampled(self) -> bool {
        self != Self::Adaptive
    }
}

/// Whether Amazon takes a mark that lets a Claude's cache live for an hour: from Claude 4.5 on.
pub(crate) fn caches_for_an_hour(model: &str) -> bool {
    model.split_once("claude-").and_then(|(_, name)| version(name)).is_some_and(|version| version >= (4, 5))
}

/// The version in a name: its first number, and the next where that is not a date.
fn version(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.split(['-', '.', '@', ':']).map(|word| word.parse::<u32>().ok());
    let major = numbers.find_map(|number| number)?;
    let minor = numbers.next().flatten().filter(|minor| *minor < 100);
    Some((major, minor.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_name() {
        for (model, era) in [
            ("claude-3-7-sonnet-20250219", Era::Budget),
            ("claude-sonnet-4-20250514", Era::Budget),
            ("claude-opus-4-1", Era::Budget),
            ("claude-haiku-4-5", Era::Budget),
            ("claude-haiku-4-5-20251001", Era::Budget),
            ("claude-sonnet-4-5@20250929", Era::Budget),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Era::Budget),
            ("claude-opus-4-6", Era::Either),
            ("anthropic/claude-opus-4.6", Era::Either),
            ("claude-opus-4-7", Era::Adaptive),
            ("claude-sonnet-5", Era::Adaptive),
            ("claude-opus-5-20260801", Era::Adaptive),
            ("claude-sonnet-5-5", Era::Adaptive),
            ("claude-tomorrow", Era::Adaptive),
            ("deepseek-chat", Era::Budget),
            ("glm-4.7", Era::Budget),
        ] {
            assert_eq!(Era::of(model), era, "{model}");
        }
        for (model, hour) in [
            ("anthropic.claude-3-7-sonnet-20250219-v1:0", false),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", false),
            ("us.anthropic.claude-opus-4-1-20250805-v1:0", false),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", true),
            ("anthropic.claude-opus-4-6-v1", true),
            ("global.anthropic.claude-opus-5-20260801", true),
            ("anthropic.claude-tomorrow", false),
            ("amazon.nova-pro-v1:0", false),
        ] {
            assert_eq!(caches_for_an_hour(model), hour, "{model}");
        }
    }
}
