//! Questions, replies, and what they come to.

use super::*;
use serde_json::{Value, json};

fn asked(request: &[u8], answer: &Answer) -> String {
    let target = TargetId::parse("openrouter/meta/llama").expect("a target");
    let about = About { request_id: "id-1", route: "chat \"a\"", target: &target, request };
    String::from_utf8(question(&about, answer)).expect("UTF-8")
}

fn full() -> Answer {
    let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{\"a\":".into(), free: false };
    let talks = Choice { text: "Hé\n".into(), finish: Some(FinishReason::Stop), ..Choice::default() };
    let calls = Choice { index: 1, calls: vec![call], refusal: "No.".into(), ..Choice::default() };
    Answer { model: "llama".into(), choices: vec![talks, calls] }
}

#[test]
fn a_question_has_this_form() {
    let request = b" {\"model\": \"x\",\n \"n\": 1.50, \"a\":1, \"a\":2} ";
    let expected = r#"{"event":"answer","request_id":"id-1","route":"chat \"a\"","target":"openrouter/meta/llama","#
        .to_owned()
        + "\"request\":{\"model\": \"x\",\n \"n\": 1.50, \"a\":1, \"a\":2},"
        + r#""answer":{"model":"llama","choices":["#
        + r#"{"index":0,"content":"Hé\n","refusal":"","finish_reason":"stop","tool_calls":[]},"#
        + r#"{"index":1,"content":"","refusal":"No.","finish_reason":null,"#
        + r#""tool_calls":[{"id":"c1","name":"f","arguments":"{\"a\":"}]}]}}"#;
    assert_eq!(asked(request, &full()), expected);
}

#[test]
fn no_request_breaks_a_question() {
    for (request, told) in [
        (&b"{}"[..], json!({})),
        (b"", Value::Null),
        (b"{\"a\":", Value::Null),
        (b"{}, \"verdict\": {}", Value::Null),
        (b"\"\xff\"", Value::Null),
    ] {
        let question: Value = serde_json::from_str(&asked(request, &Answer::default())).expect("JSON");
        assert_eq!((&question["request"], &question["answer"]["choices"]), (&told, &json!([])), "{request:?}");
    }
}

#[test]
fn a_question_is_bounded_by_what_it_is_about() {
    let worst = Choice { text: "\u{1}".repeat(100_000), ..Choice::default() };
    let request = format!("\"{}\"", "x".repeat(100_000));
    let question = asked(request.as_bytes(), &Answer { model: String::new(), choices: vec![worst] });
    assert!(question.len() <= 100_000 + 6 * 100_000 + 512, "{}", question.len());
}

fn says(approves: bool, reason: &str) -> Result<Opinion, NoOpinion> {
    Ok(Opinion { approves, reason: reason.to_owned() })
}

#[test]
fn a_reply_is_an_opinion_or_none() {
    for (body, expected) in [
        (r#"{"verdict":true}"#, says(true, "")),
        ("\n {\"verdict\" : false}\n", says(false, "")),
        (r#"{"verdict":false,"reason":"Too rude."}"#, says(false, "Too rude.")),
        (r#"{"verdict":false,"reason":null}"#, says(false, "")),
        (r#"{"data":{"verdict":false},"verdict":true,"score":0.1,"transformedData":[]}"#, says(true, "")),
        (r#"{"verdict":false,"reason":" a\u0000b\r\n\tc\u001b[31m\u0085d \u007f "}"#, says(false, "a b c [31m d")),
        (r#"{"verdict":false,"reason":"\u0007"}"#, says(false, "")),
        ("", Err(NoOpinion)),
        ("true", Err(NoOpinion)),
        ("[true]", Err(NoOpinion)),
        ("[true,null]", Err(NoOpinion)),
        ("{}", Err(NoOpinion)),
        (r#"{"verdict":"true"}"#, Err(NoOpinion)),
        (r#"{"verdict":1}"#, Err(NoOpinion)),
        (r#"{"verdict":null}"#, Err(NoOpinion)),
        (r#"{"Verdict":true}"#, Err(NoOpinion)),
        (r#"{"verdict":true,"verdict":false}"#, Err(NoOpinion)),
        (r#"{"verdict":true,"reason":7}"#, Err(NoOpinion)),
        (r#"{"verdict":true} {"verdict":true}"#, Err(NoOpinion)),
        (r#"{"verdict":true"#, Err(NoOpinion)),
        ("<html>no</html>", Err(NoOpinion)),
    ] {
        assert_eq!(opinion(body.as_bytes()), expected, "{body}");
    }
    assert_eq!(opinion(b"{\"verdict\":true,\"x\":\"\xff\",\"reason\":\"\xff\"}"), Err(NoOpinion));
}

#[test]
fn a_reason_is_bounded_at_a_character() {
    let body = json!({ "verdict": false, "reason": "é ".repeat(9999) }).to_string();
    let reason = opinion(body.as_bytes()).expect("an opinion").reason;
    assert!(reason.len() <= MESSAGE && reason.ends_with("..."), "{reason}");
}

#[test]
fn what_is_advised_follows_from_reply_and_policy() {
    let unavailable = |why: &str| {
        let message = format!("Nobody said whether the answer may pass: {why}.");
        Finding::new(Check::Webhook, Code::WebhookUnavailable, Place::Answer, message)
    };
    let refused = |reason: &str| Finding::new(Check::Webhook, Code::WebhookRefused, Place::Answer, reason);
    let none = NoOpinion.to_string();
    for (reply, open, closed) in [
        (Ok(&br#"{"verdict":true,"reason":"x"}"#[..]), Advised::Approved, Advised::Approved),
        (
            Ok(br#"{"verdict":false,"reason":"Too rude."}"#),
            Advised::Refused(refused("Too rude.")),
            Advised::Refused(refused("Too rude.")),
        ),
        (Ok(br#"{"verdict":false}"#), Advised::Refused(refused(NO_REASON)), Advised::Refused(refused(NO_REASON))),
        (Ok(b"{}"), Advised::Excused(unavailable(&none)), Advised::Withheld(unavailable(&none))),
        (Err("it hangs"), Advised::Excused(unavailable("it hangs")), Advised::Withheld(unavailable("it hangs"))),
    ] {
        assert_eq!(Webhook { fail_open: true }.advised(reply), open, "{reply:?}");
        assert_eq!(Webhook { fail_open: false }.advised(reply), closed, "{reply:?}");
    }
}
