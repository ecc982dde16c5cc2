//! What is asked beside answers: embeddings, images, speech, counts of tokens. It goes to a provider that has it, as it
//! came but for its model.

use crate::client::{Ask, End, Exchange};
use crate::gateway::Gateway;
use crate::provider::Raw;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A gateway with one provider of each kind that speaks a dialect of its own, all at one address.
async fn gateway(provider: &Raw) -> Gateway {
    let url = &provider.url;
    let yaml = format!(
        "providers:
  openai: {{ kind: openai, base_url: \"{url}\", api_key: key-of-openai }}
  anthropic: {{ kind: anthropic, base_url: \"{url}\", api_key: key-of-anthropic }}
  gemini: {{ kind: gemini, base_url: \"{url}\", api_key: key-of-gemini }}
  cohere: {{ kind: cohere, base_url: \"{url}\", api_key: key-of-cohere }}
  ollama: {{ kind: ollama_native, base_url: \"{url}\" }}
  bedrock: {{ kind: bedrock, region: us-east-1, base_url: \"{url}\", api_key: key-of-bedrock }}
  counting: {{ kind: openai, base_url: \"{url}\", apis: [responses, input_tokens] }}
routes: {{ any: {{ targets: [openai/m] }} }}
direct: true
"
    );
    Gateway::start(&yaml).await
}

fn post(path: &str, body: impl Into<Vec<u8>>) -> Ask {
    Ask::new("POST", path).with_body(body)
}

#[tokio::test]
async fn each_operation_passes_to_a_provider_that_has_it() {
    for (path, body, sent, answer) in [
        (
            "/v1/embeddings",
            r#"{ "model":"any", "input":"h\u00e9", "tomorrow":1 }"#,
            ("/v1/embeddings", r#"{ "model":"m", "input":"h\u00e9", "tomorrow":1 }"#),
            r#"{"data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4},"model":"m"}"#,
        ),
        (
            "/v1/moderations",
            r#"{"model":"any","input":"a"}"#,
            ("/v1/moderations", r#"{"model":"m","input":"a"}"#),
            r#"{"results":[{"flagged":false}]}"#,
        ),
        (
            "/v1/images/generations",
            r#"{"model":"any","prompt":"a"}"#,
            ("/v1/images/generations", r#"{"model":"m","prompt":"a"}"#),
            r#"{"data":[{"b64_json":"aGk="}]}"#,
        ),
        (
            "/v1/completions",
            r#"{"model":"any","prompt":"a"}"#,
            ("/v1/completions", r#"{"model":"m","prompt":"a"}"#),
            r#"{"choices":[{"text":"b","finish_reason":"stop"}]}"#,
        ),
        (
            "/v2/rerank",
            r#"{"model":"any","query":"a","documents":["b"]}"#,
            ("/v1/rerank", r#"{"model":"m","query":"a","documents":["b"]}"#),
            r#"{"results":[{"index":0,"relevance_score":0.5}]}"#,
        ),
        (
            "/v1/messages/count_tokens",
            r#"{"model":"anthropic/claude","messages":[{"role":"user","content":"a"}]}"#,
            ("/v1/messages/count_tokens", r#"{"model":"claude","messages":[{"role":"user","content":"a"}]}"#),
            r#"{"input_tokens":8}"#,
        ),
        (
            "/v1beta/models/gemini/g:countTokens",
            r#"{"contents":[{"parts":[{"text":"a"}]}]}"#,
            ("/v1/models/g:countTokens", r#"{"contents":[{"parts":[{"text":"a"}]}]}"#),
            r#"{"totalTokens":2}"#,
        ),
        (
            "/v1beta/models/gemini/g:embedContent",
            r#"{"content":{"parts":[{"text":"a"}]}}"#,
            ("/v1/models/g:embedContent", r#"{"content":{"parts":[{"text":"a"}]}}"#),
            r#"{"embedding":{"values":[0.5]}}"#,
        ),
    ] {
        let provider = Raw::answering("application/json", answer.as_bytes()).await;
        let gateway = gateway(&provider).await;
        let answered = gateway.ask(post(path, body)).await;
        assert_eq!((answered.status, answered.text().as_str(), answered.end), (200, answer, End::Complete), "{path}");
        let requests = provider.requests();
        let (head, received) = requests[0].split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("POST {} HTTP/1.1", sent.0)), "{path}: {head}");
        assert_eq!(received, sent.1);
        let record = gateway.record(&answered.id).await;
        assert_eq!(record["outcome"], "success", "{record}");
    }
}

#[tokio::test]
async fn embeddings_reach_providers_that_ask_for_them_in_other_words() {
    let to_openai = |vectors: Value| {
        let one = |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
        let data: Vec<_> = vectors.as_array().expect("a list").iter().enumerate().map(one).collect();
        json!({"object": "list", "data": data})
    };
    let (openai, gemini) = ("/v1/embeddings", "/v1beta/models/any:embedContent");
    let texts = |model: &str| json!({"model": model, "input": ["a", "b"], "user": "u"});
    let text = json!({"content": {"parts": [{"text": "a"}]}, "title": "t"});
    for (path, body, sent, answer, told, left_out) in [
        (
            openai,
            texts("gemini/g"),
            "/v1/models/g:batchEmbedContents",
            json!({"embeddings": [{"values": [0.5]}, {"values": [1]}]}),
            to_openai(json!([[0.5], [1]])),
            "user",
        ),
        (
            openai,
            texts("cohere/c"),
            "/v1/embed",
            json!({"embeddings": {"float": [[0.5], [1]]}, "meta": {"billed_units": {"input_tokens": 2}}}),
            to_openai(json!([[0.5], [1]])),
            "user",
        ),
        (
            openai,
            texts("ollama/o"),
            "/v1/embed",
            json!({"model": "o", "embeddings": [[0.5], [1]], "prompt_eval_count": 2}),
            to_openai(json!([[0.5], [1]])),
            "user",
        ),
        (
            gemini,
            text,
            "/v1/embeddings",
            json!({"data": [{"index": 0, "embedding": [0.5]}], "model": "m"}),
            json!({"embedding": {"values": [0.5]}}),
            "title",
        ),
    ] {
        let provider = Raw::answering("application/json", answer.to_string().as_bytes()).await;
        let gateway = gateway(&provider).await;
        let answered = gateway.ask(post(path, body.to_string())).await;
        assert_eq!((answered.status, answered.end), (200, End::Complete), "{sent}: {}", answered.text());
        assert_eq!(answered.header("x-breakwater-left-out"), Some(left_out), "{sent}");
        let mut read = answered.json();
        if let Some(list) = read.as_object_mut() {
            list.retain(|name, _| !matches!(name.as_str(), "model" | "usage"));
        }
        assert_eq!(read, told, "{sent}");
        assert!(provider.requests()[0].starts_with(&format!("POST {sent} HTTP/1.1")), "{:?}", provider.requests());
    }
    // One vector for two texts is what the client did not ask for.
    let short = Raw::answering("application/json", br#"{"embeddings":[[1]]}"#).await;
    let answered = gateway(&short).await.ask(post(openai, texts("ollama/o").to_string())).await;
    assert_eq!((answered.status, answered.code().as_str()), (502, "upstream_failed"), "{}", answered.text());
}

/// How each dialect's clients ask for a count of `model`, and what each is told where that is nine.
fn counts_wanted(model: &str) -> [(String, Value, Value); 3] {
    let turns = json!([{"role": "user", "content": "How many?"}]);
    let contents = json!([{"role": "user", "parts": [{"text": "How many?"}]}]);
    [
        (
            "/v1/messages/count_tokens".to_owned(),
            json!({"model": model, "system": "Be brief.", "messages": turns}),
            json!({"input_tokens": 9}),
        ),
        (format!("/v1beta/models/{model}:countTokens"), json!({"contents": contents}), json!({"totalTokens": 9})),
        (
            "/v1/responses/input_tokens".to_owned(),
            json!({"model": model, "input": "How many?"}),
            json!({"object": "response.input_tokens", "input_tokens": 9}),
        ),
    ]
}

#[tokio::test]
async fn tokens_are_counted_by_providers_that_are_asked_in_other_words() {
    for (model, sent, answer) in [
        ("anthropic/claude", "/v1/messages/count_tokens", json!({"input_tokens": 9})),
        ("gemini/g", "/v1/models/g:countTokens", json!({"totalTokens": 9})),
        ("counting/m", "/v1/responses/input_tokens", json!({"object": "response.input_tokens", "input_tokens": 9})),
        ("bedrock/us.anthropic.claude-x", "/v1/model/anthropic.claude-x/count-tokens", json!({"inputTokens": 9})),
    ] {
        let provider = Raw::answering("application/json", answer.to_string().as_bytes()).await;
        let gateway = gateway(&provider).await;
        for (path, body, told) in counts_wanted(model) {
            let answered = gateway.ask(post(&path, body.to_string())).await;
            assert_eq!((answered.status, answered.json()), (200, told), "{path} over {sent}");
            let requests = provider.requests();
            let (head, body) = requests.last().and_then(|last| last.split_once("\r\n\r\n")).expect("a request");
            assert!(head.starts_with(&format!("POST {sent} HTTP/1.1")), "{path}: {head}");
            assert!(body.contains("How many?") && !body.contains("max"), "{path}: {body}");
            assert_eq!(gateway.record(&answered.id).await["outcome"], "success");
        }
    }
}

#[tokio::test]
async fn sound_comes_and_goes_as_it_is() {
    let sound = [b"ID3\x04".as_slice(), &[0, 255, 13, 10]].concat();
    let provider = Raw::answering("audio/mpeg", &sound).await;
    let answer =
        gateway(&provider).await.ask(post("/v1/audio/speech", r#"{"model":"any","input":"a","voice":"b"}"#)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("audio/mpeg")));
    assert_eq!(answer.body, sound);

    let provider = Raw::answering("application/json", br#"{"text":"hi"}"#).await;
    let form = |model: &str| {
        format!(
            "--xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nsound\r\n--xyz\r\n\
             content-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--xyz--\r\n"
        )
    };
    let kind = "multipart/form-data; boundary=xyz";
    let ask = post("/v1/audio/transcriptions", form("any")).header("content-type", kind);
    let answer = gateway(&provider).await.ask(ask).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"text":"hi"}"#));
    let requests = provider.requests();
    let (head, received) = requests[0].split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(kind) && head.starts_with("POST /v1/audio/transcriptions "), "{head}");
    assert_eq!(received, form("m"));
}

#[tokio::test]
async fn what_is_no_answer_is_no_success_and_what_nobody_has_is_refused() {
    let provider = Raw::answering("application/json", br#"{"data":[]}"#).await;
    let answer = gateway(&provider).await.ask(post("/v1/embeddings", r#"{"model":"any","input":"a"}"#)).await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_failed"), "{}", answer.text());

    let provider = Raw::answering("application/json", b"{}").await;
    let gateway = gateway(&provider).await;
    let answer = gateway.ask(post("/v1/embeddings", r#"{"model":"anthropic/claude","input":"a"}"#)).await;
    assert_eq!((answer.status, answer.json()["error"]["param"].clone()), (400, json!("model")), "{}", answer.text());
    let ask = post("/v1/messages/count_tokens", r#"{"model":"any","messages":[{"role":"user","content":"a"}]}"#);
    let answer = gateway.ask(ask).await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (400, json!("error")), "{}", answer.text());
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn a_stream_of_text_is_complete_or_told() {
    let text = "data: {\"choices\":[{\"text\":\"hi\",\"finish_reason\":null}]}\n\n";
    let stop = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";
    let ask = || post("/v1/completions", r#"{"model":"any","prompt":"a","stream":true}"#);
    let whole = format!("{text}{stop}data: [DONE]\n\n");
    let provider = Raw::streaming(whole.as_bytes(), &[7]).await;
    let answer = gateway(&provider).await.ask(ask()).await;
    assert_eq!((answer.text(), answer.end), (whole, End::Complete));

    let provider = Raw::streaming(text.as_bytes(), &[7]).await;
    let answer = gateway(&provider).await.ask(ask()).await;
    assert!(answer.text().starts_with(text), "{}", answer.text());
    assert_eq!(answer.error_event()["code"], "upstream_failed");
}

#[tokio::test]
async fn listed_paths_and_files_are_handed_through() {
    let provider = Raw::answering("application/json", br#"{"id":"x"}"#).await;
    let url = &provider.url;
    let yaml = format!(
        "providers:
  openai: {{ kind: openai, base_url: \"{url}\", api_key: key-of-openai, passthrough: [/assistants, /threads/*] }}
routes: {{ any: {{ targets: [openai/m] }} }}
callers:
  - {{ name: all, key: key-of-all }}
  - {{ name: some, key: key-of-some, routes: [any] }}
"
    );
    let gateway = Gateway::start(&yaml).await;
    let ask = |method: &str, path: &str, key: &str| {
        Ask::new(method, path).header("authorization", &format!("Bearer {key}")).with_body("as it is")
    };
    for (method, path, sent) in [
        ("POST", "/passthrough/openai/assistants?limit=2", "POST /v1/assistants?limit=2 "),
        ("DELETE", "/passthrough/openai/threads/t/runs", "DELETE /v1/threads/t/runs "),
        ("POST", "/v1/files", "POST /v1/files "),
        ("GET", "/v1/batches/b", "GET /v1/batches/b "),
    ] {
        let before = provider.requests().len();
        let answer = gateway.ask(ask(method, path, "key-of-all")).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"id":"x"}"#), "{path}");
        let request = provider.requests().split_off(before).pop().expect("a request");
        assert!(request.starts_with(sent) && request.ends_with("\r\n\r\nas it is"), "{request}");
        assert!(
            request.contains("authorization: Bearer key-of-openai") && !request.contains("key-of-all"),
            "{request}"
        );
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["caller"]], [&json!("success"), &json!("all")], "{record}");
    }
    let before = provider.requests().len();
    for (path, key, status) in [
        ("/passthrough/openai/organization", "key-of-all", 404),
        ("/passthrough/openai/threads/../organization", "key-of-all", 404),
        ("/passthrough/nobody/assistants", "key-of-all", 404),
        ("/passthrough/openai/assistants", "key-of-some", 404),
        ("/passthrough/openai/assistants", "key-of-none", 401),
        ("/v1/files", "key-of-some", 404),
        ("/v1/files/..", "key-of-all", 404),
    ] {
        assert_eq!(gateway.ask(ask("GET", path, key)).await.status, status, "{path} {key}");
    }
    assert_eq!(provider.requests().len(), before);
}

#[tokio::test]
async fn what_breaks_off_while_it_is_handed_through_is_seen_to() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let provider = Raw::saying(vec![head]).await;
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"{}\", passthrough: [/*] }} }}\nroutes: {{ any: {{ targets: [p/m] }} }}",
        provider.url
    );
    let gateway = Gateway::start(&yaml).await;
    let answer = gateway.ask(Ask::get("/passthrough/p/x")).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "half"));
    assert_ne!(answer.end, End::Complete);
    assert_eq!(gateway.record(&answer.id).await["outcome"], "truncated");
}

#[tokio::test]
async fn talks_in_real_time_are_carried_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    // A provider that switches protocols and says back what it hears.
    let provider = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.expect("a head");
        }
        let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                        sec-websocket-accept: proof\r\n\r\n";
        stream.write_all(switched.as_bytes()).await.expect("written");
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
        String::from_utf8(head).expect("text")
    });
    let yaml = format!(
        "providers: {{ p: {{ kind: openai, base_url: \"http://{address}/v1\", api_key: key-of-p }} }}
routes: {{ talk: {{ targets: [p/gpt-realtime] }} }}
callers: [{{ name: all, key: key-of-all }}]
"
    );
    let gateway = Gateway::start(&yaml).await;
    let asked = "GET /v1/realtime?model=talk&x=1 HTTP/1.1\r\nhost: g\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-key: k\r\nsec-websocket-version: 13\r\nx-request-id: talk-1\r\n\
                 sec-websocket-protocol: realtime, openai-insecure-api-key.key-of-all\r\n\r\n";
    let mut client = Exchange::saying(gateway.data, asked.as_bytes()).await;
    let head = client.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("sec-websocket-accept: proof"), "{head}");
    client.write(b"\x01\x02hi").await.expect("written");
    client.until("\u{2}hi").await;
    drop(client);
    let head = provider.await.expect("a head");
    assert!(head.starts_with("GET /v1/realtime?model=gpt-realtime&x=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer key-of-p") && !head.contains("key-of-all"), "{head}");
    assert!(head.contains("sec-websocket-key: k") && head.contains("sec-websocket-protocol: realtime\r\n"), "{head}");
    let record = gateway.record("talk-1").await;
    assert_eq!([&record["dialect"], &record["status"]], [&json!("realtime"), &json!(101)], "{record}");
}
