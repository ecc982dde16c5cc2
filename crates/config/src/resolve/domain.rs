//! The failure domains a provider lies in: its vendor, and at that vendor its account and its region.

use super::name;
use crate::fault::{At, quote};
use crate::file::Text;
use crate::reader::Reader;
use crate::settings::Provider;
use std::sync::Arc;

/// What a provider says of where it lies.
#[derive(Default)]
pub(crate) struct Labels {
    account: Option<String>,
    region: Option<String>,
}

impl Labels {
    /// The region that is said.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// Reads `account` and `region` of the provider at `at`.
pub(crate) fn labels(reader: &mut Reader<'_>, at: &At, account: Text, region: Text) -> Labels {
    Labels { account: label(reader, &at.key("account"), account), region: label(reader, &at.key("region"), region) }
}

/// It becomes a word of a name that people and metrics read.
fn label(reader: &mut Reader<'_>, at: &At, text: Text) -> Option<String> {
    let words = reader.text(at, text)?;
    if let Err(why) = name::check(&words.value) {
        reader.fault(at, format!("{} {why}", quote(&words.written)));
        return None;
    }
    Some(words.value)
}

/// The domains of a provider, the widest first.
pub(crate) fn domains(provider: &Provider, labels: &Labels) -> Vec<Arc<str>> {
    let vendor = vendor(provider);
    let account = labels.account.as_ref().map(|account| format!("account {account} at {vendor}"));
    let region = labels.region.as_ref().map(|region| format!("region {region} at {vendor}"));
    [Some(format!("vendor {vendor}")), account, region].into_iter().flatten().map(Arc::from).collect()
}

/// Where it lives, as `host` or `host:port`; a simulated provider is its own vendor.
fn vendor(provider: &Provider) -> String {
    let settings = match provider {
        Provider::Http(settings) => settings,
        Provider::Simulated { name, .. } => return name.to_string(),
    };
    let host = settings.base_url.host().unwrap_or_default().to_ascii_lowercase();
    let usual = if settings.base_url.scheme_str() == Some("http") { 80 } else { 443 };
    match settings.base_url.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        _ => host,
    }
}
