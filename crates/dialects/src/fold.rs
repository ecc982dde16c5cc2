//! The steps of an answer put together: what a contract judges, whatever dialect they were read from.
//!
//! Receives deltas; hands on an [`Answer`]. Must never be here: whether the answer is any good.

use crate::Unread;
use llm::{Answer, Choice, Delta, Dialect, SealKind, ToolCall};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most text that is held, in bytes, all choices and arguments together.
const MAX_BYTES: usize = 32 << 20;
/// The most choices, and the most tool calls of one.
const MAX_PARTS: usize = 128;

/// What stands beside an answer's words and speaks of them: anything else that is no noun is something to be seen or
/// heard.
const NOTES: [&str; 11] = [
    "annotation",
    "annotations",
    "citationMetadata",
    "citations",
    "citationsContent",
    "groundingMetadata",
    "logprobs",
    "logprobsResult",
    "phase",
    "search_results",
    "urlContextMetadata",
];

/// Puts an answer together.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    model: String,
    choices: BTreeMap<u32, Choice>,
    /// Bytes of text held.
    held: usize,
    /// Calls need no id: Google's clients tell their results apart by order.
    by_place: bool,
}

impl Fold {
    /// What puts an answer together that a client of `dialect` is given. A call that needs no id there and has none is
    /// known by its place.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        Self { by_place: dialect == Dialect::Gemini, ..Self::default() }
    }

    /// Takes in a delta.
    ///
    /// # Errors
    /// What is too large; what came before stays.
    pub fn push(&mut self, delta: &Delta) -> Result<(), Unread> {
        match delta {
            Delta::Began { model, .. } => self.model.clone_from(model),
            Delta::Text { choice, text } => self.grow(*choice, text, |choice| Some(&mut choice.text))?,
            Delta::Refusal { choice, text } => self.grow(*choice, text, |choice| Some(&mut choice.refusal))?,
            Delta::Arguments { choice, call, text } => {
                let call = usize::try_from(*call).unwrap_or(usize::MAX);
                self.grow(*choice, text, |choice| Some(&mut choice.calls.get_mut(call)?.arguments))?;
            }
            Delta::Thought { choice, text } => self.grow(*choice, text, |choice| Some(&mut choice.reasoning))?,
            Delta::ThoughtSealed { choice, seal } => {
                let choice = self.choice(*choice)?;
                choice.sealed |= seal.kind == SealKind::Encrypted || choice.reasoning.is_empty();
            }
            Delta::Call { choice, id, name, free, .. } => self.call(*choice, id, name, *free)?,
            Delta::Other { choice, name, .. } if !NOTES.contains(&name.as_str()) => self.choice(*choice)?.media = true,
            Delta::Ended { choice, finish, .. } => self.choice(*choice)?.finish = Some(*finish),
            Delta::Other { .. } | Delta::TextSealed { .. } | Delta::Used(_) => {}
        }
        Ok(())
    }

    /// The answer, as far as it has come.
    #[must_use]
    pub fn finish(self) -> Answer {
        Answer { model: self.model, choices: self.choices.into_values().collect() }
    }

    fn choice(&mut self, index: u32) -> Result<&mut Choice, Unread> {
        if self.choices.len() >= MAX_PARTS && !self.choices.contains_key(&index) {
            return Err(Unread::TooLarge);
        }
        Ok(self.choices.entry(index).or_insert_with(|| Choice { index, ..Choice::default() }))
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Unread> {
        self.held += bytes;
        if self.held > MAX_BYTES { Err(Unread::TooLarge) } else { Ok(()) }
    }

    fn grow(
        &mut self,
        index: u32,
        text: &str,
        field: impl FnOnce(&mut Choice) -> Option<&mut String>,
    ) -> Result<(), Unread> {
        self.hold(text.len())?;
        if let Some(field) = field(self.choice(index)?) {
            field.push_str(text);
        }
        Ok(())
    }

    fn call(&mut self, index: u32, id: &str, name: &str, free: bool) -> Result<(), Unread> {
        self.hold(id.len() + name.len())?;
        let by_place = self.by_place;
        let calls = &mut self.choice(index)?.calls;
        if calls.len() >= MAX_PARTS {
            return Err(Unread::TooLarge);
        }
        let id =
            if by_place && id.is_empty() { Cow::Owned(format!("call_{}", calls.len())) } else { Cow::Borrowed(id) };
        calls.push(ToolCall { id: id.into_owned(), name: name.to_owned(), arguments: String::new(), free });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai_chat::{Assembler, Reader};
    use llm::Usage;

    /// The events as both read them.
    fn both(events: &[String]) -> (Answer, Answer) {
        let (mut reader, mut fold, mut assembler) = (Reader::default(), Fold::default(), Assembler::default());
        for event in events {
            let mut deltas = Vec::new();
            reader.push(event.as_bytes(), &mut deltas).expect("read");
            deltas.iter().for_each(|delta| fold.push(delta).expect("held"));
            assembler.push(event.as_bytes()).expect("taken");
        }
        (fold.finish(), assembler.finish())
    }

    #[test]
    fn deltas_say_what_the_assembler_puts_together() {
        let event = |index: u32, delta: &str, finish: &str| {
            format!(r#"{{"model":"m","choices":[{{"index":{index},"delta":{delta},"finish_reason":{finish}}}]}}"#)
        };
        for events in [
            vec![event(0, r#"{"content":"h\u00e9\ud83d"}"#, "null"), event(0, r#"{"content":"\ude00"}"#, r#""stop""#)],
            vec![event(0, r#"{"content":"a\ud83d"}"#, "null"), event(0, "{}", r#""eos""#)],
            vec![event(1, r#"{"content":"b"}"#, "null"), event(0, r#"{"refusal":"no"}"#, r#""stop""#)],
            vec![
                event(0, r#"{"reasoning":"hm"}"#, "null"),
                event(0, r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#, "null"),
                event(0, r#"{"tool_calls":[{"index":0,"id":"","function":{"arguments":"{}"}}]}"#, "null"),
                event(
                    0,
                    r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":{"x":1}}}]}"#,
                    "null",
                ),
                event(
                    0,
                    r#"{"tool_calls":[{"index":2,"id":"c","custom":{"name":"h","input":"t"}}]}"#,
                    r#""tool_calls""#,
                ),
            ],
            vec![event(
                0,
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]},{"type":"text","text":"a"}]}"#,
                "null",
            )],
            vec![
                event(0, r#"{"function_call":{"name":"f","arguments":"{"}}"#, "null"),
                event(0, r#"{"function_call":{"arguments":"}"}}"#, r#""function_call""#),
            ],
            vec![
                event(0, r#"{"content":[{"type":"image"}]}"#, r#""model_length""#),
                event(3, r#"{"audio":{"id":"a"}}"#, "null"),
            ],
        ] {
            let (folded, assembled) = both(&events);
            assert_eq!(folded, assembled, "{events:?}");
        }
    }

    #[test]
    fn notes_on_the_words_are_nothing_to_be_seen() {
        for (name, media) in
            [("annotation", false), ("groundingMetadata", false), ("phase", false), ("inlineData", true)]
        {
            let mut fold = Fold::default();
            let other = Delta::Other { choice: 0, name: name.into(), json: "{}".into() };
            fold.push(&Delta::Text { choice: 0, text: "a".into() }).expect("held");
            fold.push(&other).expect("held");
            assert_eq!(fold.finish().choices[0].media, media, "{name}");
        }
    }

    #[test]
    fn calls_without_ids_are_told_apart_where_they_need_none() {
        let call = |call| Delta::Call { choice: 0, call, id: String::new(), name: "f".into(), free: false, seal: None };
        for (dialect, apart) in [(Dialect::Gemini, true), (Dialect::Anthropic, false), (Dialect::Responses, false)] {
            let mut fold = Fold::of(dialect);
            [call(0), call(1)].iter().for_each(|delta| fold.push(delta).expect("held"));
            let calls = &fold.finish().choices[0].calls;
            assert_eq!(calls[0].id != calls[1].id, apart, "{dialect:?}: {calls:?}");
        }
    }

    #[test]
    fn what_is_held_is_bounded() {
        let count = |delta: &dyn Fn(u32) -> Delta| {
            let mut fold = Fold::default();
            (0..1000).take_while(|n| fold.push(&delta(*n)).is_ok()).count()
        };
        let name = || String::from("f");
        assert_eq!(count(&|choice| Delta::Text { choice, text: "a".into() }), MAX_PARTS);
        let call = |call| Delta::Call { choice: 0, call, id: name(), name: name(), free: false, seal: None };
        assert_eq!(count(&call), MAX_PARTS);
        assert_eq!(count(&|_| Delta::Refusal { choice: 0, text: "x".repeat(1 << 20) }), 32);
        assert_eq!(count(&|_| Delta::Used(Usage::default())), 1000);
        let mut fold = Fold::default();
        fold.push(&Delta::Arguments { choice: 0, call: 7, text: "of no call".into() }).expect("held");
        assert!(fold.finish().choices[0].calls.is_empty());
    }
}
