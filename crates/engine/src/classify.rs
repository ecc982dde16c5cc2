//! What failures mean: the one table of attempts, and the one table of calls.
//!
//! Breakers, schedules, SLOs and logs read what stands here; nothing derives it anew from a status.

use llm::{CallError, ErrorKind, Failure, Outcome, ProviderError, Verdict};
use routing::OnRefusal;
use std::time::Duration;

/// What a failed attempt amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How the attempt counts.
    pub verdict: Verdict,
    /// What to do next.
    pub advice: Advice,
    /// Whether the same target may be asked once more when all others have been.
    pub again: Again,
    /// Whose doing it was.
    pub blame: Blame,
}

/// What to do after a failure, before anything has reached the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing: another target would say the same.
    Never,
    /// The next target.
    Next,
    /// The next target, those of another provider first: the failure says something of all of this one's.
    Elsewhere,
    /// The next target that has a larger context window; where none has, nothing.
    LargerWindow,
    /// The same target with a key that does not rest, else the next target. The failed key rests this long.
    OtherKey(Duration, Scope),
}

/// For what a key is sent to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For everything.
    Key,
    /// For the model that was asked for.
    Model,
}

/// Whether the same target may be asked once more in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Not: it has had its time, or would say the same.
    No,
    /// After a pause of our own choice.
    Backoff,
    /// After the pause it asked for.
    After(Duration),
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
/// The longest that a provider may send a key to rest for want of patience.
const MAX_REST: Duration = Duration::from_secs(300);
/// How long a key rests that is not accepted: soon enough to notice that someone has mended it.
const REFUSED_REST: Duration = Duration::from_secs(60);
/// How long a key rests that has nothing left to spend, at least.
const SPENT_REST: Duration = Duration::from_secs(900);
/// The longest that it may be sent to rest for that.
const MAX_SPENT_REST: Duration = Duration::from_secs(3600);

/// The table of attempts: what `failure` means on a route that treats refusals as `on_refusal` says.
#[must_use]
pub fn classify(failure: &Failure, on_refusal: OnRefusal) -> Judgement {
    use Verdict::{HardFailure, Neutral, SemanticFailure};
    let judge = |verdict, advice, again, blame| Judgement { verdict, advice, again, blame };
    match failure {
        Failure::Unreachable(_) => judge(HardFailure, Advice::Elsewhere, Again::Backoff, Blame::Target),
        Failure::ConnectionLost | Failure::Truncated | Failure::Cut | Failure::Garbage => {
            judge(HardFailure, Advice::Next, Again::Backoff, Blame::Target)
        }
        Failure::BadHttp
        | Failure::HeadTooLarge
        | Failure::Silent
        | Failure::Stalled
        | Failure::Redirect(_)
        | Failure::NotAnAnswer(_)
        | Failure::TooLarge => judge(HardFailure, Advice::Next, Again::No, Blame::Target),
        Failure::Empty | Failure::NoChoices => judge(SemanticFailure, Advice::Next, Again::Backoff, Blame::Target),
        // Whether the same target is asked again is the contract's to say.
        Failure::Unmet(_) => judge(SemanticFailure, Advice::Next, Again::No, Blame::Target),
        Failure::Withheld => judge(Verdict::ClientFault, Advice::Next, Again::No, Blame::Nobody),
        Failure::Altered => judge(SemanticFailure, Advice::Next, Again::No, Blame::Nobody),
        Failure::Deadline => judge(Neutral, Advice::Never, Again::No, Blame::Nobody),
        // No other answer would fare better, and nobody who answered is to blame.
        Failure::Unadvised(_) => judge(Neutral, Advice::Never, Again::No, Blame::Us),
        // Like a key that is not accepted; but it may be there in a moment.
        Failure::NoToken(_) => judge(HardFailure, Advice::Next, Again::Backoff, Blame::Us),
        Failure::Internal(_) => judge(Neutral, Advice::Next, Again::No, Blame::Us),
        Failure::Provider(error) => classify_refusal(error, on_refusal),
    }
}

fn classify_refusal(error: &ProviderError, on_refusal: OnRefusal) -> Judgement {
    use Advice::{LargerWindow, Never, Next, OtherKey};
    use Verdict::{ClientFault, HardFailure, QuotaExhausted, RateLimited};
    let judge = |verdict, advice, again, blame| Judgement { verdict, advice, again, blame };
    let told = |least: Duration, most: Duration| error.retry_after.unwrap_or(least).clamp(Duration::ZERO, most);
    match error.kind {
        ErrorKind::InvalidRequest => judge(ClientFault, Never, Again::No, Blame::Caller),
        // Too much for this account and minute, not for the model: any other target may take it.
        ErrorKind::ContextLength if matches!(error.status, 402 | 413 | 429) => {
            judge(ClientFault, Next, Again::No, Blame::Nobody)
        }
        ErrorKind::ContextLength => judge(ClientFault, LargerWindow, Again::No, Blame::Nobody),
        ErrorKind::ContentPolicy => {
            let advice = if on_refusal == OnRefusal::Failover { Next } else { Never };
            judge(ClientFault, advice, Again::No, Blame::Nobody)
        }
        ErrorKind::Auth => judge(HardFailure, OtherKey(REFUSED_REST, Scope::Key), Again::No, Blame::Us),
        // Often about the model or the words, not the key: it may serve the next call.
        ErrorKind::Permission => judge(HardFailure, OtherKey(THROTTLED_REST, Scope::Model), Again::No, Blame::Us),
        ErrorKind::NotFound => judge(HardFailure, Next, Again::No, Blame::Us),
        ErrorKind::RateLimited => {
            let rest = told(THROTTLED_REST, MAX_REST);
            judge(RateLimited, OtherKey(rest, Scope::Model), Again::After(rest), Blame::Target)
        }
        ErrorKind::QuotaExhausted => {
            let rest = told(SPENT_REST, MAX_SPENT_REST).max(SPENT_REST);
            judge(QuotaExhausted, OtherKey(rest, Scope::Key), Again::No, Blame::Target)
        }
        ErrorKind::Overloaded => {
            let again = error.retry_after.map_or(Again::Backoff, Again::After);
            judge(HardFailure, Next, again, Blame::Target)
        }
        ErrorKind::Server => judge(HardFailure, Next, Again::Backoff, Blame::Target),
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
        CallError::Overloaded { .. } => Outcome::Shed,
        CallError::UpstreamFailed { .. }
        | CallError::AllTargetsUnavailable { .. }
        | CallError::DeadlineExceeded { .. }
        | CallError::Internal => Outcome::Failed,
        CallError::ContractUnmet { .. } => Outcome::Invalid,
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
        use Advice::{Elsewhere, LargerWindow, Never, Next, OtherKey};
        use Again::{After, Backoff, No};
        use Verdict::{ClientFault, HardFailure, Neutral, QuotaExhausted, RateLimited, SemanticFailure};
        let seconds = Duration::from_secs;
        for (failure, verdict, advice, again, blame) in [
            (Failure::Unreachable(Reach::Refused), HardFailure, Elsewhere, Backoff, Blame::Target),
            (Failure::ConnectionLost, HardFailure, Next, Backoff, Blame::Target),
            (Failure::BadHttp, HardFailure, Next, No, Blame::Target),
            (Failure::HeadTooLarge, HardFailure, Next, No, Blame::Target),
            (Failure::Silent, HardFailure, Next, No, Blame::Target),
            (Failure::Stalled, HardFailure, Next, No, Blame::Target),
            (Failure::Deadline, Neutral, Never, No, Blame::Nobody),
            (Failure::Redirect(302), HardFailure, Next, No, Blame::Target),
            (Failure::NotAnAnswer("x"), HardFailure, Next, No, Blame::Target),
            (Failure::Empty, SemanticFailure, Next, Backoff, Blame::Target),
            (Failure::NoChoices, SemanticFailure, Next, Backoff, Blame::Target),
            (Failure::Withheld, ClientFault, Next, No, Blame::Nobody),
            (Failure::Altered, SemanticFailure, Next, No, Blame::Nobody),
            (Failure::Truncated, HardFailure, Next, Backoff, Blame::Target),
            (Failure::Cut, HardFailure, Next, Backoff, Blame::Target),
            (Failure::Garbage, HardFailure, Next, Backoff, Blame::Target),
            (Failure::TooLarge, HardFailure, Next, No, Blame::Target),
            (Failure::NoToken("x".into()), HardFailure, Next, Backoff, Blame::Us),
            (Failure::Internal("x"), Neutral, Next, No, Blame::Us),
            (refusal(ErrorKind::InvalidRequest, None), ClientFault, Never, No, Blame::Caller),
            (refusal(ErrorKind::ContextLength, None), ClientFault, LargerWindow, No, Blame::Nobody),
            (refusal(ErrorKind::ContentPolicy, None), ClientFault, Never, No, Blame::Nobody),
            (refusal(ErrorKind::Auth, None), HardFailure, OtherKey(seconds(60), Scope::Key), No, Blame::Us),
            (refusal(ErrorKind::Permission, None), HardFailure, OtherKey(seconds(5), Scope::Model), No, Blame::Us),
            (refusal(ErrorKind::NotFound, None), HardFailure, Next, No, Blame::Us),
            (
                refusal(ErrorKind::RateLimited, None),
                RateLimited,
                OtherKey(seconds(5), Scope::Model),
                After(seconds(5)),
                Blame::Target,
            ),
            (
                refusal(ErrorKind::RateLimited, Some(1 << 40)),
                RateLimited,
                OtherKey(seconds(300), Scope::Model),
                After(seconds(300)),
                Blame::Target,
            ),
            (
                refusal(ErrorKind::QuotaExhausted, Some(1)),
                QuotaExhausted,
                OtherKey(seconds(900), Scope::Key),
                No,
                Blame::Target,
            ),
            (
                refusal(ErrorKind::QuotaExhausted, Some(1 << 40)),
                QuotaExhausted,
                OtherKey(seconds(3600), Scope::Key),
                No,
                Blame::Target,
            ),
            (refusal(ErrorKind::Overloaded, None), HardFailure, Next, Backoff, Blame::Target),
            (refusal(ErrorKind::Overloaded, Some(2)), HardFailure, Next, After(seconds(2)), Blame::Target),
            (refusal(ErrorKind::Server, None), HardFailure, Next, Backoff, Blame::Target),
        ] {
            let judged = classify(&failure, OnRefusal::Pass);
            assert_eq!(judged, Judgement { verdict, advice, again, blame }, "{failure:?}");
        }
    }

    #[test]
    fn what_is_too_much_for_an_account_may_be_little_for_another() {
        for (status, advice) in
            [(400, Advice::LargerWindow), (402, Advice::Next), (413, Advice::Next), (429, Advice::Next)]
        {
            let Failure::Provider(error) = refusal(ErrorKind::ContextLength, None) else { continue };
            let failure = Failure::Provider(Box::new(ProviderError { status, ..*error }));
            assert_eq!(classify(&failure, OnRefusal::Pass).advice, advice, "{status}");
        }
    }

    #[test]
    fn a_route_may_ask_elsewhere_what_one_provider_will_not_say() {
        let refused = refusal(ErrorKind::ContentPolicy, None);
        assert_eq!(classify(&refused, OnRefusal::Failover).advice, Advice::Next);
    }
}
