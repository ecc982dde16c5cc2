//! Answers read in full. Input: the body of an answer, or the events of one.

use crate::cuts::chance;
use crate::written;
use dialects::openai_chat::{Assembler, each_data, read_answer};
use llm::{Answer, Lane};
use std::collections::BTreeMap;

/// What was read of an answer is read again, however it is written and cut into events; what is no event takes nothing
/// away; and the words that come are handed on once, in order.
pub fn answer(data: &[u8]) {
    for answer in [read_answer(data).ok(), streamed(data)].into_iter().flatten() {
        assert_eq!(read_answer(written::body(&answer).as_bytes()).as_ref(), Ok(&answer), "written whole");
        let events = written::events(&answer, &mut chance(data));
        let events = events.iter().map(String::as_bytes);
        assert_eq!(assembled(events).expect("events"), answer, "written as events");
    }
}

/// The answer whose events `data` holds, if it holds nothing else.
pub(crate) fn streamed(data: &[u8]) -> Option<Answer> {
    let mut events = Vec::new();
    each_data(data, |data| {
        events.push(data.to_vec());
        Ok::<_, ()>(())
    })
    .ok()?;
    assembled(events.iter().map(Vec::as_slice))
}

/// What `events` say together; nothing where one is no event.
fn assembled<'a>(events: impl Iterator<Item = &'a [u8]>) -> Option<Answer> {
    let mut assembler = Assembler::default();
    let mut fresh = BTreeMap::<(u32, Lane), String>::new();
    for event in events {
        assembler.push(event).ok()?;
        assert!(assembler.push(b"{\"choices\":").is_err(), "half an event is taken");
        assembler.fresh(|choice, lane, words| fresh.entry((choice, lane)).or_default().push_str(words));
    }
    let answer = assembler.finish();
    for choice in &answer.choices {
        for lane in Lane::ALL {
            let fresh = fresh.get(&(choice.index, lane)).map_or("", String::as_str);
            // Half a character at the very end is replaced only there.
            let words = choice.words(lane);
            assert!(words == fresh || words.strip_suffix('\u{fffd}') == Some(fresh), "{fresh:?} of {words:?}");
        }
    }
    Some(answer)
}
