//! What is recorded beside answers: operations with paths of their own, what is handed through, failures and talks.

use super::files::{Beside, Failure, File, Holds, Told, files, say};
use crate::client::{Answer, Ask, End};
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::heard::{ends, errors, told};
use crate::provider::{Raw, configured, streamed, whole};
use crate::socket::{LIVE, Peer, TEXT, Talking, frame, masked};
use serde_json::json;

/// The pieces of a recorded response.
fn response(status: u16, content_type: &str, body: &[u8]) -> Vec<Vec<u8>> {
    match content_type {
        "text/event-stream" => streamed(body, &[1, 700, 64, 3000]),
        _ => whole(&format!("{status} Told"), content_type, body),
    }
}

impl Beside {
    /// How a client asks it of the provider `name`.
    fn ask(&self, name: &str) -> Ask {
        if let Some(path) = self.path.strip_prefix("/passthrough") {
            return Ask::to(&format!("/passthrough/{name}{path}"), "as it is");
        }
        let model = format!("{name}/m");
        if self.path.starts_with("/v1/audio/") || self.path.ends_with("/edits") {
            let form = format!(
                "--xyz\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--xyz\r\n\
                 content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--xyz--\r\n"
            );
            return Ask::to(self.path, form).header("content-type", "multipart/form-data; boundary=xyz");
        }
        let stream = self.content_type == "text/event-stream";
        let body = json!({"model": model, "prompt": "hi", "input": "hi", "query": "hi", "documents": ["hi"]});
        let streamed = json!({"model": model, "prompt": "hi", "stream": true});
        Ask::to(self.path, if stream { streamed } else { body }.to_string())
    }
}

#[tokio::test]
async fn recorded_operations_pass_byte_for_byte() {
    let Some(files) = files() else { return };
    let beside = |file: File| match file.holds {
        Holds::Beside(beside) => Some((file.name, beside)),
        _ => None,
    };
    let all: Vec<(String, Beside)> = files.into_iter().filter_map(beside).collect();
    let (mut raws, mut yaml) = (Vec::new(), "providers:\n".to_owned());
    for (number, (_, beside)) in all.iter().enumerate() {
        let raw = Raw::saying(response(beside.status, &beside.content_type, &beside.body)).await;
        yaml += &configured(&format!("p{number}"), beside.kind, &raw.url, ", passthrough: [/*]");
        raws.push(raw);
    }
    let gateway = Gateway::start(&(yaml + "direct: true\n")).await;
    for (number, (name, beside)) in all.iter().enumerate() {
        let answer = gateway.ask(beside.ask(&format!("p{number}"))).await;
        assert_eq!((answer.status, answer.end), (beside.status, End::Complete), "{name}: {}", answer.text());
        assert!(answer.body == beside.body, "{name}: {}", answer.text());
        let kind = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
        assert_eq!(answer.header("content-type").map(kind), Some(kind(&beside.content_type)), "{name}");
        assert_eq!(raws[number].requests().len(), 1, "{name}");
    }
    say(&format!("{} recorded answers to other operations", all.len()));
}

/// What is wrong with what a client of `dialect` is told of a recorded failure.
fn is_told(name: &str, failure: &Failure, dialect: Dialect, answer: &Answer) {
    let shown = format!("{name} to {dialect:?}: {} {}", answer.head, answer.text());
    assert_eq!(answer.end, End::Complete, "{shown}");
    match failure.told {
        Told::Why => {
            assert_eq!(answer.status, failure.status, "{shown}");
            let theirs: serde_json::Value = serde_json::from_slice(&failure.body).expect("JSON");
            let message = theirs["error"]["message"].as_str().expect("a message");
            if dialect == failure.source {
                assert!(answer.body == failure.body, "{shown}");
            } else {
                assert!(told(dialect, answer.status, &answer.json()).contains(message), "{shown}");
            }
        }
        Told::Lost(status, wait) => {
            assert_eq!((answer.status, answer.header("retry-after")), (status, Some(wait)), "{shown}");
            told(dialect, status, &answer.json());
        }
        Told::BrokenOff => {
            assert_eq!(answer.status, 200, "{shown}");
            assert_eq!(errors(dialect, &answer.body).len(), 1, "{shown}");
            assert!(!ends(dialect, &answer.body).1 || dialect == Dialect::Responses, "{shown}");
        }
    }
}

#[tokio::test]
async fn recorded_failures_are_told_to_clients_of_every_dialect() {
    let Some(files) = files() else { return };
    let mut count = 0;
    for File { name, holds } in files {
        let Holds::Failure(failure) = holds else { continue };
        let stream = name.ends_with(".chunks.txt");
        let content_type = if stream { "text/event-stream" } else { "application/json" };
        let raw = Raw::saying(response(failure.status, content_type, &failure.body)).await;
        // A provider for each client: a key that has nothing left to spend is not tried again.
        let of = |client: &Dialect| failure.source.provider(client.label(), &raw.url, "");
        let providers: String = Dialect::ALL.iter().map(of).collect();
        let more = "direct: true\ndefaults: { recover_stream: error, retry: { max_attempts: 1 } }\n";
        let gateway = Gateway::start(&format!("providers:\n{providers}{more}")).await;
        for client in Dialect::ALL {
            let answer = gateway.ask(client.ask(&format!("{}/m", client.label()), stream)).await;
            is_told(&name, &failure, client, &answer);
        }
        count += 1;
    }
    say(&format!("{count} recorded failures, each to {} dialects", Dialect::ALL.len()));
}

#[tokio::test]
async fn recorded_talks_are_carried_byte_for_byte() {
    let Some(files) = files() else { return };
    for File { name, holds } in files {
        let Holds::Talk(messages) = holds else { continue };
        let said: Vec<u8> = messages.iter().flat_map(|text| frame(TEXT, text.as_bytes())).collect();
        let provider = Talking::new().await;
        let live = name.starts_with("google/");
        let (kind, version) = if live { ("gemini", "v1beta") } else { ("openai", "v1") };
        let url = format!("{}/{version}", provider.url);
        let yaml = format!("providers: {{ p: {{ kind: {kind}, base_url: \"{url}\" }} }}\ndirect: true\n");
        let gateway = Gateway::start(&yaml).await;
        let path = if live { LIVE } else { "/v1/realtime?model=p/m" };
        let asks = async {
            let mut client = Peer::asking(gateway.data, path, &[]).await;
            assert!(client.head.starts_with("HTTP/1.1 101 "), "{name}: {}", client.head);
            client.write(&masked(TEXT, br#"{"setup":{"model":"models/p/m"}}"#)).await;
            client.rest().await
        };
        let speaks = async {
            let mut peer = provider.next().await;
            peer.frame().await;
            for piece in said.chunks(700) {
                peer.write(piece).await;
            }
        };
        let (heard, ()) = tokio::join!(asks, speaks);
        assert!(heard == said, "{name}: {}", heard.escape_ascii());
        say(&format!("{} messages of a recorded talk", messages.len()));
    }
}
