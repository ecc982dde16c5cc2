//! An answer that stands in the configuration, worded as a model's would be.
//!
//! Receives the text; hands on a whole answer, or all of a stream. Must never be here: when it is given.

use super::DONE;
use bytes::Bytes;
use llm::{FinishReason, Progress};
use serde_json::json;

/// What an answer bears beside its text.
#[derive(Clone, Copy, Debug)]
pub struct StandIn<'a> {
    /// Its id.
    pub id: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// When it was given, in seconds since 1970.
    pub created: u64,
}

/// The answer `text` to a request, and what a decoder would have seen of it. It took no tokens.
#[must_use]
pub fn stand_in(head: StandIn<'_>, text: &str, stream: bool) -> (Bytes, Progress) {
    let progress = Progress {
        content: !text.is_empty(),
        finished: true,
        finish: Some(FinishReason::Stop),
        done: true,
        ..Progress::default()
    };
    let body = if stream { streamed(head, text) } else { whole(head, text) };
    (body.into(), progress)
}

fn whole(StandIn { id, model, created }: StandIn<'_>, text: &str) -> Vec<u8> {
    let answer = json!({
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text, "refusal": null },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": { "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 },
    });
    answer.to_string().into_bytes()
}

fn streamed(StandIn { id, model, created }: StandIn<'_>, text: &str) -> Vec<u8> {
    let event = |delta: serde_json::Value, finish: Option<&str>| {
        let chunk = json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        });
        format!("data: {chunk}\n\n")
    };
    let said = event(json!({ "role": "assistant", "content": text }), None);
    [said.as_bytes(), event(json!({}), Some("stop")).as_bytes(), DONE].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quirks;
    use crate::openai_chat::{Ending, StreamDecoder, read_whole};

    #[test]
    fn it_reads_as_an_answer() {
        let text = "We are busy.\n\"Soon\" é";
        let head = StandIn { id: "chatcmpl-1", model: "chat", created: 7 };
        let (whole, progress) = stand_in(head, text, false);
        let read = read_whole(&whole).expect("an answer");
        assert_eq!((read.finished, read.finish), (progress.finished, progress.finish));
        let value: serde_json::Value = serde_json::from_slice(&whole).expect("JSON");
        assert_eq!(value["choices"][0]["message"]["content"], text);

        let (stream, _) = stand_in(head, text, true);
        let mut decoder = StreamDecoder::new(Quirks::default());
        decoder.feed(&stream);
        while decoder.next_frame().is_some() {}
        assert_eq!(decoder.end(), Ending::Complete(None));
    }
}
