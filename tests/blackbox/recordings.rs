//! Real answers of real providers, sent through the gateway: to a client of the same dialect as they are, to every other
//! with the same meaning.
//!
//! The recordings are no part of this repository: `BREAKWATER_RECORDINGS` names their folder, and without it the check
//! says that it was skipped. Each file holds one answer or several: `*.chunks.txt` an event's data per line, `*.json` a
//! whole one.

use crate::client::{Answer, End};
use crate::dialect::{Dialect, model_of};
use crate::gateway::Gateway;
use crate::heard::{Heard, adds_up, ends, heard};
use crate::provider::Raw;
use crate::turn;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A recorded answer.
struct Recording {
    name: String,
    dialect: Dialect,
    stream: bool,
    body: Vec<u8>,
}

/// Says a line where it is seen: the test harness swallows what the print macros of a passing test say.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Files of `folder` and its folders, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Files whose pieces are others than their end says, so that nobody knows what the answer is.
const UNSURE: [&str; 1] = ["openai-shell-container.1.chunks.txt"];

/// Files that hold no answer: one begins another in the middle of the first, one says an error.
const BROKEN: [&str; 2] = ["spliced-message-start.chunks.txt", "openai-error.1.chunks.txt"];

/// Whose words these are, and where one answer ends and the next begins.
fn dialect_of(first: &Value, stream: bool) -> Option<Dialect> {
    let kind = first["type"].as_str().unwrap_or_default();
    match stream {
        _ if first["object"] == "text_completion" => None,
        true if kind == "message_start" => Some(Dialect::Messages),
        true if kind == "response.created" => Some(Dialect::Responses),
        false if kind == "message" => Some(Dialect::Messages),
        false if first["object"] == "response" => Some(Dialect::Responses),
        _ if first["candidates"].is_array() => Some(Dialect::Generate),
        _ if first["choices"].is_array() => Some(Dialect::Chat),
        _ => None,
    }
}

/// An event as its provider writes it.
fn event(dialect: Dialect, data: &str) -> String {
    let named =
        || serde_json::from_str::<Value>(data).unwrap_or_default()["type"].as_str().unwrap_or_default().to_owned();
    match dialect {
        Dialect::Chat => format!("data: {data}\n\n"),
        Dialect::Generate => format!("data: {data}\r\n\r\n"),
        Dialect::Messages | Dialect::Responses => format!("event: {}\ndata: {data}\n\n", named()),
    }
}

/// The answers in a file.
fn recorded(path: &Path) -> Vec<Recording> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if BROKEN.iter().any(|broken| name.ends_with(broken)) {
        return Vec::new();
    }
    if name.ends_with(".json") {
        let whole = serde_json::from_str(&text).unwrap_or_default();
        let dialect = dialect_of(&whole, false).into_iter();
        return dialect
            .map(|dialect| Recording { name: name.clone(), dialect, stream: false, body: text.clone().into() })
            .collect();
    }
    // Two lines of one recording lack their last brace.
    let whole = |line: &str| {
        let lines = [line.to_owned(), format!("{line}}}")];
        lines.into_iter().find(|line| serde_json::from_str::<Value>(line).is_ok())
    };
    let events: Vec<String> = text.lines().filter(|line| line.starts_with('{')).filter_map(whole).collect();
    let parsed = |line: &String| serde_json::from_str::<Value>(line).unwrap_or_default();
    let Some(dialect) = events.first().and_then(|first| dialect_of(&parsed(first), true)) else { return Vec::new() };
    let mut bodies: Vec<String> = Vec::new();
    for data in &events {
        let begins = parsed(data)["type"] == "response.created";
        let ended = bodies.last().is_none_or(|body| body.contains("event: message_stop\n"));
        if begins || ended {
            bodies.push(String::new());
        }
        if let Some(body) = bodies.last_mut() {
            body.push_str(&event(dialect, data));
        }
    }
    if dialect == Dialect::Chat {
        bodies.iter_mut().for_each(|body| body.push_str("data: [DONE]\n\n"));
    }
    let recording = |body: String| Recording { name: name.clone(), dialect, stream: true, body: body.into() };
    bodies.into_iter().map(recording).collect()
}

/// All of them, or nothing, saying so.
fn recordings() -> Vec<Recording> {
    match std::env::var_os("BREAKWATER_RECORDINGS") {
        Some(folder) => files(Path::new(&folder)).iter().flat_map(|path| recorded(path)).collect(),
        None => {
            say("skipped: BREAKWATER_RECORDINGS names no folder of recordings");
            Vec::new()
        }
    }
}

/// One server for all of them: model `r7` answers with the seventh, streams in pieces of any size.
async fn replaying(recordings: Arc<Vec<Recording>>) -> Raw {
    Raw::replying(move |request| {
        let number: usize = model_of(request).strip_prefix('r').and_then(|n| n.parse().ok()).expect("a recording");
        let Recording { stream, body, .. } = &recordings[number];
        match stream {
            true => {
                let mut chance = fastrand::Rng::with_seed(number as u64);
                let sizes: Vec<usize> = (0..64).map(|_| 1 + chance.usize(..700)).collect();
                crate::provider::streamed(body, &sizes)
            }
            false => crate::provider::whole("200 OK", "application/json", body),
        }
    })
    .await
}

/// A gateway over a provider of each dialect, all at this address.
async fn gateway(url: &str) -> Gateway {
    let providers: String = Dialect::ALL.iter().map(|dialect| dialect.provider(dialect.label(), url, "")).collect();
    Gateway::start(&format!("providers:\n{providers}direct: true\n")).await
}

/// What is wrong with an answer to a client of `dialect`.
fn faults(recording: &Recording, dialect: Dialect, answer: &Answer) -> String {
    let mut faults = String::new();
    let Recording { stream, body, .. } = recording;
    if (answer.status, answer.end) != (200, End::Complete) {
        return format!("{} {:?} {}", answer.status, answer.end, answer.text());
    }
    if dialect == recording.dialect {
        let same = answer.body == *body;
        return if same { faults } else { format!("other bytes:\n{}", answer.text()) };
    }
    if UNSURE.iter().any(|unsure| recording.name.ends_with(unsure)) {
        return faults;
    }
    let (mut wanted, found) = (heard(recording.dialect, *stream, body), heard(dialect, *stream, &answer.body));
    if matches!(dialect, Dialect::Messages | Dialect::Generate) {
        // These have no tools that take text.
        wanted
            .calls
            .iter_mut()
            .filter(|(_, taken)| taken.is_string())
            .for_each(|(_, taken)| *taken = json!({"input": taken}));
    }
    let Heard { text, thoughts, calls, finish, tokens } = &wanted;
    let mut differ = |what: &str, same: bool, wanted: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
        if !same {
            let _ = write!(faults, "\n  {what}: wanted {wanted:?}\n  {what}: found  {found:?}");
        }
    };
    differ("text", *text == found.text, text, &found.text);
    differ("thoughts", *thoughts == found.thoughts, thoughts, &found.thoughts);
    differ("calls", *calls == found.calls, calls, &found.calls);
    differ("finish", *finish == found.finish, finish, &found.finish);
    differ("tokens", *tokens == found.tokens, tokens, &found.tokens);
    if *stream {
        let ends = ends(dialect, &answer.body);
        differ("ends", ends == (1, true), &(1, true), &ends);
        let adds_up = dialect != Dialect::Responses || adds_up(&answer.body);
        differ("the same in pieces", adds_up, &true, &adds_up);
    }
    faults
}

#[tokio::test]
async fn recorded_answers_reach_clients_of_every_dialect() {
    // A thousand calls: whoever measures time is not to run beside them.
    let _alone = turn::alone();
    let recordings = Arc::new(recordings());
    let provider = replaying(Arc::clone(&recordings)).await;
    let gateway = gateway(&provider.url).await;
    let mut wrong = String::new();
    for (number, recording) in recordings.iter().enumerate() {
        for dialect in Dialect::ALL {
            let model = format!("{}/r{number}", recording.dialect.label());
            let answer = gateway.ask(dialect.ask(&model, recording.stream)).await;
            let faults = faults(recording, dialect, &answer);
            if !faults.is_empty() {
                let _ = writeln!(wrong, "{} to {}: {faults}", recording.name, dialect.label());
            }
        }
    }
    let of = |stream| recordings.iter().filter(|recording| recording.stream == stream).count();
    say(&format!(
        "{} recorded streams and {} whole answers, each to {} dialects",
        of(true),
        of(false),
        Dialect::ALL.len()
    ));
    assert!(wrong.is_empty(), "{wrong}");
    let enough = of(true) > 100 && of(false) > 90;
    assert!(enough || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "too few recordings");
}
