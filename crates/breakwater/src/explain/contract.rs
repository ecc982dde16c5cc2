//! A contract in words: what answers have to satisfy, what becomes of one that does not, what waits for that.
//!
//! Pure. Must never be here: asking, printing.

use config::AnswerPolicy;
use contracts::{Bound, Check, Hold, Step};
use llm::Terms;
use std::fmt::Write;

/// The contract of a call in words: of one whose request demands `terms`, or of any.
pub(super) fn describe(answers: &AnswerPolicy, terms: Option<&Terms>) -> String {
    let any = Terms::default();
    let bound = answers.contract.bind(terms.unwrap_or(&any), "");
    let mut text = String::from("  answers have to satisfy: ");
    text.push_str(&made(&bound));
    let idle: Vec<&str> = idle(&bound, answers).collect();
    if terms.is_none() && !idle.is_empty() {
        let _ = write!(text, "; {} where a request demands it", idle.join(", "));
    }
    if let Some(webhook) = answers.webhook.as_ref().filter(|_| bound.makes(Check::Webhook)) {
        // Its address may hold a secret.
        let host = webhook.url.host().unwrap_or_default();
        let _ = write!(text, " (asked at {host}, for at most {:?})", webhook.timeout);
    }
    let _ = writeln!(text, "\n  {}\n  {}", ladder(answers), streams(bound.hold(), answers));
    text
}

fn made(bound: &Bound<'_>) -> String {
    let made: Vec<&str> = Check::ALL.iter().filter(|check| bound.makes(**check)).map(|check| check.as_str()).collect();
    if made.is_empty() { "nothing".to_owned() } else { made.join(", ") }
}

/// Checks that are made only where a request gives them something to judge.
fn idle<'a>(bound: &'a Bound<'_>, answers: &'a AnswerPolicy) -> impl Iterator<Item = &'static str> + use<'a> {
    let required = answers.contract.policy().require.iter();
    required.filter(|check| !bound.makes(**check)).map(|check| check.as_str())
}

fn ladder(answers: &AnswerPolicy) -> String {
    let policy = answers.contract.policy();
    let step = |step: &Step| match step {
        Step::Reask if policy.max_repairs == 1 => "reask (once at most)".to_owned(),
        Step::Reask => format!("reask ({} times at most)", policy.max_repairs),
        other => other.as_str().to_owned(),
    };
    let mut steps: Vec<String> = policy.on_violation.iter().map(step).collect();
    if !policy.on_violation.iter().any(|step| matches!(step, Step::Flag | Step::Fail)) {
        steps.push(Step::Fail.as_str().to_owned());
    }
    format!("one that does not: {}", steps.join(", then "))
}

fn streams(hold: Hold, answers: &AnswerPolicy) -> String {
    let waits = match hold {
        Hold::Nothing => return "streams flow at once".to_owned(),
        Hold::Calls => "text flows at once; tool calls wait until they are judged",
        Hold::All => "everything waits until it is judged",
    };
    let config::Hold { bytes, time } = answers.hold;
    format!("streams: {waits}, at most {} KiB and for {time:?}", bytes >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Format;
    use dialects::openai_chat;

    const TOOLS: &str = r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}"#;
    const FORM: &str = r#"{"messages":[],"response_format":{"type":"json_object"}}"#;

    fn described(contract: &str, request: Option<&str>) -> Vec<String> {
        let yaml = format!(
            "providers: {{ p: {{ kind: simulator }} }}\nroutes: {{ r: {{ targets: [p/m], contract: {contract} }} }}"
        );
        let settings = config::parse(&yaml, Format::Yaml, &|_| None).expect("sound");
        let terms = request.map(|request| openai_chat::terms(request.as_bytes()));
        describe(&settings.contracts[0], terms.as_ref()).lines().map(|line| line.trim_start().to_owned()).collect()
    }

    #[test]
    fn what_is_made_what_follows_and_what_waits() {
        const LADDER: &str = "one that does not: repair, then reask (once at most), then failover, then fail";
        const AT_MOST: &str = "at most 4096 KiB and for 120s";
        for (contract, request, expected) in [
            (
                "{}",
                None,
                [
                    "answers have to satisfy: complete, non_empty, model; schema, tools where a request demands it",
                    LADDER,
                    "streams flow at once",
                ],
            ),
            (
                "{}",
                Some(TOOLS),
                [
                    "answers have to satisfy: complete, non_empty, tools, model",
                    LADDER,
                    &format!("streams: text flows at once; tool calls wait until they are judged, {AT_MOST}"),
                ],
            ),
            (
                "{ on_violation: [reask, flag], max_repairs: 2, stream_hold: { bytes: 8KiB, time: 2s } }",
                Some(FORM),
                [
                    "answers have to satisfy: complete, non_empty, schema, model",
                    "one that does not: reask (2 times at most), then flag",
                    "streams: everything waits until it is judged, at most 8 KiB and for 2s",
                ],
            ),
            (
                "{ require: [complete], webhook: { url: 'https://checks.example/judge?key=hidden' } }",
                None,
                [
                    "answers have to satisfy: complete, webhook (asked at checks.example, for at most 2s)",
                    LADDER,
                    &format!("streams: everything waits until it is judged, {AT_MOST}"),
                ],
            ),
        ] {
            assert_eq!(described(contract, request), expected, "{contract}");
        }
    }
}
