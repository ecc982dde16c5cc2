//! `breakwater verify`: an answer judged by a contract, offline, by the code that judges live ones.
//!
//! Must never be here: a check of its own.

use crate::BAD_CONFIG;
use crate::cli::{ReportFormat, Verify};
use anyhow::{Context, Result, anyhow};
use config::Format;
use contracts::{Bound, Check, Contract, Finding, Judgement, Repaired, Schemas};
use dialects::openai_chat::{self, Assembler};
use llm::{Answer, Terms};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The largest file that is read, in bytes: a whole answer, and what surrounds it.
const FILE_BYTES: u64 = 64 << 20;
/// The answer breaks its contract.
const VIOLATED: u8 = 1;

/// Judges an answer. Exit code 0 where the contract holds, 1 where it does not, 2 where it cannot be told.
pub(crate) fn run(options: &Verify) -> ExitCode {
    match verify(options) {
        Ok((report, holds)) => {
            anstream::print!("{report}");
            if holds { ExitCode::SUCCESS } else { ExitCode::from(VIOLATED) }
        }
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(BAD_CONFIG)
        }
    }
}

fn verify(options: &Verify) -> Result<(String, bool)> {
    let contract = contract(&options.contract)?;
    let (terms, model) = options.request.as_deref().map(request).transpose()?.unwrap_or_default();
    let answer = answer(&options.answer)?;
    let bound = contract.bind(&terms, options.model.as_deref().unwrap_or(&model));
    let judgement = bound.check(&answer);
    let repaired = if options.repair { bound.repair(&answer) } else { None };
    let report = match options.format {
        ReportFormat::Text => text(&bound, &judgement, options.repair, repaired.as_ref(), &contract),
        ReportFormat::Json => format!("{:#}\n", as_json(&judgement, repaired.as_ref())),
    };
    Ok((report, judgement.holds()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(anyhow!("{shown} is larger than {} MiB", FILE_BYTES >> 20));
    }
    Ok(bytes)
}

fn contract(path: &Path) -> Result<Contract> {
    let shown = path.display();
    let text = String::from_utf8(read(path)?).map_err(|_| anyhow!("{shown} is not written in UTF-8"))?;
    let policy = config::contract(&text, Format::of(path), &|name| std::env::var(name).ok());
    let policy =
        policy.map_err(|faults| anyhow!("{shown} is no contract\n{}", config::render(&faults, &[]).trim_end()))?;
    Contract::new(policy, Arc::new(Schemas::default())).map_err(|invalid| {
        let lines: Vec<String> = invalid.iter().map(ToString::to_string).collect();
        anyhow!("{shown} is no contract\n{}", lines.join("\n"))
    })
}

/// What a request demands, and the model it asks for.
fn request(path: &Path) -> Result<(Terms, String)> {
    let bytes = read(path)?;
    let terms = openai_chat::terms(&bytes);
    let request = openai_chat::decode(bytes.into()).map_err(|error| match error {
        llm::CallError::InvalidRequest { message, .. } => anyhow!("{}: {message}", path.display()),
        other => anyhow!("{}: {other:?}", path.display()),
    })?;
    Ok((terms, request.model))
}

/// A whole answer, or a recorded stream: `data:` lines.
fn answer(path: &Path) -> Result<Answer> {
    let bytes = read(path)?;
    let shown = || path.display().to_string();
    if bytes.trim_ascii_start().starts_with(b"{") {
        return openai_chat::read_answer(&bytes).with_context(shown);
    }
    let (mut assembler, mut events) = (Assembler::default(), 0);
    for data in bytes.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:")) {
        assembler.push(data.trim_ascii()).with_context(shown)?;
        events += 1;
    }
    if events == 0 {
        return Err(anyhow!("{} is neither a whole answer nor a stream of events", shown()));
    }
    Ok(assembler.finish())
}

fn text(
    bound: &Bound<'_>,
    judgement: &Judgement,
    asked: bool,
    repaired: Option<&Repaired>,
    contract: &Contract,
) -> String {
    let mut out = String::new();
    for finding in &judgement.violations {
        let _ = writeln!(out, "violation: {finding}");
    }
    for finding in &judgement.marks {
        let _ = writeln!(out, "mark: {finding}");
    }
    if contract.policy().webhook.is_some() {
        let _ = writeln!(out, "note: {} is not asked offline", Check::Webhook);
    }
    match repaired {
        Some(repaired) => describe(&mut out, repaired),
        None if asked && !judgement.holds() => out.push_str("repair: nothing that is certain and loses nothing\n"),
        None => {}
    }
    let (count, made) = (judgement.violations.len(), made(bound, judgement));
    let _ = match count {
        0 => writeln!(out, "the contract holds ({made})"),
        1 => writeln!(out, "1 violation ({made})"),
        _ => writeln!(out, "{count} violations ({made})"),
    };
    out
}

fn made(bound: &Bound<'_>, judgement: &Judgement) -> String {
    let names: Vec<&str> =
        judgement.made.iter().filter(|check| bound.makes(**check)).map(|check| check.as_str()).collect();
    format!("checked: {}", names.join(", "))
}

fn describe(out: &mut String, repaired: &Repaired) {
    for (place, mend) in &repaired.mends {
        let _ = writeln!(out, "repair: {mend} at {place}");
    }
    for choice in &repaired.answer.choices {
        let calls = choice.calls.iter().map(|call| &call.arguments);
        for text in std::iter::once(&choice.text).chain(calls).filter(|text| !text.is_empty()) {
            let _ = writeln!(out, "{text}");
        }
    }
}

fn as_json(judgement: &Judgement, repaired: Option<&Repaired>) -> Value {
    let finding = |found: &Finding| {
        json!({
            "check": found.check.as_str(),
            "code": found.code.as_str(),
            "place": found.place.to_string(),
            "pointer": found.pointer,
            "message": found.message,
        })
    };
    let list = |found: &[Finding]| found.iter().map(finding).collect::<Vec<_>>();
    let choice = |choice: &llm::Choice| {
        let calls: Vec<&str> = choice.calls.iter().map(|call| call.arguments.as_str()).collect();
        json!({ "index": choice.index, "content": choice.text, "arguments": calls })
    };
    let repair = repaired.map(|repaired| {
        let mends: Vec<Value> = repaired
            .mends
            .iter()
            .map(|(place, mend)| json!({ "place": place.to_string(), "mend": mend.as_str() }))
            .collect();
        json!({ "mends": mends, "choices": repaired.answer.choices.iter().map(choice).collect::<Vec<_>>() })
    });
    json!({
        "holds": judgement.holds(),
        "checked": judgement.made.iter().map(|check| check.as_str()).collect::<Vec<_>>(),
        "violations": list(&judgement.violations),
        "marks": list(&judgement.marks),
        "repair": repair,
    })
}
