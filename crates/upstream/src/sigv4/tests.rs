//! Signatures against those of botocore 1.44, Amazon's own client for Python: its `SigV4Auth` for service `bedrock`,
//! its clock held at `AT`, over an `AWSRequest` with the method, address, headers and body of each row.

use super::*;

/// 2026-01-02 03:04:05 UTC.
const AT: Duration = Duration::from_secs(1_767_323_045);
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLE/token+canary==";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const BARE: &str = "content-type;host;x-amz-date";

fn credentials(region: &str, token: Option<&str>) -> AwsCredentials {
    AwsCredentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+canary".into(),
        session_token: token.map(Into::into),
        region: region.into(),
    }
}

fn signer(region: &str, token: Option<&str>) -> Signer {
    Signer::new(credentials(region, token)).expect("sound credentials")
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value"))).collect()
}

struct Row<'a> {
    method: Method,
    region: &'a str,
    token: Option<&'a str>,
    uri: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a [u8],
    signed: &'a str,
    signature: &'a str,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self {
            method: Method::POST,
            region: "us-east-1",
            token: None,
            uri: "",
            headers: JSON,
            body: b"{}",
            signed: BARE,
            signature: "",
        }
    }
}

#[test]
fn signatures_are_those_of_amazons_own_client() {
    let large = vec![b'x'; 16 << 20];
    for row in [
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1%3A0/converse",
            body: br#"{"messages":[]}"#,
            signature: "3dd9c144e844f5d6e5495d057e959f3a493e625625ce3e3d6efbc58f32ffd2c4",
            ..Row::default()
        },
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1%3A0/converse",
            token: Some(TOKEN),
            body: br#"{"messages":[]}"#,
            signed: "content-type;host;x-amz-date;x-amz-security-token",
            signature: "653cc6eab8e1adabba220b0a0723c1dd517ffaae8b5f4cbc2ab9fd5d4d1ce4cb",
            ..Row::default()
        },
        // Not escaped on the wire, it is escaped once where it is signed.
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1:0/converse",
            body: br#"{"messages":[]}"#,
            signature: "2852783ffb015252f8e1e6ae1497ade3d29a8011a684cdd1657fbf1b610c99ba",
            ..Row::default()
        },
        // An ARN for a model, and text beyond ASCII.
        Row {
            region: "eu-west-3",
            token: Some(TOKEN),
            uri: "https://bedrock-runtime.eu-west-3.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A123456789012\
                  %3Ainference-profile%2Feu.meta.llama4-v1%3A0/converse-stream",
            body: "{\"\u{e9}\":1}".as_bytes(),
            signed: "content-type;host;x-amz-date;x-amz-security-token",
            signature: "5c438a73d989ac383813001eb1ba2ba98cc3c11ec0d27db560f543713d2fe6cf",
            ..Row::default()
        },
        // Nothing in it, at a port of its own.
        Row {
            uri: "https://127.0.0.1:8443/model/m/converse",
            headers: &[],
            body: b"",
            signed: "host;x-amz-date",
            signature: "059772e1e50c8c5a3c7a6e502693d544f4987185e4155c7b840bee7e9cce199c",
            ..Row::default()
        },
        // As much as a client may send.
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke",
            body: &large,
            signature: "97e003458d47214cd408b2cf32d62e5b31f7ff7ea1155a7eef8ae0e68ae987ca",
            ..Row::default()
        },
        // Blanks count once in what is signed.
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke",
            headers: &[("content-type", "application/json"), ("x-amzn-bedrock-trace", "  ENABLED  FULL ")],
            signed: "content-type;host;x-amz-date;x-amzn-bedrock-trace",
            signature: "03618ee79ed0c3fdb2796a285c0ead88d210fc5b2ea386577d13beff7c53606a",
            ..Row::default()
        },
        Row {
            uri: "https://bedrock-runtime.us-east-1.amazonaws.com/a//b/./model/m~n*(1)+@!'$,;=&/invoke",
            signature: "2ce6b20991ce8b16b0c2d2681f8201948be2907f3d11a82aa73bfafd981ea04e",
            ..Row::default()
        },
        Row {
            method: Method::GET,
            region: "us-gov-west-1",
            uri: "https://bedrock.us-gov-west-1.amazonaws.com/foundation-models?byProvider=a%20b&Amount=1",
            headers: &[],
            body: b"",
            signed: "host;x-amz-date",
            signature: "b9cca78e9b880925d50e69c9bbba56f6e1f0d3e73ab6c203d9bed93e9111a243",
            ..Row::default()
        },
    ] {
        let mut made = headers(row.headers);
        let uri: Uri = row.uri.parse().expect("an address");
        let signed = signer(row.region, row.token).sign(&row.method, &uri, &mut made, row.body, AT);
        assert_eq!(signed, Ok(()), "{uri}");
        let Row { region, signed, signature, .. } = row;
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/{region}/bedrock/aws4_request, SignedHeaders={signed}, \
             Signature={signature}"
        );
        assert_eq!(made[AUTHORIZATION], expected, "{uri}");
        assert_eq!(made["x-amz-date"], "20260102T030405Z");
        assert_eq!(made.get("x-amz-security-token").map(HeaderValue::as_bytes), row.token.map(str::as_bytes));
        assert!(!made.contains_key("x-amz-content-sha256"));
    }
}

const PLACE: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse";

/// What a request with `list` as its headers is signed with.
fn signed(list: &[(&'static str, &str)], uri: &str, token: Option<&str>) -> Result<HeaderMap, Failure> {
    let mut made = headers(list);
    let uri = uri.parse().expect("an address");
    signer("us-east-1", token).sign(&Method::POST, &uri, &mut made, b"{}", AT)?;
    Ok(made)
}

#[test]
fn what_proxies_may_touch_and_earlier_signatures_do_not_count() {
    let plain = signed(JSON, PLACE, None).expect("signed");
    let list = [
        JSON,
        &[
            ("accept", "application/vnd.amazon.eventstream"),
            ("authorization", "Bearer of-another"),
            ("traceparent", "00-1-2-00"),
            ("user-agent", "one/1"),
            ("x-amz-content-sha256", "of another body"),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-security-token", "of-another"),
            ("x-amzn-trace-id", "Root=1"),
        ],
    ];
    let again = signed(&list.concat(), PLACE, None).expect("signed");
    assert_eq!(again[AUTHORIZATION], plain[AUTHORIZATION]);
    assert_eq!(again["x-amz-date"], plain["x-amz-date"]);
    assert!(!again.contains_key("x-amz-security-token") && !again.contains_key("x-amz-content-sha256"));
    assert_eq!(again["accept"], "application/vnd.amazon.eventstream");
}

#[test]
fn the_host_is_the_one_that_the_request_names() {
    let plain = signed(JSON, PLACE, None).expect("signed");
    let host = |host| [JSON, &[("host", host)]].concat();
    for (list, uri, same) in [
        (host("bedrock-runtime.us-east-1.amazonaws.com"), PLACE, true),
        (host("bedrock-runtime.us-east-1.amazonaws.com"), "/model/m/converse", true),
        (host("bedrock-runtime.us-east-1.amazonaws.com:443"), PLACE, false),
        (host("elsewhere.test"), PLACE, false),
    ] {
        let made = signed(&list, uri, None).expect("signed");
        assert_eq!(made[AUTHORIZATION] == plain[AUTHORIZATION], same, "{list:?}");
    }
}

#[test]
fn what_cannot_be_signed_is_our_fault_and_no_panic() {
    let unsigned = signed(JSON, "/model/m/converse", None);
    assert!(matches!(unsigned, Err(Failure::Internal(_))), "{unsigned:?}");
    for (name, fails) in [("x-amzn-bedrock-trace", true), ("x-other", false)] {
        let mut made = HeaderMap::new();
        made.insert(name, HeaderValue::from_bytes(b"\xe9").expect("a value"));
        let uri = Uri::from_static(PLACE);
        let done = signer("us-east-1", None).sign(&Method::POST, &uri, &mut made, b"", AT);
        assert_eq!(matches!(done, Err(Failure::Internal(_))), fails, "{name}");
    }
}

#[test]
fn the_last_date_is_signed_and_none_beyond_it() {
    for (at, date) in [(LAST, Some("99991231T235959Z")), (LAST + Duration::from_secs(1), None), (Duration::MAX, None)] {
        let mut made = headers(JSON);
        let done = signer("us-east-1", None).sign(&Method::POST, &Uri::from_static(PLACE), &mut made, b"{}", at);
        assert_eq!(done.is_ok(), date.is_some(), "{at:?}");
        assert_eq!(made.get("x-amz-date").map(HeaderValue::as_bytes), date.map(str::as_bytes));
    }
}

#[test]
fn secrets_never_print() {
    let made = signed(JSON, PLACE, Some(TOKEN)).expect("signed");
    assert!(made[AUTHORIZATION].is_sensitive() && made["x-amz-security-token"].is_sensitive());
    for printed in [
        format!("{made:?}"),
        format!("{:?}", credentials("us-east-1", Some(TOKEN))),
        format!("{:?}", signer("us-east-1", Some(TOKEN))),
    ] {
        assert!(!printed.contains("canary") && !printed.contains("Signature="), "{printed}");
    }
}

#[test]
fn credentials_that_amazon_would_refuse_are_none() {
    let with = |change: fn(&mut AwsCredentials)| {
        let mut changed = credentials("us-east-1", Some(TOKEN));
        change(&mut changed);
        Signer::new(changed).is_some()
    };
    assert!(with(|_| ()) && with(|it| it.session_token = None));
    assert!(!with(|it| it.access_key_id = "".into()));
    assert!(!with(|it| it.access_key_id = "line\nbreak".into()));
    assert!(!with(|it| it.secret_access_key = "".into()));
    assert!(!with(|it| it.secret_access_key = "with its line's end\n".into()));
    assert!(!with(|it| it.session_token = Some("".into())));
    assert!(!with(|it| it.session_token = Some("\u{e9}".into())));
    assert!(!with(|it| it.region = "us east".into()));
}
