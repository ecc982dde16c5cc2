//! Whole answers, and errors, of every dialect. Input: which one, and the body of a response.

use crate::parts::text;
use crate::pick::{APIS, FOR_VECTORS, OF_VECTORS, all, pick};
use bytes::Bytes;
use dialects::{Answers, Fold, Head, Quirks, Whole, gives_vectors, read_answer, read_deltas, render};
use llm::{Answer, Api, CallError, Delta, Dialect, Failure, Operation};

/// An answer reaches a client of its dialect as it is. For every other it is written so that it reads as a whole answer
/// that says the same, or gives the same vectors. Whatever is no answer can be read as an error.
pub fn whole(data: &[u8]) {
    let Some((api, body)) = pick(&all(&APIS, &OF_VECTORS), data) else { return };
    let body = Bytes::copy_from_slice(body);
    let of_words = all(&Dialect::ANSWERS, &[Dialect::COMPLETIONS]);
    let clients = if gives_vectors(api) { &FOR_VECTORS[..] } else { &of_words };
    for dialect in clients.iter().copied() {
        let answers = answers(api, dialect);
        if let Ok(Whole { body: written, .. }) = answers.whole(body.clone()) {
            match (api.is(dialect), gives_vectors(api)) {
                (true, _) => assert_eq!(written, body, "not a byte is changed"),
                (false, true) => gives_the_same(api, &body, dialect, &written),
                (false, false) if dialect == Dialect::COMPLETIONS => completes_the_same(api, &body, &written),
                (false, false) => says_the_same(api, &body, dialect, &written),
            }
        }
        for status in [200, 400, 429, 500] {
            let error = answers.error(status, None, &body, None);
            assert!(error.message.len() <= 4096 + 8 * body.len(), "longer than what came");
            let _ = answers.failure(Failure::Provider(Box::new(error)));
        }
        let said = CallError::InvalidRequest { message: text(&body).to_owned(), param: None };
        let told = render(dialect, &said).body;
        assert!(serde_json::from_slice::<serde_json::Value>(&told).is_ok(), "an error is JSON");
    }
}

pub(crate) fn answers(api: Api, dialect: Dialect) -> Answers {
    let head = (!api.is(dialect)).then(|| Box::new(head()));
    Answers { api, quirks: Quirks::default(), dialect, listed: false, head }
}

/// What a client's answer begins with where its provider's does not say it.
pub(crate) fn head() -> Head {
    Head { id: "msg_1".into(), model: "chat".into(), created: 7, usage: true, ..Head::default() }
}

/// That `written` is an answer of the client's dialect, and that others are given by way of it what they are given of the
/// provider's `body`: clients of Google's, who are told vectors and no more. Its one vector is the first of all, and has no
/// way on.
fn gives_the_same(api: Api, body: &Bytes, dialect: Dialect, written: &Bytes) {
    let shown = || written.escape_ascii().to_string();
    let read = answers(Api::Shared(dialect), dialect).read(written);
    assert!(read.is_ok(), "{read:?}: {}", shown());
    if dialect == Dialect::Other(Operation::GeminiEmbed) {
        return;
    }
    let googles = [Operation::GeminiEmbed, Operation::GeminiBatchEmbed].map(Dialect::Other);
    for other in googles.into_iter().filter(|other| *other != dialect && !api.is(*other)) {
        let told = |api: Api, body: &Bytes| answers(api, other).whole(body.clone()).map(|whole| whole.body);
        assert_eq!(told(Api::Shared(dialect), written), told(api, body), "{other:?}: {}", shown());
    }
    let mut coded = answers(api, dialect);
    coded.head.iter_mut().for_each(|head| head.base64 = true);
    if let Ok(Whole { body: told, .. }) = coded.whole(body.clone()) {
        assert!(serde_json::from_slice::<serde_json::Value>(&told).is_ok(), "{}", told.escape_ascii());
    }
}

/// That a client reads in `written` what the provider's `body` says.
fn says_the_same(api: Api, body: &Bytes, dialect: Dialect, written: &Bytes) {
    let shown = || written.escape_ascii().to_string();
    let read = answers(Api::Shared(dialect), dialect).read(written);
    let theirs = folded(&read_deltas(api, body).expect("it was read before"));
    let (Some(theirs), Ok(ours)) = (theirs, read_answer(dialect, written)) else { return };
    // An answer of nothing that the client has a word for is an empty one.
    let empty = matches!(read, Err(Failure::Empty)) && words(&ours) == Default::default();
    assert!(empty || read.is_ok(), "{read:?}: {}", shown());
    assert_eq!(words(&ours), words(&theirs), "{}", shown());
}

/// That a client who wants a text completed reads in `written` the words of the provider's `body`.
fn completes_the_same(api: Api, body: &Bytes, written: &Bytes) {
    let shown = || written.escape_ascii().to_string();
    let read = answers(Api::Shared(Dialect::COMPLETIONS), Dialect::COMPLETIONS).read(written);
    let Some(theirs) = folded(&read_deltas(api, body).expect("it was read before")) else { return };
    // A limit or a policy may have left no room for words.
    let empty = matches!(read, Err(Failure::Empty | Failure::NoChoices)) && words(&theirs).0.is_empty();
    assert!(empty || read.is_ok(), "{read:?}: {}", shown());
    assert_eq!(completed([&written[..]]), words(&theirs).0, "{}", shown());
}

/// The letters of the first text in the objects of completions, in any order.
pub(crate) fn completed<'a>(objects: impl IntoIterator<Item = &'a [u8]>) -> Vec<char> {
    let objects = objects.into_iter().map(|object| serde_json::from_slice::<serde_json::Value>(object).expect("JSON"));
    let mut said: Vec<char> = Vec::new();
    for object in objects {
        let choices = object["choices"].as_array().expect("choices");
        let first = choices.iter().filter(|choice| choice["index"] == 0);
        said.extend(first.flat_map(|choice| choice["text"].as_str().expect("a text").chars()));
    }
    said.sort_unstable();
    said
}

pub(crate) fn folded(deltas: &[Delta]) -> Option<Answer> {
    let mut fold = Fold::default();
    deltas.iter().try_for_each(|delta| fold.push(delta)).ok()?;
    Some(fold.finish())
}

/// What the first alternative says to the user, in letters of any order, and the tools it calls: a dialect that has no
/// word for a refusal says it as it says all else, and when it comes. Most dialects have no other alternatives.
pub(crate) fn words(answer: &Answer) -> (Vec<char>, Vec<&str>) {
    let Some(choice) = answer.choices.iter().find(|choice| choice.index == 0) else { return Default::default() };
    let mut said: Vec<char> = choice.text.chars().chain(choice.refusal.chars()).collect();
    said.sort_unstable();
    (said, choice.calls.iter().map(|call| &*call.name).collect())
}
