//! Where an entry's calls go and with which key: what becomes a provider.
//!
//! Literal secrets are compared here, so that entries of one key share a provider, and never handed on. Nothing that
//! holds one has `Debug`.

use super::fields::{Fields, fields, list, plain, rest, take, text, variable};
use super::kinds::Vendor;
use crate::finding::Findings;
use crate::gateway::Provider;
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by the name of a credential.
pub(super) type Credentials = BTreeMap<String, Fields>;

/// What tells one provider from another.
#[derive(Clone, PartialEq)]
pub(super) struct Account {
    pub(super) vendor: Vendor,
    base_url: Option<String>,
    api_version: Option<String>,
    region: Option<String>,
    key: Option<Secret>,
    headers: BTreeMap<String, Secret>,
}

#[derive(Clone, PartialEq)]
enum Secret {
    /// Our reference.
    Reference(String),
    /// The secret itself.
    Literal(String),
}

/// Keys that people write where a server asks for none.
const PLACEHOLDERS: &[&str] = &[
    "",
    "none",
    "null",
    "empty",
    "dummy",
    "fake",
    "fake-key",
    "fake_key",
    "anything",
    "not-needed",
    "no-key",
    "ollama",
    "sk-no-key-required",
];

/// Keys of an entry that say who pays or signs in a way of the cloud's own, and what to do instead.
const SIGNED: &[(&str, &str)] = &[
    ("aws_access_key_id", "give it as `access_key_id`, or set AWS_ACCESS_KEY_ID"),
    ("aws_secret_access_key", "give it as `secret_access_key`, or set AWS_SECRET_ACCESS_KEY"),
    ("aws_session_token", "give it as `session_token`, or set AWS_SESSION_TOKEN"),
    ("aws_profile_name", "no profile is read: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("aws_role_name", "no role is taken yet: give keys, or an api_key"),
    ("aws_session_name", "no role is taken yet: give keys, or an api_key"),
    ("aws_web_identity_token", "no role is taken yet: give keys, or an api_key"),
    ("aws_bedrock_runtime_endpoint", "give it as `base_url`"),
    ("vertex_project", "give the project under this provider"),
    ("vertex_credentials", "give the path of its file as `credentials` under this provider"),
    ("azure_ad_token", "give an api_key"),
    ("tenant_id", "give an api_key"),
    ("client_id", "give an api_key"),
    ("client_secret", "give an api_key"),
];

/// Reads `credential_list`.
pub(super) fn credentials(value: Option<Value>, findings: &mut Findings) -> Credentials {
    let mut credentials = Credentials::new();
    for (place, entry) in list(value).unwrap_or_default().into_iter().enumerate() {
        let at = format!("credential_list[{place}]");
        let mut entry = fields(Some(entry)).unwrap_or_default();
        let (name, values) = (text(entry.remove("credential_name")), fields(entry.remove("credential_values")));
        match name.zip(values) {
            Some((name, values)) => {
                findings.exact(&at, "providers");
                credentials.insert(name, values);
            }
            None => findings.manual(&at, "it has no credential_name with credential_values"),
        }
    }
    credentials
}

impl Account {
    /// Takes what `params` say of it.
    pub(super) fn take(
        params: &mut Fields,
        at: &str,
        vendor: Vendor,
        region: Option<&str>,
        findings: &mut Findings,
    ) -> Self {
        let mut read = |key: &str| take(params, at, key, findings, |value| text(Some(value.clone())));
        let base_url = read("api_base").or(read("base_url"));
        let api_version = read("api_version");
        let regions = ["aws_region_name", "vertex_location", "region_name"].map(|key| Some((key, read(key)?)));
        let said = regions.into_iter().flatten().next();
        let key = read("api_key");
        let organization = read("organization");
        if let Some((key, _)) = &said {
            let to = if vendor.kind == "vertex" { "providers.*.location" } else { "providers.*.region" };
            findings.exact(&format!("{at}.{key}"), to);
        }
        let region = said.map(|(_, region)| region).or(region.map(str::to_owned));
        let headers = ["extra_headers", "headers"].map(|key| fields(params.remove(key)));
        let headers =
            headers.into_iter().flatten().flatten().filter_map(|(name, value)| Some((name, text(Some(value))?)));
        let organization = organization.map(|value| ("OpenAI-Organization".to_owned(), value));
        Self {
            vendor,
            base_url,
            api_version: api_version.map(|version| plain(&version)),
            region: region.map(|region| plain(&region)),
            key: key.filter(|key| !PLACEHOLDERS.contains(&key.to_ascii_lowercase().as_str())).map(Secret::new),
            headers: headers.chain(organization).map(|(name, value)| (name, Secret::new(value))).collect(),
        }
    }

    /// This as a provider of that name, with a finding for each of its fields that `at` holds.
    pub(super) fn provider(&self, name: &str, at: &str, findings: &mut Findings) -> Provider {
        let to = |key: &str| format!("providers.{name}.{key}");
        let stem: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        let api_key = self.key.as_ref().map(|key| match key {
            Secret::Reference(reference) => {
                findings.exact(&format!("{at}.api_key"), to("api_key"));
                reference.clone()
            }
            Secret::Literal(_) => {
                let variable = format!("{stem}_API_KEY");
                let why = format!("a literal secret is not copied: set the variable {variable}");
                findings.approximate(&format!("{at}.api_key"), to("api_key"), why);
                format!("${{{variable}}}")
            }
        });
        if self.api_version.is_some() {
            findings.exact(&format!("{at}.api_version"), to("api_version"));
        }
        let headers = self.headers.iter().map(|(header, value)| {
            let from = format!("{at}.extra_headers.{header}");
            let value = match value {
                Secret::Reference(reference) => {
                    findings.exact(&from, to("headers"));
                    reference.clone()
                }
                Secret::Literal(_) => {
                    let header: String = header
                        .chars()
                        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                        .collect();
                    let variable = format!("{stem}_{header}");
                    findings.approximate(
                        &from,
                        to("headers"),
                        format!("it may be a secret: set the variable {variable}"),
                    );
                    format!("${{{variable}}}")
                }
            };
            (header.clone(), value)
        });
        let headers = headers.collect();
        Provider {
            name: name.to_owned(),
            kind: self.vendor.kind,
            base_url: self.address(&format!("{at}.api_base"), &to("base_url"), findings),
            api_key,
            api_version: self.api_version.clone(),
            region: self.region.clone(),
            headers,
            models: BTreeMap::new(),
        }
    }

    /// The address, as ours are written: without what may be a secret, and with the path that LiteLLM adds itself.
    fn address(&self, from: &str, to: &str, findings: &mut Findings) -> Option<String> {
        let Some(written) = &self.base_url else { return self.vendor.base_url.map(str::to_owned) };
        if let Some(name) = variable(written) {
            let path = self.vendor.path;
            match path {
                "" => findings.exact(from, to),
                _ => findings.approximate(from, to, format!("the address in {name} has to end in {path}")),
            }
            return Some(format!("${{{name}}}"));
        }
        let (scheme, rest) = written.split_once("://").unwrap_or(("https", written));
        let rest = rest.split(['?', '#']).next().unwrap_or(rest).trim_end_matches('/');
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if authority.contains('@') {
            findings.manual(
                from,
                "it holds a user or password; give the address under base_url, and the password as a reference",
            );
            return None;
        }
        let path = if path.is_empty() { self.vendor.path } else { path };
        let ours = format!("{scheme}://{authority}{path}");
        match ours.trim_end_matches('/') == written.trim_end_matches('/') {
            true => findings.exact(from, to),
            false => findings.approximate(from, to, "its path is that of our kind, without a query"),
        }
        Some(plain(&ours))
    }

    /// Whether it is at the vendor's own address, of which the catalogue of models speaks.
    pub(super) fn is_vendors_own(&self) -> bool {
        self.base_url.is_none() && self.vendor.base_url.is_none()
    }
}

impl Secret {
    fn new(written: String) -> Self {
        match variable(&written) {
            Some(name) => Self::Reference(format!("${{{name}}}")),
            None => Self::Literal(written),
        }
    }
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
        "custom_llm_provider" => "write it in front of the model",
        _ => "there is nothing like it",
    });
}
