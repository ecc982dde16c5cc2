//! Streams for this dialect's tests, an event's data each.

/// The events as they come over the wire.
pub(super) fn stream(events: &[&str]) -> Vec<u8> {
    events.iter().flat_map(|data| format!("event: x\ndata: {data}\n\n").into_bytes()).collect()
}

pub(super) const WORDS: &[&str] = &[
    r#"{"id":"a-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
    r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hm"}}}}"#,
    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":" \u00e9"}}}}"#,
    r#"{"type":"content-end","index":0}"#,
    r#"{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
    r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Caf"}}}}"#,
    r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"\u00e9 \"é\" 😀\n"}}},"logprobs":{"token_ids":[1]}}"#,
    r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Café","sources":[{"type":"document","id":"doc:0"}]}}}}"#,
    r#"{"type":"citation-end","index":0}"#,
    r#"{"type":"content-end","index":1}"#,
    r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":12,"output_tokens":7},"tokens":{"input_tokens":507,"output_tokens":10},"cached_tokens":448}}}"#,
];

pub(super) const CALLS: &[&str] = &[
    r#"{"id":"a-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#,
    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" look"}}}"#,
    r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}"#,
    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":"}}}}}"#,
    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"\"}\"}"}}}}}"#,
    r#"{"type":"tool-call-end","index":0}"#,
    r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"g_2","type":"function","function":{"name":"g","arguments":""}}}}}"#,
    r#"{"type":"tool-call-end","index":1}"#,
    r#"{"type":"tool-call-start","index":2,"delta":{"message":{"tool_calls":{"id":"h_3","type":"function","function":{"name":"h","arguments":"null"}}}}}"#,
    r#"{"type":"tool-call-end","index":2}"#,
    r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":1445,"output_tokens":43}}}}"#,
];
