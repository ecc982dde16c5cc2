//! Lines to deltas.
//!
//! Receives what stands on one line after the other, or a whole body, which has the form of a line; hands on deltas. Must
//! never be here: whether an answer is complete or any good.

use super::line::{Line, Message};
use super::stop;
use crate::Unread;
use crate::thin::text;
use llm::Delta;

/// The most text of an answer that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of an answer.
const MAX_CALLS: u32 = 128;

/// Reads an answer. Holds nothing of what it says; at most 32 MiB and 128 calls are read.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    ended: bool,
    calls: u32,
    /// Bytes handed on.
    taken: usize,
}

impl Reader {
    /// Takes in one line.
    ///
    /// # Errors
    /// What is too large, and what is no object of an answer, an error among them.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        let line = Line::read(data).filter(|line| !line.is_error()).ok_or(Unread::NotAnAnswer)?;
        if !line.has_message() && !line.is_done() {
            return Err(Unread::NotAnAnswer);
        }
        if !std::mem::replace(&mut self.begun, true) {
            // There is no id.
            out.push(Delta::Began { id: String::new(), model: text(line.model).into_owned() });
        }
        self.message(&line.message(), out)?;
        if let Some(word) = line.reason().filter(|_| !self.ended) {
            self.ended = true;
            out.push(Delta::Ended { choice: 0, finish: stop::finish(&word, self.calls > 0), stop: None });
        }
        out.extend(line.usage().map(Delta::Used));
        Ok(())
    }

    /// Reads the body of a whole answer.
    ///
    /// # Errors
    /// As of [`push`](Self::push).
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let mut out = Vec::new();
        Self::default().push(body, &mut out)?;
        Ok(out)
    }

    fn message(&mut self, message: &Message<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let (thought, words) = (text(message.thinking), text(message.content));
        self.take(thought.len() + words.len())?;
        if !thought.is_empty() {
            out.push(Delta::Thought { choice: 0, text: thought.into_owned() });
        }
        if !words.is_empty() {
            out.push(Delta::Text { choice: 0, text: words.into_owned() });
        }
        for told in message.calls() {
            let call = self.calls;
            if call >= MAX_CALLS {
                return Err(Unread::TooLarge);
            }
            self.calls += 1;
            let (id, name, arguments) = (told.id().into_owned(), told.name().into_owned(), told.arguments());
            self.take(id.len() + name.len() + arguments.len())?;
            out.push(Delta::Call { choice: 0, call, id, name, free: false, seal: None });
            out.push(Delta::Arguments { choice: 0, call, text: arguments });
        }
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<(), Unread> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{FinishReason, Usage};

    fn read(lines: &[&str]) -> Result<Vec<Delta>, Unread> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        lines.iter().try_for_each(|line| reader.push(line.as_bytes(), &mut out))?;
        Ok(out)
    }

    fn call(call: u32, id: &str, name: &str) -> Delta {
        Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
    }

    fn arguments(call: u32, text: &str) -> Delta {
        Delta::Arguments { choice: 0, call, text: text.into() }
    }

    #[test]
    fn lines_become_deltas() {
        let lines = [
            r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"","thinking":"h\u00e9"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"Caf"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"é \"😀\"\n"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":[1]}}},{"id":"call_x","function":{"index":1,"name":"g"}}]},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":7,"prompt_eval_count":26,"eval_count":298}"#,
        ];
        let expected = vec![
            Delta::Began { id: String::new(), model: "m".into() },
            Delta::Thought { choice: 0, text: "hé".into() },
            Delta::Text { choice: 0, text: "Caf".into() },
            Delta::Text { choice: 0, text: "é \"😀\"\n".into() },
            call(0, "", "f"),
            arguments(0, r#"{"a":[1]}"#),
            call(1, "call_x", "g"),
            arguments(1, "{}"),
            call(2, "", "f"),
            arguments(2, "{}"),
            Delta::Ended { choice: 0, finish: FinishReason::ToolCalls, stop: None },
            Delta::Used(Usage { input: 26, output: 298, ..Usage::default() }),
        ];
        assert_eq!(read(&lines), Ok(expected));
    }

    #[test]
    fn a_whole_answer_is_one_line() {
        let body = "{\"model\":\"m\",\n \"message\":{\"content\":\"hi\"},\"done\":true,\"done_reason\":\"length\"}";
        let expected = vec![
            Delta::Began { id: String::new(), model: "m".into() },
            Delta::Text { choice: 0, text: "hi".into() },
            Delta::Ended { choice: 0, finish: FinishReason::Length, stop: None },
        ];
        assert_eq!(Reader::whole(body.as_bytes()), Ok(expected), "what it took is not known");
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for line in ["", "[]", "{", "{}", r#"{"error":"it broke"}"#, r#"{"message":7}"#, r#"{"done":false}"#] {
            assert_eq!(read(&[line]), Err(Unread::NotAnAnswer), "{line}");
        }
    }

    #[test]
    fn what_is_read_is_bounded() {
        let text = format!(r#"{{"message":{{"content":"{}"}}}}"#, "x".repeat(1 << 20));
        let call = r#"{"message":{"tool_calls":[{"function":{"name":"f"}}]}}"#;
        for (line, most) in [(&*text, 32), (call, 128)] {
            let (mut reader, mut out) = (Reader::default(), Vec::new());
            let taken = (0..1000).take_while(|_| reader.push(line.as_bytes(), &mut out).is_ok()).count();
            assert_eq!(taken, most);
            assert_eq!(reader.push(line.as_bytes(), &mut out), Err(Unread::TooLarge));
        }
    }
}
