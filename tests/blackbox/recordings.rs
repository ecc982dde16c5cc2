//! Real answers of real providers, sent through the gateway: to a client of the same dialect as they are, to every other
//! with the same meaning.
//!
//! The recordings are no part of this repository: `BREAKWATER_RECORDINGS` names their folder, and without it the checks
//! say that they were skipped. Each file holds one answer or several: `*.chunks.txt` an event's data per line, `*.json` a
//! whole one. What is no answer of a model is replayed by `beside`.

mod beside;
mod clouds;
mod files;
mod source;

use crate::client::{Answer, End};
use crate::completions;
use crate::dialect::{Dialect, model_of};
use crate::gateway::Gateway;
use crate::heard::{Heard, adds_up, ends, heard};
use crate::provider::Raw;
use crate::turn;
use files::{DONE, File, Holds, Recording, files, say};
use serde_json::json;
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// The recorded answers of models, each with the name of its file; nothing where no folder of them is at hand.
fn recordings() -> Option<Vec<(String, Recording)>> {
    let answers = |File { name, holds }| match holds {
        Holds::Answers(answers) => answers.into_iter().map(|answer| (name.clone(), answer)).collect(),
        _ => Vec::new(),
    };
    Some(files()?.into_iter().flat_map(answers).collect())
}

/// One server for all of them: model `r7` answers with the seventh, streams in pieces of any size.
async fn replaying(recordings: Arc<Vec<(String, Recording)>>) -> Raw {
    Raw::replying(move |request| {
        let number: usize = model_of(request).strip_prefix('r').and_then(|n| n.parse().ok()).expect("a recording");
        let (_, Recording { source, stream, body, .. }) = &recordings[number];
        match stream {
            true => {
                let mut chance = fastrand::Rng::with_seed(number as u64);
                let sizes: Vec<usize> = (0..64).map(|_| 1 + chance.usize(..700)).collect();
                crate::provider::streamed_as(source.content_type(true), body, &sizes)
            }
            false => crate::provider::whole("200 OK", source.content_type(false), body),
        }
    })
    .await
}

/// A gateway over the providers of all recordings, each of its own kind, all at this address.
async fn gateway(recordings: &[(String, Recording)], url: &str) -> Gateway {
    let providers: BTreeSet<String> = recordings.iter().map(|(_, recording)| recording.configured(url)).collect();
    let providers = String::from_iter(providers);
    Gateway::start(&format!("providers:\n{providers}direct: true\n")).await
}

/// What is wrong with an answer to a client of `dialect`.
fn faults(recording: &Recording, dialect: Dialect, answer: &Answer) -> String {
    let mut faults = String::new();
    let Recording { source, stream, body, unsure, .. } = recording;
    if (answer.status, answer.end) != (200, End::Complete) {
        return format!("{} {:?} {}", answer.status, answer.end, answer.text());
    }
    if *source == Source::Shared(dialect) {
        // A terminator that is not there is supplied.
        let supplied = *stream && dialect == Dialect::Chat && !body.ends_with(DONE);
        let same = answer.body == [&body[..], if supplied { DONE } else { b"" }].concat();
        return if same { faults } else { format!("other bytes:\n{}", answer.text()) };
    }
    if *unsure {
        return faults;
    }
    let (mut wanted, found) = (recording.heard(), heard(dialect, *stream, &answer.body));
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

/// What is wrong with an answer to a client that wants a text completed: of all that is said it is told the words.
fn faults_of_completion(recording: &Recording, answer: &Answer) -> String {
    let Heard { text, finish, tokens, .. } = recording.heard();
    let wanted = (text, if finish == "tool_calls" { "stop".to_owned() } else { finish }, tokens);
    if wanted.0.is_empty() && wanted.1 == "stop" {
        let replaced = answer.status == 502;
        return if replaced { String::new() } else { format!("{}, where nothing is said", answer.status) };
    }
    if (answer.status, answer.end) != (200, End::Complete) {
        return format!("{} {:?} {}", answer.status, answer.end, answer.text());
    }
    let (heard, ends) = completions::heard(recording.stream, &answer.body);
    let found = (heard.text, heard.finish, heard.tokens);
    let same = recording.unsure || found == wanted;
    if same && ends { String::new() } else { format!("\n  wanted {wanted:?}\n  found {found:?}, ends {ends}") }
}

#[tokio::test]
async fn recorded_answers_reach_clients_of_every_dialect() {
    // A thousand calls: whoever measures time is not to run beside them.
    let _alone = turn::alone();
    let Some(recordings) = recordings().map(Arc::new) else { return };
    let provider = replaying(Arc::clone(&recordings)).await;
    let gateway = gateway(&recordings, &provider.url).await;
    let mut wrong = String::new();
    for (number, (name, recording)) in recordings.iter().enumerate() {
        for dialect in Dialect::ALL {
            let model = format!("{}/r{number}", recording.provider());
            let answer = gateway.ask(dialect.ask(&model, recording.stream)).await;
            // Nothing but tools of one dialect says nothing in others, which is no success.
            let hollow = recording.source != Source::Shared(dialect) && recording.heard().says_nothing();
            let faults = match (hollow, answer.status) {
                (true, 502) => String::new(),
                (true, status) => format!("{status}, where nothing is said"),
                (false, _) => faults(recording, dialect, &answer),
            };
            if !faults.is_empty() {
                let _ = writeln!(wrong, "{name} to {}: {faults}", dialect.label());
            }
        }
        let model = format!("{}/r{number}", recording.provider());
        let answer = gateway.ask(completions::ask(&model, recording.stream, json!({}))).await;
        let faults = faults_of_completion(recording, &answer);
        if !faults.is_empty() {
            let _ = writeln!(wrong, "{name} to completions: {faults}");
        }
    }
    let of = |stream| recordings.iter().filter(|(_, recording)| recording.stream == stream).count();
    say(&format!(
        "{} recorded streams and {} whole answers, each to {} dialects",
        of(true),
        of(false),
        Dialect::ALL.len() + 1
    ));
    assert!(wrong.is_empty(), "{wrong}");
    assert!(of(true) > 150 && of(false) > 110, "too few recordings");
}

#[test]
fn every_recorded_file_is_replayed() {
    let Some(files) = files() else { return };
    let mut counts = BTreeMap::<&str, usize>::new();
    for File { name, holds } in &files {
        let what = match holds {
            Holds::Answers(_) => "with answers of models",
            Holds::Beside(_) => "of other operations",
            Holds::Failure(_) => "of failures",
            Holds::Talk(_) => "of talks",
            Holds::Unknown => panic!("{name} is not replayed"),
        };
        *counts.entry(what).or_default() += 1;
    }
    for tabled in files::tabled() {
        assert!(files.iter().any(|file| file.name == tabled), "{tabled} is not there any more");
    }
    for begins in files::beginnings() {
        assert!(files.iter().any(|file| file.name.starts_with(begins)), "nothing begins with {begins} any more");
    }
    say(&format!("{} recorded files: {counts:?}", files.len()));
}
