//! What is asked in each dialect, at each provider: what becomes of it stands in a snapshot, and nothing vanishes.

use crate::asked::{FEATURES, asked};
use crate::nouns::{Noun, invented, nouns, vanished};
use crate::rows::{ROWS, Row};
use crate::sides::{CLIENTS, Client, Provider, providers};
use crate::snapshots::snapshot;
use llm::CallError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What becomes of a request that is not kept as it is: the fields that are left out, or the one for which it is refused.
fn fate(client: Client, provider: Provider, body: &Value) -> Result<Option<String>, String> {
    let request = (client.decode)(body.to_string().into()).expect("a request");
    let prompt = (client.read)(&request.raw).expect("sound");
    // A server that refuses words of its own dialect is asked in those that it has, like any other.
    if provider.api.is(client.dialect) && provider.quirks.server.refuses.is_empty() {
        // Nothing is to be changed but what another provider sealed, which is of no use to this one.
        let passed = provider.asked(&request).expect("passed");
        let own: Vec<Noun> =
            nouns(&prompt).into_iter().filter(|noun| !matches!(noun.kind, "seal" | "thought")).collect();
        kept(&own, &(provider.nouns)(&passed.body), &passed.left_out)?;
        let Ok(anew) = (provider.write)(&prompt, provider.model, &provider.quirks.server) else { return Ok(None) };
        kept(&nouns(&prompt), &(provider.nouns)(&anew.body), &anew.left_out)?;
        return Ok(None);
    }
    match provider.asked(&request) {
        Ok(written) => {
            kept(&nouns(&prompt), &(provider.nouns)(&written.body), &written.left_out)?;
            written.left_out.iter().try_for_each(|name| known(body, name))?;
            Ok((!written.left_out.is_empty()).then(|| written.left_out.join(", ")))
        }
        Err(CallError::InvalidRequest { param: Some(field), .. }) => {
            known(body, &field)?;
            Ok(Some(format!("refused for {field}")))
        }
        Err(other) => Err(format!("{other:?}")),
    }
}

/// Whether nothing of `before` vanished, and nothing came to it.
fn kept(before: &[Noun], after: &[Noun], told: &[String]) -> Result<(), String> {
    let (lost, new) = (vanished(before, after, told), invented(before, after));
    if lost.is_empty() && new.is_empty() {
        Ok(())
    } else {
        Err(format!("lost {lost:?}, invented {new:?}, told {told:?}"))
    }
}

/// Whether a client can find in its own request what it is told of: the last word of a path is that of a field, or of a kind.
fn known(body: &Value, name: &str) -> Result<(), String> {
    // A budget has two names in OpenAI's dialect, neither of them OpenAI's; and Anthropic's clients hold what others signed
    // in an envelope of ours.
    const OTHERWISE: [&str; 2] = ["budget_tokens", "signature"];
    if OTHERWISE.contains(&name) {
        return Ok(());
    }
    let word = name.rsplit('.').next().unwrap_or(name).split('[').next().unwrap_or(name);
    if occurs(body, word) { Ok(()) } else { Err(format!("told of {name}, which is not there")) }
}

fn occurs(value: &Value, word: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let is_kind = name == "type" && value.as_str().is_some_and(|kind| kind.contains(word));
            is_kind || name.to_lowercase().contains(&word.to_lowercase()) || occurs(value, word)
        }),
        Value::Array(items) => items.iter().any(|item| occurs(item, word)),
        _ => false,
    }
}

/// What becomes of one feature: at which provider, and what is told, for which clients.
type Fates = BTreeMap<(usize, &'static str, String), Vec<&'static str>>;

/// The same with providers in one line at which the same becomes of it.
fn together(fates: Fates) -> Vec<(Vec<&'static str>, String, Vec<&'static str>)> {
    let mut lines: Vec<(Vec<&str>, String, Vec<&str>)> = Vec::new();
    for ((_, name, told), clients) in fates {
        match lines.iter_mut().find(|(_, known, of)| *known == told && *of == clients) {
            Some((names, ..)) => names.push(name),
            None => lines.push((vec![name], told, clients)),
        }
    }
    lines
}

#[test]
fn every_request_keeps_its_meaning_or_is_told_what_it_loses() {
    let (mut faults, mut cells) = (Vec::new(), 0);
    let line = |row: Row| format!("{:<10}  {}\n", row.name, row.kinds.join(", "));
    let mut table = format!("providers, each with its kinds\n    {}", ROWS.map(line).join("    "));
    for feature in FEATURES {
        let mut fates = Fates::new();
        for client in CLIENTS {
            let Some(body) = asked(client.dialect, feature) else { continue };
            for (at, provider) in providers().enumerate() {
                cells += 1;
                match fate(client, provider, &body) {
                    Ok(None) => {}
                    Ok(Some(told)) => fates.entry((at, provider.name, told)).or_default().push(client.dialect.as_str()),
                    Err(fault) => faults.push(format!("{feature}, {:?} to {}: {fault}", client.dialect, provider.name)),
                }
            }
        }
        let clients: Vec<&str> = CLIENTS
            .iter()
            .filter(|one| asked(one.dialect, feature).is_some())
            .map(|one| one.dialect.as_str())
            .collect();
        writeln!(table, "{feature} (asked by {})", clients.join(", ")).expect("memory");
        for (names, told, clients) in together(fates) {
            writeln!(table, "    {:<10}  {told}  <- {}", names.join(", "), clients.join(", ")).expect("memory");
        }
    }
    assert!(faults.is_empty(), "{} of {cells} cells:\n{}", faults.len(), faults.join("\n"));
    snapshot("fates", &table);
}
