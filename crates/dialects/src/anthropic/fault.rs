//! What is wrong with a client's request, in Anthropic's words: the field, and why.
//!
//! Must never be here: how an error reaches the client.

use llm::CallError;
use std::fmt::Display;

/// A request whose `field` is at fault.
pub(super) fn fault(field: impl Display, why: &str) -> CallError {
    // A place is written without brackets then.
    let field = format!("{field:#}");
    CallError::InvalidRequest { message: format!("{field}: {why}"), param: Some(field) }
}

/// A body that is no request at all.
pub(super) fn unreadable(why: &str) -> CallError {
    CallError::InvalidRequest { message: format!("The request body {why}."), param: None }
}
