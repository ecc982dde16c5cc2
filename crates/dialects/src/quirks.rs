//! Where compatible providers differ from the dialect they claim, as data.

/// Oddities of one provider's OpenAI dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Every complete stream ends with `data: [DONE]`, so that one without it was cut short.
    /// Where false, a finish reason is enough and the terminator is supplied for the client.
    pub done_marker: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self { done_marker: true }
    }
}
