//! Capacity, quota, headers and prefill as the client sees them.

use crate::client::{End, Got, Provider, TOO_LONG, call};
use serde_json::json;
use simulator::{Behaviour, Capacity, Counts, Fault};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A call under way, of which nothing is read yet.
async fn begun(provider: &Provider, in_flight: u64) -> TcpStream {
    let stream = provider.send("POST", "/v1/chat/completions", "", &call(json!({"stream": true}))).await;
    reached(provider, |counts| counts.in_flight == in_flight).await;
    stream
}

async fn reached(provider: &Provider, wanted: impl FnMut(&Counts) -> bool) {
    timeout(TOO_LONG, provider.control.until(wanted)).await.expect("the counts");
}

fn faults(provider: &Provider) -> Vec<Option<&'static str>> {
    provider.control.journal().last.into_iter().map(|entry| entry.fault).collect()
}

#[tokio::test]
async fn calls_wait_for_a_slot_and_too_many_are_turned_away() {
    let provider = Provider::behaving(r#"{"text":"so","capacity":{"slots":1,"queue":1},"headers":{"x-a":"1"}}"#).await;
    let hang = Behaviour { capacity: Some(Capacity::new(1, 1)), ..Behaviour::fault(Fault::Hang) };
    provider.control.script([hang]).expect("room");
    let working = begun(&provider, 1).await;
    let gone = begun(&provider, 2).await;
    drop(gone);
    reached(&provider, |counts| counts.in_flight == 1).await;
    let waiting = begun(&provider, 2).await;
    let refused = provider.chat(json!({})).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &json!("server_is_overloaded")));
    assert!(refused.head.contains("x-a: 1"), "{}", refused.head);
    drop(working);
    assert_eq!(Got::read(waiting, None).await.sketch(), "rcfD.");
    assert_eq!(provider.chat(json!({})).await.status, 200);
    assert_eq!(faults(&provider), [Some("hang"), None, None, Some("capacity"), None]);
    let counts = Counts { calls: 5, completed: 2, cancelled: 2, faulted: 1, ..Counts::default() };
    assert_eq!(provider.control.counts(), counts);
}

#[tokio::test]
async fn a_slot_may_be_held_until_the_first_content_only() {
    let (role, content) = (r#""role""#, r#""content":"A"#);
    for (hold, behaviour, seen, status) in [
        ("end", r#""first_token":"1ms","pace":"1m""#, content, 503),
        ("first_token", r#""first_token":"1ms","pace":"1m""#, content, 200),
        ("first_token", r#""first_token":"1m""#, role, 503),
        ("first_token", r#""pace":"1m""#, role, 503),
        ("first_token", r#""fault":{"never_content":{"every":"1m"}}"#, role, 503),
        ("first_token", r#""fault":{"stall":{"after":0}}"#, role, 503),
        ("first_token", r#""fault":{"stall":{"after":1}}"#, content, 200),
        ("end", r#""fault":{"stall":{"after":1}}"#, content, 503),
        ("end", r#""fault":"silence""#, "200 OK", 503),
    ] {
        let json = format!(r#"{{"tokens":3,"capacity":{{"slots":1,"hold":"{hold}"}},{behaviour}}}"#);
        let provider = Provider::behaving(r#"{"capacity":{"slots":1}}"#).await;
        provider.control.script([Behaviour::from_json(json.as_bytes()).expect(&json)]).expect("room");
        let mut working = begun(&provider, 1).await;
        Got::seen(&mut working, seen).await;
        assert_eq!(provider.chat(json!({})).await.status, status, "{json}");
    }
}

#[tokio::test]
async fn models_with_a_behaviour_of_their_own_have_slots_of_their_own() {
    let provider = Provider::behaving(r#"{"fault":"hang","capacity":{"slots":1}}"#).await;
    provider
        .control
        .set_model("own", Behaviour::from_json(br#"{"capacity":{"slots":1}}"#).expect("one"))
        .expect("room");
    let _working = begun(&provider, 1).await;
    for (model, status) in [("own", 200), ("other", 503), ("own", 200)] {
        assert_eq!(provider.chat(json!({"model": model})).await.status, status, "{model}");
    }
    provider.control.set_behaviour(Behaviour { capacity: Some(Capacity::new(2, 0)), ..Behaviour::default() });
    assert_eq!(provider.chat(json!({})).await.status, 200);
    provider.control.set_behaviour(Behaviour { capacity: Some(Capacity::new(1, 0)), ..Behaviour::default() });
    assert_eq!(provider.chat(json!({})).await.status, 503);
    provider.control.set_behaviour(Behaviour::default());
    assert_eq!(provider.chat(json!({})).await.status, 200);
}

#[tokio::test]
async fn calls_over_the_quota_are_refused_until_the_window_is_over() {
    let quota = r#""quota":{"requests":2,"per":"1000m"}"#;
    let provider = Provider::behaving(&format!(r#"{{"latency":"1ms",{quota}}}"#)).await;
    assert_eq!(provider.chat(json!({"messages": []})).await.status, 400);
    let wrong = format!("x-sim-behaviour: {{{quota},\"fault\":{{\"status\":{{\"status\":500}}}}}}\r\n");
    for (header, status, remaining) in [("", 200, "1"), (wrong.as_str(), 500, "0"), ("", 429, "0"), ("", 429, "0")] {
        let got = provider.ask("POST", "/v1/chat/completions", header, &call(json!({}))).await;
        assert_eq!(got.status, status);
        for line in ["limit-requests: 2", &format!("remaining-requests: {remaining}"), "reset-requests: 16h"] {
            assert!(got.head.contains(&format!("x-ratelimit-{line}")), "{line}: {}", got.head);
        }
        assert_eq!(got.head.contains("\r\nretry-after: "), status == 429, "{}", got.head);
    }
    assert_eq!(faults(&provider), [None, None, Some("status"), Some("quota"), Some("quota")]);
    let short = Behaviour::from_json(br#"{"quota":{"requests":1,"per":"1us"}}"#).expect("a behaviour");
    provider.control.set_behaviour(short);
    for _ in 0..3 {
        assert_eq!(provider.chat(json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn refusals_over_the_quota_say_the_wait_as_told() {
    for (told, line) in [
        (r#""retry_after":"seconds""#, "\r\nretry-after: 35"),
        (r#""retry_after":"ms""#, "\r\nretry-after-ms: 35"),
        (r#""retry_after":"duration""#, "\r\nretry-after: 59m"),
        (r#""retry_after":"date""#, " gmt\r\n"),
        (r#""retry_after":"none","headers":{"x-should-retry":"false"}"#, "\r\nx-should-retry: false"),
        (r#""headers":{"Retry-After":"1.5"}"#, "\r\nretry-after: 1.5\r\n"),
    ] {
        let json = format!(r#"{{"quota":{{"requests":1,"per":"59.5m",{told}}}}}"#);
        let provider = Provider::behaving(&json).await;
        assert_eq!(provider.chat(json!({})).await.status, 200, "{told}");
        let got = provider.chat(json!({})).await;
        assert!(got.status == 429 && got.head.contains(line), "{told}: {}", got.head);
    }
}

#[tokio::test]
async fn answers_right_and_wrong_bear_the_headers_named() {
    let named = r#""headers":{"X-A":"1","x-request-id":"mine","retry-after":"9"}"#;
    for (fault, id, retry) in [
        ("null", "mine", "9"),
        (r#""html""#, "mine", "9"),
        (r#"{"status":{"status":429,"headers":{"Retry-After":"7"}}}"#, "mine", "7"),
    ] {
        for stream in [false, true] {
            let provider = Provider::behaving(&format!(r#"{{{named},"fault":{fault}}}"#)).await;
            let got = provider.chat(json!({"stream": stream})).await;
            let lines: Vec<_> =
                got.head.lines().filter(|line| line.starts_with("x-") || line.contains("retry")).collect();
            let expected = [format!("x-request-id: {id}"), format!("retry-after: {retry}"), "x-a: 1".to_owned()];
            assert!(expected.iter().all(|line| lines.contains(&line.as_str())) && lines.len() == 3, "{}", got.head);
        }
    }
}

#[tokio::test]
async fn a_prefill_is_gone_on_from_whole_and_streamed() {
    let last = json!({"role": "assistant", "content": "A gateway"});
    let messages = json!([{"role": "user", "content": "hi"}, last]);
    for (prefill, said) in [("ignore", "A gateway keeps its"), ("continue", " keeps its")] {
        let provider = Provider::behaving(&format!(r#"{{"tokens":4,"prefill":"{prefill}","usage":true}}"#)).await;
        let whole = provider.chat(json!({"messages": messages})).await.json();
        assert_eq!(whole["choices"][0]["message"]["content"], said);
        let stream = provider.chat(json!({"messages": messages, "stream": true})).await;
        let events = stream.events();
        let streamed: String =
            events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!((streamed.as_str(), stream.end), (said, End::Complete));
        let words = said.split_whitespace().count();
        let usage = json!({"prompt_tokens": 3, "completion_tokens": words, "total_tokens": 3 + words});
        assert_eq!([&whole["usage"], &events.last().expect("usage")["usage"]], [&usage, &usage]);
        assert_eq!(provider.control.journal().last[0].last_role, Some("assistant"));
    }
    let provider = Provider::behaving(r#"{"prefill":"reject"}"#).await;
    for stream in [false, true] {
        let got = provider.chat(json!({"messages": messages, "stream": stream})).await;
        assert_eq!((got.status, &got.json()["error"]["param"]), (400, &json!("messages[1].role")));
        assert_eq!(provider.chat(json!({"stream": stream})).await.status, 200);
    }
}

#[tokio::test]
async fn equal_seeds_say_the_same_in_every_simulator() {
    let mut heard = Vec::new();
    for seed in [1, 1, 2] {
        let provider = Provider::behaving(&format!(r#"{{"tokens":20,"seed":{seed}}}"#)).await;
        heard.push(provider.chat(json!({})).await.json()["choices"][0]["message"]["content"].clone());
    }
    assert!(heard[0] == heard[1] && heard[1] != heard[2], "{heard:?}");
}
