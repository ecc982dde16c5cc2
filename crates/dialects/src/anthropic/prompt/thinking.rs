//! How much a model is to think, in the way that its era is asked.
//!
//! Must never be here: what it thought.

use super::model::Era;
use super::write::Left;
use llm::{Dialect, PartKind, Prompt, Role, Thinking, Turn};
use serde::Serialize;
use serde_json::value::RawValue;

/// The fewest tokens of thinking that can be asked for.
const MIN_BUDGET: u64 = 1024;

/// The tokens that a word for effort stands for, of models that think within a budget.
fn budget(word: &str) -> Option<u64> {
    Some(match word {
        "minimal" => MIN_BUDGET,
        "low" => 4096,
        "medium" => 16_384,
        "high" => 32_768,
        "xhigh" | "max" => 49_152,
        _ => return None,
    })
}

/// The effort that is asked for, in this dialect's words, of models that know it.
pub(crate) fn effort(prompt: &Prompt, era: Era) -> Option<&str> {
    match prompt.thinking.as_ref().filter(|_| era != Era::Budget)? {
        Thinking::Effort(word) if word == "minimal" => Some("low"),
        Thinking::Effort(word) => budget(word).map(|_| word.as_str()),
        Thinking::Off | Thinking::Adaptive | Thinking::Budget(_) => None,
    }
}

/// The field that says it.
#[derive(Debug, Serialize)]
pub(crate) struct Asked<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'a RawValue>,
}

impl Asked<'_> {
    /// Whether anything is to be thought.
    pub(crate) fn is_on(&self) -> bool {
        self.kind != "disabled"
    }

    /// The tokens within which it is to be thought, where they are told.
    pub(crate) fn budget(&self) -> Option<u64> {
        self.budget_tokens
    }
}

/// How much is asked for.
enum Way {
    Off,
    Free,
    Within(u64),
}

/// Says how much is to be thought; nothing where that is left to the model.
///
/// A call that has to be made excludes thinking, and is what the client insists on. So does a turn that goes on after a
/// call, where thinking has a budget: the thoughts before that call would have to be there, and are not.
pub(crate) fn asked<'a>(
    prompt: &'a Prompt,
    era: Era,
    max_tokens: u64,
    forced: bool,
    left: &mut Left,
) -> Option<Asked<'a>> {
    let display = prompt.others.iter().find(|other| other.name == "thinking.display");
    let display = display.and_then(|other| serde_json::from_str(&other.json).ok());
    let (kind, budget_tokens) = match way(prompt.thinking.as_ref()?, era, left)? {
        Way::Off => return Some(Asked { kind: "disabled", budget_tokens: None, display: None }),
        _ if forced => (None, None),
        Way::Free => (Some("adaptive"), None),
        Way::Within(_) if goes_on_without_thoughts(prompt) => (None, None),
        // It has to leave room for an answer.
        Way::Within(tokens) => match tokens.min(max_tokens.saturating_sub(1)) {
            tokens if tokens < MIN_BUDGET => (None, None),
            tokens => (Some("enabled"), Some(tokens)),
        },
    };
    if kind.is_none() {
        left.out("thinking");
    }
    Some(Asked { kind: kind?, budget_tokens, display })
}

fn way(wish: &Thinking, era: Era, left: &mut Left) -> Option<Way> {
    Some(match (wish, era) {
        (Thinking::Off, _) => Way::Off,
        (Thinking::Effort(word), _) if word == "none" => Way::Off,
        (Thinking::Effort(word), era) => match budget(word) {
            Some(tokens) if era == Era::Budget => Way::Within(tokens),
            Some(_) => Way::Free,
            None => {
                left.out("reasoning_effort");
                return None;
            }
        },
        (Thinking::Adaptive, Era::Budget) => Way::Within(budget("medium")?),
        (Thinking::Adaptive, Era::Either | Era::Adaptive) => Way::Free,
        (Thinking::Budget(tokens), Era::Budget | Era::Either) => Way::Within(*tokens),
        (Thinking::Budget(_), Era::Adaptive) => {
            left.out("budget_tokens");
            Way::Free
        }
    })
}

/// Whether the conversation ends with results of calls before which Anthropic's own thoughts are missing.
fn goes_on_without_thoughts(prompt: &Prompt) -> bool {
    let has = |turn: &&Turn, is: fn(&PartKind) -> bool| turn.parts.iter().any(|part| is(&part.kind));
    let spoken: Vec<&Turn> = prompt.turns.iter().rev().filter(|turn| !is_instruction(turn)).collect();
    let users = spoken.iter().take_while(|turn| turn.role == Role::User).count();
    let (last, before) = spoken.split_at_checked(users).unwrap_or_default();
    let mut said = before.iter().take_while(|turn| turn.role == Role::Assistant).peekable();
    let answered = last.iter().any(|turn| has(turn, |kind| matches!(kind, PartKind::Result { .. })));
    answered && said.peek().is_some() && !said.any(|turn| has(turn, is_own_thought))
}

fn is_instruction(turn: &Turn) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
}

fn is_own_thought(kind: &PartKind) -> bool {
    matches!(kind, PartKind::Thought(thought) if thought.seal.as_ref().is_some_and(|seal| seal.of == Dialect::Anthropic))
}
