//! Why the HTTP stack gave up, in our words.

use crate::names::NoAddress;
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
    if find::<NoAddress>(error).is_some() {
        return Reach::Dns;
    }
    let mut kinds = sources(error).filter_map(|cause| cause.downcast_ref()).map(io::Error::kind);
    match kinds.find(|kind| *kind != io::ErrorKind::Other) {
        Some(io::ErrorKind::ConnectionRefused) => Reach::Refused,
        Some(io::ErrorKind::TimedOut) => Reach::Timeout,
        // A peer that speaks no TLS closes the connection in the middle of the handshake.
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => Reach::Tls,
        _ => Reach::Other,
    }
}

/// The first cause of a type, `error` itself included.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    sources(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// `error` and its causes. `io::Error` hides what it wraps from `source`, and the TLS connector wraps one in another.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| match cause.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => (*cause).source(),
    })
}
