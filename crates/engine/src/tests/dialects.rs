//! Contracts hold whatever the client speaks and whatever its providers do: mended, asked again, taken out, advised.

use super::heard::{NO, YES, says_so};
use super::script::{Script, events, hangs, head, json};
use super::stage::*;
use bytes::{Bytes, BytesMut};
use contracts::{Action, Check, Policy, Step};
use dialects::{Ending, Head, StreamDecoder, Writer, each_data, read_answer, write_answer};
use llm::{Api, AttemptKind, CheckResult, Degraded, Delta, Dialect, FinishReason, Outcome, StreamEnd, Usage, Verdict};
use serde_json::Value;

/// Who speaks what: the client and its provider.
const PAIRS: [(Dialect, Dialect); 11] = [
    (Dialect::Anthropic, Dialect::Anthropic),
    (Dialect::Gemini, Dialect::Gemini),
    (Dialect::Responses, Dialect::Responses),
    (Dialect::OpenAiChat, Dialect::Anthropic),
    (Dialect::OpenAiChat, Dialect::Gemini),
    (Dialect::OpenAiChat, Dialect::Responses),
    (Dialect::Anthropic, Dialect::OpenAiChat),
    (Dialect::Gemini, Dialect::Anthropic),
    (Dialect::Responses, Dialect::Gemini),
    (Dialect::Responses, Dialect::OpenAiChat),
    (Dialect::Anthropic, Dialect::Responses),
];

const SCHEMA: &str =
    r#"{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"],"additionalProperties":false}"#;
const SOUND: &str = r#"{"age":3}"#;
const ADDRESS: &str = "ada@mail.example";

/// The form that [`SCHEMA`] demands, in a client's words.
fn form(client: Dialect) -> String {
    match client {
        Dialect::OpenAiChat => format!(
            r#","response_format":{{"type":"json_schema","json_schema":{{"name":"person","schema":{SCHEMA}}}}}"#
        ),
        Dialect::Anthropic => {
            format!(r#","output_config":{{"format":{{"type":"json_schema","schema":{SCHEMA}}}}}"#)
        }
        Dialect::Gemini => {
            format!(r#","generationConfig":{{"responseMimeType":"application/json","responseJsonSchema":{SCHEMA}}}"#)
        }
        Dialect::Other(operation) => panic!("{operation:?} is no answer"),
        Dialect::Responses => {
            format!(r#","text":{{"format":{{"type":"json_schema","name":"person","schema":{SCHEMA}}}}}"#)
        }
    }
}

/// An answer that says `text` in pieces of `size` bytes.
fn says(provider: Dialect, stream: bool, text: &str, size: usize) -> Script {
    let pieces = text.as_bytes().chunks(size).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
    let mut deltas = vec![Delta::Began { id: "theirs".into(), model: "m".into() }];
    deltas.extend(pieces.map(|text| Delta::Text { choice: 0, text }));
    deltas.push(Delta::Ended { choice: 0, finish: FinishReason::Stop, stop: None });
    deltas.push(Delta::Used(Usage { input: 5, output: 2, ..Usage::default() }));
    let head = Head { id: "theirs".into(), model: "m".into(), created: 1, usage: true, ..Head::default() };
    if !stream {
        return json(200, write_answer(provider, &head, &deltas));
    }
    let (mut writer, mut out) = (Writer::of(provider, false, head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    events().say(out.freeze())
}

/// What the client reads, and whether it is whole.
fn read(client: Dialect, stream: bool, played: &Played) -> (String, bool) {
    let raw = Bytes::from(played.text());
    if !stream {
        let answer = read_answer(client, &raw).unwrap();
        return (answer.choices[0].text.clone(), true);
    }
    let (mut decoder, mut gatherer) =
        (StreamDecoder::of(Api::Shared(client), dialects::Quirks::default()), dialects::Gatherer::of(client));
    decoder.feed(&raw);
    while let Some(frame) = decoder.next_frame() {
        if !matches!(frame.event, llm::Event::Error(_)) {
            gatherer.push(&frame.raw, |_, _, _| {}).unwrap();
        }
    }
    let whole = matches!(decoder.end(), Ending::Complete(_));
    let answer = gatherer.finish();
    (answer.choices.first().map(|choice| choice.text.clone()).unwrap_or_default(), whole)
}

fn result(played: &Played, check: &str) -> Option<CheckResult> {
    played.record.checks.iter().find(|checked| checked.check == check).map(|checked| checked.result)
}

/// A call of every pair, whole and streamed, with the scripts of its providers, all of which speak the same.
fn stages(scripts: impl Fn(Dialect, bool) -> Vec<Script>) -> Vec<(Dialect, bool, Stage, String)> {
    let mut stages = Vec::new();
    for (client, provider) in PAIRS {
        for stream in [false, true] {
            let scripts = scripts(provider, stream);
            let count = scripts.len();
            let stage = Stage::new(stream, scripts).client(client);
            let stage = (0..count).fold(stage, |stage, place| stage.api(place, provider));
            stages.push((client, stream, stage, format!("{provider:?} to {client:?}, stream {stream}")));
        }
    }
    stages
}

#[tokio::test(start_paused = true)]
async fn what_satisfies_its_contract_is_handed_on() {
    for (client, stream, stage, shown) in stages(|provider, stream| vec![says(provider, stream, SOUND, 2)]) {
        let played = stage.fields(&form(client)).play().await;
        assert_eq!(read(client, stream, &played), (SOUND.to_owned(), true), "{shown}");
        assert_eq!(
            (played.record.outcome, result(&played, "schema")),
            (Outcome::Success, Some(CheckResult::Passed)),
            "{shown}"
        );
        assert_eq!(played.record.usage.map(|usage| (usage.input, usage.output)), Some((5, 2)), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_be_mended_is_mended() {
    for said in ["```json\n{\"age\":3}\n```", "Here it is: {\"age\":3} Enjoy!"] {
        for (client, stream, stage, shown) in stages(|provider, stream| vec![says(provider, stream, said, 4)]) {
            let played = stage.fields(&form(client)).play().await;
            assert_eq!(read(client, stream, &played), (SOUND.to_owned(), true), "{shown}: {}", played.text());
            let record = &played.record;
            assert_eq!((record.outcome, record.degraded), (Outcome::Degraded, Some(Degraded::Repaired)), "{shown}");
            assert_eq!(result(&played, "schema"), Some(CheckResult::Repaired), "{shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_is_told_what_is_wrong_in_its_own_dialect() {
    let bad = r#"{"name":"x"}"#;
    for (client, provider) in PAIRS {
        for stream in [false, true] {
            let shown = format!("{provider:?} to {client:?}, stream {stream}");
            let stage = Stage::new(stream, [says(provider, stream, bad, 3), hangs()]).client(client);
            let stage = stage.api(0, provider).then(0, says(provider, stream, SOUND, 3)).fields(&form(client));
            let played = stage.play().await;
            assert_eq!(read(client, stream, &played), (SOUND.to_owned(), true), "{shown}: {}", played.text());
            let kinds: Vec<_> = played.record.attempts.iter().map(|attempt| (attempt.kind, attempt.verdict)).collect();
            let expected = [(AttemptKind::First, Verdict::SemanticFailure), (AttemptKind::Reask, Verdict::Success)];
            assert_eq!((kinds, played.record.outcome), (expected.to_vec(), Outcome::Success), "{shown}");
            let asked: Value = serde_json::from_slice(&played.counts.sent[1].body).unwrap();
            let turns = ["messages", "input", "contents"].into_iter().find_map(|name| asked[name].as_array()).unwrap();
            let roles: Vec<_> = turns.iter().filter_map(|turn| turn["role"].as_str()).collect();
            let assistant = if provider == Dialect::Gemini { "model" } else { "assistant" };
            assert!(roles.ends_with(&["user", assistant, "user"]), "{shown}: {asked}");
            assert!(asked.to_string().contains(r#"{\"name\":\"x\"}"#), "{shown}: {asked}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_keeps_it_the_client_gets_nothing_of_it() {
    let bad = r#"{"age":"old"}"#;
    let scripts = |provider, stream| vec![says(provider, stream, bad, 3)];
    for (client, stream, stage, shown) in stages(scripts) {
        let fail = |policy: &mut Policy| policy.on_violation = vec![Step::Fail];
        let played = stage.fields(&form(client)).contract(fail).play().await;
        assert_eq!((played.record.outcome, played.head.is_err()), (Outcome::Invalid, !stream), "{shown}");
        assert!(!played.text().contains("old"), "{shown}: {}", played.text());
        if stream {
            assert_eq!(played.record.stream_end, Some(StreamEnd::Unmet), "{shown}");
            assert!(!read(client, stream, &played).1, "{shown}: {}", played.text());
            // One event, in the client's form.
            let mut errors = 0;
            each_data(Api::Shared(client), played.text().as_bytes(), |data| {
                errors += usize::from(std::str::from_utf8(data).unwrap().contains("\"error\":{"));
                Ok::<_, ()>(())
            })
            .unwrap();
            // Responses say it twice: by itself, and as the state of the answer.
            assert_eq!(errors, 1 + usize::from(client == Dialect::Responses), "{shown}: {}", played.text());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn personal_data_is_taken_out() {
    let taken_out = |policy: &mut Policy| {
        policy.require.insert(Check::Pii);
        policy.pii_action = Action::Redact;
        policy.on_violation = vec![Step::Fail];
    };
    let said = format!("Write to {ADDRESS}, soon.");
    for size in [1, 7, 1000] {
        for (client, stream, stage, shown) in stages(|provider, stream| vec![says(provider, stream, &said, size)]) {
            let played = stage.contract(taken_out).play().await;
            let expected = ("Write to <EMAIL_ADDRESS>, soon.".to_owned(), true);
            assert_eq!(read(client, stream, &played), expected, "{shown}: {}", played.text());
            assert!(!played.text().contains("mail.example"), "{shown}: {}", played.text());
            assert_eq!(played.record.degraded, Some(Degraded::Redacted), "{shown}");
            assert_eq!(result(&played, "pii"), Some(CheckResult::Redacted), "{shown}");
            assert_eq!(played.record.usage.map(|usage| (usage.input, usage.output)), Some((5, 2)), "{shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_adviser_reads_the_same_answer_whatever_its_dialect() {
    let scripts = |provider, stream| vec![says(provider, stream, "It costs 5.", 3), says(provider, stream, "Fine.", 3)];
    for (client, stream, stage, shown) in stages(scripts) {
        let adviser = says_so(5, [Ok(NO), Ok(YES)]);
        let failover = |policy: &mut Policy| policy.on_violation = vec![Step::Failover];
        let played = stage.advised_by(adviser.clone(), false).contract(failover).play().await;
        assert_eq!(read(client, stream, &played), ("Fine.".to_owned(), true), "{shown}: {}", played.text());
        assert_eq!(
            (played.record.outcome, result(&played, "webhook")),
            (Outcome::Degraded, Some(CheckResult::Passed)),
            "{shown}"
        );
        let asked = adviser.asked();
        assert_eq!(asked.len(), 2, "{shown}");
        let told: Vec<_> = asked.iter().map(|question| question["answer"].to_string()).collect();
        assert!(told[0].contains("It costs 5.") && told[1].contains("Fine."), "{shown}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_is_still_a_list() {
    let entry = |text: &str| {
        format!(r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"{text}"}}]}},"index":0}}]}}"#)
    };
    let of_gemini = || head(200).header("content-type", "application/json").say(format!("[{}", entry("hi"))).cut();
    let of_chat = || events().say([ROLE, HI].concat()).cut();
    // A call is only said when all of it is there.
    let called = r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}"#;
    let of_a_call = || events().say(format!("{called}\n\n")).cut();
    let unmet = || says(Dialect::OpenAiChat, true, r#"{"age":"old"}"#, 3);
    for (provider, script, held, entries) in [
        (Dialect::Gemini, of_gemini(), false, 2),
        (Dialect::OpenAiChat, of_chat(), false, 2),
        (Dialect::OpenAiChat, of_a_call(), false, 1),
        (Dialect::OpenAiChat, unmet(), true, 1),
    ] {
        let stage = streamed([script]).client(Dialect::Gemini).api(0, provider);
        let stage = if held {
            stage.fields(&form(Dialect::Gemini)).contract(|policy| policy.on_violation = vec![Step::Fail])
        } else {
            stage
        };
        let mut call = stage.call();
        call.request.listed = true;
        let text = stage.finish(call).await.text();
        let list: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(list.len(), entries, "{text}");
        assert!(list.last().unwrap()["error"].is_object(), "{text}");
    }
}
