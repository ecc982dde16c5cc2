//! How a fault bends a whole answer.

use crate::answer::Answer;
use crate::fault::Fault;
use crate::plan::{End, Plan};
use crate::stamp::Stamp;
use crate::{whole, words};
use std::time::Duration;

const BLANK_LINE: &[u8] = b"\n";
const NO_UTF8: &[u8] = b"\xff\xfe\xc3";

/// The plan for this answer under this fault.
pub(super) fn bent(mut answer: Answer, fault: Option<&Fault>, stamp: &Stamp) -> Plan {
    if let Some(Fault::PoliteEnd { after }) = fault {
        answer.finish = None;
        answer.text = answer.text.map(|text| words::shortened(text, Some(u64::from(*after))).0);
    }
    let mut body = whole::render(&answer, stamp);
    match fault {
        Some(Fault::Cut { .. }) => half(body, End::Cut),
        Some(Fault::CutReset { .. }) => half(body, End::Reset),
        Some(Fault::Stall { .. }) => half(body, End::Silence),
        Some(Fault::StallWithComments { every, .. } | Fault::NeverContent { every }) => {
            Plan::only(End::Filler { every: *every, bytes: BLANK_LINE })
        }
        Some(Fault::InvalidJson) => {
            body.truncate(body.len() / 2);
            Plan::whole(body)
        }
        Some(Fault::Garbage { .. }) => {
            let middle = body.len() / 2;
            body.splice(middle..middle, *b"\"}]}<garbage>").for_each(drop);
            Plan::whole(body)
        }
        Some(Fault::InvalidUtf8 { .. }) => {
            let at = inside_text(&body);
            body.splice(at..at, NO_UTF8.iter().copied()).for_each(drop);
            Plan::whole(body)
        }
        Some(Fault::Drip { every }) => Plan { bytewise: Some(*every), ..Plan::whole(body) },
        Some(Fault::SplitUtf8) => Plan { bytewise: Some(Duration::ZERO), ..Plan::whole(body) },
        _ => Plan::whole(body),
    }
}

/// Half the body under the whole one's length.
fn half(mut body: Vec<u8>, end: End) -> Plan {
    let length = Some(body.len() as u64);
    body.truncate(body.len() / 2);
    Plan { end, length, ..Plan::whole(body) }
}

/// A place inside a string: the text, or else the arguments of a tool call, or else the end.
fn inside_text(body: &[u8]) -> usize {
    let after = |needle: &[u8]| Some(body.windows(needle.len()).position(|window| window == needle)? + needle.len());
    after(b"\"content\":\"").or_else(|| after(b"\"arguments\":\"")).unwrap_or(body.len())
}
