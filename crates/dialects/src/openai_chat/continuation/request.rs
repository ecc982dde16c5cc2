//! The request for the attempt that is to go on with an answer.
//!
//! Receives the client's request and a transcript; hands on the way to go on and the bytes to send. The client's JSON
//! is spliced, never written anew, and no message but the assistant's own beginning is ever added: an instruction to
//! "go on" would change personas, languages and tool calls.

use super::super::obstacle::Obstacle;
use super::super::request::with_model;
use super::super::splice::{list_end, literal, span, splice};
use super::super::transcript::Transcript;
use super::withheld::parting;
use super::{Handed, Way};
use crate::shape::Shape;
use bytes::Bytes;
use llm::{ChatRequest, Prefill};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// How `request` can be gone on with behind `transcript` on a target that understands `prefill`.
///
/// [`Way::Repeat`] wherever handing the beginning over would not be right: the target does not go on with one, nothing
/// can be withheld from it as proof, the answer has to be JSON, the client's own last message is an assistant's, the
/// client sets a field that we would set, a limit of tokens leaves nothing for certain, or a `stop` sequence stands in
/// the text or could begin in what is handed over, where a target does not look for one.
///
/// # Errors
/// The [`Obstacle`] for which neither way is right.
pub fn way(request: &ChatRequest, transcript: &Transcript, prefill: Prefill) -> Result<Way, Obstacle> {
    read(request, transcript, prefill).map(|(_, way)| way)
}

/// The body to send to `model` so that it goes on with `transcript`, and by which [`way`] it does.
///
/// To hand the beginning over, a last message `{"role":"assistant","content":...}` is added, with `"prefix":true`
/// where Mistral's models ask for it, or `continue_final_message` and `add_generation_prompt` beside the messages for
/// vLLM and SGLang; `max_tokens` and `max_completion_tokens` are lowered by the most that the beginning can have, so
/// that both together never exceed them. To have the answer repeated, only `model` is replaced.
///
/// # Errors
/// As [`way`].
pub fn continuation_request(
    request: &ChatRequest,
    transcript: &Transcript,
    model: &str,
    prefill: Prefill,
) -> Result<(Bytes, Way), Obstacle> {
    let (facts, way) = read(request, transcript, prefill)?;
    let Way::Prefill(handed) = way else { return Ok((with_model(request, model), way)) };
    let mut splices = facts.lowered(request, transcript.most_tokens_before(handed.bytes));
    splices.push((request.model_span.clone(), literal(model)));
    let given = transcript.text().get(..handed.bytes).unwrap_or_default();
    splices.push((list_end(&request.raw, facts.messages), beginning(given, prefill)));
    if prefill == Prefill::ContinueFlag {
        let inside = request.raw.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
        let flags = r#""continue_final_message":true,"add_generation_prompt":false,"#;
        splices.push((inside..inside, flags.to_owned()));
    }
    Ok((splice(&request.raw, splices), way))
}

/// The message that holds the answer's beginning, and the comma before it.
fn beginning(text: &str, prefill: Prefill) -> String {
    let content = literal(text);
    let flag = if prefill == Prefill::PrefixFlag { r#","prefix":true"# } else { "" };
    format!(r#",{{"role":"assistant","content":{content}{flag}}}"#)
}

fn read<'a>(request: &'a ChatRequest, transcript: &Transcript, prefill: Prefill) -> Result<(Facts<'a>, Way), Obstacle> {
    if let Some(obstacle) = transcript.obstacle() {
        return Err(obstacle);
    }
    let facts: Facts<'a> = serde_json::from_slice(&request.raw).map_err(|_| Obstacle::Request)?;
    facts.check()?;
    let way = facts.handed(transcript, prefill)?.map_or(Way::Repeat, Way::Prefill);
    Ok((facts, way))
}

/// The fields of a request that decide how its answer can be gone on with. One that stands there twice is an error.
#[derive(Deserialize)]
struct Facts<'a> {
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(borrow, default)]
    n: Option<&'a RawValue>,
    #[serde(default)]
    logprobs: Shape,
    #[serde(borrow, default)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(default)]
    continue_final_message: Shape,
    #[serde(default)]
    add_generation_prompt: Shape,
}

impl Facts<'_> {
    /// Whether the answer is a kind of which the text is all.
    fn check(&self) -> Result<(), Obstacle> {
        if self.n.is_some_and(|n| n.get() != "1") {
            return Err(Obstacle::ManyChoices);
        }
        if !matches!(self.logprobs, Shape::Absent | Shape::Null | Shape::Bool(false)) {
            return Err(Obstacle::Logprobs);
        }
        Ok(())
    }

    /// What to hand over, where that is right.
    fn handed(&self, transcript: &Transcript, prefill: Prefill) -> Result<Option<Handed>, Obstacle> {
        let taken = [self.continue_final_message, self.add_generation_prompt].iter().any(|s| *s != Shape::Absent);
        if prefill == Prefill::No || taken || !self.answers_in_text() || ends_with_assistant(self.messages)? {
            return Ok(None);
        }
        let text = transcript.text();
        let Some(bytes) = parting(text) else { return Ok(None) };
        let withheld = text.len() - bytes;
        let most = transcript.most_tokens_before(bytes).saturating_add(withheld as u64);
        let room = self.token_limits().all(|limit| number(limit).is_some_and(|limit| limit > most));
        let stops = self
            .stops()
            .is_some_and(|stops| stops.iter().all(|stop| !text.contains(&**stop) && stop.len() <= withheld));
        let (limited, echoed) = (self.token_limits().next().is_some(), prefill == Prefill::PrefixFlag);
        Ok((room && stops).then_some(Handed { bytes, limited, echoed }))
    }

    fn token_limits(&self) -> impl Iterator<Item = &RawValue> {
        [self.max_tokens, self.max_completion_tokens].into_iter().flatten()
    }

    /// The sequences that end an answer; nothing where they are in no form that is understood.
    fn stops(&self) -> Option<Vec<Cow<'_, str>>> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stops<'a> {
            One(#[serde(borrow)] Cow<'a, str>),
            Many(#[serde(borrow)] Vec<Cow<'a, str>>),
        }
        let Some(stop) = self.stop else { return Some(Vec::new()) };
        match serde_json::from_str(stop.get()).ok()? {
            Stops::One(stop) => Some(vec![stop]),
            Stops::Many(stops) => Some(stops),
        }
    }

    /// Whether the answer may be any text: half a JSON value is nothing that a constrained target goes on with.
    fn answers_in_text(&self) -> bool {
        #[derive(Deserialize)]
        struct Format<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
        }
        let Some(format) = self.response_format else { return true };
        serde_json::from_str::<Format<'_>>(format.get()).is_ok_and(|format| format.kind == "text")
    }

    /// What to replace so that the token limits allow only what is left behind `given` tokens.
    fn lowered(&self, request: &ChatRequest, given: u64) -> Vec<(Range<usize>, String)> {
        let lower = |limit| Some((span(&request.raw, limit), number(limit)?.saturating_sub(given).max(1).to_string()));
        self.token_limits().filter_map(lower).collect()
    }
}

fn number(literal: &RawValue) -> Option<u64> {
    literal.get().parse().ok()
}

/// Whether the last message is an assistant's: the client's own beginning of an answer, which ours would not be.
fn ends_with_assistant(messages: &RawValue) -> Result<bool, Obstacle> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        role: Cow<'a, str>,
    }
    let messages: Vec<Message<'_>> = serde_json::from_str(messages.get()).map_err(|_| Obstacle::Request)?;
    Ok(messages.last().is_some_and(|message| message.role == "assistant"))
}

#[cfg(test)]
mod tests {
    use super::super::super::{StreamDecoder, decode};
    use super::*;
    use crate::Quirks;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const HI: &str = r#""messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"} ]"#;

    fn request(fields: &str) -> ChatRequest {
        decode(format!(r#" {{ "model": "chat", {HI}{fields} }}"#).into()).expect("sound")
    }

    /// A transcript of as many events as pieces.
    fn given(pieces: &[&str]) -> Transcript {
        let mut decoder = StreamDecoder::recording(Quirks::default());
        for piece in pieces {
            let event = json!({"choices": [{"index": 0, "delta": {"content": piece}}]});
            decoder.feed(format!("data: {event}\n\n").as_bytes());
        }
        decoder.take_transcript().expect("kept")
    }

    /// Enough to withhold something of it: what is handed over is `Once "upon a`.
    const TEXT: &[&str] = &["Once", " \"upon", " a", " time", " there", " was", " a\n"];

    fn handed(bytes: usize, limited: bool) -> Way {
        Way::Prefill(Handed { bytes, limited, echoed: false })
    }

    #[test]
    fn each_prefill_has_its_form() {
        let body = r#" { "model": "m\"x", "messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"} LAST], "x":1e3 }"#;
        let last = r#",{"role":"assistant","content":"Once \"upon a"}"#;
        for (prefill, expected) in [
            (Prefill::No, body.replace("LAST", "")),
            (Prefill::Plain, body.replace("LAST", last)),
            (Prefill::PrefixFlag, body.replace("LAST", &last.replace("\"}", "\",\"prefix\":true}"))),
            (
                Prefill::ContinueFlag,
                body.replace("LAST", last).replace(
                    "{ \"model\"",
                    "{\"continue_final_message\":true,\"add_generation_prompt\":false, \"model\"",
                ),
            ),
        ] {
            let (request, transcript) = (request(r#", "x":1e3"#), given(TEXT));
            let (built, by) = continuation_request(&request, &transcript, "m\"x", prefill).expect("no obstacle");
            assert_eq!(built, expected, "{prefill:?}");
            assert_eq!(way(&request, &transcript, prefill), Ok(by));
            let echoed = prefill == Prefill::PrefixFlag;
            let handed = Handed { bytes: r#"Once "upon a"#.len(), limited: false, echoed };
            assert_eq!(by, if prefill == Prefill::No { Way::Repeat } else { Way::Prefill(handed) });
            assert!(decode(built).is_ok());
        }
    }

    #[test]
    fn the_beginning_is_handed_over_only_where_that_is_right() {
        let (repeat, prefill) = (Ok(Way::Repeat), Ok(handed(12, false)));
        for (fields, expected) in [
            ("", prefill),
            (r#","n":1,"logprobs":false,"tools":[{}],"stop":["x"],"response_format":{"type":"text"}"#, prefill),
            (r#","n":null,"logprobs":null,"response_format":null,"max_tokens":null,"stop":null"#, prefill),
            (r#","n":2"#, Err(Obstacle::ManyChoices)),
            (r#","n":"1""#, Err(Obstacle::ManyChoices)),
            (r#","logprobs":true"#, Err(Obstacle::Logprobs)),
            (r#","logprobs":5"#, Err(Obstacle::Logprobs)),
            (r#","response_format":{"type":"json_object"}"#, repeat),
            (r#","response_format":{"type":"json_schema","json_schema":{}}"#, repeat),
            (r#","response_format":"json""#, repeat),
            (r#","add_generation_prompt":true"#, repeat),
            (r#","continue_final_message":null"#, repeat),
            (r#","max_tokens":1e2"#, repeat),
            (r#","max_tokens":9,"max_tokens":8"#, Err(Obstacle::Request)),
            (r#","n":1,"n":2"#, Err(Obstacle::Request)),
        ] {
            assert_eq!(way(&request(fields), &given(TEXT), Prefill::Plain), expected, "{fields}");
            let plain = way(&request(fields), &given(TEXT), Prefill::No);
            assert_eq!(plain, expected.map(|_| Way::Repeat), "{fields}");
        }
        for (role, expected) in
            [("assistant", repeat), ("\\u0061ssistant", repeat), ("tool", prefill), ("user", prefill)]
        {
            let body = format!(r#"{{"messages":[{{"role":"user"}},{{"role":"{role}"}}],"model":"m"}}"#);
            let request = decode(body.into()).expect("sound");
            assert_eq!(way(&request, &given(TEXT), Prefill::Plain), expected, "{role}");
        }
        for short in [&["Certainly"][..], &["Once", " upon a"], &["so so so so so so so so"]] {
            assert_eq!(way(&request(""), &given(short), Prefill::Plain), repeat, "nothing can be withheld: {short:?}");
        }
        assert_eq!(way(&request(""), &given(&[]), Prefill::Plain), Err(Obstacle::NothingSaid));
        let built = continuation_request(&request(""), &given(&[]), "m", Prefill::No);
        assert_eq!(built, Err(Obstacle::NothingSaid));
    }

    #[test]
    fn a_stop_sequence_must_not_be_missed() {
        let (repeat, prefill) = (Way::Repeat, handed(12, false));
        for (stop, expected) in [
            (r#""END""#, prefill),
            (r#"["\n\n","\u0045ND"]"#, prefill),
            (r"[]", prefill),
            // The target would stop at it, or has read past it.
            (r#""there""#, repeat),
            (r#"["x","a\n"]"#, repeat),
            (r#""upon a""#, repeat),
            (r#""Once""#, repeat),
            // Its beginning may lie in what is handed over, where the target does not look.
            (r#""as long as what was withheld""#, repeat),
            (r#"["",7]"#, repeat),
            (r#""""#, repeat),
            ("7", repeat),
        ] {
            let request = request(&format!(r#","stop":{stop}"#));
            assert_eq!(way(&request, &given(TEXT), Prefill::Plain), Ok(expected), "{stop}");
        }
    }

    #[test]
    fn both_together_never_exceed_the_clients_limit() {
        // Twelve bytes are handed over, eighteen withheld: as many tokens at the most.
        let text = given(TEXT);
        for (fields, max_tokens, max_completion_tokens) in [
            (r#","max_tokens":100"#, Some(88), None),
            (r#","max_completion_tokens":100"#, None, Some(88)),
            (r#","max_completion_tokens": 31 ,"max_tokens":40"#, Some(28), Some(19)),
            // Nothing is left for certain.
            (r#","max_completion_tokens": 30 ,"max_tokens":400"#, Some(400), Some(30)),
            (r#","max_tokens":1"#, Some(1), None),
        ] {
            let body = |prefill| {
                let (built, way) = continuation_request(&request(fields), &text, "m", prefill).expect("no obstacle");
                (serde_json::from_slice::<Value>(&built).expect("valid"), way)
            };
            let ((prefilled, way), (repeated, _)) = (body(Prefill::Plain), body(Prefill::No));
            assert_eq!(prefilled["max_tokens"], json!(max_tokens), "{fields}");
            assert_eq!(prefilled["max_completion_tokens"], json!(max_completion_tokens), "{fields}");
            let asked: Value = serde_json::from_slice(&request(fields).raw).expect("valid");
            assert_eq!(repeated["max_tokens"], asked["max_tokens"], "a whole answer needs all of it");
            let lowered = prefilled["max_tokens"] != asked["max_tokens"]
                || prefilled["max_completion_tokens"] != asked["max_completion_tokens"];
            assert_eq!(way, if lowered { handed(12, true) } else { Way::Repeat }, "{fields}");
        }
    }

    #[test]
    fn what_the_provider_counted_is_believed() {
        let mut decoder = StreamDecoder::recording(Quirks::default());
        let event = json!({"choices": [{"index": 0, "delta": {"content": TEXT.concat()}}],
                           "usage": {"prompt_tokens": 5, "completion_tokens": 7}});
        decoder.feed(format!("data: {event}\n\n").as_bytes());
        let text = decoder.take_transcript().expect("kept");
        let request = request(r#","max_tokens":40"#);
        let (built, _) = continuation_request(&request, &text, "m", Prefill::Plain).expect("no obstacle");
        assert_eq!(serde_json::from_slice::<Value>(&built).expect("valid")["max_tokens"], 33);
    }

    proptest! {
        #[test]
        fn everything_else_is_kept(
            first in "\\PC{0,8}", text in "\\PC{0,20}[a-z] [a-z]{9,20}, \\PC{9,20}", model in "\\PC{1,8}",
            limit in 200u64..999, early: bool,
        ) {
            let messages = json!([{"role": "user", "content": first}, {"role": "tool", "content": [{"x": first}]}]);
            let (tokens, messages) = (format!("\"max_tokens\":{limit}"), format!("\"messages\":{messages}"));
            let (one, two) = if early { (&tokens, &messages) } else { (&messages, &tokens) };
            let body = format!(r#"{{"a":[{{"messages":[]}}],{one},"model":"chat",{two},"z":{}}}"#, json!(first));
            let request = decode(body.clone().into()).expect("sound");
            for prefill in [Prefill::Plain, Prefill::PrefixFlag, Prefill::ContinueFlag] {
                let transcript = given(&[&text]);
                let (built, way) = continuation_request(&request, &transcript, &model, prefill).expect("no obstacle");
                let Way::Prefill(handed) = way else { return Err(TestCaseError::reject("it repeats itself")) };
                let mut built: Value = serde_json::from_slice(&built).expect("valid");
                let mut asked: Value = serde_json::from_str(&body).expect("valid");
                let last = built["messages"].as_array_mut().and_then(Vec::pop).expect("a message");
                prop_assert_eq!(&last["content"], &json!(text[..handed.bytes]));
                prop_assert_eq!(&built["max_tokens"], &json!(limit - handed.bytes as u64));
                prop_assert_eq!(&built["model"], &json!(model));
                for key in ["model", "max_tokens", "continue_final_message", "add_generation_prompt"] {
                    asked.as_object_mut().and_then(|asked| asked.remove(key));
                    built.as_object_mut().and_then(|built| built.remove(key));
                }
                prop_assert_eq!(built, asked);
            }
        }
    }
}
