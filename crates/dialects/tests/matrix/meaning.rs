//! What an answer means, whoever tells it and in whichever pieces.

use llm::{Delta, FinishReason, Usage};
use serde_json::Value;

/// What an answer means.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) text: String,
    pub(crate) thought: String,
    pub(crate) refusal: String,
    /// Calls in order: id, tool, arguments.
    pub(crate) calls: Vec<(String, String, Value)>,
    /// Tokens that have to come back.
    pub(crate) seals: Vec<String>,
    pub(crate) finish: Option<FinishReason>,
    /// The stop sequence that it met.
    pub(crate) stop: Option<String>,
    pub(crate) usage: Option<Usage>,
}

impl Meaning {
    /// Whether there is nothing in it, not even that a limit or a policy left no room for more.
    pub(crate) fn says_nothing(&self) -> bool {
        let Self { text, thought, refusal, calls, finish, .. } = self;
        let ended = !matches!(finish, Some(FinishReason::Length | FinishReason::ContentFilter));
        text.is_empty() && thought.is_empty() && refusal.is_empty() && calls.is_empty() && ended
    }

    /// That of steps in order.
    pub(crate) fn of(deltas: &[Delta]) -> Self {
        let mut meaning = Self::default();
        let mut arguments: Vec<String> = Vec::new();
        let mut ends = 0;
        for delta in deltas {
            match delta {
                Delta::Began { .. } => {}
                Delta::Text { text, .. } => meaning.text.push_str(text),
                Delta::Thought { text, .. } => meaning.thought.push_str(text),
                Delta::Refusal { text, .. } => meaning.refusal.push_str(text),
                Delta::Call { call, id, name, .. } => {
                    assert_eq!(*call as usize, arguments.len(), "calls are numbered from 0");
                    arguments.push(String::new());
                    meaning.calls.push((id.clone(), name.clone(), Value::Null));
                }
                Delta::Arguments { call, text, .. } => arguments[*call as usize].push_str(text),
                Delta::ThoughtSealed { seal, .. } | Delta::TextSealed { seal, .. } => {
                    meaning.seals.push(seal.token.to_string());
                }
                Delta::Other { .. } => {}
                Delta::Ended { finish, stop, .. } => {
                    (meaning.finish, meaning.stop) = (Some(*finish), stop.clone());
                    ends += 1;
                }
                Delta::Used(usage) => meaning.usage = Some(*usage),
            }
        }
        assert!(ends <= 1, "ends once");
        for ((.., known), told) in meaning.calls.iter_mut().zip(&arguments) {
            // No arguments are an empty object.
            let told = if told.is_empty() { "{}" } else { told };
            *known = serde_json::from_str(told).expect("JSON");
        }
        meaning
    }
}
