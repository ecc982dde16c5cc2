//! The names of the headers that tell of quotas: one table for all who read and tell them.
//!
//! Names: OpenAI, Azure, Groq (`x-ratelimit-remaining-tokens`), Mistral (`x-ratelimit-remaining-req-minute`), Fireworks
//! (`x-ratelimit-remaining-tokens-prompt`), Together (`x-ratelimit-remaining`, `x-tokenlimit-remaining`), Anthropic
//! (`anthropic-ratelimit-input-tokens-remaining`), and the IETF's draft (`ratelimit-remaining`), each from the
//! provider's documents; with every period for which one of them names a quota.
//! Receives nothing; hands on the table. Must never be here: values.

use llm::QuotaKind;

/// Who names quotas this way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    X,
    XToken,
    Anthropic,
    Ietf,
}

/// One quota, by the names of its headers.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) family: Family,
    /// What is the same in the names of its headers, besides the family's own.
    pub(super) what: &'static str,
    pub(super) kind: QuotaKind,
    /// Says how much there is in all.
    pub(super) limit: &'static str,
    /// Says how much is left.
    pub(super) remaining: &'static str,
    /// Says when it is full again.
    pub(super) reset: &'static str,
}

macro_rules! alone {
    ($family:ident, $kind:ident, $before:literal) => {
        Named {
            family: Family::$family,
            what: "",
            kind: QuotaKind::$kind,
            limit: concat!($before, "limit"),
            remaining: concat!($before, "remaining"),
            reset: concat!($before, "reset"),
        }
    };
}

macro_rules! x {
    ($kind:ident, $what:literal) => {
        Named {
            family: Family::X,
            what: $what,
            kind: QuotaKind::$kind,
            limit: concat!("x-ratelimit-limit-", $what),
            remaining: concat!("x-ratelimit-remaining-", $what),
            reset: concat!("x-ratelimit-reset-", $what),
        }
    };
}

macro_rules! anthropic {
    ($kind:ident, $what:literal) => {
        Named {
            family: Family::Anthropic,
            what: $what,
            kind: QuotaKind::$kind,
            limit: concat!("anthropic-ratelimit-", $what, "-limit"),
            remaining: concat!("anthropic-ratelimit-", $what, "-remaining"),
            reset: concat!("anthropic-ratelimit-", $what, "-reset"),
        }
    };
}

/// Every quota that is known.
pub(super) static QUOTAS: [Named; 29] = [
    alone!(X, Requests, "x-ratelimit-"),
    alone!(XToken, Tokens, "x-tokenlimit-"),
    alone!(Ietf, Requests, "ratelimit-"),
    x!(Requests, "requests"),
    x!(Requests, "requests_usage_based"),
    x!(Requests, "requests-second"),
    x!(Requests, "requests-minute"),
    x!(Requests, "requests-hour"),
    x!(Requests, "requests-day"),
    x!(Requests, "requests-month"),
    x!(Requests, "req"),
    x!(Requests, "req-second"),
    x!(Requests, "req-minute"),
    x!(Requests, "req-hour"),
    x!(Requests, "req-day"),
    x!(Requests, "req-month"),
    x!(Tokens, "tokens"),
    x!(Tokens, "tokens_usage_based"),
    x!(Tokens, "tokens-second"),
    x!(Tokens, "tokens-minute"),
    x!(Tokens, "tokens-hour"),
    x!(Tokens, "tokens-day"),
    x!(Tokens, "tokens-month"),
    x!(InputTokens, "tokens-prompt"),
    x!(OutputTokens, "tokens-generated"),
    anthropic!(Requests, "requests"),
    anthropic!(Tokens, "tokens"),
    anthropic!(InputTokens, "input-tokens"),
    anthropic!(OutputTokens, "output-tokens"),
];

/// The quota that `family` names `what`.
pub(super) fn named(family: Family, what: &str) -> Option<&'static Named> {
    QUOTAS.iter().find(|quota| quota.family == family && quota.what == what)
}
