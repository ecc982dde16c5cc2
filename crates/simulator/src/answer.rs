//! The right answer to a request, as a value.
//!
//! Receives a checked request and a behaviour; hands on an `Answer` for `events` or `whole` to render.
//! Never here: JSON shapes of the wire, faults, time.

use crate::behaviour::{Behaviour, Prefill, ToolCall, UsageReport};
use crate::refusal::Refusal;
use crate::request::{ChatRequest, Function, Role, ToolChoice};
use crate::{schema, words};
use serde::Serialize;
use serde_json::{Value, json};

/// The most content events one answer may have, over all its choices.
const MAX_EVENTS: u64 = 100_000;
/// How much of a client's text is repeated, in characters.
const MAX_ECHO: usize = 64;

/// An answer. All its choices are alike, so one stands for all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    pub(crate) model: String,
    /// How many choices.
    pub(crate) choices: u32,
    pub(crate) text: Option<String>,
    pub(crate) calls: Vec<Call>,
    /// Why it stopped; none where a fault keeps that back.
    pub(crate) finish: Option<String>,
    /// Alternatives to report for each token; none where log probabilities were not asked for.
    pub(crate) alternatives: Option<u8>,
    /// What usage to report; none where none is reported.
    pub(crate) usage: Option<Usage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) total_tokens: u64,
}

/// What an answer says, before limits and usage.
enum Substance {
    Text(String),
    Calls(Vec<(String, String)>),
}

impl Answer {
    /// The answer that `behaviour` and the request together ask for.
    pub(crate) fn compose(request: &ChatRequest, behaviour: &Behaviour) -> Result<Self, Refusal> {
        let prefill = request.prefill();
        if let (Prefill::Reject, Some((index, _))) = (behaviour.prefill, &prefill) {
            return Err(Refusal::prefill(*index));
        }
        let given = prefill.as_ref().map(|(_, given)| &**given);
        let echo = given.filter(|_| behaviour.prefill == Prefill::Echo).unwrap_or_default();
        let (text, calls, cut) = match substance(request, behaviour) {
            Substance::Text(text) => {
                let text = given.map_or_else(|| text.clone(), |given| gone_on(&text, given, behaviour.prefill));
                let (text, cut) = words::shortened(text, request.token_limit());
                (Some(format!("{echo}{text}")), Vec::new(), cut)
            }
            Substance::Calls(calls) => (None, with_ids(calls, request.messages.len()), false),
        };
        let usual = match (calls.is_empty(), cut) {
            (false, _) => "tool_calls",
            (true, true) => "length",
            (true, false) => "stop",
        };
        let mut answer = Self {
            model: request.model.clone(),
            choices: request.choices(),
            text,
            calls,
            finish: Some(behaviour.finish_reason.clone().unwrap_or_else(|| usual.to_owned())),
            alternatives: request.alternatives(),
            usage: None,
        };
        let events = answer.completion_tokens();
        if events > MAX_EVENTS {
            return Err(Refusal::parameter("n", "invalid_value", format!("The answer would have {events} tokens.")));
        }
        let echoed = words::tokens(echo).count() as u64 * u64::from(answer.choices);
        answer.usage = usage(request, behaviour, events.saturating_sub(echoed));
        Ok(answer)
    }

    fn completion_tokens(&self) -> u64 {
        let arguments = self.calls.iter().map(|call| call.arguments.as_str());
        let one: usize =
            self.text.as_deref().into_iter().chain(arguments).map(|text| words::tokens(text).count()).sum();
        one as u64 * u64::from(self.choices)
    }
}

/// What is said of `text` behind a last message of the assistant that says `given`.
fn gone_on(text: &str, given: &str, prefill: Prefill) -> String {
    let rest = text.strip_prefix(given).unwrap_or(text);
    match prefill {
        Prefill::Continue | Prefill::Echo => rest.to_owned(),
        Prefill::Strip => rest.trim_start().to_owned(),
        Prefill::Ignore | Prefill::Reject => text.to_owned(),
        Prefill::Restart => format!("Sure! {text}"),
        Prefill::Empty => String::new(),
    }
}

/// What is asked for explicitly goes before what the request suggests.
fn substance(request: &ChatRequest, behaviour: &Behaviour) -> Substance {
    if !behaviour.tool_calls.is_empty() {
        return Substance::Calls(behaviour.tool_calls.iter().map(scripted_call).collect());
    }
    if let Some(text) = &behaviour.text {
        return Substance::Text(text.clone());
    }
    if let Some(result) = request.last().filter(|last| last.role == Role::Tool) {
        return Substance::Text(format!("The tool says: {}", words::excerpt(&result.text(), MAX_ECHO)));
    }
    if let Some(function) = wanted_function(request) {
        let arguments = match &function.parameters {
            Value::Object(_) => schema::example(&function.parameters),
            _ => json!({}),
        };
        return Substance::Calls(vec![(function.name.clone(), arguments.to_string())]);
    }
    Substance::Text(formatted(request).unwrap_or_else(|| match behaviour.tokens {
        Some(tokens) => words::generated(tokens, behaviour.seed),
        None => greeting(request),
    }))
}

fn scripted_call(call: &ToolCall) -> (String, String) {
    let arguments = match &call.arguments {
        Value::String(text) => text.clone(),
        Value::Null => "{}".to_owned(),
        value => value.to_string(),
    };
    (call.name.clone(), arguments)
}

/// Ids differ between the turns of one conversation, as clients rely on, and are the same each time it is replayed.
fn with_ids(calls: Vec<(String, String)>, turn: usize) -> Vec<Call> {
    let with_id = |(index, (name, arguments))| Call { id: format!("call_sim_{turn}_{index}"), name, arguments };
    calls.into_iter().enumerate().map(with_id).collect()
}

/// The function to call: the one named, the first where one is required, the first where a user speaks.
fn wanted_function(request: &ChatRequest) -> Option<&Function> {
    let mut functions = request.tools.iter().flatten().filter_map(|tool| tool.function.as_ref());
    let user_speaks = request.last().is_some_and(|last| last.role == Role::User);
    match &request.tool_choice {
        Some(ToolChoice::Named { function }) => functions.find(|candidate| candidate.name == function.name),
        Some(ToolChoice::Mode(mode)) if mode == "none" => None,
        Some(ToolChoice::Mode(mode)) if mode == "required" => functions.next(),
        _ => functions.next().filter(|_| user_speaks),
    }
}

/// JSON where the request wants JSON.
fn formatted(request: &ChatRequest) -> Option<String> {
    let format = request.response_format.as_ref()?;
    match (format.kind.as_str(), &format.json_schema) {
        ("json_schema", Some(named)) => Some(schema::example(&named.schema).to_string()),
        ("json_schema" | "json_object", _) => Some(json!({ "answer": greeting(request) }).to_string()),
        _ => None,
    }
}

fn greeting(request: &ChatRequest) -> String {
    let echo = words::excerpt(&request.last_user_text(), MAX_ECHO);
    let images = match request.images() {
        0 => String::new(),
        1 => " I see 1 image.".to_owned(),
        count => format!(" I see {count} images."),
    };
    format!("Hello from the simulator! You said: \"{echo}\".{images}")
}

fn usage(request: &ChatRequest, behaviour: &Behaviour, completion_tokens: u64) -> Option<Usage> {
    let asked = !request.streams() || request.wants_usage_event();
    let counted = || (request.prompt_tokens(), completion_tokens);
    let (prompt_tokens, completion_tokens) = match behaviour.usage {
        Some(UsageReport::Given(false)) => return None,
        Some(UsageReport::Given(true)) => counted(),
        _ if !asked => return None,
        Some(UsageReport::Exact { prompt_tokens, completion_tokens }) => (prompt_tokens, completion_tokens),
        None => counted(),
    };
    let total_tokens = prompt_tokens.saturating_add(completion_tokens);
    Some(Usage { prompt_tokens, completion_tokens, total_tokens })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(extra: &Value, behaviour: &str) -> Answer {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi there"}]});
        request.as_object_mut().expect("an object").extend(extra.as_object().cloned().expect("an object"));
        let request = ChatRequest::read(request.to_string().as_bytes()).expect("a good request");
        let behaviour = Behaviour::from_json(behaviour.as_bytes()).expect("a good behaviour");
        Answer::compose(&request, &behaviour).expect("an answer")
    }

    #[test]
    fn text_follows_behaviour_and_request() {
        let tools = json!([{"type": "function", "function": {"name": "f"}}]);
        let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "integer"}}});
        for (extra, behaviour, text, finish) in [
            (json!({}), "{}", "Hello from the simulator! You said: \"hi there\".", "stop"),
            (json!({"max_tokens": 2}), "{}", "Hello from", "length"),
            (json!({"max_tokens": 9, "max_completion_tokens": 1}), "{}", "Hello", "length"),
            (json!({}), r#"{"tokens":3}"#, "A gateway keeps", "stop"),
            (json!({}), r#"{"text":"so"}"#, "so", "stop"),
            (json!({"tools": tools}), r#"{"text":"so"}"#, "so", "stop"),
            (json!({"tools": tools, "tool_choice": "none"}), r#"{"tokens":1}"#, "A", "stop"),
            (json!({"response_format": schema}), "{}", "1", "stop"),
            (json!({}), r#"{"text":"so","finish_reason":"content_filter"}"#, "so", "content_filter"),
            (
                json!({"tools": tools, "messages": [{"role": "tool", "tool_call_id": "c", "content": "12 °C"}]}),
                "{}",
                "The tool says: 12 °C",
                "stop",
            ),
            (
                json!({"messages": [{"role": "user", "content": [
                    {"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:,"}}
                ]}]}),
                "{}",
                "Hello from the simulator! You said: \"look\". I see 1 image.",
                "stop",
            ),
        ] {
            let answer = answer(&extra, behaviour);
            assert_eq!(answer.text.as_deref(), Some(text), "{extra} {behaviour}");
            assert_eq!(answer.finish.as_deref(), Some(finish), "{extra} {behaviour}");
        }
    }

    #[test]
    fn a_prefill_is_gone_on_from_where_told() {
        let with = |last: &str| {
            json!({"messages": [
                {"role": "user", "content": "say it"}, {"role": "assistant", "content": last}
            ]})
        };
        let parts = json!({"messages": [{"role": "assistant", "content": [{"type": "text", "text": "one"}]}]});
        let asked = json!({"messages": [{"role": "user", "content": "one"}]});
        let short = |last: &str, limit| {
            let mut request = with(last);
            request["max_tokens"] = json!(limit);
            request
        };
        let three = r#""text":"one two three","prefill":"continue""#;
        for (request, behaviour, text, finish, prompt, completion) in [
            (with("one"), r#""text":"one two three""#, "one two three", "stop", 3, 3),
            (with("one"), r#""text":"one two three","prefill":"ignore""#, "one two three", "stop", 3, 3),
            (with("one"), three, " two three", "stop", 3, 2),
            (with("one t"), three, "wo three", "stop", 4, 2),
            (with("one two three"), three, "", "stop", 5, 0),
            (with(""), three, "one two three", "stop", 2, 3),
            (with("one four"), three, "one two three", "stop", 4, 3),
            (with("one two three four"), three, "one two three", "stop", 6, 3),
            (short("one", 1), three, " two", "length", 3, 1),
            (parts, three, " two three", "stop", 1, 2),
            (asked.clone(), three, "one two three", "stop", 1, 3),
            (asked, r#""text":"so","prefill":"reject""#, "so", "stop", 1, 1),
            (with("one"), r#""text":"one two three","prefill":"strip""#, "two three", "stop", 3, 2),
            (with("one"), r#""text":"one two three","prefill":"echo""#, "one two three", "stop", 3, 2),
            (short("one", 1), r#""text":"one two three","prefill":"echo""#, "one two", "length", 3, 1),
            (with("one"), r#""text":"one two three","prefill":"restart""#, "Sure! one two three", "stop", 3, 4),
            (with("one"), r#""text":"one two three","prefill":"empty""#, "", "stop", 3, 0),
            (with("A gate"), r#""tokens":3,"prefill":"continue""#, "way keeps", "stop", 4, 2),
        ] {
            let answer = answer(&request, &format!("{{{behaviour}}}"));
            let said = (answer.text.as_deref(), answer.finish.as_deref());
            assert_eq!(said, (Some(text), Some(finish)), "{request} {behaviour}");
            let usage = answer.usage.expect("usage");
            assert_eq!((usage.prompt_tokens, usage.completion_tokens), (prompt, completion), "{request} {behaviour}");
        }
    }

    #[test]
    fn a_prefill_is_refused_where_told() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}"#;
        let request = ChatRequest::read(body).expect("a good request");
        let behaviour = Behaviour { prefill: Prefill::Reject, ..Behaviour::default() };
        let refusal = Answer::compose(&request, &behaviour).expect_err("a prefill");
        assert_eq!((refusal.status.as_u16(), refusal.error.param.as_deref()), (400, Some("messages[1].role")));
        assert!(refusal.error.message.contains("'assistant'"), "{}", refusal.error.message);
    }

    #[test]
    fn tools_are_called_where_the_request_allows_it() {
        let properties = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let tools = json!([
            {"type": "function", "function": {"name": "f", "parameters": properties}},
            {"type": "function", "function": {"name": "g"}}
        ]);
        let named = json!({"type": "function", "function": {"name": "g"}});
        let scripted = r#"{"tool_calls":[{"name":"h","arguments":{"x":1}},{"name":"i","arguments":"{brok"}]}"#;
        for (extra, behaviour, expected) in [
            (json!({"tools": tools}), "{}", vec![("f", r#"{"city":"city"}"#)]),
            (json!({"tools": tools, "tool_choice": "required"}), "{}", vec![("f", r#"{"city":"city"}"#)]),
            (json!({"tools": tools, "tool_choice": named}), "{}", vec![("g", "{}")]),
            (json!({}), scripted, vec![("h", r#"{"x":1}"#), ("i", "{brok")]),
        ] {
            let answer = answer(&extra, behaviour);
            let calls: Vec<_> = answer.calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
            assert_eq!(calls, expected, "{extra}");
            assert_eq!((answer.text, answer.finish.as_deref()), (None, Some("tool_calls")), "{extra}");
        }
    }

    #[test]
    fn usage_is_reported_as_told() {
        let counted = Usage { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 };
        let exact = Usage { prompt_tokens: 7, completion_tokens: 8, total_tokens: 15 };
        let (whole, stream) = (json!({"n": 2}), json!({"n": 2, "stream": true}));
        let asking = json!({"n": 2, "stream": true, "stream_options": {"include_usage": true}});
        let given = r#""usage":{"prompt_tokens":7,"completion_tokens":8}"#;
        for (extra, told, expected) in [
            (&whole, "", Some(counted)),
            (&stream, "", None),
            (&asking, "", Some(counted)),
            (&asking, r#""usage":false"#, None),
            (&stream, r#""usage":true"#, Some(counted)),
            (&whole, given, Some(exact)),
            (&stream, given, None),
        ] {
            let comma = if told.is_empty() { "" } else { "," };
            assert_eq!(answer(extra, &format!(r#"{{"tokens":2{comma}{told}}}"#)).usage, expected, "{extra} {told}");
        }
    }

    #[test]
    fn an_answer_of_too_many_events_is_refused() {
        let body = br#"{"model":"m","n":100,"messages":[{"role":"user","content":"x"}]}"#;
        let request = ChatRequest::read(body).expect("a good request");
        let refusal = Answer::compose(&request, &Behaviour::tokens(2000)).expect_err("too long");
        assert_eq!(refusal.error.param.as_deref(), Some("n"));
    }
}
