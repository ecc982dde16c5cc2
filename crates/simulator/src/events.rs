//! An answer as the events of a stream: rendered once per answer, stamped per call.
//!
//! Receives an `Answer`; hands on `Event`s, bytes with what they are, that `bend` and `pace` work on.
//! Never here: faults, time.

use crate::answer::{Answer, Call};
use crate::logprobs::Logprobs;
use crate::stamp::{CREATED, ID, Stamp};
use crate::words;
use bytes::Bytes;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers kept rendered.
const MAX_KEPT: usize = 64;
/// The largest rendering kept, in bytes.
const MAX_KEPT_BYTES: usize = 256 * 1024;

const BEFORE_ID: &str = r#"data: {"id":""#;
const BEFORE_CREATED: &str = r#"","object":"chat.completion.chunk","created":"#;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Announces a choice.
    Role,
    /// Text or a piece of a tool call.
    Content,
    /// Carries the finish reason.
    Finish,
    /// Carries the usage.
    Usage,
    /// `[DONE]`.
    Done,
    /// Something that a fault put in.
    Odd,
}

/// One event with its terminator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) bytes: Bytes,
}

/// Renderings of recent answers. Bounded in number and size; emptied when full.
#[derive(Default)]
pub(crate) struct Gallery {
    kept: Mutex<HashMap<Answer, Arc<Rendering>>>,
}

impl Gallery {
    /// The events of an answer with this call's id and time.
    pub(crate) fn events(&self, answer: Answer, stamp: &Stamp) -> Vec<Event> {
        let kept = self.lock().get(&answer).cloned();
        let rendering = kept.unwrap_or_else(|| self.render(answer));
        rendering.stamped(stamp)
    }

    fn render(&self, answer: Answer) -> Arc<Rendering> {
        let rendering = Arc::new(Rendering::of(&answer));
        if rendering.bytes.len() <= MAX_KEPT_BYTES {
            let mut kept = self.lock();
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.insert(answer, Arc::clone(&rendering));
        }
        rendering
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Answer, Arc<Rendering>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All events of an answer in one buffer, placeholders where the stamp goes.
struct Rendering {
    bytes: Vec<u8>,
    /// Each event's kind and where it ends.
    ends: Vec<(Kind, usize)>,
}

impl Rendering {
    fn of(answer: &Answer) -> Self {
        let mut writer = Writer { answer, bytes: Vec::new(), ends: Vec::new() };
        match answer.choices {
            0 => writer.chunk(Kind::Odd, &[]),
            _ => writer.choices(),
        }
        if answer.usage.is_some() {
            writer.chunk(Kind::Usage, &[]);
        }
        writer.bytes.extend_from_slice(b"data: [DONE]\n\n");
        writer.ends.push((Kind::Done, writer.bytes.len()));
        Self { bytes: writer.bytes, ends: writer.ends }
    }

    fn stamped(&self, stamp: &Stamp) -> Vec<Event> {
        let mut bytes = self.bytes.clone();
        let mut begin = 0;
        for (kind, end) in &self.ends {
            if *kind != Kind::Done {
                let id = begin + BEFORE_ID.len();
                stamp.apply(&mut bytes, id, id + ID.len() + BEFORE_CREATED.len());
            }
            begin = *end;
        }
        let bytes = Bytes::from(bytes);
        let mut begin = 0;
        let event = |(kind, end): &(Kind, usize)| {
            let event = Event { kind: *kind, bytes: bytes.slice(begin..*end) };
            begin = *end;
            event
        };
        self.ends.iter().map(event).collect()
    }
}

struct Writer<'a> {
    answer: &'a Answer,
    bytes: Vec<u8>,
    ends: Vec<(Kind, usize)>,
}

impl<'a> Writer<'a> {
    /// Every choice announced, then their content in turns, then their ends: as providers interleave them.
    fn choices(&mut self) {
        let answer = self.answer;
        let role = Delta::Role { role: "assistant", content: answer.text.as_ref().map(|_| ""), refusal: () };
        self.each(Kind::Role, &role, None, None);
        for token in answer.text.as_deref().into_iter().flat_map(words::tokens) {
            self.each(Kind::Content, &Delta::Text { content: token }, Some(token), None);
        }
        for (index, call) in answer.calls.iter().enumerate() {
            self.each(Kind::Content, &Delta::begin(index, call), None, None);
            for piece in words::tokens(&call.arguments) {
                self.each(Kind::Content, &Delta::go_on(index, piece), None, None);
            }
        }
        if let Some(finish) = &answer.finish {
            self.each(Kind::Finish, &Delta::Nothing {}, None, Some(finish));
        }
    }

    /// One event per choice.
    fn each(&mut self, kind: Kind, delta: &Delta<'a>, token: Option<&'a str>, finish_reason: Option<&str>) {
        for index in 0..self.answer.choices {
            let alternatives = token.and(self.answer.alternatives);
            let logprobs = alternatives.map(|count| Logprobs::of(token.into_iter(), count));
            self.chunk(kind, &[Choice { index, delta, logprobs, finish_reason }]);
        }
    }

    /// Where usage is reported every other chunk carries it as `null`.
    fn chunk(&mut self, kind: Kind, choices: &[Choice<'_>]) {
        for part in [BEFORE_ID, ID, BEFORE_CREATED, CREATED, r#","model":"#] {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self.json(&self.answer.model);
        self.bytes.extend_from_slice(br#","system_fingerprint":"fp_simulator","choices":"#);
        self.json(choices);
        if let Some(counted) = self.answer.usage {
            self.bytes.extend_from_slice(br#","usage":"#);
            self.json(&Some(counted).filter(|_| kind == Kind::Usage));
        }
        self.bytes.extend_from_slice(b"}\n\n");
        self.ends.push((kind, self.bytes.len()));
    }

    fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        // Writing strings and numbers to memory cannot fail; were it to, the event would be garbage, which tests see.
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: &'a Delta<'a>,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Role { role: &'a str, content: Option<&'a str>, refusal: () },
    Text { content: &'a str },
    Calls { tool_calls: [CallDelta<'a>; 1] },
    Nothing {},
}

#[derive(Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    function: FunctionDelta<'a>,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

impl<'a> Delta<'a> {
    fn begin(index: usize, call: &'a Call) -> Self {
        let function = FunctionDelta { name: Some(&call.name), arguments: "" };
        Self::Calls { tool_calls: [CallDelta { index, id: Some(&call.id), kind: Some("function"), function }] }
    }

    fn go_on(index: usize, arguments: &'a str) -> Self {
        let function = FunctionDelta { name: None, arguments };
        Self::Calls { tool_calls: [CallDelta { index, id: None, kind: None, function }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(number: u32) -> Answer {
        let text = Some(format!("answer {number}"));
        let (calls, finish) = (Vec::new(), Some("stop".to_owned()));
        Answer { model: "m".to_owned(), choices: 1, text, calls, finish, alternatives: None, usage: None }
    }

    #[test]
    fn kept_renderings_are_bounded_and_stamped_anew() {
        let gallery = Gallery::default();
        for number in 0..200 {
            gallery.events(answer(number), &Stamp::new(0, 1));
            assert!(gallery.lock().len() <= MAX_KEPT);
        }
        let long = Answer { text: Some("word ".repeat(20_000)), ..answer(0) };
        let before = gallery.lock().len();
        gallery.events(long, &Stamp::new(0, 1));
        assert_eq!(gallery.lock().len(), before);

        for number in [1, 2] {
            for event in gallery.events(answer(7), &Stamp::new(0xab, number)) {
                let text = std::str::from_utf8(&event.bytes).expect("text");
                let id = format!(r#"data: {{"id":"chatcmpl-000000ab{number:08x}","object""#);
                assert!(text.starts_with(&id) || event.kind == Kind::Done, "{text}");
            }
        }
    }
}
