//! Keys of Amazon's, by which requests to Bedrock are signed: from the file, or from where Amazon's own tools keep them.
//!
//! The file goes before the environment, and in the environment a bearer token before a key that signs, as in Amazon's
//! own clients. Must never be here: how a request is signed.

use super::cloud::BEDROCK;
use super::keys::has_key;
use crate::fault::At;
use crate::file;
use crate::lenient::Lenient;
use crate::reader::Reader;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use upstream::{AwsCredentials, Credential, Preset, Scheme};

/// The parts of a key: what each is called in the file, and the variable that Amazon's own tools keep it in.
const ID: (&str, &str) = ("access_key_id", "AWS_ACCESS_KEY_ID");
const SECRET: (&str, &str) = ("secret_access_key", "AWS_SECRET_ACCESS_KEY");
const TOKEN: (&str, &str) = ("session_token", "AWS_SESSION_TOKEN");
/// Headers that a signature consists of.
const MADE: [HeaderName; 3] = [
    http::header::AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
];
/// Variables by which a cluster or a machine lends its workloads a role, and which nothing here follows.
const ROLES: [&str; 4] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_PROFILE",
];

/// What the file says of a key that signs, and around it.
pub(crate) struct Said<'a> {
    pub(crate) access_key_id: Lenient<file::Secret>,
    pub(crate) secret_access_key: Lenient<file::Secret>,
    pub(crate) session_token: Lenient<file::Secret>,
    /// Whether it gives keys that are sent as they are.
    pub(crate) sent: bool,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) place: Place<'a>,
}

/// For where requests are signed.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Of the file, or of a variable.
    pub(crate) region: Option<&'a str>,
    /// Whether the file says where the API lives, so that no address was made of the region.
    pub(crate) own_address: bool,
}

/// How requests of the provider at `at` are signed; `None` where they are not. After a fault it is no key at all.
pub(crate) fn credential(reader: &mut Reader<'_>, at: &At, preset: &Preset, said: Said<'_>) -> Option<Credential> {
    let Said { access_key_id, secret_access_key, session_token, sent, headers, place } = said;
    let parts = [(ID.0, access_key_id), (SECRET.0, secret_access_key), (TOKEN.0, session_token)];
    let given: Vec<_> = parts.iter().filter(|(_, part)| !part.is_absent()).map(|(key, _)| at.key(key)).collect();
    let Some(first) = given.first() else {
        let elsewhere = preset.kind != BEDROCK || sent || has_key(headers, Scheme::Bearer);
        return if elsewhere { None } else { from_variables(reader, at, place) };
    };
    if preset.kind != BEDROCK {
        for at in &given {
            reader.fault(at, format!("means nothing but to kind {BEDROCK}"));
        }
        return None;
    }
    if sent {
        reader.fault(first, "stands beside api_key or keys; give one of them");
    }
    for (name, _) in headers.iter().filter(|(name, _)| MADE.contains(name)) {
        let at = at.key("headers").key(name.as_str());
        reader.fault(&at, "is made from the provider's key; give one of the two");
    }
    let parts = parts.map(|(key, part)| {
        let at = at.key(key);
        let part = if key == TOKEN.0 { part } else { reader.required(&at, part) };
        let part = reader.secret(&at, part)?;
        sound(part).map_err(|why| reader.fault(&at, why)).ok()
    });
    Some(signing(reader, at, parts, place))
}

/// A key of the environment; `None` where it has one that is sent.
fn from_variables(reader: &mut Reader<'_>, at: &At, place: Place<'_>) -> Option<Credential> {
    const BEARER: &str = "AWS_BEARER_TOKEN_BEDROCK";
    if reader.variable(BEARER).is_some() {
        return None;
    }
    let [id, secret, token] = [ID, SECRET, TOKEN].map(|(_, name)| reader.variable(name));
    let key_at = at.key("api_key");
    if id.is_none() && secret.is_none() {
        let lent = ROLES.into_iter().find(|name| reader.variable(name).is_some());
        let lent = lent.map(|name| format!("; roles, as {name} lends one, are not taken")).unwrap_or_default();
        let why = format!(
            "is missing; set it, or {} and {}, or the variable {BEARER}, or {} and {}{lent}",
            ID.0, SECRET.0, ID.1, SECRET.1,
        );
        reader.fault(&key_at, why);
        return Some(Credential::default());
    }
    let parts = [(ID, id), (SECRET, secret), (TOKEN, token)].map(|((key, name), value)| {
        let at = at.key(key);
        match value.map(|value| sound(value.into())) {
            Some(Ok(part)) => return Some(part),
            Some(Err(why)) => reader.fault(&at, format!("the variable {name} {why}")),
            None if key != TOKEN.0 => {
                reader.fault(&at, format!("is missing; set the variable {name} beside the other"));
            }
            None => {}
        }
        None
    });
    Some(signing(reader, at, parts, place))
}

/// A part that can stand in a request: no line end that it was pasted with, no blank.
fn sound(part: SecretString) -> Result<SecretString, &'static str> {
    let sound = part.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(part) } else { Err("holds blanks, or what is no printable ASCII") }
}

fn signing(
    reader: &mut Reader<'_>,
    at: &At,
    [id, secret, token]: [Option<SecretString>; 3],
    place: Place<'_>,
) -> Credential {
    let Place { region, own_address } = place;
    // Where the address is made of it, its absence is told there.
    if region.is_none() && own_address {
        reader.fault(&at.key("region"), "is missing: signatures name it; set it, or the variable AWS_REGION");
    }
    let (Some(id), Some(secret), Some(region)) = (id, secret, region) else { return Credential::default() };
    let credentials = AwsCredentials {
        access_key_id: id.expose_secret().into(),
        secret_access_key: secret,
        session_token: token,
        region: region.into(),
    };
    built(reader, at, credentials)
}

#[cfg(feature = "aws")]
fn built(_: &mut Reader<'_>, _: &At, credentials: AwsCredentials) -> Credential {
    Credential::Aws(credentials)
}

#[cfg(not(feature = "aws"))]
fn built(reader: &mut Reader<'_>, at: &At, _: AwsCredentials) -> Credential {
    reader.fault(&at.key(ID.0), "cannot sign: this program was built without the feature `aws`; use api_key");
    Credential::default()
}
