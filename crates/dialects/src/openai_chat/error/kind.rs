//! What a provider's error amounts to: one table from status and words to a kind.
//!
//! Receives the words of a body with their status; hands on the kind, or the status behind words that came without.
//! Must never be here: the forms of bodies, what follows from a kind.
//!
//! Whose fault it is decides how much a word may do. What rests our key (the credential, the spend) is believed by
//! code, or by words that begin the message of a 400: further in it may be the client's own, quoted. At 500 and above
//! no word makes the client guilty.

use super::said::Said;
use llm::ErrorKind;

/// Codes that say that there is nothing left to spend: OpenAI, Anthropic, Moonshot.
const SPENT: [&str; 10] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "exceeded_current_quota_error",
];
/// The same in the words of Anthropic, DeepSeek and Moonshot, and xAI.
const SPENT_WORDS: [&str; 3] = ["credit balance is too low", "insufficient balance", "used all available credits"];
/// How such a message begins where the status is also that of the client's own faults.
const SPENT_OPENING: &str = "your credit balance is too low";

/// Codes of a provider that can take no more from anyone.
const OVERLOADED: [&str; 5] =
    ["server_is_overloaded", "overloaded_error", "engine_overloaded_error", "overloaded", "unavailable"];

/// Codes of a question too long for the model: OpenAI and Groq, llama.cpp.
const CONTEXT: [&str; 2] = ["context_length_exceeded", "exceed_context_size_error"];
/// The same in the words of OpenAI, vLLM and Mistral ("maximum context length"), Anthropic, llama.cpp ("available
/// context size"), Bedrock, xAI, and Gemini.
const CONTEXT_WORDS: [&str; 9] = [
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "context limit",
    "prompt is too long",
    "input is too long",
    "maximum prompt length",
    "exceeds the maximum number of tokens",
];

/// How OpenAI and Groq begin the refusal of one request that alone is more than a minute's tokens.
const TOO_LARGE_OPENING: &str = "request too large";
/// How OpenRouter refuses one request whose answer could cost more than is left: a smaller one would be taken.
const TOO_DEAR_WORDS: &str = "requires more credits, or fewer max_tokens";

/// Codes of a question or answer that policy forbids: Azure, OpenAI, Alibaba.
const POLICY: [&str; 5] = [
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "moderation_blocked",
    "data_inspection_failed",
];
/// The same in words: Azure and OpenAI, Anthropic ("content filtering policy"), xAI, and Gemini.
const POLICY_WORDS: [&str; 11] = [
    "content_policy_violation",
    "content management policy",
    "content filtering policy",
    "content policy",
    "usage policy",
    "usage policies",
    "violates usage guidelines",
    "our safety system",
    "prompt was blocked",
    "blocked due to safety",
    "prohibited_content",
];

/// Codes of a model whose own calls or JSON could not be read, which is no fault of who asked it: Groq.
const BOTCHED: [&str; 3] = ["tool_use_failed", "json_validate_failed", "output_parse_failed"];

/// What an error with `status` amounts to.
pub(super) fn kind(said: &Said, status: u16) -> ErrorKind {
    match status {
        // Waiting helps nobody here, and smaller requests still pass: only a target that takes more does.
        402 if said.words.contains(TOO_DEAR_WORDS) => ErrorKind::ContextLength,
        // Fireworks says 412 of an account that is suspended.
        402 | 412 => ErrorKind::QuotaExhausted,
        400..=499 if is_spent(said, status) => ErrorKind::QuotaExhausted,
        400 | 413 | 422 => fault(said, status),
        401 => ErrorKind::Auth,
        403 if is_policy(said) => ErrorKind::ContentPolicy,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        429 if said.names(&OVERLOADED) => ErrorKind::Overloaded,
        429 if is_limit(said) && said.words.starts_with(TOO_LARGE_OPENING) => ErrorKind::ContextLength,
        429 => ErrorKind::RateLimited,
        498 | 503 | 529 => ErrorKind::Overloaded,
        // llama.cpp's answer to what it was not started for: it is well, and would say so again.
        501 => ErrorKind::NotFound,
        500.. if said.names(&OVERLOADED) => ErrorKind::Overloaded,
        _ => ErrorKind::Server,
    }
}

/// What an error amounts to whose status blames the request.
fn fault(said: &Said, status: u16) -> ErrorKind {
    if status == 400 && is_about_the_key(said) {
        return ErrorKind::Auth;
    }
    // Groq's answer to a request that alone is more than a minute's tokens.
    if said.names(&CONTEXT) || (status == 413 && is_limit(said)) {
        ErrorKind::ContextLength
    } else if said.names(&POLICY) {
        ErrorKind::ContentPolicy
    } else if said.botched || said.names(&BOTCHED) {
        ErrorKind::Server
    } else if speaks(said, &CONTEXT_WORDS) {
        ErrorKind::ContextLength
    } else if is_policy(said) {
        ErrorKind::ContentPolicy
    } else {
        ErrorKind::InvalidRequest
    }
}

/// Whether a limit was met, of OpenAI's or Groq's account.
fn is_limit(said: &Said) -> bool {
    said.names(&["rate_limit_exceeded"])
}

fn is_spent(said: &Said, status: u16) -> bool {
    let worded = match status {
        400 => said.words.starts_with(SPENT_OPENING),
        403 | 429 => SPENT_WORDS.iter().any(|words| said.words.contains(words)),
        _ => false,
    };
    said.names(&SPENT) || worded || (status == 429 && said.daily)
}

fn is_policy(said: &Said) -> bool {
    said.flagged || said.names(&POLICY) || speaks(said, &POLICY_WORDS)
}

/// Whether a 400 means our key and not the client's request, as xAI's and Google's do.
fn is_about_the_key(said: &Said) -> bool {
    let opens = ["incorrect api key", "api key not valid"].iter().any(|words| said.words.starts_with(words));
    opens || said.names(&["invalid_api_key"])
}

fn speaks(said: &Said, known: &[&str]) -> bool {
    known.iter().any(|words| said.words.contains(words) || said.raw.contains(words))
}

/// The HTTP status that an error within a 200 stands for: its number, else what its codes mean, else 500.
pub(super) fn status(said: &Said) -> u16 {
    let number = said.number.filter(|number| (400..600).contains(number));
    number.or_else(|| said.codes().find_map(status_of)).unwrap_or(500)
}

/// The status behind a code.
fn status_of(code: &str) -> Option<u16> {
    let code = code.to_ascii_lowercase();
    Some(match code.as_str() {
        "invalid_request_error" | "invalid_request" | "invalid_prompt" | "badrequesterror" | "invalid_argument" => 400,
        "invalid_api_key" | "authentication_error" | "unauthenticated" => 401,
        "billing_error" => 402,
        "permission_error" | "permission_denied" => 403,
        "model_not_found" | "not_found_error" | "notfounderror" | "not_found" => 404,
        "request_too_large" => 413,
        "rate_limit_exceeded" | "rate_limit_error" | "slow_down" | "resource_exhausted" => 429,
        code if CONTEXT.contains(&code) || POLICY.contains(&code) => 400,
        code if SPENT.contains(&code) => 429,
        code if OVERLOADED.contains(&code) => 503,
        "timeout_error" | "deadline_exceeded" => 504,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;
    use serde_json::json;

    fn of(status: u16, body: &serde_json::Value) -> ErrorKind {
        kind(&Said::from_value(body), status)
    }

    #[test]
    fn every_status_has_a_kind_without_words() {
        for (statuses, expected) in [
            (&[400, 413, 422][..], InvalidRequest),
            (&[401], Auth),
            (&[402, 412], QuotaExhausted),
            (&[403], Permission),
            (&[404, 501], NotFound),
            (&[429], RateLimited),
            (&[498, 503, 529], Overloaded),
            (&[405, 408, 409, 410, 418, 424, 425, 431, 451, 499, 500, 502, 504, 520, 599, 600, u16::MAX], Server),
        ] {
            for status in statuses {
                assert_eq!(kind(&Said::default(), *status), expected, "{status}");
            }
        }
    }

    #[test]
    fn a_spent_account_is_told_from_a_throttled_one() {
        for code in SPENT {
            assert_eq!(of(429, &json!({"error": {"code": code}})), QuotaExhausted, "{code}");
            assert_eq!(of(429, &json!({"error": {"type": code.to_uppercase()}})), QuotaExhausted, "{code}");
            assert_eq!(of(403, &json!({"type": "error", "error": {"type": code}})), QuotaExhausted, "{code}");
            assert_eq!(of(500, &json!({"error": {"code": code}})), Server, "{code}");
        }
        let said = |message: &str| json!({"error": {"message": message}});
        let google = |message: &str, quota: &str, limit: &str| {
            json!([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message, "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                    {"quotaId": "GenerateContentInputTokensPerMinute", "quotaValue": "250000"},
                    {"quotaId": quota, "quotaValue": limit},
                ]},
            ]}}])
        };
        let cap =
            json!({"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}});
        let code_assist = json!({"error": {"details": [{"metadata": {"quota_limit": "Gemini25ProRequestsPerDay"}}]}});
        for (status, body, expected) in [
            (429, cap.clone(), QuotaExhausted),
            (429, json!({"error": {"type": "rate_limit_error", "details": {"error_code": "other"}}}), RateLimited),
            (402, json!({"error": {"code": 402, "message": "Insufficient credits"}}), QuotaExhausted),
            (402, json!({"error": {"message": "maximum context length"}}), QuotaExhausted),
            (412, said("Account suspended"), QuotaExhausted),
            (400, said("Your credit balance is too low to access the Anthropic API."), QuotaExhausted),
            // A client's own words, quoted, do not rest our key.
            (400, said("Invalid value: 'your credit balance is too low'."), InvalidRequest),
            (400, said("Invalid value: 'Incorrect API key'."), InvalidRequest),
            (400, json!({"code": "x", "error": "Incorrect API key provided: x."}), Auth),
            (400, json!({"error": {"code": "invalid_api_key"}}), Auth),
            (403, json!({"code": "x", "error": "Your team has USED ALL available credits."}), QuotaExhausted),
            (429, said("Account suspended: insufficient balance"), QuotaExhausted),
            (404, said("No such model: insufficient balance"), NotFound),
            (429, google("m", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20"), QuotaExhausted),
            (429, google("m", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "5"), RateLimited),
            (429, google("m", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "0"), QuotaExhausted),
            (429, google("metric: x, limit: 0, model: y", "x", "5"), QuotaExhausted),
            (429, google("metric: x, limit: 20, model: y", "x", "5"), RateLimited),
            (503, google("m", "RequestsPerDay", "20"), Overloaded),
            (429, code_assist, QuotaExhausted),
            (429, said("You exceeded your current quota, please check your plan."), RateLimited),
        ] {
            assert_eq!(of(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn throttling_is_told_from_overload() {
        for (status, body, expected) in [
            (429, json!({"error": {"code": "slow_down"}}), RateLimited),
            (429, json!({"error": {"code": "rate_limit_exceeded", "type": "tokens"}}), RateLimited),
            (413, json!({"error": {"type": "request_too_large"}}), InvalidRequest),
            (429, json!({"object": "error", "message": "m", "type": "service_tier_capacity_exceeded"}), RateLimited),
            (429, json!({"error": {"type": "engine_overloaded_error"}}), Overloaded),
            (429, json!({"error": "m", "error_type": "overloaded"}), Overloaded),
            (503, json!({"error": {"code": "slow_down"}}), Overloaded),
            (503, json!({"error": {"code": "server_is_overloaded"}}), Overloaded),
            (500, json!({"error": {"type": "Overloaded_Error"}}), Overloaded),
            (529, json!({"error": {"type": "overloaded_error"}}), Overloaded),
            (498, json!({"error": {"code": "capacity_exceeded"}}), Overloaded),
            (504, json!({"error": {"type": "timeout_error"}}), Server),
        ] {
            assert_eq!(of(status, &body), expected, "{status} {body}");
        }
    }

    /// One caller's request must not rest a target for all the others.
    #[test]
    fn a_request_too_large_for_the_account_is_told_from_a_throttled_one() {
        let large = "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 10000, \
                     Requested 12000. The input or output tokens must be reduced in order to run successfully.";
        let reached = "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 10000, Used 9000, Requested 1200.";
        let dear = "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can \
                    only afford 4761. To increase, visit https://openrouter.ai/settings/credits.";
        let limit =
            |message: &str| json!({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}});
        for (status, body, expected) in [
            (429, limit(large), ContextLength),
            (429, limit(&large.to_lowercase()), ContextLength),
            (429, limit(reached), RateLimited),
            (429, limit(&format!("{reached} {large}")), RateLimited),
            (429, json!({"error": {"message": large, "code": "slow_down"}}), RateLimited),
            (429, json!({"error": {"message": large, "code": "insufficient_quota"}}), QuotaExhausted),
            (413, limit(large), ContextLength),
            (413, json!({"error": {"code": "rate_limit_exceeded"}}), ContextLength),
            (503, limit(large), Overloaded),
            (402, json!({"error": {"code": 402, "message": dear}}), ContextLength),
            (402, json!({"error": {"code": 402, "message": "This request requires more credits."}}), QuotaExhausted),
            (429, json!({"error": {"message": dear}}), RateLimited),
        ] {
            assert_eq!(of(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_question_too_long_is_known_by_code_or_words() {
        for code in CONTEXT {
            for status in [400, 413, 422] {
                assert_eq!(of(status, &json!({"error": {"code": code}})), ContextLength, "{status} {code}");
            }
            assert_eq!(of(500, &json!({"error": {"code": code}})), Server, "{code}");
        }
        for message in [
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
            "The input (9001 tokens) is longer than the model's context length (8192 tokens).",
            "prompt is too long: 200001 tokens > 200000 maximum",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            "the request exceeds the available context size, try increasing it",
            "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
            "Your input exceeds the context window of this model.",
            "Input is too long for requested model.",
            "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
            "THE PROMPT IS TOO LONG: ...",
        ] {
            for body in [
                json!({"error": {"message": message}}),
                json!({"error": message}),
                json!({"object": "error", "message": message, "type": "BadRequestError", "code": 400}),
                json!({"error": {"message": "Provider returned error", "code": 400,
                    "metadata": {"raw": json!({"error": {"message": message}}).to_string()}}}),
            ] {
                assert_eq!(of(400, &body), ContextLength, "{body}");
                for status in [500, 502, 503, 529] {
                    assert!(!of(status, &body).is_callers(), "{status} {body}");
                }
            }
        }
        for message in ["max_tokens is too large: 100000.", "Invalid 'user': string too long. Expected 64."] {
            let body = json!({"error": {"message": message, "code": "string_above_max_length"}});
            assert_eq!(of(400, &body), InvalidRequest, "{message}");
        }
    }

    #[test]
    fn a_question_that_policy_forbids_is_known_by_code_or_words() {
        let azure = json!({"error": {"message": "m", "type": null, "param": "prompt", "code": "x", "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation"}}});
        assert_eq!(of(400, &azure), ContentPolicy);
        for code in POLICY {
            let body = json!({"error": {"code": code, "message": "More than the context window."}});
            assert_eq!(
                (of(400, &body), of(403, &body), of(500, &body)),
                (ContentPolicy, ContentPolicy, Server),
                "{code}"
            );
        }
        for message in [
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            "Output blocked by content filtering policy",
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
            "Your request was rejected as a result of our safety system.",
            "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_X",
            "The prompt was blocked. Reason: PROHIBITED_CONTENT",
            "Request blocked due to safety settings",
        ] {
            let body = json!({"error": {"message": message}});
            assert_eq!((of(400, &body), of(403, &body)), (ContentPolicy, ContentPolicy), "{message}");
            assert_eq!(of(503, &body), Overloaded, "{message}");
        }
        let flagged =
            json!({"error": {"code": 403, "message": "m", "metadata": {"reasons": [], "flagged_input": "x"}}});
        assert_eq!(of(403, &flagged), ContentPolicy);
        assert_eq!(of(403, &json!({"error": {"message": "Blocked by your firewall"}})), Permission);
    }

    /// Another model, or the same one once more, may do better.
    #[test]
    fn what_a_model_botched_is_no_fault_of_who_asked_it() {
        let groq = |code: &str, generation: &str| {
            json!({"error": {"message": "Failed to call a function. Please adjust your prompt.",
                "type": "invalid_request_error", "code": code, "failed_generation": generation}})
        };
        let unshown = |code: &str| {
            json!({"error": {"message": "tool call validation failed: parameters for tool f did not match schema",
                "type": "invalid_request_error", "code": code}})
        };
        for (status, body, expected) in [
            (400, groq("tool_use_failed", "<function=f>{}"), Server),
            (400, groq("", "the context window is small"), Server),
            (400, groq("context_length_exceeded", ""), ContextLength),
            (400, unshown("tool_use_failed"), Server),
            (422, unshown("json_validate_failed"), Server),
            (400, unshown("output_parse_failed"), Server),
            (400, unshown("invalid_tool"), InvalidRequest),
            (400, json!({"error": {"message": "Invalid value: 'tool_use_failed'."}}), InvalidRequest),
            (429, groq("rate_limit_exceeded", ""), RateLimited),
        ] {
            assert_eq!(of(status, &body), expected, "{status} {body}");
        }
        let event = groq("tool_use_failed", "");
        assert_eq!(of(status(&Said::from_value(&event)), &event), Server, "in a stream");
    }

    #[test]
    fn words_are_searched_up_to_the_bound() {
        let at = |place: usize| json!({"error": {"message": format!("{}context window", "é".repeat(place))}});
        assert_eq!(of(400, &at(4096 - "context window".len())), ContextLength);
        assert_eq!(of(400, &at(4096 - "context window".len() + 1)), InvalidRequest);
    }

    #[test]
    fn an_error_within_a_200_stands_for_a_status() {
        for (body, expected) in [
            (json!({"error": {"code": 429}}), 429),
            (json!({"error": {"code": "429"}}), 429),
            (json!({"error": {"code": 502, "type": "invalid_request_error"}}), 502),
            (json!({"error": {"code": 200, "type": "invalid_request_error"}}), 400),
            (json!({"error": {"code": 700}}), 500),
            (json!({"error": {"code": "context_length_exceeded", "type": "x"}}), 400),
            (json!({"error": {"code": "content_filter"}}), 400),
            (json!({"error": {"type": "billing_error"}}), 402),
            (
                json!({"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}),
                429,
            ),
            (json!({"error": {"status": "RESOURCE_EXHAUSTED"}}), 429),
            (json!({"error": {"type": "Overloaded_Error"}}), 503),
            (json!({"error": {"type": "timeout_error"}}), 504),
            (json!({"error": "maximum context length"}), 500),
            (json!({}), 500),
        ] {
            assert_eq!(status(&Said::from_value(&body)), expected, "{body}");
        }
    }
}
