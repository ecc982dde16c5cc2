//! Answers of Bedrock, read.

use super::super::Reader;
use super::MOST;
use crate::Unread;
use llm::{Delta, Dialect, FinishReason, Seal, SealKind, Usage};

/// Deltas of a stream of events.
fn read(events: &[&str]) -> Result<Vec<Delta>, Unread> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    events.iter().try_for_each(|event| reader.push(event.as_bytes(), &mut out)).map(|()| out)
}

/// The same, without the one that opens them.
fn of(events: &[&str]) -> Vec<Delta> {
    let mut deltas = read(events).expect("read");
    assert_eq!(deltas.remove(0), began());
    deltas
}

/// Deltas of a whole answer, without the one that opens them.
fn whole(content: &str, beside: &str) -> Vec<Delta> {
    let body = format!(r#"{{"output":{{"message":{{"role":"assistant","content":{content}}}}}{beside}}}"#);
    let mut deltas = Reader::whole(body.as_bytes()).expect("read");
    assert_eq!(deltas.remove(0), began());
    deltas
}

fn began() -> Delta {
    Delta::Began { id: String::new(), model: String::new() }
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> Delta {
    Delta::Thought { choice: 0, text: text.into() }
}

fn sealed(kind: SealKind, token: &str) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: Seal { of: Dialect::Anthropic, kind, token: token.into() } }
}

fn call(call: u32, id: &str, name: &str) -> Delta {
    Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
}

fn arguments(call: u32, text: &str) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

fn other(name: &str, json: &str) -> Delta {
    Delta::Other { choice: 0, name: name.into(), json: json.into() }
}

fn ended(finish: FinishReason, stop: Option<&str>) -> Delta {
    Delta::Ended { choice: 0, finish, stop: stop.map(str::to_owned) }
}

const STOP: &str = r#"{"messageStop":{"stopReason":"end_turn"}}"#;
const TOLD: &str = r#"{"metadata":{"usage":{"inputTokens":3,"outputTokens":9,"cacheReadInputTokens":4}}}"#;

#[test]
fn a_stream_is_read_step_by_step() {
    let used = Delta::Used(Usage { input: 7, output: 9, cached: 4, ..Usage::default() });
    for (events, expected) in [
        (
            &[
                r#"{"messageStart":{"role":"assistant"}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"h\u00e9"}}}"#,
                r#"{"contentBlockStop":{"contentBlockIndex":0}}"#,
                STOP,
                TOLD,
            ][..],
            vec![text("hé"), ended(FinishReason::Stop, None), used.clone()],
        ),
        // A signature is told where its thought ends, even if nobody says so.
        (
            &[
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s1"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s2"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"so"}}}"#,
            ],
            vec![thought("hm"), sealed(SealKind::Signature, "s1s2"), text("so")],
        ),
        (
            &[
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"eA=="}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"reasoningContent":{"signature":"s"}}}}"#,
                r#"{"contentBlockStop":{"contentBlockIndex":1}}"#,
            ],
            vec![sealed(SealKind::Encrypted, "eA=="), sealed(SealKind::Signature, "s")],
        ),
        // Calls may go on side by side, and one without input has an empty one.
        (
            &[
                r#"{"contentBlockStart":{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}}"#,
                r#"{"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"b","name":"g"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"x\":"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"toolUse":{"input":"1}"}}}}"#,
                r#"{"contentBlockStop":{"contentBlockIndex":1}}"#,
                STOP,
            ],
            vec![
                call(0, "a", "f"),
                call(1, "b", "g"),
                arguments(0, r#"{"x":"#),
                arguments(0, "1}"),
                arguments(1, "{}"),
                ended(FinishReason::ToolCalls, None),
            ],
        ),
        // What the provider runs itself is nobody's to call.
        (
            &[
                r#"{"contentBlockStart":{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"s","type":"server_tool_use"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}}"#,
                r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"citation":{"title":"t"}}}}"#,
                STOP,
            ],
            vec![
                other("toolUse", r#"{"toolUse":{"toolUseId":"a","name":"s","type":"server_tool_use"}}"#),
                other("toolUse", r#"{"toolUse":{"input":"{}"}}"#),
                other("citationsContent", r#"[{"title":"t"}]"#),
                ended(FinishReason::Stop, None),
            ],
        ),
        // One end alone counts; usage may come first.
        (
            &[
                TOLD,
                r#"{"messageStop":{"stopReason":"stop_sequence","additionalModelResponseFields":{"delta":{"stop_sequence":"END"}}}}"#,
                STOP,
                r#"{"tomorrow":{"x":1}}"#,
            ],
            vec![used, ended(FinishReason::Stop, Some("END"))],
        ),
    ] {
        assert_eq!(of(events), expected, "{events:?}");
    }
}

#[test]
fn a_whole_answer_is_read_block_by_block() {
    let beside = r#","stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2}"#;
    let content = r#"[
        {"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},
        {"reasoningContent":{"redactedContent":"eA=="}},
        {"type":"text","text":"so"},
        {"citationsContent":{"content":[{"text":"a"},{"text":"b"}],"citations":[{"title":"t"}]}},
        {"toolUse":{"toolUseId":"a","name":"f","input":{"x":1}}},
        {"toolUse":{"toolUseId":"b","name":"g","input":{}}},
        {"image":{"format":"png"}}
    ]"#;
    let expected = [
        thought("hm"),
        sealed(SealKind::Signature, "s"),
        sealed(SealKind::Encrypted, "eA=="),
        text("so"),
        text("a"),
        text("b"),
        other("citationsContent", r#"[{"title":"t"}]"#),
        call(0, "a", "f"),
        arguments(0, r#"{"x":1}"#),
        call(1, "b", "g"),
        arguments(1, "{}"),
        other("image", r#"{"image":{"format":"png"}}"#),
        ended(FinishReason::ToolCalls, None),
        Delta::Used(Usage { input: 1, output: 2, ..Usage::default() }),
    ];
    assert_eq!(whole(content, beside), expected);
    let beside = r#","stopReason":"stop_sequence","additionalModelResponseFields":{"stop_sequence":"END"}"#;
    assert_eq!(whole("[]", beside), [ended(FinishReason::Stop, Some("END"))]);
}

#[test]
fn what_is_no_answer_is_not_read() {
    for event in [
        "",
        "{}",
        "[]",
        r#"{"messageStart":{},"x":1}"#,
        r#"{"throttlingException":{"message":"m"}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":0}}"#,
        r#"{"contentBlockDelta":{"delta":7}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":9,"delta":{"toolUse":{"input":"{"}}}}"#,
    ] {
        assert_eq!(read(&[event]), Err(Unread::NotAnAnswer), "{event}");
    }
    for body in ["", "[]", "{}", r#"{"output":{"message":{"content":"a"}}}"#, r#"{"message":"m"}"#] {
        assert_eq!(Reader::whole(body.as_bytes()), Err(Unread::NotAnAnswer), "{body}");
    }
}

#[test]
fn what_is_read_is_bounded() {
    let event = |index: usize| {
        format!(
            r#"{{"contentBlockStart":{{"contentBlockIndex":{index},"start":{{"toolUse":{{"toolUseId":"a","name":"f"}}}}}}}}"#
        )
    };
    let count = |event: &dyn Fn(usize) -> String| {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        (0..1000).take_while(|n| reader.push(event(*n).as_bytes(), &mut out).is_ok()).count()
    };
    assert_eq!(count(&event), MOST);
    let closed = |n: usize| {
        if n.is_multiple_of(2) {
            event(n)
        } else {
            format!(r#"{{"contentBlockStop":{{"contentBlockIndex":{}}}}}"#, n - 1)
        }
    };
    assert_eq!(count(&closed), 2 * MOST, "calls that are over count too");
    let signature = format!(
        r#"{{"contentBlockDelta":{{"contentBlockIndex":0,"delta":{{"reasoningContent":{{"signature":"{}"}}}}}}}}"#,
        "s".repeat(1 << 20)
    );
    assert_eq!(count(&|_| signature.clone()), 32);
}
