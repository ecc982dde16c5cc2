//! How an attempt ended, and how a call ended.

/// How one attempt at one target ended. Derived once, read by everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A complete answer.
    Success,
    /// The target failed: unreachable, silent, cut, 5xx, not an answer.
    HardFailure,
    /// The target asked for patience.
    RateLimited,
    /// The account has nothing left to spend.
    QuotaExhausted,
    /// The target answered, and the answer is no use.
    SemanticFailure,
    /// The client's request was at fault; the target is not.
    ClientFault,
    /// Nobody's doing: the client went away, or we never really tried.
    Neutral,
}

impl Verdict {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::HardFailure,
        Self::RateLimited,
        Self::QuotaExhausted,
        Self::SemanticFailure,
        Self::ClientFault,
        Self::Neutral,
    ];

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::HardFailure => "hard_failure",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::SemanticFailure => "semantic_failure",
            Self::ClientFault => "client_fault",
            Self::Neutral => "neutral",
        }
    }
}

/// How a call ended for the client who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Complete and valid, from the first choice of target.
    Success,
    /// Complete and valid, but not from the first choice.
    Degraded,
    /// An error instead of an answer, or an error event in its middle.
    Failed,
    /// An answer that broke its contract.
    Invalid,
    /// An answer that ended before it was complete.
    Truncated,
    /// Turned down by policy: the caller's own limits, or the model's content rules.
    Refused,
    /// Turned away because the gateway had no room.
    Shed,
    /// The client's own mistake.
    ClientError,
    /// The client went away first.
    Cancelled,
}

impl Outcome {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Degraded,
        Self::Failed,
        Self::Invalid,
        Self::Truncated,
        Self::Refused,
        Self::Shed,
        Self::ClientError,
        Self::Cancelled,
    ];

    /// The label value in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::Shed => "shed",
            Self::ClientError => "client_error",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_list_every_variant_once_in_order() {
        for (place, verdict) in Verdict::ALL.iter().enumerate() {
            assert_eq!(*verdict as usize, place);
        }
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
    }
}
