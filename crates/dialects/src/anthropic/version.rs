//! The versions of the API.
//!
//! Must never be here: which one a provider is asked in.

/// A version of the API, as its clients and its providers name it in a header. Answers are the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Of June 2023. What a translated request is written in: the later one takes no sampling at all.
    #[default]
    June2023,
    /// Of October 2026: no `temperature`, `top_p` or `top_k`, not even at their defaults, and no documents in what the
    /// assistant said.
    October2026,
}

impl Version {
    /// The header that names it.
    pub const HEADER: &'static str = "anthropic-version";

    /// Its name in that header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::June2023 => "2023-06-01",
            Self::October2026 => "2026-10-21",
        }
    }
}
