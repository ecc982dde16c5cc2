//! Keys and words that the product has but this version does not, so that a file written for a later
//! one is told so instead of "unknown".

use crate::file;

/// What a section will take later.
pub(crate) trait Later {
    /// Keys that are no mistakes, only early.
    const KEYS: &'static [&'static str] = &[];
}

impl Later for file::Root {
    const KEYS: &'static [&'static str] = &["store"];
}
impl Later for file::Admin {}
impl Later for file::Limits {}
impl Later for file::Drain {}
impl Later for file::Provider {}
impl Later for file::Model {}
impl Later for file::Price {}
impl Later for file::Route {}
impl Later for file::Target {}
impl Later for file::Timeouts {}
impl Later for file::Retry {}
impl Later for file::Breaker {}
impl Later for file::Hedge {}
impl Later for file::LastResort {}
impl Later for file::Slo {
    const KEYS: &'static [&'static str] = &["availability", "window"];
}
impl Later for file::FirstToken {
    const KEYS: &'static [&'static str] = &["share"];
}
impl Later for file::Defaults {
    const KEYS: &'static [&'static str] = &["slo"];
}
impl Later for file::Caller {}
impl Later for file::CallerLimits {
    const KEYS: &'static [&'static str] = &["spend", "tpm"];
}
