//! What is said.

use super::*;
use llm::Dialect::{Anthropic, OpenAiChat};
use llm::SealKind::{Encrypted, Signature};

const MARK: &str = r#"{"type":"ephemeral"}"#;

/// Rows: what is shown, the model, what is said, the request without what is beside, what is left out.
fn check(rows: Vec<Row<'_>>) {
    for (name, model, prompt, expected, left_out) in rows {
        let (mut body, left) = written(&prompt, model);
        let fields = body.as_object_mut().expect("an object");
        fields.retain(|field, _| matches!(field.as_str(), "system" | "messages"));
        assert_eq!(body, expected, "{name}");
        assert_eq!(left, left_out, "{name}");
    }
}

#[test]
fn speakers_take_turns_and_a_user_begins() {
    let hi = json!({"role": "user", "content": [{"text": "hi"}]});
    let opening = json!({"role": "user", "content": [{"text": "(The conversation begins.)"}]});
    check(vec![
        (
            "instructions stand apart, those in the middle too",
            LLAMA,
            saying(vec![
                turn(Role::System, vec![text("a"), text(" ")]),
                turn(Role::User, vec![text("hi")]),
                turn(Role::Developer, vec![text("b")]),
            ]),
            json!({"system": [{"text": "a"}, {"text": "b"}], "messages": [hi]}),
            vec![],
        ),
        (
            "neighbours are joined, and what says nothing is none",
            LLAMA,
            saying(vec![
                turn(Role::User, vec![text("a")]),
                turn(Role::Assistant, vec![text("")]),
                Turn { name: "ann".into(), ..turn(Role::User, vec![text("b")]) },
                turn(Role::Assistant, vec![text("c")]),
                turn(Role::Assistant, vec![part(PartKind::Refusal("no".into()))]),
                turn(Role::User, vec![text("d")]),
            ]),
            json!({"messages": [
                {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
                {"role": "assistant", "content": [{"text": "c"}, {"text": "no"}]},
                {"role": "user", "content": [{"text": "d"}]},
            ]}),
            vec!["name"],
        ),
        (
            "what the model goes on with ends in no white space",
            CLAUDE,
            saying(vec![turn(Role::Assistant, vec![text("a \n")])]),
            json!({"messages": [opening, {"role": "assistant", "content": [{"text": "a"}]}]}),
            vec![],
        ),
        ("nothing", CLAUDE, saying(vec![]), json!({"messages": [opening]}), vec![]),
    ]);
}

#[test]
fn calls_are_answered_before_anything_else() {
    let used = |id: &str, input: Value| json!({"toolUse": {"toolUseId": id, "name": "f", "input": input}});
    let given = |id: &str, content: Value| json!({"toolResult": {"toolUseId": id, "content": content}});
    let image = json!({"image": {"format": "png", "source": {"bytes": "aGk="}}});
    let free = PartKind::Call { id: "t".into(), name: "f".into(), arguments: "x\"".into(), free: true, seal: None };
    let turns = || {
        vec![
            turn(Role::User, vec![text("hi")]),
            turn(Role::Assistant, vec![call("a", "f", r#"{"x":1}"#), call("b", "f", ""), call("", "f", "[")]),
            turn(Role::User, vec![result("a", vec![text("1"), text("")], false)]),
            turn(Role::User, vec![text("and?"), result("b", vec![picture(inline("image/png"))], true)]),
            turn(Role::User, vec![result("", vec![document(Source::Text("hi".into()), "d")], false)]),
            turn(Role::Assistant, vec![part(free.clone())]),
            turn(Role::User, vec![result("t", vec![], false)]),
        ]
    };
    let told = |failed: Value| {
        json!({"messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {"role": "assistant", "content": [
                used("a", json!({"x": 1})), used("b", json!({})), used("tooluse_f_1", json!({"input": "["})),
            ]},
            {"role": "user", "content": [
                given("a", json!([{"text": "1"}])),
                failed,
                given("tooluse_f_1", json!([{"document": {"format": "txt", "name": "d", "source": {"bytes": "aGk="}}}])),
                {"text": "and?"},
            ]},
            {"role": "assistant", "content": [used("t", json!({"input": "x\""}))]},
            {"role": "user", "content": [given("t", json!([]))]},
        ]})
    };
    let mut failed = given("b", json!([image]));
    let silent = told(failed.clone());
    failed["toolResult"]["status"] = json!("error");
    check(vec![
        ("a Claude is told of failures", CLAUDE, saying(turns()), told(failed.clone()), vec![]),
        ("and a Nova", NOVA, saying(turns()), told(failed), vec![]),
        ("others are not", LLAMA, saying(turns()), silent, vec!["is_error"]),
    ]);
}

#[test]
fn ids_that_are_not_taken_are_mapped_alike_for_calls_and_results() {
    let long = "é".repeat(40);
    let prompt = saying(vec![
        turn(Role::User, vec![text("hi")]),
        turn(Role::Assistant, vec![call("call:1", "f.g", ""), call("call.1", "f", ""), call(&long, "f", "")]),
        turn(Role::User, ["call:1", "call.1", &long].into_iter().map(|id| result(id, vec![], false)).collect()),
    ]);
    let (body, left_out) = written(&prompt, CLAUDE);
    let at = |message: usize, kind: &str| -> Vec<String> {
        let blocks = body["messages"][message]["content"].as_array().expect("a list");
        blocks.iter().map(|block| block[kind]["toolUseId"].as_str().expect("an id").to_owned()).collect()
    };
    let calls = at(1, "toolUse");
    assert_eq!((&calls, left_out), (&at(2, "toolResult"), vec![]));
    let apart: std::collections::BTreeSet<&String> = calls.iter().collect();
    assert_eq!(apart.len(), 3);
    assert!(calls.iter().all(|id| crate::bedrock::prompt::ids::fits(id)), "{calls:?}");
    let name = body["messages"][1]["content"][0]["toolUse"]["name"].as_str().expect("a name");
    assert!(crate::bedrock::prompt::ids::fits(name) && name.starts_with("f_g_"), "{name}");
}

#[test]
fn pictures_and_documents_stand_in_the_request() {
    let show = |format: &str, kind: &str| json!({kind: {"format": format, "source": {"bytes": "aGk="}}});
    for (media_type, format) in [
        ("image/png", "png"),
        ("image/jpeg", "jpeg"),
        ("IMAGE/JPG", "jpeg"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
    ] {
        let (body, _) = written(&saying(vec![turn(Role::User, vec![picture(inline(media_type))])]), NOVA);
        assert_eq!(body["messages"][0]["content"], json!([show(format, "image")]), "{media_type}");
    }
    for (media_type, format) in [
        ("application/pdf", "pdf"),
        ("text/plain; charset=utf-8", "txt"),
        ("text/markdown", "md"),
        ("text/csv", "csv"),
        ("text/html", "html"),
        ("application/msword", "doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.ms-excel", "xls"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ] {
        let (body, left_out) =
            written(&saying(vec![turn(Role::User, vec![text("?"), document(inline(media_type), "a.b")])]), NOVA);
        let expected = json!({"document": {"format": format, "name": "a b", "source": {"bytes": "aGk="}}});
        assert_eq!(body["messages"][0]["content"], json!([{"text": "?"}, expected]), "{media_type}");
        assert_eq!(left_out, ["title"]);
    }
    let sound = PartKind::Audio { data: "aGk=".into(), format: "pcm16".into() };
    let detailed = PartKind::Image { source: inline("image/png"), detail: "high".into() };
    let words = Source::Text("hi".into());
    let unnamed = |name: &str| json!({"document": {"format": "txt", "name": name, "source": {"bytes": "aGk="}}});
    check(vec![
        (
            "documents are never alone, and never two of one name",
            CLAUDE,
            saying(vec![turn(Role::User, vec![document(words.clone(), ""), document(words, "")])]),
            json!({"messages": [{"role": "user", "content": [
                unnamed("document"), unnamed("document 2"), {"text": "(See the documents.)"},
            ]}]}),
            vec![],
        ),
        (
            "sound, and a detail that is a hint",
            NOVA,
            saying(vec![turn(Role::User, vec![part(sound), part(detailed)])]),
            json!({"messages": [{"role": "user", "content": [show("pcm", "audio"), show("png", "image")]}]}),
            vec!["detail"],
        ),
    ]);
}

#[test]
fn thoughts_come_back_to_those_who_signed_them() {
    let turns = || {
        let mut parts = vec![
            thought("hm", Some((Anthropic, Signature, "s"))),
            thought("", Some((Anthropic, Signature, "t"))),
            thought("", Some((Anthropic, Encrypted, "aGk="))),
        ];
        parts.push(text("a"));
        vec![turn(Role::User, vec![text("hi")]), turn(Role::Assistant, parts), turn(Role::User, vec![text("and?")])]
    };
    let with = |thoughts: Vec<Value>| {
        let content: Vec<Value> = thoughts.into_iter().chain([json!({"text": "a"})]).collect();
        json!({"messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {"role": "assistant", "content": content},
            {"role": "user", "content": [{"text": "and?"}]},
        ]})
    };
    let signed = |text: &str, signature: &str| json!({"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}});
    let all = vec![signed("hm", "s"), signed("", "t"), json!({"reasoningContent": {"redactedContent": "aGk="}})];
    let with_thought = |thought: Part| {
        let mut turns = turns();
        turns[1].parts = vec![thought, text("a")];
        saying(turns)
    };
    check(vec![
        ("a Claude's own", CLAUDE, saying(turns()), with(all), vec![]),
        ("those of a Claude mean nothing to others", NOVA, saying(turns()), with(vec![]), vec!["reasoning"]),
        ("unsigned", CLAUDE, with_thought(thought("hm", None)), with(vec![]), vec!["reasoning"]),
        (
            "another's",
            CLAUDE,
            with_thought(thought("hm", Some((OpenAiChat, Signature, "s")))),
            with(vec![]),
            vec!["reasoning"],
        ),
        (
            "bytes that are none",
            CLAUDE,
            with_thought(thought("", Some((Anthropic, Encrypted, "?")))),
            with(vec![]),
            vec!["reasoning"],
        ),
    ]);
}

#[test]
fn marks_stand_behind_what_is_marked_where_models_cache() {
    let turns = || {
        vec![
            turn(Role::System, vec![marked(text("a"), MARK), text("b")]),
            turn(Role::User, vec![marked(text("hi"), MARK), marked(result("c", vec![], false), MARK)]),
        ]
    };
    let point = json!({"cachePoint": {"type": "default"}});
    let given = json!({"toolResult": {"toolUseId": "c", "content": []}});
    let with = json!({
        "system": [{"text": "a"}, point, {"text": "b"}],
        "messages": [{"role": "user", "content": [given, point, {"text": "hi"}, point]}],
    });
    let without = json!({
        "system": [{"text": "a"}, {"text": "b"}], "messages": [{"role": "user", "content": [given, {"text": "hi"}]}],
    });
    let hi = |mark: &str, words: &str| saying(vec![turn(Role::User, vec![text("hi"), marked(text(words), mark)])]);
    let said = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let plain = json!([{"text": "hi"}, {"text": "x"}]);
    let long = r#"{"type":"ephemeral","ttl":"1h"}"#;
    let usual = r#"{"ttl":"5m","type":"ephemeral"}"#;
    let endless = r#"{"type":"ephemeral","ttl":"1y"}"#;
    let lasting = json!([{"text": "hi"}, {"text": "x"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]);
    let pointed = json!([{"text": "hi"}, {"text": "x"}, point]);
    let within = saying(vec![turn(Role::User, vec![result("c", vec![marked(text("x"), MARK)], false)])]);
    let inner = json!([{"toolResult": {"toolUseId": "c", "content": [{"text": "x"}]}}]);
    check(vec![
        ("a Claude", CLAUDE, saying(turns()), with.clone(), vec![]),
        ("a Nova", NOVA, saying(turns()), with, vec![]),
        ("others", LLAMA, saying(turns()), without, vec!["cache_control"]),
        ("the usual life", CLAUDE, hi(usual, "x"), said(pointed.clone()), vec![]),
        ("a longer one", CLAUDE, hi(long, "x"), said(lasting), vec![]),
        ("where there is none, it is a hint", OLD_CLAUDE, hi(long, "x"), said(pointed.clone()), vec!["cache_control"]),
        ("and for others", NOVA, hi(long, "x"), said(pointed.clone()), vec!["cache_control"]),
        ("one that nobody knows", CLAUDE, hi(endless, "x"), said(pointed), vec!["cache_control"]),
        ("no mark", CLAUDE, hi("7", "x"), said(plain), vec!["cache_control"]),
        ("nothing is marked", CLAUDE, hi(MARK, ""), said(json!([{"text": "hi"}])), vec!["cache_control"]),
        ("within a result", CLAUDE, within, said(inner), vec!["cache_control"]),
    ]);
}
