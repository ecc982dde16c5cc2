//! Credential files, and what is asked for in their name.

use super::*;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::{Value, json};

/// A service account whose tokens are asked for at `tokens`, and the public half of its key.
pub(in crate::google) fn service(tokens: &str) -> (GoogleAccount, Vec<u8>) {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let file = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k1", "private_key": key.serialize_pem(),
        "client_email": "svc@p-1.iam.gserviceaccount.com", "token_uri": tokens,
    });
    (read(&file).expect("an account"), key.der_bytes().to_vec())
}

fn read(file: &Value) -> Result<GoogleAccount, String> {
    GoogleAccount::read(&file.to_string())
}

#[test]
fn a_service_account_is_who_its_file_says_and_its_key_never_prints() {
    let (account, _) = service("https://tokens.test/t");
    assert_eq!((account.project(), account.billed()), (Some("p-1"), None));
    let printed = format!("{account:?}");
    assert!(printed.contains("svc@p-1") && printed.contains(r#"key: RsaSigningKey { algorithm: RSA }"#), "{printed}");
}

#[test]
fn a_persons_leave_is_shown_to_the_token_server_and_never_printed() {
    let file = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s+canary", "refresh_token": "r/canary",
        "quota_project_id": "q",
    });
    let account = read(&file).expect("an account");
    assert_eq!((account.project(), account.billed()), (Some("q"), Some(&HeaderValue::from_static("q"))));
    assert!(!format!("{account:?}").contains("canary"));
    let request = account.request(Duration::ZERO).expect("a request");
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, TOKENS));
    assert_eq!(request.headers()["host"], "oauth2.googleapis.com");
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    let form = "grant_type=refresh_token&client_id=c&client_secret=s%2Bcanary&refresh_token=r%2Fcanary";
    assert_eq!(request.body(), form);
}

#[test]
fn the_metadata_server_is_asked_in_its_own_flavor() {
    let account = GoogleAccount::of_the_machine("127.0.0.1:99").expect("a host");
    assert_eq!((account.project(), account.billed()), (None, None));
    let request = account.request(Duration::ZERO).expect("a request");
    let uri = "http://127.0.0.1:99/computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::GET, uri));
    assert_eq!(request.headers()["metadata-flavor"], "Google");
    assert_eq!(request.headers()["host"], "127.0.0.1:99");
    assert!(request.body().is_empty());
    assert!(GoogleAccount::of_the_machine("a b").is_none());
}

#[test]
fn what_is_wrong_with_a_file_is_said_without_its_words() {
    let elliptic = KeyPair::generate().expect("a key").serialize_pem();
    let others = "; only service_account and authorized_user can be used";
    for (file, wrong) in [
        (json!([]), "is no credential file of Google's"),
        (json!({"installed": {"client_id": "canary"}}), "is no credential file of Google's"),
        (json!({"type": "external_account"}), &format!("is of type external_account{others}")),
        (json!({"type": "canary"}), &format!("is of an unknown type{others}")),
        (json!({"type": "service_account"}), "has no client_email"),
        (json!({"type": "service_account", "client_email": "canary"}), "has no private_key"),
        (
            json!({"type": "service_account", "client_email": "a", "private_key": "-----BEGIN canary"}),
            "has a private_key that cannot be read",
        ),
        (
            json!({"type": "service_account", "client_email": "a", "private_key": elliptic}),
            "has a private_key that is none of RSA",
        ),
        (json!({"type": "authorized_user"}), "has no client_id"),
        (json!({"type": "authorized_user", "client_id": "c"}), "has no client_secret"),
        (json!({"type": "authorized_user", "client_id": "c", "client_secret": "s"}), "has no refresh_token"),
        (
            json!({
                "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
                "quota_project_id": "a\nb",
            }),
            "has a quota_project_id that is no name",
        ),
        (json!({"type": "authorized_user", "token_uri": "/canary"}), "has a token_uri that is no address"),
        (json!({"type": "authorized_user", "token_uri": "file:///x"}), "has a token_uri that is no address"),
    ] {
        assert_eq!(read(&file).err().as_deref(), Some(wrong), "{file}");
    }
}
