//! How a fault bends the events of a stream.

use crate::events::{Event, Kind};
use crate::fault::Fault;
use crate::plan::{End, Plan, Tempo};
use crate::refusal::ErrorObject;
use bytes::Bytes;
use std::time::Duration;

const COMMENT: &[u8] = b": keep-alive\n\n";
const BROKEN: &[u8] =
    b"data: {\"id\":\"chatcmpl-broken\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
    \"delta\":{\"content\":\n\n";
const NO_UTF8: &[u8] = b"data: {\"id\":\"chatcmpl-broken\",\"object\":\"chat.completion.chunk\",\"created\":0,\
    \"model\":\"broken\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\xfe\xc3\"},\"logprobs\":null,\
    \"finish_reason\":null}]}\n\n";

/// The plan for these events under this fault.
pub(super) fn bent(mut events: Vec<Event>, fault: Option<&Fault>, tempo: Tempo) -> Plan {
    let mut end = End::Complete;
    let mut bytewise = None;
    match fault {
        Some(Fault::InvalidJson) => events.splice(..1, [odd(BROKEN)]).for_each(drop),
        Some(Fault::Cut { after }) => end = halted(&mut events, *after, End::Cut),
        Some(Fault::CutReset { after }) => end = halted(&mut events, *after, End::Reset),
        Some(Fault::PoliteEnd { after }) => end = halted(&mut events, *after, End::Complete),
        Some(Fault::Stall { after }) => end = halted(&mut events, *after, End::Silence),
        Some(Fault::StallWithComments { after, every }) => end = halted(&mut events, *after, comments(*every)),
        Some(Fault::NeverContent { every }) => end = halted(&mut events, 0, comments(*every)),
        Some(Fault::NoDone) => events.retain(|event| event.kind != Kind::Done),
        Some(Fault::Garbage { after }) => events.insert(middle(&events, *after), odd(BROKEN)),
        Some(Fault::InvalidUtf8 { after }) => events.insert(middle(&events, *after), odd(NO_UTF8)),
        Some(Fault::ErrorEvent { after, code, message }) => {
            let error = ErrorObject::usual(500, code.as_ref(), None, message.as_deref());
            events.truncate(if *after == 0 { 0 } else { middle(&events, *after) });
            events.push(odd(format!("data: {}\n\n", error.to_json())));
        }
        Some(Fault::Drip { every }) => bytewise = Some(*every),
        Some(Fault::SplitUtf8) => bytewise = Some(Duration::ZERO),
        _ => {}
    }
    Plan { end, bytewise, ..Plan::stream(&events, tempo) }
}

/// Drops what follows `after` content events.
fn halted(events: &mut Vec<Event>, after: u32, end: End) -> End {
    events.truncate(middle(events, after));
    end
}

/// Where `after` content events are over; at the latest before the finish.
fn middle(events: &[Event], after: u32) -> usize {
    let mut left = after;
    let over = |event: &Event| match event.kind {
        Kind::Role => false,
        Kind::Content if left > 0 => {
            left -= 1;
            false
        }
        _ => true,
    };
    events.iter().position(over).unwrap_or(events.len())
}

fn comments(every: Duration) -> End {
    End::Filler { every, bytes: COMMENT }
}

fn odd(bytes: impl Into<Bytes>) -> Event {
    Event { kind: Kind::Odd, bytes: bytes.into() }
}
