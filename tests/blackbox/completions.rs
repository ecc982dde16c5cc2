//! Clients that want a text completed (OpenAI's older API), over providers that have no completions: whole, streamed, and
//! on bad days.

use crate::client::{Ask, End};
use crate::dialect::{Dialect, model_of};
use crate::gateway::Gateway;
use crate::heard::{Heard, count, errors, objects, text, told};
use crate::provider::{Raw, streamed, whole};
use crate::speech::{answer, refusal, speech};
use serde_json::{Value, json};

const PATH: &str = "/v1/completions";

/// Asks `model` to go on.
pub(crate) fn ask(model: &str, stream: bool, fields: Value) -> Ask {
    let mut body = json!({"model": model, "prompt": "hi there", "stream": stream});
    if stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    let (Value::Object(all), Value::Object(fields)) = (&mut body, fields) else { panic!("objects") };
    all.extend(fields);
    Ask::to(PATH, body.to_string())
}

/// What an answer says, and whether a streamed one ends once, with the terminator.
pub(crate) fn heard(stream: bool, body: &[u8]) -> (Heard, bool) {
    let (mut heard, objects) = (Heard::default(), objects(stream, body));
    for object in objects.iter().filter(|object| object.is_object()) {
        assert_eq!(object["object"], "text_completion", "{object}");
        assert!(text(&object["id"]).len() > 1 && object["created"].is_u64() && object["model"].is_string(), "{object}");
        let choice = &object["choices"][0];
        assert!(choice.is_null() || choice["text"].is_string() && choice["logprobs"].is_null(), "{object}");
        heard.text += text(&choice["text"]);
        heard.finish += text(&choice["finish_reason"]);
        let usage = &object["usage"];
        if usage.is_object() {
            let [input, output] = ["prompt_tokens", "completion_tokens"].map(|name| count(&usage[name]));
            assert_eq!(count(&usage["total_tokens"]), input + output, "{usage}");
            let cached = count(&usage["prompt_tokens_details"]["cached_tokens"]);
            heard.tokens = [input, output, cached, count(&usage["completion_tokens_details"]["reasoning_tokens"])];
        }
    }
    let ends = objects.iter().filter(|object| *object == "[DONE]").count();
    (heard, !stream || ends == 1 && objects.last().is_some_and(|last| last == "[DONE]"))
}

/// A provider of `dialect` at this address that has no completions.
fn provider(dialect: Dialect, name: &str, url: &str) -> String {
    dialect.provider(name, url, if dialect == Dialect::Chat { ", apis: [chat_completions]" } else { "" })
}

/// What says "alpha beta".
async fn saying(dialect: Dialect, stream: bool) -> Raw {
    match stream {
        true => Raw::streaming(speech(dialect, &["alpha ", "beta"]).whole().as_bytes(), &[50]).await,
        false => Raw::answering("application/json", answer(dialect, "alpha beta").as_bytes()).await,
    }
}

fn over(providers: &[String], targets: &str) -> String {
    format!(
        "providers:\n{}routes: {{ chat: {{ targets: [{targets}] }} }}\ndefaults: {{ retry: {{ retry_budget: 100% }} }}\n",
        providers.concat()
    )
}

#[tokio::test]
async fn every_providers_answer_completes_a_text() {
    for of in Dialect::ALL {
        for stream in [false, true] {
            let said = saying(of, stream).await;
            let gateway = Gateway::start(&over(&[provider(of, "one", &said.url)], "one/m")).await;
            let answer = gateway.ask(ask("chat", stream, json!({"max_tokens": 9}))).await;
            let shown = format!("{of:?}, {stream}: {} {}", answer.head, answer.text());
            assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
            let content_type = if stream { "text/event-stream" } else { "application/json" };
            assert!(answer.header("content-type").is_some_and(|told| told.starts_with(content_type)), "{shown}");
            let (heard, ends) = heard(stream, &answer.body);
            assert_eq!((&*heard.text, &*heard.finish, heard.tokens), ("alpha beta", "stop", [5, 2, 0, 0]), "{shown}");
            assert!(ends, "{shown}");
            let asked = said.requests();
            let [request] = &asked[..] else { panic!("{asked:?}") };
            assert_eq!(model_of(request), "m");
            let (head, body) = request.split_once("\r\n\r\n").expect("a head");
            assert!(body.contains("hi there") && !body.contains("prompt\"") && !head.contains(PATH), "{request}");
            let record = gateway.record(&answer.id).await;
            assert_eq!([&record["outcome"], &record["dialect"]], ["success", "completions"], "{record}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_replaced() {
    for (first, spare) in [(Dialect::Messages, Dialect::Chat), (Dialect::Chat, Dialect::Generate)] {
        for stream in [false, true] {
            let bad = Raw::saying(whole("529 Busy", "application/json", refusal(first, 529, "busy").as_bytes())).await;
            let good = saying(spare, stream).await;
            let providers = [provider(first, "bad", &bad.url), provider(spare, "good", &good.url)];
            let gateway = Gateway::start(&over(&providers, "bad/m, good/n")).await;
            let answer = gateway.ask(ask("chat", stream, json!({}))).await;
            let shown = format!("{first:?}, {spare:?}: {}", answer.text());
            let (heard, ends) = heard(stream, &answer.body);
            assert_eq!((&*heard.text, &*heard.finish, ends), ("alpha beta", "stop", true), "{shown}");
            assert_eq!(answer.header("x-breakwater-target"), Some("good/n"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_in_one_error() {
    for of in Dialect::ALL {
        let mut begun = streamed(speech(of, &["alpha ", "beta"]).begun(1).as_bytes(), &[4096]);
        begun.pop();
        let cut = Raw::saying(begun).await;
        let gateway = Gateway::start(&over(&[provider(of, "one", &cut.url)], "one/m")).await;
        let answer = gateway.ask(ask("chat", true, json!({}))).await;
        let shown = format!("{of:?}: {}", answer.text());
        assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
        assert!(answer.text().contains("alpha") && !answer.text().contains("[DONE]"), "{shown}");
        let said = errors(Dialect::Chat, &answer.body);
        assert!(said.len() == 1 && said[0]["message"].is_string() && said[0]["type"].is_string(), "{shown}");
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["stream_end"]], ["truncated", "truncated"], "{record}");
    }
}

#[tokio::test]
async fn what_no_provider_can_be_told_is_refused_or_named() {
    for (fields, refused, left_out) in [
        (json!({"suffix": "x"}), Some("suffix"), None),
        (json!({"echo": true}), Some("echo"), None),
        (json!({"prompt": ["a", "b"]}), Some("prompt"), None),
        (json!({"prompt": [1, 2]}), Some("prompt"), None),
        (json!({"n": 2}), Some("n"), None),
        (json!({"seed": 7, "tomorrow": 1}), None, Some("tomorrow, seed")),
        (json!({"best_of": 1, "echo": false, "logprobs": null}), None, None),
    ] {
        let said = saying(Dialect::Messages, false).await;
        let gateway = Gateway::start(&over(&[provider(Dialect::Messages, "one", &said.url)], "one/m")).await;
        let answer = gateway.ask(ask("chat", false, fields)).await;
        let shown = format!("{} {}", answer.head, answer.text());
        match refused {
            Some(field) => {
                assert_eq!(answer.status, 400, "{shown}");
                assert!(told(Dialect::Chat, 400, &answer.json()).contains(&format!("`{field}`")), "{shown}");
                assert_eq!(answer.json()["error"]["param"], field, "{shown}");
                assert!(said.requests().is_empty(), "{shown}");
            }
            None => {
                assert_eq!(answer.status, 200, "{shown}");
                assert_eq!(answer.header("x-breakwater-left-out"), left_out, "{shown}");
            }
        }
    }
}

/// Who has completions is asked as the client asks; of one who has not, what it does not have is not asked.
#[tokio::test]
async fn a_provider_with_completions_of_its_own_is_asked_as_the_client_asks() {
    let own = r#"{"choices":[{"text":"b","finish_reason":"stop"}],"tomorrow":1}"#;
    let has = Raw::answering("application/json", own.as_bytes()).await;
    let other = saying(Dialect::Messages, false).await;
    let providers = [provider(Dialect::Messages, "other", &other.url), Dialect::Chat.provider("has", &has.url, "")];
    let gateway = Gateway::start(&over(&providers, "other/m, has/m")).await;
    let answer = gateway.ask(ask("chat", false, json!({"suffix": "x"}))).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, own));
    assert!(other.requests().is_empty(), "it cannot be asked this");
    assert!(has.requests()[0].starts_with("POST /v1/completions "), "{:?}", has.requests());
}
