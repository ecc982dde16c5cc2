//! The answer as a whole, as events and whole bodies show it, and how an event is written.
//!
//! What a request said is not known here: fields that echo it, and that clients' libraries cannot do without, hold their
//! defaults. Must never be here: what an answer says.

use bytes::{BufMut, BytesMut};
use llm::Usage;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Status {
    /// It is under way.
    #[default]
    InProgress,
    Completed,
    /// It ended before it was done.
    Incomplete,
    Failed,
}

/// What is known of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Snapshot<'a> {
    pub(in super::super) id: &'a str,
    pub(in super::super) model: &'a str,
    /// When it began, in seconds since the epoch.
    pub(in super::super) created: u64,
    pub(in super::super) status: Status,
    /// Why it is incomplete, where this dialect has a word for it.
    pub(in super::super) reason: Option<&'a str>,
    /// Its items, as far as they are done.
    pub(in super::super) output: &'a [Option<Box<RawValue>>],
    pub(in super::super) usage: Option<Usage>,
    pub(in super::super) error: Option<Fault<'a>>,
}

/// Why it failed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in super::super) struct Fault<'a> {
    pub(in super::super) code: &'a str,
    pub(in super::super) message: &'a str,
}

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = if self.id.is_empty() { "resp_0" } else { self.id };
        let incomplete_details = (self.status == Status::Incomplete).then_some(Details { reason: self.reason });
        Wire {
            id,
            object: "response",
            created_at: self.created,
            status: self.status,
            background: false,
            error: self.error,
            incomplete_details,
            instructions: None,
            max_output_tokens: None,
            max_tool_calls: None,
            model: self.model,
            output: Items(self.output),
            parallel_tool_calls: true,
            previous_response_id: None,
            reasoning: Reasoning::default(),
            store: false,
            temperature: None,
            text: Text { format: Typed { kind: "text" } },
            tool_choice: "auto",
            tools: [],
            top_p: None,
            truncation: "disabled",
            usage: self.usage.map(Counts::from),
            user: None,
            metadata: Empty {},
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    id: &'a str,
    object: &'static str,
    created_at: u64,
    status: Status,
    background: bool,
    error: Option<Fault<'a>>,
    incomplete_details: Option<Details<'a>>,
    instructions: Option<()>,
    max_output_tokens: Option<()>,
    max_tool_calls: Option<()>,
    model: &'a str,
    output: Items<'a>,
    parallel_tool_calls: bool,
    previous_response_id: Option<()>,
    reasoning: Reasoning,
    store: bool,
    temperature: Option<()>,
    text: Text,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: Option<()>,
    truncation: &'static str,
    usage: Option<Counts>,
    user: Option<()>,
    metadata: Empty,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

struct Items<'a>(&'a [Option<Box<RawValue>>]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flatten())
    }
}

#[derive(Default, Serialize)]
struct Reasoning {
    effort: Option<()>,
    summary: Option<()>,
}

#[derive(Serialize)]
struct Text {
    format: Typed,
}

#[derive(Serialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Counts {
    input_tokens: u64,
    input_tokens_details: OfInput,
    output_tokens: u64,
    output_tokens_details: OfOutput,
    total_tokens: u64,
}

#[derive(Serialize)]
struct OfInput {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OfOutput {
    reasoning_tokens: u64,
}

impl From<Usage> for Counts {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input,
            input_tokens_details: OfInput { cached_tokens: usage.cached, cache_write_tokens: usage.cache_written },
            output_tokens: usage.output,
            output_tokens_details: OfOutput { reasoning_tokens: usage.reasoning },
            total_tokens: usage.input.saturating_add(usage.output),
        }
    }
}

/// Writes one event, named and numbered.
pub(in super::super) fn say<T: Serialize>(out: &mut BytesMut, sequence: &mut u64, kind: &str, body: &T) {
    #[derive(Serialize)]
    struct Named<'a, T> {
        #[serde(rename = "type")]
        kind: &'a str,
        sequence_number: u64,
        #[serde(flatten)]
        body: &'a T,
    }
    for piece in ["event: ", kind, "\ndata: "] {
        out.extend_from_slice(piece.as_bytes());
    }
    // Text and numbers cannot fail to serialise into memory.
    let _ = serde_json::to_writer((&mut *out).writer(), &Named { kind, sequence_number: *sequence, body });
    out.extend_from_slice(b"\n\n");
    *sequence += 1;
}
