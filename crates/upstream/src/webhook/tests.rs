//! Webhooks against services on the loopback.

pub(crate) mod service;

use super::*;
use crate::connect::tls;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Uri};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::{RootCertStore, ServerConfig};
use service::{Reply, Service, ok};
use std::net::SocketAddr;
use tokio::time::Instant as Clock;
use tokio_rustls::TlsAcceptor;

/// Long enough for anything that comes at all.
const LONG: Duration = Duration::from_secs(30);

/// Webhooks whose host names all stand for the loopback.
fn webhooks(tls: ClientConfig) -> Webhooks {
    Webhooks::new(tls, &Names::by(|_| Box::pin(async { Ok([SocketAddr::from(([127, 0, 0, 1], 0))].into()) })))
}

fn settings(url: &str, timeout: Duration) -> WebhookSettings {
    WebhookSettings { url: url.parse().expect("a URL"), headers: Vec::new(), timeout }
}

fn webhook(address: SocketAddr, timeout: Duration) -> Arc<Webhook> {
    webhooks(tls().expect("TLS")).known(&settings(&format!("http://{address}/judge"), timeout))
}

async fn ask(webhook: &Webhook) -> Result<Bytes, Silence> {
    webhook.ask(Bytes::from_static(b"{}"), Instant::now() + LONG).await
}

fn said(body: &str) -> Result<Bytes, Silence> {
    Ok(Bytes::copy_from_slice(body.as_bytes()))
}

fn status(line: &str, more: &str) -> Reply {
    Reply::Kept(format!("HTTP/1.1 {line}\r\n{more}content-length: 2\r\n\r\n{{}}"))
}

#[tokio::test]
async fn a_reply_is_a_whole_2xx_within_bounds() {
    let of = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let most = "x".repeat(MAX_REPLY);
    for (what, reply, expected) in [
        ("200", ok("{\"verdict\":true}"), said("{\"verdict\":true}")),
        ("201", status("201 Created", ""), said("{}")),
        ("204", Reply::Kept("HTTP/1.1 204 No Content\r\n\r\n".into()), said("")),
        ("without a length", Reply::Closed("HTTP/1.0 200 OK\r\n\r\n{}".into()), said("{}")),
        ("as long as may be", ok(&most), said(&most)),
        ("a byte longer", ok(&format!("{most}x")), Err(Silence::TooLarge)),
        ("10 MB", ok(&"x".repeat(10_000_000)), Err(Silence::TooLarge)),
        ("10 MB in chunks", Reply::Closed(chunked.clone() + &chunk.repeat(160)), Err(Silence::TooLarge)),
        ("a redirect", status("302 Found", "location: /elsewhere\r\n"), Err(Silence::Status(302))),
        ("another", status("307 Temporary Redirect", "location: /elsewhere\r\n"), Err(Silence::Status(307))),
        ("400", status("400 Bad Request", ""), Err(Silence::Status(400))),
        ("401", status("401 Unauthorized", "www-authenticate: Basic\r\n"), Err(Silence::Status(401))),
        ("429", status("429 Too Many Requests", "retry-after: 0\r\n"), Err(Silence::Status(429))),
        ("500", status("500 Internal Server Error", ""), Err(Silence::Status(500))),
        ("503, of 10 MB", Reply::Kept(of(10_000_000).replace("200", "503")), Err(Silence::Status(503))),
        ("nothing", Reply::Closed(String::new()), Err(Silence::Broken)),
        ("half a head", Reply::Closed("HTTP/1.1 200 OK\r\ncont".into()), Err(Silence::Broken)),
        ("a cut body", Reply::Closed(of(100) + "{\"verdict\":"), Err(Silence::Broken)),
        ("a cut chunk", Reply::Closed(chunked + "5\r\n{}"), Err(Silence::Broken)),
        ("garbage", Reply::Closed("220 mail.example ESMTP\r\n\r\n".into()), Err(Silence::Broken)),
        ("a head too long", Reply::Closed(format!("HTTP/1.1 200 OK\r\nx: {most}{most}\r\n\r\n")), Err(Silence::Broken)),
    ] {
        let service = Service::new(&[reply]).await;
        assert_eq!(ask(&webhook(service.address, LONG)).await, expected, "{what}");
        assert_eq!(service.requests().len(), 1, "{what}: asked once");
    }
}

#[tokio::test]
async fn a_question_says_what_it_is_and_carries_the_headers_of_the_configuration() {
    let service = Service::new(&[ok("{}")]).await;
    let mut settings = settings(&format!("http://{}/judge?of=chat", service.address), LONG);
    settings.headers = vec![(AUTHORIZATION, HeaderValue::from_static("Bearer t"))];
    let webhook = webhooks(tls().expect("TLS")).known(&settings);
    webhook.ask(Bytes::from_static(b"{\"event\":\"answer\"}"), Instant::now() + LONG).await.expect("a reply");
    let request = service.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!((lines.remove(0), body), ("POST /judge?of=chat HTTP/1.1", "{\"event\":\"answer\"}"));
    lines.sort_unstable();
    let host = format!("host: {}", service.address);
    let agent = concat!("user-agent: breakwater/", env!("CARGO_PKG_VERSION"));
    let (accept, kind) = ("accept: application/json", "content-type: application/json");
    assert_eq!(lines, [accept, "authorization: Bearer t", "content-length: 18", kind, &host, agent]);
}

#[tokio::test]
async fn a_connection_is_kept_and_a_closed_one_is_replaced() {
    let (service, other) =
        (Service::new(&[ok("1"), ok("2"), closing("3"), ok("4")]).await, Service::new(&[ok("")]).await);
    let webhook = webhook(service.address, LONG);
    for reply in ["1", "2", "3"] {
        assert_eq!(ask(&webhook).await, said(reply));
    }
    assert_eq!(service.connections(), 1);
    service.over().await;
    // Whoever has heard of this exchange has heard that the other connection is closed.
    ask(&self::webhook(other.address, LONG)).await.expect("a reply");
    assert_eq!(ask(&webhook).await, said("4"));
    assert_eq!((service.connections(), service.requests().len()), (2, 4));
}

fn closing(body: &str) -> Reply {
    Reply::Closed(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

#[tokio::test]
async fn a_question_that_was_sent_is_not_asked_again() {
    for before in [&[][..], &[ok("1")]] {
        let script = [before, &[Reply::Closed(String::new()), ok("too late")]].concat();
        let service = Service::new(&script).await;
        let webhook = webhook(service.address, LONG);
        for _ in before {
            ask(&webhook).await.expect("a reply");
        }
        assert_eq!(ask(&webhook).await, Err(Silence::Broken));
        assert_eq!((service.connections(), service.requests().len()), (1, before.len() + 1));
    }
}

#[tokio::test]
async fn who_hangs_is_left_in_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    for reply in ["", "HTTP/1.1 200", head, &format!("{head}{{\"verdict\":true}}")] {
        let service = Service::new(&[Reply::Hung(reply.into())]).await;
        assert_eq!(ask(&webhook(service.address, Duration::from_millis(100))).await, Err(Silence::Timeout), "{reply}");
        service.over().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_takes_no_longer_than_it_and_its_webhook_may() {
    for (timeout, by, expected) in [(500, 1000, 500), (1000, 300, 300), (1000, 0, 0)] {
        let names = Names::by(|_| Box::pin(std::future::pending()));
        let settings = settings("http://hung.test/", Duration::from_millis(timeout));
        let webhook = Webhooks::new(tls().expect("TLS"), &names).known(&settings);
        let began = Clock::now();
        let asking = webhook.ask(Bytes::new(), began.into_std() + Duration::from_millis(by));
        assert_eq!(asking.await, Err(Silence::Timeout), "{timeout} {by}");
        let took = began.elapsed().as_millis();
        assert!((expected..=expected + 2).contains(&took), "{timeout} {by}: {took} ms");
    }
}

#[tokio::test]
async fn a_question_that_is_dropped_ends_the_exchange() {
    let service = Service::new(&[Reply::Hung(String::new())]).await;
    let webhook = webhook(service.address, LONG);
    let asking = tokio::spawn(webhook.ask(Bytes::from_static(b"{}"), Instant::now() + LONG));
    service.asked().await;
    assert_eq!(webhook.places.available_permits(), AT_ONCE - 1);
    asking.abort();
    service.over().await;
    assert_eq!(webhook.places.available_permits(), AT_ONCE);
}

#[tokio::test]
async fn questions_at_one_time_are_bounded() {
    let service = Service::new(&[ok("{}")]).await;
    let webhook = webhook(service.address, LONG);
    let all = webhook.places.acquire_many(u32::try_from(AT_ONCE).expect("few")).await.expect("open");
    let waiting = webhook.ask(Bytes::new(), Instant::now() + Duration::from_millis(100));
    assert_eq!((waiting.await, service.connections()), (Err(Silence::Timeout), 0));
    drop(all);
    assert_eq!(ask(&webhook).await, said("{}"));
}

#[tokio::test]
async fn what_cannot_be_reached_says_so() {
    let closed = Service::new(&[]).await.address;
    let unknown = Names::by(|_| Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }));
    let mut nameless = Webhooks::new(tls().expect("TLS"), &unknown);
    assert_eq!(ask(&nameless.known(&settings("http://unknown.test/", LONG))).await, Err(Silence::Unreachable));
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    assert_eq!(ask(&webhook(free, LONG)).await, Err(Silence::Unreachable));
    // It speaks no TLS.
    let mut webhooks = webhooks(tls().expect("TLS"));
    assert_eq!(ask(&webhooks.known(&settings(&format!("https://{closed}/"), LONG))).await, Err(Silence::Unreachable));
}

/// An authority, what believes it alone, and what proves to be `hook.test`.
fn authority() -> (ClientConfig, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["hook.test".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().expect("a key"))
        .expect("a server");
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).expect("a root");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (client, TlsAcceptor::from(Arc::new(server)))
}

#[tokio::test]
async fn only_a_certificate_that_holds_gets_a_question() {
    let (believing, acceptor) = authority();
    let doubting = tls().expect("TLS");
    for (tls, name, expected) in [
        (&believing, "hook.test", said("{}")),
        (&believing, "other.test", Err(Silence::Unreachable)),
        (&doubting, "hook.test", Err(Silence::Unreachable)),
    ] {
        let service = Service::behind(&[ok("{}")], Some(acceptor.clone())).await;
        let url = format!("https://{name}:{}/", service.address.port());
        assert_eq!(ask(&webhooks(tls.clone()).known(&settings(&url, LONG))).await, expected, "{name}");
        assert_eq!(service.requests().len(), usize::from(expected.is_ok()), "{name}");
    }
}

#[test]
fn each_webhook_is_there_once() {
    let header = |value: &'static str| (HeaderName::from_static("x-a"), HeaderValue::from_static(value));
    let usual = WebhookSettings { headers: vec![header("1")], ..settings("http://a.test/x", LONG) };
    let mut webhooks = webhooks(tls().expect("TLS"));
    let first = webhooks.known(&usual);
    for (other, same) in [
        (usual.clone(), true),
        (WebhookSettings { url: Uri::from_static("http://A.test/x"), ..usual.clone() }, true),
        (WebhookSettings { url: Uri::from_static("http://a.test/y"), ..usual.clone() }, false),
        (WebhookSettings { headers: vec![header("2")], ..usual.clone() }, false),
        (WebhookSettings { timeout: LONG * 2, ..usual.clone() }, false),
    ] {
        assert_eq!(Arc::ptr_eq(&first, &webhooks.known(&other)), same, "{other:?}");
    }
    assert_eq!(webhooks.known.len(), 4);
}

#[test]
fn nothing_secret_is_printed() {
    let mut token = HeaderValue::from_static("hidden-token");
    token.set_sensitive(true);
    let mut settings = settings("https://hooks.test/hidden-path?key=hidden-key", LONG);
    settings.headers = vec![(AUTHORIZATION, token)];
    let webhook = webhooks(tls().expect("TLS")).of(&settings);
    let printed = format!("{settings:?} {webhook:?}");
    assert!(printed.contains("hooks.test") && !printed.contains("hidden"), "{printed}");
}
