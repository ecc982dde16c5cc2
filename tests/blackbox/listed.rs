//! Gemini's streams without `alt=sse`: one JSON list, of which each item comes as soon as it is said.

use crate::client::{Ask, End};
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::heard::{ends, heard};
use crate::provider::{Held, streamed, streamed_as};
use crate::speech::{Speech, failure, speech};
use serde_json::{Value, json};

async fn gateway(of: Dialect, url: &str) -> Gateway {
    let provider = of.provider("p", url, "");
    let routes = "routes: { chat: { targets: [p/m], recover_stream: error } }";
    Gateway::start(&format!("providers:\n{provider}{routes}\n")).await
}

fn ask(query: &str) -> Ask {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hi there"}]}]});
    Ask::to(&format!("/v1beta/models/chat:streamGenerateContent{query}"), body.to_string())
}

/// A provider that says one word, and `rest` when it is told to. One of Gemini's own dialect says a list, as it is asked.
async fn held(of: Dialect, said: &Speech, rest: &str) -> Held {
    let begun = said.begun(1);
    if of != Dialect::Generate {
        let mut beginning = streamed(begun.as_bytes(), &[4096]);
        beginning.pop();
        return Held::saying(beginning.concat(), chunks(rest)).await;
    }
    let mut beginning = streamed_as("application/json", format!("[{}", items(&begun)).as_bytes(), &[4096]);
    beginning.pop();
    let rest = if rest.is_empty() { Vec::new() } else { chunks(&format!(",\r\n{}]", items(rest))) };
    Held::saying(beginning.concat(), rest).await
}

/// What goes on with a response and ends it; nothing where that breaks off.
fn chunks(rest: &str) -> Vec<u8> {
    if rest.is_empty() { Vec::new() } else { streamed(rest.as_bytes(), &[4096]).split_off(1).concat() }
}

/// The data of events, as items of a list.
fn items(events: &str) -> String {
    let data: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    data.join(",\r\n")
}

/// The items of a list, as events.
fn events(list: &Value) -> Vec<u8> {
    list.as_array().expect("a list").iter().flat_map(|item| format!("data: {item}\n\n").into_bytes()).collect()
}

#[tokio::test]
async fn a_list_comes_item_by_item_and_is_whole_in_the_end() {
    for (of, query) in Dialect::ALL.into_iter().flat_map(|of| [(of, ""), (of, "?alt=json")]) {
        let said = speech(of, &["alpha ", "beta"]);
        let provider = held(of, &said, &said.whole()[said.begun(1).len()..]).await;
        let gateway = gateway(of, &provider.url).await;
        let mut exchange = gateway.send(ask(query)).await;
        let first = exchange.until("alpha").await;
        assert!(!first.contains("beta"), "{of:?}: {first}");
        provider.go_on();
        let answer = exchange.answer().await;
        let shown = format!("{of:?}{query}: {} {}", answer.head, answer.text());
        assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{shown}");
        let list = answer.json();
        let heard = heard(Dialect::Generate, true, &events(&list));
        assert_eq!((&*heard.text, &*heard.finish, heard.tokens), ("alpha beta", "stop", [5, 2, 0, 0]), "{shown}");
        assert_eq!(ends(Dialect::Generate, &events(&list)), (1, true), "{shown}");
        assert_eq!(gateway.record(&answer.id).await["outcome"], "success", "{shown}");
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_is_a_list_whose_last_item_is_the_error() {
    for (of, error) in Dialect::ALL.into_iter().flat_map(|of| [(of, failure(of, "secret")), (of, String::new())]) {
        let provider = held(of, &speech(of, &["alpha ", "beta"]), &error).await;
        let gateway = gateway(of, &provider.url).await;
        let mut exchange = gateway.send(ask("")).await;
        exchange.until("alpha").await;
        provider.go_on();
        let answer = exchange.answer().await;
        let shown = format!("{of:?}, {error}: {}", answer.text());
        assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
        let list = answer.json();
        let last = list.as_array().and_then(|items| items.last()).expect("an item");
        assert!(last["error"]["message"].is_string() && last["error"]["status"].is_string(), "{shown}");
        let heard = heard(Dialect::Generate, true, &events(&list));
        assert_eq!((&*heard.text, &*heard.finish), ("alpha ", ""), "no false end: {shown}");
        assert!(!answer.text().contains("secret"), "a provider's text stays with us: {shown}");
        let outcome = if error.is_empty() { "truncated" } else { "failed" };
        assert_eq!(gateway.record(&answer.id).await["outcome"], outcome, "{shown}");
    }
}
