//! The contract block: what it comes to, and every fault in it.

use crate::{VARIABLES, env, lines, read};
use config::{AnswerPolicy, Format, Hold, Settings, contract, defaults};
use contracts::{Action, Check, Policy, Step};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

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
  webhook: { url: 'https://checks.example/judge', timeout: 500ms, on_failure: pass }
  stream_hold: { bytes: 64KiB, time: 10s }",
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
    assert!(policy.webhook.expect("there").fail_open);
}

#[test]
fn a_schema_may_stand_in_a_file_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("schema.json");
    std::fs::write(&path, "{\"type\": \"object\"}").expect("written");
    let policy = accepted(&format!("schema: {{ file: '{}' }}", path.display()));
    assert_eq!(policy.schema.as_deref(), Some("{\"type\": \"object\"}"));
}

const HOLD: &[&str] = &["stream_hold.bytes: must be from 1KiB to 32MiB", "stream_hold.time: must be from 1s to 1h"];

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
        ("schema: 7", &["schema: expected a mapping or false, not a number"]),
        (
            "pii: { entities: [EMAIL], action: hide }",
            &["pii.entities[0]: unknown entity", "pii.action: unknown action"],
        ),
        ("pii: { entities: [JWT] }", &["pii.entities[0]: unknown entity `JWT`"]),
        ("secrets: { entities: [EMAIL_ADDRESS] }", &["secrets.entities[0]: unknown entity"]),
        ("languages: [xx]", &["languages[0]: unknown language"]),
        ("max_chars: 0", &["max_chars: must be more than 0"]),
        ("citations: { pattern: 'no group' }", &["citations.pattern: the pattern has no group"]),
        ("stream_hold: { bytes: 512B, time: 500ms }", HOLD),
        ("stream_hold: { bytes: 33MiB, time: 61m }", HOLD),
        ("stream_hold: { bytes: 0B, size: 1 }", &["stream_hold.size: unknown key", "stream_hold.bytes: must be more"]),
    ] {
        let faults = contract(yaml, Format::Yaml, &env(VARIABLES)).err().unwrap_or_default();
        let told = lines(&faults);
        assert_eq!(told.len(), expected.len(), "{yaml}: {told:?}");
        for words in expected {
            assert!(told.iter().any(|line| line.starts_with(words)), "{yaml}: {words}: {told:?}");
        }
    }
}

fn routes(yaml: &str) -> Settings {
    read(yaml).map_err(|faults| lines(&faults)).expect(yaml)
}

fn policy(answers: &AnswerPolicy) -> &Policy {
    answers.contract.policy()
}

const USUAL_HOLD: Hold = Hold { bytes: 4 << 20, time: Duration::from_secs(120) };

#[test]
fn every_route_and_direct_calls_have_a_contract_without_a_word() {
    for (yaml, count) in
        [("direct: true", 2), ("open: true", 2), ("routes: { a: { targets: [p/m] }, b: { targets: [q/m] } }", 3)]
    {
        let settings = routes(yaml);
        assert_eq!(settings.contracts.len(), count, "{yaml}");
        for answers in &settings.contracts {
            assert_eq!((policy(answers), answers.hold), (&Policy::default(), USUAL_HOLD), "{yaml}");
            assert!(Arc::ptr_eq(&answers.contract, &settings.contracts[0].contract), "one for all");
        }
    }
    let zero = config::zero_config(&env(&[])).expect("the simulator");
    assert_eq!(zero.contracts.len(), zero.routes.len() + 1);
    assert!(zero.contracts.iter().all(|answers| policy(answers) == &Policy::default() && answers.hold == USUAL_HOLD));
    assert_eq!((defaults::HOLD_BYTES, defaults::HOLD_TIME), (USUAL_HOLD.bytes, USUAL_HOLD.time));
}

#[test]
fn a_routes_key_replaces_that_of_the_defaults() {
    let settings = routes(
        "defaults:
  contract:
    require: [complete, non_empty]
    on_violation: [reask, failover]
    max_repairs: 2
    deny: [alpha, beta]
    max_chars: 100
    secrets: { entities: [JWT] }
    stream_hold: { bytes: 1MiB, time: 30s }
routes:
  a: { targets: [p/m] }
  b:
    targets: [p/m]
    contract:
      require: [complete]
      on_violation: [flag]
      deny: [{ name: g, pattern: gamma }]
      stream_hold: { time: 1h }
  c: { targets: [p/m], contract: { deny: [], secrets: {}, schema: { type: object }, stream_hold: { bytes: 1KiB } } }",
    );
    let [a, b, c, direct] = &settings.contracts[..] else { panic!("three routes and direct calls") };
    assert!(Arc::ptr_eq(&a.contract, &direct.contract), "what is inherited unchanged is compiled once");
    assert_eq!(checks(policy(a)), ["complete", "non_empty", "deny", "secrets", "max_chars"]);
    assert_eq!(checks(policy(b)), ["complete", "deny", "secrets", "max_chars"]);
    assert_eq!(checks(policy(c)), ["complete", "non_empty", "schema", "secrets", "max_chars"]);
    let steps = [&[Step::Reask, Step::Failover][..], &[Step::Flag], &[Step::Reask, Step::Failover]];
    for (answers, steps) in [a, b, c].into_iter().zip(steps) {
        assert_eq!(policy(answers).on_violation, steps);
        assert_eq!((policy(answers).max_repairs, policy(answers).max_chars), (2, Some(100)));
    }
    let denied = |answers| policy(answers).deny.iter().map(|pattern| pattern.name.as_str()).collect::<Vec<_>>();
    assert_eq!((denied(a), denied(b), denied(c)), (vec!["alpha", "beta"], vec!["g"], vec![]));
    assert_eq!((policy(b).secrets.len(), policy(c).secrets.len()), (1, 0), "a key is replaced whole");
    let held = |bytes, secs| Hold { bytes, time: Duration::from_secs(secs) };
    assert_eq!([a.hold, b.hold, c.hold], [held(1 << 20, 30), held(1 << 20, 3600), held(1 << 10, 30)]);
}

#[test]
fn a_route_switches_off_what_the_defaults_turn_on() {
    let settings = routes(
        "defaults:
  contract:
    require: [complete, deny]
    schema: { type: object }
    models: [m]
    deny: [alpha]
    must_match: [beta]
    pii: { action: redact }
    secrets: {}
    languages: [en]
    max_chars: 10
    citations: {}
    webhook: { url: 'https://checks.example/judge' }
routes:
  all: { targets: [p/m], contract: { max_repairs: 2 } }
  bare:
    targets: [p/m]
    contract:
      { schema: false, models: false, deny: false, must_match: false, pii: false, secrets: false, languages: false,
        max_chars: false, citations: false, webhook: false }
  empty: { targets: [p/m], contract: { models: [], deny: [], must_match: [], languages: [] } }
  again: { targets: [p/m], contract: { pii: { entities: [EMAIL_ADDRESS] }, deny: [gamma], webhook: false } }",
    );
    let [again, all, bare, empty, _] = &settings.contracts[..] else { panic!("four routes and direct calls") };
    let every = ["complete", "schema", "model", "deny", "require", "pii", "secrets", "language", "max_chars"];
    assert_eq!(checks(policy(all)), [&every[..], &["citations", "webhook"]].concat());
    assert_eq!(checks(policy(bare)), ["complete"]);
    assert_eq!((policy(bare).schema.as_ref(), policy(bare).models.len(), policy(bare).webhook), (None, 0, None));
    assert!(all.webhook.is_some() && bare.webhook.is_none() && again.webhook.is_none());
    let left = ["complete", "schema", "pii", "secrets", "max_chars", "citations", "webhook"];
    assert_eq!(checks(policy(empty)), left);
    assert_eq!((policy(again).pii.len(), policy(again).pii_action), (1, Action::Fail));
    assert_eq!(policy(again).deny[0].name, "gamma");
    let inherited = "defaults: { contract: { pii: false, deny: [] } }
routes: { r: { targets: [p/m], contract: { require: [complete, pii] } }, s: { targets: [p/m], contract: { pii: {} } } }";
    let settings = routes(inherited);
    assert_eq!(checks(policy(&settings.contracts[0])), ["complete", "pii"], "what is demanded by name is back on");
    assert!(checks(policy(&settings.contracts[1])).contains(&"pii"));
}

#[test]
fn every_fault_of_a_route_is_told_where_it_stands() {
    for (yaml, expected) in [
        ("defaults: { contract: 7 }", &["defaults.contract: expected a mapping"][..]),
        (
            "routes: { r: { targets: [p/m], contract: { colour: x, deny: ['(a'] } } }",
            &["routes.r.contract.colour: unknown key"],
        ),
        (
            "routes: { r: { targets: [p/m], contract: { deny: [ok, '(a'], schema: { $ref: 'https://example.com/x' } } } }",
            &["routes.r.contract.deny[1]: is no pattern", "routes.r.contract.schema: refers to another document"],
        ),
        // A fault of the defaults is told there alone, and does not hide those of routes.
        (
            "defaults: { contract: { deny: ['(a'] } }
routes: { r: { targets: [p/m], contract: { require: [deny], must_match: ['(b'] } }, s: { targets: [p/m], contract: {} } }",
            &["defaults.contract.deny[0]: is no pattern", "routes.r.contract.must_match[0]: is no pattern"],
        ),
        // Nobody asked for both of what is inherited and what is said against it.
        (
            "defaults: { contract: { max_repairs: 3 } }
routes: { r: { targets: [p/m], contract: { on_violation: [fail] } }, s: { targets: [p/m], contract: { on_violation: [fail], max_repairs: 2 } } }",
            &["routes.s.contract.max_repairs: does nothing without `reask`"],
        ),
        (
            "routes: { r: { targets: [p/m], contract: { require: [pii, schema], pii: false, schema: false, deny: true } } }",
            &[
                "routes.r.contract.require: `pii` is switched off here too",
                "routes.r.contract.deny: expected a list or false, not true or false",
            ],
        ),
        (
            "routes: { r: { targets: [p/m], contract: { stream_hold: { bytes: 1B, time: 2h } } } }",
            &["routes.r.contract.stream_hold.bytes: must be from", "routes.r.contract.stream_hold.time: must be from"],
        ),
    ] {
        let told = lines(&read(yaml).err().unwrap_or_default());
        assert_eq!(told.len(), expected.len(), "{yaml}: {told:?}");
        for words in expected {
            assert!(told.iter().any(|line| line.starts_with(words)), "{yaml}: {words}: {told:?}");
        }
    }
}
