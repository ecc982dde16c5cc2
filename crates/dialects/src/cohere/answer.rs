//! Events to deltas.
//!
//! Receives the data of one event after the other, or a whole body; hands on deltas. Both go one path: an event adds a
//! piece of what a whole answer holds. Must never be here: whether an answer is complete or any good.

use super::event::{Answer, Call, Event, Message};
use super::stop;
use super::usage::usage;
use crate::Unread;
use crate::template::Mould;
use crate::thin::{count, on_one_line, text};
use llm::Delta;
use std::borrow::Cow;

/// The most text of an answer that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of an answer.
const MAX_CALLS: usize = 128;

/// What a citation is called. Each is one object: `{start, end, text, sources}`.
const CITATIONS: &str = "citations";

/// Reads an answer.
///
/// Holds no text: of each call, 128 at most, its place and whether arguments have come. At most 32 MiB are read.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    /// Something was said.
    spoken: bool,
    ended: bool,
    calls: Vec<Open>,
    /// Bytes handed on.
    taken: usize,
    /// The last event, where it said nothing but one piece.
    mould: Mould,
}

/// A call that has begun.
#[derive(Debug)]
struct Open {
    /// Its place among the provider's calls, where it tells.
    index: Option<u64>,
    arguments: Arguments,
}

/// How far the arguments of a call have come. A model that calls a tool without any writes nothing, or `null`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arguments {
    None,
    Some,
    Closed,
}

impl Reader {
    /// Takes in the data of one event.
    ///
    /// # Errors
    /// What is too large, and what is no event of an answer; an end that says that the provider failed is none.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if let Some((piece, bytes)) = self.mould.cast(data) {
            self.take(bytes)?;
            out.push(piece);
            return Ok(());
        }
        let before = out.len();
        let event = Event::read(data).ok_or(Unread::NotAnAnswer)?;
        self.event(&event, out)?;
        self.mould.learn(data, [event.piece(), None, None], out.get(before..).unwrap_or_default());
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let (added, index) = (event.added(), count(event.index));
        let message = added.message();
        match &*event.kind() {
            "message-start" => {
                if self.spoken {
                    return Err(Unread::NotAnAnswer);
                }
                self.begin(&text(event.id), out);
                self.message(&message, index, out)
            }
            "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "citation-start" => {
                self.message(&message, index, out)
            }
            "tool-call-delta" => message.calls().iter().try_for_each(|call| self.more(call, index, out)),
            "tool-call-end" => {
                self.close(index, out);
                Ok(())
            }
            "message-end" => self.end(&added, out),
            "" => Err(Unread::NotAnAnswer),
            _ => Ok(()),
        }
    }

    /// Reads the body of a whole answer.
    ///
    /// # Errors
    /// What is too large, or no answer.
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let answer: Answer<'_> = crate::thin::read(body).ok_or(Unread::NotAnAnswer)?;
        if !answer.has_message() {
            return Err(Unread::NotAnAnswer);
        }
        let (mut reader, mut out) = (Self::default(), Vec::new());
        reader.begin(&text(answer.id), &mut out);
        reader.message(&answer.message(), None, &mut out)?;
        reader.end(&answer, &mut out)?;
        Ok(out)
    }

    fn begin(&mut self, id: &str, out: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(Delta::Began { id: id.to_owned(), model: String::new() });
        }
    }

    /// Takes in what is said: what a model plans and thinks before its text, its text before what that cites.
    fn message(&mut self, message: &Message<'_>, index: Option<u64>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.spoken |= message.is_content();
        let thought = |text| Delta::Thought { choice: 0, text };
        self.words(text(message.tool_plan), thought, out)?;
        for block in message.blocks() {
            self.words(text(block.thinking), thought, out)?;
            self.words(text(block.text), |text| Delta::Text { choice: 0, text }, out)?;
        }
        for citation in message.citations() {
            let json = format!("[{}]", on_one_line(citation));
            self.take(json.len())?;
            out.push(Delta::Other { choice: 0, name: CITATIONS.to_owned(), json: json.into() });
        }
        message.calls().iter().try_for_each(|call| self.call(call, index, out))
    }

    fn words(
        &mut self,
        words: Cow<'_, str>,
        delta: impl Fn(String) -> Delta,
        out: &mut Vec<Delta>,
    ) -> Result<(), Unread> {
        self.take(words.len())?;
        if !words.is_empty() {
            out.push(delta(words.into_owned()));
        }
        Ok(())
    }

    /// Begins a call. In a whole answer, where calls have no index, it ends the one before.
    fn call(&mut self, call: &Call<'_>, index: Option<u64>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if index.is_none() {
            self.close(None, out);
        }
        if self.calls.len() >= MAX_CALLS {
            return Err(Unread::TooLarge);
        }
        let place = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let (id, name) = (call.id().into_owned(), call.name().into_owned());
        self.take(id.len() + name.len())?;
        out.push(Delta::Call { choice: 0, call: place, id, name, free: false, seal: None });
        self.calls.push(Open { index, arguments: Arguments::None });
        self.more(call, index, out)
    }

    /// Takes in arguments of the last call at `index`.
    fn more(&mut self, call: &Call<'_>, index: Option<u64>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let piece = call.arguments();
        self.take(piece.len())?;
        let place = self.calls.iter().rposition(|open| open.index == index).ok_or(Unread::NotAnAnswer)?;
        let open = self.calls.get_mut(place).ok_or(Unread::NotAnAnswer)?;
        let nothing = piece.is_empty() || (open.arguments == Arguments::None && piece.trim_ascii() == "null");
        if !nothing && open.arguments != Arguments::Closed {
            open.arguments = Arguments::Some;
            let call = u32::try_from(place).unwrap_or(u32::MAX);
            out.push(Delta::Arguments { choice: 0, call, text: piece.into_owned() });
        }
        Ok(())
    }

    /// Ends the calls at `index`; those that were given no arguments are given none.
    fn close(&mut self, index: Option<u64>, out: &mut Vec<Delta>) {
        for (call, open) in (0..).zip(&mut self.calls) {
            let meant = open.index == index || index.is_none();
            if meant && std::mem::replace(&mut open.arguments, Arguments::Closed) == Arguments::None {
                out.push(Delta::Arguments { choice: 0, call, text: "{}".to_owned() });
            }
        }
    }

    fn end(&mut self, answer: &Answer<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        if answer.has_failed() {
            return Err(Unread::NotAnAnswer);
        }
        if let Some(word) = answer.reason().filter(|_| !self.ended) {
            self.ended = true;
            self.close(None, out);
            let finish = stop::finish(&word, !self.calls.is_empty());
            out.push(Delta::Ended { choice: 0, finish, stop: None });
        }
        out.extend(usage(answer.usage).map(Delta::Used));
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<(), Unread> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use llm::{FinishReason, Usage};

    fn read(events: &[&str]) -> Result<Vec<Delta>, Unread> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        events.iter().try_for_each(|event| reader.push(event.as_bytes(), &mut out))?;
        Ok(out)
    }

    fn began() -> Delta {
        Delta::Began { id: "a-1".into(), model: String::new() }
    }

    fn text(text: &str) -> Delta {
        Delta::Text { choice: 0, text: text.into() }
    }

    fn thought(text: &str) -> Delta {
        Delta::Thought { choice: 0, text: text.into() }
    }

    fn call(call: u32, id: &str, name: &str) -> Delta {
        Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
    }

    fn arguments(call: u32, text: &str) -> Delta {
        Delta::Arguments { choice: 0, call, text: text.into() }
    }

    fn ended(finish: FinishReason) -> Delta {
        Delta::Ended { choice: 0, finish, stop: None }
    }

    fn used(input: u64, output: u64, cached: u64) -> Delta {
        Delta::Used(Usage { input, output, cached, ..Usage::default() })
    }

    fn cited(json: &str) -> Delta {
        Delta::Other { choice: 0, name: "citations".into(), json: json.into() }
    }

    #[test]
    fn streams_become_deltas() {
        for (name, events, expected) in [
            (
                "words",
                fixtures::WORDS,
                vec![
                    began(),
                    thought("hm"),
                    thought(" é"),
                    text("Caf"),
                    text("é \"é\" 😀\n"),
                    cited(r#"[{"start":0,"end":4,"text":"Café","sources":[{"type":"document","id":"doc:0"}]}]"#),
                    ended(FinishReason::Stop),
                    used(507, 10, 448),
                ],
            ),
            (
                "calls",
                fixtures::CALLS,
                vec![
                    began(),
                    thought("I will"),
                    thought(" look"),
                    call(0, "f_1", "f"),
                    arguments(0, "{\"a\":"),
                    arguments(0, "\"}\"}"),
                    call(1, "g_2", "g"),
                    arguments(1, "{}"),
                    call(2, "h_3", "h"),
                    arguments(2, "{}"),
                    ended(FinishReason::ToolCalls),
                    used(1445, 43, 0),
                ],
            ),
        ] {
            assert_eq!(read(events), Ok(expected), "{name}");
        }
    }

    #[test]
    fn whole_answers_say_what_streams_do() {
        let body = r#"{"id":"a-1","finish_reason":"COMPLETE","message":{"role":"assistant","tool_plan":"plan",
            "content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"hi"},{"type":"text","text":"!"}],
            "citations":[{"start":0,
              "end":2},{"start":2}],
            "tool_calls":[{"id":"f_1","function":{"name":"f","arguments":"null"}},
                {"id":"g_2","type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},
            "usage":{"tokens":{"input_tokens":5,"output_tokens":7}}}"#;
        let expected = vec![
            began(),
            thought("plan"),
            thought("hm"),
            text("hi"),
            text("!"),
            cited(r#"[{"start":0,               "end":2}]"#),
            cited(r#"[{"start":2}]"#),
            call(0, "f_1", "f"),
            arguments(0, "{}"),
            call(1, "g_2", "g"),
            arguments(1, "{\"a\":1}"),
            ended(FinishReason::ToolCalls),
            used(5, 7, 0),
        ];
        assert_eq!(Reader::whole(body.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for event in [
            "[]",
            "7",
            "{",
            "{}",
            r#"{"type":7}"#,
            r#"{"message":"broke"}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{"}}}}}"#,
        ] {
            assert_eq!(read(&[event]), Err(Unread::NotAnAnswer), "{event}");
        }
        for body in ["", "[]", "{}", r#"{"message":"broke"}"#, r#"{"message":{},"finish_reason":"TIMEOUT"}"#] {
            assert_eq!(Reader::whole(body.as_bytes()), Err(Unread::NotAnAnswer), "{body}");
        }
        let spliced = [fixtures::WORDS[0], fixtures::WORDS[2], fixtures::WORDS[0]];
        assert_eq!(read(&spliced), Err(Unread::NotAnAnswer), "another answer in the middle of one");
        assert_eq!(read(&[r#"{"type":"tomorrow","delta":{"message":{"content":{"text":"x"}}}}"#]), Ok(vec![]));
    }

    #[test]
    fn what_is_read_is_bounded() {
        let text =
            format!(r#"{{"type":"tool-plan-delta","delta":{{"message":{{"tool_plan":"{}"}}}}}}"#, "x".repeat(1 << 20));
        let call = r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f","function":{"name":"f"}}}}}"#;
        for (event, most) in [(&*text, 32), (call, MAX_CALLS)] {
            let (mut reader, mut out) = (Reader::default(), Vec::new());
            let taken = (0..1000).take_while(|_| reader.push(event.as_bytes(), &mut out).is_ok()).count();
            assert_eq!(taken, most);
            assert_eq!(reader.push(event.as_bytes(), &mut out), Err(Unread::TooLarge));
        }
    }
}
