//! Requests read, as tables, and what becomes of them at providers of other dialects.

use super::read_prompt;
use crate::openai_chat::Server;
use crate::{Quirks, other, request_for};
use llm::{Api, CallError, Dialect, Operation, Other, PartKind, Prompt, Role, Sampling};
use serde_json::Value;

fn read(fields: &str) -> Result<Prompt, CallError> {
    read_prompt(format!(r#"{{"model":"m",{fields}}}"#).as_bytes())
}

fn sound(fields: &str) -> Prompt {
    read(fields).unwrap_or_else(|error| panic!("{fields}: {error:?}"))
}

/// What the client is told is wrong, and where.
fn refusal<T: std::fmt::Debug>(read: Result<T, CallError>) -> (String, String) {
    match read {
        Err(CallError::InvalidRequest { message, param }) => (message, param.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_text_is_the_one_turn_of_a_user() {
    for (prompt, text) in [
        (r#""Say hi.""#, "Say hi."),
        (r#"["Say hi."]"#, "Say hi."),
        (r#" [ "a\n\u00e9" ] "#, "a\né"),
        (r#""""#, ""),
        (r#""[1, 2]""#, "[1, 2]"),
    ] {
        let read = sound(&format!(r#""prompt":{prompt}"#));
        let [turn] = &read.turns[..] else { panic!("{read:?}") };
        let [part] = &turn.parts[..] else { panic!("{turn:?}") };
        assert_eq!(turn.role, Role::User);
        assert_eq!(part.kind, PartKind::Text { text: text.into(), seal: None }, "{prompt}");
        assert_eq!(Prompt { turns: Vec::new(), ..read }, Prompt::default(), "{prompt}: and nothing else");
    }
}

#[test]
fn what_is_no_text_is_refused_by_name() {
    const TWO: &str = "several texts";
    const TOKENS: &str = "tokens";
    const WRONG: &str = "Invalid type for 'prompt'";
    for (prompt, message, param) in [
        (r#"["a","b"]"#, TWO, "prompt"),
        (r#"["a",1]"#, TWO, "prompt"),
        ("[1212,318]", TOKENS, "prompt"),
        ("[1212]", TOKENS, "prompt"),
        ("[[1212,318]]", TOKENS, "prompt"),
        ("[]", WRONG, "prompt"),
        ("[null]", WRONG, "prompt"),
        ("[{}]", WRONG, "prompt"),
        ("7", WRONG, "prompt"),
        (r#"{"id":"p"}"#, WRONG, "prompt"),
        ("null", "Missing required parameter: 'prompt'", "prompt"),
        (r#"["\ud83d"]"#, "Invalid type for 'prompt[0]'", "prompt[0]"),
    ] {
        let (said, at) = refusal(read(&format!(r#""prompt":{prompt}"#)));
        assert!(said.contains(message), "{prompt}: {said}");
        assert_eq!(at, param, "{prompt}");
    }
    let (said, at) = refusal(read(r#""n":1"#));
    assert_eq!((&*said, &*at), ("Missing required parameter: 'prompt'.", "prompt"));
    for body in ["", "[1]", "\u{fffd}"] {
        assert!(read_prompt(body.as_bytes()).is_err(), "{body}");
    }
    assert!(read_prompt(b"{\"prompt\":\"\xff\"}").is_err());
}

#[test]
fn every_field_with_a_noun_is_read() {
    let asked = sound(
        r#""prompt":"a","max_tokens":9,"temperature":0.5,"top_p":0.9,"stop":["x","y"],"seed":7,"presence_penalty":1,
        "frequency_penalty":-1,"n":2,"user":"u","stream":true,"stream_options":{"include_usage":true}"#,
    );
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: None,
        stop: vec!["x".into(), "y".into()],
        seed: Some(7),
        choices: Some(2),
        presence_penalty: Some(1.0),
        frequency_penalty: Some(-1.0),
        logprobs: None,
    };
    assert_eq!(asked.sampling, sampling);
    assert_eq!((asked.stream, asked.stream_usage, &*asked.user), (true, true, "u"));
    assert_eq!(sound(r#""prompt":"a","stop":"x""#).sampling.stop, ["x"]);
    assert!(asked.others.is_empty(), "{:?}", asked.others);
    // OpenAI's limit of 16 tokens is not set for other models.
    assert_eq!(sound(r#""prompt":"a""#).sampling.max_tokens, None);
}

#[test]
fn what_only_completions_have_is_refused_where_it_asks_for_something() {
    for (field, nothing, something) in [
        ("echo", &["null", "false"][..], &["true"][..]),
        ("suffix", &["null", "\"\""], &["\" end\""]),
        ("best_of", &["null", "0", "1"], &["2", "20"]),
        ("logprobs", &["null"], &["0", "5"]),
    ] {
        for value in nothing {
            let asked = sound(&format!(r#""prompt":"a","{field}":{value}"#));
            assert!(asked.others.is_empty(), "{field} {value}: {:?}", asked.others);
        }
        for value in something {
            let (said, at) = refusal(read(&format!(r#""prompt":"a","{field}":{value}"#)));
            assert_eq!(at, field, "{value}: {said}");
            assert!(said.contains(&format!("`{field}` asks for ")), "{said}");
        }
    }
    for (field, value) in [("echo", "1"), ("suffix", "1"), ("best_of", "\"2\""), ("logprobs", "true"), ("n", "\"2\"")] {
        let (said, at) = refusal(read(&format!(r#""prompt":"a","{field}":{value}"#)));
        assert!(said.starts_with("Invalid type for ") && at == field, "{field} {value}: {said}");
    }
}

#[test]
fn fields_without_a_noun_ride_along_by_name() {
    let asked = sound(
        r#""prompt":"a","logit_bias":{"1":5},"tomorrow":[1],"stream_options":{"include_obfuscation":true},"metadata":{}"#,
    );
    let told: Vec<(&str, &str)> = asked.others.iter().map(|Other { name, json }| (name.as_str(), &**json)).collect();
    let expected = [("stream_options.include_obfuscation", "true"), ("logit_bias", r#"{"1":5}"#), ("tomorrow", "[1]")];
    assert_eq!(told, expected);
}

const ANTHROPIC: Api = Api::Shared(Dialect::Anthropic);
const CHAT: Api = Api::Shared(Dialect::OpenAiChat);

fn asked(fields: &str, api: Api, server: Server) -> Result<(Value, Vec<String>), CallError> {
    let raw = format!(r#"{{"model":"m","prompt":"Say hi.",{fields}}}"#);
    let request = other::decode(Operation::Completions, None, raw.into()).expect("sound");
    let written = request_for(&request, api, Quirks { server, ..Quirks::default() }, "theirs")?;
    Ok((serde_json::from_slice(&written.body).expect("JSON"), written.left_out))
}

#[test]
fn providers_are_asked_in_their_words_and_clients_told_in_their_own() {
    let (body, left_out) =
        asked(r#""max_tokens":9,"seed":7,"tomorrow":1,"stream":true"#, ANTHROPIC, Server::COMPATIBLE).expect("said");
    assert_eq!((&body["model"], &body["max_tokens"], &body["stream"]), (&"theirs".into(), &9.into(), &true.into()));
    assert_eq!(body["messages"][0]["role"], "user");
    assert!(body["messages"][0]["content"].to_string().contains("Say hi."), "{body}");
    assert_eq!(left_out, ["tomorrow", "seed"]);

    let (body, left_out) = asked(r#""max_tokens":9,"n":2,"logit_bias":{"1":5}"#, CHAT, Server::OPENAI).expect("said");
    let expected = serde_json::json!({
        "model": "theirs", "messages": [{"role": "user", "content": "Say hi."}], "max_completion_tokens": 9, "n": 2,
        "logit_bias": {"1": 5},
    });
    assert_eq!((body, left_out), (expected, Vec::new()));

    for (fields, api, field) in [
        (r#""n":2"#, ANTHROPIC, "n"),
        (r#""logit_bias":{"1":5}"#, ANTHROPIC, "logit_bias"),
        (r#""stop":["1","2","3","4","5"]"#, CHAT, "stop"),
        (r#""suffix":"x""#, Api::Bedrock, "suffix"),
    ] {
        let (said, at) = refusal(asked(fields, api, Server::OPENAI));
        assert_eq!(at, field, "{said}");
        assert!(said.starts_with("No provider of this model can be asked this: "), "{said}");
    }
    // Who has completions is asked as it came.
    let raw = r#"{"model":"m","prompt":[1,2],"suffix":"x"}"#;
    let request = other::decode(Operation::Completions, None, raw.into()).expect("sound");
    let written = request_for(&request, Api::Shared(Dialect::COMPLETIONS), Quirks::default(), "m").expect("passed");
    assert_eq!(written.body, raw);
}
