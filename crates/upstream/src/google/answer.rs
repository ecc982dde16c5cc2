//! What a token server says: a token and for how long it is good, or why there is none. Pure.

use super::account::{FLAVOR, GOOGLE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use std::time::Duration;

/// How long a token is taken to be good that does not say, in seconds.
const UNSAID: u64 = 300;
/// The longest that a token is taken to be good, whatever it says, in seconds.
const LONGEST: u64 = 12 * 3600;
/// The longest code of a refusal that is repeated.
const LONGEST_CODE: usize = 40;

/// A token as it stands in the `authorization` header, marked so that it does not print; and for how long it is good.
pub(super) type Granted = (HeaderValue, Duration);

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Reads an answer; `flavored` where it has to be the metadata server's own.
///
/// # Errors
/// Why there is no token, to complete "the token server ...". Nothing of what came is in it but the code of a refusal.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], flavored: bool) -> Result<Granted, String> {
    const UNREADABLE: &str = "sent something that is no token";
    if !status.is_success() {
        return Err(format!("answered {}{}", status.as_u16(), code(body)));
    }
    if flavored && headers.get(FLAVOR) != Some(&GOOGLE) {
        return Err("is no metadata server of Google's".to_owned());
    }
    let Grant { access_token, expires_in } = serde_json::from_slice(body).map_err(|_| UNREADABLE)?;
    if access_token.is_empty() {
        return Err(UNREADABLE.to_owned());
    }
    let life = expires_in.unwrap_or(UNSAID).min(LONGEST);
    if life == 0 {
        return Err("sent a token that has ended".to_owned());
    }
    let mut value = HeaderValue::try_from(format!("Bearer {access_token}")).map_err(|_| UNREADABLE)?;
    value.set_sensitive(true);
    Ok((value, Duration::from_secs(life)))
}

/// The code of a refusal (RFC 6749, section 5.2), in brackets; nothing where it is none.
fn code(body: &[u8]) -> String {
    let code = serde_json::from_slice(body).map(|Refusal { error }| error).unwrap_or_default();
    let is_plain = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_plain && (1..=LONGEST_CODE).contains(&code.len()) { format!(" ({code})") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_or_why_there_is_none() {
        const NO_TOKEN: &str = "sent something that is no token";
        let flavor = HeaderMap::from_iter([(FLAVOR, GOOGLE)]);
        let long = |length| format!(r#"{{"error":"{}"}}"#, "x".repeat(length));
        let (longest, longer) = (long(LONGEST_CODE), long(LONGEST_CODE + 1));
        let told = format!("answered 400 ({})", "x".repeat(LONGEST_CODE));
        for (status, body, flavored, expected) in [
            (200, r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#, false, Ok(3599)),
            (200, r#"{"access_token":"t"}"#, true, Ok(UNSAID)),
            (200, r#"{"access_token":"t","expires_in":999999999}"#, false, Ok(LONGEST)),
            (200, r#"{"access_token":"t","expires_in":0}"#, false, Err("sent a token that has ended")),
            (200, r#"{"access_token":"t","expires_in":-1}"#, false, Err(NO_TOKEN)),
            (200, r#"{"access_token":""}"#, false, Err(NO_TOKEN)),
            (200, r#"{"access_token":"a\nb"}"#, false, Err(NO_TOKEN)),
            (200, r#"{"id_token":"canary"}"#, false, Err(NO_TOKEN)),
            (200, "<html>canary", false, Err(NO_TOKEN)),
            (302, r#"{"access_token":"t"}"#, false, Err("answered 302")),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"canary"}"#,
                false,
                Err("answered 400 (invalid_grant)"),
            ),
            (400, longest.as_str(), false, Err(&*told)),
            (400, longer.as_str(), false, Err("answered 400")),
            (403, r#"{"error":"A canary!"}"#, false, Err("answered 403")),
            (403, r#"{"error":{"code":403,"message":"canary"}}"#, false, Err("answered 403")),
            (404, "canary", true, Err("answered 404")),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let headers = if flavored { flavor.clone() } else { HeaderMap::new() };
            let read = read(status, &headers, body.as_bytes(), flavored);
            let read = read.as_ref().map(|(_, life)| life.as_secs()).map_err(String::as_str);
            assert_eq!(read, expected, "{body}");
        }
    }

    #[test]
    fn what_has_not_googles_flavor_is_no_metadata_server() {
        for headers in [HeaderMap::new(), HeaderMap::from_iter([(FLAVOR, HeaderValue::from_static("other"))])] {
            let read = read(StatusCode::OK, &headers, br#"{"access_token":"t"}"#, true);
            assert_eq!(read.err().as_deref(), Some("is no metadata server of Google's"));
        }
    }

    #[test]
    fn tokens_do_not_print() {
        let body = br#"{"access_token":"canary"}"#;
        let (value, _) = read(StatusCode::OK, &HeaderMap::new(), body, false).expect("a token");
        assert_eq!(value, "Bearer canary");
        assert!(!format!("{value:?}").contains("canary"));
    }
}
