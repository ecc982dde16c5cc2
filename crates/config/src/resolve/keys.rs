//! A provider's keys: from the file, or from where its vendor's users keep them.
//!
//! Must never be here: how a key is presented.

use crate::fault::At;
use crate::file;
use crate::lenient::Lenient;
use crate::reader::Reader;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use upstream::Scheme;

/// The keys of the provider at `at`. Where the file gives none, the one in the first of `variables` that is set: none of
/// these means that it needs none.
pub(crate) fn keys(
    reader: &mut Reader<'_>,
    at: &At,
    api_key: Lenient<file::Secret>,
    keys: file::List<file::Secret>,
    variables: &[&'static str],
) -> Vec<SecretString> {
    let (one_at, many_at) = (at.key("api_key"), at.key("keys"));
    match (api_key.is_absent(), keys.is_absent()) {
        (false, false) => reader.fault(&many_at, "stands beside api_key; give one of the two"),
        (true, true) => return key_from(reader, &one_at, variables),
        _ => {}
    }
    let keys = reader.filled(&many_at, keys, "is empty; give at least one key");
    let listed: Vec<_> = reader
        .list(&many_at, keys)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(at, secret)| reader.revealed(&at, secret).map(|key| (at, key)))
        .collect();
    let one = reader.secret(&one_at, api_key).map(|key| (one_at, key));
    one.into_iter()
        .chain(listed)
        .filter_map(|(at, key)| usable(key).map_err(|why| reader.fault(&at, why)).ok())
        .collect()
}

/// The key in the first of `variables` that is set.
fn key_from(reader: &mut Reader<'_>, at: &At, variables: &[&'static str]) -> Vec<SecretString> {
    let Some(first) = variables.first() else { return Vec::new() };
    let found = variables.iter().find_map(|name| reader.variable(name).map(|key| (name, usable(key.into()))));
    match found {
        Some((_, Ok(key))) => return vec![key],
        Some((name, Err(why))) => reader.fault(at, format!("the variable {name} {why}")),
        None => reader.fault(at, format!("is missing; set it, or the variable {first}")),
    }
    Vec::new()
}

/// A key that can stand in a header.
pub(crate) fn usable(key: SecretString) -> Result<SecretString, &'static str> {
    let sendable = HeaderValue::from_str(key.expose_secret()).is_ok();
    if sendable { Ok(key) } else { Err("holds characters that no HTTP header can carry") }
}

/// Whether `headers` present a key where `scheme` would.
pub(crate) fn has_key(headers: &[(HeaderName, HeaderValue)], scheme: Scheme) -> bool {
    headers.iter().any(|(name, _)| *name == scheme.header())
}
