//! Addresses outside, as URLs.
//!
//! Errors complete "`key` ...". They never quote the text: it may hold a password where none belongs.

use http::Uri;
use std::net::IpAddr;

/// An http or https URL with a host, and without a fragment.
pub(crate) fn outside(text: &str) -> Result<Uri, &'static str> {
    // The parser drops a fragment without a word.
    if text.contains('#') {
        return Err("must have no fragment (`#...`)");
    }
    let uri: Uri = text.parse().map_err(|_| "is no URL such as https://api.example.com/v1")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must begin with http:// or https://");
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("must name a host");
    }
    Ok(uri)
}

/// Whether it holds a user, or a password.
pub(crate) fn names_a_user(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
}

/// Whether others on the way can read what goes there.
pub(crate) fn is_overheard(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback)
}

/// Whether only this machine is reached there.
pub(crate) fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    literal.parse().map_or_else(
        |_| host == "localhost" || host.ends_with(".localhost"),
        |address: IpAddr| address.to_canonical().is_loopback(),
    )
}
