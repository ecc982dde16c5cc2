//! `callers`: who may call, with which key, where and how much.

use super::name;
use crate::fault::{At, did_you_mean, quote};
use crate::file;
use crate::lenient::Lenient;
use crate::reader::Reader;
use admission::CallerSettings;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The label of calls without a caller.
const RESERVED: &str = "anonymous";

/// The shortest key, in characters.
const SHORTEST_KEY: usize = 8;

/// Where names and keys were first seen. Keys live here only while the file is judged.
#[derive(Default)]
struct Seen {
    names: BTreeMap<String, String>,
    keys: Vec<(SecretString, String)>,
}

pub(crate) fn all(
    reader: &mut Reader<'_>,
    at: &At,
    callers: file::List<crate::lenient::Section<file::Caller>>,
    routes: &BTreeSet<String>,
) -> Vec<CallerSettings> {
    let mut seen = Seen::default();
    let entries = reader.list(at, callers).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(at, section)| {
            let file = reader.section(&at, section);
            caller(reader, &at, file, routes, &mut seen)
        })
        .collect()
}

fn caller(
    reader: &mut Reader<'_>,
    at: &At,
    file: file::Caller,
    routes: &BTreeSet<String>,
    seen: &mut Seen,
) -> Option<CallerSettings> {
    let name = caller_name(reader, &at.key("name"), file.name, seen);
    let key = key(reader, &at.key("key"), file.key, seen);
    let routes = allowed(reader, &at.key("routes"), file.routes, routes);
    let limits_at = at.key("limits");
    let limits = reader.block(&limits_at, file.limits);
    let rpm = reader.count(&limits_at.key("rpm"), limits.rpm);
    let concurrency = reader.count(&limits_at.key("concurrency"), limits.concurrency);
    Some(CallerSettings { name: name?, key: key?, routes, rpm, concurrency })
}

fn caller_name(reader: &mut Reader<'_>, at: &At, name: file::Text, seen: &mut Seen) -> Option<Arc<str>> {
    let name = reader.required(at, name);
    let words = reader.text(at, name)?;
    let written = quote(&words.written);
    if words.value == RESERVED {
        reader.fault(at, format!("{written} is reserved for calls without a caller"));
        return None;
    }
    if let Err(why) = name::check(&words.value) {
        reader.fault(at, format!("{written} {why}"));
        return None;
    }
    if let Some(first) = seen.names.get(&words.value) {
        reader.fault(at, format!("{written} is the name at {first} already"));
        return None;
    }
    seen.names.insert(words.value.clone(), at.as_str().to_owned());
    Some(words.value.into())
}

fn key(reader: &mut Reader<'_>, at: &At, key: Lenient<file::Secret>, seen: &mut Seen) -> Option<SecretString> {
    let key = reader.required(at, key);
    let key = reader.presented(at, key)?;
    let text = key.expose_secret();
    if text.chars().count() < SHORTEST_KEY {
        reader.fault(at, format!("is too short: a key has at least {SHORTEST_KEY} characters"));
        return None;
    }
    if let Some((_, first)) = seen.keys.iter().find(|(known, _)| known.expose_secret() == text) {
        reader.fault(at, format!("is the key at {first} already"));
        return None;
    }
    seen.keys.push((key.clone(), at.as_str().to_owned()));
    Some(key)
}

fn allowed(
    reader: &mut Reader<'_>,
    at: &At,
    routes: file::List<String>,
    known: &BTreeSet<String>,
) -> Option<Vec<Arc<str>>> {
    let routes = reader.filled(at, routes, "is empty, so nothing could be called; leave it out to allow every route");
    let entries = reader.list(at, routes)?;
    let mut allowed = Vec::new();
    for (at, written) in entries {
        let Some(words) = reader.words(&at, written) else { continue };
        if known.contains(&words.value) {
            allowed.push(words.value.into());
        } else {
            let guess = did_you_mean(&words.written, known.iter().map(String::as_str));
            reader.fault(&at, format!("no route is named {}{guess}", quote(&words.written)));
        }
    }
    Some(allowed)
}
