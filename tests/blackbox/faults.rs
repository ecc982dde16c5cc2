//! What a provider does wrong within one call, by the numbers of the fault catalogue; and the catalogue itself.
//!
//! | Fault | Test |
//! |---|---|
//! | F01 refused connection | `breakers::f01_...` |
//! | F02 packets that vanish | `breakers::f02_...`, on Linux |
//! | F03 TLS that hangs | `f03_...`; also `timeouts::a_connection_takes_no_longer_than_its_timeout` |
//! | F04 bad certificates | `tls::only_a_certificate_that_holds_gets_the_request` |
//! | F05 unknown name | `failover::connections_that_never_come_about_...`; in crate `upstream`: `names::tests::f05_...` (two) |
//! | F06, F07 name service that hangs or changes | in crate `upstream`: `names::tests::f06_...` (two), `f07_...`, `transport::tests::f06_...` |
//! | F08, F09 resets | `f08_f09_...` |
//! | F10 silence behind the head | `f10_...` |
//! | F11, F12, F13 silence and ends amid a stream | `f11_...`, `f12_f13_...`; gone on with: `going_on` |
//! | F14 an unreadable event | `f14_...`; gone on with: `going_on` |
//! | F15, F16, F17 error events before content | `f15_f16_...`, `f17_...` |
//! | F18, F19, F20 throttled and spent | `quotas::f18_...`, `quotas::f19_...`, `quotas::f20_...` |
//! | F21, F22, F23 overload, half failing, all failing | `breakers::f21_...`, `f22_...`, `f23_...` |
//! | F24 one credential | `quotas::f24_...` |
//! | F25, F26, F27 one model, a domain, everything | `breakers::f25_...`, `f26_...` (two), `f27_...` (two) |
//! | F28, F29, F30 wrong answers with status 200 | `f28_f29_f30_...` |
//! | F31 cut at the length limit | `f31_...`: handed on as it is, never repaired |
//! | F32, F33 cut or wrong tool arguments | `contracts::f33_...`; every cut position: the corpus of `crates/contracts` |
//! | F34, F35 wrong models, loops | the engine's `contracts_kept` |
//! | F36 characters split at every byte | `f36_...`; also `passthrough::a_stream_reaches_the_client_as_it_is_...` |
//! | F37 invalid UTF-8 | `f37_...` |
//! | F38 usage missing, negative, huge | `f38_...`; missing usage is not estimated yet |
//! | F39, F40 clients that leave | `cancel`: all phases, queue and connect among them, and a crowd |
//! | F41 a probe whose client leaves | `breakers::f41_...` |
//! | F42 GOAWAY, refused streams | cannot arise: the gateway speaks HTTP/1.1 alone to providers (`upstream::Upstream` says why) |
//! | F43 a starved gateway | `breakers::f43_...`, by stopping the process |
//! | F44 a clock that jumps | `breakers::f44_...`, where libfaketime is installed, as `.ci/run` does |
//!
//! The modes in which models fail, by their rows: 1, 2 F18, F19; 3 F20; 4 F21; 5 F22, F23; 6 `failover` (502, timeouts);
//! 7 F29; 8 F15 to F17; 9 to 11 F11 to F14, `midstream`, `going_on`; 12 F10, hedges in `balance`; 13 F28; 14 F31; 15, 16
//! F33, `contracts`; 17, 20 `balance`; 18, 19 F34, F35; 21 F36, F37; 22 F38; 23 F39, F40; 24 not built; 25 F21; 26, 27
//! F26, F25; 28 F24; 29 there is no shared state; 30 `process`; 31 `input`, `passthrough`.
//!
//! Must never be here: what many calls do to a target (`breakers`), quotas and keys (`quotas`).

use crate::client::{Answer, Ask, together};
use crate::gateway::{Gateway, config};
use crate::provider::{Provider, Raw};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WELL: &str = r#"{"tokens":3}"#;
const SAID: &str = "A gateway keeps";

/// The event that holds this delta.
fn event(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    let head = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"});
    let mut event = head;
    event["choices"] = json!([choice]);
    format!("data: {event}\n\n")
}

/// The answer that holds this message.
fn answer(message: &Value) -> String {
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
        .to_string()
}

/// The spare has answered, on the second attempt, after a failure by `cause`.
async fn survived(gateway: &Gateway, answer: &Answer, cause: &str) -> Value {
    assert_eq!((answer.status, &*answer.said()), (200, SAID), "{cause}: {}", answer.text());
    assert_eq!(answer.header("x-breakwater-target"), Some("spare/m"), "{cause}");
    let record = gateway.record(&answer.id).await;
    assert_eq!([&record["tried"][0]["cause"], &record["attempts"]], [&json!(cause), &json!(2)], "{record}");
    record
}

/// A gateway over a first provider, and a spare that is well.
async fn pair(bad: &str, rest: &str) -> (Provider, Gateway) {
    let spare = Provider::behaving(WELL).await;
    let gateway = Gateway::chain(&[("bad", bad), ("spare", &spare.url)], rest).await;
    (spare, gateway)
}

/// That something takes so long, the quickest of three: a busy machine is not the gateway's delay.
async fn takes(limit: u64, one: impl AsyncFn() -> Duration) {
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        quickest = quickest.min(one().await);
    }
    let limit = Duration::from_millis(limit);
    assert!(quickest >= limit && quickest <= limit + Duration::from_millis(100), "{quickest:?} for {limit:?}");
}

#[tokio::test]
async fn f03_tls_that_hangs_is_survived_in_time() {
    let mute = Raw::mute().await;
    let url = mute.url.replace("http://", "https://");
    let (_spare, gateway) = pair(&url, "defaults: { timeouts: { connect: 400ms } }").await;
    takes(400, async || {
        let began = Instant::now();
        let answer = gateway.ask(Ask::stream("chat")).await;
        let took = began.elapsed();
        survived(&gateway, &answer, "connect_timeout").await;
        took
    })
    .await;
}

#[tokio::test]
async fn f08_f09_resets_leave_no_trace_in_the_answer() {
    for (fault, cause) in
        [(r#""reset""#, "connection_lost"), (r#""cut_reset""#, "cut"), (r#"{"cut_reset":{"after":0}}"#, "cut")]
    {
        let bad = Provider::behaving(&format!(r#"{{"tokens":9,"fault":{fault}}}"#)).await;
        let (_spare, gateway) = pair(&bad.url, "").await;
        for stream in [false, true] {
            let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
            let record = survived(&gateway, &answer, cause).await;
            let billed = [0, 1].map(|attempt| record["tried"][attempt]["maybe_billed"] == true);
            assert_eq!(billed, [true, false], "it had the request, and nobody its answer: {record}");
            assert!(!stream || answer.sketch() == "rcccfD.", "{}", answer.sketch());
        }
    }
}

#[tokio::test]
async fn f10_silence_behind_the_head_ends_at_the_first_token_limit() {
    let faults = [r#""hang""#, r#""silence""#, r#"{"never_content":{"every":"20ms"}}"#];
    let one = async |fault: &str| {
        let bad = Provider::behaving(&format!(r#"{{"fault":{fault}}}"#)).await;
        let (_spare, gateway) = pair(&bad.url, "defaults: { timeouts: { first_token: 500ms } }").await;
        takes(500, async || {
            let began = Instant::now();
            let answer = gateway.ask(Ask::stream("chat")).await;
            let took = began.elapsed();
            survived(&gateway, &answer, "first_token_timeout").await;
            took
        })
        .await;
    };
    together(faults.into_iter().map(one)).await;
}

#[tokio::test]
async fn f11_silence_amid_a_stream_ends_at_the_idle_limit() {
    let bad = Provider::behaving(r#"{"tokens":60,"pace":"2ms","fault":{"stall":{"after":20}}}"#).await;
    let (_spare, gateway) = pair(&bad.url, "defaults: { timeouts: { idle: 500ms }, recover_stream: error }").await;
    takes(500, async || {
        let mut exchange = gateway.send(Ask::stream("chat")).await;
        // The twentieth word.
        exchange.until("whole").await;
        let began = Instant::now();
        let answer = exchange.answer().await;
        // The client has the last word a moment after the gateway.
        let took = began.elapsed() + Duration::from_millis(10);
        assert_eq!(answer.sketch(), format!("r{}E.", "c".repeat(20)));
        let record = gateway.record(&answer.id).await;
        let told = [&record["outcome"], &record["stream_end"], &record["tried"][0]["verdict"]];
        assert_eq!(told, ["truncated", "stalled", "hard_failure"], "{record}");
        took
    })
    .await;
}

#[tokio::test]
async fn f12_f13_an_end_amid_a_stream_is_never_taken_for_its_end() {
    let fin = Provider::behaving(r#"{"tokens":60,"pace":"1ms","fault":{"cut":{"after":40}}}"#).await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = event(&json!({"role": "assistant"}), None) + &event(&json!({"content": "A"}), None);
    // A chunk, and neither another nor the last.
    let chunk = format!("{head}{:x}\r\n{body}\r\n", body.len());
    let bare = Raw::saying(vec![chunk.into_bytes()]).await;
    for (url, sketch) in [(&fin.url, format!("r{}E.", "c".repeat(40))), (&bare.url, "rcE.".into())] {
        let (_spare, gateway) = pair(url, "defaults: { recover_stream: error }").await;
        let answer = gateway.ask(Ask::stream("chat")).await;
        assert_eq!((answer.sketch(), answer.error_event()["code"].as_str()), (sketch, Some("upstream_failed")));
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["tried"][0]["cause"]], ["truncated", "cut"], "{record}");
    }
}

#[tokio::test]
async fn f14_an_unreadable_event_ends_a_stream_or_leads_to_the_spare() {
    let bad = Provider::behaving(r#"{"tokens":9,"pace":"20ms","fault":{"garbage":{"after":3}}}"#).await;
    let (_spare, gateway) = pair(&bad.url, "defaults: { recover_stream: error }").await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!(answer.sketch(), "rcccE.");
    bad.model("m", r#"{"tokens":9,"fault":"garbage"}"#);
    let answer = gateway.ask(Ask::stream("chat")).await;
    survived(&gateway, &answer, "not_an_answer").await;
}

/// A stream that announces itself, and then tells of this error.
async fn announces_and_fails(code: &str) -> Raw {
    let error = json!({"error": {"message": "no", "type": code, "code": code}});
    let body = event(&json!({"role": "assistant", "content": ""}), None) + &format!("data: {error}\n\n");
    Raw::streaming(body.as_bytes(), &[body.len()]).await
}

#[tokio::test]
async fn f15_f16_an_error_event_before_content_is_survived_by_its_code() {
    for (code, cause) in [
        ("server_error", "server_error"),
        ("insufficient_quota", "quota_exhausted"),
        ("rate_limit_exceeded", "rate_limited"),
        ("overloaded_error", "overloaded"),
    ] {
        let bad = announces_and_fails(code).await;
        let (_spare, gateway) = pair(&bad.url, "").await;
        let answer = gateway.ask(Ask::stream("chat")).await;
        survived(&gateway, &answer, cause).await;
        assert_eq!((answer.sketch().as_str(), answer.text().contains("error")), ("rcccfD.", false));
    }
}

#[tokio::test]
async fn f17_error_events_from_everyone_become_a_real_status() {
    let (bad, spare) = (announces_and_fails("overloaded_error").await, announces_and_fails("overloaded_error").await);
    let gateway = Gateway::chain(&[("a", &bad.url), ("b", &spare.url)], "").await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert_eq!((answer.status, &*answer.code()), (503, "all_targets_unavailable"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("retry-after").is_some() && answer.header("x-should-retry") == Some("false"));
}

/// The whole answers that are none, with the cause of the failover. (Reasoning alone is one, while no contract says
/// otherwise.)
fn no_answers() -> Vec<(&'static str, String, &'static str)> {
    let json = "application/json";
    vec![
        (json, r#"{"id":"c","object":"chat.completion","choices":[]}"#.into(), "no_choices"),
        (json, answer(&json!({"role": "assistant", "content": null})), "empty"),
        (json, answer(&json!({"role": "assistant", "content": ""})), "empty"),
        (json, r#"{"error":{"message":"busy","code":"rate_limit_exceeded"}}"#.into(), "rate_limited"),
        (json, r#"{"error":{"message":"poor","code":"insufficient_quota"}}"#.into(), "quota_exhausted"),
        (json, r#"{"object":"error","message":"oh","code":500}"#.into(), "server_error"),
        (json, r#"{"type":"error","error":{"type":"overloaded_error","message":"oh"}}"#.into(), "overloaded"),
        ("text/html", "<html><body>Please log in</body></html>".into(), "not_an_answer"),
        (json, "null".into(), "not_an_answer"),
    ]
}

#[tokio::test]
async fn f28_f29_f30_what_is_no_answer_in_spite_of_its_status_is_survived() {
    let cases = no_answers();
    let (mut raws, mut providers, mut routes) = (Vec::new(), Vec::new(), String::from("routes:\n"));
    for (place, (kind, body, _)) in cases.iter().enumerate() {
        let raw = Raw::answering(kind, body.as_bytes()).await;
        providers.push((format!("p{place}"), raw.url.clone()));
        raws.push(raw);
        routes += &format!("  r{place}: {{ targets: [p{place}/m, spare/m] }}\n");
    }
    let spare = Provider::behaving(WELL).await;
    providers.push(("spare".into(), spare.url.clone()));
    let providers: Vec<_> = providers.iter().map(|(name, url)| (name.as_str(), url.as_str())).collect();
    let gateway = Gateway::start(&config(&providers, &routes)).await;
    for (place, (_, body, cause)) in cases.iter().enumerate() {
        let answer = gateway.ask(Ask::whole(&format!("r{place}"))).await;
        let record = survived(&gateway, &answer, cause).await;
        assert_eq!(raws[place].requests().len(), 1, "{body}");
        let soft = matches!(*cause, "empty" | "no_choices");
        assert!(!soft || record["tried"][0]["verdict"] == "semantic_failure", "{record}");
    }
}

#[tokio::test]
async fn f31_an_answer_cut_at_its_limit_is_handed_on_as_it_is() {
    let text = r#"{\"rows\": [1, 2"#;
    let bad = Provider::behaving(&format!(r#"{{"text":"{text}","finish_reason":"length"}}"#)).await;
    let (spare, gateway) = pair(&bad.url, "").await;
    for stream in [false, true] {
        // No JSON was demanded: `contracts` has what becomes of it where it was.
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        assert_eq!((answer.status, &*answer.said()), (200, r#"{"rows": [1, 2"#));
        assert_eq!(gateway.record(&answer.id).await["finish"], "length", "it is told, and not mended");
    }
    assert_eq!(spare.calls(), 0);
}

#[tokio::test]
async fn f36_characters_may_be_split_at_every_byte() {
    let text = "Grüße – 你好，世界 … Привет 🚀 naïve ∑ 👩‍🚀 done.";
    let body = event(&json!({"role": "assistant"}), None)
        + &event(&json!({"content": text}), None)
        + &event(&json!({}), Some("stop"))
        + "data: [DONE]\n\n";
    for size in [1, 2, 3, 5, 7, 64] {
        let raw = Raw::streaming(body.as_bytes(), &[size]).await;
        let gateway = Gateway::chain(&[("p", &raw.url)], "").await;
        let answer = gateway.ask(Ask::stream("chat")).await;
        assert_eq!((answer.text(), answer.said()), (body.clone(), text.to_owned()), "{size}");
    }
}

#[tokio::test]
async fn f37_what_is_no_text_is_no_answer() {
    let bad = Provider::behaving(r#"{"tokens":5,"fault":"invalid_utf8"}"#).await;
    let (_spare, gateway) = pair(&bad.url, "").await;
    for stream in [false, true] {
        let answer = gateway.ask(Ask::chat("chat", json!({"stream": stream}))).await;
        survived(&gateway, &answer, "not_an_answer").await;
    }
    bad.model("m", r#"{"tokens":5,"pace":"20ms","fault":{"invalid_utf8":{"after":2}}}"#);
    let plain = Gateway::chain(&[("p", &bad.url)], "").await;
    let answer = plain.ask(Ask::stream("chat")).await;
    assert_eq!((answer.sketch().as_str(), &answer.error_event()["code"]), ("rccE.", &json!("upstream_failed")));
}

#[tokio::test]
async fn f38_usage_may_be_missing_or_nonsense() {
    let negative = answer(&json!({"role": "assistant", "content": SAID}));
    let negative = negative.replacen('{', r#"{"usage":{"prompt_tokens":-1,"completion_tokens":-9},"#, 1);
    let odd = Raw::answering("application/json", negative.as_bytes()).await;
    let huge =
        r#"{"tokens":3,"usage":{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615}}"#;
    let (missing, huge) = (Provider::behaving(r#"{"tokens":3,"usage":false}"#).await, Provider::behaving(huge).await);
    let routes = "routes: { a: { targets: [odd/m] }, b: { targets: [missing/m] }, c: { targets: [huge/m] } }";
    let providers = [("odd", &*odd.url), ("missing", &*missing.url), ("huge", &*huge.url)];
    let gateway = Gateway::start(&config(&providers, routes)).await;
    for route in ["a", "b", "c", "c"] {
        let answer = gateway.ask(Ask::whole(route)).await;
        assert_eq!((answer.status, &*answer.said()), (200, SAID), "{route}");
        let record = gateway.record(&answer.id).await;
        assert_eq!(record["outcome"], "success", "{record}");
        assert_eq!(record["tokens_in"].is_null(), route != "c", "{record}");
    }
    assert_eq!(gateway.ask(Ask::get("/livez")).await.status, 200);
}
