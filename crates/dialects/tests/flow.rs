//! What a provider says leaves with the event that says it: of each event something is with the client before the next one
//! comes, but for what a dialect cannot say in pieces.

mod spoken;

use dialects::{Answers, Ending, Quirks, Stream};
use llm::{Api, Delta, Dialect};
use spoken::{APIS, CLIENTS, Provider, arguments, head, text, thought};

/// Events of a stream.
const EVENTS: u32 = 12;

const CHAT: Api = Api::Shared(Dialect::OpenAiChat);
const GEMINI: Api = Api::Shared(Dialect::Gemini);

/// What a provider goes on saying, a word in each event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Thoughts,
    /// A call in each event, whole.
    Calls,
    /// One call: it is opened, and a piece of its arguments follows in each event.
    Arguments,
}

const KINDS: [Kind; 4] = [Kind::Text, Kind::Thoughts, Kind::Calls, Kind::Arguments];

/// Which events of a stream wait for a later one.
#[derive(Clone, Copy, Debug)]
enum Waits {
    All,
    First,
    AllButFirst,
}

/// Something that waits: what is said, by whom and for whom where that matters, and why.
struct Exception {
    kind: Kind,
    from: Option<Api>,
    to: Option<Dialect>,
    waits: Waits,
    _why: &'static str,
}

const EXCEPTIONS: [Exception; 4] = [
    Exception {
        kind: Kind::Calls,
        from: None,
        to: Some(Dialect::Gemini),
        waits: Waits::All,
        _why: "its calls are whole, and stand beside why the answer ended",
    },
    Exception {
        kind: Kind::Arguments,
        from: None,
        to: Some(Dialect::Gemini),
        waits: Waits::All,
        _why: "its calls are whole",
    },
    Exception {
        kind: Kind::Arguments,
        from: Some(GEMINI),
        to: None,
        waits: Waits::AllButFirst,
        _why: "its pieces name their places in the arguments, whose text follows from all of them",
    },
    Exception {
        kind: Kind::Arguments,
        from: Some(CHAT),
        to: None,
        waits: Waits::First,
        _why: "a name may come in pieces, and ends where the arguments begin",
    },
];

/// Whether the `n`th event may wait.
fn may_wait(kind: Kind, api: Api, dialect: Dialect, n: u32) -> bool {
    let is_meant = |one: &&Exception| {
        one.kind == kind && one.from.is_none_or(|from| from == api) && one.to.is_none_or(|to| to == dialect)
    };
    !api.is(dialect) && EXCEPTIONS.iter().filter(is_meant).any(|one| one.waits.holds(n))
}

impl Waits {
    fn holds(self, n: u32) -> bool {
        match self {
            Self::All => true,
            Self::First => n == 0,
            Self::AllButFirst => n > 0,
        }
    }
}

impl Kind {
    /// What the `n`th event says.
    fn said(self, n: u32) -> Vec<Delta> {
        match (self, n) {
            (Self::Text, _) => vec![text(word(n))],
            (Self::Thoughts, _) => vec![thought(word(n))],
            (Self::Calls, _) => vec![call(n, n), arguments(n, r#"{"city":"Rome"}"#)],
            (Self::Arguments, 0) => vec![call(0, 0)],
            (Self::Arguments, 1) => vec![arguments(0, format!(r#"{{"city":"{}"#, word(1)))],
            (Self::Arguments, _) => vec![arguments(0, word(n))],
        }
    }

    /// What ends the last of it.
    fn last(self) -> Option<Delta> {
        (self == Self::Arguments).then(|| arguments(0, r#""}"#))
    }
}

/// What only the `n`th event says.
fn word(n: u32) -> String {
    format!("word{n}_")
}

/// A call of a function that is named like the `n`th event.
fn call(call: u32, n: u32) -> Delta {
    Delta::Call { choice: 0, call, id: format!("call_{call}"), name: word(n), free: false, seal: None }
}

fn says(bytes: &[u8], n: u32) -> bool {
    let word = word(n);
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// What a provider says, with the number of each event. What it cannot say is no event.
struct Said {
    begins: Vec<u8>,
    events: Vec<(u32, Vec<u8>)>,
    ends: Vec<u8>,
}

fn said(api: Api, kind: Kind) -> Said {
    let mut provider = Provider::of(api);
    let begins = provider.begins();
    let mut event = |n: u32| (n, kind.said(n).iter().flat_map(|delta| provider.says(delta)).collect::<Vec<u8>>());
    let events = (0..EVENTS).map(&mut event).filter(|(_, event)| !event.is_empty()).collect();
    let last = kind.last().map(|delta| provider.says(&delta)).unwrap_or_default();
    Said { begins, events, ends: [last, provider.ends()].concat() }
}

/// The events of which nothing has left when the next one comes.
fn late(events: &[(u32, Vec<u8>)], mut pass: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<u32> {
    let mut out = Vec::new();
    let mut is_late = |n: u32, event: &[u8]| {
        out.extend(pass(event));
        !says(&out, n)
    };
    events.iter().filter(|(n, event)| is_late(*n, event)).map(|(n, _)| *n).collect()
}

fn stream(api: Api, dialect: Dialect, listed: bool) -> Stream {
    let head = (!api.is(dialect)).then(|| Box::new(head()));
    Answers { api, quirks: Quirks::default(), dialect, listed, head }.stream()
}

/// The bytes that leave when `piece` comes.
fn leaves(stream: &mut Stream, piece: &[u8]) -> Vec<u8> {
    stream.feed(piece);
    std::iter::from_fn(|| stream.next_frame()).flat_map(|frame| frame.raw).collect()
}

/// Every client of every provider that can be told of this `kind`, those that speak the same among them; one that wants a
/// list gets it written.
fn clients(api: Api, kind: Kind) -> impl Iterator<Item = (Dialect, bool)> {
    let listed = (!api.is(Dialect::Gemini)).then_some((Dialect::Gemini, true));
    let told = CLIENTS.into_iter().filter(move |dialect| kind == Kind::Text || *dialect != Dialect::COMPLETIONS);
    told.map(|dialect| (dialect, false)).chain(listed)
}

#[test]
fn every_event_leaves_before_the_next_one_comes() {
    for (api, kind) in APIS.into_iter().flat_map(|api| KINDS.map(|kind| (api, kind))) {
        let Said { begins, events, ends } = said(api, kind);
        for (dialect, listed) in clients(api, kind) {
            let shown = format!("{kind:?}, {api:?} to {dialect:?}, listed: {listed}");
            let mut stream = stream(api, dialect, listed);
            leaves(&mut stream, &begins);
            let mut all = Vec::new();
            let late = late(&events, |event| {
                let now = leaves(&mut stream, event);
                all.extend_from_slice(&now);
                now
            });
            let expected: Vec<u32> =
                events.iter().map(|(n, _)| *n).filter(|n| may_wait(kind, api, dialect, *n)).collect();
            assert_eq!(late, expected, "{shown}");
            all.extend(leaves(&mut stream, &ends));
            match stream.end() {
                Ending::Complete(more) => all.extend(more.into_iter().flatten()),
                Ending::Broken(failure) => panic!("{shown}: {failure}"),
            }
            let unsaid: Vec<&u32> = events.iter().map(|(n, _)| n).filter(|n| !says(&all, **n)).collect();
            assert!(!events.is_empty() && unsaid.is_empty(), "{shown}: {unsaid:?} never came");
        }
    }
}

/// What gathers before it hands on is seen to be late, however little it gathers.
#[test]
fn what_is_gathered_is_seen_to_be_late() {
    const ALL: usize = EVENTS as usize;
    for (gathered, expected) in [(1, 0), (2, ALL / 2), (3, ALL / 3 * 2), (ALL, ALL - 1), (usize::MAX, ALL)] {
        let Said { begins, events, .. } = said(CHAT, Kind::Text);
        let mut stream = stream(CHAT, Dialect::Anthropic, false);
        leaves(&mut stream, &begins);
        let (mut held, mut waiting) = (Vec::new(), 0);
        let late = late(&events, |event| {
            held.extend(leaves(&mut stream, event));
            waiting += 1;
            if waiting < gathered {
                return Vec::new();
            }
            waiting = 0;
            std::mem::take(&mut held)
        });
        assert_eq!(late.len(), expected, "{gathered} at a time: {late:?}");
    }
}
