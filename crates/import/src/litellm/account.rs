//! Where an entry's calls go and with which key: what becomes a provider.
//!
//! Literal secrets are compared here, so that entries of one key share a provider, and never handed on. Nothing that
//! holds one has `Debug`.

use super::address::address;
use super::fields::{Fields, fields, place, plain, rest, take, take_fields, take_first, take_list, take_text, text};
use super::kinds::{Named, Vendor, Way};
use super::secret::{Secret, is_placeholder, stem};
use super::signing::{Signing, credentials_file};
use crate::finding::Findings;
use crate::gateway::{Provider, where_it_runs};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Values by the name of a credential.
pub(super) type Credentials = BTreeMap<String, Fields>;

/// What tells one provider from another.
#[derive(Clone, PartialEq)]
pub(super) struct Account {
    pub(super) vendor: Vendor,
    base_url: Option<String>,
    api_version: Option<String>,
    /// It is asked by `/responses` alone.
    responses: bool,
    project: Option<String>,
    region: Option<String>,
    key: Option<Secret>,
    signing: Option<Signing>,
    /// The path of a file.
    credentials: Option<String>,
    headers: BTreeMap<String, Secret>,
}

/// Where an account's fields stand in the file: our names, and the keys of the entry.
#[derive(Default)]
pub(super) struct Sources {
    keys: BTreeMap<&'static str, &'static str>,
    headers: Vec<(String, String)>,
    /// A role or a profile stands beside the keys that sign.
    roled: bool,
}

/// Keys of an entry that say who pays or signs in a way of the cloud's own, and what to do instead.
const SIGNED: &[(&str, &str)] = &[
    ("aws_profile_name", "no profile is read: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("aws_role_name", "no role is taken: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("aws_session_name", "no role is taken: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("aws_web_identity_token", "no role is taken: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("aws_external_id", "no role is taken: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("aws_sts_endpoint", "no role is taken: give `access_key_id` and `secret_access_key`, or an api_key"),
    ("azure_ad_token", "give an api_key"),
    ("tenant_id", "give an api_key"),
    ("client_id", "give an api_key"),
    ("client_secret", "give an api_key"),
    ("azure_username", "give an api_key"),
    ("azure_password", "give an api_key"),
];

/// Headers that belong to the transport: our files may not set them.
const TRANSPORT: &[&str] = &[
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

/// Reads `credential_list`.
pub(super) fn credentials(file: &mut Fields, findings: &mut Findings) -> Credentials {
    let mut credentials = Credentials::new();
    for (number, entry) in take_list(file, "", "credential_list", findings).unwrap_or_default().into_iter().enumerate()
    {
        let at = format!("credential_list[{number}]");
        let mut entry = fields(Some(entry)).unwrap_or_default();
        let (name, values) = (text(entry.remove("credential_name")), fields(entry.remove("credential_values")));
        let Some((name, values)) = name.zip(values) else {
            findings.manual(&at, "it has no credential_name with credential_values");
            continue;
        };
        findings.exact(&format!("{at}.credential_name"), "providers");
        for key in values.keys() {
            findings.exact(&format!("{at}.credential_values.{key}"), "providers");
        }
        if entry.remove("credential_info").is_some() {
            findings.approximate(&format!("{at}.credential_info"), "", "a note, which is not kept");
        }
        rest(&entry, &at, findings, |_| "there is nothing like it");
        credentials.insert(name, values);
    }
    credentials
}

impl Account {
    /// Takes what `params` say of it.
    pub(super) fn take(params: &mut Fields, at: &str, named: &Named<'_>, findings: &mut Findings) -> (Self, Sources) {
        let mut sources = Sources::default();
        let base_url = written_address(params, at, named.vendor, &mut sources, findings);
        let vendor = named.vendor.at(base_url.as_deref());
        let key = api_key(params, at, vendor, &mut sources, findings);
        let (mut signing, mut project, mut credentials, mut api_version) = (None, None, None, None);
        match vendor.kind {
            "bedrock" => {
                sources.roled = SIGNED.iter().any(|(key, _)| key.starts_with("aws_") && params.contains_key(*key));
                signing = Signing::take(params, at, key.is_some(), findings);
            }
            "vertex" => {
                project = sources.first(params, at, "project", &["vertex_project", "vertex_ai_project"], findings);
                let file = credentials_file(params, at, findings);
                credentials = file.map(|(key, path)| {
                    sources.keys.insert("credentials", key);
                    path
                });
            }
            "azure_openai" if vendor.prefix != "azure_ai" => {
                api_version = version(params, at, &mut sources, findings);
            }
            _ => {}
        }
        let region = sources.first(params, at, "region", regions(vendor.kind), findings);
        let account = Self {
            vendor,
            base_url,
            api_version: api_version.map(|version| plain(&version)),
            responses: named.way == Way::Responses,
            project: project.map(|project| plain(&project)),
            region: region.or(named.region.map(str::to_owned)).map(|region| plain(&region)),
            key,
            signing,
            credentials,
            headers: headers(params, at, &mut sources, findings),
        };
        (account, sources)
    }

    /// This as a provider of that name, with a finding for each of its fields that `at` holds.
    pub(super) fn provider(&self, name: &str, at: &str, sources: &Sources, findings: &mut Findings) -> Provider {
        let to = |key: &str| format!("providers.{name}.{key}");
        let stem = stem(name);
        let api_key = self.key.as_ref().map(|key| {
            let from = place(at, sources.of("api_key"));
            let note = if self.vendor.kind == "vertex" { "it has to be an access token" } else { "" };
            key.told(&from, &to("api_key"), &format!("{stem}_API_KEY"), note, findings)
        });
        let usual_key = || self.vendor.key.filter(|_| !self.has_key_of_headers()).map(|name| format!("${{{name}}}"));
        let api_key = api_key.or_else(usual_key);
        let [access_key_id, secret_access_key, session_token] =
            Signing::told(self.signing.as_ref(), at, name, &stem, sources.roled, findings);
        let runs = where_it_runs(self.vendor.kind);
        for (ours, shown) in [("api_version", "api_version"), ("project", "project"), ("region", runs)] {
            if let Some(key) = sources.keys.get(ours) {
                findings.exact(&place(at, key), to(shown));
            }
        }
        if let Some(path) = &self.credentials {
            let why = "the variable has to hold the path of a credential file, not its text";
            match path.starts_with("${") {
                true => findings.approximate(&place(at, sources.of("credentials")), to("credentials"), why),
                false => findings.exact(&place(at, sources.of("credentials")), to("credentials")),
            }
        }
        Provider {
            name: name.to_owned(),
            kind: self.vendor.kind,
            base_url: self.address(&place(at, sources.of("base_url")), &to("base_url"), findings),
            api_key,
            access_key_id,
            secret_access_key,
            session_token,
            apis: if self.responses { vec!["responses"] } else { Vec::new() },
            api_version: self.api_version.clone(),
            project: self.project.clone(),
            region: self.region.clone(),
            credentials: self.credentials.clone(),
            headers: self.told_headers(name, at, &stem, sources, findings),
            models: BTreeMap::new(),
        }
    }

    fn told_headers(
        &self,
        name: &str,
        at: &str,
        stem_of_name: &str,
        sources: &Sources,
        findings: &mut Findings,
    ) -> BTreeMap<String, String> {
        let to = format!("providers.{name}.headers");
        let mut told = BTreeMap::new();
        for (key, header) in &sources.headers {
            let Some(value) = self.headers.get(header) else { continue };
            let variable = format!("{stem_of_name}_{}", stem(header));
            told.insert(header.clone(), value.told(&place(at, key), &to, &variable, "", findings));
        }
        for (header, value) in &self.headers {
            let variable = format!("{stem_of_name}_{}", stem(header));
            told.entry(header.clone()).or_insert_with(|| value.reference(&variable));
        }
        told
    }

    /// The address, as ours are written.
    fn address(&self, from: &str, to: &str, findings: &mut Findings) -> Option<String> {
        let path = self.path();
        let Some(written) = &self.base_url else {
            let variable = match self.vendor.prefix {
                "azure" | "azure_text" => Some("AZURE_API_BASE"),
                "azure_ai" => Some("AZURE_AI_API_BASE"),
                _ => None,
            };
            let usual = variable.map(|name| format!("${{{name}}}{path}"));
            return usual.or_else(|| self.vendor.base_url.map(str::to_owned));
        };
        let Some(address) = address(written, &self.vendor, path) else {
            let why = "it holds a user or password; give the address under base_url, and the password as a reference";
            findings.manual(from, why);
            return None;
        };
        match (self.vendor.kind, address.note) {
            ("vertex", _) => {
                let why = "calls go below it as below Google's own /v1/projects/PROJECT/locations/LOCATION";
                findings.approximate(from, to, why);
            }
            (_, note) if note.is_empty() => findings.exact(from, to),
            (_, note) => findings.approximate(from, to, note),
        }
        Some(address.ours)
    }

    /// What our address ends with, and the file's does not.
    fn path(&self) -> &'static str {
        match (self.vendor.kind, &self.api_version) {
            ("azure_openai", Some(_)) => "/openai",
            ("azure_openai", None) => "/openai/v1",
            _ => self.vendor.path,
        }
    }

    fn has_key_of_headers(&self) -> bool {
        let names: BTreeSet<String> = self.headers.keys().map(|name| name.to_ascii_lowercase()).collect();
        ["authorization", "api-key", "x-api-key"].iter().any(|name| names.contains(*name))
    }

    /// Whether it is at the vendor's own address, of which the catalogue of models speaks.
    pub(super) fn is_vendors_own(&self) -> bool {
        self.base_url.is_none() && self.vendor.base_url.is_none()
    }
}

impl Sources {
    /// The key of the entry that holds what we call `ours`.
    fn of(&self, ours: &'static str) -> &'static str {
        self.keys.get(ours).copied().unwrap_or(match ours {
            "base_url" => "api_base",
            "credentials" => "vertex_credentials",
            other => other,
        })
    }

    /// Takes the first of `keys`, as what we call `ours`.
    fn first(
        &mut self,
        params: &mut Fields,
        at: &str,
        ours: &'static str,
        keys: &[&'static str],
        findings: &mut Findings,
    ) -> Option<String> {
        let (key, value) = take_first(params, at, keys, findings, |value| text(Some(value.clone())))?;
        if value.is_empty() {
            findings.exact(&place(at, key), "");
            return None;
        }
        self.keys.insert(ours, key);
        Some(value)
    }
}

fn written_address(
    params: &mut Fields,
    at: &str,
    vendor: Vendor,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Option<String> {
    let keys: &[&str] = match vendor.kind {
        "bedrock" => &["api_base", "base_url", "aws_bedrock_runtime_endpoint"],
        _ => &["api_base", "base_url"],
    };
    sources.first(params, at, "base_url", keys, findings)
}

/// The key, unless it is one that people write where a server asks for none.
fn api_key(
    params: &mut Fields,
    at: &str,
    vendor: Vendor,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Option<Secret> {
    let key = take_text(params, at, "api_key", findings)?;
    let from = place(at, "api_key");
    if is_placeholder(&key) {
        findings.exact(&from, "");
        return None;
    }
    let files = ["vertex_credentials", "vertex_ai_credentials"];
    if vendor.kind == "vertex" && files.iter().any(|key| params.get(*key).is_some_and(|value| !value.is_null())) {
        findings.manual(&from, "vertex_credentials stand beside it: one of the two can be given");
        return None;
    }
    sources.keys.insert("api_key", "api_key");
    Some(Secret::new(key))
}

/// The version of Azure's API; those that mean its layout without versions are none.
fn version(params: &mut Fields, at: &str, sources: &mut Sources, findings: &mut Findings) -> Option<String> {
    let version = take_text(params, at, "api_version", findings)?;
    if !["", "v1", "latest", "preview"].contains(&version.as_str()) {
        sources.keys.insert("api_version", "api_version");
        return Some(version);
    }
    let why = "by the layout without versions, below /openai/v1";
    findings.approximate(&place(at, "api_version"), "providers.*.base_url", why);
    None
}

/// Keys that say where a provider of this kind runs.
fn regions(kind: &str) -> &'static [&'static str] {
    match kind {
        "bedrock" => &["aws_region_name", "region_name"],
        "vertex" => &["vertex_location", "vertex_ai_location", "region_name"],
        _ => &["region_name"],
    }
}

fn headers(params: &mut Fields, at: &str, sources: &mut Sources, findings: &mut Findings) -> BTreeMap<String, Secret> {
    let mut headers = BTreeMap::new();
    for key in ["extra_headers", "headers"] {
        for (name, value) in take_fields(params, at, key, findings).unwrap_or_default() {
            let from = format!("{key}.{name}");
            let sound =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            let known = headers.keys().any(|known: &String| known.eq_ignore_ascii_case(&name));
            match text(Some(value)).filter(|_| sound && !known) {
                _ if TRANSPORT.contains(&name.to_ascii_lowercase().as_str()) => {
                    findings.unsupported(&place(at, &from), "it belongs to the transport and cannot be set");
                }
                Some(value) => {
                    headers.insert(name.clone(), Secret::new(value));
                    sources.headers.push((from, name));
                }
                None => findings.manual(&place(at, &from), "it is no header with a text, or it is given twice"),
            }
        }
    }
    if let Some(value) = take(params, at, "organization", findings, |value| text(Some(value.clone()))) {
        let name = "OpenAI-Organization".to_owned();
        headers.insert(name.clone(), Secret::new(value));
        sources.headers.push(("organization".to_owned(), name));
    }
    headers
}

/// Tells of whatever `params` still hold.
pub(super) fn left(mut params: Fields, at: &str, findings: &mut Findings) {
    for (key, instead) in SIGNED {
        if params.remove(*key).is_some() {
            findings.manual(&format!("{at}.{key}"), *instead);
        }
    }
    rest(&params, at, findings, |key| match key {
        "tags" => "routes are chosen by name: give these targets a route of their own",
        "silent_model" => "calls are not copied to a second model",
        "drop_params" | "additional_drop_params" => "what a target cannot be told is reported or refused",
        "temperature" | "max_tokens" | "top_p" | "stop" | "seed" | "n" => "what a client asks for is not changed",
        "api_version" => "only kind azure_openai has versions, and not below /openai/v1",
        key if key.starts_with("aws_") || key.starts_with("vertex_") => "it means nothing to this kind of provider",
        _ => "there is nothing like it",
    });
}

/// Tells of every field of an entry that is left out, but of those in `told`.
pub(super) fn left_out(entry: &Fields, at: &str, told: &[&str], findings: &mut Findings) {
    let mut tell = |from: String| {
        if !told.contains(&from.as_str()) {
            findings.manual(&from, "its entry is left out");
        }
    };
    for (key, value) in entry {
        let at = place(at, key);
        match value {
            Value::Object(inner) if !inner.is_empty() => inner.keys().for_each(|key| tell(place(&at, key))),
            _ => tell(at),
        }
    }
}
