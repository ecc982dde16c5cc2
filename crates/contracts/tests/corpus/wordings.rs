//! Texts that are judged by their words: patterns, personal data, credentials, language, length, citations, loops.

use crate::case::Case;
use contracts::{Action, Check, Citations, Entity, Language, Pattern, Policy};
use serde_json::json;

fn with(check: Check) -> Policy {
    let mut policy = Policy::default();
    policy.require.insert(check);
    policy
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = patterns();
    cases.extend(detected());
    cases.extend(languages());
    cases.extend(cited());
    cases.extend(lengths());
    cases.extend(lanes());
    cases
}

/// The same things in refusal and reasoning, under both names that servers give the latter.
fn lanes() -> Vec<Case> {
    let (mail, token) = ("Ask ada@example.org.", ["ghp_", &"a1B2".repeat(9)].concat());
    let sorry = "I am sorry, I cannot do that. ".repeat(20);
    let deny = || Policy { deny: vec![Pattern { name: "p".into(), regex: "Ask".into() }], ..with(Check::Deny) };
    let most = || Policy { max_chars: Some(4), ..with(Check::MaxChars) };
    let mut cases = Vec::new();
    for (field, words, policy, codes) in [
        ("", mail, with(Check::Pii), &["personal_data"][..]),
        ("", &token, with(Check::Secrets), &["secret"]),
        ("", &token, with(Check::Pii), &[]),
        ("", &sorry, with(Check::Loop), &["repetition"]),
        ("refusal", mail, deny(), &["pattern_denied"]),
        ("reasoning", mail, deny(), &[]),
        ("reasoning_content", mail, deny(), &[]),
        ("", mail, most(), &[]),
    ] {
        let fields = ["refusal", "reasoning", "reasoning_content"].into_iter();
        for field in fields.filter(|other| field.is_empty() || *other == field) {
            let marks: &[&'static str] = if field == "refusal" { &["refused"] } else { &[] };
            cases.push(Case::text("Yes.").says(field, words).under(policy.clone()).violates(codes).marked(marks));
        }
    }
    let everywhere = Case::text(mail).says("refusal", mail).says("reasoning", mail).under(with(Check::Pii));
    cases.push(everywhere.violates(&["personal_data"; 3]).marked(&["refused"]));
    let thought = || Case::text("Yes.").says("reasoning", "Es ist der Tag, und die Nacht ist nicht mit dem Mond.");
    let english = Policy { languages: [Language::English].into(), ..with(Check::Language) };
    cases.push(thought().under(english));
    let must = Pattern { name: "p".into(), regex: "Tag".into() };
    let missing = Policy { must_match: vec![must], ..with(Check::Require) };
    cases.push(thought().under(missing).violates(&["pattern_missing"]));
    cases
}

fn patterns() -> Vec<Case> {
    let pattern = |regex: &str| Pattern { name: regex.into(), regex: regex.into() };
    let deny = |regex: &str| Policy { deny: vec![pattern(regex)], ..with(Check::Deny) };
    let must = |regex: &str| Policy { must_match: vec![pattern(regex)], ..with(Check::Require) };
    vec![
        Case::text("all is well").under(deny("(?i)secret")),
        Case::text("the SECRET is").under(deny("(?i)secret")).violates(&["pattern_denied"]),
        Case::text("secretary").under(deny(r"\bsecret\b")),
        Case::text("a secret").under(deny(r"\bsecret\b")).violates(&["pattern_denied"]),
        Case::text("é secret é").under(deny(r"\bsecret\b")).violates(&["pattern_denied"]),
        Case::text("begin").under(deny("^begin$")).violates(&["pattern_denied"]),
        Case::text("to begin").under(deny("^begin$")),
        Case::text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!").under(deny("(a+)+$")),
        Case::text("Answer: 42").under(must(r"Answer: \d+")),
        Case::text("It is 42").under(must(r"Answer: \d+")).violates(&["pattern_missing"]),
    ]
}

fn detected() -> Vec<Case> {
    let pii = |action| Policy { pii_action: action, ..with(Check::Pii) };
    let only = |entity| Policy { pii: [entity].into(), ..with(Check::Pii) };
    let token = ["ghp_", &"a1B2".repeat(9)].concat();
    let mail = format!(r#"{{"city":"{}"}}"#, "ada@example.org");
    vec![
        Case::text("Ask Ada.").under(pii(Action::Fail)),
        Case::text("Ask ada@example.org.").under(pii(Action::Fail)).violates(&["personal_data"]),
        Case::text("Ask ada@example.org.").under(pii(Action::Redact)).marked(&["redacted"]),
        Case::text("Ask ada@example.org or 4111 1111 1111 1111")
            .under(pii(Action::Fail))
            .violates(&["personal_data", "personal_data"]),
        Case::text("Ask ada@example.org.").under(only(Entity::CreditCard)),
        Case::text("Ask ada@example.org."),
        Case::text(&token).under(pii(Action::Fail)),
        Case::text(&token).under(with(Check::Secrets)).violates(&["secret"]),
        Case::text(format!("x{token}")).under(with(Check::Secrets)),
        Case::calls(&[("1", "weather", &mail)])
            .asked(crate::tools::declared())
            .under(pii(Action::Redact))
            .marked(&["redacted"]),
        Case::calls(&[("1", "weather", r#"{"city":"Oslo","ada@example.org":1}"#)])
            .asked(crate::tools::declared())
            .under(pii(Action::Redact))
            .violates(&["unexpected_field", "personal_data"]),
        Case::calls(&[("1", "now", r#"{"to":"ada\u0040example.org"}"#)])
            .asked(crate::tools::declared())
            .under(pii(Action::Fail))
            .violates(&["personal_data"]),
        Case::text(r#"{"to":"ada\u0040example.org"}"#).under(pii(Action::Redact)).marked(&["redacted"]),
    ]
}

fn languages() -> Vec<Case> {
    let only = |language| Policy { languages: [language].into(), ..with(Check::Language) };
    let english = "The answer is that it depends on the weather and on what you have with you.";
    let german = "Die Antwort ist, dass es von dem Wetter abhängt und nicht von der Uhrzeit.";
    vec![
        Case::text(english).under(only(Language::English)),
        Case::text(german).under(only(Language::German)),
        Case::text(german).under(only(Language::English)).violates(&["wrong_language"]),
        Case::text("Это простой вопрос, на который мы ответим.")
            .under(only(Language::English))
            .violates(&["wrong_language"]),
        Case::text("OK: 42").under(only(Language::German)),
    ]
}

fn cited() -> Vec<Case> {
    let request = || json!({ "documents": [{ "id": "doc-1" }, { "id": "doc-2" }] });
    let min = |min| Policy { citations: Citations { pattern: None, min }, ..with(Check::Citations) };
    let own = Citations { pattern: Some(r"\((\w+)\)".into()), min: 0 };
    [
        (Case::text("So it is [doc-1]."), min(1), &[][..]),
        (Case::text("So it is [doc-1][doc-2]."), min(2), &[]),
        (Case::text("So it is [doc-9]."), min(0), &["citation_unknown"]),
        (Case::text("So it is [doc:doc-1], [doc:other]."), min(0), &["citation_unknown"]),
        (Case::text("So it is."), min(1), &["citation_missing"]),
        (Case::text("So it is."), min(0), &[]),
        (Case::text("See [the manual](http://x/1) and [sic]."), min(0), &[]),
        (Case::text("So it is (nine)."), Policy { citations: own, ..with(Check::Citations) }, &["citation_unknown"]),
    ]
    .into_iter()
    .map(|(case, policy, codes)| case.asked(request()).under(policy).violates(codes))
    .collect()
}

fn lengths() -> Vec<Case> {
    let most = |most| Policy { max_chars: Some(most), ..with(Check::MaxChars) };
    let sorry = "I am sorry, I cannot do that. ";
    vec![
        Case::text("éééé").under(most(4)),
        Case::text("ééééé").under(most(4)).violates(&["too_long"]),
        Case::text(sorry.repeat(20)).under(with(Check::Loop)).violates(&["repetition"]),
        Case::text(sorry.repeat(10)).under(with(Check::Loop)),
        Case::text(sorry.repeat(20)),
    ]
}
