//! `breakwater verify`: answers judged offline, by files, with exit codes for pipelines.

use crate::child::Process;
use crate::gateway::directory;
use serde_json::{Value, json};

const CONTRACT: &str =
    "contract: { require: [complete, non_empty, schema, tools], deny: [{ name: prices, pattern: USD }] }";

fn request() -> Value {
    let schema = json!({ "type": "object", "required": ["age"], "properties": { "age": { "type": "integer" } } });
    json!({ "model": "m", "messages": [{ "role": "user", "content": "How old?" }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "age", "schema": schema } } })
}

fn whole(text: &str) -> String {
    json!({ "model": "m", "choices": [{ "index": 0, "message": { "content": text }, "finish_reason": "stop" }] })
        .to_string()
}

/// Exit code, output, errors, for these files.
async fn verify(contract: &str, answer: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let directory = directory("");
    for (name, text) in [("contract.yaml", contract), ("answer.json", answer), ("request.json", &request().to_string())]
    {
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    let arguments = [&["verify", "--contract", "contract.yaml", "--answer", "answer.json"], more].concat();
    let process = Process::start(directory.path(), &arguments, &[]);
    (process.exit().await, process.stdout.text(), process.stderr.text())
}

#[tokio::test]
async fn the_exit_code_says_whether_the_contract_holds() {
    let asked = &["--request", "request.json"][..];
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"{\\\"age\\\":\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"7}\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let cut = stream.replace("7}", "7");
    for (contract, answer, more, code, words) in [
        (CONTRACT, whole("{\"age\":7}"), asked, 0, "the contract holds (checked: complete, non_empty, schema, deny)"),
        (CONTRACT, whole("old"), &[], 0, "the contract holds"),
        (CONTRACT, stream.to_owned(), asked, 0, "the contract holds"),
        (CONTRACT, cut, asked, 1, "violation: schema: json_cut at /choices/0/message/content: "),
        (CONTRACT, whole("{\"age\":\"7\"}"), asked, 1, "wrong_type at /choices/0/message/content#/age: "),
        (CONTRACT, whole("7 USD"), &[], 1, "pattern_denied"),
        (CONTRACT, "hello".to_owned(), &[], 2, "neither a whole answer nor a stream"),
        (CONTRACT, whole("x"), &["--request", "gone.json"], 2, "cannot read gone.json"),
        ("require: [complte]", whole("x"), &[], 2, "require[0]: unknown check `complte`"),
        ("deny: ['(']", whole("x"), &[], 2, "deny[0]: is no pattern"),
    ] {
        let (exit, out, errors) = verify(contract, &answer, more).await;
        assert_eq!(exit, Some(code), "{answer}: {out}{errors}");
        let told = if code == 2 { errors } else { out };
        assert!(told.contains(words), "{answer}: {told}");
    }
}

#[tokio::test]
async fn repair_and_json_reports() {
    let fenced = whole("```json\n{\"age\":7}\n```");
    let more = ["--request", "request.json", "--repair"];
    let (code, out, _) = verify(CONTRACT, &fenced, &more).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("repair: unfenced at /choices/0/message/content\n{\"age\":7}\n"), "{out}");
    let (_, out, _) = verify(CONTRACT, &whole("{\"age\":"), &more).await;
    assert!(out.contains("repair: nothing that is certain"), "{out}");
    let (code, out, _) = verify(CONTRACT, &fenced, &[&more[..], &["--format", "json"]].concat()).await;
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["holds"]), (Some(1), &json!(false)));
    assert_eq!(report["violations"][0]["code"], "json_fenced");
    assert_eq!(report["repair"]["choices"][0]["content"], "{\"age\":7}");
}
