//! Addresses as LiteLLM's files write them, and as ours do.
//!
//! Must never be here: secrets. What of an address may be one is not handed on.

use super::fields::{plain, variable};
use super::kinds::Vendor;

/// One address in our words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) ours: String,
    /// What is different; empty where the same is asked.
    pub(super) note: String,
}

/// `written` of a provider of this vendor, with the path that LiteLLM adds itself. `None` where it holds a user or a
/// password.
pub(super) fn address(written: &str, vendor: &Vendor, path: &str) -> Option<Address> {
    if let Some(name) = variable(written) {
        let note = match path {
            "" => String::new(),
            _ => format!("{path} is put behind what {name} holds, which must not end in a slash or in that"),
        };
        return Some(Address { ours: format!("${{{name}}}{path}"), note });
    }
    let (scheme, rest) = written.split_once("://").unwrap_or(("https", written));
    let bare = rest.split(['?', '#']).next().unwrap_or(rest).trim_end_matches('/');
    let (authority, theirs) = bare.find('/').map_or((bare, ""), |slash| bare.split_at(slash));
    if authority.contains('@') {
        return None;
    }
    let (ended, changed) = ended(theirs, vendor.kind, path);
    let ours = format!("{scheme}://{authority}{ended}");
    let same = !changed && written.trim_end_matches('/') == format!("{scheme}://{bare}");
    let note = if same { "" } else { "its path is that of our kind, without a query" };
    Some(Address { ours: plain(&ours), note: note.to_owned() })
}

/// A path that ends as ours do, and whether anything else is asked for it.
fn ended(theirs: &str, kind: &str, path: &str) -> (String, bool) {
    let cut = match kind {
        // Whatever stands behind it names a deployment or an operation.
        "azure_openai" => cut(theirs.split("/openai").next().unwrap_or(theirs), &["/models"]),
        "cohere" => cut(theirs, &["/chat", "/embed", "/rerank"]).trim_end_matches("/v1"),
        "anthropic" => cut(theirs, &["/messages"]),
        "ollama_native" => cut(theirs, &["/chat", "/generate", "/embed"]),
        _ => theirs,
    };
    let whole = joined(cut, path);
    // An operation at its end is what LiteLLM and we add, too.
    let changed = match kind {
        "azure_openai" => !theirs.is_empty() && theirs != "/openai" && theirs != whole || path != "/openai",
        "cohere" => !theirs.starts_with(&whole),
        _ => false,
    };
    (whole, changed)
}

fn cut<'a>(path: &'a str, operations: &[&str]) -> &'a str {
    operations.iter().find_map(|operation| path.strip_suffix(operation)).unwrap_or(path)
}

/// Both paths in one, without saying again what the first ends with.
fn joined(first: &str, second: &str) -> String {
    let starts = std::iter::once(second.len()).chain(second.rmatch_indices('/').map(|(place, _)| place));
    let overlap = starts.filter(|end| first.ends_with(&second[..*end])).max().unwrap_or(0);
    format!("{first}{}", &second[overlap..])
}

#[cfg(test)]
mod tests {
    use super::super::kinds::named;
    use super::address;

    #[test]
    fn addresses_end_as_ours_do() {
        for (model, written, path, expected, same) in [
            ("openai/m", "http://h:8000/v1/", "", "http://h:8000/v1", true),
            ("openai/m", "h/v1?a=b", "", "https://h/v1", false),
            ("anthropic/m", "https://h", "/v1", "https://h/v1", true),
            ("anthropic/m", "https://h/anthropic", "/v1", "https://h/anthropic/v1", true),
            ("anthropic/m", "https://h/v1/messages", "/v1", "https://h/v1", true),
            ("azure_ai/claude-x", "https://h/anthropic", "/anthropic/v1", "https://h/anthropic/v1", true),
            ("azure_ai/claude-x", "https://h", "/anthropic/v1", "https://h/anthropic/v1", true),
            ("ollama/m", "http://h:11434", "/api", "http://h:11434/api", true),
            ("ollama_chat/m", "http://h:11434/api/chat", "/api", "http://h:11434/api", true),
            ("ollama/m", "os.environ/BASE", "/api", "${BASE}/api", false),
            ("mistral/m", "https://h/v1", "/v1", "https://h/v1", true),
            ("cohere/m", "https://h/v2/chat", "/v2", "https://h/v2", true),
            ("cohere/m", "https://h/v1/chat", "/v2", "https://h/v2", false),
            ("azure/m", "https://h/", "/openai", "https://h/openai", true),
            ("azure/m", "https://h/openai/deployments/x", "/openai", "https://h/openai", false),
            ("azure/m", "https://h", "/openai/v1", "https://h/openai/v1", false),
            ("azure_ai/m", "https://h/models", "/openai/v1", "https://h/openai/v1", false),
            ("gemini/m", "https://h/v1beta", "", "https://h/v1beta", true),
        ] {
            let named = named(model, true).unwrap();
            let found = address(written, &named.vendor, path).unwrap();
            assert_eq!((found.ours.as_str(), found.note.is_empty()), (expected, same), "{model} {written}");
        }
        assert_eq!(address("https://u:p@h", &named("openai/m", true).unwrap().vendor, ""), None);
    }
}
