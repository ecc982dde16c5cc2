//! Google's access tokens: what a service account's file buys at Vertex AI, and what becomes of calls where it buys none.

use crate::client::{Ask, together};
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::provider::{Raw, streamed, whole};
use crate::speech::{answer, speech};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::NamedTempFile;

const GEMINI: &str = "gemini-2.5-pro";
const CLAUDE: &str = "claude-opus-4";
/// The path below which a project's models are.
const PLACE: &str = "/v1/projects/p-1/locations/europe-west1";

/// The file of a service account whose tokens are to be had at this server.
fn account(tokens: &Raw) -> NamedTempFile {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let json = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k1", "private_key": key.serialize_pem(),
        "client_email": "svc@p-1.iam.gserviceaccount.com", "client_id": "1", "universe_domain": "googleapis.com",
        "auth_uri": "https://accounts.test/o/oauth2/auth", "token_uri": format!("{}/token", tokens.url),
    });
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(json.to_string().as_bytes()).expect("room");
    file
}

/// A token server: its tokens are `canary-1`, `canary-2` and so on.
async fn tokens() -> Raw {
    let count = AtomicU32::new(0);
    Raw::replying(move |_| {
        let token = format!("canary-{}", count.fetch_add(1, Ordering::Relaxed) + 1);
        let grant = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
        whole("200 OK", "application/json", grant.to_string().as_bytes())
    })
    .await
}

/// Vertex AI as it is for those who show `token`: each model speaks its vendor's dialect.
async fn vertex(token: &'static str) -> Raw {
    Raw::replying(move |request| {
        if !request.contains(&format!("\r\nauthorization: Bearer {token}\r\n")) {
            let error = json!({"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}});
            return whole("401 Unauthorized", "application/json", error.to_string().as_bytes());
        }
        let dialect = if request.contains("/publishers/anthropic/") { Dialect::Messages } else { Dialect::Generate };
        let path = request.split(' ').nth(1).unwrap_or_default();
        if path.contains("count-tokens") {
            return whole("200 OK", "application/json", br#"{"input_tokens":7}"#);
        }
        if path.contains(":countTokens") {
            return whole("200 OK", "application/json", br#"{"totalTokens":8}"#);
        }
        if path.contains(":stream") {
            return streamed(speech(dialect, &["good ", "day"]).whole().as_bytes(), &[4096]);
        }
        whole("200 OK", "application/json", answer(dialect, "good day").as_bytes())
    })
    .await
}

/// A gateway in front of it, with a spare of kind openai where there is one, in the name that `file` says.
async fn gateway(vertex: &Raw, file: &NamedTempFile, more: &str) -> Gateway {
    let base = vertex.url.replace("/v1", PLACE);
    let path = file.path().to_str().expect("a plain path");
    let provider = format!("kind: vertex, location: europe-west1, base_url: \"{base}\", credentials: '{path}'");
    Gateway::start(&format!("providers:\n  v: {{ {provider}, passthrough: [/operations/*] }}\n{more}direct: true\n"))
        .await
}

/// Nothing that the gateway has said holds a token or a key.
fn says_no_secret(gateway: &Gateway) {
    let said = gateway.process.stderr.text();
    assert!(!said.contains("canary-") && !said.contains("PRIVATE KEY") && !said.contains("assertion"), "{said}");
}

#[tokio::test]
async fn one_token_of_a_service_account_pays_for_every_model_whole_and_streamed() {
    let (tokens, vertex) = (tokens().await, vertex("canary-1").await);
    let file = account(&tokens);
    let gateway = gateway(&vertex, &file, "").await;
    let cases = [
        (GEMINI, false, "google/models/gemini-2.5-pro:generateContent"),
        (GEMINI, true, "google/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        (CLAUDE, false, "anthropic/models/claude-opus-4:rawPredict"),
        (CLAUDE, true, "anthropic/models/claude-opus-4:streamRawPredict"),
    ];
    // All at once, before there is a token.
    together(cases.iter().map(|(model, stream, _)| {
        let gateway = &gateway;
        async move {
            let answer = gateway.ask(Dialect::Chat.ask(&format!("v/{model}"), *stream)).await;
            assert_eq!((answer.status, answer.said().as_str()), (200, "good day"), "{model}: {}", answer.text());
        }
    }))
    .await;
    let asked: Vec<_> =
        vertex.requests().iter().filter_map(|request| Some(request.split(' ').nth(1)?.to_owned())).collect();
    for (_, _, path) in cases {
        assert!(asked.contains(&format!("{PLACE}/publishers/{path}")), "{path}: {asked:?}");
    }
    let requests = tokens.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let (head, form) = request.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /v1/token HTTP/1.1\r\n"), "{head}");
    let assertion = form.split_once("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    assert_eq!(assertion.expect("an assertion").1.split('.').count(), 3, "{form}");
    says_no_secret(&gateway);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_replaced_without_the_client_noticing() {
    let (tokens, vertex) = (tokens().await, vertex("canary-2").await);
    let file = account(&tokens);
    let gateway = gateway(&vertex, &file, "").await;
    for _ in 0..2 {
        let answer = gateway.ask(Ask::whole(&format!("v/{GEMINI}"))).await;
        assert_eq!((answer.status, answer.said().as_str()), (200, "good day"), "{}", answer.text());
        assert_eq!(answer.header("x-breakwater-attempts"), Some("1"));
    }
    assert_eq!((vertex.requests().len(), tokens.requests().len()), (3, 2));
}

#[tokio::test]
async fn what_is_handed_through_shows_the_token_too() {
    let (tokens, vertex) = (tokens().await, vertex("canary-1").await);
    let file = account(&tokens);
    let gateway = gateway(&vertex, &file, "").await;
    let answer = gateway.ask(Ask::get("/passthrough/v/operations/7").header("authorization", "Bearer mine")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let requests = vertex.requests();
    assert!(requests[0].starts_with(&format!("GET {PLACE}/operations/7 HTTP/1.1")), "{requests:?}");
    assert!(!requests[0].contains("Bearer mine"), "{requests:?}");
}

#[tokio::test]
async fn without_a_token_the_next_target_answers_and_where_there_is_none_the_client_is_told_why() {
    let refusal = json!({"error": "invalid_grant", "error_description": "canary-0"}).to_string();
    let tokens = Raw::saying(whole("400 Bad Request", "application/json", refusal.as_bytes())).await;
    let (vertex, spare) =
        (vertex("canary-1").await, Raw::answering("application/json", answer(Dialect::Chat, "hi").as_bytes()).await);
    let file = account(&tokens);
    let routes = format!("routes: {{ chat: {{ targets: [v/{GEMINI}, spare/m] }} }}\n");
    let more = format!("  spare: {{ kind: openai, base_url: \"{}\" }}\n{routes}", spare.url);
    let gateway = gateway(&vertex, &file, &more).await;
    let answer = gateway.ask(Ask::whole("chat")).await;
    assert_eq!((answer.status, answer.said().as_str()), (200, "hi"), "{}", answer.text());
    let record = gateway.record(&answer.id).await;
    let first = &record["tried"][0];
    assert_eq!([&first["verdict"], &first["cause"]], [&json!("hard_failure"), &json!("no_token")], "{record}");
    gateway.expect(&[(r#"retries_total{reason="no_token",route="chat"}"#, 1.0)]).await;
    let alone = gateway.ask(Ask::whole(&format!("v/{GEMINI}"))).await;
    assert_eq!((alone.status, alone.code().as_str()), (502, "upstream_failed"), "{}", alone.text());
    let why = "was not called for want of a token: the token server answered 400 (invalid_grant)";
    assert!(alone.text().contains(why), "{}", alone.text());
    assert_eq!(gateway.target(&format!("v/{GEMINI}")).await["state"], Value::from("closed"));
    assert!(vertex.requests().is_empty());
    says_no_secret(&gateway);
}

#[tokio::test]
async fn what_claude_would_read_is_counted_in_one_place_for_all_its_models() {
    let (tokens, vertex) = (tokens().await, vertex("canary-1").await);
    let file = account(&tokens);
    let gateway = gateway(&vertex, &file, "").await;
    let ask = |model: &str| {
        let body = json!({"model": format!("v/{model}"), "messages": [{"role": "user", "content": "hi there"}]});
        Ask::to("/v1/messages/count_tokens", body.to_string()).header("anthropic-version", "2023-06-01")
    };
    let answer = gateway.ask(ask(CLAUDE)).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"input_tokens":7}"#));
    let requests = vertex.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a head");
    let path = format!("{PLACE}/publishers/anthropic/models/count-tokens:rawPredict");
    assert!(head.starts_with(&format!("POST {path} HTTP/1.1\r\n")) && !head.contains("anthropic-version"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!([&body["model"], &body["anthropic_version"]], [CLAUDE, "vertex-2023-10-16"], "{body}");
    // Google's are counted each in its own place, where the request stands by itself.
    let answer = gateway.ask(ask(GEMINI)).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"input_tokens":8}"#));
    let requests = vertex.requests();
    let (head, body) = requests[1].split_once("\r\n\r\n").expect("a head");
    assert!(
        head.starts_with(&format!("POST {PLACE}/publishers/google/models/{GEMINI}:countTokens HTTP/1.1\r\n")),
        "{head}"
    );
    assert_eq!(body, r#"{"contents":[{"role":"user","parts":[{"text":"hi there"}]}]}"#);
}
