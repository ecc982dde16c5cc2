//! What `GET /_sim` says: every endpoint, field and fault, each with an example that works.

use serde_json::{Map, Value, json};

const ENDPOINTS: [(&str, &str); 7] = [
    ("GET /_sim", "this page"),
    ("PUT /_sim/behaviour", "a behaviour: how calls go by default"),
    ("PUT /_sim/models/{model}", "a behaviour: how calls of one model go; the name as it is, slashes included"),
    ("POST /_sim/script", "an array of behaviours: the next good calls consume one each"),
    ("GET /_sim/journal", "how many calls came, how they ended, and the last 256 of them"),
    ("DELETE /_sim", "back to the beginning"),
    ("x-sim-behaviour", "a request header with a behaviour for that one call"),
];

/// Name, what it does, an example.
type Line = (&'static str, &'static str, &'static str);

const FIELDS: [Line; 15] = [
    ("latency", "wait before the response head", r#""200ms""#),
    ("first_token", "wait between head and first content of a stream", r#""1.5s""#),
    ("pace", "wait between events of a stream; 0 sends them all at once", "20"),
    ("tokens", "answer with so many generated words, one event each", "100"),
    ("text", "answer with this text", r#""Hello.""#),
    ("seed", "which words are generated; equal seeds say the same everywhere", "7"),
    (
        "prefill",
        "a last message of the assistant: ignore, continue from, strip, echo, restart, empty, or reject it",
        r#""continue""#,
    ),
    ("tool_calls", "answer with these tool calls", r#"[{"name":"get_weather","arguments":{"city":"Oslo"}}]"#),
    ("finish_reason", "give this finish reason", r#""content_filter""#),
    ("usage", "false: none; true: even unasked; or these numbers", r#"{"prompt_tokens":9,"completion_tokens":100}"#),
    ("headers", "further response headers", r#"{"x-ratelimit-remaining-tokens":"12"}"#),
    (
        "capacity",
        "so many calls are worked on at a time and so many wait, others get 503; hold: end or first_token",
        r#"{"slots":4,"queue":16,"hold":"end"}"#,
    ),
    (
        "quota",
        "so many calls pass in each window, others get 429; retry_after: seconds, ms, date, duration or none",
        r#"{"requests":10,"per":"1s","retry_after":"seconds","headers":{"x-should-retry":"true"}}"#,
    ),
    ("fault", "what goes wrong, see faults", r#"{"cut":{"after":3}}"#),
    ("share", "how often the fault happens, 0 to 1", "0.25"),
];

const FAULTS: [Line; 26] = [
    ("status", "an error status", r#"{"status":{"status":429,"headers":{"retry-after":"2"},"message":"Slow down."}}"#),
    ("redirect", "307 to another place", r#"{"redirect":{"location":"http://127.0.0.1:1/"}}"#),
    ("reset", "TCP reset before any byte", r#""reset""#),
    ("close", "the connection closes before any byte", r#""close""#),
    ("hang", "the request is read and never answered", r#""hang""#),
    ("silence", "200 and headers, then nothing", r#""silence""#),
    ("oversized_headers", "a head larger than clients read", r#"{"oversized_headers":{"bytes":600000}}"#),
    ("not_http", "bytes that are no HTTP", r#""not_http""#),
    ("html", "200 with an HTML page", r#""html""#),
    ("empty_body", "200 with no body", r#""empty_body""#),
    ("error_object", "200 with an error object", r#"{"error_object":{"code":"overloaded","type":"server_error"}}"#),
    ("invalid_json", "broken JSON; in a stream the first event", r#""invalid_json""#),
    ("no_choices", "choices: []", r#""no_choices""#),
    ("cut", "the connection closes in the middle", r#"{"cut":{"after":3}}"#),
    ("cut_reset", "TCP reset in the middle", r#"{"cut_reset":{"after":3}}"#),
    ("polite_end", "a clean end half said, no finish reason, no [DONE]", r#"{"polite_end":{"after":3}}"#),
    ("no_finish", "everything but the finish reason", r#""no_finish""#),
    ("no_done", "everything but [DONE]", r#""no_done""#),
    ("stall", "silence in the middle", r#"{"stall":{"after":3}}"#),
    (
        "stall_with_comments",
        "only comments from the middle on",
        r#"{"stall_with_comments":{"after":3,"every":"500ms"}}"#,
    ),
    ("drip", "one byte at a time", r#"{"drip":{"every":"5ms"}}"#),
    ("garbage", "an unreadable event in the middle", r#"{"garbage":{"after":3}}"#),
    ("split_utf8", "a right answer, every byte a frame of its own", r#""split_utf8""#),
    ("invalid_utf8", "an event that is no UTF-8 in the middle", r#"{"invalid_utf8":{"after":3}}"#),
    ("error_event", "an error event, then the end", r#"{"error_event":{"after":0,"code":"server_error"}}"#),
    ("never_content", "comments for ever, no content", r#"{"never_content":{"every":"1s"}}"#),
];

/// The page, as JSON.
pub(crate) fn text() -> String {
    let endpoints: Map<String, Value> =
        ENDPOINTS.iter().map(|(name, does)| ((*name).to_owned(), json!(does))).collect();
    json!({ "endpoints": endpoints, "fields": lines(&FIELDS), "faults": lines(&FAULTS) }).to_string()
}

fn lines(lines: &[Line]) -> Map<String, Value> {
    let example = |example: &str| serde_json::from_str::<Value>(example).unwrap_or_default();
    let line = |(name, does, text): &Line| ((*name).to_owned(), json!({ "does": does, "example": example(text) }));
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::Behaviour;

    fn names(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|(name, ..)| format!("`{name}`")).collect()
    }

    /// What serde lists when it refuses a name.
    fn known(json: &str) -> String {
        Behaviour::from_json(json.as_bytes()).expect_err("an unknown name").to_string()
    }

    #[test]
    fn every_field_and_fault_is_shown_with_an_example_that_parses() {
        for (lines, unknown) in [(&FIELDS[..], r#"{"x":1}"#), (&FAULTS[..], r#"{"fault":"x"}"#)] {
            let listed = known(unknown);
            let listed = listed.split_once("expected one of ").expect("a list").1;
            assert_eq!(listed.split(", ").collect::<Vec<_>>(), names(lines));
        }
        for (name, _, example) in FIELDS {
            Behaviour::from_json(format!(r#"{{"{name}":{example}}}"#).as_bytes()).expect(name);
        }
        for (name, _, example) in FAULTS {
            let behaviour = Behaviour::from_json(format!(r#"{{"fault":{example}}}"#).as_bytes()).expect(name);
            assert_eq!(behaviour.fault.map(|fault| fault.name()), Some(name));
        }
    }
}
