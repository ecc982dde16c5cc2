//! Gemini's talks in real time: the model stands in a client's first message, and all else passes unread.

use crate::client::Ask;
use crate::gateway::Gateway;
use crate::provider::{Closed, Raw};
use crate::socket::{BINARY, CLOSE, LIVE, PING, PONG, Peer, TEXT, Talking, frame, head, masked};
use serde_json::{Value, json};

/// Where Google's clients for Vertex AI have theirs.
const VERTEX: &str = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent";
const ALPHA: &str = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent";

/// A first message for this model, in bytes of which only the name may change.
fn setup(model: &str) -> String {
    format!(r#"{{ "setup": {{"generationConfig":{{"responseModalities":["AUDIO"]}}, "model" : "{model}" }} }}"#)
}

/// Gemini at this address, by the name `p`, as target of the route `talk`; then more YAML.
fn yaml(url: &str, more: &str) -> String {
    format!(
        "providers: {{ p: {{ kind: gemini, base_url: \"{url}/v1beta\", api_key: key-of-p }} }}
routes: {{ talk: {{ targets: [p/gemini-live] }} }}
{more}"
    )
}

#[tokio::test]
async fn a_talk_begins_with_the_model_and_goes_on_unread() {
    let provider = Talking::new().await;
    let gateway = Gateway::start(&yaml(&provider.url, "callers: [{ name: all, key: key-of-all }]")).await;
    for (number, (path, header, model, asked)) in [
        (LIVE.to_owned(), Some(("x-goog-api-key", "key-of-all")), "models/talk", LIVE),
        (format!("/{LIVE}?key=key-of-all"), None, "talk", LIVE),
        (format!("{ALPHA}Constrained?access_token=key-of-all"), None, "models/talk", ALPHA),
        (
            VERTEX.to_owned(),
            Some(("authorization", "Bearer key-of-all")),
            "projects/x/locations/y/publishers/google/models/talk",
            LIVE,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("live-{number}");
        let headers: Vec<_> = header.into_iter().chain([("x-request-id", id.as_str())]).collect();
        let mut client = Peer::asking(gateway.data, &path, &headers).await;
        assert!(client.head.starts_with("HTTP/1.1 101 "), "{path}: {}", client.head);
        assert_eq!(client.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{path}");
        assert_eq!(client.header("sec-websocket-extensions"), None, "{path}");

        let said = setup(model);
        let (one, two) = said.as_bytes().split_at(40);
        let pieces = [masked(TEXT & 0x7f, one), masked(PING, b"?"), masked(0x80, two), masked(BINARY, b"\xffearly")];
        client.write(&pieces.concat()).await;
        assert_eq!(client.frame().await, (PONG, b"?".to_vec()), "{path}");

        let mut peer = provider.next().await;
        assert!(peer.head.starts_with(&format!("GET {asked} HTTP/1.1\r\n")), "{path}: {}", peer.head);
        assert_eq!(peer.header("x-goog-api-key"), Some("key-of-p"), "{path}");
        assert!(!peer.head.contains("key-of-all"), "{path}: {}", peer.head);
        assert_eq!(peer.header("sec-websocket-extensions"), None, "{path}");
        assert_ne!(peer.header("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="), "{path}");
        assert_eq!(peer.frame().await, (TEXT, setup("models/gemini-live").into_bytes()), "{path}");
        assert_eq!(peer.frame().await, (BINARY, b"\xffearly".to_vec()), "{path}");

        peer.write(&frame(BINARY, br#"{"setupComplete":{}}"#)).await;
        assert_eq!(client.frame().await, (BINARY, br#"{"setupComplete":{}}"#.to_vec()), "{path}");
        client.write(&masked(TEXT, b"hi")).await;
        assert_eq!(peer.frame().await, (TEXT, b"hi".to_vec()), "{path}");

        drop(client);
        assert_eq!(peer.rest().await, b"", "{path}: the provider sees that its client is gone");
        drop(peer);
        let record = gateway.record(&id).await;
        let expected = [&json!("gemini_live"), &json!(101), &json!("success"), &json!("talk"), &json!("p/gemini-live")];
        let told = ["dialect", "status", "outcome", "model", "target"].map(|key| &record[key]);
        assert_eq!(told, expected, "{record}");
    }
}

#[tokio::test]
async fn a_provider_that_ends_a_talk_ends_it_for_the_client() {
    let provider = Talking::new().await;
    let gateway = Gateway::start(&yaml(&provider.url, "")).await;
    let mut client = Peer::asking(gateway.data, LIVE, &[]).await;
    client.write(&masked(TEXT, setup("talk").as_bytes())).await;
    let mut peer = provider.next().await;
    peer.frame().await;
    let bye = frame(CLOSE, b"\x03\xf0models/gemini-live is not found");
    peer.write(&bye).await;
    drop(peer);
    assert_eq!(client.rest().await, bye);
}

#[tokio::test]
async fn whoever_does_not_begin_is_passed_over() {
    let closed = Closed::new();
    let refuses = Raw::answering("application/json", b"{}").await;
    let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n";
    let unproven = Raw::saying(vec![switched.into()]).await;
    let talks = Talking::new().await;
    let urls = [format!("http://{}", closed.address), refuses.url.clone(), unproven.url.clone(), talks.url.clone()];
    let of_one = |(number, url): (usize, &String)| format!("  p{number}: {{ kind: gemini, base_url: \"{url}\" }}\n");
    let providers: String = urls.iter().enumerate().map(of_one).collect();
    let yaml = format!(
        "providers:\n  chat: {{ kind: openai, base_url: \"{0}\" }}\n{providers}
routes: {{ talk: {{ targets: [chat/m, p0/m, p1/m, p2/m, p3/m] }} }}",
        refuses.url
    );
    let gateway = Gateway::start(&yaml).await;
    let mut client = Peer::asking(gateway.data, LIVE, &[("x-request-id", "passed-over")]).await;
    client.write(&masked(TEXT, setup("models/talk").as_bytes())).await;
    let mut peer = talks.next().await;
    assert_eq!(peer.frame().await, (TEXT, setup("models/m").into_bytes()));
    assert_eq!((refuses.requests().len(), unproven.requests().len()), (1, 1));
    drop((client, peer));
    assert_eq!(gateway.record("passed-over").await["target"], "p3/m");
}

#[tokio::test]
async fn vertex_is_asked_by_its_own_names() {
    let provider = Talking::new().await;
    let place = "projects/p-1/locations/europe-west1";
    let yaml = format!(
        "providers: {{ v: {{ kind: vertex, base_url: \"{}/v1/{place}\", api_key: token-of-v }} }}\ndirect: true\n",
        provider.url
    );
    let gateway = Gateway::start(&yaml).await;
    for model in ["models/v/gemini-live", "publishers/v/models/gemini-live"] {
        let mut client = Peer::asking(gateway.data, LIVE, &[]).await;
        client.write(&masked(TEXT, setup(model).as_bytes())).await;
        let mut peer = provider.next().await;
        assert!(peer.head.starts_with(&format!("GET {VERTEX} HTTP/1.1\r\n")), "{}", peer.head);
        assert_eq!(peer.header("authorization"), Some("Bearer token-of-v"));
        let named = setup(&format!("{place}/publishers/google/models/gemini-live"));
        assert_eq!(peer.frame().await, (TEXT, named.into_bytes()), "{model}");
    }
}

#[tokio::test]
async fn what_fails_after_the_answer_ends_the_websocket_with_why() {
    let refuses = Raw::answering("application/json", b"{}").await;
    let gateway = Gateway::start(&yaml(&refuses.url.replace("/v1", ""), "")).await;
    let said = |text: &str| masked(TEXT, text.as_bytes());
    for (number, (bytes, code, why, status, outcome)) in [
        (said(&setup("models/nobody")), 1008, "nobody", 404, "client_error"),
        (said("hello"), 1008, "Expected an object", 400, "client_error"),
        (said(r#"{"realtimeInput":{}}"#), 1008, "setup", 400, "client_error"),
        (frame(TEXT, b"{}"), 1008, "not masked", 400, "client_error"),
        ([head(TEXT, 2 << 20, 0x80), vec![0; 4]].concat(), 1009, "1048576", 413, "client_error"),
        (said(&setup("talk")), 1011, "p/gemini-live answered 200", 502, "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("ended-{number}");
        let mut client = Peer::asking(gateway.data, LIVE, &[("x-request-id", &id)]).await;
        client.write(&bytes).await;
        let (first, payload) = client.frame().await;
        let (told, reason) = payload.split_at(2);
        let reason = String::from_utf8(reason.to_vec()).expect("text");
        assert_eq!((first, told), (CLOSE, &u16::to_be_bytes(code)[..]), "{reason}");
        assert!(reason.contains(why), "{reason}");
        assert_eq!(client.rest().await, b"", "{reason}");
        drop(client);
        let record = gateway.record(&id).await;
        assert_eq!((&record["status"], &record["outcome"]), (&json!(status), &json!(outcome)), "{record}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_handshake_is_answered_by_http() {
    let closed = Closed::new();
    let callers = "callers: [{ name: all, key: key-of-all }]";
    let gateway = Gateway::start(&yaml(&format!("http://{}", closed.address), callers)).await;
    let unknown = LIVE.replace("GenerateContent", "GenerateMusic");
    for (path, headers, status) in [
        (LIVE, &[][..], 401),
        (LIVE, &[("x-goog-api-key", "of-nobody")], 401),
        (&unknown, &[("x-goog-api-key", "key-of-all")], 404),
    ] {
        let client = Peer::asking(gateway.data, path, headers).await;
        assert!(client.head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {}", client.head);
    }
    let key = |ask: Ask| ask.header("x-goog-api-key", "key-of-all");
    let answer = gateway.ask(key(Ask::get(LIVE))).await;
    assert_eq!((answer.status, &answer.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(gateway.ask(key(Ask::new("POST", LIVE))).await.status, 405);
}

/// A page may not talk at the cost of whoever looks at it; where keys are needed it has to have one.
#[tokio::test]
async fn pages_of_other_origins_talk_only_where_keys_are_needed() {
    const REALTIME: &str = "/v1/realtime?model=nobody";
    let closed = Closed::new();
    for (callers, expected) in [
        ("", [(LIVE, 400), (REALTIME, 400)]),
        ("callers: [{ name: all, key: key-of-all }]", [(LIVE, 101), (REALTIME, 404)]),
    ] {
        let gateway = Gateway::start(&yaml(&format!("http://{}", closed.address), callers)).await;
        for (path, status) in expected {
            let headers = [("x-goog-api-key", "key-of-all"), ("origin", "http://page.test")];
            let client = Peer::asking(gateway.data, path, &headers).await;
            assert!(client.head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {}", client.head);
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_let_go_at_every_stage() {
    let provider = Talking::new().await;
    let gateway = Gateway::start(&yaml(&provider.url, "")).await;
    let cancelled = async |id: &str| {
        let record: Value = gateway.record(id).await;
        assert_eq!(record["outcome"], "cancelled", "{record}");
    };
    drop(Peer::asking(gateway.data, LIVE, &[("x-request-id", "silent")]).await);
    cancelled("silent").await;

    let mut client = Peer::asking(gateway.data, LIVE, &[("x-request-id", "closes")]).await;
    client.write(&masked(CLOSE, b"\x03\xe8")).await;
    assert_eq!(client.frame().await, (CLOSE, b"\x03\xe8".to_vec()));
    cancelled("closes").await;

    let mut client = Peer::asking(gateway.data, LIVE, &[("x-request-id", "waits")]).await;
    client.write(&masked(TEXT, setup("talk").as_bytes())).await;
    let mut peer = provider.asked().await;
    drop(client);
    assert_eq!(peer.rest().await, b"", "the provider sees it while it is asked");
    cancelled("waits").await;
}
