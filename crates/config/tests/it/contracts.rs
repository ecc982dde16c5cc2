//! The contract block: what it comes to, and every fault in it.

use crate::{VARIABLES, env, lines};
use config::{Format, contract};
use contracts::{Action, Check, Policy, Step};
use std::collections::BTreeSet;

fn accepted(yaml: &str) -> Policy {
    contract(yaml, Format::Yaml, &env(VARIABLES)).map_err(|faults| lines(&faults)).expect(yaml)
}

fn checks(policy: &Policy) -> Vec<&'static str> {
    policy.require.iter().map(|check| check.as_str()).collect()
}

#[test]
fn nothing_written_is_the_default() {
    assert_eq!(accepted("contract: {}"), Policy::default());
    assert_eq!(accepted("max_repairs: 1"), Policy::default());
    assert_eq!(checks(&Policy::default()), ["complete", "non_empty", "schema", "tools", "model"]);
}

#[test]
fn every_key_acts() {
    let policy = accepted(
        "contract:
  require: [complete, loop]
  on_violation: [reask, flag]
  max_repairs: 2
  repair_numbers: true
  schema: { type: object, required: [a] }
  models: ['gpt-*']
  dated_models: false
  reasoning_is_content: true
  deny: ['(?i)secret$', { name: price, pattern: '\\d+ USD' }]
  must_match: [Answer]
  pii: { entities: [EMAIL_ADDRESS], action: redact }
  secrets: {}
  languages: [en, de]
  max_chars: 4000
  citations: { min: 1 }
  webhook: { url: 'https://checks.example/judge', timeout: 500ms, on_failure: pass }",
    );
    let all: BTreeSet<Check> = Check::ALL.iter().copied().collect();
    let off: Vec<&str> = all.difference(&policy.require).map(|check| check.as_str()).collect();
    assert_eq!(off, ["non_empty", "tools"], "require replaces the defaults; a key turns its check on");
    assert_eq!(policy.on_violation, [Step::Reask, Step::Flag]);
    assert_eq!((policy.max_repairs, policy.repair_numbers, policy.dated_models), (2, true, false));
    assert_eq!(policy.schema.as_deref(), Some(r#"{"required":["a"],"type":"object"}"#));
    let deny: Vec<(&str, &str)> = policy.deny.iter().map(|p| (p.name.as_str(), p.regex.as_str())).collect();
    assert_eq!(deny, [("(?i)secret$", "(?i)secret$"), ("price", r"\d+ USD")]);
    assert_eq!((policy.pii.len(), policy.pii_action, policy.secrets_action), (1, Action::Redact, Action::Fail));
    assert_eq!((policy.languages.len(), policy.max_chars, policy.citations.min), (2, Some(4000), 1));
    let webhook = policy.webhook.expect("there");
    assert_eq!(
        (webhook.url.as_str(), webhook.timeout.as_millis(), webhook.fail_open),
        ("https://checks.example/judge", 500, true)
    );
}

#[test]
fn a_schema_may_stand_in_a_file_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("schema.json");
    std::fs::write(&path, "{\"type\": \"object\"}").expect("written");
    let policy = accepted(&format!("schema: {{ file: '{}' }}", path.display()));
    assert_eq!(policy.schema.as_deref(), Some("{\"type\": \"object\"}"));
}

#[test]
fn every_fault_is_told_with_its_place() {
    for (yaml, expected) in [
        ("contract: { colour: x }", &["contract.colour: unknown key"][..]),
        ("[1]", &["a contract is a mapping"]),
        ("require: [complte]", &["require[0]: unknown check `complte` (did you mean `complete`?)"]),
        (
            "require: [deny, require, language, max_chars, webhook]",
            &[
                "require: `deny` does nothing without `deny`",
                "require: `require` does nothing without `must_match`",
                "require: `language` does nothing without `languages`",
                "require: `max_chars` does nothing without `max_chars`",
                "require: `webhook` does nothing without `webhook`",
            ],
        ),
        (
            "on_violation: [fail, reask, mend]",
            &["on_violation[2]: unknown step `mend`", "on_violation[1]: stands behind `fail`"],
        ),
        ("on_violation: [repair, repair]", &["on_violation[1]: `repair` stands here twice"]),
        ("on_violation: []", &["on_violation: is empty"]),
        ("{ on_violation: [fail], max_repairs: 2 }", &["max_repairs: does nothing without `reask`"]),
        ("max_repairs: 6", &["max_repairs: must be at most 5"]),
        (
            "deny: ['(a', ok, '(?=x)']",
            &["deny[0]: is no pattern: unclosed group", "deny[2]: is no pattern: look-around"],
        ),
        ("must_match: [{ name: x }]", &["must_match[0].pattern: is missing"]),
        ("must_match: [7]", &["must_match[0]: expected a regular expression"]),
        ("schema: { $ref: 'https://example.com/x' }", &["schema: refers to another document"]),
        ("schema: { file: /nowhere/at/all.json }", &["schema.file: cannot read"]),
        ("schema: 7", &["schema: expected a mapping"]),
        (
            "pii: { entities: [EMAIL], action: hide }",
            &["pii.entities[0]: unknown entity", "pii.action: unknown action"],
        ),
        ("pii: { entities: [JWT] }", &["pii.entities[0]: unknown entity `JWT`"]),
        ("secrets: { entities: [EMAIL_ADDRESS] }", &["secrets.entities[0]: unknown entity"]),
        ("languages: [xx]", &["languages[0]: unknown language"]),
        ("max_chars: 0", &["max_chars: must be more than 0"]),
        ("citations: { pattern: 'no group' }", &["citations.pattern: the pattern has no group"]),
        ("webhook: { timeout: 0s }", &["webhook.timeout: must be more than 0", "webhook.url: is missing"]),
        ("webhook: { url: 'ftp://x' }", &["webhook.url: `ftp://x` is no http or https URL"]),
    ] {
        let faults = contract(yaml, Format::Yaml, &env(VARIABLES)).err().unwrap_or_default();
        let told = lines(&faults);
        assert_eq!(told.len(), expected.len(), "{yaml}: {told:?}");
        for words in expected {
            assert!(told.iter().any(|line| line.starts_with(words)), "{yaml}: {words}: {told:?}");
        }
    }
}
