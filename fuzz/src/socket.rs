//! A client's websocket, and the first message of a talk with Gemini. Input: the size of pieces, and what comes.

use bytes::{Bytes, BytesMut};
use dialects::gemini::live;
use dialects::websocket::{Fault, Heard, Hearing, Kind, Message, masked};

/// The longest message.
const LIMIT: usize = 4096;

/// What is heard is the same however it is cut, and what is said is heard; a setup changes in nothing but its model.
pub fn socket(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else { return };
    let size = usize::from(*size).max(1);
    assert_eq!(heard(bytes, size), heard(bytes, bytes.len().max(1)), "it depends on the pieces");
    let message = Message { kind: Kind::Text, payload: Bytes::copy_from_slice(bytes.get(..LIMIT).unwrap_or(bytes)) };
    let said = masked(&message, [*data.last().unwrap_or(&0), 1, 2, 3]);
    assert_eq!(heard(&said, size.max(64)), [Ok(Heard::Message(message.clone()))]);
    if let Ok(request) = live::decode(message.payload) {
        let again = live::decode(live::with_model(&request, "an-other")).expect("still a setup");
        assert_eq!(again.model, "an-other");
        let (one, other) = (&request.model_span, &again.model_span);
        assert_eq!(request.raw.get(..one.start), again.raw.get(..other.start), "more than the model is changed");
        assert_eq!(request.raw.get(one.end..), again.raw.get(other.end..), "more than the model is changed");
    }
}

fn heard(bytes: &[u8], size: usize) -> Vec<Result<Heard, Fault>> {
    let (mut hearing, mut buffer, mut all) = (Hearing::new(LIMIT), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        buffer.extend_from_slice(piece);
        while let Some(heard) = hearing.next(&mut buffer).transpose() {
            all.push(heard);
            if all.last().is_some_and(Result::is_err) {
                return all;
            }
        }
    }
    all
}
