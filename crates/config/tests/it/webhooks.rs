//! `contract.webhook`: what it comes to, every fault in it, and that nothing secret in it is shown.

use crate::{VARIABLES, accepted, env, lines, read};
use config::{AnswerPolicy, Format, contract, defaults};
use contracts::Check;
use std::time::Duration;

/// The webhook of a route as one line, header values left out: no test of this file may print what is not to be seen.
fn shown(answers: &AnswerPolicy) -> String {
    let policy = answers.contract.policy();
    assert_eq!(policy.webhook.is_some(), answers.webhook.is_some(), "whoever judges knows whether somebody is asked");
    assert_eq!(policy.require.contains(&Check::Webhook), answers.webhook.is_some());
    let (Some(webhook), Some(settings)) = (policy.webhook, &answers.webhook) else { return "none".to_owned() };
    let headers: Vec<&str> = settings.headers.iter().map(|(name, _)| name.as_str()).collect();
    format!("{} {:?} {} {headers:?}", settings.url, settings.timeout, if webhook.fail_open { "open" } else { "closed" })
}

#[test]
fn a_routes_webhook_replaces_that_of_the_defaults_whole() {
    let settings = accepted(
        "defaults:
  contract: { webhook: { url: 'https://a.test/judge?of=all', timeout: 500ms, on_failure: pass, headers: { X-Key: k } } }
routes:
  a: { targets: [p/m] }
  b: { targets: [p/m], contract: { max_chars: 9 } }
  c: { targets: [p/m], contract: { webhook: { url: 'http://localhost:9' } } }
  d: { targets: [p/m], contract: { require: [complete, webhook] } }",
    );
    let inherited = "https://a.test/judge?of=all 500ms open [\"x-key\"]";
    let own = format!("http://localhost:9/ {:?} closed []", defaults::WEBHOOK_TIMEOUT);
    let all: Vec<String> = settings.contracts.iter().map(shown).collect();
    assert_eq!(all, [inherited, inherited, &own, inherited, inherited], "routes a to d, and direct calls");
    assert_eq!(accepted("direct: true").contracts.iter().map(shown).collect::<Vec<_>>(), ["none", "none"]);
}

#[test]
fn header_values_are_secrets_from_wherever_secrets_come() {
    let webhook =
        "webhook: { url: 'https://a.test', headers: { authorization: 'Bearer ${SECRET}', x-key: { env: SHORT } } }";
    let settings = accepted(&format!("routes: {{ r: {{ targets: [p/m], contract: {{ {webhook} }} }} }}"));
    let webhook = settings.contracts[0].webhook.clone().expect("there");
    let values: Vec<&[u8]> = webhook.headers.iter().map(|(_, value)| value.as_bytes()).collect();
    assert_eq!(values, [&b"Bearer resolved-secret-1"[..], b"abc"]);
    assert!(webhook.headers.iter().all(|(_, value)| value.is_sensitive()));
}

#[test]
fn every_fault_is_told_with_its_place() {
    const TIMEOUT: &[&str] = &["webhook.timeout: must be from 10ms to 120s"];
    for (webhook, expected) in [
        ("{}", &["webhook.url: is missing"][..]),
        ("7", &["webhook: expected a mapping"]),
        ("{ url: 7 }", &["webhook.url: expected text"]),
        ("{ url: 'https://x.test', uri: x }", &["webhook.uri: unknown key (did you mean `url`?)"]),
        ("{ timeout: 0s }", &["webhook.timeout: must be more than 0", "webhook.url: is missing"]),
        ("{ url: 'https://x.test', timeout: 9ms }", TIMEOUT),
        ("{ url: 'https://x.test', timeout: 121s }", TIMEOUT),
        ("{ url: 'https://x.test', timeout: 10ms }", &[]),
        ("{ url: 'https://x.test', timeout: 2m }", &[]),
        ("{ url: 'https://x.test', timeout: 2 }", &["webhook.timeout: expected a duration"]),
        ("{ url: 'https://x.test', on_failure: open }", &["webhook.on_failure: unknown outcome `open`"]),
        ("{ url: 'ftp://hidden.test' }", &["webhook.url: must begin with http:// or https://"]),
        ("{ url: hidden.test/judge }", &["webhook.url: is no URL"]),
        ("{ url: 'https://' }", &["webhook.url: is no URL"]),
        ("{ url: 'https://:443/hidden' }", &["webhook.url: must name a host"]),
        ("{ url: 'https://x.test/#hidden' }", &["webhook.url: must have no fragment"]),
        ("{ url: 'https://me:hidden@x.test' }", &["webhook.url: must hold no user or password; use `headers`"]),
        ("{ url: 'https://${SECRET}@x.test' }", &["webhook.url: must hold no user or password; use `headers`"]),
        ("{ url: 'https://${SECRET} x' }", &["webhook.url: is no URL"]),
        ("{ url: 'https://${UNSET}' }", &["webhook.url: the variable UNSET is not set"]),
        (
            "{ url: 'https://x.test', headers: { a: '${UNSET}', b: { env: NEWLINE }, 'c d': hidden, e: 7, f: { env: EMPTY } } }",
            &[
                "webhook.headers.a: the variable UNSET is not set",
                "webhook.headers.b: holds characters that no HTTP header can carry",
                "webhook.headers[\"c d\"]: is no header name",
                "webhook.headers.e: expected text, {env: NAME} or {file: PATH}",
                "webhook.headers.f: is empty",
            ],
        ),
        (
            "{ url: 'https://x.test', headers: { Host: hidden, content-type: hidden, Proxy-Authorization: hidden, A: x, a: y } }",
            &[
                "webhook.headers.Host: belongs to the transport",
                "webhook.headers.content-type: belongs to the transport",
                "webhook.headers.Proxy-Authorization: belongs to the transport",
                "webhook.headers.a: is given twice",
            ],
        ),
        ("{ url: 'https://x.test', headers: [hidden] }", &["webhook.headers: expected a mapping"]),
    ] {
        let yaml = format!("webhook: {webhook}");
        let alone = contract(&yaml, Format::Yaml, &env(VARIABLES)).err().unwrap_or_default();
        let route = read(&format!("routes: {{ r: {{ targets: [p/m], contract: {{ {yaml} }} }} }}"));
        for (faults, prefix) in [(alone, ""), (route.err().unwrap_or_default(), "routes.r.contract.")] {
            let told = lines(&faults);
            assert_eq!(told.len(), expected.len(), "{yaml}: {told:?}");
            for words in expected {
                let line = format!("{prefix}{words}");
                assert!(told.iter().any(|told| told.starts_with(&line)), "{yaml}: {line}: {told:?}");
            }
            assert!(!told.iter().any(|told| told.contains("hidden") || told.contains("resolved")), "{told:?}");
        }
    }
    for yaml in ["require: [webhook]", "{ require: [complete, webhook], max_chars: 9 }"] {
        let told = lines(&contract(yaml, Format::Yaml, &env(VARIABLES)).err().unwrap_or_default());
        assert_eq!(told, ["require: `webhook` does nothing without `webhook`"]);
    }
}

#[test]
fn what_others_can_read_on_the_way_is_worth_a_warning() {
    const WARNING: &str = "requests and answers travel unencrypted over http:// to another host";
    for (url, warned) in [
        ("https://a.test", false),
        ("http://127.0.0.1:9", false),
        ("http://[::1]:9", false),
        ("http://localhost", false),
        ("http://a.test", true),
    ] {
        let yaml = format!("routes: {{ r: {{ targets: [p/m], contract: {{ webhook: {{ url: '{url}' }} }} }} }}");
        let warning = format!("routes.r.contract.webhook.url: {WARNING}");
        assert_eq!(lines(&accepted(&yaml).warnings).contains(&warning), warned, "{url}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let webhook =
        "{ url: 'https://a.test/hidden?key=${SECRET}', timeout: 3s, headers: { authorization: '${SECRET}' } }";
    let settings = accepted(&format!("defaults: {{ contract: {{ webhook: {webhook} }} }}"));
    assert_eq!(settings.contracts[0].webhook.as_ref().map(|webhook| webhook.timeout), Some(Duration::from_secs(3)));
    let printed = format!("{settings:?}");
    assert!(printed.contains("a.test") && !printed.contains("hidden") && !printed.contains("resolved"), "{printed}");
}
