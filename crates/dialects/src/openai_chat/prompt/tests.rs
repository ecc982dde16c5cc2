//! Requests read and written, as tables and as round trips.

mod read;
mod round;
mod write;

use llm::{Dialect, Part, PartKind, Role, Seal, SealKind, Source, Thought, Turn};

fn part(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

fn text(text: &str) -> Part {
    part(PartKind::Text { text: text.into(), seal: None })
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

fn call(id: &str, name: &str, arguments: &str) -> PartKind {
    PartKind::Call { id: id.into(), name: name.into(), arguments: arguments.into(), free: false, seal: None }
}

fn result(call: &str, name: &str, parts: Vec<Part>) -> Part {
    part(PartKind::Result { call: call.into(), name: name.into(), parts, failed: false })
}

fn seal(of: Dialect, kind: SealKind, token: &str) -> Seal {
    Seal { of, kind, token: token.into() }
}

fn thought(text: &str, seal: Option<Seal>) -> Part {
    part(PartKind::Thought(Thought { text: text.into(), seal }))
}

fn inline(media_type: &str, data: &str) -> Source {
    Source::Inline { media_type: media_type.into(), data: data.into() }
}
