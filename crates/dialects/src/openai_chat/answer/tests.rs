//! Answers read and written, as tables and as round trips.

mod read;
mod round;
mod write;

use super::{Reader, Writer};
use crate::Head;
use bytes::BytesMut;
use llm::{Delta, Dialect, FinishReason, Seal, SealKind};

fn head(usage: bool) -> Head {
    Head { id: "chatcmpl-ours".into(), model: "route".into(), created: 7, usage, ..Head::default() }
}

/// What the events say together.
fn read(events: &[&str]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    events.iter().for_each(|event| reader.push(event.as_bytes(), &mut out).unwrap_or_else(|e| panic!("{event}: {e}")));
    out
}

/// The data of the events that are written.
fn written(head: Head, deltas: &[Delta]) -> (Vec<String>, Vec<String>) {
    let (mut writer, mut out) = (Writer::new(head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).expect("text");
    let event = |block: &str| block.strip_prefix("data: ").expect("one line of data").to_owned();
    let events = text.split_terminator("\n\n").map(event).collect();
    (events, writer.left_out().to_vec())
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> Delta {
    Delta::Thought { choice: 0, text: text.into() }
}

fn seal(of: Dialect, kind: SealKind, token: &str) -> Seal {
    Seal { of, kind, token: token.into() }
}

fn sealed(of: Dialect, kind: SealKind, token: &str) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: seal(of, kind, token) }
}

fn call(call: u32, id: &str, name: &str) -> Delta {
    Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
}

fn arguments(call: u32, text: &str) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

fn ended(finish: FinishReason) -> Delta {
    Delta::Ended { choice: 0, finish, stop: None }
}
