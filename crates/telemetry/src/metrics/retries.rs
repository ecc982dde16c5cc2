//! `retries_total`: attempts after the first, by what went wrong with the one before.
//!
//! Must never be here: whether to retry.

use super::registry::Names;
use llm::{AttemptKind, CallRecord, Label};
use prometheus::{Error, IntCounter, IntCounterVec};
use std::sync::OnceLock;

/// Every cause that `llm::Failure::as_str` names; then a hedge, which follows no failure, and a model asked again, which
/// is no other candidate; the last takes whatever else there may be.
const REASONS: [&str; 38] = [
    "dns",
    "connect_refused",
    "connect_timeout",
    "tls",
    "connect_failed",
    "connection_lost",
    "bad_http",
    "head_too_large",
    "first_token_timeout",
    "idle_timeout",
    "deadline",
    "redirect",
    "invalid_request",
    "context_length",
    "content_policy",
    "auth",
    "permission",
    "not_found",
    "rate_limited",
    "quota_exhausted",
    "overloaded",
    "server_error",
    "not_an_answer",
    "empty",
    "no_choices",
    "truncated",
    "cut",
    "garbage",
    "too_large",
    "withheld",
    "altered",
    "contract_unmet",
    "unadvised",
    "no_token",
    "internal",
    "hedge",
    "reask",
    "other",
];

pub(crate) struct Retries {
    retries: IntCounterVec,
    /// Flat, by route, then reason; a series appears with its first retry.
    counters: Vec<OnceLock<IntCounter>>,
}

impl Retries {
    pub(crate) fn new(names: &Names, routes: &[Label]) -> Result<Self, Error> {
        let help = "Attempts after a call's first, by the cause of the attempt before, or hedge or reask.";
        let retries = names.counters("retries_total", help, &["route", "reason"])?;
        let counters = std::iter::repeat_with(OnceLock::new).take(routes.len() * REASONS.len()).collect();
        Ok(Self { retries, counters })
    }

    pub(crate) fn count(&self, record: &CallRecord) {
        for pair in record.attempts.windows(2) {
            let [before, attempt] = pair else { continue };
            let cause = match attempt.kind {
                AttemptKind::Hedge | AttemptKind::Reask => attempt.kind.as_str(),
                AttemptKind::First | AttemptKind::Retry | AttemptKind::Continuation => before.cause.unwrap_or("other"),
            };
            let place = REASONS.iter().position(|reason| *reason == cause).unwrap_or(REASONS.len() - 1);
            let Some(slot) = self.counters.get(record.route.index * REASONS.len() + place) else { continue };
            let resolve = || self.retries.with_label_values(&[&*record.route.name, REASONS[place]]);
            slot.get_or_init(resolve).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{ErrorKind, Failure, Reach};

    /// Exhaustive, so that a new failure asks for its reason above.
    fn causes(failure: &Failure) -> Vec<&'static str> {
        use ErrorKind::{
            Auth, ContentPolicy, ContextLength, InvalidRequest, NotFound, Overloaded, Permission, QuotaExhausted,
            RateLimited, Server,
        };
        match failure {
            Failure::Unreachable(_) => [Reach::Dns, Reach::Refused, Reach::Timeout, Reach::Tls, Reach::Other]
                .map(|reach| Failure::Unreachable(reach).as_str())
                .into(),
            Failure::Provider(_) => [
                InvalidRequest,
                ContextLength,
                ContentPolicy,
                Auth,
                Permission,
                NotFound,
                RateLimited,
                QuotaExhausted,
                Overloaded,
                Server,
            ]
            .map(ErrorKind::as_str)
            .into(),
            Failure::ConnectionLost
            | Failure::BadHttp
            | Failure::HeadTooLarge
            | Failure::Silent
            | Failure::Stalled
            | Failure::Deadline
            | Failure::Redirect(_)
            | Failure::NotAnAnswer(_)
            | Failure::Empty
            | Failure::NoChoices
            | Failure::Truncated
            | Failure::Cut
            | Failure::Garbage
            | Failure::TooLarge
            | Failure::Withheld
            | Failure::Altered
            | Failure::Unmet(_)
            | Failure::Unadvised(_)
            | Failure::NoToken(_)
            | Failure::Internal(_) => vec![failure.as_str()],
        }
    }

    #[test]
    fn every_cause_of_a_failure_is_a_reason() {
        let provider = llm::ProviderError {
            status: 500,
            kind: ErrorKind::Server,
            code: String::new(),
            message: String::new(),
            retry_after: None,
            body: Default::default(),
        };
        let failures = [
            Failure::Unreachable(Reach::Dns),
            Failure::ConnectionLost,
            Failure::BadHttp,
            Failure::HeadTooLarge,
            Failure::Silent,
            Failure::Stalled,
            Failure::Deadline,
            Failure::Redirect(302),
            Failure::Provider(Box::new(provider)),
            Failure::NotAnAnswer("HTML"),
            Failure::Empty,
            Failure::NoChoices,
            Failure::Truncated,
            Failure::Cut,
            Failure::Garbage,
            Failure::TooLarge,
            Failure::Withheld,
            Failure::Altered,
            Failure::Unmet("schema: not_json".into()),
            Failure::Unadvised("webhook: webhook_unavailable".into()),
            Failure::NoToken("test".into()),
            Failure::Internal("test"),
        ];
        let causes: Vec<_> = failures.iter().flat_map(causes).collect();
        assert_eq!(causes, REASONS[..REASONS.len() - 3].to_vec());
    }
}
