//! Two streams, read as the client reads them: as one.

use super::*;
use llm::FinishReason;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An event of the stream named `id`.
fn event(id: &str, delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    let chunk = json!({"id": id, "created": id.len(), "model": format!("model-{id}"), "system_fingerprint": id,
                       "object": "chat.completion.chunk", "x": 1, "choices": [choice]});
    format!("data: {chunk}\n\n")
}

fn say(id: &str, text: &str) -> String {
    event(id, &json!({ "content": text }), None)
}

/// The beginning of a stream: a role, and `text` in pieces of `step` characters.
fn opening(id: &str, text: &str, step: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let said = chars.chunks(step).map(|piece| say(id, &piece.iter().collect::<String>()));
    [event(id, &json!({"role": "assistant", "content": ""}), None)].into_iter().chain(said).collect()
}

const USAGE: &str = r#"{"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":64}}"#;

fn closing(id: &str) -> String {
    let usage = format!("data: {{\"id\":\"{id}\",\"choices\":[],\"usage\":{USAGE}}}\n\n");
    [event(id, &json!({}), Some("stop")), usage, "data: [DONE]\n\n".to_owned()].concat()
}

fn whole(id: &str, text: &str, step: usize) -> String {
    opening(id, text, step) + &closing(id)
}

fn given(events: &str) -> Transcript {
    let mut decoder = StreamDecoder::recording(Quirks::default());
    decoder.feed(events.as_bytes());
    decoder.take_transcript().expect("kept")
}

/// What became of a second stream.
#[derive(Debug, PartialEq)]
struct Seen {
    /// The bytes of all frames that a client gets.
    bytes: String,
    /// The last frame's event, if it is one that ends.
    last: Option<Event>,
    seam: Seam,
    ending: Ending,
    progress: Progress,
}

fn go_on(first: &str, way: Way, second: &[u8], cuts: &[usize]) -> Seen {
    let mut decoder = Continuation::new(Quirks::default(), given(first), way);
    let (mut bytes, mut last) = (Vec::new(), None);
    let mut take = |decoder: &mut Continuation| {
        while let Some(frame) = decoder.next_frame() {
            assert_eq!(last, None, "nothing follows what ends");
            assert!(
                decoder.seam() != Seam::Undecided || frame.raw.is_empty() || matches!(frame.event, Event::Error(_))
            );
            bytes.extend_from_slice(&frame.raw);
            if matches!(frame.event, Event::Done | Event::Error(_) | Event::Garbage) {
                last = Some(frame.event);
            }
        }
    };
    let mut from = 0;
    for cut in cuts.iter().copied().chain([second.len()]) {
        decoder.feed(&second[from..cut]);
        from = cut;
        take(&mut decoder);
    }
    let ending = decoder.end();
    take(&mut decoder);
    let bytes = String::from_utf8(bytes).expect("utf-8");
    Seen { bytes, last, seam: decoder.seam(), ending, progress: decoder.progress().clone() }
}

/// What a client makes of a stream that knows nothing of gateways.
#[derive(Debug, Default, PartialEq)]
struct Read {
    text: String,
    roles: usize,
    finishes: usize,
    dones: usize,
    heads: BTreeSet<String>,
}

fn read(stream: &str) -> Read {
    let mut read = Read::default();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        assert_eq!(read.dones, 0, "nothing follows the terminator");
        if data == "[DONE]" {
            read.dones += 1;
            continue;
        }
        let chunk: Value = serde_json::from_str(data).expect("valid");
        let choice = &chunk["choices"][0];
        read.text += choice["delta"]["content"].as_str().unwrap_or_default();
        read.roles += usize::from(!choice["delta"]["role"].is_null());
        read.finishes += usize::from(!choice["finish_reason"].is_null());
        let head = ["id", "created", "model", "system_fingerprint"].map(|key| chunk[key].to_string());
        read.heads.insert(head.join(" "));
    }
    read
}

const LONG: &str = "Once upon a time there was a gateway that stood between two rivers; one ran dry. ";

#[test]
fn a_repeated_answer_flows_on_where_the_first_broke_off() {
    for (second, text) in [
        (whole("bb", &format!("{LONG}It held."), 7), "It held."),
        (whole("bb", &format!("{LONG}It held."), 1000), "It held."),
        (whole("bb", LONG, 5), ""),
    ] {
        let first = opening("a", LONG, 3);
        let seen = go_on(&first, Way::Repeat, second.as_bytes(), &[]);
        assert_eq!((seen.seam, &seen.ending), (Seam::Joined(Way::Repeat), &Ending::Complete(None)));
        let client = read(&(first + &seen.bytes));
        assert_eq!(client.text, format!("{LONG}{text}"));
        assert_eq!((client.roles, client.finishes, client.dones, client.heads.len()), (1, 1, 1, 1));
        let told = seen.bytes.lines().find(|line| line.contains("prompt_tokens")).expect("passed on");
        let told: Value = serde_json::from_str(&told["data: ".len()..]).expect("valid");
        assert_eq!(told["usage"], serde_json::from_str::<Value>(USAGE).expect("valid"));
        let usage = Usage { input: 100, output: 20, cached: 64, reasoning: 0 };
        let progress = Progress {
            content: true,
            finished: true,
            finish: Some(FinishReason::Stop),
            refused: false,
            usage: Some(usage),
            done: true,
        };
        assert_eq!(seen.progress, progress, "who repeats has counted everything");
    }
}

#[test]
fn a_continued_answer_is_counted_as_one() {
    let (first, second) = (opening("a", "Once upon", 3), whole("bb", " a time", 4));
    let seen = go_on(&first, Way::Prefill, second.as_bytes(), &[]);
    assert_eq!((seen.seam, &seen.ending), (Seam::Joined(Way::Prefill), &Ending::Complete(None)));
    assert_eq!(read(&(first + &seen.bytes)).text, "Once upon a time");
    let usage = Usage { input: 97, output: 23, cached: 64, reasoning: 0 };
    assert_eq!(seen.progress.usage, Some(usage), "three events of the first were part of the second's prompt");
    let told = seen.bytes.lines().find(|line| line.contains("prompt_tokens")).expect("passed on").to_owned();
    let told: Value = serde_json::from_str(&told["data: ".len()..]).expect("valid");
    let expected = json!({"prompt_tokens": 97, "completion_tokens": 23, "total_tokens": 120,
                          "prompt_tokens_details": {"cached_tokens": 64}});
    assert_eq!((&told["usage"], &told["id"]), (&expected, &json!("a")));
}

#[test]
fn what_cannot_be_joined_never_leaves() {
    use Mismatch::{Ambiguous, Kind, Short, Words};
    let refusal = event("b", &json!({"refusal": "no"}), None);
    let call = event("b", &json!({"tool_calls": [{"index": 0}]}), None);
    let second_choice = say("b", "x").replace("\"index\":0", "\"index\":1");
    let half = say("b", "half").replace("half", r"\ud83d");
    for (way, second, why) in [
        (Way::Repeat, whole("b", "Once upon a crime", 3), Words),
        (Way::Repeat, whole("b", &LONG[..40], 3), Short),
        (Way::Repeat, opening("b", &LONG[..40], 3) + &call, Short),
        (Way::Repeat, opening("b", &LONG[..40], 3) + &refusal, Kind),
        (Way::Repeat, refusal.clone(), Kind),
        (Way::Prefill, opening("b", &LONG[..20], 3) + &refusal, Kind),
        (Way::Prefill, second_choice.clone(), Kind),
        (Way::Repeat, second_choice, Kind),
        (Way::Prefill, half, Kind),
        (Way::Prefill, event("b", &json!({"content": [1]}), None), Kind),
        (Way::Prefill, event("b", &json!({"audio": {"id": "a"}}), None), Kind),
        (Way::Prefill, whole("b", &(LONG[..40].to_owned() + "#"), 3), Words),
        (Way::Prefill, whole("b", &LONG[..40], 3), Short),
        (Way::Prefill, opening("b", &LONG[..40], 3) + &call, Short),
    ] {
        let seen = go_on(&opening("a", LONG, 3), way, second.as_bytes(), &[]);
        assert_eq!((seen.bytes.as_str(), seen.seam), ("", Seam::Altered(why)), "{second}");
        assert!(matches!(seen.ending, Ending::Broken(Failure::NotAnAnswer(_))));
        assert!(!seen.progress.finished && seen.last.is_none());
    }
    let seen = go_on(&opening("a", "Once", 3), Way::Prefill, whole("b", "Once upon", 3).as_bytes(), &[]);
    assert_eq!((seen.bytes.as_str(), seen.seam), ("", Seam::Altered(Ambiguous)), "too short to tell");
}

#[test]
fn a_second_stream_that_breaks_off_undecided_is_only_truncated() {
    for (end, last) in [("", None), ("data: [DONE]\n\n", Some(Event::Done)), ("data: <\n\n", Some(Event::Garbage))] {
        for way in [Way::Repeat, Way::Prefill] {
            let seen = go_on(&opening("a", LONG, 3), way, (opening("b", "Once", 2) + end).as_bytes(), &[]);
            assert_eq!((seen.bytes.as_str(), &seen.last, seen.seam), ("", &last, Seam::Undecided));
            assert_eq!(seen.ending, Ending::Broken(Failure::Truncated));
        }
    }
}

#[test]
fn only_what_follows_the_seam_is_handed_on() {
    let role = json!({"role": "assistant", "content": ""});
    let call = event("b", &json!({"tool_calls": [{"index": 0, "function": {"name": "f"}}]}), None);
    let reasons = event("b", &json!({"reasoning": "hm", "content": null}), None);
    let both = event("b", &json!({"role": "assistant", "content": " so", "reasoning": "hm", "y": 1}), None);
    for (second, kinds) in [
        (": ping\n\n".to_owned() + &event("b", &role, None) + &reasons + &say("b", " so"), vec![" so"]),
        (both, vec![" so+y"]),
        (say("b", " so") + ": ping\n\n" + &reasons, vec![" so", "ping", "+reasoning"]),
        (say("b", " so") + &event("b", &role, None), vec![" so"]),
        (say("b", "On") + &say("b", "ce") + &say("b", "!"), vec!["On", "ce", "!"]),
        (say("b", "On") + &call, vec!["On", "+tool_calls"]),
        (call.clone(), vec!["+tool_calls"]),
        (
            event("b", &json!({}), Some("stop")) + &event("b", &json!({}), Some("stop")) + "data: [DONE]\n\n",
            vec!["stop", "", "done"],
        ),
        (say("b", " so") + "data: {\"error\":{\"message\":\"m\"}}\n\n" + &say("b", " on"), vec![" so"]),
        (say("b", " so") + &say("b", "half").replace("half", r"\udc00") + &say("b", " on"), vec![" so"]),
        (say("b", " so") + "data: [DONE]\n\n" + &say("b", " on"), vec![" so"]),
    ] {
        let seen = go_on(&opening("a", LONG, 3), Way::Prefill, second.as_bytes(), &[]);
        let kinds_of = |event: &str| -> String {
            let Some(data) = event.strip_prefix("data: ") else { return "ping".into() };
            let Ok(chunk) = serde_json::from_str::<Value>(data) else { return "done".into() };
            let choice = &chunk["choices"][0];
            let delta = choice["delta"].as_object().expect("a delta");
            let beside = delta.iter().filter(|(key, value)| *key != "content" && !value.is_null());
            let said = choice["delta"]["content"].as_str().or(choice["finish_reason"].as_str()).unwrap_or_default();
            said.to_owned() + &beside.map(|(key, _)| format!("+{key}")).collect::<String>()
        };
        let left: Vec<String> = seen.bytes.split_terminator("\n\n").map(kinds_of).collect();
        assert_eq!(left, kinds, "{second}");
    }
}

#[test]
fn an_error_or_garbage_is_handed_on_as_such() {
    let half = say("b", "half").replace("half", r"\udc00");
    for (second, name) in [
        ("data: {\"error\":{\"message\":\"m\"}}\n\n".to_owned(), "error"),
        (say("b", " so") + "data: {\"error\":{\"message\":\"m\"}}\n\n", "error"),
        ("data: <html>\n\n".to_owned(), "garbage"),
        (say("b", " so") + "data: <html>\n\n", "garbage"),
        (say("b", " so") + &half, "garbage"),
        (say("b", " so") + "data: [DONE]\n\n", "done"),
    ] {
        let seen = go_on(&opening("a", LONG, 3), Way::Prefill, second.as_bytes(), &[]);
        let said = match seen.last {
            Some(Event::Error(_)) => "error",
            Some(Event::Garbage) => "garbage",
            Some(Event::Done) => "done",
            other => panic!("{second}: {other:?}"),
        };
        assert_eq!(said, name, "{second}");
        assert_eq!((seen.ending, read(&seen.bytes).dones), (Ending::Broken(Failure::Truncated), 0));
    }
}

#[test]
fn a_terminator_is_supplied_where_the_provider_has_none() {
    let quirks = Quirks { done_marker: false };
    let mut decoder = Continuation::new(quirks, given(&opening("a", LONG, 3)), Way::Prefill);
    decoder.feed((say("b", " so") + event("b", &json!({}), Some("stop")).trim_end()).as_bytes());
    assert_eq!(decoder.end(), Ending::Complete(Some(Bytes::from_static(DONE))));
    assert_eq!(std::iter::from_fn(|| decoder.next_frame()).count(), 2, "a forgotten last blank line is forgiven");
}

#[test]
fn little_is_held() {
    let padded = |size: usize| {
        let bare = say("b", "O").len() - "data: \n\n".len();
        say("b", "O").replace("\"x\":1", &format!("\"x\":1{}", " ".repeat(size - bare)))
    };
    for (size, seam) in [(MAX_HELD, Seam::Joined(Way::Prefill)), (MAX_HELD + 1, Seam::Altered(Mismatch::TooMuch))] {
        let seen = go_on(&opening("a", LONG, 3), Way::Prefill, (padded(size) + &say("b", "!")).as_bytes(), &[]);
        assert_eq!(seen.seam, seam);
    }
}

#[test]
fn a_third_stream_goes_on_with_both() {
    let broken = opening("bb", " b", 1);
    for (way, second) in [(Way::Prefill, broken), (Way::Repeat, opening("bb", &format!("{LONG} b"), 4))] {
        let first = opening("a", LONG, 3);
        let broken_off = given(&(first.clone() + "data: <html>\n\n" + &say("a", "lost")));
        let mut decoder = Continuation::new(Quirks::default(), broken_off, way);
        decoder.feed((second + "data: <html>\n\n").as_bytes());
        let bytes: Vec<u8> = std::iter::from_fn(|| decoder.next_frame()).flat_map(|frame| frame.raw).collect();
        let both = decoder.into_transcript();
        assert_eq!((both.text(), both.obstacle()), (format!("{LONG} b").as_str(), None));
        let mut third = Continuation::new(Quirks::default(), both, Way::Prefill);
        third.feed(whole("c", " c", 1).as_bytes());
        let rest: Vec<u8> = std::iter::from_fn(|| third.next_frame()).flat_map(|frame| frame.raw).collect();
        assert_eq!(third.end(), Ending::Complete(None));
        let client = read(&(first + &String::from_utf8([bytes, rest].concat()).expect("utf-8")));
        assert_eq!(client.text, format!("{LONG} b c"));
        assert_eq!((client.roles, client.finishes, client.dones, client.heads.len()), (1, 1, 1, 1));
    }
}

/// Reads `second` whole, byte by byte and cut at `cuts`, which must not matter.
fn any_cuts(first: &str, way: Way, second: &str, cuts: &[f64]) -> Result<Seen, TestCaseError> {
    let seen = go_on(first, way, second.as_bytes(), &[]);
    let every: Vec<usize> = (0..second.len()).collect();
    let mut places: Vec<usize> = cuts.iter().map(|cut| (cut * second.len() as f64) as usize).collect();
    places.sort_unstable();
    prop_assert_eq!(&go_on(first, way, second.as_bytes(), &every), &seen);
    prop_assert_eq!(&go_on(first, way, second.as_bytes(), &places), &seen);
    Ok(seen)
}

/// `text` cut in two at `place`, neither part empty, on a character.
fn cut_in_two(text: &str, place: f64) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let at = ((chars.len() as f64 * place) as usize).clamp(1, chars.len() - 1);
    (chars[..at].iter().collect(), chars[at..].iter().collect())
}

/// The client reads `text` as one answer.
fn reads_as_one(first: &str, seen: &Seen, text: &str) -> Result<(), TestCaseError> {
    let client = read(&(first.to_owned() + &seen.bytes));
    prop_assert_eq!(&client.text, text);
    prop_assert_eq!((client.roles, client.finishes, client.dones, client.heads.len()), (1, 1, 1, 1));
    prop_assert_eq!(&seen.ending, &Ending::Complete(None));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_exact_repetition_reads_as_one_answer(
        text in "(\\PC|[a-z\n\"\\\\😀é]){2,60}", place in 0.0f64..1.0, steps in (1usize..6, 1usize..9),
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8),
    ) {
        let (given, _) = cut_in_two(&text, place);
        let first = opening("a", &given, steps.0);
        let seen = any_cuts(&first, Way::Repeat, &whole("bb", &text, steps.1), &cuts)?;
        prop_assert_eq!(seen.seam, Seam::Joined(Way::Repeat));
        reads_as_one(&first, &seen, &text)?;
    }

    #[test]
    fn nothing_of_an_altered_repetition_leaves(
        text in "[a-z😀é]{2,60}", place in 0.0f64..1.0, change in 0.0f64..1.0, steps in (1usize..6, 1usize..9),
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8), how in 0u8..3,
    ) {
        let (given, _) = cut_in_two(&text, place);
        let mut chars: Vec<char> = text.chars().collect();
        let at = (given.chars().count() as f64 * change) as usize;
        match how {
            0 => chars[at] = 'X',
            1 => chars.insert(at, 'X'),
            _ => chars.truncate(at),
        }
        let altered: String = chars.into_iter().collect();
        let seen = any_cuts(&opening("a", &given, steps.0), Way::Repeat, &whole("bb", &altered, steps.1), &cuts)?;
        prop_assert_eq!(&seen.bytes, "");
        prop_assert!(matches!(seen.seam, Seam::Altered(_)));
        prop_assert!(matches!(seen.ending, Ending::Broken(_)));
    }

    #[test]
    fn a_true_continuation_reads_as_one_answer(
        text in "(\\PC|[a-c\n\"😀é]){2,60}", place in 0.0f64..1.0, steps in (1usize..6, 1usize..9),
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8),
    ) {
        let (given, rest) = cut_in_two(&text, place);
        let same = given.chars().zip(rest.chars()).take_while(|(a, b)| a == b).count();
        prop_assume!(same < seam::CHANCE && same < given.chars().count());
        let first = opening("a", &given, steps.0);
        let seen = any_cuts(&first, Way::Prefill, &whole("bb", &rest, steps.1), &cuts)?;
        prop_assert_eq!(seen.seam, Seam::Joined(Way::Prefill));
        reads_as_one(&first, &seen, &text)?;
    }

    #[test]
    fn a_target_that_ignores_the_beginning_reads_as_one_answer(
        given in "[a-zé ]{64,120}", rest in "\\PC{0,20}", steps in (1usize..6, 1usize..99),
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8),
    ) {
        let (first, text) = (opening("a", &given, steps.0), format!("{given}{rest}"));
        let seen = any_cuts(&first, Way::Prefill, &whole("bb", &text, steps.1), &cuts)?;
        prop_assert_eq!(seen.seam, Seam::Joined(Way::Repeat));
        reads_as_one(&first, &seen, &text)?;
    }

    #[test]
    fn no_stream_makes_it_panic_or_speak_twice(
        picks in proptest::collection::vec(0usize..9, 0..16), way in 0u8..2,
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8),
    ) {
        let all = [
            say("b", "Once "), say("b", "upon"), say("b", "#"), event("b", &json!({}), Some("stop")),
            event("b", &json!({"role": "assistant"}), None), event("b", &json!({"reasoning": "hm"}), None),
            event("b", &json!({"content": " a", "tool_calls": [{"index": 0}]}), Some("length")),
            ": ping\n\n".to_owned(), "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\r".to_owned(),
        ];
        let second: String = picks.into_iter().map(|pick| all[pick].as_str()).collect();
        let way = if way == 0 { Way::Repeat } else { Way::Prefill };
        let first = opening("a", "Once upon a", 3);
        let seen = any_cuts(&first, way, &second, &cuts)?;
        let client = read(&(first + &seen.bytes));
        prop_assert!(client.roles == 1 && client.finishes <= 1 && client.dones == 0);
        prop_assert!(client.text.starts_with("Once upon a"));
    }
}
