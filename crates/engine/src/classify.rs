//! What a failure means: one table for attempts, one for calls.

use llm::{CallError, ErrorKind, Failure, Outcome, ProviderError, Verdict};
use std::time::Duration;

/// Everything that a failure decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How the attempt counts.
    pub verdict: Verdict,
    /// What may be tried after it.
    pub advice: Advice,
    /// Whose doing it was.
    pub blame: Blame,
}

/// What may be tried after a failure, before anything has reached the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing: another target would say the same.
    Never,
    /// The next target.
    Next,
    /// The same target with a key that does not rest, else the next target. The failed key rests this long.
    OtherKey(Duration),
}

/// Whose doing a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The target's; the only kind that counts against its health.
    Target,
    /// The caller's.
    Caller,
    /// Ours: a wrong key, a model that does not exist.
    Us,
    /// Nobody's.
    Nobody,
}

/// How long a key rests that was throttled without being told for how long, or may not do this one thing.
const THROTTLED_REST: Duration = Duration::from_secs(5);
/// The longest that a provider may send a key to rest.
const MAX_REST: Duration = Duration::from_secs(300);
/// How long a key rests that is not accepted, or has nothing left to spend.
const REFUSED_REST: Duration = Duration::from_secs(900);

/// The table of attempts: what `failure` means.
#[must_use]
pub fn classify(failure: &Failure) -> Judgement {
    let judge = |verdict, advice, blame| Judgement { verdict, advice, blame };
    match failure {
        Failure::Unreachable(_)
        | Failure::ConnectionLost
        | Failure::BadHttp
        | Failure::HeadTooLarge
        | Failure::Silent
        | Failure::Stalled
        | Failure::Redirect(_)
        | Failure::NotAnAnswer(_)
        | Failure::Truncated
        | Failure::Cut
        | Failure::Garbage
        | Failure::TooLarge => judge(Verdict::HardFailure, Advice::Next, Blame::Target),
        Failure::Empty | Failure::NoChoices => judge(Verdict::SemanticFailure, Advice::Next, Blame::Target),
        Failure::Deadline => judge(Verdict::Neutral, Advice::Never, Blame::Nobody),
        Failure::Internal(_) => judge(Verdict::Neutral, Advice::Next, Blame::Us),
        Failure::Provider(error) => classify_refusal(error),
    }
}

fn classify_refusal(error: &ProviderError) -> Judgement {
    let judge = |verdict, advice, blame| Judgement { verdict, advice, blame };
    match error.kind {
        ErrorKind::InvalidRequest => judge(Verdict::ClientFault, Advice::Never, Blame::Caller),
        ErrorKind::Auth => judge(Verdict::HardFailure, Advice::OtherKey(REFUSED_REST), Blame::Us),
        // Often about the model or the words, not the key: it may serve the next call.
        ErrorKind::Permission => judge(Verdict::HardFailure, Advice::OtherKey(THROTTLED_REST), Blame::Us),
        ErrorKind::NotFound => judge(Verdict::HardFailure, Advice::Next, Blame::Us),
        ErrorKind::RateLimited => {
            let rest = error.retry_after.unwrap_or(THROTTLED_REST).min(MAX_REST);
            judge(Verdict::RateLimited, Advice::OtherKey(rest), Blame::Target)
        }
        ErrorKind::QuotaExhausted => judge(Verdict::QuotaExhausted, Advice::OtherKey(REFUSED_REST), Blame::Target),
        ErrorKind::Overloaded | ErrorKind::Server => judge(Verdict::HardFailure, Advice::Next, Blame::Target),
    }
}

/// Whether a failure says only that the target could take no call, so that later it may.
pub(crate) fn is_unavailable(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable(_) => true,
        Failure::Provider(error) => {
            matches!(error.kind, ErrorKind::RateLimited | ErrorKind::QuotaExhausted | ErrorKind::Overloaded)
        }
        _ => false,
    }
}

/// The table of calls: how a call that ends in `error` counts.
#[must_use]
pub fn outcome_of(error: &CallError) -> Outcome {
    match error {
        CallError::InvalidApiKey { .. }
        | CallError::InvalidRequest { .. }
        | CallError::ModelNotFound { .. }
        | CallError::UnknownPath { .. }
        | CallError::MethodNotAllowed { .. }
        | CallError::RequestTooLarge { .. }
        | CallError::RequestTimeout
        | CallError::Provider(_) => Outcome::ClientError,
        CallError::RateLimited { .. } => Outcome::Refused,
        CallError::UpstreamFailed { .. }
        | CallError::AllTargetsUnavailable { .. }
        | CallError::DeadlineExceeded { .. }
        | CallError::Internal => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::Reach;

    fn refusal(kind: ErrorKind, retry_after: Option<u64>) -> Failure {
        let retry_after = retry_after.map(Duration::from_secs);
        let (code, message, body) = (String::new(), String::new(), bytes::Bytes::new());
        Failure::Provider(Box::new(ProviderError { status: 0, kind, code, message, retry_after, body }))
    }

    #[test]
    fn every_failure_has_one_verdict_one_advice_one_blame() {
        use Advice::{Never, Next, OtherKey};
        use Verdict::{ClientFault, HardFailure, Neutral, QuotaExhausted, RateLimited, SemanticFailure};
        let seconds = Duration::from_secs;
        for (failure, verdict, advice, blame) in [
            (Failure::Unreachable(Reach::Refused), HardFailure, Next, Blame::Target),
            (Failure::ConnectionLost, HardFailure, Next, Blame::Target),
            (Failure::BadHttp, HardFailure, Next, Blame::Target),
            (Failure::HeadTooLarge, HardFailure, Next, Blame::Target),
            (Failure::Silent, HardFailure, Next, Blame::Target),
            (Failure::Stalled, HardFailure, Next, Blame::Target),
            (Failure::Deadline, Neutral, Never, Blame::Nobody),
            (Failure::Redirect(302), HardFailure, Next, Blame::Target),
            (Failure::NotAnAnswer("x"), HardFailure, Next, Blame::Target),
            (Failure::Empty, SemanticFailure, Next, Blame::Target),
            (Failure::NoChoices, SemanticFailure, Next, Blame::Target),
            (Failure::Truncated, HardFailure, Next, Blame::Target),
            (Failure::Cut, HardFailure, Next, Blame::Target),
            (Failure::Garbage, HardFailure, Next, Blame::Target),
            (Failure::TooLarge, HardFailure, Next, Blame::Target),
            (Failure::Internal("x"), Neutral, Next, Blame::Us),
            (refusal(ErrorKind::InvalidRequest, None), ClientFault, Never, Blame::Caller),
            (refusal(ErrorKind::Auth, None), HardFailure, OtherKey(seconds(900)), Blame::Us),
            (refusal(ErrorKind::Permission, None), HardFailure, OtherKey(seconds(5)), Blame::Us),
            (refusal(ErrorKind::NotFound, None), HardFailure, Next, Blame::Us),
            (refusal(ErrorKind::RateLimited, None), RateLimited, OtherKey(seconds(5)), Blame::Target),
            (refusal(ErrorKind::RateLimited, Some(30)), RateLimited, OtherKey(seconds(30)), Blame::Target),
            (refusal(ErrorKind::RateLimited, Some(1 << 40)), RateLimited, OtherKey(seconds(300)), Blame::Target),
            (refusal(ErrorKind::QuotaExhausted, Some(1)), QuotaExhausted, OtherKey(seconds(900)), Blame::Target),
            (refusal(ErrorKind::Overloaded, None), HardFailure, Next, Blame::Target),
            (refusal(ErrorKind::Server, None), HardFailure, Next, Blame::Target),
        ] {
            assert_eq!(classify(&failure), Judgement { verdict, advice, blame }, "{failure:?}");
        }
    }
}
