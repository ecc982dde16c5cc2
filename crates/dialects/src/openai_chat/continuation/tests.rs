//! Two streams, read as the client reads them: as one.

use super::withheld::parting;
use super::*;
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

/// What is handed over of `text`, of which enough can be withheld.
fn handed(text: &str) -> Handed {
    Handed { bytes: parting(text).expect("a place to part it"), limited: false, echoed: false }
}

fn prefill(text: &str) -> Way {
    Way::Prefill(handed(text))
}

/// What is withheld of `text`.
fn withheld(text: &str) -> &str {
    &text[handed(text).bytes..]
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

/// Reads `second` whole and byte by byte, which must not matter.
fn go_on(first: &str, way: Way, second: &[u8]) -> Seen {
    let every: Vec<usize> = (0..second.len()).collect();
    let (seen, by_bytes) = (go_on_at(first, way, second, &[]), go_on_at(first, way, second, &every));
    assert_eq!(seen, by_bytes);
    seen
}

fn go_on_at(first: &str, way: Way, second: &[u8], cuts: &[usize]) -> Seen {
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
/// What is withheld of it.
const END: &str = " rivers; one ran dry. ";

#[test]
fn a_repeated_answer_flows_on_where_the_first_broke_off() {
    for (second, text) in [
        (whole("bb", &format!("{LONG}It held."), 7), "It held."),
        (whole("bb", &format!("{LONG}It held."), 1000), "It held."),
        (whole("bb", LONG, 5), ""),
    ] {
        let first = opening("a", LONG, 3);
        let seen = go_on(&first, Way::Repeat, second.as_bytes());
        assert_eq!((seen.seam, &seen.ending), (Seam::Joined(Overlap::All), &Ending::Complete(None)));
        let client = read(&(first + &seen.bytes));
        assert_eq!(client.text, format!("{LONG}{text}"));
        assert_eq!((client.roles, client.finishes, client.dones, client.heads.len()), (1, 1, 1, 1));
        let told = seen.bytes.lines().find(|line| line.contains("prompt_tokens")).expect("passed on");
        let told: Value = serde_json::from_str(&told["data: ".len()..]).expect("valid");
        assert_eq!(told["usage"], serde_json::from_str::<Value>(USAGE).expect("valid"));
        let usage = Usage { input: 100, output: 20, cached: 64, reasoning: 0, ..Usage::default() };
        let progress = Progress {
            content: true,
            finished: true,
            finish: Some(FinishReason::Stop),
            refused: false,
            usage: Some(usage),
            done: true,
            ..Progress::default()
        };
        assert_eq!(seen.progress, progress, "who repeats has counted everything");
    }
}

/// The usage that the client of `seen` is told, and under which name.
fn told(seen: &Seen) -> (Value, Value) {
    let told = seen.bytes.lines().find(|line| line.contains("prompt_tokens")).expect("passed on");
    let told: Value = serde_json::from_str(&told["data: ".len()..]).expect("valid");
    (told["usage"].clone(), told["id"].clone())
}

#[test]
fn a_continued_answer_is_counted_as_one() {
    assert_eq!(withheld(LONG), END);
    // 81 characters in events of 3, the last 22 of which are withheld: 19 events lie wholly before those.
    let (first, second) = (opening("a", LONG, 3), whole("bb", &format!("{END}It held."), 4));
    let seen = go_on(&first, prefill(LONG), second.as_bytes());
    assert_eq!((seen.seam, &seen.ending), (Seam::Joined(Overlap::End), &Ending::Complete(None)));
    assert_eq!(read(&(first + &seen.bytes)).text, format!("{LONG}It held."));
    let usage = Usage { input: 81, output: 39, cached: 64, reasoning: 0, ..Usage::default() };
    assert_eq!(seen.progress.usage, Some(usage), "what was handed over is no part of the client's question");
    let expected = json!({"prompt_tokens": 81, "completion_tokens": 39, "total_tokens": 120,
                          "prompt_tokens_details": {"cached_tokens": 64}});
    assert_eq!(told(&seen), (expected, json!("a")));
}

#[test]
fn an_echo_or_a_repetition_of_all_is_counted_once() {
    let second = whole("bb", &format!("{LONG}It held."), 4);
    for (echoed, output) in [(false, 20), (true, 39)] {
        let way = Way::Prefill(Handed { echoed, ..handed(LONG) });
        let seen = go_on(&opening("a", LONG, 3), way, second.as_bytes());
        assert_eq!((seen.seam, &seen.ending), (Seam::Joined(Overlap::All), &Ending::Complete(None)));
        assert_eq!(
            seen.progress.usage,
            Some(Usage { input: 81, output, cached: 64, reasoning: 0, ..Usage::default() })
        );
        let (usage, _) = told(&seen);
        assert_eq!([&usage["prompt_tokens"], &usage["completion_tokens"]], [81, output], "{echoed}");
    }
}

#[test]
fn the_withheld_end_and_a_stop_are_an_end_and_a_stop_alone_is_none() {
    let (first, way) = (opening("a", LONG, 3), prefill(LONG));
    for (end, seam) in [
        (END, Seam::Joined(Overlap::End)),
        (&END[1..], Seam::Joined(Overlap::End)),
        (LONG, Seam::Joined(Overlap::All)),
        ("", Seam::Altered(Mismatch::Short)),
        (&END[..END.len() - 1], Seam::Altered(Mismatch::Short)),
    ] {
        let seen = go_on(&first, way, whole("b", end, 4).as_bytes());
        assert_eq!(seen.seam, seam, "{end}");
        let client = read(&(first.clone() + &seen.bytes));
        let ended = usize::from(matches!(seam, Seam::Joined(_)));
        assert_eq!((client.text.as_str(), client.finishes, client.dones), (LONG, ended, ended), "{end}");
        assert_eq!(seen.ending == Ending::Complete(None), ended == 1, "{end}");
    }
}

#[test]
fn a_limit_that_was_lowered_ends_no_answer() {
    let length = |text: &str| event("b", &json!({ "content": text }), Some("length")) + "data: [DONE]\n\n";
    let limited = |limited| Way::Prefill(Handed { limited, ..handed(LONG) });
    for (way, said, text, seam) in [
        (limited(true), END, "", Seam::Altered(Mismatch::Limit)),
        (limited(true), LONG, "", Seam::Altered(Mismatch::Limit)),
        (limited(true), END, "It held", Seam::Altered(Mismatch::Limit)),
        (limited(true), LONG, "It held", Seam::Altered(Mismatch::Limit)),
        (limited(false), END, "It held", Seam::Joined(Overlap::End)),
        (Way::Repeat, LONG, "It held", Seam::Joined(Overlap::All)),
    ] {
        for second in [
            opening("b", &format!("{said}{text}"), 4) + &length(""),
            opening("b", said, 4) + &length(text),
            length(&format!("{said}{text}")),
        ] {
            let seen = go_on(&opening("a", LONG, 3), way, second.as_bytes());
            let client = read(&seen.bytes);
            let ended = usize::from(matches!(seam, Seam::Joined(_)));
            assert_eq!((seen.seam, client.text.as_str(), client.finishes), (seam, text, ended), "{way:?} {second}");
            assert_eq!((client.dones, seen.progress.finished), (ended, ended == 1), "{way:?} {second}");
            assert_eq!(seen.last, Some(Event::Done));
        }
    }
}

#[test]
fn what_cannot_be_joined_never_leaves() {
    use Mismatch::{Kind, Short, Words};
    let refusal = event("b", &json!({"refusal": "no"}), None);
    let call = event("b", &json!({"tool_calls": [{"index": 0}]}), None);
    let second_choice = say("b", "x").replace("\"index\":0", "\"index\":1");
    let half = say("b", "half").replace("half", r"\ud83d");
    let prefill = prefill(LONG);
    for (way, second, why) in [
        (Way::Repeat, whole("b", "Once upon a crime", 3), Words),
        (Way::Repeat, whole("b", &LONG[..40], 3), Short),
        (Way::Repeat, opening("b", &LONG[..40], 3) + &call, Short),
        (Way::Repeat, opening("b", &LONG[..40], 3) + &refusal, Kind),
        (Way::Repeat, refusal.clone(), Kind),
        (Way::Repeat, second_choice.clone(), Kind),
        (prefill, opening("b", &LONG[..20], 3) + &refusal, Kind),
        (prefill, second_choice, Kind),
        (prefill, half, Kind),
        (prefill, event("b", &json!({"content": [1]}), None), Kind),
        (prefill, event("b", &json!({"audio": {"id": "a"}}), None), Kind),
        // It answers anew, in its own words, from wherever.
        (prefill, whole("b", "Once upon a crime there was", 3), Words),
        (prefill, whole("b", &(LONG[..40].to_owned() + "#"), 3), Words),
        (prefill, whole("b", &format!("Sure! {LONG}"), 3), Words),
        (prefill, whole("b", "It held.", 3), Words),
        (prefill, whole("b", &format!(" {END}"), 3), Words),
        (prefill, whole("b", &END[2..], 3), Words),
        (prefill, whole("b", &LONG[..40], 3), Short),
        (prefill, whole("b", "", 3), Short),
        (prefill, opening("b", &LONG[..40], 3) + &call, Short),
        (prefill, call, Short),
    ] {
        let seen = go_on(&opening("a", LONG, 3), way, second.as_bytes());
        assert_eq!((seen.bytes.as_str(), seen.seam), ("", Seam::Altered(why)), "{second}");
        assert!(matches!(seen.ending, Ending::Broken(Failure::NotAnAnswer(_))));
        assert!(!seen.progress.finished && seen.last.is_none());
    }
}

#[test]
fn a_second_stream_that_breaks_off_undecided_is_only_truncated() {
    for (end, last) in [("", None), ("data: [DONE]\n\n", Some(Event::Done)), ("data: <\n\n", Some(Event::Garbage))] {
        for way in [Way::Repeat, prefill(LONG)] {
            let seen = go_on(&opening("a", LONG, 3), way, (opening("b", "Once", 2) + end).as_bytes());
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
    let end = || opening("b", END, 4);
    for (second, kinds) in [
        (": ping\n\n".to_owned() + &reasons + &end() + &event("b", &role, None) + &say("b", " so"), vec![" so"]),
        (opening("b", END.trim_end(), 4) + &both, vec!["so+y"]),
        (end() + ": ping\n\n" + &reasons, vec!["ping", "+reasoning"]),
        (end() + &say("b", "On") + &call, vec!["On", "+tool_calls"]),
        (end() + &call, vec!["+tool_calls"]),
        (
            end() + &event("b", &json!({}), Some("stop")).repeat(2) + "data: [DONE]\n\n" + &say("b", " on"),
            vec!["stop", "", "done"],
        ),
        (end() + &say("b", " so") + "data: {\"error\":{\"message\":\"m\"}}\n\n" + &say("b", " on"), vec![" so"]),
        (end() + &say("b", " so") + &say("b", "half").replace("half", r"\udc00") + &say("b", " on"), vec![" so"]),
        (end() + &say("b", " so") + "data: [DONE]\n\n" + &say("b", " on"), vec![" so"]),
    ] {
        let seen = go_on(&opening("a", LONG, 3), prefill(LONG), second.as_bytes());
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
    let so = || say("b", END) + &say("b", " so");
    for (second, name) in [
        ("data: {\"error\":{\"message\":\"m\"}}\n\n".to_owned(), "error"),
        (so() + "data: {\"error\":{\"message\":\"m\"}}\n\n", "error"),
        ("data: <html>\n\n".to_owned(), "garbage"),
        (so() + "data: <html>\n\n", "garbage"),
        (so() + &half, "garbage"),
        (so() + "data: [DONE]\n\n", "done"),
    ] {
        let seen = go_on(&opening("a", LONG, 3), prefill(LONG), second.as_bytes());
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
    let quirks = Quirks { done_marker: false, ..Quirks::default() };
    let mut decoder = Continuation::new(quirks, given(&opening("a", LONG, 3)), prefill(LONG));
    decoder.feed((say("b", END) + &say("b", " so") + event("b", &json!({}), Some("stop")).trim_end()).as_bytes());
    assert_eq!(decoder.end(), Ending::Complete(Some(Bytes::from_static(DONE))));
    assert_eq!(std::iter::from_fn(|| decoder.next_frame()).count(), 2, "a forgotten last blank line is forgiven");
}

#[test]
fn a_third_stream_goes_on_with_both() {
    for (way, second) in [(prefill(LONG), format!("{END}Then b")), (Way::Repeat, format!("{LONG}Then b"))] {
        let (first, text) = (opening("a", LONG, 3), format!("{LONG}Then b"));
        let broken_off = given(&(first.clone() + "data: <html>\n\n" + &say("a", "lost")));
        let mut decoder = Continuation::new(Quirks::default(), broken_off, way);
        decoder.feed((opening("bb", &second, 4) + "data: <html>\n\n").as_bytes());
        let bytes: Vec<u8> = std::iter::from_fn(|| decoder.next_frame()).flat_map(|frame| frame.raw).collect();
        let both = decoder.into_transcript();
        assert_eq!((both.text(), both.obstacle()), (text.as_str(), None));
        let mut third = Continuation::new(Quirks::default(), both, prefill(&text));
        third.feed(whole("c", &format!("{} c", withheld(&text)), 1).as_bytes());
        let rest: Vec<u8> = std::iter::from_fn(|| third.next_frame()).flat_map(|frame| frame.raw).collect();
        assert_eq!(third.end(), Ending::Complete(None));
        let client = read(&(first + &String::from_utf8([bytes, rest].concat()).expect("utf-8")));
        assert_eq!(client.text, format!("{text} c"));
        assert_eq!((client.roles, client.finishes, client.dones, client.heads.len()), (1, 1, 1, 1));
    }
}

#[test]
fn what_one_target_counted_of_another_is_not_held_for_the_truth() {
    let counted =
        |text: &str| say("bb", text).replace("\"x\":1", r#""usage":{"prompt_tokens":9,"completion_tokens":1},"x":1"#);
    let mut decoder = Continuation::new(Quirks::default(), given(&opening("a", LONG, 3)), prefill(LONG));
    decoder.feed((counted(END) + &counted("Then") + "data: <html>\n\n").as_bytes());
    let both = decoder.into_transcript();
    assert_eq!(both.most_tokens_before(LONG.len()), LONG.len() as u64);
}

/// Reads `second` whole, byte by byte and cut at `cuts`, which must not matter.
fn any_cuts(first: &str, way: Way, second: &str, cuts: &[f64]) -> Result<Seen, TestCaseError> {
    let seen = go_on(first, way, second.as_bytes());
    let mut places: Vec<usize> = cuts.iter().map(|cut| (cut * second.len() as f64) as usize).collect();
    places.sort_unstable();
    prop_assert_eq!(&go_on_at(first, way, second.as_bytes(), &places), &seen);
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
        prop_assert_eq!(seen.seam, Seam::Joined(Overlap::All));
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

    /// Whoever goes on, or says all of it once more, is joined exactly where the text ended.
    #[test]
    fn a_target_that_goes_on_reads_as_one_answer(
        words in proptest::collection::vec("[a-zé]{1,7}[,.]?|😀|\n\n|```\r\n", 8..40), place in 0.3f64..1.0,
        steps in (1usize..6, 1usize..40), cuts in proptest::collection::vec(0.0f64..1.0, 0..8), target in 0usize..4,
    ) {
        let text = words.join(" ");
        let (given, rest) = cut_in_two(&text, place);
        prop_assume!(parting(&given).is_some());
        let (first, end) = (opening("a", &given, steps.0), withheld(&given));
        let (said, overlap) = match target {
            0 => (format!("{end}{rest}"), Overlap::End),
            1 => (format!("{}{rest}", &end[1..]), Overlap::End),
            2 => (text.clone(), Overlap::All),
            _ => (given.clone(), Overlap::All),
        };
        let text = if target == 3 { &given } else { &text };
        let seen = any_cuts(&first, prefill(&given), &whole("bb", &said, steps.1), &cuts)?;
        prop_assert_eq!(seen.seam, Seam::Joined(overlap));
        reads_as_one(&first, &seen, text)?;
    }

    /// Whatever a target says that does not go on: not a character of it reaches the client.
    #[test]
    fn a_target_that_answers_anew_is_never_mixed_in(
        given in "[a-d]{1,5}( [a-e]{1,5}[,.]?){6,20}", other in "( ?[a-e]{1,5}){0,20}", from in 0.0f64..1.0,
        steps in (1usize..6, 1usize..40), cuts in proptest::collection::vec(0.0f64..1.0, 0..8), target in 0usize..5,
    ) {
        prop_assume!(parting(&given).is_some());
        let end = withheld(&given);
        let at = (given.len() as f64 * from) as usize;
        let said = match target {
            0 => other,
            // It opens as the answer did, or as what was withheld does, and then has other words.
            1 => format!("{}{other}", &given[..at]),
            2 => format!("{}X{other}", &end[..at % end.len()]),
            3 => format!("Sure! {given}{other}"),
            // It goes on from another place than the one where it was to.
            _ => format!("{}{other}", &given[at..]),
        };
        let joins = [&given, end, &end[1..]].iter().any(|overlap| said.starts_with(*overlap));
        let seen = any_cuts(&opening("a", &given, steps.0), prefill(&given), &whole("bb", &said, steps.1), &cuts)?;
        prop_assert_eq!(matches!(seen.seam, Seam::Joined(_)), joins);
        if !joins {
            prop_assert_eq!(&seen.bytes, "");
            prop_assert!(matches!(seen.seam, Seam::Altered(_)) && matches!(seen.ending, Ending::Broken(_)));
        }
    }

    #[test]
    fn no_stream_makes_it_panic_or_speak_twice(
        picks in proptest::collection::vec(0usize..10, 0..16), way in 0usize..3,
        cuts in proptest::collection::vec(0.0f64..1.0, 0..8),
    ) {
        let all = [
            say("b", " rivers; one"), say("b", " ran dry. "), say("b", LONG), say("b", "#"), event("b", &json!({}), Some("stop")),
            event("b", &json!({"role": "assistant"}), None), event("b", &json!({"reasoning": "hm"}), None),
            event("b", &json!({"content": " a", "tool_calls": [{"index": 0}]}), Some("length")),
            ": ping\n\n".to_owned(), "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\r".to_owned(),
        ];
        let second: String = picks.into_iter().map(|pick| all[pick].as_str()).collect();
        let limited = |limited| Way::Prefill(Handed { limited, ..handed(LONG) });
        let way = [Way::Repeat, limited(false), limited(true)][way];
        let first = opening("a", LONG, 3);
        let seen = any_cuts(&first, way, &second, &cuts)?;
        let client = read(&(first + &seen.bytes));
        prop_assert!(client.roles == 1 && client.finishes <= 1 && client.dones == 0);
        prop_assert!(client.text.starts_with(LONG));
    }
}
