//! How a rich answer and a rich request look to the other side, for each pair: to be read as part of every change.

use crate::asked::{RICH, asked};
use crate::crossings::{face, sent};
use crate::provider::{Scene, answer};
use crate::rows::ROWS;
use crate::sides::{CLIENTS, providers};
use llm::Api;
use serde_json::Value;

/// Compares `shown` with what is kept under `name`.
pub(crate) fn snapshot(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

fn named(api: Api) -> &'static str {
    match api {
        Api::Shared(dialect) => dialect.as_str(),
        Api::Cohere => "cohere",
        Api::Ollama => "ollama",
        Api::Bedrock => "bedrock",
        Api::BedrockCount => "count",
        Api::Vectors(_) => "vectors",
    }
}

#[test]
fn rich_answers_look_so_to_each_client() {
    // Of those that answer in one dialect, the one that says most.
    let told = ["openrouter", "anthropic", "gemini", "responses", "cohere", "ollama", "bedrock"];
    for row in ROWS.into_iter().filter(|row| told.contains(&row.name)) {
        let wire = answer(row, Scene::Rich).expect("a scene that all have");
        for client in CLIENTS.into_iter().map(|one| one.dialect).filter(|client| !row.api.is(*client)) {
            let (out, _) = sent(&face(row, client), [&wire.events.concat()[..]]);
            let shown = std::str::from_utf8(&out).expect("text");
            snapshot(&format!("answer_of_{}_to_{}", named(row.api), client.as_str()), shown);
        }
    }
}

#[test]
fn rich_requests_look_so_to_each_provider() {
    // Of the servers of OpenAI's chat dialect, those that differ most.
    let alike = ["elsewhere", "compatible", "openrouter", "vllm", "perplexity"];
    for provider in providers().filter(|provider| !alike.contains(&provider.name)) {
        for client in CLIENTS.into_iter().filter(|client| !provider.api.is(client.dialect)) {
            let body = asked(client.dialect, RICH).expect("a request").to_string();
            let request = (client.decode)(body.into()).expect("a request");
            let written = provider.asked(&request).expect("said");
            let said: Value = serde_json::from_slice(&written.body).expect("JSON");
            let shown = format!("left out: {:?}\n{said:#}", written.left_out);
            snapshot(&format!("request_of_{}_to_{}", client.dialect.as_str(), provider.name), &shown);
        }
    }
}
