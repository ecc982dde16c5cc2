//! Each fault as the client sees it.

use crate::client::{End, Provider};
use serde_json::{Value, json};

async fn provider(fault: &str) -> Provider {
    Provider::behaving(&format!(r#"{{"tokens":3,"fault":{fault}}}"#)).await
}

#[tokio::test]
async fn streams_that_end() {
    for (fault, sketch) in [
        ("null", "rcccfD."),
        (r#"{"cut":{"after":2}}"#, "rcc!"),
        (r#""cut""#, "r!"),
        (r#"{"cut":{"after":9}}"#, "rccc!"),
        (r#"{"cut_reset":{"after":2}}"#, "rccR"),
        (r#"{"polite_end":{"after":2}}"#, "rcc."),
        (r#""no_finish""#, "rcccD."),
        (r#""no_done""#, "rcccf."),
        (r#"{"garbage":{"after":1}}"#, "rcXccfD."),
        (r#"{"invalid_utf8":{"after":1}}"#, "rcXccfD."),
        (r#"{"error_event":{"after":0}}"#, "E."),
        (r#"{"error_event":{"after":2}}"#, "rccE."),
        (r#""invalid_json""#, "XcccfD."),
        (r#""no_choices""#, "0D."),
        (r#""empty_body""#, "."),
        (r#"{"drip":{"every":"1us"}}"#, "rcccfD."),
    ] {
        let got = provider(fault).await.chat(json!({"stream": true})).await;
        assert_eq!(got.sketch(), sketch, "{fault}: {}", got.text());
        assert_eq!(got.status, 200, "{fault}");
        assert!(got.head.contains("content-type: text/event-stream"), "{fault}: {}", got.head);
    }
}

#[tokio::test]
async fn streams_that_do_not_end() {
    for (fault, seen, sketch) in [
        (r#"{"stall":{"after":1}}"#, r#""content":"A""#, "rc~"),
        (r#"{"stall_with_comments":{"after":1,"every":"400ms"}}"#, ": keep-alive", "rc:~"),
        (r#"{"never_content":{"every":"400ms"}}"#, ": keep-alive", "r:~"),
        (r#""silence""#, "\r\n\r\n", "~"),
    ] {
        let got = provider(fault).await.chat_until(json!({"stream": true}), seen).await;
        assert_eq!(got.sketch(), sketch, "{fault}: {}", got.text());
    }
}

#[tokio::test]
async fn whole_answers() {
    let right = provider("null").await.chat(json!({})).await.body();
    let half = right.len() / 2;
    for (fault, end, length) in [
        ("null", End::Complete, Some(right.len())),
        (r#""cut""#, End::Closed, Some(half)),
        (r#""cut_reset""#, End::Reset, Some(half)),
        (r#""invalid_json""#, End::Complete, Some(half)),
        (r#""garbage""#, End::Complete, None),
        (r#""invalid_utf8""#, End::Complete, Some(right.len() + 3)),
        (r#""empty_body""#, End::Complete, Some(0)),
        (r#""no_done""#, End::Complete, Some(right.len())),
        (r#"{"drip":{"every":"1us"}}"#, End::Complete, Some(right.len())),
    ] {
        let got = provider(fault).await.chat(json!({})).await;
        let readable = serde_json::from_slice::<Value>(&got.body()).is_ok();
        assert_eq!(got.end, end, "{fault}: {}", got.text());
        assert!(length.is_none_or(|length| length == got.body().len()), "{fault}: {}", got.text());
        assert_eq!(readable, length == Some(right.len()), "{fault}: {}", got.text());
    }
    for (fault, seen) in [
        (r#""stall""#, "\"choices\""),
        (r#"{"never_content":{"every":"400ms"}}"#, "\r\n\r\n1\r\n\n"),
        (r#"{"stall_with_comments":{"every":"400ms"}}"#, "\r\n\r\n1\r\n\n"),
        (r#""silence""#, "\r\n\r\n"),
    ] {
        let got = provider(fault).await.chat_until(json!({}), seen).await;
        assert_eq!(got.end, End::Open, "{fault}");
    }
}

#[tokio::test]
async fn whole_answers_that_say_too_little() {
    for (fault, choices) in [
        (r#"{"polite_end":{"after":1}}"#, json!([["A", null]])),
        (r#""no_finish""#, json!([["A gateway keeps", null]])),
        (r#""no_choices""#, json!([])),
    ] {
        let answer = provider(fault).await.chat(json!({})).await.json();
        let said = answer["choices"].as_array().expect("choices").iter();
        let said: Vec<_> = said.map(|c| json!([c["message"]["content"], c["finish_reason"]])).collect();
        assert_eq!(json!(said), choices, "{fault}");
    }
}

#[tokio::test]
async fn responses_in_the_place_of_answers() {
    let status = r#"{"status":{"status":429,"headers":{"Retry-After":"7"},"message":"Slow.","code":"c","type":"t"}}"#;
    for (fault, status, head, body) in [
        (status, 429, "retry-after: 7", r#"{"error":{"message":"Slow.","type":"t","param":null,"code":"c"}}"#),
        (r#"{"status":{"status":503,"body":"busy"}}"#, 503, "content-length: 4", "busy"),
        (r#"{"status":{"status":402,"code":7}}"#, 402, "", r#""code":7"#),
        (r#"{"redirect":{"location":"http://a.test/"}}"#, 307, "location: http://a.test/", ""),
        (r#""html""#, 200, "content-type: text/html", "<html>"),
        (r#"{"error_object":{"code":"overloaded","type":"o"}}"#, 200, "application/json", r#""code":"overloaded""#),
    ] {
        for stream in [false, true] {
            let got = provider(fault).await.chat(json!({"stream": stream})).await;
            assert_eq!((got.status, got.end), (status, End::Complete), "{fault}");
            assert!(got.head.contains(head), "{fault}: {}", got.head);
            let text = String::from_utf8(got.body()).expect("text");
            assert!(text.contains(body), "{fault}: {text}");
        }
    }
    let got = provider(r#"{"error_event":{"after":2}}"#).await.chat(json!({})).await;
    assert_eq!(got.json()["error"]["type"], "server_error");
    let got = provider(r#""oversized_headers""#).await.chat(json!({})).await;
    assert!(got.status == 200 && got.head.len() > 300 * 1024);
}

#[tokio::test]
async fn connections_that_break_before_an_answer() {
    for stream in [false, true] {
        for (fault, end) in [(r#""reset""#, End::Reset), (r#""close""#, End::Closed)] {
            let got = provider(fault).await.chat(json!({"stream": stream})).await;
            assert_eq!((got.end, got.raw.len()), (end, 0), "{fault}");
        }
        let got = provider(r#""not_http""#).await.chat(json!({"stream": stream})).await;
        assert!(!got.raw.is_empty() && !got.raw.starts_with(b"HTTP"), "{}", got.raw.escape_ascii());
    }
}

#[tokio::test]
async fn split_characters_arrive_byte_by_byte_and_rightly() {
    let provider = Provider::behaving(r#"{"fault":"split_utf8"}"#).await;
    let got = provider.chat(json!({"stream": true})).await;
    assert!(got.frames.iter().all(|frame| frame.len() == 1));
    let said: String = got.events().iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
    assert!(said.contains("Grüße") && said.contains('🚀') && said.ends_with("done."), "{said}");
    assert!(got.sketch().ends_with("fD."), "{}", got.sketch());
    let whole = provider.chat(json!({})).await.json();
    assert_eq!(whole["choices"][0]["message"]["content"], said);
}
