//! What a service account shows for a token: a JWT that its key has signed (RFC 7523, RS256). Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use serde_json::{Value, json};
use std::time::Duration;

/// What the tokens are good for: all of Google's cloud that the account may use.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// For how long it may be shown: the most that Google takes.
const LIFE: Duration = Duration::from_secs(3600);
/// How far it is dated back: one from the future is not taken, and clocks differ.
const BACK: Duration = Duration::from_secs(10);

/// The assertion of `issuer` for the token server `audience`, made at `since_epoch`. `None` where `key` cannot sign it.
pub(super) fn assertion(
    key: &dyn SigningKey,
    key_id: Option<&str>,
    issuer: &str,
    audience: &str,
    since_epoch: Duration,
) -> Option<String> {
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let (Some(id), Some(header)) = (key_id, header.as_object_mut()) {
        header.insert("kid".to_owned(), id.into());
    }
    let issued = since_epoch.saturating_sub(BACK);
    let (issued, expires) = (issued.as_secs(), (issued + LIFE).as_secs());
    let claims = json!({ "iss": issuer, "scope": SCOPE, "aud": audience, "iat": issued, "exp": expires });
    let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?;
    let signature = signer.sign(signed.as_bytes()).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::google::account::tests::service;
    use rustls::crypto::aws_lc_rs::default_provider;

    /// Header and claims of `assertion`, after its signature was found to be by the key with this public half.
    pub(in crate::google) fn verified(assertion: &str, public: &[u8]) -> (Value, Value) {
        let (signed, signature) = assertion.rsplit_once('.').expect("a signature");
        let (header, claims) = signed.split_once('.').expect("two parts");
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
        let schemes = default_provider().signature_verification_algorithms.mapping;
        let rs256 = schemes.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256);
        let (_, algorithms) = rs256.expect("RS256");
        let sound = |signature: &[u8]| {
            algorithms.iter().any(|by| by.verify_signature(public, signed.as_bytes(), signature).is_ok())
        };
        let mut signature = decoded(signature);
        assert!(sound(&signature));
        signature[9] ^= 1;
        assert!(!sound(&signature), "a check that can fail");
        let read = |part| serde_json::from_slice(&decoded(part)).expect("JSON");
        (read(header), read(claims))
    }

    #[test]
    fn an_assertion_says_who_asks_whom_for_what_and_until_when() {
        let (account, public) = service("https://tokens.test/t");
        let request = account.request(Duration::from_secs(1_800_000_010)).expect("a request");
        let body = std::str::from_utf8(request.body()).expect("a form");
        let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
        let (header, claims) = verified(body.strip_prefix(grant).expect("the grant"), &public);
        assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
        let expected = json!({
            "iss": "svc@p-1.iam.gserviceaccount.com", "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://tokens.test/t", "iat": 1_800_000_000, "exp": 1_800_003_600,
        });
        assert_eq!(claims, expected);
    }
}
