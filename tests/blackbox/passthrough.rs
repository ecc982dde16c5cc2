//! Which bytes reach whom: everything of the request but `model`, everything of the answer, and no secret of either
//! side to the other.

use crate::client::{Ask, End};
use crate::gateway::Gateway;
use crate::provider::Raw;
use serde_json::json;

/// A whole answer with more in it than anyone here knows.
const WHOLE: &str = r#"{ "id":"x",  "choices":[ {"index":0,"message":{"role":"assistant","content":"h\u00e9 é",
  "odd":1e400},"finish_reason":"stop","novel":{}} ],"usage":{"prompt_tokens":3,"completion_tokens":2,"new":[]},
  "tomorrow":[null , "\ud83d\ude80"] }
"#;

/// A stream in every legal spelling, with more in it than anyone here knows.
const STREAM: &str = ": hello\n\n\
    event: message\r\nid: 1\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}],\"odd\" : 1}\r\n\r\n\
    data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u00e9 é 你好 🚀\",\"novel\":[ ]}}]}\n\n\
    data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"two lines\"}}]}\n\n\
    : ping\n\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\nretry: 9\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"tomorrow\":true}\n\n\
    data: [DONE]\n\n";

/// A request with more in it than anyone here knows.
const REQUEST: &str = r#"{ "tomorrow" : {"a":[1e400, -0 , "model"]},"stream" : STREAM,
	"model" : "chat" , "messages":[{"role":"user","content":"h\u00e9 é 你好 🚀","odd":[]}],"n":1.50, "tomorrow":null }
"#;

async fn gateway(provider: &Raw) -> Gateway {
    Gateway::chain(&[("p", &provider.url)], "").await
}

#[tokio::test]
async fn a_request_reaches_the_provider_as_it_is_but_for_its_model() {
    for (provider, stream) in [
        (Raw::answering("application/json", WHOLE.as_bytes()).await, "false"),
        (Raw::streaming(STREAM.as_bytes(), &[4096]).await, "true"),
    ] {
        let body = REQUEST.replace("STREAM", stream);
        let answer = gateway(&provider).await.ask(Ask::post(body.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let requests = provider.requests();
        let (head, received) = requests[0].split_once("\r\n\r\n").expect("a head");
        assert_eq!(received, body.replace("\"chat\"", "\"m\""));
        assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    }
}

#[tokio::test]
async fn a_whole_answer_reaches_the_client_as_it_is() {
    let long = WHOLE.replace("novel", &"long".repeat(500_000));
    for body in [WHOLE, &long] {
        let provider = Raw::answering("application/json; charset=utf-8", body.as_bytes()).await;
        let answer = gateway(&provider).await.ask(Ask::whole("chat")).await;
        assert_eq!((answer.status, answer.end), (200, End::Complete));
        assert!(answer.body == body.as_bytes(), "{:.300}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_stream_reaches_the_client_as_it_is_however_it_is_cut_up() {
    for sizes in [&[1][..], &[2, 3], &[7, 1, 64], &[5], &[97, 2], &[4096]] {
        let provider = Raw::streaming(STREAM.as_bytes(), sizes).await;
        let gateway = gateway(&provider).await;
        let answer = gateway.ask(Ask::stream("chat")).await;
        assert_eq!((answer.text(), answer.end), (STREAM.to_owned(), End::Complete), "{sizes:?}");
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["tokens_out"]], [&json!("success"), &json!(2)], "{record}");
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    }
}

#[tokio::test]
async fn neither_side_sees_the_others_headers() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: provider=secret\r\nserver: odd\r\n\
                connection: close\r\nkeep-alive: timeout=5\r\n";
    let head = format!("{head}content-length: {}\r\n\r\n", WHOLE.len());
    let provider = Raw::saying(vec![head.into(), WHOLE.into()]).await;
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", api_key: sk-provider, headers: {{ x-team: blue }} }} }}\n\
         routes: {{ chat: {{ targets: [p/m] }} }}",
        provider.url
    );
    let ask = [
        ("authorization", "Bearer client-secret"),
        ("cookie", "client-secret"),
        ("x-api-key", "client-secret"),
        ("proxy-authorization", "client-secret"),
        ("te", "trailers"),
        ("x-forwarded-for", "10.1.2.3"),
    ]
    .into_iter()
    .fold(Ask::whole("chat"), |ask, (name, value)| ask.header(name, value));
    let answer = Gateway::start(&yaml).await.ask(ask).await;
    let mut received: Vec<_> =
        provider.requests()[0].lines().skip(1).map_while(|l| l.split_once(": ")).map(|(n, _)| n.to_owned()).collect();
    received.sort_unstable();
    assert_eq!(received, ["accept", "authorization", "content-length", "content-type", "host", "user-agent", "x-team"]);
    let request = &provider.requests()[0];
    assert!(
        request.contains("authorization: Bearer sk-provider\r\n") && !request.contains("client-secret"),
        "{request}"
    );
    assert!(["set-cookie", "server", "keep-alive"].iter().all(|name| answer.header(name).is_none()), "{}", answer.head);
}

#[tokio::test]
async fn a_long_stream_arrives_whole() {
    let event =
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(8000));
    let last = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let body = event.repeat(1000) + last;
    let provider = Raw::streaming(body.as_bytes(), &[16_000]).await;
    let gateway = gateway(&provider).await;
    let answer = gateway.ask(Ask::stream("chat")).await;
    assert!(answer.body == body.as_bytes(), "{} bytes instead of {}", answer.body.len(), body.len());
}
