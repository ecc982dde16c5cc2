//! Somebody outside is asked whether an answer may pass: the question, the reply, and what it comes to.
//!
//! Receives an answer and what call it belongs to; hands on the bytes of a question. Receives those of a reply; hands on
//! an [`Opinion`], and with a policy what was [`Advised`].
//! Must never be here: who is asked, where, and for how long.

use crate::finding::{Check, Code, Finding, MESSAGE, Place, shortened};
use crate::policy::Webhook;
use llm::{Answer, Choice, FinishReason, TargetId, ToolCall};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// What is asked. Others may follow.
const EVENT: &str = "answer";
/// What the model is told where nobody says why.
const NO_REASON: &str = "The answer was not accepted.";

/// The call that an answer belongs to.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its id, as clients and logs know it.
    pub request_id: &'a str,
    /// The route that it went by.
    pub route: &'a str,
    /// Who answered.
    pub target: &'a TargetId,
    /// The client's own request, as it came.
    pub request: &'a [u8],
}

/// The question whether `answer` may pass, as JSON:
///
/// ```json
/// {
///   "event": "answer",
///   "request_id": "...", "route": "...", "target": "provider/model",
///   "request": {"model": "...", "messages": [...]},
///   "answer": {"model": "...", "choices": [{
///     "index": 0, "content": "...", "refusal": "", "finish_reason": "stop",
///     "tool_calls": [{"id": "...", "name": "...", "arguments": "{...}"}]
///   }]}
/// }
/// ```
///
/// `request` is the client's, byte for byte, and `null` where that is no JSON. Texts that are not there are empty, lists
/// too; `finish_reason` alone may be `null`. `arguments` is text, as the model wrote it. Fields may be added.
///
/// At most as long as the request and six times the texts of the answer: a control character takes six bytes.
#[must_use]
pub fn question(about: &About<'_>, answer: &Answer) -> Vec<u8> {
    let question = Question {
        event: EVENT,
        request_id: about.request_id,
        route: about.route,
        target: about.target,
        request: serde_json::from_slice(about.request).ok(),
        answer: Told { model: &answer.model, choices: answer.choices.iter().map(ToldChoice::from).collect() },
    };
    // Nothing in it can fail to be written.
    serde_json::to_vec(&question).unwrap_or_default()
}

#[derive(Serialize)]
struct Question<'a> {
    event: &'static str,
    request_id: &'a str,
    route: &'a str,
    #[serde(serialize_with = "in_words")]
    target: &'a TargetId,
    request: Option<&'a RawValue>,
    answer: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    model: &'a str,
    choices: Vec<ToldChoice<'a>>,
}

#[derive(Serialize)]
struct ToldChoice<'a> {
    index: u32,
    content: &'a str,
    refusal: &'a str,
    finish_reason: Option<&'static str>,
    tool_calls: Vec<ToldCall<'a>>,
}

#[derive(Serialize)]
struct ToldCall<'a> {
    id: &'a str,
    name: &'a str,
    arguments: &'a str,
}

impl<'a> From<&'a Choice> for ToldChoice<'a> {
    fn from(choice: &'a Choice) -> Self {
        Self {
            index: choice.index,
            content: &choice.text,
            refusal: &choice.refusal,
            finish_reason: choice.finish.map(FinishReason::as_str),
            tool_calls: choice.calls.iter().map(ToldCall::from).collect(),
        }
    }
}

impl<'a> From<&'a ToolCall> for ToldCall<'a> {
    fn from(call: &'a ToolCall) -> Self {
        Self { id: &call.id, name: &call.name, arguments: &call.arguments }
    }
}

fn in_words<S: Serializer>(target: &TargetId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

/// What somebody outside says of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Whether it may pass.
    pub approves: bool,
    /// Why, fit to be sent back to the model: one line of at most [`MESSAGE`] bytes. May be empty.
    pub reason: String,
}

/// A reply that says nothing of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOpinion;

impl fmt::Display for NoOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reply is no JSON object with a `verdict` of true or false")
    }
}

impl std::error::Error for NoOpinion {}

/// Reads a reply: `{"verdict": true}`, or `{"verdict": false, "reason": "..."}`. Other fields are not looked at.
///
/// # Errors
/// Any other reply, one with two verdicts included: whoever did not clearly say `true` has not approved.
pub fn opinion(body: &[u8]) -> Result<Opinion, NoOpinion> {
    // A derived struct would take a list for its fields in order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(NoOpinion);
    }
    let reply: Reply = serde_json::from_slice(body).map_err(|_| NoOpinion)?;
    Ok(Opinion { approves: reply.verdict, reason: one_line(&reply.reason.unwrap_or_default()) })
}

#[derive(Deserialize)]
struct Reply {
    verdict: bool,
    reason: Option<String>,
}

/// `text` on one line, without control characters, bounded.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    shortened(words.join(" "), MESSAGE)
}

/// What asking came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Advised {
    /// The answer may pass.
    Approved,
    /// It may not: a violation.
    Refused(Finding),
    /// Nobody said, and the policy lets it pass: a mark.
    Excused(Finding),
    /// Nobody said, and the policy lets nothing pass unsaid: a violation, but neither the answer nor who gave it is to
    /// blame, and no other answer would fare better.
    Withheld(Finding),
}

impl Webhook {
    /// What a reply comes to, or why there is none.
    #[must_use]
    pub fn advised(self, reply: Result<&[u8], impl fmt::Display>) -> Advised {
        let said = reply.map_err(|silence| silence.to_string());
        match said.and_then(|body| opinion(body).map_err(|none| none.to_string())) {
            Ok(Opinion { approves: true, .. }) => Advised::Approved,
            Ok(Opinion { reason, .. }) => Advised::Refused(refused(reason)),
            Err(why) if self.fail_open => Advised::Excused(unavailable(&why)),
            Err(why) => Advised::Withheld(unavailable(&why)),
        }
    }
}

fn refused(reason: String) -> Finding {
    let message = if reason.is_empty() { NO_REASON.to_owned() } else { reason };
    Finding::new(Check::Webhook, Code::WebhookRefused, Place::Answer, message)
}

fn unavailable(why: &str) -> Finding {
    let message = format!("Nobody said whether the answer may pass: {why}.");
    Finding::new(Check::Webhook, Code::WebhookUnavailable, Place::Answer, message)
}

#[cfg(test)]
mod tests;
