//! Keys of clouds: those that sign requests to Amazon, and files by which Google is asked for tokens.

use super::fields::{Fields, place, plain, take_first, take_text, variable};
use super::secret::Secret;
use crate::finding::Findings;
use serde_json::Value;

/// A key that signs. It has no `Debug`.
#[derive(Clone, PartialEq)]
pub(super) struct Signing {
    id: Secret,
    secret: Secret,
    token: Option<Secret>,
}

/// Keys of an entry, and what we call them.
const PARTS: [(&str, &str); 3] = [
    ("aws_access_key_id", "access_key_id"),
    ("aws_secret_access_key", "secret_access_key"),
    ("aws_session_token", "session_token"),
];

impl Signing {
    /// Takes it out of `params`; `keyed` says that there is an api_key, which goes first.
    pub(super) fn take(params: &mut Fields, at: &str, keyed: bool, findings: &mut Findings) -> Option<Self> {
        let parts = PARTS.map(|(key, _)| part(params, at, key, findings));
        let there = PARTS.iter().zip(&parts).filter(|(_, part)| part.is_some()).map(|((key, _), _)| place(at, key));
        if keyed {
            there.for_each(|from| findings.approximate(&from, "", "the api_key goes first, and is sent instead"));
            return None;
        }
        if parts[0].is_none() || parts[1].is_none() {
            let why = "a key that signs has an access_key_id and a secret_access_key: give both";
            there.for_each(|from| findings.manual(&from, why));
            return None;
        }
        let [id, secret, token] = parts;
        Some(Self { id: Secret::new(id?), secret: Secret::new(secret?), token: token.map(Secret::new) })
    }

    /// Its parts as the provider `name` has them; `roled` says that a role or a profile stands beside.
    pub(super) fn told(
        signing: Option<&Self>,
        at: &str,
        name: &str,
        stem: &str,
        roled: bool,
        findings: &mut Findings,
    ) -> [Option<String>; 3] {
        let Some(Self { id, secret, token }) = signing else { return [None, None, None] };
        let note = if roled { "it signs by itself, without the role or profile beside it" } else { "" };
        let mut told = |(theirs, ours): (&str, &str), part: &Secret| {
            let variable = format!("{stem}_{}", ours.to_ascii_uppercase());
            part.told(&place(at, theirs), &format!("providers.{name}.{ours}"), &variable, note, findings)
        };
        let [first, second, third] = PARTS;
        [Some(told(first, id)), Some(told(second, secret)), token.as_ref().map(|token| told(third, token))]
    }
}

/// One part; an empty one is none, here as there.
fn part(params: &mut Fields, at: &str, key: &str, findings: &mut Findings) -> Option<String> {
    let part = take_text(params, at, key, findings)?;
    if part.is_empty() {
        findings.exact(&place(at, key), "");
    }
    Some(part).filter(|part| !part.is_empty())
}

/// Takes what Google's tokens are asked for with, where it is the path of a file. Its text may be a secret, and is not
/// handed on.
pub(super) fn credentials_file(
    params: &mut Fields,
    at: &str,
    findings: &mut Findings,
) -> Option<(&'static str, String)> {
    let keys = ["vertex_credentials", "vertex_ai_credentials"];
    let (key, value) = take_first(params, at, &keys, findings, |value| Some(value.clone()))?;
    match value {
        Value::String(path) if variable(&path).is_some() || is_path(&path) => Some((key, plain(&path))),
        _ => {
            let why =
                "it is no path: keep the text of the credential file in a file, and give its path as `credentials`";
            findings.manual(&place(at, key), why);
            None
        }
    }
}

/// Whether a text is the path of a file, and surely neither JSON nor a key.
fn is_path(text: &str) -> bool {
    let plain = text.len() < 1024 && !text.contains(['{', '"', '\n']);
    plain && (text.starts_with(['/', '.']) || text.ends_with(".json"))
}
