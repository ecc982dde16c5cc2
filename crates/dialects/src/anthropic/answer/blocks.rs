//! Deltas to blocks: opened and closed in order, one at a time.
//!
//! Others tell calls side by side, and text in between; here a block is closed before the next begins. A call is over
//! when its arguments are a whole JSON object; what comes before that and belongs to something else waits. Receives
//! deltas; hands on steps. Must never be here: how a step is written.

use super::super::blocks::is_of_answers;
use super::super::event::Block;
use super::super::json::{as_object, list, literal, object};
use super::super::seal::{Place, token};
use super::super::stop;
use super::scan::Scan;
use super::{CITATIONS, CONTAINER};
use llm::{Delta, Dialect, FinishReason, Seal, SealKind, Usage};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most names of what is left out that are told, and the longest, in characters.
const MAX_LEFT_OUT: usize = 32;
const MAX_NAME: usize = 64;

/// A step of an answer's blocks.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// Text begins; citations may come with it where that is told.
    Text {
        cited: bool,
    },
    Thinking,
    Redacted(Cow<'a, str>),
    Call {
        id: Cow<'a, str>,
        name: &'a str,
    },
    /// A block that is written as it is, begun and ended.
    Other(&'a str),
    /// More text.
    Words(&'a str),
    /// More of a thought.
    Thoughts(&'a str),
    /// More of a call's input.
    Input(&'a str),
    Signature(Cow<'a, str>),
    Citation(&'a str),
    Close,
}

/// Is told of each step, in order.
pub(super) type Tell<'t> = &'t mut dyn FnMut(Step<'_>);

/// What is known of an answer while it is written. Beside what waits, some 300 bytes.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Open,
    /// Behind the call that is open: text that comes before that call is whole.
    waiting: Vec<Delta>,
    /// Calls begun.
    calls: u32,
    /// A block of text begins next, whatever is open.
    anew: bool,
    refusal: String,
    finish: Option<FinishReason>,
    stop: Option<String>,
    pub(super) container: Option<String>,
    pub(super) usage: Option<Usage>,
    left_out: Vec<String>,
    /// By what calls are named whose provider gives no id.
    id: String,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thinking,
    Call {
        call: u32,
        free: bool,
        begun: bool,
        scan: Scan,
    },
}

impl Blocks {
    /// Blocks of an answer whose calls are named after `id` where they have no name of their own.
    pub(super) fn new(id: &str) -> Self {
        let id = id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(MAX_NAME).collect();
        Self { id, ..Self::default() }
    }

    /// What could not be written, each once.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Takes in a delta.
    pub(super) fn push(&mut self, delta: &Delta, tell: Tell<'_>) {
        if choice(delta) > 0 {
            return self.leave_out("choices");
        }
        match (delta, &self.open) {
            (Delta::Used(usage), _) => self.usage = Some(*usage),
            (Delta::Began { .. }, _) => {}
            (Delta::Arguments { call, text, .. }, Open::Call { call: open, .. }) if call == open => {
                self.input(text, tell);
            }
            (Delta::Ended { finish, stop, .. }, _) => {
                self.finish = self.finish.or(Some(*finish));
                self.stop = self.stop.take().or_else(|| stop.clone());
            }
            (_, Open::Call { scan, .. }) if !scan.is_over() => self.wait(delta),
            _ if !self.waiting.is_empty() => self.wait(delta),
            _ => self.say(delta, tell),
        }
    }

    /// Closes whatever is open, and writes what waits.
    pub(super) fn finish(&mut self, tell: Tell<'_>) {
        loop {
            self.close(tell);
            if self.waiting.is_empty() {
                return;
            }
            self.replay(tell);
        }
    }

    /// Why the answer ended, in this dialect's words, and the stop sequence that it met.
    pub(super) fn end(&self) -> (&'static str, Option<&str>) {
        let (calls, refused) = (self.calls > 0, !self.refusal.is_empty());
        let finish = self.finish.unwrap_or(FinishReason::Stop);
        let word = stop::word(finish, calls, self.stop.is_some(), refused);
        (word, self.stop.as_deref().filter(|_| word == "stop_sequence"))
    }

    /// Why the model declined, where it said so.
    pub(super) fn refusal(&self) -> Option<&str> {
        (!self.refusal.is_empty()).then_some(&*self.refusal)
    }

    /// Writes what waits, up to the next call that is not whole.
    fn replay(&mut self, tell: Tell<'_>) {
        for delta in std::mem::take(&mut self.waiting) {
            self.push(&delta, tell);
        }
    }

    fn wait(&mut self, delta: &Delta) {
        match (delta, self.waiting.last_mut()) {
            (Delta::Text { text, .. }, Some(Delta::Text { text: before, .. })) => before.push_str(text),
            (Delta::Thought { text, .. }, Some(Delta::Thought { text: before, .. })) => before.push_str(text),
            (Delta::Arguments { call, text, .. }, _) => match self.waiting.iter_mut().rev().find(|d| is_of(d, *call)) {
                Some(Delta::Arguments { text: before, .. }) => before.push_str(text),
                _ => self.waiting.push(delta.clone()),
            },
            _ => self.waiting.push(delta.clone()),
        }
    }

    fn say(&mut self, delta: &Delta, tell: Tell<'_>) {
        match delta {
            Delta::Text { text, .. } if !text.is_empty() => {
                self.text(tell);
                tell(Step::Words(text));
            }
            Delta::Thought { text, .. } if !text.is_empty() => {
                self.thinking(tell);
                tell(Step::Thoughts(text));
            }
            Delta::ThoughtSealed { seal, .. } => self.sealed(seal, tell),
            Delta::Refusal { text, .. } => self.refusal.push_str(text),
            Delta::Call { call, id, name, free, seal, .. } => self.call((*call, *free), id, name, seal.as_ref(), tell),
            Delta::Arguments { .. } => self.leave_out("tool_use.input"),
            Delta::TextSealed { .. } => self.leave_out("signature"),
            Delta::Other { name, json, .. } => self.other(name, json, tell),
            Delta::Text { .. } | Delta::Thought { .. } => {}
            // Taken in before.
            Delta::Began { .. } | Delta::Ended { .. } | Delta::Used(_) => {}
        }
    }

    fn text(&mut self, tell: Tell<'_>) {
        let cited = std::mem::take(&mut self.anew);
        if cited || !matches!(self.open, Open::Text) {
            self.close(tell);
            self.open = Open::Text;
            tell(Step::Text { cited });
        }
    }

    fn thinking(&mut self, tell: Tell<'_>) {
        if !matches!(self.open, Open::Thinking) {
            self.close(tell);
            self.open = Open::Thinking;
            tell(Step::Thinking);
        }
    }

    /// A seal of Anthropic's own stands where it came from; any other beside a thought, for nothing else keeps it with
    /// its words.
    fn sealed(&mut self, seal: &Seal, tell: Tell<'_>) {
        let redacted = seal.of == Dialect::Anthropic && seal.kind == SealKind::Encrypted;
        if redacted {
            self.close(tell);
            tell(Step::Redacted(token(seal, Place::Thought)));
        } else {
            self.thinking(tell);
            tell(Step::Signature(token(seal, Place::Thought)));
            self.open = Open::Nothing;
        }
        tell(Step::Close);
    }

    fn call(&mut self, (call, free): (u32, bool), id: &str, name: &str, seal: Option<&Seal>, tell: Tell<'_>) {
        self.close(tell);
        if let Some(seal) = seal {
            tell(Step::Redacted(token(seal, Place::Call)));
            tell(Step::Close);
        }
        let id = if id.is_empty() { Cow::Owned(format!("toolu_{}_{call}", self.id)) } else { Cow::Borrowed(id) };
        tell(Step::Call { id, name });
        self.calls += 1;
        self.open = Open::Call { call, free, begun: false, scan: Scan::default() };
    }

    fn input(&mut self, text: &str, tell: Tell<'_>) {
        let Open::Call { free, begun, scan, .. } = &mut self.open else { return };
        if text.is_empty() {
            return;
        }
        if *free {
            if !std::mem::replace(begun, true) {
                tell(Step::Input("{\"input\":\""));
            }
            let literal = literal(text);
            return tell(Step::Input(literal.get(1..literal.len() - 1).unwrap_or_default()));
        }
        *begun = true;
        scan.take(text);
        let over = scan.is_over();
        tell(Step::Input(text));
        if over && !self.waiting.is_empty() {
            self.close(tell);
            self.replay(tell);
        }
    }

    fn other(&mut self, name: &str, json: &str, tell: Tell<'_>) {
        let raw = serde_json::from_str::<&RawValue>(json).ok();
        match name {
            CITATIONS if raw.is_some_and(|raw| raw.get().starts_with('[')) => {
                let (citations, others): (Vec<&RawValue>, Vec<&RawValue>) =
                    list(raw).into_iter().partition(is_citation);
                if !others.is_empty() {
                    self.leave_out(CITATIONS);
                } else {
                    self.anew |= citations.is_empty();
                }
                if !citations.is_empty() && !matches!((&self.open, self.anew), (Open::Text, false)) {
                    self.anew = true;
                    self.text(tell);
                }
                citations.into_iter().for_each(|citation| tell(Step::Citation(citation.get())));
            }
            CONTAINER if raw.is_some_and(|raw| raw.get().starts_with('{')) => self.container = Some(json.to_owned()),
            _ if is_block(name, json) => {
                self.close(tell);
                tell(Step::Other(json));
            }
            _ => self.leave_out(name),
        }
    }

    fn close(&mut self, tell: Tell<'_>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => return,
            Open::Call { begun: false, free, .. } => tell(Step::Input(if free { "{\"input\":\"\"}" } else { "{}" })),
            Open::Call { free: true, .. } => tell(Step::Input("\"}")),
            Open::Text | Open::Thinking | Open::Call { .. } => {}
        }
        tell(Step::Close);
    }

    fn leave_out(&mut self, name: &str) {
        let name: String = name.chars().take(MAX_NAME).collect();
        if self.left_out.len() < MAX_LEFT_OUT && !self.left_out.contains(&name) {
            self.left_out.push(name);
        }
    }
}

/// Whether `json` is a block of this dialect called `name`: others call theirs otherwise, or have none.
fn is_block(name: &str, json: &str) -> bool {
    let block = as_object(json).and_then(|raw| object::<Block<'_>>(Some(raw)));
    is_of_answers(name) && block.is_some_and(|block| block.kind == name)
}

/// Whether `raw` is a citation of this dialect: others, as Cohere and Perplexity, have their own form.
fn is_citation(raw: &&RawValue) -> bool {
    raw.get().starts_with('{')
        && object::<Block<'_>>(Some(raw)).is_some_and(|citation| citation.kind.ends_with("_location"))
}

/// Whether a delta is of `call`, the call itself or more of it.
fn is_of(delta: &Delta, of: u32) -> bool {
    matches!(delta, Delta::Call { call, .. } | Delta::Arguments { call, .. } if *call == of)
}

fn choice(delta: &Delta) -> u32 {
    match delta {
        Delta::Text { choice, .. }
        | Delta::Thought { choice, .. }
        | Delta::ThoughtSealed { choice, .. }
        | Delta::Refusal { choice, .. }
        | Delta::Call { choice, .. }
        | Delta::Arguments { choice, .. }
        | Delta::TextSealed { choice, .. }
        | Delta::Other { choice, .. }
        | Delta::Ended { choice, .. } => *choice,
        Delta::Began { .. } | Delta::Used(_) => 0,
    }
}
