//! What differs between two renderings of one answer: its id and its time.
//!
//! Receives a call's number; overwrites placeholders of the same length in rendered bytes, so that an answer is
//! rendered once and stamped per call. Never here: what else an answer says.

use std::time::{Duration, UNIX_EPOCH};

/// Stands where the id goes.
pub(crate) const ID: &str = "chatcmpl-0000000000000000";
/// Stands where the seconds since 1970 go; ten digits until the year 2286.
pub(crate) const CREATED: &str = "1000000000";

/// The id and time of one call.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// The answer's id, as long as [`ID`].
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

impl Stamp {
    /// For the `number`th call of a simulator seeded with `seed`.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let id = format!("chatcmpl-{:08x}{:08x}", seed & 0xffff_ffff, number & 0xffff_ffff);
        Self { id, created: since_1970().as_secs() }
    }

    /// Writes itself over the placeholders that begin at `id` and `created`.
    pub(crate) fn apply(&self, bytes: &mut [u8], id: usize, created: usize) {
        overwrite(bytes, id, &self.id);
        overwrite(bytes, created, &format!("{:010}", self.created));
    }

    /// The id of the HTTP request that the answer belongs to.
    pub(crate) fn request_id(&self) -> String {
        self.id.replacen("chatcmpl-", "req_", 1)
    }
}

fn overwrite(bytes: &mut [u8], at: usize, text: &str) {
    if let Some(place) = bytes.get_mut(at..at + text.len()) {
        place.copy_from_slice(text.as_bytes());
    }
}

/// The time of day.
#[allow(clippy::disallowed_types, reason = "the wire format wants wall time")]
pub(crate) fn since_1970() -> Duration {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
