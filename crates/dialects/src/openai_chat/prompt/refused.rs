//! What a server of this dialect refuses of a request that was written in it, though for another server.
//!
//! Most servers pass over what they do not know. Of those that do not, some refuse fields that every client of OpenAI's may
//! send, and some what an answer of another provider left in the conversation: what the gateway itself told a client that
//! way would come back as that client's fault. Must never be here: requests of other dialects.

use super::ids::fitting;
use super::{Ids, Server};
use crate::fields::under;
use crate::json::{Ends, Json, kept};
use crate::literal::push_literal;
use llm::ChatRequest;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Where thoughts stand in a message, and what seals them: names that servers gave them and OpenAI did not.
pub(super) const THOUGHTS: &[&str] =
    &["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "extra_content"];

/// Without which a request holds none of them: nearly all are told by that, at the cost of passing over them.
static MARKS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| ["\"reasoning", "\"thinking_blocks\"", "\"extra_content\""].map(Finder::new));

/// How a request reaches a server of its own dialect.
#[derive(Debug, PartialEq)]
pub(crate) enum Fit {
    /// As it came, but for the model.
    AsItCame,
    /// Without what the server would refuse: the body, and what of it is gone.
    Without(String, Vec<String>),
    /// Read and written anew, in the server's words.
    Anew,
}

/// How `request` reaches `server`, which is asked for `model`.
///
/// A server that keeps up with OpenAI takes all but thoughts, which are taken out; every other value stays as it came.
pub(crate) fn fit(request: &ChatRequest, server: &Server, model: &str) -> Fit {
    if server.refuses_of_messages.is_empty() {
        return Fit::AsItCame;
    }
    if server.own && !MARKS.iter().any(|mark| mark.find(&request.raw).is_some()) {
        return Fit::AsItCame;
    }
    let Ok(text) = std::str::from_utf8(&request.raw) else { return Fit::AsItCame };
    let ends = Ends::of(&request.raw);
    let body = Json::taken(text, &ends);
    if !body.entries().into_iter().flatten().any(|(name, value)| refuses(server, &name, value)) {
        return Fit::AsItCame;
    }
    if server.own { without(body, server.refuses_of_messages, model) } else { Fit::Anew }
}

fn refuses(server: &Server, name: &str, value: Json<'_>) -> bool {
    match name {
        "messages" => value.items().into_iter().flatten().any(|message| refuses_message(server, message)),
        "n" => !server.choices && value.get() != "1",
        _ => server.refuses.contains(&name),
    }
}

fn refuses_message(server: &Server, message: Json<'_>) -> bool {
    let is_of = |role: &str, value: Json<'_>| value.text().is_some_and(|said| said == role);
    // Results bear the name of their tool.
    let is_result = message.entries().into_iter().flatten().any(|(name, value)| name == "role" && is_of("tool", value));
    message.entries().into_iter().flatten().any(|(name, value)| match &*name {
        "role" => !server.own && is_of("developer", value),
        "name" => !server.names && !is_result,
        "tool_call_id" => is_unfit(value, server.ids),
        "tool_calls" => {
            let calls = value.items().into_iter().flatten().filter_map(Json::entries);
            calls.flatten().any(|(name, value)| match &*name {
                "id" => is_unfit(value, server.ids),
                name => server.refuses_of_messages.contains(&name),
            })
        }
        name => server.refuses_of_messages.contains(&name),
    })
}

fn is_unfit(id: Json<'_>, ids: Ids) -> bool {
    id.text().is_some_and(|id| fitting(&id, ids) != id)
}

/// The request for `model` without the fields of its messages, and of the calls in them, that are in `names`.
fn without(body: Json<'_>, names: &[&str], model: &str) -> Fit {
    let mut gone = Vec::new();
    let written = kept(body, |name, value| match name {
        "model" => Some(Cow::Owned(literal(model))),
        "messages" => Some(each_without(value, names, "messages", &mut gone)),
        _ => Some(Cow::Borrowed(value.get())),
    });
    Fit::Without(written, gone)
}

/// The objects in `list`, which stands at `place`, without what is in `names`; `gone` is told what there was of it.
fn each_without<'a>(list: Json<'a>, names: &[&str], place: &str, gone: &mut Vec<String>) -> Cow<'a, str> {
    let Some(items) = list.items() else { return Cow::Borrowed(list.get()) };
    let mut one = |item: Json<'a>| {
        if item.entries().is_none() {
            return item.get().to_owned();
        }
        kept(item, |name, value| {
            let at = under(place, name);
            match name {
                "tool_calls" => Some(each_without(value, names, &at, gone)),
                _ if !names.contains(&name) => Some(Cow::Borrowed(value.get())),
                _ => {
                    if !value.is_null() && !gone.contains(&at) {
                        gone.push(at);
                    }
                    None
                }
            }
        })
    };
    let items: Vec<String> = items.map(&mut one).collect();
    Cow::Owned(format!("[{}]", items.join(",")))
}

fn literal(text: &str) -> String {
    let mut out = String::new();
    push_literal(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai_chat::decode;
    use bytes::Bytes;

    fn fitted(body: &str, server: &Server) -> Fit {
        fit(&decode(Bytes::copy_from_slice(body.as_bytes())).expect("a request"), server, "other")
    }

    /// A request with one more field, and one whose second message has one more.
    fn with(field: &str) -> String {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{field}}}"#)
    }

    fn said(field: &str) -> String {
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}},{{"role":"assistant","content":"ho",{field}}}]}}"#
        )
    }

    #[test]
    fn no_thought_is_without_its_mark() {
        for name in THOUGHTS {
            let quoted = format!("\"{name}\"");
            assert!(MARKS.iter().any(|mark| mark.find(quoted.as_bytes()).is_some()), "{name}");
        }
    }

    #[test]
    fn what_a_server_takes_passes_as_it_came() {
        for (server, body) in [
            (Server::OPENAI, with(r#""max_completion_tokens":5,"seed":1,"invented_tomorrow":{}"#)),
            (Server::OPENAI, said(r#""refusal":null,"annotations":[]"#)),
            // Said, and no field.
            (Server::OPENAI, with(r#""user":"\"reasoning_content\"","prompt_cache_key":"reasoning_content""#)),
            (Server::COMPATIBLE, said(r#""reasoning_content":"hm","x":1"#)),
            (Server::OPENROUTER, said(r#""reasoning_details":[]"#)),
            (Server::VLLM, with(r#""logprobs":true,"n":3"#)),
            (Server::MISTRAL, with(r#""max_tokens":5,"random_seed":1,"safe_prompt":true,"invented_tomorrow":1"#)),
            (Server::MISTRAL, said(r#""tool_calls":[{"id":"aB3dE6gH9","function":{"name":"f","arguments":"{}"}}]"#)),
            (Server::GROQ, with(r#""max_completion_tokens":5,"seed":1,"reasoning_format":"parsed","n":1"#)),
            (Server::GROQ, said(r#""reasoning":"hm""#)),
            (
                Server::GROQ,
                r#"{"model":"m","messages":[{"role":"tool","name":"f","tool_call_id":"c","content":""}]}"#.to_owned(),
            ),
        ] {
            assert_eq!(fitted(&body, &server), Fit::AsItCame, "{body}");
        }
    }

    #[test]
    fn a_server_with_words_of_its_own_is_asked_in_them() {
        for (server, body) in [
            (Server::MISTRAL, with(r#""max_completion_tokens":5"#)),
            (Server::MISTRAL, with(r#""stream":true,"stream_options":{"include_usage":true}"#)),
            (Server::MISTRAL, with(r#""seed":1"#)),
            (Server::MISTRAL, with(r#""user":"u""#)),
            (Server::MISTRAL, with(r#""store":false"#)),
            (Server::MISTRAL, said(r#""refusal":null"#)),
            (Server::MISTRAL, said(r#""reasoning_content":"hm""#)),
            (Server::MISTRAL, said(r#""tool_calls":[{"id":"call_1","function":{"name":"f","arguments":"{}"}}]"#)),
            (Server::MISTRAL, r#"{"model":"m","messages":[{"role":"developer","content":"hi"}]}"#.to_owned()),
            (Server::GROQ, with(r#""logprobs":true"#)),
            (Server::GROQ, with(r#""n":2"#)),
            (Server::GROQ, said(r#""reasoning_content":"hm""#)),
            (Server::GROQ, said(r#""name":"ann""#)),
            (Server::GROQ, said(r#""tool_calls":[{"id":"c","extra_content":{},"function":{}}]"#)),
        ] {
            assert_eq!(fitted(&body, &server), Fit::Anew, "{body}");
        }
    }

    #[test]
    fn thoughts_of_others_are_taken_out_of_openais_requests_and_nothing_else() {
        let body = r#"{ "messages" : [ {"role":"user","content":"hi \"reasoning\""},
            {"role":"assistant","reasoning_content":"hm","content":"ho","extra_content":null,"reasoning_details":[{}],"x":1.0,
            "tool_calls":[{"id":"c", "extra_content":{"google":{}}, "function":{"name":"f","arguments":"{}"}}, 7]} ],
            "model":"m", "invented_tomorrow": { "reasoning_content" : 1 }, "n":1 }"#;
        let expected = r#"{"messages":[{"role":"user","content":"hi \"reasoning\""},{"role":"assistant","content":"ho","x":1.0,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}},7]}],"model":"other","invented_tomorrow":{ "reasoning_content" : 1 },"n":1}"#;
        let gone = ["messages.reasoning_content", "messages.reasoning_details", "messages.tool_calls.extra_content"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(fitted(body, &Server::OPENAI), Fit::Without(expected.to_owned(), gone));
    }
}
