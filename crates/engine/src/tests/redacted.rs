//! Personal data and credentials that a route wants taken out of answers: whole and streamed, whatever else is wrong.

use super::contracts_kept::{FORM, read, says};
use super::script::{events, hangs, json, ms};
use super::stage::*;
use contracts::{Action, Check, Policy, Step};
use llm::{CheckResult, Degraded, Outcome, Verdict};
use serde_json::{Value, json as value};

const ADDRESS: &str = "ada@mail.example";

/// Takes e-mail addresses and the like out; what breaks the contract goes through `steps`.
fn taken_out(steps: &[Step]) -> impl FnOnce(&mut Policy) + use<'_> {
    |policy| {
        policy.require.insert(Check::Pii);
        policy.pii_action = Action::Redact;
        policy.on_violation = steps.to_vec();
    }
}

fn result(record: &llm::CallRecord, check: &str) -> Option<CheckResult> {
    record.checks.iter().find(|checked| checked.check == check).map(|checked| checked.result)
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_the_answer_is_handed_on() {
    for (stream, size) in [(false, 1), (true, 1), (true, 7), (true, 1000)] {
        let said = says(stream, &format!("Write to {ADDRESS}, soon."), size);
        let played = Stage::new(stream, [said, hangs()]).contract(taken_out(&[Step::Fail])).play().await;
        assert_eq!(read(&played), ("Write to <EMAIL_ADDRESS>, soon.".to_owned(), String::new(), true));
        assert!(!played.text().contains("mail.example"), "{}", played.text());
        let record = &played.record;
        assert_eq!((record.outcome, record.degraded), (Outcome::Degraded, Some(Degraded::Redacted)));
        assert_eq!((record.attempts.len(), record.attempts[0].verdict), (1, Verdict::Success));
        assert_eq!((result(record, "pii"), &*record.findings), (Some(CheckResult::Redacted), &["redacted"][..]));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_else_in_the_answer_tells_it() {
    let (half, rest) = ("ada@mail", ".example");
    let tokens = value!({"content": [{"token": half, "logprob": -0.1}, {"token": rest, "logprob": -0.2}]});
    let thought = format!("Their address is {ADDRESS}.");
    let message = value!({"role": "assistant", "content": format!("It is {ADDRESS}"), "reasoning_content": thought});
    let choice = value!({"index": 0, "message": message, "logprobs": tokens, "finish_reason": "stop"});
    let whole = json(200, value!({"id": "x", "choices": [choice]}).to_string());
    let event = |delta: Value, logprobs: &Value, finish: Value| {
        let choice = value!({"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish});
        format!("data: {}\n\n", value!({"id": "x", "choices": [choice]}))
    };
    let streamed = events().say(
        [
            event(
                value!({"role": "assistant", "reasoning_content": "Their address is ada@mail"}),
                &Value::Null,
                Value::Null,
            ),
            event(value!({"reasoning_content": ".example."}), &Value::Null, Value::Null),
            event(value!({"content": format!("It is {half}")}), &tokens, Value::Null),
            event(value!({"content": rest}), &tokens, Value::Null),
            event(value!({}), &Value::Null, value!("stop")),
            DONE.to_owned(),
        ]
        .concat(),
    );
    for (stream, script) in [(false, whole), (true, streamed)] {
        let played = Stage::new(stream, [script]).contract(taken_out(&[Step::Fail])).play().await;
        let text = played.text();
        assert_eq!(read(&played).0, "It is <EMAIL_ADDRESS>", "{text}");
        assert!(!text.contains(half) && !text.contains(rest) && text.contains("Their address is <EMAIL"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_touched_where_there_is_nothing_to_take_out() {
    for stream in [true, false] {
        let said = || says(stream, "Write to nobody.", 3);
        let played = Stage::new(stream, [said()]).contract(taken_out(&[Step::Fail])).play().await;
        let plain = Stage::new(stream, [said()]).play().await;
        assert_eq!((played.text(), played.record.outcome), (plain.text(), Outcome::Success));
        assert_eq!(result(&played.record, "pii"), Some(CheckResult::Passed));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_mended_or_flagged_leaves_without_it_too() {
    let form = FORM.replace(r#""integer""#, r#"["integer","string"]"#);
    for stream in [true, false] {
        let fenced = says(stream, &format!("```json\n{{\"age\":\"{ADDRESS}\"}}\n```"), 5);
        let mended = Stage::new(stream, [fenced]).fields(&form).contract(taken_out(&[Step::Repair])).play().await;
        assert_eq!(read(&mended), (r#"{"age":"<EMAIL_ADDRESS>"}"#.to_owned(), String::new(), true));
        assert_eq!(mended.record.degraded, Some(Degraded::Repaired));
        let results = (result(&mended.record, "schema"), result(&mended.record, "pii"));
        assert_eq!(results, (Some(CheckResult::Repaired), Some(CheckResult::Redacted)));

        let wrong = says(stream, &format!("{{\"name\":\"{ADDRESS}\"}}"), 5);
        let flagged = Stage::new(stream, [wrong]).fields(FORM).contract(taken_out(&[Step::Flag])).play().await;
        assert_eq!(read(&flagged), (r#"{"name":"<EMAIL_ADDRESS>"}"#.to_owned(), String::new(), true));
        assert_eq!(flagged.record.outcome, Outcome::Invalid);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_could_clean_does_not_leave_with_a_mark() {
    let long = says(true, &format!("{ADDRESS} {}", "and on ".repeat(400)), 50);
    let watched = |policy: &mut Policy| {
        taken_out(&[Step::Flag])(policy);
        policy.require.insert(Check::MaxChars);
        policy.max_chars = Some(100);
    };
    for played in [
        streamed([long.clone()]).hold(1_024, 30_000).contract(taken_out(&[Step::Flag])).play().await,
        streamed([long]).contract(watched).play().await,
    ] {
        assert!(!played.text().contains("mail.example") && !played.text().contains("[DONE]"), "{}", played.text());
        assert_eq!((played.record.outcome, played.at), (Outcome::Invalid, ms(0)));
    }
}
