//! Answers that break their contract: what becomes of them, step by step, whole and streamed.

use super::script::{Script, events, hangs, json, ms};
use super::stage::*;
use contracts::{Check, Step};
use llm::{AttemptKind, CallError, CheckResult, Degraded, Outcome, Verdict};
use serde_json::{Value, json as value};

/// A form that is demanded: an object with a number called `age`.
pub(super) const FORM: &str = r#","response_format":{"type":"json_schema","json_schema":{"name":"person","schema":{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"],"additionalProperties":false}}}"#;
const TOOLS: &str = r#","tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]"#;
pub(super) const SOUND: &str = r#"{"age":3}"#;

/// The answer `text`, whole or in pieces of `size` bytes.
pub(super) fn says(stream: bool, text: &str, size: usize) -> Script {
    if !stream {
        let message = value!({"role": "assistant", "content": text});
        let choice = value!({"index": 0, "message": message, "finish_reason": "stop"});
        return json(200, value!({"id": "x", "choices": [choice]}).to_string());
    }
    let pieces: Vec<char> = text.chars().collect();
    let delta = |delta: Value, finish: Value| {
        let choice = value!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", value!({"id": "x", "choices": [choice]}))
    };
    let mut said = delta(value!({"role": "assistant", "content": ""}), Value::Null);
    for piece in pieces.chunks(size) {
        said.push_str(&delta(value!({"content": piece.iter().collect::<String>()}), Value::Null));
    }
    said.push_str(&delta(value!({}), value!("stop")));
    events().say(said + DONE)
}

/// One call of a tool, whole or its arguments in pieces.
pub(super) fn calls(stream: bool, name: &str, arguments: &str, before: &str) -> Script {
    let function = |arguments: &str| value!({"name": name, "arguments": arguments});
    if !stream {
        let call = value!({"id": "c1", "type": "function", "function": function(arguments)});
        let content = if before.is_empty() { Value::Null } else { value!(before) };
        let message = value!({"role": "assistant", "content": content, "tool_calls": [call]});
        let choice = value!({"index": 0, "message": message, "finish_reason": "tool_calls"});
        return json(200, value!({"id": "x", "choices": [choice]}).to_string());
    }
    let event = |delta: Value, finish: Value| {
        let choice = value!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", value!({"id": "x", "choices": [choice]}))
    };
    let mut said = event(value!({"role": "assistant", "content": ""}), Value::Null);
    let mut script = events();
    if !before.is_empty() {
        said.push_str(&event(value!({"content": before}), Value::Null));
        script = script.say(std::mem::take(&mut said)).wait(50);
    }
    let first = value!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function("")}]});
    said.push_str(&event(first, Value::Null));
    for piece in arguments.as_bytes().chunks(3) {
        let piece = std::str::from_utf8(piece).unwrap();
        said.push_str(&event(value!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), Value::Null));
    }
    said.push_str(&event(value!({}), value!("tool_calls")));
    script.say(said + DONE)
}

/// What the client reads: the text, the arguments of tool calls, and whether it is whole.
pub(super) fn read(played: &Played) -> (String, String, bool) {
    let text = played.text();
    let mut assembler = dialects::openai_chat::Assembler::default();
    let mut whole = false;
    if text.starts_with('{') {
        assembler.push(text.as_bytes()).unwrap();
        whole = true;
    }
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        whole |= data == "[DONE]";
        let _ = assembler.push(data.as_bytes());
    }
    let answer = assembler.finish();
    let choice = answer.choices.first().cloned().unwrap_or_default();
    (choice.text, choice.calls.into_iter().map(|call| call.arguments).collect(), whole)
}

pub(super) fn steps(steps: &[Step]) -> impl FnOnce(&mut contracts::Policy) + use<'_> {
    |policy| policy.on_violation = steps.to_vec()
}

#[tokio::test(start_paused = true)]
async fn what_satisfies_its_contract_is_handed_on_byte_for_byte() {
    for stream in [true, false] {
        for (fields, script) in [
            (FORM, says(stream, SOUND, 2)),
            (TOOLS, calls(stream, "weather", r#"{"city":"Bonn"}"#, "")),
            (TOOLS, calls(stream, "weather", r#"{"city":"Bonn"}"#, "Let me look.")),
            (TOOLS, says(stream, "No need to look.", 3)),
        ] {
            let played = Stage::new(stream, [script.clone()]).fields(fields).play().await;
            let plain = Stage::new(stream, [script]).play().await;
            assert_eq!((played.text(), played.record.outcome), (plain.text(), Outcome::Success));
            let failed = played.record.checks.iter().filter(|checked| checked.result != CheckResult::Passed);
            assert_eq!((failed.count(), played.record.findings.len()), (0, 0));
            let judged = if fields == FORM { "schema" } else { "tools" };
            assert!(played.record.checks.iter().any(|checked| checked.check == judged), "{judged}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_be_mended_for_certain_is_mended() {
    for stream in [true, false] {
        for said in ["```json\n{\"age\":3}\n```", "Here it is: {\"age\":3} Enjoy!"] {
            let played = Stage::new(stream, [says(stream, said, 4)]).fields(FORM).play().await;
            let (text, _, whole) = read(&played);
            assert_eq!((&*text, whole), (SOUND, true), "{said}");
            assert_eq!(
                played.text().contains(": x-breakwater-degraded: repaired\n\n"),
                stream,
                "a comment where it streams"
            );
            let record = &played.record;
            assert_eq!((record.outcome, record.degraded), (Outcome::Degraded, Some(Degraded::Repaired)));
            assert_eq!((record.attempts.len(), record.attempts[0].verdict), (1, Verdict::Success));
            let schema = record.checks.iter().find(|checked| checked.check == "schema").unwrap();
            assert_eq!(schema.result, CheckResult::Repaired);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_is_told_what_is_wrong_and_asked_again() {
    for stream in [true, false] {
        for (fields, bad, good, text, arguments) in [
            (FORM, says(stream, r#"{"name":"x"}"#, 3), says(stream, SOUND, 3), SOUND, ""),
            (
                TOOLS,
                calls(stream, "weather", r#"{"town":1}"#, ""),
                calls(stream, "weather", r#"{"city":"Bonn"}"#, ""),
                "",
                r#"{"city":"Bonn"}"#,
            ),
        ] {
            let played = Stage::new(stream, [bad, hangs()]).then(0, good).fields(fields).play().await;
            assert_eq!(read(&played), (text.to_owned(), arguments.to_owned(), true));
            let kinds: Vec<_> = played.record.attempts.iter().map(|attempt| (attempt.kind, attempt.verdict)).collect();
            let expected = [(AttemptKind::First, Verdict::SemanticFailure), (AttemptKind::Reask, Verdict::Success)];
            assert_eq!((kinds, played.record.outcome), (expected.to_vec(), Outcome::Success));
            let asked: Value = serde_json::from_slice(&played.counts.sent[1].body).unwrap();
            let roles: Vec<_> = asked["messages"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
            assert_eq!(roles, ["user", "assistant", "user"]);
            assert_eq!((&asked["model"], played.counts.sent[1].provider), (&value!("m-a"), 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_target_answers_where_the_first_does_not_mend_its_ways() {
    for stream in [true, false] {
        let bad = || says(stream, r#"{"age":"old"}"#, 3);
        let stage = Stage::new(stream, [bad(), says(stream, SOUND, 3)]).then(0, bad()).fields(FORM);
        let played = stage.play().await;
        assert_eq!(read(&played), (SOUND.to_owned(), String::new(), true));
        let asked: Vec<_> = played.counts.sent.iter().map(|sent| sent.provider).collect();
        assert_eq!((asked, played.record.outcome), (vec![0, 0, 1], Outcome::Degraded));
        assert_eq!(played.record.served.as_ref().map(ToString::to_string).as_deref(), Some("b/m-b"));
        assert_eq!(stage.at("a/m-a").breaker.counts.failed, 2, "it counts against the target, softly");
        assert_eq!(stage.at("a/m-a").breaker.consecutive, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_keeps_it_the_client_is_told_and_gets_nothing_of_it() {
    for stream in [true, false] {
        let bad = || calls(stream, "launch", "{}", "");
        let stage = Stage::new(stream, [bad(), bad()]).then(0, bad()).fields(TOOLS);
        let played = stage.play().await;
        let record = &played.record;
        assert_eq!((record.outcome, record.attempts.len()), (Outcome::Invalid, 3));
        assert!(record.findings.contains(&"tool_undeclared"), "{:?}", record.findings);
        if stream {
            let text = played.text();
            assert!(text.contains("contract_unmet") && !text.contains("launch") && !text.contains("[DONE]"), "{text}");
            assert_eq!(record.stream_end, Some(llm::StreamEnd::Unmet));
        } else {
            let Err(CallError::ContractUnmet { message }) = &played.head else { panic!("{:?}", played.head) };
            assert!(message.contains("tool_undeclared"), "{message}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_may_hand_it_on_with_a_mark_or_end_the_call_at_once() {
    for stream in [true, false] {
        let bad = || says(stream, r#"{"age":"old"}"#, 3);
        let flagged = Stage::new(stream, [bad(), bad()]).fields(FORM).contract(steps(&[Step::Flag])).play().await;
        assert_eq!(read(&flagged), (r#"{"age":"old"}"#.to_owned(), String::new(), true));
        assert_eq!((flagged.record.outcome, flagged.record.attempts.len()), (Outcome::Invalid, 1));
        assert_eq!(flagged.record.degraded, Some(Degraded::Flagged));
        assert_eq!(flagged.text().contains(": x-breakwater-degraded: flagged\n\n"), stream);
        assert_eq!(flagged.record.attempts[0].verdict, Verdict::SemanticFailure);
        let schema = flagged.record.checks.iter().find(|checked| checked.check == "schema").unwrap();
        assert_eq!(schema.result, CheckResult::Flagged);
        let failed = Stage::new(stream, [bad(), bad()]).fields(FORM).contract(steps(&[Step::Fail])).play().await;
        assert_eq!((failed.record.outcome, failed.record.attempts.len()), (Outcome::Invalid, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn text_flows_at_once_and_only_tool_calls_wait() {
    let words = || says(true, "one two three", 4);
    let plain = streamed([words()]).fields(TOOLS).play().await;
    assert_eq!((plain.at, plain.record.outcome), (ms(0), Outcome::Success));
    // Text has left: nobody may be asked for another answer, and nothing of the call reaches the client.
    let bad = calls(true, "weather", r#"{"city":"#, "Let me look.");
    let played = streamed([bad, hangs()]).fields(TOOLS).play().await;
    let (text, arguments, whole) = read(&played);
    assert_eq!((&*text, &*arguments, whole), ("Let me look.", "", false));
    assert!(played.text().contains("contract_unmet") && !played.text().contains("weather"), "{}", played.text());
    assert_eq!((played.record.outcome, played.record.attempts.len()), (Outcome::Invalid, 1));
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_that_breaks_off_is_given_anew() {
    let half = || {
        events().say([ROLE, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"{\\\"age\"}}]}\n\n"].concat())
    };
    for broken in [half().cut(), half().say(OVERLOADED), half(), half().hang()] {
        let played = streamed([broken, says(true, SOUND, 3)]).fields(FORM).play().await;
        assert_eq!(read(&played), (SOUND.to_owned(), String::new(), true));
        let record = &played.record;
        assert_eq!((record.outcome, record.continued), (Outcome::Degraded, 0));
        assert_eq!(record.served.as_ref().map(ToString::to_string).as_deref(), Some("b/m-b"));
        assert_eq!(record.attempts[1].kind, AttemptKind::Retry);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_held_answer_is_kept_alive_and_not_for_ever() {
    let slow = || {
        let piece = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \"}}]}\n\n";
        events().say(ROLE).repeat(99, 2_000, piece)
    };
    let played =
        streamed([slow()]).timeouts(routing::Timeouts { total: ms(600_000), ..TIMEOUTS }).fields(FORM).play().await;
    let comments: Vec<_> =
        played.pieces.iter().filter(|(_, piece)| piece.starts_with(b": ")).map(|(at, _)| *at).collect();
    assert!(comments.len() >= 2 && comments.windows(2).all(|pair| pair[1] - pair[0] <= ms(10_100)), "{comments:?}");
    // Held since the role came, for 30 s.
    assert!((ms(30_000)..=ms(32_100)).contains(&played.over), "{:?}", played.over);
    assert_eq!((played.record.outcome, &*played.record.findings), (Outcome::Invalid, &["held_too_long"][..]));
    let large = says(true, &format!("{{\"age\":{}}}", "1".repeat(5_000)), 50);
    let played = streamed([large]).hold(1_024, 30_000).fields(FORM).play().await;
    assert_eq!((played.record.outcome, &*played.record.findings), (Outcome::Invalid, &["held_too_long"][..]));
}

#[tokio::test(start_paused = true)]
async fn what_watches_a_stream_ends_it() {
    let looping = || says(true, &"round and round ".repeat(400), 16);
    let after_words = || {
        let rest = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"round and round \"}}]}\n\n";
        events().say([ROLE, HI].concat()).repeat(400, 50, rest).say([STOP, DONE].concat())
    };
    let watch = |policy: &mut contracts::Policy| {
        policy.require.insert(Check::Loop);
        policy.on_violation = vec![Step::Failover];
    };
    for (bad, outcome) in [(looping(), Outcome::Degraded), (after_words(), Outcome::Invalid)] {
        let stage = streamed([bad, good(true)]).contract(watch);
        let played = stage.play().await;
        assert_eq!((played.record.outcome, &*played.record.findings), (outcome, &["repetition"][..]));
        assert_eq!(played.text().contains("[DONE]"), outcome == Outcome::Degraded);
        assert!(played.over < ms(15_000), "cancelled upstream after {:?}", played.over);
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn a_listed_model_is_demanded_and_any_other_is_only_noted() {
    for stream in [true, false] {
        let named = if stream {
            events().say(["data: {\"model\":\"m\",\"choices\":[]}\n\n", HI, STOP, DONE].concat())
        } else {
            json(200, ANSWER.replacen('{', "{\"model\":\"m\",", 1))
        };
        let stage = || Stage::new(stream, [named.clone(), named.clone()]);
        let noted = stage().play().await;
        assert_eq!((noted.record.outcome, &*noted.record.findings), (Outcome::Success, &["wrong_model"][..]));
        let listed = |name: &'static str| move |policy: &mut contracts::Policy| policy.models = vec![name.to_owned()];
        assert_eq!(stage().contract(listed("m")).play().await.record.outcome, Outcome::Success);
        let flagged = |policy: &mut contracts::Policy| {
            listed("other")(policy);
            policy.on_violation = vec![Step::Flag];
        };
        let flagged = stage().contract(flagged).play().await;
        assert_eq!((flagged.record.outcome, flagged.record.degraded), (Outcome::Invalid, Some(Degraded::Flagged)));
        let refused = stage().contract(listed("other")).play().await;
        assert!(refused.head.is_err() && refused.record.outcome == Outcome::Invalid, "{:?}", refused.head);
        assert_eq!(refused.record.attempts.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn all_of_it_stays_within_the_retry_budget_and_the_most_attempts() {
    for stream in [true, false] {
        let bad = says(stream, "{}", 1);
        let stage = Stage::new(stream, [bad.clone(), bad.clone(), bad]).fields(FORM);
        let none = stage.policy(|policy| policy.retry_budget = 0.0).play().await;
        assert_eq!((none.record.attempts.len(), none.record.outcome), (1, Outcome::Invalid));
        let many = |policy: &mut contracts::Policy| policy.max_repairs = 9;
        let bad = says(stream, "{}", 1);
        let most = Stage::new(stream, [bad]).fields(FORM).contract(many).attempts(4).play().await;
        assert_eq!((most.record.attempts.len(), most.record.outcome), (4, Outcome::Invalid));
    }
}
