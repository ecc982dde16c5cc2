//! One answer of the corpus: how it is written, demanded, judged and cut.

use contracts::{Bound, Contract, Place, Policy, Watch};
use dialects::openai_chat::{Assembler, read_answer, terms};
use llm::{Answer, Terms};
use serde_json::{Value, json};
use std::sync::Arc;

/// An answer, what was demanded, and what is expected.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Fields of the request beside `model` and `messages`.
    pub(crate) request: Value,
    pub(crate) policy: Policy,
    /// The `message` of a whole answer.
    pub(crate) message: Value,
    pub(crate) finish: Value,
    pub(crate) model: &'static str,
    /// Codes of violations, in order.
    pub(crate) violations: Vec<&'static str>,
    /// Codes of marks, in order.
    pub(crate) marks: Vec<&'static str>,
    /// The text, or the first arguments, after repair; `None` where nothing is mended.
    pub(crate) repaired: Option<String>,
}

impl Case {
    /// An answer of this text that ends well and holds.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            name: text.chars().take(60).collect(),
            request: json!({}),
            policy: Policy::default(),
            message: json!({ "role": "assistant", "content": text }),
            finish: json!("stop"),
            model: "m",
            violations: Vec::new(),
            marks: Vec::new(),
            repaired: None,
        }
    }

    /// An answer of these calls: id, name, arguments.
    pub(crate) fn calls(calls: &[(&str, &str, &str)]) -> Self {
        let list: Vec<Value> = calls
            .iter()
            .map(|(id, name, arguments)| {
                json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
            })
            .collect();
        Self {
            name: format!("{calls:?}").chars().take(90).collect(),
            message: json!({ "role": "assistant", "content": null, "tool_calls": list }),
            finish: json!("tool_calls"),
            ..Self::text("")
        }
    }

    /// The same answer, which says this in another field.
    pub(crate) fn says(mut self, field: &str, words: impl Into<String>) -> Self {
        self.message[field] = json!(words.into());
        self.name = format!("{} + {field}", self.name);
        self
    }

    pub(crate) fn asked(mut self, request: Value) -> Self {
        self.request = request;
        self
    }

    pub(crate) fn under(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn finish(mut self, finish: Value) -> Self {
        self.finish = finish;
        self
    }

    pub(crate) fn violates(mut self, codes: &[&'static str]) -> Self {
        self.violations = codes.to_vec();
        self
    }

    pub(crate) fn marked(mut self, codes: &[&'static str]) -> Self {
        self.marks = codes.to_vec();
        self
    }

    pub(crate) fn mended(mut self, text: impl Into<String>) -> Self {
        self.repaired = Some(text.into());
        self
    }

    /// Judges the case in every way it can come.
    pub(crate) fn judge(&self) -> Result<(), String> {
        let mut request = self.request.clone();
        request["model"] = json!("m");
        request["messages"] = request.get("messages").cloned().unwrap_or_else(|| json!([]));
        let terms: Terms = terms(request.to_string().as_bytes());
        let contract = Contract::new(self.policy.clone(), Arc::default()).map_err(|why| format!("{why:?}"))?;
        let contract = Arc::new(contract);
        let bound = contract.bind(&terms, "m");
        self.expect("whole", &bound, &self.whole())?;
        let expect_streamed = |how: &str, next: &mut dyn FnMut() -> usize| {
            let mut watch = Watch::new(Arc::clone(&contract));
            let answer = self.streamed(next, &mut watch);
            self.expect(how, &bound, &answer)?;
            self.expect_watched(how, &bound, &answer, &mut watch)
        };
        expect_streamed("in characters", &mut || 1)?;
        for seed in 0..4 {
            let mut rng = fastrand::Rng::with_seed(seed);
            expect_streamed("in pieces", &mut || rng.usize(1..24))?;
        }
        Ok(())
    }

    /// A watch ends the stream if words break the contract in a way that is seen while they flow, and only then.
    fn expect_watched(&self, how: &str, bound: &Bound<'_>, answer: &Answer, watch: &mut Watch) -> Result<(), String> {
        const WATCHED: [&str; 5] = ["repetition", "too_long", "pattern_denied", "personal_data", "secret"];
        let whole = bound.check(answer).violations;
        let flows = |place: Place| !matches!(place, Place::Call(..));
        let mut expected = whole.iter().filter(|found| flows(found.place) && WATCHED.contains(&found.code.as_str()));
        let found = watch.finish();
        let same = match found {
            Some(found) => expected.any(|other| (other.code, other.place) == (found.code, found.place)),
            None => expected.next().is_none(),
        };
        if same { Ok(()) } else { Err(format!("{} ({how}): watched {found:?}, whole {whole:?}", self.name)) }
    }

    fn expect(&self, how: &str, bound: &Bound<'_>, answer: &Answer) -> Result<(), String> {
        let told = |what: &str, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
            Err(format!("{} ({how}): {what} {found:?}, expected {expected:?}", self.name))
        };
        let judgement = bound.check(answer);
        let codes = |found: &[contracts::Finding]| found.iter().map(|found| found.code.as_str()).collect::<Vec<_>>();
        let (violations, marks) = (codes(&judgement.violations), codes(&judgement.marks));
        if violations != self.violations {
            return told("violations", &violations, &self.violations);
        }
        if marks != self.marks {
            return told("marks", &marks, &self.marks);
        }
        let repaired = bound.repair(answer).map(|repaired| {
            let choice = &repaired.answer.choices[0];
            choice.calls.first().map_or(&choice.text, |call| &call.arguments).clone()
        });
        if repaired != self.repaired { told("repaired", &repaired, &self.repaired) } else { Ok(()) }
    }

    fn whole(&self) -> Answer {
        let body = json!({ "model": self.model, "choices": [
            { "index": 0, "message": self.message, "finish_reason": self.finish }] });
        read_answer(body.to_string().as_bytes()).expect("an answer")
    }

    /// The same as events, each of at most as many characters as `next` says.
    fn streamed(&self, next: &mut dyn FnMut() -> usize, watch: &mut Watch) -> Answer {
        let mut assembler = Assembler::default();
        let mut send = |delta: Value, finish: &Value| {
            let event =
                json!({ "model": self.model, "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
            assembler.push(event.to_string().as_bytes()).expect("an event");
            assembler.fresh(|choice, lane, words| {
                watch.push(choice, lane, words);
            });
        };
        for key in ["reasoning_content", "reasoning", "content", "refusal"] {
            for piece in pieces(self.message[key].as_str().unwrap_or_default(), next) {
                send(json!({ key: piece }), &Value::Null);
            }
        }
        for (index, call) in self.message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let head = json!({ "name": call["function"]["name"], "arguments": "" });
            send(json!({ "tool_calls": [{ "index": index, "id": call["id"], "function": head }] }), &Value::Null);
            for piece in pieces(call["function"]["arguments"].as_str().unwrap_or_default(), next) {
                send(json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] }), &Value::Null);
            }
        }
        send(json!({}), &self.finish);
        assembler.finish()
    }
}

fn pieces(text: &str, next: &mut dyn FnMut() -> usize) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = rest.char_indices().nth(next()).map_or(rest.len(), |(at, _)| at);
        let (now, later) = rest.split_at(end);
        pieces.push(now.to_owned());
        rest = later;
    }
    pieces
}
