//! Takes personal data and credentials out of texts.

use crate::contract::Contract;
use crate::detect;
use crate::policy::Action;
use llm::Answer;

/// The answer with everything taken out of its texts that the policy redacts; `None` where there is nothing.
pub(crate) fn redact(contract: &Contract, answer: &Answer) -> Option<Answer> {
    contract.detects()?;
    let mut redacted = answer.clone();
    let mut any = false;
    for choice in &mut redacted.choices {
        if let Some(text) = without(contract, &choice.text) {
            choice.text = text;
            any = true;
        }
    }
    any.then_some(redacted)
}

/// `text` with `<EMAIL_ADDRESS>` and the like, as Presidio writes it; `None` where there is nothing to take out.
fn without(contract: &Contract, text: &str) -> Option<String> {
    if text.len() > crate::watch::MAX_SEARCHED {
        return None;
    }
    let wanted = |entity| contract.wants(entity) && contract.action(entity) == Action::Redact;
    let found = detect::find(text, 0, &wanted);
    if found.is_empty() {
        return None;
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for hit in found {
        out.push_str(text.get(from..hit.range.start).unwrap_or_default());
        out.push('<');
        out.push_str(hit.entity.as_str());
        out.push('>');
        from = hit.range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Some(out)
}
