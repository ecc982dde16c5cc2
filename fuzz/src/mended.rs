//! Answers whose words are exchanged in their own bytes. Input: the body of an answer or its events, and new words.

use crate::answer::streamed;
use crate::cuts::chance;
use crate::parts::parts;
use crate::written;
use bytes::Bytes;
use dialects::Quirks;
use dialects::openai_chat::{Ending, StreamDecoder, mended as mended_whole, mended_stream, read_answer};
use fastrand::Rng;
use llm::{Answer, Lane, Progress};

/// What is mended reads as what is wanted; where nothing is wanted, no byte changes; and a plain answer can always be
/// mended, whole and as a stream, that ends as it did.
pub fn mended(data: &[u8]) {
    let [wire, words] = parts(data);
    let wire = Bytes::copy_from_slice(wire.as_bytes());
    if let Ok(before) = read_answer(&wire) {
        let after = changed(&before, words, &mut chance(data));
        assert_eq!(mended_whole(&wire, &before, &before).as_ref(), Some(&wire), "nothing is to be changed");
        if let Some(mended) = mended_whole(&wire, &before, &after) {
            reads(read_answer(&mended).ok(), &before, &after);
        }
        plain(&before, &after, &mut chance(data));
    }
    if let Some(before) = ended_stream(&wire) {
        let after = changed(&before, words, &mut chance(data));
        assert_eq!(mended_stream(&wire, &before, &before).as_ref(), Some(&wire), "nothing is to be changed");
        if let Some(mended) = mended_stream(&wire, &before, &after) {
            reads(ended_stream(&mended), &before, &after);
        }
        plain(&before, &after, &mut chance(data));
    }
}

/// The answer in a stream that has come to its end: a last event may lack the blank line behind it.
fn ended_stream(stream: &[u8]) -> Option<Answer> {
    streamed(&[stream, b"\n\n"].concat())
}

/// `answer` with other words here and there, where there were some.
fn changed(answer: &Answer, words: &str, rng: &mut Rng) -> Answer {
    let mut after = answer.clone();
    let mut change = |said: &mut String| {
        if !said.is_empty() && !words.is_empty() && rng.bool() {
            words.clone_into(said);
        }
    };
    for choice in &mut after.choices {
        Lane::ALL.into_iter().for_each(|lane| change(choice.words_mut(lane)));
        choice.calls.iter_mut().for_each(|call| change(&mut call.arguments));
    }
    after
}

/// That `read` is what is after; reasoning that changed may have lost what was sealed of it.
fn reads(read: Option<Answer>, before: &Answer, after: &Answer) {
    let mut after = after.clone();
    let read = read.expect("what is mended is an answer");
    for ((read, before), after) in read.choices.iter().zip(&before.choices).zip(&mut after.choices) {
        after.sealed &= read.sealed || before.reasoning == after.reasoning;
    }
    assert_eq!(read, after);
}

/// Mends an answer as OpenAI itself would write it.
fn plain(before: &Answer, after: &Answer, rng: &mut Rng) {
    let (before, after) = (&unsealed(before), &unsealed(after));
    let body = Bytes::from(written::body(before));
    let mended = mended_whole(&body, before, after).expect("a whole answer is mended");
    assert_eq!(mended, written::body(after), "something else is touched");
    let stream = written::stream(&written::events(before, rng));
    let mended = mended_stream(stream.as_bytes(), before, after).expect("a stream is mended");
    assert_eq!(streamed(&mended).as_ref(), Some(after));
    assert_eq!(ended(&mended), ended(stream.as_bytes()), "it ends otherwise");
}

/// Without reasoning that cannot be read, which goes where other reasoning is changed.
fn unsealed(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    answer.choices.iter_mut().for_each(|choice| choice.sealed = false);
    answer
}

/// How a stream ends, and what its progress says.
fn ended(stream: &[u8]) -> (Ending, Progress) {
    let mut decoder = StreamDecoder::new(Quirks::default());
    decoder.feed(stream);
    (decoder.end(), decoder.progress().clone())
}
