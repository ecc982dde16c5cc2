//! What a client has been given of a streamed answer, kept so that another target can go on with it.
//!
//! Receives the events that a decoder hands on; hands on the text, who seemed to give it, and why it cannot be gone on
//! with. Must never be here: what came behind an event that the client is not given.

use super::chunk::{Chunk, decoded};
use super::obstacle::Obstacle;
use llm::Usage;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::VecDeque;

/// The most text held, in bytes.
pub(super) const MAX_TEXT: usize = 256 * 1024;

/// How far from its end the text may be parted, in bytes: so far back it is known where each event's text ended.
pub(super) const MAX_WITHHELD: usize = 128;

/// What the client has been given of one answer.
///
/// [`text`](Self::text) is exactly what a reader gets who joins `choices[0].delta.content` of all events. Where there
/// is more to the answer than that text, an [`Obstacle`] says so and the text is given up, memory included.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    text: String,
    /// Events that held text.
    pieces: u64,
    /// Where the text of each of the last events ended, oldest first.
    ends: VecDeque<usize>,
    /// The usage told with the last piece of text or behind it.
    usage: Option<Usage>,
    head: Option<Head>,
    obstacle: Option<Obstacle>,
    /// What comes from now on is not given to the client.
    closed: bool,
}

/// By what a client knows the events of one answer: the fields that are the same in all of them, as values, or absent.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(super) struct Head {
    #[serde(default, deserialize_with = "present")]
    pub(super) id: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) created: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) model: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) system_fingerprint: Option<Value>,
}

/// Whatever stands there, null included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Transcript {
    /// The text so far; empty where there is an obstacle.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Why the answer cannot be gone on with, if it cannot: the first reason met.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle.or_else(|| self.text.is_empty().then_some(Obstacle::NothingSaid))
    }

    /// About how many tokens the text has: as the provider told with the text (vLLM's `continuous_usage_stats`), else
    /// an estimate, the number of events, of which most providers send one per token.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.told().unwrap_or(self.pieces)
    }

    /// About how many tokens the text has before `place`, at most [`MAX_WITHHELD`] bytes from its end.
    pub(super) fn tokens_before(&self, place: usize) -> u64 {
        let behind = self.ends.iter().filter(|end| **end > place).count();
        self.tokens().saturating_sub(behind as u64)
    }

    /// How many tokens the text can have before `place` at the very most: all that were told, or one for each byte.
    pub(super) fn most_tokens_before(&self, place: usize) -> u64 {
        let bytes = place as u64;
        self.told().map_or(bytes, |told| told.min(bytes))
    }

    /// How many tokens the provider said that the text has, if it did.
    fn told(&self) -> Option<u64> {
        self.usage.map(|usage| usage.output.saturating_sub(usage.reasoning)).filter(|tokens| *tokens > 0)
    }

    /// By what the client knows the events, where one with a choice has come.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes in an event that repeats the last one with another text.
    pub(super) fn push(&mut self, text: &str) {
        if self.closed || self.obstacle.is_some() || text.is_empty() {
            return;
        }
        if self.text.len() + text.len() > MAX_TEXT {
            return self.give_up(Obstacle::TooLong);
        }
        self.text.push_str(text);
        self.pieces += 1;
        self.ends.push_back(self.text.len());
        while self.ends.front().is_some_and(|end| end + MAX_WITHHELD < self.text.len()) {
            self.ends.pop_front();
        }
    }

    /// Takes in the event that `data` holds, read as `chunk` and reporting `usage`.
    pub(super) fn note(&mut self, chunk: &Chunk<'_>, usage: Option<Usage>, data: &str) {
        if self.closed || self.obstacle.is_some() {
            return;
        }
        let choices = &chunk.choices;
        // Azure opens with an event without choices, and with no id either.
        if self.head.is_none() && choices.begun != 0 {
            match serde_json::from_str(data) {
                Ok(head) => self.head = Some(head),
                Err(_) => return self.give_up(Obstacle::NotText),
            }
        }
        if let Some(obstacle) = choices.beyond.obstacle() {
            return self.give_up(obstacle);
        }
        if let Some(literal) = choices.text {
            let Some(text) = decoded(literal) else { return self.give_up(Obstacle::NotText) };
            self.push(&text);
            // What was told with less text is no longer true.
            self.usage = None;
        }
        self.usage = usage.or(self.usage);
        if choices.ended != 0 {
            self.give_up(Obstacle::Finished);
        }
    }

    /// What comes from now on is not given to the client.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Another target goes on with it.
    pub(super) fn reopen(&mut self) {
        self.closed = false;
    }

    fn give_up(&mut self, obstacle: Obstacle) {
        self.obstacle = self.obstacle.or(Some(obstacle));
        (self.text, self.ends) = (String::new(), VecDeque::new());
    }
}

#[cfg(test)]
mod tests {
    use super::super::StreamDecoder;
    use super::*;
    use crate::Quirks;
    use bytes::Bytes;
    use llm::Event;
    use proptest::prelude::*;

    fn event(delta: &str) -> String {
        format!(r#"data: {{"id":"c-1","created":7,"model":"m","choices":[{{"index":0,"delta":{delta}}}]}}"#)
    }

    fn say(text: &str) -> String {
        event(&serde_json::json!({ "content": text }).to_string())
    }

    fn record(events: &[String]) -> Transcript {
        let mut decoder = StreamDecoder::recording(Quirks::default());
        decoder.feed(events.iter().map(|event| format!("{event}\n\n")).collect::<String>().as_bytes());
        decoder.take_transcript().expect("kept")
    }

    #[test]
    fn a_decoder_keeps_one_only_when_asked() {
        let mut plain = StreamDecoder::new(Quirks::default());
        plain.feed(format!("{}\n\n", say("a")).as_bytes());
        assert!(plain.transcript().is_none() && plain.take_transcript().is_none());
    }

    #[test]
    fn the_text_is_what_the_client_can_read() {
        let spaced = r#"data: {"x": {"content":"inner"}, "choices": [{"delta": {"content": "f"}}]}"#;
        for (events, text) in [
            (vec![event(r#"{"role":"assistant","content":""}"#), say("a\n"), say("b é"), say("c")], "a\nb éc"),
            (vec![event(r#"{"content":"\u00e9\ud83d\ude00"}"#), event(r#"{"content":null}"#)], "é😀"),
            (vec![spaced.into(), spaced.replace("\"f\"", "\"g\""), spaced.replace("inner", "i")], "fgf"),
            (vec![say("a"), ": ping".into(), "data: [DONE]".into(), say("b")], "a"),
            (vec![say("a"), "data: <html>".into(), say("b")], "a"),
            (vec![say("a"), r#"data: {"error":{"message":"x"}}"#.into(), say("b")], "a"),
        ] {
            let kept = record(&events);
            assert_eq!((kept.text(), kept.obstacle()), (text, None), "{events:?}");
        }
    }

    #[test]
    fn each_obstacle_has_its_name_and_frees_the_text() {
        let choice = |fields: &str| format!(r#"data: {{"choices":[{{"delta":{{"content":"b"}},{fields}}}]}}"#);
        for (second, obstacle) in [
            (event(r#"{"tool_calls":[{"index":0}]}"#), "tool_call"),
            (event(r#"{"content":"b","tool_calls":[{"index":0}]}"#), "tool_call"),
            (event(r#"{"function_call":{"name":"f"}}"#), "tool_call"),
            (event(r#"{"refusal":"no"}"#), "refusal"),
            (event(r#"{"reasoning_content":"hm"}"#), "reasoning"),
            (event(r#"{"reasoning":"hm"}"#), "reasoning"),
            (event(r#"{"content":"b","reasoning_details":[{}]}"#), "reasoning"),
            (event(r#"{"thinking_blocks":[{}]}"#), "reasoning"),
            (event(r#"{"audio":{"id":"a"}}"#), "media"),
            (event(r#"{"images":[{}]}"#), "media"),
            (choice(r#""index":1"#), "many_choices"),
            (
                r#"data: {"choices":[{"index":0,"delta":{"content":"b"}},{"index":0,"delta":{}}]}"#.into(),
                "many_choices",
            ),
            (choice(r#""index":0,"logprobs":{"content":[]}"#), "logprobs"),
            (event(r#"{"content":[{"type":"text"}]}"#), "not_text"),
            (event(r#"{"content":7}"#), "not_text"),
            (event(r#"{"content":"\ud83d"}"#), "not_text"),
            (r#"data: {"choices":[{"index":0,"delta":{},"message":{"content":"b"}}]}"#.into(), "not_text"),
            (choice(r#""index":0,"finish_reason":"stop""#), "finished"),
            (say(&"b".repeat(MAX_TEXT)), "too_long"),
        ] {
            let kept = record(&[say("a"), second.clone(), say("c")]);
            assert_eq!(kept.obstacle().map(Obstacle::as_str), Some(obstacle), "{second:.200}");
            assert_eq!((kept.text(), kept.text.capacity()), ("", 0), "{second:.200}");
        }
        let harmless = choice(r#""index":0,"logprobs":null,"finish_reason":null"#);
        assert_eq!(record(&[say("a"), harmless]).obstacle(), None);
        assert_eq!(record(&[event(r#"{"role":"assistant"}"#)]).obstacle(), Some(Obstacle::NothingSaid));
        let twice = r#"data: {"id":1,"id":2,"choices":[{"delta":{"content":"a"}}]}"#;
        assert_eq!(record(&[twice.into()]).obstacle(), Some(Obstacle::NotText));
    }

    #[test]
    fn text_is_held_up_to_the_bound() {
        let kept = record(&[say("a"), say(&"b".repeat(MAX_TEXT - 1))]);
        assert_eq!((kept.text().len(), kept.obstacle()), (MAX_TEXT, None));
    }

    #[test]
    fn the_head_is_that_of_the_first_event_with_a_choice() {
        let azure = r#"data: {"id":"","created":0,"model":"","choices":[],"prompt_filter_results":[]}"#;
        let kept = record(&[azure.into(), say("a")]);
        let head = Head { id: Some("c-1".into()), created: Some(7.into()), model: Some("m".into()), ..Head::default() };
        assert_eq!(kept.head(), Some(&head));
        let null = r#"data: {"system_fingerprint":null,"choices":[{"delta":{"content":"a"}}]}"#;
        let head = Head { system_fingerprint: Some(Value::Null), ..Head::default() };
        assert_eq!(record(&[null.into()]).head(), Some(&head));
    }

    #[test]
    fn tokens_are_what_was_told_or_the_number_of_events() {
        let told = |text: &str, output: u64| {
            let event = say(text);
            let usage = format!(r#","usage":{{"prompt_tokens":5,"completion_tokens":{output}}}}}"#);
            format!("{}{usage}", event.strip_suffix('}').expect("an object"))
        };
        for (events, tokens) in [
            (vec![say("a"), say("b"), say("c")], 3),
            (vec![told("a", 3), told("b", 7)], 7),
            (vec![told("a", 3), say("b\n")], 2),
            (vec![told("a", 0)], 1),
            (vec![event(r#"{"role":"assistant"}"#)], 0),
        ] {
            assert_eq!(record(&events).tokens(), tokens, "{events:?}");
        }
    }

    #[test]
    fn tokens_are_known_to_the_event_near_the_end() {
        let words: Vec<String> = (0..90).map(|_| say(" word")).collect();
        let kept = record(&words);
        assert_eq!((kept.tokens(), kept.text().len()), (90, 450));
        assert!(kept.ends.len() <= MAX_WITHHELD, "few are kept");
        for (place, tokens) in [(450, 90), (445, 89), (444, 88), (450 - MAX_WITHHELD, 64)] {
            assert_eq!(kept.tokens_before(place), tokens, "{place}");
            assert_eq!(kept.most_tokens_before(place), place as u64, "any byte may be a token");
        }
        let told = say(" more").replace("]}", r#"],"usage":{"prompt_tokens":5,"completion_tokens":120}}"#);
        let kept = record(&[words, vec![told]].concat());
        assert_eq!(
            (kept.tokens_before(450), kept.most_tokens_before(450), kept.most_tokens_before(99)),
            (119, 120, 99)
        );
    }

    /// What a reader who knows nothing of the decoder makes of the bytes.
    fn read(bytes: &[u8]) -> String {
        let text = std::str::from_utf8(bytes).expect("utf-8");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.take_while(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str::<Value>(data).expect("valid"))
            .map(|value| value["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    proptest! {
        #[test]
        fn it_says_what_a_reader_of_the_frames_reads(
            pieces in proptest::collection::vec(("\\PC{0,6}|[a-z ]{1,4}|[\"\\\\\n]", 0u8..12), 0..24),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..16),
            lost in 0.0f64..1.0,
        ) {
            let events: String = pieces.iter().map(|(text, kind)| match kind {
                0 => ": ping\n\n".to_owned(),
                1 => format!("{}\n\n", event(r#"{"role":"assistant"}"#)),
                2 => format!("{}\n\n", say(text).replace("\"m\"", "\"n\"")),
                3 => "data: {\"choices\":\n\n".to_owned(),
                _ => format!("{}\n\n", say(text)),
            }).collect();
            let end = (events.len() as f64 * lost) as usize;
            let mut places: Vec<usize> = cuts.iter().map(|cut| (cut * end as f64) as usize).chain([end]).collect();
            places.sort_unstable();
            let mut decoder = StreamDecoder::recording(Quirks::default());
            let (mut given, mut from, mut broken) = (Vec::<Bytes>::new(), 0, false);
            for place in places {
                decoder.feed(&events.as_bytes()[from..place]);
                from = place;
                while let Some(frame) = decoder.next_frame() {
                    broken |= frame.event == Event::Garbage;
                    if !broken {
                        given.push(frame.raw);
                    }
                }
            }
            let kept = decoder.transcript().expect("kept");
            prop_assert_eq!(kept.text(), read(&given.concat()));
        }
    }
}
