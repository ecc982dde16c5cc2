//! Where providers differ from the dialect they claim, as data.

use crate::openai_chat::Server;

/// Oddities of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Every complete stream ends with the dialect's terminator (`data: [DONE]`, `message_stop`), so that one without it
    /// was cut short. Where false, a finish reason is enough and the terminator is supplied for the client.
    pub done_marker: bool,
    /// What it takes of OpenAI's chat completions, where it speaks these.
    pub server: Server,
}

impl Default for Quirks {
    fn default() -> Self {
        Self { done_marker: true, server: Server::COMPATIBLE }
    }
}
