//! An answer that stands in the configuration, worded as a model's would be.
//!
//! Receives the text; hands on a whole answer, or all of a stream. Must never be here: when it is given.

use crate::{Head, Writer, write_answer};
use bytes::{Bytes, BytesMut};
use llm::{ChatRequest, Delta, FinishReason, Progress, Usage};

/// The answer `text` to `request`, and what a decoder would have seen of it. It took no tokens.
#[must_use]
pub fn stand_in(request: &ChatRequest, head: Head, text: &str) -> (Bytes, Progress) {
    let progress = Progress {
        content: !text.is_empty(),
        finished: true,
        finish: Some(FinishReason::Stop),
        done: true,
        ..Progress::default()
    };
    let deltas = [
        Delta::Began { id: head.id.clone(), model: head.model.clone() },
        Delta::Text { choice: 0, text: text.to_owned() },
        Delta::Used(Usage::default()),
        Delta::Ended { choice: 0, finish: FinishReason::Stop, stop: None },
    ];
    if !request.stream {
        return (write_answer(request.dialect, &head, &deltas), progress);
    }
    let (mut writer, mut out) = (Writer::of(request.dialect, request.listed, head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    (out.freeze(), progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answers, Ending, Quirks, head_for, read_answer};
    use llm::{Api, Dialect};

    #[test]
    fn it_reads_as_an_answer_in_every_dialect() {
        let text = "We are busy.\n\"Soon\" é";
        for dialect in Dialect::ANSWERS.into_iter().chain([Dialect::COMPLETIONS]) {
            let request = |stream| ChatRequest {
                dialect,
                model: "chat".into(),
                stream,
                raw: Bytes::new(),
                demands: false,
                model_span: 0..0,
                listed: false,
                forwarded: Vec::new(),
            };
            let answers =
                Answers { api: Api::Shared(dialect), quirks: Quirks::default(), dialect, listed: false, head: None };
            let (whole, progress) = stand_in(&request(false), head_for(&request(false), "1", 7), text);
            let read = answers.whole(whole.clone()).expect("an answer").progress;
            assert_eq!((read.finished, read.finish), (progress.finished, progress.finish));
            if dialect == Dialect::COMPLETIONS {
                let body: serde_json::Value = serde_json::from_slice(&whole).expect("JSON");
                assert_eq!(body["choices"][0]["text"], text);
            } else {
                assert_eq!(read_answer(dialect, &whole).expect("an answer").choices[0].text, text);
            }

            let (stream, _) = stand_in(&request(true), head_for(&request(true), "1", 7), text);
            let mut decoder = answers.stream();
            decoder.feed(&stream);
            while decoder.next_frame().is_some() {}
            assert_eq!(decoder.end(), Ending::Complete(None), "{dialect:?}");
        }
    }
}
