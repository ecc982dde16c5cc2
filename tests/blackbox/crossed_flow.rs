//! Answers between dialects, as they flow: nothing waits for what comes later, and nobody works for a client that left.

use crate::client::End;
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::heard::{ends, heard};
use crate::provider::{Held, streamed};
use crate::speech::{answer, speech};
use serde_json::json;

async fn gateway(of: Dialect, url: &str) -> Gateway {
    let provider = of.provider("p", url, "");
    Gateway::start(&format!("providers:\n{provider}routes: {{ chat: {{ targets: [p/m] }} }}\n")).await
}

#[tokio::test]
async fn the_first_words_leave_before_the_second_come() {
    for of in Dialect::ALL {
        let speech = speech(of, &["alpha ", "beta"]);
        let begun = streamed(speech.begun(1).as_bytes(), &[4096]);
        let (rest, mut beginning) = (speech.whole().split_off(speech.begun(1).len()), begun);
        beginning.pop();
        // Behind its head, a response goes on with further chunks.
        let rest = streamed(rest.as_bytes(), &[4096]).split_off(1).concat();
        let provider = Held::saying(beginning.concat(), rest).await;
        let gateway = gateway(of, &provider.url).await;
        for client in Dialect::ALL {
            let mut exchange = gateway.send(client.ask("chat", true)).await;
            let first = exchange.until("alpha").await;
            assert!(!first.contains("beta"), "{of:?} to {client:?}: {first}");
            provider.go_on();
            let answer = exchange.answer().await;
            let shown = format!("{of:?} to {client:?}: {}", answer.text());
            assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
            let heard = heard(client, true, &answer.body);
            assert_eq!((&*heard.text, &*heard.finish, heard.tokens), ("alpha beta", "stop", [5, 2, 0, 0]), "{shown}");
            assert_eq!(ends(client, &answer.body), (1, true), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_work_whatever_it_speaks() {
    for of in Dialect::ALL {
        let mut beginning = streamed(speech(of, &["alpha ", "beta"]).begun(1).as_bytes(), &[4096]);
        beginning.pop();
        let provider = Held::saying(beginning.concat(), Vec::new()).await;
        let gateway = gateway(of, &provider.url).await;
        for client in Dialect::ALL {
            let ask = client.ask("chat", true);
            let mut exchange = gateway.send(ask.clone()).await;
            exchange.until("alpha").await;
            drop(exchange);
            provider.until_left().await;
            let record = gateway.record(&ask.id).await;
            let told = [&record["outcome"], &record["tried"][0]["verdict"], &record["stream_end"]];
            assert_eq!(told, ["cancelled", "neutral", "cancelled"], "{of:?} to {client:?}: {record}");
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_whole_answer_ends_the_work_too() {
    for of in Dialect::ALL {
        let body = answer(of, "alpha");
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        let provider = Held::saying([head.as_bytes(), &body.as_bytes()[..body.len() - 1]].concat(), Vec::new()).await;
        let gateway = gateway(of, &provider.url).await;
        for client in Dialect::ALL {
            let ask = client.ask("chat", false);
            let exchange = gateway.send(ask.clone()).await;
            provider.until_asked().await;
            drop(exchange);
            provider.until_left().await;
            let record = gateway.record(&ask.id).await;
            assert_eq!(
                [&record["outcome"], &record["attempts"]],
                [&json!("cancelled"), &json!(1)],
                "{of:?} to {client:?}: {record}"
            );
        }
    }
}
