//! Answers that are told apart by their id, and a reader who knows nothing of how they were made one.

use super::script::{Script, events};
use super::stage::DONE;
use dialects::Quirks;
use dialects::openai_chat::{self, StreamDecoder, Way};
use llm::Prefill;

pub(super) const TEXT: &str = "The harbour lay quiet under a pale moon, é and 😀 alike; nobody heard the second bell, which rang for \
                    those who had left long before the tide.";

/// An event of the answer `id`.
pub(super) fn event(id: &str, delta: &str, finish: &str) -> String {
    let choice = format!(r#"{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}"#);
    format!("data: {{\"id\":\"{id}\",\"created\":7,\"model\":\"m-{id}\",\"choices\":[{choice}]}}\n\n")
}

pub(super) fn says(id: &str, text: &str) -> String {
    event(id, &format!(r#""content":"{text}""#), "null")
}

pub(super) fn begins(id: &str) -> String {
    event(id, r#""role":"assistant","content":"""#, "null")
}

/// A finish, the usage and the terminator.
pub(super) fn ends(id: &str, input: u64, output: u64) -> String {
    let usage = format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output}}}"#);
    let usage = format!("data: {{\"id\":\"{id}\",\"created\":7,\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\n");
    [event(id, "", "\"stop\""), usage, DONE.into()].concat()
}

/// Pieces of so many characters each.
pub(super) fn pieces(text: &str, size: usize) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(size).map(|piece| piece.iter().collect()).collect()
}

/// The beginning of `TEXT`, so many characters of it.
pub(super) fn first(chars: usize) -> String {
    TEXT.chars().take(chars).collect()
}

pub(super) fn rest(chars: usize) -> String {
    TEXT.chars().skip(chars).collect()
}

/// `text` as a target is handed it that goes on with it, and what is withheld of it; nothing where too little can be.
pub(super) fn parted(text: &str) -> Option<(String, String)> {
    let mut decoder = StreamDecoder::recording(Quirks::default());
    decoder.feed(says("a", text).as_bytes());
    let request = openai_chat::decode(r#"{"model":"m","messages":[{"role":"user"}]}"#.into()).unwrap();
    let way = openai_chat::way(&request, &decoder.take_transcript().unwrap(), Prefill::Plain).unwrap();
    let Way::Prefill(handed) = way else { return None };
    let (given, withheld) = text.split_at(handed.bytes);
    Some((given.into(), withheld.into()))
}

/// What a target says that goes on with so many characters of `TEXT`.
pub(super) fn goes_on_from(chars: usize) -> String {
    parted(&first(chars)).unwrap().1 + &rest(chars)
}

/// The answer `id` up to here, in pieces of 9 characters.
pub(super) fn told(id: &str, text: &str) -> Script {
    events().say([begins(id)].into_iter().chain(pieces(text, 9).iter().map(|one| says(id, one))).collect::<String>())
}

/// A whole answer `id` in pieces of 7 characters.
pub(super) fn answers(id: &str, text: &str) -> Script {
    let said = pieces(text, 7).iter().map(|one| says(id, one)).collect::<String>();
    events().say([begins(id), said, ends(id, 30, 50)].concat())
}

/// What a reader makes of a stream.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reader {
    pub(super) text: String,
    pub(super) ids: Vec<String>,
    pub(super) roles: usize,
    pub(super) finishes: usize,
    pub(super) terminators: usize,
    pub(super) errors: usize,
    /// Behind a terminator or an error.
    pub(super) more: usize,
}

fn after<'a>(data: &'a str, key: &str) -> Option<&'a str> {
    data.split_once(key).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value)
}

pub(super) fn read(stream: &str) -> Reader {
    let mut reader = Reader::default();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        reader.more += usize::from(reader.terminators + reader.errors > 0);
        if data == "[DONE]" {
            reader.terminators += 1;
        } else if data.contains("\"error\"") {
            reader.errors += 1;
        } else {
            reader.text.push_str(after(data, "\"content\":\"").unwrap_or_default());
            reader.roles += data.matches("\"role\"").count();
            reader.finishes += data.matches("\"finish_reason\":\"").count();
            let id = after(data, "\"id\":\"").unwrap_or_default().to_owned();
            if !reader.ids.contains(&id) {
                reader.ids.push(id);
            }
        }
    }
    reader
}

/// The whole of `TEXT`, as one answer.
pub(super) fn whole_answer() -> Reader {
    let (text, ids) = (TEXT.to_owned(), vec!["a".to_owned()]);
    Reader { text, ids, roles: 1, finishes: 1, terminators: 1, ..Reader::default() }
}

/// The beginning of an answer, and an error.
pub(super) fn broken(text: &str) -> Reader {
    Reader { text: text.into(), ids: vec!["a".into()], roles: 1, errors: 1, ..Reader::default() }
}
