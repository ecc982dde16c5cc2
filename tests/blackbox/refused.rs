//! How each kind of provider refuses, in its own words, and what clients of every dialect are told of it: a status, a code
//! and how long to wait, whichever way the provider says it.
//!
//! Bodies are those of their documents and of reports, but for the message, which begins with words to look for.

use crate::client::End;
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::heard::told;
use crate::provider::{Raw, configured, whole};
use serde_json::Value;

/// Why a provider refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The client's own fault.
    Request,
    /// Our key.
    Key,
    /// There is no such model.
    Model,
    /// Too much for now.
    Rate,
    /// Nothing left to spend.
    Spent,
    /// It can take no more from anyone.
    Overloaded,
    /// It failed.
    Broken,
}

impl Why {
    const ALL: [Self; 7] =
        [Self::Request, Self::Key, Self::Model, Self::Rate, Self::Spent, Self::Overloaded, Self::Broken];

    /// What a client is told: status, code where it is ours, and when to come again where the provider says so or nothing
    /// is left.
    fn told(self) -> (u16, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Request => (400, None, None),
            Self::Key | Self::Model | Self::Broken => (502, Some("upstream_failed"), None),
            Self::Rate => (503, Some("all_targets_unavailable"), Some("7")),
            Self::Spent => (503, Some("all_targets_unavailable"), Some("900")),
            Self::Overloaded => (503, Some("all_targets_unavailable"), Some("9")),
        }
    }
}

const SEVEN: &str = "retry-after: 7\r\n";
const NINE: &str = "retry-after: 9\r\n";

/// A kind; why it refuses; its status, further lines of its head, and its body.
type Refusal = (&'static str, Why, u16, &'static str, &'static str);

use Why::{Broken, Key, Model, Overloaded, Rate, Request, Spent};

#[rustfmt::skip]
const REFUSALS: &[Refusal] = &[
    ("openai", Request, 400, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error","param":"messages","code":null}}"#),
    ("openai", Key, 401, "", r#"{"error":{"message":"Secret words: incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#),
    ("openai", Model, 404, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#),
    ("openai", Rate, 429, "", r#"{"error":{"message":"Secret words: rate limit reached. Please try again in 7s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#),
    ("openai", Spent, 429, "", r#"{"error":{"message":"Secret words.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#),
    ("openai", Overloaded, 503, NINE, r#"{"error":{"message":"Secret words.","type":"server_error","param":null,"code":"server_is_overloaded"}}"#),
    ("openai", Broken, 500, "", r#"{"error":{"message":"Secret words.","type":"server_error","param":null,"code":null}}"#),
    ("azure_openai", Request, 400, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error","param":"messages","code":null}}"#),
    ("azure_openai", Key, 401, "", r#"{"error":{"code":"401","message":"Secret words: access denied due to invalid subscription key or wrong API endpoint."}}"#),
    ("azure_openai", Model, 404, "", r#"{"error":{"code":"DeploymentNotFound","message":"Secret words."}}"#),
    ("azure_openai", Rate, 429, SEVEN, r#"{"error":{"code":"429","message":"Secret words: requests have exceeded the rate limit of your pricing tier."}}"#),
    ("azure_openai", Overloaded, 503, NINE, r#"{"error":{"code":"503","message":"Secret words."}}"#),
    ("azure_openai", Broken, 500, "", r#"{"error":{"code":"InternalServerError","message":"Secret words."}}"#),
    ("mistral", Request, 422, "", r#"{"object":"error","message":"Secret words.","type":"invalid_request_error","param":null,"code":"1500"}"#),
    ("mistral", Key, 401, "", r#"{"message":"Secret words","request_id":"x"}"#),
    ("mistral", Model, 404, "", r#"{"object":"error","message":"Secret words.","type":"invalid_model","param":null,"code":"1500"}"#),
    ("mistral", Rate, 429, SEVEN, r#"{"object":"error","message":"Secret words","type":"rate_limited","param":null,"code":"1300"}"#),
    ("mistral", Overloaded, 503, NINE, r#"{"object":"error","message":"Secret words","type":"service_unavailable","param":null,"code":"3000"}"#),
    ("mistral", Broken, 500, "", r#"{"object":"error","message":"Secret words","type":"internal_server_error","param":null,"code":"1000"}"#),
    ("groq", Request, 400, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error"}}"#),
    ("groq", Key, 401, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error","code":"invalid_api_key"}}"#),
    ("groq", Model, 404, "", r#"{"error":{"message":"Secret words.","type":"invalid_request_error","code":"model_not_found"}}"#),
    ("groq", Rate, 429, SEVEN, r#"{"error":{"message":"Secret words.","type":"tokens","code":"rate_limit_exceeded"}}"#),
    ("groq", Overloaded, 498, NINE, r#"{"error":{"message":"Secret words.","type":"internal_server_error"}}"#),
    ("groq", Broken, 500, "", r#"{"error":{"message":"Secret words.","type":"internal_server_error"}}"#),
    ("deepseek", Spent, 402, "", r#"{"error":{"message":"Insufficient Balance: secret words","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#),
    ("xai", Key, 400, "", r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: secret words."}"#),
    ("xai", Spent, 403, "", r#"{"code":"The caller does not have permission","error":"Your team has either used all available credits: secret words."}"#),
    ("openrouter", Key, 401, "", r#"{"error":{"message":"Secret words.","code":401}}"#),
    ("openrouter", Rate, 429, SEVEN, r#"{"error":{"message":"Secret words.","code":429,"metadata":{"provider_name":"X"}}}"#),
    ("openrouter", Spent, 402, "", r#"{"error":{"message":"Insufficient credits: secret words.","code":402}}"#),
    ("openrouter", Broken, 502, "", r#"{"error":{"message":"Secret words.","code":502,"metadata":{"provider_name":"X"}}}"#),
    ("perplexity", Key, 401, "", "<html><head><title>401 Secret words</title></head></html>"),
    ("perplexity", Rate, 429, SEVEN, r#"{"error":{"message":"Secret words.","type":"request_rate_limit_exceeded","code":429}}"#),
    ("vllm", Request, 400, "", r#"{"object":"error","message":"Secret words.","type":"BadRequestError","param":null,"code":400}"#),
    ("vllm", Model, 404, "", r#"{"error":{"message":"Secret words.","type":"NotFoundError","param":"model","code":404}}"#),
    ("vllm", Broken, 500, "", r#"{"object":"error","message":"Secret words.","type":"InternalServerError","param":null,"code":500}"#),
    ("anthropic", Request, 400, "", r#"{"type":"error","error":{"type":"invalid_request_error","message":"Secret words."},"request_id":"r"}"#),
    ("anthropic", Key, 401, "", r#"{"type":"error","error":{"type":"authentication_error","message":"Secret words."}}"#),
    ("anthropic", Model, 404, "", r#"{"type":"error","error":{"type":"not_found_error","message":"Secret words."}}"#),
    ("anthropic", Rate, 429, SEVEN, r#"{"type":"error","error":{"type":"rate_limit_error","message":"Secret words."}}"#),
    ("anthropic", Spent, 400, "", r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low: secret words."}}"#),
    ("anthropic", Overloaded, 529, NINE, r#"{"type":"error","error":{"type":"overloaded_error","message":"Secret words."}}"#),
    ("anthropic", Broken, 500, "", r#"{"type":"error","error":{"type":"api_error","message":"Secret words."}}"#),
    ("gemini", Request, 400, "", r#"{"error":{"code":400,"message":"Secret words.","status":"INVALID_ARGUMENT"}}"#),
    ("gemini", Key, 400, "", r#"{"error":{"code":400,"message":"API key not valid: secret words.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#),
    ("gemini", Model, 404, "", r#"{"error":{"code":404,"message":"Secret words.","status":"NOT_FOUND"}}"#),
    ("gemini", Rate, 429, "", r#"{"error":{"code":429,"message":"Secret words.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}"#),
    ("gemini", Overloaded, 503, NINE, r#"{"error":{"code":503,"message":"Secret words.","status":"UNAVAILABLE"}}"#),
    ("gemini", Broken, 500, "", r#"{"error":{"code":500,"message":"Secret words.","status":"INTERNAL"}}"#),
    ("vertex", Request, 400, "", r#"{"error":{"code":400,"message":"Secret words.","status":"INVALID_ARGUMENT"}}"#),
    ("vertex", Key, 401, "", r#"{"error":{"code":401,"message":"Secret words.","status":"UNAUTHENTICATED"}}"#),
    ("vertex", Model, 404, "", r#"{"error":{"code":404,"message":"Secret words.","status":"NOT_FOUND"}}"#),
    ("vertex", Rate, 429, SEVEN, r#"{"error":{"code":429,"message":"Secret words.","status":"RESOURCE_EXHAUSTED"}}"#),
    ("vertex", Overloaded, 503, NINE, r#"[{"error":{"code":503,"message":"Secret words.","status":"UNAVAILABLE"}}]"#),
    ("vertex", Broken, 500, "", r#"{"error":{"code":500,"message":"Secret words.","status":"INTERNAL"}}"#),
    ("cohere", Request, 400, "", r#"{"id":"x","message":"Secret words."}"#),
    ("cohere", Key, 401, "", r#"{"id":"x","message":"Secret words."}"#),
    ("cohere", Model, 404, "", r#"{"id":"x","message":"Secret words."}"#),
    ("cohere", Rate, 429, SEVEN, r#"{"id":"x","message":"Secret words."}"#),
    ("cohere", Spent, 429, "", r#"{"message":"Secret words: you are using a Trial key, which is limited to 1000 API calls / month."}"#),
    ("cohere", Overloaded, 503, NINE, r#"{"id":"x","message":"Secret words."}"#),
    ("cohere", Broken, 500, "", r#"{"id":"x","message":"Secret words."}"#),
    ("ollama_native", Request, 400, "", r#"{"error":"Secret words."}"#),
    ("ollama_native", Key, 401, "", r#"{"error":"Secret words."}"#),
    ("ollama_native", Model, 404, "", r#"{"error":"Secret words."}"#),
    ("ollama_native", Rate, 429, SEVEN, r#"{"error":"Secret words."}"#),
    ("ollama_native", Overloaded, 503, NINE, r#"{"error":"Secret words: server busy, please try again."}"#),
    ("ollama_native", Broken, 500, "", r#"{"error":"Secret words."}"#),
    ("bedrock", Request, 400, "x-amzn-errortype: ValidationException\r\n", r#"{"message":"Secret words."}"#),
    ("bedrock", Key, 403, "x-amzn-errortype: UnrecognizedClientException\r\n", r#"{"message":"Secret words."}"#),
    ("bedrock", Model, 404, "x-amzn-errortype: ResourceNotFoundException\r\n", r#"{"message":"Secret words."}"#),
    ("bedrock", Rate, 429, "x-amzn-errortype: ThrottlingException\r\nretry-after: 7\r\n", r#"{"message":"Secret words."}"#),
    ("bedrock", Overloaded, 503, "x-amzn-errortype: ServiceUnavailableException\r\nretry-after: 9\r\n", r#"{"message":"Secret words."}"#),
    ("bedrock", Broken, 500, "x-amzn-errortype: InternalServerException\r\n", r#"{"message":"Secret words."}"#),
];

/// The code for machines in an error body of ours.
fn code(dialect: Dialect, body: &Value) -> Option<&str> {
    let at = match dialect {
        Dialect::Chat | Dialect::Responses => "/error/code",
        Dialect::Messages => "/error/details/error_code",
        Dialect::Generate => "/error/details/0/reason",
    };
    body.pointer(at)?.as_str()
}

/// Clients, each with whether it asks for a stream and the name of a provider of its own: a key that has nothing left to
/// spend rests for everybody.
fn clients() -> impl Iterator<Item = (Dialect, bool, String)> {
    let both =
        |dialect: Dialect| [false, true].map(|stream| (dialect, stream, format!("{}-{stream}", dialect.label())));
    Dialect::ALL.into_iter().flat_map(both)
}

/// What is wrong with what each client is told of a refusal.
async fn faults((kind, why, status, head, body): Refusal) -> Vec<String> {
    let mut pieces = whole(&format!("{status} No"), "application/json", body.as_bytes());
    let told_head = String::from_utf8(pieces[0].clone()).expect("text").replacen("\r\n", &format!("\r\n{head}"), 1);
    pieces[0] = told_head.into_bytes();
    let provider = Raw::saying(pieces).await;
    let providers: String = clients().map(|(.., name)| configured(&name, kind, &provider.url, "")).collect();
    let more = "direct: true\ndefaults: { retry: { max_attempts: 1 } }\n";
    let gateway = Gateway::start(&format!("providers:\n{providers}{more}")).await;
    let (wanted, wanted_code, wait) = why.told();
    let mut faults = Vec::new();
    for (client, stream, name) in clients() {
        let answer = gateway.ask(client.ask(&format!("{name}/m"), stream)).await;
        // A provider's own status for what is the client's fault stays.
        let wanted = if why == Request { status } else { wanted };
        let mut right = (answer.status, answer.end) == (wanted, End::Complete)
            && answer.header("retry-after") == wait
            && answer.header("content-type") == Some("application/json");
        if right && answer.body != body.as_bytes() {
            let body = answer.json();
            // Only what is the client's own fault is its provider's to explain.
            right = told(client, wanted, &body).contains("Secret words") == (why == Request)
                && wanted_code.is_none_or(|wanted| code(client, &body) == Some(wanted));
        }
        if !right || (answer.body == body.as_bytes() && why != Request) {
            faults.push(format!("{kind} {why:?} to {name}: {}\n{}", answer.head, answer.text()));
        }
    }
    faults
}

#[tokio::test]
async fn every_kinds_refusals_are_told_in_every_clients_words() {
    let mut wrong = Vec::new();
    for refusal in REFUSALS {
        wrong.extend(faults(*refusal).await);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_dialect_of_providers_has_every_reason() {
    // The others differ from these in some. No words of these are known that say that nothing is left to spend.
    const UNSPENT: [&str; 7] = ["azure_openai", "bedrock", "mistral", "groq", "gemini", "vertex", "ollama_native"];
    for kind in
        ["openai", "azure_openai", "mistral", "groq", "anthropic", "gemini", "vertex", "cohere", "ollama_native"]
    {
        let mut has: Vec<Why> = REFUSALS.iter().filter(|refusal| refusal.0 == kind).map(|refusal| refusal.1).collect();
        has.extend(UNSPENT.contains(&kind).then_some(Spent));
        has.sort();
        assert_eq!(has, Why::ALL, "{kind}");
    }
}
