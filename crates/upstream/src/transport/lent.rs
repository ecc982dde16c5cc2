//! Requests that show a token: where there is none, and where it is not accepted.

use super::*;
use crate::credential::Credential;
use crate::google::GoogleAccount;
use crate::webhook::tests::service::{Reply, Service, ok};
use http_body_util::Empty;

const CONNECT: Duration = Duration::from_secs(10);

/// A metadata server that has these tokens, one after the other.
async fn tokens(values: &[&str]) -> Service {
    let token = |value: &&str| {
        let body = format!(r#"{{"access_token":"{value}","expires_in":3600}}"#);
        let head = "HTTP/1.1 200 OK\r\nmetadata-flavor: Google\r\n";
        Reply::Kept(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
    };
    Service::new(&values.iter().map(token).collect::<Vec<_>>()).await
}

/// What does not accept a token.
fn no() -> Reply {
    Reply::Kept("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}".into())
}

/// One whose one provider lives at `provider`, with the tokens of `tokens`.
fn upstream(provider: &Service, tokens: &Service) -> Upstream {
    let account = GoogleAccount::of_the_machine(&tokens.address.to_string()).expect("a host");
    let settings = ProviderSettings {
        name: "p".into(),
        base_url: format!("http://{}", provider.address).parse().expect("an address"),
        credential: Credential::Google(account),
        headers: Vec::new(),
        quirks: Quirks::default(),
        apis: vec![Api::Shared(Dialect::Gemini)],
        passthrough: vec!["/*".to_owned()],
        site: Site::Vertex,
    };
    Upstream::new(vec![settings], &[CONNECT]).expect("an upstream")
}

async fn send(upstream: &Upstream) -> Result<u16, Failure> {
    let outbound = Outbound {
        provider: 0,
        model: "m".into(),
        api: Api::Shared(Dialect::Gemini),
        body: Bytes::from_static(b"{}"),
        stream: false,
        listed: false,
        headers: Vec::new(),
        connect: CONNECT,
    };
    Ok(upstream.send(outbound).await?.status.as_u16())
}

async fn pass(upstream: &Upstream) -> Result<u16, Failure> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let passing = Passing {
        provider: 0,
        method: Method::GET,
        path: Path::Below("/operations/1".into()),
        headers: HeaderMap::new(),
        body,
    };
    Ok(upstream.pass(passing).await?.status.as_u16())
}

/// The tokens that requests showed, in order.
fn shown(provider: &Service) -> Vec<String> {
    let of_one = |request: &String| {
        let line = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
        line.unwrap_or_default().to_owned()
    };
    provider.requests().iter().map(of_one).collect()
}

#[tokio::test]
async fn all_that_is_sent_and_handed_through_shows_the_same_token() {
    let (provider, tokens) = (Service::new(&[ok("{}"), ok("{}"), ok("{}")]).await, tokens(&["a"]).await);
    let upstream = upstream(&provider, &tokens);
    assert_eq!((send(&upstream).await, pass(&upstream).await, send(&upstream).await), (Ok(200), Ok(200), Ok(200)));
    assert_eq!(shown(&provider), ["a", "a", "a"]);
    assert_eq!(tokens.requests().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_turned_down_is_replaced_and_the_request_sent_once_more() {
    let (provider, tokens) = (Service::new(&[no(), ok("{}"), no(), ok("{}")]).await, tokens(&["a", "b"]).await);
    let upstream = upstream(&provider, &tokens);
    assert_eq!(send(&upstream).await, Ok(200));
    assert_eq!(send(&upstream).await, Ok(401), "the next one is believed in for a while");
    assert_eq!(send(&upstream).await, Ok(200));
    assert_eq!(shown(&provider), ["a", "b", "b", "b"]);
    let bodies = provider.requests();
    assert!(bodies.iter().all(|request| request.ends_with("\r\n\r\n{}")), "{bodies:?}");
    assert_eq!(tokens.requests().len(), 2);
}

#[tokio::test]
async fn whom_no_token_pleases_is_asked_twice_and_not_more() {
    let (provider, tokens) = (Service::new(&[no(), no()]).await, tokens(&["a", "b"]).await);
    assert_eq!(send(&upstream(&provider, &tokens)).await, Ok(401));
    assert_eq!(shown(&provider), ["a", "b"]);
}

#[tokio::test]
async fn where_no_better_token_is_to_be_had_the_refusal_stands() {
    let (provider, tokens) = (Service::new(&[no()]).await, tokens(&["a"]).await);
    assert_eq!(send(&upstream(&provider, &tokens)).await, Ok(401));
    assert_eq!((provider.requests().len(), tokens.requests().len()), (1, 2));
}

#[tokio::test]
async fn what_is_handed_through_is_sent_once_and_the_next_has_a_new_token() {
    let (provider, tokens) = (Service::new(&[no(), ok("{}")]).await, tokens(&["a", "b"]).await);
    let upstream = upstream(&provider, &tokens);
    assert_eq!((pass(&upstream).await, pass(&upstream).await), (Ok(401), Ok(200)));
    assert_eq!(shown(&provider), ["a", "b"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (provider, tokens) = (Service::new(&[]).await, tokens(&[]).await);
    let upstream = upstream(&provider, &tokens);
    for sent in [send(&upstream).await, pass(&upstream).await] {
        let why = "the token server closed the connection before answering";
        assert_eq!(sent, Err(Failure::NoToken(why.into())));
    }
    assert!(provider.requests().is_empty());
}
