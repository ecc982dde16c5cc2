//! Why the HTTP stack gave up, in our words.

use llm::{Failure, Reach};
use std::error::Error;
use std::io;

/// The connect timeout passed. Travels inside the connector's error.
#[derive(Debug, thiserror::Error)]
#[error("connect timeout")]
pub(crate) struct ConnectTimeout;

/// The cause of a request that got no response head.
pub(crate) fn of_request(error: &hyper_util::client::legacy::Error) -> Failure {
    if error.is_connect() { Failure::Unreachable(of_connect(error)) } else { of_exchange(error) }
}

/// The cause of a response body that broke off.
pub(crate) fn of_body(error: &hyper::Error) -> Failure {
    match of_exchange(error) {
        Failure::ConnectionLost => Failure::Cut,
        other => other,
    }
}

fn of_exchange(error: &(dyn Error + 'static)) -> Failure {
    match find::<hyper::Error>(error) {
        Some(e) if e.is_parse_too_large() => Failure::HeadTooLarge,
        Some(e) if e.is_parse() => Failure::BadHttp,
        _ => Failure::ConnectionLost,
    }
}

fn of_connect(error: &(dyn Error + 'static)) -> Reach {
    if find::<ConnectTimeout>(error).is_some() {
        return Reach::Timeout;
    }
    if find::<rustls::Error>(error).is_some() {
        return Reach::Tls;
    }
    if sources(error).any(|cause| cause.to_string().contains("dns error")) {
        return Reach::Dns;
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Reach::Refused,
        Some(io::ErrorKind::TimedOut) => Reach::Timeout,
        // A peer that speaks no TLS closes the connection in the middle of the handshake.
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => Reach::Tls,
        _ => Reach::Other,
    }
}

/// The first cause of a type, `error` itself included. `io::Error` hides what it wraps from `source`.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    sources(error).find_map(|cause| {
        cause.downcast_ref::<E>().or_else(|| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<E>())
    })
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}
