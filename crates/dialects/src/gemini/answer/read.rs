//! Google's objects to steps of an answer.
//!
//! Receives the data of one event after the other, or a whole body; hands on steps. What it holds between events is a
//! line for each of at most 128 candidates, and the arguments of a call that comes in pieces.
//! Must never be here: whether the answer is any good.

use super::super::chunk::{Candidate, Chunk, FunctionCall, MAX_CANDIDATES, Meter, Part};
use super::super::json::compact;
use super::super::seal::seal;
use super::super::whole::objects;
use super::arguments::Arguments;
use crate::Unread;
use crate::template::Template;
use llm::{Delta, FinishReason, Seal, Usage};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The most text of an answer that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The most calls of one candidate.
const MAX_CALLS: u32 = 128;

/// Reads an answer step by step.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    candidates: BTreeMap<u32, Spoken>,
    usage: Option<Usage>,
    /// Bytes of text read.
    read: usize,
    /// The last object that said nothing but a piece of text and what is used so far.
    template: Template,
    /// What its likes say.
    like: Like,
    meter: Meter,
}

/// What objects say that differ from the last one in their words alone, each of the candidate at this place.
#[derive(Clone, Copy, Debug)]
enum Like {
    /// Text.
    Text(u32),
    /// More of a text among the arguments of the call that is open.
    Argument(u32),
}

impl Default for Like {
    fn default() -> Self {
        Self::Text(0)
    }
}

/// What is known of a candidate.
#[derive(Debug, Default)]
struct Spoken {
    /// How many calls it has begun.
    calls: u32,
    /// The last of them, where its arguments are still coming.
    open: Option<Arguments>,
    ended: bool,
}

impl Reader {
    /// Takes in the data of one event.
    ///
    /// # Errors
    /// What is too large, or no object of an answer, an error among them; the steps before it are handed on.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unread> {
        if let Some([text, count, _]) = self.template.values(data)
            && let Ok(usage) = self.meter.usage(count)
        {
            self.say_the_like(text, out)?;
            self.used(usage, out);
            return Ok(());
        }
        let before = out.len();
        let text = std::str::from_utf8(data).map_err(|_| Unread::NotAnAnswer)?;
        let chunk = Chunk::read(text).filter(|chunk| !chunk.is_error()).ok_or(Unread::NotAnAnswer)?;
        if !self.begun {
            self.begun = true;
            let text = |text: &Option<super::super::chunk::Text<'_>>| {
                text.as_ref().map(|text| text.0.clone().into_owned()).unwrap_or_default()
            };
            out.push(Delta::Began { id: text(&chunk.response_id), model: text(&chunk.model_version) });
        }
        for candidate in chunk.candidates() {
            self.candidate(candidate, out)?;
        }
        if chunk.is_blocked() {
            self.end(0, FinishReason::ContentFilter, out);
        }
        self.used(chunk.usage(), out);
        let said = out.get(before..).unwrap_or_default();
        let choice = chunk.candidates().first().map_or(0, Candidate::index);
        let like = match said {
            [Delta::Text { .. }] | [Delta::Text { .. }, Delta::Used(_)] => Some(Like::Text(choice)),
            [] | [Delta::Used(_)] => Some(Like::Argument(choice)),
            _ => None,
        };
        let [words, count, total] = chunk.moving();
        self.template.learn(data, [words.filter(|_| like.is_some()), count, total]);
        self.like = like.unwrap_or_default();
        self.meter = Meter::of(&chunk);
        Ok(())
    }

    /// Takes in an object that differs from the last one in its words, which are `text`, and in counts.
    fn say_the_like(&mut self, text: &str, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.count(text.len())?;
        match self.like {
            Like::Text(choice) => out.push(Delta::Text { choice, text: text.to_owned() }),
            Like::Argument(choice) => {
                if let Some(open) = &mut self.spoken(choice).open {
                    open.go_on(text);
                }
            }
        }
        Ok(())
    }

    /// Tells what is used so far, where that is something new.
    fn used(&mut self, usage: Option<Usage>, out: &mut Vec<Delta>) {
        if let Some(usage) = usage.filter(|usage| self.usage != Some(*usage)) {
            self.usage = Some(usage);
            out.push(Delta::Used(usage));
        }
    }

    /// Reads the body of a whole answer, or of a stream that came as one list.
    ///
    /// # Errors
    /// As of [`push`](Self::push).
    pub fn whole(body: &[u8]) -> Result<Vec<Delta>, Unread> {
        let text = std::str::from_utf8(body).map_err(|_| Unread::NotAnAnswer)?;
        let (mut reader, mut steps) = (Self::default(), Vec::new());
        for object in objects(text).ok_or(Unread::NotAnAnswer)? {
            reader.push(object.as_bytes(), &mut steps)?;
        }
        Ok(steps)
    }

    fn candidate(&mut self, candidate: &Candidate<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let choice = candidate.index();
        if choice >= MAX_CANDIDATES {
            return Err(Unread::TooLarge);
        }
        self.candidates.entry(choice).or_default();
        for raw in candidate.parts() {
            self.part(choice, raw, out)?;
        }
        for (name, json) in candidate.beside() {
            self.other(choice, name.to_owned(), json, out)?;
        }
        if let Some(reason) = candidate.reason() {
            let called = self.spoken(choice).calls > 0;
            self.end(choice, reason.of(called), out);
        }
        Ok(())
    }

    fn part(&mut self, choice: u32, raw: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        match Part::read(raw).ok_or(Unread::NotAnAnswer)? {
            Part::Text { text, thought, signature } => {
                self.count(text.len())?;
                if !text.is_empty() {
                    let text = text.into_owned();
                    out.push(if thought { Delta::Thought { choice, text } } else { Delta::Text { choice, text } });
                }
                if let Some(seal) = signature.and_then(|token| seal(&token)) {
                    self.count(seal.token.len())?;
                    out.push(match thought {
                        true => Delta::ThoughtSealed { choice, seal },
                        false => Delta::TextSealed { choice, seal },
                    });
                }
            }
            Part::Call { call, signature } => {
                self.call(choice, &call, signature.and_then(|token| seal(&token)), out)?;
            }
            Part::Other { name } => self.other(choice, name, raw, out)?,
            Part::Empty => {}
        }
        Ok(())
    }

    fn other(&mut self, choice: u32, name: String, json: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        self.count(json.get().len())?;
        out.push(Delta::Other { choice, name, json: compact(json.get()).into() });
        Ok(())
    }

    /// A call, or the next piece of the one that is open: a name begins one, and what says nothing of going on ends it.
    fn call(
        &mut self,
        choice: u32,
        piece: &FunctionCall<'_>,
        seal: Option<Seal>,
        out: &mut Vec<Delta>,
    ) -> Result<(), Unread> {
        if let Some(name) = &piece.name {
            self.close(choice, out);
            let spoken = self.spoken(choice);
            let call = spoken.calls;
            if call >= MAX_CALLS {
                return Err(Unread::TooLarge);
            }
            spoken.calls += 1;
            spoken.open = Some(Arguments::default());
            let id = piece.id.as_ref().map(|id| id.0.clone().into_owned()).unwrap_or_default();
            out.push(Delta::Call { choice, call, id, name: name.0.clone().into_owned(), free: false, seal });
        }
        self.count(piece.args.map_or(0, |args| args.get().len()))?;
        let more = piece.will_continue == Some(true);
        let pieces = piece.partial_args.as_deref().unwrap_or_default();
        for partial in pieces {
            self.count(partial.string_value.as_ref().map_or(0, |text| text.0.len()))?;
            if let Some(open) = &mut self.spoken(choice).open {
                open.put(partial)?;
            }
        }
        let spoken = self.spoken(choice);
        if let Some(args) = piece.args.filter(|_| pieces.is_empty() && !more)
            && spoken.open.take_if(|open| open.is_empty()).is_some()
        {
            let call = spoken.calls.saturating_sub(1);
            out.push(Delta::Arguments { choice, call, text: compact(args.get()).into_owned() });
        }
        if !more {
            self.close(choice, out);
        }
        Ok(())
    }

    /// Hands on the arguments of the call that is open, if one is.
    fn close(&mut self, choice: u32, out: &mut Vec<Delta>) {
        let spoken = self.spoken(choice);
        if let Some(arguments) = spoken.open.take() {
            let call = spoken.calls.saturating_sub(1);
            out.push(Delta::Arguments { choice, call, text: arguments.into_json() });
        }
    }

    fn end(&mut self, choice: u32, finish: FinishReason, out: &mut Vec<Delta>) {
        self.close(choice, out);
        let ended = std::mem::replace(&mut self.spoken(choice).ended, true);
        if !ended {
            out.push(Delta::Ended { choice, finish, stop: None });
        }
    }

    fn spoken(&mut self, choice: u32) -> &mut Spoken {
        self.candidates.entry(choice).or_default()
    }

    fn count(&mut self, bytes: usize) -> Result<(), Unread> {
        self.read = self.read.saturating_add(bytes);
        if self.read > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{Dialect, SealKind};

    fn seal(token: &str) -> Seal {
        Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() }
    }

    fn read(objects: &[&str]) -> Result<Vec<Delta>, Unread> {
        let (mut reader, mut steps) = (Reader::default(), Vec::new());
        for object in objects {
            reader.push(object.as_bytes(), &mut steps)?;
        }
        Ok(steps)
    }

    fn parts(parts: &str) -> String {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{parts}]}}}}]}}"#)
    }

    fn call(call: u32, id: &str, name: &str, seal: Option<Seal>) -> Delta {
        Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal }
    }

    fn arguments(call: u32, text: &str) -> Delta {
        Delta::Arguments { choice: 0, call, text: text.into() }
    }

    fn ended(choice: u32, finish: FinishReason) -> Delta {
        Delta::Ended { choice, finish, stop: None }
    }

    /// What is said behind the beginning.
    fn said(objects: &[&str]) -> Vec<Delta> {
        let mut steps = read(objects).expect("an answer");
        assert!(matches!(steps.remove(0), Delta::Began { .. }));
        steps
    }

    #[test]
    fn the_beginning_is_told_once() {
        let chunk =
            r#"{"responseId":"r","modelVersion":"gemini-x","candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
        let began = Delta::Began { id: "r".into(), model: "gemini-x".into() };
        let text = Delta::Text { choice: 0, text: "a".into() };
        assert_eq!(read(&[chunk, chunk]), Ok(vec![began, text.clone(), text]));
    }

    #[test]
    fn parts_become_steps() {
        let text = |text: &str| Delta::Text { choice: 0, text: text.into() };
        let thought = |text: &str| Delta::Thought { choice: 0, text: text.into() };
        let other = |name: &str, json: &str| Delta::Other { choice: 0, name: name.into(), json: json.into() };
        for (written, expected) in [
            (r#"{"text":"a"},{"text":"\u00e9"}"#, vec![text("a"), text("é")]),
            (r#"{"text":"t","thought":true}"#, vec![thought("t")]),
            (
                r#"{"text":"t","thought":true,"thoughtSignature":"s"}"#,
                vec![thought("t"), Delta::ThoughtSealed { choice: 0, seal: seal("s") }],
            ),
            (r#"{"text":"","thoughtSignature":"s"}"#, vec![Delta::TextSealed { choice: 0, seal: seal("s") }]),
            (r#"{"thoughtSignature":"s"}"#, vec![Delta::TextSealed { choice: 0, seal: seal("s") }]),
            (r#"{"thoughtSignature":"s","thought":true}"#, vec![Delta::ThoughtSealed { choice: 0, seal: seal("s") }]),
            (
                r#"{"functionCall":{"id":"i","name":"f","args":{"a": [1]}},"thoughtSignature":"s"},{"functionCall":{"name":"g"}}"#,
                vec![
                    call(0, "i", "f", Some(seal("s"))),
                    arguments(0, r#"{"a":[1]}"#),
                    call(1, "", "g", None),
                    arguments(1, "{}"),
                ],
            ),
            (
                r#"{"executableCode": {"code":"1"}}"#,
                vec![other("executableCode", r#"{"executableCode":{"code":"1"}}"#)],
            ),
            (r#"{"text":""},{}"#, vec![]),
        ] {
            assert_eq!(said(&[&parts(written)]), expected, "{written}");
        }
    }

    #[test]
    fn calls_that_come_in_pieces_are_put_together() {
        let begin = parts(r#"{"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"s"}"#);
        let piece = parts(
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.id","stringValue":"A","willContinue":true}],"willContinue":true}}"#,
        );
        let more = piece.replace("\"A\"", "\"é!\"");
        // Of a part that holds both, the text is nobody's.
        let both = piece.replace("{\"functionCall\"", "{\"text\":\"x\",\"functionCall\"");
        let again = both.replace("\"x\"", "\"y\"");
        let deep = piece.replace("$.id", "$.a[1].b");
        let deeper = deep.replace("\"A\"", "\"B\"");
        let grown = arguments(0, r#"{"id":"Aé!é!","a":[null,{"b":"ABB"}]}"#);
        let last = parts(r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.n","numberValue":3}]}}"#);
        let nothing = parts(r#"{"functionCall":{"willContinue":true}}"#);
        let end = parts(r#"{"functionCall":{}}"#);
        let stop = r#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}"#;
        let f = |n| call(n, "", "f", (n == 0).then(|| seal("s")));
        let first = f(0);
        for (objects, expected) in [
            (vec![&begin, &piece, &nothing, &piece, &end], vec![first.clone(), arguments(0, r#"{"id":"AA"}"#)]),
            (vec![&begin, &piece, &more, &more, &deep, &deeper, &deeper, &end], vec![first.clone(), grown]),
            (vec![&begin, &both, &again, &end], vec![first.clone(), arguments(0, r#"{"id":"AA"}"#)]),
            (vec![&begin, &piece, &last], vec![first.clone(), arguments(0, r#"{"id":"A","n":3}"#)]),
            (vec![&begin, &end], vec![first.clone(), arguments(0, "{}")]),
            // The piece that ends it was forgotten.
            (
                vec![&begin, &piece, &parts(r#"{"functionCall":{"name":"g","args":{}}}"#)],
                vec![first.clone(), arguments(0, r#"{"id":"A"}"#), call(1, "", "g", None), arguments(1, "{}")],
            ),
            (
                vec![&begin, &piece, &stop.to_owned()],
                vec![first.clone(), arguments(0, r#"{"id":"A"}"#), ended(0, FinishReason::ToolCalls)],
            ),
            (
                vec![&begin, &piece, &stop.replace(r#"{"functionCall":{}}"#, "")],
                vec![first.clone(), arguments(0, r#"{"id":"A"}"#), ended(0, FinishReason::ToolCalls)],
            ),
        ] {
            let objects: Vec<&str> = objects.into_iter().map(String::as_str).collect();
            assert_eq!(said(&objects), expected, "{objects:?}");
        }
    }

    #[test]
    fn ends_usage_and_what_stands_beside() {
        let used = |input, output| Delta::Used(Usage { input, output, ..Usage::default() });
        let last = r#"{"candidates":[{"finishReason":"STOP","groundingMetadata":{ }},{"index":1,"finishReason":"SAFETY"}],
            "usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2}}"#;
        let beside = Delta::Other { choice: 0, name: "groundingMetadata".into(), json: "{}".into() };
        let ends = [ended(0, FinishReason::Stop), ended(1, FinishReason::ContentFilter)];
        assert_eq!(said(&[last, last]), [beside.clone(), ends[0].clone(), ends[1].clone(), used(1, 2), beside]);
        // Each event tells all that was used so far.
        let grown = |output: u64| {
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}}}],"usageMetadata":{{"promptTokenCount":1,"candidatesTokenCount":{output}}}}}"#
            )
        };
        let a = Delta::Text { choice: 0, text: "a".into() };
        let expected = [a.clone(), used(1, 1), a.clone(), a, used(1, 5)];
        assert_eq!(said(&[&grown(1), &grown(1), &grown(5)]), expected);
        // Thoughts are counted beside, and stay; a count that is none is no event, however like the last.
        let whole = |output: &str| {
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}}}],"usageMetadata":{{"thoughtsTokenCount":3,"candidatesTokenCount":{output},"promptTokenCount":1,"totalTokenCount":9}}}}"#
            )
        };
        let thought = |output| {
            let tokens = Usage { input: 1, output, reasoning: 3, ..Usage::default() };
            Delta::Used(tokens)
        };
        let a = Delta::Text { choice: 0, text: "a".into() };
        assert_eq!(said(&[&whole("1"), &whole("2")]), [a.clone(), thought(4), a, thought(5)]);
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        assert_eq!(reader.push(whole("1").as_bytes(), &mut out), Ok(()));
        let endless = whole("99999999999999999999");
        assert_eq!(reader.push(endless.as_bytes(), &mut out), Err(Unread::NotAnAnswer));
        let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":1}}"#;
        assert_eq!(said(&[blocked]), [ended(0, FinishReason::ContentFilter), used(1, 0)]);
    }

    #[test]
    fn a_list_is_read_as_its_objects() {
        let list = format!("[{},\n{}]", parts(r#"{"text":"a"}"#), r#"{"candidates":[{"finishReason":"STOP"}]}"#);
        let steps = Reader::whole(list.as_bytes()).expect("an answer");
        assert_eq!(steps[1..], [Delta::Text { choice: 0, text: "a".into() }, ended(0, FinishReason::Stop)]);
    }

    #[test]
    fn what_is_no_answer_or_too_much_is_refused() {
        for object in ["", "[]7", "7", "{", r#"{"error":{}}"#, "\u{1}", r#"{"candidates":7}"#] {
            assert_eq!(read(&[object]), Err(Unread::NotAnAnswer), "{object}");
        }
        assert_eq!(read(&[r#"{"candidates":[{"index":128}]}"#]), Err(Unread::TooLarge));
        let calls = vec![r#"{"functionCall":{"name":"f"}}"#; 129].join(",");
        assert_eq!(read(&[&parts(&calls)]), Err(Unread::TooLarge));
        let long = parts(&format!(r#"{{"text":"{}"}}"#, "x".repeat(1 << 20)));
        assert_eq!(read(&vec![long.as_str(); 33]), Err(Unread::TooLarge));
        assert!(read(&vec![long.as_str(); 32]).is_ok());
    }
}
