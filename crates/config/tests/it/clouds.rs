//! Vertex AI as a file has it: in whose name tokens are asked for there, and which project that names.

use crate::rules::refused;
use crate::{env, lines};
use config::{Format, Settings, parse};

/// What a provider comes to, with these words about it and these variables.
fn vertex(words: &str, variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let yaml = format!("providers: {{ p: {{ kind: vertex{words} }} }}\nroutes: {{ r: {{ targets: [p/m] }} }}");
    parse(&yaml, Format::Yaml, &env(variables)).map_err(|faults| lines(&faults))
}

#[test]
fn credentials_are_vertexs_own_and_stand_beside_no_key() {
    let twice: &[&str] = &["providers.p.credentials: stands beside a key; give one of the two"];
    refused(&[
        ("providers: { p: { kind: vertex, project: p, api_key: k, credentials: x.json } }", twice),
        ("providers: { p: { kind: vertex, project: p, keys: [k], credentials: x.json } }", twice),
        (
            "providers: { p: { kind: vertex, project: p, headers: { authorization: Bearer k }, credentials: x.json } }",
            twice,
        ),
        (
            "providers: { p: { kind: vllm, location: l, credentials: c } }",
            &[
                "providers.p.credentials: means nothing but to kind vertex",
                "providers.p.location: means nothing but to kind vertex",
            ],
        ),
        (
            "providers: { p: { kind: simulator, credentials: c } }",
            &["providers.p.credentials: means nothing to kind simulator"],
        ),
    ]);
}

#[cfg(feature = "gcp")]
mod tokens {
    use super::vertex;
    use config::{Provider, Settings};
    use secrecy::ExposeSecret;
    use std::fs;
    use tempfile::TempDir;
    use upstream::{Credential, GoogleAccount, ProviderSettings};

    /// A folder with a credential file of a person who is billed as `q`, and its path.
    fn folder() -> (TempDir, String) {
        file(
            r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","quota_project_id":"q"}"#,
        )
    }

    /// A folder with this file, as gcloud would call it, and its path.
    fn file(json: &str) -> (TempDir, String) {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("application_default_credentials.json");
        fs::write(&path, json).expect("room");
        (folder, path.to_str().expect("a plain path").to_owned())
    }

    fn one(settings: &Settings) -> &ProviderSettings {
        match &settings.providers[..] {
            [Provider::Http(settings)] => settings,
            other => panic!("{other:?}"),
        }
    }

    /// How requests are paid, in a word, and below which path.
    fn paid(words: &str, variables: &[(&str, &str)]) -> (String, String) {
        let settings = vertex(words, variables).expect(words);
        let ProviderSettings { credential, base_url, .. } = one(&settings);
        let how = if let Credential::Google(account) = credential {
            match account {
                GoogleAccount::User(_) => "person".to_owned(),
                GoogleAccount::Service(_) => "service account".to_owned(),
                GoogleAccount::Machine(uri) => uri.authority().expect("a host").to_string(),
            }
        } else {
            credential.keys().iter().map(ExposeSecret::expose_secret).collect()
        };
        (how, base_url.path().to_owned())
    }

    #[test]
    fn what_the_file_says_goes_first_then_a_token_then_what_googles_own_clients_find() {
        let (folder, path) = folder();
        let said = format!(", credentials: '{path}'");
        let (of_path, token) = (("GOOGLE_APPLICATION_CREDENTIALS", &*path), ("GOOGLE_ACCESS_TOKEN", "t"));
        let nowhere = ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
        let left = ("CLOUDSDK_CONFIG", folder.path().to_str().expect("a plain path"));
        let (host, project) = (("GCE_METADATA_HOST", "127.0.0.1:9"), ("GOOGLE_CLOUD_PROJECT", "v"));
        for (words, variables, expected) in [
            (&*said, &[][..], ("person", "q")),
            (&said, &[token, nowhere, project], ("person", "v")),
            (", project: p, api_key: k", &[token, nowhere, left], ("k", "p")),
            (", project: p, headers: { authorization: 'Bearer x' }", &[token, nowhere], ("", "p")),
            (", project: p", &[token, nowhere, left], ("t", "p")),
            ("", &[of_path], ("person", "q")),
            (", project: p", &[of_path, ("CLOUDSDK_CONFIG", "/nowhere")], ("person", "p")),
            ("", &[left], ("person", "q")),
            ("", &[("HOME", "/nowhere"), project], ("metadata.google.internal", "v")),
            ("", &[host, project], ("127.0.0.1:9", "v")),
            (", project: p, credentials: metadata", &[token, of_path, left], ("metadata.google.internal", "p")),
            (", project: p, credentials: metadata", &[host], ("127.0.0.1:9", "p")),
        ] {
            let (how, below) = paid(words, variables);
            let project = below.strip_prefix("/v1/projects/").and_then(|rest| rest.strip_suffix("/locations/global"));
            assert_eq!((&*how, project), (expected.0, Some(expected.1)), "{words} {variables:?}");
        }
    }

    #[test]
    fn gclouds_folder_is_below_the_home_folder() {
        let home = TempDir::new().expect("a folder");
        let (folder, path) = folder();
        let place = home.path().join(".config/gcloud");
        fs::create_dir_all(&place).expect("room");
        fs::copy(path, place.join("application_default_credentials.json")).expect("room");
        drop(folder);
        let variables = [("HOME", home.path().to_str().expect("a plain path"))];
        assert_eq!(paid("", &variables), ("person".to_owned(), "/v1/projects/q/locations/global".to_owned()));
    }

    #[test]
    fn a_machine_that_nobody_named_and_a_token_that_others_can_read_are_warned_about() {
        let unencrypted = "providers.p.credentials: what tokens are asked for with travels unencrypted over http:// to \
                           another host";
        let unsaid = "providers.p.credentials: is missing, and the variables GOOGLE_APPLICATION_CREDENTIALS and \
                      GOOGLE_ACCESS_TOKEN are not set: tokens can only come from the metadata server of a machine at \
                      Google's; write `metadata` where that is meant";
        let person = |tokens| {
            file(&format!(
                r#"{{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","token_uri":"{tokens}"}}"#
            ))
        };
        let (_far, far) = person("http://tokens.test/t");
        let (_near, near) = person("http://127.0.0.1:9/t");
        for (words, variables, expected) in [
            ("", &[][..], &[unsaid][..]),
            (", credentials: metadata", &[], &[]),
            ("", &[("GCE_METADATA_HOST", "metadata.test")], &[]),
            ("", &[("GOOGLE_APPLICATION_CREDENTIALS", &*far)], &[unencrypted]),
            ("", &[("GOOGLE_APPLICATION_CREDENTIALS", &*near)], &[]),
        ] {
            let settings = vertex(&format!(", project: p{words}"), variables).expect(words);
            let warnings: Vec<_> = settings.warnings.iter().map(ToString::to_string).collect();
            assert_eq!(warnings, expected, "{words} {variables:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_path_and_without_the_files_words() {
        let (_folder, path) = file(r#"{"type":"external_account","canary":"x"}"#);
        let (_empty, empty) = file("{}");
        let others = "is of type external_account; only service_account and authorized_user can be used";
        let absent = "cannot read the file `/nowhere`: No such file or directory (os error 2)";
        let of_variable = "providers.p.credentials: the variable GOOGLE_APPLICATION_CREDENTIALS:";
        for (words, variables, expected) in [
            (
                format!(", project: p, credentials: '{path}'"),
                &[][..],
                &[format!("providers.p.credentials: the file `{path}` {others}")][..],
            ),
            (
                format!(", project: p, credentials: '{empty}'"),
                &[],
                &[format!("providers.p.credentials: the file `{empty}` is no credential file of Google's")],
            ),
            (
                ", project: p, credentials: '${FILE}'".to_owned(),
                &[("FILE", &*path)],
                &[format!("providers.p.credentials: the file `${{FILE}}` {others}")],
            ),
            (
                ", project: p, credentials: '${FILE}'".to_owned(),
                &[],
                &["providers.p.credentials: the variable FILE is not set".to_owned()],
            ),
            (", project: p, credentials: /nowhere".to_owned(), &[], &[format!("providers.p.credentials: {absent}")]),
            (
                ", project: p".to_owned(),
                &[("GOOGLE_APPLICATION_CREDENTIALS", &*path)],
                &[format!("{of_variable} the file `{path}` {others}")],
            ),
            (
                ", project: p".to_owned(),
                &[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")],
                &[format!("{of_variable} {absent}")],
            ),
            (
                ", project: p".to_owned(),
                &[("GCE_METADATA_HOST", "a b")],
                &["providers.p.credentials: the variable GCE_METADATA_HOST holds no host".to_owned()],
            ),
            (
                ", credentials: metadata".to_owned(),
                &[],
                &["providers.p.project: is missing; set it, or the variable GOOGLE_CLOUD_PROJECT".to_owned()],
            ),
        ] {
            assert_eq!(vertex(&words, variables).map(|_| ()).expect_err(&words), expected, "{variables:?}");
        }
    }
}

#[cfg(not(feature = "gcp"))]
#[test]
fn a_build_without_googles_tokens_says_so() {
    let without =
        "providers.p.credentials: cannot be used: this program was built without the feature `gcp`; use api_key";
    let missing = "providers.p.api_key: is missing; set it, or the variable GOOGLE_ACCESS_TOKEN";
    for (words, expected) in [
        (", project: p, credentials: x.json", without),
        (", project: p, credentials: metadata", without),
        (", project: p", missing),
    ] {
        assert_eq!(vertex(words, &[]).map(|_| ()).expect_err(words), [expected]);
    }
}
