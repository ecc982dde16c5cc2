//! Headers that the file adds to requests: names that may be set, values that are secrets.

use crate::fault::At;
use crate::file;
use crate::lenient::Lenient;
use crate::reader::Reader;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};

/// Headers that belong to the transport: a value from the file would break the message.
const TRANSPORT_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads the headers at `at`. No value is ever printed.
pub(crate) fn headers(
    reader: &mut Reader<'_>,
    at: &At,
    headers: Lenient<BTreeMap<String, Lenient<file::Secret>>>,
) -> Vec<(HeaderName, HeaderValue)> {
    let written = reader.value(at, headers).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut built = Vec::new();
    for (name, value) in written {
        let at = at.key(&name);
        let value = reader.secret(&at, value);
        match header_name(&name) {
            Ok(name) if !seen.insert(name.to_string()) => reader.fault(&at, "is given twice"),
            Ok(name) => built.extend(value.and_then(|value| header_value(reader, &at, &value)).map(|v| (name, v))),
            Err(why) => reader.fault(&at, why),
        }
    }
    built
}

fn header_name(name: &str) -> Result<HeaderName, &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "is no header name")?;
    let transport = TRANSPORT_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("proxy-");
    if transport { Err("belongs to the transport and cannot be set") } else { Ok(name) }
}

fn header_value(reader: &mut Reader<'_>, at: &At, value: &SecretString) -> Option<HeaderValue> {
    match HeaderValue::from_str(value.expose_secret()) {
        Ok(mut value) => {
            // Keeps the value out of every Debug output and out of HPACK tables.
            value.set_sensitive(true);
            Some(value)
        }
        Err(_) => {
            reader.fault(at, "holds characters that no HTTP header can carry");
            None
        }
    }
}
