//! Somebody outside who is asked for an opinion: a real one here, a script in tests.
//!
//! Must never be here: what is asked, what a reply means, what becomes of silence.

use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

/// A question under way. Dropped, it ends the exchange.
pub type Asking = Pin<Box<dyn Future<Output = Result<Bytes, Silence>> + Send>>;

/// Somebody outside who is asked for an opinion.
pub trait Adviser: fmt::Debug + Send + Sync {
    /// Asks; resolves by then, and sooner where this adviser may not take as long. What comes is the body of a reply that
    /// says to be one.
    fn ask(&self, question: Bytes, by: Instant) -> Asking;
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// None came in time.
    #[error("no reply came in time")]
    Timeout,
    /// No connection came about.
    #[error("it cannot be reached")]
    Unreachable,
    /// The connection broke off before the reply was whole, or something else than HTTP came.
    #[error("its reply broke off, or was no HTTP")]
    Broken,
    /// It replied with a status other than 2xx.
    #[error("it replied with status {0}")]
    Status(u16),
    /// Its reply is longer than one may be.
    #[error("its reply was too long")]
    TooLarge,
}
