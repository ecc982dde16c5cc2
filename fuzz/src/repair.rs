//! Answers and tool arguments that are mended. Input: a schema, and what a model wrote.

use crate::cuts::chance;
use crate::parts::parts;
use contracts::{Bound, Contract, Mend, Policy, Schemas};
use llm::{Answer, Choice, Demanded, FinishReason, Format, Takes, Terms, Tool, ToolCall};
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// What is mended satisfies its contract, and holds every value that was there, and no other: as an answer and as the
/// arguments of a tool, with and without the leave to mend numbers, ended by the model and by the token limit.
pub fn repair(data: &[u8]) {
    let [schema, written] = parts(data);
    let schemas = Arc::<Schemas>::default();
    for numbers in [false, true] {
        let policy = Policy { repair_numbers: numbers, ..Policy::default() };
        let contract = Contract::new(policy, Arc::clone(&schemas)).expect("nothing to compile");
        for place in [Place::Text, Place::Arguments] {
            let terms = place.terms(schema);
            for finish in [place.finish(), FinishReason::Length] {
                let case = Case { bound: contract.bind(&terms, ""), place, finish, numbers };
                case.judge(written);
            }
        }
    }
}

/// Where what is mended stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Text,
    Arguments,
}

impl Place {
    fn terms(self, schema: &str) -> Terms {
        match self {
            Self::Text => {
                let demanded = Demanded { name: String::new(), schema: schema.into(), strict: false };
                Terms { format: Format::JsonSchema(demanded), ..Terms::default() }
            }
            Self::Arguments => {
                let tool = Tool { name: "f".to_owned(), takes: Takes::Json(Some(schema.into())) };
                Terms { tools: vec![tool], ..Terms::default() }
            }
        }
    }

    fn finish(self) -> FinishReason {
        match self {
            Self::Text => FinishReason::Stop,
            Self::Arguments => FinishReason::ToolCalls,
        }
    }

    fn answer(self, written: &str, finish: FinishReason) -> Answer {
        let mut choice = Choice { finish: Some(finish), ..Choice::default() };
        match self {
            Self::Text => written.clone_into(&mut choice.text),
            Self::Arguments => {
                choice.calls = vec![ToolCall {
                    id: "1".to_owned(),
                    name: "f".to_owned(),
                    arguments: written.to_owned(),
                    free: false,
                }];
            }
        }
        Answer { model: String::new(), choices: vec![choice] }
    }

    /// What stands there; nothing where the answer differs elsewhere too.
    fn read(self, answer: &Answer, finish: FinishReason) -> Option<String> {
        let choice = answer.choices.first()?;
        let written = match self {
            Self::Text => &choice.text,
            Self::Arguments => &choice.calls.first()?.arguments,
        };
        (*answer == self.answer(written, finish)).then(|| written.clone())
    }
}

struct Case<'a> {
    bound: Bound<'a>,
    place: Place,
    finish: FinishReason,
    numbers: bool,
}

impl Case<'_> {
    fn judge(&self, written: &str) {
        let Some((mended, mends)) = self.mended(written) else { return };
        if mends == [Mend::EmptyObject] {
            let nothing = self.place == Place::Arguments && self.finish != FinishReason::Length;
            return assert!(nothing && written.trim().is_empty() && mended == "{}", "{written:?} became {mended:?}");
        }
        assert!(!mends.contains(&Mend::EmptyObject), "{mends:?}");
        assert!(self.numbers || !mends.contains(&Mend::Numbers), "without leave");
        let range = json_in(written);
        nothing_lost(written, range.clone(), &mended, mends.contains(&Mend::Numbers));
        self.no_cut_is_mended(written, range);
    }

    /// What becomes of `written`, and how.
    fn mended(&self, written: &str) -> Option<(String, Vec<Mend>)> {
        let answer = self.place.answer(written, self.finish);
        let repaired = self.bound.repair(&answer);
        assert_eq!(repaired, self.bound.repair(&answer), "mended twice");
        let repaired = repaired?;
        assert!(!self.bound.check(&answer).holds(), "what holds is mended");
        assert!(self.bound.check(&repaired.answer).holds(), "what is mended does not hold");
        assert_eq!(self.bound.repair(&repaired.answer), None, "what is mended is mended again");
        let mended = self.place.read(&repaired.answer, self.finish).expect("nothing else is touched");
        Some((mended, repaired.mends.into_iter().map(|(_, mend)| mend).collect()))
    }

    /// However the JSON at `range` is cut off, it stays so.
    fn no_cut_is_mended(&self, written: &str, range: Range<usize>) {
        let mut rng = chance(written.as_bytes());
        for _ in 0..4 {
            let end = written.floor_char_boundary(rng.usize(range.clone()));
            if end > range.start {
                let cut = written.get(..end).unwrap_or_default();
                assert_eq!(self.mended(cut), None, "{cut:?} is cut");
            }
        }
    }
}

/// Where the one JSON value of a text stands: all of the text, or what begins at the first bracket.
fn json_in(written: &str) -> Range<usize> {
    if serde_json::from_str::<Value>(written).is_ok() {
        let start = written.len() - written.trim_start().len();
        return start..written.trim_end().len();
    }
    let start = written.find(['{', '[']).expect("a bracket");
    let mut values = serde_json::Deserializer::from_str(written.get(start..).unwrap_or_default()).into_iter::<Value>();
    assert!(matches!(values.next(), Some(Ok(_))), "what begins at the first bracket is no JSON");
    start..start + values.byte_offset()
}

/// That `mended` is the JSON at `range` of `written`, but for the quotes around `numbers`, and the only one there.
fn nothing_lost(written: &str, range: Range<usize>, mended: &str, numbers: bool) {
    let json = written.get(range.clone()).unwrap_or_default();
    let outside = [written.get(..range.start), written.get(range.end..)];
    let bracket = |text: &str| text.contains(['{', '[', '}', ']']);
    assert!(!outside.into_iter().flatten().any(bracket), "other JSON may stand in {written:?}");
    let bare = |text: &str| text.trim().replace('"', "");
    if numbers {
        assert_eq!(bare(mended), bare(json), "more than quotes went");
    } else {
        assert_eq!(mended, json, "something was changed");
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert!(same(&read(json), &read(mended)), "{json} became {mended}");
}

/// Whether the two are the same but for texts that became the numbers they stood for.
fn same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::String(text), Value::Number(number)) => text.parse::<f64>().ok() == number.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}
