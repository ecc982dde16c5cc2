//! Bedrock behind keys that sign: each signature is computed anew from what came over the wire, and what becomes of one
//! that is refused.
//!
//! The computing is this file's own, after Amazon's description of signature version 4; no library of the gateway's.

use crate::child::Process;
use crate::client::Ask;
use crate::gateway::{Gateway, directory};
use crate::provider::{Raw, whole};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

const SECRET: &str = "sk-canary/of+amazon";
const TOKEN: &str = "canary-token+of/its==";
const NOVA: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}"#;
const ARN: &str = "arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.meta.llama4-v1:0";
const IN_FILE: &str =
    "access_key_id: AKIDEXAMPLE, secret_access_key: { env: KEPT }, session_token: { env: KEPT_TOKEN }";
const OF_FILE: &[(&str, &str)] = &[("KEPT", SECRET), ("KEPT_TOKEN", TOKEN)];
const OF_TOOLS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", SECRET)];

fn configuration(more: &str, url: &str, model: &str) -> String {
    format!(
        "providers: {{ cloud: {{ kind: bedrock, region: eu-west-3, base_url: \"{url}\", {more} }} }}
routes: {{ chat: {{ targets: [\"cloud/{model}\"] }} }}
"
    )
}

/// One event of a stream of Bedrock's, in its frame.
fn event(name: &str, payload: &str) -> Vec<u8> {
    let told = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    let header =
        |(name, value): (&str, &str)| Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into()));
    let message = Message::new_from_parts(told.into_iter().map(header).collect(), payload.as_bytes().to_vec());
    let mut out = Vec::new();
    write_message_to(&message, &mut out).expect("a frame");
    out
}

/// A Bedrock that says "hi", as a stream where it is asked for one.
async fn bedrock() -> Raw {
    let stream = [
        event("messageStart", r#"{"role":"assistant"}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"hi"}}"#),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event("messageStop", r#"{"stopReason":"end_turn"}"#),
        event("metadata", r#"{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}"#),
    ]
    .concat();
    Raw::replying(move |request| match request.contains("/converse-stream HTTP/1.1") {
        true => whole("200 OK", "application/vnd.amazon.eventstream", &stream),
        false => whole("200 OK", "application/json", NOVA.as_bytes()),
    })
    .await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// HMAC with SHA-256 (RFC 2104); no key here is longer than a block.
fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    assert!(key.len() <= 64, "hash longer keys first");
    let pad = |byte: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ byte).collect::<Vec<_>>();
    let inner = hash(&[&pad(0x36), text.as_bytes()].concat());
    hash(&[&pad(0x5c)[..], &inner].concat())
}

/// The signature of a request, and the one that its bytes should have with this key.
fn signatures(request: &str, secret: &str) -> (String, String) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let mut first = lines.next().expect("a request").split(' ');
    let (method, path) = (first.next().expect("a method"), first.next().expect("a path"));
    let headers: BTreeMap<&str, &str> = lines.map(|line| line.split_once(": ").expect("a header")).collect();
    let said = headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/").expect("a key's name");
    let (scope, said) = said.split_once(", SignedHeaders=").expect("what is signed");
    let (signed, signature) = said.split_once(", Signature=").expect("a signature");
    let listed: String = signed.split(';').map(|name| format!("{name}:{}\n", headers[name])).collect();
    // Every `%` of the path is encoded once more; nothing else in it has to be.
    let canonical =
        format!("{method}\n{}\n\n{listed}\n{signed}\n{}", path.replace('%', "%25"), hex(&hash(body.as_bytes())));
    let date = headers["x-amz-date"];
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&hash(canonical.as_bytes())));
    assert_eq!(scope, format!("{}/eu-west-3/bedrock/aws4_request", &date[..8]));
    for name in ["content-type", "host", "x-amz-date"].into_iter().chain(headers.keys().copied()) {
        let has_to_be = !name.starts_with("x-") || name.starts_with("x-amz");
        let free = ["accept", "authorization", "content-length", "user-agent"].contains(&name) || !has_to_be;
        assert!(free || signed.split(';').any(|signed| signed == name), "{name} is not signed: {signed}");
    }
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part).to_vec());
    (signature.to_owned(), hex(&hmac(&key, &text)))
}

/// Seconds since 1970 of a date such as `20260102T030405Z`.
fn seconds(date: &str) -> i64 {
    let number = |from: usize, to: usize| date[from..to].parse::<i64>().expect("a number");
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    // Years that begin in March end with the leap day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    86_400 * days + 3_600 * number(9, 11) + 60 * number(11, 13) + number(13, 15)
}

/// Seconds since 1970.
#[expect(clippy::disallowed_types, reason = "a signature names the wall time it is made at")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    since.as_secs().try_into().expect("a date")
}

#[tokio::test]
async fn every_request_is_signed_as_it_comes_over_the_wire() {
    assert_eq!(seconds("20260102T030405Z"), 1_767_323_045);
    let mut seen = BTreeSet::new();
    for (more, variables, token) in [(IN_FILE, OF_FILE, Some(TOKEN)), ("", OF_TOOLS, None)] {
        for (model, path) in [
            ("eu.amazon.nova-pro-v1:0", "/v1/model/eu.amazon.nova-pro-v1%3A0"),
            (
                ARN,
                "/v1/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A123456789012%3Ainference-profile%2Feu.meta.llama4-v1%3A0",
            ),
        ] {
            let provider = bedrock().await;
            let gateway = Gateway::with(&configuration(more, &provider.url, model), variables).await;
            for (ask, operation) in [(Ask::whole("chat"), "converse"), (Ask::stream("chat"), "converse-stream")] {
                let answer = gateway.ask(ask).await;
                assert_eq!((answer.status, &*answer.said()), (200, "hi"), "{model}: {}", answer.text());
                let request = provider.requests().pop().expect("a request");
                assert!(request.starts_with(&format!("POST {path}/{operation} HTTP/1.1\r\n")), "{request}");
                let (said, computed) = signatures(&request, SECRET);
                assert_eq!(said, computed, "{request}");
                assert_ne!(said, signatures(&request, "sk-another").1);
                assert!(seen.insert(said), "no two requests share a signature");

                let line = |name: &str| request.lines().find_map(|line| line.strip_prefix(name));
                assert_eq!(line("x-amz-security-token: "), token);
                let date = seconds(line("x-amz-date: ").expect("a date"));
                assert!(date.abs_diff(now()) < 60, "{date} is not now");
                assert!(!request.contains(SECRET), "the key itself is never sent");
            }
            assert!(!gateway.process.stderr.text().contains("canary"));
        }
    }
}

#[tokio::test]
async fn a_signature_that_is_refused_is_our_fault_and_no_clients() {
    for name in ["InvalidSignatureException", "ExpiredTokenException", "UnrecognizedClientException"] {
        let status = format!("403 Forbidden\r\nx-amzn-errortype: {name}:http://internal.amazon.com/coral/");
        let said = format!(r#"{{"message":"not with {SECRET}"}}"#);
        let provider = Raw::saying(whole(&status, "application/json", said.as_bytes())).await;
        for ask in [Ask::whole("chat"), Ask::stream("chat")] {
            let gateway = Gateway::with(&configuration("", &provider.url, "m"), OF_TOOLS).await;
            let answer = gateway.ask(ask).await;
            assert_eq!((answer.status, &*answer.code()), (502, "upstream_failed"), "{}", answer.text());
            let told = answer.text();
            assert!(told.contains(&format!("403 ({name})")) && !told.contains("canary"), "{told}");
            let record = gateway.record(&answer.id).await;
            let tried = &record["tried"][0];
            assert_eq!([&tried["verdict"], &tried["cause"]], [&json!("hard_failure"), &json!("auth")], "{record}");
            let warned = |line: &str| line.contains("cloud/m does not accept a key").then(|| line.to_owned());
            gateway.process.stderr.find("a warning", warned).await;
            assert!(!gateway.process.stderr.text().contains("canary"));
        }
    }
}

#[tokio::test]
async fn check_says_what_a_provider_that_signs_lacks() {
    let file = |more: &str| {
        format!("providers: {{ p: {{ kind: bedrock, {more} }} }}\nroutes: {{ chat: {{ targets: [p/m] }} }}\n")
    };
    let in_paris = format!("{IN_FILE}, region: eu-west-3");
    for (more, variables, code, says) in [
        (in_paris.as_str(), OF_FILE, 0, "good"),
        ("region: eu-west-3", OF_TOOLS, 0, "good"),
        (
            "region: eu-west-3",
            &[],
            2,
            "providers.p.api_key: is missing; set it, or access_key_id and secret_access_key",
        ),
        (IN_FILE, OF_FILE, 2, "providers.p.region: is missing; set it, or the variable AWS_REGION"),
        ("region: eu-west-3, access_key_id: a", OF_TOOLS, 2, "providers.p.secret_access_key: is missing"),
        (&format!("{in_paris}, passthrough: [/model/*]"), OF_FILE, 2, "providers.p.passthrough: needs an api_key"),
    ] {
        let directory = directory(&file(more));
        let process = Process::start(directory.path(), &["check"], variables);
        assert_eq!(process.exit().await, Some(code), "{more}");
        let said = process.stdout.text() + &process.stderr.text();
        assert!(said.contains(says) && !said.contains("canary"), "{more}: {said}");
    }
}
