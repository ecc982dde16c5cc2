//! Access tokens of Google's: who asks for them, how, and for how long one is used.
//!
//! Wire facts: Google's documents on OAuth 2.0 for server-to-server applications and on access tokens of its metadata
//! server; RFC 7523 for the assertion, RFC 6749 for answers.
//! Must never be here: what the tokens are used for.

mod account;
mod answer;
mod assertion;
mod source;
mod tokens;

pub use account::{GoogleAccount, ServiceAccount, UserAccount};
pub(crate) use source::TokenSource;
