//! The work that both benches measure: requests of 2 KB, and streams of short words.

#[path = "../../tests/spoken/mod.rs"]
mod spoken;

use bytes::Bytes;
use dialects::openai_chat::Server;
use dialects::{Quirks, Translated, Written, request_for};
use llm::{Api, ChatRequest, Delta, Dialect};
use spoken::{APIS, CLIENTS, Provider, arguments, call, head, text, thought};

/// Events of a stream that is measured.
pub(crate) const EVENTS: usize = 100;

/// A conversation of three turns and a tool, about 2 KB.
pub(crate) fn request(dialect: Dialect) -> ChatRequest {
    let words = "Sentences that say a little about nothing at all. ".repeat(6);
    let schema = r#"{"type":"object","properties":{"city":{"type":"string","description":"Where"},"days":{"type":"integer"}},"required":["city"]}"#;
    let raw = match dialect {
        Dialect::OpenAiChat => format!(
            r#"{{"model":"m","messages":[{{"role":"system","content":"{words}"}},{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"text","text":"{words}"}}]}}],"tools":[{{"type":"function","function":{{"name":"weather","description":"{words}","parameters":{schema}}}}}],"tool_choice":"auto","temperature":0.5,"max_tokens":500,"stream":true}}"#
        ),
        Dialect::Anthropic => format!(
            r#"{{"model":"m","system":"{words}","messages":[{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"text","text":"{words}"}}]}}],"tools":[{{"name":"weather","description":"{words}","input_schema":{schema}}}],"tool_choice":{{"type":"auto"}},"temperature":0.5,"max_tokens":500,"stream":true}}"#
        ),
        Dialect::Responses => format!(
            r#"{{"model":"m","instructions":"{words}","input":[{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"input_text","text":"{words}"}}]}}],"tools":[{{"type":"function","name":"weather","description":"{words}","parameters":{schema}}}],"tool_choice":"auto","temperature":0.5,"max_output_tokens":500,"stream":true,"store":false}}"#
        ),
        _ => format!(
            r#"{{"systemInstruction":{{"parts":[{{"text":"{words}"}}]}},"contents":[{{"role":"user","parts":[{{"text":"{words}"}}]}},{{"role":"model","parts":[{{"text":"{words}"}}]}},{{"role":"user","parts":[{{"text":"{words}"}}]}}],"tools":[{{"functionDeclarations":[{{"name":"weather","description":"{words}","parameters":{schema}}}]}}],"generationConfig":{{"temperature":0.5,"maxOutputTokens":500}}}}"#
        ),
    };
    let raw = Bytes::from(raw);
    assert!((1900..2400).contains(&raw.len()), "{} bytes", raw.len());
    let read = match dialect {
        Dialect::OpenAiChat => dialects::openai_chat::decode(raw),
        Dialect::Anthropic => dialects::anthropic::decode(raw),
        Dialect::Responses => dialects::responses::decode(raw),
        _ => dialects::gemini::decode("m", true, raw),
    };
    read.expect("a request")
}

/// Who asks, and who is asked.
pub(crate) type Asked = (Dialect, Api, Server);

/// Every client with every provider that speaks otherwise, and with Mistral, which takes less than OpenAI does.
pub(crate) fn requests() -> impl Iterator<Item = Asked> {
    Dialect::ANSWERS.into_iter().flat_map(|from| {
        let others = APIS.into_iter().filter(move |to| !to.is(from)).map(|to| (to, Server::COMPATIBLE));
        let mistral = (Api::Shared(Dialect::OpenAiChat), Server::MISTRAL);
        others.chain([mistral]).map(move |(to, server)| (from, to, server))
    })
}

/// `request`, as a provider is asked it.
pub(crate) fn asked(request: &ChatRequest, to: Api, server: Server) -> Written {
    request_for(request, to, Quirks { server, ..Quirks::default() }, "other").expect("written")
}

/// What a provider goes on saying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Thoughts,
    /// Thoughts that are said twice in every event, with what seals them beside, as OpenRouter tells them.
    Detailed,
    /// The arguments of one call, a piece in each event.
    Arguments,
    /// Text, with what was used so far in every event, as Gemini tells it, xAI and Perplexity.
    Counted,
}

/// What is said, by whom, and for whom.
pub(crate) type Told = (Kind, Api, Dialect);

/// All that every provider says, for every client that speaks otherwise.
pub(crate) fn streams() -> impl Iterator<Item = Told> {
    const GEMINI: Api = Api::Shared(Dialect::Gemini);
    const CHAT: Api = Api::Shared(Dialect::OpenAiChat);
    // The calls of Ollama come whole.
    let says = |kind: Kind, api: Api| match kind {
        Kind::Text | Kind::Thoughts => true,
        Kind::Arguments => api != Api::Ollama,
        Kind::Counted => api == GEMINI || api == CHAT,
        Kind::Detailed => api == CHAT,
    };
    let all = [Kind::Text, Kind::Thoughts, Kind::Detailed, Kind::Arguments, Kind::Counted].into_iter();
    let of = move |kind: Kind| APIS.into_iter().filter(move |api| says(kind, *api)).map(move |api| (kind, api));
    all.flat_map(of)
        .flat_map(move |(kind, api)| CLIENTS.into_iter().filter(move |to| !api.is(*to)).map(move |to| (kind, api, to)))
}

/// A stream as a provider would send it: an event in each piece.
pub(crate) fn stream(kind: Kind, api: Api) -> Vec<Bytes> {
    let mut provider = Provider::of(api);
    let mut pieces = vec![provider.begins()];
    if kind == Kind::Arguments {
        pieces.push(provider.says(&call(0)));
    }
    pieces.extend((0..EVENTS).map(|n| match kind {
        Kind::Text => provider.says(&text(format!("word{n} "))),
        Kind::Thoughts if api == Api::Shared(Dialect::OpenAiChat) => reasoned(n),
        Kind::Thoughts | Kind::Detailed => provider.says(&thought(format!("word{n} "))),
        Kind::Arguments => provider.says(&piece(n)),
        Kind::Counted if api == Api::Shared(Dialect::OpenAiChat) => counted_in_chat(n),
        Kind::Counted => counted(n),
    }));
    pieces.push(provider.ends());
    pieces.retain(|piece| !piece.is_empty());
    pieces.into_iter().map(Bytes::from).collect()
}

/// A piece of arguments.
fn piece(n: usize) -> Delta {
    let text = match n {
        0 => r#"{"city":""#.to_owned(),
        n if n + 1 == EVENTS => r#""}"#.to_owned(),
        n => format!("word{n} "),
    };
    arguments(0, text)
}

/// A piece of a thought as DeepSeek and most others tell it.
fn reasoned(n: usize) -> Vec<u8> {
    let delta = format!(r#"{{"content":null,"reasoning_content":"word{n} "}}"#);
    let choice = format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}"#);
    format!("data: {{\"id\":\"id\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{choice}]}}\n\n")
        .into_bytes()
}

/// An event of Gemini's that tells what was used so far.
fn counted(n: usize) -> Vec<u8> {
    let said = format!(r#"{{"content":{{"parts":[{{"text":"word{n} "}}],"role":"model"}},"index":0}}"#);
    let used = format!(r#"{{"promptTokenCount":10,"candidatesTokenCount":{n},"totalTokenCount":{}}}"#, 10 + n);
    format!(
        "data: {{\"candidates\":[{said}],\"usageMetadata\":{used},\"modelVersion\":\"m\",\"responseId\":\"r\"}}\n\n"
    )
    .into_bytes()
}

fn counted_in_chat(n: usize) -> Vec<u8> {
    let choice = format!(r#"{{"index":0,"delta":{{"content":"word{n} "}},"finish_reason":null}}"#);
    let used = format!(r#"{{"prompt_tokens":10,"completion_tokens":{n},"total_tokens":{}}}"#, 10 + n);
    format!("data: {{\"id\":\"id\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{choice}],\"usage\":{used}}}\n\n")
        .into_bytes()
}

/// Translates a whole stream, an event in each piece; the bytes that are told.
pub(crate) fn told(pieces: &[Bytes], from: Api, to: Dialect) -> usize {
    let mut translated = Translated::new(from, Quirks::default(), to, false, head());
    let mut bytes = 0;
    for piece in pieces {
        translated.feed(piece);
        while let Some(frame) = translated.next_frame() {
            bytes += frame.raw.len();
        }
    }
    assert!(translated.progress().finished);
    bytes
}
