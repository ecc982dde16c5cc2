//! `model`: the model that says it served is one that was meant.
//!
//! Providers answer under other names than they are asked for: `gpt-4o` as `gpt-4o-2024-08-06`, `llama3` as
//! `llama3:latest`, `models/gemini-2.5-flash` as `gemini-2.5-flash`. These are tolerated unless a policy says
//! otherwise; another size, family or generation is not.

use crate::contract::Bound;
use crate::finding::{Check, Code, Finding, Judgement, Place};
use llm::Answer;

pub(super) fn check(bound: &Bound<'_>, answer: &Answer, judgement: &mut Judgement) {
    match stranger(bound, &answer.model) {
        Some(finding) if bound.contract.policy.models.is_empty() => judgement.mark(finding),
        Some(finding) => judgement.violation(finding),
        None => {}
    }
}

/// What is wrong with an answer of the model `served`. A violation only where the policy lists models: names alone are
/// no proof. A deployment may be called anything, and an alias may be answered by what it stands for.
pub(crate) fn stranger(bound: &Bound<'_>, served: &str) -> Option<Finding> {
    let policy = &bound.contract.policy;
    // Who names no model, or where none is known to have been asked for, claims nothing.
    if served.is_empty() || bound.model.is_empty() {
        return None;
    }
    let allowed = same(bound.model, served, policy.dated_models)
        || policy.models.iter().any(|pattern| glob(pattern.as_bytes(), served.as_bytes()));
    let message = || format!("Another model served than `{}`.", bound.model);
    (!allowed).then(|| Finding::new(Check::Model, Code::WrongModel, Place::Answer, message()))
}

/// Whether `served` is a name of the model `asked`.
fn same(asked: &str, served: &str, dated: bool) -> bool {
    if asked.eq_ignore_ascii_case(served) {
        return true;
    }
    if !dated {
        return false;
    }
    let (asked, served) = (bare(asked), bare(served));
    let base = asked.strip_suffix("-latest").unwrap_or(&asked);
    // Asked for a snapshot, a provider must not serve another one, nor whichever is current.
    served == asked || served.strip_prefix(base).is_some_and(is_snapshot)
}

/// Without the provider before the last slash, and the tag behind a colon.
fn bare(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split([':', '@']).next().unwrap_or(name).to_ascii_lowercase()
}

/// Whether what follows a name dates it: `-2024-08-06`, `-20240806`, `-0613`, `-preview-05-20`, `-latest`.
fn is_snapshot(suffix: &str) -> bool {
    if suffix == "-latest" || suffix.is_empty() {
        return true;
    }
    let Some(parts) = suffix.strip_prefix('-') else { return false };
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let dates =
        parts.split('-').all(|part| numeric(part) && part.len() > 1 || matches!(part, "preview" | "exp" | "beta"));
    let digits = suffix.bytes().filter(u8::is_ascii_digit).count();
    dates && matches!(digits, 4 | 6 | 8)
}

/// Whether `text` is what `pattern` says, in which `*` stands for any run of bytes. Linear: the last star gives way.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if text.get(t).is_some_and(|other| other.eq_ignore_ascii_case(byte)) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_the_same_model() {
        for (asked, served, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-2024-08-06", true),
            ("gpt-4", "gpt-4-0613", true),
            ("gpt-4", "gpt-4-1106-preview", true),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", true),
            ("mistral-small-latest", "mistral-small-2506", true),
            ("gemini-2.5-flash", "gemini-2.5-flash-preview-05-20", true),
            ("models/gemini-2.5-flash", "gemini-2.5-flash", true),
            ("meta/llama-3", "llama-3", true),
            ("llama3", "llama3:latest", true),
            ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o", "gpt-4o-mini-2024-07-18", false),
            ("gpt-4", "gpt-4o", false),
            ("gpt-4", "gpt-4-32k", false),
            ("gpt-4", "gpt-3.5-turbo", false),
            ("llama-3", "llama-3-70", false),
            ("claude-3", "claude-3-5", false),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13", false),
            ("gpt-4o-2024-08-06", "gpt-4o", false),
        ] {
            assert_eq!(same(asked, served, true), expected, "{asked} / {served}");
        }
        assert!(!same("gpt-4o", "gpt-4o-2024-08-06", false) && same("gpt-4o", "gpt-4o", false));
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("gpt-*", "gpt-4o", true),
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b", "aXXbY", false),
            ("gpt-4", "gpt-4o", false),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} / {text}");
        }
        let hostile = "a".repeat(100_000) + "b";
        assert!(!glob("*a".repeat(50).as_bytes(), hostile.as_bytes()));
    }
}
