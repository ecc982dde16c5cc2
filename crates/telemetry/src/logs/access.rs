//! The access log: one line per call, when it is over.
//!
//! Receives call records; hands lines to the sink. `RUST_LOG=breakwater::access=off` turns it off.
//! Must never be here: the wording of a line (see the two formats).

use super::timestamp::Timestamp;
use super::{Format, LogSink, human, json};
use engine::Sink;
use llm::{CallRecord, Label};
use std::cell::RefCell;

/// A longer line than this does not keep its buffer.
const KEEP: usize = 16 << 10;

thread_local! {
    /// Each thread's buffer, so that a line costs no allocation and is made outside the sink's lock.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes one line per call.
#[derive(Clone, Debug)]
pub struct AccessLog {
    out: LogSink,
    format: Format,
    colour: bool,
}

impl AccessLog {
    /// A log that writes to `out`; `colour` matters to people's format only.
    #[must_use]
    pub fn new(out: LogSink, format: Format, colour: bool) -> Self {
        Self { out, format, colour }
    }

    fn write(&self, line: &mut Vec<u8>, at: Timestamp, record: &CallRecord) {
        match self.format {
            Format::Json => json::write(line, at, record),
            Format::Human => human::write(line, at, record, self.colour),
        }
    }
}

impl Sink for AccessLog {
    fn opened(&self, _: &Label) {}

    fn released(&self, _: &Label) {}

    fn record(&self, record: &CallRecord) {
        if !tracing::enabled!(target: "breakwater::access", tracing::Level::INFO) {
            return;
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            self.write(line, Timestamp::now(), record);
            self.out.append(line);
            if line.capacity() > KEEP {
                *line = Vec::new();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{degraded_stream, repaired, unrouted};
    use std::time::Duration;

    fn line(format: Format, colour: bool, record: &CallRecord) -> String {
        let log = AccessLog::new(LogSink::new(std::io::sink()).unwrap(), format, colour);
        let mut line = Vec::new();
        let at = Timestamp::since_epoch(Duration::from_millis(1_767_323_045_006));
        log.write(&mut line, at, record);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_call_in_json() {
        assert_eq!(
            line(Format::Json, false, &degraded_stream()),
            concat!(
                r#"{"ts":"2026-01-02T03:04:05.006000Z","level":"info","msg":"call","request_id":"req-1","#,
                r#""route":"chat","caller":"app","dialect":"openai_chat","model":"fast-\"1\"\n","#,
                r#""target":"b/m2","stream":true,"outcome":"degraded","degraded":"fallback","status":200,"attempts":2,"#,
                r#""tried":[{"target":"a/m1","begun_ms":40.0,"verdict":"rate_limited","cause":"rate_limited","status":429,"ms":31.5},"#,
                r#"{"target":"b/m2","kind":"retry","begun_ms":40.0,"verdict":"success","status":200,"ms":420.0}],"#,
                r#""passed_over":[{"target":"a/m0","reason":"weight 0"},"#,
                r#"{"target":"a/m9","reason":"its breaker is open","for_ms":2500.0}],"duration_ms":1500.0,"#,
                r#""first_token_ms":460.0,"overhead_us":85,"tokens_in":12,"tokens_out":34,"tokens_cached":5,"#,
                r#""finish":"stop","stream_end":"complete"}"#,
                "\n",
            ),
        );
        assert_eq!(
            line(Format::Json, false, &unrouted()),
            concat!(
                r#"{"ts":"2026-01-02T03:04:05.006000Z","level":"info","msg":"call","request_id":"req-2","#,
                r#""route":"none","caller":"anonymous","dialect":"openai_chat","model":"","stream":false,"#,
                r#""outcome":"client_error","status":400,"error":"invalid_request","attempts":0,"tried":[],"#,
                r#""duration_ms":0.042,"overhead_us":42}"#,
                "\n",
            ),
        );
    }

    #[test]
    fn what_was_found_in_answers_is_told_by_codes() {
        assert_eq!(
            line(Format::Json, false, &repaired()),
            concat!(
                r#"{"ts":"2026-01-02T03:04:05.006000Z","level":"info","msg":"call","request_id":"req-3","#,
                r#""route":"chat","caller":"anonymous","dialect":"openai_chat","model":"chat","#,
                r#""target":"a/m1","stream":false,"outcome":"degraded","degraded":"repaired","status":200,"attempts":2,"#,
                r#""tried":[{"target":"a/m1","begun_ms":40.0,"verdict":"semantic_failure","cause":"contract_unmet","#,
                r#""status":200,"ms":420.0},"#,
                r#"{"target":"a/m1","kind":"reask","begun_ms":40.0,"verdict":"success","status":200,"ms":420.0}],"#,
                r#""checks":{"schema":"repaired","max_chars":"flagged"},"#,
                r#""findings":["missing_field","json_fenced","too_long"],"#,
                r#""duration_ms":900.0,"overhead_us":42,"finish":"stop"}"#,
                "\n",
            ),
        );
        assert_eq!(
            line(Format::Human, false, &repaired()),
            concat!(
                r#"2026-01-02T03:04:05.006000Z  INFO call degraded 200 chat "chat" -> a/m1 in 900ms, overhead 42us, "#,
                "tried a/m1 contract_unmet 200 420ms; a/m1 success as reask 200 420ms, ",
                "findings missing_field json_fenced too_long, finish stop caller=anonymous id=req-3\n",
            ),
        );
    }

    #[test]
    fn a_clients_text_stays_within_its_line() {
        let mut record = degraded_stream();
        record.served = llm::TargetId::parse("a/x\n\u{1b}[2J");
        for format in [Format::Human, Format::Json] {
            let line = line(format, false, &record);
            assert_eq!(line.find(char::is_control), Some(line.len() - 1), "{line}");
        }
    }

    #[test]
    fn a_call_for_people() {
        assert_eq!(
            line(Format::Human, false, &degraded_stream()),
            concat!(
                r#"2026-01-02T03:04:05.006000Z  INFO call degraded 200 chat "fast-\"1\"\n" -> b/m2 in 1.50s, "#,
                "first token 460ms, overhead 85us, tried a/m1 rate_limited 429 31ms; b/m2 success 200 420ms, ",
                "passed over a/m0 (weight 0), passed over a/m9 (its breaker is open, 2.50s left), tokens 12+34, finish stop, stream complete caller=app id=req-1\n",
            ),
        );
        assert_eq!(
            line(Format::Human, true, &unrouted()),
            concat!(
                "\u{1b}[2m2026-01-02T03:04:05.006000Z\u{1b}[0m  INFO call \u{1b}[33mclient_error\u{1b}[0m 400 ",
                "invalid_request none \"\" in 42us, overhead 42us \u{1b}[2mcaller=anonymous id=req-2\u{1b}[0m\n",
            ),
        );
    }
}
