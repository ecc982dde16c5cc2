//! `providers`: a kind, an address, keys and headers to what the transport needs.

use super::amazon;
use super::apis;
use super::asked::{Asked, AskedOf};
use super::cloud;
use super::domain::{self, Labels};
use super::google;
use super::headers::headers;
use super::keys::{has_key, keys, usable};
use super::known::Library;
use super::model::{self, Models, Slots};
use super::name;
use super::url;
use crate::fault::{At, did_you_mean, quote};
use crate::file;
use crate::lenient::Lenient;
use crate::reader::{Reader, Words};
use crate::settings::Provider;
use http::Uri;
use routing::ProviderFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use upstream::{Credential, PRESETS, Preset, ProviderSettings, Site, preset};

const SIMULATOR: &str = "simulator";
const OPENAI: &str = "openai";
const AZURE: &str = "azure_openai";

/// Other spellings of a kind.
const SPELLINGS: &[(&str, &str)] = &[
    ("azure", AZURE),
    ("google", "gemini"),
    ("lmstudio", "lm_studio"),
    ("lm studio", "lm_studio"),
    ("llama_cpp", "llama.cpp"),
    ("llamacpp", "llama.cpp"),
];

/// Every value of `kind`, one spelling each.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.kind).chain([SIMULATOR])
}

/// All providers.
#[derive(Default)]
pub(crate) struct Providers {
    /// The names of all, the faulty ones included, so that no target is blamed for its provider.
    pub(crate) names: BTreeSet<String>,
    pub(crate) settings: Vec<Provider>,
    /// For each of `settings` by place.
    pub(crate) facts: Vec<ProviderFacts>,
    /// The place of the first of kind openai, where there is one.
    pub(crate) first_of_openai: Option<usize>,
    /// How many calls the models of each take.
    pub(crate) slots: Vec<(Arc<str>, Slots)>,
}

impl Providers {
    /// What is known of each, by name.
    pub(crate) fn facts(&self) -> BTreeMap<&str, &ProviderFacts> {
        self.facts.iter().map(|facts| (&*facts.name, facts)).collect()
    }

    fn add(&mut self, one: One, asked: &AskedOf, library: &mut Library) {
        let One { provider, kind, labels, models } = one;
        if kind == OPENAI {
            self.first_of_openai.get_or_insert(self.settings.len());
        }
        let listed = is_listed(&kind, &provider);
        let facts = library.facts(&kind, listed, &models, &asked.of(provider.name()));
        self.slots.push((Arc::clone(provider.name()), models.slots));
        self.facts.push(of_provider(facts, &provider, &labels));
        self.settings.push(provider);
    }
}

/// A sound provider.
struct One {
    provider: Provider,
    kind: String,
    labels: Labels,
    models: Models,
}

/// What is known of a provider of this kind that no file says anything of, where clients may ask for any model.
pub(crate) fn unsaid_facts(provider: &Provider, kind: &str, library: &mut Library) -> ProviderFacts {
    let facts = library.facts(kind, is_listed(kind, provider), &Models::default(), &Asked::anything());
    of_provider(facts, provider, &Labels::default())
}

fn of_provider(facts: ProviderFacts, provider: &Provider, labels: &Labels) -> ProviderFacts {
    ProviderFacts { name: Arc::clone(provider.name()), domains: domain::domains(provider, labels), ..facts }
}

/// Whether the catalogue of models speaks of this provider: one at an address of its own is not the vendor that the
/// kind's presets lead to, and serves what it likes under any name. What runs at home is the same in every home.
fn is_listed(kind: &str, provider: &Provider) -> bool {
    let Provider::Http(settings) = provider else { return false };
    let Some(preset) = preset(kind) else { return true };
    let own = settings.base_url.host().unwrap_or_default().to_ascii_lowercase();
    // Whoever has no address of their own is the vendor wherever they are.
    let Some(usual) = preset.base_url.map(Uri::from_static) else { return true };
    let usual = usual.host().unwrap_or_default();
    let below = own.strip_suffix(usual).is_some_and(|region| region.is_empty() || region.ends_with('.'));
    below || url::is_loopback(usual)
}

pub(crate) fn all(
    reader: &mut Reader<'_>,
    at: &At,
    written: file::Named<file::Provider>,
    asked: &AskedOf,
) -> Providers {
    let mut library = Library::default();
    let absent = written.is_absent();
    let read = reader.value(at, written);
    if absent || read.as_ref().is_some_and(BTreeMap::is_empty) {
        reader.fault(at, "at least one provider is needed");
    }
    let mut providers = Providers::default();
    for (name, block) in read.unwrap_or_default() {
        let before = reader.faults.len();
        let built = provider(reader, &at.key(&name), &name, block);
        if let Some(one) = built.filter(|_| reader.faults.len() == before) {
            providers.add(one, asked, &mut library);
        }
        providers.names.insert(name);
    }
    providers
}

fn provider(reader: &mut Reader<'_>, at: &At, name: &str, block: file::Block<file::Provider>) -> Option<One> {
    if let Err(why) = name::check(name) {
        reader.fault(at, format!("{} {why}", quote(name)));
    } else if name.contains(['/', '*']) {
        reader.fault(at, format!("{} is no provider's name: it may hold neither `/` nor `*`", quote(name)));
    }
    let section = reader.value(at, block)?;
    let mut file = reader.section(at, section);
    let kind_at = at.key("kind");
    let kind = reader.required(&kind_at, std::mem::take(&mut file.kind));
    let kind = reader.text(&kind_at, kind)?;
    let kind_name = canonical(&kind.value);
    let labels = domain::labels(reader, at, std::mem::take(&mut file.account), std::mem::take(&mut file.region));
    let models = model::all(reader, &at.key("models"), std::mem::take(&mut file.models));
    let provider = match (kind_name, preset(kind_name)) {
        (SIMULATOR, _) => simulated(reader, at, name, file),
        (_, Some(preset)) => http_from_file(reader, at, name, preset, file, labels.region()).map(Provider::Http),
        (_, None) => {
            reader.fault(&kind_at, unknown_kind(&kind));
            None
        }
    };
    Some(One { provider: provider?, kind: kind_name.to_owned(), labels, models })
}

fn canonical(kind: &str) -> &str {
    SPELLINGS.iter().find(|(spelling, _)| *spelling == kind).map_or(kind, |(_, kind)| kind)
}

fn unknown_kind(kind: &Words) -> String {
    let known = kinds().collect::<Vec<_>>().join(", ");
    let written = quote(&kind.written);
    format!("unknown kind {written}{}; known kinds are {known}", did_you_mean(&kind.written, kinds()))
}

fn simulated(reader: &mut Reader<'_>, at: &At, name: &str, file: file::Provider) -> Option<Provider> {
    for (key, absent) in [
        ("base_url", file.base_url.is_absent()),
        ("api_key", file.api_key.is_absent()),
        ("keys", file.keys.is_absent()),
        ("access_key_id", file.access_key_id.is_absent()),
        ("secret_access_key", file.secret_access_key.is_absent()),
        ("session_token", file.session_token.is_absent()),
        ("headers", file.headers.is_absent()),
        ("done_marker", file.done_marker.is_absent()),
        ("apis", file.apis.is_absent()),
        ("api_version", file.api_version.is_absent()),
        ("passthrough", file.passthrough.is_absent()),
        ("project", file.project.is_absent()),
        ("location", file.location.is_absent()),
        ("credentials", file.credentials.is_absent()),
    ] {
        if !absent {
            reader.fault(&at.key(key), "means nothing to kind simulator");
        }
    }
    let behaviour = match file.behaviour {
        Lenient::Absent => None,
        given => Some(reader.value(&at.key("behaviour"), given)?.into()),
    };
    Some(Provider::Simulated { name: name.into(), behaviour })
}

fn http_from_file(
    reader: &mut Reader<'_>,
    at: &At,
    name: &str,
    preset: &Preset,
    file: file::Provider,
    region: Option<&str>,
) -> Option<ProviderSettings> {
    if !file.behaviour.is_absent() {
        reader.fault(&at.key("behaviour"), "means nothing but to kind simulator");
    }
    let own_address = !file.base_url.is_absent();
    let headers = headers(reader, &at.key("headers"), file.headers);
    let scheme = preset.scheme;
    let keyed = !file.api_key.is_absent() || !file.keys.is_absent() || has_key(&headers, scheme);
    let account = google::account(reader, &at.key("credentials"), preset.kind, file.credentials, keyed);
    let named = account.as_ref().and_then(|account| account.project.as_deref());
    let whereabouts = cloud::whereabouts(reader, at, preset, region, (file.project, named), file.location);
    let base_url = match own_address {
        true => base_url(reader, &at.key("base_url"), file.base_url),
        false if preset.base_url.is_some() => preset.base_url.map(Uri::from_static),
        false => cloud::address(reader, at, preset, &whereabouts),
    };
    let said = amazon::Said {
        access_key_id: file.access_key_id,
        secret_access_key: file.secret_access_key,
        session_token: file.session_token,
        sent: !file.api_key.is_absent() || !file.keys.is_absent(),
        headers: &headers,
        place: amazon::Place { region: whereabouts.region.as_deref(), own_address },
    };
    let signed = amazon::credential(reader, at, preset, said);
    let own = signed.or_else(|| account.map(|account| account.credential));
    let wants = (!own_address || preset.base_url.is_none()) && !has_key(&headers, scheme);
    let variables = if wants && own.is_none() { preset.key_variables } else { &[] };
    let keys = keys(reader, at, file.api_key, file.keys, variables);
    if !keys.is_empty() && has_key(&headers, scheme) {
        let at = at.key("headers").key(scheme.header().as_str());
        reader.fault(&at, "is made from the provider's key; give one of the two");
    }
    let credential = own.unwrap_or(Credential::Keys { keys, scheme });
    let mut quirks = preset.quirks(own_address);
    quirks.done_marker = reader.value(&at.key("done_marker"), file.done_marker).unwrap_or(quirks.done_marker);
    let apis = apis::spoken(reader, &at.key("apis"), file.apis);
    let apis = apis.unwrap_or_else(|| preset.speaks(own_address).collect());
    let site = site(reader, at, preset, file.api_version);
    let passthrough_at = at.key("passthrough");
    let passthrough = passthrough(reader, &passthrough_at, file.passthrough);
    if credential.covers_bodies() && !passthrough.is_empty() {
        reader.fault(&passthrough_at, "needs an api_key: a signature covers the body, which is handed through unread");
    }
    let (name, base_url) = (Arc::from(name), base_url?);
    Some(ProviderSettings { name, base_url, credential, headers, quirks, apis, passthrough, site })
}

/// The paths that clients may have handed through.
fn passthrough(reader: &mut Reader<'_>, at: &At, paths: file::List<String>) -> Vec<String> {
    let mut passed = Vec::new();
    for (at, written) in reader.list(at, paths).unwrap_or_default() {
        let Some(path) = reader.words(&at, written) else { continue };
        let starred = path.value.strip_suffix("/*").unwrap_or(&path.value);
        let plain = starred.bytes().all(|byte| byte.is_ascii_graphic() && !b"*?#%\\".contains(&byte));
        if (path.value.starts_with('/') && plain && !starred.contains("..")) || path.value == "/*" {
            passed.push(path.value);
        } else {
            reader.fault(&at, format!("{} is no path such as /assistants or /threads/*", quote(&path.written)));
        }
    }
    passed
}

/// How the provider lays out its API.
fn site(reader: &mut Reader<'_>, at: &At, preset: &Preset, api_version: file::Text) -> Site {
    let at = at.key("api_version");
    if preset.kind != AZURE {
        if !api_version.is_absent() {
            reader.fault(&at, format!("means nothing but to kind {AZURE}"));
        }
        return cloud::site(preset).unwrap_or_default();
    }
    match reader.text(&at, api_version) {
        Some(version) if version.value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            Site::AzureDeployments { version: version.value.into() }
        }
        Some(_) => {
            reader.fault(&at, "is no version, such as 2024-10-21");
            Site::Plain
        }
        None => Site::Plain,
    }
}

/// A provider at its preset's address, or at `base_url`; the error says what is wrong with which of the two texts.
pub(crate) fn http(preset: &Preset, base_url: Option<&str>, key: String) -> Result<ProviderSettings, &'static str> {
    let apis = preset.speaks(base_url.is_some()).collect();
    let usual = || preset.base_url.map(Uri::from_static).ok_or("needs an address, which only a file can give");
    let base_url = base_url.map_or_else(usual, address)?;
    let key = usable(key.into())?;
    Ok(ProviderSettings {
        name: Arc::from(preset.kind),
        base_url,
        credential: Credential::Keys { keys: vec![key], scheme: preset.scheme },
        headers: Vec::new(),
        quirks: preset.quirks,
        apis,
        passthrough: Vec::new(),
        site: Site::Plain,
    })
}

fn base_url(reader: &mut Reader<'_>, at: &At, text: file::Text) -> Option<Uri> {
    let words = reader.text(at, text)?;
    match address(&words.value) {
        Ok(uri) => {
            if url::is_overheard(&uri) {
                reader.warn(at, "keys and prompts travel unencrypted over http:// to another host");
            }
            Some(uri)
        }
        Err(why) => {
            reader.fault(at, why);
            None
        }
    }
}

fn address(text: &str) -> Result<Uri, &'static str> {
    let uri = url::outside(text.trim_end_matches('/'))?;
    if uri.query().is_some() {
        return Err("must have no query (`?...`)");
    }
    if url::names_a_user(&uri) {
        return Err("must hold no user or password; use `api_key` or `headers`");
    }
    Ok(uri)
}
