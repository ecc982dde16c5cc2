//! Tokens of a token server on the loopback.

use super::*;
use crate::connect::{connector, tls};
use crate::google::account::tests::service;
use crate::google::assertion::tests::verified;
use crate::names::Names;
use crate::webhook::tests::service::{Reply, Service, ok};
use std::net::SocketAddr;
use tokio::time::Instant as Clock;

/// Long enough for anything that comes at all.
const LONG: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

fn source(account: GoogleAccount) -> TokenSource {
    TokenSource::new(account, &connector(tls().expect("TLS"), &Names::of_the_system(), LONG))
}

/// The account of a machine whose metadata server lives there.
fn machine(address: SocketAddr) -> GoogleAccount {
    GoogleAccount::of_the_machine(&address.to_string()).expect("a host")
}

/// The account of a person whose tokens are asked for at `tokens`.
fn person(tokens: &str) -> GoogleAccount {
    let fields = r#""type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r""#;
    GoogleAccount::read(&format!(r#"{{{fields},"token_uri":"{tokens}"}}"#)).expect("an account")
}

fn token(value: &str) -> String {
    format!(r#"{{"access_token":"{value}","expires_in":3600}}"#)
}

/// What the metadata server says.
fn flavored(body: &str) -> Reply {
    Reply::Kept(format!("HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

fn why(result: Result<HeaderValue, Failure>) -> String {
    let Err(Failure::NoToken(why)) = result else { panic!("{result:?}") };
    why.into()
}

#[tokio::test]
async fn a_service_account_shows_an_assertion_that_its_key_has_signed() {
    let server = Service::new(&[ok(&token("t1"))]).await;
    let (account, public) = service(&format!("http://{}/token", server.address));
    assert_eq!(source(account).token(LONG).await.expect("a token"), "Bearer t1");
    let requests = server.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /token HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let (_, assertion) = body.split_once("&assertion=").expect("an assertion");
    let (_, claims) = verified(assertion, &public);
    assert_eq!(claims["aud"], format!("http://{}/token", server.address));
    let (issued, now) = (claims["iat"].as_u64().expect("a time"), wall_clock().as_secs());
    assert!((now - 60..now).contains(&issued), "{issued} at {now}");
}

#[tokio::test]
async fn the_metadata_server_is_told_that_no_browser_asks_and_has_to_show_itself() {
    let server = Service::new(&[flavored(&token("m1")), ok(&token("of somebody else"))]).await;
    assert_eq!(source(machine(server.address)).token(LONG).await.expect("a token"), "Bearer m1");
    assert!(server.requests()[0].contains("metadata-flavor: Google\r\n"), "{:?}", server.requests());
    let refused = source(machine(server.address)).token(LONG).await;
    assert_eq!(why(refused), "the token server is no metadata server of Google's");
}

#[tokio::test]
async fn what_a_person_asks_for_says_whom_it_is_billed_to() {
    let file = |project: &str| {
        format!(r#"{{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"{project}}}"#)
    };
    for (project, said, billed) in [
        (r#","quota_project_id":"q""#, None, Some("q")),
        (r#","quota_project_id":"q""#, Some("own"), Some("own")),
        ("", None, None),
    ] {
        let source = source(GoogleAccount::read(&file(project)).expect("an account"));
        source.0.settle(Ok((HeaderValue::from_static("Bearer u1"), LONG)), now());
        let said = said.map(|own| (BILLED, HeaderValue::from_static(own)));
        let mut headers = HeaderMap::from_iter(said);
        source.present(&mut headers, Duration::ZERO).await.expect("a token");
        assert_eq!(headers["authorization"], "Bearer u1");
        assert_eq!(headers.get(BILLED).map(|value| value.to_str().expect("text")), billed);
    }
}

#[tokio::test]
async fn one_asks_for_all_and_none_asks_while_a_token_is_good() {
    let server = Service::new(&[flavored(&token("m1")), flavored(&token("m2"))]).await;
    let source = source(machine(server.address));
    let all = [(); 50].map(|()| {
        let source = source.clone();
        tokio::spawn(async move { source.token(LONG).await })
    });
    for one in all {
        assert_eq!(one.await.expect("no panic").expect("a token"), "Bearer m1");
    }
    assert_eq!(server.requests().len(), 1);
    let mut sent = HeaderMap::new();
    source.present(&mut sent, LONG).await.expect("a token");
    assert!(source.distrust(&sent));
    assert_eq!(source.token(LONG).await.expect("a token"), "Bearer m2");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_token_that_is_due_is_used_while_the_next_one_is_asked_for() {
    let server = Service::new(&[Reply::Hung(String::new())]).await;
    let source = source(machine(server.address));
    let old = HeaderValue::from_static("Bearer old");
    source.0.settle(Ok((old.clone(), 120 * SECOND)), now() - 60 * SECOND);
    for _ in 0..3 {
        assert_eq!(source.token(Duration::ZERO).await, Ok(old.clone()));
    }
    server.asked().await;
    assert_eq!(source.token(Duration::ZERO).await, Ok(old), "a server that hangs hurts nobody");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_next_token_is_there_before_the_last_one_ends() {
    let server = Service::new(&[flavored(&token("new"))]).await;
    let source = source(machine(server.address));
    let old = HeaderValue::from_static("Bearer old");
    source.0.settle(Ok((old.clone(), 120 * SECOND)), now() - 60 * SECOND);
    assert_eq!(source.token(Duration::ZERO).await, Ok(old));
    let over = source.0.state().asking().cloned();
    if let Some(mut over) = over {
        assert!(over.changed().await.is_err(), "nothing is ever sent there");
    }
    assert_eq!(source.token(Duration::ZERO).await.expect("a token"), "Bearer new");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_they_may_and_no_request_is_waited_for_without_end() {
    let server = Service::new(&[Reply::Hung(String::new())]).await;
    let source = source(machine(server.address));
    let began = Clock::now();
    assert_eq!(why(source.token(2 * SECOND).await), "the token server did not answer in time");
    assert!((2 * SECOND..3 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(source.0.state().asking().is_some(), "who left leaves the others their token");
    assert_eq!(why(source.token(LONG).await), "the token server did not answer in time");
    assert!((PATIENCE..PATIENCE + SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(source.0.state().asking().is_none());
    let began = Clock::now();
    assert_eq!(why(source.token(LONG).await), "the token server did not answer in time");
    assert!(began.elapsed() < SECOND, "it is not asked again at once");
}

#[tokio::test]
async fn a_failure_says_why_and_is_not_repeated_at_once() {
    let no = r#"{"error":"invalid_grant","error_description":"canary"}"#;
    let refusal = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{no}", no.len());
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /token\r\ncontent-length: 0\r\n\r\n".to_owned();
    let of = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let most = format!("{}{}", token("t"), " ".repeat(MAX_ANSWER - token("t").len()));
    for (reply, expected) in [
        (Reply::Kept(refusal), Err("answered 400 (invalid_grant)")),
        (Reply::Kept(redirect), Err("answered 302")),
        (ok("<html>canary</html>"), Err("sent something that is no token")),
        (Reply::Closed("canary".into()), Err("sent something that is not HTTP")),
        (Reply::Closed(of(9)), Err("broke off")),
        (Reply::Closed(String::new()), Err("closed the connection before answering")),
        (ok(&most), Ok("Bearer t")),
        (ok(&(most.clone() + " ")), Err("said too much")),
    ] {
        let server = Service::new(&[reply]).await;
        let source = source(person(&format!("http://{}/token", server.address)));
        let first = source.token(LONG).await;
        match expected {
            Ok(value) => assert_eq!(first.expect("a token"), value),
            Err(expected) => {
                assert_eq!(why(first), format!("the token server {expected}"));
                source.0.state().tokens.refused("still so".into(), now() + LONG);
                assert_eq!(why(source.token(LONG).await), "still so");
            }
        }
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_token() {
    let source = source(machine(SocketAddr::from(([127, 0, 0, 1], 1))));
    assert_eq!(why(source.token(LONG).await), "the token server refused the connection");
}
