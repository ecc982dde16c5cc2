//! Entries of `model_list`: each a target of its group, at a provider that others may share.

use super::account::{self, Account, Credentials};
use super::fields::{Fields, count, fields, millis, number, rest, take, text};
use super::kinds::named;
use super::model::{take_facts, take_info};
use crate::finding::Findings;
use crate::gateway::{Model, Provider};
use serde_json::Value;

/// One entry.
pub(super) struct Deployment {
    /// Its place in the file.
    pub(super) at: String,
    pub(super) provider: String,
    /// May be a pattern.
    pub(super) model: String,
    pub(super) weight: Option<f64>,
    pub(super) rpm: Option<f64>,
    pub(super) tpm: Option<f64>,
    /// Lower is tried first.
    pub(super) order: Option<u64>,
    /// Milliseconds.
    pub(super) timeout: Option<u64>,
    /// Milliseconds.
    pub(super) stream_timeout: Option<u64>,
    pub(super) retries: Option<u64>,
    /// Its price is known, from the file or the catalogue.
    pub(super) priced: bool,
}

/// Entries of one `model_name`.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) deployments: Vec<Deployment>,
}

/// All entries so far.
#[derive(Default)]
pub(super) struct Deployments {
    groups: Vec<Group>,
    providers: Vec<(Account, Provider)>,
}

impl Deployments {
    /// Takes in one entry. One that cannot be called from here is told of, and left out.
    pub(super) fn add(&mut self, at: &str, entry: Value, credentials: &Credentials, findings: &mut Findings) {
        let mut entry = fields(Some(entry)).unwrap_or_default();
        let (group, params) = (text(entry.remove("model_name")), fields(entry.remove("litellm_params")));
        let Some((group, mut params)) = group.zip(params) else {
            findings.manual(at, "it has no model_name with litellm_params");
            return;
        };
        let params_at = format!("{at}.litellm_params");
        lend(&mut params, &params_at, credentials, findings);
        let model_at = format!("{params_at}.model");
        let Some(written) =
            text(params.remove("model")).filter(|model| model.bytes().all(|byte| byte.is_ascii_graphic()))
        else {
            findings.manual(&model_at, "it is missing, or no name of a model");
            return;
        };
        let addressed = params.contains_key("api_base") || params.contains_key("base_url");
        let named = match named(&written, addressed) {
            Ok(named) if !named.model.is_empty() => named,
            Err(word) if word != "*" => {
                let why = format!("there is no kind of provider for {word}: the entry is left out");
                return findings.unsupported(&model_at, why);
            }
            _ => {
                let why = "it names no provider; give each provider's models a pattern of their own";
                return findings.manual(&model_at, why);
            }
        };
        let account = Account::take(&mut params, &params_at, named.vendor, named.region, findings);
        let listed = account.is_vendors_own();
        self.enter(&account, &params_at, findings);
        let Some((_, provider)) = self.providers.iter_mut().find(|(one, _)| *one == account) else { return };
        let to = format!("providers.{}", provider.name);
        match named.vendor.base_url {
            Some(_) => findings.approximate(&model_at, &to, "by its address that speaks as OpenAI does"),
            None => findings.exact(&model_at, &to),
        }
        let model_to = format!("{to}.models[\"{}\"]", named.model);
        let mut model = provider.models.remove(named.model).unwrap_or_default();
        take_facts(&mut params, &params_at, &model_to, &mut model, findings);
        if let Some(info) = fields(entry.remove("model_info")) {
            take_info(info, &format!("{at}.model_info"), &model_to, &mut model, named.vendor.kind, findings);
        }
        let priced = model.price.is_some() || listed && is_priced(named.vendor.kind, named.model);
        if model != Model::default() && !named.model.contains('*') {
            provider.models.insert(named.model.to_owned(), model);
        }
        let name = provider.name.clone();
        let deployment = deployment(&mut params, params_at.clone(), name, named.model.to_owned(), priced, findings);
        findings.exact(&format!("{at}.model_name"), format!("routes.{group}"));
        account::left(params, &params_at, findings);
        rest(&entry, at, findings, |_| "there is nothing like it");
        match self.groups.iter_mut().find(|known| known.name == group) {
            Some(known) => known.deployments.push(deployment),
            None => self.groups.push(Group { name: group, deployments: vec![deployment] }),
        }
    }

    /// The groups in the order of their first entries, and the providers.
    pub(super) fn into_groups(self) -> (Vec<Group>, Vec<Provider>) {
        (self.groups, self.providers.into_iter().map(|(_, provider)| provider).collect())
    }

    /// Makes sure that this account is a provider, called after its vendor, and tells of its fields.
    fn enter(&mut self, account: &Account, at: &str, findings: &mut Findings) {
        let known = self.providers.iter().find(|(one, _)| one == account).map(|(_, provider)| provider.name.clone());
        let prefix = account.vendor.prefix;
        let name = known.clone().unwrap_or_else(|| {
            match self.providers.iter().filter(|(one, _)| one.vendor.prefix == prefix).count() {
                0 => prefix.to_owned(),
                taken => format!("{prefix}_{}", taken + 1),
            }
        });
        let provider = account.provider(&name, at, findings);
        if known.is_none() {
            self.providers.push((account.clone(), provider));
        }
    }
}

/// Puts in what a credential holds, where the entry says nothing itself.
fn lend(params: &mut Fields, at: &str, credentials: &Credentials, findings: &mut Findings) {
    let Some(name) = text(params.remove("litellm_credential_name")) else { return };
    let from = format!("{at}.litellm_credential_name");
    let Some(values) = credentials.get(&name) else {
        return findings.manual(&from, "no such credential is in the credential_list; give the provider's api_key");
    };
    findings.exact(&from, "providers");
    for (key, value) in values {
        params.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

fn is_priced(kind: &str, model: &str) -> bool {
    catalogue::Catalogue::default().models(kind).of(model).is_some_and(|facts| facts.price.is_some())
}

fn deployment(
    params: &mut Fields,
    at: String,
    provider: String,
    model: String,
    priced: bool,
    findings: &mut Findings,
) -> Deployment {
    let retries =
        take(params, &at, "max_retries", findings, count).or(take(params, &at, "num_retries", findings, count));
    Deployment {
        weight: take(params, &at, "weight", findings, number),
        rpm: take(params, &at, "rpm", findings, number),
        tpm: take(params, &at, "tpm", findings, number),
        order: take(params, &at, "order", findings, |value| count(value).filter(|order| *order < 1_000_000)),
        timeout: take(params, &at, "timeout", findings, millis),
        stream_timeout: take(params, &at, "stream_timeout", findings, millis),
        retries,
        at,
        provider,
        model,
        priced,
    }
}
