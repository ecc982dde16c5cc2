//! What of a model's name does not say which model it is.
//!
//! Sources: OpenAI's `gpt-4o-2024-08-06` and `ft:BASE:ORGANISATION::ID`, Anthropic's `claude-sonnet-4-5-20250929`,
//! Vertex AI's `MODEL@VERSION`, Bedrock's inference profiles (`us.`, `eu.`, `apac.`, `global.` and others), versions
//! (`-v1:0`) and ARNs, as their documentations describe them (November 2026).

use std::iter;

/// Where a profile of Bedrock runs, in front of the model's name. What runs for the US government is priced apart.
const REGIONS: &[&str] = &["us.", "eu.", "apac.", "global.", "jp.", "au."];

/// Endings that mean whatever is newest.
const NEWEST: &[&str] = &["-latest", "@latest", "@default"];

/// The names under which a model may be listed, from what it is called to what is left of that. Some come twice.
pub(crate) fn spellings(model: &str) -> impl Iterator<Item = &str> {
    let resource = resource(model);
    let dated = [resource, global(resource), tuned(resource)];
    dated.into_iter().chain(dated.map(undated))
}

/// The bare name of a model whose name says no day; `None` where it says one.
pub(crate) fn open_ended(model: &str) -> Option<&str> {
    let model = global(resource(model));
    let bare = NEWEST.iter().find_map(|ending| model.strip_suffix(ending)).unwrap_or(model);
    (undated(bare) == bare).then_some(bare)
}

/// A name without its day, its version at Bedrock, and its word for the newest.
pub(crate) fn undated(name: &str) -> &str {
    let steps = iter::successors(Some(name), |name| {
        let newest = NEWEST.iter().find_map(|ending| name.strip_suffix(ending));
        newest.or_else(|| without_version(name)).or_else(|| without_day(name)).filter(|rest| !rest.is_empty())
    });
    steps.last().unwrap_or(name)
}

/// The last part of an ARN.
fn resource(model: &str) -> &str {
    let named = model.starts_with("arn:").then(|| model.rsplit('/').next());
    named.flatten().unwrap_or(model)
}

fn global(model: &str) -> &str {
    REGIONS.iter().find_map(|region| model.strip_prefix(region)).unwrap_or(model)
}

/// A tuned model, without whose it is.
fn tuned(model: &str) -> &str {
    let base = model.strip_prefix("ft:").and_then(|rest| rest.find(':')).map(|length| length + "ft:".len());
    base.and_then(|end| model.get(..end)).unwrap_or(model)
}

/// `-v1:0`
fn without_version(name: &str) -> Option<&str> {
    let (rest, version) = name.rsplit_once("-v")?;
    let (major, minor) = version.split_once(':')?;
    (digits(major) && digits(minor)).then_some(rest)
}

/// `-2024-08-06`, `-20240806`, `@20240806`
fn without_day(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once(['-', '@'])?;
    if last.len() == 8 && digits(last) && last.starts_with("20") {
        return Some(rest);
    }
    let (rest, month) = rest.rsplit_once('-')?;
    let (rest, year) = rest.rsplit_once('-')?;
    let day = [(year, 4), (month, 2), (last, 2)].iter().all(|(part, length)| part.len() == *length && digits(part));
    (day && year.starts_with("20")).then_some(rest)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_days() {
        for (name, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4-0613", "gpt-4-0613"),
            ("mistral-small-2503", "mistral-small-2503"),
            ("mistral-small-latest", "mistral-small"),
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
            ("claude-sonnet-5-5@default", "claude-sonnet-5-5"),
            ("anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-sonnet-4"),
            ("amazon.nova-lite-v1:0", "amazon.nova-lite"),
            ("x-99999999", "x-99999999"),
            ("command-r-08-2024", "command-r-08-2024"),
            ("-latest", "-latest"),
            ("20240806", "20240806"),
            ("", ""),
        ] {
            assert_eq!(undated(name), expected, "{name}");
        }
    }

    #[test]
    fn spellings_from_exact_to_bare() {
        for (name, expected) in [
            ("gpt-4o", &["gpt-4o"] as &[&str]),
            ("gpt-4o-2024-08-06", &["gpt-4o-2024-08-06", "gpt-4o"]),
            ("us.a.b-v1:0", &["us.a.b-v1:0", "a.b-v1:0", "us.a.b-v1:0", "us.a.b", "a.b", "us.a.b"]),
            ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.a.b", &["eu.a.b", "a.b", "eu.a.b", "a.b", "eu.a.b"]),
            ("ft:a-2024-08-06:us::1", &["ft:a-2024-08-06:us::1", "ft:a-2024-08-06", "ft:a-2024-08-06:us::1", "ft:a"]),
        ] {
            let mut found: Vec<_> = spellings(name).collect();
            found.dedup();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn names_that_say_no_day() {
        for (name, expected) in [
            ("claude-haiku-4-5", Some("claude-haiku-4-5")),
            ("claude-3-5-haiku-latest", Some("claude-3-5-haiku")),
            ("us.anthropic.claude-x", Some("anthropic.claude-x")),
            ("claude-haiku-4-5-20251001", None),
        ] {
            assert_eq!(open_ended(name), expected, "{name}");
        }
    }
}
