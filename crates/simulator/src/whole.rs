//! An answer as one JSON body.
//!
//! Receives an `Answer` and a stamp; hands on bytes. Never here: faults, time.

use crate::answer::{Answer, Call, Usage};
use crate::logprobs::Logprobs;
use crate::stamp::Stamp;
use crate::words;
use serde::Serialize;

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'a str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: Option<&'a str>,
    refusal: (),
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// The body of a whole answer.
pub(crate) fn render(answer: &Answer, stamp: &Stamp) -> Vec<u8> {
    let completion = Completion {
        id: &stamp.id,
        object: "chat.completion",
        created: stamp.created,
        model: &answer.model,
        system_fingerprint: "fp_simulator",
        choices: (0..answer.choices).map(|index| choice(index, answer)).collect(),
        usage: answer.usage,
    };
    // Writing strings and numbers to memory cannot fail; were it to, the empty body would show in tests.
    serde_json::to_vec(&completion).unwrap_or_default()
}

fn choice(index: u32, answer: &Answer) -> Choice<'_> {
    let text = answer.text.as_deref();
    let logprobs = answer.alternatives.zip(text).map(|(count, text)| Logprobs::of(words::tokens(text), count));
    let tool_calls = answer.calls.iter().map(tool_call).collect();
    let message = Message { role: "assistant", content: text, refusal: (), tool_calls };
    Choice { index, message, logprobs, finish_reason: answer.finish.as_deref() }
}

fn tool_call(call: &Call) -> ToolCall<'_> {
    let function = Function { name: &call.name, arguments: &call.arguments };
    ToolCall { id: &call.id, kind: "function", function }
}
