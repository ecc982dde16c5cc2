//! A provider's request for a count, from its request for an answer.
//!
//! Fields that only say how to answer are left away, for none of them is counted and most are refused. Must never be here:
//! what a client wrote.

use crate::json::only;
use crate::literal::push_literal;
use bytes::Bytes;
use llm::{Api, Dialect, Operation};

const OF_ANTHROPIC: &[&str] =
    &["model", "system", "messages", "tools", "tool_choice", "thinking", "output_config", "output_format"];
const OF_OPENAI: &[&str] =
    &["model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"];
const OF_AMAZON: &[&str] = &["system", "messages", "toolConfig", "additionalModelRequestFields"];

/// The request for a count in `api`, of which `body` asks `model` for an answer.
pub(super) fn counted(api: Api, model: &str, body: &[u8]) -> Bytes {
    let body = std::str::from_utf8(body).unwrap_or_default();
    match api {
        Api::BedrockCount => ["{\"input\":{\"converse\":", &only(body, OF_AMAZON), "}}"].concat(),
        Api::Shared(Dialect::Other(Operation::GeminiCountTokens)) => {
            let mut out = String::from("{\"generateContentRequest\":{\"model\":");
            push_literal(&mut out, &["models/", model].concat());
            let rest = body.strip_prefix('{').unwrap_or("}");
            out.push_str(if rest.starts_with('}') { "" } else { "," });
            out.push_str(rest);
            out.push('}');
            out
        }
        Api::Shared(Dialect::Other(Operation::InputTokens)) => only(body, OF_OPENAI),
        _ => only(body, OF_ANTHROPIC),
    }
    .into()
}
