//! What an error of Anthropic's amounts to: one table from status, type, code and words to a kind.
//!
//! Whose fault it is decides how much a word may do. What rests our key (the credential, the spend) is believed by code,
//! or by words that begin the message of a 400: further in it may be the client's own, quoted. At 500 and above no word
//! makes the client guilty. Must never be here: the forms of bodies, what follows from a kind.

use super::Said;
use llm::ErrorKind;

/// The types of errors, each with the status that it stands for.
const TYPES: [(&str, u16); 12] = [
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("conflict_error", 409),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("gateway_timeout_error", 504),
    ("overloaded_error", 529),
];

/// Codes that say that there is nothing left to spend.
const SPENT: [&str; 6] = [
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "user_profile_not_billable",
    "user_profile_billing_not_authorized",
];
/// How the message of a 400 begins that says so: an empty balance, and limits that the account's owner has set.
const SPENT_OPENINGS: [&str; 2] = ["your credit balance is too low", "you have reached your specified"];

/// The code of an account that is closed, and how the message of such a 400 begins.
const CLOSED: &str = "organization_on_hold";
const CLOSED_OPENING: &str = "this organization has been disabled";

/// How this dialect says that a question is too long for the model.
pub(super) const TOO_LONG: &str = "prompt is too long";
/// The same in all words there are.
const CONTEXT_WORDS: [&str; 4] = [TOO_LONG, "exceed context limit", "context window", "input is too long"];
/// What is said with a 429 of a question that alone is longer than the account may ask.
const LONG_CONTEXT_WORDS: &str = "required for long context requests";

/// What is said of a question or answer that policy forbids.
const POLICY_WORDS: [&str; 3] = ["content filtering policy", "usage policy", "usage policies"];

/// Whether `kind` is a type of this dialect.
pub(super) fn is_known(kind: &str) -> bool {
    TYPES.iter().any(|(known, _)| *known == kind)
}

/// The status that a type stands for within a 200.
pub(super) fn status(kind: &str) -> u16 {
    TYPES.iter().find(|(known, _)| *known == kind).map_or(500, |(_, status)| *status)
}

/// What an error with `status` amounts to.
pub(super) fn kind(said: &Said, status: u16) -> ErrorKind {
    let opens = |openings: &[&str]| openings.iter().any(|opening| said.words.starts_with(opening));
    match status {
        402 => ErrorKind::QuotaExhausted,
        400..=499 if SPENT.contains(&&*said.code) || said.kind == "billing_error" => ErrorKind::QuotaExhausted,
        400 if opens(&SPENT_OPENINGS) => ErrorKind::QuotaExhausted,
        400 | 403 if said.code == CLOSED || opens(&[CLOSED_OPENING]) => ErrorKind::Auth,
        400 | 413 | 422 => fault(said),
        401 => ErrorKind::Auth,
        403 if speaks(said, &POLICY_WORDS) => ErrorKind::ContentPolicy,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        429 if said.kind == "overloaded_error" => ErrorKind::Overloaded,
        429 if said.words.contains(LONG_CONTEXT_WORDS) => ErrorKind::ContextLength,
        429 => ErrorKind::RateLimited,
        503 | 529 => ErrorKind::Overloaded,
        500.. if said.kind == "overloaded_error" => ErrorKind::Overloaded,
        _ => ErrorKind::Server,
    }
}

/// What an error amounts to whose status blames the request.
fn fault(said: &Said) -> ErrorKind {
    if speaks(said, &CONTEXT_WORDS) {
        ErrorKind::ContextLength
    } else if speaks(said, &POLICY_WORDS) {
        ErrorKind::ContentPolicy
    } else {
        ErrorKind::InvalidRequest
    }
}

fn speaks(said: &Said, known: &[&str]) -> bool {
    known.iter().any(|words| said.words.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    fn of(status: u16, kind: &str, code: &str, message: &str) -> ErrorKind {
        let said =
            Said { kind: kind.into(), code: code.into(), message: message.into(), words: message.to_ascii_lowercase() };
        super::kind(&said, status)
    }

    #[test]
    fn every_type_has_a_kind_with_its_own_status() {
        for ((name, status), expected) in TYPES.into_iter().zip([
            InvalidRequest,
            Auth,
            QuotaExhausted,
            Permission,
            NotFound,
            Server,
            InvalidRequest,
            RateLimited,
            Server,
            Server,
            Server,
            Overloaded,
        ]) {
            assert_eq!(of(status, name, "", "m"), expected, "{name}");
            assert_eq!(super::status(name), status);
        }
    }

    #[test]
    fn a_spent_account_is_told_from_a_throttled_one() {
        const INVALID: &str = "invalid_request_error";
        for code in SPENT {
            assert_eq!(of(429, "rate_limit_error", code, "m"), QuotaExhausted, "{code}");
            assert_eq!(of(500, "api_error", code, "m"), Server, "{code}");
        }
        for (status, message, expected) in [
            (400, "Your credit balance is too low to access the Anthropic API.", QuotaExhausted),
            (
                400,
                "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
                QuotaExhausted,
            ),
            (400, "You have reached your specified workspace API usage limits.", QuotaExhausted),
            (400, "messages.0: 'your credit balance is too low'", InvalidRequest),
            (400, "This organization has been disabled.", Auth),
            (400, "messages.0: 'This organization has been disabled.'", InvalidRequest),
            (500, "Your credit balance is too low.", Server),
        ] {
            assert_eq!(of(status, INVALID, "", message), expected, "{status} {message}");
        }
        assert_eq!(of(400, INVALID, "organization_on_hold", "m"), Auth);
    }

    #[test]
    fn what_other_models_or_providers_may_take_is_told_from_other_faults() {
        for (status, message, expected) in [
            (400, "prompt is too long: 205148 tokens > 200000 maximum", ContextLength),
            (400, "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000", ContextLength),
            (413, "Prompt is too long", ContextLength),
            (413, "Request exceeds the maximum size", InvalidRequest),
            (429, "Extra usage is required for long context requests.", ContextLength),
            (429, "This request would exceed your account's rate limit.", RateLimited),
            (400, "Output blocked by content filtering policy", ContentPolicy),
            (400, "temperature: Extra inputs are not permitted", InvalidRequest),
            (503, "prompt is too long", Overloaded),
        ] {
            assert_eq!(of(status, "", "", message), expected, "{status} {message}");
        }
        assert_eq!(of(429, "overloaded_error", "", "m"), Overloaded);
        assert_eq!(of(500, "overloaded_error", "", "m"), Overloaded);
    }
}
