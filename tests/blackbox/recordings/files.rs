//! The recorded files: what each of them holds, and so how it is replayed.
//!
//! Must never be here: gateways, and what becomes of a recording.

use super::clouds;
use super::source::Source;
use crate::dialect::Dialect;
use crate::heard::Heard;
use crate::provider;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What ends a stream of OpenAI's chat dialect.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// A recorded file.
pub(super) struct File {
    /// Its folder and its name.
    pub(super) name: String,
    pub(super) holds: Holds,
}

/// What a file holds.
pub(super) enum Holds {
    /// Answers of a model, for clients of every dialect: one, or several in a row.
    Answers(Vec<Recording>),
    /// What came of something that is asked beside answers, or is handed through unread.
    Beside(Beside),
    /// A request turned down, or an answer that breaks off.
    Failure(Failure),
    /// What a provider says in real time, a message a line.
    Talk(Vec<String>),
    /// Nobody knows.
    Unknown,
}

/// A recorded answer.
pub(super) struct Recording {
    pub(super) source: Source,
    /// The `kind` of the provider that said it.
    pub(super) kind: &'static str,
    pub(super) stream: bool,
    pub(super) body: Vec<u8>,
    /// The answer, or its events.
    pub(super) objects: Vec<Value>,
    /// Its pieces are not what its end says, so that nobody knows what it is.
    pub(super) unsure: bool,
}

impl Recording {
    /// The name of its provider: one for each kind and dialect.
    pub(super) fn provider(&self) -> String {
        format!("{}-{}", self.kind, self.source.label())
    }

    /// Its provider at this address, as the configuration has it.
    pub(super) fn configured(&self, url: &str) -> String {
        let rest = match (self.kind, self.source) {
            (_, Source::Shared(Dialect::Responses)) => ", apis: [responses]",
            // Who speaks both, or completes texts as well, is asked in the client's words where it can be.
            (_, Source::Shared(Dialect::Chat)) => ", apis: [chat_completions]",
            _ => "",
        };
        provider::configured(&self.provider(), self.kind, url, rest)
    }

    /// What it says.
    pub(super) fn heard(&self) -> Heard {
        match self.source {
            Source::Shared(dialect) => crate::heard::heard(dialect, self.stream, &self.body),
            Source::Bedrock => clouds::bedrock(&self.objects),
            Source::Cohere => clouds::cohere(&self.objects),
        }
    }
}

/// An answer that is replayed byte for byte.
pub(super) struct Beside {
    /// The `kind` of its provider.
    pub(super) kind: &'static str,
    /// Where a client asks it; below `/passthrough` of that provider where it begins so.
    pub(super) path: &'static str,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// What a provider says that fails.
pub(super) struct Failure {
    pub(super) source: Dialect,
    /// The status of the provider's response.
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// What becomes of it.
    pub(super) told: Told,
}

/// What a client is told of a failure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// The provider's own words: what is wrong with the request. The same bytes in the same dialect.
    Why,
    /// That nobody answers, by this status and with this `retry-after`.
    Lost(u16, &'static str),
    /// An answer that breaks off where another one begins.
    BrokenOff,
}

/// Files of what is asked beside answers or handed through: the kind of provider, where a client asks, and the status.
const BESIDE: [(&str, &str, &str, u16); 32] = [
    ("amazon-bedrock/amazon-bedrock-reranking.1.json", "bedrock", "/passthrough/rerank", 200),
    ("anthropic/anthropic-skill-create.json", "anthropic", "/passthrough/skills", 200),
    ("anthropic/anthropic-skill-version-create.json", "anthropic", "/passthrough/skills/s/versions", 200),
    ("cohere/cohere-embedding.json", "cohere", "/passthrough/embed", 200),
    ("cohere/cohere-reranking.1.json", "cohere", "/v2/rerank", 200),
    ("google/basic.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/basic.json", "gemini", "/passthrough/interactions", 200),
    ("google/google-search.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/google-search.json", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateful-turn1.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateful-turn1.json", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateful-turn2.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateful-turn2.json", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateless-turn1.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateless-turn1.json", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateless-turn2.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/multi-turn-stateless-turn2.json", "gemini", "/passthrough/interactions", 200),
    ("google/structured-output.json", "gemini", "/passthrough/interactions", 200),
    ("google/tool-call-step1.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/tool-call-step1.json", "gemini", "/passthrough/interactions", 200),
    ("google/tool-call-step2.chunks.txt", "gemini", "/passthrough/interactions", 200),
    ("google/tool-call-step2.json", "gemini", "/passthrough/interactions", 200),
    ("groq/groq-transcription-text.json", "groq", "/v1/audio/transcriptions", 200),
    ("mistral/mistral-transcription.json", "mistral", "/v1/audio/transcriptions", 200),
    ("openai/gpt-image-response-format-error.json", "openai", "/v1/images/generations", 400),
    ("openai/openai-completion-text.chunks.txt", "openai", "/v1/completions", 200),
    ("openai/openai-completion-text.json", "openai", "/v1/completions", 200),
    ("openai/openai-embedding.json", "openai", "/v1/embeddings", 200),
    ("openai/openai-image-edit.json", "openai", "/v1/images/edits", 200),
    ("openai/openai-image.json", "openai", "/v1/images/generations", 200),
    ("openai/openai-skill-create.json", "openai", "/passthrough/skills", 200),
    ("openai/openai-transcription.json", "openai", "/v1/audio/transcriptions", 200),
];

/// Files of failures: in whose dialect, by which status they came, and what a client is told.
const FAILURES: [(&str, Dialect, u16, Told); 6] = [
    ("anthropic/spliced-message-start.chunks.txt", Dialect::Messages, 200, Told::BrokenOff),
    ("google/google-429-retry-info.json", Dialect::Generate, 429, Told::Lost(503, "35")),
    ("openai/openai-error.1.chunks.txt", Dialect::Responses, 200, Told::Lost(503, "900")),
    ("openai/openai-error.1.json", Dialect::Chat, 429, Told::Lost(503, "900")),
    ("openai/reasoning-model-legacy-parameter-error.json", Dialect::Chat, 400, Told::Why),
    ("openai/reasoning-model-temperature-error.json", Dialect::Chat, 400, Told::Why),
];

/// Files of talks in real time.
const TALKS: [&str; 2] =
    ["google/google-live-speech-translation.chunks.txt", "openai/openai-realtime-speech-translation.chunks.txt"];

/// Whose files these are, by what their names begin with: the `kind` of a provider whose answers differ from those of its
/// dialect, or might. All others are said to be of the plainest kind of their dialect.
const KINDS: [(&str, &str); 9] = [
    ("azure/", "azure_openai"),
    ("deepseek/", "deepseek"),
    ("google/google-vertex-", "vertex"),
    ("groq/", "groq"),
    ("mistral/", "mistral"),
    ("open-responses/lmstudio-", "lm_studio"),
    ("openai-compatible/xai-", "xai"),
    ("perplexity/", "perplexity"),
    ("xai/", "xai"),
];

/// Files whose pieces are others than their end says.
const UNSURE: [&str; 1] = ["openai/openai-shell-container.1.chunks.txt"];

/// All names in the tables: a file that is not there any more is not to stay in them.
pub(super) fn tabled() -> impl Iterator<Item = &'static str> {
    let beside = BESIDE.iter().map(|(name, ..)| *name);
    let failures = FAILURES.iter().map(|(name, ..)| *name);
    beside.chain(failures).chain(TALKS).chain(UNSURE)
}

/// What the names of some files begin with.
pub(super) fn beginnings() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(begins, _)| *begins)
}

/// Says a line where it is seen: the test harness swallows what the print macros of a passing test say.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// All files of the folder that `BREAKWATER_RECORDINGS` names; nothing where it names none, saying so.
pub(super) fn files() -> Option<Vec<File>> {
    let Some(folder) = std::env::var_os("BREAKWATER_RECORDINGS") else {
        say("skipped: BREAKWATER_RECORDINGS names no folder of recordings");
        return None;
    };
    let folder = Path::new(&folder);
    let of_one = |path: PathBuf| {
        let name = path.strip_prefix(folder).expect("a file of the folder").display().to_string();
        // The licence and what explains the rest stand beside the folders.
        name.contains('/').then(|| File { holds: holds(&name, &path), name })
    };
    Some(within(folder).into_iter().filter_map(of_one).collect())
}

/// Files of `folder` and its folders, in order.
fn within(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { within(&path) } else { vec![path] }).collect()
}

fn holds(name: &str, path: &Path) -> Holds {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let stream = name.ends_with(".chunks.txt");
    if TALKS.contains(&name) {
        return Holds::Talk(text.lines().map(str::to_owned).collect());
    }
    if let Some((_, kind, path, status)) = BESIDE.iter().find(|(known, ..)| *known == name) {
        let (content_type, body) = beside(stream, text);
        return Holds::Beside(Beside { kind, path, status: *status, content_type, body: body.into() });
    }
    if let Some((_, source, status, told)) = FAILURES.iter().find(|(known, ..)| *known == name) {
        let framed = |data: &str| String::from_utf8(Source::Shared(*source).framed(data)).expect("text");
        let body = if stream { text.lines().map(framed).collect() } else { text };
        return Holds::Failure(Failure { source: *source, status: *status, body: body.into(), told: *told });
    }
    let mut answers = if stream { streamed(&text) } else { whole(&text).into_iter().collect() };
    if answers.is_empty() {
        return Holds::Unknown;
    }
    let kind = KINDS.iter().find(|(begins, _)| name.starts_with(begins)).map(|(_, kind)| *kind);
    for answer in &mut answers {
        answer.unsure = UNSURE.contains(&name);
        answer.kind = kind.unwrap_or(answer.source.kind());
        // Perplexity ends its streams without a terminator.
        if stream && answer.source == Source::Shared(Dialect::Chat) && answer.kind != "perplexity" {
            answer.body.extend_from_slice(DONE);
        }
    }
    Holds::Answers(answers)
}

/// The content type and the body of what is replayed byte for byte.
fn beside(stream: bool, text: String) -> (String, String) {
    if stream {
        let event = |data: &str| match parsed(data)["event_type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {data}\n\n"),
            None => format!("data: {data}\n\n"),
        };
        let done = if text.contains("\"event_type\"") { "" } else { "data: [DONE]\n\n" };
        return ("text/event-stream".into(), text.lines().map(event).collect::<String>() + done);
    }
    // One is told with its head.
    let value = parsed(&text);
    match (value["headers"]["content-type"].as_str(), value["body"].as_str()) {
        (Some(content_type), Some(body)) => (content_type.into(), body.into()),
        _ => ("application/json".into(), text),
    }
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}

/// A whole answer of a model.
fn whole(text: &str) -> Option<Recording> {
    let object = parsed(text);
    let source = Source::of_whole(&object)?;
    let (kind, body, objects) = (source.kind(), text.into(), vec![object]);
    Some(Recording { source, kind, stream: false, body, objects, unsure: false })
}

/// The streamed answers in a file.
fn streamed(text: &str) -> Vec<Recording> {
    // Two lines of one recording lack their last brace.
    let mended = |line: &str| {
        let lines = [line.to_owned(), format!("{line}}}")];
        lines.into_iter().find(|line| serde_json::from_str::<Value>(line).is_ok())
    };
    let lines: Vec<String> = text.lines().filter(|line| line.starts_with('{')).filter_map(mended).collect();
    let Some(source) = lines.first().and_then(|first| Source::of_stream(&parsed(first))) else { return Vec::new() };
    let mut answers: Vec<Recording> = Vec::new();
    for line in &lines {
        let object = parsed(line);
        let is_end = |object: &Value| object["type"] == "message_stop";
        let begins = object["type"] == "response.created";
        if begins || answers.last().and_then(|answer| answer.objects.last()).is_none_or(is_end) {
            let (body, objects) = (Vec::new(), Vec::new());
            answers.push(Recording { source, kind: source.kind(), stream: true, body, objects, unsure: false });
        }
        if let Some(answer) = answers.last_mut() {
            answer.body.extend(source.framed(line));
            answer.objects.push(object);
        }
    }
    answers
}
