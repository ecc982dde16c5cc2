//! Websockets (RFC 6455), as far as one message has to be read and one written before all else passes unread.
//!
//! Lives here: the handshake's proof, frames in bytes, and a reader of a client's messages. Receives bytes; hands on
//! messages, or bytes again. Must never be here: sockets, chance, what a message says.

mod frame;
mod hearing;

pub use frame::{Kind, Message, close, masked, pong};
pub use hearing::{Fault, Heard, Hearing};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The only version that there is.
pub const VERSION: &str = "13";
/// What makes of a key its proof (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept`: the proof that whoever answers has read this `Sec-WebSocket-Key`.
#[must_use]
pub fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// A `Sec-WebSocket-Key` of these bytes, which nobody should be able to foresee.
#[must_use]
pub fn key(chance: [u8; 16]) -> String {
    STANDARD.encode(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_that_of_the_standard() {
        // Its example in section 1.3.
        let sample = key(*b"the sample nonce");
        assert_eq!(sample, "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(sample.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
