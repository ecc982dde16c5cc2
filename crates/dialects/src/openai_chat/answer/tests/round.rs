//! What is written is read again.

use super::super::write_answer;
use super::*;
use llm::Usage;
use proptest::prelude::*;

/// A well-formed answer: what a reader hands on.
fn answers() -> impl Strategy<Value = Vec<Delta>> {
    let of = || prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Responses), Just(Dialect::OpenAiChat)];
    let kind = || prop_oneof![Just(SealKind::Signature), Just(SealKind::Encrypted)];
    let words = || "(\\PC|\n){1,6}";
    let steps = |choice: u32| {
        let step = prop_oneof![
            words().prop_map(move |text| vec![Delta::Text { choice, text }]),
            words().prop_map(move |text| vec![Delta::Thought { choice, text }]),
            words().prop_map(move |text| vec![Delta::Refusal { choice, text }]),
            (of(), kind(), "[a-z]{1,4}").prop_map(move |(of, kind, token)| {
                vec![Delta::ThoughtSealed { choice, seal: seal(of, kind, &token) }]
            }),
            "[a-z]{1,4}".prop_map(move |token| {
                vec![Delta::TextSealed { choice, seal: seal(Dialect::Gemini, SealKind::Signature, &token) }]
            }),
            ("[a-z]{1,4}", any::<bool>(), words(), words(), any::<bool>()).prop_map(
                move |(name, free, first, second, sealed)| {
                    let seal = sealed.then(|| seal(Dialect::Gemini, SealKind::Signature, "g"));
                    vec![
                        Delta::Call { choice, call: 0, id: String::new(), name, free, seal },
                        Delta::Arguments { choice, call: 0, text: first },
                        Delta::Arguments { choice, call: 0, text: second },
                    ]
                }
            ),
        ];
        (proptest::collection::vec(step, 1..8), any::<bool>()).prop_map(move |(steps, long)| {
            let (mut out, mut calls) = (Vec::new(), 0);
            for mut step in steps {
                for delta in &mut step {
                    match delta {
                        Delta::Call { call, id, .. } => {
                            (*call, *id) = (calls, format!("id-{choice}-{calls}"));
                            calls += 1;
                        }
                        Delta::Arguments { call, .. } => *call = calls - 1,
                        _ => {}
                    }
                }
                out.extend(step);
            }
            let finish = match (long, calls) {
                (true, _) => FinishReason::Length,
                (false, 0) => FinishReason::Stop,
                (false, _) => FinishReason::ToolCalls,
            };
            out.push(Delta::Ended { choice, finish, stop: None });
            out
        })
    };
    (steps(0), steps(1), any::<(u32, u32)>()).prop_map(|(first, second, (input, output))| {
        let began = Delta::Began { id: "i".into(), model: "m".into() };
        let used = Usage { input: input.into(), output: output.into(), ..Usage::default() };
        [vec![began], first, second, vec![Delta::Used(used)]].concat()
    })
}

/// What a fold of them gives, thoughts and seals as well: pieces that follow each other are one.
fn joined(deltas: Vec<Delta>) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (out.last_mut(), &delta) {
            (Some(Delta::Text { choice, text }), Delta::Text { choice: of, text: more })
            | (Some(Delta::Thought { choice, text }), Delta::Thought { choice: of, text: more })
            | (Some(Delta::Refusal { choice, text }), Delta::Refusal { choice: of, text: more })
                if choice == of =>
            {
                text.push_str(more);
            }
            (Some(Delta::Arguments { choice, call, text }), Delta::Arguments { choice: of, call: to, text: more })
                if (*choice, *call) == (*of, *to) =>
            {
                text.push_str(more);
            }
            _ => out.push(delta),
        }
    }
    out
}

proptest! {
    #[test]
    fn what_is_streamed_is_read_again(deltas in answers(), usage in any::<bool>()) {
        let (events, left_out) = written(head(usage), &deltas);
        prop_assert!(left_out.is_empty());
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let told = |delta: &Delta| usage || !matches!(delta, Delta::Used(_));
        prop_assert_eq!(read(&events), deltas.into_iter().filter(told).collect::<Vec<_>>());
    }

    /// A whole message has its parts in an order of its own; each kind comes out in order.
    #[test]
    fn what_is_written_whole_is_read_again(deltas in answers()) {
        let again = Reader::whole(&write_answer(&head(false), &deltas)).expect("read");
        type Kind = fn(&Delta) -> bool;
        let kinds: [Kind; 5] = [
            |delta| matches!(delta, Delta::Text { .. }),
            |delta| matches!(delta, Delta::Refusal { .. }),
            |delta| matches!(delta, Delta::Thought { .. } | Delta::ThoughtSealed { .. }),
            |delta| matches!(delta, Delta::Call { .. } | Delta::Arguments { .. }),
            |delta| matches!(delta, Delta::Began { .. } | Delta::Ended { .. } | Delta::Used(_)),
        ];
        for of_kind in kinds {
            let only = |all: &[Delta]| joined(all.iter().filter(|delta| of_kind(delta)).cloned().collect());
            prop_assert_eq!(only(&again), only(&deltas));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reader::whole(&bytes);
    }
}
