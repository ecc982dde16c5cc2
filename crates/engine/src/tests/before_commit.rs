//! What a provider can do wrong before the first content: the next one serves, and the client sees nothing of it.

use super::script::{Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use llm::Verdict::{HardFailure, QuotaExhausted, RateLimited, SemanticFailure};
use llm::{Api, CallError, Dialect, ErrorKind, Failure, Outcome, Reach, Verdict};

/// A name, what `a` does, and what its attempt is recorded as: verdict, cause, status, milliseconds.
type Row = (&'static str, Script, Verdict, &'static str, Option<u16>, u64);

/// Plays every row with a good provider behind it.
async fn the_next_target_serves(stream: bool, rows: Vec<Row>) {
    for (name, bad, verdict, cause, status, millis) in rows {
        let name = format!("{name}, stream: {stream}");
        let played = Stage::new(stream, [bad, good(stream)]).play().await;
        assert_eq!(played.head, Ok(("b/m-b".into(), true)), "{name}");
        assert_eq!(played.text(), if stream { [ROLE, HI, STOP, DONE].concat() } else { ANSWER.into() }, "{name}");
        let record = played.record;
        let seen: Vec<_> = record.attempts.iter().map(|a| (a.verdict, a.cause, a.status, a.duration)).collect();
        let first = (verdict, Some(cause), status, ms(millis));
        assert_eq!(seen, [first, (Verdict::Success, None, None, ms(0))], "{name}");
        assert_eq!(played.at, ms(millis), "{name}");
        assert_eq!((record.outcome, record.status, record.error), (Outcome::Degraded, 200, None), "{name}");
        assert_eq!(record.served.unwrap().to_string(), "b/m-b", "{name}");
        let asked: Vec<usize> = played.counts.sent.iter().map(|sent| sent.provider).collect();
        assert_eq!(asked, [0, 1], "{name}");
    }
}

fn error(kind: &str) -> String {
    format!(r#"{{"error":{{"message":"m","type":"{kind}"}}}}"#)
}

/// What fails in the same way whether a stream was asked for or not.
fn either_way() -> Vec<Row> {
    let unreachable = |reach| fails(Failure::Unreachable(reach));
    let hard = HardFailure;
    vec![
        ("refused", unreachable(Reach::Refused).after(3), hard, "connect_refused", None, 3),
        ("dns", unreachable(Reach::Dns).after(70), hard, "dns", None, 70),
        ("tls", unreachable(Reach::Tls).after(40), hard, "tls", None, 40),
        ("connect timeout", unreachable(Reach::Timeout).after(2_000), hard, "connect_timeout", None, 2_000),
        ("connection lost", fails(Failure::ConnectionLost).after(900), hard, "connection_lost", None, 900),
        ("not HTTP", fails(Failure::BadHttp), hard, "bad_http", None, 0),
        ("huge head", fails(Failure::HeadTooLarge), hard, "head_too_large", None, 0),
        ("our own fault", fails(Failure::Internal("x")), Verdict::Neutral, "internal", None, 0),
        ("401", json(401, error("invalid_api_key")), hard, "auth", Some(401), 0),
        ("402", head(402), QuotaExhausted, "quota_exhausted", Some(402), 0),
        ("403", head(403), hard, "permission", Some(403), 0),
        ("404", json(404, error("model_not_found")), hard, "not_found", Some(404), 0),
        ("408", head(408), hard, "server_error", Some(408), 0),
        ("409", head(409), hard, "server_error", Some(409), 0),
        ("429", head(429), RateLimited, "rate_limited", Some(429), 0),
        ("429, spent", json(429, error("insufficient_quota")), QuotaExhausted, "quota_exhausted", Some(429), 0),
        ("500", json(500, "oops").after(250), hard, "server_error", Some(500), 250),
        ("503", head(503), hard, "overloaded", Some(503), 0),
        ("529", head(529), hard, "overloaded", Some(529), 0),
        ("500, its body cut", json(500, "{\"err").cut(), hard, "server_error", Some(500), 0),
        ("500, its body huge", json(500, vec![b' '; 100_000]), hard, "server_error", Some(500), 0),
        ("500, its body never comes", head(500).hang(), hard, "server_error", Some(500), 1_000),
        ("redirect", head(302).header("location", "http://b/"), hard, "redirect", Some(302), 0),
        ("200, an error inside", json(200, error("overloaded_error")), hard, "overloaded", Some(503), 0),
        ("200, a throttle inside", json(200, error("rate_limit_error")), RateLimited, "rate_limited", Some(429), 0),
        ("a web page", head(200).header("content-type", "text/html").say("<html>"), hard, "not_an_answer", None, 0),
        ("empty", json(200, ""), SemanticFailure, "empty", None, 0),
        ("broken JSON", json(200, "{\"choices\":["), hard, "not_an_answer", None, 0),
        ("no choices", json(200, "{\"choices\":[]}"), SemanticFailure, "no_choices", None, 0),
        ("no finish", json(200, ANSWER.replace("\"stop\"", "null")), hard, "truncated", None, 0),
        ("says nothing", json(200, ANSWER.replace("hi", "")), SemanticFailure, "empty", None, 0),
        ("body cut", json(200, &ANSWER[..20]).wait(700).cut(), hard, "cut", None, 700),
        ("body stalls", json(200, &ANSWER[..20]).wait(100).say("x").hang(), hard, "idle_timeout", None, 4_100),
    ]
}

#[tokio::test(start_paused = true)]
async fn whatever_a_provider_does_wrong_the_next_one_answers() {
    the_next_target_serves(true, either_way()).await;
    the_next_target_serves(false, either_way()).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_believed_only_with_its_first_content() {
    let preamble = format!(": {}\n\n", "x".repeat(13 * 1024));
    let late = events().say(ROLE).repeat(4, 2_600, PING).say([HI, STOP, DONE].concat());
    let hard = HardFailure;
    the_next_target_serves(
        true,
        vec![
            ("silence", hangs(), hard, "first_token_timeout", None, 10_000),
            ("late head", events().after(10_001).say(HI), hard, "first_token_timeout", None, 10_000),
            ("slow first token", late, hard, "first_token_timeout", None, 10_000),
            ("comments for ever", events().repeat(99, 1_000, PING), hard, "first_token_timeout", None, 10_000),
            ("roles for ever", events().repeat(99, 1_000, ROLE), hard, "first_token_timeout", None, 10_000),
            ("nothing after the head", events().after(500).hang(), hard, "first_token_timeout", None, 10_000),
            ("nothing after the role", events().wait(500).say(ROLE).hang(), hard, "first_token_timeout", None, 10_000),
            ("error first", events().say(OVERLOADED), hard, "overloaded", Some(503), 0),
            ("error after the role", events().say(ROLE).wait(9).say(OVERLOADED), hard, "overloaded", Some(503), 9),
            ("error with content", events().say([ROLE, HI, OVERLOADED].concat()), hard, "overloaded", Some(503), 0),
            ("error in a last line", events().say(OVERLOADED.trim_end()), hard, "overloaded", Some(503), 0),
            ("terminator with content", events().say([HI, DONE].concat()), hard, "truncated", None, 0),
            ("garbage first", events().say("data: {\"choi\n\n"), hard, "not_an_answer", None, 0),
            ("garbage with content", events().say([HI, "data: <p>\n\n"].concat()), hard, "not_an_answer", None, 0),
            ("a web page", events().say("<html>\n\n"), SemanticFailure, "empty", None, 0),
            ("empty", events(), SemanticFailure, "empty", None, 0),
            ("terminator first", events().say(DONE), SemanticFailure, "empty", None, 0),
            ("no content", events().say([ROLE, STOP, DONE].concat()), SemanticFailure, "empty", None, 0),
            ("role alone", events().say(ROLE), SemanticFailure, "empty", None, 0),
            ("half an event", events().say(&HI[..HI.len() - 4]), SemanticFailure, "empty", None, 0),
            ("content without its end", events().say(HI.trim_end()), hard, "truncated", None, 0),
            ("cut", events().say(ROLE).wait(20).cut(), hard, "cut", None, 20),
            ("long preamble", events().repeat(99, 1, preamble), hard, "too_large", None, 5),
            ("endless event", events().repeat(99, 1, vec![b'x'; 100_000]), hard, "not_an_answer", None, 84),
            ("a whole answer", json(200, ANSWER), hard, "not_an_answer", None, 0),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_has_its_share_of_the_time() {
    let blank = json(200, "").repeat(99, 1_000, "\n");
    let huge = json(200, "{").repeat(33, 1, vec![b' '; 1024 * 1024]);
    the_next_target_serves(
        false,
        vec![
            ("silence", hangs(), HardFailure, "first_token_timeout", None, 30_000),
            ("blank lines for ever", blank, HardFailure, "first_token_timeout", None, 30_000),
            ("a stream", events().say([HI, STOP, DONE].concat()), HardFailure, "not_an_answer", None, 0),
            ("endless", huge, HardFailure, "too_large", None, 32),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn media_types_have_no_case() {
    let script = good(true).header("content-type", "Text/Event-Stream; charset=UTF-8");
    let played = streamed([script]).play().await;
    assert_eq!(played.record.outcome, Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn the_first_choice_that_answers_is_a_plain_success() {
    for (stream, script) in [
        (true, good(true)),
        (false, good(false)),
        (true, good(true).header("content-type", "text/event-stream; charset=utf-8")),
    ] {
        let played = Stage::new(stream, [script, fails(Failure::BadHttp)]).play().await;
        assert_eq!(played.head, Ok(("a/m-a".into(), false)));
        assert_eq!((played.record.outcome, played.record.attempts.len()), (Outcome::Success, 1));
        let sent = &played.counts.sent[0];
        let chat = Api::Shared(Dialect::OpenAiChat);
        assert_eq!((sent.api, sent.stream, sent.connect), (chat, stream, TIMEOUTS.connect));
        let body = format!(r#"{{"model":"m-a","messages":[{{"role":"user","content":"hi"}}],"stream":{stream}}}"#);
        assert_eq!(sent.body, body, "each target is asked for its own model");
    }
}

#[tokio::test(start_paused = true)]
async fn the_clients_own_fault_comes_back_once_as_the_provider_worded_it() {
    let body =
        r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":null}, "x":1}"#;
    let event = format!("data: {body}\n\n");
    for (stream, script, status) in [
        (true, json(400, body), 400),
        (false, json(400, body), 400),
        (true, json(413, body), 413),
        (false, json(413, body), 413),
        (true, json(422, body), 422),
        (false, json(422, body), 422),
        (true, json(200, body), 400),
        (false, json(200, body), 400),
        (true, events().say(event), 400),
    ] {
        let played = Stage::new(stream, [script, good(stream)]).keys(0, 2).play().await;
        let Err(CallError::Provider(error)) = played.head else { panic!("{status}: {:?}", played.head) };
        assert_eq!((error.status, error.kind, &*error.body), (status, ErrorKind::InvalidRequest, body.as_bytes()));
        let record = played.record;
        assert_eq!((record.outcome, record.status), (Outcome::ClientError, status));
        let seen: Vec<_> = record.attempts.iter().map(|a| (a.verdict, a.cause, a.status)).collect();
        assert_eq!(seen, [(Verdict::ClientFault, Some("invalid_request"), Some(status))]);
        assert_eq!((played.counts.sent.len(), played.counts.rests.len()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_first_content_is_no_preamble() {
    let long = HI.replace("hi", &"x".repeat(200_000));
    let (front, back) = long.split_at(120_000);
    let script = events().say(ROLE).wait(5).say(front.to_owned()).wait(5).say([back, STOP, DONE].concat());
    let played = streamed([script]).play().await;
    assert_eq!(played.record.outcome, Outcome::Success);
    assert!(played.text() == [ROLE, &long, STOP, DONE].concat());
}
