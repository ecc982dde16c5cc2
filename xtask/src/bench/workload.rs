//! The three workloads: what is asked, how the provider is told to answer, and the limit to keep.

use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// Bytes of a request, headers not counted.
const REQUEST: usize = 1400;
/// Letters of a whole answer's text, so that its body is about 0.9 KB.
const TEXT: usize = 600;

/// One kind of traffic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload {
    /// The model asked for, which is also the route's name.
    pub(super) model: &'static str,
    /// Whether the answer is a stream of events.
    pub(super) streamed: bool,
    /// Calls in flight.
    pub(super) at_once: usize,
    /// Between two events of a stream.
    pub(super) pace: Duration,
    /// The most that the gateway may cost, in nginx's.
    pub(super) limit: f64,
    tokens: usize,
    calls: usize,
}

impl Workload {
    pub(super) const UNARY: Self = Self {
        model: "unary",
        streamed: false,
        at_once: 16,
        pace: Duration::ZERO,
        // 1.6 for a bare gateway, and what features may cost: 5 us a call for what survives providers, 2 us for judging
        // answers, of the 30 to 50 us that nginx takes on machines of two cores.
        limit: 1.85,
        tokens: 0,
        calls: 20_000,
    };
    pub(super) const BURST: Self =
        Self { model: "burst", streamed: true, limit: 1.8, tokens: 103, calls: 3_000, ..Self::UNARY };
    pub(super) const PACED: Self = Self {
        model: "paced",
        at_once: 200,
        pace: Duration::from_millis(20),
        limit: 1.5,
        tokens: 50,
        calls: 600,
        ..Self::BURST
    };

    /// Calls of one round.
    pub(super) fn calls(&self, quick: bool) -> usize {
        if quick { (self.calls / 5).max(self.at_once) } else { self.calls }
    }

    /// What the simulator is told about this model.
    pub(super) fn behaviour(&self) -> Value {
        if self.streamed {
            json!({ "tokens": self.tokens, "pace": format!("{}ms", self.pace.as_millis()), "usage": true })
        } else {
            json!({ "text": filler(TEXT), "pace": "0ms", "usage": true })
        }
    }

    /// The request's body.
    pub(super) fn request(&self) -> Bytes {
        let body = |question: String| {
            json!({
                "model": self.model,
                "messages": [
                    { "role": "system", "content": "You answer in one paragraph." },
                    { "role": "user", "content": question },
                ],
                "temperature": 0.2,
                "stream": self.streamed,
            })
            .to_string()
        };
        let frame = body(String::new()).len();
        body(filler(REQUEST - frame)).into()
    }
}

/// Words of plain text, `length` bytes long.
fn filler(length: usize) -> String {
    "a harbour is kept calm by the wall that the waves break on; ".chars().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::{REQUEST, Workload};

    #[test]
    fn every_request_has_the_stated_size() {
        for workload in [Workload::UNARY, Workload::BURST, Workload::PACED] {
            assert_eq!(workload.request().len(), REQUEST, "{}", workload.model);
        }
    }
}
