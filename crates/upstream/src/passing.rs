//! Requests that are handed through unread: where they may go, and how they go out.
//!
//! Must never be here: who may ask.

use crate::connect::{TimedConnector, client};
use bytes::Bytes;
use dialects::gemini::live::Opened;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use hyper_util::client::legacy::Client;
use llm::Failure;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// A request body as it comes.
pub type PassingBody = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Connections for bodies that are not there as a whole.
pub(crate) type PassingPool = Client<TimedConnector, PassingBody>;

/// Where a request is handed through to.
#[derive(Debug)]
pub enum Path {
    /// Below the provider's base address: the path and the query.
    Below(String),
    /// Where it has Gemini's conversations in real time.
    Live(Opened),
}

/// A request that is handed through as it is.
#[derive(Debug)]
pub struct Passing {
    /// The provider, by its place in the configuration.
    pub provider: usize,
    /// The method.
    pub method: Method,
    /// Where.
    pub path: Path,
    /// The headers, the client's credentials and those of its connection left out.
    pub headers: HeaderMap,
    /// The body.
    pub body: PassingBody,
}

/// Both directions of a connection that speaks no HTTP any more.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// What came of asking a provider to switch protocols.
pub enum Switched {
    /// It did; its head says how, and the rest is no HTTP.
    To(HeaderMap, Box<dyn Duplex>),
    /// It answered something else.
    Refused(StatusCode),
}

/// A request to switch protocols under way. Dropped, it ends the exchange.
pub type Switching<'a> = Pin<Box<dyn Future<Output = Result<Switched, Failure>> + Send + 'a>>;

pub(crate) fn passing_pool(connector: TimedConnector, idle: usize) -> PassingPool {
    client(connector, idle)
}

/// Whether one of `patterns` lets `path` pass: the path itself, or everything below one that ends in `/*`.
///
/// A path that could be read as another one, by dots, doubled slashes or in escapes, never passes.
pub(crate) fn lets_pass(patterns: &[String], path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let twisted = ["/../", "/./", "//", "\\", "%2e", "%2f", "%5c", "%00"].iter().any(|part| lower.contains(part));
    if twisted || lower.ends_with("/..") || lower.ends_with("/.") || !path.starts_with('/') {
        return false;
    }
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(above) => path.starts_with(above),
        None => path == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_passes_and_only_as_it_is_written() {
        let patterns = ["/assistants".to_owned(), "/threads/*".to_owned()];
        for (path, passes) in [
            ("/assistants", true),
            ("/assistants/a", false),
            ("/threads/t/runs", true),
            ("/threads", false),
            ("/threads/../organization", false),
            ("/threads/./a", false),
            ("/threads/..", false),
            ("/threads/%2e%2E/organization", false),
            ("/threads/a%2Fb", false),
            ("/threads//a", false),
            ("/threads/\\a", false),
            ("threads/a", false),
            ("", false),
        ] {
            assert_eq!(lets_pass(&patterns, path), passes, "{path}");
        }
        assert!(lets_pass(&["/*".to_owned()], "/anything") && !lets_pass(&[], "/anything"));
    }
}
