//! What a client is told when a call ends without an answer. Worded once per dialect, in `dialects`.

use crate::ProviderError;
use std::time::Duration;

/// The one error a call ends in.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// No key, or one that nobody has.
    InvalidApiKey {
        /// Whether a key was presented at all.
        presented: bool,
    },
    /// The request cannot be read.
    InvalidRequest {
        /// What is wrong, for the client's author.
        message: String,
        /// The field at fault, where one is.
        param: Option<String>,
    },
    /// No route, or none that this caller may use, answers to the model asked for.
    ModelNotFound {
        /// What was asked for, shortened.
        model: String,
    },
    /// Nothing is served under this path.
    UnknownPath {
        /// Method and path, shortened.
        asked: String,
    },
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// The method to use.
        allowed: &'static str,
    },
    /// The request body is over the limit.
    RequestTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The request head or body did not arrive in time.
    RequestTimeout,
    /// The caller's own limit is reached.
    RateLimited {
        /// Which limit, for people: "60 requests per minute".
        limit: String,
        /// When to come back.
        retry_after: Duration,
    },
    /// The provider found the request at fault; passed on as it worded it.
    Provider(Box<ProviderError>),
    /// Targets were tried and failed.
    UpstreamFailed {
        /// What happened, without provider text.
        message: String,
    },
    /// Answers came, and none satisfies its contract.
    ContractUnmet {
        /// What was wrong with the last one, by codes and places, without the answer's own words.
        message: String,
    },
    /// No target could take the call at all.
    AllTargetsUnavailable {
        /// What happened, without provider text.
        message: String,
        /// When the first of them may be back, where that is known.
        retry_after: Option<Duration>,
    },
    /// There was no room for the call, here or at any target.
    Overloaded {
        /// When to come back.
        retry_after: Duration,
    },
    /// The call's deadline passed.
    DeadlineExceeded {
        /// The time it had.
        limit: Duration,
    },
    /// A fault of the gateway itself.
    Internal,
}
