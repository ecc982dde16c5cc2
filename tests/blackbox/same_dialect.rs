//! Client and provider of one dialect, whichever it is: every byte of the request arrives but for the model, every
//! byte of the answer comes back, and no secret of either side reaches the other (`passthrough` has more of chat).

use crate::client::{Ask, End};
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::provider::{Raw, streamed, whole};
use crate::speech::{answer, speech};

/// What a request holds that no dialect knows yet, in every legal spelling, and twice.
const TOMORROW: &str = r#"{ "tomorrow" : {"a":[1e400, -0 , "model", {"model":"chat"}]},"n\u0065w":1.50,
	REST , "tomorrow":null,"" : "\ud83d\ude80 h\u00e9 é 你好 🚀" }
"#;

/// The fields of a request in its own dialect, oddly written.
fn rest(dialect: Dialect, stream: bool) -> String {
    match dialect {
        Dialect::Chat => {
            format!(
                r#""stream" :{stream}, "model" : "ch\u0061t" ,"messages":[ {{"role":"user","content":"h\u00e9"}} ]"#
            )
        }
        Dialect::Messages => format!(
            r#""max_tokens":9, "stream" :{stream}, "model" : "ch\u0061t" ,"messages":[ {{"role":"user","content":"h\u00e9","odd":[]}} ]"#
        ),
        Dialect::Responses => {
            format!(r#""stream" :{stream}, "model" : "ch\u0061t" ,"input":[ {{"role":"user","content":"h\u00e9"}} ]"#)
        }
        Dialect::Generate => {
            r#""model":"chat", "contents":[ {"parts" :[{"text":"h\u00e9","odd":[]}],"role":"user"} ]"#.into()
        }
    }
}

/// The path at which a provider with the base address `/v1` is asked for the model `m`.
fn asked_at(dialect: Dialect, stream: bool) -> &'static str {
    match (dialect, stream) {
        (Dialect::Chat, _) => "/v1/chat/completions",
        (Dialect::Messages, _) => "/v1/messages",
        (Dialect::Responses, _) => "/v1/responses",
        (Dialect::Generate, false) => "/v1/models/m:generateContent",
        (Dialect::Generate, true) => "/v1/models/m:streamGenerateContent?alt=sse",
    }
}

/// A provider of `dialect` that says something, and the bytes in which it does.
async fn provider(dialect: Dialect, stream: bool) -> (Raw, Vec<u8>) {
    let body = match stream {
        true => speech(dialect, &["h\u{e9} ", "🚀"]).whole(),
        false => answer(dialect, "h\u{e9}").replacen('{', "{ \"tomorrow\" : [ 1e400 ] ,", 1),
    };
    let pieces = match stream {
        true => streamed(body.as_bytes(), &[1, 7, 64, 3]),
        false => whole("200 OK", "application/json", body.as_bytes()),
    };
    (Raw::saying(pieces).await, body.into())
}

async fn gateway(dialect: Dialect, url: &str, more: &str) -> Gateway {
    let provider = dialect.provider("p", url, more);
    Gateway::start(&format!("providers:\n{provider}routes: {{ chat: {{ targets: [p/m] }} }}\n")).await
}

/// The names of a request's headers, sorted, and the request without its body.
fn head(request: &str) -> (Vec<&str>, &str) {
    let (head, _) = request.split_once("\r\n\r\n").expect("a head");
    let mut names: Vec<_> = head.lines().skip(1).filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    names.sort_unstable();
    (names, head)
}

#[tokio::test]
async fn bytes_pass_in_every_dialect() {
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            let (provider, said) = provider(dialect, stream).await;
            let sent = TOMORROW.replace("REST", &rest(dialect, stream));
            let answer = gateway(dialect, &provider.url, "")
                .await
                .ask(Ask::to(&dialect.path("chat", stream), sent.clone()))
                .await;
            assert_eq!((answer.status, answer.end), (200, End::Complete), "{dialect:?} {}", answer.text());
            assert!(answer.body == said, "{dialect:?}: {}", answer.text());
            let requests = provider.requests();
            let (head, received) = requests[0].split_once("\r\n\r\n").expect("a head");
            assert_eq!(received, sent.replace(r#""ch\u0061t""#, "\"m\""), "{dialect:?}");
            let line = format!("POST {} HTTP/1.1", asked_at(dialect, stream));
            assert_eq!(head.lines().next(), Some(&*line), "{dialect:?}");
            assert_eq!(answer.header("x-breakwater-left-out"), None, "{dialect:?}");
        }
    }
}

/// Every place in which a client puts what it has to prove who it is.
const SECRETS: [&str; 6] = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "proxy-authorization"];

/// The headers that every provider is sent.
const ALWAYS: [&str; 5] = ["accept", "content-length", "content-type", "host", "user-agent"];

#[tokio::test]
async fn keys_stand_where_each_provider_wants_them_and_the_clients_never_do() {
    for (dialect, key, own) in [
        (Dialect::Chat, "authorization: Bearer sk-provider", vec!["authorization", "openai-beta"]),
        (Dialect::Responses, "authorization: Bearer sk-provider", vec!["authorization", "openai-beta"]),
        (Dialect::Messages, "x-api-key: sk-provider", vec!["anthropic-beta", "anthropic-version", "x-api-key"]),
        (Dialect::Generate, "x-goog-api-key: sk-provider", vec!["x-goog-api-key"]),
    ] {
        let (provider, _) = provider(dialect, false).await;
        let path = dialect.path("chat", false) + "?key=client-secret&beta=true";
        let ask = Ask::to(&path, TOMORROW.replace("REST", &rest(dialect, false)));
        let ask = SECRETS.iter().fold(ask, |ask, name| ask.header(name, "Bearer client-secret"));
        let said = [
            ("anthropic-version", "2026-10-21"),
            ("anthropic-beta", "a-2025-01-01,b"),
            ("anthropic-beta", "c"),
            ("openai-beta", "responses=v1"),
            ("x-forwarded-for", "10.1.2.3"),
        ];
        let ask = said.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        let answer = gateway(dialect, &provider.url, ", api_key: sk-provider").await.ask(ask).await;
        assert_eq!(answer.status, 200, "{dialect:?} {}", answer.text());
        let requests = provider.requests();
        let (names, head) = head(&requests[0]);
        let mut expected = [&ALWAYS, &own[..]].concat();
        expected.sort_unstable();
        assert_eq!(names, expected, "{dialect:?}");
        assert!(head.contains(key) && !requests[0].contains("client-secret"), "{dialect:?} {head}");
        if dialect == Dialect::Messages {
            let told = ["anthropic-version: 2026-10-21\r\n", "anthropic-beta: a-2025-01-01,b,c\r\n"];
            assert!(told.iter().all(|line| head.contains(line)), "{head}");
        }
    }
}

#[tokio::test]
async fn a_version_that_no_client_names_is_one_that_is_known() {
    for client in [Dialect::Messages, Dialect::Chat] {
        let (provider, _) = provider(Dialect::Messages, false).await;
        let ask = client.ask("chat", false).header("openai-beta", "x").header("x-goog-api-client", "y");
        let answer = gateway(Dialect::Messages, &provider.url, "").await.ask(ask).await;
        assert_eq!(answer.status, 200, "{client:?} {}", answer.text());
        let requests = provider.requests();
        let (names, head) = head(&requests[0]);
        assert!(head.contains("anthropic-version: 2023-06-01"), "{client:?} {head}");
        let mut expected = [&ALWAYS[..], &["anthropic-version"]].concat();
        expected.sort_unstable();
        assert_eq!(names, expected, "{client:?}");
    }
}

#[tokio::test]
async fn a_clients_headers_reach_no_provider_of_another_dialect() {
    let (provider, _) = provider(Dialect::Chat, false).await;
    let ask =
        Dialect::Messages.ask("chat", false).header("anthropic-beta", "a").header("anthropic-version", "2023-06-01");
    let answer = gateway(Dialect::Chat, &provider.url, "").await.ask(ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(head(&provider.requests()[0]).0, ALWAYS);
}

#[tokio::test]
async fn azure_is_asked_in_both_its_layouts() {
    for (version, line) in [
        (", api_version: '2024-10-21'", "POST /v1/deployments/m/chat/completions?api-version=2024-10-21 HTTP/1.1"),
        ("", "POST /v1/chat/completions HTTP/1.1"),
    ] {
        let (provider, _) = provider(Dialect::Chat, false).await;
        let url = &provider.url;
        let yaml = format!(
            "providers: {{ p: {{ kind: azure_openai, base_url: '{url}', api_key: sk-provider{version}, apis: [chat_completions] }} }}\n\
             routes: {{ chat: {{ targets: [p/m] }} }}"
        );
        let gateway = Gateway::start(&yaml).await;
        for client in Dialect::ALL {
            let answer = gateway.ask(client.ask("chat", false).header("api-key", "client-secret")).await;
            assert_eq!(answer.status, 200, "{client:?} {}", answer.text());
            let requests = provider.requests();
            let (names, head) = head(requests.last().expect("a request"));
            assert_eq!(head.lines().next(), Some(line), "{client:?}");
            assert!(head.contains("api-key: sk-provider") && names.contains(&"api-key"), "{client:?} {head}");
            assert!(!names.contains(&"authorization") && !head.contains("client-secret"), "{client:?} {head}");
        }
    }
}
