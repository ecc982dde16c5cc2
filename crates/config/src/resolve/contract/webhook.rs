//! `webhook`: who is asked whether an answer may pass, and what holds where nothing is said.

use crate::defaults;
use crate::fault::At;
use crate::file::{self, Block, Text};
use crate::lenient::Lenient;
use crate::reader::Reader;
use crate::resolve::headers::headers;
use crate::resolve::url;
use http::Uri;
use std::ops::RangeInclusive;
use std::time::Duration;
use upstream::WebhookSettings;

/// How long it may take: an answer waits for it.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(120);

/// What the block says.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) settings: WebhookSettings,
    pub(super) policy: contracts::Webhook,
}

/// Reads the block at `at`.
pub(super) fn webhook(reader: &mut Reader<'_>, at: &At, block: Block<file::Webhook>) -> Option<Webhook> {
    const REPLIES: &[(&str, bool)] = &[("pass", true), ("fail", false)];
    let section = reader.value(at, block)?;
    let webhook = reader.section(at, section);
    let timeout = timeout(reader, &at.key("timeout"), webhook.timeout);
    let fail_open = reader.choice(&at.key("on_failure"), webhook.on_failure, "outcome", REPLIES).unwrap_or(false);
    let headers = headers(reader, &at.key("headers"), webhook.headers);
    let url = address(reader, &at.key("url"), webhook.url)?;
    Some(Webhook { settings: WebhookSettings { url, headers, timeout }, policy: contracts::Webhook { fail_open } })
}

fn timeout(reader: &mut Reader<'_>, at: &At, span: Lenient<file::Span>) -> Duration {
    let Some(timeout) = reader.wait(at, span) else { return defaults::WEBHOOK_TIMEOUT };
    if !TIMEOUT.contains(&timeout) {
        reader.fault(at, "must be from 10ms to 120s");
    }
    timeout
}

fn address(reader: &mut Reader<'_>, at: &At, text: Text) -> Option<Uri> {
    let required = reader.required(at, text);
    let words = reader.text(at, required)?;
    match sound(&words.value) {
        Ok(uri) => {
            if url::is_overheard(&uri) {
                reader.warn(at, "requests and answers travel unencrypted over http:// to another host");
            }
            Some(uri)
        }
        Err(why) => {
            reader.fault(at, why);
            None
        }
    }
}

fn sound(text: &str) -> Result<Uri, &'static str> {
    let uri = url::outside(text)?;
    if url::names_a_user(&uri) { Err("must hold no user or password; use `headers`") } else { Ok(uri) }
}
