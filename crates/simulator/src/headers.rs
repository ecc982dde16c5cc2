//! Response headers that a behaviour names.
//!
//! Receives names and values from JSON or Rust; hands them on checked, and puts them on responses. Never here: which
//! headers a response has of its own.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Reads an object of headers. Framing headers are refused: they would contradict what hyper writes and break the
/// server, not the answer.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let headers = BTreeMap::<String, String>::deserialize(deserializer)?;
    for (name, value) in &headers {
        let known = HeaderName::try_from(name).ok().filter(|_| HeaderValue::from_str(value).is_ok());
        match known {
            None => return Err(D::Error::custom(format_args!("`{name}: {value}` is no header"))),
            Some(name) if name == "content-length" || name == "transfer-encoding" => {
                return Err(D::Error::custom(format_args!("`{name}` cannot be chosen")));
            }
            Some(_) => {}
        }
    }
    Ok(headers)
}

/// Puts `named` on, in the place of those of the same name. Behaviours from JSON were checked; those built in Rust
/// lose what is no header.
pub(crate) fn put(headers: &mut HeaderMap, named: &BTreeMap<String, String>) {
    for (name, value) in named {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}
