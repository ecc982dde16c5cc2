//! How targets are, as the gateway of the same configuration tells it: `GET /api/targets` on its admin listener.
//!
//! Hands on what it said, or why nothing is known. Must never be here: words about targets, a failure of the command.

use crate::http_client::HttpClient;
use anyhow::Result;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// How long a gateway may take to say how its targets are.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest answer read, in bytes: several thousand targets.
const MAX_ANSWER: usize = 4 << 20;

/// What is known of targets.
pub(super) enum Live {
    /// What the gateway on this address said, by target.
    Told(SocketAddr, HashMap<String, Target>),
    /// Why nothing is known.
    Unknown(String),
}

/// One target, as `/api/targets` shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Target {
    pub(super) target: String,
    pub(super) state: String,
    pub(super) why: Option<String>,
    pub(super) until: Option<String>,
    pub(super) for_ms: Option<u64>,
    pub(super) share: f64,
    pub(super) slots: Slots,
    pub(super) under_way: u32,
    pub(super) quota_low_for_ms: Option<u64>,
    pub(super) keys_rest_for_ms: Option<u64>,
    pub(super) declined_prefill: bool,
}

/// Calls that wait for their first content.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slots {
    pub(super) in_use: u32,
    pub(super) limit: u32,
    pub(super) waiting: u32,
}

#[derive(Deserialize)]
struct Answer {
    targets: Vec<Target>,
}

/// Asks the admin listener on `admin`.
pub(super) async fn ask(admin: SocketAddr, token: Option<&SecretString>) -> Live {
    let at = reachable(admin);
    match timeout(PATIENCE, exchange(at, token)).await {
        Ok(Ok((status, body))) => understood(at, status, body.as_deref()),
        Ok(Err(_)) | Err(_) => Live::Unknown(format!("no gateway answers on {at}: states are not shown")),
    }
}

async fn exchange(at: SocketAddr, token: Option<&SecretString>) -> Result<(StatusCode, Option<Bytes>)> {
    let mut request = Request::get(format!("http://{at}/api/targets")).body(Full::default())?;
    if let Some(token) = token {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    HttpClient::new().exchange(request, MAX_ANSWER).await
}

/// A listener on every address is on the loopback too.
fn reachable(admin: SocketAddr) -> SocketAddr {
    let ip = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, admin.port())
}

/// What an answer amounts to.
pub(super) fn understood(at: SocketAddr, status: StatusCode, body: Option<&[u8]>) -> Live {
    if status == StatusCode::UNAUTHORIZED {
        return Live::Unknown(format!("the gateway on {at} asks for another admin token: states are not shown"));
    }
    let answer = body.filter(|_| status.is_success()).and_then(|body| serde_json::from_slice::<Answer>(body).ok());
    match answer {
        Some(Answer { targets }) => {
            Live::Told(at, targets.into_iter().map(|target| (target.target.clone(), target)).collect())
        }
        None => Live::Unknown(format!("what answers on {at} shows no targets ({status}): states are not shown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nobody_listens_nothing_is_known_and_nothing_fails() {
        // Bound and closed again: nobody listens there.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let Live::Unknown(why) = ask(gone, None).await else { panic!("nobody answered") };
        assert_eq!(why, format!("no gateway answers on {gone}: states are not shown"));
    }

    #[test]
    fn what_answers_may_be_something_else() {
        let at = SocketAddr::from(([127, 0, 0, 1], 8081));
        for (status, body, expected) in [
            (401, "{}", "the gateway on 127.0.0.1:8081 asks for another admin token: states are not shown"),
            (404, "", "what answers on 127.0.0.1:8081 shows no targets (404 Not Found): states are not shown"),
            (200, "<html>", "what answers on 127.0.0.1:8081 shows no targets (200 OK): states are not shown"),
        ] {
            let told = understood(at, StatusCode::from_u16(status).unwrap(), Some(body.as_bytes()));
            assert!(matches!(&told, Live::Unknown(why) if why == expected), "{status} {body}");
        }
        assert!(matches!(understood(at, StatusCode::OK, None), Live::Unknown(_)));
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_the_loopback() {
        for (admin, expected) in
            [("0.0.0.0:81", "127.0.0.1:81"), ("[::]:81", "[::1]:81"), ("10.0.0.1:81", "10.0.0.1:81")]
        {
            assert_eq!(reachable(admin.parse().unwrap()), expected.parse().unwrap(), "{admin}");
        }
    }
}
