//! One object of an answer as Ollama sends it: a line of a stream, or a whole answer, which has the same form.
//!
//! Borrowed throughout: a stream has a line for each token. Must never be here: what follows from it.

use crate::shape::Shape;
use crate::thin::{Raw, arguments, count, is_object, items, object, on_one_line, read, says, text};
use llm::Usage;
use serde::Deserialize;
use std::borrow::Cow;

/// An object of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow, default)]
    pub(super) model: Raw<'a>,
    #[serde(borrow, default)]
    message: Raw<'a>,
    #[serde(borrow, default)]
    done: Raw<'a>,
    #[serde(borrow, default)]
    done_reason: Raw<'a>,
    /// Tokens of the prompt.
    #[serde(borrow, default)]
    prompt_eval_count: Raw<'a>,
    /// Tokens of the answer.
    #[serde(borrow, default)]
    eval_count: Raw<'a>,
    #[serde(borrow, default)]
    error: Raw<'a>,
}

impl<'a> Line<'a> {
    /// Reads one line; nothing where it is no object of an answer.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        read(data)
    }

    /// Whether it says that the server failed.
    pub(super) fn is_error(&self) -> bool {
        says(self.error)
    }

    /// Whether it holds a message.
    pub(super) fn has_message(&self) -> bool {
        is_object(self.message)
    }

    /// Its message, perhaps an empty one.
    pub(super) fn message(&self) -> Message<'a> {
        object(self.message)
    }

    /// Whether the answer is over.
    pub(super) fn is_done(&self) -> bool {
        self.done.is_some_and(|raw| Shape::of(raw) == Shape::Bool(true))
    }

    /// Why it is over, in Ollama's words; nothing where that is not said, as of one whose model was cut off.
    pub(super) fn reason(&self) -> Option<Cow<'a, str>> {
        Some(text(self.done_reason)).filter(|word| self.is_done() && !word.is_empty())
    }

    /// What it took. A count that is left out is not known: zero is one of the values for which the server leaves it out.
    pub(super) fn usage(&self) -> Option<Usage> {
        let (input, output) = (count(self.prompt_eval_count)?, count(self.eval_count)?);
        Some(Usage { input, output, ..Usage::default() })
    }
}

/// A message, or a piece of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) content: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) thinking: Raw<'a>,
    #[serde(borrow, default)]
    tool_calls: Raw<'a>,
}

impl<'a> Message<'a> {
    /// Its calls, each whole.
    pub(super) fn calls(&self) -> Vec<Call<'a>> {
        items(self.tool_calls).into_iter().map(|raw| object(Some(raw))).collect()
    }

    /// Whether it wants tools called.
    pub(super) fn has_calls(&self) -> bool {
        says(self.tool_calls)
    }

    /// Whether a reader would see something in it.
    pub(super) fn is_content(&self) -> bool {
        says(self.content) || says(self.thinking) || self.has_calls()
    }
}

/// A call of a tool.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Call<'a> {
    /// Older servers give none.
    #[serde(borrow, default)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    function: Raw<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Raw<'a>,
    /// An object; what only resembles this server sends it as a text.
    #[serde(borrow, default)]
    arguments: Raw<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn id(&self) -> Cow<'a, str> {
        text(self.id)
    }

    pub(super) fn name(&self) -> Cow<'a, str> {
        text(object::<Function<'a>>(self.function).name)
    }

    /// Its arguments, an object as JSON on one line.
    pub(super) fn arguments(&self) -> String {
        let function: Function<'a> = object(self.function);
        let told = function.arguments.filter(|_| is_object(function.arguments));
        let json = told.map_or_else(|| arguments(&text(function.arguments)), serde_json::value::RawValue::to_owned);
        on_one_line(json.get()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_is_left_out_is_not_known() {
        for (json, expected) in [
            (r#"{"prompt_eval_count":26,"eval_count":298}"#, Some((26, 298))),
            (r#"{"prompt_eval_count":0,"eval_count":0}"#, Some((0, 0))),
            (r#"{"eval_count":298}"#, None),
            (r#"{"prompt_eval_count":26}"#, None),
            (r#"{"prompt_eval_count":-1,"eval_count":298}"#, None),
            ("{}", None),
        ] {
            let usage = Line::read(json.as_bytes()).expect("an object").usage();
            assert_eq!(usage.map(|usage| (usage.input, usage.output)), expected, "{json}");
        }
    }

    #[test]
    fn arguments_are_an_object_in_whatever_form_they_come() {
        for (arguments, expected) in [
            (r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[1]}}"#),
            ("{\"a\":\n1}", "{\"a\": 1}"),
            (r#""{\"a\":1}""#, r#"{"a":1}"#),
            (r#""""#, "{}"),
            ("null", "{}"),
            (r#""text""#, r#"{"input":"text"}"#),
        ] {
            let json = format!(r#"{{"function":{{"name":"f","arguments":{arguments}}}}}"#);
            let call: Call<'_> = serde_json::from_str(&json).expect("JSON");
            assert_eq!((&*call.name(), &*call.arguments()), ("f", expected), "{arguments}");
        }
    }
}
