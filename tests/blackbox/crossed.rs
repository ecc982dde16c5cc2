//! Clients over providers of other dialects, on bad days: each failure in the client's own words, whoever failed.

use crate::client::{Answer, Ask, End};
use crate::dialect::Dialect;
use crate::gateway::Gateway;
use crate::heard::{ends, errors, heard, told};
use crate::provider::{Held, Raw, configured, streamed, whole};
use crate::speech::{answer, failure, refusal, speech};
use serde_json::json;

/// A gateway over one provider of each dialect at these addresses, asked for `m` as the routes `of_...`.
async fn gateway(urls: &[(Dialect, &str)], more: &str) -> Gateway {
    let providers: String = urls.iter().map(|(dialect, url)| dialect.provider(dialect.label(), url, "")).collect();
    let route = |dialect: &Dialect| format!("  of_{0}: {{ targets: [{0}/m] }}\n", dialect.label());
    let routes: String = urls.iter().map(|(dialect, _)| route(dialect)).collect();
    Gateway::start(&format!("providers:\n{providers}routes:\n{routes}{more}")).await
}

fn route(dialect: Dialect) -> String {
    format!("of_{}", dialect.label())
}

/// How a stream fails that has said "alpha ", and what the record calls it.
#[derive(Clone, Copy, Debug)]
enum Break {
    Said,
    Cut,
    Polite,
    Silent,
}

const BREAKS: [(Break, &str, &str); 4] = [
    (Break::Said, "failed", "error_event"),
    (Break::Cut, "truncated", "truncated"),
    (Break::Polite, "truncated", "truncated"),
    (Break::Silent, "truncated", "stalled"),
];

/// A provider of `dialect` that has said "alpha ", and breaks off so when it is told to go on.
async fn breaking(dialect: Dialect, how: Break) -> Held {
    let mut begun = streamed(speech(dialect, &["alpha ", "beta"]).begun(1).as_bytes(), &[4096]);
    begun.pop();
    let rest = match how {
        Break::Said => streamed(failure(dialect, "secret words").as_bytes(), &[4096]).split_off(1).concat(),
        Break::Cut | Break::Silent => Vec::new(),
        Break::Polite => b"0\r\n\r\n".to_vec(),
    };
    Held::saying(begun.concat(), rest).await
}

/// That the stream says this much and then, once, that it is not all.
fn is_broken_off(client: Dialect, answer: &Answer, shown: &str) {
    assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
    let failed = matches!(client, Dialect::Responses);
    assert_eq!(ends(client, &answer.body), (usize::from(failed), failed), "{shown}");
    let said = errors(client, &answer.body);
    assert_eq!(said.len(), 1, "{shown}");
    let last = answer.text().trim_end().rsplit("\n\n").next().unwrap_or_default().to_owned();
    assert!(last.contains("message") && last.contains(said[0]["message"].as_str().expect("a message")), "{shown}");
    assert!(!answer.text().contains("secret words"), "{shown}");
    assert!(answer.text().contains("alpha"), "{shown}");
    if client == Dialect::Messages {
        assert!(last.starts_with("event: error\n"), "{shown}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_one_error_of_the_clients() {
    for (how, outcome, end) in BREAKS {
        for of in Dialect::ALL {
            let provider = breaking(of, how).await;
            let more = "defaults: { recover_stream: error, timeouts: { idle: 300ms }, breaker: { consecutive: 99, failure_ratio: 100% } }\n";
            let gateway = gateway(&[(of, &provider.url)], more).await;
            for client in Dialect::ALL {
                let mut exchange = gateway.send(client.ask(&route(of), true)).await;
                exchange.until("alpha").await;
                if !matches!(how, Break::Silent) {
                    provider.go_on();
                }
                let answer = exchange.answer().await;
                let shown = format!("{of:?} to {client:?}, {how:?}: {}", answer.text());
                is_broken_off(client, &answer, &shown);
                let record = gateway.record(&answer.id).await;
                assert_eq!([&record["outcome"], &record["stream_end"]], [outcome, end], "{shown} {record}");
                assert_eq!(record["dialect"], client.label(), "{record}");
            }
        }
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_replaced_by_one_of_another_dialect() {
    for (first, spare) in [
        (Dialect::Messages, Dialect::Chat),
        (Dialect::Messages, Dialect::Generate),
        (Dialect::Chat, Dialect::Messages),
        (Dialect::Generate, Dialect::Responses),
    ] {
        for stream in [false, true] {
            let bad = Raw::saying(whole("529 Busy", "application/json", refusal(first, 529, "busy").as_bytes())).await;
            let good = match stream {
                true => Raw::streaming(speech(spare, &["alpha ", "beta"]).whole().as_bytes(), &[50]).await,
                false => Raw::answering("application/json", answer(spare, "alpha beta").as_bytes()).await,
            };
            let providers = first.provider("bad", &bad.url, "") + &spare.provider("good", &good.url, "");
            let yaml = format!(
                "providers:\n{providers}routes: {{ chat: {{ targets: [bad/m, good/n] }} }}\ndefaults: {{ retry: {{ retry_budget: 100% }} }}\n"
            );
            let gateway = Gateway::start(&yaml).await;
            for client in Dialect::ALL {
                let answer = gateway.ask(client.ask("chat", stream)).await;
                let shown = format!("{first:?}, {spare:?} to {client:?}: {}", answer.text());
                assert_eq!((answer.status, answer.end), (200, End::Complete), "{shown}");
                let heard = heard(client, stream, &answer.body);
                assert_eq!(
                    (&*heard.text, &*heard.finish, heard.tokens),
                    ("alpha beta", "stop", [5, 2, 0, 0]),
                    "{shown}"
                );
                let told = ["target", "degraded"].map(|name| answer.header(&format!("x-breakwater-{name}")));
                assert_eq!(told, [Some("good/n"), Some("fallback")], "{shown}");
                let asked = good.requests();
                assert!(asked.last().is_some_and(|request| crate::dialect::model_of(request) == "n"), "{asked:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_of_another_dialect_is_gone_on_with() {
    let words = ["A gateway ", "keeps its ", "word when ", "the water ", "is rough"];
    for (first, spare) in [
        (Dialect::Messages, Dialect::Chat),
        (Dialect::Messages, Dialect::Generate),
        (Dialect::Messages, Dialect::Messages),
        (Dialect::Chat, Dialect::Messages),
        (Dialect::Chat, Dialect::Responses),
    ] {
        let mut begun = streamed(speech(first, &words).begun(3).as_bytes(), &[4096]);
        begun.pop();
        let bad = Raw::saying(begun).await;
        // The rest comes from one who says all of it again: the same words up to there, which the client has.
        let good = Raw::streaming(speech(spare, &words).whole().as_bytes(), &[60]).await;
        let providers = first.provider("bad", &bad.url, "") + &spare.provider("good", &good.url, "");
        let yaml = format!(
            "providers:\n{providers}routes: {{ chat: {{ targets: [bad/m, good/n], recover_stream: continue }} }}\ndefaults: {{ retry: {{ retry_budget: 100% }} }}\n"
        );
        let gateway = Gateway::start(&yaml).await;
        let answer = gateway.ask(Dialect::Chat.ask("chat", true)).await;
        let shown = format!("{first:?}, {spare:?}: {}", answer.text());
        let heard = heard(Dialect::Chat, true, &answer.body);
        assert_eq!((&*heard.text, &*heard.finish), (&*words.concat(), "stop"), "{shown}");
        assert_eq!(ends(Dialect::Chat, &answer.body), (1, true), "{shown}");
        let ids: std::collections::BTreeSet<_> =
            answer.events().iter().filter_map(|e| Some(e["id"].as_str()?.to_owned())).collect();
        assert_eq!(ids.len(), 1, "{shown}");
        let record = gateway.record(&answer.id).await;
        assert_eq!([&record["outcome"], &record["stream_end"]], ["degraded", "complete"], "{record}");
        assert_eq!(record["continued"], 1, "{record}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_its_dialect() {
    let provider = Raw::answering("application/json", answer(Dialect::Chat, "hi").as_bytes()).await;
    let callers = "callers: [{ name: app, key: right-secret, routes: '*' }]\n";
    let callers = callers.replace("'*'", "[of_openai_chat]");
    let gateway = gateway(&[(Dialect::Chat, &provider.url)], &callers).await;
    for client in Dialect::ALL {
        let right = |ask: Ask| {
            ask.header(if client == Dialect::Messages { "x-api-key" } else { "x-goog-api-key" }, "right-secret")
        };
        let path = client.path("of_openai_chat", false);
        let wrong_method = if client == Dialect::Generate { "DELETE" } else { "GET" };
        for (what, ask, status, named) in [
            ("an unknown model", right(client.ask("nobody", false)), 404, "nobody"),
            ("a wrong key", client.ask("of_openai_chat", false).header("x-api-key", "wrong"), 401, "API key"),
            ("no key", client.ask("of_openai_chat", false), 401, "API key"),
            ("no JSON", right(Ask::to(&path, "{\"model\":")), 400, ""),
            ("a wrong method", right(Ask::new(wrong_method, &path)), 405, ""),
            ("what is right", right(client.ask("of_openai_chat", false)), 200, ""),
        ] {
            let answer = gateway.ask(ask).await;
            let shown = format!("{what} of {client:?}: {} {}", answer.head, answer.text());
            assert_eq!(answer.status, status, "{shown}");
            if status == 200 {
                continue;
            }
            assert!(told(client, status, &answer.json()).contains(named), "{shown}");
            assert_eq!(answer.header("allow").is_some(), status == 405, "{shown}");
            assert!(answer.header("x-request-id").is_some_and(|id| id == answer.id), "{shown}");
        }
        let label = client.label();
        let ok = format!(
            r#"requests_total{{caller="app",dialect="{label}",outcome="success",route="of_openai_chat",stream="false"}}"#
        );
        gateway.expect(&[(&ok, 1.0)]).await;
    }
}

#[tokio::test]
async fn what_no_provider_can_be_told_is_refused_or_named() {
    for (client, of, fields, refused, left_out) in [
        (Dialect::Chat, Dialect::Messages, json!({"n": 2}), Some("n"), None),
        (Dialect::Chat, Dialect::Generate, json!({"logit_bias": {"5": 1}}), Some("logit_bias"), None),
        (Dialect::Responses, Dialect::Chat, json!({"previous_response_id": "r"}), Some("previous_response_id"), None),
        (Dialect::Messages, Dialect::Chat, json!({"container": "c"}), Some("container"), None),
        (Dialect::Generate, Dialect::Messages, json!({"cachedContent": "c"}), Some("cachedContent"), None),
        (
            Dialect::Chat,
            Dialect::Messages,
            json!({"seed": 7, "frequency_penalty": 0.5}),
            None,
            Some("seed, frequency_penalty"),
        ),
        (Dialect::Messages, Dialect::Chat, json!({"top_k": 3}), None, Some("top_k")),
        (
            Dialect::Generate,
            Dialect::Messages,
            json!({"generationConfig": {"seed": 7}}),
            None,
            Some("generationConfig.seed"),
        ),
        (Dialect::Responses, Dialect::Messages, json!({"truncation": "auto"}), None, Some("truncation")),
    ] {
        let provider = Raw::answering("application/json", answer(of, "hi").as_bytes()).await;
        let gateway = gateway(&[(of, &provider.url)], "").await;
        let answer = gateway.ask(client.ask_with(&route(of), false, fields)).await;
        let shown = format!("{client:?} to {of:?}: {} {}", answer.head, answer.text());
        match refused {
            Some(field) => {
                assert_eq!(answer.status, 400, "{shown}");
                assert!(told(client, 400, &answer.json()).contains(&format!("`{field}`")), "{shown}");
                assert!(provider.requests().is_empty(), "{shown}");
            }
            None => {
                assert_eq!(answer.status, 200, "{shown}");
                assert_eq!(answer.header("x-breakwater-left-out"), left_out, "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn what_one_provider_left_in_a_conversation_is_no_fault_at_the_next() {
    let thinking = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_01", "name": "look", "input": {}},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    });
    let first = Raw::answering("application/json", thinking.to_string().as_bytes()).await;
    let later = Raw::answering("application/json", answer(Dialect::Chat, "hi").as_bytes()).await;
    let of = |kind: &str, url: &str| format!("  {kind}: {{ kind: {kind}, base_url: \"{url}\", api_key: k }}\n");
    let later_ones: String = ["openai", "azure_openai", "mistral", "groq"].map(|kind| of(kind, &later.url)).concat();
    let gateway =
        Gateway::start(&format!("providers:\n{}{later_ones}direct: true\n", of("anthropic", &first.url))).await;
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]);
    let ask = |model: &str, messages: &[serde_json::Value]| {
        let body = json!({"model": model, "messages": messages, "max_completion_tokens": 900, "tools": tools});
        Ask::to("/v1/chat/completions", body.to_string())
    };
    let mut messages =
        vec![json!({"role": "developer", "content": "Be brief."}), json!({"role": "user", "content": "Look."})];
    let said = gateway.ask(ask("anthropic/claude", &messages)).await;
    // The whole message, as a stock client keeps it.
    let mut message = said.json()["choices"][0]["message"].take();
    assert!(message["reasoning_content"] == "hm" && message["reasoning_details"].is_array(), "{}", said.text());
    message["refusal"] = serde_json::Value::Null;
    messages.extend([message, json!({"role": "tool", "tool_call_id": "toolu_01", "content": "sunny"})]);
    for (target, left_out) in [
        ("azure_openai/gpt", Some("messages.reasoning_content, messages.reasoning_details")),
        ("mistral/m", Some("reasoning")),
        ("groq/m", Some("reasoning")),
        // At an address of somebody's own another may answer, who wants its thoughts back.
        ("openai/deepseek", None),
    ] {
        let answered = gateway.ask(ask(target, &messages)).await;
        assert_eq!((answered.status, answered.said().as_str()), (200, "hi"), "{target}: {}", answered.text());
        assert_eq!(answered.header("x-breakwater-left-out"), left_out, "{target}");
        let requests = later.requests();
        let (_, body) = requests.last().and_then(|last| last.split_once("\r\n\r\n")).expect("a request");
        assert_eq!(body.contains("reasoning"), left_out.is_none(), "{target}: {body}");
        assert!(body.contains("sunny") && body.contains("I look."), "{target}: {body}");
        let own = target.contains("openai");
        for (word, there) in [("max_completion_tokens", own), ("developer", own), ("refusal", own)] {
            assert_eq!(body.contains(word), there, "{target}: {word}: {body}");
        }
        assert_eq!(body.contains("toolu_01"), !target.starts_with("mistral"), "{target}: {body}");
    }
}

#[tokio::test]
async fn what_an_answer_holds_that_the_client_has_no_words_for_is_told() {
    let signed = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi","thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}"#;
    let provider = Raw::replying(move |request| {
        if request.contains(":stream") {
            streamed(format!("data: {signed}\n\n").as_bytes(), &[4096])
        } else {
            whole("200 OK", "application/json", signed.as_bytes())
        }
    })
    .await;
    let gateway = gateway(&[(Dialect::Generate, &provider.url)], "").await;
    for (client, lost) in [(Dialect::Messages, true), (Dialect::Chat, false), (Dialect::Responses, false)] {
        let answer = gateway.ask(client.ask(&route(Dialect::Generate), false)).await;
        assert_eq!(
            (answer.status, heard(client, false, &answer.body).text.as_str()),
            (200, "hi"),
            "{client:?}: {}",
            answer.text()
        );
        assert_eq!(answer.header("x-breakwater-left-out"), lost.then_some("signature"), "{client:?}");
        let answer = gateway.ask(client.ask(&route(Dialect::Generate), true)).await;
        assert_eq!((answer.status, answer.end), (200, End::Complete), "{client:?}: {}", answer.text());
        let told = answer.text().contains("\n: x-breakwater-left-out: signature\n\n");
        assert_eq!(told, lost, "{client:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn calls_that_have_no_ids_are_no_fault_to_googles_clients() {
    let call = |n: u8| json!({"name": "f", "args": {"n": n}});
    let parts: Vec<_> = [1, 2].map(|n| json!({"functionCall": call(n)})).into();
    let google = json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
    let calls: Vec<_> = [1, 2].map(|n| json!({"function": {"name": "f", "arguments": {"n": n}}})).into();
    let ollama = json!({"model": "m", "message": {"role": "assistant", "content": "", "tool_calls": calls},
        "done": true, "done_reason": "stop"});
    for (kind, body) in [("gemini", google), ("ollama_native", ollama)] {
        let provider = Raw::answering("application/json", body.to_string().as_bytes()).await;
        let providers = configured("p", kind, &provider.url, "");
        let gateway = Gateway::start(&format!("providers:\n{providers}direct: true\n")).await;
        let tools = json!({"tools": [{"functionDeclarations": [{"name": "f"}]}]});
        let answer = gateway.ask(Dialect::Generate.ask_with("p/m", false, tools)).await;
        assert_eq!((answer.status, answer.end), (200, End::Complete), "{kind}: {}", answer.text());
        let heard = heard(Dialect::Generate, false, &answer.body);
        assert_eq!(heard.calls, [1, 2].map(|n| ("f".to_owned(), json!({"n": n}))), "{kind}");
    }
}
