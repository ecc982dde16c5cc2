//! Keys that sign requests to Bedrock: where they are taken from, what goes before what, and what is refused.

use crate::{env, lines};
use config::{Fault, Format, Provider, Settings, parse};
use secrecy::ExposeSecret;
use upstream::Credential;

const ID: &str = "access_key_id: AKIDEXAMPLE";
const PAIR: &str = "access_key_id: AKIDEXAMPLE, secret_access_key: '${KEPT}'";
const REGION: (&str, &str) = ("AWS_REGION", "eu-west-3");
const KEPT: (&str, &str) = ("KEPT", "canary-of-file");
const OF_ENVIRONMENT: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "canary-of-environment"), REGION];
const BEARER: (&str, &str) = ("AWS_BEARER_TOKEN_BEDROCK", "canary-bearer");
const NEITHER: &str = "providers.p.api_key: is missing; set it, or access_key_id and secret_access_key, or the \
                       variable AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

fn read(provider: &str, variables: &[(&str, &str)]) -> Result<Settings, Vec<Fault>> {
    let yaml = format!("providers: {{ p: {{ {provider} }} }}\nroutes: {{ r: {{ targets: [p/m] }} }}\n");
    parse(&yaml, Format::Yaml, &env(variables))
}

/// What becomes of a provider of kind bedrock, in one line: how it pays, or every fault.
fn pays(provider: &str, variables: &[(&str, &str)]) -> String {
    let settings = match read(&format!("kind: bedrock, {provider}"), variables) {
        Ok(settings) => settings,
        Err(faults) => {
            let faults = lines(&faults).join("\n");
            assert!(!faults.contains("canary"), "{faults}");
            return faults;
        }
    };
    assert!(!format!("{settings:?}").contains("canary"), "secrets never print");
    let Provider::Http(settings) = &settings.providers[0] else { panic!("it is reached over HTTP") };
    match &settings.credential {
        Credential::Keys { keys, .. } => {
            keys.iter().map(|key| format!("sends {}", key.expose_secret())).collect::<Vec<_>>().join(", ")
        }
        #[cfg(feature = "aws")]
        Credential::Aws(with) => {
            let token = with.session_token.as_ref().map_or("none", ExposeSecret::expose_secret);
            let (id, secret, region) = (&with.access_key_id, with.secret_access_key.expose_secret(), &with.region);
            format!("signs as {id} with {secret}, token {token}, for {region}")
        }
        #[cfg(feature = "gcp")]
        Credential::Google(account) => format!("asks at {}", account.tokens()),
    }
}

#[cfg(feature = "aws")]
#[test]
fn the_file_goes_before_the_environment_and_a_bearer_token_before_keys_that_sign() {
    let with_bearer = [&OF_ENVIRONMENT[..], &[BEARER, KEPT]].concat();
    let with_token = [&OF_ENVIRONMENT[..], &[("AWS_SESSION_TOKEN", "canary-token"), KEPT]].concat();
    let own_address = |rest: &str| format!("base_url: 'https://bedrock.lan', {rest}");
    let of_environment = "signs as AKIDOTHER with canary-of-environment";
    for (provider, variables, expected) in [
        (PAIR.to_owned(), &[KEPT, REGION][..], "signs as AKIDEXAMPLE with canary-of-file, token none, for eu-west-3"),
        (
            format!("{PAIR}, session_token: {{ env: TOKEN }}, region: us-east-1"),
            &[KEPT, ("TOKEN", "canary-t"), REGION],
            "signs as AKIDEXAMPLE with canary-of-file, token canary-t, for us-east-1",
        ),
        // A token of the environment belongs to a key of the environment.
        (PAIR.to_owned(), &with_token, "signs as AKIDEXAMPLE with canary-of-file, token none, for eu-west-3"),
        (PAIR.to_owned(), &with_bearer, "signs as AKIDEXAMPLE with canary-of-file, token none, for eu-west-3"),
        (String::new(), &OF_ENVIRONMENT, &format!("{of_environment}, token none, for eu-west-3")),
        (String::new(), &with_token, &format!("{of_environment}, token canary-token, for eu-west-3")),
        (
            String::new(),
            &[("AWS_DEFAULT_REGION", "ap-south-1"), OF_ENVIRONMENT[0], OF_ENVIRONMENT[1]],
            &format!("{of_environment}, token none, for ap-south-1"),
        ),
        (own_address("region: us-east-1"), &OF_ENVIRONMENT, &format!("{of_environment}, token none, for us-east-1")),
        (String::new(), &with_bearer, "sends canary-bearer"),
        ("api_key: canary-k".to_owned(), &with_bearer, "sends canary-k"),
        ("keys: [canary-k, canary-l]".to_owned(), &OF_ENVIRONMENT, "sends canary-k, sends canary-l"),
        ("headers: { authorization: 'Bearer canary-h' }".to_owned(), &OF_ENVIRONMENT, ""),
    ] {
        assert_eq!(pays(&provider, variables), expected, "{provider} {variables:?}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_told_with_its_place() {
    let lent = |name| format!("{NEITHER}; roles, as {name} lends one, are not taken");
    for (provider, variables, expected) in [
        ("", &[REGION][..], NEITHER),
        ("", &[REGION, ("AWS_PROFILE", "work")], &lent("AWS_PROFILE")),
        (
            "",
            &[REGION, ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "a")],
            &lent("AWS_WEB_IDENTITY_TOKEN_FILE"),
        ),
        (
            "",
            &[REGION, ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1")],
            &lent("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ),
        (
            "",
            &[REGION, OF_ENVIRONMENT[0]],
            "providers.p.secret_access_key: is missing; set the variable \
                                            AWS_SECRET_ACCESS_KEY beside the other",
        ),
        (
            "",
            &[REGION, OF_ENVIRONMENT[1]],
            "providers.p.access_key_id: is missing; set the variable \
                                            AWS_ACCESS_KEY_ID beside the other",
        ),
        (
            "",
            &[REGION, OF_ENVIRONMENT[0], ("AWS_SECRET_ACCESS_KEY", "canary\n")],
            "providers.p.secret_access_key: \
            the variable AWS_SECRET_ACCESS_KEY holds blanks, or what is no printable ASCII",
        ),
        (ID, &[REGION], "providers.p.secret_access_key: is missing"),
        ("secret_access_key: canary", &[REGION], "providers.p.access_key_id: is missing"),
        (
            "session_token: canary",
            &OF_ENVIRONMENT,
            "providers.p.access_key_id: is missing\n\
            providers.p.secret_access_key: is missing",
        ),
        (
            PAIR,
            &[REGION, ("KEPT", "can ary")],
            "providers.p.secret_access_key: holds blanks, or what is no printable ASCII",
        ),
        (PAIR, &[REGION, ("KEPT", "")], "providers.p.secret_access_key: is empty"),
        (PAIR, &[REGION], "providers.p.secret_access_key: the variable KEPT is not set"),
        (PAIR, &[KEPT], "providers.p.region: is missing; set it, or the variable AWS_REGION"),
        (
            &format!("{PAIR}, base_url: 'https://bedrock.lan'"),
            &[KEPT],
            "providers.p.region: is missing: signatures name it; set it, or the variable AWS_REGION",
        ),
    ] {
        assert_eq!(pays(provider, variables), expected, "{provider} {variables:?}");
    }
}

#[cfg(feature = "aws")]
#[test]
fn what_contradicts_a_signature_is_refused() {
    for (more, expected) in [
        ("api_key: k", "providers.p.access_key_id: stands beside api_key or keys; give one of them"),
        ("keys: [k]", "providers.p.access_key_id: stands beside api_key or keys; give one of them"),
        (
            "headers: { Authorization: x }",
            "providers.p.headers.authorization: is made from the provider's key; give one of the two",
        ),
        (
            "headers: { x-amz-security-token: x, x-amzn-bedrock-trace: ENABLED }",
            "providers.p.headers.x-amz-security-token: is made from the provider's key; give one of the two",
        ),
        (
            "passthrough: [/model/*]",
            "providers.p.passthrough: needs an api_key: a signature covers the body, which is handed through unread",
        ),
    ] {
        assert_eq!(pays(&format!("{PAIR}, {more}"), &[KEPT, REGION]), expected, "{more}");
    }
    assert_eq!(pays("api_key: k, passthrough: [/model/*]", &[REGION]), "sends k");
}

#[test]
fn other_kinds_sign_nothing() {
    for (kind, why) in
        [("openai, api_key: k", "means nothing but to kind bedrock"), ("simulator", "means nothing to kind simulator")]
    {
        let faults = read(&format!("kind: {kind}, {PAIR}, session_token: t"), &[KEPT]).expect_err(kind);
        let expected =
            ["access_key_id", "secret_access_key", "session_token"].map(|key| format!("providers.p.{key}: {why}"));
        assert_eq!(lines(&faults), expected);
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_that_cannot_sign_says_so() {
    let expected =
        "providers.p.access_key_id: cannot sign: this program was built without the feature `aws`; use api_key";
    assert_eq!(pays(PAIR, &[KEPT, REGION]), expected);
    assert_eq!(pays("", &OF_ENVIRONMENT), expected);
    assert_eq!(pays("", &[&OF_ENVIRONMENT[..], &[BEARER]].concat()), "sends canary-bearer");
}
