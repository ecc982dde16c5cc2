//! Requests to Bedrock as they go out: the signature is that of what comes over the wire.

use super::*;
use crate::aws::AwsCredentials;
use crate::credential::Credential;
use crate::sigv4::Signer;
use crate::webhook::tests::service::{Service, ok};
use http::header::AUTHORIZATION;
use http_body_util::Empty;
use std::collections::BTreeSet;

/// 2026-01-02 03:04:05 UTC.
const AT: Duration = Duration::from_secs(1_767_323_045);
const CONNECT: Duration = Duration::from_secs(10);
const TOKEN: &str = "a-session-token+of/its==";
const ARN: &str = "arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.meta.llama4-v1:0";

fn credentials(token: Option<&str>) -> AwsCredentials {
    AwsCredentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG".into(),
        session_token: token.map(Into::into),
        region: "eu-west-3".into(),
    }
}

/// The one provider, which signs, lives at `service` and has headers of its own.
fn upstream(service: &Service, token: Option<&str>) -> Upstream {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let settings = ProviderSettings {
        name: "p".into(),
        base_url: format!("http://{}", service.address).parse().expect("an address"),
        credential: Credential::Aws(credentials(token)),
        headers: vec![header("x-amzn-bedrock-trace", "ENABLED"), header("x-of-a-proxy", "any")],
        quirks: Quirks::default(),
        apis: vec![Api::Bedrock],
        passthrough: vec!["/*".to_owned()],
        site: Site::default(),
    };
    Upstream::new(vec![settings], &[CONNECT]).expect("an upstream")
}

fn outbound(model: &str, body: &'static str, stream: bool) -> Outbound {
    Outbound {
        provider: 0,
        model: model.into(),
        api: Api::Bedrock,
        body: Bytes::from_static(body.as_bytes()),
        stream,
        listed: false,
        headers: Vec::new(),
        connect: CONNECT,
    }
}

/// A request as it came: its path, its headers and its body.
fn received(request: &str) -> (Uri, HeaderMap, &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a path");
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value")))
        .collect();
    let host = headers[HOST].to_str().expect("a host");
    (format!("http://{host}{path}").parse().expect("an address"), headers, body)
}

#[tokio::test]
async fn what_is_signed_is_what_comes_over_the_wire() {
    let mut signatures = BTreeSet::new();
    let cases = [
        ("amazon.nova-pro-v1:0", r#"{"a":1}"#, false, "/model/amazon.nova-pro-v1%3A0/converse"),
        ("amazon.nova-pro-v1:0", r#"{"a":2}"#, false, "/model/amazon.nova-pro-v1%3A0/converse"),
        ("amazon.nova-pro-v1:0", r#"{"a":1}"#, true, "/model/amazon.nova-pro-v1%3A0/converse-stream"),
        (
            ARN,
            r#"{"a":1}"#,
            true,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A123456789012%3Ainference-profile%2Feu.meta.llama4-v1%3A0/converse-stream",
        ),
        ("a b+c~\u{e9}", "{}", false, "/model/a%20b%2Bc~%C3%A9/converse"),
    ];
    let tokens = [None, Some(TOKEN)];
    for (token, (model, body, stream, path)) in tokens.iter().flat_map(|token| cases.map(|case| (*token, case))) {
        let service = Service::new(&[ok("{}")]).await;
        let upstream = upstream(&service, token);
        let answer = upstream.exchange(outbound(model, body, stream), AT).await.expect("a reply");
        assert_eq!((answer.status, answer.key), (StatusCode::OK, Some(Key(0))));

        let request = service.requests().remove(0);
        let (uri, mut headers, came) = received(&request);
        assert_eq!((uri.path(), came), (path, body), "{model}");
        assert_eq!(headers["x-amz-date"], "20260102T030405Z");
        let streamed = "application/vnd.amazon.eventstream";
        assert_eq!(headers[ACCEPT], if stream { streamed } else { "application/json" });
        assert_eq!(headers.get("x-amz-security-token").map(HeaderValue::as_bytes), token.map(str::as_bytes));
        let said = headers[AUTHORIZATION].to_str().expect("a signature").to_owned();
        let with_token = if token.is_some() { ";x-amz-security-token" } else { "" };
        let signed = format!("SignedHeaders=content-type;host;x-amz-date{with_token};x-amzn-bedrock-trace,");
        assert!(said.contains(&signed) && said.contains("/20260102/eu-west-3/bedrock/aws4_request"), "{said}");
        assert!(!request.contains("wJalrXUtnFEMI"), "the key itself is never sent");

        let signer = Signer::new(credentials(token)).expect("sound credentials");
        signer.sign(&Method::POST, &uri, &mut headers, came.as_bytes(), AT).expect("signed");
        assert_eq!(headers[AUTHORIZATION], said, "{model}");
        signatures.insert(said);
    }
    assert_eq!(signatures.len(), 2 * cases.len(), "another path, body or token is another signature");
}

#[tokio::test]
async fn each_request_is_signed_at_its_own_time() {
    let service = Service::new(&[ok("{}"), ok("{}")]).await;
    let upstream = upstream(&service, None);
    for at in [AT, AT + Duration::from_secs(1)] {
        let answer = upstream.exchange(outbound("m", "{}", false), at).await.expect("a reply");
        answer.body.collect().await.expect("its body");
    }
    let dates = service.requests().iter().map(|request| received(request).1["x-amz-date"].clone()).collect::<Vec<_>>();
    assert_eq!(dates, ["20260102T030405Z", "20260102T030406Z"]);
}

#[tokio::test]
async fn nothing_is_handed_through_without_a_signature() {
    let service = Service::new(&[ok("{}")]).await;
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let passing = Passing {
        provider: 0,
        method: Method::POST,
        path: Path::Below("/model/m/invoke".into()),
        headers: HeaderMap::new(),
        body,
    };
    let passed = upstream(&service, None).pass(passing).await;
    assert!(matches!(passed, Err(Failure::Internal(_))), "{passed:?}");
    assert!(service.requests().is_empty());
}
