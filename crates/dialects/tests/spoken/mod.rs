//! What providers say, event by event, in the dialect of each.
//!
//! Must never be here: what becomes of it.

#![allow(dead_code, reason = "each program of tests uses a part of it")]
#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::BytesMut;
use dialects::{Head, Writer};
use llm::{Api, Delta, Dialect, FinishReason, Usage};
use serde_json::{Value, json};

/// What providers speak.
pub(crate) const APIS: [Api; 7] = [
    Api::Shared(Dialect::OpenAiChat),
    Api::Shared(Dialect::Anthropic),
    Api::Shared(Dialect::Gemini),
    Api::Shared(Dialect::Responses),
    Api::Cohere,
    Api::Ollama,
    Api::Bedrock,
];

/// What clients speak.
pub(crate) const CLIENTS: [Dialect; 5] =
    [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini, Dialect::Responses, Dialect::COMPLETIONS];

/// What an answer begins with that is written for a client.
pub(crate) fn head() -> Head {
    Head { id: "id".into(), model: "m".into(), created: 1_700_000_000, usage: true, ..Head::default() }
}

/// All pairs of what a provider speaks and a client that does not.
pub(crate) fn pairs() -> impl Iterator<Item = (Api, Dialect)> {
    let clients = |api: Api| CLIENTS.into_iter().filter(move |to| !api.is(*to)).map(move |to| (api, to));
    APIS.into_iter().flat_map(clients)
}

/// A provider that speaks.
pub(crate) struct Provider {
    api: Api,
    /// Of dialects that clients speak too; Gemini's holds calls until the end, which its provider does not.
    writer: Writer,
    calls: u32,
}

pub(crate) fn text(text: impl Into<String>) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

pub(crate) fn thought(text: impl Into<String>) -> Delta {
    Delta::Thought { choice: 0, text: text.into() }
}

pub(crate) fn call(call: u32) -> Delta {
    Delta::Call { choice: 0, call, id: format!("call_{call}"), name: "weather".into(), free: false, seal: None }
}

pub(crate) fn arguments(call: u32, text: impl Into<String>) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

impl Provider {
    pub(crate) fn of(api: Api) -> Self {
        let dialect = match api {
            Api::Shared(dialect) => dialect,
            Api::Cohere | Api::Ollama | Api::Bedrock | Api::BedrockCount | Api::Vectors(_) => Dialect::OpenAiChat,
        };
        Self { api, writer: Writer::of(dialect, false, head()), calls: 0 }
    }

    /// What opens an answer.
    pub(crate) fn begins(&mut self) -> Vec<u8> {
        match self.api {
            // Numbers are no stream.
            Api::Shared(Dialect::Gemini) | Api::Ollama | Api::BedrockCount | Api::Vectors(_) => Vec::new(),
            Api::Shared(_) => self.written(&Delta::Began { id: "id".into(), model: "m".into() }),
            Api::Cohere => event(&json!({"type": "message-start", "delta": {"message": {"role": "assistant"}}})),
            Api::Bedrock => frame("messageStart", &json!({"role": "assistant"})),
        }
    }

    /// The event that says this; nothing where the dialect has none for it.
    pub(crate) fn says(&mut self, delta: &Delta) -> Vec<u8> {
        self.calls += u32::from(matches!(delta, Delta::Call { .. }));
        match self.api {
            Api::Shared(Dialect::Gemini) => gemini(delta),
            Api::Shared(_) => self.written(delta),
            Api::Cohere => cohere(delta),
            Api::Ollama => ollama(delta),
            Api::Bedrock => bedrock(delta),
            Api::BedrockCount | Api::Vectors(_) => Vec::new(),
        }
    }

    /// The same, of what those who write the dialect for clients would not say any more, or would say more around.
    pub(crate) fn says_plainly(&mut self, delta: &Delta) -> Vec<u8> {
        let chat = |delta: Value| json!({"choices": [{"index": 0, "delta": delta}]});
        let object = match (self.api, delta) {
            (Api::Shared(Dialect::OpenAiChat), Delta::Text { text, .. }) => chat(json!({"content": text})),
            (Api::Shared(Dialect::OpenAiChat), Delta::Call { call, id, name, .. }) => {
                let function = json!({"name": name, "arguments": ""});
                chat(json!({"tool_calls": [{"index": call, "id": id, "function": function}]}))
            }
            (Api::Shared(Dialect::OpenAiChat), Delta::Arguments { call, text, .. }) => {
                chat(json!({"tool_calls": [{"index": call, "function": {"arguments": text}}]}))
            }
            (Api::Shared(Dialect::Anthropic), Delta::Call { call, id, name, .. }) => {
                let block = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
                json!({"type": "content_block_start", "index": call + 1, "content_block": block})
            }
            (Api::Shared(Dialect::Responses), Delta::Call { call, id, name, .. }) => {
                let item = json!({"type": "function_call", "id": id, "call_id": id, "name": name, "arguments": ""});
                json!({"type": "response.output_item.added", "output_index": call + 1, "item": item})
            }
            (Api::Shared(Dialect::Responses), Delta::Text { text, .. }) => {
                json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text})
            }
            _ => return self.says(delta),
        };
        event(&object)
    }

    /// What ends the answer.
    pub(crate) fn ends(mut self) -> Vec<u8> {
        let called = self.calls > 0;
        match self.api {
            Api::Shared(Dialect::Gemini) => {
                let usage = json!({"promptTokenCount": 5, "candidatesTokenCount": 3});
                let part = if called { json!({"functionCall": {}}) } else { json!({"text": ""}) };
                let ended = json!({"content": {"parts": [part]}, "finishReason": "STOP"});
                event(&json!({"candidates": [ended], "usageMetadata": usage}))
            }
            Api::Shared(_) => {
                let finish = if called { FinishReason::ToolCalls } else { FinishReason::Stop };
                let mut out = self.written(&Delta::Used(Usage { input: 5, output: 3, ..Usage::default() }));
                out.extend(self.written(&Delta::Ended { choice: 0, finish, stop: None }));
                let mut last = BytesMut::new();
                self.writer.finish(&mut last);
                out.extend(last);
                out
            }
            Api::Cohere => {
                let word = if called { "TOOL_CALL" } else { "COMPLETE" };
                let usage = json!({"tokens": {"input_tokens": 5, "output_tokens": 3}});
                event(&json!({"type": "message-end", "delta": {"finish_reason": word, "usage": usage}}))
            }
            Api::Ollama => line(&json!({"message": {"content": ""}, "done": true, "done_reason": "stop"})),
            Api::BedrockCount | Api::Vectors(_) => Vec::new(),
            Api::Bedrock => {
                let word = if called { "tool_use" } else { "end_turn" };
                let usage = json!({"usage": {"inputTokens": 5, "outputTokens": 3}});
                [frame("messageStop", &json!({"stopReason": word})), frame("metadata", &usage)].concat()
            }
        }
    }

    fn written(&mut self, delta: &Delta) -> Vec<u8> {
        let mut out = BytesMut::new();
        self.writer.push(delta, &mut out);
        out.to_vec()
    }
}

fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

fn line(object: &Value) -> Vec<u8> {
    format!("{object}\n").into_bytes()
}

/// A frame of Amazon's event streams.
fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    let header = |name: &str, value: &str| Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into()));
    let headers = vec![header(":event-type", kind), header(":message-type", "event")];
    let mut out = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload.to_string().into_bytes()), &mut out).expect("a frame");
    out
}

fn gemini(delta: &Delta) -> Vec<u8> {
    let part = match delta {
        Delta::Text { text, .. } => json!({"text": text}),
        Delta::Thought { text, .. } => json!({"text": text, "thought": true}),
        Delta::Call { id, name, .. } => json!({"functionCall": {"id": id, "name": name, "willContinue": true}}),
        Delta::Arguments { text, .. } => {
            let piece = json!({"jsonPath": "$.city", "stringValue": text, "willContinue": true});
            json!({"functionCall": {"partialArgs": [piece], "willContinue": true}})
        }
        other => panic!("{other:?}"),
    };
    event(&json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}))
}

fn cohere(delta: &Delta) -> Vec<u8> {
    let (kind, index, message) = match delta {
        Delta::Text { text, .. } => ("content-delta", 1, json!({"content": {"text": text}})),
        Delta::Thought { text, .. } => ("content-delta", 0, json!({"content": {"thinking": text}})),
        Delta::Call { call, id, name, .. } => {
            let function = json!({"name": name, "arguments": ""});
            ("tool-call-start", *call, json!({"tool_calls": {"id": id, "type": "function", "function": function}}))
        }
        Delta::Arguments { call, text, .. } => {
            ("tool-call-delta", *call, json!({"tool_calls": {"function": {"arguments": text}}}))
        }
        other => panic!("{other:?}"),
    };
    event(&json!({"type": kind, "index": index, "delta": {"message": message}}))
}

fn ollama(delta: &Delta) -> Vec<u8> {
    let message = match delta {
        Delta::Text { text, .. } => json!({"content": text}),
        Delta::Thought { text, .. } => json!({"content": "", "thinking": text}),
        Delta::Call { name, .. } => {
            json!({"content": "", "tool_calls": [{"function": {"name": name, "arguments": {"city": "Rome"}}}]})
        }
        // Its calls come whole.
        Delta::Arguments { .. } => return Vec::new(),
        other => panic!("{other:?}"),
    };
    line(&json!({"model": "m", "message": message, "done": false}))
}

fn bedrock(delta: &Delta) -> Vec<u8> {
    let (index, added) = match delta {
        Delta::Text { text, .. } => (0, json!({"text": text})),
        Delta::Thought { text, .. } => (0, json!({"reasoningContent": {"text": text}})),
        Delta::Call { call, id, name, .. } => {
            let start = json!({"toolUse": {"toolUseId": id, "name": name}});
            return frame("contentBlockStart", &json!({"contentBlockIndex": call + 1, "start": start}));
        }
        Delta::Arguments { call, text, .. } => (call + 1, json!({"toolUse": {"input": text}})),
        other => panic!("{other:?}"),
    };
    frame("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": added}))
}
