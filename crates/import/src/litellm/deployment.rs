//! Entries of `model_list`: each a target of its group, at a provider that others may share.

use super::account::{self, Account, Credentials, Sources, left_out};
use super::fields::{
    Fields, count, fields, millis, number, rest, take, take_fields, take_first, take_text, text, variable,
};
use super::kinds::{Named, Way, named, region_of_arn, unasked};
use super::model::{fill_from, take_facts, take_info};
use crate::finding::{Findings, Status};
use crate::gateway::{Model, Provider};
use serde_json::Value;

/// One entry.
pub(super) struct Deployment {
    /// The place of its entry in the file.
    pub(super) entry_at: String,
    /// The place of its parameters.
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
    /// With the key that says it.
    pub(super) retries: Option<(&'static str, u64)>,
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
    /// Takes in one entry. One that cannot be called from here is told of with all its fields, and left out.
    pub(super) fn add(&mut self, at: &str, entry: Value, credentials: &Credentials, findings: &mut Findings) {
        let Some(mut entry) = fields(Some(entry)).filter(|entry| !entry.is_empty()) else {
            return findings.manual(at, "it has no model_name with litellm_params");
        };
        let params_at = format!("{at}.litellm_params");
        let model_at = format!("{params_at}.model");
        let (group, params) = (text(entry.get("model_name").cloned()), fields(entry.get("litellm_params").cloned()));
        let Some((group, mut params)) = group.zip(params) else {
            findings.manual(at, "it has no model_name with litellm_params");
            return left_out(&entry, at, &[], findings);
        };
        let lent = lend(&mut params, credentials);
        let addressed = params.contains_key("api_base") || params.contains_key("base_url");
        let written = written(&params);
        let named = match asked(written.as_deref(), addressed) {
            Ok(named) => named,
            Err((status, why)) => {
                match status {
                    Status::Manual => findings.manual(&model_at, why),
                    _ => findings.unsupported(&model_at, why),
                }
                return left_out(&entry, at, &[&model_at], findings);
            }
        };
        lent.told(&params_at, findings);
        params.remove("model");
        if take_text(&mut params, &params_at, "custom_llm_provider", findings).is_some() {
            findings.exact(&format!("{params_at}.custom_llm_provider"), "providers");
        }
        let profile = profile(&mut params, &params_at, &named, &format!("routes.{group}.targets"), findings);
        let model_name = profile.as_deref().unwrap_or(named.model);
        let named = Named { region: named.region.or_else(|| region_of_arn(model_name)), ..named };
        let (account, sources) = Account::take(&mut params, &params_at, &named, findings);
        let kind = account.vendor.kind;
        let listed = account.is_vendors_own();
        self.enter(&account, &params_at, &sources, findings);
        let Some((_, provider)) = self.providers.iter_mut().find(|(one, _)| *one == account) else { return };
        let to = format!("providers.{}", provider.name);
        match note(&account, &named) {
            "" => findings.exact(&model_at, &to),
            note => findings.approximate(&model_at, &to, note),
        }
        let info = take_fields(&mut entry, at, "model_info", findings);
        let of_profile = profile.is_some().then_some(named.model);
        let known = Known { kind, name: model_name, of_profile, to: &to };
        known.take(provider, &mut params, (at, info.unwrap_or_default()), findings);
        let said = provider.models.get(model_name).is_some_and(|model| model.price.is_some());
        let priced = said || listed && is_priced(kind, named.model);
        let provider = provider.name.clone();
        let deployment = deployment(
            &mut params,
            (at.to_owned(), params_at.clone()),
            provider,
            model_name.to_owned(),
            priced,
            findings,
        );
        account::left(params, &params_at, findings);
        for key in ["model_name", "litellm_params"] {
            entry.remove(key);
        }
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
    fn enter(&mut self, account: &Account, at: &str, sources: &Sources, findings: &mut Findings) {
        let known = self.providers.iter().find(|(one, _)| one == account).map(|(_, provider)| provider.name.clone());
        let prefix = account.vendor.prefix;
        let name = known.clone().unwrap_or_else(|| {
            match self.providers.iter().filter(|(one, _)| one.vendor.prefix == prefix).count() {
                0 => prefix.to_owned(),
                taken => format!("{prefix}_{}", taken + 1),
            }
        });
        let provider = account.provider(&name, at, sources, findings);
        if known.is_none() {
            self.providers.push((account.clone(), provider));
        }
    }
}

/// Who serves the model that is written, if we can ask for it; the error is what becomes of its entry, and why.
fn asked(written: Option<&str>, addressed: bool) -> Result<Named<'_>, (Status, String)> {
    const NOBODYS: &str = "it names no provider; give each provider's models a pattern of their own";
    let written = written.ok_or((Status::Manual, "it is missing, or no name of a model".to_owned()))?;
    let named = named(written, addressed).map_err(|word| match word {
        "*" => (Status::Manual, NOBODYS.to_owned()),
        _ => (Status::Unsupported, format!("there is no kind of provider for {word}: the entry is left out")),
    })?;
    if named.model.is_empty() {
        return Err((Status::Manual, NOBODYS.to_owned()));
    }
    match unasked(&named) {
        None => Ok(named),
        Some(why) => Err((Status::Unsupported, why.to_owned())),
    }
}

/// A model of which an entry says something.
struct Known<'a> {
    kind: &'a str,
    /// May be a pattern.
    name: &'a str,
    /// The model behind a profile that is asked in its place.
    of_profile: Option<&'a str>,
    /// Its provider's place in our file.
    to: &'a str,
}

impl Known<'_> {
    /// Takes what the parameters and `model_info` of the entry at `at` say.
    fn take(&self, provider: &mut Provider, params: &mut Fields, (at, info): (&str, Fields), findings: &mut Findings) {
        let (params_at, info_at) = (format!("{at}.litellm_params"), format!("{at}.model_info"));
        if self.name.contains('*') && self.name != "*" {
            // Parameters are told with whatever else is left.
            let why = "something is said of one model, or of all that are not named, but not of a pattern";
            return rest(&info, &info_at, findings, |_| why);
        }
        let to = format!("{}.models[\"{}\"]", self.to, self.name);
        let mut model = provider.models.remove(self.name).unwrap_or_default();
        take_facts(params, &params_at, &to, &mut model, findings);
        take_info(info, &info_at, &to, &mut model, self.kind, findings);
        if let Some(name) = self.of_profile {
            fill_from(self.kind, name, &mut model);
        }
        if model != Model::default() {
            provider.models.insert(self.name.to_owned(), model);
        }
    }
}

/// The model as LiteLLM reads it: its vendor in front, where that is said beside it.
fn written(params: &Fields) -> Option<String> {
    let model = text(params.get("model").cloned())?;
    let vendor = text(params.get("custom_llm_provider").cloned());
    let in_front = |vendor: &String| !vendor.is_empty() && model.split('/').next() != Some(vendor);
    let whole = vendor.filter(in_front).map_or_else(|| model.clone(), |vendor| format!("{vendor}/{model}"));
    whole.bytes().all(|byte| byte.is_ascii_graphic()).then_some(whole)
}

/// What is different of this model's calls; empty where nothing is.
fn note(account: &Account, named: &Named<'_>) -> &'static str {
    match named.way {
        Way::Other => "by Converse, as all models of Bedrock",
        Way::Usual | Way::Responses => account.vendor.note,
    }
}

/// The inference profile or the provisioned model of Bedrock that is asked in the model's place.
fn profile(params: &mut Fields, at: &str, named: &Named<'_>, to: &str, findings: &mut Findings) -> Option<String> {
    if named.vendor.kind != "bedrock" {
        return None;
    }
    let literal = |id: &String| variable(id).is_none() && !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic());
    let id = take(params, at, "model_id", findings, |value| text(Some(value.clone())).filter(literal))?;
    findings.exact(&format!("{at}.model_id"), to);
    Some(id)
}

/// Whether an entry names a credential.
enum Lent {
    Nothing,
    Values,
    /// There is none of that name.
    Unknown,
}

impl Lent {
    fn told(&self, at: &str, findings: &mut Findings) {
        let from = format!("{at}.litellm_credential_name");
        match self {
            Self::Nothing => {}
            Self::Values => findings.exact(&from, "providers"),
            Self::Unknown => {
                let why = "no such credential is in the credential_list; give the provider's api_key";
                findings.manual(&from, why);
            }
        }
    }
}

/// Puts in what a credential holds, where the entry says nothing itself.
fn lend(params: &mut Fields, credentials: &Credentials) -> Lent {
    let Some(name) = params.remove("litellm_credential_name").filter(|name| !name.is_null()) else {
        return Lent::Nothing;
    };
    let Some(values) = text(Some(name)).and_then(|name| credentials.get(&name)) else { return Lent::Unknown };
    for (key, value) in values {
        params.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Lent::Values
}

fn is_priced(kind: &str, model: &str) -> bool {
    catalogue::Catalogue::default().models(kind).of(model).is_some_and(|facts| facts.price.is_some())
}

fn deployment(
    params: &mut Fields,
    (entry_at, at): (String, String),
    provider: String,
    model: String,
    priced: bool,
    findings: &mut Findings,
) -> Deployment {
    let retries = |value: &Value| count(value).filter(|retries| *retries < 1000);
    let retries = take_first(params, &at, &["max_retries", "num_retries"], findings, retries);
    Deployment {
        weight: take(params, &at, "weight", findings, number),
        rpm: take(params, &at, "rpm", findings, number),
        tpm: take(params, &at, "tpm", findings, number),
        order: take(params, &at, "order", findings, |value| count(value).filter(|order| *order < 1_000_000)),
        timeout: take(params, &at, "timeout", findings, millis),
        stream_timeout: take(params, &at, "stream_timeout", findings, millis),
        retries,
        entry_at,
        at,
        provider,
        model,
        priced,
    }
}
